/*
 * libthaw.h - invoke thaw's functions from your own program.
 *
 *	struct thaw_error error;
 *	struct thaw *thaw;
 *	struct thaw_reply reply;
 *	const struct thaw_invoke_request request = { .data = "{}", .size = 2 };
 *
 *	if (thaw_open("functions.json", NULL, &error, &thaw))
 *		errx(1, "%s", error.message);
 *	if (thaw_invoke(thaw, "hello", &request, &error, &reply))
 *		errx(1, "%s", error.message);
 *	if (reply.result == THAW_OK)
 *		fwrite(reply.data, 1, reply.size, stdout);
 *	thaw_reply_release(&reply);
 *	thaw_close(thaw);
 *
 * thaw_connect(), below, is the same for functions that `thaw serve` runs.
 *
 * Any thread may make any call at any time, with two exceptions: thaw_close() must
 * be the last call, and a struct thaw_client belongs to one thread at a time.
 * Invocations run on the caller's thread. The library uses one real-time signal
 * (SIGRTMIN + 3) to stop functions at their deadline; a thread that invokes must
 * neither block nor handle it. What is open does not survive fork(2): a child must
 * open its own.
 *
 * Calls return 0, or -errno with a message in *@error, which may be NULL. A
 * function that fails is not an error of the call: the reply says that it failed.
 *
 * docs/embedding.md says how to build with the library, and what stays compatible
 * from one version to the next. In short: within a major version the structs keep
 * their layout, and new functions are added.
 */
#ifndef LIBTHAW_H
#define LIBTHAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thaw_log.h"
#include "thaw_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* An open catalog, and what has been deployed of it. */
struct thaw;

/* Why a call has failed: printable text, without a newline. */
struct thaw_error {
	char message[1024];
};

/*
 * Takes one log line of @function: printable text of @size bytes with a zero
 * behind it, valid during the call. It is called on the thread that invokes the
 * function, or that deploys it, for lines from its boot. Several threads may call
 * it at the same time.
 */
typedef void (*thaw_log_fn)(void *cookie, const char *function,
			    enum thaw_level level, const char *text,
			    size_t size);

/*
 * One call of a host function by a function that runs: see struct thaw_host_function.
 * All of it is valid until the call is over.
 */
struct thaw_host_call {
	const char *function; /* the caller's name in the catalog */
	const char *id;	      /* of the caller's request */
	/* As many, and of those types, as the host function has parameters. */
	const struct thaw_value *arguments;
	size_t count;
	/* Then the caller is stopped (CLOCK_MONOTONIC). */
	uint64_t deadline_ns;
};

/*
 * A function of this program that functions of the catalog may call, if their
 * `host.allow` lists it: see docs/host-functions.md.
 */
struct thaw_host_function {
	const char *name; /* an identifier of C, 55 characters at most */
	enum thaw_type returns;
	const enum thaw_type *types; /* of the parameters */
	size_t count;		     /* of them; THAW_PARAMETERS_MAX at most */
	/*
	 * Calls thaw_host_return() or thaw_host_fail(), and returns. It runs on a
	 * thread of the library's, so it may take long, and several may run at the
	 * same time. If the caller's deadline comes first, the caller is stopped
	 * and the result is dropped.
	 */
	void (*call)(void *cookie, struct thaw_host_call *call);
	void *cookie;
	unsigned flags;	      /* THAW_HOST_INLINE, or 0 */
	uint64_t reserved[2]; /* zero */
};

/*
 * The function takes microseconds and waits for nothing: it runs on the thread that
 * runs the caller, which saves a change of threads, and keeps it.
 */
#define THAW_HOST_INLINE 0x1

/* A program offers so many host functions at most. */
#define THAW_HOST_FUNCTIONS_MAX 256

/* So many of those that are not inline run at the same time; others wait. */
#define THAW_HOST_THREADS_MAX 64

/* All zero is the default. */
struct thaw_options {
	thaw_log_fn log; /* NULL: log lines are dropped */
	void *log_cookie;

	/* Copied; cookies must stay valid until thaw_close() has returned. */
	const struct thaw_host_function *host_functions;
	size_t host_function_count;

	/*
	 * The state directory, in which the snapshots of functions are kept for the next
	 * process, and the most bytes that they may take there; NULL: none; 0: 4 GiB.
	 * Copied. It is made if it is not there; it must belong to this user, and be open
	 * to nobody else. If it cannot be used, the log says so, for the function "", and
	 * functions are booted.
	 */
	const char *state_dir;
	uint64_t state_max;
};

/*
 * One attribute of a request: two strings. All attributes of a request together
 * may have THAW_ATTRIBUTES_SIZE_MAX bytes, the two zeros of each included.
 */
struct thaw_attribute {
	const char *name;
	const char *value;
};
#define THAW_ATTRIBUTES_SIZE_MAX 3584

