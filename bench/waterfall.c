/* waterfall.c - see waterfall.h. */
#include "bench/waterfall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/files.h"
#include "bench/instructions.h"
#include "bench/invoke.h"
#include "bench/row.h"
#include "bench/rows.h"
#include "bench/warn.h"
#include "executor/function.h"
#include "executor/invoke_reply.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "snapshot/info.h"
#include "snapshot/restore.h"
#include "vm/floor.h"
#include "vm/run.h"

/* Invocations until all that is learned has been learned; then what is counted. */
#define WARM_UP 100
#define COUNTED_ROUNDS 12
/* How often a step is repeated between two looks at the clock; and such blocks. */
#define REPEATS 1000
#define BLOCKS 50
/* Samples of what is measured in turn. */
#define SAMPLES_MAX 100000
#define SAMPLES_MIN 1000

/* Functions that begin a step. Those that are not here are part of the one before. */
static const struct {
	const char *function;
	enum bench_step step;
} step_table[] = {
	{ "count_once", BENCH_STEP_CALL },
	{ "bench_thaw_invoke", BENCH_STEP_CALL },
	{ "thaw_invoke", BENCH_STEP_CALL },
	{ "engine_deploy", BENCH_STEP_CALL },
	{ "invoke", BENCH_STEP_CALL },
	{ "invoke_start_pooled", BENCH_STEP_CALL },
	{ "invoke_request_check", BENCH_STEP_CALL },
	{ "invoke_typed_make", BENCH_STEP_CALL },
	{ "invoke_start_on", BENCH_STEP_CALL },
	{ "invoke_begin", BENCH_STEP_CALL },
	{ "invoke_attend", BENCH_STEP_CALL },
	{ "thaw_reply_release", BENCH_STEP_CALL },
	{ "invoke_release", BENCH_STEP_CALL },
	{ "vm_set_begun", BENCH_STEP_CALL },
	{ "poll_claim", BENCH_STEP_CALL },
	{ "function_count", BENCH_STEP_CALL },
	{ "vm_now", BENCH_STEP_CLOCKS },
	{ "vm_counter_now", BENCH_STEP_CLOCKS },
	{ "clock_gettime", BENCH_STEP_CLOCKS },
	{ "pool_acquire_idle", BENCH_STEP_POOL },
	{ "take_idle", BENCH_STEP_POOL },
	{ "pool_release", BENCH_STEP_POOL },
	{ "poll_rest", BENCH_STEP_POOL },
	{ "pool_keep", BENCH_STEP_POOL },
	{ "invoke_request_write", BENCH_STEP_REQUEST },
	{ "put_info", BENCH_STEP_REQUEST },
	{ "invoke_request_name", BENCH_STEP_REQUEST },
	{ "info_refresh", BENCH_STEP_INFO },
	{ "entropy_fill", BENCH_STEP_INFO },
	{ "vm_run", BENCH_STEP_RUN },
	{ "exit_await", BENCH_STEP_RUN },
	{ "exit_judge", BENCH_STEP_RUN },
	{ "invoke_take_lines", BENCH_STEP_REPLY },
	{ "invoke_reply_take", BENCH_STEP_REPLY },
	{ "snapshot_restore", BENCH_STEP_RESTORE },
	{ "vm_enter", BENCH_STEP_RESTORE },
	{ "copy_back", BENCH_STEP_COPY },
};

static int step_of(const char *function, bool is_vdso, int before)
{
	if (is_vdso)
		return BENCH_STEP_CLOCKS;
	for (size_t i = 0; i < sizeof(step_table) / sizeof(*step_table); i++)
		if (!strcmp(step_table[i].function, function))
			return (int)step_table[i].step;
	return before < 0 ? BENCH_STEP_CALL : before;
}

struct warm {
	const struct bench_setup *setup;
	struct thaw *thaw;
	uint32_t request[BENCH_REQUEST_SIZE / sizeof(uint32_t)];
};

static int warm_open(void *cookie, struct error *err)
{
	const struct bench_function function = { .entry = "empty", .vms = 1 };
	struct warm *warm = cookie;

	return bench_thaw_open(warm->setup, &function, err, &warm->thaw);
}

static int count_once(void *cookie, struct error *err)
{
	const struct warm *warm = cookie;
	struct thaw_reply reply;
	int r = bench_thaw_invoke(warm->thaw, warm->request, err, &reply);

	if (!r)
		thaw_reply_release(&reply);
	return r;
}

/* In a child: before this process has threads. */
static void count_instructions(struct warm *warm,
			       struct bench_waterfall *waterfall)
{
	const struct instructions_body body = {
		.open = warm_open,
		.once = count_once,
		.cookie = warm,
		.warm_up = WARM_UP,
		.rounds = COUNTED_ROUNDS,
		.step = step_of,
	};
	struct instructions *counted = malloc(sizeof(*counted));
	struct error err = { "no memory" };

