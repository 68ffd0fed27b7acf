/* engine_invoke.h - functions of an open catalog that call each other. */
#ifndef EXECUTOR_ENGINE_INVOKE_H
#define EXECUTOR_ENGINE_INVOKE_H

#include <stddef.h>

struct host_call;

/*
 * A host_invoker's invoke(): runs the function on this thread, in a vm that is free.
 * @cookie is the struct thaw.
 */
void engine_invoke(void *cookie, struct host_call *call, const char *function,
		   const void *data, size_t size);

#endif
