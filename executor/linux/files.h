/*
 * files.h - the open files of a Linux program: descriptors, and what is behind them.
 *
 * What a file is and does, its kind says: each kind has a source file of its own
 * (file_*.h). What a kind keeps of a file is in the file itself, so it is copied with
 * the table; the table is copied only if it has changed.
 */
#ifndef EXECUTOR_LINUX_FILES_H
#define EXECUTOR_LINUX_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/epolls.h"
#include "executor/linux/pipes.h"

/* Descriptors, as RLIMIT_NOFILE says. */
#define FILES_MAX 256
/* Bytes of the host's files that are open at once, each counted once. ENOMEM. */
#define FILES_BYTES_MAX ((size_t)256 << 20)

struct file;
struct file_data;
struct linux_process;
struct stat;
struct transfer;

/* What poll() asks of a file. */
struct file_poll {
	uint32_t events; /* POLL*: what is so now */
	/* count how often it has become so: what is edge-triggered sees each once */
	uint64_t readable, writable;
};

/*
 * What a file does. A result is that of a system call: -errno or a count. The caller
 * has checked that the file is open for what is asked. A function may be NULL: then
 * the comment says what the call returns.
 *
 * A function that can only go on with the request sets process->step = LINUX_INPUT
 * if there is none yet; its result does not count then.
 */
struct file_kind {
	/* what /proc/self/fd/N links to: "pipe:[N]", "/dev/null" */
	const char *name;
	/*
	 * Reads from, or writes to, the place @offset, and moves it, if the file has
	 * places: it is that of the file, or of pread(). NULL: -EINVAL.
	 */
	int64_t (*read)(struct linux_process *process, struct file *file,
			uint64_t *offset, struct transfer *transfer);
	int64_t (*write)(struct linux_process *process, struct file *file,
			 uint64_t *offset, struct transfer *transfer);
	/* Fills in *@ret, as far as it is not zero. NULL: always ready. */
	void (*poll)(struct linux_process *process, const struct file *file,
		     uint32_t wanted, struct file_poll *ret);
	/* As lseek(). NULL: -ESPIPE, and so do pread() and pwrite(). */
	int64_t (*seek)(struct linux_process *process, struct file *file,
			int64_t by, uint64_t whence);
	/* As ftruncate(). NULL: -EINVAL. */
	int64_t (*truncate)(struct linux_process *process, struct file *file,
			    uint64_t size);
	/* As ioctl(), for what is not the same for all files. NULL: -ENOTTY. */
	int64_t (*ioctl)(struct linux_process *process, struct file *file,
			 uint64_t request, uint64_t argument);
	/* Fills in *@ret, which has an st_ino and the like already. */
	void (*status)(struct linux_process *process, const struct file *file,
		       struct stat *ret);
	/* Its last descriptor is closed. NULL: nothing to do. */
	void (*close)(struct linux_process *process, struct file *file);
};

/* What an eventfd keeps; the last two as in struct file_poll. */
struct file_event {
	uint64_t count;
	bool is_semaphore;
	uint64_t readable, writable;
};

/* What a timerfd keeps. */
struct file_timer {
	int32_t clock;	   /* as timerfd_create() was told */
	bool is_noted;	   /* that it has expired: who waits has been told */
	uint64_t next_ns;  /* CLOCK_MONOTONIC; 0: it is not armed */
	uint64_t every_ns; /* 0: once */
	uint64_t readable;
};

/* An open file description: dup() shares it. */
struct file {
	const struct file_kind *kind; /* NULL: it is free */
	unsigned references;	      /* descriptors */
	uint32_t flags;		      /* O_* */
	uint64_t offset;
	struct file_data *data; /* of file_host; a reference of its own */
	union {
		uint32_t node; /* of file_tmpfs */
		uint32_t pipe; /* its place in files.pipes */
		struct file_event event;
		struct file_timer timer;
	};
};

struct files {
	struct file list[FILES_MAX];
	/* place in the list plus 1; 0: closed */
	uint16_t descriptors[FILES_MAX];
	bool is_close_on_exec[FILES_MAX];
	unsigned timers;   /* files that are timerfds */
	unsigned withheld; /* of FILES_MAX descriptors, by RLIMIT_NOFILE */
	bool is_made;	   /* by files_copy() */
	bool is_changed;   /* since files_copy() */
	/* these are copied if they have changed themselves */
	struct pipes pipes;
	struct epolls epolls;
};

/* A table of zeros has no file open. */
void files_done(struct files *files);

/* Makes *@to, zero or an earlier copy, equal to @from. 0 or -ENOMEM. */
int files_copy(struct files *to, const struct files *from);

/* The file of @fd, which may be any value; NULL: it is not open. */
struct file *files_get(struct files *files, uint64_t fd);

/*
 * Opens a new file of @kind, with @data, whose reference it takes if it succeeds;
 * O_CLOEXEC in @flags is the descriptor's. Returns a descriptor or -EMFILE.
 */
int files_open(struct files *files, const struct file_kind *kind,
	       uint64_t flags, struct file_data *data);

/*
 * The data of an open regular file that was read from @path when it had @status, for the
 * caller to hold; NULL: there is none.
 */
struct file_data *files_find_data(const struct files *files, const char *path,
				  const struct stat *status);

/* How many more bytes of files may be open. */
size_t files_room(const struct files *files);

/* As close(2), in the table of @process. 0 or -EBADF. */
int files_close(struct files *files, struct linux_process *process,
		uint64_t fd);

/* Makes the lowest free descriptor from @least on, or @fd itself, another of @file. */
int files_duplicate(struct files *files, struct file *file, uint64_t least);
int files_duplicate_to(struct files *files, struct linux_process *process,
		       struct file *file, uint64_t fd);

/* What poll() asks of @file; *@ret is zero. May set process->step: see file_kind. */
void files_poll(struct linux_process *process, const struct file *file,
		uint32_t wanted, struct file_poll *ret);

/* As lseek() of @file, which has @size bytes. */
int64_t files_seek(struct file *file, uint64_t size, int64_t by,
		   uint64_t whence);

#endif
