/*
 * fuzz_connection.c - libFuzzer's target for connections: clients send any bytes
 * in any pieces and leave at any of them, while vms, replies and timers come in
 * any order. All is freed in the end, and counted no more. It is built with
 * server_fixture.c, fake_engine.c and fake_io.c of tests/unit; the first run writes
 * requests to begin with:
 *
 *	FUZZ_CONNECTION_SEEDS=corpus fuzz_connection -runs=0
 *	fuzz_connection -max_len=2048 corpus
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/frame.h"
#include "tests/unit/server_fixture.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Below it, so many bytes and one more are sent. */
#define SENT_MAX 128

enum step {
	STEP_TURN = SENT_MAX,
	STEP_RUN_JOB,
	STEP_SENT,
	STEP_SEND_FAILS,
	STEP_SAYS_NO_MORE,
	STEP_BREAKS,
	STEP_TIME_PASSES,
	STEP_DRAIN,
	STEP_CLOSE,
	STEP_POLLED,
	STEP_POLLS_END,
	STEP_OPEN,
	STEP_OPEN_ADMIN,
	STEP_OPEN_FRAMES,
};

static void write_seed(const char *directory, const char *name, uint8_t open,
		       const char *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	if (!file || size > SENT_MAX)
		abort();
	fputc(open, file);
	fputc((int)size - 1, file);
	fwrite(bytes, 1, size, file);
	fputc(STEP_TURN, file);
	fputc(STEP_RUN_JOB, file);
	fputc(STEP_TURN, file);
	fputc(STEP_SENT, file);
	fclose(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char plain[] = "POST /function/function HTTP/1.1\r\n"
				    "Host: a\r\nContent-Length: 2\r\n\r\n{}";
	static const char lambda[] =
		"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\n"
		"Host: a\r\nX-Amz-Invocation-Type: Event\r\n\r\n";
	const struct frame_request frame = { .id = 1, .function = "function" };
	const char *directory = getenv("FUZZ_CONNECTION_SEEDS");
	char head[FRAME_HEAD_MAX];
	int size = frame_write_request(&frame, head);

	(void)argc;
	(void)argv;
	if (!directory)
		return 0;
	write_seed(directory, "plain", STEP_OPEN, plain, sizeof(plain) - 1);
	write_seed(directory, "lambda", STEP_OPEN, lambda, sizeof(lambda) - 1);
	write_seed(directory, "admin", STEP_OPEN_ADMIN, plain,
		   sizeof(plain) - 1);
	write_seed(directory, "frame", STEP_OPEN_FRAMES, head, (size_t)size);
	return 0;
}

static struct io_stream *open_one(struct io_stream *last, enum step step)
{
	if (fixture.worker->connection_count > 8)
		return last;
	if (step == STEP_OPEN_ADMIN)
		return fixture_open(LISTENER_ADMIN);
	return fixture_open(step == STEP_OPEN ? LISTENER_HTTP :
						LISTENER_SOCKET);
}

/* On the connection that was opened last. */
static void do_step(struct io_stream *stream, enum step step)
{
	switch (step) {
	case STEP_TURN:
		fixture_turn(0);
		break;
	case STEP_RUN_JOB:
		fixture_run_work();
		break;
	case STEP_SENT:
		fixture_sent(stream, 0);
		break;
	case STEP_SEND_FAILS:
		fixture_sent(stream, -EPIPE);
		break;
	case STEP_SAYS_NO_MORE:
		fixture_end(stream, 0);
		break;
	case STEP_BREAKS:
		fixture_end(stream, -ECONNRESET);
		break;
	case STEP_TIME_PASSES:
		fixture_fire_timers();
		break;
	case STEP_DRAIN:
		worker_drain(fixture.worker);
		break;
	case STEP_CLOSE:
		fixture_close(stream);
		break;
	case STEP_POLLED:
		fake_engine.is_polled = !fake_engine.is_polled;
		break;
	case STEP_POLLS_END:
		fake_engine.polls_end = !fake_engine.polls_end;
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct io_stream *stream = NULL;
	size_t part;

	fixture_begin(1);
	while (size--) {
		unsigned step = *data++;

		if (step >= STEP_OPEN && step <= STEP_OPEN_FRAMES) {
			stream = open_one(stream, step);
		} else if (step >= SENT_MAX) {
			do_step(stream, step);
		} else {
			part = step + 1 < size ? step + 1 : size;
			if (part)
				fixture_receive(stream, (const char *)data,
						part);
			data += part;
			size -= part;
		}
	}
	fixture_end_all();
	fixture_check();
	fixture_done();
	return 0;
}
