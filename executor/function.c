/* function.c - deploys functions: load, boot, snapshot. See function.h. */
#include "executor/function.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/handler.h"
#include "executor/host_builtins.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/boot.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

static void function_log_line(void *cookie, enum thaw_level level,
			      const char *text, size_t size)
{
	const struct function *function = cookie;

	function->options.log(function->options.log_cookie,
			      function->spec->name, (enum thaw_level)level,
			      text, size);
}

/* What the image declares is what the guest has been made with. */
static int check_count(const struct function *function, struct error *err)
{
	const size_t count =
		declarations_total(image_functions(function->image));
	const size_t said = snapshot_function_count(function->snapshot);

	if (count == said)
		return 0;
	return error_set(err, -EPROTO,
			 "the image declares %zu typed functions, and the guest "
			 "says %zu",
			 count, said);
}

/* Puts together what the image declares and what init has registered. */
static int collect_functions(struct function *function, struct error *err)
{
	const struct declarations *declared = image_functions(function->image);
	struct declarations *functions = &function->functions;
	const struct thaw_function_entry *registered;
	size_t count;
	int r = declarations_copy(declared, err, functions);

	if (r)
		return r;
	registered = snapshot_registered(function->snapshot, &count);
	r = declarations_read(registered, count * sizeof(*registered),
			      "registered function", false, err, functions);
	if (r)
		return r == -ENOEXEC ? -EPROTO : r;
	if (functions->has_dispatch != declared->has_dispatch)
		return error_set(err, -EPROTO,
				 "a registered function is a dispatch "
				 "function: define it by THAW_DISPATCH");
	return 0;
}

static int choose_typed(struct function *function, struct error *err)
{
	int r = check_count(function, err);

	if (r)
		return r;
	function->is_typed = function->host_caller.is_typed = true;
	function->handler = THAW_HANDLER_TYPED;
	function->handler_name = "dispatch";
	return 0;
}

static int choose_handler(struct function *function, struct error *err)
{
	const struct snapshot *snapshot = function->snapshot;
	const struct declarations *functions = &function->functions;
	int index;

	if (handler_is_typed(function->spec, function->image, functions,
			     &function->typed_only))
		return choose_typed(function, err);
	index = snapshot_handler_count(snapshot) ?
			handler_of_snapshot(function->spec, snapshot, err) :
			handler_of_image(function->spec, function->image,
					 functions, err);
	if (index < 0)
		return index;
	/* a guest may say less than its image */
	if ((size_t)index >= snapshot_handler_count(snapshot))
		return error_set(err, -EPROTO, "the guest offers no handlers");
	function->handler = (uint32_t)index;
	function->handler_name = snapshot_handler_name(snapshot, (size_t)index);
	return 0;
}

static enum layout_control control_of(const struct catalog_function *spec)
{
	if (spec->dispatch == CATALOG_DISPATCH_EXIT)
		return LAYOUT_CONTROL_NONE;
	return spec->isolation == CATALOG_ISOLATION_COOPERATIVE ?
		       LAYOUT_CONTROL_USER :
		       LAYOUT_CONTROL_SUPERVISOR;
}

/*
 * How long vms wait at the gate. With dispatch "polled" they wait as long as that can
 * be of use; with "auto", while waiting takes less time than the exits it saves.
 */
static struct poll_rule rule_of(const struct function *function)
{
	const struct gate_facts *gate = &function->gate;
	struct poll_rule rule = {
		.enter_ns = POLL_WAIT_MAX_NS / 2,
		.leave_ns = POLL_WAIT_MAX_NS,
		.wait_min_ns = POLL_WAIT_MIN_NS,
		.wait_max_ns = POLL_WAIT_MAX_NS,
		.spin_ns = POLL_SPIN_NS,
	};

	if (function->spec->dispatch == CATALOG_DISPATCH_AUTO) {
		rule.enter_ns = gate->saving_ns;
		rule.leave_ns = 2 * gate->saving_ns;
	} else if (function->options.poll_wait_ns) {
		rule = POLL_RULE_ALWAYS(function->options.poll_wait_ns);
	}
	return rule;
}

/* Without a gate the function is dispatched by exits; no_gate says why. */
static void choose_gate(struct function *function)
{
	const struct catalog_function *spec = function->spec;
	struct poll_rule rule;
	struct error why;

	if (spec->dispatch == CATALOG_DISPATCH_EXIT)
		return;
	if (gate_try(function->snapshot,
		     spec->isolation == CATALOG_ISOLATION_COOPERATIVE, &why,
		     &function->gate)) {
		function->gate.gate = VM_GATE_NONE;
		memcpy(function->no_gate, why.message, sizeof(why.message));
		return;
	}
	rule = rule_of(function);
	snapshot_set_gate(function->snapshot, function->gate.gate, &rule);
}

/* During the boot all of the function's memory counts, since it may use it. */
static int function_boot(struct function *function,
			 const struct snapshot_options *options,
			 struct error *err)
{
	struct memory_budget *budget = function->options.memory;
	const size_t size = function->spec->memory;
	int r = memory_budget_boot(budget, size, &options->pause, err);

