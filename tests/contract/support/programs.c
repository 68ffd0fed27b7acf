/* programs.c - see programs.h. */
#include "tests/contract/support/programs.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"

int program_trackers(void)
{
	return backend_count() < 2 ? backend_count() : 2;
}

int program_builds(int count)
{
	return getenv("TEST_ONE_BUILD") ? 1 : count;
}

bool program_is_built(const char *name, const char *build)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/linux_%s_%s", TEST_GUESTS, name,
		 build);
	if (!access(path, X_OK))
		return true;
	printf("skip: %s: there is no %s\n", build, path);
	return false;
}

void expect(struct thaw *thaw, const char *request, const char *pattern)
{
	const char *result = call_once(thaw, "p", request);

	ck_assert_msg(!fnmatch(pattern, result, 0), "%.60s: %s", request,
		      result);
}
