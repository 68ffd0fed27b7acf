/*
 * gate.c - tries gates. See gate.h. Runs on the thread that deploys.
 *
 * Nothing of the function itself runs in the vms. What runs is the part of the entry
 * stub that touches the pages listed in the request window and is then done, as a
 * function is.
 */
#include "snapshot/gate.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/snapshot_internal.h"
#include "vm/kvm.h"
#include "vm/poll_cores.h"
#include "vm/run.h"

/* Far more than any step takes. */
#define STEP_TIMEOUT_NS (1 * NS_PER_S)
/* A cost is the least of so many measurements. */
#define MEASUREMENTS 8
/* So many pages are written in so many rounds, to see whether all are reported. */
#define PAGES 8
#define ROUNDS 8

/* The vm in which a gate is tried, and the pages that it touches. */
struct trial {
	const struct snapshot *snapshot;
	struct vm *vm;
	size_t page_count;
	uint64_t pages[PAGES]; /* addresses */
};

static int put_request(const struct trial *trial, size_t pages, bool to_gate)
{
	const uint64_t done = vm_done_address(trial->vm, to_gate);
	uint64_t list[PAGES + 1] = { pages };
	int r;

	memcpy(list + 1, trial->pages, pages * sizeof(*list));
	r = vm_write(trial->vm, trial->snapshot->layout.request.start, list,
		     sizeof(list));
	if (!r)
		r = vm_write(trial->vm,
			     THAW_GPA_INFO + offsetof(struct thaw_info, done),
			     &done, sizeof(done));
	if (!r)
		r = vm_set_state(trial->vm, trial->snapshot->state, NULL);
	if (!r)
		vm_enter_touch(trial->vm);
	return r;
}

/* Touches @pages pages and is done, by an exit even if @to_gate. */
static int touch_and_exit(const struct trial *trial, size_t pages, bool to_gate,
			  uint64_t *ret_ns)
{
	struct vm_exit exit;
	uint64_t start_ns;
	int r = put_request(trial, pages, to_gate);

	if (r)
		return r;
	start_ns = clock_now_ns();
	r = vm_run(trial->vm, start_ns + STEP_TIMEOUT_NS, &exit);
	*ret_ns = clock_now_ns() - start_ns;
	if (r)
		return r;
	return exit.kind == VM_EXIT_DOORBELL && exit.bell == THAW_BELL_DONE ?
		       0 :
		       -EPROTO;
}

/* Touches @pages pages and is done at the gate, without an exit. */
static int touch_and_wait(const struct trial *trial, size_t pages)
{
	const uint64_t deadline_ns = clock_now_ns() + STEP_TIMEOUT_NS;
	struct vm_exit exit;
	int r = put_request(trial, pages, true);

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

/* 0: all pages are reported; -ENODATA: not all are; or -errno. */
static int look_for_reports(const struct trial *trial)
{
	struct dirty *dirty = vm_dirty(trial->vm);
	int r = dirty_collect(dirty);

	for (size_t i = 0; i < trial->page_count && !r; i++)
		if (!dirty_has(dirty,
			       trial->pages[i] / trial->snapshot->page_size))
			r = -ENODATA;
	return r;
}

/*
 * Tries whether pages are reported when they are written, and not only at a later
 * exit. They are pages that were writable before and have been protected again.
 */
static int try_reports(const struct trial *trial)
{
	uint64_t ns;
	int r = touch_and_exit(trial, trial->page_count, true, &ns);

	for (int round = 0; round < ROUNDS && !r; round++) {
		r = dirty_collect(vm_dirty(trial->vm));
		if (!r)
			r = dirty_forget(vm_dirty(trial->vm));
		if (!r)
			r = touch_and_wait(trial, trial->page_count);
		if (!r)
			r = look_for_reports(trial);
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

static int try_gate(const struct snapshot *snapshot, enum vm_gate gate,
		    struct gate_facts *ret_facts)
{
	const struct layout_range *heap = &snapshot->layout.heap;
	const struct vm_config config = {
		.memory_size = snapshot->layout.memory_size,
		.memory_fd = snapshot->memory_fd,
		.holes = snapshot->holes,
		.dirty = snapshot->dirty,
		.control = true,
		.gate = gate,
	};
	struct trial trial = { .snapshot = snapshot };
	int r = vm_create(&config, NULL, &trial.vm);

	if (r)
		return r;
	while (trial.page_count < PAGES &&
	       trial.page_count * snapshot->page_size < heap->size) {
		trial.pages[trial.page_count] =
			heap->start + trial.page_count * snapshot->page_size;
		trial.page_count++;
	}
	*ret_facts = (struct gate_facts){ .gate = gate };
	r = poll_attach(trial.vm, &POLL_RULE_ALWAYS(POLL_WAIT_MAX_NS));
	if (!r)
		r = vm_done_address(trial.vm, true) ?
			    try_steps(&trial, ret_facts) :
			    -EOPNOTSUPP;
	vm_free(trial.vm);
	return r;
}

/* What has been found out, for each isolation. */
static struct {
	pthread_mutex_t lock;
	struct {
		bool is_known;
		int result;
		struct gate_facts facts;
	} found[2];
} gates = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Tries the quickest gate first. */
static int find_gate(const struct snapshot *snapshot, bool cooperative,
		     struct gate_facts *ret_facts)
{
	int r;

	if (cooperative)
		return try_gate(snapshot, VM_GATE_USER, ret_facts);
	r = try_gate(snapshot, VM_GATE_CALL, ret_facts);
	return r && r != -EBUSY ? try_gate(snapshot, VM_GATE_TRAP, ret_facts) :
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

int gate_try(const struct snapshot *snapshot, bool cooperative,
	     struct error *err, struct gate_facts *ret_facts)
{
	__typeof__(gates.found[0]) *found = &gates.found[cooperative];
	const struct kvm_host *host;
	int r = kvm_open(err, &host);

	if (r)
		return r;
	if (snapshot->dirty == DIRTY_BITMAP ||
	    !dirty_ring_fits(host, snapshot->layout.memory_size))
		return error_set(err, -EOPNOTSUPP,
				 "it takes the dirty ring, which this KVM does "
				 "not have for so much memory, or which was "
				 "not asked for");
	if (!poll_cores())
		return error_set(err, -EOPNOTSUPP,
				 "no core may be kept busy: it takes a second "
				 "CPU, and polling_cores above 0");
	pthread_mutex_lock(&gates.lock);
	if (!found->is_known) {
		found->result = find_gate(snapshot, cooperative, &found->facts);
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
