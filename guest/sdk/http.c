/*
 * http.c - a request and a reply as HTTP has them. What of a reply is not its
 * body waits in the mailbox, as reply.c has the content type there.
 */
#include <string.h>
#include <strings.h>

#include <thaw.h>
#include <thaw_http.h>

#include "sdk.h"

static const char *attribute_or(const char *name, const char *otherwise)
{
	const char *value = thaw_attribute(name);

	return value ? value : otherwise;
}

const char *thaw_request_method(const struct thaw_request *request)
{
	(void)request;
	return attribute_or("method", "POST");
}

const char *thaw_request_path(const struct thaw_request *request)
{
	(void)request;
	return attribute_or("path", "/");
}

const char *thaw_request_query(const struct thaw_request *request)
{
	(void)request;
	return attribute_or("query", "");
}

bool thaw_request_next_header(const struct thaw_request *request,
			      struct thaw_header *header)
{
	const char *at = header->value ?
				 header->value + strlen(header->value) + 1 :
				 (const char *)THAW_GPA_HEADERS;

	(void)request;
	if (!*at)
		return false;
	header->name = at;
	header->value = at + strlen(at) + 1;
	return true;
}

const char *thaw_request_header(const struct thaw_request *request,
				const char *name)
{
	struct thaw_header header = { NULL, NULL };

	while (thaw_request_next_header(request, &header))
		if (!strcasecmp(header.name, name))
			return header.value;
	if (*request->content_type && !strcasecmp(name, "content-type"))
		return request->content_type;
	return NULL;
}

int thaw_reply_status(int status)
{
	if (status < THAW_REPLY_STATUS_MIN || status > THAW_REPLY_STATUS_MAX)
		return -1;
	thaw_mailbox->http_status = (uint32_t)status;
	return 0;
}

int thaw_reply_header(const char *name, const char *value)
{
	const size_t name_size = strlen(name) + 1;
	const size_t value_size = strlen(value) + 1;
	const size_t used = thaw_mailbox->headers_size;
	char *to = (char *)thaw_mailbox->headers + used;

	if (!strcasecmp(name, "content-type"))
		return thaw_reply_type(value);
	if (!thaw_http_is_token(name) || !thaw_http_is_value(value) ||
	    thaw_http_is_framing(name) || thaw_http_is_servers(name))
		return -1;
	if (name_size > THAW_REPLY_HEADERS_MAX - used ||
	    value_size > THAW_REPLY_HEADERS_MAX - used - name_size)
		return -1;
	memcpy(to, name, name_size);
	memcpy(to + name_size, value, value_size);
	thaw_mailbox->headers_size = (uint32_t)(used + name_size + value_size);
	return 0;
}

void thaw_http_reset(void)
{
	thaw_mailbox->http_status = 0;
	thaw_mailbox->headers_size = 0;
}
