/*
 * http_client.c - sends a request, receives its reply. See http_client.h;
 * connecting is in http_connect.c, parsing in executor/protocol/http_reply.c.
 */
#include "executor/client/http_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/client/http_connect.h"
#include "executor/libthaw.h"

/* Request line and headers, in bytes. */
#define HEAD_MAX (16 * 1024)

#define CHUNK (64 * 1024)

/* The kept connection was closed before the first byte of a reply. */
#define CLOSED (-ESTALE)

void http_client_init(struct http_client *client,
		      const struct http_address *address, const char *option,
		      size_t max_body)
{
	*client = (struct http_client){
		.address = *address,
		.option = option,
		.reply = HTTP_REPLY_INIT(max_body),
		.internal = { .head = BUFFER_INIT(HEAD_MAX), .fd = -1 },
	};
}

static void disconnect(struct http_client *client)
{
	if (client->internal.fd >= 0)
		close(client->internal.fd);
	client->internal.fd = -1;
}

void http_client_done(struct http_client *client)
{
	disconnect(client);
	http_reply_done(&client->reply);
	buffer_done(&client->internal.head);
}

/* Whether the call has a header @name of its own. */
static bool has_header(const struct http_call *call, const char *name)
{
	const size_t size = strlen(name);

	for (const char *line = call->headers; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncasecmp(line, name, size) && line[size] == ':')
			return true;
	return false;
}

static int write_call_head(struct http_client *client,
			   const struct http_call *call)
{
	struct buffer *head = &client->internal.head;

	buffer_clear(head);
	buffer_printf(head,
		      "%s %s%s HTTP/1.1\r\n"
		      "Host: %s\r\n",
		      call->method, client->address.prefix, call->path,
		      client->address.authority);
	if (!has_header(call, "User-Agent"))
		buffer_printf(head, "User-Agent: thaw/%s\r\n", thaw_version());
	if (!has_header(call, "Accept"))
		buffer_text(head, "Accept: */*\r\n");
	if (call->size || strcmp(call->method, "GET") != 0)
		buffer_printf(head, "Content-Length: %zu\r\n", call->size);
	if (call->headers)
		buffer_text(head, call->headers);
	buffer_text(head, "\r\n");
	return head->failed ? -E2BIG : 0;
}

/* What remains to be sent of head and body. */
struct sending {
	struct iovec parts[2];
};

static size_t left(const struct sending *sending)
{
	return sending->parts[0].iov_len + sending->parts[1].iov_len;
}

static void call_advance(struct sending *sending, size_t sent)
{
	for (int i = 0; i < 2; i++) {
		struct iovec *part = &sending->parts[i];
		size_t here = sent < part->iov_len ? sent : part->iov_len;

		/* nothing may have no address */
		if (!here)
			continue;
		part->iov_base = (char *)part->iov_base + here;
		part->iov_len -= here;
		sent -= here;
	}
}

static int call_send_some(int fd, struct sending *sending)
{
	const struct msghdr message = {
		.msg_iov = sending->parts,
		.msg_iovlen = 2,
	};
	ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	call_advance(sending, (size_t)sent);
	return 0;
}

/* Receives what is there. Returns 1 if the reply is whole, 0 if not, or -errno. */
static int call_receive_some(struct http_client *client, bool *heard)
{
	char chunk[CHUNK];
	ssize_t got = recv(client->internal.fd, chunk, sizeof(chunk), 0);
	size_t used;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got > 0) {
		*heard = true;
		return http_reply_parse(&client->reply, chunk, (size_t)got,
					&used);
	}
	if (!*heard)
		return CLOSED;
	if (got < 0)
		return -errno;
	client->reply.keep_alive = false;
	return http_reply_end(&client->reply);
}

/*
 * Sends and receives at the same time: a server may refuse a request before it has
 * read all of it, and then its reply is what the caller wants. So a failure to send
 * does not end the call if a reply is there.
 */
