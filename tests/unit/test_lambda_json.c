/* test_lambda_json.c - Lambda's API: the JSON that is answered. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "executor/protocol/lambda.h"
#include "executor/protocol/lambda_error.h"
#include "executor/protocol/lambda_json.h"

#define ARN "arn:aws:lambda:us-east-1:000000000000:function:"
#define SHA256                                                           \
	"000102030405f6f7f8f90a0b0c0d0e0f101112131415161718191a1b1c1d1e" \
	"1f"

static char *environment[] = { "A=1", "B=x=\xc3\xbc", NULL };
static char *labels[] = { "team=core", NULL };

static struct catalog_function specs[120];
static struct function_view functions[120];
static char function_names[120][64];
static struct server_view view;
static struct lambda_call call;
static struct lambda_error error;

static void add(const char *name, enum function_state state)
{
	size_t i = view.count++;

	strcpy(function_names[i], name);
	specs[i] = (struct catalog_function){
		.name = function_names[i],
		.image = "/secret/path.elf",
		.entry = "",
		.description = "says hello",
		.environment = environment,
		.labels = labels,
		.memory = 16 * UNITS_MIB,
		.timeout_ns = 100 * UNITS_MS,
		.concurrency = { .max = 16, .warm = 2 },
	};
	functions[i] = (struct function_view){
		.spec = &specs[i],
		.state = state,
		.reason = "",
	};
	if (state == FUNCTION_ACTIVE) {
		functions[i].deployed_unix_ms = 1769860800007; /* 2026-01-31 */
		functions[i].image_bytes = 12345;
		functions[i].image_sha256 = SHA256;
		functions[i].vms_idle = 1;
	} else if (state == FUNCTION_FAILED) {
		functions[i].failure = -ENOEXEC;
		functions[i].reason = "no ELF: /\xff";
	}
}

static void setup(void)
{
	memset(&call, 0, sizeof(call));
	call.max_items = LAMBDA_ITEMS_MAX;
	view = (struct server_view){
		.functions = functions,
		.start_unix_ms = 1769860799000,
	};
}

static void ask(enum lambda_operation operation, const char *function,
		const char *qualifier)
{
	call.operation = operation;
	strcpy(call.function, function);
	strcpy(call.qualifier, qualifier);
}

static json_t *parse(struct buffer *out)
{
	json_error_t where;
	json_t *value;

	ck_assert(!out->failed);
	value = json_loadb(out->data, out->size, JSON_REJECT_DUPLICATES,
			   &where);
	ck_assert_msg(value != NULL, "%.*s: %s", (int)out->size, out->data,
		      where.text);
	buffer_done(out);
	return value;
}

static json_t *answer(void)
{
	struct buffer out = BUFFER_INIT(1 << 20);

	ck_assert_msg(lambda_write(&call, &view, &out, &error), "%s",
		      error.message);
	return parse(&out);
}

static void refuse(const char *type, const char *message)
{
	struct buffer out = BUFFER_INIT(1 << 20);

	ck_assert(!lambda_write(&call, &view, &out, &error));
	ck_assert_uint_eq(error.status, 404);
	ck_assert_str_eq(error.type, type);
	ck_assert_str_eq(error.message, message);
	ck_assert_uint_eq(out.size, 0);
}

/* Compares with JSON text, where members may be in any order. */
static void check(json_t *value, const char *expected)
{
	json_t *other = json_loads(expected, JSON_DECODE_ANY, NULL);
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);

	ck_assert_ptr_nonnull(other);
	ck_assert_msg(json_equal(value, other), "%s", text);
	free(text);
	json_decref(other);
	json_decref(value);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

