/*
 * test_memory.c - what a server does when the kernel reports that memory is short. The
 * test makes the pressure up, and counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/offload.h"
#include "executor/server/memory.h"
#include "executor/server/memory_admit.h"
#include "executor/server/server_limits.h"
#include "tests/contract/support/guests.h"

#define VMS 4

static struct metrics_server metrics;
static struct budget buffers;
static const struct offload_config one = {
	.name = "test-job",
	.threads = 1,
	.per_share = 1,
};
static struct timers timers;
static struct generation *generation;
static struct memory memory;

static void write_catalog(char path[])
{
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"{\"version\":1,\"functions\":[{\"name\":\"f\",\"image\":"
		"\"%s/edges.elf\",\"entry\":\"measure\",\"memory\":\"4MiB\","
		"\"max_request\":\"4KiB\",\"max_reply\":\"4KiB\","
		"\"concurrency\":{\"max\":%d,\"warm\":1}}]}",
		TEST_GUESTS, VMS);
	fclose(file);
}

static struct deployment_host host;

static void set_up(void)
{
	const struct memory_config config = {
		.max = 64 * UNITS_MIB,
		.idle_ns = 3600 * NS_PER_S,
		.root = "/nonexistent",
		.timers = &timers,
		.metrics = &metrics,
		.buffers = &buffers,
	};
	const struct function_options options = { .dirty = DIRTY_AUTO,
						  .verify = true,
						  .memory = &memory.budget };
	char path[] = "/tmp/thaw-test-XXXXXX";
	struct generation_changes changes;
	struct error err;

	write_catalog(path);
	memory_init(&memory, &config);
	ck_assert_msg(!generation_load(&host, path, NULL, &err, &generation,
				       &changes),
		      "%s", err.message);
	unlink(path);
	memory_admit(&memory, generation);
	deployment_deploy(generation->deployments[0], &options);
	ck_assert(deployment_is_active(generation->deployments[0]));
	memory_set_generation(&memory, generation);
}

static void tear_down(void)
{
	memory_stop(&memory);
	generation_release(generation);
	memory_done(&memory);
	/* nothing of it is left */
	ck_assert_uint_eq(memory.budget.used, 0);
	ck_assert_uint_eq(memory.budget.freeing, 0);
}

static struct pool *pool(void)
{
	return generation->deployments[0]->function->pool;
}

static unsigned count_idle(void)
{
	unsigned idle, busy, waiting;

	pool_count(pool(), &idle, &busy, &waiting);
	return idle;
}

static void make_all_idle(void)
{
	struct vm *vms[VMS];
	struct error err;

	for (int i = 0; i < VMS; i++)
		ck_assert_int_eq(pool_acquire(pool(), &err, &vms[i]), 0);
	for (int i = 0; i < VMS; i++)
		pool_release(pool(), vms[i], false,
			     &(struct vm_moment){ .monotonic_ns =
							  clock_now_ns() },
			     NULL);
	ck_assert_uint_eq(count_idle(), VMS);
}

/* Reports pressure, and waits for its effect. */
static void press(void)
{
	struct offload_pool *offload;
	struct error err;

	ck_assert_int_eq(offload_pool_create(&one, &err, &offload), 0);
	memory_start(&memory, offload, NULL);
	memory_press(&memory);
	memory_stop(&memory);
	offload_pool_free(offload);
}

/*
 * The root that is a file system's: with a pipe in pressure's place, which takes
 * what is asked for.
 */
static char root[] = "/tmp/thaw-test-XXXXXX";

static void make_root(void)
{
	static const char *const folders[] = { "/proc", "/proc/pressure" };
	char path[64];

	ck_assert_ptr_nonnull(mkdtemp(root));
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	snprintf(path, sizeof(path), "%s/proc/pressure/memory", root);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void remove_root(void)
{
	static const char *const names[] = { "/proc/pressure/memory",
					     "/proc/pressure", "/proc", "" };
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s%s", root, names[i]);
		ck_assert_int_eq(remove(path), 0);
	}
}

