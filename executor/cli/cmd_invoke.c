/*
 * cmd_invoke.c - `thaw invoke`: invokes a function of the catalog in this
 * process, or one of a running server.
 */
#include <stddef.h>

#include "executor/cli/cli.h"
#include "executor/cli/invocation.h"
#include "executor/cli/invoke_http.h"
#include "executor/cli/invoke_local.h"
#include "executor/cli/invoke_socket.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"

struct invoke_options {
	const char *catalog;
	struct invocation_options invocation;

	/* for a server */
	const char *url, *socket;
	bool async;
	unsigned log; /* 1: tail */
};

#define OPTION(name, argument, help, set, member)                  \
	{                                                          \
		0, name, argument, help, set,                      \
			offsetof(struct invoke_options, member), 0 \
	}

static const struct cli_option options[] = {
	CLI_OPTION_CATALOG(struct invoke_options, catalog),
	INVOCATION_OPTIONS(struct invoke_options),
	INVOCATION_OPTION(0, "timeout", "TIME",
			  "stop the function after this time, if the catalog\n"
			  "allows more; with --url, stop waiting then",
			  cli_set_duration, struct invoke_options, timeout_ns,
			  0),
	OPTION("url", "URL",
	       "let the server at http://HOST:PORT, HOST:PORT or\n"
	       "unix:PATH invoke it by HTTP; default $" CLI_URL_VARIABLE,
	       cli_set_text, url),
	OPTION("socket", "[PATH]",
	       "let the server with this unix socket invoke it; default\n"
	       "$" CLI_SOCKET_VARIABLE
	       ", else the socket of this user's server",
	       cli_set_socket, socket),
	OPTION("async", NULL,
	       "with --url: run the function later, and print the\n"
	       "request's id",
	       cli_set_flag, async),
	OPTION("log", "none|tail",
	       "with --url: print the end of its log on standard error",
	       cli_set_choice, log),
	{ .name = NULL },
};

/* Takes from the environment what the command line leaves open. */
static void take_environment(struct invoke_options *my)
{
	if (my->catalog || my->url || (my->socket && *my->socket))
		return;
	if (!my->socket)
		my->url = cli_variable(CLI_URL_VARIABLE);
	if (!my->url && cli_variable(CLI_SOCKET_VARIABLE))
		my->socket = cli_socket_path(cli_variable(CLI_SOCKET_VARIABLE));
}

static int invoke_misused(const char *what)
{
	cli_error("invoke: %s", what);
	return CLI_USAGE;
}

static int invoke_check_options(const struct invoke_options *my)
{
	const struct invocation_options *invocation = &my->invocation;
	bool for_url = my->async || my->log;

	if (!!my->catalog + !!my->url + !!my->socket > 1)
		return invoke_misused(
			"--catalog, --url and --socket exclude each "
			"other");
	if (for_url && !my->url)
		return invoke_misused("--async and --log need --url");
	if (my->async && (my->log || invocation->repeat))
		return invoke_misused("--async excludes --log and --repeat");
	if (for_url && request_has_http(&invocation->http))
		return invoke_misused(
			"--async and --log take the Lambda API, which "
			"has no --method, --path, --query and --header");
	if ((my->url || my->socket) &&
	    (invocation->state.directory || invocation->state.max ||
	     invocation->trace || invocation->strace || invocation->verify ||
	     invocation->dirty || invocation->restore ||
	     invocation->polling_cores))
		return invoke_misused(
			"--trace, --strace, --verify, --dirty, --restore, "
			"--state-dir, --state-max and --polling-cores are for functions in this "
			"process, not for a server's: give -c");
	return CLI_GO_ON;
}

static int invoke_here(const char *catalog, const char *name,
		       const struct invocation_options *invocation)
{
	struct engine_options library = invoke_local_options(invocation);
	struct thaw_error error;
	struct thaw *thaw;
	int code, r;

	catalog = cli_catalog_path(catalog);
	if (!catalog)
		return CLI_USAGE;
	r = engine_open(catalog, &library, &error, &thaw);
	if (r) {
		cli_error("%s", error.message);
		return cli_open_code(r);
	}
	code = invoke_local(thaw, name, invocation);
	thaw_close(thaw);
	return code;
}

static int cmd_invoke_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct invoke_options my = { .catalog = NULL };
	const char *name;
	int code = cli_parse(verb, argc, argv, &my, &name);

	if (code != CLI_GO_ON)
		return code;
	take_environment(&my);
	code = invoke_check_options(&my);
	if (code != CLI_GO_ON)
		return code;
	if (my.url) {
		const struct invoke_http_options http = {
			.async = my.async,
			.tail = my.log == 1,
		};

		return invoke_http(my.url, name, &my.invocation, &http);
	}
	if (my.socket)
		return invoke_socket(my.socket, name, &my.invocation);
	if (cli_state_take(&my.invocation.state))
		return CLI_USAGE;
	return invoke_here(my.catalog, name, &my.invocation);
}

const struct cli_verb cmd_invoke = {
	.name = "invoke",
	.operand = "NAME",
	.summary = "invoke a function",
	.about =
		"Sends the function NAME one request and prints its reply. Prints the function's log\n"
		"lines, and its error if it fails, on standard error.\n"
		"\n"
		"With --url or --socket, a running `thaw serve` invokes the function. Otherwise\n"
		"`thaw invoke` boots it in this process, from the catalog.\n",
	.examples = "  thaw invoke hello -d '{\"name\":\"Ada\"}'\n"
		    "  thaw invoke wordfreq -d @book.txt -o counts.json\n"
		    "  thaw invoke echo -i -t text/plain -d - <letter.txt\n"
		    "  thaw invoke notes -i --method GET --path /users/42 "
		    "--query full=1\n"
		    "  thaw invoke hello --repeat 10000 >/dev/null\n"
		    "  thaw invoke hello --url http://127.0.0.1:8080 -i\n"
		    "  thaw invoke hello --socket --repeat 10000\n",
	.options = options,
	.run = cmd_invoke_run,
};
