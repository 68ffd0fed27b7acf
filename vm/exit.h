/*
 * exit.h - exits, which are returns of KVM_RUN: what they are made of, and what
 * they mean.
 */
#ifndef VM_EXIT_H
#define VM_EXIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout;
struct vm;

enum vm_exit_kind {
	VM_EXIT_DOORBELL, /* the guest rang: exit.bell */
	VM_EXIT_FAULT,	  /* a fault: exit.fault */
	VM_EXIT_CALL,	  /* a system call of a Linux program: see calls.h */
	VM_EXIT_DEADLINE, /* stopped by the watchdog */
	VM_EXIT_IDLE,	  /* has waited at the gate for some time */
	VM_EXIT_OTHER,	  /* anything else; exit.reason, exit.detail */
};

/* A fault in the guest, in the architecture's terms. */
struct vm_fault {
	uint64_t cause;	  /* x86_64: vector; arm64: ESR_EL1 */
	uint64_t code;	  /* x86_64: error code */
	uint64_t pc;	  /* of the instruction */
	uint64_t sp;	  /* the stack pointer */
	uint64_t address; /* accessed, if has_address */
	bool has_address;

	/* for vm_backtrace() */
	uint64_t frame;	 /* the frame pointer */
	uint64_t caller; /* in a function without a frame: where it returns to */
	bool caller_may_be_old; /* in others: where its last call returned to */
};

struct vm_exit {
	enum vm_exit_kind kind;
	uint32_t bell; /* THAW_BELL_*, or anything a hostile guest rings */
	bool polled;   /* no exit: the function is done, seen by polling */
	bool may_trap; /* the CPU may hold a trap that nothing can take back */
	uint32_t reason; /* KVM_EXIT_* */
	uint64_t detail; /* e.g. KVM's suberror */
	struct vm_fault fault;
};

/*
 * Runs the vcpu on the calling thread until KVM_RUN returns, and decodes what that
 * has left. 0: *@ret_exit says what the guest wants; -EINTR: a signal has come;
 * -ENOBUFS: the dirty ring is full; another -errno: KVM_RUN has failed. Decides
 * nothing: that is for exit_judge().
 */
int exit_await(struct vm *vm, struct vm_exit *ret_exit);

/*
 * Judges what exit_await() has returned, @r, and left, *@exit: what an exit means
 * in either dispatch. On the thread that owns the vm.
 *
 *	doorbell, fault, call	the run has ended
 *	idle			it has ended by DONE, if the function is done at
 *				the gate; else as -EINTR
 *	-EINTR			the run has ended at the deadline, if the watchdog
 *				has struck; else the vcpu is to go on
 *	-ENOBUFS		the ring is drained; then as -EINTR
 *	other, other -errno	the run has ended, and the vm is spoiled
 *
 * 1: the vcpu is to go on. 0, or -errno if KVM has failed: the run has ended,
 * *@exit says how, and the watchdog is disarmed. No allocation, no lock.
 */
int exit_judge(struct vm *vm, int r, struct vm_exit *exit);

/*
 * Puts "page fault (vector 14) ..." into @text; before it "stack overflow ...: "
 * if it is one. @layout may be NULL.
 */
void vm_describe_exit(const struct vm_exit *exit, const struct layout *layout,
		      char *text, size_t size);

#endif
