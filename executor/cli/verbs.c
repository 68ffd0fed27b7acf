/* verbs.c - see verbs.h. */
#include "executor/cli/verbs.h"

#include <string.h>

const struct cli_verb *const cli_verbs[] = {
	&cmd_init,
	&cmd_serve,
	&cmd_invoke,
	&cmd_run,
	&cmd_bench,
	&cmd_functions_list,
	&cmd_functions_describe,
	&cmd_catalog_validate,
	&cmd_catalog_schema,
	&cmd_snapshot_list,
	&cmd_snapshot_create,
	&cmd_snapshot_inspect,
	&cmd_snapshot_verify,
	&cmd_snapshot_rm,
	&cmd_snapshot_export,
	&cmd_snapshot_import,
	&cmd_snapshot_key,
	&cmd_status,
	&cmd_metrics,
	&cmd_top,
	&cmd_reload,
	&cmd_drain,
	&cmd_symbolize,
	&cmd_doctor,
	&cmd_completion,
	&cmd_complete,
	&cmd_version,
	&cmd_help,
	NULL,
};

const struct cli_verb *verbs_find(const char *name)
{
	for (size_t i = 0; cli_verbs[i]; i++)
		if (!strcmp(cli_verbs[i]->name, name))
			return cli_verbs[i];
	return NULL;
}

bool verbs_is_of_noun(const struct cli_verb *verb, const char *noun)
{
	size_t size = strlen(noun);

	return !strncmp(verb->name, noun, size) && verb->name[size] == ' ';
}

bool verbs_is_noun(const char *word)
{
	for (size_t i = 0; cli_verbs[i]; i++)
		if (verbs_is_of_noun(cli_verbs[i], word))
			return true;
	return false;
}
