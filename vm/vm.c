/*
 * vm.c - creates and runs a vm. vm_run() is on the hot path; what differs by
 * architecture is behind arch.h. Runs on the thread that owns the vm. From
 * here go to snapshot/restore.c.
 */
#include "vm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/vm_internal.h"

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
			      vm->memory_size, prot, &vm->memory);
	}
	if (r)
		return error_set(err, r,
				 "mapping %zu bytes of guest memory: %s",
				 vm->memory_size, strerror(-r));
	return 0;
}

static int create_vcpu(struct vm *vm, struct error *err)
{
	void *run;
	int r;

	vm->vcpu_fd = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	if (vm->vcpu_fd < 0)
		return error_set(err, -errno, "KVM_CREATE_VCPU: %s",
				 strerror(errno));
	run = mmap(NULL, vm->host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vm->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return error_set(err, -errno, "mapping kvm_run: %s",
				 strerror(errno));
	vm->run = run;
	r = dirty_attach(&vm->dirty, vm->vcpu_fd, err);
	if (r)
		return r;
	return arch_vcpu_init(vm, err);
}

/* The most precise mult and shift with mult in 32 bits. */
static void scale_counter(struct vm *vm)
{
	uint32_t shift = 32;

	while ((NS_PER_S << shift) / vm->counter_hz > UINT32_MAX)
		shift--;
	vm->counter_shift = shift;
	vm->counter_mult = (uint32_t)((NS_PER_S << shift) / vm->counter_hz);
}

/* KVM_CREATE_VM gives up when a signal is pending, and may take its time. */
static int create_fd(struct vm *vm)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	vm->fd = ioctl(vm->host->fd, KVM_CREATE_VM, vm->host->vm_type);
	if (vm->fd < 0)
		r = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static int create_parts(struct vm *vm, const struct vm_config *config,
			struct error *err)
{
	int r;

	r = create_fd(vm);
	if (r)
		return error_set(err, r, "KVM_CREATE_VM: %s", strerror(-r));
	r = dirty_init(&vm->dirty, vm->host, vm->fd, vm->memory_size,
		       config->dirty, err);
	if (!r)
		r = map_memory(vm, config, err);
	if (!r)
		r = dirty_set_memslot(&vm->dirty, vm->memory, vm->memory_size,
				      err);
	if (!r && config->control)
		r = poll_init(vm, err);
	if (!r)
		r = create_vcpu(vm, err);
	if (!r)
		scale_counter(vm);
	return r;
}

int vm_create(const struct vm_config *config, struct error *err,
	      struct vm **ret_vm)
{
	const struct kvm_host *host;
	struct vm *vm;
	int r;

	r = kvm_open(err, &host);
	if (r)
		return r;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return error_set(err, -ENOMEM, "no memory for a vm");
	vm->host = host;
	vm->gate = config->gate;
	vm->fd = vm->vcpu_fd = -1;
	vm->memory_size = config->memory_size;
	vm->page_shift =
		(unsigned)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	r = create_parts(vm, config, err);
	if (!r)
		r = watch_init(&vm->watch, vm->run, err);
	if (r) {
		if (vm->run) {
			munmap(vm->run, host->run_size);
			vm->run = NULL;
		}
		vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	poll_done(vm);
	if (vm->run) { /* else vm_create() failed: never registered */
		watch_done(&vm->watch);
		munmap(vm->run, vm->host->run_size);
	}
	dirty_done(&vm->dirty);
	if (vm->vcpu_fd >= 0)
		close(vm->vcpu_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->memory)
		munmap(vm->memory, vm->memory_size);
	free(vm);
}

bool vm_ran_on(const struct vm *vm, pthread_t thread)
{
	return pthread_equal(vm->watch.thread, thread);
}

struct dirty *vm_dirty(struct vm *vm)
{
	return &vm->dirty;
}

uint8_t *vm_memory(struct vm *vm)
{
	return vm->memory;
}

const void *vm_view(const struct vm *vm, uint64_t gpa, uint64_t size)
{
	if (gpa > vm->memory_size || size > vm->memory_size - gpa)
		return NULL;
	return vm->memory + gpa;
}

int vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size)
{
	if (gpa > vm->memory_size || size > vm->memory_size - gpa)
		return -EFAULT;
	if (!size)
		return 0;
	memcpy(vm->memory + gpa, data, size);
	dirty_note(&vm->dirty, gpa, size);
	return 0;
}

int vm_set_state(struct vm *vm, const struct vcpu_state *state,
		 struct error *err)
{
	int r = arch_load_state(vm, state);

	poll_reset(vm);
	if (r)
		return error_set(err, r, "loading the vcpu state: %s",
				 strerror(-r));
	return 0;
}

bool vm_spoiled(const struct vm *vm)
{
	return vm->spoiled;
}

void vm_spoil(struct vm *vm)
{
	vm->spoiled = true;
}

void vm_enter(struct vm *vm)
{
	vm->poll.is_new = true;
	if (vm->poll.at_gate)
		return;
	poll_reset(vm);
	arch_enter(vm, THAW_GPA_STUB);
}

void vm_enter_touch(struct vm *vm)
{
	poll_reset(vm);
	arch_enter(vm, THAW_GPA_STUB +
			       (uint64_t)(thaw_stub_touch - thaw_stub_start));
}

uint64_t vm_done_address(const struct vm *vm, bool to_gate)
{
	return to_gate ? vm->gate_address : vm->done_address;
}

int vm_run_once(struct vm *vm, struct vm_exit *ret_exit)
{
	int r = ioctl(vm->vcpu_fd, KVM_RUN, 0) ? -errno : 0;

	ret_exit->kind = VM_EXIT_OTHER;
	ret_exit->polled = false;
	ret_exit->detail = 0;
	/*
	 * The guest may have been given GO by another thread: what that thread
	 * wrote before is ours to see as well. Pairs with poll_begin().
	 */
	if (vm->control)
		__atomic_load_n(&vm->control->go, __ATOMIC_ACQUIRE);
	arch_decode_exit(vm, !r, ret_exit);
	if (ret_exit->may_trap)
		vm_spoil(vm);
	if (r)
		return r == -EAGAIN ? -EINTR : r;
	if (vm->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL)
		return -ENOBUFS;
	if (vm->gate == VM_GATE_USER && ret_exit->kind == VM_EXIT_DOORBELL &&
	    ret_exit->bell == THAW_BELL_IDLE)
		ret_exit->kind = VM_EXIT_IDLE;
	return 0;
}

/* KVM_RUN until the guest wants something, or the watchdog strikes. */
static int run_until_exit(struct vm *vm, struct vm_exit *exit)
{
	for (;;) {
		int r = vm_run_once(vm, exit);

		if (!r && exit->kind == VM_EXIT_IDLE) {
			if (poll_has_ended(vm)) {
				exit->kind = VM_EXIT_DOORBELL;
				exit->bell = THAW_BELL_DONE;
				return 0;
			}
			r = -EINTR; /* its GO has come, or it is none */
		}
		if (r == -ENOBUFS)
			r = dirty_drain(&vm->dirty);
		else if (r != -EINTR)
			return r;
		if (r && r != -EINTR)
			return r; /* not hidden by a deadline */
		/* a signal: if it is somebody else's, go on */
		if (watch_expired(&vm->watch)) {
			exit->kind = VM_EXIT_DEADLINE;
			return 0;
		}
	}
}

int vm_end_run(struct vm *vm, int r, struct vm_exit *exit)
{
	/* one that came too late for this exit: the caller knows the time */
	watch_disarm(&vm->watch);
	exit->reason = vm->run->exit_reason;
	if (r || exit->kind == VM_EXIT_OTHER)
		vm_spoil(vm);
	poll_end(vm);
	return r;
}

int vm_run(struct vm *vm, uint64_t deadline_ns, struct vm_exit *ret_exit)
{
	poll_begin(vm, 0);
	watch_arm(&vm->watch, deadline_ns);
	return vm_end_run(vm, run_until_exit(vm, ret_exit), ret_exit);
}

int vm_run_slice(struct vm *vm, uint64_t end_ns, struct vm_exit *ret_exit)
{
	poll_begin(vm, 0);
	watch_arm_soft(&vm->watch, end_ns);
	return vm_end_run(vm, run_until_exit(vm, ret_exit), ret_exit);
}

uint64_t vm_counter_now(const struct vm *vm)
{
	return arch_counter_now() + vm->counter_offset;
}

void vm_counter_scale(const struct vm *vm, uint32_t *ret_mult,
		      uint32_t *ret_shift)
{
	*ret_mult = vm->counter_mult;
	*ret_shift = vm->counter_shift;
}

#define OVERFLOW "stack overflow (raise stack, or use less of it): "

static void describe_fault(const struct vm_fault *fault,
			   const struct layout *layout, char *text, size_t size)
{
	size_t used = 0;

	if (layout && fault->has_address &&
	    layout_is_overflow(layout, fault->address, fault->sp))
		used = (size_t)snprintf(text, size, "%s", OVERFLOW);
	arch_describe_fault(fault, text + used, size - used);
}

void vm_describe_exit(const struct vm_exit *exit, const struct layout *layout,
		      char *text, size_t size)
{
	switch (exit->kind) {
	case VM_EXIT_FAULT:
		describe_fault(&exit->fault, layout, text, size);
		return;
	case VM_EXIT_DOORBELL:
		snprintf(text, size, "doorbell %u", exit->bell);
		return;
	case VM_EXIT_DEADLINE:
		snprintf(text, size, "deadline");
		return;
	case VM_EXIT_IDLE:
		snprintf(text, size, "idle");
		return;
	case VM_EXIT_OTHER:
		break;
	}
	switch (exit->reason) {
	case KVM_EXIT_SHUTDOWN:
		snprintf(text, size, "the vcpu shut down (triple fault)");
		return;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(text, size,
			 "KVM could not run an instruction (internal error %llu)",
			 (unsigned long long)exit->detail);
		return;
	default:
		snprintf(text, size, "unexpected exit %u (%#llx)", exit->reason,
			 (unsigned long long)exit->detail);
	}
}

void vm_prepare_memory(uint8_t *memory, const struct layout *layout)
{
	arch_prepare_memory(memory, layout);
}

int vm_boot_state(struct vm *vm, const struct layout *layout, struct error *err,
		  struct vcpu_state **ret_state)
{
	return arch_boot_state(vm, layout, err, ret_state);
}

void vm_state_free(struct vcpu_state *state)
{
	free(state);
}
