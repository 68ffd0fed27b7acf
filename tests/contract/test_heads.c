/*
 * test_heads.c - what comes with a request's data and goes with a reply's: attributes,
 * and the methods, paths, statuses and headers of HTTP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"
#include "tests/contract/support/guests.h"

/* Invokes `attributes` with values of these lengths; -errno or 0. */
static int send_attributes(struct thaw *thaw, size_t a, size_t b,
			   const char *expected)
{
	const struct thaw_attribute attributes[] = {
		{ "a", repeat('v', a) },
		{ "b", repeat('v', b) },
	};
	const struct thaw_invoke_request request = {
		.data = "abc",
		.size = 3,
		.attributes = attributes,
		.attribute_count = 2,
	};
	struct thaw_error error;
	struct thaw_reply reply;
	int r = thaw_invoke(thaw, "edges", &request, &error, &reply);

	if (r)
		return r;
	ck_assert_str_eq(outcome(&reply), expected);
	thaw_reply_release(&reply);
	return 0;
}

START_TEST(attributes_have_a_size_and_are_forgotten)
{
	struct thaw *thaw =
		open_guest("auto", "edges", "\"entry\":\"attributes\"");

	ck_assert_int_eq(send_attributes(thaw, 0, 5, "is:0 is:5 none:0 "), 0);
	ck_assert_str_eq(call_once(thaw, "edges", "ab"), "none:0 none:0 ");
	ck_assert_int_eq(send_attributes(thaw, THAW_ATTRIBUTES_MAX - 16, 10,
					 "is:3568 is:10 none:0 "),
			 0);
	ck_assert_int_eq(send_attributes(thaw, THAW_ATTRIBUTES_MAX - 15, 10,
					 ""),
			 -EINVAL);
	ck_assert_str_eq(call_once(thaw, "edges", "ab"), "none:0 none:0 ");
	thaw_close(thaw);
}
END_TEST

/* Invokes `web` with a header of this length and another one; -errno or 0. */
static int send_headers(struct thaw *thaw, size_t size, const char *name,
			const char *value, struct thaw_reply *ret_reply)
{
	const struct thaw_attribute attributes[] = {
		{ "method", "DELETE" },
		{ "path", "/a%20b" },
		{ "query", "status=404" },
	};
	const struct thaw_attribute headers[] = {
		{ "long", repeat('v', size) },
		{ name, value },
	};
	const struct thaw_invoke_request request = {
		.data = "abc",
		.size = 3,
		.attributes = attributes,
		.attribute_count = 3,
		.headers = headers,
		.header_count = 2,
	};

	return thaw_invoke(thaw, "clients", &request, NULL, ret_reply);
}

START_TEST(a_function_answers_in_http)
{
	struct thaw *thaw =
		open_guest(backends[_i], "clients", "\"entry\":\"web\"");
	struct thaw_reply reply;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(send_headers(thaw, 3, "x-set-Location",
					      "/here \xc3\xa4\t;", &reply),
				 0);
		ck_assert_str_eq(outcome(&reply),
				 "DELETE /a%20b?status=404\n"
				 "long: vvv\n"
				 "x-set-Location: /here \xc3\xa4\t;\n"
				 "refused: 0\n\nabc");
		ck_assert_int_eq(reply.result, THAW_OK);
		ck_assert_uint_eq(reply.status, 404);
		ck_assert_uint_eq(reply.headers_size,
				  sizeof("Location\0/here \xc3\xa4\t;"));
		ck_assert_mem_eq(reply.headers, "Location\0/here \xc3\xa4\t;",
				 reply.headers_size);
		thaw_reply_release(&reply);
		/* who does not speak HTTP is told nothing, and finds nothing */
		ck_assert_str_eq(call_once(thaw, "clients", "ab"),
				 "POST /?\nrefused: 0\n\nab");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(headers_of_a_request_have_a_size_and_a_form)
{
	static const char *const bad[][2] = {
		{ "", "v" },	     { "a b", "v" },	{ "a:", "v" },
		{ "\xc3\xa4", "v" }, { "a", "v\r\nb" }, { "a", "\x7f" },
		{ "a", " v" },	     { "a", "v\t" },
	};
	const size_t most = THAW_HEADERS_MAX - sizeof("long\0\0a");
	struct thaw *thaw = open_guest("auto", "clients",
				       "\"entry\":\"web\","
				       "\"max_reply\":\"64KiB\"");
	struct thaw_reply reply;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(send_headers(thaw, 1, bad[i][0], bad[i][1],
					      &reply),
				 -EINVAL);
	ck_assert_int_eq(send_headers(thaw, most, "a", "", &reply), -EINVAL);
	ck_assert_int_eq(send_headers(thaw, most - 1, "a", "", &reply), 0);
	ck_assert_uint_gt(reply.size, most);
	thaw_reply_release(&reply);
	ck_assert_str_eq(call_once(thaw, "clients", ""),
			 "POST /?\nrefused: 0\n\n");
	thaw_close(thaw);
}
END_TEST

static int set_header(struct thaw *thaw, const char *name, const char *value)
{
	struct thaw_reply reply;
	int refused;

	ck_assert_int_eq(send_headers(thaw, 1, name, value, &reply), 0);
	ck_assert_int_eq(sscanf(strstr(outcome(&reply), "refused: "),
				"refused: %d", &refused),
			 1);
	ck_assert_uint_eq(reply.headers_size ? !refused : refused, 1);
	thaw_reply_release(&reply);
	return refused;
}

START_TEST(headers_of_a_reply_are_checked_as_they_are_set)
{
	static const char *const bad[] = {
		"x-set-",
		"x-set-Connection",
		"x-set-KEEP-ALIVE",
		"x-set-transfer-encoding",
		"x-set-Trailer",
		"x-set-te",
		"x-set-upgrade",
		"x-set-content-length",
		"x-set-date",
		"x-set-X-Call-Id",
		"x-set-proxy-connection",
		"x-set-x-function-status",
	};
	/* with the name, and two zeros */
	const size_t most = THAW_REPLY_HEADERS_MAX - sizeof("n") - 1;
	struct thaw *thaw = open_guest("auto", "clients",
				       "\"entry\":\"web\","
				       "\"max_reply\":\"64KiB\"");

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(set_header(thaw, bad[i], "v") == 1, "%s", bad[i]);
	ck_assert_int_eq(set_header(thaw, "x-set-n", ""), 0);
	ck_assert_int_eq(set_header(thaw, "x-set-n", repeat('v', most)), 0);
	ck_assert_int_eq(set_header(thaw, "x-set-n", repeat('v', most + 1)), 1);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heads");
	TCase *group = tcase_create("heads");

	tcase_set_timeout(group, 60);
	tcase_add_test(group, attributes_have_a_size_and_are_forgotten);
	tcase_add_loop_test(group, a_function_answers_in_http, 0,
			    backend_count());
	tcase_add_test(group, headers_of_a_request_have_a_size_and_a_form);
	tcase_add_test(group, headers_of_a_reply_are_checked_as_they_are_set);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
