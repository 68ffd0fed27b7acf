/*
 * test_linux_calls.c - each system call of the table, with values in its arguments that
 * only a hostile program passes. None may crash, hang, or leave a table inconsistent.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "executor/linux/calls.h"
#include "linux_fixture.h"

#define ROUNDS 6
/* Calls after which the process is put back, whatever they have done. */
#define CALLS_MAX 200

static uint32_t seed;

static unsigned choose(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Calls @number with @value as argument @at; the other arguments vary. */
static void call(uint64_t number, unsigned at, unsigned value)
{
	static unsigned calls;
	struct vm_call call = { .number = number,
				.pc = linux_fixture_value(choose()),
				.sp = linux_fixture_value(choose()) };

	for (unsigned i = 0; i < 6; i++)
		call.args[i] = linux_fixture_value(i == at ? value : choose());
	if (linux_fixture_call(&call) != LINUX_GO_ON ||
	    ++calls % CALLS_MAX == 0)
		linux_fixture_restore();
}

static unsigned call_all(void)
{
	unsigned count = 0;

	for (uint64_t number = 0; number <= LINUX_NUMBERS_MAX; number++) {
		/* of those that do not exist a few will do */
		const unsigned step = linux_call_find(number) ? 1 : 16;

		for (unsigned i = 0; i < 6 * LINUX_FIXTURE_VALUES; i += step) {
			call(number, i % 6, i / 6);
			count++;
		}
	}
	return count;
}

START_TEST(any_arguments_are_survived_before_the_snapshot)
{
	seed = 1;
	linux_fixture_start(false);
	ck_assert_uint_gt(call_all(), 30000);
	linux_fixture_stop();
}
END_TEST

START_TEST(any_arguments_are_survived_in_a_request)
{
	unsigned count = 0;

	seed = 2;
	linux_fixture_start(true);
	for (int i = 0; i < ROUNDS; i++)
		count += call_all();
	ck_assert_uint_gt(count, 180000);
	linux_fixture_stop();
}
END_TEST

/* A word that a request of Gunyah's devices may find at its argument. */
static void put_word(uint64_t at)
{
	static const uint32_t lines[] = {
		0, 1, 15, 16, 27, 40, 1019, 1020, INT32_MAX, UINT32_MAX
	};
	const uint64_t value = choose() % 2 ? lines[choose() % 10] :
					      linux_fixture_value(choose());

	(void)space_write(&linux_fixture_process()->space, at, &value,
			  sizeof(value));
}

START_TEST(any_request_of_gunyahs_devices_is_survived)
{
	static const uint8_t magics[] = { 0x49, 0x43, 0x44, 0x54 };
	static const uint8_t sizes[] = { 0, 4, 8, 24 };

	seed = 4;
	linux_fixture_set_gunyah(true);
	linux_fixture_start(true);
	for (int i = 0; i < 200000; i++) {
		struct vm_call call = { .number = SYS_ioctl,
					.pc = linux_fixture_value(24),
					.sp = linux_fixture_value(34) };

		for (unsigned j = 0; j < 4; j++)
			put_word(linux_fixture_value(24) + choose() % 8 * 8);
		call.args[0] = choose() % 6;
		call.args[1] = 1u << 30 | (uint32_t)sizes[choose() % 4] << 16 |
			       (uint32_t)magics[choose() % 4] << 8 |
			       choose() % 8;
		if (choose() % 16 == 0)
			call.args[1] = choose() % 2 ? 0x5413 : 0x547f;
		if (choose() % 16 == 0)
			call.number = SYS_write;
		call.args[2] = linux_fixture_value(24 + choose() % 8);
		if (linux_fixture_call(&call) != LINUX_GO_ON || i % 50 == 0)
			linux_fixture_restore();
		if (choose() % 4 == 0 && linux_fixture_return(choose() % 2 * 8))
			linux_fixture_restore();
	}
	linux_fixture_stop();
	linux_fixture_set_gunyah(false);
}
END_TEST

/* What the shim may have noted is the program's as well. */
START_TEST(any_state_of_the_shim_is_survived)
{
	const struct vm_call call = { .number = LINUX_NUMBERS_MAX };

	seed = 3;
	linux_fixture_start(true);
	for (int i = 0; i < 50000; i++) {
		uint8_t *shim = linux_fixture_memory() + THAW_GPA_SHIM;
		const unsigned words = sizeof(struct thaw_shim) / 8;

		for (int j = 0; j < 4; j++) {
			const uint64_t value = linux_fixture_value(choose());
			const size_t at = choose() % words;

			__builtin_memcpy(shim + at * 8, &value, sizeof(value));
		}
		if (linux_fixture_call(&call) != LINUX_GO_ON || i % 50 == 0)
			linux_fixture_restore();
	}
	linux_fixture_stop();
}
END_TEST

/* No area may be empty. */
START_TEST(a_mapping_without_pages_is_none)
{
	const struct vm_call call = { .number = LINUX_NUMBERS_MAX };
	struct thaw_shim *shim;
	struct space *space;
	size_t count;

	linux_fixture_start(true);
	shim = (void *)(linux_fixture_memory() + THAW_GPA_SHIM);
	space = &linux_fixture_process()->space;
	count = space->areas.count;
	shim->changes[0].start = space->layout->heap.start;
	shim->changes[0].size = 0;
	/* in the middle of an area, which it must not split */
	shim->changes[1].start = linux_fixture_value(24) + THAW_PAGE_SIZE;
	shim->changes[1].size = THAW_SHIM_UNMAP;
	shim->change_count = 2;
	ck_assert_int_eq(linux_fixture_call(&call), LINUX_GO_ON);
	ck_assert_uint_eq(space->areas.count, count);
	linux_fixture_stop();
}
END_TEST

/* The shim only maps what was never used; to clear the rest would take long. */
START_TEST(a_mapping_of_used_memory_is_none)
{
	const struct vm_call call = { .number = LINUX_NUMBERS_MAX };
	struct thaw_shim *shim;
	struct space *space;
	size_t count;
	uint64_t at;

	linux_fixture_start(true);
	at = linux_fixture_value(24) + 32 * THAW_PAGE_SIZE;
	shim = (void *)(linux_fixture_memory() + THAW_GPA_SHIM);
	space = &linux_fixture_process()->space;
	count = space->areas.count;
	for (unsigned i = 0; i < 3; i++) {
		shim->changes[i].start = at;
		shim->changes[i].size = THAW_PAGE_SIZE;
	}
	shim->change_count = 1;
	ck_assert_int_eq(linux_fixture_call(&call), LINUX_GO_ON);
	ck_assert_uint_eq(space->areas.count, count + 1);
	shim->changes[0].size |= THAW_SHIM_UNMAP;
	shim->change_count = 3;
	ck_assert_int_eq(linux_fixture_call(&call), LINUX_GO_ON);
	ck_assert_uint_eq(space->areas.count, count);
	linux_fixture_stop();
}
END_TEST

/* What the shim has noted as the offset of a file is taken if it may be one. */
START_TEST(an_offset_is_one_that_lseek_sets)
{
	static const struct {
		uint64_t noted, taken;
	} offsets[] = {
		{ 3, 3 },
		{ INT64_MAX, INT64_MAX },
		{ (uint64_t)INT64_MIN, INT64_MAX },
		{ UINT64_MAX, INT64_MAX },
		{ 0, 0 },
	};
	const struct vm_call read = { .number = SYS_read },
			     any = { .number = LINUX_NUMBERS_MAX };
	struct linux_process *process = linux_fixture_process();
	struct thaw_shim *shim;

	linux_fixture_start(false);
	shim = (void *)(linux_fixture_memory() + THAW_GPA_SHIM);
	ck_assert_int_eq(linux_fixture_call(&read), LINUX_INPUT);
	linux_fixture_freeze();
	ck_assert_uint_eq(process->shim.given.file_count, 1);
	ck_assert_uint_eq(process->shim.given.files[0].fd, 3);
	ck_assert_uint_eq(process->shim.given.files[0].size, 4);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		shim->offsets[0] = offsets[i].noted;
		ck_assert_int_eq(linux_fixture_call(&any), LINUX_GO_ON);
		ck_assert_uint_eq(files_get(&process->files, 3)->offset,
				  offsets[i].taken);
		ck_assert_uint_eq(shim->offsets[0], offsets[i].taken);
		/* other offsets are nobody's */
		shim->offsets[1] = offsets[i].noted;
	}
	linux_fixture_restore();
	ck_assert_uint_eq(files_get(&process->files, 3)->offset, 0);
	linux_fixture_stop();
}
END_TEST

