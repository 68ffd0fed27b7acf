/*
 * budget_reason.h - the budget of memory for requests and replies: whose shares
 * it has, and why it is refused, in words. Any thread.
 */
#ifndef EXECUTOR_PROTOCOL_BUDGET_REASON_H
#define EXECUTOR_PROTOCOL_BUDGET_REASON_H

#include "base/budget.h"

/* Indices of an account's shares. */
enum {
	BUDGET_OF_FUNCTION, /* the one that the request is for */
	BUDGET_OF_CLIENT,   /* the one that has sent it */
};

/* What struct budget_account refuses with. */
enum {
	BUDGET_FUNCTION_FULL = BUDGET_SHARE_FULL + BUDGET_OF_FUNCTION,
	BUDGET_CLIENT_FULL = BUDGET_SHARE_FULL + BUDGET_OF_CLIENT,
};

/* Returns a sentence for the client; static. */
const char *budget_reason(unsigned refused);

#endif
