/* client.h - a client of the benchmark's server that waits for each reply. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "base/error.h"
#include "bench/load_wire.h"

struct bench_client {
	int fd;
	struct load_request request;
	struct load_reply reply;
};

/*
 * Connects to the unix socket at @path, for requests of BENCH_REQUEST_SIZE bytes
 * to @function. -errno and a message; @client is to be closed in any case.
 */
int bench_client_open(struct bench_client *client, const char *path,
		      enum load_protocol protocol, const char *function,
		      struct error *err);
void bench_client_close(struct bench_client *client);

/* Only connects; the caller closes the socket. */
int bench_client_connect(const char *path, enum load_protocol protocol,
			 struct error *err, int *ret_fd);

/* Sends a request; receives its reply, which must be a good one. */
int bench_client_send(struct bench_client *client, struct error *err);
int bench_client_receive(struct bench_client *client, struct error *err);

/*
 * Does the same in two steps: receives any reply; checks that it is a good one.
 */
int bench_client_take(struct bench_client *client, struct error *err);
int bench_client_judge(const struct bench_client *client, struct error *err);

#endif
