/* bench_options.c - see bench_options.h. */
#include "executor/cli/bench_options.h"

#include <stdio.h>
#include <string.h>

static int add_text(const struct cli_option *option, const char *value,
		    void *target)
{
	struct bench_texts *texts = (void *)((char *)target + option->offset);

	if (texts->count == BENCH_REPEATED_MAX) {
		cli_error("--%s: more than %d of them", option->name,
			  BENCH_REPEATED_MAX);
		return CLI_USAGE;
	}
	texts->values[texts->count++] = value;
	return 0;
}

static int set_restore(const struct cli_option *option, const char *value,
		       void *target)
{
	if (strcmp(value, "copy") != 0 && strcmp(value, "remap") != 0) {
		cli_error("--%s: \"%s\" is not a method: copy or remap",
			  option->name, value);
		return CLI_USAGE;
	}
	return cli_set_text(option, value, target);
}

static int set_arrivals(const struct cli_option *option, const char *value,
			void *target)
{
	if (strcmp(value, "uniform") != 0 && strcmp(value, "poisson") != 0) {
		cli_error("--%s: \"%s\": uniform or poisson", option->name,
			  value);
		return CLI_USAGE;
	}
	return cli_set_text(option, value, target);
}

/* clang-format off */
#define OPTION(letter, name, argument, help, set, member) \
	{ letter, name, argument, help, set,              \
	  offsetof(struct bench_arguments, member), 0 }

const struct cli_option bench_option_table[] = {
	CLI_OPTION_FORMAT(struct bench_arguments, options.json),
	OPTION(0, "duration", "TIME",
	       "how long to measure, in all; default 10s",
	       cli_set_duration, options.duration_ns),
	OPTION(0, "only", "NAME",
	       "measure only this row, or these (restore is all of\n"
	       "restore.N), and the rows they are compared to; may\n"
	       "be repeated; http.crowd and restart.N need their\n"
	       "whole names",
	       add_text, options.only),
	OPTION(0, "rates", NULL,
	       "invoke at rates from 100 to 100000 per second, for\n"
	       "each kind of dispatch, instead of measuring rows", cli_set_flag,
	       rates),
	OPTION(0, "neighbours", NULL,
	       "measure a function beside hostile ones instead of\n"
	       "rows; --only KIND chooses the kinds", cli_set_flag,
	       neighbours),
	OPTION(0, "waterfall", NULL,
	       "measure what a warm invocation takes beyond floor.run,\n"
	       "and a served request, step by step, instead of rows",
	       cli_set_flag, waterfall),
	OPTION(0, "density", NULL,
	       "measure what warm vms and idle functions take of\n"
	       "memory, mappings and descriptors, instead of rows",
	       cli_set_flag, density),
	OPTION(0, "restore", "METHOD",
	       "how to restore memory: copy (default), or, for\n"
	       "comparison, remap: give written pages back", set_restore, options.restore),
	OPTION(0, "save", "FILE",
	       "write all results and histograms to FILE, as JSON", cli_set_text,
	       options.save),
	OPTION(0, "merge", "FILE",
	       "measure nothing, but read a run that --save wrote;\n"
	       "if repeated, report all these runs as one",
	       add_text, merge),
	OPTION(0, "plot", "DIRECTORY",
	       "draw latency.svg, restore.svg and restart.svg there;\n"
	       "with --rates rate.svg; for load, load.svg; for\n"
	       "--waterfall, waterfall.svg; for --density, density.svg", cli_set_text, options.plot),
	OPTION(0, "baseline", "FILE",
	       "compare with older results, from -o json or --save",
	       cli_set_text, options.baseline),
	OPTION(0, "fail-if", "LIMIT",
	       "exit with 8 if NAME.FIELD>+PERCENT% (more than in\n"
	       "the baseline) or NAME.FIELD>NUMBERus; may be repeated",
	       add_text, options.fail_if),
	OPTION(0, "url", "URL",
	       "put load on the server at http://HOST:PORT, or at\n"
	       "unix:PATH, by HTTP", cli_set_text, url),
	OPTION(0, "socket", "PATH",
	       "put load on the server by the socket protocol", cli_set_socket, socket),
	{ 'c', "connections", "N",
	  "number of connections; default 1", cli_set_count,
	  offsetof(struct bench_arguments, connections), BENCH_CONNECTIONS_MAX },
	{ 0, "rate", "R",
	  "requests per second, even if earlier ones are still\n"
	  "waiting; without it, each connection sends one after\n"
	  "the other", cli_set_count,
	  offsetof(struct bench_arguments, rate), BENCH_RATE_MAX },
	OPTION(0, "arrivals", "HOW",
	       "how requests come at that rate: uniform (default)\n"
	       "or poisson", set_arrivals, arrivals),
	OPTION(0, "warmup", "TIME",
	       "put load on the server for this time before the\n"
	       "duration; it does not count",
	       cli_set_duration, warm_up_ns),
	OPTION('d', "data", "DATA",
	       "the request: text, @FILE, or - for standard input",
	       cli_set_text, data),
	OPTION('t', "content-type", "TYPE",
	       "the request's content type", cli_set_text, content_type),
	{ 0, "threads", "N",
	  "number of load generator threads; default 1", cli_set_count,
	  offsetof(struct bench_arguments, threads), BENCH_THREADS_MAX },
	{ .name = NULL },
};
/* clang-format on */

