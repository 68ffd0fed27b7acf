/*
 * cmd_serve.c - `thaw serve`: runs a server until it ends. See server/server.h.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/run_settings.h"
#include "executor/cli/serve_programs.h"
#include "executor/cli/verbs.h"
#include "executor/io/runtime_dir.h"
#include "executor/protocol/host.h"
#include "executor/server/log/log.h"
#include "executor/server/server.h"
#include "executor/server/server_limits.h"

#define LISTEN_DEFAULT "127.0.0.1:8080"
#define NO_ADDRESS "none"
#define UNIX_PREFIX "unix:"

/* Bytes of a unix socket's address: the prefix and a path. */
#define ADDRESS_MAX (sizeof(UNIX_PREFIX) + RUNTIME_PATH_MAX)

struct serve_options {
	const char *catalog;
	const char *programs[SERVE_PROGRAMS_MAX];
	size_t program_count;
	struct run_settings settings; /* of the programs */
	const char *socket, *admin;
	bool is_json;
	enum thaw_level level;
	struct cli_state state;
	struct server_options server;
};

static int set_listen(const struct cli_option *option, const char *value,
		      void *target)
{
	struct server_options *server =
		&((struct serve_options *)target)->server;

	if (server->listen_count == SERVER_LISTENERS_MAX) {
		cli_error("--%s: at most %d addresses", option->name,
			  SERVER_LISTENERS_MAX);
		return CLI_USAGE;
	}
	server->listen[server->listen_count++] = value;
	return 0;
}

static int set_program(const struct cli_option *option, const char *value,
		       void *target)
{
	struct serve_options *my = target;

	if (my->program_count == SERVE_PROGRAMS_MAX) {
		cli_error("--%s: at most %d programs", option->name,
			  SERVE_PROGRAMS_MAX);
		return CLI_USAGE;
	}
	my->programs[my->program_count++] = value;
	return 0;
}

static int set_metrics(const struct cli_option *option, const char *value,
		       void *target)
{
	struct server_options *server =
		&((struct serve_options *)target)->server;

	(void)option;
	server->metrics = strcmp(value, NO_ADDRESS) ? value : NULL;
	return 0;
}

static int set_allow_host(const struct cli_option *option, const char *value,
			  void *target)
{
	struct server_options *server =
		&((struct serve_options *)target)->server;
	struct host host;

	if (server->allow_host_count == SERVER_HOSTS_MAX) {
		cli_error("--%s: at most %d hosts", option->name,
			  SERVER_HOSTS_MAX);
		return CLI_USAGE;
	}
	/* a port is refused: it would say nothing, as any port is fine */
	if (!host_read(value, strlen(value), &host) || !host.size ||
	    host.size + (value[strlen(value) - 1] == '.') != strlen(value)) {
		cli_error("--%s: \"%s\" is no name, no address and not *; an "
			  "address of IPv6 has brackets, and there is no port",
			  option->name, value);
		return CLI_USAGE;
	}
	server->allow_hosts[server->allow_host_count++] = value;
	return 0;
}

static int set_io(const struct cli_option *option, const char *value,
		  void *target)
{
	enum io_backend *io = &((struct serve_options *)target)->server.io;

	if (!strcmp(value, "auto")) {
		*io = IO_AUTO;
	} else if (!strcmp(value, "io_uring")) {
		*io = IO_URING;
	} else if (!strcmp(value, "epoll")) {
		*io = IO_EPOLL;
	} else {
		cli_error("--%s: \"%s\" is none of auto, io_uring, epoll",
			  option->name, value);
		return CLI_USAGE;
	}
	return 0;
}

static int set_log_format(const struct cli_option *option, const char *value,
			  void *target)
{
	enum log_format format;

	if (!log_parse_format(value, &format)) {
		cli_error("--%s: \"%s\" is none of text, json", option->name,
			  value);
		return CLI_USAGE;
	}
	((struct serve_options *)target)->is_json = format == LOG_FORMAT_JSON;
	return 0;
}