/* Adds what is urgent to read, as pressure is: word of a terminal's flush. */
static void add_urgent(int events)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, on = 1;
	struct epoll_event event = { .events = EPOLLPRI };

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(ioctl(master, TIOCPKT, &on), 0);
	ck_assert_int_eq(epoll_ctl(events, EPOLL_CTL_ADD, master, &event), 0);
	ck_assert_int_eq(tcflush(slave, TCIFLUSH), 0);
}

static uint64_t trimmed(enum metrics_trim why)
{
	return metrics_get(&metrics.vms_trimmed[why]);
}

/* Presses, after which so many are idle, and so many have given back their memory. */
static void check_press(unsigned idle, unsigned shrunk)
{
	press();
	ck_assert_uint_eq(count_idle(), idle);
	ck_assert_uint_eq(metrics_get(&metrics.vms_shrunk_total), shrunk);
}

START_TEST(pressure_takes_what_is_made_again_soonest_first)
{
	uint64_t before_ns[VMS], after_ns[VMS];

	make_all_idle();
	/* memory, but not the warm one's */
	check_press(4, 3);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_PRESSURE), 0);
	/* the older half of the others, and the warm one's memory */
	ck_assert_uint_eq(pool_list_idle(pool(), true, before_ns, VMS), 4);
	check_press(2, 4);
	ck_assert_uint_eq(pool_list_idle(pool(), true, after_ns, VMS), 2);
	ck_assert_mem_eq(after_ns, before_ns + 2, 2 * sizeof(*after_ns));
	check_press(1, 4);
	/* the warm one, as there is no other */
	check_press(0, 4);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_PRESSURE), 4);
	/* the next pressure begins anew */
	make_all_idle();
	memory.pressed_ns = clock_now_ns() - SERVER_PRESSURE_GOES_ON_NS;
	check_press(4, 7);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_IDLE), 0);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_LIMIT), 0);
}
END_TEST

START_TEST(pressure_before_a_sweep_for_it_has_ended_is_the_same_pressure)
{
	struct offload_pool *offload;
	struct error err;

	make_all_idle();
	ck_assert_int_eq(offload_pool_create(&one, &err, &offload), 0);
	memory_start(&memory, offload, NULL);
	/* a sweep waits for this lock */
	pthread_mutex_lock(&memory.lock);
	memory_press(&memory);
	memory_press(&memory);
	pthread_mutex_unlock(&memory.lock);
	memory_stop(&memory);
	offload_pool_free(offload);
	ck_assert_uint_eq(count_idle(), VMS);
	ck_assert_uint_eq(metrics_get(&metrics.vms_shrunk_total), VMS - 1);
}
END_TEST

START_TEST(pressure_during_a_sweep_is_acted_on_without_a_timer)
{
	struct offload_pool *offload;
	struct error err;

	make_all_idle();
	ck_assert_int_eq(offload_pool_create(&one, &err, &offload), 0);
	memory_start(&memory, offload, NULL);
	memory_press(&memory);
	while (memory.pressure)
		;
	memory_press(&memory);
	memory_stop(&memory);
	offload_pool_free(offload);
	ck_assert_int_eq(memory.pressure, 0);
}
END_TEST

START_TEST(pressure_after_the_end_is_left_alone)
{
	make_all_idle();
	press();
	/* the builders have ended */
	memory_press(&memory);
	ck_assert(!memory.sweeping);
	ck_assert_uint_eq(count_idle(), VMS);
}
END_TEST

/* Has the timer begin a sweep, and waits for its end. */
static void sweep(void)
{
	struct offload_pool *offload;
	struct error err;

	ck_assert_int_eq(offload_pool_create(&one, &err, &offload), 0);
	memory_start(&memory, offload, NULL);
	memory.timer.fire(&memory.timer);
	memory_stop(&memory);
	offload_pool_free(offload);
}

START_TEST(warm_vms_are_made_again_once_memory_is_not_short)
{
	make_all_idle();
	for (int i = 0; i < VMS; i++)
		press();
	ck_assert_uint_eq(count_idle(), 0);
	sweep();
	ck_assert_uint_eq(count_idle(), 0);
	memory.pressed_ns = clock_now_ns() - SERVER_PRESSURE_GOES_ON_NS - 1;
	sweep();
	ck_assert_uint_eq(count_idle(), 1);
}
END_TEST

