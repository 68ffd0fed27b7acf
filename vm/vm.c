/*
 * vm.c - what a vm consists of: creates and frees it, reads and writes its memory,
 * sets its state. vm_write() and vm_enter() are on the hot path. What differs by
 * architecture is behind arch.h. Runs on the thread that owns the vm. From here go
 * to run.c.
 */
#include "vm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/control.h"
#include "vm/kvm.h"
#include "vm/vm_internal.h"

/* The one given last is the first. */
static struct {
	pthread_mutex_t lock;
	struct vm *first;
	unsigned count, limit;
	struct vm *of_parent; /* in a child of fork(): of no use to it */
	const struct shell_source *_Atomic source; /* or NULL */
} shells = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.limit = SHELLS_DEFAULT,
};

/* An ioctl() that makes a file has failed. */
static int no_file(struct error *err, const char *ioctl, int r)
{
	return error_set(err, r, "%s: %s%s", ioctl, strerror(-r),
			 r == -EMFILE ? ": raise the limit of open files" : "");
}

static int no_mapping(struct error *err, size_t size, const char *what, int r)
{
	return error_set(err, r, "mapping %zu bytes of %s: %s%s", size, what,
			 strerror(-r),
			 r == -ENOMEM ?
				 ": raise vm.max_map_count, or the limit "
				 "of address space" :
				 "");
}

/*
 * KVM_CREATE_VM may take long, and fails if a signal is pending: signals wait. A stop does
 * not (SIGSTOP, the freezer of a cgroup, a debugger): then it is called again.
 */
static int create_fd(struct vm *vm, struct error *err)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	do
		vm->fd = ioctl(vm->host->fd, KVM_CREATE_VM, vm->host->vm_type);
	while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0)
		r = no_file(err, "KVM_CREATE_VM", -errno);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int vm_shell_kind(enum dirty_backend dirty, size_t memory_size,
		  struct error *err, struct shell_kind *ret_kind)
{
	const struct kvm_host *host;
	int r = kvm_open(err, &host);

	if (r)
		return r;
	*ret_kind = (struct shell_kind){ .dirty = dirty,
					 .memory_size = memory_size };
	if ((dirty == DIRTY_AUTO || dirty == DIRTY_RING) &&
	    dirty_ring_fits(host, memory_size))
		ret_kind->ring_entries =
			dirty_ring_entries(memory_size,
					   (size_t)sysconf(_SC_PAGESIZE));
	return 0;
}

static int create_vcpu(struct vm *vm, struct error *err)
{
	void *run;

	vm->vcpu_fd = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	if (vm->vcpu_fd < 0)
		return no_file(err, "KVM_CREATE_VCPU", -errno);
	vm->run_size = dirty_mapping_size(&vm->dirty, vm->host->run_size);
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vm->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return no_mapping(err, vm->run_size, "kvm_run", -errno);
	vm->run = run;
	dirty_attach(&vm->dirty, run);
	return arch_vcpu_init(vm, err);
}

/* Chooses the most precise mult and shift, with mult in 32 bits. */
static void scale_counter(struct vm *vm)
{
	uint32_t shift = 32;

	while ((NS_PER_S << shift) / vm->counter_hz > UINT32_MAX)
		shift--;
	vm->counter_shift = shift;
	vm->counter_mult = (uint32_t)((NS_PER_S << shift) / vm->counter_hz);
}

void vm_shell_free(struct vm *vm)
{
	if (vm->run)
		munmap(vm->run, vm->run_size);
	if (vm->vcpu_fd >= 0)
		close(vm->vcpu_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	control_done(&vm->control);
	free(vm);
}

int vm_shell_make(const struct shell_kind *kind, struct error *err,
		  struct vm **ret_vm)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return error_set(err, -ENOMEM, "no memory for a vm");
	vm->fd = vm->vcpu_fd = -1;
	vm->is_settled = true;
	r = kvm_open(err, &vm->host);
	if (!r)
		r = create_fd(vm, err);
	if (!r)
		r = dirty_init(&vm->dirty, vm->host, vm->fd, kind->memory_size,
			       kind->dirty, err);
	if (!r)
		r = create_vcpu(vm, err);
	if (r) {
		vm_shell_free(vm);
		return r;
	}
	scale_counter(vm);
	*ret_vm = vm;
	return 0;
}

static void shells_free(struct vm *vm)
{
	while (vm) {
		struct vm *next = vm->next_shell;

		vm_shell_free(vm);
		vm = next;
	}
}

/* Returns the list, and begins a new one. The lock is held. */
static struct vm *shells_take_all(void)
{
	struct vm *all = shells.first;

