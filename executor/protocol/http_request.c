/*
 * http_request.c - takes a request's bytes as they arrive. See http_request.h.
 *
 * http_lines.c checks the head's lines, llhttp splits them, and http_head.c reads
 * what the head says. http_chunks.c takes chunks; a body with a length is counted
 * here. The same bytes give the same result in whatever pieces they arrive: limits
 * and rules apply where something is whole, never where a piece happens to end.
 */
#include "executor/protocol/http_request.h"

#include <assert.h>
#include <string.h>

#include "base/hot.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/http_head.h"

static struct http_request *request_of(llhttp_t *parser)
{
	return parser->data;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The head's strings. llhttp gets no more bytes than there is room for, and each
 * string takes fewer bytes than were sent for it.
 */

static void add_head_byte(struct http_request *request, char byte)
{
	struct buffer *head = &request->internal.head;

	assert(head->size < head->capacity);
	head->data[head->size++] = byte;
}

static void add_head_bytes(struct http_request *request, const char *data,
			   size_t size)
{
	struct buffer *head = &request->internal.head;

	assert(size <= head->capacity - head->size);
	memcpy(head->data + head->size, data, size);
	head->size += size;
}

/* Ends a string and returns where it begins. */
static uint16_t end_head_string(struct http_request *request)
{
	size_t from = request->internal.string_from;

	_Static_assert(HTTP_HEAD_MAX <= UINT16_MAX, "places are of 16 bits");
	add_head_byte(request, '\0');
	request->internal.string_from = request->internal.head.size;
	return (uint16_t)from;
}

HOT static int on_url(llhttp_t *parser, const char *data, size_t size)
{
	add_head_bytes(request_of(parser), data, size);
	return 0;
}

/* The URL is the first string. */
HOT static int on_url_complete(llhttp_t *parser)
{
	end_head_string(request_of(parser));
	return 0;
}

/* Each of the eight bytes, taken alone. */
#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Copies in lower case: of eight bytes at once that are ASCII. */
static void copy_lower(char *to, const char *from, size_t size)
{
	uint64_t bytes, from_a, behind_z;
	size_t i = 0;

	for (; i + sizeof(bytes) <= size; i += sizeof(bytes)) {
		memcpy(&bytes, from + i, sizeof(bytes));
		if (bytes & BYTES(0x80))
			break;
		/* no byte carries into the next: the top bits are clear */
		from_a = bytes + BYTES(0x80 - 'A');
		behind_z = bytes + BYTES(0x80 - 'Z' - 1);
		bytes |= ((from_a ^ behind_z) & BYTES(0x80)) >> 2;
		memcpy(to + i, &bytes, sizeof(bytes));
	}
	for (; i < size; i++) {
		unsigned char c = (unsigned char)from[i];

		to[i] = (char)((unsigned)(c - 'A') < 26 ? c | 0x20 : c);
	}
}

HOT static int on_name(llhttp_t *parser, const char *data, size_t size)
{
	struct buffer *head = &request_of(parser)->internal.head;

	assert(size <= head->capacity - head->size);
	copy_lower(head->data + head->size, data, size);
	head->size += size;
	return 0;
}

/* The head may move, so until it is done a string is an offset. */
static const char *place_of(uint16_t at)
{
	return (const char *)(uintptr_t)at;
}

HOT static int on_name_complete(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);

	if (request->internal.header_count == HTTP_HEADERS_MAX) {
		http_bad(request, 431, "there are too many headers");
		return -1;
	}
	request->headers[request->internal.header_count].name =
		place_of(end_head_string(request));
	return 0;
}

/* llhttp refuses control characters except tabs, which it never gets. */
HOT static int on_value(llhttp_t *parser, const char *data, size_t size)
{
	add_head_bytes(request_of(parser), data, size);
	return 0;
}

HOT static int on_value_complete(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);
	struct buffer *head = &request->internal.head;

	while (head->size > request->internal.string_from &&
	       head->data[head->size - 1] == ' ')
		head->size--;
	request->headers[request->internal.header_count++].value =
		place_of(end_head_string(request));
	return 0;
}

