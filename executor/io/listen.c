/* listen.c - sockets to listen at. See listen.h. */
#include "executor/io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define UNIX_PREFIX "unix:"
#define HOST_MAX 256

/* Between two tries. */
#define LISTEN_PAUSE_NS (20 * NS_PER_MS)

const char *listen_unix_path(const char *text)
{
	static const char *const paths[] = { "/", "./", "../" };

	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return text + strlen(UNIX_PREFIX);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!strncmp(text, paths[i], strlen(paths[i])))
			return text;
	return NULL;
}

/*
 * Error numbers such as EINVAL, ENOTSOCK or EACCES mean something else to callers
 * further up. The message has the system's own words.
 */
static int listen_failure_of(int error)
{
	return error == EADDRINUSE ? -EADDRINUSE : -EADDRNOTAVAIL;
}

/*
 * Whether the process @pid has ended, or is about to: one that was killed may hold
 * its sockets for a moment, until the kernel has ended its requests.
 */
static bool listen_has_ended(pid_t pid)
{
	cleanup_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return errno == ESRCH;
	return poll(&end, 1, 0) > 0;
}

/*
 * Whether the file can be replaced, since nobody listens there any more. Else
 * -EAGAIN: soon, perhaps; -EADDRINUSE, and err; or -errno: nobody knows.
 */
static int listen_look_at(const struct sockaddr_un *address, struct error *err)
{
	cleanup_close int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const char *path = address->sun_path;
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	struct stat file;

	if (fd < 0)
		return -errno;
	/* any other file refuses connections, too */
	if (!lstat(path, &file) && !S_ISSOCK(file.st_mode))
		return error_set(err, -EADDRINUSE,
				 "cannot listen at unix:%s: Address already in "
				 "use: there is a file which is no socket: "
				 "remove it, or choose another path",
				 path);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
	    errno != EAGAIN)
		return errno == ECONNREFUSED ? 0 : -EAGAIN;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	if (peer.pid && listen_has_ended(peer.pid))
		return -EAGAIN;
	if (!peer.pid)
		return error_set(err, -EADDRINUSE,
				 "cannot listen at unix:%s: Address already in "
				 "use: another process listens there: stop "
				 "it, or choose another path",
				 path);
	return error_set(err, -EADDRINUSE,
			 "cannot listen at unix:%s: Address already in use: "
			 "process %d listens there: stop it (kill %d), or "
			 "choose another path",
			 path, (int)peer.pid, (int)peer.pid);
}

/* Nobody else may be there between looking and listening. */
static int listen_bind_locked(int fd, const struct sockaddr_un *address,
			      struct error *err)
{
	const struct sockaddr *any = (const struct sockaddr *)address;
	int r;

	if (bind(fd, any, sizeof(*address))) {
		if (errno != EADDRINUSE)
			return -errno;
		r = listen_look_at(address, err);
		if (r)
			return r;
		if ((unlink(address->sun_path) && errno != ENOENT) ||
		    bind(fd, any, sizeof(*address)))
			return -errno;
	}
	return listen(fd, LISTEN_BACKLOG) ? -errno : 0;
}

/* The folder of @path, locked; a folder that cannot be read is not. */
static int listen_lock_folder(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	cleanup_close int fd = -1;

	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EAGAIN : -1;
	return take_fd(&fd);
}

static int listen_bind_unix(const char *path, struct error *err, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = -1, lock = -1;
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
		return error_set(err, listen_failure_of(errno), "socket: %s",
				 strerror(errno));
	lock = listen_lock_folder(path);
	if (lock == -EAGAIN)
		return error_set(err, -EAGAIN,
				 "cannot listen at unix:%s: another process "
				 "has locked its folder (flock): stop that, or "
				 "choose another path",
				 path);
	/* only its owner may connect, until somebody changes its mode */
	mask = umask(0177);
	r = listen_bind_locked(fd, &address, err);
	umask(mask);
	/* a folder that is not there is a wrong path */
	if (r == -ENOENT || r == -ENOTDIR)
		return error_set(err, -EDESTADDRREQ,
				 "cannot listen at unix:%s: %s", path,
				 strerror(-r));
	if (r && r != -EADDRINUSE)
		return error_set(err, r == -EAGAIN ? r : listen_failure_of(-r),
				 "cannot listen at unix:%s: %s", path,
				 strerror(r == -EAGAIN ? EADDRINUSE : -r));
	if (!r)
		*ret_fd = take_fd(&fd);
	return r;
}

/* 0 to 65535; the system chooses one for 0. */
static bool listen_is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= 5 && !text[digits] &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* Splits "HOST:PORT" and "[HOST]:PORT". */
static int listen_split(const char *text, char host[HOST_MAX],
			const char **ret_port)
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
	if (size >= HOST_MAX || !listen_is_port(colon + 1))
		return -EINVAL;
	memcpy(host, text, size);
	host[size] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static bool listen_address_is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/*
 * Sockets that share a port would share it with those of another server, too. So the
 * first one listens before it allows that.
 */
static int listen_bind_to(int fd, const struct listen_address *wanted,
			  const struct addrinfo *address)
{
	const bool is_first = wanted->shared && wanted->is_first;
	const int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (wanted->shared && !is_first &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return -errno;
	if (bind(fd, address->ai_addr, address->ai_addrlen))
		return -errno;
	if (is_first &&
	    (listen(fd, LISTEN_BACKLOG) ||
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))))
		return -errno;
	return 0;
}

