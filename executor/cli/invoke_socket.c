/* invoke_socket.c - invokes by libthaw's client. See invoke_socket.h. */
#include "executor/cli/invoke_socket.h"

#include <errno.h>

#include "base/clock.h"
#include "executor/cli/reply.h"
#include "executor/cli/request_data.h"

/* Returns the exit code for a result of the client, -errno. */
static int invoke_socket_code(int result)
{
	switch (result) {
	case -E2BIG:
	case -EINVAL:
		return CLI_USAGE;
	case -ENOENT:
		return CLI_NOT_FOUND;
	case -EBUSY:
		return CLI_THROTTLED;
	case -EAGAIN: /* not deployed, or shutting down */
	case -ECONNRESET:
		return CLI_CONNECT;
	default:
		return CLI_INTERNAL;
	}
}

struct by_socket {
	struct thaw_client *client;
	struct thaw_client_reply reply;
};

static int invoke_socket_once(void *cookie, const char *function,
			      const struct thaw_invoke_request *request,
			      struct answer *ret_answer)
{
	struct by_socket *socket = cookie;
	struct thaw_client_reply *reply = &socket->reply;
	uint64_t start_ns = clock_now_ns();
	struct thaw_error error;
	int r = thaw_client_invoke(socket->client, function, request, &error,
				   reply);

	if (r) {
		cli_error("%s", error.message);
		return invoke_socket_code(r);
	}
	*ret_answer = (struct answer){
		.result = reply->result,
		.data = reply->data,
		.size = reply->size,
		.content_type = reply->content_type,
		.status = reply->status,
		.headers = reply->headers,
		.headers_size = reply->headers_size,
		.id = reply->request_id,
		.error_type = reply->error_type,
		.error_message = reply->error_message,
		.queue_ns = reply->queue_ns,
		.run_ns = reply->run_ns,
		.took_ns = clock_now_ns() - start_ns,
	};
	return CLI_OK;
}

int invoke_socket(const char *path, const char *function,
		  const struct invocation_options *options)
{
	struct by_socket socket = { .client = NULL };
	const struct invoker invoker = {
		.invoke = invoke_socket_once,
		.cookie = &socket,
		.remote = true,
	};
	struct request_data data;
	struct thaw_error error;
	int code = request_data_read(options->data, &data);

	if (code == CLI_GO_ON) {
		code = CLI_CONNECT;
		if (thaw_connect(*path ? path : NULL, &error, &socket.client))
			cli_error("%s", error.message);
		else
			code = invocation_perform(&invoker, function, &data,
						  options);
		thaw_disconnect(socket.client);
	}
	request_data_done(&data);
	return code;
}