static int set_log_level(const struct cli_option *option, const char *value,
			 void *target)
{
	if (log_parse_level(value, &((struct serve_options *)target)->level))
		return 0;
	cli_error("--%s: \"%s\" is none of error, warn, info, debug",
		  option->name, value);
	return CLI_USAGE;
}

#define SERVER(member) offsetof(struct serve_options, server.member)

static const struct cli_option options[] = {
	CLI_OPTION_CATALOG(struct serve_options, catalog),
	{ 0, "program", "COMMAND",
	  "serve a Linux program, without a catalog; NAME=COMMAND\n"
	  "gives it a name; default that of its first argument\n"
	  "that is a file, else its own; may be given several times",
	  set_program, 0, 0 },
	RUN_SETTINGS_OPTIONS(struct serve_options, RUN_SETTINGS_PROGRAMS),
	{ 'l', "listen", "ADDRESS",
	  "listen for HTTP at HOST:PORT, [HOST]:PORT or unix:PATH;\n"
	  "may be given several times; default " LISTEN_DEFAULT,
	  set_listen, 0, 0 },
	{ 0, "socket", "PATH",
	  "listen for the socket protocol, or none; default\n" RUNTIME_SOCKET
	  " in the runtime folder",
	  cli_set_socket, offsetof(struct serve_options, socket), 0 },
	{ 0, "admin", "ADDRESS",
	  "listen for administration at unix:PATH or HOST:PORT, or\n"
	  "none; default " RUNTIME_ADMIN " in the runtime folder",
	  cli_set_text, offsetof(struct serve_options, admin), 0 },
	{ 0, "metrics", "ADDRESS",
	  "serve the metrics, read-only, at unix:PATH or HOST:PORT;\n"
	  "default none",
	  set_metrics, 0, 0 },
	{ 0, "insecure", NULL,
	  "allow addresses that other machines can reach; the\n"
	  "server does not authenticate clients",
	  cli_set_flag, SERVER(insecure), 0 },
	{ 0, "allow-host", "NAME",
	  "also answer requests for this host (Host, Origin); * is\n"
	  "any host; may be given several times",
	  set_allow_host, 0, 0 },
	{ 0, "workers", "N",
	  "number of worker threads; default one for each CPU", cli_set_count,
	  SERVER(workers), SERVER_WORKERS_MAX },
	{ 0, "pin", NULL, "pin each worker to a CPU", cli_set_flag, SERVER(pin),
	  0 },
	{ 0, "io", "auto|io_uring|epoll",
	  "how to wait for clients; auto uses epoll if io_uring is\n"
	  "not available",
	  set_io, 0, 0 },
	{ 0, "offload-threads", "N",
	  "number of offload threads, for runs over their\n"
	  "inline_budget (catalog); default four for each CPU",
	  cli_set_count, SERVER(offload_threads), SERVER_OFFLOAD_MAX },
	{ 0, "max-connections", "N",
	  "connections that may be open; default 16384, or what\n"
	  "the limit of open files allows",
	  cli_set_count, SERVER(max_connections), SERVER_CONNECTIONS_MAX },
	{ 0, "max-buffered", "SIZE",
	  "memory of all requests, replies and events; default\n"
	  "512MiB",
	  cli_set_size, SERVER(max_buffered), SERVER_BUFFERED_MAX },
	{ 0, "max-memory", "SIZE",
	  "memory of all vms and snapshots; default 80% of what the\n"
	  "machine or the cgroup has",
	  cli_set_size, SERVER(max_memory), SERVER_MEMORY_MAX },
	CLI_OPTIONS_STATE(struct serve_options, state.directory, state.max),
	{ 0, "vm-idle-timeout", "TIME",
	  "free vms that are idle for this time, above\n"
	  "concurrency.warm (catalog); after half of it they give\n"
	  "their memory back; default 1m",
	  cli_set_duration, SERVER(vm_idle_ns), SERVER_VM_IDLE_MAX },
	{ 0, "shells", "N",
	  "shells to make ahead, for functions that need a new vm;\n"
	  "default 16, 0 for none",
	  cli_set_count_or_none, SERVER(shells), SERVER_SHELLS_MAX },
	{ 0, "head-timeout", "TIME", "time for a request's head; default 10s",
	  cli_set_duration, SERVER(head_timeout_ns), SERVER_TIMEOUT_MAX },
	{ 0, "body-timeout", "TIME", "time for a request's body; default 1m",
	  cli_set_duration, SERVER(body_timeout_ns), SERVER_TIMEOUT_MAX },
	{ 0, "idle-timeout", "TIME", "time between two requests; default 75s",
	  cli_set_duration, SERVER(idle_timeout_ns), SERVER_TIMEOUT_MAX },
	{ 0, "send-timeout", "TIME",
	  "time for a client to take its reply; default 1m", cli_set_duration,
	  SERVER(send_timeout_ns), SERVER_TIMEOUT_MAX },
	{ 0, "event-queue", "N",
	  "events that may be accepted and not over; default 2000",
	  cli_set_count, SERVER(events_max), SERVER_EVENTS_MAX },
	{ 0, "event-retries", "N",
	  "how often to retry an event that failed; default 2",
	  cli_set_count_or_none, SERVER(event_retries),
	  SERVER_EVENT_RETRIES_MAX },
	{ 0, "event-max-age", "TIME",
	  "age at which to drop an event; default 360m", cli_set_duration,
	  SERVER(event_max_age_ns), SERVER_EVENT_AGE_MAX },
	{ 0, "drain-timeout", "TIME",
	  "time to finish the work under way; default 30s", cli_set_duration,
	  SERVER(drain_timeout_ns), SERVER_TIMEOUT_MAX },
	{ 0, "drain-delay", "TIME",
	  "time to go on, but not ready, before draining; default\n"
	  "none",
	  cli_set_duration, SERVER(drain_delay_ns), SERVER_TIMEOUT_MAX },
	{ 0, "watch", NULL,
	  "reload when the catalog, an image, or a file that a\n"
	  "program has read at its start changes",
	  cli_set_flag, SERVER(watch), 0 },
	{ 0, "log-format", "text|json", "form of the log; default text",
	  set_log_format, 0, 0 },
	{ 0, "log-level", "LEVEL",
	  "least severe level to log: error, warn, info (default)\n"
	  "or debug; for the server's and the functions' lines",
	  set_log_level, 0, 0 },
	{ 0, "echo-function", "NAME",
	  "answer NAME with the request itself, without a vm; use\n"
	  "it to measure the server",
	  cli_set_text, SERVER(echo), 0 },
	{ 0 },
};

