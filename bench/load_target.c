/* load_target.c - see load_target.h. */
#include "bench/load_target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/client/http_address.h"
#include "executor/io/runtime_dir.h"

/* Time that each address may take to answer when it is tried. */
#define FIND_TIMEOUT_S 5

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

/* Whether a server listens there. */
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

static int load_cannot_connect(int r, const char *text, struct error *err)
{
	/* a path that does not exist is no usage error */
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
	if (runtime_check(path, err))
		return -EPERM;
	if (r)
		return load_cannot_connect(r, text, err);
	target->text = text;
	return 0;
}

int load_target_find_socket(const char *path, struct error *err,
			    struct load_target *ret_target)
{
	return find_path(path, LOAD_FRAMES, path, err, ret_target);
}

static int find_host(const struct http_address *address, const char *url,
		     struct error *err, struct load_target *target)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	int r = getaddrinfo(address->host, address->port, &hints, &list);

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
		return load_cannot_connect(r, url, err);
	strcpy(target->host, address->authority);
	return 0;
}

int load_target_find_url(const char *url, struct error *err,
			 struct load_target *ret_target)
{
	struct http_address address;

	if (http_address_parse(url, err, &address))
		return -EINVAL;
	if (*address.prefix)
		return error_set(
			err, -EINVAL,
			"%s: the paths of functions are known: write " HTTP_ADDRESS_FORMS,
			url);
	return address.is_unix ? find_path(address.path, LOAD_HTTP, url, err,
					   ret_target) :
				 find_host(&address, url, err, ret_target);
}
