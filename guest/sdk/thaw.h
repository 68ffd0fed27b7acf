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
 * thaw boots the image once. When every init function has returned, it takes a
 * snapshot of memory. Each invocation starts from that snapshot, with the registers
 * as at boot. So whatever a handler changes (memory, the rounding mode, open streams,
 * malloc's heap) is gone when the next invocation starts. There are no threads, files
 * or sockets. The C library is picolibc; stdout and stderr go to the function's log,
 * line by line. clock_gettime() is right in every invocation. rand(), random(),
 * arc4random() and getentropy() are seeded afresh for each.
 *
 * Unless a comment says otherwise: sizes are in bytes; strings end with a zero; no
 * call keeps a pointer that it is given; and nothing that a call returns is to be
 * freed. thaw-sdk(7) is the manual of all of this.
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

/* The request. All of it is read-only, and valid until the handler returns. */
struct thaw_request {
	const void *data;	  /* @size bytes, not zero-terminated */
	size_t size;		  /* bytes */
	const char *content_type; /* "" if the client gave none */
	const char *function;	  /* its name in the catalog */
	const char *handler;	  /* the name of the handler that is called */
	const char *id;		  /* the request's id, for logs */
	uint64_t deadline_ns; /* when the invocation is stopped; CLOCK_MONOTONIC */
};

/*
 * Returns the request's attribute @name, or NULL if it has none of that name. An
 * attribute is a text that a client sends beside the request's data. Clients of the
 * server set "method", "path" (what follows the function's name in the URL), "query",
 * "traceparent", "tracestate", "client-context" (JSON) and "x-amzn-trace-id"; a
 * program with libthaw may set others. The text is valid as long as the request.
 */
const char *thaw_attribute(const char *name);

/*
 * Return parts of the HTTP request, and never NULL: the method, "POST" if the caller
 * named none; the path that follows the function's name in the URL, or "/"; and the
 * query, which follows the '?', or "". Path and query are as the client sent them, so
 * a blank is still "%20". They are valid as long as the request.
 */
const char *thaw_request_method(const struct thaw_request *request);
const char *thaw_request_path(const struct thaw_request *request);
const char *thaw_request_query(const struct thaw_request *request);

/*
 * Returns the value of the request's header @name, or NULL if the client has not sent
 * it. The case of letters does not count. If the header was sent more than once, returns
 * the first value. Headers that describe the connection or the end of the message do not
 * reach a function. The value is valid as long as the request.
 */
const char *thaw_request_header(const struct thaw_request *request,
				const char *name);

/*
 * Goes through all headers, in the order in which they were sent:
 *
 *	struct thaw_header header = { NULL, NULL };
 *
 *	while (thaw_request_next_header(request, &header))
 *		use(header.name, header.value);
 *
 * Each call sets *@header to the next header; the first call begins with NULLs.
 * Returns false, and sets nothing, after the last. Names are in lower case. The
 * strings are valid as long as the request.
 */
struct thaw_header {
	const char *name, *value;
};
bool thaw_request_next_header(const struct thaw_request *request,
			      struct thaw_header *header);

/*
 * Defines a handler, which the catalog's `entry` can name; its body follows. Its
 * parameter is `const struct thaw_request *request`. If it returns 0, the reply that
 * it has written is sent; it may be empty. Any other value ends the invocation with an
 * error of the type Runtime.HandlerError. A name has 55 characters at most, and an
 * image has one handler of a name.
 */
#define THAW_HANDLER(name)                                           \
	static int thaw_handler_##name(const struct thaw_request *); \
	THAW_HANDLER_ENTRY(name)                                     \
	static int thaw_handler_##name(__attribute__((unused))       \
				       const struct thaw_request *request)

/*
 * Defines an init function, which runs once, before the snapshot; its body follows.
 * It has no parameters. If it returns anything but 0, the deployment fails. If there
 * are several, they run in the order in which the linker sees them.
 */
#define THAW_INIT(name)                    \
	static int thaw_init_##name(void); \
	THAW_INIT_ENTRY(name)              \
	static int thaw_init_##name(void)

/*
 * The reply. A handler builds it in a window of max_reply bytes (the catalog's), which
 * thaw reads when the handler returns.
 *
 * If a call has no room for all of its bytes, it appends none and returns -1. The
 * reply is then lost, because it would lack these bytes: all further calls that append
 * return -1, and the invocation ends with an error of the type
 * Function.ResponseSizeTooLarge, whatever the handler returns. To prevent that, call
 * thaw_reply_reset() and make a smaller reply, or call thaw_fail().
 */

/* Appends @size bytes, which are copied. Returns 0, or -1: there is no room. */
int thaw_reply(const void *data, size_t size);

/*
 * Appends formatted text, without its terminating zero. Returns the number of bytes, or
 * -1: there is no room.
 */
int thaw_reply_printf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * For handlers that write the reply in place. thaw_reply_buffer() returns the free part
 * of the window, and its size in *@ret_capacity; it is valid until the next call that
 * changes the reply. thaw_reply_commit() appends the first @size bytes of it. Returns
 * 0, or -1: it is not so large.
 */
void *thaw_reply_buffer(size_t *ret_capacity);
int thaw_reply_commit(size_t size);

/* Returns the number of bytes that have been appended. */
size_t thaw_reply_size(void);

/*
 * Begins the reply anew: drops its bytes, its type, its status and its headers. Calls
 * can append again, even if there were too many bytes before.
 */
void thaw_reply_reset(void);

/*
 * Sets the reply's content type, which is application/octet-stream otherwise. Returns 0,
 * or -1: it has more than 127 characters.
 */
int thaw_reply_type(const char *content_type);

/*
 * Sets the reply's HTTP status, 200 to 599, which is 200 otherwise. Returns 0, or -1: it
 * is none of these. The status is part of the function's answer: none of them counts as
 * a failure. A reply of status 204, 205 or 304 must be empty.
 */
int thaw_reply_status(int status);

/*
 * Adds a header to the reply. Returns 0, or -1, and adds nothing, if
 * - name or value are not valid in HTTP (RFC 9110);
 * - only the server may set it: what describes the connection, Content-Length, Date,
 *   X-Call-Id and X-Function-Status;
 * - all headers together would take more than 4,096 bytes.
 * "Content-Type" does the same as thaw_reply_type(). A caller of the Lambda API gets
 * neither status nor headers.
 */
int thaw_reply_header(const char *name, const char *value);

/*
 * Ends the invocation with an error instead of a reply, and does not return. @type, such
 * as "Order.NotFound", has 63 characters at most, and the formatted message 1,023
 * bytes; more is cut. For handlers, typed functions and init functions.
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
 * Returns the generation number: no other invocation has the same, in any vm of the
 * snapshot.
 */
uint64_t thaw_generation(void);

/* Not for functions: what the macros above leave in the image (function.ld). */
struct thaw_handler_record {
	int (*function)(const struct thaw_request *request);
	char name[THAW_NAME_MAX - 8];
};

/* Its name has the handler's in it, so that the linker refuses a second one. */
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
