/*
 * frame.c - the frames of the unix socket protocol. See frame.h, and
 * docs/protocol.md for the layout.
 *
 * The bytes come from whoever may open the socket: the header is copied and checked
 * first, and no length in it is used unchecked.
 */
#include "executor/protocol/frame.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/hot.h"
#include "base/text.h"
#include "executor/http_headers.h"

#define STRINGS 4

/* In a request, the last of them is the attributes. */
#define ATTRIBUTES 3

#define HTTP_STATUS_MIN 200
#define HTTP_STATUS_MAX 599

/* As on the wire. Both kinds have the same fields, with different meanings. */
struct header {
	uint32_t size; /* of what follows the header */
	uint8_t version, kind;
	uint16_t status;
	uint64_t id;
	uint16_t lengths[STRINGS]; /* of the strings behind the header */
	uint64_t times_ns[2];
	uint16_t http_status; /* of a reply */
	uint16_t headers;     /* their size, behind the strings */
	uint32_t reserved;
};

_Static_assert(sizeof(struct header) == FRAME_HEADER_SIZE, "no padding");

/* A string of a struct frame_*: where it is, and its room with the zero. */
struct string {
	size_t offset, size;
	bool is_text; /* UTF-8, and cleaned; else printable ASCII */
};

#define STRING(type, name)                               \
	{                                                \
		.offset = offsetof(struct type, name),   \
		.size = sizeof(((struct type *)0)->name) \
	}
#define TEXT(type, name)                                                  \
	{                                                                 \
		.offset = offsetof(struct type, name),                    \
		.size = sizeof(((struct type *)0)->name), .is_text = true \
	}

/* In the order of their lengths in the header, and of the strings after it. */
static const struct string request_strings[] = {
	STRING(frame_request, function),
	STRING(frame_request, content_type),
	STRING(frame_request, request_id),
};
static const struct string reply_strings[STRINGS] = {
	STRING(frame_reply, content_type),
	STRING(frame_reply, request_id),
	STRING(frame_reply, error_type),
	TEXT(frame_reply, error_message),
};

_Static_assert(
	sizeof(((struct frame_reply *)0)->content_type) +
			sizeof(((struct frame_reply *)0)->request_id) +
			sizeof(((struct frame_reply *)0)->error_type) +
			sizeof(((struct frame_reply *)0)->error_message) <=
		FRAME_HEAD_MAX - FRAME_HEADER_SIZE,
	"all strings fit");

static const struct string *frame_strings_of(enum frame_kind kind,
					     unsigned *ret_count)
{
	*ret_count = kind == FRAME_REQUEST ? STRINGS - 1 : STRINGS;
	return kind == FRAME_REQUEST ? request_strings : reply_strings;
}

/* Changes the bytes' order from the wire's to the machine's, or back. */
static void little_endian(struct header *header)
{
	header->size = htole32(header->size);
	header->status = htole16(header->status);
	header->id = htole64(header->id);
	for (unsigned i = 0; i < STRINGS; i++)
		header->lengths[i] = htole16(header->lengths[i]);
	header->times_ns[0] = htole64(header->times_ns[0]);
	header->times_ns[1] = htole64(header->times_ns[1]);
	header->http_status = htole16(header->http_status);
	header->headers = htole16(header->headers);
	header->reserved = htole32(header->reserved);
}

static bool frame_is_status(unsigned status)
{
	return status <= FRAME_TIMEOUT ||
	       (status >= FRAME_BAD_REQUEST && status <= FRAME_FAILED);
}

/* Bytes between the header and the data. */
static size_t frame_strings_size(const struct header *header)
{
	size_t size = header->headers;

	for (unsigned i = 0; i < STRINGS; i++)
		size += header->lengths[i];
	return size;
}

static bool frame_is_request(const struct header *header)
{
	/* a function's name is not empty, an id not 0 */
	return header->lengths[ATTRIBUTES] <= THAW_ATTRIBUTES_SIZE_MAX &&
	       header->headers <= THAW_HEADERS_SIZE_MAX && !header->status &&
	       !header->http_status && !header->times_ns[1] && header->id &&
	       header->lengths[0];
}

/* Only a function that has replied has a status and headers of HTTP. */
static bool frame_is_reply(const struct header *header)
{
	const unsigned http = header->http_status;

	if (header->status != FRAME_OK && (http || header->headers))
		return false;
	return frame_is_status(header->status) &&
	       (!http ||
		(http >= HTTP_STATUS_MIN && http <= HTTP_STATUS_MAX)) &&
	       header->headers <= THAW_REPLY_HEADERS_SIZE_MAX;
}

