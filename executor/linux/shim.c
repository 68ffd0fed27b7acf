/* shim.c - see shim.h. */
#include "executor/linux/shim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/calls_file.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/process.h"
#include "executor/linux/shim_files.h"
#include "guest/abi/thaw_shim.h"
#include "vm/layout.h"
#include "vm/vm.h"

#define USER_ID 65534

_Static_assert(sizeof(struct linux_action) == sizeof(struct thaw_action) &&
		       LINUX_SIGNALS == THAW_SIGNALS,
	       "the same");
_Static_assert(sizeof(struct stat) <= THAW_STATUS_SIZE, "room");

/*
 * What is behind thaw_shim.is_active and the call that is being made. The offsets, at
 * the end, are as many as there are files.
 */
#define KEPT_START offsetof(struct thaw_shim, input_used)

static size_t kept_size(const struct linux_process *process)
{
	return offsetof(struct thaw_shim, offsets) - KEPT_START +
	       process->shim.given.file_count * sizeof(uint64_t);
}

static size_t given_size(const struct thaw_given *given)
{
	return offsetof(struct thaw_given, files) +
	       given->file_count * sizeof(*given->files);
}

void shim_begin_time(struct linux_process *process)
{
	process->shim.begun_ns = clock_now_ns();
}

uint64_t shim_cpu_time_ns(const struct linux_process *process)
{
	return process->shim.given.used_ns + clock_now_ns() -
	       process->shim.begun_ns;
}

void shim_sleep(struct linux_process *process)
{
	process->shim.asleep_ns = clock_now_ns();
}

void shim_wake(struct linux_process *process)
{
	struct shim *shim = &process->shim;

	/* the sum of both clocks is what counts: see guest/linux/vdso.c */
	if (shim->asleep_ns)
		shim->given.used_ns -= clock_now_ns() - shim->asleep_ns;
	shim->asleep_ns = 0;
}

static const struct thaw_shim *shim_of(const struct linux_process *process)
{
	return (const struct thaw_shim *)(const void *)(process->space.memory +
							THAW_GPA_SHIM);
}

/* Whether the shim answers: a process that has a request, from its snapshot on. */
static bool is_active(const struct linux_process *process)
{
	return process->is_frozen && process->is_request &&
	       !process->shim.is_off;
}

static int shim_put(struct linux_process *process, uint64_t gpa,
		    const void *bytes, size_t size)
{
	struct space *space = &process->space;

	if (space->vm)
		return vm_write(space->vm, gpa, bytes, size);
	memcpy(space->memory + gpa, bytes, size);
	return 0;
}

static int put_active(struct linux_process *process, uint32_t is_active)
{
	return shim_put(process,
			THAW_GPA_SHIM + offsetof(struct thaw_shim, is_active),
			&is_active, sizeof(is_active));
}

/* Writes @bytes where guest memory has others. */
static int shim_put_changed(struct linux_process *process, uint64_t gpa,
			    const void *bytes, size_t size)
{
	if (!memcmp(process->space.memory + gpa, bytes, size))
		return 0;
	return shim_put(process, gpa, bytes, size);
}

void shim_take_output(struct linux_process *process)
{
	const struct thaw_shim *shim = shim_of(process);
	const uint8_t *memory = process->space.memory;
	uint64_t output, errors;

	if (!is_active(process))
		return;
	output = shim->output_used;
	errors = shim->errors_used;
	if (output && output <= THAW_OUTPUT_SIZE)
		linux_process_output(process, memory + THAW_GPA_OUTPUT, output);
	if (errors && errors <= THAW_ERRORS_SIZE)
		linux_process_log(process,
				  (const char *)memory + THAW_GPA_ERRORS,
				  errors);
}

