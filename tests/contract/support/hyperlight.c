/* hyperlight.c - see hyperlight.h */
#include "tests/contract/support/hyperlight.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Of what never ends. */
#define TIMEOUT_NS (100 * NS_PER_MS)

struct thaw *hyperlight;
struct thaw_error hyperlight_error;

int hyperlight_count(void)
{
	return 2 * backend_count();
}

bool hyperlight_is_second(int i)
{
	return i % 2;
}

void hyperlight_open(int i, const char *more)
{
	static const char *const defaults[][2] = {
		{ "\"memory\"", "\"4MiB\"" },
		{ "\"max_request\"", "\"64KiB\"" },
		{ "\"max_reply\"", "\"64KiB\"" },
		{ "\"timeout\"", "\"60s\"" },
		{ "\"concurrency\"", "{\"max\":1}" },
	};
	char text[4096];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text),
				"{\"name\":\"guest\",\"stack\":\"64KiB\","
				"\"image\":\"%%s/%s.elf\"%s%s",
				hyperlight_is_second(i) ? "hyperlight_2" :
							  "hyperlight",
				*more ? "," : "", more);
	for (size_t n = 0; n < sizeof(defaults) / sizeof(*defaults); n++)
		if (!strstr(more, defaults[n][0]))
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used, ",%s:%s",
						 defaults[n][0],
						 defaults[n][1]);
	snprintf(text + used, sizeof(text) - used, "}");
	hyperlight = open_functions(backends[i / 2], text);
}

/* @timeout_ns 0: the function's. */
static int invoke(const char *function, const char *arguments,
		  uint64_t timeout_ns, struct thaw_reply *reply)
{
	static _Thread_local char text[1 << 16];
	const struct thaw_invoke_request request = {
		.data = text,
		.size = (size_t)snprintf(text, sizeof(text),
					 "{\"function\":\"%s\",\"args\":[%s]}",
					 function, arguments),
		.timeout_ns = timeout_ns,
	};

	return thaw_invoke(hyperlight, "guest", &request, &hyperlight_error,
			   reply);
}

const char *hyperlight_call(const char *function, const char *arguments)
{
	struct thaw_reply reply;
	const char *text;
	int r = invoke(function, arguments, 0, &reply);

	ck_assert_msg(!r, "%s(%s): %s", function, arguments,
		      hyperlight_error.message);
	text = outcome(&reply);
	thaw_reply_release(&reply);
	return text;
}

const char *hyperlight_refusal(const char *function, const char *arguments,
			       int result)
{
	struct thaw_reply reply;

	ck_assert_int_eq(invoke(function, arguments, 0, &reply), result);
	return hyperlight_error.message;
}

static void check_clean(void)
{
	ck_assert_str_eq(hyperlight_call("Echo", "\"clean\""),
			 "{\"result\":\"clean\"}");
	ck_assert_str_eq(hyperlight_call("GetStatic", ""), "{\"result\":0}");
}

void hyperlight_stops(const char *function, const char *arguments)
{
	struct thaw_reply reply;

	ck_assert_int_eq(invoke(function, arguments, TIMEOUT_NS, &reply), 0);
	ck_assert_msg(reply.result == THAW_TIMEOUT, "%s: %s", function,
		      outcome(&reply));
	thaw_reply_release(&reply);
	check_clean();
}

void hyperlight_calls(const struct hyperlight_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hyperlight_row *row = &rows[i];
		const char *is = hyperlight_call(row->function, row->arguments);

		ck_assert_msg(!fnmatch(row->outcome, is, 0), "%s(%s): %s",
			      row->function, row->arguments, is);
		check_clean();
	}
}
