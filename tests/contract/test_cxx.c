/* test_cxx.c - what functions in C++ can use, and how they end. */
#include <fnmatch.h>

#include "tests/contract/support/guests.h"

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} deeds[] = {
	{ "constructors", "early list object init 7 " },
	{ "news", "yes yes yes yes yes " },
	{ "virtuals", "yes yes yes yes " },
	{ "library", "b999 45 viewither 32.500000 2 " },
	{ "out_of_range", "Runtime.Exception: std::out_of_range: "
			  "basic_string::substr: __pos (which is 100) > "
			  "this->size() (which is 5)" },
	{ "out_of_range_alone", "Runtime.Exception: std::out_of_range: "
				"vector::_M_range_check: *2*1*" },
	{ "no_length",
	  "Runtime.Exception: std::length_error: vector::reserve" },
	{ "no_number", "Runtime.Exception: std::invalid_argument: stoi" },
	{ "no_function", "Runtime.Exception: std::bad_function_call" },
	{ "no_cast", "Runtime.Exception: std::bad_cast" },
	{ "no_memory",
	  "Runtime.OutOfMemory: operator new: no 65536 bytes; the heap is "
	  "exhausted: raise memory" },
	{ "pure", "Runtime.Abort: a pure virtual function was called" },
	{ "terminates", "Runtime.Abort: std::terminate() was called" },
};

START_TEST(does_what_cxx_can_do)
{
	struct thaw *thaw = open_guest(backends[_i], "cxx", "");

	/* twice: nothing of the first is left */
	for (size_t i = 0; i < 2 * sizeof(deeds) / sizeof(*deeds); i++) {
		const size_t n = i % (sizeof(deeds) / sizeof(*deeds));
		const char *is = call_once(thaw, "cxx", deeds[n].request);

		ck_assert_msg(!fnmatch(deeds[n].outcome, is, 0), "%s: %s",
			      deeds[n].request, is);
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cxx");
	TCase *group = tcase_create("cxx");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, does_what_cxx_can_do, 0, backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
