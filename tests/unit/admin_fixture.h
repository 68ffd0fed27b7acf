/*
 * admin_fixture.h - a server to describe: "hello", which is active and has
 * counted, one with a hostile name, which failed, and "slow", which is pending.
 */
#ifndef TESTS_UNIT_ADMIN_FIXTURE_H
#define TESTS_UNIT_ADMIN_FIXTURE_H

#include "executor/protocol/view.h"
#include "executor/server/metrics.h"

#define FIXTURE_HOSTILE_NAME "we\"ird\\\n\xc3\xbc"
#define FIXTURE_FUNCTIONS 3

/* Made anew by admin_fixture_make(); tests may change them. */
extern struct function_view fixture_functions[FIXTURE_FUNCTIONS];
extern struct metrics_function fixture_metrics;
extern struct server_view fixture_view;

void admin_fixture_make(void);

#endif
