/* listen.c - sockets to listen at. See listen.h. */
#include "executor/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm/cleanup.h"

#define UNIX_PREFIX "unix:"
#define HOST_MAX 256

const char *listen_unix_path(const char *text)
{
	size_t size = strlen(UNIX_PREFIX);

	return strncmp(text, UNIX_PREFIX, size) ? NULL : text + size;
}

/*
 * What the system says here, EINVAL, ENOTSOCK, EACCES and others, would mean
 * something else to who reads it elsewhere. The message has it.
 */
static int failure_of(int error)
{
	return error == EADDRINUSE ? -EADDRINUSE : -EADDRNOTAVAIL;
}

/* A file that a server which is no more has left behind. */
static bool is_abandoned(const struct sockaddr_un *address)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat file;

	/* any other file refuses connections, too */
	return fd >= 0 && !lstat(address->sun_path, &file) &&
	       S_ISSOCK(file.st_mode) &&
	       connect(fd, (const struct sockaddr *)address,
		       sizeof(*address)) &&
	       errno == ECONNREFUSED;
}

static int bind_unix(const char *path, struct error *err, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = -1;
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(address.sun_path) || !*path)
		return error_set(err, -EDESTADDRREQ,
				 "\"%s\": the path of a socket has 1 to %zu "
				 "characters",
				 path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, failure_of(errno), "socket: %s",
				 strerror(errno));
	/* it is its owner's, until somebody decides otherwise */
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	if (r && errno == EADDRINUSE && is_abandoned(&address) && !unlink(path))
		r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	r = r ? -errno : 0;
	umask(mask);
	/* a folder that is not there is a wrong path */
	if (r == -ENOENT || r == -ENOTDIR)
		return error_set(err, -EDESTADDRREQ,
				 "cannot listen at unix:%s: %s", path,
				 strerror(-r));
	if (r)
		return error_set(err, failure_of(-r),
				 "cannot listen at unix:%s: %s%s", path,
				 strerror(-r),
				 r == -EADDRINUSE ?
					 ": another server, or a file, has it; "
					 "stop that, or choose another path" :
					 "");
	*ret_fd = take_fd(&fd);
	return 0;
}

/* 0 to 65535; the system chooses one for 0. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= 5 && !text[digits] &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* Splits "HOST:PORT" and "[HOST]:PORT". */
static int split(const char *text, char host[HOST_MAX], const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t size;

	if (!colon || !colon[1])
		return -EINVAL;
	size = (size_t)(colon - text);
	if (size >= 2 && *text == '[' && colon[-1] == ']') {
		text++;
		size -= 2;
	} else if (memchr(text, ':', size)) {
		return -EINVAL;
	}
	if (size >= HOST_MAX || !is_port(colon + 1))
		return -EINVAL;
	memcpy(host, text, size);
	host[size] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int bind_to(const struct listen_address *wanted, bool shared,
		   const struct addrinfo *address, struct error *err,
		   int *ret_fd)
{
	cleanup_close int fd =
		socket(address->ai_family,
		       address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return error_set(err, failure_of(errno),
				 "cannot listen at %s: %s", wanted->text,
				 strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return error_set(err, failure_of(errno), "SO_REUSEPORT: %s",
				 strerror(errno));
	if (bind(fd, address->ai_addr, address->ai_addrlen))
		return error_set(err, failure_of(errno),
				 "cannot listen at %s: %s%s", wanted->text,
				 strerror(errno),
				 errno == EADDRINUSE ?
					 ": stop what listens there, or choose "
					 "another port" :
					 "");
	*ret_fd = take_fd(&fd);
	return 0;
}

/*
 * Sockets that share a port would share it with those of another server, too: so
 * it is tried alone first.
 */
static int bind_shared(const struct listen_address *wanted,
		       const struct addrinfo *address, struct error *err,
		       int *ret_fd)
{
	int fd, r = wanted->is_first ?
			    bind_to(wanted, false, address, err, &fd) :
			    0;

	if (r)
		return r;
	if (wanted->is_first)
		close(fd);
	return bind_to(wanted, true, address, err, ret_fd);
}

static int resolve(const char *text, struct error *err,
		   struct addrinfo **ret_found)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE };
	char host[HOST_MAX];
	const char *port;
	int r = split(text, host, &port);

	if (r)
		return error_set(err, -EDESTADDRREQ,
				 "\"%s\" is no address: write HOST:PORT, "
				 "[HOST]:PORT or unix:PATH",
				 text);
	r = getaddrinfo(*host ? host : NULL, port, &hints, ret_found);
	if (r)
		return error_set(err, -EDESTADDRREQ, "%s: %s", text,
				 gai_strerror(r));
	return 0;
}

static int bind_tcp(const struct listen_address *wanted, struct error *err,
		    int *ret_fd)
{
	struct addrinfo *found = NULL;
	int r = resolve(wanted->text, err, &found);

	if (r)
		return r;
	if (!wanted->insecure && !is_loopback(found->ai_addr))
		r = error_set(err, -EPERM,
			      "%s can be reached by other machines, and nobody "
			      "is asked who they are: put something that asks "
			      "in front, or say --insecure",
			      wanted->text);
	else if (wanted->shared)
		r = bind_shared(wanted, found, err, ret_fd);
	else
		r = bind_to(wanted, false, found, err, ret_fd);
	freeaddrinfo(found);
	return r;
}

int listen_bind(const struct listen_address *address, struct error *err,
		int *ret_fd)
{
	const char *path = listen_unix_path(address->text);

	return path ? bind_unix(path, err, ret_fd) :
		      bind_tcp(address, err, ret_fd);
}

int listen_start(int fd, struct error *err)
{
	char where[LISTEN_TEXT_MAX];

	if (!listen(fd, LISTEN_BACKLOG))
		return 0;
	listen_describe(fd, where, sizeof(where));
	return error_set(err, failure_of(errno), "cannot listen at %s: %s%s",
			 where, strerror(errno),
			 errno == EADDRINUSE ? ": stop what listens there, or "
					       "choose another port" :
					       "");
}

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

bool listen_is_tcp(int fd)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	return !getsockname(fd, &address.any, &length) &&
	       (address.any.sa_family == AF_INET ||
		address.any.sa_family == AF_INET6);
}

