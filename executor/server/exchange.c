/* exchange.c - HTTP requests and their responses. See exchange.h. */
#include "executor/server/exchange.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/hot.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/* Exchanges a worker keeps for later, and the bytes of a buffer they keep. */
#define FREE_EXCHANGES_MAX 256
#define KEPT_BUFFER_MAX (16 * 1024)

/* Head and largest body of a response. */
#define RESPONSE_MAX (65 * 1024 * 1024)

static struct exchange *exchange_create(void)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	invocation_init(&exchange->invocation);
	http_request_init(&exchange->request, &exchange->account);
	exchange->out = exchange->text = (struct buffer){
		.max = RESPONSE_MAX,
		.account = &exchange->account,
		.may_exceed = true,
	};
	return exchange;
}

static void exchange_free(struct exchange *exchange)
{
	http_request_done(&exchange->request);
	buffer_done(&exchange->out);
	buffer_done(&exchange->text);
	buffer_done(&exchange->invocation.log);
	free(exchange);
}

/* What the last request has left behind is forgotten. */
static void exchange_begin(struct exchange *exchange, struct worker *worker)
{
	exchange->references = 1;
	exchange->worker = worker;
	exchange->deployment = NULL;
	exchange->status = 0;
	exchange->reason = "";
	exchange->lambda_error.status = 0;
	exchange->kind = EXCHANGE_PLAIN;
	exchange->event = CLOUDEVENTS_NONE;
	exchange->id[0] = '\0';
	exchange->name[0] = '\0';
	exchange->is_head = false;
	exchange->keep_alive = false;
	exchange->invocation.wants_log = false;
}

HOT struct exchange *exchange_acquire(struct worker *worker)
{
	struct exchange *exchange = worker->free_exchanges;

	if (exchange) {
		worker->free_exchanges = exchange->next;
		worker->free_count--;
	} else {
		exchange = exchange_create();
		if (!exchange)
			return NULL;
	}
	exchange_begin(exchange, worker);
	return exchange;
}

HOT void exchange_hold(struct exchange *exchange)
{
	exchange->references++;
}

HOT void exchange_release(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (--exchange->references)
		return;
	budget_close(&exchange->account);
	deployment_release(exchange->deployment);
	free(exchange->body);
	exchange->body = NULL;
	exchange->view = NULL;
	http_request_reset(&exchange->request);
	buffer_shrink(&exchange->out, KEPT_BUFFER_MAX);
	buffer_shrink(&exchange->text, KEPT_BUFFER_MAX);
	buffer_shrink(&exchange->invocation.log, KEPT_BUFFER_MAX);
	if (worker->free_count >= FREE_EXCHANGES_MAX) {
		exchange_free(exchange);
		return;
	}
	exchange->next = worker->free_exchanges;
	worker->free_exchanges = exchange;
	worker->free_count++;
}

void exchange_free_all(struct worker *worker)
{
	while (worker->free_exchanges) {
		struct exchange *exchange = worker->free_exchanges;

		worker->free_exchanges = exchange->next;
		exchange_free(exchange);
	}
}

HOT size_t exchange_memory(const struct exchange *exchange)
{
	return sizeof(*exchange) + http_request_memory(&exchange->request) +
	       exchange->out.capacity + exchange->text.capacity;
}

HOT struct exchange *exchange_of_invocation(struct invocation *invocation)
{
	return container_of(invocation, struct exchange, invocation);
}

/* The body has been inspected; what that has taken is paid for. On its worker. */
static void exchange_on_inspected(struct io_message *message)
{
	struct exchange *exchange =
		container_of(message, struct exchange, message);

	exchange->text.account = &exchange->account;
	budget_take_anyway(&exchange->account,
			   exchange->text.capacity - exchange->text_paid);
	exchange->worker->invocation_count--;
	if (exchange->connection)
		exchange->then(exchange);
	exchange_release(exchange);
}

static void exchange_run_inspect(struct offload_work *work)
{
	struct exchange *exchange = container_of(work, struct exchange, work);

	exchange->inspect(exchange);
	exchange->message.deliver = exchange_on_inspected;
	io_post(exchange->worker->io, NULL, &exchange->message);
}

void exchange_inspect(struct exchange *exchange,
		      void (*inspect)(struct exchange *exchange),
		      void (*then)(struct exchange *exchange))
{
	struct shared *shared = exchange->worker->shared;

	if (exchange->request.body_size <= SERVER_INLINE_BYTES) {
		inspect(exchange);
		then(exchange);
		return;
	}
	exchange_hold(exchange);
	exchange->worker->invocation_count++;
	exchange->inspect = inspect;
	exchange->then = then;
	/* the account is the worker's */
	exchange->text.account = NULL;
	exchange->text_paid = exchange->text.capacity;
	exchange->work.run = exchange_run_inspect;
	metrics_add(&shared->metrics.offloaded_total, 1);
	(void)!offload_push(shared->offload, exchange->deployment->runs,
			    &exchange->work);
}