/*
 * Chooses the path of a socket: the given one, or one in the runtime folder;
 * NULL for none. Returns CLI_GO_ON, or an exit code after a message.
 */
static int serve_choose(const char *given, const char *name, const char *prefix,
			char *text, const char **ret_address)
{
	char path[RUNTIME_PATH_MAX];
	struct error err;

	*ret_address = given;
	if (given) {
		if (!strcmp(given, NO_ADDRESS))
			*ret_address = NULL;
		return CLI_GO_ON;
	}
	if (runtime_path(name, true, &err, path)) {
		cli_error("%s", err.message);
		return CLI_ENVIRONMENT;
	}
	stpcpy(stpcpy(text, prefix), path);
	*ret_address = text;
	return CLI_GO_ON;
}

static int code_of(int result)
{
	switch (result) {
	case 0:
		return CLI_OK;
	case -EDESTADDRREQ:
	case -EPERM:
		return CLI_USAGE;
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
	case -ENOSYS:
	case -EOPNOTSUPP:
	case -EMFILE:
	case -ENFILE:
		return CLI_ENVIRONMENT;
	default: /* most likely the catalog */
		return cli_open_code(result);
	}
}

static int serve_until_end(struct serve_options *my)
{
	struct error err;
	int r = log_start(STDERR_FILENO,
			  my->is_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
			  my->level, &err);

	if (r) {
		cli_error("%s", err.message);
		return code_of(r);
	}
	/* the log says what goes wrong in it */
	r = server_run(&my->server, &err);
	log_stop();
	return code_of(r);
}

