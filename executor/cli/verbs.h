/*
 * verbs.h - the table of verbs, one in each cmd_*.c, and how to find one in it.
 * A verb's name is one word, or two, of which the first is called its noun.
 */
#ifndef EXECUTOR_CLI_VERBS_H
#define EXECUTOR_CLI_VERBS_H

#include <stdbool.h>

#include "executor/cli/options.h"

/*
 * All of them, in the order of the help, with NULL at the end. Those of one noun
 * stand together.
 */
extern const struct cli_verb *const cli_verbs[];

/* The verb of this name, or NULL. */
const struct cli_verb *verbs_find(const char *name);

/* Whether @verb is one of several that begin with the word @noun. */
bool verbs_is_of_noun(const struct cli_verb *verb, const char *noun);

/* Whether some verb begins with @word as its noun. */
bool verbs_is_noun(const char *word);

extern const struct cli_verb cmd_bench;
extern const struct cli_verb cmd_catalog_schema;
extern const struct cli_verb cmd_catalog_validate;
extern const struct cli_verb cmd_complete;
extern const struct cli_verb cmd_completion;
extern const struct cli_verb cmd_doctor;
extern const struct cli_verb cmd_drain;
extern const struct cli_verb cmd_functions_describe;
extern const struct cli_verb cmd_functions_list;
extern const struct cli_verb cmd_help;
extern const struct cli_verb cmd_init;
extern const struct cli_verb cmd_invoke;
extern const struct cli_verb cmd_metrics;
extern const struct cli_verb cmd_reload;
extern const struct cli_verb cmd_run;
extern const struct cli_verb cmd_serve;
extern const struct cli_verb cmd_snapshot_create;
extern const struct cli_verb cmd_snapshot_export;
extern const struct cli_verb cmd_snapshot_import;
extern const struct cli_verb cmd_snapshot_inspect;
extern const struct cli_verb cmd_snapshot_key;
extern const struct cli_verb cmd_snapshot_list;
extern const struct cli_verb cmd_snapshot_rm;
extern const struct cli_verb cmd_snapshot_verify;
extern const struct cli_verb cmd_status;
extern const struct cli_verb cmd_symbolize;
extern const struct cli_verb cmd_top;
extern const struct cli_verb cmd_version;

#endif
