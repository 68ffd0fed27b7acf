/*
 * callee.h - invocations that invoke other functions of the catalog, by the
 * host function `invoke`.
 */
#ifndef EXECUTOR_SERVER_CALLEE_H
#define EXECUTOR_SERVER_CALLEE_H

#include <stddef.h>

struct host_call;

/*
 * A host_invoker's invoke() for the invocations of a server: starts the invocation on
 * the worker of the caller, which rests meanwhile and keeps no thread. Any thread;
 * @cookie is NULL.
 */
void callee_invoke(void *cookie, struct host_call *call, const char *function,
		   const void *data, size_t size);

#endif
