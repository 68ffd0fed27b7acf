/*
 * arch_behaviours.h (x86_64) - how faults of memory read, and what hostile.elf
 * can do wrong on x86_64 alone; see behaviours.h.
 *
 * Where a KVM may end an instruction in more than one way, the text names what
 * all of them have in common.
 */
#ifndef ARCH_BEHAVIOURS_H
#define ARCH_BEHAVIOURS_H

#define READING(address) "page fault (vector 14) reading address " address
#define WRITING(address) "page fault (vector 14) writing address " address
#define EXECUTING(address) "page fault (vector 14) executing address " address
#define NOT_MAPPED " (not mapped)"
#define PROTECTED " (protected)"
#define SYSTEM_PAGE PROTECTED

#define NOT_ALLOWED(name) \
	FAULT_IN(name, "general protection fault (vector 13, code 0)")
#define ILLEGAL(name) FAULT_IN(name, "illegal instruction (vector 6, code 0)")
#define SOME_FAULT(name) FAULT_IN(name, "*(vector *, code *)")
#define SOME_EXIT "Runtime.*: *"

#define ARCH_BEHAVIOURS(X)                                                     \
	/* control.c */                                                        \
	X(divides_by_zero, ENDS_FAULT,                                         \
	  FAULT_IN(divides_by_zero, "division error (vector 0, code 0)"))      \
	X(undefined, ENDS_FAULT, ILLEGAL(undefined))                           \
	X(breakpoint, ENDS_FAULT,                                              \
	  FAULT_IN(breakpoint, "breakpoint (vector 3, code 0)"))               \
	X(int_0x80, ENDS_FAULT, SOME_FAULT(int_0x80))                          \
	X(int_fault_vector, ENDS_FAULT, SOME_FAULT(int_fault_vector))          \
	X(int_double_fault, ENDS_FAULT, SOME_FAULT(int_double_fault))          \
	X(icebp, ENDS_FAULT | ENDS_TIMEOUT, SOME_EXIT)                         \
	X(into, ENDS_FAULT, ILLEGAL(into))                                     \
	X(system_call, ENDS_FAULT, ILLEGAL(system_call))                       \
	X(system_enter, ENDS_FAULT, SOME_FAULT(system_enter))                  \
	X(system_return, ENDS_FAULT, SOME_FAULT(system_return))                \
	X(jump_far_32bit, ENDS_FAULT, SOME_FAULT(jump_far_32bit))              \
	X(return_far_32bit, ENDS_FAULT, SOME_FAULT(return_far_32bit))          \
	X(return_far_kernel, ENDS_FAULT, SOME_FAULT(return_far_kernel))        \
	X(iret_32bit, ENDS_FAULT, SOME_FAULT(iret_32bit))                      \
	X(iret_kernel, ENDS_FAULT, SOME_FAULT(iret_kernel))                    \
	X(jump_not_canonical, ENDS_FAULT,                                      \
	  "Runtime.Fault: general protection fault (vector 13, code 0) *")     \
	X(read_not_canonical, ENDS_FAULT, NOT_ALLOWED(read_not_canonical))     \
	X(push_not_canonical, ENDS_FAULT, SOME_FAULT(push_not_canonical))      \
	X(fault_without_stack, ENDS_FAULT, ILLEGAL(fault_without_stack))       \
	X(done_without_stack, ENDS_OK, "without")                              \
	X(jump_stub_syscall, ENDS_FAULT,                                       \
	  "Runtime.Fault: illegal instruction (vector 6, code 0) at 0x*")      \
	X(read_upper_half, ENDS_FAULT,                                         \
	  FAULT_IN(read_upper_half, READING("0xffff800000000000") " (*)"))     \
	/* ports.c */                                                          \
	X(out_other_port, ENDS_FAULT, NOT_ALLOWED(out_other_port))             \
	X(out_fault_port, ENDS_FAULT, NOT_ALLOWED(out_fault_port))             \
	X(in_other_port, ENDS_FAULT, NOT_ALLOWED(in_other_port))               \
	X(out_16bit, ENDS_FAULT, NOT_ALLOWED(out_16bit))                       \
	X(out_32bit, ENDS_FAULT, NOT_ALLOWED(out_32bit))                       \
	X(in_doorbell, ENDS_FAULT, "Runtime.Fault: *")                         \
	X(out_string, ENDS_ERROR, RANG("77"))                                  \
	X(out_repeated, ENDS_ERROR | ENDS_FAULT, SOME_EXIT)                    \
	X(in_repeated, ENDS_FAULT, SOME_EXIT)                                  \
	X(in_repeated_much, ENDS_FAULT, SOME_EXIT)                             \
	X(in_repeated_down, ENDS_FAULT, SOME_EXIT)                             \
	X(in_repeated_into_initialized_data, ENDS_FAULT, SOME_EXIT)            \
	X(out_from_null, ENDS_FAULT,                                           \
	  FAULT_IN(out_from_null, READING("0") NOT_MAPPED))                    \
	X(done_repeated, ENDS_OK | ENDS_FAULT, "*")                            \
	/* privileged.c */                                                     \
	X(halts, ENDS_FAULT, NOT_ALLOWED(halts))                               \
	X(disables_interrupts, ENDS_FAULT, NOT_ALLOWED(disables_interrupts))   \
	X(enables_interrupts, ENDS_FAULT, NOT_ALLOWED(enables_interrupts))     \
	X(reads_msr, ENDS_FAULT, NOT_ALLOWED(reads_msr))                       \
	X(writes_msr, ENDS_FAULT, NOT_ALLOWED(writes_msr))                     \
	X(reads_cr0, ENDS_FAULT, NOT_ALLOWED(reads_cr0))                       \
	X(writes_cr0, ENDS_FAULT, NOT_ALLOWED(writes_cr0))                     \
	X(writes_cr3, ENDS_FAULT, NOT_ALLOWED(writes_cr3))                     \
	X(writes_cr8, ENDS_FAULT, NOT_ALLOWED(writes_cr8))                     \
	X(writes_dr7, ENDS_FAULT, NOT_ALLOWED(writes_dr7))                     \
	X(writes_xcr0, ENDS_FAULT, NOT_ALLOWED(writes_xcr0))                   \
	X(loads_gdt, ENDS_FAULT, NOT_ALLOWED(loads_gdt))                       \
	X(loads_idt, ENDS_FAULT, NOT_ALLOWED(loads_idt))                       \
	X(loads_ldt, ENDS_FAULT, NOT_ALLOWED(loads_ldt))                       \
	X(loads_tr, ENDS_FAULT, NOT_ALLOWED(loads_tr))                         \
	X(loads_msw, ENDS_FAULT, NOT_ALLOWED(loads_msw))                       \
	X(clears_ts, ENDS_FAULT, NOT_ALLOWED(clears_ts))                       \
	X(invalidates_page, ENDS_FAULT, NOT_ALLOWED(invalidates_page))         \
	X(invalidates_cache, ENDS_FAULT, NOT_ALLOWED(invalidates_cache))       \
	X(swaps_gs, ENDS_FAULT, SOME_FAULT(swaps_gs))                          \
	X(reads_counter, ENDS_FAULT, NOT_ALLOWED(reads_counter))               \
	X(calls_vmx_host, ENDS_FAULT | ENDS_TIMEOUT | ENDS_OK, "*")            \
	X(calls_svm_host, ENDS_FAULT | ENDS_TIMEOUT | ENDS_OK, "*")            \
	X(monitors, ENDS_FAULT, SOME_FAULT(monitors))                          \
	X(waits, ENDS_FAULT, SOME_FAULT(waits))                                \
	X(loads_kernel_ds, ENDS_FAULT, SOME_FAULT(loads_kernel_ds))            \
	X(loads_tss_as_ds, ENDS_FAULT, SOME_FAULT(loads_tss_as_ds))            \
	X(loads_null_ss, ENDS_FAULT, SOME_FAULT(loads_null_ss))                \
	X(reads_tables, ENDS_OK | ENDS_FAULT, "*")                             \
	X(reads_cpuid, ENDS_OK, "read")                                        \
	X(reads_tsc, ENDS_OK, "read")                                          \
	X(locks_register, ENDS_FAULT, ILLEGAL(locks_register))                 \
	/* state.c */                                                          \
	X(traps_each_step, ENDS_FAULT,                                         \
	  FAULT_IN(traps_each_step, "debug trap (vector 1, code 0)"))          \
	X(done_with_trap_flag, ENDS_OK | ENDS_FAULT, "*")                      \
	X(done_with_trap_flag_and_shadow, ENDS_OK | ENDS_FAULT, "*")           \
	X(done_by_string_with_trap_flag, ENDS_OK | ENDS_FAULT, "*")            \
	X(refuses_with_trap_flag, ENDS_ERROR | ENDS_FAULT, SOME_EXIT)          \
	X(log_with_trap_flag, ENDS_OK | ENDS_FAULT, "*")                       \
	X(done_behind_stack_switch, ENDS_OK, "")                               \
	X(raises_own_privilege, ENDS_FAULT, NOT_ALLOWED(raises_own_privilege)) \
	X(checks_alignment, ENDS_OK | ENDS_FAULT, "*")                         \
	X(sse_exception, ENDS_FAULT,                                           \
	  FAULT_IN(sse_exception,                                              \
		   "SIMD floating-point error (vector 19, code 0)"))           \
	X(x87_exception, ENDS_FAULT,                                           \
	  FAULT_IN(x87_exception,                                              \
		   "x87 floating-point error (vector 16, code 0)"))            \
	X(done_with_x87_pending, ENDS_OK, "")                                  \
	X(mxcsr_reserved, ENDS_FAULT, SOME_FAULT(mxcsr_reserved))              \
	X(sse_unaligned, ENDS_FAULT, NOT_ALLOWED(sse_unaligned))               \
	X(xrstor_garbage, ENDS_FAULT, NOT_ALLOWED(xrstor_garbage))             \
	/* hidden; a KVM may leave it on in XCR0 all the same */               \
	X(uses_amx, ENDS_OK | ENDS_FAULT, "*")                                 \
	X(writes_pkru, ENDS_OK | ENDS_FAULT, "*")

#endif
