/*
 * arch_behaviours.h (arm64) - how faults of memory read, and what hostile.elf
 * can do wrong on arm64 alone; see behaviours.h.
 *
 * Where a KVM may end an instruction in more than one way, the text names what
 * all of them have in common.
 */
#ifndef ARCH_BEHAVIOURS_H
#define ARCH_BEHAVIOURS_H

#define READING(address) "page fault (ESR 0x*) reading address " address
#define WRITING(address) "page fault (ESR 0x*) writing address " address
#define EXECUTING(address) "page fault (ESR 0x*) executing address " address
#define NOT_MAPPED " (not mapped)"
#define PROTECTED " (protected)"
/* There are no descriptor tables to be kept from user mode. */
#define SYSTEM_PAGE " (*)"

#define ILLEGAL(name) FAULT_IN(name, "illegal instruction (ESR 0x*)")
#define NOT_ALLOWED(name) FAULT_IN(name, "* (ESR 0x*)")
#define SOME_EXIT "Runtime.*: *"

#define ARCH_BEHAVIOURS(X)                                                     \
	/* privileged.c */                                                     \
	X(undefined, ENDS_FAULT, ILLEGAL(undefined))                           \
	X(breakpoint, ENDS_FAULT,                                              \
	  FAULT_IN(breakpoint, "breakpoint (ESR 0x*)"))                        \
	X(halting_breakpoint, ENDS_FAULT, NOT_ALLOWED(halting_breakpoint))     \
	X(system_call, ENDS_FAULT,                                             \
	  FAULT_IN(system_call, "system call (ESR 0x*)"))                      \
	X(hypervisor_call, ENDS_FAULT, NOT_ALLOWED(hypervisor_call))           \
	X(secure_call, ENDS_FAULT, NOT_ALLOWED(secure_call))                   \
	X(returns_from_exception, ENDS_FAULT,                                  \
	  NOT_ALLOWED(returns_from_exception))                                 \
	/* a processor need not wait, and then they only loop */               \
	X(waits_for_interrupt, ENDS_FAULT | ENDS_TIMEOUT, "*")                 \
	X(waits_for_event, ENDS_FAULT | ENDS_TIMEOUT, "*")                     \
	X(reads_el1, ENDS_FAULT, NOT_ALLOWED(reads_el1))                       \
	X(writes_el1, ENDS_FAULT, NOT_ALLOWED(writes_el1))                     \
	X(writes_vectors, ENDS_FAULT, NOT_ALLOWED(writes_vectors))             \
	X(masks_exceptions, ENDS_FAULT, NOT_ALLOWED(masks_exceptions))         \
	X(invalidates_tlb, ENDS_FAULT, NOT_ALLOWED(invalidates_tlb))           \
	X(invalidates_cache, ENDS_FAULT, NOT_ALLOWED(invalidates_cache))       \
	X(cleans_cache, ENDS_FAULT, NOT_ALLOWED(cleans_cache))                 \
	X(reads_cache_type, ENDS_FAULT, NOT_ALLOWED(reads_cache_type))         \
	X(zeroes_code, ENDS_FAULT, "Runtime.Fault: *")                         \
	X(reads_counts, ENDS_FAULT, NOT_ALLOWED(reads_counts))                 \
	X(sets_timer, ENDS_FAULT, NOT_ALLOWED(sets_timer))                     \
	X(reads_physical_counter, ENDS_FAULT,                                  \
	  NOT_ALLOWED(reads_physical_counter))                                 \
	X(reads_identity, ENDS_FAULT, NOT_ALLOWED(reads_identity))             \
	/* QEMU does not look at TDCC, and then KVM says that it is empty */   \
	X(reads_debug_channel, ENDS_OK | ENDS_FAULT, "*")                      \
	X(writes_read_only_base, ENDS_FAULT,                                   \
	  NOT_ALLOWED(writes_read_only_base))                                  \
	/* of newer CPUs: as on one that has none of it */                     \
	X(writes_context_number, ENDS_FAULT,                                   \
	  NOT_ALLOWED(writes_context_number))                                  \
	X(writes_second_base, ENDS_FAULT, NOT_ALLOWED(writes_second_base))     \
	X(writes_overlays, ENDS_FAULT, NOT_ALLOWED(writes_overlays))           \
	X(uses_sve, ENDS_FAULT, NOT_ALLOWED(uses_sve))                         \
	X(uses_sme, ENDS_FAULT, NOT_ALLOWED(uses_sme))                         \
	X(signs_pointer, ENDS_OK, "signed")                                    \
	X(jump_askew, ENDS_FAULT,                                              \
	  "Runtime.Fault: misaligned pc (ESR 0x*) executing address 0x* at *") \
	X(stack_askew, ENDS_FAULT,                                             \
	  FAULT_IN(stack_askew, "misaligned stack pointer (ESR 0x*)"))         \
	X(read_upper_half, ENDS_FAULT,                                         \
	  FAULT_IN(read_upper_half, READING("0xffff800000000000") " (*)"))     \
	X(done_without_stack, ENDS_OK, "without")                              \
	/* doorbell.c */                                                       \
	X(store_8bit, ENDS_FAULT, SOME_EXIT)                                   \
	X(store_16bit, ENDS_FAULT, SOME_EXIT)                                  \
	X(store_64bit, ENDS_FAULT, SOME_EXIT)                                  \
	X(store_pair, ENDS_FAULT, SOME_EXIT)                                   \
	X(store_vector, ENDS_FAULT, SOME_EXIT)                                 \
	X(store_unaligned, ENDS_FAULT, SOME_EXIT)                              \
	X(store_at_offset, ENDS_FAULT, SOME_EXIT)                              \
	X(store_exclusive, ENDS_FAULT | ENDS_TIMEOUT | ENDS_OK, "*")           \
	X(store_written_back, ENDS_FAULT | ENDS_ERROR, SOME_EXIT)              \
	X(load_doorbell, ENDS_FAULT, SOME_EXIT)                                \
	X(execute_doorbell, ENDS_FAULT, SOME_EXIT)                             \
	X(store_fault_door, ENDS_FAULT,                                        \
	  FAULT_IN(store_fault_door, WRITING("0x800001000") PROTECTED))        \
	X(store_beyond_doors, ENDS_FAULT,                                      \
	  FAULT_IN(store_beyond_doors, WRITING("0x800002000") NOT_MAPPED))     \
	X(ring_wide_value, ENDS_ERROR, RANG("4294967042"))                     \
	/* state.c */                                                          \
	X(divides_by_zero, ENDS_OK, "zero")                                    \
	X(done_with_pending_monitor, ENDS_OK, "")                              \
	X(traps_floats, ENDS_OK | ENDS_FAULT, "*")

#endif