int bench_usage_error(const char *message)
{
	cli_error("%s", message);
	fputs("see: thaw bench --help\n", stderr);
	return CLI_USAGE;
}

static int bench_check_load(const struct bench_arguments *my)
{
	if (!my->url == !my->socket)
		return bench_usage_error("which server is it? Give --url or "
					 "--socket, one of them");
	if (my->options.only.count || my->rates || my->neighbours ||
	    my->waterfall || my->density || my->merge.count ||
	    my->options.restore)
		return bench_usage_error(
			"--only, --rates, --neighbours, --waterfall, --density, "
			"--merge and --restore are for the rows: leave them out, or the function's "
			"name");
	if (my->arrivals && !my->rate)
		return bench_usage_error("--arrivals needs a --rate: without "
					 "it requests wait for replies");
	return CLI_GO_ON;
}

static int check_neighbours(const struct bench_arguments *my)
{
	const struct bench_options *options = &my->options;

	if (my->rates || my->merge.count || options->fail_if.count ||
	    options->save || options->baseline || options->plot ||
	    options->restore)
		return bench_usage_error(
			"--neighbours measures no rows: leave out --rates, "
			"--merge, --fail-if, --save, --baseline, --plot and "
			"--restore");
	return CLI_GO_ON;
}

static int check_waterfall(const struct bench_arguments *my)
{
	const struct bench_options *options = &my->options;

	if (options->only.count || my->rates || my->neighbours ||
	    my->merge.count || options->fail_if.count || options->save ||
	    options->baseline || options->restore)
		return bench_usage_error(
			"--waterfall measures no rows: leave out --only, "
			"--rates, --neighbours, --merge, --fail-if, --save, "
			"--baseline and --restore");
	return CLI_GO_ON;
}

static int check_density(const struct bench_arguments *my)
{
	const struct bench_options *options = &my->options;

	if (options->only.count || options->duration_ns || my->rates ||
	    my->neighbours || my->waterfall || my->merge.count ||
	    options->fail_if.count || options->save || options->baseline ||
	    options->restore)
		return bench_usage_error(
			"--density measures no times: leave out --duration, "
			"--only, --rates, --neighbours, --waterfall, --merge, "
			"--fail-if, --save, --baseline and --restore");
	return CLI_GO_ON;
}

