/* completion.c - what the scripts of all shells need. See completion.h. */
#include "executor/cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

enum completion_kind completion_kind(const char *word, bool is_operand)
{
	static const struct {
		const char *word;
		enum completion_kind kind;
	} kinds[] = {
		{ "FILE", COMPLETION_FILE },
		{ "PATH", COMPLETION_FILE },
		{ "IMAGE", COMPLETION_FILE },
		{ "DIRECTORY", COMPLETION_DIRECTORY },
		{ "DATA", COMPLETION_DATA },
		{ "VERB", COMPLETION_VERB },
	};
	size_t size;

	if (!word)
		return COMPLETION_NONE;
	word += *word == '[';
	size = strcspn(word, "]");
	if (memchr(word, '|', size))
		return COMPLETION_WORDS;
	if (is_operand && !strncmp(word, "NAME", size))
		return COMPLETION_FUNCTION;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strlen(kinds[i].word) == size &&
		    !memcmp(kinds[i].word, word, size))
			return kinds[i].kind;
	return COMPLETION_NONE;
}

void completion_words(const char *alternatives, FILE *file)
{
	for (const char *c = alternatives; *c; c++)
		if (*c != '[' && *c != ']')
			fputc(*c == '|' ? ' ' : *c, file);
}

char *completion_help(const char *help, char text[static COMPLETION_HELP_MAX])
{
	size_t size = 0;

	for (; *help && *help != ';' && size + 1 < COMPLETION_HELP_MAX; help++)
		text[size++] = *help;
	text[size] = '\0';
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return text;
}

size_t completion_noun_size(const struct cli_verb *verb)
{
	return strcspn(verb->name, " ");
}

bool completion_has_noun(const struct cli_verb *verb)
{
	return strchr(verb->name, ' ');
}

bool completion_is_first(size_t verb)
{
	const char *name = cli_verbs[verb]->name;
	size_t size = completion_noun_size(cli_verbs[verb]);

	for (size_t i = 0; i < verb; i++)
		if (completion_noun_size(cli_verbs[i]) == size &&
		    !memcmp(cli_verbs[i]->name, name, size))
			return false;
	return true;
}