	if (!counted || instructions_count(&body, &err, counted)) {
		bench_warn("instructions are not counted: %s", err.message);
		free(counted);
		return;
	}
	for (size_t i = 0; i < counted->count; i++)
		waterfall->instructions[counted->functions[i].step] +=
			(double)counted->functions[i].count / counted->rounds;
	waterfall->code_pages = counted->pages;
	waterfall->code_lines = counted->lines;
	free(counted);
}

/* What the steps that are repeated work on: a vm that nobody else has. */
struct repeated {
	struct function *function;
	struct vm *vm;
	const struct thaw_invoke_request *request;
	struct thaw_reply reply;
	struct vm_moment now;
	struct thaw_info info;
};

static int repeat_clocks(struct repeated *on)
{
	on->now = vm_now();
	/* as often as an invocation reads the counter besides */
	return vm_counter_now() + vm_counter_now() + vm_counter_now() ? 0 :
									-EIO;
}

static int repeat_clock(struct repeated *on)
{
	on->now.monotonic_ns = clock_now_ns();
	return 0;
}

/* It reads a clock, which pool_release() does not. */
static int repeat_pool(struct repeated *on)
{
	pool_give_back(on->function->pool, on->vm);
	on->vm = pool_acquire_idle(on->function->pool);
	return 0;
}

static int repeat_request(struct repeated *on)
{
	/* nobody restores it in between */
	vm_dirty(on->vm)->written_count = 0;
	return invoke_request_write(on->function, on->vm, on->request, &on->now,
				    UINT64_MAX / 2, &on->reply);
}

static int repeat_info(struct repeated *on)
{
	return info_refresh(&on->info, on->vm, &on->now, 0);
}

static int repeat_run(struct repeated *on)
{
	return vm_floor_around(on->vm, on->now.monotonic_ns + 60 * NS_PER_S);
}

static int repeat_reply(struct repeated *on)
{
	invoke_reply_take(on->function, on->vm, &on->reply);
	return on->reply.result == THAW_OK ? 0 : -EPROTO;
}

static int repeat_restore(struct repeated *on)
{
	return snapshot_restore(on->function->snapshot, on->vm, true, NULL);
}

static int repeat_copy(struct repeated *on)
{
	const struct dirty *dirty = vm_dirty(on->vm);
	const size_t size = snapshot_page_size(on->function->snapshot);
	uint8_t *memory = vm_memory(on->vm);

	/* from elsewhere: the snapshot is not for us to see */
	for (size_t i = 0; i < dirty->count; i++)
		memcpy(memory + dirty->pages[i] * size,
		       memory + dirty->page_count * size / 2 + i * size, size);
	return 0;
}

static int compare_ns(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_ns);
	return values[count / 2];
}

static int time_step(int (*repeat)(struct repeated *on), struct repeated *on,
		     struct error *err, double *ret_ns)
{
	double blocks[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++) {
		const uint64_t start_ns = clock_now_ns();
		int r = 0;

		for (unsigned n = 0; n < REPEATS && !r; n++)
			r = repeat(on);
		if (r)
			return error_set(err, r, "repeating a step: %s",
					 strerror(-r));
		blocks[i] = (double)(clock_now_ns() - start_ns) / REPEATS;
	}
	*ret_ns = median_of(blocks, BLOCKS);
	return 0;
}

/* A run of the guest from its entry stub, as of an invocation, and nothing else. */
static int run_guest(struct repeated *on, struct error *err, uint64_t *ret_ns)
{
	uint64_t start_ns;
	int r;

	vm_enter(on->vm);
	start_ns = clock_now_ns();
	r = vm_floor_run(on->vm);
	*ret_ns = clock_now_ns() - start_ns;
	return r ? error_set(err, r, "KVM_RUN: %s", strerror(-r)) : 0;
}

/* Brings the vm to where an invocation has just ended, in the steady state. */
static int settle(struct repeated *on, struct error *err)
{
	uint64_t ns;
	int r = 0;

	for (int i = 0; i < WARM_UP && !r; i++) {
		r = repeat_restore(on);
		if (!r)
			r = repeat_request(on);
		if (r)
			return error_set(err, r, "an invocation: %s",
					 strerror(-r));
		r = run_guest(on, err, &ns);
	}
	return r;
}

/* In the order in which the vm can take them. */
/* What is left of @whole_ns without @part_ns; 0 if that is less than both vary. */
static double without(double whole_ns, double part_ns)
{
	return whole_ns > part_ns ? whole_ns - part_ns : 0;
}

