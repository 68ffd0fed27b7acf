/* load_tally.c - see load_tally.h. */
#include "bench/load_tally.h"

#include <stddef.h>

void load_tally_merge(struct load_tally *to, const struct load_tally *from)
{
	to->sent += from->sent;
	to->ok += from->ok;
	to->errors += from->errors;
	to->lost += from->lost;
	to->late += from->late;
	to->unsent += from->unsent;
	for (size_t i = 0; i < LOAD_STATUS_MAX; i++)
		to->statuses[i] += from->statuses[i];
	histogram_merge(&to->latency, &from->latency);
}
