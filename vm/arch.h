/*
 * arch.h - what an architecture provides; everything else in vm/ is common.
 * Implemented in vm/x86_64/ and vm/arm64/, one of which is built.
 *
 * An architecture decodes exits and knows what is in a vcpu's state and in guest
 * memory. It runs nothing: the loops are in run.c and poll.c.
 */
#ifndef VM_ARCH_H
#define VM_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct kvm_host;
struct layout;
struct thaw_frame;
struct vcpu_state;
struct vm;
struct vm_call;
struct vm_exit;
struct vm_fault;

/*
 * Checks the capabilities that this architecture needs, and sets host->vm_type.
 * 0, or -ENODEV with a message that says what is missing.
 */
int arch_kvm_check(struct kvm_host *host, struct error *err);

/*
 * Prepares a new vcpu, which has not run: its features, its counter. Sets what
 * vm_internal.h says it sets. arch_gate_init() does the rest once it is known what will
 * run in it: vm->gate and vm->is_program are set by then.
 */
int arch_vcpu_init(struct vm *vm, struct error *err);
int arch_gate_init(struct vm *vm, struct error *err);

/* Writes stubs, descriptors or vectors, and page tables into @memory. */
void arch_prepare_memory(uint8_t *memory, const struct layout *layout);

#define ARCH_FEATURES 96

/*
 * Makes the complete state in which the entry stub begins, on a CPU with @features, all of
 * which this one has. The caller frees *@ret_state by vm_state_free().
 */
int arch_boot_state(struct vm *vm, const struct layout *layout,
		    const uint32_t features[ARCH_FEATURES], struct error *err,
		    struct vcpu_state **ret_state);

/* Bytes of that state. */
extern const size_t arch_state_size;

/* For vm_get_machine(), once KVM is open. */
extern const uint32_t arch_machine;
void arch_machine_features(uint32_t features[ARCH_FEATURES]);

/*
 * Loads the complete state into a vcpu of which no exit is pending. The first time, in
 * vcpus that have just been made, what they begin with may be left as it is: see
 * vm->has_state. 0 or -errno.
 */
int arch_load_state(struct vm *vm, const struct vcpu_state *state);

/* Completes an instruction whose exit is still pending. 0 or -errno. */
int arch_finish_exit(struct vm *vm);

/*
 * Makes the next run start at @pc, in the entry stub's page, and clears the
 * general registers if that takes no system call. On the hot path.
 */
void arch_enter(struct vm *vm, uint64_t pc);

/*
 * Decodes what KVM_RUN has left in vm->run. Sets @exit->may_trap; and, if
 * @has_exited, which KVM_RUN says by returning 0, either @exit->kind with what
 * belongs to that kind, or else @exit->detail.
 */
void arch_decode_exit(struct vm *vm, bool has_exited, struct vm_exit *exit);

/* Puts a fault into words: its name, the kind of access, the address. */
void arch_describe_fault(const struct vm_fault *fault, char *text, size_t size);

/*
 * The address of the function that is called by the instruction before @end, of
 * whose code the ARCH_CALL_SIZE bytes before @code_end are; 0 if it is no direct call.
 */
uint64_t arch_call_target(const uint8_t *code_end, uint64_t end);
#define ARCH_CALL_SIZE 8

/*
 * Page tables, for tables.c: which bits of an address choose an entry of the root, and
 * entries. Bit 0 says that an entry is present, on every architecture. @prot is
 * IMAGE_PROT_*; arch_entry_prot() has 0 for what user mode may not touch.
 */
extern const unsigned arch_root_shift;
uint64_t arch_page_entry(uint64_t gpa, unsigned prot);
uint64_t arch_table_entry(uint64_t gpa);
uint64_t arch_entry_gpa(uint64_t entry);
unsigned arch_entry_prot(uint64_t entry);

/*
 * In an entry: that it has been used, and, of a page's, that the page has been written.
 * 0: CPUs of this architecture do not tell, or vms do not have them tell.
 */
extern const uint64_t arch_entry_accessed, arch_entry_dirty;

/* Whether a CPU may execute what memory had before the host wrote there. */
extern const bool arch_keeps_code;

/* System calls of Linux programs: as in calls.h. */
void arch_call_get(const struct vm *vm, struct vm_call *ret_call);
void arch_call_return(struct vm *vm, uint64_t result);
int arch_call_save(const struct vm *vm, struct thaw_frame *ret_frame);
int arch_frame_save(const struct vm *vm, const struct vm_exit *exit,
		    struct thaw_frame *ret_frame);
int arch_frame_load(struct vm *vm, const struct thaw_frame *frame);
bool arch_frame_is_users(const struct thaw_frame *frame);
void arch_frame_set_sp(struct thaw_frame *frame, uint64_t sp);
int arch_set_thread(struct vm *vm, uint64_t thread);
void arch_features(uint64_t *ret_first, uint64_t *ret_second);
uint64_t arch_vector_features(const struct vm *vm);
uint64_t arch_signal_return_address(void);
void arch_frame_begin(struct thaw_frame *frame, uint64_t pc, uint64_t sp);

/* Lets the CPU rest for an instant, in a loop that polls. */
void arch_relax(void);

/* The host's counter. The guest's differs from it by vm->counter_offset. */
uint64_t arch_counter_now(void);

#endif
