/*
 * vm_internal.h - struct vm, for the files that run vms and for vm/<arch>/. See
 * vm.h.
 */
#ifndef VM_VM_INTERNAL_H
#define VM_VM_INTERNAL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/control.h"
#include "vm/dirty.h"
#include "vm/layout.h"
#include "vm/vm.h"
#include "vm/watchdog.h"

struct kvm_host;
struct poll;

/* Pages of tables that differ from the snapshot's: a bit for each, from the first on. */
struct changed_tables {
	bool any;
	uint64_t bits[(LAYOUT_TABLES_MAX + 63) / 64];
};

/*
 * Where the tables of layout->reserve_tables are, or have been, in any invocation: the
 * address of the entry that refers to each; 0: it was never used.
 */
struct table_places {
	unsigned kept; /* by invocations */
	uint64_t list[LAYOUT_RESERVE_TABLES_MAX];
};

/* What KVM must know of a vm before its vcpu exists. */
struct shell_kind {
	enum dirty_backend dirty;
	size_t ring_entries; /* 0: it can have no ring */
	size_t memory_size;  /* of one that needs such a ring */
};

/* Where shells are that nobody has used: fresh_shells.c. Any thread. */
struct shell_source {
	/* Returns one for a vm of that kind, which is the caller's, or NULL. */
	struct vm *(*take)(const struct shell_kind *kind);
	/* Frees all. Returns whether there were any. */
	bool (*spare)(void);
};

struct vm {
	struct vm *next_shell;
	const struct kvm_host *host;
	int fd;
	int vcpu_fd;
	struct kvm_run *run;
	size_t run_size; /* of its mapping, in which the dirty ring may be */
	uint8_t *memory;
	size_t memory_size;
	size_t write_end; /* what vm_write() may write ends here */
	struct dirty dirty;
	struct watch watch;
	bool spoiled;			      /* see vm_spoiled() */
	bool is_watched;		      /* by the watchdog */
	bool has_state;			      /* its vcpu has had one */
	uint64_t owner;			      /* see struct vm_config */
	unsigned reuses;		      /* of its shell; for tests */
	bool is_settled;		      /* no exit can be pending */
	struct changed_tables changed_tables; /* of a program's */
	struct table_places *table_places;    /* made when a table is */

	enum vm_gate gate;
	struct control control;
	/* the invocation, and the last run; the host's counter */
	uint64_t begun_at, ended_at;

	/* what poll_attach() has set, or NULL; vm_free() calls free_poll() */
	struct poll *poll;
	void (*free_poll)(struct vm *vm);

	bool is_program;
	void *kept; /* see vm_keep() */
	void (*free_kept)(void *kept);

	/* set by arch_gate_init(): where it enters the gate; 0: it has none */
	uint64_t gate_address;
	/* set by arch_vcpu_init(): */
	uint64_t counter_hz;
	uint64_t counter_offset; /* guest counter - host counter */

	/* nanoseconds = ticks * mult >> shift */
	uint32_t counter_mult;
	uint32_t counter_shift;
};

/* The kind that a vm needs. Errors as kvm_open(). */
int vm_shell_kind(enum dirty_backend dirty, size_t memory_size,
		  struct error *err, struct shell_kind *ret_kind);

/* Makes a shell for any owner. 0, or -errno of what has failed. Any thread. */
int vm_shell_make(const struct shell_kind *kind, struct error *err,
		  struct vm **ret_vm);

/*
 * Makes a vm of a shell: gives it its memory, and the rest of what @config asks for. If
 * that fails, it is still to be emptied.
 */
int vm_shell_fill(struct vm *vm, const struct vm_config *config,
		  struct error *err);

/*
 * Takes all from @vm but its shell. Returns whether that can become another vm, if it
 * @is_wanted; otherwise it is to be freed.
 */
bool vm_shell_empty(struct vm *vm, bool is_wanted);

void vm_shell_free(struct vm *vm);

/* Sets where shells come from that nobody has used, for the rest of the process. */
void shells_set_source(const struct shell_source *source);

/*
 * Takes a shell for a vm as in @config: a kept one of its owner, a fresh one, or one that is
 * made now. 0, or -errno of what has failed.
 */
int shells_take(const struct vm_config *config, struct error *err,
		struct vm **ret_vm);

/* Whether the shell of such a vm may become another one. */
bool shells_suit(const struct vm_config *config);

/* Keeps the shell @vm, or frees it. */
void shells_give(struct vm *vm);

#endif
