/*
 * cmd_top.c - `thaw top`: shows what functions do, again and again. top_table.c
 * makes the table, top_screen.c has the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_facts.h"
#include "executor/cli/options.h"
#include "executor/cli/server_facts.h"
#include "executor/cli/top_screen.h"
#include "executor/cli/top_table.h"
#include "executor/cli/verbs.h"

#define TEXT_MAX 1024
#define SCREEN_MAX (16 * 1024 * 1024)
#define COUNT_MAX 1000000000

#define INTERVAL_MIN_NS (100 * NS_PER_MS)

/* Keys are not read while an answer is awaited, so it may not take long. */
#define ANSWER_TIMEOUT_NS (2 * NS_PER_S)

/* The first interval is shorter, so that figures appear soon. */
#define FIRST_INTERVAL_NS (250 * NS_PER_MS)

struct top_options {
	const char *admin;
	uint64_t interval_ns;
	uint64_t count; /* 0: no end */
	unsigned sort;	/* enum top_sort */
	bool once;
};

#define OPTION(letter, name, argument, help, set, member, max)    \
	{                                                         \
		letter, name, argument, help, set,                \
			offsetof(struct top_options, member), max \
	}

static const struct cli_option options[] = {
	CLI_OPTION_ADMIN(struct top_options, admin),
	OPTION(0, "interval", "TIME", "time between refreshes; default 1s",
	       cli_set_duration, interval_ns, 0),
	OPTION('n', "iterations", "N", "end after N tables", cli_set_count,
	       count, COUNT_MAX),
	OPTION(0, "sort", "rate|latency|name|errors",
	       "initial order; default rate", cli_set_choice, sort, 0),
	OPTION(0, "once", NULL,
	       "print one table of the changes in one interval and\n"
	       "end; this is the default if standard output is no\n"
	       "terminal",
	       cli_set_flag, once, 0),
	{ .name = NULL },
};

struct top {
	struct top_options options;
	struct http_client client;
	json_t *status; /* the last; NULL at first */
	struct facts before, now;
	struct error error; /* why the figures are old; "": they are not */
};

/* Asks the server; keeps the last figures if it does not answer. */
static int sample(struct top *top)
{
	json_auto_t *status = NULL, *answer = NULL;
	struct facts facts;
	int code;

	code = admin_ask(&top->client, "GET", "/v1/status", ANSWER_TIMEOUT_NS,
			 &top->error, &status);
	if (!code)
		code = admin_ask(&top->client, "GET", "/v1/functions",
				 ANSWER_TIMEOUT_NS, &top->error, &answer);
	if (code)
		return code;
	if (facts_read(answer, clock_now_ns(), &facts)) {
		error_set(&top->error, -ENOMEM, "no memory for the table");
		return CLI_INTERNAL;
	}
	facts_done(&top->before);
	top->before = top->now;
	top->now = facts;
	json_decref(top->status);
	top->status = json_incref(status);
	top->error.message[0] = '\0';
	return CLI_OK;
}

#define TEXT(status, path) \
	admin_text(status, path, (char[TEXT_MAX]){ 0 }, TEXT_MAX)

/* Lines above the headings, and where there is little room. */
#define HEADER_LINES 6
#define HEADER_LINES_LOW 2

/* A screen with fewer lines is low. */
#define HEIGHT_LOW 12

static size_t header_lines(const struct top_screen *screen)
{
	return screen->height < HEIGHT_LOW ? HEADER_LINES_LOW : HEADER_LINES;
}

static void write_facts(const struct top *top, const struct top_table *table,
			struct buffer *out)
{
	const json_t *status = top->status;

	buffer_printf(out,
		      "catalog: generation %" PRIu64 ", %s\n"
		      "functions: %" PRIu64 " active, %" PRIu64
		      " pending, %" PRIu64 " failed; connections: %" PRIu64
		      "; events: %" PRIu64 "\n"
		      "workers: %" PRIu64 " (%s); long runs: %" PRIu64
		      " of %" PRIu64 "\n",
		      admin_number(status, "catalog.generation"),
		      TEXT(status, "catalog.path"),
		      admin_number(status, "functions.active"),
		      admin_number(status, "functions.pending"),
		      admin_number(status, "functions.failed"),
		      admin_number(status, "connections.open"),
		      admin_number(status, "events.queued"),
		      admin_number(status, "workers"), TEXT(status, "io"),
		      admin_number(status, "offload_busy"),
		      admin_number(status, "offload_threads"));
	buffer_printf(out, "invocations: %.1f/s; errors: %.1f/s\n", table->rate,
		      table->error_rate);
}

/* Writes why the figures are old, or what the keys do. */
static void write_message(const struct top *top, struct buffer *out)
{
	static const char *const orders[] = { "rate", "latency", "name",
					      "errors" };
	char message[TEXT_MAX];

	if (*top->error.message)
		buffer_printf(out, "%s\n",
			      cli_clean(top->error.message, message,
					sizeof(message)));
	else
		buffer_printf(out,
			      "by %s; r: rate, l: latency, n: name, e: "
			      "errors, q: quit\n",
			      orders[top->options.sort]);
}

static void write_header(const struct top *top, const struct top_table *table,
			 bool low, struct buffer *out)
{
	char summary[TEXT_MAX];

	buffer_printf(out, "%s\n",
		      server_facts_summary(top->status, summary,
					   sizeof(summary)));
	if (!low)
		write_facts(top, table, out);
	write_message(top, out);
}