	shells.first = NULL;
	shells.count = 0;
	return all;
}

/* KVM refuses a vm to all processes but the one that has made it. */
static void shells_on_fork_in_child(void)
{
	pthread_mutex_init(&shells.lock, NULL);
	shells.of_parent = shells_take_all();
}

static void shells_prepare(void)
{
	pthread_atfork(NULL, NULL, shells_on_fork_in_child);
}

static void shells_lock(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, shells_prepare);
	pthread_mutex_lock(&shells.lock);
}

bool shells_suit(const struct vm_config *config)
{
	/* a gate and its control page are not taken away again */
	return config->owner && !config->control;
}

/* If there is none of this owner, and there is no more room, the one given first makes some. */
static struct vm *shell_find(const struct vm_config *config)
{
	struct vm **at = &shells.first, **last = at, *vm, *unfit = NULL;

	shells_lock();
	while (*at && (*at)->owner != config->owner) {
		last = at;
		at = &(*at)->next_shell;
	}
	vm = *at;
	if (vm) {
		*at = vm->next_shell;
		shells.count--;
	} else if (shells.count && shells.count == shells.limit) {
		unfit = *last;
		*last = NULL;
		shells.count--;
	}
	pthread_mutex_unlock(&shells.lock);
	if (unfit)
		vm_shell_free(unfit);
	return vm;
}

void shells_set_source(const struct shell_source *source)
{
	atomic_store(&shells.source, source);
}

/* One in which no vm of anybody has been. */
static int shell_get_new(const struct vm_config *config, struct error *err,
			 struct vm **ret_vm)
{
	const struct shell_source *source = atomic_load(&shells.source);
	struct shell_kind kind;
	int r = vm_shell_kind(config->dirty, config->memory_size, err, &kind);

	if (r)
		return r;
	*ret_vm = source ? source->take(&kind) : NULL;
	return *ret_vm ? 0 : vm_shell_make(&kind, err, ret_vm);
}

int shells_take(const struct vm_config *config, struct error *err,
		struct vm **ret_vm)
{
	struct vm *vm = shells_suit(config) ? shell_find(config) : NULL;
	int r;

	if (vm) {
		vm->reuses++;
		*ret_vm = vm;
		return 0;
	}
	r = shell_get_new(config, err, &vm);
	if (r)
		return r;
	vm->owner = config->owner;
	vm->gate = config->gate;
	vm->is_program = config->is_program;
	r = arch_gate_init(vm, err);
	if (r)
		vm_shell_free(vm);
	else
		*ret_vm = vm;
	return r;
}

/* Forgets all but the shell. */
static void strip(struct vm *vm)
{
	*vm = (struct vm){
		.host = vm->host,
		.fd = vm->fd,
		.vcpu_fd = vm->vcpu_fd,
		.run = vm->run,
		.run_size = vm->run_size,
		.dirty = vm->dirty,
		.is_program = vm->is_program,
		.owner = vm->owner,
		.has_state = vm->has_state,
		.reuses = vm->reuses,
		.is_settled = true,
		.gate_address = vm->gate_address,
		.counter_hz = vm->counter_hz,
		.counter_offset = vm->counter_offset,
		.counter_mult = vm->counter_mult,
		.counter_shift = vm->counter_shift,
	};
}

/* Whether one more would be kept; another thread may be faster. */
static bool shells_have_room(void)
{
	bool have;

	shells_lock();
	have = shells.count < shells.limit;
	pthread_mutex_unlock(&shells.lock);
	return have;
}

void shells_give(struct vm *vm)
{
	shells_lock();
	if (shells.count < shells.limit) {
		vm->next_shell = shells.first;
		shells.first = vm;
		shells.count++;
		vm = NULL;
	}
	pthread_mutex_unlock(&shells.lock);
	if (vm)
		vm_shell_free(vm);
}

void shells_drop(uint64_t owner)
{
	struct vm **at = &shells.first, *dropped = NULL;

	shells_lock();
	while (*at) {
		struct vm *vm = *at;

		if (vm->owner != owner) {
			at = &vm->next_shell;
			continue;
		}
		*at = vm->next_shell;
		vm->next_shell = dropped;
		dropped = vm;
		shells.count--;
	}
	pthread_mutex_unlock(&shells.lock);
	shells_free(dropped);
}

void shells_limit(unsigned limit)
{
	struct vm *all;

	shells_lock();
	shells.limit = limit < SHELLS_MAX ? limit : SHELLS_MAX;
	all = shells_take_all();
	pthread_mutex_unlock(&shells.lock);
	shells_free(all);
}

