/* test_inits.c - an image that does not get ready is refused with a reason. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "tests/contract/support/guests.h"

#define INIT(name) \
	"\"init_timeout\":\"300ms\",\"environment\":{\"INIT\":\"" name "\"}"
/* Has the time that a slow machine needs. */
#define GOOD_INIT(name) \
	"\"init_timeout\":\"60s\",\"environment\":{\"INIT\":\"" name "\"}"

static const struct {
	const char *init;
	int result;
	const char *message; /* a pattern, after "function inits: " */
} refused[] = {
	{ INIT("never"), -ETIMEDOUT,
	  "not ready within its init_timeout: init as_told must end, *" },
	{ INIT("never_and_log"), -ETIMEDOUT,
	  "not ready within its init_timeout*" },
	{ INIT("exits"), -ECANCELED,
	  "init failed: Runtime.ExitError: exit(0) was called" },
	{ INIT("aborts"), -ECANCELED,
	  "init failed: Runtime.Abort: abort() was called" },
	{ INIT("faults"), -ECANCELED, "init failed: *address 0x10*faults+*" },
	{ INIT("fails"), -ECANCELED,
	  "init failed: Init.NoTable: there is no table" },
	{ INIT("fails_unterminated"), -ECANCELED, "init failed: xxx*: xxx*x" },
	{ INIT("overflows"), -ECANCELED,
	  "init failed: stack overflow (raise stack, or use less of it): "
	  "* writing address 0x* at 0x* (descend*+0x*)" },
	{ INIT("rings"), -EPROTO, "rang the doorbell with 200 during init" },
	{ INIT("old_abi"), -EPROTO,
	  "built for ABI version 0; this thaw has *" },
	{ INIT("newer_abi"), -EPROTO,
	  "built for ABI version 7; this thaw has 6: rebuild it *" },
	{ INIT("abi_5"), -EPROTO,
	  "built for ABI version 5; this thaw has 6: rebuild it with this "
	  "thaw's SDK" },
	{ INIT("no_handlers"), -EPROTO, "offers 0 handlers; *" },
	{ INIT("many_handlers"), -EPROTO, "offers 4294967295 handlers; *" },
	{ INIT("handlers_outside"), -EPROTO,
	  "its handler table at 0xfffffffffffffff8 is not in memory" },
	{ INIT("handlers_across_the_end"), -EPROTO,
	  "its handler table at 0x3fffc0 is not in memory" },
	{ INIT("handlers_askew"), -EPROTO,
	  "its handler table at 0x* is not in memory" },
	{ INIT("lines_outside"), -EPROTO,
	  "its log lines at 0xfffffffffffffff8 are not in memory" },
	{ INIT("lines_wild"), -ECANCELED, "init failed: *address 0x10*" },
	{ INIT("lines_askew"), -ECANCELED, "init failed: *address 0x10*" },
	{ INIT("handlers_null"), -EPROTO,
	  "the name of handler 0 is not printable text" },
	{ INIT("name_empty"), -EPROTO,
	  "the name of handler 0 is not printable text" },
	{ INIT("name_with_escape"), -EPROTO,
	  "the name of handler 0 is not printable text" },
	{ INIT("name_endless"), -EPROTO,
	  "the name of handler 0 is not printable text" },
	{ INIT("name_twice"), -EPROTO,
	  "handlers 1 and 2 are both named \"same\": rename one" },
	{ "\"init_timeout\":\"1s\"", -ECANCELED,
	  "init failed: Runtime.InitError: init as_told returned -3" },
	{ INIT("") ",\"entry\":\"other\"", -ENOENT,
	  "*inits.elf has no handler \"other\": set entry to one of: *inits" },
};
#define REFUSED ((int)(sizeof(refused) / sizeof(*refused)))

