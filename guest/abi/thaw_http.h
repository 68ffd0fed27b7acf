/*
 * thaw_http.h - what headers of HTTP may be (RFC 9110, 5.1 and 5.5), the same on
 * both sides: the SDK refuses what is none when it is said, and the host, which
 * takes nothing for granted, looks again.
 */
#ifndef THAW_HTTP_H
#define THAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A header's name is a token, and so is a method. */
static inline bool thaw_http_is_token(const char *text)
{
	const char *at = text;

	for (; *at; at++)
		if (!(*at >= 'a' && *at <= 'z') &&
		    !(*at >= 'A' && *at <= 'Z') &&
		    !(*at >= '0' && *at <= '9') &&
		    !strchr("!#$%&'*+-.^_`|~", *at))
			return false;
	return at != text;
}

/* Visible characters, bytes above 0x7f, and within it blanks and tabs. */
static inline bool thaw_http_is_value(const char *text)
{
	const size_t size = strlen(text);

	for (size_t i = 0; i < size; i++) {
		const unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return !size ||
	       (!strchr(" \t", text[0]) && !strchr(" \t", text[size - 1]));
}

/* @names are in lower case. Most differ in the first letter: no call for those. */
static inline bool thaw_http_is_in(const char *name, const char *const *names,
				   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((*name | 0x20) == *names[i] && !strcasecmp(name, names[i]))
			return true;
	return false;
}

/* Whether it is about one connection, or about where a message ends. */
static inline bool thaw_http_is_framing(const char *name)
{
	static const char *const names[] = {
		"connection",
		"content-length",
		"keep-alive",
		"proxy-authenticate",
		"proxy-authorization",
		"proxy-connection",
		"te",
		"trailer",
		"transfer-encoding",
		"upgrade",
	};

	return thaw_http_is_in(name, names, sizeof(names) / sizeof(*names));
}

/* Whether it is the server's to say, once. Of a function it has the type. */
static inline bool thaw_http_is_servers(const char *name)
{
	static const char *const names[] = {
		"content-type",
		"date",
		"x-call-id",
		"x-function-status",
	};

	return thaw_http_is_in(name, names, sizeof(names) / sizeof(*names));
}

/* Whether a reply of this status has no body, whatever is sent. */
static inline bool thaw_http_is_bodiless(unsigned status)
{
	return status == 204 || status == 205 || status == 304;
}

#endif
