/* density.c - see density.h. */
#include "bench/density.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/files.h"
#include "bench/invoke.h"
#include "bench/stored_server.h"
#include "bench/warn.h"

#define VMS_MAX 1000
static const unsigned vms_of_step[BENCH_DENSITY_STEPS] = { 1, 10, 100,
							   VMS_MAX };

/* Of the server's functions, beyond the one that it is compared with. */
#define FUNCTIONS 1000

/* A vm that cannot be made was short of what fewer than so many are left of. */
#define FILES_SPARE 8
#define MAPPINGS_SPARE 64

/* Lets the kernel free what it frees later. */
#define SETTLE_NS (50 * NS_PER_MS)

static const uint32_t nothing[BENCH_REQUEST_SIZE / sizeof(uint32_t)];

/* What the child tells its parent, in memory that they share. */
struct outcome {
	int result; /* 0 or -errno; -EOPNOTSUPP: a limit does not allow it */
	struct error error;
	struct bench_footprint each;
};

/* Vms that are held by their replies. */
struct crowd {
	struct thaw *thaw;
	unsigned count;
	struct thaw_reply replies[VMS_MAX];
};

/* Of a process; if that cannot be read, there is no limit to be named. */
static unsigned long mappings_max(void)
{
	cleanup_fclose FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	unsigned long max;

	return file && fscanf(file, "%lu", &max) == 1 ? max : ULONG_MAX;
}

/* The server raises its own limit in the same way. Returns the limit. */
static double allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return (double)limit.rlim_max;
}

/*
 * Says which limit it was that did not allow another vm beside @count of them. Without
 * any, it may be no limit: @result.
 */
static int name_limit(const struct bench_footprint_files *files, unsigned count,
		      int result, struct error *err)
{
	const double files_max = allow_files();
	const unsigned long maps_max = mappings_max();
	struct bench_footprint now;
	struct error unread;

	if (bench_footprint_read(files, &unread, &now))
		return result;
	if (now.descriptors + FILES_SPARE > files_max)
		return error_prefix(err, -EOPNOTSUPP,
				    "the limit of open files, %.0f, allows no "
				    "more vms than %u: raise it (ulimit -Hn)",
				    files_max, count);
	if (now.mappings + MAPPINGS_SPARE > (double)maps_max)
		return error_prefix(err, -EOPNOTSUPP,
				    "vm.max_map_count, %lu, allows no more vms "
				    "than %u",
				    maps_max, count);
	return count ? error_prefix(err, -EOPNOTSUPP,
				    "this machine allows no more vms than %u",
				    count) :
		       result;
}

static int gather(struct crowd *crowd, unsigned vms, struct error *err)
{
	int r = 0;

	while (!r && crowd->count < vms) {
		r = bench_thaw_invoke(crowd->thaw, nothing, err,
				      &crowd->replies[crowd->count]);
		crowd->count += !r;
	}
	return r;
}

static void pause_until_settled(void)
{
	const struct timespec pause = { .tv_nsec = SETTLE_NS };

	nanosleep(&pause, NULL);
}

static int measure_crowd(struct crowd *crowd, unsigned vms,
			 const struct bench_footprint_files *files,
			 struct error *err, struct bench_footprint *ret_each)
{
	struct bench_footprint before, after;
	int r;

	pause_until_settled();
	r = bench_footprint_read(files, err, &before);
	if (r)
		return r;
	r = gather(crowd, vms, err);
	if (r)
		return name_limit(files, crowd->count, r, err);
	r = bench_footprint_read(files, err, &after);
	if (!r)
		*ret_each = bench_footprint_each(&before, &after, vms);
	return r;
}

/* In the child. */
static int measure_vms(const struct bench_setup *setup, unsigned vms,
		       struct error *err, struct bench_footprint *ret_each)
{
	const struct bench_function function = { .entry = "empty", .vms = vms };
	struct bench_footprint_files files = { .memory = NULL };
	struct crowd *crowd;
	int r;

	(void)allow_files();
	/* memory that is there before the vms are, and not counted as theirs */
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (crowd == MAP_FAILED)
		return error_set(err, -ENOMEM, "no memory");
	r = bench_footprint_open(getpid(), err, &files);
	if (!r)
		r = bench_thaw_open(setup, &function, err, &crowd->thaw);
	if (!r)
		r = measure_crowd(crowd, vms, &files, err, ret_each);
	while (crowd->count)
		thaw_reply_release(&crowd->replies[--crowd->count]);
	thaw_close(crowd->thaw);
	bench_footprint_close(&files);
	munmap(crowd, sizeof(*crowd));
	return r;
}

