/* answer.h - a function behind HTTP: the headers it gets, and its reply. */
#ifndef EXECUTOR_SERVER_ANSWER_H
#define EXECUTOR_SERVER_ANSWER_H

#include "executor/server/exchange.h"

/* Tells a status that is the function's own from one of the server's. */
#define ANSWER_STATUS_HEADER "X-Function-Status"

/*
 * Gives the invocation's request those headers of the client's that are not about
 * the connection. No others are kept from then on.
 */
void answer_take_headers(struct exchange *exchange);

/*
 * Adds the header "Server-Timing: queue;dur=0.010, run;dur=0.061, restore;dur=0.005",
 * in milliseconds.
 */
void answer_timing(struct exchange *exchange);

/* Fills `out` with the function's reply. */
void answer_respond(struct exchange *exchange);

#endif
