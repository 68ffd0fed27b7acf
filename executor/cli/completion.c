/* completion.c - see completion.h. */
#include "executor/cli/completion.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

#define HELP_MAX 256

/* What the word for an argument or operand stands for; see options.h. */
enum kind {
	KIND_NONE, /* nothing that can be offered */
	KIND_FILES,
	KIND_DIRECTORIES,
	KIND_DATA, /* "@FILE" */
	KIND_FUNCTION,
	KIND_SNAPSHOT,
	KIND_VERB,
	KIND_WORDS, /* "a|b|c" */
};

/* A command line, after the verb's words. */
struct line {
	const struct cli_verb *verb;
	char *const *words; /* without the one to complete */
	size_t count;
	const char *last; /* the one to complete */

	/* What those words say. */
	const struct cli_option *pending; /* an option without its argument */
	bool has_operand;
	bool has_ended; /* by "--": what follows is an operand */
	const char *catalog;
};

/* The option that a word gives. */
struct option_word {
	const struct cli_option *option; /* NULL: no such option */
	const char *value; /* its argument in the same word; or NULL */
};

/*
 * Returns what @word, which may be NULL, stands for. "NAME" is a function only
 * as an operand.
 */
static enum kind completion_kind_of(const char *word, bool is_operand)
{
	static const struct {
		const char *word;
		enum kind kind;
	} kinds[] = {
		{ "FILE", KIND_FILES },	  { "PATH", KIND_FILES },
		{ "IMAGE", KIND_FILES },  { "DIRECTORY", KIND_DIRECTORIES },
		{ "DATA", KIND_DATA },	  { "VERB", KIND_VERB },
		{ "KEY", KIND_SNAPSHOT },
	};
	size_t size;

	if (!word)
		return KIND_NONE;
	word += *word == '[';
	size = strcspn(word, "]");
	if (memchr(word, '|', size))
		return KIND_WORDS;
	if (is_operand && !strncmp(word, "NAME", size))
		return KIND_FUNCTION;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strlen(kinds[i].word) == size &&
		    !memcmp(kinds[i].word, word, size))
			return kinds[i].kind;
	return KIND_NONE;
}

static void completion_print_header(const char *what, size_t skip)
{
	printf(":%s %zu\n", what, skip);
}

/* Copies the beginning of an option's help, up to a semicolon, as one line. */
static const char *short_help(const char *help, char text[static HELP_MAX])
{
	size_t size = 0;

	for (; *help && *help != ';' && size + 1 < HELP_MAX; help++)
		text[size++] = *help == '\n' ? ' ' : *help;
	text[size] = '\0';
	return text;
}

/* Prints the words of "a|b|c", with or without brackets. */
static void print_alternatives(const char *words)
{
	for (; *words; words += strspn(words, "[|]")) {
		size_t size = strcspn(words, "[|]");

		if (size)
			printf("%.*s\n", (int)size, words);
		words += size;
	}
}

/*
 * Prints names of functions as `thaw functions list` does: of the catalog, else
 * of a server. optind 0 has the verb's getopt_long() start again.
 */
static void print_functions(const char *catalog)
{
	char *of_catalog[] = {
		"list", "-o", "name", "-c", (char *)catalog, NULL
	};
	char *of_server[] = { "list", "-o", "name", "--admin", NULL };
	const struct cli_verb *list = &cmd_functions_list;

	optind = 0;
	if (list->run(list, catalog ? 5 : 3, of_catalog) == CLI_OK)
		return;
	optind = 0;
	list->run(list, 4, of_server);
}

/* Prints the keys of the state directory that the environment names, if there is one. */
static void print_snapshots(void)
{
	char *words[] = { "list", "-o", "name", NULL };

	optind = 0;
	if (cli_variable(CLI_STATE_VARIABLE))
		cmd_snapshot_list.run(&cmd_snapshot_list, 3, words);
}

/* Returns the bytes of the verb's first word. */
static size_t first_size(const struct cli_verb *verb)
{
	return strcspn(verb->name, " ");
}

/* Whether the verb before it begins with the same word. */
static bool is_repeated(size_t verb)
{
	const char *name = cli_verbs[verb]->name;
	const size_t size = first_size(cli_verbs[verb]);

	return verb && first_size(cli_verbs[verb - 1]) == size &&
	       !memcmp(cli_verbs[verb - 1]->name, name, size);
}

static void print_first_words(void)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];
		const size_t size = first_size(verb);

		if (verb->is_hidden || is_repeated(i))
			continue;
		printf("%.*s\t%s\n", (int)size, verb->name,
		       verb->name[size] ? "its verbs are the next word" :
					  verb->summary);
	}
}

static void print_second_words(const char *noun)
{
	for (size_t i = 0; cli_verbs[i]; i++)
		if (verbs_is_of_noun(cli_verbs[i], noun))
			printf("%s\t%s\n",
			       cli_verbs[i]->name + strlen(noun) + 1,
			       cli_verbs[i]->summary);
}

/*
 * Offers the verbs that @count words may begin. False: the words name a verb.
 */
static bool offer_verbs(char *const *words, size_t count)
{
	if (count > 1 || (count && !verbs_is_noun(words[0])))
		return false;
	completion_print_header("words", 0);
	if (count)
		print_second_words(words[0]);
	else
		print_first_words();
	return true;
}

