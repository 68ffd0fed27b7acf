/*
 * test_linux_state.c - what the host knows of a program, written and read back; and read
 * of hostile bytes, which may bring about no more than a program could.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/buffer.h"
#include "executor/linux/state.h"
#include "executor/linux/tmpfs_tree.h"
#include "linux_fixture.h"
#include "snapshot/store/file.h"

#define ROUNDS 400
#define GOLDEN "tests/unit/golden/linux_state.txt"
#define GOLDEN_PROCESSES 10
#define CALLS_MAX 120

static uint32_t seed;
static struct error err;

/* How many states had some of each kind. */
static struct {
	unsigned pipes, epolls, timers, events, nodes, links, threads, signals,
		frames, unnamed, all;
} had;

static unsigned choose(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static enum linux_step call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
			    uint64_t d)
{
	const struct vm_call made = { .number = number,
				      .args = { a, b, c, d },
				      .pc = linux_fixture_value(24),
				      .sp = linux_fixture_value(34) };

	return linux_fixture_call(&made);
}

/* Text that paths and data are taken from, in the program's memory. */
static uint64_t put_text(const char *text)
{
	const uint64_t at = linux_fixture_value(24) + THAW_PAGE_SIZE;

	memcpy(linux_fixture_memory() + at, text, strlen(text) + 1);
	return at;
}

static const char *const paths[] = { "/tmp/a",	 "/tmp/b",    "/tmp/d",
				     "/tmp/d/e", "/dev/null", "/dev/shm/x" };

static uint64_t some_path(void)
{
	return put_text(paths[choose() % (sizeof(paths) / sizeof(*paths))]);
}

static uint64_t some_fd(void)
{
	return choose() % 12;
}

/* Pages without memory, and then with some, from the last one on: each has a table. */
static enum linux_step use_reserve(void)
{
	const struct layout_range *reserve =
		&linux_fixture_process()->space.layout->reserve;
	const uint64_t at = reserve->start + choose() % 4 * ((uint64_t)1 << 32);
	const uint64_t table = (uint64_t)2 << 20;
	enum linux_step step;

	step = call(SYS_mmap, at, 4 * table, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
	for (unsigned i = 4; i-- && step == LINUX_GO_ON;)
		step = call(SYS_mprotect, at + i * table, THAW_PAGE_SIZE,
			    PROT_READ | PROT_WRITE, 0);
	return step;
}

/* One of the calls that leave something behind: the same for the same seed, whoever compiles. */
static enum linux_step some_call(void)
{
	const uint64_t at = linux_fixture_value(24) + 64;
	const unsigned kind = choose() % 21;
	const uint64_t fd = some_fd(), other = some_fd();
	const unsigned n = choose(), m = choose();
	uint64_t path;

	switch (kind) {
	case 0:
		return call(SYS_pipe2, at, n % 2 ? O_NONBLOCK : 0, 0, 0);
	case 1:
		return call(SYS_eventfd2, n % 9, 0, 0, 0);
	case 2:
		return call(SYS_timerfd_create, 1, 0, 0, 0);
	case 3:
		return call(SYS_timerfd_settime, fd, 0, linux_fixture_value(n),
			    0);
	case 4:
		return call(SYS_epoll_create1, 0, 0, 0, 0);
	case 5:
	case 6:
		return call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, other, at);
	case 7:
	case 8:
		return call(SYS_openat, (uint64_t)AT_FDCWD, some_path(),
			    O_CREAT | O_RDWR, 0600);
	case 9:
		return call(SYS_mkdirat, (uint64_t)AT_FDCWD, some_path(), 0700,
			    0);
	case 10:
		path = put_text("target");
		return call(SYS_symlinkat, path, (uint64_t)AT_FDCWD,
			    linux_fixture_value(24), 0);
	case 11:
		return call(SYS_write, 3 + fd, at, n % 9000, 0);
	case 12:
		return call(SYS_memfd_create, put_text("m"), 0, 0, 0);
	case 13:
		return call(SYS_unlinkat, (uint64_t)AT_FDCWD, some_path(), 0,
			    0);
	case 14:
		return call(SYS_mmap, 0, THAW_PAGE_SIZE * (1 + n % 4),
			    PROT_READ | (m % 2 ? PROT_WRITE : 0),
			    MAP_PRIVATE | MAP_ANONYMOUS);
	case 15:
		return call(SYS_mprotect,
			    linux_fixture_value(24) + n % 4 * THAW_PAGE_SIZE,
			    THAW_PAGE_SIZE, m % 4 * 2 % 5, 0);
	case 16:
		return call(SYS_clone,
			    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				    CLONE_THREAD | CLONE_SYSVSEM,
			    linux_fixture_value(34), 0, 0);
	case 17:
		return call(SYS_rt_sigprocmask, SIG_BLOCK, at, 0, 8);
	case 18:
		return call(SYS_tkill, 1, 34 + n % 8, 0, 0);
	case 19:
		return use_reserve();
	default:
		return call(SYS_dup, fd, 0, 0, 0);
	}
}

