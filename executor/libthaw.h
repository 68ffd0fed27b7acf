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
 * Every call may be made from any thread at any time, but for thaw_close(),
 * which must be the last, and a client's. Invocations run on the caller's thread. The library
 * uses one real-time signal (SIGRTMIN + 3) to stop functions at their
 * deadline; a thread that invokes must not block it, nor handle it. What is
 * open does not survive fork(2): a child opens its own.
 *
 * Calls return 0, or -errno with a message in *@error (which may be NULL).
 * A function that fails is not an error of the call: that is in the reply.
 */
#ifndef LIBTHAW_H
#define LIBTHAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "thaw_log.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

struct thaw;

struct thaw_error {
	char message[1024];
};

/*
 * Takes one log line of @function: printable text of @size bytes with a zero
 * behind it, valid during the call. Called on the thread that invokes, or, for
 * what a function logs while it boots, deploys.
 */
typedef void (*thaw_log_fn)(void *cookie, const char *function,
			    enum thaw_level level, const char *text,
			    size_t size);

struct thaw_options {
	thaw_log_fn log; /* NULL: log lines are dropped */
	void *log_cookie;
};

/*
 * One attribute of a request. All of them, with two zeros each, may have
 * THAW_ATTRIBUTES_SIZE_MAX bytes.
 */
struct thaw_attribute {
	const char *name;
	const char *value;
};
#define THAW_ATTRIBUTES_SIZE_MAX 3584

/* The same for the headers of a request, and of a reply. */
#define THAW_HEADERS_SIZE_MAX 16384
#define THAW_REPLY_HEADERS_SIZE_MAX 4096

struct thaw_invoke_request {
	const void *data; /* borrowed for the call */
	size_t size;
	const char *content_type; /* NULL for none; 127 characters at most */
	const char *id;		  /* NULL: one is made; 63 at most */
	uint64_t timeout_ns;	  /* 0: the function's; else the lesser */

	/* What else there is to tell: the guest's thaw_attribute(). */
	const struct thaw_attribute *attributes;
	size_t attribute_count;

	/*
	 * The request as HTTP has it: its headers, for the guest's
	 * thaw_request_header(); and among the attributes "method", "path" and
	 * "query".
	 */
	const struct thaw_attribute *headers;
	size_t header_count;

	/* Takes this invocation's log lines instead of thaw_options.log. */
	thaw_log_fn log;
	void *log_cookie;
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
	 * not change meanwhile, but that of a function with isolation
	 * "cooperative" may: copy it before you check it.
	 */
	const void *data;
	size_t size;
	char content_type[128]; /* printable text */
	char id[64];		/* the request's */

	/*
	 * What the function answers in HTTP, if it does: its status, 200 to 599,
	 * which is no failure whatever it is, or 0; and headers, "name\0value\0",
	 * each as RFC 9110 has it, and none that is about the connection. Valid as
	 * the data are, but they do not change.
	 */
	unsigned status;
	size_t headers_size; /* bytes */
	const char *headers;

	/* If the result is not THAW_OK; printable text. */
	char error_type[64]; /* e.g. "Runtime.Fault", or the function's own */
	char error_message[2048];

	/* What it took. */
	uint64_t queue_ns; /* until a vm was free */
	uint64_t run_ns;   /* from the request to the end of the run */
	unsigned exits;	   /* returns from KVM_RUN */

	/* What it took afterwards: set by thaw_reply_release(). */
	uint64_t reply_ns; /* from the end of the run to thaw_reply_release() */
	uint64_t restore_ns;   /* until the vm was clean again */
	unsigned dirty_pages;  /* written for the first time by this vm */
	unsigned hot_pages;    /* restored without being asked for */
	uint64_t copied_bytes; /* to restore them */

	uint64_t reserved[16]; /* the library's */
};

/*
 * Opens the catalog at @path. Nothing is booted yet. -EINVAL: the catalog is
 * not valid; others from reading it.
 */
int thaw_open(const char *path, const struct thaw_options *options,
	      struct thaw_error *error, struct thaw **ret_thaw);

/* The same for a catalog in memory; @name stands for its path. */
int thaw_open_text(const char *text, size_t size, const char *name,
		   const struct thaw_options *options, struct thaw_error *error,
		   struct thaw **ret_thaw);

/* Frees everything. No reply may be outstanding. NULL is fine. */
void thaw_close(struct thaw *thaw);

/*
 * Boots @function and takes its snapshot, if that has not been done. -ENOENT:
 * no such function, or its image is missing; -ENOEXEC: its image is no good;
 * -ECANCELED, -ETIMEDOUT, -EPROTO: it did not boot.
 */
int thaw_deploy(struct thaw *thaw, const char *function,
		struct thaw_error *error);

/*
 * Invokes @function, deploying it first if need be. On success *@ret_reply
 * must be given to thaw_reply_release(). -E2BIG: the request is larger than the
 * function's max_request; -EINVAL: content type, id, attributes or headers are too
 * long, or a header is none; -EBUSY: all its vms are busy and its queue is full;
 * -EAGAIN: none became free in time; and what thaw_deploy() returns.
 */
int thaw_invoke(struct thaw *thaw, const char *function,
		const struct thaw_invoke_request *request,
		struct thaw_error *error, struct thaw_reply *ret_reply);