/* Offers what can be the argument @word, after @skip bytes of the last word. */
static void offer_argument(const struct line *line, const char *word,
			   bool is_operand, size_t skip)
{
	const enum kind kind = completion_kind_of(word, is_operand);

	switch (kind) {
	case KIND_FILES:
		completion_print_header("files", skip);
		break;
	case KIND_DIRECTORIES:
		completion_print_header("directories", skip);
		break;
	case KIND_DATA:
		if (line->last[skip] == '@')
			completion_print_header("files", skip + 1);
		break;
	case KIND_FUNCTION:
		completion_print_header("words", skip);
		print_functions(line->catalog);
		break;
	case KIND_SNAPSHOT:
		completion_print_header("words", skip);
		print_snapshots();
		break;
	case KIND_VERB:
		offer_verbs(line->words, line->count);
		break;
	case KIND_WORDS:
		completion_print_header("words", skip);
		print_alternatives(word);
		break;
	case KIND_NONE:
		break;
	}
}

/* Offers options; letters only if the last word is "-". */
static void offer_options(const struct line *line)
{
	const bool has_letters = !strcmp(line->last, "-");
	char help[HELP_MAX];

	completion_print_header("words", 0);
	for (const struct cli_option *option = line->verb->options;
	     option && option->name; option++) {
		short_help(option->help, help);
		printf("--%s\t%s\n", option->name, help);
		if (has_letters && option->letter)
			printf("-%c\t%s\n", option->letter, help);
	}
	puts("--help\tprint help");
}

static const struct cli_option *find_name(const struct cli_verb *verb,
					  const char *name, size_t size)
{
	for (const struct cli_option *option = verb->options;
	     option && option->name; option++)
		if (strlen(option->name) == size &&
		    !memcmp(option->name, name, size))
			return option;
	return NULL;
}

static const struct cli_option *
completion_find_letter(const struct cli_verb *verb, char letter)
{
	for (const struct cli_option *option = verb->options;
	     option && option->name; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

/*
 * Reads "--name", "--name=VALUE", "-n", "-nVALUE", or letters before one of
 * those.
 */
static struct option_word read_option(const struct cli_verb *verb,
				      const char *word)
{
	struct option_word found = { .option = NULL };

	if (word[1] == '-') {
		const size_t size = strcspn(word + 2, "=");

		found.option = find_name(verb, word + 2, size);
		if (word[2 + size])
			found.value = word + 2 + size + 1;
		return found;
	}
	for (const char *letter = word + 1; *letter; letter++) {
		found.option = completion_find_letter(verb, *letter);
		if (!found.option)
			break;
		if (found.option->argument) {
			found.value = letter[1] ? letter + 1 : NULL;
			break;
		}
	}
	return found;
}

static void note_value(struct line *line, const struct cli_option *option,
		       const char *value)
{
	if (!strcmp(option->name, "catalog"))
		line->catalog = value;
}

static void completion_read_word(struct line *line, const char *word)
{
	const struct cli_option *pending = line->pending;
	struct option_word found;

	line->pending = NULL;
	if (pending && cli_takes_argument(pending, word)) {
		note_value(line, pending, word);
	} else if (line->has_ended || word[0] != '-' || !word[1]) {
		line->has_operand = true;
	} else if (!strcmp(word, "--")) {
		line->has_ended = true;
	} else {
		found = read_option(line->verb, word);
		if (!found.option || !found.option->argument)
			return;
		if (found.value)
			note_value(line, found.option, found.value);
		else
			line->pending = found.option;
	}
}

static void complete_last(struct line *line)
{
	const struct cli_option *pending = line->pending;
	const char *last = line->last;
	struct option_word found = { .option = NULL };

	if (pending && cli_takes_argument(pending, last)) {
		offer_argument(line, pending->argument, false, 0);
		return;
	}
	if (last[0] == '-' && !line->has_ended) {
		found = read_option(line->verb, last);
		if (found.option && found.option->argument && found.value)
			offer_argument(line, found.option->argument, false,
				       (size_t)(found.value - last));
		else
			offer_options(line);
		return;
	}
	if (line->has_ended && line->verb->command)
		completion_print_header("files", 0);
	else if (!line->has_operand ||
		 completion_kind_of(line->verb->operand, true) == KIND_VERB)
		offer_argument(line, line->verb->operand, true, 0);
}

/* Finds the verb that the words begin with, and the number of its words. */
static const struct cli_verb *find_verb(char *const *words, size_t count,
					size_t *ret_used)
{
	for (size_t i = 0; cli_verbs[i]; i++) {
		const struct cli_verb *verb = cli_verbs[i];
		const bool has_noun = verbs_is_of_noun(verb, words[0]);
		const char *rest = verb->name + first_size(verb) + has_noun;

		*ret_used = 1 + has_noun;
		if (has_noun ? count > 1 && !strcmp(rest, words[1]) :
			       !strcmp(verb->name, words[0]))
			return verb;
	}
	return NULL;
}

void completion_print(char *const *words, size_t count)
{
	const size_t complete = count - 1;
	struct line line = { .last = words[complete] };
	size_t used;

	if (!complete && line.last[0] == '-') {
		completion_print_header("words", 0);
		puts("--help\tlist the verbs\n--version\tprint the version");
		return;
	}
	if (offer_verbs(words, complete))
		return;
	line.verb = find_verb(words, complete, &used);
	if (!line.verb)
		return;
	line.words = words + used;
	line.count = complete - used;
	for (size_t i = 0; i < line.count; i++)
		completion_read_word(&line, line.words[i]);
	complete_last(&line);
}
