/*
 * test_javascript.c - a Hyperlight guest with a JavaScript engine, which init starts:
 * scripts work, fail alone, and leave nothing to the next one.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/support/guests.h"

static struct thaw *thaw;

#define FUNCTION                                                                \
	"{\"name\":\"javascript\",\"image\":\"%s/../../guest/javascript.elf\"," \
	"\"memory\":\"16MiB\",\"max_request\":\"64KiB\","                       \
	"\"max_reply\":\"64KiB\",\"concurrency\":{\"max\":1},"                  \
	"\"timeout\":\"60s\"}"

/* @script has no quotation marks and backslashes. */
static const char *eval(const char *script, uint64_t timeout_ns)
{
	struct thaw_reply reply;
	const char *text;
	char request[512];

	snprintf(request, sizeof(request),
		 "{\"function\":\"Eval\",\"args\":[\"%s\"]}", script);
	call(thaw, "javascript", request, timeout_ns, &reply);
	text = outcome(&reply);
	thaw_reply_release(&reply);
	return text;
}

#define RESULT(text) "{\"result\":\"" text "\"}"
#define THROWN(text) "Hyperlight.GuestError: error 15: " text

static const struct {
	const char *script;
	const char *outcome; /* a pattern */
} scripts[] = {
	{ "[1, 2, 3].map(n => n * n).join()", RESULT("1,4,9") },
	{ "0.1 + 0.2", RESULT("0.30000000000000004") },
	{ "2n ** 100n", RESULT("1267650600228229401496703205376") },
	{ "JSON.stringify({a: [1, null]}).length", RESULT("14") },
	{ "'x 12-34'.replace(/[0-9]+/g, n => n * 2)", RESULT("x 24-68") },
	{ "'\xc3\xa4'.toUpperCase() + [...'\xf0\x9f\x98\x80'].length",
	  RESULT("\xc3\x84"
		 "1") },
	{ "new Date(86400000).toISOString()",
	  RESULT("1970-01-02T00:00:00.000Z") },
	{ "new Date(0).getTimezoneOffset()", RESULT("0") },
	{ "Math.abs(Math.sin(Math.PI)) < 1e-15", RESULT("true") },
	{ "let set = 0; for (let i = 0; i < 1000; i++) set += i; set",
	  RESULT("499500") },
	{ "class A { #x = 5; get x() { return this.#x } } new A().x",
	  RESULT("5") },
	{ "(function* () { yield 1; yield 2 })().next().value", RESULT("1") },
	{ "typeof left", RESULT("undefined") },
	{ "globalThis.left = 1; Array.prototype.map = null; left",
	  RESULT("1") },
	{ "null.x", THROWN("TypeError: cannot read property 'x' of null") },
	{ "}", THROWN("SyntaxError: *") },
	{ "throw new RangeError('mine')", THROWN("RangeError: mine") },
	{ "throw 7", THROWN("7") },
	{ "(function f() { return f() })()",
	  THROWN("InternalError: stack overflow") },
	{ "new Array(1e9).fill(1)", THROWN("InternalError: out of memory") },
	{ "let all = []; for (;;) all.push(new Array(10000).fill(1))",
	  THROWN("*") },
	{ "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
	  THROWN("TypeError: cannot block in this thread") },
	{ "Symbol()", THROWN("TypeError: *") },
};

START_TEST(scripts_are_evaluated)
{
	thaw = open_functions(backends[_i], FUNCTION);
	/* twice: nothing of the first is left */
	for (size_t i = 0; i < 2 * sizeof(scripts) / sizeof(*scripts); i++) {
		const size_t n = i % (sizeof(scripts) / sizeof(*scripts));
		const char *is = eval(scripts[n].script, 0);

		ck_assert_msg(!fnmatch(scripts[n].outcome, is, 0), "%s: %s",
			      scripts[n].script, is);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_guest_without_a_dispatch_function_has_no_other_functions)
{
	thaw = open_functions(backends[_i], FUNCTION);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(call_once(thaw, "javascript",
					   "{\"function\":\"eval\"}"),
				 "Hyperlight.GuestFunctionNotFound: error 4: "
				 "eval");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_script_that_never_ends_is_stopped)
{
	thaw = open_functions(backends[_i], FUNCTION);
	for (int i = 0; i < 2; i++) {
		const char *is = eval("for (;;);", UINT64_C(100000000));

		ck_assert_msg(!strncmp(is, "Sandbox.Timedout: ", 18), "%s", is);
		ck_assert_str_eq(eval("6 * 7", 0), RESULT("42"));
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(what_scripts_print_is_logged)
{
	thaw = open_functions(backends[_i], FUNCTION);
	logged.lines = 0;
	ck_assert_str_eq(eval("console.log('a', 1, [2, 3])", 0),
			 RESULT("undefined"));
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "a 1 2,3");
	/* when the script is done, what it has promised is done, too */
	ck_assert_str_eq(eval("Promise.resolve('later').then(console.log); 1",
			      0),
			 RESULT("1"));
	ck_assert_uint_eq(logged.lines, 2);
	ck_assert_str_eq(logged.text, "later");
	thaw_close(thaw);
}
END_TEST

START_TEST(random_numbers_and_time_are_new_in_each_call)
{
	char first[64];

	thaw = open_functions(backends[_i], FUNCTION);
	snprintf(first, sizeof(first), "%s", eval("Math.random()", 0));
	ck_assert_str_ne(eval("Math.random()", 0), first);
	snprintf(first, sizeof(first), "%s", eval("performance.now()", 0));
	ck_assert_str_ne(eval("performance.now()", 0), first);
	ck_assert_str_eq(eval("let at = []; for (let i = 0; i < 1000; i++)"
			      " at.push(Math.random());"
			      "at.every(x => x >= 0 && x < 1) +"
			      " ' ' + new Set(at).size",
			      0),
			 RESULT("true 1000"));
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("javascript");
	TCase *group = tcase_create("javascript");
	const int count = backend_count();

#ifndef TEST_JAVASCRIPT
	printf("skip: the engine is not here: run third_party/quickjs.sh, and "
	       "configure anew\n");
	return 77;
#endif
	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, scripts_are_evaluated, 0, count);
	tcase_add_loop_test(
		group,
		a_guest_without_a_dispatch_function_has_no_other_functions, 0,
		count);
	tcase_add_loop_test(group, a_script_that_never_ends_is_stopped, 0,
			    count);
	tcase_add_loop_test(group, what_scripts_print_is_logged, 0, count);
	tcase_add_loop_test(group, random_numbers_and_time_are_new_in_each_call,
			    0, count);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
