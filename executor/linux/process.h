/*
 * process.h - a Linux program that runs in a vm: everything that a kernel would know of
 * it. Together with the vm's memory and registers that is the program's whole state, so
 * it is part of the snapshot: each vm has a copy, which is put back with its memory.
 *
 *	linux_process_init(&process, &program, &layout, memory)
 *	file_stdio_open(&process.files)			file_stdio.h
 *	linux_load(&process, ...)			load.h
 *	vm_run(), linux_call() until LINUX_INPUT	schedule.h
 *	linux_process_freeze(&process)
 *	...
 *	linux_process_restore(&copy, &process, vm)	for each request
 *	linux_process_request(&copy, request, size, max)
 *	vm_run(), linux_call() until LINUX_EXIT
 *
 * A process belongs to the thread that runs its vm; a frozen one does not change.
 */
#ifndef EXECUTOR_LINUX_PROCESS_H
#define EXECUTOR_LINUX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "executor/linux/device_line.h"
#include "executor/linux/directory.h"
#include "executor/linux/files.h"
#include "executor/linux/gunyah_state.h"
#include "executor/linux/limits.h"
#include "executor/linux/root.h"
#include "executor/linux/script.h"
#include "executor/linux/shim_state.h"
#include "executor/linux/signals.h"
#include "executor/linux/space.h"
#include "executor/linux/thread.h"
#include "executor/linux/tmpfs.h"
#include "executor/linux/trace_text.h"
#include "guest/abi/thaw_linux.h"
#include "vm/calls.h"

struct layout;
struct memory_budget;
struct linux_seen;
struct sites;
struct vm;

/* Numbers of system calls are below. */
#define LINUX_NUMBERS_MAX 512
/* What is kept of the end of stderr, for the error message. */
#define LINUX_TAIL_MAX 512
/* A longer line of stderr is logged in parts. */
#define LINUX_LINE_MAX 1024
/* What is kept of a request's memory, and of a reply's, for the next one. */
#define LINUX_KEPT_MAX (64u << 10)
/* So much it may write to standard output before its snapshot. */
#define LINUX_BEFORE_MAX (1u << 20)

/*
 * A request that a program answers before others may send any, so many times: before it
 * is frozen, if it asks at /dev/thaw, or else afterwards, from standard input.
 */
struct linux_warm {
	struct device_call call; /* without a name */
	unsigned count;
	size_t reply_max;
};

/* What is run; borrowed by all processes made from it. */
struct linux_program {
	const char *path;	  /* absolute, as the host opens it */
	char *const *arguments;	  /* NULL-terminated, argv[0] first */
	char *const *environment; /* NULL-terminated "NAME=VALUE"s, or NULL */
	struct root root;	  /* the files that it sees */
	struct linux_trace trace; /* of its system calls */
	struct linux_warm warm;	  /* count 0: none */
	struct linux_seen *seen;  /* notes files until it is frozen; or NULL */
	uint64_t tmp_size;	  /* bytes that it may write to /tmp */
	/* pays for files, and for what is written to /tmp; or NULL */
	struct memory_budget *memory;
	bool is_code_writable; /* memory may be so, and executable */
	struct gunyah_options gunyah;
};

/* Takes a line of stderr, or of ours, without its newline. */
typedef void (*linux_log_fn)(void *cookie, const char *text, size_t size);

/* What follows from a call. */
enum linux_step {
	LINUX_GO_ON, /* the next run goes on behind it */
	LINUX_INPUT, /* it is the first that asks for the request: freeze here */
	LINUX_WAIT,  /* of a call alone: see wait.h */
	LINUX_LEFT,  /* of a call alone: its thread has ended, others go on */
	LINUX_SLEEP, /* call linux_wake() at process.wake_ns */
	LINUX_STUCK, /* it waits, and nothing can happen any more */
	LINUX_EXIT,  /* the program has ended: process.status, process.signal */
};

/* What only a request has. */
struct linux_request {
	const uint8_t *input; /* borrowed */
	size_t input_size;
	size_t input_used;
	struct buffer output;
	const struct buffer *before; /* output from before the snapshot */
};

/* /dev/thaw: see device.h. */
struct linux_device {
	bool is_asked;	  /* requests are for the device */
	bool has_request; /* which has not been answered */
	unsigned warmed;  /* requests answered before the snapshot */
	struct buffer line;
};

struct linux_process {
	const struct linux_program *program;
	/* what runs: the program, or the interpreter of a script; borrowed */
	const char *executable;
	char *const *arguments;
	struct script script; /* that they belong to; not of a copy */
	linux_log_fn
		log; /* set by the caller, for each run; NULL: nobody listens */
	void *log_cookie;
	struct space space;
	struct files files;
	struct signals signals;
	struct linux_threads threads;
	struct tmpfs tmpfs;
	struct limits limits;
	struct directory directory;
	mode_t creation_mask;	      /* umask() */
	int nice;		      /* as getpriority() tells it */
	uint64_t vector, vector_size; /* the auxiliary vector */
	/* of the host's CLOCK_MONOTONIC, is the program's: snapshot_ahead_ns() */
	uint64_t ahead_ns;
	bool is_frozen;
	bool is_request; /* stdin is the request's */
	struct shim shim;
	struct sites *sites; /* where calls are made is noted here; or NULL */

	struct linux_request request;
	struct linux_device device;
	struct gunyah gunyah;
	size_t line_size, tail_size;
	char line[LINUX_LINE_MAX];
	char tail[LINUX_TAIL_MAX];

	/* what the last call has said */
	enum linux_step step;
	uint64_t wake_ns; /* CLOCK_MONOTONIC */
	int status, signal;

	/* calls that do not exist, and were logged */
	uint64_t missing[LINUX_NUMBERS_MAX / 64];
};

/* Makes a process in @memory, of @layout; both, and @program, are borrowed. -ENOMEM. */
int linux_process_init(struct linux_process *process,
		       const struct linux_program *program,
		       const struct layout *layout, uint8_t *memory);
void linux_process_done(struct linux_process *process);

/*
 * Makes of it what the snapshot holds. The process does not run again.
 */
void linux_process_freeze(struct linux_process *process);

/*
 * Makes *@process, zero or an earlier copy, equal to @frozen, in @vm, which equals the
 * snapshot. 0 or -ENOMEM.
 */
int linux_process_restore(struct linux_process *process,
			  const struct linux_process *frozen, struct vm *vm);

/*
 * Gives back what a request has added outside of guest memory, now that it is over: files
 * that it has opened, what it has written to /tmp, and large replies.
 */
void linux_process_release(struct linux_process *process,
			   const struct linux_process *frozen);

/* Hands it @size bytes of stdin, which it borrows; its stdout may have @output_max. */
void linux_process_request(struct linux_process *process, const void *input,
			   size_t size, size_t output_max);

/* Appends to stdout: the reply, or before the snapshot what begins each reply. */
void linux_process_output(struct linux_process *process, const void *bytes,
			  size_t size);

/* Appends to the log; what is behind the last newline waits for the rest of its line. */
void linux_process_log(struct linux_process *process, const char *text,
		       size_t size);
/* Ends the line. */
void linux_process_log_end(struct linux_process *process);

/* Writes a line of ours to the log. */
void linux_process_say(struct linux_process *process, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
