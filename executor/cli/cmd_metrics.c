/*
 * cmd_metrics.c - `thaw metrics`: prints what a running server tells a scraper.
 */
#include <stddef.h>

#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

struct metrics_options {
	const char *admin;
};

static const struct cli_option options[] = {
	CLI_OPTION_ADMIN(struct metrics_options, admin),
	{ .name = NULL },
};

static int metrics_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct metrics_options my = { .admin = NULL };
	struct http_client client;
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON)
		code = admin_open(my.admin, &client);
	if (code != CLI_GO_ON)
		return code;
	code = admin_get_text(&client, "/metrics");
	if (!code)
		admin_print_body(&client);
	http_client_done(&client);
	return code;
}

const struct cli_verb cmd_metrics = {
	.name = "metrics",
	.summary = "print the metrics of a running server",
	.about =
		"Prints the answer of a running `thaw serve` to GET /metrics, in Prometheus's text\n"
		"format. ADDR may also be the address of `thaw serve --metrics`.\n",
	.examples = "  thaw metrics | grep thaw_function_state\n"
		    "  thaw metrics --admin 127.0.0.1:9100\n",
	.options = options,
	.run = metrics_run,
};
