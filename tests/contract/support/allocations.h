/*
 * allocations.h - counts calls of the heap: malloc() and the others are replaced in
 * the test program.
 */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdbool.h>

/* False in builds that have replaced them already: see CMakeLists.txt. */
bool allocations_counted(void);

/* How often this thread has called malloc, calloc, realloc, free or an aligned one. */
unsigned allocations(void);

#endif
