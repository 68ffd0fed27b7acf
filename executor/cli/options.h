/*
 * options.h - the options of a verb: its command line and its help, both from
 * one table.
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
 * All of it runs on the main thread. Verbs are listed in verbs.c, one in each
 * cmd_*.c.
 */
#ifndef EXECUTOR_CLI_OPTIONS_H
#define EXECUTOR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/cli/cli.h"

struct cli_option;

/* Stores @value in @target, or prints what is wrong. Returns 0 or CLI_USAGE. */
typedef int (*cli_set_fn)(const struct cli_option *option, const char *value,
			  void *target);

/*
 * One option. The last entry of a table has no name.
 *
 * The word for its argument also tells `thaw complete` what to offer: files for
 * "FILE" and "PATH", directories for "DIRECTORY", and for "a|b" these
 * alternatives. An argument in brackets, "[PATH]", may be left out, and is ""
 * then; the next word is the argument only if it contains a slash or a colon.
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
	 * Such as "[FILE]"; NULL for none. Completed as an option's argument
	 * is; also "IMAGE" by files, "NAME" by functions,
	 * "KEY" by snapshots, "[VERB]" by verbs.
	 */
	const char *operand;
	/* What may stand behind "--" instead; see cli_parse_command(). NULL: nothing. */
	const char *command;
	bool is_hidden;	      /* the help does not list it */
	const char *summary;  /* a few words */
	const char *about;    /* the help's text; whole lines */
	const char *examples; /* whole lines */
	const struct cli_option *options;
	int (*run)(const struct cli_verb *verb, int argc, char **argv);
};

/*
 * Returns the path of a unix socket that is given as PATH, or as unix:PATH,
 * which is the form of other options and of all messages.
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

/*
 * The options --state-dir DIRECTORY and --state-max SIZE, stored in the members @where
 * and @most of a struct cli_state. cli_state_take() adds what the environment says.
 */
struct cli_state {
	const char *directory; /* NULL: there is none */
	uint64_t max;	       /* bytes; 0: the default */
};
#define CLI_STATE_SIZE_MAX (UINT64_C(1) << 50)
#define CLI_OPTIONS_STATE(type, where, most)                                   \
	{ 0,                                                                   \
	  "state-dir",                                                         \
	  "DIRECTORY",                                                         \
	  "keep snapshots in DIRECTORY, and start from them; else\n"           \
	  "$" CLI_STATE_VARIABLE ", else none",                                \
	  cli_set_text,                                                        \
	  offsetof(type, where),                                               \
	  0 },                                                                 \
	{                                                                      \
		0, "state-max", "SIZE",                                        \
			"disk space of these snapshots; else\n"                \
			"$" CLI_STATE_MAX_VARIABLE ", else 4GiB",              \
			cli_set_size, offsetof(type, most), CLI_STATE_SIZE_MAX \
	}
/* 0, or CLI_USAGE after a message: a variable is no size. */
int cli_state_take(struct cli_state *state);

/* The option --admin ADDR, stored in the const char * @member. */
#define CLI_OPTION_ADMIN(type, member)                                         \
	{                                                                      \
		0, "admin", "ADDR",                                            \
			"the server's admin address, unix:PATH or HOST:PORT; " \
			"else\n$" CLI_ADMIN_VARIABLE                           \
			", else the address of this user's server",            \
			cli_set_text, offsetof(type, member), 0                \
	}

/*
 * Reads the options of @verb into @target and its operand, if it has one, into
 * *@ret_operand (NULL if it was left out). @argv starts with the verb's last
 * word. Returns CLI_GO_ON, CLI_OK after --help, or CLI_USAGE after a message.
 */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *target,
	      const char **ret_operand);

/*
 * As cli_parse(), for a verb that takes a command instead of its operand:
 * *@ret_command is the words behind "--", of which there is one at least, and
 * *@ret_operand is NULL then. NULL: it was not given.
 */
int cli_parse_command(const struct cli_verb *verb, int argc, char **argv,
		      void *target, const char **ret_operand,
		      char *const **ret_command);

/*
 * Whether @word, which follows @option, is its argument: always, unless the
 * argument may be left out.
 */
bool cli_takes_argument(const struct cli_option *option, const char *word);

/* Prints the help of @verb on standard output. */
void cli_print_help(const struct cli_verb *verb);

#endif