/* The same limit for the headers of a request, and for those of a reply. */
#define THAW_HEADERS_SIZE_MAX 16384
#define THAW_REPLY_HEADERS_SIZE_MAX 4096

struct thaw_invoke_request {
	const void *data; /* borrowed for the call */
	size_t size;
	const char *content_type; /* NULL for none; 127 characters at most */
	const char *id;		  /* NULL: one is made; 63 at most */
	uint64_t timeout_ns;	  /* 0: the function's; else the lesser */

	/* For the guest's thaw_attribute(). */
	const struct thaw_attribute *attributes;
	size_t attribute_count;

	/*
	 * For the guest's thaw_request_header(). A request that stands for an
	 * HTTP request also has the attributes "method", "path" and "query".
	 */
	const struct thaw_attribute *headers;
	size_t header_count;

	/* Takes this invocation's log lines instead of thaw_options.log. */
	thaw_log_fn log;
	void *log_cookie;

	uint64_t reserved[4]; /* zero */
};

/* How an invocation ended. */
enum thaw_result {
	THAW_OK,      /* data, size, content_type */
	THAW_ERROR,   /* the function reported an error, or broke a limit */
	THAW_FAULT,   /* its code faulted */
	THAW_TIMEOUT, /* it did not end in time */
};

struct thaw_reply {
	enum thaw_result result;
	/*
	 * The reply, in guest memory: valid until thaw_reply_release(). It does
	 * not change until then, unless the function's isolation is
	 * "cooperative": copy such a reply before you check it.
	 */
	const void *data;
	size_t size;
	char content_type[128]; /* printable text */
	char id[64];		/* the request's */

	/*
	 * The HTTP status that the function has set, 200 to 599, or 0 if it has
	 * set none. No status is a failure of the function. The headers are
	 * strings, "name\0value\0", valid as RFC 9110 has them; none of them
	 * concerns the connection. They are valid as long as the data, and do
	 * not change.
	 */
	unsigned status;
	size_t headers_size; /* bytes */
	const char *headers;

	/* If the result is not THAW_OK; printable text. */
	char error_type[64]; /* e.g. "Runtime.Fault", or the function's own */
	char error_message[2048];

	/* What the invocation took. */
	uint64_t queue_ns; /* until a vm was free */
	uint64_t run_ns;   /* from the request to the end of the run */
	unsigned exits;	   /* returns from KVM_RUN */

	/* What followed; thaw_reply_release() sets these. */
	uint64_t reply_ns; /* from the end of the run to thaw_reply_release() */
	uint64_t restore_ns;   /* until the vm was clean again */
	unsigned dirty_pages;  /* written for the first time by this vm */
	unsigned hot_pages;    /* restored without being asked for */
	uint64_t copied_bytes; /* to restore them */

	uint64_t reserved[16]; /* the library's: do not touch */
};

/*
 * Opens the catalog at @path. Nothing is booted yet. @options may be NULL. The
 * caller owns *@ret_thaw and frees it by thaw_close(). -EINVAL: the catalog is not
 * valid; other errors come from reading the file.
 */
int thaw_open(const char *path, const struct thaw_options *options,
	      struct thaw_error *error, struct thaw **ret_thaw);

/*
 * The same for a catalog in memory, which is copied. @name stands for its path: in
 * messages, and as the file whose folder relative paths of images start from.
 */
int thaw_open_text(const char *text, size_t size, const char *name,
		   const struct thaw_options *options, struct thaw_error *error,
		   struct thaw **ret_thaw);

/*
 * Frees everything. No reply may be outstanding. Waits for host functions that run for
 * callers which were stopped. NULL is fine.
 */
void thaw_close(struct thaw *thaw);

/*
 * Boots @function and takes its snapshot, if that has not been done. -ENOENT:
 * there is no such function, or its image is missing; -ENOEXEC: its image cannot be
 * run; -ECANCELED, -ETIMEDOUT, -EPROTO: it did not boot.
 */
int thaw_deploy(struct thaw *thaw, const char *function,
		struct thaw_error *error);

/*
 * Invokes @function, and deploys it first if that has not been done. On success the
 * caller must give *@ret_reply to thaw_reply_release(). -E2BIG: the request is
 * larger than the function's max_request; -EINVAL: content type, id, attributes or
 * headers are too long, or a header is not valid; -EBUSY: all vms of the function
 * are busy and its queue is full; -EAGAIN: no vm became free in time; or any error
 * of thaw_deploy(). If @function's requests are calls of typed functions, also -EINVAL
 * and -ENOSYS as of thaw_call().
 */
int thaw_invoke(struct thaw *thaw, const char *function,
		const struct thaw_invoke_request *request,
		struct thaw_error *error, struct thaw_reply *ret_reply);

