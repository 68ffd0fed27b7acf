/* invocation_fixture.c - see invocation_fixture.h */
#include "tests/unit/invocation_fixture.h"

#include <string.h>

#include "base/container_of.h"

static struct call calls[CALLS_MAX];
static unsigned call_count;

void set_up(unsigned workers)
{
	call_count = 0;
	fixture_begin(workers);
	fake_engine.burn_ns = BUDGET_NS;
	for (unsigned i = 0; i < FIXTURE_FUNCTIONS; i++) {
		fixture_set_vms(i, FAKE_VMS_MAX, 0);
		fixture_spec(i)->inline_budget_ns = BUDGET_NS;
		fixture_spec(i)->concurrency.max = FAKE_VMS_MAX;
	}
}

void tear_down(void)
{
	for (unsigned i = 0; i < 4; i++) {
		fixture_settle(0);
		fixture_fire_timers();
	}
	fixture_settle(0);
	for (unsigned i = 0; i < call_count; i++) {
		ck_assert(calls[i].has_ended);
		buffer_done(&calls[i].invocation.log);
	}
	fixture_check();
	fixture_done();
}

static void on_replied(struct invocation *invocation)
{
	struct call *call = container_of(invocation, struct call, invocation);

	ck_assert(!call->has_replied);
	call->has_replied = true;
	call->result = invocation->result;
	call->reply_size = invocation->result ? 0 : invocation->reply.size;
	fake_note(invocation->result ? "refuse" : "reply", call->name);
	if (call->on_reply)
		call->on_reply(call);
}

static void on_ended(struct invocation *invocation)
{
	struct call *call = container_of(invocation, struct call, invocation);

	ck_assert(call->has_replied && !call->has_ended);
	call->has_ended = true;
	deployment_release(invocation->deployment);
}

struct call *call_prepare(unsigned worker, unsigned function, const char *name,
			  const char *script)
{
	struct call *call = &calls[call_count++];
	struct invocation *invocation = &call->invocation;

	ck_assert_uint_le(call_count, CALLS_MAX);
	memset(call, 0, sizeof(*call));
	call->name = name;
	invocation_init(invocation);
	invocation->worker = &fixture.server->shared.workers[worker];
	invocation->deployment = deployment_hold(fixture.deployments[function]);
	invocation->request.id = name;
	invocation->request.content_type = FAKE_SCRIPT;
	invocation->request.data = script;
	invocation->request.size = strlen(script);
	invocation->replied = on_replied;
	invocation->ended = on_ended;
	return call;
}

void call_start_prepared(struct call *call)
{
	invocation_start(&call->invocation);
}

struct call *call_start(unsigned worker, unsigned function, const char *name,
			const char *script)
{
	struct call *call = call_prepare(worker, function, name, script);

	call_start_prepared(call);
	return call;
}

const struct metrics_function *metrics_of(unsigned function)
{
	return &fixture.deployments[function]->stats->metrics;
}

uint64_t outcomes_of(unsigned function, enum metrics_outcome outcome)
{
	return metrics_get(&metrics_of(function)->outcomes[outcome]);
}

struct pool *pool_of(unsigned function)
{
	return fixture.deployments[function]->function->pool;
}

unsigned waiting_of(unsigned function)
{
	return fake_pool_waiting(pool_of(function));
}
