/*
 * http_client.h - a small HTTP/1.1 client that waits for its answers.
 *
 *	struct http_client client;
 *	const struct http_call call = { .method = "GET", .path = "/livez" };
 *
 *	http_client_init(&client, &address, "--admin", 1024 * 1024);
 *	r = http_client_call(&client, &call, &error);
 *	if (!r)
 *		use(client.reply.status, client.reply.body.data, ...);
 *	http_client_done(&client);
 *
 * Keeps its connection from one call to the next. Belongs to one thread.
 */
#ifndef EXECUTOR_CLIENT_HTTP_CLIENT_H
#define EXECUTOR_CLIENT_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "executor/client/http_address.h"
#include "executor/protocol/http_reply.h"

struct http_client {
	struct http_address address;
	const char *option; /* the option that sets the address; for messages */
	struct http_reply reply; /* of the last call */

	struct {
		struct buffer head;
		int fd;
	} internal;
};

struct http_call {
	const char *method;
	const char *path;    /* behind the address's prefix; "/..." */
	const char *headers; /* whole lines with "\r\n", or NULL */
	const void *body;
	size_t size;
	uint64_t timeout_ns; /* for everything; 0: HTTP_CALL_TIMEOUT_NS */
};

#define HTTP_CALL_TIMEOUT_NS (UINT64_C(10) * 1000 * 1000 * 1000)

/* How much of a call's time connecting may take. */
#define HTTP_CONNECT_TIMEOUT_NS (UINT64_C(5) * 1000 * 1000 * 1000)

/* @address is copied, @option borrowed. Replies have @max_body at most. */
void http_client_init(struct http_client *client,
		      const struct http_address *address, const char *option,
		      size_t max_body);
void http_client_done(struct http_client *client);

/*
 * Sends the request and receives the reply, whatever its status. A GET is sent
 * again, once, if the server closes the kept connection without an answer.
 * Returns 0; -ETIMEDOUT; -EPROTO: the answer is not HTTP; -E2BIG; -ENOTCONN:
 * there is no such server; or another -errno of the connection.
 */
int http_client_call(struct http_client *client, const struct http_call *call,
		     struct error *err);

/* The process at the other end of a unix socket; 0 if that is not known. */
pid_t http_client_peer(const struct http_client *client);

#endif
