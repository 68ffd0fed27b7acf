/*
 * fresh_shells.h - shells that a thread makes before anybody needs them.
 *
 * No function has run in a fresh shell (vm.h), so it may become a vm of any function.
 * Only two instructions of thaw's own have, since the first run of a vcpu takes long. The
 * thread makes shells of the kind that was asked for last, and once one is taken, another.
 * It yields to other threads, and waits until nobody has taken a shell for a moment,
 * since making one stops all others that map memory. If it cannot make any, for want of
 * memory, files or mappings, it tries again when one is asked for, but not too soon. A
 * child of fork() has none, and makes none. Any thread.
 */
#ifndef VM_FRESH_SHELLS_H
#define VM_FRESH_SHELLS_H

#include <stdbool.h>

#define FRESH_SHELLS_MAX 1024u

/*
 * Sets how many are kept ready, and returns it: FRESH_SHELLS_MAX at most. At first it is
 * 0. More than that are freed. With 0, the thread ends. It starts when a shell is asked
 * for.
 */
unsigned fresh_shells_keep(unsigned count);

/* How many are ready, about now. */
unsigned fresh_shells_count(void);

#endif
