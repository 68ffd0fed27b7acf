/* shim_state.h - what the host keeps of a process' shim: see shim.h. */
#ifndef EXECUTOR_LINUX_SHIM_STATE_H
#define EXECUTOR_LINUX_SHIM_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/abi/thaw_shim.h"

struct shim {
	struct thaw_given given; /* as it was last given */
	uint64_t input_taken; /* bytes of the request before those in the window */
	bool is_off;	      /* it does not answer: all calls exit */
	bool is_passing_on; /* nor does it answer the next call */
	uint64_t begun_ns;  /* CLOCK_MONOTONIC: the boot, or the invocation */
	uint64_t asleep_ns; /* the same: since when it has slept; 0: it runs */
};

#endif
