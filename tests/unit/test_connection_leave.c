/*
 * test_connection_leave.c - clients leave in every phase of a request, on every
 * kind of connection: all of it is freed, none of it is used afterwards, and
 * nothing is counted any more. What malloc() gives is poisoned.
 */
#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/frame.h"
#include "executor/server/invocation_echo.h"
#include "executor/server/server_limits.h"
#include "tests/unit/server_fixture.h"

#define BODY "\"0123456789\""
#define PLAIN "POST /function/function HTTP/1.1\r\nHost: a\r\n"
#define LAMBDA                                                         \
	"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\n" \
	"Host: a\r\n"
#define EVENT LAMBDA "X-Amz-Invocation-Type: Event\r\n"
#define TAIL LAMBDA "X-Amz-Log-Type: Tail\r\n"
#define ADMIN "POST /livez HTTP/1.1\r\nHost: a\r\n"
#define LENGTH "Content-Length: 12\r\n"
#define CONTINUE "Expect: 100-continue\r\n"

/* What mallopt() is elsewhere: the sanitizer's malloc() fills all, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_malloc_fill_size=1048576:malloc_fill_byte=165";
}

enum phase {
	IDLE,
	FIRST_BYTE,
	PARTIAL_HEAD,
	HEAD_DONE,
	PARTIAL_BODY,
	QUEUED,	    /* it has not had its turn */
	WAITING,    /* for a vm, which another one has */
	DEPLOYMENT, /* the vm is on its way to it */
	RUNNING,    /* on another thread */
	POLLED,	    /* by itself */
	RETURNING,  /* it has ended there, and the worker does not know it */
	SENDING,
	SENT,	   /* and the next one could come */
	PIPELINED, /* the next ones are behind one that runs */
	CONTINUING,
	CONTINUED, /* the reply is there before "100 Continue" has gone */
	REFUSED,   /* what it has sent is no request */
	LINGERING, /* and it was told so */
	PHASES,
};

enum leaving {
	SAYS_NO_MORE,
	BREAKS, /* found out by receiving */
	FAILS,	/* found out by sending */
	TIMES_OUT,
	DRAINED,
	DRAINED_LATE,	/* and its time is over */
	CLOSED,		/* by the server, which ends */
	CLOSED_DRAINED, /* and is told to before that is over */
	WAYS,
};

static const struct kind {
	enum listener_kind listener;
	const char *head; /* NULL: a frame */
} kinds[] = {
	{ LISTENER_HTTP, PLAIN },  { LISTENER_HTTP, LAMBDA },
	{ LISTENER_HTTP, TAIL },   { LISTENER_HTTP, EVENT },
	{ LISTENER_ADMIN, ADMIN }, { LISTENER_METRICS, ADMIN },
	{ LISTENER_SOCKET, NULL },
};
#define KINDS ((int)(sizeof(kinds) / sizeof(*kinds)))

static char request[4096];
static size_t request_size, head_size;

static void make_frame(void)
{
	static const struct frame_request frame = {
		.id = 7,
		.function = "function",
		.request_id = "an id",
		.size = sizeof(BODY) - 1,
	};

	head_size = (size_t)frame_write_request(&frame, request);
	memcpy(request + head_size, BODY, sizeof(BODY) - 1);
	request_size = head_size + sizeof(BODY) - 1;
}

static void make_request(const struct kind *kind, bool expects)
{
	if (!kind->head) {
		make_frame();
		return;
	}
	head_size = (size_t)snprintf(request, sizeof(request), "%s%s%s\r\n",
				     kind->head, LENGTH,
				     expects ? CONTINUE : "");
	request_size = head_size + sizeof(BODY) - 1;
	memcpy(request + head_size, BODY, sizeof(BODY));
}

/* A connection that has sent so much of a request. */
static struct io_stream *begin(const struct kind *kind, size_t size)
{
	struct io_stream *stream = fixture_open(kind->listener);

	fixture_turn(0);
	if (size)
		ck_assert(fixture_receive(stream, request, size));
	return stream;
}

/* Another client's call has the vm. */
static void take_vm(void)
{
	struct io_stream *stream = fixture_open(LISTENER_SOCKET);
	char own[sizeof(request)];
	size_t own_size = request_size, own_head = head_size;

	memcpy(own, request, sizeof(own));
	make_frame();
	ck_assert(fixture_receive(stream, request, request_size));
	fixture_turn(0);
	memcpy(request, own, sizeof(own));
	request_size = own_size;
	head_size = own_head;
}

static struct io_stream *run(const struct kind *kind)
{
	struct io_stream *stream = begin(kind, request_size);

	fixture_turn(0);
	return stream;
}

static struct io_stream *end_run(const struct kind *kind)
{
	struct io_stream *stream = run(kind);

	fixture_turn(0);
	fixture_run_work();
	fixture_turn(0);
	return stream;
}

static struct io_stream *refuse(const struct kind *kind)
{
	struct io_stream *stream = fixture_open(kind->listener);