static int check_rates(const struct bench_arguments *my)
{
	const struct bench_options *options = &my->options;

	if (options->only.count || my->merge.count || options->fail_if.count ||
	    options->save || options->baseline)
		return bench_usage_error(
			"--rates measures no rows: leave out --only, "
			"--merge, --fail-if, --save and --baseline");
	return CLI_GO_ON;
}

static int check_merge(const struct bench_arguments *my)
{
	const struct bench_options *options = &my->options;

	if (options->only.count || options->duration_ns || options->restore)
		return bench_usage_error(
			"--merge measures nothing: leave out --only,"
			" --duration and --restore");
	return CLI_GO_ON;
}

int bench_arguments_parse(const struct cli_verb *verb, int argc, char **argv,
			  struct bench_arguments *ret_arguments)
{
	struct bench_arguments *my = ret_arguments;
	int code;

	*my = (struct bench_arguments){ .function = NULL };
	code = cli_parse(verb, argc, argv, my, &my->function);
	if (code != CLI_GO_ON)
		return code;
	if (my->function)
		return bench_check_load(my);
	if (my->url || my->socket || my->connections || my->rate ||
	    my->arrivals || my->warm_up_ns || my->data || my->content_type ||
	    my->threads)
		return bench_usage_error("which function is it? Load on a "
					 "server takes a NAME");
	if (my->density)
		return check_density(my);
	if (my->waterfall)
		return check_waterfall(my);
	if (my->neighbours)
		return check_neighbours(my);
	if (my->rates)
		return check_rates(my);
	return my->merge.count ? check_merge(my) : CLI_GO_ON;
}

