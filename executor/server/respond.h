/* respond.h - fills an exchange's `out` with a response, and `text` with JSON. */
#ifndef EXECUTOR_SERVER_RESPOND_H
#define EXECUTOR_SERVER_RESPOND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "executor/server/exchange.h"

/* Makes the request's id, if the client has sent none. */
void exchange_make_id(struct exchange *exchange);

/*
 * A response in steps: the head, with X-Call-Id; more headers; the end, with
 * @body, which may be in any buffer but `out`.
 */
void respond_begin(struct exchange *exchange, unsigned status,
		   const char *type);
void respond_end(struct exchange *exchange, const void *body, size_t size);

/* All of them at once. */
void respond(struct exchange *exchange, unsigned status, const char *type,
	     const void *body, size_t size);

/*
 * Writes an error as RFC 9457 has it into exchange->text; @error_type, of a
 * function's error, may be NULL. respond_problem() makes a whole response of it.
 */
#define PROBLEM_TYPE "application/problem+json"
void write_problem(struct exchange *exchange, unsigned status,
		   const char *error_type, const char *detail);
void respond_problem(struct exchange *exchange, unsigned status,
		     const char *detail);

/* Ends a response with what the function has replied; in its replied(). */
void respond_reply(struct exchange *exchange);

/*
 * The function has replied: whether there is memory for that. Small replies always
 * have as much as they need. If not, the invocation has a result and an error.
 */
bool respond_has_room(struct exchange *exchange);

#endif