static void count_kinds(void)
{
	const struct linux_process *process = linux_fixture_process();
	const struct tmpfs_tree *tree = process->tmpfs.tree;

	had.all++;
	had.pipes += process->files.pipes.capacity > 0;
	had.epolls += process->files.epolls.count > 0;
	had.timers += process->files.timers > 0;
	had.nodes += tree->nodes_used > TMPFS_ROOTS;
	had.links += tree->name_count > 1;
	had.unnamed += tree->unnamed > 0;
	had.threads += process->threads.count > 1;
	had.signals += process->signals.queued > 0;
	had.frames += process->space.tables_used > 0;
}

/* Makes some process, and freezes it. */
static void make_frozen(void)
{
	enum linux_step step = LINUX_EXIT;

	while (step != LINUX_INPUT) {
		unsigned count = choose() % CALLS_MAX;

		linux_fixture_start(false);
		step = LINUX_GO_ON;
		while (count-- && step == LINUX_GO_ON)
			step = some_call();
		if (step == LINUX_GO_ON)
			step = call(SYS_read, 0, linux_fixture_value(24), 10,
				    0);
		if (step != LINUX_INPUT)
			linux_fixture_stop();
	}
	linux_fixture_freeze_alone();
	count_kinds();
}

static struct buffer write_state(void)
{
	struct buffer state = BUFFER_INIT(STATE_MAX);

	ck_assert_msg(!linux_fixture_write_state(&state, &err), "%s",
		      err.message);
	return state;
}

START_TEST(what_was_written_is_read_back)
{
	static uint8_t tables[LAYOUT_TABLES_MAX * THAW_PAGE_SIZE];
	const struct layout_range *range;

	seed = 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct buffer first, second;

		make_frozen();
		first = write_state();
		range = &linux_fixture_process()->space.layout->tables;
		memcpy(tables, linux_fixture_memory() + range->start,
		       range->size);
		ck_assert_msg(!linux_fixture_read_state(first.data, first.size,
							&err),
			      "%s", err.message);
		second = write_state();
		ck_assert_uint_eq(first.size, second.size);
		ck_assert_mem_eq(first.data, second.data, first.size);
		/* and they are made as those of a boot */
		ck_assert_mem_eq(tables, linux_fixture_memory() + range->start,
				 range->size);
		linux_fixture_stop();
		buffer_done(&first);
		buffer_done(&second);
	}
	/* all kinds were there */
	ck_assert_uint_gt(had.pipes, 20);
	ck_assert_uint_gt(had.epolls, 20);
	ck_assert_uint_gt(had.timers, 20);
	ck_assert_uint_gt(had.nodes, 20);
	ck_assert_uint_gt(had.links, 20);
	ck_assert_uint_gt(had.unnamed, 20);
	ck_assert_uint_gt(had.threads, 20);
	ck_assert_uint_gt(had.signals, 20);
	ck_assert_uint_gt(had.frames, 20);
}
END_TEST

/*
 * What is written of some processes has the hash that
 * golden/linux_state.txt has for this version. If it differs, states that were written before do
 * not fit any more: raise STATE_VERSION, and put the new hashes there, of both
 * architectures. Reading follows writing: what_was_written_is_read_back.
 */