/* Frees what the request has, at once, for others. */
static bool refuse_memory(struct http_request *request, struct buffer *buffer)
{
	const struct budget_account *account = buffer->account;

	buffer_done(buffer);
	return http_bad(request, 503,
			budget_reason(account ? account->refused :
						BUDGET_NOT_REFUSED));
}

/*
 * The body's memory grows with the bytes that arrive: a client that only announces
 * a large body makes the server allocate nothing.
 */
static bool add_to_request_body(struct http_request *request, const char *data,
				size_t size)
{
	struct buffer *body = &request->internal.body;

	body->max = request->is_chunked ? request->max_body :
					  request->content_length;
	buffer_append(body, data, size);
	if (body->failed)
		return refuse_memory(request, body);
	request->body_size += size;
	return true;
}

/* Stops llhttp after the head. */
HOT static int pause_parser(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_url_complete = on_url_complete,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_complete,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = pause_parser,
};

HOT void http_request_reset(struct http_request *request)
{
	llhttp_init(&request->internal.parser, HTTP_REQUEST, &settings);
	request->internal.parser.data = request;
	request->internal.lines = (struct http_lines){ 0 };
	request->internal.head_size = 0;
	buffer_shrink(&request->internal.head, HTTP_KEPT_MAX);
	request->internal.string_from = 0;
	request->internal.header_count = 0;
	request->internal.is_lost = false;
	request->internal.head_done = false;
	request->internal.done = false;
	request->internal.chunks = (struct http_chunks){
		.room = HTTP_CHUNK_OVERHEAD_MAX,
	};
	buffer_shrink(&request->internal.body, HTTP_KEPT_MAX);
	request->method = HTTP_OTHER_METHOD;
	request->method_name = "";
	request->path = "";
	request->query = "";
	request->header_count = 0;
	request->host = (struct host){ 0 };
	request->origin = NULL;
	request->content_length = 0;
	request->is_chunked = false;
	request->keep_alive = false;
	request->expects_continue = false;
	request->is_http_1_0 = false;
	request->max_body = 0;
	request->body = "";
	request->body_size = 0;
	request->bad_status = 0;
	request->bad_reason = "";
}

void http_request_init(struct http_request *request,
		       struct budget_account *account)
{
	request->internal.head = (struct buffer){
		.max = HTTP_HEAD_MAX,
		.account = account,
	};
	request->internal.body = (struct buffer){ .account = account };
	http_request_reset(request);
}

void http_request_drop_body(struct http_request *request)
{
	buffer_done(&request->internal.body);
	request->body = NULL;
	request->body_size = 0;
}

void http_request_done(struct http_request *request)
{
	buffer_done(&request->internal.head);
	buffer_done(&request->internal.body);
}

HOT size_t http_request_memory(const struct http_request *request)
{
	return request->internal.head.capacity +
	       request->internal.body.capacity;
}

/*
 * Parsing.
 */

static void blame_llhttp(struct http_request *request, llhttp_errno_t error)
{
	switch (error) {
	case HPE_INVALID_URL:
		http_bad(request, 400, "the path is not well-formed");
		break;
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_UNEXPECTED_CONTENT_LENGTH:
		http_bad(request, 400,
			 "the Content-Length is not a number, or not the only "
			 "length");
		break;
	case HPE_INVALID_TRANSFER_ENCODING:
		http_bad(request, 400,
			 "the Transfer-Encoding does not end in chunked, or is "
			 "not the only length");
		break;
	default:
		http_bad(request, 400, "this is not an HTTP request");
	}
}

/*
 * Gives llhttp @size bytes. HTTP_DONE means that the head is done. A method or a
 * version that llhttp does not know is not refused here but in check_head_lines(),
 * when the whole line is there.
 */
