/*
 * start.c - rows that start a function: start.cold from its ELF file, start.store from
 * its snapshot's file, start.pool with a new vm of its snapshot, start.layer with a new vm
 * of a function that has a base, start.shell with a new vm in a fresh shell. See row.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"
#include "bench/scratch.h"
#include "vm/fresh_shells.h"
#include "vm/vm.h"

/* Vms that start.pool makes before it starts over. */
#define POOL_VMS 64

/* Invocations after which a snapshot knows its hot set. */
#define SETTLED_AFTER 32

/* Fresh shells for start.shell, and how long it waits for one. */
#define READY_SHELLS 32u
#define READY_TIMEOUT_NS (10 * NS_PER_S)
#define READY_STEP_US 500

static const char request[BENCH_REQUEST_SIZE];

/* Pages that a layer has. */
#define LAYER_PAGES 64u

/* Each reply holds its vm, so the next invocation needs a new one. */
struct pool_state {
	struct bench_function function;
	int init_fd; /* the request that makes a layer, or -1 */
	char init_path[32];
	struct thaw *thaw;
	struct thaw_reply replies[POOL_VMS];
	unsigned out;
};

static void empty_pool(struct pool_state *state)
{
	while (state->out)
		thaw_reply_release(&state->replies[--state->out]);
	thaw_close(state->thaw);
	state->thaw = NULL;
}

static const struct bench_function cold = { .entry = "empty", .vms = 1 };

/* Boots the function, and has one vm learn which pages it writes. */
static int fill_pool(struct bench_row *row, struct error *err)
{
	struct pool_state *state = row->state;
	int r = bench_thaw_open(row->setup, &state->function, err,
				&state->thaw);

	for (unsigned i = 0; i <= SETTLED_AFTER && !r; i++) {
		if (state->out)
			thaw_reply_release(&state->replies[--state->out]);
		r = bench_thaw_invoke(state->thaw, request, err,
				      &state->replies[0]);
		if (!r)
			state->out = 1;
	}
	return r;
}

static int make_pool_state(struct bench_row *row, const char *entry,
			   struct error *err)
{
	struct pool_state *state = calloc(1, sizeof(*state));

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	state->function =
		(struct bench_function){ .entry = entry, .vms = POOL_VMS };
	state->init_fd = -1;
	row->state = state;
	return 0;
}

static int open_pool(struct bench_row *row, struct error *err)
{
	int r = make_pool_state(row, "empty", err);

	return r ? r : fill_pool(row, err);
}

/*
 * The base answers a request that writes LAYER_PAGES pages. Those that are invoked later
 * write none, as for `empty`.
 */
static int open_layer(struct bench_row *row, struct error *err)
{
	const uint32_t order[] = { LAYER_PAGES, 1 };
	int r = make_pool_state(row, "dirty", err);
	struct pool_state *state = row->state;

	if (r)
		return r;
	state->init_fd = memfd_create("init", MFD_CLOEXEC);
	if (state->init_fd < 0 ||
	    write(state->init_fd, order, sizeof(order)) != sizeof(order))
		return error_set(err, -errno, "a memfd of %zu bytes: %s",
				 sizeof(order), strerror(errno));
	snprintf(state->init_path, sizeof(state->init_path), "/proc/self/fd/%d",
		 state->init_fd);
	state->function.init = state->init_path;
	return fill_pool(row, err);
}

/* The first reply of a new vm. */
static int start_vm(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	struct pool_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	int r = bench_thaw_invoke(state->thaw, request, err,
				  &state->replies[state->out]);

	*ret_ns = clock_now_ns() - start_ns;
	if (!r)
		state->out++;
	return r;
}

/* Starts over once all vms are out. */
static int have_room(struct bench_row *row, struct error *err)
{
	struct pool_state *state = row->state;

	if (state->out < POOL_VMS)
		return 0;
	empty_pool(state);
	return fill_pool(row, err);
}

static int once_pool(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	int r = have_room(row, err);

	if (r)
		return r;
	shells_limit(0);
	return start_vm(row, err, ret_ns);
}

