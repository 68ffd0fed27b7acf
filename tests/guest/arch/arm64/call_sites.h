/* call_sites.h (arm64) - no places of code are changed here. */
#ifndef CALL_SITES_H
#define CALL_SITES_H

#include <stdbool.h>

static inline bool call_sites_are_good(void)
{
	return true;
}

static inline bool end_jumps(void)
{
	return true;
}

#endif
