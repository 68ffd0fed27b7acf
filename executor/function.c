/* function.c - deploys functions: load, boot, snapshot. See function.h. */
#include "executor/function.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/function_base.h"
#include "executor/function_layer.h"
#include "executor/function_store.h"
#include "executor/handler.h"
#include "executor/host_builtins.h"
#include "executor/image_cache.h"
#include "executor/snapshot_key.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/boot.h"
#include "snapshot/learned.h"
#include "snapshot/tracker.h"
#include "vm/image/image_declarations.h"
#include "vm/poll_cores.h"

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
 * be of use; with "auto", while waiting takes less time than the exits it saves, and on
 * cores that no worker needs.
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
		rule.is_spare = true;
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
	if (function->program) {
		snprintf(function->no_gate, sizeof(function->no_gate),
			 "Linux programs are dispatched by exits");
		return;
	}
	/* if there is no core at all, gate_try() says so */
	if (spec->dispatch == CATALOG_DISPATCH_AUTO && poll_cores() &&
	    !poll_cores_spare()) {
		snprintf(function->no_gate, sizeof(function->no_gate),
			 "no core is spare: with dispatch auto, vms wait only on "
			 "CPUs beside one for each worker (--workers)");
		return;
	}
	if (gate_try(function->tracker, spec->memory,
		     spec->isolation == CATALOG_ISOLATION_COOPERATIVE, &why,
		     &function->gate)) {
		function->gate.gate = VM_GATE_NONE;
		memcpy(function->no_gate, why.message, sizeof(why.message));
		return;
	}
	rule = rule_of(function);
	snapshot_set_gate(function->snapshot, function->gate.gate, &rule);
}

static struct function_base_of base_of(const struct function *function)
{
	return (struct function_base_of){
		.spec = function->spec,
		.image = function->image,
		.store = function->options.store,
		.memory = function->options.memory,
	};
}

/* A function_answerer's. */
static int answer_init(void *cookie, struct snapshot *base, struct error *err,
		       struct snapshot **ret_snapshot)
{
	const struct function *function = cookie;

	return function->options.answer_init(function->spec, &function->options,
					     base, err, ret_snapshot);
}

/* Goes on from the base, which is open, or has the store do so. */
static int make_layer(struct function *function,
		      const struct snapshot_options *options, struct error *err)
{
	const struct function_base_of of = base_of(function);
	const struct function_answerer answerer = { answer_init, function };
	struct function_layer layer;
	int r = function_layer_make(&of, function->base, options, &answerer,
				    err, &layer);

	if (r)
		return r;
	function->snapshot = layer.snapshot;
	function->is_stored = layer.is_stored;
	function->writing = layer.writing;
	if (!layer.is_stored && function->options.store)
		function->not_stored = layer.not_stored;
	return 0;
}

/* Boots the image, or has the store do so if it has no snapshot of it. */
static int make_snapshot(struct function *function,
			 const struct snapshot_options *options,
			 struct error *err)
{
	const struct function_store_of of = { function->spec->name,
					      function->spec->image };
	struct error why = { "" };
	int r;

	if (function->base)
		return make_layer(function, options, err);
	if (!function->options.store)
		return snapshot_create(function->image, options, err,
				       &function->snapshot);
	r = function_store_snapshot(function->options.store, &of,
				    function->image, options, err, &why,
				    &function->is_stored, &function->writing,
				    &function->snapshot);
	if (!r && !function->is_stored)
		function->not_stored = why;
	return r;
}

static int make_program(struct function *function,
			const struct snapshot_options *options,
			struct error *err)
{
	struct function_linux_start start = {
		.trace = function->options.trace,
		.seen = function->options.seen,
		.memory = function->options.memory,
		.store = function->options.store,
	};
	int r = function_linux_boot(function->spec, &start, options, err,
				    &function->program, &function->snapshot);

	function->writing = start.writing;
	function->is_stored = start.is_stored;
	if (!r)
		function->handler_name = "main";
	if (!r && *start.why.message && !start.is_stored)
		function->not_stored = start.why;
	return r;
}

/* During the boot all of the function's memory counts, since it may use it. */
static int function_boot(struct function *function,
			 const struct snapshot_options *options,
			 struct error *err)
{
	struct memory_budget *budget = function->options.memory;
	const size_t size = function->spec->memory;
	int r;

