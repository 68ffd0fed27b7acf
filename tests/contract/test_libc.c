/*
 * test_libc.c - the C library that functions use does what its standard says. The
 * checks are handlers of tests/guest/libc_*.c, and picolibc's own tests.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/contract/support/guests.h"

#define MORE_MAX 512

static const char *const handlers[] = {
	"wide_print",
	"wide_convert",
	"wide_bounds",
	"wide_streams",
	"wide_scan",
	"lines",
	"lines_of_all_lengths",
	"memory_streams",
	"long_double_print",
	"long_double_round",
	"long_double_return",
	"long_double_scan",
	"numbers",
	"dates",
	"dates_refused",
	"dates_printed",
	"environment",
	"environment_refused",
	"environment_often",
	"waits",
	"indirect_functions",
	"times_of_day",
	"time_zones",
	"waits_refused",
	"searches",
	"heap_sound",
	"no_files",
};
#define HANDLERS ((int)(sizeof(handlers) / sizeof(*handlers)))

START_TEST(does_what_the_standard_says)
{
	char more[MORE_MAX];
	struct thaw *thaw;

	snprintf(more, sizeof(more),
		 "\"entry\":\"%s\",\"timeout\":\"60s\","
		 "\"environment\":{\"MODE\":\"one\",\"EMPTY\":\"\"}",
		 handlers[_i]);
	thaw = open_guest("auto", "libc", more);
	/* the second finds what the first found */
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(call_once(thaw, "libc", ""), "");
	thaw_close(thaw);
}
END_TEST

/* By every dispatch, since each sets the registers that say where they are. */
START_TEST(thread_local_variables_are_those_of_the_snapshot)
{
	static const char *const guests[] = { "thread_locals",
					      "thread_locals_pie" };

	for (int guest = 0; guest < 2; guest++) {
		struct thaw *thaw = open_guest(backends[_i], guests[guest], "");

		for (int i = 0; i < 5; i++)
			ck_assert_str_eq(call_once(thaw, guests[guest], ""),
					 "");
		thaw_close(thaw);
	}
}
END_TEST

/* Opens the guest whose handler is @entry. */
static struct thaw *open_entry(const char *guest, const char *entry)
{
	char more[MORE_MAX];

	snprintf(more, sizeof(more),
		 "\"entry\":\"%s\",\"memory\":\"16MiB\","
		 "\"timeout\":\"60s\"",
		 entry);
	return open_guest("auto", guest, more);
}

/* Programs of picolibc's own: the build has their names from picolibc_tests.txt. */
static const char *const programs[] = { TEST_PICOLIBC };
#define PROGRAMS ((int)(sizeof(programs) / sizeof(*programs)))

/* One image and one vm: of each the next has a clean one. */
START_TEST(tests_of_picolibc_pass)
{
	struct thaw *thaw = open_entry("picolibc", "test");

	for (int i = 0; i < PROGRAMS; i++) {
		const char *status = call_once(thaw, "picolibc", programs[i]);

		logged.text[logged.size] = '\0';
		ck_assert_msg(!strcmp(status, "0") ||
				      !strcmp(status, "Runtime.ExitError: "
						      "exit(0) was called"),
			      "%s: %s; logged last: %s", programs[i], status,
			      logged.text);
	}
	thaw_close(thaw);
}
END_TEST

#define FREED "it was freed already"
#define NO_BLOCK                                                    \
	"no block begins there, or something wrote beyond the end " \
	"of the block before it"
#define OVERRUN "something wrote beyond the end of the block before it"

static const struct {
	const char *entry;
	const char *error;
} misuses[] = {
	{ "heap_freed_twice", FREED },
	{ "heap_freed_twice_merged", FREED },
	{ "heap_freed_twice_last", FREED },
	{ "heap_reallocated_after_free", FREED },
	{ "heap_foreign", NO_BLOCK },
	{ "heap_foreign_before_malloc", NO_BLOCK },
	{ "heap_inside", NO_BLOCK },
	{ "heap_unaligned", NO_BLOCK },
	{ "heap_beyond", NO_BLOCK },
	{ "heap_overrun_by_one", OVERRUN },
	{ "heap_overrun_neighbour", NO_BLOCK },
	{ "heap_overrun_last", OVERRUN },
	{ "heap_written_after_free", "something wrote to it after it was "
				     "freed" },
};
#define MISUSES ((int)(sizeof(misuses) / sizeof(*misuses)))