/* A call of a typed function: see docs/typed-functions.md. */
struct thaw_typed_call {
	const char *name;		    /* of the function in the image */
	const struct thaw_value *arguments; /* borrowed for the call */
	size_t count;
	enum thaw_type returns; /* what is expected; THAW_TYPE_NONE: any */
	/* NULL, or all but data and content type: id, timeout, log ... */
	const struct thaw_invoke_request *request;
	uint64_t reserved[4]; /* zero */
};

/*
 * Calls a typed function of @function with values, without JSON. If the reply's
 * result is THAW_OK, *@ret_value is what the function has returned, THAW_TYPE_VOID if
 * that is nothing; text and bytes are valid until thaw_reply_release(). Else its type
 * is THAW_TYPE_NONE. Errors as thaw_invoke(); -ENOSYS: there is no typed function of
 * that name; -EINVAL: number or types of the arguments, or text in them, are not what
 * it declares; -EPROTO: @function has no typed functions.
 */
int thaw_call(struct thaw *thaw, const char *function,
	      const struct thaw_typed_call *call, struct thaw_error *error,
	      struct thaw_reply *ret_reply, struct thaw_value *ret_value);

/*
 * Starts an invocation of @function. If the function's vm is polled (the catalog's
 * dispatch), this does not wait for the end. Returns 1 if the invocation has ended,
 * as after thaw_invoke(). Returns 0 if it has not: then call thaw_poll(), from one
 * thread at a time, until that returns something else. *@request and its data are
 * borrowed until then. Errors as thaw_invoke().
 */
int thaw_start(struct thaw *thaw, const char *function,
	       const struct thaw_invoke_request *request,
	       struct thaw_error *error, struct thaw_reply *ret_reply);

/*
 * Returns 1 if the invocation that thaw_start() began has ended, 0 if it has not, or
 * -errno; then there is no reply. While it has not ended, a call takes a few
 * nanoseconds and makes no system call.
 */
int thaw_poll(struct thaw_reply *reply, struct thaw_error *error);

/*
 * For a host function: sets the result, whose text or bytes are copied. Returns 0;
 * -EINVAL: it is of another type than the function returns, or text is not UTF-8 or has
 * a zero in it; -E2BIG: it is larger than the caller's host.max_size; -ENOMEM. Then the
 * caller gets an error that says so. Of several results the last one counts.
 */
int thaw_host_return(struct thaw_host_call *call,
		     const struct thaw_value *result);

/* For a host function: the caller gets THAW_HOST_FAILED, and @message, cut at 511 bytes. */
void thaw_host_fail(struct thaw_host_call *call, const char *message);

/* For a host function: whether nobody waits for its result any more. Any thread. */
bool thaw_host_is_abandoned(const struct thaw_host_call *call);

/* How a function's invocations have been dispatched: see thaw_get_stats(). */
struct thaw_stats {
	const char *dispatch;  /* the catalog's: "exit", "polled", "auto" */
	const char *isolation; /* the catalog's: "strict", "cooperative" */
	/* what its vms wait at: "call", "trap", "user", or "none" */
	const char *gate;
	/* why there is none, though the catalog asks for it; else "" */
	const char *no_gate;
	bool is_polled;	    /* the last invocation was */
	uint64_t polled;    /* invocations without an exit */
	uint64_t exited;    /* the others */
	uint64_t no_core;   /* of those, for want of a core to wait on */
	uint64_t to_polled; /* changes from one to the other */
	uint64_t to_exit;
	uint64_t saving_ns; /* what the gate saves of an exit here; measured */

	uint64_t reserved[4]; /* zero */
};

/*
 * Tells how @function has been dispatched so far. The strings live as long as
 * @thaw. -ENOENT: there is no such function, or it is not deployed.
 */
int thaw_get_stats(struct thaw *thaw, const char *function,
		   struct thaw_error *error, struct thaw_stats *ret_stats);

/*
 * Limits how many vms of this process may wait for invocations inside the guest,
 * each of which keeps a CPU busy. THAW_POLLING_CORES_DEFAULT is half of the CPUs;
 * the most is all but one; 0 allows none. Functions beyond the limit are dispatched
 * by exits.
 */
#define THAW_POLLING_CORES_DEFAULT UINT32_MAX
void thaw_set_polling_cores(uint32_t cores);

/*
 * Ends the use of a reply: restores the vm for the next invocation. If the
 * invocation has not ended, waits for its end. The reply keeps its strings and gets
 * its last figures; its data and headers are gone.
 */
void thaw_reply_release(struct thaw_reply *reply);

/*
 * Frees vms that have been idle for @idle_ns, but leaves each function as many as
 * its concurrency.warm. Nothing else frees vms before thaw_close(). Takes about a
 * millisecond for each vm, and delays no invocation. Returns the number of vms that
 * were freed.
 */
size_t thaw_trim(struct thaw *thaw, uint64_t idle_ns);

