/* options.c - see options.h. */
#include "executor/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* Column of the help in which the explanations of options start. */
#define HELP_COLUMN 28

/* getopt_long() returns this for the long option of index 0. */
#define LONG_FIRST 256
/* and this for a word that is no option, as the letters begin with a minus. */
#define IS_OPERAND 1

static void *member(const struct cli_option *option, void *target)
{
	return (char *)target + option->offset;
}

int cli_set_flag(const struct cli_option *option, const char *value,
		 void *target)
{
	(void)value;
	*(bool *)member(option, target) = true;
	return 0;
}

int cli_set_text(const struct cli_option *option, const char *value,
		 void *target)
{
	*(const char **)member(option, target) = value ? value : "";
	return 0;
}

const char *cli_socket_path(const char *text)
{
	static const char prefix[] = "unix:";

	return strncmp(text, prefix, strlen(prefix)) ? text :
						       text + strlen(prefix);
}

int cli_set_socket(const struct cli_option *option, const char *value,
		   void *target)
{
	return cli_set_text(option, value ? cli_socket_path(value) : NULL,
			    target);
}

static int options_set_number(const struct cli_option *option,
			      const char *value, uint64_t least, void *target)
{
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || number < least ||
	    number > option->max) {
		cli_error("--%s: \"%s\" is not a number from %" PRIu64
			  " to %" PRIu64,
			  option->name, value, least, option->max);
		return CLI_USAGE;
	}
	*(uint64_t *)member(option, target) = number;
	return 0;
}

int cli_set_count(const struct cli_option *option, const char *value,
		  void *target)
{
	return options_set_number(option, value, 1, target);
}

int cli_set_count_or_none(const struct cli_option *option, const char *value,
			  void *target)
{
	return options_set_number(option, value, 0, target);
}

int cli_set_duration(const struct cli_option *option, const char *value,
		     void *target)
{
	uint64_t ns;

	if (units_parse_duration(value, &ns) || !ns) {
		cli_error("--%s: \"%s\" is not a duration: write a whole "
			  "number and one of " UNITS_OF_DURATION
			  ", such as 100ms",
			  option->name, value);
		return CLI_USAGE;
	}
	if (option->max && ns > option->max) {
		cli_error("--%s: %s is more than %llums, which is the most",
			  option->name, value,
			  (unsigned long long)(option->max / UNITS_MS));
		return CLI_USAGE;
	}
	*(uint64_t *)member(option, target) = ns;
	return 0;
}

int cli_set_size(const struct cli_option *option, const char *value,
		 void *target)
{
	char most[UNITS_TEXT_MAX];
	size_t bytes;

	if (units_parse_size(value, &bytes) || !bytes || bytes > option->max) {
		units_format_size(option->max, most);
		cli_error("--%s: \"%s\" is not a size up to %s: write a whole "
			  "number and one of " UNITS_OF_SIZE,
			  option->name, value, most);
		return CLI_USAGE;
	}
	*(uint64_t *)member(option, target) = bytes;
	return 0;
}

int cli_state_take(struct cli_state *state)
{
	const char *max = cli_variable(CLI_STATE_MAX_VARIABLE);
	size_t size;

	if (!state->directory)
		state->directory = cli_variable(CLI_STATE_VARIABLE);
	if (state->max || !max)
		return 0;
	if (units_parse_size(max, &size) || !size ||
	    size > CLI_STATE_SIZE_MAX) {
		cli_error("$" CLI_STATE_MAX_VARIABLE
			  ": \"%s\" is no size, such as 4GiB",
			  max);
		return CLI_USAGE;
	}
	state->max = size;
	return 0;
}

int cli_set_json(const struct cli_option *option, const char *value,
		 void *target)
{
	bool json = !strcmp(value, "json");

	if (!json && strcmp(value, "table") != 0) {
		cli_error("--%s: \"%s\" is not a format: table or json",
			  option->name, value);
		return CLI_USAGE;
	}
	*(bool *)member(option, target) = json;
	return 0;
}

int cli_set_choice(const struct cli_option *option, const char *value,
		   void *target)
{
	size_t size = strlen(value);
	const char *word = option->argument;
	unsigned index = 0;

	while (strcspn(word, "|") != size || strncmp(word, value, size) != 0) {
		word = strchr(word, '|');
		if (!word) {
			cli_error("--%s: \"%s\" is none of %s", option->name,
				  value, option->argument);
			return CLI_USAGE;
		}
		word++;
		index++;
	}
	*(unsigned *)member(option, target) = index;
	return 0;
}

static int see_help(const struct cli_verb *verb)
{
	fprintf(stderr, "see: thaw %s --help\n", verb->name);
	return CLI_USAGE;
}

/* The two forms in which getopt_long() wants the table. */
struct getopt_tables {
	char letters[3 + 3 * CLI_OPTIONS_MAX + 2];
	struct option names[CLI_OPTIONS_MAX + 2];
	int count;
};

static bool is_optional(const struct cli_option *option)
{
	return option->argument && option->argument[0] == '[';
}

static void make_tables(const struct cli_option *options,
			struct getopt_tables *tables)
{
	char *letter = tables->letters;
	int count = 0;

	*letter++ = '-'; /* words that are no options come in order */
	*letter++ = ':'; /* tells a missing argument from an unknown option */
	*letter++ = 'h';
	for (; options && options[count].name; count++) {
		const struct cli_option *option = &options[count];

		if (option->letter) {
			*letter++ = option->letter;
			if (option->argument)
				*letter++ = ':';
			if (is_optional(option))
				*letter++ = ':';
		}
		tables->names[count] = (struct option){
			.name = option->name,
			.has_arg = is_optional(option) ? optional_argument :
				   option->argument    ? required_argument :
							 no_argument,
			.val = LONG_FIRST + count,
		};
	}
	tables->names[count] = (struct option){ .name = "help", .val = 'h' };
	tables->count = count;
}