/*
 * Invokes @function without waiting for its end where that can be: where its vm
 * is polled (the catalog's dispatch). Returns 1 if it has ended, as after
 * thaw_invoke(), or 0 if it has not: then thaw_poll() is to be called, by one
 * thread at a time, until it returns something else. *@request and its data are
 * borrowed until then. Errors as thaw_invoke().
 */
int thaw_start(struct thaw *thaw, const char *function,
	       const struct thaw_invoke_request *request,
	       struct thaw_error *error, struct thaw_reply *ret_reply);

/*
 * Whether what was started has ended: 1, 0, or -errno, and then there is no
 * reply. A few nanoseconds, without a system call, while it has not.
 */
int thaw_poll(struct thaw_reply *reply, struct thaw_error *error);

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
};

/*
 * Says how @function has been dispatched so far; -ENOENT: no such function, or
 * it is not deployed. The strings live as long as @thaw.
 */
int thaw_get_stats(struct thaw *thaw, const char *function,
		   struct thaw_error *error, struct thaw_stats *ret_stats);

/*
 * Bounds how many vms of this process may wait for invocations inside the
 * guest, each of which keeps a CPU busy: by default half of the CPUs, at most
 * all but one; 0 for none; THAW_POLLING_CORES_DEFAULT. Beyond, functions are
 * dispatched by exits.
 */
#define THAW_POLLING_CORES_DEFAULT UINT32_MAX
void thaw_set_polling_cores(uint32_t cores);

/*
 * Ends the use of a reply: restores the vm for the next invocation. If that has
 * not ended yet, waits for its end. The reply
 * keeps its strings and gets its last figures, but its data are gone.
 */
void thaw_reply_release(struct thaw_reply *reply);

/*
 * Frees vms that nobody has used for @idle_ns; of each function as many are kept
 * as its concurrency.warm. Without it, vms are kept until thaw_close(). Takes
 * about a millisecond for each vm, which delays no invocation. Returns the
 * number of vms freed.
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
 * To have several requests under way, thaw_client_send() them, and
 * thaw_client_receive() as many replies, which come in any order.
 *
 * A client is one connection, for one thread at a time. It does not reconnect:
 * after -ECONNRESET (the server has vanished, or closed the connection),
 * -EPROTO (it does not speak thaw's protocol), -ENOMEM, or what the server said
 * on closing the connection, all calls fail the same way but
 * thaw_client_receive() of replies that had come by then.
 */
struct thaw_client;

/* Requests of a client that may be in flight, at most. */
#define THAW_CLIENT_IN_FLIGHT_MAX 64

struct thaw_client_reply {
	uint64_t id; /* which request's: thaw_client_send() returned it */
	enum thaw_result result;
	const void *data; /* valid until the client's next receive or invoke */
	size_t size;
	char content_type[128]; /* printable text */
	char request_id[64];

	/*
	 * As in struct thaw_reply; valid as the data are. A server tells of them
	 * if the request had attributes or headers.
	 */
	unsigned status;
	size_t headers_size;
	const char *headers;

	/* If the result is not THAW_OK; printable text. */
	char error_type[64];
	char error_message[2048];

	uint64_t queue_ns, run_ns; /* as in struct thaw_reply */
};

/*
 * Connects to the socket at @path; NULL: where `thaw serve` puts it for this
 * user, which THAW_RUNTIME_DIR can change. -ENOENT, -ECONNREFUSED: no server
 * is there; -EACCES: not for this user.
 */
int thaw_connect(const char *path, struct thaw_error *error,
		 struct thaw_client **ret_client);

/* Closes and frees. What is in flight is lost. NULL is fine. */
void thaw_disconnect(struct thaw_client *client);

/*
 * Sends a request for @function, and returns its number for the reply in
 * *@ret_id. Blocks until the server has taken it; replies that come meanwhile
 * are kept. -EBUSY: THAW_CLIENT_IN_FLIGHT_MAX are in flight: receive first;
 * -E2BIG: larger than any function may take; -EINVAL: name, content type or
 * id are too long or not printable ASCII, attributes or headers are too long, or a
 * header is none.
 */
int thaw_client_send(struct thaw_client *client, const char *function,
		     const struct thaw_invoke_request *request,
		     uint64_t *ret_id, struct thaw_error *error);

/*
 * Waits for the next reply. If the server has refused the request, an error
 * with the server's message, and ret_reply->id says which one it was:
 * -ENOENT: no such function; -E2BIG: larger than its max_request; -EBUSY: its
 * queue is full, or none of its vms became free in time; -EAGAIN: it is not
 * deployed, or the server is shutting down; -EINVAL: content type or id are no
 * good; -EIO: the server has failed. Any other error is the connection's, and
 * then the id is 0. -ENODATA: nothing is in flight.
 */
int thaw_client_receive(struct thaw_client *client,
			struct thaw_client_reply *ret_reply,
			struct thaw_error *error);

/*
 * Sends a request and waits for its reply: errors of both. -EBUSY as well if
 * another request is in flight.
 */
int thaw_client_invoke(struct thaw_client *client, const char *function,
		       const struct thaw_invoke_request *request,
		       struct thaw_error *error,
		       struct thaw_client_reply *ret_reply);

/* The library's version, such as "0.1.0". */
const char *thaw_version(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