static int take_changes(struct linux_process *process,
			const struct thaw_shim *shim)
{
	uint64_t count = shim->change_count;
	int r = 0;

	if (count > process->shim.given.change_limit)
		count = process->shim.given.change_limit;
	for (uint64_t i = 0; i < count && r != -ENOMEM; i++) {
		const uint64_t start = shim->changes[i].start;
		const uint64_t size = shim->changes[i].size &
				      ~(uint64_t)THAW_SHIM_UNMAP;

		if (start >= THAW_RESERVE_START)
			continue;
		if (shim->changes[i].size & THAW_SHIM_UNMAP)
			r = space_unmap(&process->space, start, size);
		/* the shim maps no other: what was used would be to clear */
		else if (space_is_unused(&process->space, start, size))
			r = space_map(&process->space, start, size,
				      IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	}
	/* what it cannot have asked for is as if it had not */
	return r == -ENOMEM ? r : 0;
}

static void take_actions(struct linux_process *process, uint64_t changed)
{
	const uint8_t *from = process->space.memory + THAW_GPA_ACTIONS;

	changed &= ~THAW_SIGNALS_NEVER;
	for (unsigned i = 0; i < LINUX_SIGNALS; i++) {
		struct linux_action *action = &process->signals.actions[i];

		if (!(changed >> i & 1))
			continue;
		memcpy(action, from + i * sizeof(*action), sizeof(*action));
		action->flags &= THAW_ACTION_FLAGS;
		action->mask &= ~THAW_SIGNALS_NEVER;
	}
	if (changed)
		process->signals.is_changed = true;
}

static void take_input(struct linux_process *process, uint64_t used)
{
	struct linux_request *request = &process->request;
	const uint64_t taken = process->shim.input_taken;

	if (!process->device.is_asked && used <= request->input_size - taken)
		request->input_used = taken + used;
}

int shim_take(struct linux_process *process)
{
	struct thaw_shim shim;
	int r;

	if (!is_active(process))
		return 0;
	shim_take_output(process);
	/* copied once: the program cannot run meanwhile, but read it as if it could */
	memcpy(&shim, shim_of(process), sizeof(shim));
	take_input(process, shim.input_used);
	shim_files_take(process, shim.offsets);
	for (unsigned fd = 0; fd < 3; fd++)
		if (shim.closed >> fd & 1)
			files_close(&process->files, process, fd);
	if (shim.signal_mask != process->signals.thread.mask)
		signals_set_mask(&process->signals, shim.signal_mask);
	take_actions(process, shim.changed_actions);
	if (shim.break_end > process->space.break_end &&
	    shim.break_end <= process->shim.given.break_limit)
		space_set_break(&process->space, shim.break_end);
	r = take_changes(process, &shim);
	shim.output_used = shim.errors_used = 0;
	shim.closed = 0;
	shim.changed_actions = 0;
	shim.change_count = 0;
	return r ? r :
		   shim_put_changed(process, THAW_GPA_SHIM + KEPT_START,
				    (const uint8_t *)&shim + KEPT_START,
				    kept_size(process));
}

/* A bit for each descriptor of @kind that the shim may answer for. */
static uint64_t files_of(struct linux_process *process,
			 const struct file_kind *kind)
{
	uint64_t bits = 0;

	for (unsigned fd = 0; fd < 64; fd++) {
		const struct file *file = files_get(&process->files, fd);

		if (file && file->kind == kind)
			bits |= UINT64_C(1) << fd;
	}
	return bits;
}

static void give_files(struct linux_process *process)
{
	struct thaw_given *given = &process->shim.given;

	given->input_files = files_of(process, &file_input);
	given->output_files = files_of(process, &file_output);
	given->error_files = files_of(process, &file_log);
	if (process->device.is_asked) {
		/* the request and the reply are not there, but at /dev/thaw */
		given->error_files |= given->output_files;
		given->input_files = given->output_files = 0;
	}
	for (unsigned fd = 0; fd < 3; fd++) {
		const struct file *file = files_get(&process->files, fd);
		struct stat status;

		if (!file)
			continue;
		file_status(process, file, &status);
		memcpy(given->status[fd], &status, sizeof(status));
	}
	shim_files_list(process);
}

static int by_size(const void *a, const void *b)
{
	const struct thaw_range *one = a, *other = b;
	const uint64_t size = one->end - one->start,
		       other_size = other->end - other->start;

	return size < other_size ? 1 : size > other_size ? -1 : 0;
}

/* The largest areas, if there are too many: for the rest the program pays an exit. */
static void give_ranges(struct linux_process *process)
{
	struct thaw_given *given = &process->shim.given;
	const struct areas *areas = &process->space.areas;
	struct thaw_range list[THAW_RANGES * 2];
	size_t count = 0;

	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->list[i];

		if (!(area->prot & IMAGE_PROT_READ))
			continue;
		if (count == THAW_RANGES * 2) {
			qsort(list, count, sizeof(*list), by_size);
			count = THAW_RANGES;
		}
		list[count++] = (struct thaw_range){
			area->start,
			area->end | (area->prot & IMAGE_PROT_WRITE ?
					     THAW_RANGE_WRITE :
					     0),
		};
	}
	qsort(list, count, sizeof(*list), by_size);
	given->range_count = count < THAW_RANGES ? count : THAW_RANGES;
	memcpy(given->ranges, list, given->range_count * sizeof(*list));
}