bool listen_is_loopback(int fd)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	return listen_is_tcp(fd) && !getsockname(fd, &address.any, &length) &&
	       is_loopback(&address.any);
}

/* Writes one of AF_INET or AF_INET6. */
static void write_tcp(const struct sockaddr *address, char *text, size_t size)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	char host[INET6_ADDRSTRLEN];

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
	} else {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(text, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	}
}

void listen_describe(int fd, char *text, size_t size)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length))
		snprintf(text, size, "?");
	else if (address.any.sa_family == AF_UNIX)
		snprintf(text, size, UNIX_PREFIX "%.*s",
			 (int)(length - offsetof(struct sockaddr_un, sun_path)),
			 address.un.sun_path);
	else
		write_tcp(&address.any, text, size);
}

/* Whether one of the first @count texts is the one behind them, too. */
static bool is_double(char (*texts)[LISTEN_TEXT_MAX], int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(texts[i], texts[count]))
			return true;
	return false;
}

int listen_resolve(const char *text, struct error *err,
		   char ret_texts[LISTEN_NAMED_MAX][LISTEN_TEXT_MAX])
{
	struct addrinfo *found = NULL;
	int count = 0, r = resolve(text, err, &found);

	if (r)
		return r;
	for (struct addrinfo *at = found; at && count < LISTEN_NAMED_MAX;
	     at = at->ai_next) {
		write_tcp(at->ai_addr, ret_texts[count], LISTEN_TEXT_MAX);
		count += !is_double(ret_texts, count);
	}
	freeaddrinfo(found);
	/* without a host it is the first alone, which other machines reach */
	if (count == 1 || *text == ':') {
		snprintf(ret_texts[0], LISTEN_TEXT_MAX, "%s", text);
		return 1;
	}
	return count;
}

unsigned listen_inherited(char *names, size_t size)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *given = getenv("LISTEN_FDNAMES");
	unsigned fds = 0;

	snprintf(names, size, "%s", given ? given : "");
	if (pid && count && strtol(pid, NULL, 10) == getpid())
		fds = (unsigned)strtoul(count, NULL, 10);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (unsigned i = 0; i < fds; i++) {
		fcntl(LISTEN_FDS_START + (int)i, F_SETFD, FD_CLOEXEC);
		fcntl(LISTEN_FDS_START + (int)i, F_SETFL, O_NONBLOCK);
	}
	return fds;
}