START_TEST(a_state_of_this_version_is_still_written)
{
	static char golden[1024];
	FILE *file = fopen(GOLDEN, "r");
	uint8_t hash[STORE_HASH_SIZE];
	struct utsname machine;
	char line[128], *at = line;

	ck_assert_ptr_nonnull(file);
	golden[fread(golden, 1, sizeof(golden) - 1, file)] = '\0';
	fclose(file);
	ck_assert_int_eq(uname(&machine), 0);
	at += sprintf(at, "%s %u ", machine.machine, STATE_VERSION);
	for (seed = 100; seed < 100 + GOLDEN_PROCESSES; seed++) {
		const uint32_t before = seed;
		struct buffer state;

		make_frozen();
		state = write_state();
		store_hash(state.data, state.size, hash);
		for (size_t i = 0; i < 4; i++)
			at += sprintf(at, "%02x", hash[i]);
		linux_fixture_stop();
		buffer_done(&state);
		seed = before;
	}
	ck_assert_msg(strstr(golden, line) != NULL, "not in " GOLDEN ": %s",
		      line);
}
END_TEST

/* Neither is ever wrong in a file: there is none, and the message says why. */
START_TEST(what_cannot_be_stored_says_so)
{
	struct buffer state = BUFFER_INIT(STATE_MAX);

	linux_fixture_start(false);
	ck_assert_int_eq(call(SYS_openat, (uint64_t)AT_FDCWD,
			      put_text("/proc/self/maps"), 0, 0),
			 LINUX_GO_ON);
	ck_assert_int_eq(call(SYS_read, 0, linux_fixture_value(24), 10, 0),
			 LINUX_INPUT);
	linux_fixture_freeze_alone();
	ck_assert_int_eq(linux_fixture_write_state(&state, &err), -EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr(err.message, "/proc/self/maps is open"));
	linux_fixture_stop();
	linux_fixture_set_gunyah(true);
	linux_fixture_start(true);
	ck_assert_int_eq(linux_fixture_write_state(&state, &err), -EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr(err.message, "devices of Gunyah"));
	linux_fixture_stop();
	linux_fixture_set_gunyah(false);
	buffer_done(&state);
}
END_TEST

/* Calls that take a time of the program's clock, which is ahead of the host's. */
START_TEST(a_clock_that_is_ahead_is_so_in_all_calls)
{
	const uint64_t ahead_ns = UINT64_C(3600) * 1000000000;
	struct linux_process *process;
	struct timespec time;
	uint64_t at;

	linux_fixture_start(true);
	at = linux_fixture_value(24) + 64;
	process = linux_fixture_process();
	process->ahead_ns = ahead_ns;
	ck_assert_int_eq(call(SYS_clock_gettime, CLOCK_MONOTONIC, at, 0, 0),
			 LINUX_GO_ON);
	memcpy(&time, linux_fixture_memory() + at, sizeof(time));
	ck_assert_int_eq(time.tv_sec,
			 (long)((linux_fixture_now() + ahead_ns) / 1000000000));
	/* it sleeps until then, not for an hour more, nor not at all */
	time.tv_sec += 10;
	memcpy(linux_fixture_memory() + at, &time, sizeof(time));
	ck_assert_int_eq(call(SYS_clock_nanosleep, CLOCK_MONOTONIC,
			      TIMER_ABSTIME, at, 0),
			 LINUX_SLEEP);
	ck_assert_uint_lt(process->wake_ns - linux_fixture_now(),
			  UINT64_C(10000000000));
	ck_assert_uint_gt(process->wake_ns - linux_fixture_now(),
			  UINT64_C(8000000000));
	linux_fixture_stop();
}
END_TEST

START_TEST(what_is_truncated_is_refused)
{
	struct buffer state;

	seed = 2;
	make_frozen();
	state = write_state();
	/* each number is a border; of long runs of bytes, some places */
	for (size_t size = 0; size < state.size; size += size < 20000 ? 1 : 97)
		ck_assert_int_eq(linux_fixture_read_state(state.data, size,
							  &err),
				 -EBADMSG);
	buffer_append(&state, "", 1);
	ck_assert_int_eq(linux_fixture_read_state(state.data, state.size, &err),
			 -EBADMSG);
	ck_assert_int_eq(linux_fixture_read_state(state.data, state.size - 1,
						  &err),
			 0);
	linux_fixture_stop();
	buffer_done(&state);
}
END_TEST

