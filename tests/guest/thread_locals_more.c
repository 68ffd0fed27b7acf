/* thread_locals_more.c - a thread-local variable of another file. */
extern _Thread_local long elsewhere;

_Thread_local long elsewhere = 7;
