/* test_machine_memory.c - limits of cgroups, and the files that tell of pressure */
#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine_memory.h"

static char root[] = "/tmp/thaw-test-XXXXXX";
static uint64_t all; /* memory of the machine */

/* Makes the folders of @path, which is below the root, and returns it whole. */
static const char *prepare(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	return full;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(prepare(path), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void set_up(void)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	all = (uint64_t)sysconf(_SC_PHYS_PAGES) *
	      (uint64_t)sysconf(_SC_PAGESIZE);
}

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/memory"

START_TEST(without_cgroups_it_is_the_machines)
{
	ck_assert_uint_eq(machine_memory(root), all);
	put("/proc/self/cgroup", "0::/\n");
	ck_assert_uint_eq(machine_memory(root), all);
	put("/proc/self/cgroup", "nonsense\n:::\n0::\n");
	ck_assert_uint_eq(machine_memory(root), all);
}
END_TEST

START_TEST(the_least_of_a_cgroup_and_those_above_counts)
{
	put("/proc/self/cgroup", "0::/system.slice/thaw.service\n");
	put(V2 "/system.slice/thaw.service/memory.max", "max\n");
	ck_assert_uint_eq(machine_memory(root), all);
	put(V2 "/system.slice/memory.max", "104857600\n");
	ck_assert_uint_eq(machine_memory(root), 104857600);
	put(V2 "/system.slice/thaw.service/memory.high", "94371840\n");
	ck_assert_uint_eq(machine_memory(root), 94371840);
	put(V2 "/memory.max", "83886080\n");
	ck_assert_uint_eq(machine_memory(root), 83886080);
	put(V2 "/system.slice/thaw.service/memory.max", "73400320\n");
	ck_assert_uint_eq(machine_memory(root), 73400320);
}
END_TEST

START_TEST(cgroups_of_version_1_count_too)
{
	put("/proc/self/cgroup", "5:cpu:/a\n4:memory:/one/two\n0::/\n");
	put(V1 "/one/two/memory.limit_in_bytes", "9223372036854771712\n");
	ck_assert_uint_eq(machine_memory(root), all);
	put(V1 "/one/memory.limit_in_bytes", "104857600\n");
	ck_assert_uint_eq(machine_memory(root), 104857600);
	/* a container sees its own where it believes the root to be */
	put(V1 "/memory.limit_in_bytes", "94371840\n");
	ck_assert_uint_eq(machine_memory(root), 94371840);
}
END_TEST

/* A pipe takes what is written to it, and can be waited for. */
static void put_pipe(const char *path)
{
	ck_assert_int_eq(mkfifo(prepare(path), 0600), 0);
}

START_TEST(pressure_is_the_cgroups_own_or_the_machines)
{
	struct machine_pressure pressure;
	struct error err;
	char asked[64] = "";

	ck_assert_int_lt(machine_pressure_open(&pressure, root, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "/proc/pressure/memory"));
	machine_pressure_close(&pressure);

	put_pipe("/proc/pressure/memory");
	ck_assert_int_eq(machine_pressure_open(&pressure, root, &err), 0);
	ck_assert_ptr_nonnull(strstr(pressure.path, "/proc/pressure/memory"));
	ck_assert_int_gt(read(pressure.trigger, asked, sizeof(asked)), 0);
	ck_assert_str_eq(asked, "some 200000 2000000");
	/* the kernel tells of an event once: that it was readable is all there is */
	ck_assert(machine_pressure_take(&pressure));
	machine_pressure_close(&pressure);

	put("/proc/self/cgroup", "0::/thaw.service\n");
	put_pipe(V2 "/thaw.service/memory.pressure");
	ck_assert_int_eq(machine_pressure_open(&pressure, root, &err), 0);
	ck_assert_ptr_nonnull(strstr(pressure.path, "/thaw.service/"));
	machine_pressure_close(&pressure);
}
END_TEST

/* Tells @pressure of an event, before which tasks have waited for @waited. */
static bool take_after(struct machine_pressure *pressure, const char *waited)
{
	put("/report", waited);
	return machine_pressure_take(pressure);
}

START_TEST(a_report_of_what_nobody_waited_for_is_no_pressure)
{
	struct machine_pressure pressure;
	struct error err;

	put_pipe("/proc/pressure/memory");
	ck_assert_int_eq(machine_pressure_open(&pressure, root, &err), 0);
	ck_assert_uint_eq(pressure.waited_us, UINT64_MAX);
	/* a file can be read as the kernel's can, and the pipe cannot */
	put("/report", "");
	ck_assert_int_eq(close(pressure.trigger), 0);
	pressure.trigger = open(prepare("/report"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(pressure.trigger, 0);
	pressure.waited_us = 22600000;
#define REPORT(total)                                         \
	"some avg10=0.00 avg60=0.00 avg300=0.00 total=" total \
	"\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
	/* the first one of an unprivileged process, on Linux 6.5 and later */
	ck_assert(!take_after(&pressure, REPORT("22600001")));
	ck_assert(!take_after(&pressure, REPORT("22700000")));
	ck_assert(take_after(&pressure, REPORT("22800000")));
	ck_assert(take_after(&pressure, REPORT("33000000")));
	ck_assert(!take_after(&pressure, REPORT("33000000")));
	/* what cannot be read may be pressure */
	ck_assert(take_after(&pressure, "some total=much\n"));
	ck_assert(take_after(&pressure, REPORT("33000000")));
	ck_assert(!take_after(&pressure, REPORT("33000000")));
#undef REPORT
	machine_pressure_close(&pressure);
}
END_TEST

START_TEST(a_cgroup_that_has_gone_tells_nothing_more)
{
	struct machine_pressure pressure;
	struct epoll_event event;
	struct error err;
	int ends[2];

	put_pipe("/proc/pressure/memory");
	ck_assert_int_eq(machine_pressure_open(&pressure, root, &err), 0);
	/* as the file of such a cgroup, a pipe that nobody reads is an error */
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	event.events = EPOLLPRI;
	ck_assert_int_eq(close(pressure.trigger), 0);
	pressure.trigger = ends[1];
	ck_assert_int_eq(epoll_ctl(pressure.events, EPOLL_CTL_ADD,
				   pressure.trigger, &event),
			 0);
	ck_assert_int_eq(epoll_wait(pressure.events, &event, 1, 0), 1);
	ck_assert(!machine_pressure_take(&pressure));
	ck_assert_int_eq(epoll_wait(pressure.events, &event, 1, 0), 0);
	machine_pressure_close(&pressure);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine_memory");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("machine_memory");
	int failed;

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, without_cgroups_it_is_the_machines);
	tcase_add_test(group, the_least_of_a_cgroup_and_those_above_counts);
	tcase_add_test(group, cgroups_of_version_1_count_too);
	tcase_add_test(group, pressure_is_the_cgroups_own_or_the_machines);
	tcase_add_test(group,
		       a_report_of_what_nobody_waited_for_is_no_pressure);
	tcase_add_test(group, a_cgroup_that_has_gone_tells_nothing_more);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
