/*
 * cmd_status.c - `thaw status`: prints a running server's state and functions.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_table.h"
#include "executor/cli/options.h"
#include "executor/cli/server_facts.h"
#include "executor/cli/verbs.h"

#define TEXT_MAX 4096

/* Formats a member; a compound literal lives until its block ends. */
#define TEXT(status, path) \
	admin_text(status, path, (char[TEXT_MAX]){ 0 }, TEXT_MAX)

static void print_catalog(const json_t *status)
{
	printf("catalog      %s, generation %" PRIu64 ", sha256 %.12s\n",
	       TEXT(status, "catalog.path"),
	       admin_number(status, "catalog.generation"),
	       TEXT(status, "catalog.sha256"));
	printf("reloads      %" PRIu64 ", %" PRIu64 " failed\n",
	       admin_number(status, "catalog.reloads"),
	       admin_number(status, "catalog.reload_failures"));
	if (json_is_string(admin_member(status, "catalog.last_reload_error")))
		printf("last failed  %s\n",
		       TEXT(status, "catalog.last_reload_error"));
}

static void print_server(const json_t *status)
{
	char summary[TEXT_MAX];

	printf("server       %s, since %s\n",
	       server_facts_summary(status, summary, sizeof(summary)),
	       TEXT(status, "start_time"));
	print_catalog(status);
	printf("threads      %" PRIu64 " workers (%s), %" PRIu64
	       " for long runs, %" PRIu64 " of them busy\n",
	       admin_number(status, "workers"), TEXT(status, "io"),
	       admin_number(status, "offload_threads"),
	       admin_number(status, "offload_busy"));
	printf("connections  %" PRIu64 " open of %" PRIu64 ", %" PRIu64
	       " in all, %" PRIu64 " refused\n",
	       admin_number(status, "connections.open"),
	       admin_number(status, "connections.max"),
	       admin_number(status, "connections.total"),
	       admin_number(status, "connections.refused"));
	printf("requests     %" PRIu64 ", %" PRIu64 " bad\n",
	       admin_number(status, "requests.total"),
	       admin_number(status, "requests.bad"));
	printf("events       %" PRIu64 " queued of %" PRIu64
	       ", the oldest for %" PRIu64 " ms\n",
	       admin_number(status, "events.queued"),
	       admin_number(status, "events.max"),
	       admin_number(status, "events.oldest_ms"));
	printf("log          %" PRIu64 " lines dropped\n",
	       admin_number(status, "log.dropped"));
	printf("functions    %" PRIu64 ": %" PRIu64 " active, %" PRIu64
	       " pending, %" PRIu64 " failed\n",
	       admin_number(status, "functions.total"),
	       admin_number(status, "functions.active"),
	       admin_number(status, "functions.pending"),
	       admin_number(status, "functions.failed"));
}

static int status_print_all(struct http_client *client)
{
	json_auto_t *status = NULL, *functions = NULL;
	int code = admin_get(client, "/v1/status", &status);

	if (!code)
		code = admin_get(client, "/v1/functions", &functions);
	if (code)
		return code;
	print_server(status);
	if (json_array_size(json_object_get(functions, "functions"))) {
		putchar('\n');
		function_table_print(functions);
	}
	return CLI_OK;
}

static int status_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct admin_options my = { .admin = NULL };
	struct http_client client;
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON)
		code = admin_open(my.admin, &client);
	if (code != CLI_GO_ON)
		return code;
	if (my.json) {
		code = admin_get(&client, "/v1/status", NULL);
		if (!code)
			admin_print_body(&client);
	} else {
		code = status_print_all(&client);
	}
	http_client_done(&client);
	return code;
}

const struct cli_verb cmd_status = {
	.name = "status",
	.summary = "show the state of a running server",
	.about =
		"Prints facts about a running `thaw serve`, and a line for each of its functions:\n"
		"its state, vms, queue and invocations since the start. The JSON form is the\n"
		"server's answer to GET /v1/status.\n",
	.examples = "  thaw status\n"
		    "  thaw status -o json | jq .functions\n"
		    "  thaw status --admin 127.0.0.1:9090\n",
	.options = admin_options,
	.run = status_run,
};
