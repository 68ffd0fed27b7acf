/* load_target.c - see load_target.h. */
#include "executor/cli/load_target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm/cleanup.h"

#define HTTP_SCHEME "http://"
#define UNIX_SCHEME "unix:"
#define HTTP_PORT "80"

/* How long each address may take to answer when it is looked for. */
#define FIND_TIMEOUT_S 5

static int no_url(const char *url, struct error *err)
{
	return error_set(err, -EINVAL,
			 "\"%s\" is not the URL of a server: write "
			 "http://HOST:PORT or unix:PATH",
			 url);
}

int load_target_set_path(struct load_target *target,
			 enum load_protocol protocol, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t size = strlen(path);

	if (size >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, size);
	*target = (struct load_target){
		.protocol = protocol,
		.address_size = sizeof(address),
		.host = "localhost",
		.text = path,
	};
	memcpy(&target->address, &address, sizeof(address));
	return 0;
}

int load_target_connect(const struct load_target *target, int flags,
			int *ret_fd)
{
	const int family = target->address.ss_family, on = 1;
	cleanup_close int fd =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&target->address,
		    target->address_size)) {
		r = -errno;
		if (r != -EINPROGRESS)
			return r;
	}
	*ret_fd = take_fd(&fd);
	return r;
}

/* Whether something listens there. */
static int probe(const struct load_target *target)
{
	const struct timeval timeout = { .tv_sec = FIND_TIMEOUT_S };
	const int family = target->address.ss_family;
	cleanup_close int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (const struct sockaddr *)&target->address,
		     target->address_size))
		return 0;
	return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static int cannot_connect(int r, const char *text, struct error *err)
{
	/* a path that is not there is no mistake in the command line */
	return error_set(err, r == -EINVAL ? -ECONNREFUSED : r,
			 "cannot connect to %s: %s", text, strerror(-r));
}

static int find_path(const char *path, enum load_protocol protocol,
		     const char *text, struct error *err,
		     struct load_target *target)
{
	int r = *path ? load_target_set_path(target, protocol, path) : -ENOENT;

	if (!r)
		r = probe(target);
	if (r)
		return cannot_connect(r, text, err);
	target->text = text;
	return 0;
}

int load_target_find_socket(const char *path, struct error *err,
			    struct load_target *ret_target)
{
	return find_path(path, LOAD_FRAMES, path, err, ret_target);
}

/* What is between the slashes: HOST, HOST:PORT or [HOST]:PORT. */
struct authority {
	char whole[LOAD_HOST_MAX]; /* for the header */
	char host[LOAD_HOST_MAX];
	const char *port;
};

static int split_authority(const char *text, size_t size,
			   struct authority *authority)
{
	char *host = authority->host, *end;

	/* nothing that could end the header, or begin another */
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] == '@' || text[i] == '\x7f')
			return -EINVAL;
	if (!size || size >= sizeof(authority->host))
		return -EINVAL;
	memcpy(authority->whole, text, size);
	authority->whole[size] = '\0';
	strcpy(host, authority->whole + (*text == '['));
	end = strpbrk(host, *text == '[' ? "]" : ":");
	authority->port = HTTP_PORT;
	if (!end)
		return *text == '[' ? -EINVAL : 0;
	if (*end == ']')
		*end++ = '\0';
	if (*end == ':') {
		authority->port = end + 1;
		*end++ = '\0';
		end += strspn(end, "0123456789");
	}
	return *end || !*host || !*authority->port ? -EINVAL : 0;
}

static int find_host(const struct authority *authority, const char *url,
		     struct error *err, struct load_target *target)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	int r = getaddrinfo(authority->host, authority->port, &hints, &list);

	if (r)
		return error_set(err, -EHOSTUNREACH, "%s: %s", url,
				 gai_strerror(r));
	r = -EHOSTUNREACH;
	for (const struct addrinfo *i = list; i && r; i = i->ai_next) {
		*target = (struct load_target){ .protocol = LOAD_HTTP,
						.address_size = i->ai_addrlen,
						.text = url };
		memcpy(&target->address, i->ai_addr, i->ai_addrlen);
		r = probe(target);
	}
	freeaddrinfo(list);
	if (r)
		return cannot_connect(r, url, err);
	strcpy(target->host, authority->whole);
	return 0;
}

int load_target_find_url(const char *url, struct error *err,
			 struct load_target *ret_target)
{
	struct authority authority;
	const char *rest;
	size_t size;

	if (!strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)))
		return find_path(url + strlen(UNIX_SCHEME), LOAD_HTTP, url, err,
				 ret_target);
	if (strncasecmp(url, HTTP_SCHEME, strlen(HTTP_SCHEME)) != 0)
		return no_url(url, err);
	rest = url + strlen(HTTP_SCHEME);
	size = strcspn(rest, "/");
	if (split_authority(rest, size, &authority) ||
	    (rest[size] && strcmp(rest + size, "/") != 0))
		return no_url(url, err);
	return find_host(&authority, url, err, ret_target);
}
