/*
 * floor.c - the floors: floor.run enters a vm that only exits, and restores
 * nothing; floor.copy.N copies N pages. See row.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bench/row.h"
#include "executor/limits.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot.h"
#include "snapshot/start.h"
#include "vm/floor.h"
#include "vm/image/open.h"
#include "vm/run.h"

#define HANDLER "ring"

struct run_state {
	struct snapshot *snapshot;
	struct vm *vm;
};

/* Boots as for a function whose catalog entry sets no limits. */
static int floor_boot(const char *path, struct error *err,
		      struct snapshot **ret_snapshot)
{
	const struct snapshot_options options = {
		.layout = { .memory_size = LIMIT_MEMORY_DEFAULT,
			    .stack_size = LIMIT_STACK_DEFAULT,
			    .request_size = LIMIT_REQUEST_DEFAULT,
			    .reply_size = LIMIT_REPLY_DEFAULT },
		.init_timeout_ns = LIMIT_INIT_TIMEOUT_DEFAULT,
		.dirty = DIRTY_AUTO,
	};
	struct image *image;
	int r = image_open(path, err, &image);

	if (r)
		return r;
	r = snapshot_create(image, &options, err, ret_snapshot);
	image_close(image);
	return r;
}

/* Makes the dispatcher call the handler that rings the doorbell. */
static int ask_to_ring(struct snapshot *snapshot, struct vm *vm)
{
	const uint64_t at =
		THAW_GPA_INFO + offsetof(struct thaw_info, request.handler);
	uint32_t handler = 0;

	while (strcmp(snapshot_handler_name(snapshot, handler), HANDLER) != 0)
		handler++;
	return vm_write(vm, at, &handler, sizeof(handler));
}

/*
 * Runs @vm until it rings for the second time; from then on it does nothing
 * else.
 */
static int reach_ring(struct vm *vm, struct error *err)
{
	char what[256];

	for (int i = 0; i < 2; i++) {
		uint64_t deadline_ns = clock_now_ns() + LIMIT_TIMEOUT_DEFAULT;
		struct vm_exit exit;
		int r = vm_run(vm, deadline_ns, &exit);

		if (r)
			return error_set(err, r, "KVM_RUN: %s", strerror(-r));
		if (exit.kind == VM_EXIT_DOORBELL &&
		    exit.bell == THAW_BELL_DONE)
			continue;
		vm_describe_exit(&exit, NULL, what, sizeof(what));
		return error_set(err, -EPROTO, "the guest does not ring: %s",
				 what);
	}
	return 0;
}

static int open_run(struct bench_row *row, struct error *err)
{
	struct run_state *state = calloc(1, sizeof(*state));
	int r;

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	r = floor_boot(row->setup->guest_path, err, &state->snapshot);
	if (!r)
		r = snapshot_start(state->snapshot, false, err, &state->vm);
	if (!r)
		r = ask_to_ring(state->snapshot, state->vm);
	return r ? r : reach_ring(state->vm, err);
}

static int once_run(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct run_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	int r = vm_floor_run(state->vm);

	*ret_ns = clock_now_ns() - start_ns;
	return r ? error_set(err, r, "KVM_RUN: %s", strerror(-r)) : 0;
}

static void close_run(struct bench_row *row)
{
	struct run_state *state = row->state;

	vm_free(state->vm);
	snapshot_free(state->snapshot);
	free(state);
}

const struct bench_kind bench_floor_run = {
	.open = open_run,
	.once = once_run,
	.close = close_run,
};

/* Pages laid out as those of a snapshot and of its vm. */
struct copy_state {
	size_t size; /* of both */
	const uint8_t *pristine;
	uint8_t *memory;
};

static int map_pages(struct copy_state *state, struct error *err)
{
	const int flags = MAP_PRIVATE | MAP_POPULATE;
	cleanup_close int fd = memfd_create("floor", MFD_CLOEXEC);
	void *pristine, *memory;

	/* touch both, so that the file and the copy have pages of their own */
	if (fd < 0 || ftruncate(fd, (off_t)state->size) ||
	    fallocate(fd, 0, 0, (off_t)state->size))
		return error_set(err, -errno, "a memfd of %zu bytes: %s",
				 state->size, strerror(errno));
	pristine = mmap(NULL, state->size, PROT_READ, flags, fd, 0);
	memory = mmap(NULL, state->size, PROT_READ | PROT_WRITE, flags, fd, 0);
	state->pristine = pristine == MAP_FAILED ? NULL : pristine;
	state->memory = memory == MAP_FAILED ? NULL : memory;
	if (!state->pristine || !state->memory)
		return error_set(err, -ENOMEM, "mapping %zu bytes failed",
				 state->size);
	memset(state->memory, 1, state->size);
	return 0;
}

static int open_copy(struct bench_row *row, struct error *err)
{
	struct copy_state *state = calloc(1, sizeof(*state));

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	state->size = (size_t)row->pages * BENCH_STRIDE * THAW_PAGE_SIZE;
	return map_pages(state, err);
}

static int once_copy(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct copy_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();

	(void)err;
	for (size_t at = 0; at < state->size;
	     at += BENCH_STRIDE * THAW_PAGE_SIZE)
		memcpy(state->memory + at, state->pristine + at,
		       THAW_PAGE_SIZE);
	*ret_ns = clock_now_ns() - start_ns;
	return 0;
}

static void close_copy(struct bench_row *row)
{
	struct copy_state *state = row->state;

	if (state->pristine)
		munmap((void *)(uintptr_t)state->pristine, state->size);
	if (state->memory)
		munmap(state->memory, state->size);
	free(state);
}

const struct bench_kind bench_floor_copy = {
	.open = open_copy,
	.once = once_copy,
	.close = close_copy,
};
