/* sdk.h - what the SDK's files share; functions include <thaw.h> instead. */
#ifndef SDK_H
#define SDK_H

#include <stdbool.h>
#include <stddef.h>

#include <thaw_abi.h>

struct thaw_function_record;
struct thaw_request;

#define thaw_info ((const volatile struct thaw_info *)THAW_GPA_INFO)
#define thaw_mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

/* stdio.c: tells the host where lines are that have not been sent. */
void thaw_stdio_init(void);

/*
 * stdio.c: bytes of @text, which has @size, up to @max, without a character of
 * UTF-8 of which only the beginning is.
 */
size_t thaw_cut(const char *text, size_t size, size_t max);

/*
 * stdio.c: what stdout and stderr still hold becomes log lines, at the end of init or of
 * an invocation. stdin begins anew.
 */
void thaw_stdio_flush(void);

/* descriptors.c: the next read() of the request begins at its start. */
void thaw_input_reset(void);

/* stdio.c: appends @size bytes of @text to @line: 0 is stdout, 1 stderr. */
void thaw_stdio_write(size_t line, const char *text, size_t size);

/* entropy.c: new seeds for rand() and random(). */
void thaw_entropy_reseed(void);

/* http.c: forgets status and headers of the reply. */
void thaw_http_reset(void);

/*
 * reply.c: the invocation is over, and what it has to say is in the mailbox.
 * The compiler must not move a store behind it.
 */
_Noreturn void thaw_end(void);

/* reply.c: whether the reply is lost, since it became larger than max_reply. */
bool thaw_reply_overflowed(void);

/* reply.c: ends the invocation well, with the reply as it is. */
_Noreturn void thaw_done(void);

/* host.c: init is over, and the host can be called. */
void thaw_host_ready(void);

/*
 * typed.c: the functions that init has registered; register.c fills them in. Only an
 * image that registers functions has room for them.
 */
extern struct thaw_registered {
	const struct thaw_function_record *records;
	uint32_t count;
	bool is_closed; /* init is over */
	/* of the function that is being called, if it is one of them */
	uint32_t called;
} thaw_registered;

/* typed.c: how many declarations of typed functions the image has. */
uint32_t thaw_typed_count(void);

/* typed.c: tells the host of all typed functions. From now on none is registered. */
void thaw_typed_ready(void);

/* typed.c: calls the typed function that the request names, and ends. */
_Noreturn void thaw_typed_run(const struct thaw_request *request);

#endif
