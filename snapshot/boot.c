/*
 * boot.c - boots an image up to READY and freezes it as a snapshot.
 *
 * The boot vm writes straight into a memfd. Once the guest is ready that vm is
 * thrown away and the memfd is sealed: it is the snapshot's memory, and every
 * vm made from it maps it privately. From here go to start.c.
 */
#include "snapshot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "snapshot/guest_backtrace.h"
#include "snapshot/guest_sleep.h"
#include "snapshot/info.h"
#include "snapshot/snapshot_internal.h"
#include "vm/image/image.h"
#include "vm/image/symbols.h"
#include "vm/run.h"

static int create_memory(size_t size, struct error *err, int *ret_fd)
{
	cleanup_close int fd =
		memfd_create("thaw-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return error_set(err, -errno,
				 "a memfd of %zu bytes for guest memory: %s",
				 size, strerror(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}

static struct thaw_info *info_of(struct vm *vm)
{
	return (struct thaw_info *)(void *)(vm_memory(vm) + THAW_GPA_INFO);
}

static int fill_memory(struct vm *vm, const struct image *image,
		       const struct snapshot_options *options,
		       const struct layout *layout, struct error *err)
{
	uint8_t *memory = vm_memory(vm);
	int r;

	r = image_load(image, memory, layout->memory_size, err);
	if (!r)
		r = info_put_environment(memory, options->environment, err);
	if (r)
		return r;
	vm_prepare_memory(memory, layout);
	info_set_layout(info_of(vm), layout, THAW_GPA_ENVIRONMENT);
	info_of(vm)->host_local = options->host_local;
	info_of(vm)->done = vm_done_address(vm, false);
	r = info_refresh(info_of(vm), vm, 0);
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

static bool is_handler_name(const char *name, size_t size)
{
	const char *end = memchr(name, '\0', size);

	if (!end || end == name)
		return false;
	for (; name < end; name++)
		if (*name <= ' ' || *name > '~')
			return false;
	return true;
}

/* Copies the name of handler @number, which no handler before it may have. */
static int take_name(struct snapshot *snapshot,
		     const struct thaw_handler_entry *entry, size_t number,
		     struct error *err)
{
	char *name = snapshot->handlers[number];

	memcpy(name, entry->name, sizeof(entry->name));
	if (!is_handler_name(name, sizeof(entry->name)))
		return error_set(err, -EPROTO,
				 "the name of handler %zu is not printable text",
				 number);
	for (size_t i = 0; i < number; i++)
		if (!strcmp(snapshot->handlers[i], name))
			return error_set(err, -EPROTO,
					 "handlers %zu and %zu are both named "
					 "\"%s\": rename one",
					 i, number, name);
	return 0;
}

/* Copies the typed functions that init has registered; they are checked later. */
static int take_registered(struct snapshot *snapshot, const struct vm *vm,
			   const struct thaw_mailbox *mailbox,
			   struct error *err)
{
	const size_t count = mailbox->registered_count;
	const size_t size = count * sizeof(*snapshot->registered);
	const void *table;

	if (!count)
		return 0;
	if (count > THAW_FUNCTIONS_MAX)
		return error_set(err, -EPROTO,
				 "it has registered %zu functions; %d are "
				 "allowed",
				 count, THAW_FUNCTIONS_MAX);
	table = vm_view(vm, mailbox->registered, size);
	if (!table || mailbox->registered % 8)
		return error_set(err, -EPROTO,
				 "its table of registered functions at %#llx is "
				 "not in memory",
				 (unsigned long long)mailbox->registered);
	snapshot->registered = malloc(size);
	if (!snapshot->registered)
		return error_set(err, -ENOMEM, "no memory for functions");
	memcpy(snapshot->registered, table, size);
	snapshot->registered_count = count;
	return 0;
}

/* Copies the handler table; checks what init left in the mailbox. */
static int read_manifest(struct snapshot *snapshot, const struct vm *vm,
			 struct error *err, uint64_t *ret_dispatch)
{
	struct thaw_mailbox mailbox;
	const struct thaw_handler_entry *table;
	size_t count;
	int r;

	memcpy(&mailbox, vm_view(vm, THAW_GPA_MAILBOX, sizeof(mailbox)),
	       sizeof(mailbox));
	count = mailbox.handler_count;
	if (mailbox.abi_version != THAW_ABI_VERSION)
		return error_set(err, -EPROTO,
				 "built for ABI version %u; this thaw has %u: "
				 "rebuild it with this thaw's SDK",
				 mailbox.abi_version, THAW_ABI_VERSION);
	if (count > THAW_HANDLERS_MAX ||
	    (!count && !mailbox.function_count && !mailbox.registered_count))
		return error_set(err, -EPROTO,
				 "offers %zu handlers; 1 to %d are allowed: "
				 "define one with THAW_HANDLER(name)",
				 count, THAW_HANDLERS_MAX);
	if (!vm_view(vm, mailbox.lines, GUEST_LOG_BEGUN_BYTES))
		return error_set(err, -EPROTO,
				 "its log lines at %#llx are not in memory",
				 (unsigned long long)mailbox.lines);
	snapshot->lines = mailbox.lines;
	snapshot->function_count = mailbox.function_count;
	r = take_registered(snapshot, vm, &mailbox, err);
	if (r)
		return r;
	table = vm_view(vm, mailbox.handlers, count * sizeof(*table));
	if (!table || mailbox.handlers % 8)
		return error_set(err, -EPROTO,
				 "its handler table at %#llx is not in memory",
				 (unsigned long long)mailbox.handlers);
	snapshot->handlers = calloc(count + 1, sizeof(*snapshot->handlers));
	if (!snapshot->handlers)
		return error_set(err, -ENOMEM, "no memory for handlers");
	for (size_t i = 0; i < count; i++) {
		r = take_name(snapshot, &table[i], i, err);
		if (r)
			return r;
	}
	snapshot->handler_count = count;
	*ret_dispatch = mailbox.dispatch;
	return 0;
}

/* Puts thaw's own pages into the state every invocation finds them in. */
static void freeze_pages(struct vm *vm, uint64_t dispatch)
{
	struct thaw_info *info = info_of(vm);

	info->dispatch = dispatch;
	memset(&info->counter_base, 0,
	       sizeof(*info) - offsetof(struct thaw_info, counter_base));
	memset(vm_memory(vm) + THAW_GPA_MAILBOX, 0, THAW_MAILBOX_SIZE);
	memset(vm_memory(vm) + THAW_GPA_FAULT, 0, THAW_PAGE_SIZE);
	memset(vm_memory(vm) + THAW_GPA_LOG, 0, THAW_LOG_SIZE);
}

static int boot_guest(struct snapshot *snapshot, const struct image *image,
		      const struct snapshot_options *options, struct vm *vm,
		      struct error *err)
{
	uint64_t dispatch;
	int r;

	r = fill_memory(vm, image, options, &snapshot->layout, err);
	if (!r)
		r = vm_boot_state(vm, &snapshot->layout, err, &snapshot->state);
	if (!r)
		r = vm_set_state(vm, snapshot->state, err);
	if (!r)
		r = run_init(vm, image, &snapshot->layout, options, err);
	if (!r)
		r = read_manifest(snapshot, vm, err, &dispatch);
	if (!r)
		freeze_pages(vm, dispatch);
	return r;
}

/* No writer is left: nothing can change the snapshot from now on. */
static int seal(struct snapshot *snapshot, struct error *err)
{
	uint8_t *pristine;
	int r;

	if (fcntl(snapshot->memory_fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return error_set(err, -errno, "sealing the snapshot: %s",
				 strerror(errno));
	holes_find(snapshot->memory_fd, snapshot->layout.memory_size,
		   &snapshot->holes);
	r = holes_map(&snapshot->holes, snapshot->memory_fd,
		      snapshot->layout.memory_size, PROT_READ, &pristine);
	if (r)
		return error_set(err, r, "mapping the snapshot: %s",
				 strerror(-r));
	snapshot->pristine = pristine;
	return 0;
}

static int create(struct snapshot *snapshot, const struct image *image,
		  const struct snapshot_options *options, struct error *err)
{
	struct vm_config config = { .shared = true, .dirty = DIRTY_NONE };
	struct vm *vm;
	int r;

	r = layout_plan(image, &options->layout, err, &snapshot->layout);
	if (r)
		return r;
	config.memory_size = snapshot->layout.memory_size;
	config.control = snapshot->layout.control != LAYOUT_CONTROL_NONE;
	r = create_memory(config.memory_size, err, &snapshot->memory_fd);
	if (r)
		return r;
	config.memory_fd = snapshot->memory_fd;
	r = vm_create(&config, err, &vm);
	if (r)
		return r;
	r = boot_guest(snapshot, image, options, vm, err);
	vm_free(vm);
	return r ? r : seal(snapshot, err);
}

int snapshot_create(const struct image *image,
		    const struct snapshot_options *options, struct error *err,
		    struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int r;

	if (!snapshot)
		return error_set(err, -ENOMEM, "no memory for a snapshot");
	snapshot->memory_fd = -1;
	snapshot->dirty = options->dirty;
	snapshot->remap = options->remap;
	snapshot->page_size = (size_t)sysconf(_SC_PAGESIZE);
	r = create(snapshot, image, options, err);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}
