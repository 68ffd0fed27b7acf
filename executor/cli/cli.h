/*
 * cli.h - what the verbs of the command line share: exit codes, messages, the
 * catalog's path, the meaning of libthaw's results.
 *
 * Results go to standard output, everything else to standard error. All
 * functions run on the main thread. options.h has a verb's options and help.
 */
#ifndef EXECUTOR_CLI_CLI_H
#define EXECUTOR_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/libthaw.h"

/* The environment variable that names the catalog, and the file without it. */
#define CLI_CATALOG_VARIABLE "THAW_CATALOG"
#define CLI_CATALOG_DEFAULT "config/functions.json"

/* The variables that name a server: its admin address and its two listeners. */
#define CLI_ADMIN_VARIABLE "THAW_ADMIN"
#define CLI_URL_VARIABLE "THAW_URL"
#define CLI_SOCKET_VARIABLE "THAW_SOCKET"

/* The variables that name the state directory, and bound it. */
#define CLI_STATE_VARIABLE "THAW_STATE_DIR"
#define CLI_STATE_MAX_VARIABLE "THAW_STATE_MAX"

/* Exit codes; docs/man/thaw.1 explains them. */
enum cli_exit {
	CLI_GO_ON = -1, /* none: the verb goes on */
	CLI_OK = 0,
	CLI_FUNCTION = 1,    /* the function reported an error */
	CLI_USAGE = 2,	     /* the command line, or the request, is wrong */
	CLI_CATALOG = 3,     /* a catalog or image that is no good */
	CLI_NOT_FOUND = 4,   /* no such function or file */
	CLI_CONNECT = 5,     /* no server, or none that takes requests */
	CLI_THROTTLED = 6,   /* no vm was free */
	CLI_ENVIRONMENT = 7, /* this machine cannot: see `thaw doctor` */
	CLI_REGRESSION = 8,  /* a benchmark is over its limit */
	CLI_TIMEOUT = 124,   /* the function took too long */
	CLI_INTERNAL =
		125,	 /* thaw failed, or its output could not be written */
	CLI_FAULT = 134, /* the function's code faulted */
};

/* Prints "thaw: MESSAGE" on standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Returns the path of the catalog: @option if it is not NULL, else
 * $THAW_CATALOG, else config/functions.json. NULL after a message: there is
 * none of these.
 */
const char *cli_catalog_path(const char *option);

/*
 * Returns the value of an environment variable; NULL if it is unset or empty.
 */
const char *cli_variable(const char *name);

/*
 * Copies text of foreign origin that is to be printed: cuts it to @size - 1
 * bytes and cleans it by text_clean(). Returns @to.
 */
char *cli_clean(const char *text, char *to, size_t size);

/*
 * Returns CLI_GO_ON if this machine has a usable KVM, else CLI_ENVIRONMENT
 * after a message.
 */
int cli_require_kvm(void);

/* Prints why there is none, and where to look. Returns CLI_ENVIRONMENT. */
int cli_no_kvm(const struct error *error);

/*
 * Return the exit code for a result of libthaw, -errno, whose meaning depends
 * on the call.
 */
int cli_open_code(int result);
int cli_deploy_code(int result);
int cli_invoke_code(int result);

/* A thaw_log_fn: prints "[NAME] level: text" on standard error. */
void cli_print_log(void *cookie, const char *function, enum thaw_level level,
		   const char *text, size_t size);

#endif
