/*
 * boot.c - boots an image up to READY and freezes it as a snapshot.
 *
 * The boot vm writes straight into a memfd. Once the guest is ready that vm is
 * thrown away and the memfd is sealed: it is the snapshot's memory, and every
 * vm made from it maps it privately. From here go to start.c.
 */
#include "snapshot/boot.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/guest_backtrace.h"
#include "snapshot/guest_sleep.h"
#include "snapshot/info.h"
#include "snapshot/memory_file.h"
#include "snapshot/pages.h"
#include "snapshot/ready.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "vm/boot_state.h"
#include "vm/calls.h"
#include "vm/image/image.h"
#include "vm/image/symbols.h"
#include "vm/run.h"

static int fill_memory(struct vm *vm, const struct image *image,
		       const struct snapshot_options *options,
		       const struct layout *layout, struct error *err)
{
	const struct vm_moment now = vm_now();
	uint8_t *memory = vm_memory(vm);
	int r;

	r = image_load(image, memory, layout->memory_size, err);
	if (!r)
		r = pages_prepare(memory, layout, options->environment,
				  options->host_local, err);
	if (r)
		return r;
	r = info_refresh(info_of(memory), vm, &now, 0);
	if (r)
		return error_set(err, r, "getrandom: %s", strerror(-r));
	return 0;
}

/* Says why the guest stopped before it was ready. */
static int boot_error(struct vm *vm, const struct image *image,
		      const struct layout *layout, const struct vm_exit *exit,
		      struct error *err)
{
	struct thaw_mailbox mailbox;
	char what[256];
	const char *symbol;
	uint64_t offset = 0;

	memcpy(&mailbox, vm_view(vm, THAW_GPA_MAILBOX, sizeof(mailbox)),
	       sizeof(mailbox));
	if (exit->kind == VM_EXIT_DEADLINE)
		return error_set(err, -ETIMEDOUT,
				 "not ready within its init_timeout: init%s%.*s "
				 "must end, or init_timeout be raised",
				 *mailbox.error_message ? " " : "",
				 (int)sizeof(mailbox.error_message) - 1,
				 mailbox.error_message);
	if (exit->kind == VM_EXIT_DOORBELL && exit->bell == THAW_BELL_DONE)
		return error_set(err, -ECANCELED, "init failed: %.*s: %.*s",
				 (int)sizeof(mailbox.error_type) - 1,
				 mailbox.error_type,
				 (int)sizeof(mailbox.error_message) - 1,
				 mailbox.error_message);
	if (exit->kind == VM_EXIT_DOORBELL)
		return error_set(err, -EPROTO,
				 "rang the doorbell with %u during init",
				 exit->bell);
	vm_describe_exit(exit, layout, what, sizeof(what));
	if (exit->kind != VM_EXIT_FAULT)
		return error_set(err, -ECANCELED, "init failed: %s", what);
	symbol = image_symbol(image, exit->fault.pc, &offset);
	return error_set(err, -ECANCELED, "init failed: %s at %#llx (%s+%#llx)",
			 what, (unsigned long long)exit->fault.pc,
			 symbol ? symbol : "?", (unsigned long long)offset);
}

/* Init under way. */
struct init {
	const struct snapshot_options *options;
	uint64_t deadline_ns;
	struct guest_log_progress log;
};

/* Whether it is to be stopped. How long that takes to say is not its time. */
static bool init_is_stopped(struct init *init)
{
	const struct snapshot_pause *pause = &init->options->pause;
	const uint64_t start_ns = clock_now_ns();
	const bool is = pause->call && pause->call(pause->cookie);

	init->deadline_ns += clock_now_ns() - start_ns;
	return is;
}

static uint64_t slice_end(const struct init *init, uint64_t end_ns)
{
	const uint64_t slice_ns = clock_now_ns() + SNAPSHOT_PAUSE_NS;

	return init->options->pause.call && slice_ns < end_ns ? slice_ns :
								end_ns;
}

static void sleep_slices(struct init *init, uint64_t end_ns)
{
	while (clock_now_ns() < end_ns && !init_is_stopped(init))
		guest_sleep(slice_end(init, end_ns));
}

/* It has ended before it was ready: takes what it was about to log. */
static int end_early(struct init *init, struct vm *vm,
		     const struct image *image, const struct layout *layout,
		     const struct vm_exit *exit, struct error *err)
{
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));

	guest_log_take(&init->options->log, vm, false, &init->log);
	guest_log_take_begun(&init->options->log, vm, mailbox->lines,
			     &init->log);
	if (exit->kind == VM_EXIT_FAULT)
		guest_backtrace_log(&init->options->log, vm, layout, image,
				    &exit->fault);
	return boot_error(vm, image, layout, exit, err);
}

