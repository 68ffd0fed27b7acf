/*
 * http_head.c - what a request's head says: target, length of the body, what the
 * client expects.
 *
 * Where RFC 9112 lets a server mend or refuse, this one refuses: requests are
 * smuggled through what two servers in a row read differently.
 */
#include "executor/protocol/http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hot.h"

bool http_bad(struct http_request *request, unsigned status, const char *reason)
{
	request->bad_status = status;
	request->bad_reason = reason;
	return false;
}

static enum http_method method_of(unsigned method)
{
	switch (method) {
	case HTTP_GET:
		return HTTP_GET_METHOD;
	case HTTP_HEAD:
		return HTTP_HEAD_METHOD;
	case HTTP_POST:
		return HTTP_POST_METHOD;
	case HTTP_PUT:
		return HTTP_PUT_METHOD;
	case HTTP_DELETE:
		return HTTP_DELETE_METHOD;
	case HTTP_OPTIONS:
		return HTTP_OPTIONS_METHOD;
	case HTTP_PATCH:
		return HTTP_PATCH_METHOD;
	default:
		return HTTP_OTHER_METHOD;
	}
}

/*
 * Skips the host of "http://host/path", which is for proxies, but which RFC 9112,
 * 3.2.2, has every server accept. Returns NULL if the host is missing or not valid
 * (RFC 9110, 4.2.1 and 4.2.4).
 */
static char *skip_authority(char *target, struct host *ret_host)
{
	size_t size;

	if (*target == '/')
		return target;
	if (!strncasecmp(target, "http://", 7))
		target += 7;
	else if (!strncasecmp(target, "https://", 8))
		target += 8;
	else
		return target;
	size = strcspn(target, "/?#");
	if (!host_read(target, size, ret_host) || !ret_host->size)
		return NULL;
	return target + size;
}

/* Whether @name is @known; most differ in the first letter, which costs no call. */
static bool is_named(const char *name, const char *known)
{
	return *name == *known && !strcmp(name, known);
}

static bool read_target(struct http_request *request, char *target)
{
	char *path = skip_authority(target, &request->host), *query;

	if (!path)
		return http_bad(request, 400,
				"what is behind http:// is not a name or "
				"address, and a port");
	query = strchr(path, '?');
	if (strchr(path, '#'))
		return http_bad(request, 400,
				"a fragment is not sent to a server");
	if (query)
		*query++ = '\0';
	request->query = query ? query : "";
	request->path = path;
	if (path != target && !*path)
		request->path = "/";
	if (*request->path == '/')
		return true;
	if (!strcmp(path, "*") && !query &&
	    request->method == HTTP_OPTIONS_METHOD)
		return true;
	return http_bad(request, 400, "the path must begin with a slash");
}

/* llhttp refuses most of this itself, more or less of it in each version. */
static bool read_length(struct http_request *request, const char *value)
{
	const char *end = value;

	while (*end >= '0' && *end <= '9')
		end++;
	if (!*value || *end)
		return http_bad(request, 400,
				"the Content-Length is not a number");
	request->content_length = request->internal.parser.content_length;
	return true;
}

static bool read_transfer_encoding(struct http_request *request,
				   const char *value)
{
	if (request->is_http_1_0)
		return http_bad(request, 400,
				"HTTP/1.0 has no Transfer-Encoding");
	if (request->is_chunked || strcasecmp(value, "chunked") != 0)
		return http_bad(request, 501,
				"no Transfer-Encoding but chunked is known");
	request->is_chunked = true;
	return true;
}

static bool read_expect(struct http_request *request, const char *value)
{
	if (request->is_http_1_0)
		return true;
	if (strcasecmp(value, "100-continue") != 0)
		return http_bad(request, 417,
				"nothing but 100-continue can be expected");
	request->expects_continue = true;
	return true;
}

/* The host of the target has precedence (RFC 9112, 3.2.2). */
static bool head_read_host(struct http_request *request, const char *value)
{
	struct host host;

	if (!host_read(value, strlen(value), &host))
		return http_bad(request, 400,
				"Host is not a name or address, and a port");
	if (!request->host.size)
		request->host = host;
	return true;
}

struct counts {
	unsigned hosts, lengths, encodings, options;
};

/* Counts what may separate names in Connection; see http_message.h. */
static bool count_options(struct http_request *request, const char *value,
			  struct counts *counts)
{
	for (; *value; value++)
		counts->options += *value == ',' || *value == ' ';
	return counts->options <= HTTP_CONNECTION_OPTIONS_MAX ||
	       http_bad(request, 400, "Connection has too many names");
}

static bool head_read_header(struct http_request *request,
			     const struct thaw_attribute *header,
			     struct counts *counts)
{
	if (!*header->name)
		return http_bad(request, 400, "a header has no name");
	if (is_named(header->name, "host")) {
		counts->hosts++;
		return head_read_host(request, header->value);
	}
	if (is_named(header->name, "connection"))
		return count_options(request, header->value, counts);
	if (is_named(header->name, "origin"))
		request->origin = header->value;
	if (is_named(header->name, "expect"))
		return read_expect(request, header->value);
	if (is_named(header->name, "content-length")) {
		counts->lengths++;
		return read_length(request, header->value);
	}
	if (is_named(header->name, "transfer-encoding")) {
		counts->encodings++;
		return read_transfer_encoding(request, header->value);
	}
	return true;
}

static bool read_headers(struct http_request *request)
{
	struct counts counts = { 0 };

	for (size_t i = 0; i < request->header_count; i++)
		if (!head_read_header(request, &request->headers[i], &counts))
			return false;
	if (counts.lengths && counts.encodings)
		return http_bad(request, 400,
				"Content-Length and Transfer-Encoding exclude "
				"each other");
	if (counts.lengths > 1)
		return http_bad(request, 400,
				"there is more than one Content-Length");
	if (counts.hosts > 1)
		return http_bad(request, 400, "there is more than one Host");
	if (!counts.hosts && !request->is_http_1_0)
		return http_bad(request, 400, "the Host header is missing");
	return true;
}

HOT bool http_head_read(struct http_request *request, char *target)
{
	const llhttp_t *parser = &request->internal.parser;

	if (parser->method == HTTP_CONNECT)
		return http_bad(request, 501, "this server is not a proxy");
	request->method = method_of(parser->method);
	request->method_name = llhttp_method_name(parser->method);
	request->is_http_1_0 = parser->http_minor == 0;
	request->keep_alive = llhttp_should_keep_alive(parser);
	if (!read_target(request, target) || !read_headers(request))
		return false;
	/* without a body there is nothing to wait for */
	if (!request->content_length && !request->is_chunked)
		request->expects_continue = false;
	return true;
}
