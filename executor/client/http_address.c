/* http_address.c - addresses of servers. See http_address.h. */
#include "executor/client/http_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_DEFAULT "80"
#define PORT_LAST 65535

static bool skip_prefix(const char **text, const char *start)
{
	size_t size = strlen(start);

	if (strncasecmp(*text, start, size) != 0)
		return false;
	*text += size;
	return true;
}

static int refuse_address(struct error *err, const char *text, const char *why)
{
	return error_set(err, -EINVAL,
			 "\"%s\" is no address: %s: write " HTTP_ADDRESS_FORMS,
			 text, why);
}

/* Copies @size bytes that may stand in a line of a request. */
static bool copy(const char *from, size_t size, char *to, size_t room)
{
	if (size >= room)
		return false;
	for (size_t i = 0; i < size; i++)
		if (from[i] <= ' ' || from[i] > '~')
			return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

static int parse_unix(const char *path, struct error *err,
		      struct http_address *address)
{
	if (!*path)
		return refuse_address(err, "unix:", "the path is missing");
	if (strlen(path) >= sizeof(address->path))
		return error_set(err, -EINVAL,
				 "%s is too long for a socket, which may have "
				 "%zu characters",
				 path, sizeof(address->path) - 1);
	address->is_unix = true;
	strcpy(address->path, path);
	strcpy(address->authority, "localhost");
	return 0;
}

static bool is_port_text(const char *port)
{
	char *end;
	long number = strtol(port, &end, 10);

	return *port >= '0' && *port <= '9' && !*end && number > 0 &&
	       number <= PORT_LAST;
}

/* "HOST[:PORT]" up to @end; NULL, or what is wrong with it. */
static const char *parse_host(const char *text, const char *end,
			      struct http_address *address)
{
	const char *host = text, *colon, *close;
	size_t size;

	if (*text == '[') {
		host = text + 1;
		close = memchr(text, ']', (size_t)(end - text));
		if (!close)
			return "] is missing";
		size = (size_t)(close - host);
		colon = close + 1;
		if (colon != end && *colon != ':')
			return "only :PORT may follow ]";
	} else {
		colon = memchr(text, ':', (size_t)(end - text));
		if (!colon)
			colon = end;
		size = (size_t)(colon - host);
	}
	if (!size || !copy(host, size, address->host, sizeof(address->host)) ||
	    strpbrk(address->host, "/?#@[]"))
		return "that is no host";
	if (colon == end)
		strcpy(address->port, PORT_DEFAULT);
	else if (!copy(colon + 1, (size_t)(end - colon - 1), address->port,
		       sizeof(address->port)) ||
		 !is_port_text(address->port))
		return "that is no port";
	return NULL;
}

static void write_authority(struct http_address *address)
{
	bool is_ipv6 = strchr(address->host, ':');

	snprintf(address->authority, sizeof(address->authority), "%s%s%s:%s",
		 is_ipv6 ? "[" : "", address->host, is_ipv6 ? "]" : "",
		 address->port);
}

static bool parse_prefix(const char *text, struct http_address *address)
{
	size_t size = strlen(text);

	while (size && text[size - 1] == '/')
		size--;
	return copy(text, size, address->prefix, sizeof(address->prefix)) &&
	       !strpbrk(address->prefix, "?#");
}

int http_address_parse(const char *text, struct error *err,
		       struct http_address *ret_address)
{
	struct http_address address = { .is_unix = false };
	const char *at = text, *end, *wrong;
	bool is_url;
	int r;

	if (skip_prefix(&at, "https://"))
		return error_set(err, -EPROTONOSUPPORT,
				 "%s: thaw does not speak https: use http://, "
				 "or a proxy that ends TLS",
				 text);
	if (skip_prefix(&at, "unix:") ||
	    (!skip_prefix(&at, "http:") && strchr(at, '/'))) {
		r = parse_unix(at, err, &address);
		if (!r)
			*ret_address = address;
		return r;
	}
	is_url = at != text;
	if (is_url && !skip_prefix(&at, "//"))
		return refuse_address(err, text, "// is missing");
	end = at + strcspn(at, "/?#");
	wrong = parse_host(at, end, &address);
	if (wrong)
		return refuse_address(err, text, wrong);
	if (!is_url && end[-1] != ']' && !strchr(at, ':'))
		return refuse_address(err, text, "the port is missing");
	if (!parse_prefix(end, &address))
		return refuse_address(err, text, "that is no path");
	write_authority(&address);
	*ret_address = address;
	return 0;
}

const char *http_address_name(const struct http_address *address)
{
	return address->is_unix ? address->path : address->authority;
}
