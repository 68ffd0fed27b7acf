/* Tests of executor/client/http_address.c. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/client/http_address.h"

static struct http_address parse(const char *text)
{
	struct http_address address;
	struct error error;
	int r = http_address_parse(text, &error, &address);

	ck_assert_msg(!r, "%s: %s", text, r ? error.message : "");
	return address;
}

static void check_host(const char *text, const char *host, const char *port,
		       const char *prefix)
{
	struct http_address address = parse(text);

	ck_assert_msg(!address.is_unix, "%s", text);
	ck_assert_str_eq(address.host, host);
	ck_assert_str_eq(address.port, port);
	ck_assert_str_eq(address.prefix, prefix);
}

static void check_path(const char *text, const char *path)
{
	struct http_address address = parse(text);

	ck_assert_msg(address.is_unix, "%s", text);
	ck_assert_str_eq(address.path, path);
	ck_assert_str_eq(http_address_name(&address), path);
}

static void check_refused(const char *text, int expected, const char *why)
{
	struct http_address address = { .path = "untouched" };
	struct error error;
	int r = http_address_parse(text, &error, &address);

	ck_assert_msg(r == expected, "%s: %d", text, r);
	ck_assert_msg(strstr(error.message, why), "%s: %s", text,
		      error.message);
	ck_assert_str_eq(address.path, "untouched");
}

START_TEST(a_url_has_host_port_and_prefix)
{
	check_host("http://localhost:8080", "localhost", "8080", "");
	check_host("http://localhost:8080/", "localhost", "8080", "");
	check_host("HTTP://10.0.0.1:1/a/b//", "10.0.0.1", "1", "/a/b");
}
END_TEST

START_TEST(a_url_without_port_means_80)
{
	check_host("http://example.org", "example.org", "80", "");
	check_host("http://[::1]/x", "::1", "80", "/x");
}
END_TEST

START_TEST(host_and_port_are_enough)
{
	check_host("localhost:9090", "localhost", "9090", "");
	check_host("[fe80::1%eth0]:65535", "fe80::1%eth0", "65535", "");
}
END_TEST

START_TEST(the_header_has_brackets_around_ipv6)
{
	struct http_address address = parse("http://[::1]:8080");

	ck_assert_str_eq(address.authority, "[::1]:8080");
}
END_TEST

START_TEST(a_path_is_a_unix_socket)
{
	check_path("unix:/run/thaw/admin.sock", "/run/thaw/admin.sock");
	check_path("unix:admin.sock", "admin.sock");
	check_path("/run/thaw/admin.sock", "/run/thaw/admin.sock");
	check_path("./admin.sock", "./admin.sock");
}
END_TEST

START_TEST(https_is_refused_in_clear_words)
{
	check_refused("https://localhost", -EPROTONOSUPPORT,
		      "does not speak https");
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	check_refused("", -EINVAL, "no host");
	check_refused("localhost", -EINVAL, "the port is missing");
	check_refused("http:localhost", -EINVAL, "// is missing");
	check_refused("http://", -EINVAL, "no host");
	check_refused(":80", -EINVAL, "no host");
	check_refused("http://a:0", -EINVAL, "no port");
	check_refused("http://a:65536", -EINVAL, "no port");
	check_refused("http://a:8x", -EINVAL, "no port");
	check_refused("http://a:", -EINVAL, "no port");
	check_refused("http://[::1", -EINVAL, "] is missing");
	check_refused("http://[::1]8", -EINVAL, "may follow ]");
	check_refused("http://user@host", -EINVAL, "no host");
	check_refused("http://a/b?c", -EINVAL, "no path");
	check_refused("unix:", -EINVAL, "the path is missing");
}
END_TEST

START_TEST(nothing_gets_into_the_request_line_or_headers)
{
	check_refused("http://a\r\nX: y:80", -EINVAL, "no host");
	check_refused("http://a:80/b c", -EINVAL, "no path");
	check_refused("http://a:80/\r\nX: y", -EINVAL, "no path");
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
	char text[1024];

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[RUNTIME_PATH_MAX] = '\0';
	check_refused(text, -EINVAL, "too long for a socket");
	text[RUNTIME_PATH_MAX - 1] = '\0';
	check_path(text, text);
	memset(text, 'a', sizeof(text));
	memcpy(text + HTTP_HOST_MAX, ":80", 4);
	check_refused(text, -EINVAL, "no host");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_address");
	TCase *tests = tcase_create("http_address");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_url_has_host_port_and_prefix);
	tcase_add_test(tests, a_url_without_port_means_80);
	tcase_add_test(tests, host_and_port_are_enough);
	tcase_add_test(tests, the_header_has_brackets_around_ipv6);
	tcase_add_test(tests, a_path_is_a_unix_socket);
	tcase_add_test(tests, https_is_refused_in_clear_words);
	tcase_add_test(tests, what_is_no_address_is_refused);
	tcase_add_test(tests, nothing_gets_into_the_request_line_or_headers);
	tcase_add_test(tests, what_is_too_long_is_refused);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
