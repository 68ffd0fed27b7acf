/* test_cloudevents.c - events told from other requests, and written as JSON */
#include "executor/protocol/cloudevents_json.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request_fixture.h"

#define PATH "/function/f"

/* The attributes that an event must have. */
#define IN_HEADERS                                               \
	"ce-id", "1", "ce-source", "/s", "ce-type", "t.created", \
		"ce-specversion", "1.0"
#define IN_JSON \
	"\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"specversion\":\"1.0\""

static const char *reason;

#define MODE_OF(...)                                                           \
	cloudevents_mode(request_fixture(HTTP_POST_METHOD, PATH, __VA_ARGS__), \
			 &reason)

static enum cloudevents_mode mode_of_type(const char *type)
{
	reason = NULL;
	return MODE_OF("content-type", type, NULL);
}

START_TEST(a_request_without_an_event_passes)
{
	ck_assert_int_eq(MODE_OF(NULL), CLOUDEVENTS_NONE);
	ck_assert_int_eq(MODE_OF("ce-subject", "s", NULL), CLOUDEVENTS_NONE);
	ck_assert_int_eq(mode_of_type("application/json"), CLOUDEVENTS_NONE);
	ck_assert_int_eq(mode_of_type("application/cloud"), CLOUDEVENTS_NONE);
	ck_assert_int_eq(mode_of_type(""), CLOUDEVENTS_NONE);
}
END_TEST

START_TEST(the_content_type_tells_a_structured_event)
{
	ck_assert_int_eq(mode_of_type(CLOUDEVENTS_TYPE),
			 CLOUDEVENTS_STRUCTURED);
	ck_assert_int_eq(mode_of_type("application/cloudevents+json; "
				      "charset=utf-8"),
			 CLOUDEVENTS_STRUCTURED);
	ck_assert_int_eq(mode_of_type("Application/CloudEvents+JSON;charset=x"),
			 CLOUDEVENTS_STRUCTURED);
	ck_assert_int_eq(MODE_OF("content-type", CLOUDEVENTS_TYPE, IN_HEADERS,
				 NULL),
			 CLOUDEVENTS_STRUCTURED);
}
END_TEST

START_TEST(batches_and_other_formats_are_not_taken)
{
	static const char *const types[] = {
		"application/cloudevents-batch+json",
		"application/cloudevents-batch+json; charset=utf-8",
		"application/cloudevents+avro",
		"application/cloudevents+jsonx",
		"application/cloudevents",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		ck_assert_int_eq(mode_of_type(types[i]), CLOUDEVENTS_BATCH);
		ck_assert_ptr_nonnull(reason);
	}
}
END_TEST

START_TEST(four_headers_make_a_binary_event)
{
	ck_assert_int_eq(MODE_OF(IN_HEADERS, NULL), CLOUDEVENTS_BINARY);
	ck_assert_int_eq(MODE_OF("content-type", "application/json", IN_HEADERS,
				 NULL),
			 CLOUDEVENTS_BINARY);
}
END_TEST

static const char *const required[] = { "ce-id", "ce-source", "ce-type",
					"ce-specversion" };

START_TEST(a_binary_event_without_one_of_them_is_bad)
{
	const char *name = required[_i];
	struct http_request *request;

	request = request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS, NULL);
	ck_assert_str_eq(request->headers[_i].name, name);
	request->headers[_i].value = "";
	reason = NULL;
	ck_assert_int_eq(cloudevents_mode(request, &reason), CLOUDEVENTS_BAD);
	ck_assert_ptr_nonnull(strstr(reason, name));
	request->headers[_i].name = "x";
	reason = NULL;
	ck_assert_int_eq(cloudevents_mode(request, &reason), CLOUDEVENTS_BAD);
	ck_assert_ptr_nonnull(strstr(reason, name));
}
END_TEST

START_TEST(an_event_of_another_version_is_bad)
{
	static const char *const versions[] = { "0.3", "1.1", "1", "1.0.2" };

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		ck_assert_int_eq(MODE_OF("ce-id", "1", "ce-source", "s",
					 "ce-type", "t", "ce-specversion",
					 versions[i], NULL),
				 CLOUDEVENTS_BAD);
		ck_assert_ptr_nonnull(strstr(reason, "1.0"));
	}
}
END_TEST

