/*
 * test_linux_trace.c - signatures of system calls, and how calls are printed. A process
 * whose memory is empty stands for all programs that lie about theirs.
 */
#include "executor/linux/trace.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "executor/linux/calls.h"
#include "executor/linux/signatures.h"
#include "executor/linux/trace_text.h"
#include "vm/layout.h"

static char printed[4 * TRACE_LINE_MAX];

static void take_line(void *cookie, const char *line, size_t size)
{
	(void)cookie;
	ck_assert_uint_eq(strlen(line), size);
	strcat(strcat(printed, line), "\n");
}

static const struct linux_program program = { .trace.line = take_line };

static const char *print_call(uint64_t number, const uint64_t *args,
			      int64_t result, enum linux_step step)
{
	static const struct layout layout;
	static struct linux_process process = { .space.layout = &layout };
	struct vm_call call = { .number = number };

	process.program = &program;
	process.step = step;
	memcpy(call.args, args, sizeof(call.args));
	*printed = '\0';
	linux_trace_call(&process, &call, result);
	return printed;
}

START_TEST(each_call_of_the_table_has_a_signature)
{
	unsigned count = 0;

	for (uint64_t number = 0; number < LINUX_NUMBERS_MAX; number++) {
		const struct linux_call_entry *entry = linux_call_find(number);
		const struct linux_signature *signature =
			linux_signature_find(number);

		if (!entry)
			continue;
		count++;
		ck_assert_msg(signature != NULL, "%s has no signature",
			      entry->name);
		ck_assert_str_eq(entry->name, signature->name);
	}
	ck_assert_uint_gt(count, 60);
}
END_TEST

START_TEST(each_word_of_each_signature_is_printed)
{
	for (uint64_t number = 0; number < LINUX_NUMBERS_MAX; number++) {
		const struct linux_signature *signature =
			linux_signature_find(number);
		char *words, *rest, *word;
		unsigned count = 0;

		if (!signature)
			continue;
		words = rest = strdup(signature->arguments);
		while ((word = strsep(&rest, " "))) {
			if (!*word)
				continue;
			if (!strcmp(word, ">")) {
				ck_assert_str_eq(rest, "address");
				break;
			}
			count++;
			ck_assert_msg(linux_trace_knows(word), "%s: \"%s\"",
				      signature->name, word);
		}
		ck_assert_uint_le(count, 6);
		free(words);
	}
	ck_assert(!linux_trace_knows("nothing"));
}
END_TEST

START_TEST(numbers_may_be_anything)
{
	const uint64_t numbers[] = { LINUX_NUMBERS_MAX, UINT32_MAX, INT64_MAX,
				     UINT64_MAX };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		ck_assert_ptr_null(linux_signature_find(numbers[i]));
		ck_assert_ptr_null(linux_call_find(numbers[i]));
	}
	ck_assert_str_eq(
		print_call(1000000, (const uint64_t[6]){ 0 }, -ENOSYS,
			   LINUX_GO_ON),
		"syscall_1000000()                        = -1 ENOSYS (Function "
		"not implemented)\n");
}
END_TEST

#define HERE ((uint64_t)(int64_t)AT_FDCWD)

