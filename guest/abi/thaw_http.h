/*
 * thaw_http.h - which headers are valid (RFC 9110, 5.1 and 5.5), and which a function
 * may set. Compiled on both sides: the SDK refuses a bad header when the function adds
 * it, and the host, which trusts nothing in guest memory, checks again. All arguments
 * are strings that end with a zero.
 */
#ifndef THAW_HTTP_H
#define THAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Whether @text is a token, as names of headers and methods must be. */
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

/*
 * Whether @text is a header's value: visible characters and bytes above 0x7f, with
 * blanks and tabs only between them.
 */
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

/*
 * Whether @name, in any case, is one of @names, which are in lower case. Most differ in
 * the first letter, which costs no call.
 */
static inline bool thaw_http_is_in(const char *name, const char *const *names,
				   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((*name | 0x20) == *names[i] && !strcasecmp(name, names[i]))
			return true;
	return false;
}

/* Whether the header @name describes one connection, or the end of a message. */
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

/*
 * Whether the server sets the header @name, once. The content type it has from the
 * function, which sets it in another way.
 */
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

/* Whether a reply of this HTTP status never has a body. */
static inline bool thaw_http_is_bodiless(unsigned status)
{
	return status == 204 || status == 205 || status == 304;
}

#endif
