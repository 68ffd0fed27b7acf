/*
 * test_linux_memory.c - the memory of Linux programs: tests/linux/memory.c, built in
 * several ways. After every invocation the library compares memory, page tables included,
 * with the snapshot. The vms that are made are counted.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "pie", "dynamic", "musl" };
#ifdef TEST_SANITIZED
/* the others are the same to the host, and a sanitizer is slow */
#define BUILDS 1
#else
#define BUILDS program_builds(4)
#endif

/* As in <linux/kvm.h>, which is for vm/ alone. */
#define CREATE_VM _IO(0xae, 0x01)

static atomic_uint vms_made;

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == CREATE_VM)
		atomic_fetch_add(&vms_made, 1);
	return __real_ioctl(fd, request, argument);
}

/* Opens the program, as @i says, with further members; NULL: it is not built so. */
static struct thaw *open_memory(int i, const char *more)
{
	const char *build = builds[i % BUILDS];
	char text[512];

	if (!program_is_built("memory", build))
		return NULL;
	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_memory_%s\",\"argv\":[\"p\"],"
		 "\"timeout\":\"60s\",%s}",
		 build, more);
	return open_functions(backends[i / BUILDS], text);
}

#define ONE_VM "\"memory\":\"32MiB\",\"concurrency\":{\"max\":1}"

START_TEST(protections_are_put_back_and_the_vm_is_used_again)
{
	static const char fault[] = "Runtime.Fault: *";
	static const char *const touches[] = { "read_none", "write_none",
					       "write_read_only", "write_code",
					       "run_data" };
	struct thaw *thaw = open_memory(_i, ONE_VM);
	unsigned made;

	if (!thaw)
		return;
	expect(thaw, "check", "good\n");
	made = vms_made;
	for (size_t i = 0; i < sizeof(touches) / sizeof(*touches); i++) {
		expect(thaw, touches[i], fault);
		expect(thaw, "change", "good\n");
		expect(thaw, touches[i], fault);
		expect(thaw, "check", "good\n");
		expect(thaw, "change", "good\n");
		expect(thaw, "change", "good\n");
		expect(thaw, "check", "good\n");
	}
	expect(thaw, "make_code", "good\n");
	expect(thaw, "make_code", "good\n");
	expect(thaw, "withdraw", "good\n");
	expect(thaw, "withdraw", "good\n");
	expect(thaw, "drop", "good\n");
	expect(thaw, "shared", "good\n");
	/* limits end with their invocation */
	for (int i = 0; i < 2; i++) {
		expect(thaw, "limit_space", "good\n");
		expect(thaw, "limit_data", "good\n");
		expect(thaw, "limit_files", "good\n");
	}
	ck_assert_uint_eq(vms_made, made);
	thaw_close(thaw);
}
END_TEST

START_TEST(reservations_take_no_memory)
{
	static const char *const commands[] = {
		"reserve_limit",   "reserve_pieces",  "reserve_keeps",
		"reserve_order 1", "reserve_order 0", "reserve_limit",
		"reserve_memory",  "reserve_order 0", "reserve_keeps",
		"reserve_order 1",
	};
	struct thaw *thaw = open_memory(_i, ONE_VM);
	unsigned made;

	if (!thaw)
		return;
	expect(thaw, "check", "good\n");
	made = vms_made;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		expect(thaw, commands[i], "good\n");
	ck_assert_uint_eq(vms_made, made);
	/* so many tables cost the vm, but the next invocation has as many */
	for (int i = 0; i < 3; i++) {
		expect(thaw, "reserve_tables", "good\n");
		expect(thaw, "reserve_order 1", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(reservations_are_put_back)
{
	static const char *const touches[] = { "read_kept", "read_far",
					       "write_far_code" };
	struct thaw *thaw = open_memory(_i, ONE_VM);
	unsigned made;

	if (!thaw)
		return;
	expect(thaw, "change_reserve", "good\n");
	made = vms_made;
	for (size_t i = 0; i < sizeof(touches) / sizeof(*touches); i++) {
		expect(thaw, touches[i], "Runtime.Fault: *");
		expect(thaw, "change_reserve", "good\n");
		expect(thaw, touches[i], "Runtime.Fault: *");
		expect(thaw, "release_reserve", "good\n");
		expect(thaw, touches[i], "Runtime.Fault: *");
		expect(thaw, "change_reserve", "good\n");
	}
	ck_assert_uint_eq(vms_made, made);
	thaw_close(thaw);
}
END_TEST

/* Of this process. */
static unsigned mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned count = 0;
	int c;

	ck_assert_ptr_nonnull(file);
	while ((c = getc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}

START_TEST(changed_protections_leave_no_mappings)
{
	struct thaw *thaw = open_memory(_i, ONE_VM);
	unsigned first;

	if (!thaw)
		return;
	expect(thaw, "change", "good\n");
	first = mappings();
	for (int i = 0; i < 30; i++)
		expect(thaw, "change", "good\n");
	ck_assert_uint_le(mappings(), first + 8);
	thaw_close(thaw);
}
END_TEST

START_TEST(threads_do_not_cost_the_vm)
{
	struct thaw *thaw = open_memory(_i, ONE_VM);
	unsigned made;

	if (!thaw)
		return;
	expect(thaw, "check", "good\n");
	made = vms_made;
	for (int i = 0; i < 3; i++) {
		expect(thaw, "threads", "good\n");
		expect(thaw, "overflow", "Runtime.Fault: *");
		expect(thaw, "check", "good\n");
	}
	ck_assert_uint_eq(vms_made, made);
	thaw_close(thaw);
}
END_TEST

/* What a new vm touches ahead are pages that others have written, if it may. */
START_TEST(pages_that_were_made_writable_are_not_touched_ahead)
{
	struct thaw *thaw = open_memory(_i, "\"memory\":\"32MiB\","
					    "\"concurrency\":{\"max\":2}");
	struct thaw_reply reply;
	unsigned made;

	if (!thaw)
		return;
	for (int i = 0; i < 20; i++)
		expect(thaw, "change", "good\n");
	made = vms_made;
	call(thaw, "p", "change", 0, &reply);
	ck_assert_str_eq(outcome(&reply), "good\n");
	expect(thaw, "check", "good\n");
	ck_assert_uint_eq(vms_made, made + 1);
	thaw_reply_release(&reply);
	expect(thaw, "write_read_only", "Runtime.Fault: *");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_memory");
	TCase *tests = tcase_create("linux_memory");
	const int all = program_trackers() * BUILDS;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    protections_are_put_back_and_the_vm_is_used_again,
			    0, all);
	tcase_add_loop_test(tests, reservations_take_no_memory, 0, all);
	tcase_add_loop_test(tests, reservations_are_put_back, 0, all);
	tcase_add_loop_test(tests, changed_protections_leave_no_mappings, 0,
			    all);
	tcase_add_loop_test(tests, threads_do_not_cost_the_vm, 0, all);
	tcase_add_loop_test(tests,
			    pages_that_were_made_writable_are_not_touched_ahead,
			    0, all);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
