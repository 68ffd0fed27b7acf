/* engine_invoke.c - see engine_invoke.h. */
#include "executor/engine_invoke.h"

#include <errno.h>

#include "base/clock.h"
#include "executor/engine.h"
#include "executor/host/host_call.h"
#include "executor/invoke.h"
#include "executor/invoke_host.h"
#include "executor/invoke_state.h"

void engine_invoke(void *cookie, struct host_call *call, const char *function,
		   const void *data, size_t size)
{
	const struct thaw_invoke_request *outer =
		invoke_state(call->reply)->request;
	const uint64_t now_ns = clock_now_ns();
	const uint64_t deadline_ns = call->given.deadline_ns;
	const struct thaw_invoke_request request = {
		.data = data,
		.size = size,
		.timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1,
		.log = outer->log,
		.log_cookie = outer->log_cookie,
		.reserved = { invoke_depth(outer) + 1 },
	};
	struct function *callee;
	struct thaw_reply reply;
	struct error err;
	int r = engine_deploy(cookie, function, &err, &callee);

	if (!r)
		r = invoke(callee, &request, &err, &reply);
	if (r) {
		invoke_host_refuse(call, r, err.message);
	} else {
		invoke_host_take(call, function, &reply);
		invoke_release(&reply);
	}
	host_call_finish(call);
}
