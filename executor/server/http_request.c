/*
 * http_request.c - a request's bytes, taken as they arrive. See http_request.h.
 *
 * llhttp splits the head and chunks; http_lines.c looks at the lines once more;
 * what the head says is read in http_head.c. A body with a length is counted
 * here. The same bytes give the same result in
 * whatever pieces they arrive: limits and rules are looked at where llhttp
 * tells of something whole, never where a piece happens to end.
 */
#include "executor/server/http_request.h"

#include <assert.h>
#include <string.h>

#include "executor/server/http_internal.h"

static struct http_request *request_of(llhttp_t *parser)
{
	return parser->data;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The head's strings. No more bytes go to llhttp than head[] holds, and each
 * string takes fewer than were sent for it.
 */

static void add_byte(struct http_request *request, char byte)
{
	assert(request->internal.head_used < HTTP_HEAD_MAX);
	request->internal.head[request->internal.head_used++] = byte;
}

/* Returns what was added since the last call. */
static char *end_string(struct http_request *request)
{
	char *string = request->internal.head + request->internal.string_from;

	add_byte(request, '\0');
	request->internal.string_from = request->internal.head_used;
	return string;
}

static int on_url(llhttp_t *parser, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		add_byte(request_of(parser), data[i]);
	return 0;
}

/* It stays at the beginning of head[]. */
static int on_url_complete(llhttp_t *parser)
{
	end_string(request_of(parser));
	return 0;
}

/* Headers behind chunks, trailers, are ignored: nobody here asks for them. */
static int on_name(llhttp_t *parser, const char *data, size_t size)
{
	struct http_request *request = request_of(parser);

	if (request->internal.head_done)
		return 0;
	for (size_t i = 0; i < size; i++) {
		bool is_upper = data[i] >= 'A' && data[i] <= 'Z';

		add_byte(request, is_upper ? data[i] - 'A' + 'a' : data[i]);
	}
	return 0;
}

static int on_name_complete(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);

	if (request->internal.head_done)
		return 0;
	if (request->header_count == HTTP_HEADERS_MAX) {
		http_bad(request, 431, "there are too many headers");
		return -1;
	}
	request->headers[request->header_count].name = end_string(request);
	return 0;
}

/* llhttp refuses all control characters but tabs. */
static int on_value(llhttp_t *parser, const char *data, size_t size)
{
	struct http_request *request = request_of(parser);

	if (request->internal.head_done)
		return 0;
	for (size_t i = 0; i < size; i++)
		add_byte(request, data[i] == '\t' ? ' ' : data[i]);
	return 0;
}

static int on_value_complete(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);
	const char *head = request->internal.head;
	size_t from = request->internal.string_from;

	if (request->internal.head_done)
		return 0;
	while (request->internal.head_used > from &&
	       head[request->internal.head_used - 1] == ' ')
		request->internal.head_used--;
	request->headers[request->header_count++].value = end_string(request);
	return 0;
}

/*
 * The body. Short ones are kept in the struct; for longer ones there is memory
 * only when bytes have arrived, so announcing them costs the client more.
 */

static bool make_long(struct http_request *request, size_t size)
{
	struct buffer *body = &request->internal.long_body;

	body->max = request->is_chunked ? request->max_body :
					  request->content_length;
	if (size < HTTP_BODY_AHEAD)
		size = smaller(body->max, HTTP_BODY_AHEAD);
	if (!buffer_reserve(body, size))
		return false;
	buffer_append(body, request->internal.short_body, request->body_size);
	return true;
}

static bool add_to_body(struct http_request *request, const char *data,
			size_t size)
{
	struct buffer *body = &request->internal.long_body;
	size_t total = request->body_size + size;

	if (total <= HTTP_BODY_INLINE)
		memcpy(request->internal.short_body + request->body_size, data,
		       size);
	else if (body->data || make_long(request, total))
		buffer_append(body, data, size);
	if (body->failed)
		return http_bad(request, 503,
				"there is no memory for the body: try again, "
				"or raise --max-buffered");
	request->body_size = total;
	return true;
}

static int on_chunk_header(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);

	if (parser->content_length <= request->max_body - request->body_size)
		return 0;
	http_bad(request, 413, "the body is too large");
	return -1;
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
	struct http_request *request = request_of(parser);

	if (!http_lines_check(request, data))
		return -1;
	request->internal.lines.unchecked = data + size;
	return add_to_body(request, data, size) ? 0 : -1;
}

/* llhttp stops behind the head, and behind the last chunk. */
static int pause_parser(llhttp_t *parser)
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
	.on_chunk_header = on_chunk_header,
	.on_body = on_body,
	.on_message_complete = pause_parser,
};

