/* linux_fixture_check.h - what must hold of a process, and of a copy of one. */
#ifndef LINUX_FIXTURE_CHECK_H
#define LINUX_FIXTURE_CHECK_H

#include "executor/linux/process.h"

/* Aborts if a table of @process is not consistent, or is over its limit. */
void linux_fixture_check_process(const struct linux_process *process);

/* Aborts if @copy is not what @from is, which it was copied from. */
void linux_fixture_check_copy(const struct linux_process *copy,
			      const struct linux_process *from);

/*
 * From now on, processes have the files of @frozen in memory for the shim; NULL: none have.
 * linux_fixture_check_process() aborts unless they are there.
 */
void linux_fixture_check_frozen(const struct linux_process *frozen);

#endif
