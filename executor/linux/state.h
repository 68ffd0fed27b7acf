/*
 * state.h - what the host knows of a frozen program, as bytes for a snapshot's file.
 *
 * One description of the format serves both directions: each state_*() function below
 * writes a part of the process, or reads it. All numbers are 64 bits, little endian; signed
 * ones are extended. The bytes are hostile when they are read: each value is checked where
 * it is read, so that what comes out is what a program could have brought about itself.
 * What cannot be stored makes the write fail, and says why.
 *
 *	u64 magic, u64 version
 *	space		areas, frames of the reserve, which pages were used	state_space.c
 *	signals		actions, the pending ones, timers			state_signals.c
 *	threads		registers, and what they wait for			state_threads.c
 *	tmpfs		nodes, names, and the bytes of files			state_tmpfs.c
 *	files		descriptors, pipes, epoll				state_files.c
 *	the rest	limits, working directory, output			state.c
 *	seen		the files of the host that it has looked at		seen.c
 *
 * On the thread that deploys, or on that of a tool that shows a file.
 */
#ifndef EXECUTOR_LINUX_STATE_H
#define EXECUTOR_LINUX_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "executor/linux/state_codec.h"

struct layout;
struct linux_process;
struct linux_program;
struct linux_seen;

/* "tlin" and its version: a change of what is written is another version. */
#define STATE_MAGIC UINT64_C(0x6e696c74)
#define STATE_VERSION 1u

/*
 * Appends the state of @process, which is frozen, and whose snapshot has @memory; and of
 * @seen. -EOPNOTSUPP: it has what cannot be stored; -E2BIG: it is too large; -ENOMEM.
 */
int linux_state_write(struct linux_process *process, const uint8_t *memory,
		      struct linux_seen *seen, struct buffer *out,
		      struct error *err);

/* What a state is read from, and for. */
struct state_source {
	const void *bytes;
	size_t size;
	const struct linux_program *program; /* must outlive the process */
	const struct layout *layout;	     /* the same */
	const char *hosts[STATE_HOSTS];	     /* or NULL */
	/* of the snapshot, hostile; not of linux_state_show() */
	const uint8_t *memory;
	/* of the host's CLOCK_MONOTONIC, is the program's */
	uint64_t ahead_ns;
};

/*
 * Makes the frozen *@ret_process, whose page tables, and what the shim is given, it puts
 * into @wanted, where thaw's own pages are; and adds to @seen. The caller ends the process
 * by linux_process_done(). -EBADMSG: it is no good; -ESTALE: a file of the host has
 * changed; -ENOMEM.
 */
int linux_state_read(const struct state_source *source, uint8_t *wanted,
		     struct linux_seen *seen, struct error *err,
		     struct linux_process *ret_process);

/* Whether @bytes, of any file, begin as a state does. */
bool linux_state_is(const void *bytes, size_t size);

/*
 * Makes *@ret_process to be looked at, on any machine of this architecture: with all the
 * checks of linux_state_read() but those of the snapshot's memory and of the host's files,
 * of which none is opened. It has neither memory nor the bytes of those files. The caller
 * ends it by linux_process_done(). -EBADMSG: the state is no good; -ENOMEM.
 */
int linux_state_show(const struct state_source *source, struct error *err,
		     struct linux_process *ret_process);

#endif
