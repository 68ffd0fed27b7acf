/*
 * kvm.h - the host's KVM: /dev/kvm, opened once for the process, and what it
 * can do.
 *
 * Capabilities are asked for; kernel versions and flavours never are.
 */
#ifndef VM_KVM_H
#define VM_KVM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The environment variable that names another device than /dev/kvm. */
#define KVM_DEVICE_VARIABLE "THAW_KVM_DEVICE"

struct kvm_host {
	int fd;
	size_t run_size;	 /* bytes of the kvm_run mapping */
	bool has_dirty_ring;	 /* in either of its two forms */
	int dirty_ring_cap;	 /* the capability to enable */
	size_t dirty_ring_bytes; /* largest ring */
	unsigned manual_protect; /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */
	unsigned long vm_type;	 /* the argument of KVM_CREATE_VM */
};

/*
 * Opens KVM at the first call; later calls return the same answer. Any thread.
 * *@ret_host lives as long as the process. -ENOENT: there is no device;
 * -EACCES: it may not be opened; -ENODEV: it is not a usable KVM. The message
 * says what to do.
 */
int kvm_open(struct error *err, const struct kvm_host **ret_host);

/* KVM_CHECK_EXTENSION on the device: 0 or a positive answer. */
int kvm_capability(const struct kvm_host *host, int capability);

/* Something that KVM must have, and what it answers when asked for it. */
struct kvm_fact {
	const char *name;
	int answer;
	bool ok;
};

#define KVM_FACTS_MAX 4

/*
 * Asks KVM anew for each of the things that thaw needs on every architecture, even
 * if kvm_open() has failed because one is missing. Returns how many @facts there
 * are; 0 if there is no KVM to ask.
 */
size_t kvm_facts(struct kvm_fact facts[static KVM_FACTS_MAX]);

/* The device's path, for messages. */
const char *kvm_device(void);

#endif
