/* fake_engine.c - vms, runs and threads that a test plays. See fake_engine.h. */
#include "tests/unit/fake_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/invoke.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "executor/server/invocation.h"
#include "executor/server/server_limits.h"
#include "tests/unit/require.h"

enum fake_state {
	FAKE_NONE,
	FAKE_UNMADE,
	FAKE_MAKING,
	FAKE_IDLE,
	FAKE_OUT
};

struct vm {
	struct pool *pool;
	enum fake_state state;
	const struct pool_waiter *promised; /* served, and it has not begun */
	/* Of its run. */
	const char *script, *script_end; /* NULL: none */
	uint64_t wake_ns;
	char name[16];
};

struct pool {
	struct vm vms[FAKE_VMS_MAX];
	struct pool_waiter *first, **last;
};

struct fake_engine fake_engine;

void fake_engine_reset(void)
{
	memset(&fake_engine, 0, sizeof(fake_engine));
	fake_engine.offload.last = &fake_engine.offload.first;
	fake_engine.offload.place = FAKE_ON_OFFLOAD;
	fake_engine.builders.last = &fake_engine.builders.first;
	fake_engine.builders.place = FAKE_ON_BUILDER;
	fake_engine.place = '0';
}

/* ---- the trace ---- */

static void add_text(const char *text)
{
	const size_t used = strlen(fake_engine.trace);

	snprintf(fake_engine.trace + used, sizeof(fake_engine.trace) - used,
		 "%s%s", used ? ", " : "", text);
}

void fake_note(const char *verb, const char *name)
{
	char text[64];

	if (!*name)
		return;
	snprintf(text, sizeof(text), "%s %s@%c", verb, name, fake_engine.place);
	add_text(text);
}

static void note_slice(const char *verb, const char *name, uint64_t slice_ns)
{
	char text[64];

	if (!*name)
		return;
	snprintf(text, sizeof(text), "%s %s@%c %lluus", verb, name,
		 fake_engine.place, (unsigned long long)slice_ns / NS_PER_US);
	add_text(text);
}

const char *fake_trace(void)
{
	static char text[sizeof(fake_engine.trace)];

	memcpy(text, fake_engine.trace, sizeof(text));
	*fake_engine.trace = '\0';
	return text;
}

/* ---- offload pools: work runs when the test says so ---- */

bool offload_push(struct offload_pool *offload, struct offload_share *share,
		  struct offload_work *work)
{
	(void)share;
	REQUIRE(work->run);
	work->next = NULL;
	*offload->last = work;
	offload->last = &work->next;
	return true;
}

bool fake_offload_run(struct offload_pool *offload)
{
	struct offload_work *work = offload->first;
	const char place = fake_engine.place;

	if (!work)
		return false;
	offload->first = work->next;
	if (!offload->first)
		offload->last = &offload->first;
	fake_engine.place = offload->place;
	work->run(work);
	fake_engine.place = place;
	return true;
}

bool offload_is_waiting(struct offload_pool *offload,
			const struct offload_share *share)
{
	(void)offload;
	(void)share;
	return fake_engine.others_wait;
}

struct offload_share *offload_share_create(void)
{
	return NULL;
}

void offload_share_release(struct offload_share *share)
{
	(void)share;
}

int offload_pool_create(const struct offload_config *config, struct error *err,
			struct offload_pool **ret_pool)
{
	(void)config;
	(void)err;
	(void)ret_pool;
	return -ENOSYS;
}

void offload_count(struct offload_pool *offload, unsigned *ret_threads,
		   unsigned *ret_busy)
{
	(void)offload;
	*ret_threads = *ret_busy = 0;
}

void offload_pool_free(struct offload_pool *offload)
{
	(void)offload;
}

/* ---- pools of vms ---- */

struct pool *fake_pool_create(unsigned idle, unsigned unmade)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	REQUIRE(pool && idle + unmade <= FAKE_VMS_MAX);
	pool->last = &pool->first;
	for (unsigned i = 0; i < idle + unmade; i++) {
		pool->vms[i].pool = pool;
		pool->vms[i].state = i < idle ? FAKE_IDLE : FAKE_UNMADE;
	}
	return pool;
}

bool fake_pool_is_quiet(const struct pool *pool)
{
	for (unsigned i = 0; i < FAKE_VMS_MAX; i++)
		if (pool->vms[i].state == FAKE_OUT ||
		    pool->vms[i].state == FAKE_MAKING)
			return false;
	return !pool->first;
}

void fake_pool_free(struct pool *pool)
{
	REQUIRE(!pool || fake_pool_is_quiet(pool));
	free(pool);
}

unsigned fake_pool_waiting(const struct pool *pool)
{
	unsigned count = 0;

	for (const struct pool_waiter *w = pool->first; w; w = w->next)
		count++;
	return count;
}

