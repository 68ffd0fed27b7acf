/*
 * gate.h - which gate works here, found by trying.
 *
 * KVMs differ: one lets a system call of user mode arrive in supervisor mode, another
 * does not; one reports written pages when they are written, another only at the next
 * exit. thaw does not ask which KVM it is. It tries each gate, once in a process, in
 * a vm that it throws away. vm/poll.h says what a gate is.
 */
#ifndef SNAPSHOT_GATE_H
#define SNAPSHOT_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/snapshot.h"

/* A gate that works, and what it costs here. */
struct gate_facts {
	enum vm_gate gate;
	uint64_t saving_ns; /* what it saves of the cost of an exit here */
};

/*
 * Finds the gate for vms with @memory_size bytes and @tracker: in supervisor mode, or,
 * if @cooperative, in user mode. The first call tries, which takes some 20 ms; others
 * wait for it and return the same. Any thread.
 * -EOPNOTSUPP: there is none, or no core to wait on; the message says why.
 */
int gate_try(enum dirty_backend tracker, size_t memory_size, bool cooperative,
	     struct error *err, struct gate_facts *ret_facts);

/* "call", "trap", "user", or "none". */
const char *gate_name(enum vm_gate gate);

#endif
