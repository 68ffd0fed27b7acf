/* catalog_interrupts.h - interrupts as catalogs write them: "LINE" or "LINE@TIME". */
#ifndef EXECUTOR_CATALOG_INTERRUPTS_H
#define EXECUTOR_CATALOG_INTERRUPTS_H

#include "executor/linux/gunyah_state.h"

/*
 * Reads one. 0; -EINVAL: it is not written so; -ERANGE: there is no such line, it is the
 * timer's, or the time is longer than any invocation. Any thread.
 */
int catalog_interrupts_parse(const char *text,
			     struct gunyah_interrupt *ret_interrupt);

#endif