static const struct cli_option *options_find(const struct cli_verb *verb,
					     int value)
{
	if (value >= LONG_FIRST)
		return &verb->options[value - LONG_FIRST];
	for (const struct cli_option *option = verb->options;; option++)
		if (option->letter == value)
			return option;
}

static int take_operand(const struct cli_verb *verb, int count, char **values,
			const char **ret_operand)
{
	int most = verb->operand ? 1 : 0;

	if (count > most) {
		cli_error("%s: unexpected argument \"%s\"%s%s", verb->name,
			  values[most],
			  verb->command ? ": -- stands before " : "",
			  verb->command ? verb->command : "");
		return see_help(verb);
	}
	if (!count && verb->operand && verb->operand[0] != '[') {
		cli_error("%s: no %s given", verb->name, verb->operand);
		return see_help(verb);
	}
	if (verb->operand)
		*ret_operand = count ? values[0] : NULL;
	return CLI_GO_ON;
}

static int take_command(const struct cli_verb *verb, int operands, int count,
			char **values, char *const **ret_command)
{
	if (operands) {
		cli_error("%s: give %s or, behind --, %s", verb->name,
			  verb->operand, verb->command);
		return see_help(verb);
	}
	if (!count || !*values[0]) {
		cli_error("%s: no %s behind --", verb->name, verb->command);
		return see_help(verb);
	}
	*ret_command = values;
	return CLI_GO_ON;
}

bool cli_takes_argument(const struct cli_option *option, const char *word)
{
	return !is_optional(option) || (*word != '-' && strpbrk(word, "/:"));
}

/* Takes the next word if it is the option's argument, which may be missing. */
static char *take_argument(const struct cli_option *option, int argc,
			   char **argv)
{
	if (optind == argc || !cli_takes_argument(option, argv[optind]))
		return NULL;
	return argv[optind++];
}

static int take_option(const struct cli_verb *verb, int value, int argc,
		       char **argv, void *target)
{
	const struct cli_option *option;

	switch (value) {
	case 'h':
		cli_print_help(verb);
		return CLI_OK;
	case ':':
		cli_error("%s: option %s needs an argument", verb->name,
			  argv[optind - 1]);
		return see_help(verb);
	case '?':
		if (optopt > 0 && optopt < LONG_FIRST)
			cli_error("%s: no option -%c", verb->name, optopt);
		else
			cli_error("%s: no option %s of that form", verb->name,
				  argv[optind - 1]);
		return see_help(verb);
	}
	option = options_find(verb, value);
	if (!optarg && is_optional(option))
		optarg = take_argument(option, argc, argv);
	return option->set(option, optarg, target) ? see_help(verb) : CLI_GO_ON;
}

int cli_parse_command(const struct cli_verb *verb, int argc, char **argv,
		      void *target, const char **ret_operand,
		      char *const **ret_command)
{
	struct getopt_tables tables = { .count = 0 };
	bool has_ended = false; /* by "--" */
	char *operands[2];
	int value, first, count = 0, code;

	make_tables(verb->options, &tables);
	opterr = 0;
	/* words come in order, so that a "--" is seen where it stands */
	while (first = optind ? optind : 1,
	       value = getopt_long(argc, argv, tables.letters, tables.names,
				   NULL),
	       value != -1) {
		if (value == IS_OPERAND) {
			if (count < 2)
				operands[count++] = optarg;
			continue;
		}
		code = take_option(verb, value, argc, argv, target);
		if (code != CLI_GO_ON)
			return code;
	}
	has_ended = first < argc && optind == first + 1;
	if (ret_command) {
		*ret_operand = NULL;
		*ret_command = NULL;
	}
	if (ret_command && has_ended)
		return take_command(verb, count, argc - optind, argv + optind,
				    ret_command);
	for (; optind < argc && count < 2; optind++)
		operands[count++] = argv[optind];
	return take_operand(verb, count, operands, ret_operand);
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *target,
	      const char **ret_operand)
{
	return cli_parse_command(verb, argc, argv, target, ret_operand, NULL);
}

/* "  -c, --catalog FILE    the catalog", the text of more lines below it. */
static void print_option(const struct cli_option *option)
{
	const char *line = option->help, *end;
	char start[64];
	int used;

	used = snprintf(start, sizeof(start), "  %c%c%s --%s%s%s",
			option->letter ? '-' : ' ',
			option->letter ? option->letter : ' ',
			option->letter ? "," : " ", option->name,
			option->argument ? " " : "",
			option->argument ? option->argument : "");
	fputs(start, stdout);
	if (used >= HELP_COLUMN) {
		putchar('\n');
		used = 0;
	}
	for (;; line = end + 1) {
		end = strchrnul(line, '\n');
		printf("%*s%.*s\n", HELP_COLUMN - used, "", (int)(end - line),
		       line);
		if (!*end)
			break;
		used = 0;
	}
}

void cli_print_help(const struct cli_verb *verb)
{
	static const struct cli_option help = {
		.letter = 'h',
		.name = "help",
		.help = "print this text",
	};

	printf("Usage: thaw %s%s%s [OPTION]...\n", verb->name,
	       verb->operand ? " " : "", verb->operand ? verb->operand : "");
	if (verb->command)
		printf("       thaw %s [OPTION]... -- %s\n", verb->name,
		       verb->command);
	printf("\n%s\nOptions:\n", verb->about);
	for (const struct cli_option *option = verb->options;
	     option && option->name; option++)
		print_option(option);
	print_option(&help);
	printf("\nExamples:\n%s", verb->examples);
}
