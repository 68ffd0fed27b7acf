/*
 * host_builtins.c - see host_builtins.h. Each function runs on the thread that runs
 * its caller, and takes microseconds; its arguments are of the types that it declares.
 */
#include "executor/host_builtins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/error.h"
#include "base/similar.h"
#include "executor/catalog_function.h"
#include "executor/catalog_host.h"
#include "executor/host/host_call.h"
#include "executor/invoke_state.h"
#include "guest/abi/thaw_log.h"

static const struct host_caller *
builtin_caller(const struct thaw_host_call *given)
{
	return host_call_of(given)->facts;
}

/* The request of the invocation that calls. */
static const struct thaw_invoke_request *
builtin_request(const struct thaw_host_call *given)
{
	return invoke_state(host_call_of(given)->reply)->request;
}

static void return_text(struct thaw_host_call *given, const char *text)
{
	const struct thaw_value value = {
		.type = THAW_TYPE_STRING,
		.as.string = { text, strlen(text) },
	};

	host_call_return(host_call_of(given), &value);
}

static void return_bytes(struct thaw_host_call *given, const void *data,
			 size_t size)
{
	const struct thaw_value value = {
		.type = THAW_TYPE_BYTES,
		.as.bytes = { data, size },
	};

	host_call_return(host_call_of(given), &value);
}

/* Nanoseconds since 1970, UTC. */
static void call_time(void *cookie, struct thaw_host_call *given)
{
	const struct thaw_value value = {
		.type = THAW_TYPE_ULONG,
		.as.u64 = clock_read_ns(CLOCK_REALTIME),
	};

	(void)cookie;
	host_call_return(host_call_of(given), &value);
}

static void call_random(void *cookie, struct thaw_host_call *given)
{
	const uint32_t count = given->arguments[0].as.u32;
	uint8_t bytes[HOST_RANDOM_MAX];
	int r = 0;

	(void)cookie;
	for (size_t i = 0; !r && i < count && count <= sizeof(bytes);
	     i += ENTROPY_MAX)
		r = entropy_fill(bytes + i, count - i < ENTROPY_MAX ?
						    count - i :
						    ENTROPY_MAX);
	if (count > sizeof(bytes))
		host_call_fail(host_call_of(given), THAW_HOST_TOO_LARGE,
			       "%u random bytes; one call returns %d at most",
			       count, HOST_RANDOM_MAX);
	else if (r)
		host_call_fail(host_call_of(given), THAW_HOST_FAILED,
			       "the host has no random bytes");
	else
		return_bytes(given, bytes, count);
}

static void call_env(void *cookie, struct thaw_host_call *given)
{
	const char *name = given->arguments[0].as.string.data;
	const size_t size = given->arguments[0].as.string.size;
	char *const *at = builtin_caller(given)->spec->environment;

	(void)cookie;
	for (; at && *at && !strchr(name, '='); at++) {
		if (!strncmp(*at, name, size) && (*at)[size] == '=') {
			return_text(given, *at + size + 1);
			return;
		}
	}
	host_call_fail(host_call_of(given), THAW_HOST_FAILED,
		       "the catalog's environment has no %s", name);
}

static void call_config(void *cookie, struct thaw_host_call *given)
{
	const char *name = given->arguments[0].as.string.data;
	const char *json =
		catalog_host_config(&builtin_caller(given)->spec->host, name);

	(void)cookie;
	if (json)
		return_text(given, json);
	else
		host_call_fail(host_call_of(given), THAW_HOST_FAILED,
			       "the catalog's host.config has no %s", name);
}

/* A secret's bytes, as its file has them. */
static void call_secret(void *cookie, struct thaw_host_call *given)
{
	const char *name = given->arguments[0].as.string.data;
	const struct catalog_secret *secret =
		catalog_host_secret(&builtin_caller(given)->spec->host, name);

	(void)cookie;
	if (secret)
		return_bytes(given, secret->value, secret->size);
	else
		host_call_fail(host_call_of(given), THAW_HOST_FAILED,
			       "the catalog's host.secrets has no %s; an init "
			       "has none",
			       name);
}

/* The next bytes of what a handler has been sent; none at its end. */
static void call_read(void *cookie, struct thaw_host_call *given)
{
	const struct thaw_invoke_request *request = builtin_request(given);
	const size_t size = builtin_caller(given)->is_typed ? 0 : request->size;
	struct host_call *call = host_call_of(given);
	const size_t left = size - call->input_taken;
	const uint64_t wanted = given->arguments[0].as.u64;
	const struct thaw_value value = {
		.type = THAW_TYPE_BYTES,
		.as.bytes = { (const char *)request->data + call->input_taken,
			      wanted < left ? wanted : left },
	};

	(void)cookie;
	if (!host_call_return(call, &value))
		call->input_taken += value.as.bytes.size;
}

