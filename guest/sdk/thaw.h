/*
 * thaw.h - write a function for thaw.
 *
 *	#include <thaw.h>
 *
 *	THAW_INIT(load_tables)
 *	{
 *		...			runs once, before the snapshot
 *		return 0;
 *	}
 *
 *	THAW_HANDLER(hello)
 *	{
 *		thaw_reply_printf("{\"hello\":\"%.*s\"}", (int)request->size,
 *				  (const char *)request->data);
 *		return 0;
 *	}
 *
 * The image is booted once. When every init function has returned, thaw takes
 * a snapshot of memory, and each invocation starts from that snapshot, with the
 * registers as at boot: whatever a handler changes - memory, rounding, open
 * streams, malloc's heap - is gone when the next one starts. There are no
 * threads, files or sockets. The C library is picolibc; stdout and stderr go to
 * the function's log, line by line. Time comes from clock_gettime() and is right
 * in every invocation; rand(), random(), arc4random() and getentropy() are seeded
 * afresh for each.
 */
#ifndef THAW_H
#define THAW_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thaw_abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The request; valid, and read-only, until the handler returns. */
struct thaw_request {
	const void *data;	  /* @size bytes, not zero-terminated */
	size_t size;		  /* bytes */
	const char *content_type; /* "" if the client gave none */
	const char *function;	  /* name in the catalog */
	const char *handler;	  /* name of the handler called */
	const char *id;		  /* request id */
	uint64_t deadline_ns;	  /* CLOCK_MONOTONIC; then it is stopped */
};

/*
 * What else the client has said of the request, by name, or NULL: "path" (behind
 * the function's name in the URL), "query", "traceparent", "tracestate",
 * "client-context" (JSON), "x-amzn-trace-id", and whatever a caller of libthaw
 * has added. Valid as the request is.
 */
const char *thaw_attribute(const char *name);

/*
 * The request as HTTP has it, never NULL: its method, "POST" where the caller
 * names none; the path behind the function's name in the URL, or "/"; what is
 * behind the '?', or "". As they were sent, so a blank is still "%20".
 */
const char *thaw_request_method(const struct thaw_request *request);
const char *thaw_request_path(const struct thaw_request *request);
const char *thaw_request_query(const struct thaw_request *request);

/*
 * The value of the request's header @name, whatever its case; NULL: there is none.
 * If it has been sent more than once, the first. What is about the connection or
 * about where the message ends does not arrive.
 */
const char *thaw_request_header(const struct thaw_request *request,
				const char *name);

/*
 * All of them, in the order in which they were sent; names are in lower case:
 *
 *	struct thaw_header header = { NULL, NULL };
 *
 *	while (thaw_request_next_header(request, &header))
 *		use(header.name, header.value);
 */
struct thaw_header {
	const char *name, *value;
};
bool thaw_request_next_header(const struct thaw_request *request,
			      struct thaw_header *header);

/*
 * Defines a handler, to be named as `entry` in the catalog; its body follows.
 * Returning 0 sends the reply written so far (an empty one is fine); any other
 * value is an error of type Runtime.HandlerError. Names may have up to 55
 * characters, and each is there once in an image.
 */
#define THAW_HANDLER(name)                                           \
	static int thaw_handler_##name(const struct thaw_request *); \
	THAW_HANDLER_ENTRY(name)                                     \
	static int thaw_handler_##name(__attribute__((unused))       \
				       const struct thaw_request *request)

/*
 * Defines an init function, which runs once, before the snapshot; its body
 * follows. A value other than 0 fails the deployment. Several run in the
 * order in which the linker sees them.
 */
#define THAW_INIT(name)                    \
	static int thaw_init_##name(void); \
	THAW_INIT_ENTRY(name)              \
	static int thaw_init_##name(void)

/*
 * The reply. It is built in a window that thaw reads when the handler returns;
 * its size is the catalog's max_reply. The functions below return 0 (or a
 * count), or -1 when the reply would become too large. Then it is lost, since it
 * would have a hole: they return -1 from then on, and the invocation ends with
 * an error of type Function.ResponseSizeTooLarge, whatever the handler returns.
 * It may call thaw_reply_reset() and make a smaller one, or thaw_fail().
 */

/* Appends @size bytes. */
int thaw_reply(const void *data, size_t size);

/* Appends formatted text, without its terminating zero. */
int thaw_reply_printf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * For handlers that make the reply in place: the free part of the window,
 * @ret_capacity bytes, and thaw_reply_commit() to append what was written.
 */
void *thaw_reply_buffer(size_t *ret_capacity);
int thaw_reply_commit(size_t size);

/*
 * Bytes appended so far; forgets them, and that there were too many, and the
 * type, status and headers.
 */
size_t thaw_reply_size(void);
void thaw_reply_reset(void);

/*
 * The reply's content type, 127 characters at most (-1 if it is longer).
 * Without one it is application/octet-stream.
 */
int thaw_reply_type(const char *content_type);

/*
 * The reply's status, 200 to 599: -1 if it is none of these. It is the function's
 * own answer and no failure, whatever it is. A reply of status 204, 205 or 304
 * must be empty. Without this call it is 200.
 */
int thaw_reply_status(int status);

/*
 * Adds a header to the reply. -1, and nothing is added, if name or value are none
 * of HTTP's (RFC 9110), if they are the server's to say (what is about the
 * connection, Content-Length, Date, X-Call-Id, X-Function-Status), or if all of
 * them would take more than 4,096 bytes. "Content-Type" is thaw_reply_type().
 * Who calls by the Lambda API gets neither status nor headers.
 */
int thaw_reply_header(const char *name, const char *value);

/*
 * Ends the invocation with an error instead of a reply: a type, such as
 * "Order.NotFound" (63 characters at most), and a message (1,023). Longer ones
 * are cut. Does not return.
 */
void thaw_fail(const char *type, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/*
 * Writes one line to the function's log. Lines over 1,023 bytes are cut; no
 * character of UTF-8 is. Lines reach the log in order, at the end of the invocation or
 * when the function sleeps, calls the host, or calls fflush(); some 16 KiB of them cost
 * no exit from the guest.
 */
void thaw_log(enum thaw_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A number that is different in every invocation, also across all vms made
 * from one snapshot.
 */
uint64_t thaw_generation(void);

/* What the macros above leave in the image; see guest/sdk/function.ld. */
struct thaw_handler_record {
	int (*function)(const struct thaw_request *request);
	char name[THAW_NAME_MAX - 8];
};

/* The record has a name of its own, so that the linker refuses a second one. */
#define THAW_HANDLER_ENTRY(name)                                           \
	THAW_ASSERT(sizeof(#name) <= THAW_NAME_MAX - 8,                    \
		    "a handler's name has 55 characters at most");         \
	extern const struct thaw_handler_record thaw_handler_entry_##name; \
	__attribute__((used, section("thaw_handlers"), aligned(8)))        \
	const struct thaw_handler_record thaw_handler_entry_##name = {     \
		thaw_handler_##name, #name                                 \
	};

struct thaw_init_record {
	int (*function)(void);
	const char *name;
};

#define THAW_INIT_ENTRY(name)                                            \
	__attribute__((used, section("thaw_inits"),                      \
		       aligned(8))) static const struct thaw_init_record \
		thaw_init_entry_##name = { thaw_init_##name, #name };

#ifdef __cplusplus
}
#endif

#include <thaw_function.h>
#include <thaw_import.h>

#endif
