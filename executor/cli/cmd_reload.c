/* cmd_reload.c - `thaw reload`: has a server read its catalog again. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/units.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"

/* The server waits a while for boots before it answers. */
#define RELOAD_TIMEOUT_NS (60 * UNITS_S)

#define NAME_MAX_BYTES (LIMIT_NAME_MAX + 1)
#define REASON_MAX_BYTES 1024

static void print_names(const json_t *answer, const char *key)
{
	const json_t *names = json_object_get(answer, key);
	char name[NAME_MAX_BYTES];

	if (!json_array_size(names))
		return;
	printf("%s:", key);
	for (size_t i = 0; i < json_array_size(names); i++)
		printf(" %s", admin_text(json_array_get(names, i), "", name,
					 sizeof(name)));
	putchar('\n');
}

/* Prints on standard error which functions could not be deployed. */
static void print_failed(const json_t *failed)
{
	char name[NAME_MAX_BYTES], reason[REASON_MAX_BYTES];

	for (size_t i = 0; i < json_array_size(failed); i++) {
		const json_t *one = json_array_get(failed, i);

		cli_error("%s is not deployed: %s",
			  admin_text(one, "name", name, sizeof(name)),
			  admin_text(one, "reason", reason, sizeof(reason)));
	}
}

static void print_reload(const json_t *answer)
{
	printf("generation %" PRIu64 ": %zu added, %zu changed, %zu removed, "
	       "%" PRIu64 " unchanged\n",
	       admin_number(answer, "generation"),
	       json_array_size(json_object_get(answer, "added")),
	       json_array_size(json_object_get(answer, "changed")),
	       json_array_size(json_object_get(answer, "removed")),
	       admin_number(answer, "unchanged"));
	print_names(answer, "added");
	print_names(answer, "changed");
	print_names(answer, "removed");
	print_names(answer, "pending");
	print_failed(json_object_get(answer, "failed"));
}

static int reload_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct admin_options my = { .admin = NULL };
	json_auto_t *answer = NULL;
	struct http_client client;
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON)
		code = admin_open(my.admin, &client);
	if (code != CLI_GO_ON)
		return code;
	code = admin_post(&client, "/v1/reload", RELOAD_TIMEOUT_NS, &answer);
	if (!code && my.json)
		admin_print_body(&client);
	else if (!code)
		print_reload(answer);
	if (!code && json_array_size(json_object_get(answer, "failed")))
		code = CLI_CATALOG;
	http_client_done(&client);
	return code;
}

const struct cli_verb cmd_reload = {
	.name = "reload",
	.summary = "make a running server read its catalog again",
	.about =
		"Makes a running `thaw serve` read its catalog again, and prints what has changed.\n"
		"If the catalog is not valid, prints why and exits with 3, and the server keeps its\n"
		"old catalog. If functions do not boot, prints them and exits with 3, and the server\n"
		"serves all others. Prints functions that take long to boot as pending.\n",
	.examples = "  thaw catalog validate && thaw reload\n",
	.options = admin_options,
	.run = reload_run,
};
