/* invocation_internal.h - the invocation that has a member, for invocation_*.c. */
#ifndef EXECUTOR_SERVER_INVOCATION_INTERNAL_H
#define EXECUTOR_SERVER_INVOCATION_INTERNAL_H

#include <stddef.h>

#include "executor/server/invocation.h"

#define INVOCATION_OF(pointer, member)   \
	((struct invocation *)(void *)(( \
		char *)(pointer)-offsetof(struct invocation, member)))

#endif
