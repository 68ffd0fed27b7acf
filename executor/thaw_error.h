/* thaw_error.h - the message that libthaw's callers get, as the rest has it. */
#ifndef EXECUTOR_THAW_ERROR_H
#define EXECUTOR_THAW_ERROR_H

#include "base/error.h"
#include "executor/libthaw.h"

_Static_assert(sizeof(struct thaw_error) == sizeof(struct error),
	       "one kind of message");

/* @error, which may be NULL, for calls that take a struct error. */
static inline struct error *thaw_error_inner(struct thaw_error *error)
{
	return (struct error *)(void *)error;
}

#endif
