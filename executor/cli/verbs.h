/* verbs.h - the verbs, one in each cmd_*.c; main.c has the table of them. */
#ifndef EXECUTOR_CLI_VERBS_H
#define EXECUTOR_CLI_VERBS_H

#include "executor/cli/options.h"

/* All of them, in the order of the help, with NULL at the end. */
extern const struct cli_verb *const cli_verbs[];

extern const struct cli_verb cmd_serve;
extern const struct cli_verb cmd_invoke;
extern const struct cli_verb cmd_run;
extern const struct cli_verb cmd_bench;
extern const struct cli_verb cmd_functions_list;
extern const struct cli_verb cmd_functions_describe;
extern const struct cli_verb cmd_catalog_validate;
extern const struct cli_verb cmd_catalog_schema;
extern const struct cli_verb cmd_complete;
extern const struct cli_verb cmd_completion;
extern const struct cli_verb cmd_doctor;
extern const struct cli_verb cmd_drain;
extern const struct cli_verb cmd_metrics;
extern const struct cli_verb cmd_reload;
extern const struct cli_verb cmd_status;
extern const struct cli_verb cmd_top;
extern const struct cli_verb cmd_version;

#endif
