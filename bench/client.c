/* client.c - see client.h. */
#include "bench/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/row.h"

/* Larger than any reply that is expected, with its headers. */
#define INPUT_SIZE 4096

int bench_client_connect(const char *path, enum load_protocol protocol,
			 struct error *err, int *ret_fd)
{
	struct load_target target;
	int r = load_target_set_path(&target, protocol, path);

	if (!r)
		r = load_target_connect(&target, 0, ret_fd);
	if (r)
		return error_set(err, r, "cannot connect to %s: %s", path,
				 strerror(-r));
	return 0;
}

int bench_client_open(struct bench_client *client, const char *path,
		      enum load_protocol protocol, const char *function,
		      struct error *err)
{
	static const char data[BENCH_REQUEST_SIZE];
	struct load_target target;
	int r;

	*client = (struct bench_client){ .fd = -1 };
	load_reply_init(&client->reply, protocol);
	r = load_target_set_path(&target, protocol, path);
	if (!r)
		r = load_request_make(&client->request, &target, function, NULL,
				      data, sizeof(data));
	if (r)
		return error_set(err, r, "no request to %s can be made: %s",
				 function, strerror(-r));
	return bench_client_connect(path, protocol, err, &client->fd);
}

void bench_client_close(struct bench_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	load_request_done(&client->request);
	load_reply_done(&client->reply);
}

int bench_client_send(struct bench_client *client, struct error *err)
{
	const struct load_request *request = &client->request;
	ssize_t n =
		send(client->fd, request->bytes, request->size, MSG_NOSIGNAL);

	if (n == (ssize_t)request->size)
		return 0;
	return error_set(err, n < 0 ? -errno : -EPIPE,
			 "the server does not take a request: %s",
			 n < 0 ? strerror(errno) : "it is taken in part");
}

int bench_client_judge(const struct bench_client *client, struct error *err)
{
	const enum load_protocol protocol = client->reply.protocol;
	const unsigned status = client->reply.status;
	char text[LOAD_STATUS_TEXT_MAX];

	if (load_status_is_ok(protocol, status))
		return 0;
	return error_set(err, -EPROTO, "the server's reply: %s",
			 load_status_text(protocol, status, text));
}

int bench_client_take(struct bench_client *client, struct error *err)
{
	struct load_reply *reply = &client->reply;
	char input[INPUT_SIZE];
	size_t used;
	int r = 0;

	load_reply_reset(reply);
	while (r == 0) {
		ssize_t n = recv(client->fd, input, sizeof(input), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "no reply: %s",
					 strerror(errno));
		if (n == 0)
			return error_set(err, -EPIPE, "the server has hung up");
		r = load_reply_feed(reply, input, (size_t)n, &used);
		if (r == 1 && (used < (size_t)n || !reply->keep_alive))
			r = -EPROTO;
	}
	if (r < 0)
		return error_set(err, r, "no reply that makes sense: %s",
				 strerror(-r));
	return 0;
}

int bench_client_receive(struct bench_client *client, struct error *err)
{
	int r = bench_client_take(client, err);

	return r ? r : bench_client_judge(client, err);
}