START_TEST(misuse_of_the_heap_is_an_error)
{
	static const char type[] = "Runtime.HeapCorruption: heap block at 0x";
	struct thaw *thaw = open_entry("libc", misuses[_i].entry);

	/* and the next invocation has a heap that is whole */
	for (int i = 0; i < 2; i++) {
		const char *error = call_once(thaw, "libc", "");
		const char *what = strstr(error, ": heap block at ");

		ck_assert_msg(what && !strncmp(error, type, strlen(type)), "%s",
			      error);
		what = strchr(what + 2, ':');
		ck_assert_str_eq(what + 2, misuses[_i].error);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(exit_calls_what_atexit_was_given)
{
	struct thaw *thaw = open_entry("libc", "leaves");

	ck_assert_str_eq(call_once(thaw, "libc", ""), "Test.Left: by exit()");
	thaw_close(thaw);
}
END_TEST

START_TEST(the_request_is_standard_input)
{
	struct thaw *thaw = open_entry("libc", "input");

	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(call_once(thaw, "libc",
					   "12 ab -7.5e1\nline two\n\nrest"),
				 "");
	thaw_close(thaw);
	thaw = open_entry("libc", "descriptors");
	ck_assert_str_eq(call_once(thaw, "libc", "x"), "");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_typed_function_has_no_standard_input)
{
	struct thaw *thaw = open_entry("libc", "input_of_typed");

	ck_assert_str_eq(call_once(thaw, "libc", "[]"), "{\"result\":-1}");
	thaw_close(thaw);
}
END_TEST

START_TEST(descriptors_and_streams_write_the_same_lines)
{
	struct thaw *thaw = open_entry("libc", "writes");

	ck_assert_str_eq(call_once(thaw, "libc", ""), "");
	ck_assert_uint_eq(logged.lines, 3);
	ck_assert_str_eq(logged.text, "half a line");
	ck_assert_int_eq(logged.level, THAW_LOG_WARN);
	thaw_close(thaw);
}
END_TEST

/*
 * Of KVM_GET_SUPPORTED_CPUID, which not every architecture has: the head, and
 * what of an entry says whether user mode can set the thread pointer.
 */
#define KVM_TYPE 0xae
#define CPUID_NR 0x05
#define CPUID_HEAD 2
#define CPUID_ENTRY 10
#define CPUID_EBX 4
#define FEATURES 7
#define FSGSBASE 1u

static bool hides_fsgsbase, has_hidden;

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	uint32_t *words;
	va_list args;
	int r;

	va_start(args, request);
	words = va_arg(args, void *);
	va_end(args);
	r = __real_ioctl(fd, request, words);
	if (r || !hides_fsgsbase || _IOC_TYPE(request) != KVM_TYPE ||
	    _IOC_NR(request) != CPUID_NR)
		return r;
	for (uint32_t i = 0; i < words[0]; i++) {
		uint32_t *entry = words + CPUID_HEAD + i * CPUID_ENTRY;

		if (entry[0] == FEATURES)
			entry[CPUID_EBX] &= ~FSGSBASE;
	}
	has_hidden = true;
	return 0;
}

START_TEST(without_a_thread_pointer_the_deployment_says_so)
{
	struct thaw *thaw;
	struct thaw_error error;
	int r;

	hides_fsgsbase = true;
	thaw = open_guest("auto", "thread_locals", "");
	r = thaw_deploy(thaw, "thread_locals", &error);
	if (r) {
		ck_assert(has_hidden);
		ck_assert_int_eq(r, -ECANCELED);
		ck_assert_str_eq(error.message,
				 "function thread_locals: init failed: "
				 "Runtime.InitError: it has thread-local "
				 "variables, and this CPU does not let user "
				 "mode set FS (FSGSBASE): make them static");
	} else {
		printf("skip: functions see the CPUID of the processor "
		       "itself, or have no need of FSGSBASE\n");
		ck_assert_str_eq(call_once(thaw, "thread_locals", ""), "");
	}
	hides_fsgsbase = false;
	thaw_close(thaw);
}
END_TEST

START_TEST(wide_text_is_logged_as_text)
{
	struct thaw *thaw =
		open_guest("auto", "libc", "\"entry\":\"wide_streams\"");

	ck_assert_str_eq(call_once(thaw, "libc", ""), "");
	ck_assert_str_eq(logged.text, "logged 7");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libc");
	TCase *group = tcase_create("libc");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, does_what_the_standard_says, 0, HANDLERS);
	tcase_add_loop_test(group,
			    thread_local_variables_are_those_of_the_snapshot, 0,
			    backend_count());
	tcase_add_test(group, without_a_thread_pointer_the_deployment_says_so);
	tcase_add_test(group, wide_text_is_logged_as_text);
	tcase_add_loop_test(group, misuse_of_the_heap_is_an_error, 0, MISUSES);
	tcase_add_test(group, exit_calls_what_atexit_was_given);
	tcase_add_test(group, the_request_is_standard_input);
	tcase_add_test(group, a_typed_function_has_no_standard_input);
	tcase_add_test(group, descriptors_and_streams_write_the_same_lines);
	suite_add_tcase(suite, group);
	group = tcase_create("picolibc");
	tcase_set_timeout(group, 240);
	tcase_add_test(group, tests_of_picolibc_pass);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
