/* test_host.c - hosts of requests: which are well-formed, which are the same. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/host.h"

static struct host read_good(const char *text)
{
	struct host host;

	ck_assert_msg(host_read(text, strlen(text), &host), "%s", text);
	return host;
}

START_TEST(hosts_have_no_port_and_no_final_dot)
{
	static const char *const texts[][2] = {
		{ "example.com", "example.com" },
		{ "example.com:80", "example.com" },
		{ "example.com:", "example.com" },
		{ "example.com.", "example.com" },
		{ "example.com.:8080", "example.com" },
		{ "a", "a" },
		{ "a_b-c~d%20!$&'()*+,;=", "a_b-c~d%20!$&'()*+,;=" },
		{ "127.0.0.1:1", "127.0.0.1" },
		{ "[::1]", "[::1]" },
		{ "[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]" },
		{ "", "" },
		{ ":80", "" },
		{ ".", "" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct host host = read_good(texts[i][0]);

		ck_assert_uint_eq(host.size, strlen(texts[i][1]));
		ck_assert_int_eq(memcmp(host.name, texts[i][1], host.size), 0);
	}
}
END_TEST

START_TEST(what_is_no_host_is_told)
{
	static const char *const texts[] = {
		"a b",	     "user@host", "a/b",       "h:80:80", "h, i",
		"[::1",	     "[]",	  "[g::1]",    "[::1]x",  "::1",
		"a:80x",     "a?",	  "a#",	       "a\\b",	  "a\"b",
		"[::1]]",    "h\xc3\xa9", "http://a",  "a: 80",	  "[",
		"[:]",	     "[::1::]",	  "[1.2.3.4]", "[1:2]",	  "[::1%eth0]",
		"[12345::]", "a%",	  "a%2",       "%zz",	  "a%2g",
		"a%:80",
	};
	struct host host;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(!host_read(texts[i], strlen(texts[i]), &host),
			      "%s", texts[i]);
	/* only so many bytes are looked at */
	ck_assert(host_read("a b", 1, &host));
	ck_assert(!host_read("[::1]", 4, &host));
	ck_assert(!host_read("a\0b", 3, &host));
}
END_TEST

START_TEST(origins_have_a_host)
{
	static const char *const bad[] = { "null",	 "",	      "http://",
					   "file://",	 "a.com",     "http:/a",
					   "http://a b", "http://a/b" };
	struct host host;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!host_read_origin(bad[i], &host), "%s", bad[i]);
	ck_assert(host_read_origin("https://a.com:444", &host));
	ck_assert_uint_eq(host.size, 5);
	ck_assert(host_read_origin("http://[::1]:80", &host));
	ck_assert(host_is_loopback(&host));
}
END_TEST

static bool is_loopback(const char *text)
{
	struct host host = read_good(text);

	return host_is_loopback(&host);
}

START_TEST(this_machine_has_few_names)
{
	static const char *const own[] = { "localhost", "LocalHost.:1",
					   "127.0.0.1", "127.255.0.9:80",
					   "[::1]:80",	"[0:0::0:1]" };
	static const char *const others[] = {
		"localhost.evil.example",
		"evil.example",
		"localhos",
		"localhostt",
		"127.0.0.1.evil.example",
		"127.0.0",
		"127.1",
		"128.0.0.1",
		"0.0.0.0",
		"2130706433",
		"[::2]",
		"[::]",
		"",
		"127.0.0.01",
		"1234567890123456789012345678901234567890123456789012345678",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		ck_assert_msg(is_loopback(own[i]), "%s", own[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_msg(!is_loopback(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(case_does_not_matter)
{
	struct host a = read_good("Example.COM:1"),
		    b = read_good("example.com.");
	struct host c = read_good("example.co"), d = read_good("example.comm");

	ck_assert(host_equal(&a, &b));
	ck_assert(!host_equal(&a, &c));
	ck_assert(!host_equal(&a, &d));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, hosts_have_no_port_and_no_final_dot);
	tcase_add_test(tcase, what_is_no_host_is_told);
	tcase_add_test(tcase, origins_have_a_host);
	tcase_add_test(tcase, this_machine_has_few_names);
	tcase_add_test(tcase, case_does_not_matter);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