static int exchange(struct http_client *client, const struct http_call *call,
		    uint64_t deadline_ns)
{
	struct sending sending = { {
		{ client->internal.head.data, client->internal.head.size },
		{ (void *)(uintptr_t)call->body, call->size },
	} };
	bool heard = false, failed = false;
	int ready, r = 0;

	http_reply_reset(&client->reply);
	client->reply.is_head = !strcmp(call->method, "HEAD");
	while (!r) {
		bool sends = left(&sending) && !failed;

		ready = http_wait(client->internal.fd,
				  sends ? POLLIN | POLLOUT : POLLIN,
				  deadline_ns);
		if (ready == -EINTR)
			continue;
		if (ready < 0)
			return ready;
		if (sends && ready & POLLOUT)
			failed = call_send_some(client->internal.fd, &sending) <
				 0;
		if (ready & ~POLLOUT)
			r = call_receive_some(client, &heard);
	}
	if (left(&sending))
		client->reply.keep_alive = false;
	return r;
}

/* Whether the server has closed the kept connection, or has sent something unasked. */
static bool is_stale(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&poll_fd, 1, 0) != 0;
}

static int connect_again(struct http_client *client, uint64_t deadline_ns,
			 struct error *err)
{
	uint64_t connect_ns = clock_now_ns() + HTTP_CONNECT_TIMEOUT_NS;
	struct error why;
	const char *hint = "is `thaw serve` running? Name it with";
	int fd = http_connect(&client->address,
			      connect_ns < deadline_ns ? connect_ns :
							 deadline_ns,
			      &why);

	if (fd >= 0) {
		client->internal.fd = fd;
		return 0;
	}
	if (fd == -EACCES || fd == -EPERM)
		hint = "be the user of `thaw serve`, or name another with";
	return error_set(err, -ENOTCONN, "cannot connect to %s: %s: %s %s",
			 http_address_name(&client->address), why.message, hint,
			 client->option);
}

static int explain_failure(const struct http_client *client,
			   const struct http_call *call, int r,
			   struct error *err)
{
	const char *name = http_address_name(&client->address);

	switch (r) {
	case CLOSED:
		return error_set(err, -ECONNRESET,
				 "%s closed the connection without an answer",
				 name);
	case -ETIMEDOUT:
		return error_set(err, r, "%s has not answered in time", name);
	case -EPROTO:
		return error_set(err, r,
				 "%s does not answer as a server of HTTP: is "
				 "it `thaw serve`? Name it with %s",
				 name, client->option);
	case -E2BIG:
		return error_set(err, r, "the answer of %s to %s is too large",
				 name, call->path);
	default:
		return error_set(err, r, "lost the connection to %s: %s", name,
				 strerror(-r));
	}
}

int http_client_call(struct http_client *client, const struct http_call *call,
		     struct error *err)
{
	uint64_t deadline_ns =
		clock_now_ns() +
		(call->timeout_ns ? call->timeout_ns : HTTP_CALL_TIMEOUT_NS);
	bool is_safe = !strcmp(call->method, "GET"), kept;
	int r;

	if (write_call_head(client, call))
		return error_set(err, -EINVAL,
				 "the request's head is larger "
				 "than %d bytes",
				 HEAD_MAX);
	if (client->internal.fd >= 0 && is_stale(client->internal.fd))
		disconnect(client);
	do {
		kept = client->internal.fd >= 0;
		r = kept ? 0 : connect_again(client, deadline_ns, err);
		if (r)
			return r;
		r = exchange(client, call, deadline_ns);
		if (r != 1 || !client->reply.keep_alive)
			disconnect(client);
	} while (r == CLOSED && kept && is_safe);
	return r == 1 ? 0 : explain_failure(client, call, r, err);
}

pid_t http_client_peer(const struct http_client *client)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);

	if (!client->address.is_unix || client->internal.fd < 0 ||
	    getsockopt(client->internal.fd, SOL_SOCKET, SO_PEERCRED, &peer,
		       &size))
		return 0;
	return peer.pid;
}
