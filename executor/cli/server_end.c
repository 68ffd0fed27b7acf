/* server_end.c - see server_end.h. */
#include "executor/cli/server_end.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/client/http_connect.h"

/* Time between two looks at a server whose process cannot be seen. */
#define POLL_NS (100 * NS_PER_MS)

int server_end_watch(struct http_client *client, struct server_end *ret_end)
{
	json_auto_t *status = NULL;
	pid_t pid;
	int code;

	*ret_end = (struct server_end){ .fd = -1 };
	code = admin_get(client, "/v1/status", &status);
	if (code)
		return code;
	ret_end->pid = admin_number(status, "pid");
	/*
	 * The process behind a socket may be one that only opened it, or a
	 * server that has another pid in its container.
	 */
	pid = http_client_peer(client);
	if (pid > 0 && (uint64_t)pid == ret_end->pid)
		ret_end->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return CLI_OK;
}

void server_end_done(struct server_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
}

/* Whether the server is there. One that is slow to answer is. */
static bool is_there(struct http_client *client, const struct server_end *end)
{
	const struct http_call call = { .method = "GET", .path = "/livez" };
	json_auto_t *status = NULL;
	struct error error;
	int r;

	if (!admin_ask(client, "GET", "/v1/status", 0, &error, &status))
		return admin_number(status, "pid") == end->pid;
	r = http_client_call(client, &call, &error);
	return !r || r == -ETIMEDOUT;
}

int server_end_wait(struct http_client *client, const struct server_end *end,
		    uint64_t timeout_ns)
{
	static const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t deadline_ns = timeout_ns ? clock_now_ns() + timeout_ns :
					    UINT64_MAX;
	bool gone = false;
	int r;

	while (!gone && clock_now_ns() < deadline_ns) {
		if (end->fd >= 0) {
			r = http_wait(end->fd, POLLIN, deadline_ns);
			gone = r > 0;
			continue;
		}
		gone = !is_there(client, end);
		if (!gone)
			nanosleep(&pause, NULL);
	}
	if (gone)
		return CLI_OK;
	cli_error("the server, pid %" PRIu64 ", has not ended in time",
		  end->pid);
	return CLI_TIMEOUT;
}