START_TEST(a_function_has_all_that_clients_look_at)
{
	json_t *value, *list;

	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "");
	value = answer();
	/* whichever machine this is */
	list = json_object_get(value, "Architectures");
	ck_assert_uint_eq(json_array_size(list), 1);
	json_array_set_new(list, 0, json_string("any"));
	check(value,
	      "{\"FunctionName\":\"hello\",\"FunctionArn\":\"" ARN "hello\","
	      "\"Runtime\":\"provided\",\"Handler\":\"hello\","
	      "\"CodeSize\":12345,\"CodeSha256\":"
	      "\"AAECAwQF9vf4+QoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
	      "\"RevisionId\":\"00010203-0405-86f7-b8f9-0a0b0c0d0e0f\","
	      "\"Description\":\"says hello\",\"Timeout\":1,"
	      "\"MemorySize\":16,"
	      "\"LastModified\":\"2026-01-31T12:00:00.007+0000\","
	      "\"Version\":\"$LATEST\",\"Environment\":{\"Variables\":"
	      "{\"A\":\"1\",\"B\":\"x=\xc3\xbc\"}},\"State\":\"Active\","
	      "\"LastUpdateStatus\":\"Successful\",\"PackageType\":\"Zip\","
	      "\"Architectures\":[\"any\"],\"EphemeralStorage\":"
	      "{\"Size\":512},\"SnapStart\":{\"ApplyOn\":"
	      "\"PublishedVersions\",\"OptimizationStatus\":\"On\"},"
	      "\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":"
	      "\"/aws/lambda/hello\"}}");
}
END_TEST

START_TEST(figures_are_rounded_up)
{
	json_t *value;

	add("hello", FUNCTION_ACTIVE);
	specs[0].memory = 16 * UNITS_MIB + 1;
	specs[0].timeout_ns = 2 * UNITS_S + 1;
	specs[0].entry = "other";
	specs[0].environment = NULL;
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "");
	value = answer();
	ck_assert_int_eq(json_integer_value(
				 json_object_get(value, "MemorySize")),
			 17);
	ck_assert_int_eq(json_integer_value(json_object_get(value, "Timeout")),
			 3);
	ck_assert_str_eq(text_of(value, "Handler"), "other");
	ck_assert_ptr_null(json_object_get(value, "Environment"));
	json_decref(value);
}
END_TEST

START_TEST(the_version_is_the_one_asked_for)
{
	json_t *value;

	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "$LATEST");
	value = answer();
	ck_assert_str_eq(text_of(value, "Version"), "$LATEST");
	ck_assert_str_eq(text_of(value, "FunctionArn"), ARN "hello:$LATEST");
	json_decref(value);
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "1");
	value = answer();
	ck_assert_str_eq(text_of(value, "Version"), "1");
	ck_assert_str_eq(text_of(value, "FunctionArn"), ARN "hello:1");
	json_decref(value);
}
END_TEST

START_TEST(a_function_that_boots_is_pending)
{
	json_t *value;

	add("hello", FUNCTION_PENDING);
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "");
	value = answer();
	ck_assert_str_eq(text_of(value, "State"), "Pending");
	ck_assert_str_eq(text_of(value, "StateReasonCode"), "Creating");
	ck_assert_str_eq(text_of(value, "LastUpdateStatus"), "InProgress");
	ck_assert_str_eq(text_of(value, "LastModified"),
			 "2026-01-31T11:59:59.000+0000");
	ck_assert_ptr_null(json_object_get(value, "CodeSha256"));
	json_decref(value);
}
END_TEST

static const struct {
	int failure;
	const char *code;
} failures[] = {
	{ -ENOENT, "InvalidImage" },
	{ -ENOEXEC, "InvalidImage" },
	{ -ETIMEDOUT, "FunctionError.InitTimeout" },
	{ -ECANCELED, "FunctionError.RuntimeInitError" },
	{ -EPROTO, "FunctionError.RuntimeInitError" },
	{ -ENOMEM, "InternalError" },
};

