/* gate.c - tries gates. See gate.h. Runs on the thread that deploys. */
#include "snapshot/gate.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/trial.h"
#include "vm/exit.h"
#include "vm/kvm.h"
#include "vm/poll_cores.h"

/* A cost is the least of so many measurements. */
#define MEASUREMENTS 8
/* In so many rounds pages are written, to see whether all are reported. */
#define ROUNDS 8

/* Touches @pages pages and is done, by an exit even if @to_gate. */
static int touch_and_exit(const struct trial *trial, size_t pages, bool to_gate,
			  uint64_t *ret_ns)
{
	int r = trial_put(trial, trial->snapshot->layout.request.start, pages,
			  vm_done_address(trial->vm, to_gate));

	return r ? r : trial_run(trial, ret_ns);
}

/* Touches all pages and is done at the gate, without an exit. */
static int touch_and_wait(const struct trial *trial)
{
	const uint64_t deadline_ns = clock_now_ns() + TRIAL_STEP_NS;
	struct vm_exit exit;
	int r = trial_put(trial, trial->snapshot->layout.request.start,
			  TRIAL_PAGES, vm_done_address(trial->vm, true));

	if (r)
		return r;
	poll_allow_late_thread(trial->vm);
	if (!poll_claim(trial->vm))
		return -EBUSY;
	poll_start(trial->vm, deadline_ns);
	/* not poll_wait(), which may have the gate exit */
	do
		r = poll_check(trial->vm, &exit);
	while (r > 0);
	return r ? r : exit.polled ? 0 : -EPROTO;
}

static int gate_measure(const struct trial *trial, bool to_gate,
			uint64_t *ret_ns)
{
	uint64_t least_ns = UINT64_MAX, ns;

	for (int i = 0; i < MEASUREMENTS; i++) {
		int r = touch_and_exit(trial, 0, to_gate, &ns);

		if (r)
			return r;
		if (ns < least_ns)
			least_ns = ns;
	}
	*ret_ns = least_ns;
	return 0;
}

/*
 * Tries whether pages are reported when they are written, and not only at a later
 * exit. They are pages that were writable before and have been protected again.
 */
static int try_reports(const struct trial *trial)
{
	uint64_t ns;
	int r = touch_and_exit(trial, TRIAL_PAGES, true, &ns);

	for (int round = 0; round < ROUNDS && !r; round++) {
		r = dirty_collect(vm_dirty(trial->vm));
		if (!r)
			r = dirty_forget(vm_dirty(trial->vm));
		if (!r)
			r = touch_and_wait(trial);
		if (!r)
			r = trial_look(trial);
		poll_stop(trial->vm);
	}
	return r;
}

static int try_steps(const struct trial *trial, struct gate_facts *facts)
{
	uint64_t exit_ns, gate_ns, both_ns;
	int r = gate_measure(trial, false, &exit_ns);

	if (!r)
		r = gate_measure(trial, true, &gate_ns);
	if (!r)
		r = try_reports(trial);
	if (r)
		return r;
	/* only the way into the gate was measured; the way out costs as much */
	both_ns = gate_ns > exit_ns ? 2 * (gate_ns - exit_ns) : 0;
	facts->saving_ns = exit_ns > both_ns ? exit_ns - both_ns : 0;
	return 0;
}

static int try_gate(enum dirty_backend tracker, enum vm_gate gate,
		    struct gate_facts *ret_facts)
{
	struct trial trial;
	int r = trial_begin(tracker,
			    gate == VM_GATE_USER ? LAYOUT_CONTROL_USER :
						   LAYOUT_CONTROL_SUPERVISOR,
			    gate, &trial);

	if (r)
		return r;
	*ret_facts = (struct gate_facts){ .gate = gate };
	r = vm_done_address(trial.vm, true) ? try_steps(&trial, ret_facts) :
					      -EOPNOTSUPP;
	trial_end(&trial);
	return r;
}

/* What has been found out: for the ring and for page tables, for each isolation. */
static struct {
	pthread_mutex_t lock;
	struct {
		bool is_known;
		int result;
		struct gate_facts facts;
	} found[2][2];
} gates = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Tries the quickest gate first. */
static int find_gate(enum dirty_backend tracker, bool cooperative,
		     struct gate_facts *ret_facts)
{
	int r;

	if (cooperative)
		return try_gate(tracker, VM_GATE_USER, ret_facts);
	r = try_gate(tracker, VM_GATE_CALL, ret_facts);
	return r && r != -EBUSY ? try_gate(tracker, VM_GATE_TRAP, ret_facts) :
				  r;
}

static int gate_explain(int r, struct error *err)
{
	if (r == -ENODATA)
		return error_set(err, -EOPNOTSUPP,
				 "this KVM notes written pages only at the next "
				 "exit");
	return error_set(err, -EOPNOTSUPP, "no gate works on this KVM: %s",
			 strerror(-r));
}

int gate_try(enum dirty_backend tracker, size_t memory_size, bool cooperative,
	     struct error *err, struct gate_facts *ret_facts)
{
	const bool is_tables = tracker == DIRTY_TABLES;
	__typeof__(gates.found[0][0]) *found =
		&gates.found[is_tables][cooperative];
	const struct kvm_host *host;
	int r = kvm_open(err, &host);

	if (r)
		return r;
	if (tracker == DIRTY_BITMAP ||
	    (!is_tables && !dirty_ring_fits(host, memory_size)))
		return error_set(err, -EOPNOTSUPP,
				 "it takes the dirty ring, which this KVM does "
				 "not have for so much memory, or page tables "
				 "that tell what was written; neither works "
				 "here, or the bitmap was asked for");
	if (!poll_cores())
		return error_set(err, -EOPNOTSUPP,
				 "no core may be kept busy: it takes a second "
				 "CPU, and polling_cores above 0");
	pthread_mutex_lock(&gates.lock);
	if (!found->is_known) {
		found->result = find_gate(is_tables ? DIRTY_TABLES : DIRTY_RING,
					  cooperative, &found->facts);
		/* other failures, such as a lack of memory or cores, may pass */
		found->is_known = !found->result || found->result == -ENODATA;
	}
	r = found->result;
	*ret_facts = found->facts;
	pthread_mutex_unlock(&gates.lock);
	return r ? gate_explain(r, err) : 0;
}

const char *gate_name(enum vm_gate gate)
{
	static const char *const names[VM_GATES] = {
		[VM_GATE_NONE] = "none",
		[VM_GATE_CALL] = "call",
		[VM_GATE_TRAP] = "trap",
		[VM_GATE_USER] = "user",
	};

	return names[gate];
}
