/*
 * catalog_whole.c - a function as a whole: its defaults, and what no key can check
 * alone. See catalog_whole.h.
 */
#include "executor/catalog_whole.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "executor/limits.h"

/* A short-lived buffer, for the arguments of a refusal. */
#define SIZE(bytes) units_format_size(bytes, (char[UNITS_TEXT_MAX]){ 0 })

static uint32_t default_concurrency(void)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const long most = LIMIT_CONCURRENCY_MAX / LIMIT_CONCURRENCY_PER_CPU;

	if (cpus <= LIMIT_CONCURRENCY_DEFAULT / LIMIT_CONCURRENCY_PER_CPU)
		return LIMIT_CONCURRENCY_DEFAULT;
	return (uint32_t)(cpus < most ? cpus : most) *
	       LIMIT_CONCURRENCY_PER_CPU;
}

struct catalog_function catalog_builtin_defaults(void)
{
	return (struct catalog_function){
		.memory = LIMIT_MEMORY_DEFAULT,
		.stack = LIMIT_STACK_DEFAULT,
		.tmp = LIMIT_TMP_DEFAULT,
		.max_request = LIMIT_REQUEST_DEFAULT,
		.max_reply = LIMIT_REPLY_DEFAULT,
		.timeout_ns = LIMIT_TIMEOUT_DEFAULT,
		.init_timeout_ns = LIMIT_INIT_TIMEOUT_DEFAULT,
		.inline_budget_ns = LIMIT_INLINE_BUDGET_DEFAULT,
		.concurrency = {
			.max = default_concurrency(),
			.warm = LIMIT_WARM_DEFAULT,
			.queue = LIMIT_QUEUE_DEFAULT,
			.queue_timeout_ns = LIMIT_QUEUE_TIMEOUT_DEFAULT,
		},
		.host = { .max_size = LIMIT_HOST_SIZE_DEFAULT },
		.log_level = THAW_LOG_INFO,
		.dispatch = CATALOG_DISPATCH_EXIT,
		.isolation = CATALOG_ISOLATION_STRICT,
		.untrusted = false,
		.critical = false,
	};
}

static int check_parts_fit(const struct json_place *place,
			   const struct catalog_function *function)
{
	const struct json_place memory = json_place_member(place, "memory");
	const size_t max_size =
		function->host.allow_count ? function->host.max_size : 0;
	const size_t needed = function->stack + function->max_request +
			      function->max_reply + max_size +
			      LIMIT_MEMORY_REST;

	if (function->memory >= needed)
		return 0;
	return json_reader_refuse(
		&memory,
		"%s is too small for stack %s + max_request %s + max_reply %s "
		"%s%s%s+ %s for the image: needs %s",
		SIZE(function->memory), SIZE(function->stack),
		SIZE(function->max_request), SIZE(function->max_reply),
		max_size ? "+ host.max_size " : "",
		max_size ? SIZE(max_size) : "", max_size ? " " : "",
		SIZE(LIMIT_MEMORY_REST), SIZE(needed));
}

static int check_warm_input(const struct json_place *place,
			    const struct catalog_function *function)
{
	const struct json_place warm = json_place_member(place, "warm_input");
	const struct json_place text = json_place_member(&warm, "text");
	const char *request = function->warm_input.text;

	if (!request || strlen(request) <= function->max_request)
		return 0;
	return json_reader_refuse(&text, "has %zu bytes: max_request is %s",
				  strlen(request), SIZE(function->max_request));
}

static int check_warm(const struct json_place *place,
		      const struct catalog_function *function)
{
	struct json_place concurrency = json_place_member(place, "concurrency");
	struct json_place warm = json_place_member(&concurrency, "warm");

	if (function->concurrency.warm <= function->concurrency.max)
		return 0;
	return json_reader_refuse(&warm,
				  "%u is more than the concurrency's max, %u",
				  function->concurrency.warm,
				  function->concurrency.max);
}

/* Here, where it does not matter which of the two is from defaults. */
static int check_isolation(const struct json_place *place,
			   const struct catalog_function *function)
{
	struct json_place isolation = json_place_member(place, "isolation");

	if (!function->untrusted ||
	    function->isolation != CATALOG_ISOLATION_COOPERATIVE)
		return 0;
	return json_reader_refuse(
		&isolation,
		"\"cooperative\", from here or from defaults, is not for "
		"untrusted functions: write \"strict\" here, or \"untrusted\": "
		"false if you trust the code");
}

static int check_interrupts(const struct json_place *place,
			    const struct catalog_function *function)
{
	const struct json_place here = json_place_member(place, "interrupts");

	if (!function->interrupts || !function->interrupts[0] ||
	    function->devices == CATALOG_DEVICES_GUNYAH)
		return 0;
	return json_reader_refuse(&here, "are for programs with other devices: "
					 "write \"devices\": \"gunyah\"");
}

static int check_whole(const struct json_place *place,
		       const struct catalog_function *function)
{
	static int (*const checks[])(const struct json_place *place,
				     const struct catalog_function *function) = {
		check_parts_fit, check_warm, check_warm_input, check_isolation,
		check_interrupts
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int r = checks[i](place, function);

		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

int catalog_function_complete(const struct json_place *place,
			      struct catalog_function *function)
{
	int r = check_whole(place, function);

	if (r < 0)
		return r;
	if (!function->entry)
		function->entry = strdup("");
	if (!function->description)
		function->description = strdup("");
	if (!function->arguments)
		function->arguments = calloc(1, sizeof(char *));
	if (!function->files)
		function->files = calloc(1, sizeof(char *));
	if (!function->interrupts)
		function->interrupts = calloc(1, sizeof(char *));
	if (!function->environment)
		function->environment = calloc(1, sizeof(char *));
	if (!function->labels)
		function->labels = calloc(1, sizeof(char *));
	if (!function->entry || !function->description ||
	    !function->arguments || !function->files || !function->interrupts ||
	    !function->environment || !function->labels)
		return json_reader_no_memory(place);
	return 0;
}