START_TEST(a_function_that_failed_says_why)
{
	json_t *value;

	add("hello", FUNCTION_FAILED);
	functions[0].failure = failures[_i].failure;
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "hello", "");
	value = answer();
	ck_assert_str_eq(text_of(value, "State"), "Failed");
	ck_assert_str_eq(text_of(value, "StateReason"),
			 "The function could not be deployed: the "
			 "server's log says why.");
	ck_assert_str_eq(text_of(value, "StateReasonCode"), failures[_i].code);
	ck_assert_str_eq(text_of(value, "LastUpdateStatus"), "Failed");
	ck_assert_str_eq(text_of(value, "LastUpdateStatusReasonCode"),
			 failures[_i].code);
	json_decref(value);
}
END_TEST

START_TEST(a_function_comes_with_tags_and_concurrency)
{
	json_t *value;
	char *text;

	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_FUNCTION, "hello", "1");
	value = answer();
	text = json_dumps(value, 0);
	/* clients need not know where the image lies */
	ck_assert_ptr_null(strstr(text, "secret"));
	free(text);
	ck_assert_str_eq(text_of(json_object_get(value, "Configuration"),
				 "Version"),
			 "1");
	ck_assert(json_is_object(json_object_get(value, "Code")));
	check(json_incref(json_object_get(value, "Tags")),
	      "{\"team\":\"core\"}");
	check(json_incref(json_object_get(value, "Concurrency")),
	      "{\"ReservedConcurrentExecutions\":16}");
	json_decref(value);
}
END_TEST

START_TEST(small_questions_have_small_answers)
{
	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_CONCURRENCY, "hello", "");
	check(answer(), "{\"ReservedConcurrentExecutions\":16}");
	ask(LAMBDA_LIST_TAGS, "hello", "");
	check(answer(), "{\"Tags\":{\"team\":\"core\"}}");
	ask(LAMBDA_LIST_ALIASES, "hello", "");
	check(answer(), "{\"Aliases\":[]}");
	specs[0].labels = NULL;
	ask(LAMBDA_LIST_TAGS, "hello", "");
	check(answer(), "{\"Tags\":{}}");
}
END_TEST

static void check_provisioned(unsigned idle, unsigned busy, int available)
{
	char expected[512];

	functions[0].vms_idle = idle;
	functions[0].vms_busy = busy;
	snprintf(expected, sizeof(expected),
		 "{\"RequestedProvisionedConcurrentExecutions\":2,"
		 "\"AvailableProvisionedConcurrentExecutions\":%d,"
		 "\"AllocatedProvisionedConcurrentExecutions\":%d,"
		 "\"Status\":\"READY\","
		 "\"LastModified\":\"2026-01-31T12:00:00.007+0000\"}",
		 available, available);
	check(answer(), expected);
}

START_TEST(warm_vms_are_provisioned_concurrency)
{
	json_t *value;

	add("hello", FUNCTION_ACTIVE);
	add("failed", FUNCTION_FAILED);
	add("pending", FUNCTION_PENDING);
	ask(LAMBDA_GET_PROVISIONED_CONCURRENCY, "hello", "1");
	check_provisioned(0, 0, 0);
	check_provisioned(1, 0, 1);
	check_provisioned(1, 7, 2);
	ask(LAMBDA_GET_PROVISIONED_CONCURRENCY, "failed", "");
	value = answer();
	ck_assert_str_eq(text_of(value, "Status"), "FAILED");
	ck_assert_str_eq(text_of(value, "StatusReason"),
			 "The function could not be deployed: the "
			 "server's log says why.");
	json_decref(value);
	ask(LAMBDA_GET_PROVISIONED_CONCURRENCY, "pending", "");
	value = answer();
	ck_assert_str_eq(text_of(value, "Status"), "IN_PROGRESS");
	json_decref(value);
	specs[0].concurrency.warm = 0;
	ask(LAMBDA_GET_PROVISIONED_CONCURRENCY, "hello", "1");
	refuse("ProvisionedConcurrencyConfigNotFoundException",
	       "No Provisioned Concurrency Config found for this function");
}
END_TEST

