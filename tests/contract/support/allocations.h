/*
 * allocations.h - counts the heap's calls, by taking the C library's place in
 * the test program.
 */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdbool.h>

/* False in builds in which that place is taken: see CMakeLists.txt. */
bool allocations_counted(void);

/* Calls of malloc, calloc, realloc, aligned ones and free by this thread. */
unsigned allocations(void);

#endif
