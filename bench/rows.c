/* rows.c - see rows.h. */
#include "bench/rows.h"

#include <errno.h>
#include <string.h>

#include "bench/files.h"
#include "bench/programs.h"
#include "bench/server.h"
#include "bench/warn.h"

/*
 * The order of measuring: rows that are compared to each other stand together.
 */
#define PROGRAM_ROWS(name)                                                     \
	{ "linux." #name, &bench_linux, .weight = 2, .program = &bench_##name, \
	  .is_extra = true },                                                  \
	{                                                                      \
		"process." #name, &bench_linux_process,                        \
			.weight = 2, .program = &bench_##name,                 \
			.is_extra = true                                       \
	}

static const struct bench_row all_rows[] = {
	{ "floor.run", &bench_floor_run, .weight = 4 },
	{ "invoke.warm", &bench_invoke_warm, .weight = 4 },
	{ "invoke.typed", &bench_invoke_typed, .weight = 2 },
	{ "hostcall", &bench_host_call, .weight = 2 },
	{ "json.args", &bench_json_args, .weight = 1 },
	{ "invoke.reply", &bench_invoke_reply, .weight = 2 },
	{ "invoke.polled", &bench_polled_strict, .weight = 2, .functions = 1 },
	{ "invoke.polled.4", &bench_polled_strict, .weight = 2,
	  .functions = 4 },
	{ "invoke.polled.coop", &bench_polled_coop, .weight = 2,
	  .functions = 1 },
	{ "floor.handover", &bench_floor_handover, .weight = 1 },
	{ "floor.copy.1", &bench_floor_copy, .weight = 1, .pages = 1 },
	{ "restore.1", &bench_invoke_warm, .weight = 2, .pages = 1 },
	{ "floor.copy.8", &bench_floor_copy, .weight = 1, .pages = 8 },
	{ "restore.8", &bench_invoke_warm, .weight = 2, .pages = 8 },
	{ "floor.copy.64", &bench_floor_copy, .weight = 1, .pages = 64 },
	{ "restore.64", &bench_invoke_warm, .weight = 2, .pages = 64 },
	{ "floor.copy.256", &bench_floor_copy, .weight = 1, .pages = 256 },
	{ "restore.256", &bench_invoke_warm, .weight = 2, .pages = 256 },
	{ "floor.copy.1024", &bench_floor_copy, .weight = 1, .pages = 1024 },
	{ "restore.1024", &bench_invoke_warm, .weight = 2, .pages = 1024 },
	{ "socket.echo", &bench_socket_echo, .weight = 2 },
	{ "socket.rtt", &bench_socket_rtt, .weight = 2 },
	{ "http.echo", &bench_http_echo, .weight = 2 },
	{ "http.rtt", &bench_http_rtt, .weight = 2 },
	{ "http.echo.cpu", &bench_http_echo_cpu, .weight = 2 },
	{ "http.throughput", &bench_http_throughput, .weight = 2 },
	{ "http.crowd", &bench_http_crowd, .weight = 2, .takes_long = true },
	{ "start.pool", &bench_start_pool, .weight = 1 },
	{ "start.layer", &bench_start_layer, .weight = 1 },
	{ "start.shell", &bench_start_shell, .weight = 1 },
	{ "start.store", &bench_start_store, .weight = 1 },
	{ "start.process", &bench_start_process, .weight = 1 },
	{ "start.cold", &bench_start_cold, .weight = 1 },
	{ "restart.1", &bench_restart, .weight = 1, .functions = 1,
	  .takes_long = true },
	{ "restart.100", &bench_restart, .weight = 1, .functions = 100,
	  .takes_long = true },
	{ "restart.1000", &bench_restart, .weight = 1, .functions = 1000,
	  .takes_long = true },
	{ "restart.10000", &bench_restart, .weight = 1, .functions = 10000,
	  .takes_long = true },
	{ "burst", &bench_burst, .weight = 1, .is_extra = true },
	{ "first.write.1", &bench_first_write, .weight = 1, .vms = 1,
	  .is_extra = true },
	{ "first.write.1000", &bench_first_write, .weight = 1, .vms = 1000,
	  .is_extra = true },
	{ "process.spawn", &bench_process_spawn, .weight = 1 },
	{ "process.fork", &bench_process_fork, .weight = 1 },
	PROGRAM_ROWS(awk),
	PROGRAM_ROWS(bash),
	PROGRAM_ROWS(gawk),
	PROGRAM_ROWS(jq),
	PROGRAM_ROWS(lua),
	PROGRAM_ROWS(perl),
	PROGRAM_ROWS(primes),
	PROGRAM_ROWS(python),
	{ "bubblewrap.python", &bench_linux_bubblewrap, .weight = 2,
	  .program = &bench_python, .is_extra = true },
	PROGRAM_ROWS(sqlite3),
	PROGRAM_ROWS(stock),
};

