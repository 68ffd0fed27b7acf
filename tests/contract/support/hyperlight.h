/*
 * hyperlight.h - what the tests with Hyperlight guests share. A loop over
 * hyperlight_count() runs a test with both generations of the interface, with each way
 * of dispatch.
 */
#ifndef HYPERLIGHT_H
#define HYPERLIGHT_H

#include <stddef.h>

#include "tests/contract/support/guests.h"

/* The guest of the test that runs, and the last error of it. */
extern struct thaw *hyperlight;
extern struct thaw_error hyperlight_error;

int hyperlight_count(void);

/* Whether number @i is of the second generation. */
bool hyperlight_is_second(int i);

/*
 * Opens the guest of number @i as the function "guest". @more is JSON members, as for
 * open_guest().
 */
void hyperlight_open(int i, const char *more);

/* Calls @function with @arguments, a JSON list without its brackets. */
const char *hyperlight_call(const char *function, const char *arguments);

/* The same with a call that is refused; returns the error's message. */
const char *hyperlight_refusal(const char *function, const char *arguments,
			       int result);

/*
 * For each of @rows: a call ends as it says, a pattern; afterwards the guest is as it
 * was before.
 */
struct hyperlight_row {
	const char *function;
	const char *arguments;
	const char *outcome;
};
void hyperlight_calls(const struct hyperlight_row *rows, size_t count);

/* A call that never ends is stopped at its timeout; the guest is as it was before. */
void hyperlight_stops(const char *function, const char *arguments);

#endif