static int time_steps(struct repeated *on, struct error *err, double *ns)
{
	static const struct {
		enum bench_step step;
		int (*repeat)(struct repeated *on);
	} steps[] = {
		{ BENCH_STEP_CLOCKS, repeat_clocks },
		{ BENCH_STEP_POOL, repeat_pool },
		{ BENCH_STEP_INFO, repeat_info },
		{ BENCH_STEP_RUN, repeat_run },
		{ BENCH_STEP_REPLY, repeat_reply },
		{ BENCH_STEP_COPY, repeat_copy },
		{ BENCH_STEP_RESTORE, repeat_restore },
		{ BENCH_STEP_REQUEST, repeat_request },
	};
	double clock_ns = 0;
	int r = time_step(repeat_clock, on, err, &clock_ns);

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !r; i++)
		r = time_step(steps[i].repeat, on, err, &ns[steps[i].step]);
	ns[BENCH_STEP_CALL] = -1;
	ns[BENCH_STEP_POOL] = without(ns[BENCH_STEP_POOL], clock_ns);
	ns[BENCH_STEP_RESTORE] =
		without(ns[BENCH_STEP_RESTORE], ns[BENCH_STEP_COPY]);
	ns[BENCH_STEP_REQUEST] =
		without(ns[BENCH_STEP_REQUEST], ns[BENCH_STEP_INFO]);
	return r;
}

/* Measures floor.run, the guest and invoke.warm in turn. */
static int time_in_turn(struct bench_rows *rows, struct repeated *on,
			uint64_t duration_ns, struct error *err,
			struct bench_waterfall *waterfall)
{
	double *samples = calloc(3 * (size_t)SAMPLES_MAX, sizeof(*samples));
	const uint64_t end_ns = clock_now_ns() + duration_ns;
	double *floor = samples, *guest, *warm;
	size_t count = 0;
	int r = 0;

	if (!samples)
		return error_set(err, -ENOMEM, "no memory for samples");
	guest = floor + SAMPLES_MAX;
	warm = guest + SAMPLES_MAX;
	while (!r && count < SAMPLES_MAX &&
	       (count < SAMPLES_MIN || clock_now_ns() < end_ns)) {
		uint64_t ns[3] = { 0 };

		r = rows->rows[0].kind->once(&rows->rows[0], err, &ns[0]);
		if (!r)
			r = run_guest(on, err, &ns[1]);
		if (!r)
			r = rows->rows[1].kind->once(&rows->rows[1], err,
						     &ns[2]);
		floor[count] = (double)ns[0];
		guest[count] = (double)ns[1];
		warm[count++] = (double)ns[2];
	}
	if (!r) {
		waterfall->floor_ns = median_of(floor, count);
		waterfall->guest_ns =
			median_of(guest, count) - waterfall->floor_ns;
		waterfall->warm_ns = median_of(warm, count);
	}
	free(samples);
	return r;
}

static int measure_in_vm(struct bench_rows *rows, struct repeated *on,
			 uint64_t duration_ns, struct error *err,
			 struct bench_waterfall *waterfall)
{
	struct restore_stats stats = { 0 };
	int r = settle(on, err);

	if (!r)
		r = time_in_turn(rows, on, duration_ns, err, waterfall);
	if (!r)
		r = time_steps(on, err, waterfall->ns);
	on->now = vm_now();
	pool_release(on->function->pool, on->vm, false, &on->now, &stats);
	waterfall->hot_pages = (unsigned)stats.hot_pages;
	return r;
}

static int measure_times(struct bench_rows *rows, struct warm *warm,
			 uint64_t duration_ns, struct error *err,
			 struct bench_waterfall *waterfall)
{
	const struct thaw_invoke_request request = {
		.data = warm->request, .size = BENCH_REQUEST_SIZE
	};
	struct repeated on = { .request = &request, .now = vm_now() };
	int r = warm_open(warm, err);

	if (r)
		return r;
	r = engine_deploy(warm->thaw, BENCH_FUNCTION, err, &on.function);
	if (!r)
		r = pool_acquire(on.function->pool, err, &on.vm);
	if (!r)
		r = measure_in_vm(rows, &on, duration_ns, err, waterfall);
	thaw_close(warm->thaw);
	return r;
}

int bench_waterfall_measure(uint64_t duration_ns, struct error *err,
			    struct bench_waterfall *ret_waterfall)
{
	static const char *const names[] = { "floor.run", "invoke.warm" };
	struct bench_setup setup = { .options = { .restore = NULL } };
	struct warm warm = { .setup = &setup };
	struct bench_rows rows;
	int r;

	*ret_waterfall = (struct bench_waterfall){ .hot_pages = 0 };
	r = bench_rows_choose(names, 2, err, &rows);
	if (!r)
		r = bench_files_open(&setup, err);
	if (r)
		return r;
	count_instructions(&warm, ret_waterfall);
	r = bench_rows_open(&rows, NULL, err);
	if (!r)
		r = measure_times(&rows, &warm, duration_ns, err,
				  ret_waterfall);
	bench_rows_done(&rows);
	bench_files_close(&setup);
	return r;
}