/* Writes an event into JSON and compares; members may be in any order. */
static void check(struct http_request *request, const char *body, size_t size,
		  const char *expected)
{
	struct buffer out = BUFFER_INIT(1 << 20);
	json_t *value, *other = json_loads(expected, JSON_ALLOW_NUL, NULL);

	ck_assert_ptr_nonnull(other);
	request_fixture_body(request, body, size);
	reason = "";
	ck_assert_msg(!cloudevents_write(request, CLOUDEVENTS_BINARY, &out,
					 &reason),
		      "%s", reason);
	ck_assert(!out.failed);
	value = json_loadb(out.data, out.size,
			   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	ck_assert_msg(json_equal(value, other), "%.*s", (int)out.size,
		      out.data);
	json_decref(value);
	json_decref(other);
	buffer_done(&out);
}

#define EVENT                                                    \
	"\"id\":\"1\",\"source\":\"/s\",\"type\":\"t.created\"," \
	"\"specversion\":\"1.0\""

/* Data as they come out, of a content type; NULL for none. */
static const struct {
	const char *type, *body, *data;
} datas[] = {
	{ "application/json", "{\"a\":1}", "\"data\":{\"a\":1}" },
	{ "application/json; charset=utf-8", " [1] ", "\"data\":[1]" },
	{ "Application/Vnd.X+JSON", "null", "\"data\":null" },
	{ "text/json", "\"x\"", "\"data\":\"x\"" },
	{ "text/plain", "1", "\"data\":\"1\"" },
	{ "text/plain; charset=utf-8", "gr\xc3\xbc\xc3\x9f \"\\\n",
	  "\"data\":\"gr\xc3\xbc\xc3\x9f \\\"\\\\\\n\"" },
	{ "TEXT/csv", "a,b", "\"data\":\"a,b\"" },
	{ "text/plain", "\xff", "\"data_base64\":\"/w==\"" },
	{ "application/xml", "<a/>", "\"data\":\"<a/>\"" },
	{ "image/svg+xml; x=y", "<a/>", "\"data\":\"<a/>\"" },
	{ "application/octet-stream", "{}", "\"data_base64\":\"e30=\"" },
	{ "jso", "{}", "\"data_base64\":\"e30=\"" },
};

START_TEST(data_are_json_text_or_bytes)
{
	char expected[512];

	snprintf(expected, sizeof(expected),
		 "{" EVENT ",\"datacontenttype\":\"%s\",%s}", datas[_i].type,
		 datas[_i].data);
	check(request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS,
			      "content-type", datas[_i].type, NULL),
	      datas[_i].body, strlen(datas[_i].body), expected);
}
END_TEST

START_TEST(data_of_no_type_are_json_if_they_can_be)
{
	struct http_request *request;

	request = request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS, NULL);
	check(request, "{\"a\":1}", 7, "{" EVENT ",\"data\":{\"a\":1}}");
	check(request, "hello", 5, "{" EVENT ",\"data_base64\":\"aGVsbG8=\"}");
	check(request, "", 0, "{" EVENT "}");
	request = request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS,
				  "content-type", "", NULL);
	check(request, "1", 1, "{" EVENT ",\"data\":1}");
}
END_TEST

START_TEST(text_with_zeros_in_it_is_text)
{
	check(request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS,
			      "content-type", "text/plain", NULL),
	      "a\0b", 3,
	      "{" EVENT ",\"datacontenttype\":\"text/plain\","
	      "\"data\":\"a\\u0000b\"}");
}
END_TEST

START_TEST(ce_headers_are_attributes)
{
	check(request_fixture(HTTP_POST_METHOD, PATH, "host", "x", "ce-subject",
			      "a%20b%E2%82%AC%25", "x-ce-y", "z", IN_HEADERS,
			      "ce-traceparent", "00-1", "ce-ext9",
			      "\"q \\\"%22\\\\\"", "ce-empty", "", "ce-plus",
			      "a+b", NULL),
	      "", 0,
	      "{" EVENT ",\"subject\":\"a b\xe2\x82\xac%\","
	      "\"traceparent\":\"00-1\",\"ext9\":\"q \\\"\\\"\\\\\","
	      "\"empty\":\"\",\"plus\":\"a+b\"}");
}
END_TEST

static void refuse(struct http_request *request, enum cloudevents_mode mode,
		   const char *body)
{
	struct buffer out = BUFFER_INIT(4096);

	request_fixture_body(request, body, strlen(body));
	buffer_text(&out, "before");
	reason = NULL;
	ck_assert_msg(cloudevents_write(request, mode, &out, &reason) ==
			      -EINVAL,
		      "%s", body);
	ck_assert_ptr_nonnull(reason);
	ck_assert_uint_eq(out.size, strlen("before"));
	buffer_done(&out);
}

