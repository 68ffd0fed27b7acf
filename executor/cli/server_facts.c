/* server_facts.c - see server_facts.h. */
#include "executor/cli/server_facts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "executor/cli/admin.h"

#define WORD_MAX 32

char *server_facts_age(uint64_t ms, char text[static SERVER_AGE_MAX])
{
	uint64_t s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;

	if (d)
		snprintf(text, SERVER_AGE_MAX, "%" PRIu64 "d %" PRIu64 "h", d,
			 h % 24);
	else if (h)
		snprintf(text, SERVER_AGE_MAX, "%" PRIu64 "h %" PRIu64 "m", h,
			 m % 60);
	else if (m)
		snprintf(text, SERVER_AGE_MAX, "%" PRIu64 "m %" PRIu64 "s", m,
			 s % 60);
	else
		snprintf(text, SERVER_AGE_MAX, "%" PRIu64 "s", s);
	return text;
}

char *server_facts_summary(const json_t *status, char *to, size_t size)
{
	char version[WORD_MAX], state[WORD_MAX], age[SERVER_AGE_MAX];

	snprintf(to, size, "thaw %s, pid %" PRIu64 ", %s for %s",
		 admin_text(status, "version", version, sizeof(version)),
		 admin_number(status, "pid"),
		 admin_text(status, "state", state, sizeof(state)),
		 server_facts_age(admin_number(status, "uptime_ms"), age));
	return to;
}
