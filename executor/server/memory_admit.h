/*
 * memory_admit.h - decides, by what a catalog says, which of its functions there
 * is memory for.
 */
#ifndef EXECUTOR_SERVER_MEMORY_ADMIT_H
#define EXECUTOR_SERVER_MEMORY_ADMIT_H

#include "executor/server/generation.h"
#include "executor/server/memory.h"

/*
 * Fails those functions of @generation, not deployed yet, that the bound of
 * @memory has no room for: there has to be room for the warm vms of all functions
 * and for a first vm. Goes through them in the catalog's order. Nobody else
 * deploys them yet.
 */
void memory_admit(const struct memory *memory, struct generation *generation);

#endif