static bool frame_is_header(const struct header *header, enum frame_kind kind)
{
	unsigned count;
	const struct string *strings = frame_strings_of(kind, &count);

	for (unsigned i = 0; i < count; i++)
		if (header->lengths[i] >= strings[i].size)
			return false;
	if (header->size > FRAME_BODY_MAX ||
	    header->size < frame_strings_size(header) || header->reserved)
		return false;
	return kind == FRAME_REPLY ? frame_is_reply(header) :
				     frame_is_request(header);
}

/* Returns 1, 0: more bytes are needed, or -EPROTO. */
HOT static int frame_read_header(const uint8_t *bytes, size_t size,
				 enum frame_kind kind,
				 struct header *ret_header)
{
	/* another protocol is refused at its first bytes */
	if (size > offsetof(struct header, version) &&
	    bytes[offsetof(struct header, version)] != FRAME_VERSION)
		return -EPROTO;
	if (size > offsetof(struct header, kind) &&
	    bytes[offsetof(struct header, kind)] != kind)
		return -EPROTO;
	if (size < FRAME_HEADER_SIZE)
		return 0;
	memcpy(ret_header, bytes, FRAME_HEADER_SIZE);
	little_endian(ret_header);
	return frame_is_header(ret_header, kind) ? 1 : -EPROTO;
}

HOT int64_t frame_size(const void *bytes, size_t size, enum frame_kind kind,
		       size_t max_body, size_t *ret_need)
{
	struct header header;
	int r = frame_read_header(bytes, size, kind, &header);

	if (r < 0)
		return r;
	*ret_need = FRAME_HEADER_SIZE + (r ? header.size : (size_t)0);
	if (!r)
		return 0;
	if (header.size > max_body)
		return -E2BIG;
	return size < *ret_need ? 0 : (int64_t)*ret_need;
}

uint64_t frame_id(const void *frame)
{
	uint64_t id;

	memcpy(&id, (const uint8_t *)frame + offsetof(struct header, id),
	       sizeof(id));
	return le64toh(id);
}

static bool frame_is_printable(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	return true;
}

/*
 * Copies the strings at @from into the struct @to and returns their end; NULL if
 * they are not printable.
 */
HOT static const char *frame_read_strings(const struct header *header,
					  const uint8_t *from,
					  enum frame_kind kind, void *to)
{
	unsigned count;
	const struct string *strings = frame_strings_of(kind, &count);

	for (unsigned i = 0; i < count; i++) {
		char *text = (char *)to + strings[i].offset;
		size_t length = header->lengths[i];

		if (!strings[i].is_text && !frame_is_printable(from, length))
			return NULL;
		memcpy(text, from, length);
		text[length] = '\0';
		if (strings[i].is_text)
			text_clean(text, length);
		from += length;
	}
	return (const char *)from;
}

/* Reads what is before the data; @header is right. As frame_peek_request(). */
static int frame_read_head(const struct header *header, const void *bytes,
			   size_t size, struct frame_request *ret_request)
{
	const size_t head = FRAME_HEADER_SIZE + frame_strings_size(header);
	const char *pairs;
	size_t count;

	if (size < head)
		return 0;
	ret_request->id = header->id;
	ret_request->timeout_ns = header->times_ns[0];
	ret_request->data = NULL;
	ret_request->size = FRAME_HEADER_SIZE + header->size - head;
	pairs = frame_read_strings(header,
				   (const uint8_t *)bytes + FRAME_HEADER_SIZE,
				   FRAME_REQUEST, ret_request);
	if (!pairs)
		return -EPROTO;
	ret_request->attributes = pairs;
	ret_request->attributes_size = header->lengths[ATTRIBUTES];
	ret_request->headers = pairs + ret_request->attributes_size;
	ret_request->headers_size = header->headers;
	return http_headers_are_whole(pairs, ret_request->attributes_size,
				      &count) &&
			       http_headers_are_whole(ret_request->headers,
						      ret_request->headers_size,
						      &count) ?
		       1 :
		       -EPROTO;
}

int frame_peek_request(const void *bytes, size_t size,
		       struct frame_request *ret_request)
{
	struct header header;
	int r = frame_read_header(bytes, size, FRAME_REQUEST, &header);

	return r <= 0 ? r : frame_read_head(&header, bytes, size, ret_request);
}

