/*
 * test_registered.c - typed functions that init registers are called as those of the
 * image are, and tables of them that make no sense are refused.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/support/guests.h"

#define INIT(name) "\"environment\":{\"INIT\":\"" name "\"}"

static struct thaw *thaw;
static struct thaw_error error;

static const char *answer(const char *text)
{
	return call_once(thaw, "registered", text);
}

static int refusal(const char *text)
{
	const struct thaw_invoke_request request = {
		.data = text,
		.size = strlen(text),
	};
	struct thaw_reply reply;

	return thaw_invoke(thaw, "registered", &request, &error, &reply);
}

START_TEST(registered_functions_are_called_beside_the_image_s)
{
	thaw = open_guest(backends[_i], "registered", INIT(""));
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(answer("{\"function\":\"add\",\"args\":[20,22]"
					"}"),
				 "{\"result\":42}");
		ck_assert_str_eq(answer("{\"function\":\"twice\",\"args\":[21]"
					"}"),
				 "{\"result\":42}");
		ck_assert_str_eq(answer("{\"function\":\"too_late\"}"),
				 "{\"result\":-1}");
	}
	ck_assert_int_eq(refusal("{\"function\":\"twice\",\"args\":[true]}"),
			 -EINVAL);
	ck_assert_str_eq(error.message,
			 "function registered: twice: argument 1: expected int "
			 "(-2147483648 to 2147483647), given true");
	ck_assert_int_eq(refusal("{\"function\":\"twice\"}"), -EINVAL);
	ck_assert_str_eq(error.message,
			 "function registered: twice: expected 1 argument, "
			 "given 0: int twice(int)");
	ck_assert_int_eq(refusal("{\"function\":\"twise\"}"), -ENOSYS);
	ck_assert_str_eq(error.message,
			 "function registered: no such function: \"twise\": did "
			 "you mean twice?");
	thaw_close(thaw);
}
END_TEST

START_TEST(as_many_as_are_allowed_tell_their_numbers_apart)
{
	thaw = open_guest(backends[_i], "registered", INIT("most"));
	ck_assert_str_eq(answer("{\"function\":\"1+0\"}"), "{\"result\":1}");
	ck_assert_str_eq(answer("{\"function\":\"253+0\"}"),
			 "{\"result\":253}");
	ck_assert_str_eq(answer("{\"function\":\"twice\",\"args\":[4]}"),
			 "{\"result\":8}");
	thaw_close(thaw);
}
END_TEST

START_TEST(the_entry_may_be_a_registered_function)
{
	thaw = open_guest(backends[_i], "registered",
			  INIT("") ",\"entry\":\"twice\"");
	ck_assert_str_eq(answer("[21]"), "{\"result\":42}");
	ck_assert_int_eq(refusal("{\"function\":\"add\",\"args\":[1,2]}"),
			 -EINVAL);
	thaw_close(thaw);
}
END_TEST

START_TEST(the_longest_name_is_a_name)
{
	char text[128];

	thaw = open_guest("auto", "registered", INIT("longest_name"));
	snprintf(text, sizeof(text), "{\"function\":\"%s\",\"args\":[3]}",
		 repeat('n', 55));
	ck_assert_str_eq(answer(text), "{\"result\":6}");
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *init;
	int result;
	const char *message; /* a pattern, after "function registered: " */
} refused[] = {
	{ INIT("one_too_many"), -ECANCELED,
	  "init failed: *as_told returned *" },
	{ INIT("count"), -EPROTO,
	  "it has registered 257 functions; 256 are *" },
	{ INIT("count_of_ones"), -EPROTO,
	  "it has registered 4294967295 functions; 256 are *" },
	{ INIT("count_with_the_image's"), -EPROTO,
	  "65536 bytes of registered functions; up to 256 *" },
	{ INIT("null"), -EPROTO,
	  "the name of registered function 2 is no name" },
	{ INIT("outside"), -EPROTO,
	  "its table of registered functions at 0xfffffffffffffff8 is not *" },
	{ INIT("across_the_end"), -EPROTO,
	  "its table of registered functions at 0x3fff00 is not in memory" },
	{ INIT("askew"), -EPROTO,
	  "its table of registered functions at 0x* is not in memory" },
	{ INIT("no_name"), -EPROTO,
	  "the name of registered function 2 is no name" },
	{ INIT("odd_name"), -EPROTO,
	  "the name of registered function 2 is no name" },
	{ INIT("endless_name"), -EPROTO,
	  "a name of registered function 2 does not end" },
	{ INIT("name_of_the_image's"), -EPROTO,
	  "two registered functions are called add" },
	{ INIT("name_twice"), -EPROTO,
	  "two registered functions are called twice" },
	{ INIT("type"), -EPROTO,
	  "parameter 1 of registered function 2 (twice) has type 200*" },
	{ INIT("no_type"), -EPROTO,
	  "registered function 2 (twice) returns type 0*" },
	{ INIT("parameters"), -EPROTO,
	  "registered function 2 (twice) has 17 parameters*" },
	{ INIT("flags"), -EPROTO, "registered function 2 has flags *" },
	{ INIT("dispatch"), -EPROTO,
	  "a registered function is a dispatch function: *" },
	{ INIT("") ",\"entry\":\"twise\"", -ENOENT,
	  "*has no handler \"twise\": set entry to one of: add, too_late, "
	  "twice" },
};
#define REFUSED ((int)(sizeof(refused) / sizeof(*refused)))

START_TEST(is_refused_with_its_reason)
{
	char pattern[512];

	thaw = open_guest("auto", "registered", refused[_i].init);
	snprintf(pattern, sizeof(pattern), "function registered: %s",
		 refused[_i].message);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(thaw_deploy(thaw, "registered", &error),
				 refused[_i].result);
		ck_assert_msg(!fnmatch(pattern, error.message, 0), "%s",
			      error.message);
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registered");
	TCase *group = tcase_create("registered");
	const int count = backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group,
			    registered_functions_are_called_beside_the_image_s,
			    0, count);
	tcase_add_loop_test(group,
			    as_many_as_are_allowed_tell_their_numbers_apart, 0,
			    count);
	tcase_add_loop_test(group, the_entry_may_be_a_registered_function, 0,
			    count);
	tcase_add_test(group, the_longest_name_is_a_name);
	tcase_add_loop_test(group, is_refused_with_its_reason, 0, REFUSED);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
