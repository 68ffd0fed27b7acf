/* request_http.c - see request_http.h. */
#include "executor/cli/request_http.h"

#include <string.h>
#include <strings.h>

#include "guest/abi/thaw_http.h"

static struct request_http *http_of(const struct cli_option *option,
				    void *target)
{
	return (void *)((char *)target + option->offset);
}

static int request_misused(const struct cli_option *option, const char *value,
			   const char *why)
{
	cli_error("--%s: \"%.100s\" %s", option->name, value, why);
	return CLI_USAGE;
}

int request_set_method(const struct cli_option *option, const char *value,
		       void *target)
{
	if (!thaw_http_is_token(value) || strlen(value) > REQUEST_METHOD_MAX)
		return request_misused(option, value,
				       "is not a method of HTTP, such as GET");
	http_of(option, target)->method = value;
	return 0;
}

/* Whether @text may be part of a URL as it is; @stops would end that part. */
static bool is_of_url(const char *text, const char *stops)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr(stops, *at))
			return false;
	return strlen(text) < THAW_ATTRIBUTES_SIZE_MAX;
}

int request_set_path(const struct cli_option *option, const char *value,
		     void *target)
{
	if (*value != '/' || !is_of_url(value, "?#"))
		return request_misused(
			option, value,
			"is not a path: it begins with a slash, and a "
			"blank is %20");
	http_of(option, target)->path = value;
	return 0;
}

int request_set_query(const struct cli_option *option, const char *value,
		      void *target)
{
	struct request_http *http = http_of(option, target);
	size_t used = strlen(http->query);

	if (!is_of_url(value, "#"))
		return request_misused(option, value,
				       "is not part of a URL: a blank is %20");
	if (used + strlen(value) + 2 > sizeof(http->query))
		return request_misused(option, value,
				       "is more than a query may have");
	if (used)
		http->query[used++] = '&';
	strcpy(http->query + used, value);
	return 0;
}

/* Appends @size bytes to the text of headers; NULL: there is no room. */
static char *request_keep(struct request_http *http, const char *text,
			  size_t size)
{
	char *to = http->text + http->text_size;

	if (size >= sizeof(http->text) - http->text_size)
		return NULL;
	memcpy(to, text, size);
	to[size] = '\0';
	http->text_size += size + 1;
	return to;
}

/* Servers write names in lower case, and a function sees the same here. */
static const char *keep_name(struct request_http *http, const char *text,
			     size_t size)
{
	char *name = request_keep(http, text, size);

	for (char *at = name; at && *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	return name;
}

/* Whether the client writes this header itself, or another option sets it. */
static bool request_is_taken(const char *name)
{
	return thaw_http_is_framing(name) || !strcasecmp(name, "expect") ||
	       !strcasecmp(name, "host");
}

int request_set_header(const struct cli_option *option, const char *value,
		       void *target)
{
	struct request_http *http = http_of(option, target);
	const size_t name_size = strcspn(value, ":");
	const char *rest = value + name_size + (value[name_size] == ':');
	struct thaw_attribute *header = &http->headers[http->header_count];
	size_t size;

	rest += strspn(rest, " \t");
	size = strlen(rest);
	while (size && strchr(" \t", rest[size - 1]))
		size--;
	if (http->header_count == REQUEST_HEADERS_MAX) {
		cli_error("--%s: more than %d of them", option->name,
			  REQUEST_HEADERS_MAX);
		return CLI_USAGE;
	}
	header->name = keep_name(http, value, name_size);
	header->value = header->name ? request_keep(http, rest, size) : NULL;
	if (!header->value)
		return request_misused(option, value,
				       "is more than there is room for");
	if (!value[name_size] || !thaw_http_is_token(header->name) ||
	    !thaw_http_is_value(header->value))
		return request_misused(option, value, "is not NAME: VALUE");
	if (!strcasecmp(header->name, "content-type"))
		return request_misused(option, value, "is what -t is for");
	if (request_is_taken(header->name))
		return request_misused(option, value,
				       "is about the connection or the length");
	http->header_count++;
	return 0;
}

bool request_has_http(const struct request_http *http)
{
	return http->method || http->path || *http->query || http->header_count;
}

const char *request_method(const struct request_http *http)
{
	return http->method ? http->method : "POST";
}

void request_add_http(const struct request_http *http,
		      struct thaw_attribute attributes[REQUEST_ATTRIBUTES],
		      struct thaw_invoke_request *request)
{
	size_t count = 0;

	if (!request_has_http(http))
		return;
	attributes[count++] =
		(struct thaw_attribute){ "method", request_method(http) };
	if (http->path)
		attributes[count++] =
			(struct thaw_attribute){ "path", http->path };
	if (*http->query)
		attributes[count++] =
			(struct thaw_attribute){ "query", http->query };
	request->attributes = attributes;
	request->attribute_count = count;
	request->headers = http->headers;
	request->header_count = http->header_count;
}