/* What is to interrupt the program, and finds it in the shim, waits for the next call. */
START_TEST(the_shim_passes_on_a_call_if_a_signal_is_due)
{
	const struct vm_call read = { .number = SYS_read };
	struct vm_call any = { .number = LINUX_NUMBERS_MAX };
	struct linux_process *process = linux_fixture_process();
	const struct thaw_shim *shim;

	linux_fixture_start(false);
	shim = (const void *)(linux_fixture_memory() + THAW_GPA_SHIM);
	any.sp = linux_fixture_value(24) + 2 * THAW_PAGE_SIZE;
	any.pc = linux_fixture_value(24) + 7 * THAW_PAGE_SIZE;
	ck_assert_int_eq(linux_fixture_call(&read), LINUX_INPUT);
	process->signals.actions[SIGUSR1 - 1] = (struct linux_action){
		.handler = any.pc,
		.restorer = any.pc,
		.flags = 0x04000000,
	};
	linux_fixture_freeze();
	ck_assert_uint_eq(shim->is_active, 1);
	/* nothing is due */
	ck_assert_int_eq(linux_fixture_preempt(true), LINUX_GO_ON);
	ck_assert_uint_eq(shim->is_active, 1);
	signal_raise(&process->signals, SIGUSR1);
	ck_assert_int_eq(linux_fixture_preempt(true), LINUX_GO_ON);
	ck_assert_uint_eq(shim->is_active, 0);
	ck_assert_uint_eq(process->signals.handlers, 0);
	ck_assert_int_eq(linux_fixture_call(&any), LINUX_GO_ON);
	ck_assert_uint_eq(shim->is_active, 1);
	ck_assert_uint_eq(process->signals.handlers, 1);
	linux_fixture_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_calls");
	TCase *tests = tcase_create("linux_calls");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* the sanitizers take their time */
	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, any_arguments_are_survived_before_the_snapshot);
	tcase_add_test(tests, any_arguments_are_survived_in_a_request);
	tcase_add_test(tests, any_state_of_the_shim_is_survived);
	tcase_add_test(tests, any_request_of_gunyahs_devices_is_survived);
	tcase_add_test(tests, a_mapping_without_pages_is_none);
	tcase_add_test(tests, a_mapping_of_used_memory_is_none);
	tcase_add_test(tests, an_offset_is_one_that_lseek_sets);
	tcase_add_test(tests, the_shim_passes_on_a_call_if_a_signal_is_due);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
