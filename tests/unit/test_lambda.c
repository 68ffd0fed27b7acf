/* test_lambda.c - Lambda's API: paths, names, headers. */
#include "executor/protocol/lambda.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "executor/protocol/lambda_error.h"
#include "executor/protocol/lambda_name.h"
#include "request_fixture.h"

#define INVOKE "/2015-03-31/functions/f/invocations"
#define ARN "arn:aws:lambda:eu-west-1:123456789012:function:"

static struct lambda_call call;
static struct lambda_error error;

static void parse(enum http_method method, const char *path)
{
	ck_assert_msg(lambda_parse(request_fixture(method, path, NULL), &call,
				   &error),
		      "%s: %s", path, error.message);
}

static void refuse(const struct http_request *request, unsigned status,
		   const char *type)
{
	memset(&error, 0xff, sizeof(error));
	ck_assert_msg(!lambda_parse(request, &call, &error), "%s",
		      request->path);
	ck_assert_str_eq(error.type, type);
	ck_assert_uint_eq(error.status, status);
	ck_assert_ptr_null(error.reason);
	ck_assert_uint_gt(strlen(error.message), 0);
}

static void refuse_path(enum http_method method, const char *path,
			unsigned status, const char *type)
{
	refuse(request_fixture(method, path, NULL), status, type);
}

static void refuse_value(const char *path)
{
	refuse_path(HTTP_GET_METHOD, path, 400,
		    "InvalidParameterValueException");
}

static const struct {
	enum http_method method;
	const char *path;
	enum lambda_operation operation;
} paths[] = {
	{ HTTP_POST_METHOD, INVOKE, LAMBDA_INVOKE },
	{ HTTP_POST_METHOD, INVOKE "/", LAMBDA_INVOKE },
	{ HTTP_GET_METHOD, "/2015-03-31/functions", LAMBDA_LIST_FUNCTIONS },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/", LAMBDA_LIST_FUNCTIONS },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f", LAMBDA_GET_FUNCTION },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f/configuration",
	  LAMBDA_GET_FUNCTION_CONFIGURATION },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f/versions",
	  LAMBDA_LIST_VERSIONS },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f/aliases",
	  LAMBDA_LIST_ALIASES },
	{ HTTP_GET_METHOD, "/2019-09-30/functions/f/concurrency",
	  LAMBDA_GET_CONCURRENCY },
	{ HTTP_GET_METHOD,
	  "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1",
	  LAMBDA_GET_PROVISIONED_CONCURRENCY },
	{ HTTP_GET_METHOD, "/2016-08-19/account-settings/",
	  LAMBDA_GET_ACCOUNT_SETTINGS },
	{ HTTP_GET_METHOD, "/2016-08-19/account-settings",
	  LAMBDA_GET_ACCOUNT_SETTINGS },
	{ HTTP_GET_METHOD,
	  "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A"
	  "000000000000%3Afunction%3Af",
	  LAMBDA_LIST_TAGS },
	{ HTTP_GET_METHOD, "/2017-03-31/tags/" ARN "f", LAMBDA_LIST_TAGS },
};

START_TEST(each_operation_has_its_path)
{
	parse(paths[_i].method, paths[_i].path);
	ck_assert_int_eq(call.operation, paths[_i].operation);
}
END_TEST

START_TEST(other_paths_are_none_of_lambdas)
{
	static const char *const others[] = {
		"/",
		"",
		"*",
		"//",
		"/function/f",
		"/2015-03-3/functions",
		"/2015-03-311/functions",
		"/2015/03/31/functions",
		"/1015-03-31/functions",
		"/20a5-03-31/functions",
		"/x/2015-03-31/functions",
		"//2015-03-31/functions",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		parse(HTTP_POST_METHOD, others[i]);
		ck_assert_int_eq(call.operation, LAMBDA_NONE);
	}
}
END_TEST