HOT static enum http_progress feed_llhttp(struct http_request *request,
					  const char *data, size_t size)
{
	llhttp_errno_t error = HPE_OK;

	if (size && !request->internal.is_lost)
		error = llhttp_execute(&request->internal.parser, data, size);
	switch (error) {
	case HPE_OK:
		return HTTP_MORE;
	case HPE_PAUSED:
		return HTTP_DONE;
	case HPE_INVALID_METHOD:
	case HPE_INVALID_CONSTANT:
	case HPE_INVALID_VERSION:
		request->internal.is_lost = true;
		return HTTP_MORE;
	default:
		if (!request->bad_status)
			blame_llhttp(request, error);
		return HTTP_BAD;
	}
}

/* Refuses wrong lines, after llhttp has taken what comes before them. */
static enum http_progress check_head_lines(struct http_request *request)
{
	const struct http_lines *lines = &request->internal.lines;

	if (request->internal.is_lost && lines->has_request_line)
		http_bad(request, 501, "the method is not known");
	else if (lines->bad_status)
		http_bad(request, lines->bad_status, lines->bad_reason);
	else if (lines->has_ended)
		http_bad(request, 400, "this is not an HTTP request");
	else
		return HTTP_MORE;
	return HTTP_BAD;
}

/* Takes up to @size bytes of the head; there is room for all of them. */
static enum http_progress take_head_bytes(struct http_request *request,
					  const char *data, size_t size,
					  size_t *ret_used)
{
	enum http_progress progress;
	size_t part;

	for (*ret_used = 0;;) {
		part = http_lines_take(&request->internal.lines,
				       data + *ret_used, size - *ret_used);
		progress = feed_llhttp(request, data + *ret_used, part);
		*ret_used += part;
		if (progress == HTTP_MORE)
			progress = check_head_lines(request);
		if (progress != HTTP_MORE || *ret_used == size)
			return progress;
		/* a tab: llhttp gets a blank for it */
		progress = feed_llhttp(request, " ", 1);
		if (progress != HTTP_MORE)
			return progress;
		(*ret_used)++;
	}
}

/* From now on the head does not move: its offsets become pointers. */
static bool end_request_head(struct http_request *request)
{
	char *head = request->internal.head.data;

	request->header_count = request->internal.header_count;
	for (size_t i = 0; i < request->header_count; i++)
		request->headers[i] = (struct thaw_attribute){
			.name = head + (uintptr_t)request->headers[i].name,
			.value = head + (uintptr_t)request->headers[i].value,
		};
	request->internal.head_done = http_head_read(request, head);
	return request->internal.head_done;
}

/* Makes room for up to @size more bytes; 0: the request has been refused. */
static size_t make_head_room(struct http_request *request, size_t size)
{
	struct buffer *head = &request->internal.head;
	size_t have = request->internal.head_size;

	/* a first piece may exceed the budget: health checks are answered */
	head->may_exceed = !have;
	if (have == head->capacity && have < HTTP_HEAD_MAX &&
	    !buffer_reserve(head,
			    have ? have * 2 - head->size : HTTP_HEAD_FIRST)) {
		refuse_memory(request, head);
		return 0;
	}
	if (have < head->capacity)
		return smaller(size, head->capacity - have);
	if (request->internal.lines.has_request_line)
		http_bad(request, 431, "the headers are too large");
	else
		http_bad(request, 414, "the request line is too long");
	return 0;
}

static enum http_progress parse_request_head(struct http_request *request,
					     const char *data, size_t size,
					     size_t *ret_used)
{
	enum http_progress progress = HTTP_MORE;
	size_t part, used;

	while (progress == HTTP_MORE && *ret_used < size) {
		part = make_head_room(request, size - *ret_used);
		if (!part)
			return HTTP_BAD;
		progress =
			take_head_bytes(request, data + *ret_used, part, &used);
		request->internal.head_size += used;
		*ret_used += used;
	}
	if (progress != HTTP_DONE)
		return progress;
	return end_request_head(request) ? HTTP_HEAD_DONE : HTTP_BAD;
}

