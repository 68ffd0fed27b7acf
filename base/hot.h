/*
 * hot.h - HOT marks functions that every warm invocation runs. The linker puts them side
 * by side, so that an invocation needs few pages and cache lines of code: KVM has
 * evicted most of them during the exit. tests/contract/test_instructions.c counts the
 * pages.
 */
#ifndef BASE_HOT_H
#define BASE_HOT_H

#define HOT __attribute__((hot))

/* Not a part of the functions that call it: something looks for it by its name. */
#define NOINLINE __attribute__((noinline))

#endif
