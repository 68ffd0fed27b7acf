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

/* User mode: the entry stub, which begins at offset 0. */
extern const char thaw_stub_start[];
extern const char thaw_stub_end[];

/*
 * User mode, in the same page: makes pages writable by writing to each what it
 * holds. The request window has a count and as many addresses, all uint64_t;
 * ends with the doorbell's DONE. For new vms: see snapshot/warm.c.
 */
extern const char thaw_stub_touch[];

/* Supervisor: x86_64: a stub for each exception; arm64: the EL1 vectors. */
extern const char thaw_supervisor_start[];
extern const char thaw_supervisor_end[];

/*
 * x86_64: where a `syscall` goes that user mode may not make; in the entry
 * stub.
 */
extern const char thaw_stub_syscall[];

#endif
