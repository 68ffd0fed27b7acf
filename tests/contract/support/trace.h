/*
 * trace.h - counts the system calls of a piece of code, which a traced child process
 * runs.
 *
 *	static void body(void *cookie)
 *	{
 *		...			not counted
 *		trace_mark();
 *		...			counted
 *		trace_mark();
 *	}
 *
 *	trace_calls(body, cookie, &trace);
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>

/* Calls of further kinds are counted in call_count only. */
#define TRACE_KINDS_MAX 64

struct trace {
	unsigned call_count; /* all calls between the marks */
	size_t kind_count;
	struct {
		long number;
		unsigned long request; /* of ioctl, else 0 */
		unsigned count;
	} kinds[TRACE_KINDS_MAX];
};

/*
 * Runs @body in a child and counts the calls of its main thread. Returns 0, or -errno
 * if this machine does not allow tracing.
 */
int trace_calls(void (*body)(void *cookie), void *cookie,
		struct trace *ret_trace);

/* In the child: begins to count, or stops. */
void trace_mark(void);

/* How many of the calls were ioctls with @request. */
unsigned trace_ioctls(const struct trace *trace, unsigned long request);

/* The kinds as text, for messages; valid until the next call. */
const char *trace_text(const struct trace *trace);

#endif
