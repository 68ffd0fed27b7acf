/* http_problem.h - what a reply of HTTP says has gone wrong. */
#ifndef EXECUTOR_CLIENT_HTTP_PROBLEM_H
#define EXECUTOR_CLIENT_HTTP_PROBLEM_H

#include "executor/protocol/http_reply.h"

struct http_problem {
	char type[64]; /* of a function's error; "": it is not one */
	char message[2048];
};

/*
 * Reads the body: application/problem+json with "detail" and "errorType", or
 * the errors of the Lambda API; without either, what the status says. Both
 * are fit to be printed.
 */
void http_problem_read(const struct http_reply *reply,
		       struct http_problem *ret_problem);

#endif
