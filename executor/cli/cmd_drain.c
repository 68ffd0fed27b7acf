/* cmd_drain.c - `thaw drain`: has a server finish its work and end. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/server_end.h"
#include "executor/cli/verbs.h"

struct drain_options {
	const char *admin;
	bool wait;
	uint64_t timeout_ns;
};

static const struct cli_option drain_options[] = {
	CLI_OPTION_ADMIN(struct drain_options, admin),
	{ 'w', "wait", NULL, "wait until the server has gone", cli_set_flag,
	  offsetof(struct drain_options, wait), 0 },
	{ 0, "timeout", "TIME",
	  "with --wait: stop waiting after this time, and exit\n"
	  "with 124",
	  cli_set_duration, offsetof(struct drain_options, timeout_ns), 0 },
	{ .name = NULL },
};

static int drain_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct drain_options my = { .admin = NULL };
	struct server_end end;
	struct http_client client;
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code == CLI_GO_ON && my.timeout_ns && !my.wait) {
		cli_error("drain: --timeout needs --wait");
		return CLI_USAGE;
	}
	if (code == CLI_GO_ON)
		code = admin_open(my.admin, &client);
	if (code != CLI_GO_ON)
		return code;
	code = my.wait ? server_end_watch(&client, &end) : CLI_OK;
	if (!code)
		code = admin_post(&client, "/v1/drain", 0, NULL);
	if (!code && my.wait)
		code = server_end_wait(&client, &end, my.timeout_ns);
	if (my.wait)
		server_end_done(&end);
	http_client_done(&client);
	return code;
}

const struct cli_verb cmd_drain = {
	.name = "drain",
	.summary = "make a running server finish its work and end",
	.about =
		"Makes a running `thaw serve` refuse new work, finish the work it has, and end. Does\n"
		"not wait for the end without --wait.\n",
	.examples = "  thaw drain\n"
		    "  thaw drain --wait --timeout 1m\n",
	.options = drain_options,
	.run = drain_run,
};
