/*
 * sites.h - the places in a program's code that make system calls.
 *
 * Where `syscall` is emulated it costs as much as a third of an exit. So in the snapshot
 * the places that were seen to make calls go to the shim by a jump. A place is one of
 *
 *	mov $number, %eax		syscall
 *	syscall				cmp $-4096, %rax
 *
 * In the first, which C libraries have for most calls, the `mov` becomes a jump to a few
 * instructions of ours, and the `syscall` stays for whoever jumps to it. The second is
 * for the calls that each request makes and whose number glibc loads otherwise: read()
 * and exit_group(). There the jump takes the `syscall` and a part of the `cmp`. A copy of
 * the `cmp` follows ours, and the program goes on in it. Only places that have made that
 * very call are changed. On arm64 there are none: there a call is never emulated.
 */
#ifndef EXECUTOR_LINUX_SITES_H
#define EXECUTOR_LINUX_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/calls.h"

struct linux_process;
struct space;

/* More are left as they are. */
#define SITES_MAX 512

struct sites {
	size_t count;
	struct {
		uint32_t pc; /* behind the second instruction */
		uint32_t number;
	} list[SITES_MAX];
};

/* Notes the place of @call, if it is one. */
void sites_note(struct sites *sites, const struct space *space,
		const struct vm_call *call);

/*
 * Changes all places of @process, which is frozen, that are still what they were, in its
 * memory @fd; and where its threads go on, if they are in such a call. 0 or -errno.
 */
int sites_change(const struct sites *sites, struct linux_process *process,
		 int fd);

/*
 * Whether THAW_GPA_SITES in the @memory of a snapshot, which is hostile, has only what
 * sites_change() may put there.
 */
bool sites_are_good(const uint8_t *memory);

#endif
