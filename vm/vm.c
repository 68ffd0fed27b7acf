/*
 * vm.c - what a vm consists of: creates and frees it, reads and writes its memory,
 * sets its state. vm_write() and vm_enter() are on the hot path. What differs by
 * architecture is behind arch.h. Runs on the thread that owns the vm. From here go
 * to run.c.
 */
#include "vm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/control.h"
#include "vm/kvm.h"
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

/* Chooses the most precise mult and shift, with mult in 32 bits. */
static void scale_counter(struct vm *vm)
{
	uint32_t shift = 32;

	while ((NS_PER_S << shift) / vm->counter_hz > UINT32_MAX)
		shift--;
	vm->counter_shift = shift;
	vm->counter_mult = (uint32_t)((NS_PER_S << shift) / vm->counter_hz);
}

/* KVM_CREATE_VM may take long, and fails if a signal is pending: signals wait. */
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
		r = control_init(&vm->control, vm->fd, err);
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
	if (vm->free_poll)
		vm->free_poll(vm);
	if (vm->run) { /* otherwise vm_create() has failed before watch_init() */
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
	control_done(&vm->control);
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

	control_reset(&vm->control);
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

uint64_t vm_done_address(const struct vm *vm, bool to_gate)
{
	return to_gate ? vm->gate_address : vm->done_address;
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