static const struct {
	enum http_method method;
	const char *path;
} unsupported[] = {
	{ HTTP_POST_METHOD, "/2015-03-31/functions" },
	{ HTTP_POST_METHOD, "/2015-03-31/functions/" },
	{ HTTP_DELETE_METHOD, "/2015-03-31/functions/f" },
	{ HTTP_PUT_METHOD, "/2015-03-31/functions/f/code" },
	{ HTTP_PUT_METHOD, "/2015-03-31/functions/f/configuration" },
	{ HTTP_POST_METHOD, "/2015-03-31/functions/f/versions" },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f/aliases/a" },
	{ HTTP_GET_METHOD, "/2015-03-31/functions/f/policy" },
	{ HTTP_POST_METHOD, "/2015-03-31/functions/f/invocations/more" },
	{ HTTP_GET_METHOD, "/2015-03-31/event-source-mappings/" },
	{ HTTP_GET_METHOD, "/2015-03-31" },
	{ HTTP_GET_METHOD, "/2015-03-31/" },
	{ HTTP_POST_METHOD, "/2014-11-13/functions/f/invoke-async/" },
	{ HTTP_PUT_METHOD, "/2017-10-31/functions/f/concurrency" },
	{ HTTP_POST_METHOD, "/2017-03-31/tags/" ARN "f" },
	{ HTTP_GET_METHOD, "/2018-10-31/layers" },
	{ HTTP_GET_METHOD, "/2019-09-25/functions/f/event-invoke-config" },
	{ HTTP_PUT_METHOD, "/2019-09-30/functions/f/provisioned-concurrency" },
	{ HTTP_GET_METHOD,
	  "/2019-09-30/functions/f/provisioned-concurrency?List=ALL" },
	{ HTTP_GET_METHOD, "/2020-06-30/functions/f/code-signing-config" },
	{ HTTP_GET_METHOD, "/2021-10-31/functions/f/url" },
	{ HTTP_POST_METHOD,
	  "/2021-11-15/functions/f/response-streaming-invocations" },
	{ HTTP_OTHER_METHOD, "/2015-03-31/functions/f" },
	{ HTTP_HEAD_METHOD, "/2015-03-31/functions/f" },
};

START_TEST(what_thaw_has_not_is_refused_with_501)
{
	refuse_path(unsupported[_i].method, unsupported[_i].path, 501,
		    "NotImplementedException");
	ck_assert_int_eq(call.operation, LAMBDA_UNSUPPORTED);
}
END_TEST