static const struct {
	const char *name, *value;
} bad_headers[] = {
	{ "ce-", "x" },
	{ "ce-a-b", "x" },
	{ "ce-a_b", "x" },
	{ "ce-data", "x" },
	{ "ce-data_base64", "eA==" },
	{ "ce-datacontenttype", "text/plain" },
	{ "ce-id", "2" },
	{ "ce-x", "%" },
	{ "ce-x", "%4" },
	{ "ce-x", "%zz" },
	{ "ce-x", "%00" },
	{ "ce-x", "%0A" },
	{ "ce-x", "%FF" },
	{ "ce-x", "\xff" },
	{ "ce-x", "\"a" },
	{ "ce-x", "\"a\"b" },
	{ "ce-x", "\"a\\\"" },
	{ "ce-x", "\"" },
	{ "content-type", "text/\xff" },
};

START_TEST(ce_headers_that_are_no_attributes_are_refused)
{
	refuse(request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS,
			       bad_headers[_i].name, bad_headers[_i].value,
			       NULL),
	       CLOUDEVENTS_BINARY, "x");
}
END_TEST

START_TEST(a_required_attribute_that_is_quoted_nothing_is_refused)
{
	refuse(request_fixture(HTTP_POST_METHOD, PATH, "ce-id", "\"\"", NULL),
	       CLOUDEVENTS_BINARY, "");
}
END_TEST

START_TEST(json_data_that_are_not_json_are_refused)
{
	refuse(request_fixture(HTTP_POST_METHOD, PATH, IN_HEADERS,
			       "content-type", "application/json", NULL),
	       CLOUDEVENTS_BINARY, "{");
	ck_assert_ptr_nonnull(strstr(reason, "not JSON"));
}
END_TEST

static const char *const structured[] = {
	"{" IN_JSON "}",
	" {\n" IN_JSON ",\"data\" : {\"id\":1,\"data\":[{}]} } ",
	"{\"data\":null," IN_JSON ",\"datacontenttype\":\"text/plain\"}",
	"{" IN_JSON ",\"data_base64\":\"eA==\"}",
	"{" IN_JSON ",\"data_base64\":\"\\/w==\"}",
	"{" IN_JSON ",\"data_base64\":\"\"}",
	"{" IN_JSON ",\"data_base64\":\"\\u0065\\u0041\\u003d\\u003D\"}",
	"{" IN_JSON ",\"data_base64\":\"AAAAAAAAAAAA\"}",
	"{" IN_JSON ",\"ext1\":true,\"ext2\":12,\"subject\":null}",
	"{" IN_JSON ",\"ext\":\"\\ud800 and 1e999\",\"data\":1e999}",
};

START_TEST(a_structured_event_stays_as_it_is)
{
	struct http_request *request =
		request_fixture(HTTP_POST_METHOD, PATH, NULL);
	struct buffer out = BUFFER_INIT(4096);
	size_t size = strlen(structured[_i]);

	request_fixture_body(request, structured[_i], size);
	reason = "";
	ck_assert_msg(!cloudevents_write(request, CLOUDEVENTS_STRUCTURED, &out,
					 &reason),
		      "%s", reason);
	ck_assert_uint_eq(out.size, size);
	ck_assert_mem_eq(out.data, structured[_i], size);
	buffer_done(&out);
}
END_TEST

/* More base64 than is decoded at a time, with @end in the place of its last four. */
static char *long_event(size_t digits, const char *end)
{
	static char event[8192];
	char *at = stpcpy(event, "{" IN_JSON ",\"data_base64\":\"");

	memset(at, 'A', digits);
	memcpy(at + digits - 4, end, 4);
	strcpy(at + digits, "\"}");
	return event;
}

START_TEST(long_data_are_checked_to_their_end)
{
	struct http_request *request =
		request_fixture(HTTP_POST_METHOD, PATH, NULL);
	struct buffer out = BUFFER_INIT(16384);

	for (size_t digits = 1020; digits <= 4100; digits++) {
		const char *end = digits % 8 ? "AA==" : "AAAA";
		const char *event = long_event(digits, end);
		int r;

		request_fixture_body(request, event, strlen(event));
		r = cloudevents_write(request, CLOUDEVENTS_STRUCTURED, &out,
				      &reason);
		ck_assert_int_eq(r, digits % 4 ? -EINVAL : 0);
	}
	/* padding anywhere before the end */
	for (size_t at = 1000; at < 2048; at += 4) {
		char *event = long_event(2052, "AAAA");

		memcpy(strstr(event, "AAAA") + at, "AA==", 4);
		refuse(request, CLOUDEVENTS_STRUCTURED, event);
	}
	buffer_done(&out);
}
END_TEST