START_TEST(is_refused_with_its_reason)
{
	struct thaw *thaw = open_guest("auto", "inits", refused[_i].init);
	struct thaw_error error;
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "function inits: %s",
		 refused[_i].message);
	/* it stays refused, and does not pile up */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(thaw_deploy(thaw, "inits", &error),
				 refused[_i].result);
		ck_assert_msg(!fnmatch(pattern, error.message, 0), "%s",
			      error.message);
	}
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *init;
	const char *outcome;
} dispatched[] = {
	{ INIT("dispatch_null"), "Runtime.Fault: * address 0 *" },
	{ INIT("dispatch_wild"), "Runtime.Fault: *" },
	{ INIT("dispatch_in_data"), "Runtime.Fault: *" },
};
#define DISPATCHED ((int)(sizeof(dispatched) / sizeof(*dispatched)))

START_TEST(a_wild_dispatch_fails_each_invocation)
{
	struct thaw *thaw = open_guest("auto", "inits", dispatched[_i].init);

	for (int i = 0; i < 3; i++) {
		const char *text = call_once(thaw, "inits", "");

		ck_assert_msg(!fnmatch(dispatched[_i].outcome, text, 0), "%s",
			      text);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(what_a_big_init_made_is_there_in_each_invocation)
{
	struct thaw *thaw =
		open_guest(backends[_i], "inits",
			   GOOD_INIT("is_big") ",\"memory\":\"8MiB\"");

	/* each overwrites all of it */
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(call_once(thaw, "inits", ""), "all");
	thaw_close(thaw);
}
END_TEST

/* Memory is kept, registers are not: not those of floating point either. */
START_TEST(the_floating_point_environment_of_init_is_not_kept)
{
	struct thaw *thaw =
		open_guest(backends[_i], "inits", GOOD_INIT("rounds_up"));

	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(call_once(thaw, "inits", ""),
				 "raised 0, mode to nearest, less than "
				 "init's: 1");
	thaw_close(thaw);
}
END_TEST

START_TEST(init_may_log_only_so_much)
{
	struct thaw *thaw =
		open_guest("auto", "inits",
			   "\"init_timeout\":\"60s\","
			   "\"environment\":{\"INIT\":\"logs_much\"}");

	ck_assert_str_eq(call_once(thaw, "inits", ""), "nothing");
	ck_assert_uint_eq(logged.lines, 1001);
	ck_assert_str_eq(logged.text,
			 "more than 1000 log lines: the rest is dropped");
	thaw_close(thaw);
}
END_TEST

/* Deploys with such an init, which fails; how many lines it has logged. */
static unsigned fail_logging(const char *init, unsigned timeout_ms)
{
	struct thaw *thaw;
	char more[128];

	snprintf(more, sizeof(more),
		 "\"init_timeout\":\"%ums\",\"environment\":{\"INIT\":\"%s\"}",
		 timeout_ms, init);
	thaw = open_guest("auto", "inits", more);
	memset(&logged, 0, sizeof(logged));
	ck_assert_int_lt(thaw_deploy(thaw, "inits", NULL), 0);
	thaw_close(thaw);
	return logged.lines;
}

START_TEST(an_init_that_ends_within_a_line_has_logged_it)
{
	unsigned timeout_ms = 100;

	ck_assert_uint_eq(fail_logging("faults_in_a_line", 10000), 1);
	ck_assert_int_eq(logged.level, THAW_LOG_INFO);
	ck_assert_str_eq(logged.text, "half a");
	ck_assert_msg(!fnmatch("#0 faults*+*(0x*) #1 *", logged.backtrace, 0),
		      "%s", logged.backtrace);
	/* a slow machine may not come to the line in so short a time */
	while (!fail_logging("never_ends_a_line", timeout_ms) &&
	       timeout_ms < 10000)
		timeout_ms *= 8;
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_int_eq(logged.level, THAW_LOG_WARN);
	ck_assert_str_eq(logged.text, "half a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inits");
	TCase *group = tcase_create("inits");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, is_refused_with_its_reason, 0, REFUSED);
	tcase_add_loop_test(group, a_wild_dispatch_fails_each_invocation, 0,
			    DISPATCHED);
	tcase_add_loop_test(group,
			    what_a_big_init_made_is_there_in_each_invocation, 0,
			    backend_count());
	tcase_add_loop_test(group,
			    the_floating_point_environment_of_init_is_not_kept,
			    0, backend_count());
	tcase_add_test(group, init_may_log_only_so_much);
	tcase_add_test(group, an_init_that_ends_within_a_line_has_logged_it);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
