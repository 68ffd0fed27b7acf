/*
 * repeat.h - the invocations of --repeat: checks that all replies are equal,
 * and measures times and memory.
 */
#ifndef EXECUTOR_CLI_REPEAT_H
#define EXECUTOR_CLI_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/libthaw.h"

struct answer;

struct repeat {
	const char *function;
	size_t count, done; /* invocations */
	bool remote;	    /* a server runs them */
	const char *took;   /* what the times are called */
	uint64_t *took_ns;  /* of each; resident from the start */

	void *first; /* the first reply's data */
	size_t first_size;
	unsigned first_status;
	char first_type[sizeof(((struct thaw_reply *)0)->content_type)];

	size_t settled_after; /* invocations */
	size_t settled_kib;   /* resident memory then */
};

/*
 * Prepares for @count invocations. @remote ones are timed here, not by their
 * runs alone. @function is borrowed. Returns CLI_OK, or CLI_INTERNAL after a
 * message; repeat_done() is due either way.
 */
int repeat_init(struct repeat *repeat, const char *function, size_t count,
		bool remote);

void repeat_done(struct repeat *repeat);

/*
 * Adds the next reply, a good one. Returns CLI_INTERNAL after a message if it
 * differs from the first.
 */
int repeat_note(struct repeat *repeat, const struct answer *reply);

/* Prints times and memory on standard error, after the last invocation. */
void repeat_summarize(struct repeat *repeat);

#endif
