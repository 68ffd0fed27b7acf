/*
 * cli.h - what the verbs of the command line share: options and help from one
 * table, messages, exit codes.
 *
 *	static const struct cli_option options[] = {
 *		{ 'c', "catalog", "FILE", "the catalog", cli_set_text,
 *		  offsetof(struct my_options, catalog) },
 *		{ 0 },
 *	};
 *
 *	static int run(const struct cli_verb *verb, int argc, char **argv)
 *	{
 *		struct my_options my = { .catalog = NULL };
 *		const char *name;
 *		int code = cli_parse(verb, argc, argv, &my, &name);
 *
 *		if (code != CLI_GO_ON)
 *			return code;
 *		...
 *
 * Results go to standard output, everything else to standard error. All of it
 * runs on the main thread. Verbs are listed in main.c, one in each cmd_*.c.
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

/* Those that name a server: its admin address, and its two doors. */
#define CLI_ADMIN_VARIABLE "THAW_ADMIN"
#define CLI_URL_VARIABLE "THAW_URL"
#define CLI_SOCKET_VARIABLE "THAW_SOCKET"

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
	CLI_INTERNAL = 125,  /* thaw failed, or its output found no place */
	CLI_FAULT = 134,     /* the function's code faulted */
};

struct cli_option;

/* Stores @value in @target, or prints what is wrong. Returns 0 or CLI_USAGE. */
typedef int (*cli_set_fn)(const struct cli_option *option, const char *value,
			  void *target);

/*
 * One option. A table of these ends with one without name.
 *
 * The word for its argument also tells `thaw completion` what to offer: "FILE",
 * "PATH" and "DIRECTORY" are what they say, alternatives "a|b" are those. In
 * brackets, "[PATH]", the argument may be left out, and is "" then: the next
 * word is taken for it only if it has a slash or a colon in it.
 */
struct cli_option {
	char letter; /* 0: it has only the long name */
	const char *name;
	const char *argument; /* what the help calls it; NULL: it takes none */
	const char *help;     /* continued lines after '\n' */
	cli_set_fn set;
	size_t offset; /* in the target */
	uint64_t max;  /* of cli_set_count(), cli_set_size() and, if not 0,
		      * cli_set_duration() */
};

#define CLI_OPTIONS_MAX 48

/* One verb. */
struct cli_verb {
	const char *name; /* such as "invoke" or "functions list" */
	/*
	 * Such as "[FILE]", NULL for none. Completed as an option's argument
	 * is, "IMAGE" as a file, "NAME" with functions, "[VERB]" with verbs.
	 */
	const char *operand;
	const char *summary;  /* a few words */
	const char *about;    /* the help's text; whole lines */
	const char *examples; /* whole lines */
	const struct cli_option *options;
	int (*run)(const struct cli_verb *verb, int argc, char **argv);
};

/*
 * The path of a unix socket that is given as PATH or as unix:PATH, which is how
 * other options, and all messages, have it.
 */
const char *cli_socket_path(const char *text);

/* Setters, by the type of what they store. */
int cli_set_flag(const struct cli_option *, const char *, void *); /* bool */
int cli_set_text(const struct cli_option *, const char *, void *); /* char * */
int cli_set_socket(const struct cli_option *, const char *,
		   void *); /* char *, a path */
int cli_set_count(const struct cli_option *, const char *,
		  void *); /* uint64_t, 1 to max */
int cli_set_count_or_none(const struct cli_option *, const char *,
			  void *); /* uint64_t, 0 to max */
int cli_set_duration(const struct cli_option *, const char *,
		     void *); /* uint64_t, ns, not 0 */
int cli_set_size(const struct cli_option *, const char *,
		 void *); /* uint64_t, bytes, 1 to max */
int cli_set_json(const struct cli_option *, const char *,
		 void *); /* bool: "json", not "table" */
int cli_set_choice(const struct cli_option *, const char *,
		   void *); /* unsigned: which of the argument's "a|b|c" */

/* The option -o table|json, stored in the bool @member. */
#define CLI_OPTION_FORMAT(type, member)                                 \
	{                                                               \
		'o', "output", "table|json", "the form; default table", \
			cli_set_json, offsetof(type, member), 0         \
	}

/* The option -c FILE, stored in the const char * @member. */
#define CLI_OPTION_CATALOG(type, member)                           \
	{                                                          \
		'c', "catalog", "FILE",                            \
			"the catalog; else $" CLI_CATALOG_VARIABLE \
			", else\n" CLI_CATALOG_DEFAULT,            \
			cli_set_text, offsetof(type, member), 0    \
	}

/* The option --admin ADDR, stored in the const char * @member. */
#define CLI_OPTION_ADMIN(type, member)                                         \
	{                                                                      \
		0, "admin", "ADDR",                                            \
			"the server's admin address, unix:PATH or HOST:PORT; " \
			"else\n$" CLI_ADMIN_VARIABLE                           \
			", else that of this user's `thaw serve`",             \
			cli_set_text, offsetof(type, member), 0                \
	}

/*
 * Reads the options of @verb into @target and its operand, if it has one, into
 * *@ret_operand (NULL if it was left out). @argv starts with the verb's last
 * word. Returns CLI_GO_ON, CLI_OK after --help, or CLI_USAGE after a message.
 */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *target,
	      const char **ret_operand);

/* Prints the help of @verb on standard output. */
void cli_print_help(const struct cli_verb *verb);

/* Prints "thaw: MESSAGE" on standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The catalog to use: @option if it is not NULL, else $THAW_CATALOG, else
 * config/functions.json. NULL, after a message, if there is none of these.
 */
const char *cli_catalog_path(const char *option);

/* The value of an environment variable; NULL if it is not there or empty. */
const char *cli_variable(const char *name);

/*
 * Copies text that came from elsewhere and is to be printed, cut to @size - 1
 * bytes and cleaned by text_clean(). Returns @to.
 */
char *cli_clean(const char *text, char *to, size_t size);

/* CLI_GO_ON if this machine has a usable KVM; else a message and the code. */
int cli_require_kvm(void);

/* Prints why there is none, and where to look. Returns CLI_ENVIRONMENT. */
int cli_no_kvm(const struct error *error);

/*
 * What libthaw's answers, -errno, mean to the person at the command line; the
 * same one may mean different things of different calls.
 */
int cli_open_code(int result);
int cli_deploy_code(int result);
int cli_invoke_code(int result);

/* A thaw_log_fn: prints "[NAME] level: text" on standard error. */
void cli_print_log(void *cookie, const char *function, enum thaw_level level,
		   const char *text, size_t size);

#endif