static int make_table(struct top *top, struct top_table *ret_table)
{
	int r = top_table_make(&top->before, &top->now, top->options.sort,
			       ret_table);

	if (r)
		error_set(&top->error, r, "no memory for the table");
	return r ? CLI_INTERNAL : CLI_OK;
}

static void top_draw(struct top *top, const struct top_screen *screen)
{
	struct buffer out = BUFFER_INIT(SCREEN_MAX);
	size_t header = header_lines(screen), rows = 0;
	struct top_table table;

	if (screen->height > header + 1)
		rows = screen->height - header - 1;
	if (make_table(top, &table))
		return;
	/* the last line counts the functions that do not fit */
	if (table.count > rows && rows)
		rows--;
	write_header(top, &table, header == HEADER_LINES_LOW, &out);
	top_table_write(&table, rows, screen->width, &out);
	if (table.count > rows)
		buffer_printf(&out, "... and %zu more\n", table.count - rows);
	if (!out.failed)
		top_screen_draw(screen, out.data, out.size, header);
	buffer_done(&out);
	top_table_done(&table);
}

/* Whether @key chooses the order; takes it if so. */
static bool top_take_key(struct top *top, int key)
{
	static const char keys[] = "rlne"; /* in the order of enum top_sort */
	const char *found = key > 0 && key < 0x80 ? strchr(keys, key) : NULL;

	if (found)
		top->options.sort = (unsigned)(found - keys);
	return found;
}

/* Waits until the next sample is due; false: the end has come. */
static bool wait_for_next(struct top *top, struct top_screen *screen,
			  uint64_t until_ns, bool is_drawn)
{
	int key;

	while ((key = top_screen_wait(screen, until_ns)) != TOP_TIME) {
		if (key == TOP_ENDED || key == 'q' || key == 'Q')
			return false;
		if ((top_take_key(top, key) || key == TOP_RESIZED) && is_drawn)
			top_draw(top, screen);
	}
	return true;
}

static void top_show(struct top *top, struct top_screen *screen)
{
	uint64_t drawn = 0, next_ns = clock_now_ns() + FIRST_INTERVAL_NS;

	while (wait_for_next(top, screen, next_ns, drawn)) {
		next_ns = clock_now_ns() + top->options.interval_ns;
		(void)sample(top); /* the picture shows its error */
		top_draw(top, screen);
		if (++drawn == top->options.count)
			return;
	}
}

static int run_screen(struct top *top)
{
	struct top_screen screen;

	if (top_screen_open(&screen, &top->error)) {
		cli_error("%s", top->error.message);
		return CLI_INTERNAL;
	}
	top_show(top, &screen);
	top_screen_close(&screen);
	if (screen.signal) {
		signal(screen.signal, SIG_DFL);
		raise(screen.signal);
	}
	return CLI_OK;
}

static int print_once(struct top *top)
{
	struct buffer out = BUFFER_INIT(SCREEN_MAX);
	struct top_table table;
	int code = make_table(top, &table);

	if (code)
		return code;
	top_table_write(&table, table.count, 0, &out);
	if (!out.failed)
		fwrite(out.data, 1, out.size, stdout);
	buffer_done(&out);
	top_table_done(&table);
	return fflush(stdout) ? CLI_INTERNAL : CLI_OK;
}

static int top_print(struct top *top)
{
	const struct timespec interval = {
		.tv_sec = (time_t)(top->options.interval_ns / NS_PER_S),
		.tv_nsec = (long)(top->options.interval_ns % NS_PER_S),
	};
	uint64_t count = top->options.once || !top->options.count ?
				 1 :
				 top->options.count;
	int code = CLI_OK;

	for (uint64_t i = 0; !code && i < count; i++) {
		if (i)
			putchar('\n');
		nanosleep(&interval, NULL);
		code = sample(top);
		if (!code)
			code = print_once(top);
	}
	return code;
}

static int top_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct top top = { .options = { .interval_ns = NS_PER_S } };
	int code = cli_parse(verb, argc, argv, &top.options, NULL);

	if (code == CLI_GO_ON && top.options.interval_ns < INTERVAL_MIN_NS) {
		cli_error("top: an interval has 100ms at least");
		return CLI_USAGE;
	}
	if (code == CLI_GO_ON)
		code = admin_open(top.options.admin, &top.client);
	if (code != CLI_GO_ON)
		return code;
	code = sample(&top);
	if (!code && isatty(STDOUT_FILENO) && !top.options.once)
		code = run_screen(&top);
	else if (!code)
		code = top_print(&top);
	if (code && *top.error.message)
		cli_error("%s", top.error.message);
	facts_done(&top.before);
	facts_done(&top.now);
	json_decref(top.status);
	http_client_done(&top.client);
	return code;
}

const struct cli_verb cmd_top = {
	.name = "top",
	.summary = "watch the functions of a running server",
	.about =
		"Shows what the functions of a running `thaw serve` do, and refreshes the picture:\n"
		"their rate, the percentiles of their durations, their queues, vms, errors and\n"
		"states. Queue, vms and state are current; all other columns are for the time since\n"
		"the last picture.\n"
		"\n"
		"Keys: r, l, n and e sort by rate, latency (p99), name and errors; q ends.\n",
	.examples = "  thaw top\n"
		    "  thaw top --interval 5s --sort errors\n"
		    "  thaw top --once | sort -k 2 -n\n",
	.options = options,
	.run = top_run,
};
