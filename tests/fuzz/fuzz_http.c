/*
 * fuzz_http.c - libFuzzer target: any bytes as requests behind each other, as
 * responses, and as a query. Whatever the pieces they arrive in, the result is
 * the same, strings are strings, and limits hold.
 *
 * The first byte says where to split, the second how large a body may be. The
 * first run writes requests to begin with:
 *
 *	FUZZ_HTTP_SEEDS=corpus fuzz_http -runs=0
 *	fuzz_http -max_len=20000 corpus
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/http_query.h"
#include "executor/protocol/http_reply.h"
#include "executor/protocol/http_request.h"

#define BODY_MAX 8192
#define RECORD_MAX (1u << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Where the pieces end; the same seed gives the same pieces. */
struct pieces {
	uint32_t state;
	size_t size; /* of each, or 0: by chance */
};

/* Not assert(): it must hold in every build. */
static void require(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static size_t next_piece(struct pieces *pieces, size_t rest)
{
	size_t size = pieces->size;

	if (!size) {
		pieces->state = pieces->state * 1664525 + 1013904223;
		size = (pieces->state >> 24) % 48;
	}
	return size < rest ? size : rest;
}

/* A copy of its own size, so that reading behind it is noticed. */
static char *copy_of(const char *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	require(copy != NULL, "no memory");
	if (size)
		memcpy(copy, data, size);
	return copy;
}

static void check_string(const struct http_request *request, const char *string)
{
	const struct buffer *head = &request->internal.head;

	/* "" and "/" may be constants */
	if (strlen(string) <= 1)
		return;
	require(string >= head->data &&
			string + strlen(string) < head->data + head->size,
		"strings are in the head");
	for (const char *at = string; *at; at++)
		require((unsigned char)*at >= ' ' && *at != 0x7f,
			"strings have no control characters");
}

static void check_head(const struct http_request *request)
{
	require(request->header_count <= HTTP_HEADERS_MAX, "headers in limits");
	require(request->internal.head_size <= HTTP_HEAD_MAX, "head in limits");
	require(*request->path == '/' || !strcmp(request->path, "*"),
		"a path is a path");
	require(!request->is_chunked || !request->content_length, "one length");
	require(!strpbrk(request->path, "?# "), "a path has no query");
	check_string(request, request->path);
	check_string(request, request->query);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct thaw_attribute *header = &request->headers[i];
		size_t end = strlen(header->value);

		require(*header->name, "headers have names");
		require(!strpbrk(header->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ: "),
			"names are tokens in lower case");
		check_string(request, header->name);
		check_string(request, header->value);
		require(!end || (*header->value != ' ' &&
				 header->value[end - 1] != ' '),
			"values have no blanks around them");
	}
}

static void check_bad(const struct http_request *request)
{
	unsigned status = request->bad_status;

	require(status == 400 || status == 413 || status == 414 ||
			status == 417 || status == 431 || status == 501 ||
			status == 505,
		"a refusal has a status");
	require(*request->bad_reason, "a refusal has a reason");
}

static void record_head(struct buffer *record,
			const struct http_request *request)
{
	buffer_printf(record, "%d %s %s %zu %d%d%d%d\n", (int)request->method,
		      request->path, request->query,
		      (size_t)request->content_length, request->is_chunked,
		      request->keep_alive, request->expects_continue,
		      request->is_http_1_0);
	for (size_t i = 0; i < request->header_count; i++)
		buffer_printf(record, "%s:%s\n", request->headers[i].name,
			      request->headers[i].value);
}

/* Parses one piece; a head that is done is recorded, and the rest goes on. */
static enum http_progress parse(struct http_request *request,
				struct buffer *record, size_t max_body,
				const char *data, size_t size, size_t *ret_used)
{
	char *copy = copy_of(data, size);
	enum http_progress progress;
	size_t used;

	progress = http_request_parse(request, copy, size, ret_used);
	require(*ret_used <= size, "no more is used than there is");
	if (progress == HTTP_HEAD_DONE) {
		check_head(request);
		record_head(record, request);
		request->max_body = max_body;
		progress = http_request_parse(request, copy + *ret_used,
					      size - *ret_used, &used);
		*ret_used += used;
		require(*ret_used <= size, "no more is used than there is");
		require(progress != HTTP_HEAD_DONE, "a head is done once");
	}
	require(progress != HTTP_MORE || *ret_used == size, "all is used");
	free(copy);
	/* the bytes are gone, so what is kept must be the request's own */
	if (request->internal.head_done && progress != HTTP_BAD)
		check_head(request);
	return progress;
}

/* Returns the bytes of one request; 0: it was refused, or there are no more. */
static size_t record_request(struct buffer *record, const char *data,
			     size_t size, size_t max_body,
			     struct pieces *pieces)
{
	static struct http_request request;
	enum http_progress progress = HTTP_MORE;
	size_t at = 0, used;

	memset(&request, 0xa5, sizeof(request));
	http_request_init(&request, NULL);
	while (progress == HTTP_MORE && at < size) {
		progress = parse(&request, record, max_body, data + at,
				 next_piece(pieces, size - at), &used);
		at += used;
	}
	if (progress == HTTP_BAD) {
		check_bad(&request);
		buffer_printf(record, "bad %u %s\n", request.bad_status,
			      request.bad_reason);
	} else if (progress == HTTP_DONE) {
		require(request.body_size <= max_body, "body in limits");
		buffer_printf(record, "done %zu %zu\n", at, request.body_size);
		buffer_append(record, request.body, request.body_size);
	}
	http_request_done(&request);
	return progress == HTTP_DONE ? at : 0;
}

static void record_requests(struct buffer *record, const char *data,
			    size_t size, size_t max_body, struct pieces pieces)
{
	size_t at = 0, used;

	do {
		used = record_request(record, data + at, size - at, max_body,
				      &pieces);
		at += used;
	} while (used && at < size);
}

/* Which error it is may depend on the pieces; that it is one may not. */
static void record_reply(struct buffer *record, const char *data, size_t size,
			 size_t max_body, struct pieces pieces)
{
	struct http_reply reply = HTTP_REPLY_INIT(max_body);
	size_t at = 0, used;
	int r = 0;

	http_reply_reset(&reply);
	while (!r && at < size) {
		size_t piece = next_piece(&pieces, size - at);
		char *copy = copy_of(data + at, piece);

		r = http_reply_parse(&reply, copy, piece, &used);
		require(r < 0 || used <= piece, "no more than there is");
		at += r < 0 ? 0 : used;
		free(copy);
	}
	if (!r)
		r = http_reply_end(&reply);
	require(reply.body.size <= max_body, "body in limits");
	require(reply.head.size <= HTTP_REPLY_HEAD_MAX, "head in limits");
	buffer_printf(record, "reply %d\n", r < 0 ? -1 : r);
	if (r == 1) {
		const char *value = http_reply_header(&reply, "x");

		buffer_printf(record, "%u %d %zu %s\n", reply.status,
			      reply.keep_alive, at, value ? value : "-");
		buffer_append(record, reply.head.data, reply.head.size);
		buffer_append(record, reply.body.data, reply.body.size);
	}
	http_reply_done(&reply);
}

static void check_query(const char *data, size_t size)
{
	char value[64], *query = malloc(size + 1);
	int length;

	require(query != NULL, "no memory");
	memcpy(query, data, size);
	query[size] = '\0';
	if (http_query_get(query, "a", value, sizeof(value)))
		require(strlen(value) < sizeof(value), "a value fits");
	length = http_decode(query, size, value, sizeof(value));
	require(length < 0 || strlen(value) == (size_t)length,
		"what is decoded has no zero");
	free(query);
}

static void record(struct buffer *to, const char *data, size_t size,
		   size_t max_body, struct pieces pieces)
{
	record_requests(to, data, size, max_body, pieces);
	record_reply(to, data, size, max_body, pieces);
	require(!to->failed, "the record has room");
}

static const char *const seeds[] = {
	"ab"
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	"POST /function/a?b=c%20d HTTP/1.1\r\nHost: a\r\n"
	"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
	"ab"
	"POST http://a/b HTTP/1.1\r\nHost: a\r\n"
	"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
	"3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n",
	"ab"
	"POST /a HTTP/1.1\r\nHost:\ta\t\r\n"
	"Transfer-Encoding:\tchunked\t\r\nConnection: a\t,\tclose\r\n\r\n"
	"3 ; a ; b = \"\\\"c\" ;d=e\r\nabc\r\n0;a\r\n\r\n",
	"ab"
	"PROPOSE /a HTTP/1.1\r\nHost: a\r\n\r\n",
	"ab"
	"OPTIONS * HTTP/1.0\r\nConnection: keep-alive, upgrade\r\n"
	"Upgrade: x\r\n\r\n",
	"ab"
	"HTTP/1.1 100 Continue\r\n\r\n"
	"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nok",
	"ab"
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	"2\r\nok\r\n0\r\n\r\n",
	"ab&a=%20%41&b",
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = getenv("FUZZ_HTTP_SEEDS");

	(void)argc;
	(void)argv;
	for (size_t i = 0; directory && i < sizeof(seeds) / sizeof(*seeds);
	     i++) {
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/seed%zu", directory, i);
		file = fopen(path, "we");
		require(file != NULL, "cannot write a seed");
		fwrite(seeds[i], 1, strlen(seeds[i]), file);
		require(!fclose(file), "cannot write a seed");
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes + 2;
	struct buffer records[3] = { BUFFER_INIT(RECORD_MAX),
				     BUFFER_INIT(RECORD_MAX),
				     BUFFER_INIT(RECORD_MAX) };
	struct pieces pieces[3] = { { .size = size }, { .size = 1 }, { 0 } };
	size_t max_body;

	if (size < 3)
		return 0;
	pieces[2].state = bytes[0];
	max_body = bytes[1] * (size_t)(BODY_MAX / 255);
	size -= 2;
	check_query(data, size);
	for (int i = 0; i < 3; i++)
		record(&records[i], data, size, max_body, pieces[i]);
	for (int i = 1; i < 3; i++)
		require(records[0].size == records[i].size &&
				!memcmp(records[0].data, records[i].data,
					records[0].size),
			"the pieces make no difference");
	for (int i = 0; i < 3; i++)
		buffer_done(&records[i]);
	return 0;
}