	function->kept = memory_kept_create(budget);
	if (!function->kept)
		return error_set(err, -ENOMEM, "no memory for a function");
	if (function->spec->base) {
		const struct function_base_of of = base_of(function);

		r = function_base_open(&of, options, err, &function->base);
		if (r)
			return r;
	}
	r = memory_budget_boot(budget, size, &options->pause, err);
	if (r)
		return r;
	if (function->options.no_store)
		error_set(&function->not_stored, 0, "%s",
			  function->options.no_store);
	r = function->image ? make_snapshot(function, options, err) :
			      make_program(function, options, err);
	memory_kept_booted(function->kept, size,
			   r ? 0 : snapshot_bytes(function->snapshot));
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

/* Opens the image, and has @options say what the guest may call. */
static int open_image(struct function *function,
		      struct snapshot_options *options, struct error *err)
{
	int r = image_cache_open(function->spec->image, err, &function->image);

	if (!r)
		r = bind_host(function, err);
	options->host_local = host_local_of(function);
	return r;
}

/* Opens the image, boots it, and finds what it offers. */
static int deploy_image(struct function *function,
			struct snapshot_options *options, struct error *err)
{
	int r = open_image(function, options, err);

	if (!r && !function->is_borrowed)
		r = function_boot(function, options, err);
	if (!r)
		r = collect_functions(function, err);
	return r ? r : choose_handler(function, err);
}

/* How the function is booted, but for what its image and the tracker say. */
static struct snapshot_options options_of(const struct function *function)
{
	const struct catalog_function *spec = function->spec;

	return (struct snapshot_options){
		.layout = { .memory_size = spec->memory,
			    .stack_size = spec->stack,
			    .request_size = spec->max_request,
			    .reply_size = spec->max_reply,
			    .result_size =
				    catalog_host_result_size(&spec->host),
			    .control = control_of(spec) },
		.init_timeout_ns = spec->init_timeout_ns,
		.environment = spec->environment,
		.remap = function->options.remap,
		.log = function->log,
		.pause = function->options.pause,
	};
}

static int deploy_parts(struct function *function, struct error *err)
{
	const struct catalog_function *spec = function->spec;
	struct snapshot_options options = options_of(function);
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

	r = tracker_choose(function->options.dirty, &options.layout,
			   spec->kind == CATALOG_KIND_LINUX, err,
			   &function->tracker);
	if (r)
		return r;
	options.dirty = function->tracker;
	r = spec->kind == CATALOG_KIND_LINUX ?
		    function_boot(function, &options, err) :
		    deploy_image(function, &options, err);
	if (!r && !function->is_borrowed)
		choose_gate(function);
	if (!r)
		r = pool_create(function->snapshot, &pool, err,
				&function->pool);
	return r;
}

/* Over @snapshot; NULL: it has one of its own. */
static int deploy(const struct catalog_function *spec,
		  const struct function_options *options,
		  struct snapshot *snapshot, struct error *err,
		  struct function **ret_function)
{
	struct function *function = calloc(1, sizeof(*function));
	uint64_t start = clock_now_ns();
	int r;

	if (!function)
		return error_set(err, -ENOMEM, "no memory for a function");
	function->spec = spec;
	function->name_size = strlen(spec->name) + 1;
	function->options = *options;
	function->snapshot = snapshot;
	function->is_borrowed = snapshot;
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
	function->ahead_ns = snapshot_ahead_ns(function->snapshot);
	function_store_write(function->writing, function->kept);
	function->writing = NULL;
	function->deploy_ns = clock_now_ns() - start;
	*ret_function = function;
	return 0;
}

int function_deploy(const struct catalog_function *spec,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function)
{
	return deploy(spec, options, NULL, err, ret_function);
}

int function_deploy_over(const struct catalog_function *spec,
			 const struct function_options *options,
			 struct snapshot *snapshot, struct error *err,
			 struct function **ret_function)
{
	return deploy(spec, options, snapshot, err, ret_function);
}

void function_stored_done(struct function_stored *stored)
{
	declarations_done(&stored->functions);
	declarations_done(&stored->imports);
}

/* Of @function, which has its image. */
static bool find_stored(const struct function *function,
			const struct snapshot_options *boot,
			struct function_stored *stored)
{
	const struct image *image = function->image;
	const struct declaration *only;
	struct json_t *key = NULL;
	struct error err;
	bool has;

