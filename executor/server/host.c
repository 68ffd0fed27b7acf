/* host.c - the host that a request is for. See host.h; any thread. */
#include "executor/server/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define LOCALHOST "localhost"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* RFC 3986, 3.2.2: a registered name, an address in brackets. */
#define NAME_CHARACTERS DIGITS LETTERS "-._~%!$&'()*+,;="
#define ADDRESS_CHARACTERS DIGITS "abcdefABCDEF:."

/* How many of the @size bytes at @text are of @characters. */
static size_t span(const char *text, size_t size, const char *characters)
{
	size_t at = 0;

	while (at < size && text[at] && strchr(characters, text[at]))
		at++;
	return at;
}

bool host_read(const char *text, size_t size, struct host *ret_host)
{
	size_t used;

	if (size && *text == '[') {
		used = 1 + span(text + 1, size - 1, ADDRESS_CHARACTERS);
		if (used == 1 || used == size || text[used++] != ']')
			return false;
	} else {
		used = span(text, size, NAME_CHARACTERS);
	}
	*ret_host = (struct host){ text, used };
	if (used && text[used - 1] == '.')
		ret_host->size--;
	if (used == size)
		return true;
	if (text[used++] != ':')
		return false;
	return used + span(text + used, size - used, DIGITS) == size;
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
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;
	bool is_6 = *host->name == '[';
	size_t size = host->size - (is_6 ? 2 : 0);

	if (host_equal(host, &localhost))
		return true;
	if (size >= sizeof(text))
		return false;
	memcpy(text, host->name + is_6, size);
	text[size] = '\0';
	if (is_6)
		return inet_pton(AF_INET6, text, &in6) == 1 &&
		       IN6_IS_ADDR_LOOPBACK(&in6);
	return inet_pton(AF_INET, text, &in) == 1 &&
	       ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
}