/* Finds the catalog, or makes that of --program, whose path the caller frees. */
static int choose_catalog(const struct serve_options *my, char **ret_made,
			  const char **ret_catalog)
{
	int code = CLI_GO_ON;

	if (my->program_count && my->catalog) {
		cli_error("serve: give a catalog or --program, not both");
		return CLI_USAGE;
	}
	if (!my->program_count && run_settings_are_given(&my->settings)) {
		cli_error("serve: --memory, --env and the like are for "
			  "--program; a catalog says this of each function "
			  "itself");
		return CLI_USAGE;
	}
	if (my->program_count) {
		code = serve_programs_catalog(my->programs, my->program_count,
					      &my->settings, ret_made);
		*ret_catalog = *ret_made;
		return code;
	}
	*ret_catalog = cli_catalog_path(my->catalog);
	return *ret_catalog ? CLI_GO_ON : CLI_NOT_FOUND;
}

static int serve_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct serve_options my = { .level = THAW_LOG_INFO };
	char socket[ADDRESS_MAX], admin[ADDRESS_MAX];
	cleanup_free char *made = NULL;
	int code;

	server_options_init(&my.server);
	code = cli_parse(verb, argc, argv, &my, NULL);
	if (code == CLI_GO_ON && cli_state_take(&my.state))
		code = CLI_USAGE;
	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	if (code == CLI_GO_ON)
		code = choose_catalog(&my, &made, &my.server.catalog);
	if (code != CLI_GO_ON)
		return code;
	my.server.state_dir = my.state.directory;
	my.server.state_max = my.state.max;
	if (!my.server.listen_count)
		my.server.listen[my.server.listen_count++] = LISTEN_DEFAULT;
	code = serve_choose(my.socket, RUNTIME_SOCKET, "", socket,
			    &my.server.socket);
	if (code == CLI_GO_ON)
		code = serve_choose(my.admin, RUNTIME_ADMIN, UNIX_PREFIX, admin,
				    &my.server.admin);
	return code == CLI_GO_ON ? serve_until_end(&my) : code;
}

const struct cli_verb cmd_serve = {
	.name = "serve",
	.summary = "serve the catalog's functions over HTTP and a unix socket",
	.about =
		"Deploys the functions of a catalog and serves them until SIGTERM or\n"
		"SIGINT: over HTTP, with AWS Lambda's API and at /function/NAME, and\n"
		"over a unix socket (docs/protocol.md). SIGHUP reloads the catalog.\n"
		"\n"
		"With --program, serves Linux programs that read a request from standard input and\n"
		"write the reply to standard output, as `thaw run -- COMMAND` runs them. The options\n"
		"from --memory to --file hold for all of them.\n"
		"\n"
		"On the first SIGTERM the server drains: it accepts nothing new, finishes\n"
		"the work under way, and ends. A second SIGTERM ends it at once.\n",
	.examples =
		"  thaw serve\n"
		"  thaw serve -c functions.json --listen 127.0.0.1:9000 --watch\n"
		"  thaw serve --program 'python3 handler.py'\n"
		"  thaw serve --program jq=\"jq .name\" --memory 32MiB --timeout 5s\n"
		"  thaw serve --listen 0.0.0.0:8080 --insecure --log-format json\n",
	.options = options,
	.run = serve_run,
};