static void close_pool(struct bench_row *row)
{
	struct pool_state *state = row->state;

	if (state) {
		empty_pool(state);
		if (state->init_fd >= 0)
			close(state->init_fd);
	}
	free(state);
	shells_limit(SHELLS_DEFAULT);
}

const struct bench_kind bench_start_pool = {
	.open = open_pool,
	.once = once_pool,
	.close = close_pool,
};

const struct bench_kind bench_start_layer = {
	.open = open_layer,
	.once = once_pool,
	.close = close_pool,
};

/* Once none is left, waits until all are made. */
static int await_shells(struct error *err)
{
	const uint64_t until_ns = clock_now_ns() + READY_TIMEOUT_NS;

	if (fresh_shells_count())
		return 0;
	while (fresh_shells_count() < READY_SHELLS) {
		if (clock_now_ns() > until_ns)
			return error_set(err, -ETIMEDOUT,
					 "no shell is made ready");
		usleep(READY_STEP_US);
	}
	return 0;
}

static int begin_shell(struct bench_row *row, struct error *err)
{
	(void)row;
	(void)err;
	fresh_shells_keep(READY_SHELLS);
	return 0;
}

/* The vms of the pool say of what kind they are to be. */
static int open_shell(struct bench_row *row, struct error *err)
{
	int r;

	fresh_shells_keep(READY_SHELLS);
	r = open_pool(row, err);
	fresh_shells_keep(0);
	return r;
}

static int once_shell(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	int r = have_room(row, err);

	shells_limit(0);
	if (!r)
		r = await_shells(err);
	return r ? r : start_vm(row, err, ret_ns);
}

static void end_shell(struct bench_row *row)
{
	(void)row;
	fresh_shells_keep(0);
}

const struct bench_kind bench_start_shell = {
	.open = open_shell,
	.begin = begin_shell,
	.once = once_shell,
	.end = end_shell,
	.close = close_pool,
};

static int start_new(const struct bench_setup *setup, struct error *err,
		     struct thaw **ret_thaw, uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	struct thaw_reply reply;
	int r = bench_thaw_open(setup, &cold, err, ret_thaw);

	if (r)
		return r;
	r = bench_thaw_invoke(*ret_thaw, request, err, &reply);
	*ret_ns = clock_now_ns() - start_ns;
	if (!r)
		thaw_reply_release(&reply);
	return r;
}

static int once_cold(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	struct thaw *thaw = NULL;
	int r;

	/* that of the vm that boots becomes the other one's */
	shells_limit(1);
	r = start_new(row->setup, err, &thaw, ret_ns);
	thaw_close(thaw);
	return r;
}

static void close_cold(struct bench_row *row)
{
	(void)row;
	shells_limit(SHELLS_DEFAULT);
}

const struct bench_kind bench_start_cold = {
	.once = once_cold,
	.close = close_cold,
};

/* A state directory, in which the function's snapshot is. */
struct store_state {
	struct bench_setup setup; /* with that directory */
	struct scratch *scratch;
};

static int once_store(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	struct store_state *state = row->state;
	struct thaw *thaw = NULL;
	int r;

	shells_limit(1);
	r = start_new(&state->setup, err, &thaw, ret_ns);
	/* the first one has booted it, and writes it */
	thaw_close(thaw);
	return r;
}

static int open_store(struct bench_row *row, struct error *err)
{
	struct store_state *state = calloc(1, sizeof(*state));
	uint64_t ns;
	int r;

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	r = scratch_make(err, &state->scratch);
	if (r)
		return r;
	state->setup = *row->setup;
	state->setup.options.state_dir = scratch_path(state->scratch);
	return once_store(row, err, &ns);
}

static void close_store(struct bench_row *row)
{
	struct store_state *state = row->state;

	if (state)
		scratch_remove(state->scratch);
	free(state);
	shells_limit(SHELLS_DEFAULT);
}

const struct bench_kind bench_start_store = {
	.open = open_store,
	.once = once_store,
	.close = close_store,
};
