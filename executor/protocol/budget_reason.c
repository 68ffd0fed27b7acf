/* budget_reason.c - see budget_reason.h. */
#include "executor/protocol/budget_reason.h"

_Static_assert(BUDGET_OF_CLIENT + 1 == BUDGET_SHARES, "one share of each kind");

const char *budget_reason(unsigned refused)
{
	switch (refused) {
	case BUDGET_FUNCTION_FULL:
		return "the function's share of the memory for requests and "
		       "replies is used up: try again, or raise --max-buffered";
	case BUDGET_CLIENT_FULL:
		return "the client's share of the memory for requests and "
		       "replies is used up: try again, or raise --max-buffered";
	default:
		return "the memory for requests and replies is used up: try "
		       "again, or raise --max-buffered";
	}
}
