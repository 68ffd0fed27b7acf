/* invoke_init.c - see invoke_init.h. On threads that deploy functions. */
#include "executor/invoke_init.h"

#include <errno.h>

#include "base/clock.h"
#include "executor/function.h"
#include "executor/host/host_call.h"
#include "executor/invoke.h"
#include "executor/invoke_state.h"
#include "snapshot/guest_sleep.h"
#include "snapshot/layered.h"

/* Waits for a while if it sleeps, or waits for a host function. */
static void rest(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const uint64_t wake_ns = invoke_wake_ns(reply);
	const uint64_t slice_ns = clock_now_ns() + SNAPSHOT_PAUSE_NS;
	const uint64_t until_ns = wake_ns < slice_ns ? wake_ns : slice_ns;

	if (!wake_ns)
		return;
	if (state->is_waiting)
		host_call_wait(state->host, until_ns);
	else
		guest_sleep(until_ns);
}

/*
 * Has others take their turn, which is not time of the init. If it is to be stopped, its
 * time is over.
 */
static int let_others(struct thaw_reply *reply,
		      const struct snapshot_pause *pause, struct error *err)
{
	struct invoke_state *state = invoke_state(reply);
	const uint64_t start_ns = clock_now_ns();
	const bool is_stopped = pause->call && pause->call(pause->cookie);
	const uint64_t now_ns = clock_now_ns();

	if (!is_stopped) {
		state->timeout_ns += now_ns - start_ns;
		return 0;
	}
	state->timeout_ns = now_ns - state->start_ns;
	if (state->wake_ns)
		state->wake_ns = now_ns;
	invoke_release(reply);
	return error_set(err, -ESHUTDOWN,
			 "its boot was stopped: it is not needed any more");
}

/* As invoke(), in slices, as a boot runs. */
static int invoke_slices(struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err, struct thaw_reply *reply)
{
	int r = invoke_start_slice(function, request, SNAPSHOT_PAUSE_NS, err,
				   reply);

	while (!r) {
		rest(reply);
		r = let_others(reply, &function->options.pause, err);
		if (!r)
			r = invoke_more(reply, SNAPSHOT_PAUSE_NS, err);
	}
	return r < 0 ? r : 0;
}

static int answer(struct function *function, const struct catalog_init *init,
		  struct error *err, struct snapshot **ret_snapshot)
{
	const struct thaw_invoke_request request = {
		.data = init->text,
		.size = init->size,
	};
	struct thaw_reply reply = { .size = 0 };
	int r = invoke_slices(function, &request, err, &reply);

	if (r)
		return r;
	if (reply.result != THAW_OK)
		r = error_set(err, -ECANCELED, "init failed: %s: %s",
			      reply.error_type, reply.error_message);
	else
		r = layered_create(function->snapshot, invoke_state(&reply)->vm,
				   err, ret_snapshot);
	invoke_release(&reply);
	return r;
}

int invoke_init(const struct catalog_function *spec,
		const struct function_options *options, struct snapshot *base,
		struct error *err, struct snapshot **ret_snapshot)
{
	/* one vm of the base, whose memory is that of the function's boot */
	struct catalog_function answerer = *spec;
	struct function_options own = *options;
	struct function *function;
	int r;

	answerer.base = NULL;
	/* its memory becomes the snapshot */
	answerer.host.secret_count = 0;
	if (spec->init.entry)
		answerer.entry = spec->init.entry;
	answerer.timeout_ns = spec->init_timeout_ns;
	answerer.concurrency.max = 1;
	answerer.concurrency.warm = 0;
	own.store = NULL;
	own.no_store = NULL;
	own.memory = NULL;
	/* others may not be there yet, and what they answer would be frozen */
	own.invoker = (struct host_invoker){ .invoke = NULL };
	r = function_deploy_over(&answerer, &own, base, err, &function);
	if (r)
		return r;
	r = answer(function, &spec->init, err, ret_snapshot);
	function_free(function);
	return r;
}