START_TEST(vms_give_memory_back_after_half_the_time_and_go_after_all_of_it)
{
	/* half of the time since the machine was booted, which may be little */
	const uint64_t now_ns = clock_now_ns(), idle_ns = now_ns / 2;
	const struct vm_moment half = { .monotonic_ns =
						now_ns - idle_ns / 4 * 3 };
	const struct vm_moment all = { .monotonic_ns = 1 };
	struct vm *vms[VMS];
	struct error err;

	memory.config.idle_ns = idle_ns;
	for (int i = 0; i < VMS; i++)
		ck_assert_int_eq(pool_acquire(pool(), &err, &vms[i]), 0);
	pool_release(pool(), vms[0], false, &all, NULL);
	pool_release(pool(), vms[1], false, &half, NULL);
	for (int i = 2; i < VMS; i++)
		pool_release(pool(), vms[i], false,
			     &(struct vm_moment){ .monotonic_ns =
							  clock_now_ns() },
			     NULL);
	sweep();
	ck_assert_uint_eq(count_idle(), VMS - 1);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_IDLE), 1);
	ck_assert_uint_eq(metrics_get(&metrics.vms_shrunk_total), 1);
	sweep();
	ck_assert_uint_eq(metrics_get(&metrics.vms_shrunk_total), 1);
}
END_TEST

static const enum io_backend backends_of_io[] = { IO_EPOLL, IO_AUTO };

START_TEST(the_kernels_word_is_heard)
{
	struct offload_pool *offload;
	struct error err;
	struct io *io;

	make_root();
	memory.config.root = root;
	ck_assert_int_eq(io_create(backends_of_io[_i], &err, &io), 0);
	ck_assert_int_eq(offload_pool_create(&one, &err, &offload), 0);
	memory_start(&memory, offload, io);
	remove_root();
	ck_assert(memory.is_watched);
	make_all_idle();
	io_wait(io, 0);
	ck_assert_uint_eq(memory.pressed_ns, 0);
	add_urgent(memory.source.events);
	while (!memory.pressed_ns)
		io_wait(io, UINT64_MAX);
	memory_stop(&memory);
	offload_pool_free(offload);
	io_free(io);
	ck_assert_uint_ge(metrics_get(&metrics.vms_shrunk_total), VMS - 1);
}
END_TEST

START_TEST(what_vms_and_snapshots_take_is_counted)
{
	const uint64_t before = memory.budget.used, vm = 4 * UNITS_MIB;
	struct error err;

	/* a warm vm, and less than 1 MiB that the boot has written */
	ck_assert_uint_gt(before, vm);
	ck_assert_uint_lt(before, vm + UNITS_MIB);
	make_all_idle();
	ck_assert_uint_eq(memory.budget.used, before + (VMS - 1) * vm);
	/* whoever needs one byte more than is left gets an idle vm freed */
	ck_assert_int_eq(memory_budget_take(&memory.budget,
					    memory.budget.max -
						    memory.budget.used + 1,
					    &err),
			 0);
	ck_assert_uint_eq(count_idle(), VMS - 1);
	ck_assert_uint_eq(trimmed(METRICS_TRIM_LIMIT), 1);
	/* but not the warm one */
	ck_assert_int_ne(memory_budget_take(&memory.budget, 3 * vm, &err), 0);
	ck_assert_uint_eq(count_idle(), 1);
	memory_budget_give(&memory.budget, memory.budget.used - before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *group = tcase_create("memory");

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, pressure_takes_what_is_made_again_soonest_first);
	tcase_add_test(
		group,
		vms_give_memory_back_after_half_the_time_and_go_after_all_of_it);
	tcase_add_test(
		group,
		pressure_before_a_sweep_for_it_has_ended_is_the_same_pressure);
	tcase_add_test(group,
		       pressure_during_a_sweep_is_acted_on_without_a_timer);
	tcase_add_loop_test(group, the_kernels_word_is_heard, 0, 2);
	tcase_add_test(group, pressure_after_the_end_is_left_alone);
	tcase_add_test(group, warm_vms_are_made_again_once_memory_is_not_short);
	tcase_add_test(group, what_vms_and_snapshots_take_is_counted);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
