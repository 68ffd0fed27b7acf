/* test_http_response.c - the heads of responses */
#include "executor/protocol/http_response.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct buffer out = BUFFER_INIT(1024);

static void forget(void)
{
	buffer_done(&out);
}

/* What was written, as a string. */
static const char *text(void)
{
	ck_assert(!out.failed);
	buffer_append(&out, "", 1);
	return out.data;
}

/* Skips @prefix. */
static const char *behind(const char *at, const char *prefix)
{
	ck_assert_msg(!strncmp(at, prefix, strlen(prefix)), "%s", at);
	return at + strlen(prefix);
}

/* Skips a Date header that is true within some seconds. */
static const char *behind_date(const char *at)
{
	struct tm tm;
	time_t then;

	at = strptime(at, "Date: %a, %d %b %Y %H:%M:%S GMT", &tm);
	ck_assert_ptr_nonnull(at);
	then = timegm(&tm);
	ck_assert_int_le(then, time(NULL));
	ck_assert_int_ge(then, time(NULL) - 10);
	return behind(at, "\r\n");
}

START_TEST(a_head_has_a_status_a_date_headers_and_a_length)
{
	const char *at;

	http_response_begin(&out, 200, true);
	http_response_header(&out, "Content-Type", "text/plain");
	http_response_number(&out, "Retry-After", 1);
	http_response_end(&out, 1234);
	at = behind_date(behind(text(), "HTTP/1.1 200 OK\r\n"));
	ck_assert_str_eq(at, "Content-Type: text/plain\r\n"
			     "Retry-After: 1\r\n"
			     "Content-Length: 1234\r\n\r\n");
}
END_TEST

START_TEST(the_date_is_written_as_rfc_9110_wants_it)
{
	char expected[64];
	time_t before, after;
	struct tm tm;

	do {
		before = time(NULL);
		buffer_clear(&out);
		http_response_begin(&out, 200, true);
		after = time(NULL);
	} while (before != after);
	gmtime_r(&before, &tm);
	strftime(expected, sizeof(expected),
		 "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	/* the coarse clock may be a tick behind when a second begins */
	if (strcmp(behind(text(), "HTTP/1.1 200 OK\r\n"), expected) != 0) {
		before--;
		gmtime_r(&before, &tm);
		strftime(expected, sizeof(expected),
			 "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	}
	ck_assert_str_eq(behind(out.data, "HTTP/1.1 200 OK\r\n"), expected);
}
END_TEST

START_TEST(a_connection_that_ends_is_announced)
{
	http_response_begin(&out, 503, false);
	http_response_end(&out, 0);
	ck_assert_str_eq(behind_date(behind(text(), "HTTP/1.1 503 Service "
						    "Unavailable\r\n")),
			 "Connection: close\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

START_TEST(without_a_body_there_is_no_length)
{
	http_response_begin(&out, 204, true);
	http_response_end(&out, HTTP_NO_BODY);
	ck_assert_str_eq(behind_date(
				 behind(text(), "HTTP/1.1 204 No Content\r\n")),
			 "\r\n");
}
END_TEST

START_TEST(nothing_in_a_header_makes_another)
{
	http_response_header(&out, "X-A", "d\r\nX-E: f\n\r\1\t\x7f-");
	http_response_header(&out, "X-Empty", "");
	http_response_header(&out, "X-Bytes", "\xc3\xa9");
	http_response_number(&out, "X-Number", UINT64_MAX);
	ck_assert_str_eq(text(), "X-A: d  X-E: f     -\r\n"
				 "X-Empty: \r\n"
				 "X-Bytes: \xc3\xa9\r\n"
				 "X-Number: 18446744073709551615\r\n");
}
END_TEST

START_TEST(a_head_that_does_not_fit_fails)
{
	char value[1024];

	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	http_response_header(&out, "X", value);
	http_response_end(&out, 0);
	ck_assert(out.failed);
}
END_TEST

START_TEST(all_statuses_we_send_have_a_text)
{
	static const unsigned sent[] = {
		100, 200, 201, 204, 205, 206, 301, 302, 303, 304, 307, 308, 202,
		400, 410, 412, 416, 428, 451, 401, 403, 404, 405, 408, 409, 413,
		414, 415, 417, 422, 429, 431, 500, 501, 502, 503, 504, 505,
	};

	for (size_t i = 0; i < sizeof(sent) / sizeof(*sent); i++)
		ck_assert_msg(*http_status_text(sent[i]), "%u", sent[i]);
	ck_assert_str_eq(http_status_text(404), "Not Found");
	ck_assert_str_eq(http_status_text(299), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_response");
	TCase *tests = tcase_create("http_response");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, NULL, forget);
	tcase_add_test(tests, a_head_has_a_status_a_date_headers_and_a_length);
	tcase_add_test(tests, the_date_is_written_as_rfc_9110_wants_it);
	tcase_add_test(tests, a_connection_that_ends_is_announced);
	tcase_add_test(tests, without_a_body_there_is_no_length);
	tcase_add_test(tests, nothing_in_a_header_makes_another);
	tcase_add_test(tests, a_head_that_does_not_fit_fails);
	tcase_add_test(tests, all_statuses_we_send_have_a_text);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
