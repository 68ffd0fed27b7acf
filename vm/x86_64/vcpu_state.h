/* vcpu_state.h (x86_64) - the complete state of a vcpu. */
#ifndef VM_X86_64_VCPU_STATE_H
#define VM_X86_64_VCPU_STATE_H

#include <linux/kvm.h>

struct vcpu_state {
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_xsave xsave;
};

#endif