static enum http_progress parse_request_body(struct http_request *request,
					     const char *data, size_t size,
					     size_t *ret_used)
{
	size_t rest = request->content_length - request->body_size;

	*ret_used = 0;
	if (request->content_length > request->max_body) {
		http_bad(request, 413, "the body is too large");
		return HTTP_BAD;
	}
	*ret_used = smaller(size, rest);
	if (*ret_used && !add_to_request_body(request, data, *ret_used))
		return HTTP_BAD;
	return size < rest ? HTTP_MORE : HTTP_DONE;
}

/* Handles an event that @size bytes at @data have led to. */
static enum http_progress take_chunk_event(struct http_request *request,
					   enum http_chunks_event event,
					   const char *data, size_t size)
{
	const struct http_chunks *chunks = &request->internal.chunks;

	switch (event) {
	case HTTP_CHUNKS_SIZE:
		if (chunks->left <= request->max_body - request->body_size)
			return HTTP_MORE;
		http_bad(request, 413, "the body is too large");
		return HTTP_BAD;
	case HTTP_CHUNKS_DATA:
		return add_to_request_body(request, data, size) ? HTTP_MORE :
								  HTTP_BAD;
	case HTTP_CHUNKS_END:
		return HTTP_DONE;
	case HTTP_CHUNKS_BAD:
		http_bad(request, 400, chunks->bad_reason);
		return HTTP_BAD;
	default:
		return HTTP_MORE;
	}
}

static enum http_progress parse_request_chunks(struct http_request *request,
					       const char *data, size_t size,
					       size_t *ret_used)
{
	enum http_chunks_event event;
	enum http_progress progress;
	size_t used;

	*ret_used = 0;
	do {
		const char *at = data + *ret_used;

		event = http_chunks_take(&request->internal.chunks, at,
					 size - *ret_used, &used);
		progress = take_chunk_event(request, event, at, used);
		*ret_used += used;
	} while (progress == HTTP_MORE && event != HTTP_CHUNKS_MORE);
	return progress;
}

/* The body is whole. */
HOT static enum http_progress end_request(struct http_request *request)
{
	request->internal.done = true;
	if (request->body_size)
		request->body = request->internal.body.data;
	return HTTP_DONE;
}

HOT enum http_progress http_request_parse(struct http_request *request,
					  const void *data, size_t size,
					  size_t *ret_used)
{
	enum http_progress progress;

	*ret_used = 0;
	if (request->bad_status)
		return HTTP_BAD;
	if (request->internal.done)
		return HTTP_DONE;
	if (!request->internal.head_done)
		return size ? parse_request_head(request, data, size,
						 ret_used) :
			      HTTP_MORE;
	if (request->is_chunked)
		progress = parse_request_chunks(request, data, size, ret_used);
	else
		progress = parse_request_body(request, data, size, ret_used);
	return progress == HTTP_DONE ? end_request(request) : progress;
}

size_t http_request_room(struct http_request *request, size_t waiting,
			 void **ret_to)
{
	struct buffer *body = &request->internal.body;
	size_t rest, room;
	char *to;

	if (!request->internal.head_done || request->internal.done ||
	    request->bad_status || request->is_chunked ||
	    request->content_length > request->max_body)
		return 0;
	rest = request->content_length - request->body_size;
	if (rest < HTTP_ROOM_MIN || request->body_size < HTTP_ROOM_FROM)
		return 0;
	body->max = request->content_length;
	room = buffer_reserve_some(body, waiting, rest, &to);
	if (room)
		*ret_to = to;
	return room;
}

enum http_progress http_request_filled(struct http_request *request,
				       size_t size)
{
	request->internal.body.size += size;
	request->body_size += size;
	return request->body_size < request->content_length ?
		       HTTP_MORE :
		       end_request(request);
}

HOT const char *http_request_header(const struct http_request *request,
				    const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		const char *other = request->headers[i].name;

		/* most differ in the first letter, which costs no call */
		if (*other == *name && !strcmp(other, name))
			return request->headers[i].value;
	}
	return NULL;
}