	memset(request, 'x', 200);
	memcpy(request + 100, "\r\n\r\n", 4);
	ck_assert(fixture_receive(stream, request, 200));
	return stream;
}

static struct io_stream *pipeline(const struct kind *kind)
{
	struct io_stream *stream;

	for (unsigned i = 1; i < 4; i++)
		memcpy(request + i * request_size, request, request_size);
	stream = begin(kind, 3 * request_size + request_size / 2);
	fixture_turn(0);
	return stream;
}

static struct io_stream *bring(const struct kind *kind, enum phase phase)
{
	struct io_stream *stream;

	make_request(kind, phase == CONTINUING || phase == CONTINUED);
	switch (phase) {
	case IDLE:
		return begin(kind, 0);
	case FIRST_BYTE:
		return begin(kind, 1);
	case PARTIAL_HEAD:
		return begin(kind, head_size / 2);
	case HEAD_DONE:
	case CONTINUING:
		return begin(kind, head_size);
	case PARTIAL_BODY:
		return begin(kind, head_size + 5);
	case QUEUED:
		return begin(kind, request_size);
	case WAITING:
		take_vm();
		return run(kind);
	case DEPLOYMENT:
		take_vm();
		stream = run(kind);
		fixture_run_work();
		return stream;
	case RUNNING:
		return run(kind);
	case POLLED:
		fake_engine.is_polled = true;
		return run(kind);
	case RETURNING:
		stream = run(kind);
		fixture_run_work();
		return stream;
	case SENDING:
		return end_run(kind);
	case SENT:
		stream = end_run(kind);
		fixture_sent(stream, 0);
		return stream;
	case PIPELINED:
		return pipeline(kind);
	case CONTINUED:
		stream = begin(kind, head_size);
		fixture_receive(stream, request + head_size,
				request_size - head_size);
		fixture_turn(0);
		fixture_run_work();
		fixture_turn(0);
		return stream;
	case REFUSED:
		return refuse(kind);
	default:
		stream = refuse(kind);
		fixture_sent(stream, 0);
		return stream;
	}
}

static void leave(struct io_stream *stream, enum leaving way)
{
	switch (way) {
	case SAYS_NO_MORE:
		fixture_end(stream, 0);
		break;
	case BREAKS:
		fixture_end(stream, -ECONNRESET);
		break;
	case FAILS:
		if (!fixture_sent(stream, -EPIPE))
			fixture_end(stream, -EPIPE);
		break;
	case TIMES_OUT:
		fixture_fire_timers();
		break;
	case DRAINED:
		worker_drain(fixture.worker);
		break;
	case DRAINED_LATE:
		worker_drain(fixture.worker);
		fixture_fire_timers();
		break;
	case CLOSED_DRAINED:
		fixture_close(stream);
		worker_drain(fixture.worker);
		break;
	default:
		fixture_close(stream);
		break;
	}
}

static void leave_in(const struct kind *kind, enum phase phase,
		     enum leaving way, int send_error)
{
	/* it begins on the worker */
	fixture.deployment->slowness = 0;
	leave(bring(kind, phase), way);
	fixture_turn(0);
	fixture_settle(send_error);
	fixture_end_all();
	fixture_check();
	fake_engine.is_polled = fake_engine.polls_end = false;
	fixture.worker->draining = false;
}

/* Again and again: with fresh memory, and with what was used before. */
START_TEST(nothing_is_left_of_who_leaves)
{
	const struct kind *kind = &kinds[_i];

	fixture_begin(1);
	for (unsigned round = 0; round < 3; round++)
		for (int phase = 0; phase < PHASES; phase++)
			for (int way = 0; way < WAYS; way++) {
				leave_in(kind, phase, way, 0);
				leave_in(kind, phase, way, -EPIPE);
			}
	fixture_done();
}
END_TEST

/* The same with each request the first of its worker. */
START_TEST(nothing_is_left_of_a_first_one)
{
	for (int phase = 0; phase < PHASES; phase++)
		for (int way = 0; way < WAYS; way++) {
			fixture_begin(1);
			leave_in(&kinds[_i], phase, way, -EPIPE);
			fixture_done();
		}
}
END_TEST

/* Others want it. Events wait for nobody's reply. */
START_TEST(who_breaks_off_waits_for_no_vm)
{
	const struct kind *kind = &kinds[_i];

	if (kind->listener == LISTENER_ADMIN ||
	    kind->listener == LISTENER_METRICS ||
	    (kind->head && !strcmp(kind->head, EVENT)))
		return;
	fixture_begin(1);
	leave(bring(kind, QUEUED), BREAKS);
	fixture_turn(0);
	ck_assert_uint_eq(fixture.worker->invocation_count, 0);
	ck_assert_uint_eq(fake_engine.sum, 0);
	leave(bring(kind, WAITING), BREAKS);
	fixture_turn(0);
	ck_assert_uint_eq(fake_pool_waiting(fixture.deployment->function->pool),
			  0);
	ck_assert_uint_eq(fixture.worker->invocation_count, 1);
	fixture_settle(0);
	fixture_end_all();
	fixture_check();
	fixture_done();
}
END_TEST