bool shells_spare(void)
{
	const struct shell_source *source = atomic_load(&shells.source);
	const bool has_fresh = source && source->spare();
	struct vm *all;

	shells_lock();
	all = shells_take_all();
	pthread_mutex_unlock(&shells.lock);
	shells_free(all);
	return has_fresh || all;
}

static int map_memory(struct vm *vm, const struct vm_config *config,
		      struct error *err)
{
	const int prot = PROT_READ | PROT_WRITE;
	int r = 0;

	if (config->shared) {
		void *memory = mmap(NULL, vm->memory_size, prot,
				    MAP_SHARED | MAP_NORESERVE,
				    config->memory_fd, 0);

		if (memory == MAP_FAILED)
			r = -errno;
		else
			vm->memory = memory;
	} else {
		r = holes_map(&config->holes, config->memory_fd,
			      config->memory_offset, vm->memory_size, prot,
			      &vm->memory);
		if (!r)
			r = layer_map(&config->layer, vm->memory, prot);
	}
	return r ? no_mapping(err, vm->memory_size, "guest memory", r) : 0;
}

static bool is_told_by_tables(const struct vm_config *config)
{
	return config->dirty == DIRTY_TABLES && !config->shared;
}

/* Gives @vm, which has none, its memory, and the rest of what @config asks for. */
static int add_parts(struct vm *vm, const struct vm_config *config,
		     struct error *err)
{
	int r;

	r = map_memory(vm, config, err);
	if (!r)
		r = dirty_add_memory(&vm->dirty, vm->memory, vm->memory_size,
				     !config->shared, err);
	if (!r && is_told_by_tables(config))
		r = dirty_set_tables(&vm->dirty, config->tables, err);
	if (!r && config->control)
		r = control_init(&vm->control, vm->fd, err);
	if (!r) {
		r = watch_init(&vm->watch, vm->run, err);
		vm->is_watched = !r;
	}
	return r;
}

int vm_shell_fill(struct vm *vm, const struct vm_config *config,
		  struct error *err)
{
	vm->memory_size = config->memory_size;
	vm->write_end = is_told_by_tables(config) ? config->tables :
						    config->memory_size;
	return add_parts(vm, config, err);
}

static int vm_try_create(const struct vm_config *config, struct error *err,
			 struct vm **ret_vm)
{
	struct vm *vm = NULL;
	int r;

