/*
 * run_settings.h - the options by which a command line describes a function, for `thaw
 * run` and `thaw serve --program`; and the functions that are made of them. They mean
 * what the catalog's keys mean, since a catalog is made of them: see run_catalog.h.
 */
#ifndef EXECUTOR_CLI_RUN_SETTINGS_H
#define EXECUTOR_CLI_RUN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/cli/options.h"
#include "executor/cli/program.h"
#include "executor/cli/run_catalog.h"

/* What programs have by default, for the help. */
#define RUN_SETTINGS_ALSO_IMAGES(size) "default " size ", of a program\n"
#define RUN_SETTINGS_PROGRAMS(size) "default "

/*
 * The options, for the table of a verb whose target, @type, has a struct run_settings
 * called settings. @defaults is one of the macros above.
 */
/* clang-format off */
#define RUN_SETTING(type, member, name, argument, help)     \
	{ 0, name, argument, help, cli_set_text,            \
	  offsetof(type, settings.member), 0 }
#define RUN_SETTINGS_OPTIONS(type, defaults)                                 \
	RUN_SETTING(type, memory, "memory", "SIZE",                          \
		"guest memory; " defaults("16MiB") RUN_PROGRAM_MEMORY),      \
	RUN_SETTING(type, timeout, "timeout", "TIME",                        \
		"longest invocation; " defaults("1s") RUN_PROGRAM_TIMEOUT),  \
	RUN_SETTING(type, init_timeout, "init-timeout", "TIME",              \
		"longest boot and init; default 30s"),                       \
	RUN_SETTING(type, max_request, "max-request", "SIZE",                \
		"largest request; " defaults("1MiB") RUN_PROGRAM_SIZE),      \
	RUN_SETTING(type, max_reply, "max-reply", "SIZE",                    \
		"largest reply; " defaults("1MiB") RUN_PROGRAM_SIZE),        \
	{ 0, "env", "NAME=VALUE",                                            \
	  "set a variable of the guest's environment; may be\n"              \
	  "repeated", run_settings_set_environment,                          \
	  offsetof(type, settings), 0 },                                     \
	{ 0, "root", "DIRECTORY",                                            \
	  "the directory that the program has as /, read-only;\n"            \
	  "default: programs and libraries of this machine",                 \
	  cli_set_text, offsetof(type, settings.root), 0 },                  \
	{ 0, "file", "PATH",                                                 \
	  "a file or directory that the program may read,\n"                 \
	  "besides those that its arguments name; may be\n"                  \
	  "repeated", run_settings_set_file, offsetof(type, settings), 0 },  \
	RUN_SETTING(type, devices, "devices", "SET",                         \
		"which devices the program has: linux, or gunyah, those\n"   \
		"of the Gunyah C runtime as well; default linux"),           \
	{ 0, "interrupt", "LINE[@TIME]",                                     \
	  "assert this interrupt, so long after the program goes\n"          \
	  "on with its request; may be repeated",                            \
	  run_settings_set_interrupt, offsetof(type, settings), 0 }
/* clang-format on */

/* Each a cli_set_fn; the option's offset is that of the struct run_settings. */
int run_settings_set_environment(const struct cli_option *option,
				 const char *value, void *target);
int run_settings_set_file(const struct cli_option *option, const char *value,
			  void *target);
int run_settings_set_interrupt(const struct cli_option *option,
			       const char *value, void *target);

/* Whether an option was given. */
bool run_settings_are_given(const struct run_settings *settings);

/*
 * Finds the program that @words name, in the root of @settings if they have one, with
 * their files. Results as program_open(): program_done() is due either way.
 */
int run_settings_open(const struct run_settings *settings, const char *place,
		      char *const *words, struct program *ret_program);

/* The function that @program is. Borrows both. */
struct run_function run_settings_function(const struct run_settings *settings,
					  const struct program *program);

/*
 * Prints @message, which says what is wrong in a catalog called @name that was made of
 * functions with these settings. A mistake in a setting becomes one of its option:
 * "NAME:1: /functions/0/max_reply: ..." becomes "--max-reply: ...", and
 * "environment/VARIABLE" becomes "--env VARIABLE: ...".
 */
void run_settings_print_mistake(const char *message, const char *name);

#endif
