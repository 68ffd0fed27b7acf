/*
 * trace_structs.h - the structs that system calls take, by the word that their signature
 * has for the argument. Any thread.
 */
#ifndef EXECUTOR_LINUX_TRACE_STRUCTS_H
#define EXECUTOR_LINUX_TRACE_STRUCTS_H

#include <stddef.h>

#include "executor/linux/trace_text.h"

/* Bytes of the largest of them. */
#define TRACE_STRUCT_MAX 512

struct trace_struct {
	const char *word;
	size_t size; /* TRACE_STRUCT_MAX at most */
	/* Appends the struct that @bytes hold, a copy of what is hostile. */
	void (*put)(struct trace_text *text, const void *bytes);
};

/* The struct that @word stands for; NULL: none. */
const struct trace_struct *trace_struct_find(const char *word);

#endif