static struct vm *find_vm(struct pool *pool, enum fake_state state)
{
	for (unsigned i = 0; i < FAKE_VMS_MAX; i++)
		if (pool->vms[i].state == state)
			return &pool->vms[i];
	return NULL;
}

struct vm *fake_pool_hold(struct pool *pool)
{
	struct vm *vm = find_vm(pool, FAKE_IDLE);

	REQUIRE(vm);
	vm->state = FAKE_OUT;
	return vm;
}

int pool_try(struct pool *pool, struct pool_waiter *waiter, struct error *err,
	     struct vm **ret_vm)
{
	struct vm *vm = find_vm(pool, FAKE_IDLE);

	(void)err;
	*ret_vm = vm;
	if (vm) {
		vm->state = FAKE_OUT;
		return 0;
	}
	vm = find_vm(pool, FAKE_UNMADE);
	if (vm) {
		vm->state = FAKE_MAKING;
		return 0;
	}
	waiter->next = NULL;
	waiter->is_served = false;
	*pool->last = waiter;
	pool->last = &waiter->next;
	return -EAGAIN;
}

int pool_try_growing(struct pool *pool, struct pool_waiter *waiter,
		     struct error *err, struct vm **ret_vm)
{
	const int r = pool_try(pool, waiter, err, ret_vm);

	if (!fake_engine.grows || r || *ret_vm)
		return r;
	waiter->next = NULL;
	waiter->is_served = false;
	*pool->last = waiter;
	pool->last = &waiter->next;
	return -EINPROGRESS;
}

static bool is_promised(const struct pool *pool,
			const struct pool_waiter *waiter)
{
	for (unsigned i = 0; i < FAKE_VMS_MAX; i++)
		if (pool->vms[i].promised == waiter)
			return true;
	return false;
}

bool pool_leave(struct pool *pool, struct pool_waiter *waiter)
{
	struct pool_waiter **at = &pool->first;

	while (*at && *at != waiter)
		at = &(*at)->next;
	/* who leaves the line was in it */
	REQUIRE(*at || is_promised(pool, waiter));
	if (!*at)
		return false;
	*at = waiter->next;
	if (!*at)
		pool->last = at;
	return true;
}

/* @vm is free, or may be made, if its state says so: for the first in line. */
static void vm_is_back(struct vm *vm)
{
	struct pool *pool = vm->pool;
	struct pool_waiter *waiter = pool->first;

	REQUIRE(vm->state == FAKE_OUT || vm->state == FAKE_MAKING);
	vm->script = vm->script_end = NULL;
	vm->wake_ns = 0;
	vm->promised = NULL;
	if (!waiter) {
		vm->state = vm->state == FAKE_OUT ? FAKE_IDLE : FAKE_UNMADE;
		return;
	}
	pool->first = waiter->next;
	if (!pool->first)
		pool->last = &pool->first;
	vm->promised = waiter;
	waiter->is_served = true;
	waiter->vm = vm->state == FAKE_OUT ? vm : NULL;
	waiter->served(waiter);
}

void pool_give_back(struct pool *pool, struct vm *vm)
{
	if (!vm)
		vm = find_vm(pool, FAKE_MAKING);
	REQUIRE(vm && vm->pool == pool);
	vm_is_back(vm);
}

int pool_take(struct pool *pool, struct vm *vm, struct error *err,
	      struct vm **ret_vm)
{
	if (vm) {
		*ret_vm = vm;
		return 0;
	}
	vm = find_vm(pool, FAKE_MAKING);
	REQUIRE(vm);
	if (fake_engine.take_result) {
		vm_is_back(vm);
		return error_set(err, fake_engine.take_result, "no vm");
	}
	vm->state = FAKE_OUT;
	*ret_vm = vm;
	return 0;
}

void pool_grow(struct pool *pool)
{
	struct vm *vm = find_vm(pool, FAKE_MAKING);

	REQUIRE(vm);
	if (!fake_engine.take_result && pool->first) {
		vm->state = FAKE_OUT;
		pool->first->is_new = true;
	}
	vm_is_back(vm);
}

size_t pool_warm_up(struct pool *pool)
{
	(void)pool;
	return 0;
}

void pool_count(struct pool *pool, unsigned *ret_idle, unsigned *ret_busy,
		unsigned *ret_waiting)
{
	(void)pool;
	*ret_idle = *ret_busy = *ret_waiting = 0;
}

int pool_create(struct snapshot *snapshot, const struct pool_config *config,
		struct error *err, struct pool **ret_pool)
{
	(void)snapshot;
	(void)config;
	(void)err;
	(void)ret_pool;
	return -ENOSYS;
}

