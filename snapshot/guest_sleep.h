/*
 * guest_sleep.h - guests that wait, outside the guest: the doorbell's SLEEP.
 */
#ifndef SNAPSHOT_GUEST_SLEEP_H
#define SNAPSHOT_GUEST_SLEEP_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "guest/abi/thaw_abi.h"
#include "vm/vm.h"

/* When the sleep that @vm's mailbox asks for is over: by @deadline_ns. */
static inline uint64_t guest_sleep_end(const struct vm *vm,
				       uint64_t deadline_ns)
{
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	uint64_t sleep_ns =
		__atomic_load_n(&mailbox->sleep_ns, __ATOMIC_RELAXED);
	uint64_t now_ns = clock_now_ns();

	if (now_ns >= deadline_ns || sleep_ns > deadline_ns - now_ns)
		return deadline_ns;
	return now_ns + sleep_ns;
}

/* Sleeps until then. */
static inline void guest_sleep(uint64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
}

#endif
