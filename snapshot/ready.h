/* ready.h - what a guest has said when it was ready, and what it offers. */
#ifndef SNAPSHOT_READY_H
#define SNAPSHOT_READY_H

#include <stdint.h>

#include "base/error.h"

struct ready;
struct snapshot;
struct thaw_mailbox;

/* Copies it from @mailbox; the vcpu is stopped. */
void ready_copy(const struct thaw_mailbox *mailbox, struct ready *ret_ready);

/*
 * Checks snapshot->ready, and copies the tables that it names from @memory, which does not
 * change meanwhile. 0; -EPROTO: the guest breaks the contract; -ENOMEM.
 */
int ready_read(struct snapshot *snapshot, const uint8_t *memory,
	       struct error *err);

#endif