START_TEST(the_account_is_the_catalog)
{
	add("a", FUNCTION_ACTIVE);
	add("b", FUNCTION_PENDING);
	ask(LAMBDA_GET_ACCOUNT_SETTINGS, "", "");
	check(answer(),
	      "{\"AccountLimit\":{\"TotalCodeSize\":671088640000,"
	      "\"CodeSizeUnzipped\":67108864,\"CodeSizeZipped\":67108864,"
	      "\"ConcurrentExecutions\":32,"
	      "\"UnreservedConcurrentExecutions\":0},\"AccountUsage\":"
	      "{\"TotalCodeSize\":12345,\"FunctionCount\":2}}");
}
END_TEST

static const enum lambda_operation of_a_function[] = {
	LAMBDA_GET_FUNCTION,	LAMBDA_GET_FUNCTION_CONFIGURATION,
	LAMBDA_LIST_VERSIONS,	LAMBDA_LIST_ALIASES,
	LAMBDA_GET_CONCURRENCY, LAMBDA_GET_PROVISIONED_CONCURRENCY,
	LAMBDA_LIST_TAGS,
};

START_TEST(what_is_not_there_is_not_found)
{
	add("hello", FUNCTION_ACTIVE);
	ask(of_a_function[_i], "hell", "");
	refuse("ResourceNotFoundException", "Function not found: " ARN "hell");
	ask(of_a_function[_i], "hello", "2");
	refuse("ResourceNotFoundException",
	       "Function not found: " ARN "hello:2");
}
END_TEST

START_TEST(the_only_function_is_also_called_function)
{
	json_t *value;

	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_FUNCTION_CONFIGURATION, "function", "");
	value = answer();
	ck_assert_str_eq(json_string_value(
				 json_object_get(value, "FunctionName")),
			 "hello");
	json_decref(value);
	add("other", FUNCTION_ACTIVE);
	refuse("ResourceNotFoundException",
	       "Function not found: " ARN "function");
}
END_TEST

/* "a:1 b:1 ..." of a page; goes on behind it in the next. */
static const char *take_page(const char *key)
{
	static char names[8192];
	json_t *value = answer(), *list = json_object_get(value, key), *item;
	const char *next;
	char *end = names;
	size_t i;

	names[0] = '\0';
	ck_assert(json_is_array(list));
	ck_assert_uint_le(json_array_size(list), call.max_items);
	json_array_foreach(list, i, item)
		end += sprintf(end, "%s%s:%s", i ? " " : "",
			       text_of(item, "FunctionName"),
			       text_of(item, "Version"));
	next = json_string_value(json_object_get(value, "NextMarker"));
	strcpy(call.marker, next ? next : "");
	json_decref(value);
	return names;
}

/* Has the marker of the page before decoded as a client's request has it. */
static void go_on(const char *path)
{
	static struct http_request request;
	static struct lambda_call next;
	char query[256];

	ck_assert_str_ne(call.marker, "");
	snprintf(query, sizeof(query), "MaxItems=%u&Marker=%s%s",
		 call.max_items, call.marker,
		 call.all_versions ? "&FunctionVersion=ALL" : "");
	request.path = path;
	request.query = query;
	request.method = HTTP_GET_METHOD;
	ck_assert(lambda_parse(&request, &next, &error));
	call = next;
}

