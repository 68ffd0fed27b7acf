/*
 * fuzz_frame.c - libFuzzer's target for the frames of the unix socket protocol:
 * any bytes are a frame within its limits, the beginning of one, or refused;
 * and what is read of a frame makes the same frame again.
 *
 * The first run writes good frames to begin with:
 *
 *	FUZZ_FRAME_SEEDS=corpus fuzz_frame -runs=0
 *	fuzz_frame -max_len=4096 corpus
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/http_headers.h"
#include "executor/protocol/frame.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold in every build. */
static void require(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void write_seed(const char *directory, const char *name,
		       const uint8_t *bytes, int size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	require(file != NULL, "cannot write a seed");
	require(fwrite(bytes, 1, (size_t)size, file) == (size_t)size,
		"cannot write a seed");
	require(fclose(file) == 0, "cannot write a seed");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct frame_request request = {
		.id = 1,
		.function = "hello",
		.content_type = "text/plain",
		.request_id = "id",
		.attributes = "path\0/a",
		.attributes_size = sizeof("path\0/a"),
		.headers = "accept\0*/*",
		.headers_size = sizeof("accept\0*/*"),
	};
	const struct frame_reply answer = {
		.id = 1,
		.http_status = 404,
		.headers = "Location\0/b",
		.headers_size = sizeof("Location\0/b"),
	};
	const struct frame_reply reply = {
		.id = 1,
		.status = FRAME_ERROR,
		.content_type = "text/plain",
		.request_id = "id",
		.error_type = "Some.Error",
		.error_message = "kr\xc3\xa4 \xff",
	};
	const char *directory = getenv("FUZZ_FRAME_SEEDS");
	uint8_t head[FRAME_HEAD_MAX];

	(void)argc;
	(void)argv;
	if (!directory)
		return 0;
	write_seed(directory, "request", head,
		   frame_write_request(&request, head));
	write_seed(directory, "reply", head, frame_write_reply(&reply, head));
	write_seed(directory, "answer", head, frame_write_reply(&answer, head));
	return 0;
}

/* The size of a whole frame of @kind at @data, or 0. */
static size_t check_size(const uint8_t *data, size_t size, enum frame_kind kind)
{
	size_t need = 0, less = 0;
	int64_t r = frame_size(data, size, kind, FRAME_BODY_MAX, &need);

	if (r < 0) {
		require(r == -EPROTO, "refused as no frame");
		return 0;
	}
	require(need >= FRAME_HEADER_SIZE &&
			need <= FRAME_HEADER_SIZE + (size_t)FRAME_BODY_MAX,
		"a size within its limits");
	require(r ? (size_t)r == need && need <= size : need > size,
		"whole, or more is needed");
	if (size >= FRAME_HEADER_SIZE && need > FRAME_HEADER_SIZE) {
		r = frame_size(data, size, kind, need - FRAME_HEADER_SIZE - 1,
			       &less);
		require(r == -E2BIG && less == need, "too large for less");
	}
	return need <= size ? need : 0;
}

static void check_text(const char *text, size_t most, int is_ascii)
{
	require(strlen(text) < most, "a string within its limit");
	for (; *text; text++)
		require((*text >= ' ' && *text <= '~') ||
				(!is_ascii && (*text < 0 || *text == '\t')),
			"printable text");
}

static void check_request(const uint8_t *data, size_t size)
{
	size_t whole = check_size(data, size, FRAME_REQUEST);
	struct frame_request request, peeked;
	uint8_t head[FRAME_HEAD_MAX + FRAME_PAIRS_MAX];
	int peek = frame_peek_request(data, size, &peeked), head_size;

	require(peek == 1 || peek == 0 || peek == -EPROTO, "looked at");
	require(!whole || peek, "all of it is there");
	if (!whole || frame_read_request(data, whole, &request)) {
		require(!whole || peek < 0, "refused by both");
		return;
	}
	require(peek == 1 && peeked.size == request.size &&
			!strcmp(peeked.function, request.function),
		"the same at first sight");
	check_text(request.function, sizeof(request.function), 1);
	check_text(request.content_type, sizeof(request.content_type), 1);
	check_text(request.request_id, sizeof(request.request_id), 1);
	require(*request.function && request.id, "a name and an id");
	require(!request.attributes_size ||
			!request.attributes[request.attributes_size - 1],
		"attributes that end");
	require(!request.headers_size ||
			!request.headers[request.headers_size - 1],
		"headers that end");
	head_size = frame_write_request(&request, head);
	require(head_size > 0 && (size_t)head_size + request.size == whole,
		"of the same size again");
	require(!memcmp(head, data, (size_t)head_size) &&
			request.data == data + head_size,
		"the same again");
}

static void check_reply(const uint8_t *data, size_t size)
{
	size_t whole = check_size(data, size, FRAME_REPLY);
	uint8_t head[FRAME_HEAD_MAX + THAW_REPLY_HEADERS_SIZE_MAX];
	struct frame_reply reply;
	int head_size;

	if (!whole || frame_read_reply(data, whole, &reply))
		return;
	require(reply.id == frame_id(data), "one id");
	check_text(reply.content_type, sizeof(reply.content_type), 1);
	check_text(reply.request_id, sizeof(reply.request_id), 1);
	check_text(reply.error_type, sizeof(reply.error_type), 1);
	check_text(reply.error_message, sizeof(reply.error_message), 0);
	require(!http_headers_reply_fault(reply.headers, reply.headers_size),
		"headers a function may set");
	head_size = frame_write_reply(&reply, head);
	/* the message may have been cleaned, which keeps its size */
	require(head_size > 0 && (size_t)head_size + reply.size == whole,
		"of the same size again");
	require(!memcmp(head, data, FRAME_HEADER_SIZE) &&
			reply.data == data + head_size,
		"the same header again");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_request(data, size);
	check_reply(data, size);
	return 0;
}
