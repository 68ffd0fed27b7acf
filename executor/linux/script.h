/* script.h - the first line of a script, "#!", as the kernel's execve() takes it. */
#ifndef EXECUTOR_LINUX_SCRIPT_H
#define EXECUTOR_LINUX_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The line ends within so many bytes, its newline included. ENOEXEC. */
#define SCRIPT_LINE_MAX 256
/* Scripts that are each other's interpreters. ELOOP. */
#define SCRIPT_DEPTH_MAX 4

/* What is run instead of a script. */
struct script {
	char *interpreter;
	char **arguments; /* NULL-terminated */
};

/*
 * Reads the first line of the file @path, @size @bytes. Returns 0: it is not a script;
 * 1: it is, and *@ret_script, which the caller owns, is what is run instead of @path with
 * @arguments. -ENOEXEC: no interpreter is named; -ENOMEM.
 */
int script_read(const uint8_t *bytes, size_t size, const char *path,
		char *const *arguments, struct error *err,
		struct script *ret_script);

void script_done(struct script *script);

#endif
