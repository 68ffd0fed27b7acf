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

/* The program that they are linked into does not show them to others. */
#pragma GCC visibility push(hidden)

/* User mode: the entry stub, which begins at offset 0. */
extern const char thaw_stub_start[];
extern const char thaw_stub_end[];

/*
 * User mode, in the same page: makes pages writable by writing to each what it
 * holds. The request window has a count and as many addresses, all uint64_t;
 * is done as a function is. For new vms: see snapshot/start.c.
 */
extern const char thaw_stub_touch[];

/*
 * User mode, in the same page: where a function jumps when it is done, one of
 * which is thaw_info.done. The doorbell's DONE; the gate, by system call or, on
 * x86_64, by breakpoint, where the next request is waited for in supervisor
 * code; the wait in user mode.
 */
extern const char thaw_stub_done[];
extern const char thaw_stub_call[];
extern const char thaw_stub_trap[];
extern const char thaw_stub_wait[];

/* Supervisor: x86_64: a stub for each exception; arm64: the EL1 vectors. */
extern const char thaw_supervisor_start[];
extern const char thaw_supervisor_end[];

/* x86_64, supervisor: where breakpoints, and system calls of the gate, go. */
extern const char thaw_supervisor_trap[];
extern const char thaw_supervisor_call[];

/*
 * x86_64: where a `syscall` goes that user mode may not make; in the entry
 * stub.
 */
extern const char thaw_stub_syscall[];

#pragma GCC visibility pop

#endif