	/* handlers that only init knows cannot be told from mistakes */
	if (!handler_is_typed(function->spec, image, image_functions(image),
			      &only) &&
	    handler_of_image(function->spec, image, image_functions(image),
			     &err) < 0)
		return false;
	has = !snapshot_key_function(function->spec, image, boot, &err, &key) &&
	      function_store_has(function->options.store, key, &stored->bytes);
	snapshot_key_free(key);
	if (!has ||
	    declarations_copy(image_functions(image), &err,
			      &stored->functions) ||
	    declarations_copy(image_imports(image), &err, &stored->imports))
		return false;
	memcpy(stored->image_sha256, image_sha256(image),
	       sizeof(stored->image_sha256));
	return true;
}

bool function_find_stored(const struct catalog_function *spec,
			  const struct function_options *options,
			  struct function_stored *ret_stored)
{
	struct function *function;
	struct snapshot_options boot;
	struct error err;
	bool is_found;

	*ret_stored = (struct function_stored){ 0 };
	if (!options->store || spec->kind == CATALOG_KIND_LINUX)
		return false;
	function = calloc(1, sizeof(*function));
	if (!function)
		return false;
	function->spec = spec;
	function->options = *options;
	boot = options_of(function);
	is_found = !tracker_choose(options->dirty, &boot.layout, false, &err,
				   &boot.dirty) &&
		   !open_image(function, &boot, &err) &&
		   find_stored(function, &boot, ret_stored);
	function_free(function);
	if (!is_found) {
		function_stored_done(ret_stored);
		*ret_stored = (struct function_stored){ 0 };
	}
	return is_found;
}

int function_snapshot_key(const struct catalog_function *spec,
			  const struct function_options *options,
			  struct error *err, struct json_t **ret_key)
{
	struct function *function = calloc(1, sizeof(*function));
	struct snapshot_options boot;
	int r;

	if (!function)
		return error_set(err, -ENOMEM, "no memory for a function");
	function->spec = spec;
	function->options = *options;
	boot = options_of(function);
	r = tracker_choose(options->dirty, &boot.layout,
			   spec->kind == CATALOG_KIND_LINUX, err, &boot.dirty);
	if (!r && spec->kind == CATALOG_KIND_LINUX)
		r = snapshot_key_program(spec, &boot, err, ret_key);
	else if (!r)
		r = open_image(function, &boot, err);
	if (!r && function->image)
		r = snapshot_key_function(spec, function->image, &boot, err,
					  ret_key);
	function_free(function);
	return r ? error_prefix(err, r, "function %s", spec->name) : 0;
}

HOT void function_count(struct function *function, bool polled, bool is_refused)
{
	struct function_counts *counts = &function->counts;
	const memory_order relaxed = memory_order_relaxed;

	atomic_fetch_add_explicit(polled ? &counts->polled : &counts->exited, 1,
				  relaxed);
	if (!polled && is_refused)
		atomic_fetch_add_explicit(&counts->no_core, 1, relaxed);
	if (atomic_load_explicit(&counts->is_polled, relaxed) == polled)
		return;
	atomic_store_explicit(&counts->is_polled, polled, relaxed);
	atomic_fetch_add_explicit(polled ? &counts->to_polled :
					   &counts->to_exit,
				  1, relaxed);
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

/* Of a function that is stopped before its vms had run often enough. */
static void teach_store(const struct function *function)
{
	struct vm *vm = function->options.store && function->pool ?
				pool_acquire_idle(function->pool) :
				NULL;

	if (!vm)
		return;
	learned_tell_at_end(function->snapshot, vm);
	pool_give_back(function->pool, vm);
}

void function_free(struct function *function)
{
	if (!function)
		return;
	teach_store(function);
	pool_free(function->pool);
	function_linux_free(function->program);
	if (!function->is_borrowed)
		snapshot_free(function->snapshot);
	function_base_release(function->base);
	function_store_forget(function->writing);
	memory_kept_release(function->kept);
	declarations_done(&function->functions);
	image_close(function->image);
	host_functions_done(&function->host);
	offload_share_release(function->host_caller.share);
	free(function);
}
