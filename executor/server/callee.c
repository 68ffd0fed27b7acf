/* callee.c - see callee.h. */
#include "executor/server/callee.h"

#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "executor/host/host_call.h"
#include "executor/invoke_host.h"
#include "executor/invoke_state.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/invocation_start.h"
#include "executor/server/worker.h"

/* An invocation for another one. Its request is in the call, which it holds. */
struct callee {
	struct invocation invocation;
	struct io_message message; /* to the worker that starts it */
	struct host_call *call;
	struct deployment *caller; /* held: the call refers to its function */
	struct budget_account account;
	char name[];
};

static struct callee *callee_of(struct invocation *invocation)
{
	return container_of(invocation, struct callee, invocation);
}

static void callee_free(struct callee *callee)
{
	host_call_release(callee->call);
	deployment_release(callee->caller);
	budget_close(&callee->account);
	free(callee);
}

static void callee_on_replied(struct invocation *invocation)
{
	struct callee *callee = callee_of(invocation);

	if (invocation->result)
		invoke_host_refuse(callee->call, invocation->result,
				   invocation->error.message);
	else
		invoke_host_take(callee->call, callee->name,
				 &invocation->reply);
	host_call_finish(callee->call);
}

static void callee_on_ended(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	callee_free(callee_of(invocation));
	deployment_release(deployment);
}

/* On the thread of the worker that is to start it. */
static void callee_on_start(struct io_message *message)
{
	struct callee *callee = container_of(message, struct callee, message);
	struct invocation *invocation = &callee->invocation;
	struct deployment *deployment =
		generation_find(invocation->worker->generation, callee->name);

	if (!deployment) {
		host_call_fail(callee->call, THAW_HOST_NOT_FOUND,
			       "the catalog has no function %s", callee->name);
		host_call_finish(callee->call);
		callee_free(callee);
		return;
	}
	invocation->deployment = deployment_hold(deployment);
	budget_open(&callee->account, &invocation->worker->purse);
	budget_join(&callee->account, BUDGET_OF_FUNCTION, &deployment->share);
	invocation->account = &callee->account;
	invocation_start(invocation);
}

void callee_invoke(void *cookie, struct host_call *call, const char *function,
		   const void *data, size_t size)
{
	struct invocation *caller = INVOCATION_OF(call->reply, reply);
	const size_t name_size = strlen(function) + 1;
	struct callee *callee = calloc(1, sizeof(*callee) + name_size);

	(void)cookie;
	if (!callee) {
		host_call_fail(call, THAW_HOST_NO_MEMORY,
			       "the host has no memory to invoke a function");
		host_call_finish(call);
		return;
	}
	invocation_init(&callee->invocation);
	callee->invocation.worker = caller->worker;
	callee->invocation.request = (struct thaw_invoke_request){
		.data = data,
		.size = size,
		.id = call->given.id,
		.reserved = { call->depth + 1, call->given.deadline_ns },
	};
	callee->invocation.replied = callee_on_replied;
	callee->invocation.ended = callee_on_ended;
	callee->call = host_call_hold(call);
	callee->caller = deployment_hold(caller->deployment);
	memcpy(callee->name, function, name_size);
	callee->message.deliver = callee_on_start;
	io_post(caller->worker->io, NULL, &callee->message);
}
