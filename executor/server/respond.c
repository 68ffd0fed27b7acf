/* respond.c - what responses on all listeners have in common. See respond.h. */
#include "executor/server/respond.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/entropy.h"
#include "base/hot.h"
#include "base/json_write.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/http_response.h"
#include "executor/server/server_limits.h"

/* Writes the eight digits of four bytes: all at once, each in a byte of a word. */
static void put_hex(char *to, const uint8_t *bytes)
{
	uint64_t digits, letters;
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	digits = be32toh(word);
	digits = (digits << 16 | digits) & UINT64_C(0x0000ffff0000ffff);
	digits = (digits << 8 | digits) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits << 4 | digits) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	/* 1 where the digit is 10 or more */
	letters = (digits + UINT64_C(0x0606060606060606)) >> 4 &
		  UINT64_C(0x0101010101010101);
	digits = htobe64(digits + UINT64_C(0x3030303030303030) +
			 letters * ('a' - '0' - 10));
	memcpy(to, &digits, sizeof(digits));
}

/* A random UUID (RFC 9562, version 4). */
static void respond_make_id(char *id)
{
	uint8_t bytes[16] = { 0 };
	char digits[32];

	/* this fails only before the machine has entropy; then ids are equal */
	(void)!entropy_fill(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < sizeof(bytes); i += 4)
		put_hex(digits + 2 * i, bytes + i);
	memcpy(id, digits, 8);
	memcpy(id + 9, digits + 8, 4);
	memcpy(id + 14, digits + 12, 4);
	memcpy(id + 19, digits + 16, 4);
	memcpy(id + 24, digits + 20, 12);
	id[8] = id[13] = id[18] = id[23] = '-';
	id[36] = '\0';
}

/* Takes the client's id if it is valid. */
static bool take_id(const struct http_request *request, const char *header,
		    char *id)
{
	const char *value = http_request_header(request, header);
	size_t size = value ? strlen(value) : 0;

	if (!size || size >= INVOCATION_ID_SIZE)
		return false;
	for (const char *at = value; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '"' || *at == '\\')
			return false;
	memcpy(id, value, size + 1);
	return true;
}

HOT static const char *id_of(struct exchange *exchange)
{
	if (!*exchange->id &&
	    !take_id(&exchange->request, "x-call-id", exchange->id))
		respond_make_id(exchange->id);
	return exchange->id;
}

HOT void exchange_make_id(struct exchange *exchange)
{
	id_of(exchange);
}

HOT void respond_begin(struct exchange *exchange, unsigned status,
		       const char *type)
{
	struct buffer *out = &exchange->out;

	buffer_clear(out);
	http_response_begin(out, status, exchange->keep_alive);
	if (type)
		http_response_header(out, "Content-Type", type);
	/* other clients keep it alive without this header */
	if (exchange->request.is_http_1_0 && exchange->keep_alive)
		http_response_header(out, "Connection", "keep-alive");
	http_response_header(out, "X-Call-Id", id_of(exchange));
}

void respond(struct exchange *exchange, unsigned status, const char *type,
	     const void *body, size_t size)
{
	respond_begin(exchange, status, type);
	respond_end(exchange, body, size);
}

void respond_end(struct exchange *exchange, const void *body, size_t size)
{
	http_response_end(&exchange->out, size);
	if (!exchange->is_head && size != HTTP_NO_BODY)
		buffer_append(&exchange->out, body, size);
}

HOT void respond_reply(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;

	if (reply->size <= SERVER_REPLY_SMALL || exchange->is_head) {
		respond_end(exchange, reply->data, reply->size);
		return;
	}
	http_response_end(&exchange->out, reply->size);
	exchange->body_size = reply->size;
	exchange->body = invocation_take_copy(&exchange->invocation);
	if (exchange->body)
		budget_take_anyway(&exchange->account, reply->size);
	else
		exchange->view = reply->data;
}

HOT bool respond_has_room(struct exchange *exchange)
{
	struct invocation *invocation = &exchange->invocation;
	const size_t size = invocation->reply.size;

	if (size <= SERVER_REPLY_SMALL)
		return true;
	/* the reply of --echo-function is the request */
	if (invocation->reply.data != invocation->request.data)
		http_request_drop_body(&exchange->request);
	if (budget_allows(&exchange->account, size))
		return true;
	invocation->result =
		error_set(&invocation->error, -ENOBUFS,
			  "the function has replied %zu bytes: %s", size,
			  budget_reason(exchange->account.refused));
	return false;
}

void write_problem(struct exchange *exchange, unsigned status,
		   const char *error_type, const char *detail)
{
	struct buffer *text = &exchange->text;

	buffer_clear(text);
	buffer_text(text, "{\"type\":\"about:blank\",\"title\":");
	json_write_text(text, http_status_text(status));
	buffer_text(text, ",\"status\":");
	buffer_number(text, status);
	buffer_text(text, ",\"detail\":");
	json_write_text(text, detail);
	if (error_type) {
		buffer_text(text, ",\"errorType\":");
		json_write_text(text, error_type);
	}
	buffer_text(text, ",\"callId\":");
	json_write_text(text, id_of(exchange));
	buffer_text(text, "}\n");
}

void respond_problem(struct exchange *exchange, unsigned status,
		     const char *detail)
{
	write_problem(exchange, status, NULL, detail);
	respond_begin(exchange, status, PROBLEM_TYPE);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}
