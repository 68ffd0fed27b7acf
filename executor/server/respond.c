/* respond.c - what responses on all listeners have in common. See respond.h. */
#include "executor/server/respond.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/entropy.h"
#include "base/json_write.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/http_response.h"
#include "executor/server/server_limits.h"

/* A random UUID (RFC 9562, version 4). */
static void respond_make_id(char *id)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[16] = { 0 };

	/* this fails only before the machine has entropy; then ids are equal */
	(void)!entropy_fill(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*id++ = '-';
		*id++ = digits[bytes[i] >> 4];
		*id++ = digits[bytes[i] & 15];
	}
	*id = '\0';
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

static const char *id_of(struct exchange *exchange)
{
	if (!*exchange->id &&
	    !take_id(&exchange->request, "x-call-id", exchange->id))
		respond_make_id(exchange->id);
	return exchange->id;
}

void exchange_make_id(struct exchange *exchange)
{
	id_of(exchange);
}

void respond_begin(struct exchange *exchange, unsigned status, const char *type)
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

void respond_reply(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;

	if (reply->size > SERVER_REPLY_SMALL && !exchange->is_head)
		exchange->body = invocation_take_copy(&exchange->invocation);
	if (!exchange->body) {
		respond_end(exchange, reply->data, reply->size);
		return;
	}
	http_response_end(&exchange->out, reply->size);
	exchange->body_size = reply->size;
	budget_take_anyway(&exchange->account, reply->size);
}

bool respond_has_room(struct exchange *exchange)
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
