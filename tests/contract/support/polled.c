/* polled.c - see polled.h. */
#include "tests/contract/support/polled.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/contract/support/guests.h"

struct thaw_stats stats_of(struct thaw *thaw, const char *function)
{
	struct thaw_error error;
	struct thaw_stats stats;
	int r = thaw_get_stats(thaw, function, &error, &stats);

	ck_assert_msg(!r, "%s", error.message);
	return stats;
}

struct thaw *open_hostile(const struct engine_options *options, unsigned count,
			  const char *more)
{
	struct engine_options given = *options;
	char text[2048];
	struct thaw_error error;
	struct thaw *thaw;
	size_t used;

	used = (size_t)snprintf(text, sizeof(text),
				"{\"defaults\":{\"memory\":\"4MiB\","
				"\"stack\":\"64KiB\",\"timeout\":\"10s\","
				"\"concurrency\":{\"max\":2},%s},"
				"\"functions\":[",
				more);
	for (unsigned i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s{\"name\":\"%c\",\"image\":\"%s/"
					 "hostile.elf\",\"entry\":\"hostile\"}",
					 i ? "," : "", 'a' + (int)i,
					 TEST_GUESTS);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "]}");
	if (!given.dirty)
		given.dirty = getenv("TEST_TRACKER");
	ck_assert_msg(!engine_open_text(text, used, "test.json", &given, &error,
					&thaw),
		      "%s", error.message);
	return thaw;
}