	r = shells_take(config, err, &vm);
	if (r)
		return r;
	r = vm_shell_fill(vm, config, err);
	if (r) {
		vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

/* Whether @r says that there is not enough of something that shells have. */
static bool is_short(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

void vm_disown(struct vm *vm)
{
	vm->owner = 0;
}

int vm_create(const struct vm_config *config, struct error *err,
	      struct vm **ret_vm)
{
	int r = vm_try_create(config, err, ret_vm);

	if (is_short(r) && shells_spare())
		r = vm_try_create(config, err, ret_vm);
	return r;
}

/* Whether what is left of @vm without its memory can become another vm. */
static bool is_good_shell(const struct vm *vm)
{
	return vm->is_watched && vm->has_state && !vm->spoiled &&
	       !vm->control.page;
}

/*
 * An instruction whose exit is pending may write to memory, so it is finished as long as
 * that is there.
 */
bool vm_shell_empty(struct vm *vm, bool is_wanted)
{
	const bool is_shell = is_wanted && is_good_shell(vm) &&
			      !arch_finish_exit(vm) &&
			      !dirty_remove_memory(&vm->dirty);

	if (vm->is_watched)
		watch_done(&vm->watch);
	dirty_forget_memory(&vm->dirty);
	if (vm->memory)
		munmap(vm->memory, vm->memory_size);
	free(vm->table_places);
	vm_keep(vm, NULL, NULL);
	if (is_shell)
		strip(vm);
	return is_shell;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	if (vm->free_poll)
		vm->free_poll(vm);
	if (vm_shell_empty(vm, vm->owner && shells_have_room()))
		shells_give(vm);
	else
		vm_shell_free(vm);
}

void vm_keep(struct vm *vm, void *kept, void (*free_kept)(void *kept))
{
	if (vm->free_kept)
		vm->free_kept(vm->kept);
	vm->kept = kept;
	vm->free_kept = free_kept;
}

void *vm_kept(const struct vm *vm)
{
	return vm->kept;
}

HOT bool vm_ran_on(const struct vm *vm, pthread_t thread)
{
	return pthread_equal(vm->watch.thread, thread);
}

HOT struct dirty *vm_dirty(struct vm *vm)
{
	return &vm->dirty;
}

HOT uint8_t *vm_memory(struct vm *vm)
{
	return vm->memory;
}

HOT const void *vm_view(const struct vm *vm, uint64_t gpa, uint64_t size)
{
	if (gpa > vm->memory_size || size > vm->memory_size - gpa)
		return NULL;
	return vm->memory + gpa;
}

HOT void *vm_write_at(struct vm *vm, uint64_t gpa, size_t size)
{
	if (!size || gpa > vm->write_end || size > vm->write_end - gpa)
		return NULL;
	dirty_note(&vm->dirty, gpa, size);
	return vm->memory + gpa;
}

HOT int vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size)
{
	void *to = vm_write_at(vm, gpa, size);

	if (to)
		memcpy(to, data, size);
	return to || (!size && gpa <= vm->write_end) ? 0 : -EFAULT;
}

int vm_set_state(struct vm *vm, const struct vcpu_state *state,
		 struct error *err)
{
	int r = vm->is_settled ? 0 : arch_finish_exit(vm);

	if (!r)
		r = arch_load_state(vm, state);
	vm->is_settled = false;
	vm->has_state = true;
	control_reset(&vm->control);
	if (r)
		vm_spoil(vm);
	if (r)
		return error_set(err, r, "loading the vcpu state: %s",
				 strerror(-r));
	return 0;
}

HOT bool vm_spoiled(const struct vm *vm)
{
	return vm->spoiled;
}

void vm_spoil(struct vm *vm)
{
	vm->spoiled = true;
}

HOT void vm_enter(struct vm *vm)
{
	vm->control.is_new = true;
	if (vm->control.at_gate)
		return;
	control_reset(&vm->control);
	arch_enter(vm, THAW_GPA_STUB);
}

void vm_enter_touch(struct vm *vm)
{
	control_reset(&vm->control);
	arch_enter(vm, THAW_GPA_STUB +
			       (uint64_t)(thaw_stub_touch - thaw_stub_start));
}

HOT uint64_t vm_doorbell_address(void)
{
	return THAW_GPA_STUB + (uint64_t)(thaw_stub_done - thaw_stub_start);
}

HOT uint64_t vm_done_address(const struct vm *vm, bool to_gate)
{
	return to_gate ? vm->gate_address : vm_doorbell_address();
}

HOT struct vm_moment vm_now(void)
{
	const uint64_t counter = arch_counter_now();

	return (struct vm_moment){
		.counter = counter,
		.monotonic_ns = clock_now_ns(),
		.realtime_ns = clock_read_ns(CLOCK_REALTIME),
	};
}

HOT uint64_t vm_counter_now(void)
{
	return arch_counter_now();
}

HOT void vm_set_begun(struct vm *vm, const struct vm_moment *begun)
{
	vm->begun_at = begun->counter;
}

HOT uint64_t vm_begun_at(const struct vm *vm)
{
	return vm->begun_at;
}

HOT uint64_t vm_ended_at(const struct vm *vm)
{
	return vm->ended_at;
}

HOT uint64_t vm_counter_ns(const struct vm *vm, uint64_t from, uint64_t to)
{
	/* CPUs' counters may differ a little */
	if (to <= from)
		return 0;
	return (uint64_t)((unsigned __int128)(to - from) * vm->counter_mult >>
			  vm->counter_shift);
}

HOT uint64_t vm_counter_at(const struct vm *vm, const struct vm_moment *moment)
{
	return moment->counter + vm->counter_offset;
}

HOT void vm_counter_scale(const struct vm *vm, uint32_t *ret_mult,
			  uint32_t *ret_shift)
{
	*ret_mult = vm->counter_mult;
	*ret_shift = vm->counter_shift;
}

void vm_prepare_memory(uint8_t *memory, const struct layout *layout)
{
	arch_prepare_memory(memory, layout);
	vm_flush_code(memory, layout);
}

/*
 * What was written as data is to be fetched as instructions. KVM invalidates
 * the instruction cache for a page it maps; that the bytes have left the data
 * cache by then is up to us.
 */
void vm_flush_code(const uint8_t *memory, const struct layout *layout)
{
	for (unsigned i = 0; arch_keeps_code && i < layout->mapping_count;
	     i++) {
		const struct layout_mapping *m = &layout->mappings[i];
		char *code = (char *)memory + m->range.start;

		if (m->prot & IMAGE_PROT_EXECUTE)
			__builtin___clear_cache(code, code + m->range.size);
	}
}
