/* thread.c - see thread.h. */
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* The least that sched_setattr(2) lets a thread ask for. */
#define SLICE_MIN_NS (100 * NS_PER_US)

/* As in linux/sched/types.h, which clashes with glibc's sched.h. */
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

#define FLAG_KEEP_POLICY UINT64_C(0x08)

static _Thread_local bool is_patient;

static int niceness(void)
{
	return getpriority(PRIO_PROCESS, (id_t)gettid());
}

/* With @slice_ns 0 the kernel chooses the slice. */
static void thread_ask(int policy, int nice, uint64_t slice_ns)
{
	const struct attributes attributes = {
		.size = sizeof(attributes),
		.policy = (uint32_t)policy,
		.nice = nice,
		.runtime_ns = slice_ns,
		/* a policy that somebody has chosen stays */
		.flags = policy == SCHED_OTHER ? FLAG_KEEP_POLICY : 0,
	};

	(void)!syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void thread_be_prompt(const char *name)
{
	pthread_setname_np(pthread_self(), name);
	thread_ask(SCHED_OTHER, niceness(), SLICE_MIN_NS);
}

void thread_be_ordinary(const char *name)
{
	pthread_setname_np(pthread_self(), name);
	thread_ask(SCHED_OTHER, niceness(), 0);
}

void thread_be_patient(const char *name, int nice)
{
	const int policy = sched_getscheduler(0);
	const int now = niceness();

	is_patient = true;
	pthread_setname_np(pthread_self(), name);
	/* a long slice would let it keep the CPU for that long */
	thread_ask(policy == SCHED_OTHER ? SCHED_BATCH : SCHED_OTHER,
		   now > nice ? now : nice, 0);
}

bool thread_is_patient(void)
{
	return is_patient;
}