static const char *const no_events[] = {
	"",
	"{",
	"{}",
	"[]",
	"[{" IN_JSON "}]",
	"\"id\"",
	"{" IN_JSON "}x",
	"{\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"}",
	"{\"id\":\"1\",\"type\":\"t\",\"specversion\":\"1.0\"}",
	"{\"id\":\"1\",\"source\":\"s\",\"specversion\":\"1.0\"}",
	"{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}",
	"{\"id\":\"\",\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"}",
	"{\"id\":1,\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"}",
	"{\"id\":null,\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"}",
	"{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"specversion\":1.0}",
	"{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"specversion\":\"0.3\"}",
	"{" IN_JSON ",\"id\":\"2\"}",
	"{" IN_JSON ",\"data\":1,\"data\":2}",
	"{" IN_JSON ",\"data\":1,\"data_base64\":\"eA==\"}",
	"{" IN_JSON ",\"data_base64\":1}",
	"{" IN_JSON ",\"data_base64\":\"?\"}",
	"{" IN_JSON ",\"data_base64\":\"eA\"}",
	"{" IN_JSON ",\"data_base64\":\"eA=\"}",
	"{" IN_JSON ",\"data_base64\":\"eB==\"}",
	"{" IN_JSON ",\"data_base64\":\"eA==eA==\"}",
	"{" IN_JSON ",\"data_base64\":\"=\"}",
	"{" IN_JSON ",\"data_base64\":\"====\"}",
	"{" IN_JSON ",\"data_base64\":\"e A==\"}",
	"{" IN_JSON ",\"data_base64\":\"eA==\\n\"}",
	"{" IN_JSON ",\"data_base64\":\"_w==\"}",
	"{" IN_JSON ",\"data_base64\":\"\\\\w==\"}",
	"{" IN_JSON ",\"data_base64\":\"\\u0100w==\"}",
	"{" IN_JSON ",\"data_base64\":\"\\u0000w==\"}",
	"{" IN_JSON ",\"data_base64\":\"\xc3\xa9w==\"}",
	"{" IN_JSON ",\"ext\":{}}",
	"{" IN_JSON ",\"ext\":[1]}",
	"{" IN_JSON ",\"Ext\":1}",
	"{" IN_JSON ",\"\\u0069d\":\"2\"}",
	"{" IN_JSON ",\"\":1}",
	"{" IN_JSON ",\"ext\":\"\xff\"}",
};

START_TEST(a_structured_event_that_is_none_is_refused)
{
	refuse(request_fixture(HTTP_POST_METHOD, PATH, NULL),
	       CLOUDEVENTS_STRUCTURED, no_events[_i]);
}
END_TEST

#define LOOP(test, samples)                 \
	tcase_add_loop_test(tests, test, 0, \
			    sizeof(samples) / sizeof(*(samples)))

int main(void)
{
	Suite *suite = suite_create("cloudevents");
	TCase *tests = tcase_create("cloudevents");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_request_without_an_event_passes);
	tcase_add_test(tests, the_content_type_tells_a_structured_event);
	tcase_add_test(tests, batches_and_other_formats_are_not_taken);
	tcase_add_test(tests, four_headers_make_a_binary_event);
	LOOP(a_binary_event_without_one_of_them_is_bad, required);
	tcase_add_test(tests, an_event_of_another_version_is_bad);
	LOOP(data_are_json_text_or_bytes, datas);
	tcase_add_test(tests, data_of_no_type_are_json_if_they_can_be);
	tcase_add_test(tests, text_with_zeros_in_it_is_text);
	tcase_add_test(tests, ce_headers_are_attributes);
	LOOP(ce_headers_that_are_no_attributes_are_refused, bad_headers);
	tcase_add_test(tests,
		       a_required_attribute_that_is_quoted_nothing_is_refused);
	tcase_add_test(tests, json_data_that_are_not_json_are_refused);
	LOOP(a_structured_event_stays_as_it_is, structured);
	tcase_add_test(tests, long_data_are_checked_to_their_end);
	LOOP(a_structured_event_that_is_none_is_refused, no_events);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
