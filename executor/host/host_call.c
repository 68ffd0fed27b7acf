/* host_call.c - see host_call.h. */
#include "executor/host/host_call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "executor/host/host_function.h"

struct host_call *host_call_create(const char *caller, const char *id,
				   uint64_t deadline_ns, size_t max_size)
{
	struct host_call *call = calloc(1, sizeof(*call));
	pthread_condattr_t attributes;

	if (!call)
		return NULL;
	pthread_mutex_init(&call->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&call->finished, &attributes);
	pthread_condattr_destroy(&attributes);
	call->references = 1;
	call->max_size = max_size;
	snprintf(call->caller, sizeof(call->caller), "%s", caller);
	snprintf(call->id, sizeof(call->id), "%s", id);
	call->given.function = call->caller;
	call->given.id = call->id;
	call->given.deadline_ns = deadline_ns;
	return call;
}

struct host_call *host_call_hold(struct host_call *call)
{
	pthread_mutex_lock(&call->lock);
	call->references++;
	pthread_mutex_unlock(&call->lock);
	return call;
}

void host_call_release(struct host_call *call)
{
	bool is_last;

	if (!call)
		return;
	pthread_mutex_lock(&call->lock);
	is_last = !--call->references;
	pthread_mutex_unlock(&call->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&call->lock);
	pthread_cond_destroy(&call->finished);
	free(call->bytes);
	free(call->answer);
	free(call);
}

/* Makes *@memory, which has @capacity bytes, one of @size at least. */
static bool reserve(void **memory, size_t *capacity, size_t size)
{
	void *larger;

	if (size <= *capacity)
		return true;
	larger = realloc(*memory, size);
	if (!larger)
		return false;
	*memory = larger;
	*capacity = size;
	return true;
}

void host_call_fail(struct host_call *call, enum thaw_host_status status,
		    const char *format, ...)
{
	struct thaw_host_answer head = { .status = status };
	char text[HOST_MESSAGE_MAX];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	head.size = length < 0 ? 0 : (uint32_t)strlen(text);
	text_clean(text, head.size);
	call->answer_size = 0;
	if (!reserve(&call->answer, &call->answer_capacity,
		     sizeof(head) + sizeof(text)))
		return;
	memcpy(call->answer, &head, sizeof(head));
	memcpy((char *)call->answer + sizeof(head), text, head.size + 1);
	call->answer_size = sizeof(head) + head.size + 1;
}

static bool is_text(const struct thaw_text *text)
{
	return !text->size ||
	       (text->data && !memchr(text->data, '\0', text->size) &&
		text_is_utf8(text->data, text->size));
}

static int refuse_result(struct host_call *call, int r, const char *what)
{
	const enum thaw_host_status status = r == -E2BIG ? THAW_HOST_TOO_LARGE :
					     r == -ENOMEM ?
							   THAW_HOST_NO_MEMORY :
							   THAW_HOST_FAILED;

	host_call_fail(call, status, "host function %s: its result %s",
		       call->function->signature.name, what);
	return r;
}

int host_call_return(struct host_call *call, const struct thaw_value *result)
{
	const bool is_void = result->type == THAW_TYPE_VOID;
	const unsigned count = is_void ? 0 : 1;
	const size_t size = thaw_message_size(result, count, 0);
	struct thaw_host_answer answer = { .status = THAW_HOST_OK,
					   .size = (uint32_t)size };
	struct thaw_message head = { .kind = THAW_MESSAGE_RESULT };

	if (result->type != (enum thaw_type)call->function->signature.returns)
		return refuse_result(call, -EINVAL, "is of another type");
	if (result->type == THAW_TYPE_STRING && !is_text(&result->as.string))
		return refuse_result(call, -EINVAL,
				     "is not UTF-8, or has a zero in it");
	if (!size || size > call->max_size)
		return refuse_result(call, -E2BIG,
				     "is larger than host.max_size");
	if (!reserve(&call->answer, &call->answer_capacity,
		     sizeof(answer) + size))
		return refuse_result(call, -ENOMEM, "has no memory");
	memcpy(call->answer, &answer, sizeof(answer));
	thaw_message_write(&head, NULL, result, count,
			   (char *)call->answer + sizeof(answer));
	call->answer_size = sizeof(answer) + size;
	return 0;
}

static enum thaw_host_status refuse_call(struct host_call *call,
					 enum thaw_host_status status,
					 const char *why)
{
	host_call_fail(call, status, "%s", why);
	return status;
}

enum thaw_host_status host_call_read(struct host_call *call, const void *bytes,
				     size_t size)
{
	struct error err;

	if (size > call->max_size)
		return refuse_call(call, THAW_HOST_TOO_LARGE,
				   "the arguments are larger than "
				   "host.max_size");
	if (!reserve(&call->bytes, &call->capacity, size))
		return refuse_call(call, THAW_HOST_NO_MEMORY,
				   "the host has no memory for the arguments");
	if (size)
		memcpy(call->bytes, bytes, size);
	if (message_read(call->bytes, size, THAW_MESSAGE_CALL, &err,
			 &call->message) ||
	    call->message.head.function != THAW_FUNCTION_NAMED)
		return refuse_call(call, THAW_HOST_INVALID,
				   "the call is not valid");
	call->given.arguments = call->message.values;
	call->given.count = call->message.head.count;
	return THAW_HOST_OK;
}