/*
 * Invoking functions of a running `thaw serve`, over its unix socket. No struct
 * thaw is needed, and the caller needs no /dev/kvm:
 *
 *	struct thaw_error error;
 *	struct thaw_client *client;
 *	struct thaw_client_reply reply;
 *	const struct thaw_invoke_request request = { .data = "{}", .size = 2 };
 *
 *	if (thaw_connect(NULL, &error, &client) ||
 *	    thaw_client_invoke(client, "hello", &request, &error, &reply))
 *		errx(1, "%s", error.message);
 *	if (reply.result == THAW_OK)
 *		fwrite(reply.data, 1, reply.size, stdout);
 *	thaw_disconnect(client);
 *
 * To have several requests in flight, call thaw_client_send() for each of them,
 * and thaw_client_receive() as often. Replies come in any order.
 *
 * A client is one connection, for one thread at a time. It does not reconnect. Once
 * a call has failed with -ECONNRESET (the server has gone, or closed the
 * connection), -EPROTO (it does not speak thaw's protocol), -ENOMEM, or the error
 * that the server gave as it closed the connection, all calls fail the same way;
 * only replies that had come before can still be received.
 */
struct thaw_client;

/* The most requests of a client that may be in flight. */
#define THAW_CLIENT_IN_FLIGHT_MAX 64

struct thaw_client_reply {
	uint64_t id; /* which request's: thaw_client_send() returned it */
	enum thaw_result result;
	const void *data; /* valid until the client's next receive or invoke */
	size_t size;
	char content_type[128]; /* printable text */
	char request_id[64];

	/*
	 * As in struct thaw_reply, and valid as long as the data. A server sends
	 * them only if the request had attributes or headers.
	 */
	unsigned status;
	size_t headers_size;
	const char *headers;

	/* If the result is not THAW_OK; printable text. */
	char error_type[64];
	char error_message[2048];

	uint64_t queue_ns, run_ns; /* as in struct thaw_reply */

	uint64_t reserved[4]; /* zero */
};

/*
 * Connects to the socket at @path. NULL stands for where `thaw serve` puts it for
 * this user, which the environment's THAW_RUNTIME_DIR can change. The caller owns
 * *@ret_client. -ENOENT, -ECONNREFUSED: no server is there; -EACCES: this user may
 * not connect.
 */
int thaw_connect(const char *path, struct thaw_error *error,
		 struct thaw_client **ret_client);

/* Closes and frees @client. Replies in flight are lost. NULL is fine. */
void thaw_disconnect(struct thaw_client *client);

/*
 * Sends a request for @function, and returns in *@ret_id the number that its reply
 * will have. Blocks until the server has taken it; replies that come in the meantime
 * are kept. -EBUSY: THAW_CLIENT_IN_FLIGHT_MAX are in flight: receive first;
 * -E2BIG: the request is larger than any function may take; -EINVAL: name, content
 * type or id are too long or not printable ASCII, attributes or headers are too long,
 * or a header is not valid.
 */
int thaw_client_send(struct thaw_client *client, const char *function,
		     const struct thaw_invoke_request *request,
		     uint64_t *ret_id, struct thaw_error *error);

/*
 * Waits for the next reply. If the server has refused a request, fails with the
 * server's message, and ret_reply->id says which request: -ENOENT: there is no such
 * function; -E2BIG: the request is larger than its max_request; -EBUSY: its queue is
 * full, or no vm became free in time; -EAGAIN: it is not deployed, or the server is
 * shutting down; -EINVAL: content type or id are not valid; -EIO: the server has
 * failed. With any other error the id is 0: -ENODATA: nothing is in flight; else the
 * connection has failed.
 */
int thaw_client_receive(struct thaw_client *client,
			struct thaw_client_reply *ret_reply,
			struct thaw_error *error);

/*
 * Sends a request and waits for its reply. Errors as of both calls; -EBUSY also if
 * another request is in flight.
 */
int thaw_client_invoke(struct thaw_client *client, const char *function,
		       const struct thaw_invoke_request *request,
		       struct thaw_error *error,
		       struct thaw_client_reply *ret_reply);

/*
 * Calls a typed function, as thaw_call(), and waits for its reply, as
 * thaw_client_invoke(). Text and bytes of the value are valid as long as the reply's
 * data. -EINVAL and -ENOENT stand for what -EINVAL and -ENOSYS are to thaw_call();
 * -EPROTO with a valid connection: the reply is no result of a typed function.
 */
int thaw_client_call(struct thaw_client *client, const char *function,
		     const struct thaw_typed_call *call,
		     struct thaw_error *error,
		     struct thaw_client_reply *ret_reply,
		     struct thaw_value *ret_value);

/* The version of the library that runs, MAJOR.MINOR.PATCH, such as "0.1.0"; static. */
const char *thaw_version(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
