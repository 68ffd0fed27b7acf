/* http_connect.c - connects with a deadline. See http_connect.h. */
#include "executor/client/http_connect.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "executor/io/runtime_dir.h"

int http_wait(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	uint64_t now_ns = clock_now_ns(), left_ms;
	int r;

	if (now_ns >= deadline_ns)
		return -ETIMEDOUT;
	left_ms = (deadline_ns - now_ns) / NS_PER_MS + 1;
	r = poll(&poll_fd, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
	if (r < 0)
		return -errno;
	return r ? poll_fd.revents : -ETIMEDOUT;
}

/* Waits for the end of a connect() that is in progress. */
static int finish_connecting(int fd, uint64_t deadline_ns)
{
	socklen_t size = sizeof(int);
	int r, error = 0;

	do
		r = http_wait(fd, POLLOUT, deadline_ns);
	while (r == -EINTR);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return -errno;
	return -error;
}

/* Returns the socket, or -errno. */
static int try_address(int family, const struct sockaddr *address,
		       socklen_t size, uint64_t deadline_ns)
{
	cleanup_close int fd =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address, size))
		r = errno == EINPROGRESS ? finish_connecting(fd, deadline_ns) :
					   -errno;
	if (r)
		return r;
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
			   sizeof(int));
	return take_fd(&fd);
}

/* Tries again while the socket's backlog is full, which is EAGAIN at once. */
static int try_unix(const char *path, uint64_t deadline_ns)
{
	static const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	strcpy(address.sun_path, path); /* RUNTIME_PATH_MAX: it fits */
	for (;;) {
		r = try_address(AF_UNIX, (const struct sockaddr *)&address,
				sizeof(address), deadline_ns);
		if (r != -EAGAIN || clock_now_ns() >= deadline_ns)
			return r;
		nanosleep(&pause, NULL);
	}
}

static int try_names(const struct http_address *address, uint64_t deadline_ns,
		     struct error *err)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int r;

	r = getaddrinfo(address->host, address->port, &hints, &found);
	if (r)
		return error_set(err, -ENOTCONN, "%s",
				 r == EAI_SYSTEM ? strerror(errno) :
						   gai_strerror(r));
	r = -EADDRNOTAVAIL;
	for (struct addrinfo *at = found; at && r < 0; at = at->ai_next)
		r = try_address(at->ai_family, at->ai_addr, at->ai_addrlen,
				deadline_ns);
	freeaddrinfo(found);
	return r < 0 ? error_set(err, r, "%s", strerror(-r)) : r;
}

int http_connect(const struct http_address *address, uint64_t deadline_ns,
		 struct error *err)
{
	int r;

	if (!address->is_unix)
		return try_names(address, deadline_ns, err);
	r = try_unix(address->path, deadline_ns);
	if (runtime_check(address->path, err)) {
		if (r >= 0)
			close(r);
		return -EPERM;
	}
	return r < 0 ? error_set(err, r, "%s", strerror(-r)) : r;
}
