/* polled.h - functions whose dispatch a test chooses, and what became of it. */
#ifndef POLLED_H
#define POLLED_H

#include "executor/engine.h"
#include "executor/libthaw.h"

struct thaw_stats stats_of(struct thaw *thaw, const char *function);

/*
 * Functions of hostile.elf, called a, b, ..., with their dispatch. Unless @options say
 * it, the environment's TEST_TRACKER says how their writes are tracked. The caller closes
 * it.
 */
struct thaw *open_hostile(const struct engine_options *options, unsigned count,
			  const char *more);

#endif