static int measure_in_child(const struct bench_setup *setup, unsigned vms,
			    struct outcome *outcome)
{
	const pid_t parent = getpid();
	pid_t child;

	/* what the child does not replace */
	outcome->result = -EIO;
	error_set(&outcome->error, -EIO, "the process with the vms has died");
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			outcome->result = measure_vms(setup, vms,
						      &outcome->error,
						      &outcome->each);
		_exit(0);
	}
	if (child < 0)
		return error_set(&outcome->error, -errno, "fork: %s",
				 strerror(errno));
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return outcome->result;
}

/* Whether a limit of this machine is why it cannot be measured. */
static bool is_left_out(int result)
{
	return result == -EOPNOTSUPP || result == -EMFILE;
}

/* The machine's other programs may have given back more than vms took: 0. */
static double per_gib(const struct bench_footprint *each)
{
	const double kib = each->private_kib + each->kernel_kib;

	return kib > 0 ? 1024.0 * 1024 / kib : 0;
}

static int measure_steps(const struct bench_setup *setup,
			 struct outcome *outcome, struct bench_density *density)
{
	for (size_t i = 0; i < BENCH_DENSITY_STEPS; i++) {
		const unsigned vms = vms_of_step[i];
		const struct bench_footprint *each = &outcome->each;
		int r = measure_in_child(setup, vms, outcome);

		if (is_left_out(r)) {
			bench_warn("%u %s left out: %s", vms,
				   vms == 1 ? "vm is" : "vms are",
				   outcome->error.message);
			continue;
		}
		if (r)
			return error_prefix(&outcome->error, r, "vms: %u", vms);
		density->steps[density->count++] =
			(struct bench_density_step){ vms, *each };
		density->vms_per_gib = per_gib(each);
	}
	return 0;
}

static int measure_all_vms(const struct bench_setup *setup, struct error *err,
			   struct bench_density *density)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome),
				       PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (outcome == MAP_FAILED)
		return error_set(err, -ENOMEM, "no memory");
	r = measure_steps(setup, outcome, density);
	if (r)
		*err = outcome->error;
	munmap(outcome, sizeof(*outcome));
	return r;
}

static int measure_server(struct bench_stored *stored, struct error *err,
			  struct bench_footprint *ret_footprint)
{
	struct bench_footprint_files files;
	pid_t server;
	int r = bench_stored_start(stored, err, &server);

	if (r)
		return r;
	r = bench_footprint_open(server, err, &files);
	if (!r)
		r = bench_footprint_read(&files, err, ret_footprint);
	bench_footprint_close(&files);
	bench_stored_end(stored);
	return r;
}

static int measure_stored(const struct bench_setup *setup, unsigned functions,
			  struct error *err,
			  struct bench_footprint *ret_footprint)
{
	struct bench_stored *stored = NULL;
	int r = bench_stored_open(setup, functions, err, &stored);

	if (!r)
		r = measure_server(stored, err, ret_footprint);
	bench_stored_close(stored);
	return r;
}

static int measure_functions(const struct bench_setup *setup, struct error *err,
			     struct bench_density *density)
{
	struct bench_footprint one, many;
	int r = measure_stored(setup, 1, err, &one);

	if (!r)
		r = measure_stored(setup, 1 + FUNCTIONS, err, &many);
	if (is_left_out(r)) {
		bench_warn("idle functions are left out: %s", err->message);
		return 0;
	}
	if (r)
		return error_prefix(err, r, "idle functions");
	density->functions = FUNCTIONS;
	density->idle = bench_footprint_each(&one, &many, FUNCTIONS);
	return 0;
}

int bench_density_measure(struct error *err, struct bench_density *ret_density)
{
	struct bench_setup setup = { .guest_fd = -1, .program_fd = -1 };
	int r = bench_files_open(&setup, err);

	*ret_density = (struct bench_density){ .count = 0 };
	if (!r)
		r = measure_all_vms(&setup, err, ret_density);
	if (!r)
		r = measure_functions(&setup, err, ret_density);
	bench_files_close(&setup);
	return r;
}