START_TEST(a_function_is_invoked_with_post_alone)
{
	static const enum http_method others[] = {
		HTTP_GET_METHOD,    HTTP_HEAD_METHOD,	 HTTP_PUT_METHOD,
		HTTP_DELETE_METHOD, HTTP_OPTIONS_METHOD, HTTP_PATCH_METHOD,
		HTTP_OTHER_METHOD,
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		refuse_path(others[i], INVOKE, 405,
			    "MethodNotAllowedException");
	ck_assert_ptr_nonnull(strstr(error.message, "POST"));
}
END_TEST

#define NAME_64                                                        \
	"a23456789012345678901234567890123456789012345678901234567890" \
	"1234"
#define QUALIFIER_128 NAME_64 NAME_64

static const struct {
	const char *text, *function, *qualifier;
} names[] = {
	{ "hello", "hello", "" },
	{ "h%65llo", "hello", "" },
	{ "A-z_0.9", "A-z_0.9", "" },
	{ NAME_64, NAME_64, "" },
	{ "hello:1", "hello", "1" },
	{ "hello%3A$LATEST", "hello", "$LATEST" },
	{ "hello:" QUALIFIER_128, "hello", QUALIFIER_128 },
	{ "function", "function", "" },
	{ "function:1", "function", "1" },
	{ "function:$LATEST", "function", "$LATEST" },
	{ "function:hello", "hello", "" },
	{ "function:hello:1", "hello", "1" },
	{ "function:1:1", "1", "1" },
	{ "function:function", "function", "" },
	{ "function%3Ahello", "hello", "" },
	{ "function:" NAME_64 ":" QUALIFIER_128, NAME_64, QUALIFIER_128 },
	{ "arn:aws", "arn", "aws" },
	{ "123456789012:function", "123456789012", "function" },
	{ "123456789012:function:hello", "hello", "" },
	{ "123456789012%3afunction%3ahello%3aprod", "hello", "prod" },
	{ "eu-west-1:123456789012:function:hello", "hello", "" },
	{ "us-gov-west-1:123456789012:function:hello:prod", "hello", "prod" },
	{ ARN "hello", "hello", "" },
	{ ARN "hello:$LATEST", "hello", "$LATEST" },
	{ ARN NAME_64 ":" QUALIFIER_128, NAME_64, QUALIFIER_128 },
	{ "arn:aws-cn:lambda:cn-north-1:000000000000:function:f:1", "f", "1" },
	{ "arn:aws-us-gov:lambda:us-gov-west-1:000000000000:function:f", "f",
	  "" },
	{ "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af%3A1",
	  "f", "1" },
};

START_TEST(names_have_many_forms)
{
	char path[1024];

	snprintf(path, sizeof(path), "/2015-03-31/functions/%s/invocations",
		 names[_i].text);
	parse(HTTP_POST_METHOD, path);
	ck_assert_str_eq(call.function, names[_i].function);
	ck_assert_str_eq(call.qualifier, names[_i].qualifier);
}
END_TEST

static const char *const no_names[] = {
	"",
	"a%20b",
	"a+b",
	"a%2Fb",
	"a%zz",
	"a%00",
	"a%0a",
	"%ff",
	"$LATEST",
	"a:",
	":1",
	"a:b:c",
	"function:",
	"function:a:",
	"function:a:1:2",
	"function:" NAME_64 "5",
	"Function:a:1",
	"eu-west-1:function:a",
	"eu-west-1:12345678901:function:a",
	"eu-west-1:123456789012:layer:a",
	":123456789012:function:a",
	"eu_west_1:123456789012:function:a",
	"eu-west-1:123456789012:function:",
	"eu-west-1:123456789012:function:a:1:2",
	"a:b.c",
	NAME_64 "5",
	"a:" QUALIFIER_128 "9",
	"12345678901:function:a",
	"1234567890123:function:a",
	"12345678901x:function:a",
	"123456789012:Function:a",
	"123456789012:function:",
	"123456789012:function:a:1:2",
	ARN,
	ARN "a:",
	ARN "a:1:2",
	ARN NAME_64 "5",
	"arn:azure:lambda:us-east-1:000000000000:function:a",
	"arn:aws1:lambda:us-east-1:000000000000:function:a",
	"arn:aws-1:lambda:us-east-1:000000000000:function:a",
	"arn::lambda:us-east-1:000000000000:function:a",
	"arn:aws:s3:us-east-1:000000000000:function:a",
	"arn:aws:lambda::000000000000:function:a",
	"arn:aws:lambda:us-east-1::function:a",
	"arn:aws:lambda:us-east-1:00000000000:function:a",
	"arn:aws:lambda:us-east-1:000000000000:layer:a",
	"ARN:aws:lambda:us-east-1:000000000000:function:a",
	"a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a",
	"arn:aws:lambda:" QUALIFIER_128 QUALIFIER_128
	":000000000000:function:" NAME_64,
};

START_TEST(what_is_no_name_is_refused)
{
	char path[1024];

	snprintf(path, sizeof(path), "/2015-03-31/functions/%s/configuration",
		 no_names[_i]);
	refuse_value(path);
}
END_TEST

START_TEST(tags_are_those_of_an_arn)
{
	parse(HTTP_GET_METHOD, "/2017-03-31/tags/" ARN "hello");
	ck_assert_str_eq(call.function, "hello");
	refuse_value("/2017-03-31/tags/hello");
	refuse_value("/2017-03-31/tags/" ARN "hello:1");
	ck_assert_ptr_nonnull(strstr(error.message, "ARN"));
}
END_TEST

START_TEST(a_qualifier_may_be_in_the_query)
{
	parse(HTTP_POST_METHOD, INVOKE "?Qualifier=1");
	ck_assert_str_eq(call.qualifier, "1");
	parse(HTTP_POST_METHOD, INVOKE "?a=b&Qualifier=%24LATEST&c");
	ck_assert_str_eq(call.qualifier, "$LATEST");
	parse(HTTP_GET_METHOD, "/2015-03-31/functions/f:1?Qualifier=1");
	ck_assert_str_eq(call.qualifier, "1");
	parse(HTTP_GET_METHOD,
	      "/2015-03-31/functions/f?Qualifier=" QUALIFIER_128);
	ck_assert_str_eq(call.qualifier, QUALIFIER_128);
	parse(HTTP_GET_METHOD, "/2015-03-31/functions/f?Qualifiers=1");
	ck_assert_str_eq(call.qualifier, "");
}
END_TEST

START_TEST(a_qualifier_that_is_none_or_another_is_refused)
{
	refuse_value("/2015-03-31/functions/f:1?Qualifier=$LATEST");
	ck_assert_ptr_nonnull(strstr(error.message, "does not match"));
	refuse_value("/2015-03-31/functions/f?Qualifier=");
	refuse_value("/2015-03-31/functions/f?Qualifier");
	refuse_value("/2015-03-31/functions/f?a=b&Qualifier&c=d");
	refuse_value("/2015-03-31/functions/f?Qualifier=a%20b");
	refuse_value("/2015-03-31/functions/f?Qualifier=%zz");
	refuse_value("/2015-03-31/functions/f?Qualifier=" QUALIFIER_128 "9");
}
END_TEST

START_TEST(every_function_has_a_latest_and_a_first_version)
{
	ck_assert(lambda_knows_qualifier(""));
	ck_assert(lambda_knows_qualifier("$LATEST"));
	ck_assert(lambda_knows_qualifier("1"));
	ck_assert(!lambda_knows_qualifier("2"));
	ck_assert(!lambda_knows_qualifier("11"));
	ck_assert(!lambda_knows_qualifier("$latest"));
	ck_assert(!lambda_knows_qualifier("prod"));
}
END_TEST

static bool invoke(const char *name, const char *value)
{
	return lambda_parse(request_fixture(HTTP_POST_METHOD, INVOKE, name,
					    value, NULL),
			    &call, &error);
}

static void refuse_header(const char *name, const char *value, const char *type)
{
	refuse(request_fixture(HTTP_POST_METHOD, INVOKE, name, value, NULL),
	       400, type);
}

START_TEST(an_invocation_has_a_type)
{
	parse(HTTP_POST_METHOD, INVOKE);
	ck_assert_int_eq(call.invocation, LAMBDA_REQUEST_RESPONSE);
	ck_assert(invoke("x-amz-invocation-type", "RequestResponse"));
	ck_assert_int_eq(call.invocation, LAMBDA_REQUEST_RESPONSE);
	ck_assert(invoke("x-amz-invocation-type", "Event"));
	ck_assert_int_eq(call.invocation, LAMBDA_EVENT);
	ck_assert(invoke("x-amz-invocation-type", "DryRun"));
	ck_assert_int_eq(call.invocation, LAMBDA_DRY_RUN);
	refuse_header("x-amz-invocation-type", "event",
		      "InvalidParameterValueException");
	refuse_header("x-amz-invocation-type", "",
		      "InvalidParameterValueException");
	parse(HTTP_POST_METHOD, INVOKE);
	ck_assert_int_eq(call.invocation, LAMBDA_REQUEST_RESPONSE);
}
END_TEST

START_TEST(a_log_is_for_who_waits)
{
	parse(HTTP_POST_METHOD, INVOKE);
	ck_assert(!call.wants_log);
	ck_assert(invoke("x-amz-log-type", "None"));
	ck_assert(!call.wants_log);
	ck_assert(invoke("x-amz-log-type", "Tail"));
	ck_assert(call.wants_log);
	refuse_header("x-amz-log-type", "tail",
		      "InvalidParameterValueException");
	ck_assert(lambda_parse(request_fixture(HTTP_POST_METHOD, INVOKE,
					       "x-amz-log-type", "Tail",
					       "x-amz-invocation-type", "Event",
					       NULL),
			       &call, &error));
	ck_assert(!call.wants_log);
}
END_TEST

START_TEST(a_client_context_is_decoded)
{
	parse(HTTP_POST_METHOD, INVOKE);
	ck_assert_uint_eq(call.client_context_size, 0);
	/* with padding and without */
	ck_assert(invoke("x-amz-client-context", "eyJhIjoxMX0="));
	ck_assert_str_eq(call.client_context, "{\"a\":11}");
	ck_assert_uint_eq(call.client_context_size, 8);
	ck_assert(invoke("x-amz-client-context", "eyJhIjoxMX0"));
	ck_assert_str_eq(call.client_context, "{\"a\":11}");
	ck_assert(invoke("x-amz-client-context", ""));
	ck_assert_str_eq(call.client_context, "");
	ck_assert_uint_eq(call.client_context_size, 0);
}
END_TEST

/* {"a":"xxx..."} of @size bytes, in base64 without padding. */
static char *long_context(size_t size)
{
	static char text[8192];
	struct buffer out = BUFFER_INIT(sizeof(text));
	char json[4096];

	memset(json, 'x', size);
	memcpy(json, "{\"a\":\"", 6);
	memcpy(json + size - 2, "\"}", 2);
	base64_encode(json, size, &out);
	while (out.data[out.size - 1] == '=')
		out.size--;
	memcpy(text, out.data, out.size);
	text[out.size] = '\0';
	buffer_done(&out);
	return text;
}

START_TEST(a_client_context_is_of_3583_bytes_at_most)
{
	char *text = long_context(2687);

	ck_assert_uint_eq(strlen(text), 3583);
	ck_assert(invoke("x-amz-client-context", text));
	ck_assert_uint_eq(call.client_context_size, 2687);
	ck_assert_uint_eq(strlen(call.client_context), 2687);
	text = long_context(2688);
	ck_assert_uint_eq(strlen(text), 3584);
	refuse_header("x-amz-client-context", text,
		      "InvalidRequestContentException");
}
END_TEST

START_TEST(a_client_context_that_is_no_object_in_base64_is_refused)
{
	static const char *const wrong[] = {
		"{}",	    /* not base64 */
		"e30*",	    /* {} and a stray character */
		"e",	    /* no number of bytes */
		"=",	    /* padding of nothing */
		"eyJhIjo=", /* {"a": */
		"eyL/fQ==", /* not UTF-8 */
		"W10=",	    /* [] */
		"MQ==",	    /* 1 */
		"e30A",	    /* {} and a zero */
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		refuse_header("x-amz-client-context", wrong[i],
			      "InvalidRequestContentException");
		ck_assert_str_eq(call.client_context, "");
	}
}
END_TEST

START_TEST(headers_of_an_invocation_are_not_looked_at_elsewhere)
{
	ck_assert(lambda_parse(request_fixture(HTTP_GET_METHOD,
					       "/2015-03-31/functions/f",
					       "x-amz-invocation-type", "x",
					       NULL),
			       &call, &error));
	ck_assert_int_eq(call.operation, LAMBDA_GET_FUNCTION);
}
END_TEST

#define LIST "/2015-03-31/functions/"

START_TEST(a_page_has_50_items_at_most)
{
	parse(HTTP_GET_METHOD, LIST);
	ck_assert_uint_eq(call.max_items, 50);
	parse(HTTP_GET_METHOD, LIST "?MaxItems=1");
	ck_assert_uint_eq(call.max_items, 1);
	parse(HTTP_GET_METHOD, LIST "?MaxItems=50");
	ck_assert_uint_eq(call.max_items, 50);
	parse(HTTP_GET_METHOD, LIST "?MaxItems=51");
	ck_assert_uint_eq(call.max_items, 50);
	parse(HTTP_GET_METHOD, LIST "?MaxItems=10000");
	ck_assert_uint_eq(call.max_items, 50);
	parse(HTTP_GET_METHOD, LIST "f/versions?MaxItems=2");
	ck_assert_uint_eq(call.max_items, 2);
}
END_TEST

START_TEST(parameters_of_lists_that_are_no_good_are_refused)
{
	refuse_value(LIST "?MaxItems=0");
	refuse_value(LIST "?MaxItems=10001");
	refuse_value(LIST "?MaxItems=99999");
	refuse_value(LIST "?MaxItems=4294967297");
	refuse_value(LIST "?MaxItems=-1");
	refuse_value(LIST "?MaxItems=1x");
	refuse_value(LIST "?MaxItems=");
	refuse_value(LIST "?FunctionVersion=all");
	refuse_value(LIST "?FunctionVersion=ALLES");
	refuse_value(LIST "?FunctionVersion=");
	refuse_value(LIST "?Marker=");
	refuse_value(LIST "?Marker=*");
	refuse_value(LIST "?Marker=AAAA");
	refuse_value(LIST "?Marker=" QUALIFIER_128);
	refuse_value(LIST "?Marker=" QUALIFIER_128 QUALIFIER_128);
	ck_assert_str_eq(call.marker, "");
}
END_TEST

START_TEST(lists_go_on_and_may_have_all_versions)
{
	parse(HTTP_GET_METHOD, LIST);
	ck_assert(!call.all_versions);
	ck_assert_str_eq(call.marker, "");
	parse(HTTP_GET_METHOD,
	      LIST "?FunctionVersion=ALL&Marker=Zjok%54EFURVNU");
	ck_assert(call.all_versions);
	ck_assert_str_eq(call.marker, "f:$LATEST");
}
END_TEST

#define LOOP(test, samples)                 \
	tcase_add_loop_test(tests, test, 0, \
			    sizeof(samples) / sizeof(*(samples)))

int main(void)
{
	Suite *suite = suite_create("lambda");
	TCase *tests = tcase_create("lambda");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	LOOP(each_operation_has_its_path, paths);
	tcase_add_test(tests, other_paths_are_none_of_lambdas);
	LOOP(what_thaw_has_not_is_refused_with_501, unsupported);
	tcase_add_test(tests, a_function_is_invoked_with_post_alone);
	LOOP(names_have_many_forms, names);
	LOOP(what_is_no_name_is_refused, no_names);
	tcase_add_test(tests, tags_are_those_of_an_arn);
	tcase_add_test(tests, a_qualifier_may_be_in_the_query);
	tcase_add_test(tests, a_qualifier_that_is_none_or_another_is_refused);
	tcase_add_test(tests, every_function_has_a_latest_and_a_first_version);
	tcase_add_test(tests, an_invocation_has_a_type);
	tcase_add_test(tests, a_log_is_for_who_waits);
	tcase_add_test(tests, a_client_context_is_decoded);
	tcase_add_test(tests, a_client_context_is_of_3583_bytes_at_most);
	tcase_add_test(tests,
		       a_client_context_that_is_no_object_in_base64_is_refused);
	tcase_add_test(tests,
		       headers_of_an_invocation_are_not_looked_at_elsewhere);
	tcase_add_test(tests, a_page_has_50_items_at_most);
	tcase_add_test(tests, parameters_of_lists_that_are_no_good_are_refused);
	tcase_add_test(tests, lists_go_on_and_may_have_all_versions);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