static int run_init(struct vm *vm, const struct image *image,
		    const struct layout *layout,
		    const struct snapshot_options *options, struct error *err)
{
	struct init init = {
		.options = options,
		.deadline_ns = clock_now_ns() + options->init_timeout_ns,
	};
	struct vm_exit exit;

	for (;;) {
		int r;

		if (init_is_stopped(&init))
			return error_set(err, -ESHUTDOWN,
					 "its boot was stopped: it is not "
					 "needed any more");
		r = vm_run(vm, slice_end(&init, init.deadline_ns), &exit);
		if (r)
			return error_set(err, r, "KVM_RUN: %s", strerror(-r));
		if (exit.kind == VM_EXIT_DEADLINE &&
		    clock_now_ns() < init.deadline_ns) {
			guest_log_take(&options->log, vm, false, &init.log);
			continue;
		}
		if (exit.kind != VM_EXIT_DOORBELL)
			return end_early(&init, vm, image, layout, &exit, err);
		guest_log_take(&options->log, vm, true, &init.log);
		if (exit.bell == THAW_BELL_READY)
			return 0;
		if (exit.bell == THAW_BELL_SLEEP)
			sleep_slices(&init,
				     guest_sleep_end(vm, init.deadline_ns));
		else if (exit.bell != THAW_BELL_LOG)
			return end_early(&init, vm, image, layout, &exit, err);
		if (clock_now_ns() >= init.deadline_ns) {
			exit.kind = VM_EXIT_DEADLINE;
			return end_early(&init, vm, image, layout, &exit, err);
		}
	}
}

/* Copies what init has left in the mailbox, and checks it. */
static int take_ready(struct snapshot *snapshot, struct vm *vm,
		      struct error *err)
{
	struct thaw_mailbox mailbox;

	memcpy(&mailbox, vm_view(vm, THAW_GPA_MAILBOX, sizeof(mailbox)),
	       sizeof(mailbox));
	ready_copy(&mailbox, &snapshot->ready);
	return ready_read(snapshot, vm_memory(vm), err);
}

static int boot_guest(struct snapshot *snapshot, const struct image *image,
		      const struct snapshot_options *options, struct vm *vm,
		      struct error *err)
{
	int r;

	r = fill_memory(vm, image, options, &snapshot->layout, err);
	if (!r)
		r = vm_boot_state(vm, &snapshot->layout, err, &snapshot->state);
	if (!r)
		r = vm_set_state(vm, snapshot->state, err);
	if (!r)
		r = run_init(vm, image, &snapshot->layout, options, err);
	if (!r)
		r = take_ready(snapshot, vm, err);
	if (!r)
		pages_freeze(vm_memory(vm), &snapshot->layout, snapshot->dirty,
			     snapshot->ready.dispatch);
	return r;
}

/* No writer is left: nothing can change the snapshot from now on. */
static int seal(struct snapshot *snapshot, struct error *err)
{
	uint8_t *pristine;
	int r;

	r = memory_file_seal(snapshot->memory_fd);
	if (r)
		return error_set(err, r, "sealing the snapshot: %s",
				 strerror(-r));
	holes_find(snapshot->memory_fd, snapshot->layout.memory_size,
		   &snapshot->holes);
	r = holes_map(&snapshot->holes, snapshot->memory_fd, 0,
		      snapshot->layout.memory_size, PROT_READ, &pristine);
	if (r)
		return error_set(err, r, "mapping the snapshot: %s",
				 strerror(-r));
	snapshot->pristine = pristine;
	snapshot->frozen_ns = clock_now_ns();
	return 0;
}

/* Makes the memory of @snapshot, whose layout is planned, and the vm that boots in it. */
static int create_vm(struct snapshot *snapshot, struct error *err,
		     struct vm **ret_vm)
{
	struct vm_config config = {
		.shared = true,
		.owner = snapshot->id,
		.dirty = snapshot->dirty,
		.memory_size = snapshot->layout.memory_size,
		.control = snapshot->layout.control != LAYOUT_CONTROL_NONE,
		.is_program = snapshot->layout.is_program,
	};
	int fd = memory_file_create(config.memory_size);

	if (fd < 0)
		return error_set(err, fd,
				 "a memfd of %zu bytes for guest memory: %s",
				 config.memory_size, strerror(-fd));
	snapshot->memory_fd = fd;
	config.memory_fd = fd;
	return vm_create(&config, err, ret_vm);
}