void http_request_init(struct http_request *request,
		       struct buffer_budget *budget)
{
	llhttp_init(&request->internal.parser, HTTP_REQUEST, &settings);
	request->internal.parser.data = request;
	request->internal.lines = (struct http_lines){ 0 };
	request->internal.head_size = 0;
	request->internal.head_used = 0;
	request->internal.string_from = 0;
	request->internal.overhead = 0;
	request->internal.head_done = false;
	request->internal.done = false;
	request->internal.long_body = (struct buffer){ .budget = budget };
	request->method = HTTP_OTHER_METHOD;
	request->path = "";
	request->query = "";
	request->header_count = 0;
	request->content_length = 0;
	request->is_chunked = false;
	request->keep_alive = false;
	request->expects_continue = false;
	request->is_http_1_0 = false;
	request->max_body = 0;
	request->body = request->internal.short_body;
	request->body_size = 0;
	request->bad_status = 0;
	request->bad_reason = "";
}

void http_request_done(struct http_request *request)
{
	buffer_done(&request->internal.long_body);
}

/*
 * Parsing.
 */

static void blame(struct http_request *request, llhttp_errno_t error)
{
	const char *reason = llhttp_get_error_reason(&request->internal.parser);

	switch (error) {
	case HPE_INVALID_METHOD:
		http_bad(request, 400, "the method is not known");
		break;
	case HPE_INVALID_URL:
		http_bad(request, 400, "the path is not well-formed");
		break;
	case HPE_INVALID_VERSION:
		/* has no number of its own */
		if (reason && !strcmp(reason, "Invalid HTTP version"))
			http_bad(request, 505,
				 "this server speaks HTTP/1.1 and HTTP/1.0");
		else
			http_bad(request, 400,
				 "the HTTP version is not well-formed");
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
	case HPE_INVALID_CHUNK_SIZE:
		http_bad(request, 400, "the size of a chunk is not a number");
		break;
	default:
		http_bad(request, 400,
			 request->internal.head_done ?
				 "the chunks are not well-formed" :
				 "this is not an HTTP request");
	}
}

/*
 * Has llhttp take @size bytes. HTTP_DONE: it paused. A line that is wrong
 * counts before what llhttp stumbled over, which is behind it.
 */
static enum http_progress run(struct http_request *request, const char *data,
			      size_t size, size_t *ret_used)
{
	llhttp_t *parser = &request->internal.parser;
	const char *end = data + size;
	llhttp_errno_t error;

	request->internal.lines.unchecked = data;
	error = llhttp_execute(parser, data, size);
	if (error != HPE_OK)
		end = llhttp_get_error_pos(parser);
	*ret_used = (size_t)(end - data);
	if (!http_lines_check(request, end) || request->bad_status)
		return HTTP_BAD;
	if (error == HPE_OK)
		return HTTP_MORE;
	if (error == HPE_PAUSED)
		return HTTP_DONE;
	blame(request, error);
	return HTTP_BAD;
}

static enum http_progress parse_head(struct http_request *request,
				     const char *data, size_t size,
				     size_t *ret_used)
{
	size_t room = HTTP_HEAD_MAX - request->internal.head_size;
	enum http_progress progress =
		run(request, data, smaller(size, room), ret_used);

	request->internal.head_size += *ret_used;
	if (progress == HTTP_DONE) {
		if (!http_head_read(request, request->internal.head))
			return HTTP_BAD;
		request->internal.head_done = true;
		return HTTP_HEAD_DONE;
	}
	if (progress == HTTP_BAD || size <= room)
		return progress;
	if (request->internal.lines.has_request_line)
		http_bad(request, 431, "the headers are too large");
	else
		http_bad(request, 414, "the request line is too long");
	return HTTP_BAD;
}

static enum http_progress parse_body(struct http_request *request,
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
	if (*ret_used && !add_to_body(request, data, *ret_used))
		return HTTP_BAD;
	return size < rest ? HTTP_MORE : HTTP_DONE;
}

static enum http_progress parse_chunks(struct http_request *request,
				       const char *data, size_t size,
				       size_t *ret_used)
{
	*ret_used = 0;
	if (!size)
		return HTTP_MORE;
	llhttp_resume(&request->internal.parser);
	return run(request, data, size, ret_used);
}

enum http_progress http_request_parse(struct http_request *request,
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
		return size ? parse_head(request, data, size, ret_used) :
			      HTTP_MORE;
	if (request->is_chunked)
		progress = parse_chunks(request, data, size, ret_used);
	else
		progress = parse_body(request, data, size, ret_used);
	if (progress != HTTP_DONE)
		return progress;
	request->internal.done = true;
	if (request->internal.long_body.size)
		request->body = request->internal.long_body.data;
	return HTTP_DONE;
}

const char *http_request_header(const struct http_request *request,
				const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		const char *other = request->headers[i].name;

		/* most differ in the first letter: no call for those */
		if (*other == *name && !strcmp(other, name))
			return request->headers[i].value;
	}
	return NULL;
}
