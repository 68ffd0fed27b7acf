/*
 * server_end.h - waits for the end of a server.
 *
 *	code = server_end_watch(&client, &end);		while it is there
 *	...						end it
 *	code = server_end_wait(&client, &end, 0);
 *	server_end_done(&end);				whatever the codes
 */
#ifndef EXECUTOR_CLI_SERVER_END_H
#define EXECUTOR_CLI_SERVER_END_H

#include <stdint.h>

#include "executor/client/http_client.h"

struct server_end {
	uint64_t pid; /* as the server tells it */
	int fd;	      /* of its process, if that is on this machine; else -1 */
};

/*
 * Remembers which server this is. Returns CLI_OK, or an exit code after a
 * message.
 */
int server_end_watch(struct http_client *client, struct server_end *ret_end);

/*
 * Waits until its process has ended or, if that cannot be seen from here, until
 * no server, or another one, answers. CLI_TIMEOUT after a message: that took
 * longer than @timeout_ns; 0 is any time.
 */
int server_end_wait(struct http_client *client, const struct server_end *end,
		    uint64_t timeout_ns);

void server_end_done(struct server_end *end);

#endif