const char bench_about[] =
	"Measures invocations and the floors, which are the least they could cost. It\n"
	"measures in rounds, in which every row has its turn. The first rounds do not count.\n"
	"\n"
	"  floor.run      entering the guest's user mode and leaving it, nothing else\n"
	"  invoke.warm    request in, reply out, vm restored; function that does nothing\n"
	"  invoke.reply   the same up to the reply\n"
	"  invoke.typed   invoke.warm of a typed function, called with two ints\n"
	"  hostcall       one call of a host function, the built-in time\n"
	"  json.args      two ints from JSON and one to JSON, without a vm\n"
	"  invoke.polled  invoke.warm of a function with dispatch polled\n"
	"  invoke.polled.4     four such functions in turn, sharing the polling cores\n"
	"  invoke.polled.coop  the same as invoke.polled in cooperative isolation\n"
	"  floor.handover      passing a cache line to another thread and back\n"
	"  floor.copy.N   copying N scattered pages\n"
	"  restore.N      invoke.warm of a function that writes to N scattered pages\n"
	"  socket.echo, http.echo     what `thaw serve`, in a process of its own, echoes\n"
	"                 without a vm, by the socket protocol and by HTTP\n"
	"  socket.rtt, http.rtt       the reply of a function that does nothing\n"
	"  http.echo.cpu  what the server takes for one echo, eight connections at once\n"
	"  http.throughput            1/rate of a worker, the same for replies\n"
	"  http.crowd     the same for a good reply, 4096 connections at once; takes long,\n"
	"                 so it is measured only with --only http.crowd\n"
	"  start.pool     first reply of a new vm of a snapshot in memory\n"
	"  start.layer    the same for a function with a base and 64 pages of its own\n"
	"  start.shell    as start.pool, in a shell that was made ahead\n"
	"  start.store    first reply from the file of its snapshot: load, new vm, invocation\n"
	"  start.process  the same of `thaw invoke`, a new process\n"
	"  start.cold     first reply from the ELF file: boot, snapshot, invocation\n"
	"  restart.N      from the start of `thaw serve` until it is ready, with N functions\n"
	"                 that are in its state directory: 1, 100, 1000, 10000; only with its\n"
	"                 whole name\n"
	"  burst          one of 64 requests at once, for a function that has one warm vm\n"
	"                 (`thaw serve`); only with --only burst\n"
	"  first.write.N  a guest's first write to a page that it has read, in a process\n"
	"                 with N vms: 1, 1000; only with --only first.write\n"
	"  process.spawn  starting a static program for one request, through pipes\n"
	"  process.fork   having a process fork for one request, through pipes\n"
	"  linux.NAME     a program of Debian as a function: awk, bash, gawk, jq, "
	"lua,\n"
	"                 perl, python, sqlite3; or of ours: primes, stock; only with\n"
	"                 --only linux\n"
	"  process.NAME   starting that program for one request; only with --only\n"
	"\n"
	"A ratio's p50 is the median, over the rounds, of the ratio of a round's medians.\n"
	"Its p99 is the ratio of the p99s of all samples; the p99 of a sum of floors is the\n"
	"sum of their p99s. p99.9 needs 10000 samples. CPU is the CPU time of this process\n"
	"for one sample, of all threads, without child processes. For polled rows there is\n"
	"also the CPU time of a second in which the row is left alone.\n"
	"\n"
	"--rates invokes at increasing rates, by exit, polled, polled.coop and auto, each\n"
	"until it cannot keep up. Times run from when a request was due to its reply. CPU\n"
	"excludes the time the client takes to wait.\n"
	"\n"
	"--neighbours starts a server for each kind of hostile function: spin, sleep, naps,\n"
	"heavy (writes 12 MiB), heavy-once (sometimes), logs, fault, spoil (its vm has to be\n"
	"replaced), buslock, reply (4 MiB), and init (never ready). A client asks a function\n"
	"that does nothing once in a millisecond, first alone, then while others ask the\n"
	"hostile function. Its p99 is within the bound if it is at most three times the p99\n"
	"alone, plus 500 us.\n"
	"\n"
	"--waterfall counts the instructions of a warm invocation, step by step, in a child\n"
	"process, and times the steps by repeating them with warm caches. What they do not\n"
	"explain of invoke.warm - floor.run is said, too. Then it does the same for a request\n"
	"that a server answers, by HTTP and by the unix socket: the instructions of the\n"
	"worker, and the time that the server adds to invoke.warm.\n"
	"\n"
	"--density says what each of 1, 10, 100 and 1000 warm vms of a function takes: private\n"
	"memory of the process, memory of the kernel (of the whole machine, so other programs\n"
	"add noise), mappings, descriptors; and what each of 1000 stored functions that nobody\n"
	"invokes takes of `thaw serve`. A number of vms that the limits of open files and\n"
	"mappings do not allow is left out.\n"
	"\n"
	"With NAME, puts load on that function of a server. Without --rate, each connection\n"
	"has one request at a time. With --rate, requests come at that rate, even if earlier\n"
	"ones are still waiting, and the connections are a pool: a request that finds none\n"
	"free waits. Times run from when a request was due, and cover replies that are no\n"
	"errors. Errors, lost requests (no reply), late requests and unsent requests are\n"
	"counted separately. The first SIGINT ends the run early.\n";

const char bench_examples[] =
	"  thaw bench\n"
	"  thaw bench --only invoke.warm --duration 3s\n"
	"  thaw bench -o json >old.json\n"
	"  thaw bench --baseline old.json "
	"--fail-if 'invoke.warm.p50>+10%'\n"
	"  thaw bench --fail-if "
	"'invoke.warm/floor.run.p50>1.10'\n"
	"  thaw bench --rates --plot pictures\n"
	"  thaw bench --neighbours --duration 60s\n"
	"  thaw bench --waterfall\n"
	"  thaw bench --density --plot pictures\n"
	"  thaw bench hello --url http://localhost:8080 -c 8 --duration 5s\n"
	"  thaw bench hello --socket /run/thaw/thaw.sock -c 64 --rate 2000\n"
	"  thaw bench --save 1.json; thaw bench --save 2.json\n"
	"  thaw bench --merge 1.json --merge 2.json --plot "
	"pictures\n";
