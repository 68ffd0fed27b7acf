/*
 * listen.h - addresses to listen at, and sockets handed over by systemd
 * (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES).
 */
#ifndef EXECUTOR_IO_LISTEN_H
#define EXECUTOR_IO_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"

/* How many connections may wait to be accepted. */
#define LISTEN_BACKLOG 4096

/* How long an address that was in use until just now is waited for. */
#define LISTEN_WAIT_NS (2 * NS_PER_S)

struct listen_address {
	const char *text; /* "HOST:PORT", "[HOST]:PORT", or a unix socket */
	bool shared;	  /* TCP: several sockets of one port (SO_REUSEPORT) */
	bool is_first;	  /* of those */
	bool insecure;	  /* need not be loopback */
};

/*
 * Binds a socket. A unix socket, and the first of a port, listens at once: so of
 * two servers that start together one has it. -EDESTADDRREQ: it is no address;
 * -EADDRINUSE: another process has it (a socket file that nobody listens at is
 * replaced); -EPERM: it is not loopback; -EADDRNOTAVAIL: it cannot be had for
 * another reason. The caller owns *@ret_fd.
 */
int listen_bind(const struct listen_address *address, struct error *err,
		int *ret_fd);
int listen_start(int fd, struct error *err);

/*
 * Has nobody connect any more, so that the caller can accept all who have connected
 * and lose none. To be followed by shutdown(): a client of TCP tries again until then.
 * Where the kernel does not let this process attach a filter to a socket, there is a
 * moment in which a client of TCP connects in vain.
 */
void listen_stop(int fd);

/*
 * Whether clients of TCP are half connected to the port of @fd: they have asked for a
 * connection, and accept() will have it when they have heard the answer. shutdown()
 * resets them. False also where the kernel does not tell (/proc/self/net).
 */
bool listen_is_awaited(int fd);

/*
 * All addresses of a TCP address with a name, such as "localhost:80", which may
 * be one of IPv4 and one of IPv6; an address without one is itself. Returns how
 * many @ret_texts there are, or -EDESTADDRREQ.
 */
#define LISTEN_TEXT_MAX 160
#define LISTEN_NAMED_MAX 8
int listen_resolve(const char *text, struct error *err,
		   char ret_texts[LISTEN_NAMED_MAX][LISTEN_TEXT_MAX]);

/* Whether @text is a unix socket's, "unix:PATH", "/PATH", "./PATH"; else NULL. */
const char *listen_unix_path(const char *text);

/* Of a bound socket. */
bool listen_is_tcp(int fd);
bool listen_is_loopback(int fd);

/* "127.0.0.1:8080": where @fd listens, the port the system chose included. */
void listen_describe(int fd, char *text, size_t size);

/*
 * How many sockets systemd has handed over; the first is LISTEN_FDS_START. The
 * variables are removed from the environment.
 */
#define LISTEN_FDS_START 3
unsigned listen_inherited(char *names, size_t size);

#endif
