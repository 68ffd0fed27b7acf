/*
 * control.h - the control page: the words by which the host and a guest at its
 * gate tell each other of invocations without an exit. The page is struct
 * thaw_control, a memslot of its own that is never restored.
 *
 * The owner of the vm counts invocations and begins the next one by storing its
 * number in GO. A function that is done has the gate store that number in DONE.
 *
 * A vm without a control page has all of this as well: then nothing is at the
 * gate, and the calls do nothing.
 */
#ifndef VM_CONTROL_H
#define VM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"

/* Embedded in a vm. The thread that owns the vm owns all of it. */
struct control {
	struct thaw_control *page; /* NULL: there is none */
	size_t size;		   /* of the mapping: a page of the host */
	uint32_t go;		   /* the number of the invocation */
	bool is_new;		   /* the next run begins an invocation */
	bool at_gate;		   /* it begins by GO, not at the entry stub */
};

/*
 * Maps a control page and makes it a memslot of the vm @vm_fd, before its vcpu
 * runs. 0 or -errno; control_done() frees what there is by then.
 */
int control_init(struct control *control, int vm_fd, struct error *err);

/* Unmaps the page. The vcpu runs no more. */
void control_done(struct control *control);

/*
 * The next run begins an invocation at the entry stub. A DONE that the page
 * holds by now counts no more.
 */
void control_reset(struct control *control);

/*
 * Tells the guest of a new invocation, if the next run begins one, and how often
 * the gate is to look for the one after it before it rings. Releases all that the
 * caller has written to guest memory.
 */
void control_begin(struct control *control, uint32_t looks);

/*
 * Changes how often the gate is to look. Any thread. It is an exchange: what the
 * caller reads next cannot be read before.
 */
void control_set_looks(struct control *control, uint32_t looks);

/*
 * Sees what the thread that has stored GO wrote before. For the thread that has
 * just run the vcpu, which may be another. Pairs with control_begin().
 */
static inline void control_acquire(const struct control *control)
{
	if (control->page)
		__atomic_load_n(&control->page->go, __ATOMIC_ACQUIRE);
}

/*
 * Whether the function waits at the gate, done with the invocation. Acquires all
 * that it has written. There must be a page.
 */
static inline bool control_is_done(const struct control *control)
{
	return __atomic_load_n(&control->page->done, __ATOMIC_SEQ_CST) ==
	       control->go;
}

/*
 * Whether the guest is done with all that it was told of. For the vcpu's thread,
 * which reads only the page. There must be one.
 */
static inline bool control_has_no_work(const struct control *control)
{
	const struct thaw_control *page = control->page;

	return __atomic_load_n(&page->go, __ATOMIC_SEQ_CST) ==
	       __atomic_load_n(&page->done, __ATOMIC_ACQUIRE);
}

#endif
