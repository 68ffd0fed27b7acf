/* test_http_headers.c - headers of replies and requests, as anybody may send them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/http_headers.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_http.h"

/* The headers of a reply: a literal with a zero behind it. */
#define FAULT(headers) http_headers_reply_fault(headers, sizeof(headers))

START_TEST(good_headers_have_no_fault)
{
	ck_assert_ptr_null(http_headers_reply_fault("", 0));
	ck_assert_ptr_null(FAULT("Location\0/a?b#c"));
	ck_assert_ptr_null(
		FAULT("a\0\0Set-Cookie\0x=1; Path=/\0Set-Cookie\0y"));
	ck_assert_ptr_null(FAULT("!#$%&'*+-.^_`|~09azAZ\0a\tb \xc3\xa4 \xff;"));
}
END_TEST

START_TEST(names_are_tokens)
{
	static const char *const bad[] = { "",	  " a",	   "a ",   "a b",
					   "a:",  "a\r",   "\n",   "a\tb",
					   "(a)", "a/b",   "a@",   "[",
					   "{a}", "\"a\"", "\x7f", "\xc3\xa4" };
	char headers[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		size_t size = strlen(bad[i]) + 1;

		memcpy(headers, bad[i], size);
		memcpy(headers + size, "v", 2);
		ck_assert_str_eq(http_headers_reply_fault(headers, size + 2),
				 "a header whose name is not a token");
	}
}
END_TEST

START_TEST(values_have_neither_controls_nor_blanks_around_them)
{
	static const char what[] =
		"a header with characters that HTTP does not allow";
	char headers[] = "a\0b?c";

	for (int c = 1; c < 256; c++) {
		bool good = c == '\t' || (c >= ' ' && c != 0x7f);

		headers[3] = (char)c;
		ck_assert_msg(!FAULT(headers) == good, "byte %d", c);
	}
	ck_assert_str_eq(FAULT("a\0b\r\nc: d"), what);
	ck_assert_str_eq(FAULT("a\0 b"), what);
	ck_assert_str_eq(FAULT("a\0b\t"), what);
	ck_assert_str_eq(FAULT("a\0 "), what);
}
END_TEST

START_TEST(what_is_the_servers_is_not_the_functions)
{
	static const char *const names[] = {
		"Connection",
		"content-length",
		"KEEP-ALIVE",
		"Proxy-Connection",
		"Proxy-Authenticate",
		"te",
		"Trailer",
		"Transfer-Encoding",
		"upgrade",
		"Date",
		"Content-Type",
		"x-call-id",
		"X-Function-Status",
		"Proxy-Authorization",
	};
	char headers[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t size = strlen(names[i]) + 1;

		memcpy(headers, names[i], size);
		memcpy(headers + size, "v", 2);
		ck_assert_str_eq(http_headers_reply_fault(headers, size + 2),
				 "a header that is not the function's to set");
		/* a name that only begins like that is another one */
		memcpy(headers + size - 1, "s\0v", 4);
		ck_assert_ptr_null(http_headers_reply_fault(headers, size + 3));
	}
}
END_TEST

/* In memory of their own, so that a sanitizer sees what is read behind them. */
START_TEST(strings_end_within_the_headers)
{
	static const char good[] = "Name\0value\0other\0";

	for (size_t size = 1; size < sizeof(good); size++) {
		char *headers = malloc(size);
		const char *fault;

		ck_assert_ptr_nonnull(headers);
		memcpy(headers, good, size);
		fault = http_headers_reply_fault(headers, size);
		if (size == sizeof("Name\0value"))
			ck_assert_ptr_null(fault);
		else
			ck_assert_str_eq(fault, "a header that does not end");
		free(headers);
	}
	ck_assert_ptr_null(FAULT("Name\0value\0other\0"));
}
END_TEST

START_TEST(a_request_may_have_so_many_bytes_of_them)
{
	static char value[THAW_HEADERS_MAX];
	const struct thaw_attribute headers[] = { { "a", value },
						  { "b", "c" } };
	struct error err;

	memset(value, 'v', sizeof(value) - 1);
	value[THAW_HEADERS_MAX - 4 - 3] = '\0';
	ck_assert_int_eq(http_headers_check(headers, 2, &err), 0);
	ck_assert_int_eq(http_headers_check(headers, 0, &err), 0);
	value[THAW_HEADERS_MAX - 4 - 3] = 'v';
	value[THAW_HEADERS_MAX - 4 - 2] = '\0';
	ck_assert_int_eq(http_headers_check(headers, 2, &err), -EINVAL);
	ck_assert_str_eq(err.message,
			 "the headers of a request may take 16384 bytes");
	value[0] = '\n';
	ck_assert_int_eq(http_headers_check(headers, 1, &err), -EINVAL);
	ck_assert_str_eq(err.message,
			 "header 1 of the request is not a name and a value "
			 "as HTTP has them");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_headers");
	TCase *group = tcase_create("http_headers");
	SRunner *runner;
	int failed;

	tcase_add_test(group, good_headers_have_no_fault);
	tcase_add_test(group, names_are_tokens);
	tcase_add_test(group,
		       values_have_neither_controls_nor_blanks_around_them);
	tcase_add_test(group, what_is_the_servers_is_not_the_functions);
	tcase_add_test(group, strings_end_within_the_headers);
	tcase_add_test(group, a_request_may_have_so_many_bytes_of_them);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
