/*
 * trace_names.h - the names of flags and other constants that system calls take, by the
 * word that their signature has for the argument. Any thread.
 */
#ifndef EXECUTOR_LINUX_TRACE_NAMES_H
#define EXECUTOR_LINUX_TRACE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/linux/trace_text.h"

/*
 * Appends @value by the names that arguments called @word have; what has no name is
 * appended in hexadecimal. False, and nothing appended: there is no such word.
 */
bool trace_put_names(struct trace_text *text, const char *word, uint64_t value);

/* Appends "SIGSEGV", or the number of a signal that does not exist. */
void trace_put_signal(struct trace_text *text, int signal);

/* Appends "SEGV_MAPERR", the si_code @code of @signal, or its number. */
void trace_put_code(struct trace_text *text, int signal, int code);

#endif
