/*
 * fuzz_json_check.c - libFuzzer's target for JSON and for events: any bytes are
 * accepted or refused at a place among them; the members and elements of what is
 * accepted are in it, in order, and their values are JSON.
 *
 * Seeds: tests/catalog/good and tests/catalog/bad.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_walk.h"
#include "executor/protocol/cloudevents_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_request request;

/* Not assert(): it must hold in every build. */
static void require(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_members(const char *text, size_t size)
{
	struct json_member member;
	const char *last = text;
	size_t offset = 0;

	while (json_walk_member(text, size, &offset, &member)) {
		require(member.key > last && member.value > member.key &&
				member.value_size && offset < size,
			"a member is not where it should be");
		last = member.value + member.value_size;
		require(last == text + offset, "a member ends elsewhere");
		require(!json_check(member.value, member.value_size, NULL),
			"a member's value is not JSON");
		require(!json_check(member.key - 1, member.key_size + 2, NULL),
			"a member's key is not JSON");
	}
}

static void check_elements(const char *text, size_t size)
{
	struct json_member element;
	const char *last = text;
	size_t offset = 0;

	while (json_walk_element(text, size, &offset, &element)) {
		require(element.value > last && element.value_size &&
				offset < size,
			"an element is not where it should be");
		last = element.value + element.value_size;
		require(last == text + offset, "an element ends elsewhere");
		require(!json_check(element.value, element.value_size, NULL),
			"an element is not JSON");
	}
}

static void check_event(const char *text, size_t size, int is_json)
{
	struct buffer out = BUFFER_INIT(1 << 20);
	const char *reason = NULL;
	int r;

	request.body = text;
	request.body_size = size;
	r = cloudevents_write(&request, CLOUDEVENTS_STRUCTURED, &out, &reason);
	require(r ? r == -EINVAL && reason && !out.size : is_json,
		"an event is neither JSON nor refused");
	buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t offset = SIZE_MAX;
	int r = json_check(text, size, &offset);

	require(!r || r == -EINVAL || r == -EILSEQ || r == -E2BIG,
		"an error that is none of its own");
	require(r ? offset <= size : offset == SIZE_MAX,
		"the offset is not in the text");
	if (!r) {
		check_members(text, size);
		check_elements(text, size);
	}
	check_event(text, size, !r);
	return 0;
}