static int create(struct snapshot *snapshot, const struct image *image,
		  const struct snapshot_options *options, struct error *err)
{
	struct vm *vm;
	int r;

	r = layout_plan(image, &options->layout, err, &snapshot->layout);
	if (!r)
		r = create_vm(snapshot, err, &vm);
	if (r)
		return r;
	r = boot_guest(snapshot, image, options, vm, err);
	vm_free(vm);
	return r ? r : seal(snapshot, err);
}

static int create_bare(struct snapshot *snapshot,
		       const struct snapshot_options *options,
		       struct error *err)
{
	const struct image image = { .end = THAW_GPA_IMAGE };
	struct vm *vm;
	int r;

	r = layout_plan(&image, &options->layout, err, &snapshot->layout);
	if (!r)
		r = create_vm(snapshot, err, &vm);
	if (r)
		return r;
	vm_prepare_memory(vm_memory(vm), &snapshot->layout);
	info_set_layout(info_of(vm_memory(vm)), &snapshot->layout, 0);
	pages_freeze(vm_memory(vm), &snapshot->layout, snapshot->dirty, 0);
	r = vm_boot_state(vm, &snapshot->layout, err, &snapshot->state);
	vm_free(vm);
	return r ? r : seal(snapshot, err);
}

int snapshot_create(const struct image *image,
		    const struct snapshot_options *options, struct error *err,
		    struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot =
		snapshot_allocate(options->dirty, options->remap);
	int r;

	if (!snapshot)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	r = create(snapshot, image, options, err);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}

int snapshot_create_bare(const struct snapshot_options *options,
			 struct error *err, struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot =
		snapshot_allocate(options->dirty, options->remap);
	int r;

	if (!snapshot)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	r = create_bare(snapshot, options, err);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}

/* What stubs and clocks find in a program's memory. */
static int put_program_pages(struct vm *vm, const struct layout *layout)
{
	const struct vm_moment now = vm_now();

	pages_prepare_program(vm_memory(vm), layout);
	return info_refresh(info_of(vm_memory(vm)), vm, &now, 0);
}

static void put_frame(struct vm *vm, const struct thaw_frame *frame)
{
	memcpy(vm_memory(vm) + THAW_GPA_FRAME, frame, sizeof(*frame));
}

static int boot_program(struct snapshot *snapshot,
			const struct snapshot_program *program, struct vm *vm,
			struct error *err)
{
	struct thaw_frame frame;
	int r;

	r = put_program_pages(vm, &snapshot->layout);
	if (!r)
		r = program->load(program->cookie, vm_memory(vm), err, &frame);
	if (r)
		return r;
	put_frame(vm, &frame);
	r = vm_boot_state(vm, &snapshot->layout, err, &snapshot->state);
	if (!r)
		r = vm_set_state(vm, snapshot->state, err);
	if (!r)
		r = program->run(program->cookie, vm, err, &frame);
	if (r)
		return r;
	put_frame(vm, &frame);
	memset(vm_memory(vm) + THAW_GPA_FAULT, 0, THAW_PAGE_SIZE);
	memset(vm_memory(vm) + THAW_GPA_SCRATCH, 0, THAW_SCRATCH_SIZE);
	return 0;
}

/* Each invocation gets its own moment and entropy: those of the boot are not kept. */
static int clear_moment(int fd, struct error *err)
{
	static const struct thaw_info none;
	const size_t start = offsetof(struct thaw_info, counter_base);
	const size_t size = sizeof(none) - start;

	if (pwrite(fd, &none, size, (off_t)(THAW_GPA_INFO + start)) ==
	    (ssize_t)size)
		return 0;
	return error_set(err, -EIO, "writing to a snapshot");
}

static int finish_program(struct snapshot *snapshot,
			  const struct snapshot_program *program,
			  struct error *err)
{
	struct vm *vm;
	int r = snapshot_start(snapshot, false, err, &vm);

	if (r)
		return r;
	r = program->finish(program->cookie, vm, snapshot->memory_fd, err);
	vm_free(vm);
	return r;
}

int snapshot_create_program(const struct layout *layout,
			    const struct snapshot_program *program,
			    const struct snapshot_options *options,
			    struct error *err, struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot =
		snapshot_allocate(options->dirty, options->remap);
	struct vm *vm;
	int r;

	if (!snapshot)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	snapshot->layout = *layout;
	r = create_vm(snapshot, err, &vm);
	if (!r) {
		r = boot_program(snapshot, program, vm, err);
		vm_free(vm);
	}
	if (!r)
		r = finish_program(snapshot, program, err);
	if (!r)
		r = clear_moment(snapshot->memory_fd, err);
	if (!r)
		r = seal(snapshot, err);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}