void pool_free(struct pool *pool)
{
	(void)pool;
}

struct vm *pool_acquire_idle(struct pool *pool)
{
	(void)pool;
	return NULL;
}

int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	(void)pool;
	(void)err;
	(void)ret_vm;
	return -ENOSYS;
}

void pool_release(struct pool *pool, struct vm *vm, bool clean,
		  const struct vm_moment *now, struct restore_stats *ret_stats)
{
	(void)pool;
	(void)vm;
	(void)clean;
	(void)now;
	(void)ret_stats;
}

bool pool_free_oldest(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	(void)pool;
	(void)warm_too;
	(void)before_ns;
	return false;
}

size_t pool_list_idle(struct pool *pool, bool warm_too, uint64_t *ret_since_ns,
		      size_t count)
{
	(void)pool;
	(void)warm_too;
	(void)ret_since_ns;
	(void)count;
	return 0;
}

size_t pool_shrink(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	(void)pool;
	(void)warm_too;
	(void)before_ns;
	return 0;
}

size_t pool_trim(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	(void)pool;
	(void)warm_too;
	(void)before_ns;
	return 0;
}

/* ---- invocations ---- */

int invoke_request_check(const struct function *function,
			 const struct thaw_invoke_request *request,
			 struct error *err)
{
	(void)function;
	(void)request;
	if (fake_engine.check_result)
		return error_set(err, fake_engine.check_result, "no request");
	return 0;
}

static bool has_script(const struct thaw_invoke_request *request)
{
	return request->content_type &&
	       !strcmp(request->content_type, FAKE_SCRIPT);
}

int invoke_typed_make(const struct function *function,
		      const struct thaw_invoke_request *request,
		      struct error *err, struct thaw_reply *ret_reply)
{
	struct typed_call *call = &invoke_state(ret_reply)->typed;

	*call = (struct typed_call){ .function = NULL };
	if (!function->is_typed)
		return 0;
	fake_note("call", has_script(request) ? request->id : "");
	if (fake_engine.call_result)
		return error_set(err, fake_engine.call_result, "no call");
	fake_engine.calls++;
	call->memory = malloc(1);
	REQUIRE(call->memory);
	return 0;
}

void invoke_typed_drop(struct thaw_reply *reply)
{
	struct typed_call *call = &invoke_state(reply)->typed;

	fake_engine.calls -= call->memory != NULL;
	free(call->memory);
	call->memory = NULL;
}

size_t invoke_typed_memory(const struct function *function,
			   const struct thaw_invoke_request *request)
{
	return function->is_typed ? 2 * request->size : 0;
}

bool invoke_typed_is_due(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);

	return state->vm && state->function->is_typed &&
	       reply->result == THAW_OK && !state->typed.has_result;
}

void invoke_typed_take(struct thaw_reply *reply)
{
	struct typed_call *call = &invoke_state(reply)->typed;
	const char *text = reply->data;

	fake_note("take", invoke_state(reply)->vm->name);
	invoke_typed_drop(reply);
	call->has_result = true;
	call->memory = malloc(reply->size);
	REQUIRE(call->memory);
	memcpy(call->memory, text, reply->size);
	reply->data = call->memory;
}

void *invoke_typed_take_memory(struct thaw_reply *reply)
{
	struct typed_call *call = &invoke_state(reply)->typed;
	void *memory = call->has_result ? call->memory : NULL;

	if (memory)
		call->memory = NULL;
	return memory;
}

/* The request is read, to its last byte. */
static void read_request(const struct thaw_invoke_request *request)
{
	const char *data = request->data;
	size_t sum = request->id ? strlen(request->id) : 0;

	for (size_t i = 0; i < request->size; i++)
		sum += (unsigned char)data[i];
	fake_engine.sum += sum;
}

static void burn(void)
{
	const uint64_t until_ns =
		clock_read_ns(CLOCK_THREAD_CPUTIME_ID) + fake_engine.burn_ns;

	while (clock_read_ns(CLOCK_THREAD_CPUTIME_ID) < until_ns)
		;
}

static int end_run(struct thaw_reply *reply, size_t size)
{
	static const char data[SERVER_INLINE_BYTES + 1];

	read_request(invoke_state(reply)->request);
	reply->result = THAW_OK;
	reply->data = data;
	reply->size = size;
	strcpy(reply->content_type, "text/plain");
	reply->run_ns = clock_now_ns() - invoke_state(reply)->start_ns;
	fake_engine.running--;
	return 1;
}

static int fail_run(struct thaw_reply *reply, struct error *err)
{
	fake_engine.running--;
	invoke_typed_drop(reply);
	vm_is_back(invoke_state(reply)->vm);
	return error_set(err, -EIO, "the engine has failed");
}