static const struct {
	uint64_t number;
	uint64_t args[6];
	int64_t result;
	enum linux_step step;
	const char *line;
} rows[] = {
	{ SYS_close,
	  { 3 },
	  0,
	  LINUX_GO_ON,
	  "close(3)                                 = 0\n" },
	{ SYS_close,
	  { UINT32_MAX },
	  -EBADF,
	  LINUX_GO_ON,
	  "close(-1)                                = -1 EBADF (Bad file "
	  "descriptor)\n" },
	{ SYS_openat,
	  { HERE, 0x1000, O_RDONLY | O_CLOEXEC, 0644 },
	  3,
	  LINUX_GO_ON,
	  "openat(AT_FDCWD, 0x1000, O_RDONLY|O_CLOEXEC) = 3\n" },
	{ SYS_openat,
	  { 7, 0, O_WRONLY | O_CREAT | O_TRUNC, 0644 },
	  -EFAULT,
	  LINUX_GO_ON,
	  "openat(7, NULL, O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EFAULT (Bad "
	  "address)\n" },
	{ SYS_openat,
	  { HERE, 0, O_RDWR | (1u << 31) },
	  -EINVAL,
	  LINUX_GO_ON,
	  "openat(AT_FDCWD, NULL, O_RDWR|0x80000000) = -1 EINVAL (Invalid "
	  "argument)\n" },
	{ SYS_mmap,
	  { 0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    UINT64_MAX, 0 },
	  0x7000,
	  LINUX_GO_ON,
	  "mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, "
	  "-1, 0) = 0x7000\n" },
	{ SYS_mprotect,
	  { 0x1000, 4096, PROT_NONE },
	  0,
	  LINUX_GO_ON,
	  "mprotect(0x1000, 4096, PROT_NONE)        = 0\n" },
	{ SYS_lseek,
	  { 3, (uint64_t)-5, SEEK_END },
	  95,
	  LINUX_GO_ON,
	  "lseek(3, -5, SEEK_END)                   = 95\n" },
	{ SYS_fcntl,
	  { 1, F_GETFL, 0x1234 },
	  1,
	  LINUX_GO_ON,
	  "fcntl(1, F_GETFL)                        = 1\n" },
	{ SYS_fcntl,
	  { 1, 99, 2 },
	  -EINVAL,
	  LINUX_GO_ON,
	  "fcntl(1, 0x63, 0x2)                      = -1 EINVAL (Invalid "
	  "argument)\n" },
	{ SYS_futex,
	  { 0x1000, 128, 1 },
	  0,
	  LINUX_GO_ON,
	  "futex(0x1000, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 1, 0, NULL, 0) = 0\n" },
	{ SYS_write,
	  { 1, 0x5000, UINT64_MAX },
	  -EFAULT,
	  LINUX_GO_ON,
	  "write(1, 0x5000, 18446744073709551615)   = -1 EFAULT (Bad "
	  "address)\n" },
	{ SYS_writev,
	  { 1, 0x5000, UINT64_MAX },
	  -EINVAL,
	  LINUX_GO_ON,
	  "writev(1, [0x5000], 4294967295)          = -1 EINVAL (Invalid "
	  "argument)\n" },
	{ SYS_ppoll,
	  { UINT64_MAX - 3, 2, 0, 0, 8 },
	  -EFAULT,
	  LINUX_GO_ON,
	  "ppoll([0xfffffffffffffffc], 2, NULL, NULL, 8) = -1 EFAULT (Bad "
	  "address)\n" },
	{ SYS_newfstatat,
	  { HERE, 0x9000, 0x9000, 0 },
	  0,
	  LINUX_GO_ON,
	  "newfstatat(AT_FDCWD, 0x9000, 0x9000, 0)  = 0\n" },
	{ SYS_rt_sigaction,
	  { 11, 0, 0, 8 },
	  0,
	  LINUX_GO_ON,
	  "rt_sigaction(SIGSEGV, NULL, NULL, 8)     = 0\n" },
	{ SYS_kill,
	  { 1, 65 },
	  -EINVAL,
	  LINUX_GO_ON,
	  "kill(1, 65)                              = -1 EINVAL (Invalid "
	  "argument)\n" },
	{ SYS_read,
	  { 0, 0x1000, 10 },
	  0,
	  LINUX_INPUT,
	  "--- snapshot: each request begins here ---\n" },
	{ SYS_exit_group,
	  { 0 },
	  0,
	  LINUX_EXIT,
	  "exit_group(0)                            = ?\n"
	  "+++ exited with 0 +++\n" },
};

START_TEST(calls_are_printed_as_strace_prints_them)
{
	ck_assert_str_eq(print_call(rows[_i].number, rows[_i].args,
				    rows[_i].result, rows[_i].step),
			 rows[_i].line);
}
END_TEST

START_TEST(signals_are_printed)
{
	const struct linux_process process = { .program = &program };

	*printed = '\0';
	linux_trace_signal(&process, SIGSEGV, SEGV_MAPERR, 0x10);
	linux_trace_signal(&process, SIGUSR1, SI_TKILL, 0);
	linux_trace_signal(&process, 99, 1234, 0);
	ck_assert_str_eq(printed,
			 "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, "
			 "si_addr=0x10} ---\n"
			 "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL} ---\n"
			 "--- 99 {si_signo=99, si_code=1234} ---\n");
}
END_TEST

START_TEST(what_programs_write_is_escaped)
{
	static const char bytes[] = "a\"\\\n\t\0"
				    "1\33[2J\x9b\xff"
				    "8";
	struct trace_text text = { .used = 0 };

	trace_quote(&text, bytes, sizeof(bytes) - 1, true);
	ck_assert_str_eq(text.text,
			 "\"a\\\"\\\\\\n\\t\\0001\\33[2J\\233\\3778\"...");
	/* what does not fit is cut off */
	for (int i = 0; i < TRACE_LINE_MAX; i++)
		trace_put(&text, "more");
	ck_assert_uint_eq(text.used, TRACE_LINE_MAX - 1);
	ck_assert_uint_eq(strlen(text.text), TRACE_LINE_MAX - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_trace");
	TCase *tests = tcase_create("trace");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, each_call_of_the_table_has_a_signature);
	tcase_add_test(tests, each_word_of_each_signature_is_printed);
	tcase_add_test(tests, numbers_may_be_anything);
	tcase_add_loop_test(tests, calls_are_printed_as_strace_prints_them, 0,
			    sizeof(rows) / sizeof(*rows));
	tcase_add_test(tests, signals_are_printed);
	tcase_add_test(tests, what_programs_write_is_escaped);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