/* The guest itself does these: see THAW_HOST_LOCAL_PRINT. */
static void call_local(void *cookie, struct thaw_host_call *given)
{
	(void)cookie;
	host_call_fail(host_call_of(given), THAW_HOST_FAILED,
		       "log lines are written to THAW_GPA_LOG");
}

static void call_invoke(void *cookie, struct thaw_host_call *given)
{
	const struct host_invoker *invoker = &builtin_caller(given)->invoker;
	const char *name = given->arguments[0].as.string.data;
	const struct thaw_bytes *request = &given->arguments[1].as.bytes;
	struct host_call *call = host_call_of(given);

	(void)cookie;
	if (!catalog_host_allows_invoke(&builtin_caller(given)->spec->host,
					name))
		host_call_fail(call, THAW_HOST_NOT_FOUND,
			       "function %s: the catalog's host.allow lists "
			       "neither \"invoke:%s\" nor \"invoke\"",
			       name, name);
	else if (!invoker->invoke)
		host_call_fail(call, THAW_HOST_NOT_FOUND,
			       "functions cannot be invoked here");
	else if (call->depth >= HOST_INVOKE_DEPTH_MAX)
		host_call_fail(call, THAW_HOST_FAILED,
			       "function %s: %d calls of functions by functions "
			       "are under way already, which is the most",
			       name, HOST_INVOKE_DEPTH_MAX);
	else {
		invoker->invoke(invoker->cookie, call, name, request->data,
				request->size);
		return;
	}
	host_call_finish(call);
}

#define BUILTIN(name_, call_, run_, returns_, count_, ...) \
	{                                                  \
		.call = call_, .run = run_, .signature = { \
			.name = name_,                     \
			.returns = returns_,               \
			.count = count_,                   \
			.types = { __VA_ARGS__ }           \
		}                                          \
	}

/* In the order of their names. */
static struct host_function builtin_list[] = {
	BUILTIN("config", call_config, HOST_RUN_INLINE, THAW_TYPE_STRING, 1,
		THAW_TYPE_STRING),
	BUILTIN("env", call_env, HOST_RUN_INLINE, THAW_TYPE_STRING, 1,
		THAW_TYPE_STRING),
	BUILTIN("invoke", call_invoke, HOST_RUN_STARTED, THAW_TYPE_BYTES, 2,
		THAW_TYPE_STRING, THAW_TYPE_BYTES),
	BUILTIN("log", call_local, HOST_RUN_INLINE, THAW_TYPE_VOID, 2,
		THAW_TYPE_INT, THAW_TYPE_STRING),
	BUILTIN("print", call_local, HOST_RUN_INLINE, THAW_TYPE_INT, 1,
		THAW_TYPE_STRING),
	BUILTIN("random", call_random, HOST_RUN_INLINE, THAW_TYPE_BYTES, 1,
		THAW_TYPE_UINT),
	BUILTIN("read", call_read, HOST_RUN_INLINE, THAW_TYPE_BYTES, 1,
		THAW_TYPE_ULONG),
	BUILTIN("secret", call_secret, HOST_RUN_INLINE, THAW_TYPE_BYTES, 1,
		THAW_TYPE_STRING),
	BUILTIN("time", call_time, HOST_RUN_INLINE, THAW_TYPE_ULONG, 0, 0),
};

static const struct host_functions builtins = {
	builtin_list, sizeof(builtin_list) / sizeof(*builtin_list)
};

const struct host_function *host_builtin_find(const char *name)
{
	return host_functions_find(&builtins, name);
}

bool host_builtin_is(const struct host_functions *functions, const char *name)
{
	const struct host_function *function =
		host_functions_find(functions, name);
	const struct host_function *ours = host_builtin_find(name);

	return function && ours && function->call == ours->call;
}

static void try_names(struct similar *similar,
		      const struct host_functions *functions)
{
	for (size_t i = 0; functions && i < functions->count; i++) {
		const char *name = functions->list[i].signature.name;

		similar_try(similar, name, strlen(name));
	}
}

int host_builtin_not_found(const struct host_functions *given, const char *name,
			   struct error *err)
{
	struct similar similar = similar_to(name);

	try_names(&similar, &builtins);
	try_names(&similar, given);
	if (similar.name)
		return error_set(err, -ENOENT,
				 "host.allow lists \"%s\", and there is no such "
				 "host function: did you mean %s?",
				 name, similar.name);
	return error_set(err, -ENOENT,
			 "host.allow lists \"%s\", and there is no such host "
			 "function: neither thaw nor this program has one",
			 name);
}
