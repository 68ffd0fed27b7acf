/*
 * calls_host.c - calls the host CALLS times. Replies how many of the calls were answered
 * rightly.
 */
#include <thaw.h>

#define CALLS 500

THAW_IMPORT(int, add, int, int)

THAW_HANDLER(calls_host)
{
	int right = 0;

	(void)request;
	for (int i = 0; i < CALLS; i++) {
		int sum = -1;

		right += !host_add(1, i, &sum) && sum == i + 1;
	}
	thaw_reply_printf("%d", right);
	return 0;
}