/* What a request does then is checked by the fixture, call by call. */
static void try_calls(void)
{
	for (unsigned i = 0; i < 8; i++)
		if (some_call() != LINUX_GO_ON)
			linux_fixture_restore();
}

/* The state with another value at @at: refused, or a process that a program may be. */
static bool is_taken(const struct buffer *state, size_t at, uint64_t value)
{
	uint8_t *copy = malloc(state->size);
	int r;

	memcpy(copy, state->data, state->size);
	memcpy(copy + at, &value, sizeof(value));
	r = linux_fixture_read_state(copy, state->size, &err);
	free(copy);
	ck_assert(!r || r == -EBADMSG || r == -ESTALE || r == -ENOMEM);
	if (r)
		return false;
	if (linux_fixture_process()->step == LINUX_GO_ON)
		try_calls();
	return true;
}

START_TEST(each_number_may_be_any_other)
{
	unsigned taken = 0, refused = 0;

	for (seed = 3; seed < 6; seed++) {
		const uint32_t before = seed;
		struct buffer state;

		make_frozen();
		state = write_state();
		for (size_t at = 0; at + 8 <= state.size;
		     at += at < 30000 ? 8 : 8 * 61) {
			uint64_t value;

			memcpy(&value, state.data + at, sizeof(value));
			value = choose() % 2 ?
					linux_fixture_value(choose()) :
					value ^ UINT64_C(1) << choose() % 64;
			if (is_taken(&state, at, value))
				taken++;
			else
				refused++;
		}
		linux_fixture_stop();
		buffer_done(&state);
		seed = before;
	}
	ck_assert_uint_gt(taken, 100);
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

/* Shows the state in place of reading it; whether it is taken. */
static bool is_shown(const void *bytes, size_t size,
		     struct linux_process *ret_process)
{
	const struct linux_process *process = linux_fixture_process();
	const struct state_source source = {
		.bytes = bytes,
		.size = size,
		.program = process->program,
		.layout = process->space.layout,
	};
	int r = linux_state_show(&source, &err, ret_process);

	ck_assert(!r || r == -EBADMSG || r == -ENOMEM);
	return !r;
}

static void check_areas(const struct areas *areas, const struct areas *others)
{
	ck_assert_uint_eq(areas->count, others->count);
	for (size_t i = 0; i < areas->count; i++) {
		ck_assert_uint_eq(areas->list[i].start, others->list[i].start);
		ck_assert_uint_eq(areas->list[i].end, others->list[i].end);
		ck_assert_uint_eq(areas->list[i].prot, others->list[i].prot);
	}
}

START_TEST(what_is_shown_is_what_was_written)
{
	static struct linux_process shown;

	for (seed = 7; seed < 57; seed++) {
		const uint32_t before = seed;
		const struct linux_process *process;
		struct buffer state;

		make_frozen();
		process = linux_fixture_process();
		state = write_state();
		ck_assert_msg(is_shown(state.data, state.size, &shown), "%s",
			      err.message);
		check_areas(&shown.space.areas, &process->space.areas);
		ck_assert_uint_eq(shown.threads.count, process->threads.count);
		ck_assert_uint_eq(shown.signals.queued,
				  process->signals.queued);
		ck_assert_uint_eq(shown.tmpfs.tree->used,
				  process->tmpfs.tree->used);
		ck_assert_mem_eq(shown.files.descriptors,
				 process->files.descriptors,
				 sizeof(shown.files.descriptors));
		linux_process_done(&shown);
		linux_fixture_stop();
		buffer_done(&state);
		seed = before;
	}
}
END_TEST

/* Without the memory of the file, no less is refused but what only that tells. */
START_TEST(what_is_shown_passes_the_same_checks)
{
	static struct linux_process shown;
	unsigned refused = 0, taken = 0;
	struct buffer state;

	seed = 3;
	make_frozen();
	state = write_state();
	for (size_t size = 0; size < state.size; size += size < 20000 ? 1 : 97)
		ck_assert(!is_shown(state.data, size, &shown));
	buffer_append(&state, "", 1);
	ck_assert(!is_shown(state.data, state.size--, &shown));
	for (size_t at = 0; at + 8 <= state.size;
	     at += at < 30000 ? 8 : 8 * 61) {
		uint8_t *copy = malloc(state.size);
		const uint64_t value = linux_fixture_value(choose());
		bool is;

		memcpy(copy, state.data, state.size);
		memcpy(copy + at, &value, sizeof(value));
		is = is_shown(copy, state.size, &shown);
		if (is)
			linux_process_done(&shown);
		/* both ways */
		ck_assert_int_eq(linux_fixture_read_state(copy, state.size,
							  &err),
				 is ? 0 : -EBADMSG);
		/* the layout that is_shown() takes */
		ck_assert_int_eq(linux_fixture_read_state(state.data,
							  state.size, &err),
				 0);
		taken += is;
		refused += !is;
		free(copy);
	}
	ck_assert_uint_gt(taken, 100);
	ck_assert_uint_gt(refused, 1000);
	linux_fixture_stop();
	buffer_done(&state);
}
END_TEST

/* Where the numbers are that follow each other in @state. */
static uint8_t *find_numbers(const struct buffer *state,
			     const uint64_t *numbers, size_t count)
{
	for (size_t at = 0; at + count * 8 <= state->size; at++)
		if (!memcmp(state->data + at, numbers, count * 8))
			return (uint8_t *)state->data + at;
	ck_abort_msg("there are no such numbers");
}

static void freeze_and_write(struct buffer *ret_state)
{
	ck_assert_int_eq(call(SYS_read, 0, linux_fixture_value(24), 10, 0),
			 LINUX_INPUT);
	linux_fixture_freeze_alone();
	*ret_state = write_state();
}

/* It could be written to until it is longer than any path. */
START_TEST(no_link_is_open_for_writing)
{
	static const uint64_t file[] = { 5, O_RDWR, 0, 2 };
	const uint64_t link = 3;
	uint64_t path;
	struct buffer state;

	linux_fixture_start(false);
	call(SYS_openat, (uint64_t)AT_FDCWD, put_text("/tmp/a"),
	     O_CREAT | O_RDWR, 0600);
	path = put_text("target");
	memcpy(linux_fixture_memory() + path + 16, "/tmp/link", 10);
	call(SYS_symlinkat, path, (uint64_t)AT_FDCWD, path + 16, 0);
	freeze_and_write(&state);
	memcpy(find_numbers(&state, file, 4) + 24, &link, sizeof(link));
	ck_assert_int_eq(linux_fixture_read_state(state.data, state.size, &err),
			 -EBADMSG);
	linux_fixture_stop();
	buffer_done(&state);
}
END_TEST

/* It would leave when it is asked whether it still waits. */
START_TEST(no_thread_waits_in_exit)
{
	static const uint64_t waiting[] = { 1, SYS_exit };
	const struct linux_threads *threads;
	struct buffer state;

	linux_fixture_start(false);
	call(SYS_clone,
	     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		     CLONE_SYSVSEM,
	     linux_fixture_value(34), 0, 0);
	freeze_and_write(&state);
	threads = &linux_fixture_process()->threads;
	ck_assert_uint_eq(threads->count, 2);
	for (unsigned i = 0; i < threads->count; i++) {
		const struct linux_thread *thread = threads->list[i];
		const uint64_t record[] = { (uint64_t)thread->id,
					    thread->is_waiting,
					    thread->wait.call.number };

		if (thread != threads->current)
			memcpy(find_numbers(&state, record, 3) + 8, waiting,
			       sizeof(waiting));
	}
	ck_assert_int_eq(linux_fixture_read_state(state.data, state.size, &err),
			 -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, "a thread that waits"));
	linux_fixture_stop();
	buffer_done(&state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_state");
	TCase *tests = tcase_create("linux_state");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, a_state_of_this_version_is_still_written);
	tcase_add_test(tests, what_was_written_is_read_back);
	tcase_add_test(tests, what_cannot_be_stored_says_so);
	tcase_add_test(tests, a_clock_that_is_ahead_is_so_in_all_calls);
	tcase_add_test(tests, what_is_truncated_is_refused);
	tcase_add_test(tests, each_number_may_be_any_other);
	tcase_add_test(tests, what_is_shown_is_what_was_written);
	tcase_add_test(tests, what_is_shown_passes_the_same_checks);
	tcase_add_test(tests, no_link_is_open_for_writing);
	tcase_add_test(tests, no_thread_waits_in_exit);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
