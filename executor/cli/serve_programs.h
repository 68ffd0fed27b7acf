/*
 * serve_programs.h - the programs of `thaw serve --program`, which need no catalog: one
 * is made for them, and kept in memory.
 */
#ifndef EXECUTOR_CLI_SERVE_PROGRAMS_H
#define EXECUTOR_CLI_SERVE_PROGRAMS_H

#include <stddef.h>

struct run_settings;

/* The most of them. */
#define SERVE_PROGRAMS_MAX 64

/*
 * Makes a catalog of @count texts, each "COMMAND" or "NAME=COMMAND", all with @settings,
 * and a path for it, valid as long as the process and only in it: *@ret_path, which the
 * caller frees. A command is split into words as a shell does it. Returns CLI_GO_ON, or
 * an exit code after a message.
 */
int serve_programs_catalog(const char *const *texts, size_t count,
			   const struct run_settings *settings,
			   char **ret_path);

#endif