/* Finds memory that was never used: for the break to grow into, and for mappings. */
static void plan_memory(struct linux_process *process)
{
	struct space *space = &process->space;
	struct thaw_given *given = &process->shim.given;
	uint64_t start, end;

	space_unused(space, &start, &end);
	given->break_start = space->break_start;
	given->break_limit = space_unused_break(space);
	if (start < given->break_limit && end >= given->break_limit) {
		/* they are one and the same: half for each */
		start = (start + (end - start) / 2) &
			~((uint64_t)THAW_PAGE_SIZE - 1);
		given->break_limit = start;
	}
	/* what limits the program is known here */
	if (process->limits.is_memory_limited) {
		given->break_limit = space->break_end;
		start = end = 0;
	}
	given->arena_start = start;
	given->arena_end = end;
	give_ranges(process);
	space->is_planned = true;
}

int shim_give(struct linux_process *process)
{
	struct thaw_given *given = &process->shim.given;
	struct thaw_shim shim;
	int r;

	if (!process->is_frozen)
		return 0;
	if (process->shim.is_passing_on) {
		process->shim.is_passing_on = false;
		r = put_active(process, true);
		if (r)
			return r;
	}
	if (!process->space.is_planned)
		plan_memory(process);
	if (process->files.is_changed)
		give_files(process);
	given->input = process->space.layout->request.start;
	given->input_size =
		process->request.input_size - process->shim.input_taken;
	given->thread = (uint32_t)process->threads.current->id;
	given->is_alone = process->threads.count == 1;
	given->is_signalled = process->signals.queued != 0;
	/* each may add two areas */
	given->change_limit = (AREAS_MAX - process->space.areas.count) / 2;
	if (given->change_limit > THAW_SHIM_CHANGES)
		given->change_limit = THAW_SHIM_CHANGES;
	given->user = USER_ID;
	r = shim_put_changed(process, THAW_GPA_GIVEN, given, given_size(given));
	if (r)
		return r;
	r = shim_put_changed(process, THAW_GPA_ACTIONS,
			     process->signals.actions,
			     sizeof(process->signals.actions));
	if (r)
		return r;
	memcpy(&shim, shim_of(process), sizeof(shim));
	shim.input_used =
		process->device.is_asked ?
			0 :
			process->request.input_used - process->shim.input_taken;
	shim.signal_mask = process->signals.thread.mask;
	shim.break_end = process->space.break_end;
	shim.arena_end = given->arena_end;
	shim_files_give(process, shim.offsets);
	return shim_put_changed(process, THAW_GPA_SHIM + KEPT_START,
				(const uint8_t *)&shim + KEPT_START,
				kept_size(process));
}

void shim_freeze(struct linux_process *process)
{
	process->shim.given.used_ns = shim_cpu_time_ns(process);
	shim_files_keep(process);
	give_files(process);
	put_active(process, true);
	shim_give(process);
}

int shim_restore(struct linux_process *process)
{
	give_files(process);
	return shim_give(process);
}

int shim_turn_off(struct linux_process *process)
{
	process->shim.is_off = true;
	return put_active(process, false);
}

int shim_pass_on_next(struct linux_process *process)
{
	if (!is_active(process))
		return 0;
	process->shim.is_passing_on = true;
	return put_active(process, false);
}

int shim_begin(struct linux_process *process)
{
	struct linux_request *request = &process->request;
	uint64_t left = request->input_size - request->input_used;
	int r = 0;

	shim_begin_time(process);
	/* the line of /dev/thaw is read from the host */
	if (process->device.is_asked)
		left = 0;
	if (left > process->space.layout->request_max)
		return -E2BIG;
	process->shim.input_taken = request->input_size - left;
	if (left)
		r = vm_write(process->space.vm,
			     process->space.layout->request.start,
			     request->input + request->input_used, left);
	return r ? r : shim_give(process);
}
