/* boot_state.h - what a vcpu begins with, and of which machine that is. */
#ifndef VM_BOOT_STATE_H
#define VM_BOOT_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define VM_FEATURES 96

struct layout;
struct vcpu_state;
struct vm;
struct vm_config;

/*
 * Makes the vcpu state in which every invocation of a snapshot starts. The caller
 * owns *@ret_state.
 */
int vm_boot_state(struct vm *vm, const struct layout *layout, struct error *err,
		  struct vcpu_state **ret_state);

/*
 * The same as on a machine with @features, all of which this one has; of a vcpu that is made
 * for this, of a vm that has no memory. Its shell is kept for the first vm of @config's
 * owner, if it can have one. Errors as vm_create().
 */
int vm_new_state(const struct vm_config *config, const struct layout *layout,
		 const uint32_t features[VM_FEATURES], struct error *err,
		 struct vcpu_state **ret_state);

/* Frees @state; NULL is fine. */
void vm_state_free(struct vcpu_state *state);

/* Bytes of such a state, none of which is padding that may differ. */
size_t vm_state_size(void);

/* What this machine is, to code that runs in a vm. */
struct vm_machine {
	uint32_t architecture; /* as an ELF file names it: e_machine */
	/*
	 * A mask of what code may find of the CPU, as KVM lets a vm have it and as this
	 * process sees it: on some hosts a function sees the latter. The same on all CPUs of
	 * a machine. A snapshot of one machine runs on another one that has all bits of
	 * its mask.
	 */
	uint32_t features[VM_FEATURES];
};

/* The first of these, which needs no KVM. */
uint32_t vm_architecture(void);

/* Asks KVM for it. Errors as kvm_open(). */
int vm_get_machine(struct error *err, struct vm_machine *ret_machine);

#endif