static bool has_types(const struct declaration *signature,
		      const struct message *message)
{
	if (message->head.count != signature->count ||
	    (message->head.returns != THAW_TYPE_NONE &&
	     message->head.returns != signature->returns))
		return false;
	for (unsigned i = 0; i < signature->count; i++)
		if (message->values[i].type !=
		    (enum thaw_type)signature->types[i])
			return false;
	return true;
}

enum thaw_host_status host_call_choose(struct host_call *call,
				       const struct host_functions *allowed)
{
	const char *name = (const char *)call->bytes + call->message.head.name;
	char signature[DECLARATION_SIGNATURE_MAX];

	call->function = host_functions_find(allowed, name);
	if (!call->function) {
		host_call_fail(call, THAW_HOST_NOT_FOUND,
			       "no host function %s: the catalog's host.allow "
			       "does not list it",
			       name);
		return THAW_HOST_NOT_FOUND;
	}
	if (has_types(&call->function->signature, &call->message))
		return THAW_HOST_OK;
	host_call_fail(call, THAW_HOST_INVALID, "the host function is %s",
		       declaration_signature(&call->function->signature,
					     signature));
	return THAW_HOST_INVALID;
}

void host_call_begin(struct host_call *call)
{
	call->answer_size = 0;
	pthread_mutex_lock(&call->lock);
	call->state = HOST_CALL_PENDING;
	call->has_begun = true;
	pthread_mutex_unlock(&call->lock);
}

void host_call_queue(struct host_call *call)
{
	pthread_mutex_lock(&call->lock);
	call->has_begun = false;
	pthread_mutex_unlock(&call->lock);
}

bool host_call_take(struct host_call *call)
{
	bool is_wanted;

	pthread_mutex_lock(&call->lock);
	is_wanted = call->state == HOST_CALL_PENDING;
	call->has_begun = is_wanted;
	pthread_mutex_unlock(&call->lock);
	return is_wanted;
}

static void drop(void **memory, size_t *capacity)
{
	free(*memory);
	*memory = NULL;
	*capacity = 0;
}

void host_call_trim(struct host_call *call)
{
	if (call->capacity > HOST_KEPT_MAX)
		drop(&call->bytes, &call->capacity);
	if (call->answer_capacity > 2 * HOST_KEPT_MAX)
		drop(&call->answer, &call->answer_capacity);
}

static void host_call_require_answer(struct host_call *call)
{
	const struct thaw_value nothing = { .type = THAW_TYPE_VOID };

	if (call->answer_size)
		return;
	if (call->function->signature.returns == THAW_TYPE_VOID)
		host_call_return(call, &nothing);
	else
		host_call_fail(call, THAW_HOST_FAILED,
			       "host function %s has set no result",
			       call->function->signature.name);
}

void host_call_finish(struct host_call *call)
{
	void (*notify)(void *cookie);

	host_call_require_answer(call);
	pthread_mutex_lock(&call->lock);
	if (call->state == HOST_CALL_PENDING)
		call->state = HOST_CALL_FINISHED;
	notify = call->notify;
	call->notify = NULL;
	pthread_cond_signal(&call->finished);
	/* under the lock: who withdraws the notice must know that it came */
	if (notify)
		notify(call->notify_cookie);
	pthread_mutex_unlock(&call->lock);
}

static bool host_call_has(struct host_call *call, enum host_call_state state)
{
	bool has;

	pthread_mutex_lock(&call->lock);
	has = call->state == state;
	pthread_mutex_unlock(&call->lock);
	return has;
}

bool host_call_is_finished(struct host_call *call)
{
	return host_call_has(call, HOST_CALL_FINISHED);
}

bool host_call_is_abandoned(struct host_call *call)
{
	return host_call_has(call, HOST_CALL_ABANDONED);
}

bool host_call_wait(struct host_call *call, uint64_t deadline_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_S),
		.tv_nsec = (long)(deadline_ns % NS_PER_S),
	};
	bool is_finished;
	int r = 0;

	pthread_mutex_lock(&call->lock);
	while (call->state == HOST_CALL_PENDING && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&call->finished, &call->lock,
					   &until);
	is_finished = call->state == HOST_CALL_FINISHED;
	pthread_mutex_unlock(&call->lock);
	return is_finished;
}

bool host_call_notify(struct host_call *call, void (*notify)(void *cookie),
		      void *cookie)
{
	bool is_pending;

	pthread_mutex_lock(&call->lock);
	is_pending = call->state == HOST_CALL_PENDING;
	if (is_pending) {
		call->notify = notify;
		call->notify_cookie = cookie;
	}
	pthread_mutex_unlock(&call->lock);
	return is_pending;
}

bool host_call_withdraw(struct host_call *call)
{
	bool had;

	pthread_mutex_lock(&call->lock);
	had = call->notify != NULL;
	call->notify = NULL;
	pthread_mutex_unlock(&call->lock);
	return had;
}

void host_call_abandon(struct host_call *call)
{
	if (!call)
		return;
	pthread_mutex_lock(&call->lock);
	if (call->state == HOST_CALL_PENDING && !call->has_begun)
		drop(&call->bytes, &call->capacity);
	call->state = HOST_CALL_ABANDONED;
	call->notify = NULL;
	pthread_mutex_unlock(&call->lock);
	host_call_release(call);
}
