/* missing.c - a library that a program needs, and sees only if --file names it. */
int missing;
