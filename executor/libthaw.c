/*
 * libthaw.c - the interface's calls that run functions in this process; any thread.
 * See libthaw.h, and engine.h for what is behind them. Those that talk to a server
 * are in client/client.c.
 */
#include "executor/libthaw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hot.h"
#include "executor/engine.h"
#include "executor/function.h"
#include "executor/host/host_call.h"
#include "executor/invoke.h"
#include "executor/thaw_error.h"
#include "executor/typed/values.h"
#include "guest/abi/thaw_typed.h"
#include "vm/poll_cores.h"

_Static_assert(THAW_POLLING_CORES_DEFAULT == POLL_CORES_DEFAULT, "one default");

/*
 * Programs have these sizes compiled in: they stay as long as the soname does. See
 * docs/embedding.md.
 */
_Static_assert(sizeof(struct thaw_error) == 1024 &&
		       sizeof(struct thaw_options) == 48 &&
		       sizeof(struct thaw_attribute) == 16 &&
		       sizeof(struct thaw_invoke_request) == 120 &&
		       sizeof(struct thaw_reply) == 2536 &&
		       sizeof(struct thaw_stats) == 120 &&
		       sizeof(struct thaw_client_reply) == 2408 &&
		       sizeof(struct thaw_value) == 24 &&
		       sizeof(struct thaw_typed_call) == 72,
	       "the ABI of libthaw.so.0");

static struct engine_options
engine_options_of(const struct thaw_options *options)
{
	struct engine_options all = { .log = NULL };

	if (options) {
		all.log = options->log;
		all.log_cookie = options->log_cookie;
		all.host_functions = options->host_functions;
		all.host_function_count = options->host_function_count;
		all.state_dir = options->state_dir;
		all.state_max = options->state_max;
	}
	return all;
}

/* Says why there is no state directory, if there should be one. */
static void log_no_store(const struct thaw_options *options,
			 const struct thaw *thaw)
{
	const char *why = engine_no_store(thaw);

	if (why && options && options->log)
		options->log(options->log_cookie, "", THAW_LOG_WARN, why,
			     strlen(why));
}

int thaw_open(const char *path, const struct thaw_options *options,
	      struct thaw_error *error, struct thaw **ret_thaw)
{
	const struct engine_options all = engine_options_of(options);
	int r = engine_open(path, &all, error, ret_thaw);

	if (!r)
		log_no_store(options, *ret_thaw);
	return r;
}

int thaw_open_text(const char *text, size_t size, const char *name,
		   const struct thaw_options *options, struct thaw_error *error,
		   struct thaw **ret_thaw)
{
	const struct engine_options all = engine_options_of(options);
	int r = engine_open_text(text, size, name, &all, error, ret_thaw);

	if (!r)
		log_no_store(options, *ret_thaw);
	return r;
}

void thaw_close(struct thaw *thaw)
{
	engine_close(thaw);
}

int thaw_deploy(struct thaw *thaw, const char *function,
		struct thaw_error *error)
{
	struct function *deployed;

	return engine_deploy(thaw, function, thaw_error_inner(error),
			     &deployed);
}

HOT int thaw_invoke(struct thaw *thaw, const char *function,
		    const struct thaw_invoke_request *request,
		    struct thaw_error *error, struct thaw_reply *ret_reply)
{
	struct function *deployed;
	int r = engine_deploy(thaw, function, thaw_error_inner(error),
			      &deployed);

	return r ? r :
		   invoke(deployed, request, thaw_error_inner(error),
			  ret_reply);
}

int thaw_call(struct thaw *thaw, const char *function,
	      const struct thaw_typed_call *call, struct thaw_error *error,
	      struct thaw_reply *ret_reply, struct thaw_value *ret_value)
{
	const struct typed_values values = {
		.name = call->name,
		.values = call->arguments,
		.count = call->count,
		.returns = call->returns,
	};
	struct thaw_invoke_request request = { .data = NULL };
	struct error *err = thaw_error_inner(error);
	struct function *deployed;
	void *message;
	size_t size;
	int r = engine_deploy(thaw, function, err, &deployed);

	if (!r && !deployed->is_typed)
		r = error_set(err, -EPROTO,
			      "function %s has no typed functions", function);
	if (!r)
		r = typed_values_pack(&values, err, &message, &size);
	if (r)
		return r;
	if (call->request)
		request = *call->request;
	request.data = message;
	request.size = size;
	request.content_type = THAW_TYPED_CONTENT_TYPE;
	r = invoke(deployed, &request, err, ret_reply);
	free(message);
	if (r)
		return r;
	ret_value->type = THAW_TYPE_NONE;
	if (ret_reply->result != THAW_OK)
		return 0;
	r = typed_values_unpack(ret_reply->data, ret_reply->size, err,
				ret_value);
	if (r)
		invoke_release(ret_reply);
	return r;
}

int thaw_start(struct thaw *thaw, const char *function,
	       const struct thaw_invoke_request *request,
	       struct thaw_error *error, struct thaw_reply *ret_reply)
{
	struct function *deployed;
	int r = engine_deploy(thaw, function, thaw_error_inner(error),
			      &deployed);

	return r ? r :
		   invoke_start(deployed, request, thaw_error_inner(error),
				ret_reply);
}

int thaw_poll(struct thaw_reply *reply, struct thaw_error *error)
{
	return invoke_poll(reply, thaw_error_inner(error));
}

int thaw_get_stats(struct thaw *thaw, const char *function,
		   struct thaw_error *error, struct thaw_stats *ret_stats)
{
	const struct function *deployed = engine_find(thaw, function);

	if (!deployed)
		return error_set(thaw_error_inner(error), -ENOENT,
				 "no function %s is deployed", function);
	function_get_stats(deployed, ret_stats);
	return 0;
}

void thaw_set_polling_cores(uint32_t count)
{
	poll_cores_set(count);
}

size_t thaw_trim(struct thaw *thaw, uint64_t idle_ns)
{
	return engine_trim(thaw, idle_ns);
}

int thaw_host_return(struct thaw_host_call *call,
		     const struct thaw_value *result)
{
	return host_call_return(host_call_of(call), result);
}

void thaw_host_fail(struct thaw_host_call *call, const char *message)
{
	host_call_fail(host_call_of(call), THAW_HOST_FAILED, "%s", message);
}

bool thaw_host_is_abandoned(const struct thaw_host_call *call)
{
	return host_call_is_abandoned(host_call_of(call));
}

HOT void thaw_reply_release(struct thaw_reply *reply)
{
	invoke_release(reply);
}

const char *thaw_version(void)
{
	return THAW_VERSION;
}