START_TEST(functions_are_listed_by_name_in_pages)
{
	add("b", FUNCTION_ACTIVE);
	add("a.b", FUNCTION_PENDING);
	add("c", FUNCTION_FAILED);
	add("a", FUNCTION_ACTIVE);
	add("a-b", FUNCTION_ACTIVE);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	ck_assert_str_eq(take_page("Functions"),
			 "a:$LATEST a-b:$LATEST a.b:$LATEST b:$LATEST "
			 "c:$LATEST");
	ck_assert_str_eq(call.marker, "");
	call.max_items = 1;
	ck_assert_str_eq(take_page("Functions"), "a:$LATEST");
	go_on("/2015-03-31/functions");
	ck_assert_str_eq(take_page("Functions"), "a-b:$LATEST");
	call.max_items = 2;
	call.marker[0] = '\0';
	ck_assert_str_eq(take_page("Functions"), "a:$LATEST a-b:$LATEST");
	go_on("/2015-03-31/functions");
	ck_assert_str_eq(take_page("Functions"), "a.b:$LATEST b:$LATEST");
	go_on("/2015-03-31/functions");
	ck_assert_str_eq(take_page("Functions"), "c:$LATEST");
	ck_assert_str_eq(call.marker, "");
}
END_TEST

START_TEST(all_versions_are_listed_if_asked_for)
{
	static const char *const items[] = { "a:$LATEST", "a:1", "b:$LATEST",
					     "b:1" };

	add("b", FUNCTION_ACTIVE);
	add("a", FUNCTION_ACTIVE);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	call.all_versions = true;
	ck_assert_str_eq(take_page("Functions"), "a:$LATEST a:1 b:$LATEST b:1");
	/* a page may end between them */
	call.max_items = 1;
	for (size_t i = 0; i < 4; i++) {
		if (i)
			go_on("/2015-03-31/functions/");
		ck_assert_str_eq(take_page("Functions"), items[i]);
	}
	ck_assert_str_eq(call.marker, "");
}
END_TEST

START_TEST(the_versions_of_a_function_are_two)
{
	json_t *value;

	add("a", FUNCTION_ACTIVE);
	add("b", FUNCTION_ACTIVE);
	ask(LAMBDA_LIST_VERSIONS, "a", "");
	value = answer();
	ck_assert_str_eq(text_of(json_array_get(json_object_get(value,
								"Versions"),
						0),
				 "FunctionArn"),
			 ARN "a:$LATEST");
	json_decref(value);
	ck_assert_str_eq(take_page("Versions"), "a:$LATEST a:1");
	call.max_items = 1;
	ck_assert_str_eq(take_page("Versions"), "a:$LATEST");
	go_on("/2015-03-31/functions/a/versions");
	ck_assert_str_eq(take_page("Versions"), "a:1");
	ck_assert_str_eq(call.marker, "");
}
END_TEST

static void add_many(unsigned count)
{
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		/* 7 has no divisor in common with 50, 51 or 120 */
		snprintf(name, sizeof(name), "f%03u", i * 7 % count);
		add(name, FUNCTION_ACTIVE);
	}
}

START_TEST(fifty_functions_are_a_page_and_one_more_are_two)
{
	add_many(50);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	ck_assert_uint_eq(strlen(take_page("Functions")), 50 * 13 - 1);
	ck_assert_str_eq(call.marker, "");
	setup();
	add_many(51);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	ck_assert_uint_eq(strlen(take_page("Functions")), 50 * 13 - 1);
	go_on("/2015-03-31/functions");
	ck_assert_str_eq(take_page("Functions"), "f050:$LATEST");
	ck_assert_str_eq(call.marker, "");
}
END_TEST

START_TEST(every_function_is_on_one_page)
{
	char expected[8192], names[8192] = "", *end = expected;

	add_many(120);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	call.max_items = 7;
	for (unsigned i = 0; i < 120; i++)
		end += sprintf(end, "f%03u:$LATEST ", i);
	for (;;) {
		strcat(strcat(names, take_page("Functions")), " ");
		if (!*call.marker)
			break;
		go_on("/2015-03-31/functions");
	}
	ck_assert_str_eq(names, expected);
}
END_TEST