	if (r)
		return r;
	r = snapshot_create(function->image, options, err, &function->snapshot);
	if (!r)
		function->kept = snapshot_bytes(function->snapshot);
	if (function->kept > size)
		function->kept = size;
	memory_budget_booted(budget, size, function->kept);
	return r;
}

static int allow_function(struct function *function, const char *name,
			  struct error *err)
{
	const struct host_functions *given = function->options.host;
	const struct host_function *found =
		given ? host_functions_find(given, name) : NULL;

	if (!found)
		found = host_builtin_find(name);
	if (!found)
		return host_builtin_not_found(given, name, err);
	if (host_functions_add(&function->host, found))
		return error_set(err, -ENOMEM, "no memory for host functions");
	return 0;
}

/* Finds the host functions that it may call, and compares its imports with them. */
static int bind_host(struct function *function, struct error *err)
{
	const struct catalog_host *host = &function->spec->host;
	char name[THAW_NAME_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < host->allow_count; i++) {
		/* "invoke:NAME" is about `invoke` */
		snprintf(name, sizeof(name), "%.*s",
			 (int)strcspn(host->allow[i], ":"), host->allow[i]);
		r = allow_function(function, name, err);
	}
	if (!r)
		r = host_functions_bind(&function->host,
					image_imports(function->image), err);
	if (r || !function->options.host_threads)
		return r;
	function->host_caller.threads = function->options.host_threads;
	function->host_caller.share = offload_share_create();
	return function->host_caller.share ?
		       0 :
		       error_set(err, -ENOMEM, "no memory for host functions");
}

/* What the guest does itself, unless the program offers a function of that name. */
static uint32_t host_local_of(const struct function *function)
{
	uint32_t local = 0;

	if (host_builtin_is(&function->host, "print"))
		local |= THAW_HOST_LOCAL_PRINT;
	if (host_builtin_is(&function->host, "log"))
		local |= THAW_HOST_LOCAL_LOG;
	return local;
}

static int deploy_parts(struct function *function, struct error *err)
{
	const struct catalog_function *spec = function->spec;
	struct snapshot_options options = {
		.layout = { .memory_size = spec->memory,
			    .stack_size = spec->stack,
			    .request_size = spec->max_request,
			    .reply_size = spec->max_reply,
			    .result_size =
				    catalog_host_result_size(&spec->host),
			    .control = control_of(spec) },
		.init_timeout_ns = spec->init_timeout_ns,
		.environment = spec->environment,
		.dirty = function->options.dirty,
		.remap = function->options.remap,
		.log = function->log,
		.pause = function->options.pause,
	};
	const struct pool_config pool = {
		.max = spec->concurrency.max,
		.warm = spec->concurrency.warm,
		.queue = function->options.any_queue ? SIZE_MAX :
						       spec->concurrency.queue,
		.queue_timeout_ns = spec->concurrency.queue_timeout_ns,
		.memory = function->options.memory,
		.pause = function->options.pause,
		.verify = function->options.verify,
	};
	int r;

	r = image_open(spec->image, err, &function->image);
	if (!r)
		r = bind_host(function, err);
	options.host_local = host_local_of(function);
	if (!r)
		r = function_boot(function, &options, err);
	if (!r)
		r = collect_functions(function, err);
	if (!r)
		r = choose_handler(function, err);
	if (!r)
		choose_gate(function);
	if (!r)
		r = pool_create(function->snapshot, &pool, err,
				&function->pool);
	return r;
}

int function_deploy(const struct catalog_function *spec,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function)
{
	struct function *function = calloc(1, sizeof(*function));
	uint64_t start = clock_now_ns();
	int r;

	if (!function)
		return error_set(err, -ENOMEM, "no memory for a function");
	function->spec = spec;
	function->options = *options;
	function->host_caller.spec = spec;
	function->host_caller.invoker = options->invoker;
	if (options->log)
		function->log = (struct guest_log){ function_log_line, function,
						    spec->log_level };
	r = deploy_parts(function, err);
	if (r) {
		function_free(function);
		return error_prefix(err, r, "function %s", spec->name);
	}
	function->deploy_ns = clock_now_ns() - start;
	*ret_function = function;
	return 0;
}

void function_get_stats(const struct function *function,
			struct thaw_stats *ret_stats)
{
	const struct function_counts *counts = &function->counts;

	*ret_stats = (struct thaw_stats){
		.dispatch = catalog_dispatch_name(function->spec->dispatch),
		.isolation = catalog_isolation_name(function->spec->isolation),
		.gate = gate_name(function->gate.gate),
		.no_gate = function->no_gate,
		.is_polled = atomic_load(&counts->is_polled),
		.polled = atomic_load(&counts->polled),
		.exited = atomic_load(&counts->exited),
		.no_core = atomic_load(&counts->no_core),
		.to_polled = atomic_load(&counts->to_polled),
		.to_exit = atomic_load(&counts->to_exit),
		.saving_ns = function->gate.saving_ns,
	};
}

void function_free(struct function *function)
{
	if (!function)
		return;
	pool_free(function->pool);
	snapshot_free(function->snapshot);
	memory_budget_give(function->options.memory, function->kept);
	declarations_done(&function->functions);
	image_close(function->image);
	host_functions_done(&function->host);
	offload_share_release(function->host_caller.share);
	free(function);
}
