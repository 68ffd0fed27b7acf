/*
 * invocation_fixture.h - invocations that a test starts itself, without a connection,
 * and of which the fake engine writes a trace:
 *
 *	set_up(1);
 *	call_start(0, 0, "a", ".e");
 *	fixture_turns(0);
 *	ck_assert_str_eq(fake_trace(), "begin a@0 1000us, more a@0 500us, "
 *				       "reply a@0, restore a@0");
 *	tear_down();
 */
#ifndef TESTS_UNIT_INVOCATION_FIXTURE_H
#define TESTS_UNIT_INVOCATION_FIXTURE_H

#include <check.h>

#include "base/clock.h"
#include "executor/server/invocation.h"
#include "executor/server/invocation_start.h"
#include "executor/server/server_limits.h"
#include "tests/unit/server_fixture.h"

/* The inline budget of both functions, of which traces have the slices. */
#define BUDGET_NS NS_PER_MS

#define CALLS_MAX 40

struct call {
	struct invocation invocation;
	const char *name;
	bool has_replied, has_ended;
	int result;
	size_t reply_size;
	/* Called in replied(); NULL: nothing. */
	void (*on_reply)(struct call *call);
};

/* Each function has 4 vms, and room for 4 that run and 100 that wait. */
void set_up(unsigned workers);

/* Lets everything end, and checks that nothing is left. */
void tear_down(void);

/*
 * A call of a function, which call_start() would start on a worker: the test changes
 * what it wants to be different. @name and @script (fake_engine.h) are borrowed.
 */
struct call *call_prepare(unsigned worker, unsigned function, const char *name,
			  const char *script);
struct call *call_start(unsigned worker, unsigned function, const char *name,
			const char *script);
void call_start_prepared(struct call *call);

/* The metrics of a function. */
const struct metrics_function *metrics_of(unsigned function);
uint64_t outcomes_of(unsigned function, enum metrics_outcome outcome);

/* How many wait in the line for a function's vms. */
unsigned waiting_of(unsigned function);

struct pool *pool_of(unsigned function);

#endif
