/* served_steps.c - see served_steps.h. */
#include "bench/served_steps.h"

#include <stddef.h>
#include <string.h>

/*
 * How names begin; the first one that fits counts. What is called from several steps, such
 * as buffers and the C library, is not here.
 */
static const struct {
	const char *beginning;
	enum bench_served_step step;
} beginnings[] = {
	/* of a few functions that are not what the rest of their file is */
	{ "http_connection_on_sent", BENCH_SERVED_RING },
	{ "frame_connection_on_sent", BENCH_SERVED_RING },
	{ "frame_connection_wait_for_more", BENCH_SERVED_RING },
	{ "frame_replies_advance", BENCH_SERVED_RING },
	{ "invoke_request_check", BENCH_SERVED_ADMIT },
	{ "routes_on_replied", BENCH_SERVED_REPLY },
	{ "answer_take_headers", BENCH_SERVED_ROUTE },
	{ "invoke_release", BENCH_SERVED_RESTORE },
	{ "invoke_restore", BENCH_SERVED_RESTORE },
	{ "invocation_restore", BENCH_SERVED_RESTORE },
	{ "invocation_account", BENCH_SERVED_ACCOUNT },
	{ "invocation_observe", BENCH_SERVED_ACCOUNT },
	{ "invocation_log", BENCH_SERVED_ACCOUNT },
	{ "invocation_run", BENCH_SERVED_RUN },
	{ "invocation_take_up", BENCH_SERVED_RUN },
	{ "invocation_finish", BENCH_SERVED_REPLY },
	{ "invocation_take_copy", BENCH_SERVED_REPLY },
	{ "frame_connection_on_received", BENCH_SERVED_PARSE },
	{ "frame_call_acquire", BENCH_SERVED_PARSE },
	{ "frame_call_find_function", BENCH_SERVED_ROUTE },
	{ "frame_call_take_pairs", BENCH_SERVED_ROUTE },
	{ "frame_replies", BENCH_SERVED_REPLY },
	{ "frame_write", BENCH_SERVED_REPLY },
	{ "frame_connection", BENCH_SERVED_REPLY },
	{ "frame_call_release", BENCH_SERVED_REPLY },
	{ "http_connection_on_received", BENCH_SERVED_PARSE },
	{ "http_connection_send", BENCH_SERVED_REPLY },
	{ "http_response", BENCH_SERVED_REPLY },
	{ "http_decode", BENCH_SERVED_ROUTE },
	{ "http_headers_check", BENCH_SERVED_ADMIT },
	{ "http_attributes_check", BENCH_SERVED_ADMIT },
	{ "http_headers_write", BENCH_SERVED_RUN },
	{ "http_headers_next", BENCH_SERVED_REPLY },
	{ "exchange_acquire", BENCH_SERVED_PARSE },
	{ "exchange_release", BENCH_SERVED_REPLY },
	{ "run_queue_charge", BENCH_SERVED_ACCOUNT },
	{ "vm_now", BENCH_SERVED_ACCOUNT },
	{ "vm_counter", BENCH_SERVED_ACCOUNT },
	{ "vm_restore", BENCH_SERVED_RESTORE },
	{ "vm_enter", BENCH_SERVED_RESTORE },
	{ "poll_rest", BENCH_SERVED_RESTORE },
	{ "pool_keep", BENCH_SERVED_RESTORE },
	{ "pool_release", BENCH_SERVED_RESTORE },
	/* the rest, by rooms */
	{ "worker_", BENCH_SERVED_RING },
	{ "io_", BENCH_SERVED_RING },
	{ "uring_", BENCH_SERVED_RING },
	{ "syscall", BENCH_SERVED_RING },
	{ "http_request_parse", BENCH_SERVED_PARSE },
	{ "http_request_reset", BENCH_SERVED_PARSE },
	{ "http_lines", BENCH_SERVED_PARSE },
	{ "http_head", BENCH_SERVED_PARSE },
	{ "host_read", BENCH_SERVED_PARSE },
	{ "feed_llhttp", BENCH_SERVED_PARSE },
	{ "llhttp", BENCH_SERVED_PARSE },
	{ "on_", BENCH_SERVED_PARSE },
	{ "frame_", BENCH_SERVED_PARSE },
	{ "routes_", BENCH_SERVED_ROUTE },
	{ "route_", BENCH_SERVED_ROUTE },
	{ "host_check", BENCH_SERVED_ROUTE },
	{ "generation_find", BENCH_SERVED_ROUTE },
	{ "catalog_find", BENCH_SERVED_ROUTE },
	{ "cloudevents", BENCH_SERVED_ROUTE },
	{ "invocation", BENCH_SERVED_ADMIT },
	{ "run_queue", BENCH_SERVED_ADMIT },
	{ "pool_", BENCH_SERVED_ADMIT },
	{ "take_idle", BENCH_SERVED_ADMIT },
	{ "invoke_", BENCH_SERVED_RUN },
	{ "vm_", BENCH_SERVED_RUN },
	{ "exit_", BENCH_SERVED_RUN },
	{ "arch_", BENCH_SERVED_RUN },
	{ "watch_", BENCH_SERVED_RUN },
	{ "info_", BENCH_SERVED_RUN },
	{ "put_info", BENCH_SERVED_RUN },
	{ "put_attributes", BENCH_SERVED_RUN },
	{ "put_headers", BENCH_SERVED_RUN },
	{ "poll_", BENCH_SERVED_RUN },
	{ "answer_", BENCH_SERVED_REPLY },
	{ "respond", BENCH_SERVED_REPLY },
	{ "snapshot_", BENCH_SERVED_RESTORE },
	{ "copy_back", BENCH_SERVED_RESTORE },
	{ "dirty_collect", BENCH_SERVED_RESTORE },
	{ "metrics_", BENCH_SERVED_ACCOUNT },
	{ "budget_", BENCH_SERVED_ACCOUNT },
	{ "connection_", BENCH_SERVED_ACCOUNT },
	{ "clock_", BENCH_SERVED_ACCOUNT },
	{ "timer", BENCH_SERVED_ACCOUNT },
	{ "function_stats", BENCH_SERVED_ACCOUNT },
};

int bench_served_step_of(const char *function, bool is_vdso, int before)
{
	const size_t count = sizeof(beginnings) / sizeof(*beginnings);

	if (is_vdso)
		return BENCH_SERVED_ACCOUNT;
	for (size_t i = 0; i < count; i++) {
		const char *beginning = beginnings[i].beginning;

		if (!strncmp(function, beginning, strlen(beginning)))
			return (int)beginnings[i].step;
	}
	return before < 0 ? BENCH_SERVED_RING : before;
}