#define ROW_COUNT (sizeof(all_rows) / sizeof(*all_rows))

_Static_assert(ROW_COUNT <= BENCH_ROWS_MAX, "all can be chosen");

#define RESTORE_RATIO(pages)                                            \
	{                                                               \
		"restore." #pages "/(floor.run+floor.copy." #pages ")", \
			"restore." #pages,                              \
		{                                                       \
			"floor.run", "floor.copy." #pages               \
		}                                                       \
	}

#define PROGRAM_RATIOS(name)                                              \
	{ "linux." #name "/floor.run", "linux." #name, { "floor.run" } }, \
	{                                                                 \
		"process." #name "/linux." #name, "process." #name,       \
		{                                                         \
			"linux." #name                                    \
		}                                                         \
	}

const struct bench_ratio bench_ratios[] = {
	{ "invoke.warm/floor.run", "invoke.warm", { "floor.run" } },
	{ "invoke.typed/invoke.warm", "invoke.typed", { "invoke.warm" } },
	{ "hostcall/floor.run", "hostcall", { "floor.run" } },
	{ "invoke.reply/floor.run", "invoke.reply", { "floor.run" } },
	{ "invoke.polled/invoke.warm", "invoke.polled", { "invoke.warm" } },
	{ "invoke.polled.4/invoke.warm", "invoke.polled.4", { "invoke.warm" } },
	{ "invoke.polled.coop/floor.handover",
	  "invoke.polled.coop",
	  { "floor.handover" } },
	RESTORE_RATIO(1),
	RESTORE_RATIO(8),
	RESTORE_RATIO(64),
	RESTORE_RATIO(256),
	RESTORE_RATIO(1024),
	{ "socket.rtt/(socket.echo+floor.run)",
	  "socket.rtt",
	  { "socket.echo", "floor.run" } },
	{ "http.rtt/(http.echo+floor.run)",
	  "http.rtt",
	  { "http.echo", "floor.run" } },
	{ "http.throughput/(http.echo.cpu+floor.run)",
	  "http.throughput",
	  { "http.echo.cpu", "floor.run" } },
	{ "http.crowd/http.throughput", "http.crowd", { "http.throughput" } },
	{ "start.pool/floor.run", "start.pool", { "floor.run" } },
	{ "start.layer/start.pool", "start.layer", { "start.pool" } },
	{ "start.shell/floor.run", "start.shell", { "floor.run" } },
	{ "start.store/start.pool", "start.store", { "start.pool" } },
	{ "start.store/floor.run", "start.store", { "floor.run" } },
	{ "start.process/(process.spawn+2*start.store)",
	  "start.process",
	  { "process.spawn", "start.store", "start.store" } },
	{ "start.cold/floor.run", "start.cold", { "floor.run" } },
	{ "first.write.1000/first.write.1",
	  "first.write.1000",
	  { "first.write.1" } },
	{ "process.spawn/invoke.warm", "process.spawn", { "invoke.warm" } },
	{ "process.fork/invoke.warm", "process.fork", { "invoke.warm" } },
	PROGRAM_RATIOS(awk),
	PROGRAM_RATIOS(bash),
	PROGRAM_RATIOS(gawk),
	PROGRAM_RATIOS(jq),
	PROGRAM_RATIOS(lua),
	PROGRAM_RATIOS(perl),
	PROGRAM_RATIOS(primes),
	PROGRAM_RATIOS(python),
	{ "bubblewrap.python/linux.python",
	  "bubblewrap.python",
	  { "linux.python" } },
	PROGRAM_RATIOS(sqlite3),
	PROGRAM_RATIOS(stock),
	{ .name = NULL },
};

/*
 * Whether @only is the row's name, or a beginning of it that ends before a dot.
 */
static bool is_meant(const struct bench_row *row, const char *only)
{
	const size_t size = strlen(only);

	if (row->takes_long)
		return !strcmp(row->name, only);
	return !strncmp(row->name, only, size) &&
	       (row->name[size] == '\0' || row->name[size] == '.');
}

static void rows_choose(const char *only, bool chosen[ROW_COUNT], size_t *count)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!is_meant(&all_rows[i], only))
			continue;
		chosen[i] = true;
		++*count;
	}
}