static int listen_bind_address(const struct listen_address *wanted,
			       const struct addrinfo *address,
			       struct error *err, int *ret_fd)
{
	cleanup_close int fd =
		socket(address->ai_family,
		       address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : listen_bind_to(fd, wanted, address);

	if (r)
		return error_set(err,
				 r == -EADDRINUSE ? -EAGAIN :
						    listen_failure_of(-r),
				 "cannot listen at %s: %s%s", wanted->text,
				 strerror(-r),
				 r == -EADDRINUSE ?
					 ": stop what listens there, or choose "
					 "another port" :
					 "");
	*ret_fd = take_fd(&fd);
	return 0;
}

static int listen_resolve_text(const char *text, struct error *err,
			       struct addrinfo **ret_found)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE };
	char host[HOST_MAX];
	const char *port;
	int r = listen_split(text, host, &port);

	if (r)
		return error_set(err, -EDESTADDRREQ,
				 "\"%s\" is no address: write HOST:PORT, "
				 "[HOST]:PORT, unix:PATH or /PATH",
				 text);
	r = getaddrinfo(*host ? host : NULL, port, &hints, ret_found);
	if (r)
		return error_set(err, -EDESTADDRREQ, "%s: %s", text,
				 gai_strerror(r));
	return 0;
}

static int listen_bind_tcp(const struct listen_address *wanted,
			   struct error *err, int *ret_fd)
{
	struct addrinfo *found = NULL;
	int r = listen_resolve_text(wanted->text, err, &found);

	if (r)
		return r;
	if (!wanted->insecure && !listen_address_is_loopback(found->ai_addr))
		r = error_set(err, -EPERM,
			      "%s can be reached by other machines, and nobody "
			      "is asked who they are: put something that asks "
			      "in front, or say --insecure",
			      wanted->text);
	else
		r = listen_bind_address(wanted, found, err, ret_fd);
	freeaddrinfo(found);
	return r;
}

int listen_bind(const struct listen_address *address, struct error *err,
		int *ret_fd)
{
	const struct timespec pause = { .tv_nsec = LISTEN_PAUSE_NS };
	const uint64_t end_ns = clock_now_ns() + LISTEN_WAIT_NS;
	const char *path = listen_unix_path(address->text);
	int r;

	for (;;) {
		r = path ? listen_bind_unix(path, err, ret_fd) :
			   listen_bind_tcp(address, err, ret_fd);
		if (r != -EAGAIN)
			return r;
		if (clock_now_ns() >= end_ns)
			return -EADDRINUSE;
		nanosleep(&pause, NULL);
	}
}

int listen_start(int fd, struct error *err)
{
	char where[LISTEN_TEXT_MAX];

	if (!listen(fd, LISTEN_BACKLOG))
		return 0;
	listen_describe(fd, where, sizeof(where));
	return error_set(err, listen_failure_of(errno),
			 "cannot listen at %s: %s%s", where, strerror(errno),
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

/* Where @fd is bound to an address of TCP: its port; or 0. */
static unsigned listen_port(int fd)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (getsockname(fd, &address.any, &length))
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.in.sin_port);
	return address.any.sa_family == AF_INET6 ?
		       ntohs(address.in6.sin6_port) :
		       0;
}

bool listen_is_tcp(int fd)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	return !getsockname(fd, &address.any, &length) &&
	       (address.any.sa_family == AF_INET ||
		address.any.sa_family == AF_INET6);
}

/* Whether a table of the kernel's has a connection to @port that is half open. */
static bool has_half_open(const char *path, unsigned port)
{
	FILE *file = fopen(path, "re");
	unsigned local, state;
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, " %*u: %*[^:]:%x %*[^:]:%*x %x", &local,
			       &state) == 2 &&
			local == port && state == TCP_SYN_RECV;
	if (file)
		fclose(file);
	return found;
}

bool listen_is_awaited(int fd)
{
	const unsigned port = listen_port(fd);

	/* a socket of IPv6 may have clients of both */
	return port && (has_half_open("/proc/self/net/tcp", port) ||
			has_half_open("/proc/self/net/tcp6", port));
}

void listen_stop(int fd)
{
	/* drops segments of TCP that ask for a connection (SYN); not their ACKs */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 offsetof(struct tcphdr, th_flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TH_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(*filter),
		.filter = filter,
	};

	if (listen_is_tcp(fd))
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			   sizeof(program));
	else
		shutdown(fd, SHUT_RD);
}

bool listen_is_loopback(int fd)
{
	union socket_address address = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	return listen_is_tcp(fd) && !getsockname(fd, &address.any, &length) &&
	       listen_address_is_loopback(&address.any);
}

/* Writes one of AF_INET or AF_INET6. */
static void listen_write_tcp(const struct sockaddr *address, char *text,
			     size_t size)
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
		listen_write_tcp(&address.any, text, size);
}

/* Whether one of the first @count texts is the one behind them, too. */
static bool listen_is_double(char (*texts)[LISTEN_TEXT_MAX], int count)
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
	int count = 0, r = listen_resolve_text(text, err, &found);

	if (r)
		return r;
	for (struct addrinfo *at = found; at && count < LISTEN_NAMED_MAX;
	     at = at->ai_next) {
		listen_write_tcp(at->ai_addr, ret_texts[count],
				 LISTEN_TEXT_MAX);
		count += !listen_is_double(ret_texts, count);
	}
	freeaddrinfo(found);
	/* without a host, only the first address counts; other machines reach it */
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
