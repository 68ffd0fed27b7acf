/*
 * fuzz_device_line.c - requests for /dev/thaw, and replies to it. A request that passes
 * is one line of JSON, and a call by the path is of that function, whatever the body is.
 *
 * Seeds: tests/catalog/good and tests/catalog/bad, for they are JSON.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_walk.h"
#include "executor/linux/device_line.h"

#define REQUIRE(condition)        \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* The line is {"function":"add","args":...}, with these two members. */
static void require_call(const char *line, size_t size)
{
	struct json_member member;
	size_t offset = 0;

	REQUIRE(json_walk_member(line, size, &offset, &member));
	REQUIRE(member.key_size == 8 && !memcmp(member.key, "function", 8));
	REQUIRE(member.value_size == 5 && !memcmp(member.value, "\"add\"", 5));
	REQUIRE(json_walk_member(line, size, &offset, &member));
	REQUIRE(member.key_size == 4 && !memcmp(member.key, "args", 4));
	REQUIRE(!json_walk_member(line, size, &offset, &member));
}

static void try_request(const char *name, const char *data, size_t size)
{
	const struct device_call call = { name, data, size };
	struct buffer line = BUFFER_INIT(SIZE_MAX);
	struct error err;

	if (device_line_check(&call, &err))
		return;
	device_line_write(&call, &line);
	REQUIRE(!line.failed && line.size);
	REQUIRE(memchr(line.data, '\n', line.size) ==
		line.data + line.size - 1);
	REQUIRE(!memchr(line.data, '\r', line.size));
	/* one that is nested as deep as may be is deeper in a call */
	if (json_check(line.data, line.size, NULL))
		REQUIRE(name &&
			json_check(line.data, line.size, NULL) == -E2BIG);
	else if (name)
		require_call(line.data, line.size);
	buffer_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of just that size, so that reading beyond it is seen */
	char *text = malloc(size);
	struct device_reply reply;
	struct error err;

	REQUIRE(text || !size);
	if (size)
		memcpy(text, data, size);
	try_request(NULL, text, size);
	try_request("add", text, size);
	if (!device_reply_read(text, size, &err, &reply)) {
		REQUIRE(reply.is_error == (*reply.type != '\0'));
		REQUIRE(strlen(reply.type) < sizeof(reply.type));
		REQUIRE(strlen(reply.message) < sizeof(reply.message));
	}
	free(text);
	return 0;
}
