/*
 * thaw_stubs.h - thaw's own guest code, as bytes in the host.
 *
 * guest/arch/<arch>/stubs.S is assembled into the host program; at boot the
 * host copies it into the pages THAW_GPA_STUB (user) and THAW_GPA_SUPERVISOR.
 * It is position independent and knows only the fixed addresses of
 * thaw_abi.h.
 */
#ifndef THAW_STUBS_H
#define THAW_STUBS_H

/* No library of the program exports them. */
#pragma GCC visibility push(hidden)

/* User mode: the entry stub, which begins at offset 0. */
extern const char thaw_stub_start[];
extern const char thaw_stub_end[];

/*
 * User mode, in the same page: writes to each of some pages what the page holds, so
 * that later writes cost no page fault. The request window has their number, and then
 * the address of each, all uint64_t. It ends as a function does. For new vms: see
 * snapshot/start.c.
 */
extern const char thaw_stub_touch[];

/*
 * User mode, in the same page: where a function jumps when it is done. thaw_info.done
 * is one of them, as the vm's gate is:
 *
 *	thaw_stub_done	rings DONE: dispatch by exits
 *	thaw_stub_call	enters the gate in supervisor mode by a system call
 *	thaw_stub_trap	the same by a breakpoint, on x86_64
 *	thaw_stub_wait	waits here, in user mode: isolation "cooperative"
 */
extern const char thaw_stub_done[];
extern const char thaw_stub_call[];
extern const char thaw_stub_trap[];
extern const char thaw_stub_wait[];

/* Supervisor mode: on x86_64 a stub for each exception, on arm64 the EL1 vectors. */
extern const char thaw_supervisor_start[];
extern const char thaw_supervisor_end[];

/* Supervisor mode, x86_64: where breakpoints go, and the gate's system calls. */
extern const char thaw_supervisor_trap[];
extern const char thaw_supervisor_call[];

/* In the entry stub, x86_64: where a system call goes that user mode may not make. */
extern const char thaw_stub_syscall[];

/*
 * Linux programs: where the entry stub jumps, and, on x86_64, where `syscall` goes; both
 * in its page.
 */
extern const char thaw_stub_resume[];
/* arm64: where signal handlers return. */
extern const char thaw_stub_signal_return[];
extern const char thaw_stub_linux[];

/* The vDSO, which has the shim: a whole ELF file. See thaw_shim.h. */
extern const char thaw_vdso_start[];
extern const char thaw_vdso_end[];

#pragma GCC visibility pop

#endif
