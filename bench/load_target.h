/*
 * load_target.h - the server that requests are sent to: where it listens, and
 * what is spoken there.
 */
#ifndef BENCH_LOAD_TARGET_H
#define BENCH_LOAD_TARGET_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "executor/client/http_address.h"

enum load_protocol {
	LOAD_HTTP,
	LOAD_FRAMES, /* the socket protocol, executor/protocol/frame.h */
};

struct load_target {
	enum load_protocol protocol;
	struct sockaddr_storage address;
	socklen_t address_size;
	char host[HTTP_AUTHORITY_MAX]; /* as HTTP's header has it */
	const char *text;	       /* as it was given; borrowed */
};

/*
 * HTTP at an address as http_address_parse() takes it, without a prefix. Names are looked up; of several
 * addresses the first is taken at which there is something, waiting for each.
 * -EINVAL: it is no such URL; -EHOSTUNREACH: there is no such host; or why it
 * cannot be connected to.
 */
int load_target_find_url(const char *url, struct error *err,
			 struct load_target *ret_target);

/* The socket protocol at @path. Errors as above. */
int load_target_find_socket(const char *path, struct error *err,
			    struct load_target *ret_target);

/* HTTP or frames at @path, which nothing need listen at. -ENAMETOOLONG. */
int load_target_set_path(struct load_target *target,
			 enum load_protocol protocol, const char *path);

/*
 * Begins to connect; @flags are SOCK_NONBLOCK or 0. 0 or -EINPROGRESS, and the
 * socket; else -errno: -EAGAIN if it is too busy now.
 */
int load_target_connect(const struct load_target *target, int flags,
			int *ret_fd);

#endif
