/* host.c - see host.h. */
#include "executor/protocol/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/hot.h"

#define LOCALHOST "localhost"

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

static bool is_letter_or_digit(char c)
{
	const char lower = (char)(c | 0x20);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/* Returns how many bytes at the beginning of @text are of @characters. */
static size_t span(const char *text, size_t size, const char *characters)
{
	size_t at = 0;

	while (at < size && text[at] && strchr(characters, text[at]))
		at++;
	return at;
}

/* The same for those of a registered name (RFC 3986, 3.2.2). */
static size_t name_span(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && (is_letter_or_digit(text[at]) || text[at] == '.' ||
			     (text[at] && strchr("-_~%!$&'()*+,;=", text[at]))))
		at++;
	return at;
}

/* Reads @size bytes of an IPv6 address. */
static bool read_in6(const char *text, size_t size, struct in6_addr *ret_in6)
{
	char copy[INET6_ADDRSTRLEN];

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return inet_pton(AF_INET6, copy, ret_in6) == 1;
}

/* Returns whether two hexadecimal digits follow each %. */
static bool is_encoded(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == '%' &&
		    (size - i < 3 || span(text + i + 1, 2, HEX_DIGITS) != 2))
			return false;
	return true;
}

HOT bool host_read(const char *text, size_t size, struct host *ret_host)
{
	struct in6_addr in6;
	size_t used;

	if (size && *text == '[') {
		used = 1 + span(text + 1, size - 1, HEX_DIGITS ":.");
		if (used == size || text[used] != ']' ||
		    !read_in6(text + 1, used - 1, &in6))
			return false;
		used++;
	} else {
		used = name_span(text, size);
		if (!is_encoded(text, used))
			return false;
	}
	*ret_host = (struct host){ text, used };
	if (used && text[used - 1] == '.')
		ret_host->size--;
	if (used == size)
		return true;
	if (text[used++] != ':')
		return false;
	while (used < size && text[used] >= '0' && text[used] <= '9')
		used++;
	return used == size;
}

bool host_read_origin(const char *text, struct host *ret_host)
{
	const char *at = strstr(text, "://");

	if (!at)
		return false;
	at += strlen("://");
	return host_read(at, strlen(at), ret_host) && ret_host->size;
}

bool host_equal(const struct host *a, const struct host *b)
{
	return a->size == b->size && !strncasecmp(a->name, b->name, a->size);
}

bool host_is_loopback(const struct host *host)
{
	static const struct host localhost = { LOCALHOST,
					       sizeof(LOCALHOST) - 1 };
	char text[INET_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;

	if (host_equal(host, &localhost))
		return true;
	if (host->size && *host->name == '[')
		return read_in6(host->name + 1, host->size - 2, &in6) &&
		       IN6_IS_ADDR_LOOPBACK(&in6);
	if (host->size >= sizeof(text))
		return false;
	memcpy(text, host->name, host->size);
	text[host->size] = '\0';
	return inet_pton(AF_INET, text, &in) == 1 &&
	       ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
}
