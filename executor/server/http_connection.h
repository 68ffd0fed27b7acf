/* http_connection.h - HTTP/1.1 connections, and the handlers of their requests. */
#ifndef EXECUTOR_SERVER_HTTP_CONNECTION_H
#define EXECUTOR_SERVER_HTTP_CONNECTION_H

#include "executor/server/exchange.h"
#include "executor/server/listener.h"

/*
 * What requests mean that come in by a listener. On the worker's thread, in this
 * order for each request.
 */
struct http_handler {
	/*
	 * The head is there: sets request.max_body, the function if the request
	 * is for one, and `status` and `reason` if it is to be refused.
	 */
	void (*head)(struct exchange *exchange);
	/*
	 * The request is whole: fills `out` and calls http_connection_send(), now
	 * or later.
	 */
	void (*request)(struct exchange *exchange);
	/*
	 * Instead of that, if the request could not be read, or its head was
	 * refused: fills `out` with `status` and `reason`.
	 */
	void (*refuse)(struct exchange *exchange);
};

/* Makes a connection of @fd, whose requests @listener->handler handles. */
void http_connection_open(struct listener *listener, int fd);

/*
 * Sends `out`, and goes on with the connection. Does nothing if the client has
 * gone.
 */
void http_connection_send(struct exchange *exchange);

#endif
