/*
 * signatures.h - names and arguments of all system calls of Linux 6.1 on this
 * architecture, those that thaw does not have included. --strace prints by them,
 * docs/linux.md lists them, and fuzzers can make arguments by them. Any thread.
 *
 * A signature has a word for each argument, and may end with "> address", for a result
 * that is printed in hexadecimal. trace.c and trace_names.c say what each word stands
 * for. The most important ones:
 *
 *	int unsigned hex long size offset	numbers
 *	address		of anything
 *	fd at path	a descriptor; one of a directory; a string that is a path
 *	data filled	bytes that the call reads, or writes; the next argument is their size
 *	iov iov_filled	the same, for an array of struct iovec; the next is its count
 *	out_...		a struct that the call writes; shown only if it succeeds
 */
#ifndef EXECUTOR_LINUX_SIGNATURES_H
#define EXECUTOR_LINUX_SIGNATURES_H

#include <stdbool.h>
#include <stdint.h>

struct linux_signature {
	const char *name;
	const char *arguments;
};

/* The signature of the call @number, which may be anything; NULL: Linux has no such. */
const struct linux_signature *linux_signature_find(uint64_t number);

#endif