/* Returns whether @size bytes are exactly one frame of @kind. */
static bool frame_is_whole(const void *frame, size_t size, enum frame_kind kind)
{
	size_t need;
	int64_t whole = frame_size(frame, size, kind, FRAME_BODY_MAX, &need);

	return whole > 0 && (size_t)whole == size;
}

HOT int frame_read_request(const void *frame, size_t size,
			   struct frame_request *ret_request)
{
	struct header header;

	if (frame_read_header(frame, size, FRAME_REQUEST, &header) != 1 ||
	    FRAME_HEADER_SIZE + (size_t)header.size != size ||
	    frame_read_head(&header, frame, size, ret_request) != 1)
		return -EPROTO;
	ret_request->data = (const uint8_t *)frame + size - ret_request->size;
	return 0;
}

int frame_read_reply(const void *frame, size_t size,
		     struct frame_reply *ret_reply)
{
	const uint8_t *body = (const uint8_t *)frame + FRAME_HEADER_SIZE;
	struct header header;

	if (!frame_is_whole(frame, size, FRAME_REPLY))
		return -EPROTO;
	memcpy(&header, frame, sizeof(header));
	little_endian(&header);
	ret_reply->id = header.id;
	ret_reply->status = header.status;
	ret_reply->queue_ns = header.times_ns[0];
	ret_reply->run_ns = header.times_ns[1];
	ret_reply->data = body + frame_strings_size(&header);
	ret_reply->size = header.size - frame_strings_size(&header);
	ret_reply->http_status = header.http_status;
	ret_reply->headers_size = header.headers;
	ret_reply->headers =
		frame_read_strings(&header, body, FRAME_REPLY, ret_reply);
	return ret_reply->headers &&
			       !http_headers_reply_fault(ret_reply->headers,
							 header.headers) ?
		       0 :
		       -EPROTO;
}

/* Attributes, or headers. */
struct block {
	const char *bytes;
	size_t size;
};

static size_t frame_write_block(uint8_t *to, struct block block)
{
	if (block.size)
		memcpy(to, block.bytes, block.size);
	return block.size;
}

/*
 * Writes the strings of the struct @from, then @attributes and @headers, and
 * @header before them.
 */
HOT static int frame_write_head(struct header *header, const void *from,
				struct block attributes, struct block headers,
				size_t data_size, uint8_t *head)
{
	unsigned count;
	const struct string *strings = frame_strings_of(header->kind, &count);
	size_t size = FRAME_HEADER_SIZE;

	for (unsigned i = 0; i < count; i++) {
		const char *text = (const char *)from + strings[i].offset;
		size_t length = strnlen(text, strings[i].size);

		assert(length < strings[i].size);
		memcpy(head + size, text, length);
		header->lengths[i] = (uint16_t)length;
		size += length;
	}
	if (attributes.size)
		header->lengths[ATTRIBUTES] = (uint16_t)attributes.size;
	header->headers = (uint16_t)headers.size;
	size += frame_write_block(head + size, attributes);
	size += frame_write_block(head + size, headers);
	if (data_size > FRAME_BODY_MAX + FRAME_HEADER_SIZE - size)
		return -E2BIG;
	header->size = (uint32_t)(size - FRAME_HEADER_SIZE + data_size);
	header->version = FRAME_VERSION;
	little_endian(header);
	memcpy(head, header, sizeof(*header));
	return (int)size;
}

int frame_write_request(const struct frame_request *request, void *head)
{
	struct header header = {
		.kind = FRAME_REQUEST,
		.id = request->id,
		.times_ns = { request->timeout_ns },
	};

	assert(request->attributes_size <= THAW_ATTRIBUTES_SIZE_MAX &&
	       request->headers_size <= THAW_HEADERS_SIZE_MAX);
	return frame_write_head(&header, request,
				(struct block){ request->attributes,
						request->attributes_size },
				(struct block){ request->headers,
						request->headers_size },
				request->size, head);
}

HOT int frame_write_reply(const struct frame_reply *reply, void *head)
{
	struct header header = {
		.kind = FRAME_REPLY,
		.status = (uint16_t)reply->status,
		.id = reply->id,
		.times_ns = { reply->queue_ns, reply->run_ns },
		.http_status = (uint16_t)reply->http_status,
	};

	assert(frame_is_status(reply->status) &&
	       reply->headers_size <= THAW_REPLY_HEADERS_SIZE_MAX);
	return frame_write_head(&header, reply, (struct block){ NULL, 0 },
				(struct block){ reply->headers,
						reply->headers_size },
				reply->size, head);
}