static bool is_chosen(const char *name, const bool chosen[ROW_COUNT])
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (!strcmp(all_rows[i].name, name))
			return chosen[i];
	return false;
}

/*
 * Adds the rows that chosen rows are compared to, but not what those are
 * compared to.
 */
static void choose_floors(bool chosen[ROW_COUNT])
{
	bool before[ROW_COUNT];
	size_t count = 0;

	memcpy(before, chosen, sizeof(before));
	for (const struct bench_ratio *ratio = bench_ratios; ratio->name;
	     ratio++) {
		if (!is_chosen(ratio->top, before))
			continue;
		for (size_t i = 0; i < BENCH_TERMS_MAX && ratio->bottom[i]; i++)
			rows_choose(ratio->bottom[i], chosen, &count);
	}
}

static int no_row(const char *only, struct error *err)
{
	char names[32 * BENCH_ROWS_MAX] = "";

	for (size_t i = 0; i < ROW_COUNT; i++) {
		strcat(names, i ? ", " : "");
		strcat(names, all_rows[i].name);
	}
	return error_set(err, -ENOENT, "no row \"%s\": there are %s", only,
			 names);
}

int bench_rows_choose(const char *const *only, size_t only_count,
		      struct error *err, struct bench_rows *ret_rows)
{
	bool chosen[ROW_COUNT] = { false };

	for (size_t i = 0; i < only_count; i++) {
		size_t count = 0;

		rows_choose(only[i], chosen, &count);
		if (!count)
			return no_row(only[i], err);
	}
	choose_floors(chosen);
	*ret_rows = (struct bench_rows){ .setup.guest_fd = -1,
					 .setup.program_fd = -1 };
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (chosen[i] || (!only_count && !all_rows[i].takes_long &&
				  !all_rows[i].is_extra))
			ret_rows->rows[ret_rows->count++] = all_rows[i];
	return 0;
}

static void rows_close_row(struct bench_row *row)
{
	if (row->state)
		row->kind->close(row);
}

static void rows_take_out(struct bench_rows *rows, size_t index)
{
	struct bench_row *row = &rows->rows[index];

	rows_close_row(row);
	rows->count--;
	memmove(row, row + 1, (rows->count - index) * sizeof(*row));
}

int bench_rows_open(struct bench_rows *rows, const char *restore,
		    struct error *err)
{
	size_t i = 0;
	int r;

	rows->setup.options.restore = restore;
	rows->setup.shared = &rows->shared;
	r = bench_files_open(&rows->setup, err);
	while (i < rows->count && !r) {
		struct bench_row *row = &rows->rows[i];

		row->setup = &rows->setup;
		r = row->kind->open ? row->kind->open(row, err) : 0;
		if (r == -EOPNOTSUPP) {
			bench_warn("%s is skipped: %s", row->name,
				   err->message);
			rows_take_out(rows, i);
			r = 0;
			continue;
		}
		if (r)
			return error_prefix(err, r, "%s", row->name);
		i++;
	}
	return r;
}

void bench_rows_done(struct bench_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		rows_close_row(&rows->rows[i]);
	bench_server_close(rows->shared.server);
	bench_files_close(&rows->setup);
}
