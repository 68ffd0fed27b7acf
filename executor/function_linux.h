/* function_linux.h - deploys Linux programs, for function.c. */
#ifndef EXECUTOR_FUNCTION_LINUX_H
#define EXECUTOR_FUNCTION_LINUX_H

#include <stdbool.h>

#include "base/error.h"
#include "executor/catalog_function.h"
#include "executor/linux/process.h"

struct function_store;
struct function_writing;
struct linux_seen;
struct memory_budget;
struct snapshot;
struct snapshot_options;

/* A program that is deployed; it does not change. */
struct function_linux {
	char *path;	    /* absolute, without symbolic links */
	char **environment; /* the strings are the spec's, or static */
	char *warm_input;   /* of a file; or NULL */
	struct linux_program program;
	struct linux_process process; /* frozen */
};

/* How a program is started. */
struct function_linux_start {
	struct linux_trace trace;     /* takes its system calls */
	struct linux_seen *seen;      /* notes what it reads; or NULL */
	struct memory_budget *memory; /* pays for its files; or NULL */
	/* has its snapshot, unless it is NULL, or the start is traced */
	struct function_store *store;
	/* set by function_linux_boot(): as those of function_store_snapshot() */
	bool is_stored;
	struct error why;
	struct function_writing *writing;
};

/*
 * Boots the program of @spec, which must outlive it, up to its first read of standard
 * input; or takes its snapshot from the store. The caller owns both results; the snapshot
 * must outlive the program. Errors as linux_boot().
 */
int function_linux_boot(const struct catalog_function *spec,
			struct function_linux_start *start,
			const struct snapshot_options *options,
			struct error *err, struct function_linux **ret_program,
			struct snapshot **ret_snapshot);

/*
 * Checks the program of @spec as far as that can be done without a vm: it can be
 * executed, is for this machine, and has its interpreter. Errors as linux_boot().
 */
int function_linux_check(const struct catalog_function *spec,
			 struct error *err);

/*
 * Whether another boot of the program of @spec would read what @seen has noted of the
 * last one, or of one that is under way. Takes a few microseconds for each path.
 */
bool function_linux_is_same(const struct catalog_function *spec,
			    struct linux_seen *seen);

/* Calls @call with folders of the host where a change may mean that it would not. */
void function_linux_folders(const struct catalog_function *spec,
			    struct linux_seen *seen,
			    void (*call)(void *cookie, const char *folder),
			    void *cookie);

/* Frees @program; NULL is fine. */
void function_linux_free(struct function_linux *program);

#endif