/* A request that is larger than what a worker copies itself. */
static char *make_large(const struct kind *kind, size_t *ret_size)
{
	const size_t body_size = SERVER_INLINE_BYTES + 1;
	char *text = malloc(sizeof(request) + body_size);
	struct frame_request frame = { .id = 7,
				       .function = "function",
				       .size = body_size };
	int size;

	ck_assert_ptr_nonnull(text);
	if (kind->head)
		size = snprintf(text, sizeof(request),
				"%sContent-Length: %zu\r\n\r\n", kind->head,
				body_size);
	else
		size = frame_write_request(&frame, text);
	ck_assert_int_gt(size, 0);
	memset(text + size, '1', body_size);
	*ret_size = (size_t)size + body_size;
	return text;
}

static void leave_large(const struct kind *kind, unsigned offload,
			enum leaving way)
{
	size_t size;
	char *text = make_large(kind, &size);
	struct io_stream *stream = fixture_open(kind->listener);

	fixture.deployment->slowness = 0;
	fixture_turn(0);
	ck_assert(fixture_receive(stream, text, size));
	free(text);
	fixture_turn(0);
	for (unsigned i = 0; i < offload; i++) {
		fixture_run_work();
		fixture_turn(0);
	}
	leave(stream, way);
	fixture_turn(0);
	fixture_settle(0);
	fixture_end_all();
	fixture_check();
	fake_engine.polls_end = false;
	fixture.worker->draining = false;
}

/* Jobs check it, run it, and copy what it replies. */
START_TEST(nothing_is_left_of_large_ones)
{
	fixture_begin(1);
	fake_engine.reply_size = SERVER_INLINE_BYTES + 1;
	for (unsigned offload = 0; offload < 4; offload++)
		for (int way = 0; way < WAYS; way++)
			leave_large(&kinds[_i], offload, way);
	for (int way = 0; way < WAYS; way++) {
		leave_in(&kinds[_i], POLLED, way, 0);
		leave_in(&kinds[_i], PIPELINED, way, 0);
	}
	fixture_done();
}
END_TEST

/* A function that has an answer of its own has no vm, and is never active. */
START_TEST(nothing_is_left_of_who_leaves_an_echo)
{
	const struct kind *kind = &kinds[_i];
	unsigned sends;

	fixture_begin(1);
	fixture.deployment->state = FUNCTION_PENDING;
	fixture.deployment->answer = invocation_echo;
	for (int phase = 0; phase <= QUEUED; phase++)
		for (int way = 0; way < WAYS; way++) {
			leave_in(kind, phase, way, 0);
			leave_in(kind, phase, way, -EPIPE);
		}
	sends = fake_io_sends;
	bring(kind, QUEUED);
	fixture_settle(0);
	ck_assert_uint_gt(fake_io_sends, sends);
	ck_assert_uint_eq(fake_engine.running, 0);
	fixture_end_all();
	fixture_check();
	fixture_done();
}
END_TEST

/* The test would see it if phases were not what they are called. */
START_TEST(phases_are_reached)
{
	const struct kind *frame = &kinds[KINDS - 1];

	fixture_begin(1);
	bring(frame, WAITING);
	ck_assert_uint_eq(fake_pool_waiting(fixture.deployment->function->pool),
			  1);
	ck_assert_uint_eq(fake_engine.running, 1);
	fixture_settle(0);
	fixture_end_all();
	fixture.deployment->slowness = 0;
	bring(&kinds[0], QUEUED);
	ck_assert_uint_eq(fixture.worker->queue.count, 1);
	fixture_settle(0);
	fixture_end_all();
	fixture.deployment->slowness = 0;
	bring(frame, PIPELINED);
	ck_assert_uint_eq(fixture.deployment->admitted, 3);
	ck_assert_uint_eq(fake_engine.running, 1);
	fixture_settle(0);
	fixture_end_all();
	bring(&kinds[3], RUNNING);
	ck_assert_uint_eq(fixture.worker->event_count, 1);
	ck_assert_uint_gt(fixture.deployment->share.used, 0);
	fixture_settle(0);
	fixture_end_all();
	fixture_check();
	fixture_done();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connection_leave");
	TCase *tests = tcase_create("connection_leave");
	SRunner *runner = srunner_create(suite);
	int failed;

	mallopt(M_PERTURB, 0x5a);
	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, nothing_is_left_of_who_leaves, 0, KINDS);
	tcase_add_loop_test(tests, nothing_is_left_of_a_first_one, 0, KINDS);
	tcase_add_loop_test(tests, nothing_is_left_of_large_ones, 0, KINDS);
	tcase_add_loop_test(tests, who_breaks_off_waits_for_no_vm, 0, KINDS);
	tcase_add_loop_test(tests, nothing_is_left_of_who_leaves_an_echo, 0,
			    KINDS);
	tcase_add_test(tests, phases_are_reached);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
