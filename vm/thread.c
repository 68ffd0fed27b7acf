/* thread.c - wishes to the scheduler. See thread.h. */
#include "vm/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm/clock.h"

/* The bounds of what sched_setattr(2) lets a thread ask for. */
#define SLICE_MIN_NS (100 * NS_PER_US)
#define SLICE_MAX_NS (100 * NS_PER_MS)

/* As in linux/sched/types.h, which defines what glibc's sched.h does, too. */
struct attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns; /* the slice, for SCHED_OTHER and SCHED_BATCH */
	uint64_t deadline_ns;
	uint64_t period_ns;
};

#define FLAG_RESET_ON_FORK UINT64_C(0x01)
#define FLAG_KEEP_POLICY UINT64_C(0x08)

static _Thread_local bool is_patient;

static void ask(struct attributes *attributes)
{
	attributes->size = sizeof(*attributes);
	(void)!syscall(SYS_sched_setattr, 0, attributes, 0);
}

void thread_be_prompt(const char *name)
{
	struct attributes attributes = {
		.flags = FLAG_RESET_ON_FORK | FLAG_KEEP_POLICY,
		.nice = getpriority(PRIO_PROCESS, (id_t)gettid()),
		.runtime_ns = SLICE_MIN_NS,
	};

	pthread_setname_np(pthread_self(), name);
	ask(&attributes);
}

void thread_be_patient(const char *name, int nice)
{
	const int now = getpriority(PRIO_PROCESS, (id_t)gettid());
	struct attributes attributes = {
		.policy = SCHED_BATCH,
		.nice = now > nice ? now : nice,
		.runtime_ns = SLICE_MAX_NS,
	};

	is_patient = true;
	pthread_setname_np(pthread_self(), name);
	ask(&attributes);
}

bool thread_is_patient(void)
{
	return is_patient;
}