/* One slice, or one look, of a run with a script. */
static int take_step(struct thaw_reply *reply, struct error *err)
{
	struct vm *vm = invoke_state(reply)->vm;
	const char step = vm->script < vm->script_end ? *vm->script : 'e';

	vm->wake_ns = 0;
	if (step == 'o' && !fake_engine.polls_end)
		return 0;
	vm->script++;
	switch (step) {
	case '#':
		burn();
		return 0;
	case '.':
		return 0;
	case 'p':
		invoke_state(reply)->is_polled = true;
		return 0;
	case 'z':
		vm->wake_ns = clock_now_ns() + FAKE_SLEEP_NS;
		return 0;
	case '!':
		return fail_run(reply, err);
	default:
		return end_run(reply, step == 'L' ? SERVER_INLINE_BYTES + 1 :
				      step == 'T' ? SERVER_INLINE_TYPED + 1 :
						    INVOCATION_SMALL);
	}
}

int invoke_on(struct function *function, struct vm *vm,
	      const struct thaw_invoke_request *request, uint64_t queued_ns,
	      uint64_t slice_ns, struct error *err,
	      struct thaw_reply *ret_reply)
{
	const bool is_scripted = has_script(request);
	const struct typed_call call = invoke_state(ret_reply)->typed;

	(void)queued_ns;
	REQUIRE(vm && vm->pool == function->pool && vm->state == FAKE_OUT);
	vm->promised = NULL;
	vm->script = is_scripted ? request->data : NULL;
	vm->script_end = is_scripted ? vm->script + request->size : NULL;
	snprintf(vm->name, sizeof(vm->name), "%s",
		 is_scripted ? request->id : "");
	memset(ret_reply, 0, sizeof(*ret_reply));
	if (function->is_typed)
		invoke_state(ret_reply)->typed = call;
	invoke_state(ret_reply)->function = function;
	invoke_state(ret_reply)->vm = vm;
	invoke_state(ret_reply)->request = request;
	invoke_state(ret_reply)->is_polled = !is_scripted &&
					     fake_engine.is_polled;
	invoke_state(ret_reply)->start_ns = clock_now_ns();
	fake_engine.running++;
	note_slice("begin", vm->name, slice_ns);
	read_request(request);
	return is_scripted ? take_step(ret_reply, err) : 0;
}

static int end_plain(struct thaw_reply *reply)
{
	return end_run(reply, fake_engine.reply_size ? fake_engine.reply_size :
						       3 * INVOCATION_SMALL);
}

int invoke_more(struct thaw_reply *reply, uint64_t slice_ns, struct error *err)
{
	struct vm *vm = invoke_state(reply)->vm;

	REQUIRE(vm->state == FAKE_OUT);
	if (!vm->script)
		return slice_ns == SERVER_OFFLOAD_SLICE_NS ? end_plain(reply) :
							     0;
	note_slice("more", vm->name, slice_ns);
	return take_step(reply, err);
}

int invoke_poll(struct thaw_reply *reply, struct error *err)
{
	struct vm *vm = invoke_state(reply)->vm;

	REQUIRE(vm->state == FAKE_OUT);
	if (!vm->script)
		return fake_engine.polls_end ? end_plain(reply) : 0;
	return take_step(reply, err);
}

int invoke_wait(struct thaw_reply *reply, struct error *err)
{
	(void)err;
	return end_plain(reply);
}

uint64_t invoke_wake_ns(const struct thaw_reply *reply)
{
	return invoke_state(reply)->vm->wake_ns;
}

size_t invoke_restore_bytes(const struct thaw_reply *reply)
{
	REQUIRE(invoke_state(reply)->vm->state == FAKE_OUT);
	return fake_engine.restore_bytes;
}

void invoke_release(struct thaw_reply *reply)
{
	struct vm *vm = invoke_state(reply)->vm;

	fake_note("restore", vm->name);
	invoke_typed_drop(reply);
	vm_is_back(vm);
}

int invoke(struct function *function, const struct thaw_invoke_request *request,
	   struct error *err, struct thaw_reply *ret_reply)
{
	(void)function;
	(void)request;
	(void)err;
	(void)ret_reply;
	return -ENOSYS;
}

int invoke_start_slice(struct function *function,
		       const struct thaw_invoke_request *request,
		       uint64_t slice_ns, struct error *err,
		       struct thaw_reply *ret_reply)
{
	(void)slice_ns;
	return invoke(function, request, err, ret_reply);
}

int invoke_start(struct function *function,
		 const struct thaw_invoke_request *request, struct error *err,
		 struct thaw_reply *ret_reply)
{
	(void)function;
	(void)request;
	(void)err;
	(void)ret_reply;
	return -ENOSYS;
}
