/*
 * invoke.c - rows that invoke a function whose vm is warm: invoke.warm,
 * invoke.reply, restore.N. See row.h and invoke.h.
 */
#include "bench/invoke.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

_Static_assert(sizeof(struct thaw_error) == sizeof(struct error),
	       "one kind of message");

static struct thaw_error *outer(struct error *err)
{
	return (struct thaw_error *)(void *)err;
}

int bench_thaw_open(const struct bench_setup *setup,
		    const struct bench_function *function, struct error *err,
		    struct thaw **ret_thaw)
{
	const char *dispatch = function->dispatch;
	const char *isolation = function->isolation;
	char text[640], base[160] = "";
	int size;

	if (function->init)
		snprintf(base, sizeof(base),
			 "{\"name\":\"" BENCH_FUNCTION "\",\"base\":\"base\","
			 "\"init\":{\"file\":\"%s\"},"
			 "\"concurrency\":{\"max\":%u}},",
			 function->init, function->vms);
	size = snprintf(text, sizeof(text),
			"{\"functions\":[%s{\"name\":\"%s\","
			"\"image\":\"%s\",\"entry\":\"%s\","
			"\"concurrency\":{\"max\":%u},"
			"\"dispatch\":\"%s\",\"isolation\":\"%s\","
			"\"host\":{\"allow\":[%s]}}]}",
			base, function->init ? "base" : BENCH_FUNCTION,
			setup->guest_path, function->entry, function->vms,
			dispatch ? dispatch : "exit",
			isolation ? isolation : "strict",
			function->host ? function->host : "");
	return engine_open_text(text, (size_t)size, "bench.json",
				&setup->options, outer(err), ret_thaw);
}

int bench_thaw_require_gate(struct thaw *thaw, struct error *err)
{
	struct thaw_stats stats;
	int r = thaw_deploy(thaw, BENCH_FUNCTION, outer(err));

	if (!r)
		r = thaw_get_stats(thaw, BENCH_FUNCTION, outer(err), &stats);
	if (!r && !strcmp(stats.gate, "none"))
		r = error_set(err, -EOPNOTSUPP, "%s", stats.no_gate);
	return r;
}

int bench_thaw_invoke(struct thaw *thaw, const void *request, struct error *err,
		      struct thaw_reply *ret_reply)
{
	const struct thaw_invoke_request order = { .data = request,
						   .size = BENCH_REQUEST_SIZE };
	int r = thaw_invoke(thaw, BENCH_FUNCTION, &order, outer(err),
			    ret_reply);

	if (!r && ret_reply->result != THAW_OK) {
		r = error_set(err, -EPROTO, "%s: %s", ret_reply->error_type,
			      ret_reply->error_message);
		thaw_reply_release(ret_reply);
	}
	return r;
}

struct invoke_state {
	struct thaw *thaw;
	uint32_t request[BENCH_REQUEST_SIZE / sizeof(uint32_t)];
};

static int invoke_open(struct bench_row *row, struct error *err)
{
	const struct bench_function function = {
		.entry = row->pages ? "dirty" : "empty",
		.vms = 1,
	};
	struct invoke_state *state = calloc(1, sizeof(*state));

	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	state->request[0] = row->pages;
	state->request[1] = BENCH_STRIDE;
	return bench_thaw_open(row->setup, &function, err, &state->thaw);
}

static int once_warm(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct invoke_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	struct thaw_reply reply;
	int r = bench_thaw_invoke(state->thaw, state->request, err, &reply);

	if (r)
		return r;
	thaw_reply_release(&reply);
	*ret_ns = clock_now_ns() - start_ns;
	row->exits = reply.exits;
	return 0;
}

static int once_reply(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	const struct invoke_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	struct thaw_reply reply;
	int r = bench_thaw_invoke(state->thaw, state->request, err, &reply);

	if (r)
		return r;
	*ret_ns = clock_now_ns() - start_ns;
	thaw_reply_release(&reply);
	return 0;
}

static void invoke_close(struct bench_row *row)
{
	struct invoke_state *state = row->state;

	thaw_close(state->thaw);
	free(state);
}

const struct bench_kind bench_invoke_warm = {
	.open = invoke_open,
	.once = once_warm,
	.close = invoke_close,
};

const struct bench_kind bench_invoke_reply = {
	.open = invoke_open,
	.once = once_reply,
	.close = invoke_close,
};