START_TEST(a_page_goes_on_though_its_last_function_is_gone)
{
	add("a", FUNCTION_ACTIVE);
	add("c", FUNCTION_ACTIVE);
	ask(LAMBDA_LIST_FUNCTIONS, "", "");
	strcpy(call.marker, "b:$LATEST");
	ck_assert_str_eq(take_page("Functions"), "c:$LATEST");
	strcpy(call.marker, "zzz:1");
	ck_assert_str_eq(take_page("Functions"), "");
	view.count = 0;
	ck_assert_str_eq(take_page("Functions"), "");
}
END_TEST

START_TEST(an_error_is_the_users_or_the_services)
{
	struct buffer out = BUFFER_INIT(4096);

	error = (struct lambda_error){ 404, "X", NULL, "no \"f\"" };
	lambda_write_error(&error, &out);
	check(parse(&out), "{\"Type\":\"User\",\"message\":\"no \\\"f\\\"\","
			   "\"Message\":\"no \\\"f\\\"\"}");
	error = (struct lambda_error){ 429, "X", "TooMany", "full" };
	lambda_write_error(&error, &out);
	check(parse(&out), "{\"Type\":\"User\",\"message\":\"full\","
			   "\"Message\":\"full\",\"Reason\":\"TooMany\"}");
	error = (struct lambda_error){ 500, "X", NULL, "cut \xc3" };
	lambda_write_error(&error, &out);
	check(parse(&out), "{\"Type\":\"Service\",\"message\":\"cut ?\","
			   "\"Message\":\"cut ?\"}");
}
END_TEST

START_TEST(a_function_error_has_message_and_type)
{
	static struct thaw_reply reply = {
		.result = THAW_ERROR,
		.error_type = "BadInput",
		.error_message = "no\tname \xe2\x82\xac",
	};
	struct buffer out = BUFFER_INIT(4096);

	lambda_write_function_error(&reply, &out);
	check(parse(&out), "{\"errorMessage\":\"no\\tname \xe2\x82\xac\","
			   "\"errorType\":\"BadInput\"}");
}
END_TEST

START_TEST(a_buffer_that_is_too_small_fails)
{
	struct buffer out = BUFFER_INIT(100);

	add("hello", FUNCTION_ACTIVE);
	ask(LAMBDA_GET_FUNCTION, "hello", "");
	ck_assert(lambda_write(&call, &view, &out, &error));
	ck_assert(out.failed);
	buffer_done(&out);
}
END_TEST

#define LOOP(test, samples)                 \
	tcase_add_loop_test(tests, test, 0, \
			    sizeof(samples) / sizeof(*(samples)))

int main(void)
{
	Suite *suite = suite_create("lambda_json");
	TCase *tests = tcase_create("lambda_json");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_function_has_all_that_clients_look_at);
	tcase_add_test(tests, figures_are_rounded_up);
	tcase_add_test(tests, the_version_is_the_one_asked_for);
	tcase_add_test(tests, a_function_that_boots_is_pending);
	LOOP(a_function_that_failed_says_why, failures);
	tcase_add_test(tests, a_function_comes_with_tags_and_concurrency);
	tcase_add_test(tests, small_questions_have_small_answers);
	tcase_add_test(tests, warm_vms_are_provisioned_concurrency);
	tcase_add_test(tests, the_account_is_the_catalog);
	LOOP(what_is_not_there_is_not_found, of_a_function);
	tcase_add_test(tests, the_only_function_is_also_called_function);
	tcase_add_test(tests, functions_are_listed_by_name_in_pages);
	tcase_add_test(tests, all_versions_are_listed_if_asked_for);
	tcase_add_test(tests, the_versions_of_a_function_are_two);
	tcase_add_test(tests, fifty_functions_are_a_page_and_one_more_are_two);
	tcase_add_test(tests, every_function_is_on_one_page);
	tcase_add_test(tests, a_page_goes_on_though_its_last_function_is_gone);
	tcase_add_test(tests, an_error_is_the_users_or_the_services);
	tcase_add_test(tests, a_function_error_has_message_and_type);
	tcase_add_test(tests, a_buffer_that_is_too_small_fails);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
