/* cloudevents_json.c - an event as one JSON object. See cloudevents_json.h. */
#include "executor/protocol/cloudevents_json.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/json_walk.h"
#include "base/json_write.h"
#include "base/text.h"
#include "executor/protocol/http_query.h"
#include "executor/protocol/http_request.h"

#define HEADER_PREFIX "ce-"

/* Members of an event that may be there once. */
/* clang-format off */
static const struct word {
	const char *name;
	bool required;
} words[] = {
	{ "id", true },
	{ "source", true },
	{ "type", true },
	{ "specversion", true },
	{ "datacontenttype", false },
	{ "data", false },
	{ "data_base64", false },
};
/* clang-format on */
#define WORDS (sizeof(words) / sizeof(*words))
enum {
	SPECVERSION = 3,
	CONTENT_TYPE = 4,
	DATA = 5,
	DATA_BASE64 = 6
};

static int event_refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

/* Every name is followed by a quote or a zero, which ends the search. */
static bool is_attribute(const char *name, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	return size && strspn(name, letters) >= size;
}

static size_t find_word(const char *name, size_t size)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strlen(words[i].name) == size &&
		    !memcmp(words[i].name, name, size))
			return i;
	return WORDS;
}

static bool is_string(const struct json_member *member)
{
	return member->value[0] == '"';
}

static bool member_is(const struct json_member *member, const char *text)
{
	return member->value_size == strlen(text) &&
	       !memcmp(member->value, text, member->value_size);
}

/* The next character of a JSON string; a backslash if it is not of base64. */
static char next_character(const char **at)
{
	char c = *(*at)++, hex[5] = "";
	unsigned long point;

	if (c != '\\')
		return c;
	c = *(*at)++;
	if (c != 'u')
		return c == '/' ? c : '\\';
	memcpy(hex, *at, 4);
	*at += 4;
	point = strtoul(hex, NULL, 16);
	return (char)(point && point < 0x80 ? point : '\\');
}

/* RFC 4648, 3.2: with its padding. It is decoded piece by piece. */
static bool is_base64(const struct json_member *member)
{
	const char *at = member->value + 1;
	const char *end = member->value + member->value_size - 1;
	uint8_t bytes[768];
	char text[sizeof(bytes) / 3 * 4];

	while (at < end) {
		size_t size = 0;
		int r;

		while (at < end && size < sizeof(text))
			text[size++] = next_character(&at);
		r = base64_decode(text, size, bytes, sizeof(bytes));
		/* only the last piece may be short, or have padding */
		if (r < 0 || size % 4 || (at < end && r < (int)sizeof(bytes)))
			return false;
	}
	return true;
}

/* Checks a member; @seen has the words that came before. */
static int check_member(const struct json_member *member, bool *seen,
			const char **ret_reason)
{
	size_t word = find_word(member->key, member->key_size);

	if (word == DATA_BASE64 && (!is_string(member) || !is_base64(member)))
		return event_refuse(
			ret_reason,
			"the event's data_base64 is no string of base64");
	if (word != DATA_BASE64 && !is_attribute(member->key, member->key_size))
		return event_refuse(
			ret_reason,
			"an attribute's name is other than a-z and 0-9");
	if (word != DATA && strchr("{[", member->value[0]))
		return event_refuse(ret_reason,
				    "an attribute of the event is an "
				    "object or an array");
	if (word == WORDS)
		return 0;
	if (seen[word])
		return event_refuse(ret_reason,
				    "the event has an attribute twice");
	seen[word] = true;
	if (words[word].required &&
	    (!is_string(member) || member_is(member, "\"\"")))
		return event_refuse(ret_reason,
				    "the event's id, source, type or "
				    "specversion is empty, or no string");
	if (word == SPECVERSION && !member_is(member, "\"1.0\""))
		return event_refuse(ret_reason,
				    "the event's specversion is not 1.0");
	return 0;
}

/* Members are checked where they are, as a tree of them could be huge. */
static int check_structured(const char *body, size_t size,
			    const char **ret_reason)
{
	bool seen[WORDS] = { false };
	struct json_member member;
	size_t offset = 0;
	int r = json_check(body, size, NULL);

	if (r)
		return event_refuse(ret_reason, "the event is not JSON");
	while (!r && json_walk_member(body, size, &offset, &member))
		r = check_member(&member, seen, ret_reason);
	if (r)
		return r;
	if (!offset)
		return event_refuse(ret_reason,
				    "the event is no JSON object, or an "
				    "empty one");
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].required && !seen[i])
			return event_refuse(
				ret_reason,
				"the event has no id, source, type or "
				"specversion");
	if (seen[DATA] && seen[DATA_BASE64])
		return event_refuse(ret_reason,
				    "the event has both data and data_base64");
	return 0;
}

/* ,"NAME": */
static void write_key(const char *name, bool first, struct buffer *out)
{
	buffer_text(out, first ? "\"" : ",\"");
	buffer_text(out, name);
	buffer_text(out, "\":");
}

/*
 * Reads a header's value (HTTP binding, 3.1.3.2) into @text: unquotes it, then
 * percent-decodes it. Returns its length, or -1.
 */
static int read_value(const char *value, char *text, size_t size)
{
	char unquoted[HTTP_HEAD_MAX];
	size_t length = 0;

	if (*value != '"')
		return http_decode(value, strlen(value), text, size);
	for (value++; *value && *value != '"'; value++) {
		if (*value == '\\' && value[1])
			value++;
		if (length == sizeof(unquoted))
			return -1;
		unquoted[length++] = *value;
	}
	if (*value != '"' || value[1])
		return -1;
	return http_decode(unquoted, length, text, size);
}

/* Writes the attribute of one header. */
static int write_attribute(const struct http_request *request, size_t index,
			   bool first, struct buffer *out,
			   const char **ret_reason)
{
	const struct thaw_attribute *header = &request->headers[index];
	const char *name = header->name + strlen(HEADER_PREFIX);
	char value[HTTP_HEAD_MAX];
	size_t word = find_word(name, strlen(name));
	int size;

	if (!is_attribute(name, strlen(name)) || word == DATA ||
	    word == CONTENT_TYPE)
		return event_refuse(
			ret_reason,
			"a ce- header is no attribute: names are of a-z "
			"and 0-9; data are the body, datacontenttype is "
			"Content-Type");
	for (size_t i = 0; i < index; i++)
		if (!strcmp(request->headers[i].name, header->name))
			return event_refuse(ret_reason, "a ce- header is there "
							"twice");
	size = read_value(header->value, value, sizeof(value));
	if (size < 0 || (!size && word != WORDS))
		return event_refuse(ret_reason,
				    "the value of a ce- header is empty, or not "
				    "percent-encoded as it should be");
	if (!text_is_utf8(value, (size_t)size))
		return event_refuse(ret_reason,
				    "the value of a ce- header is not UTF-8");
	write_key(name, first, out);
	json_write_string(out, value, (size_t)size);
	return 0;
}

static int write_attributes(const struct http_request *request,
			    struct buffer *out, const char **ret_reason)
{
	const size_t length = strlen(HEADER_PREFIX);
	bool first = true;
	int r = 0;

	for (size_t i = 0; !r && i < request->header_count; i++) {
		if (strncmp(request->headers[i].name, HEADER_PREFIX, length) !=
		    0)
			continue;
		r = write_attribute(request, i, first, out, ret_reason);
		first = false;
	}
	return r;
}

/* Returns whether the type, without parameters, ends with @suffix: "+json". */
static bool ends_with(const char *type, size_t size, const char *suffix)
{
	size_t length = strlen(suffix);

	return size > length &&
	       !strncasecmp(type + size - length, suffix, length);
}

static bool is_json_type(const char *type)
{
	size_t size = strcspn(type, "; \t");

	return ends_with(type, size, "/json") || ends_with(type, size, "+json");
}

static bool is_text_type(const char *type)
{
	size_t size = strcspn(type, "; \t");

	return !strncasecmp(type, "text/", strlen("text/")) ||
	       ends_with(type, size, "/xml") || ends_with(type, size, "+xml");
}

static void write_base64(const struct http_request *request, struct buffer *out)
{
	write_key("data_base64", false, out);
	buffer_text(out, "\"");
	base64_encode(request->body, request->body_size, out);
	buffer_text(out, "\"");
}

/* In the JSON format, data without a type are JSON; so they are, if they can be. */
static int write_data(const struct http_request *request, const char *type,
		      struct buffer *out, const char **ret_reason)
{
	bool is_json = !type || is_json_type(type);

	if (!request->body_size)
		return 0;
	if (is_json && !json_check(request->body, request->body_size, NULL)) {
		write_key("data", false, out);
		buffer_append(out, request->body, request->body_size);
		return 0;
	}
	if (is_json && type)
		return event_refuse(ret_reason,
				    "the event's data are not JSON, as "
				    "its content type says");
	if (type && is_text_type(type) &&
	    text_is_utf8(request->body, request->body_size)) {
		write_key("data", false, out);
		json_write_string(out, request->body, request->body_size);
		return 0;
	}
	write_base64(request, out);
	return 0;
}

static int write_binary(const struct http_request *request, struct buffer *out,
			const char **ret_reason)
{
	const char *type = http_request_header(request, "content-type");
	int r;

	if (type && !*type)
		type = NULL;
	buffer_text(out, "{");
	r = write_attributes(request, out, ret_reason);
	if (r)
		return r;
	if (type) {
		if (!text_is_utf8(type, strlen(type)))
			return event_refuse(ret_reason,
					    "the content type is not UTF-8");
		write_key("datacontenttype", false, out);
		json_write_text(out, type);
	}
	r = write_data(request, type, out, ret_reason);
	if (r)
		return r;
	buffer_text(out, "}");
	return 0;
}

int cloudevents_write(const struct http_request *request,
		      enum cloudevents_mode mode, struct buffer *out,
		      const char **ret_reason)
{
	size_t before = out->size;
	int r;

	if (mode == CLOUDEVENTS_BINARY) {
		r = write_binary(request, out, ret_reason);
		if (r)
			out->size = before;
		return r;
	}
	r = check_structured(request->body, request->body_size, ret_reason);
	if (!r)
		buffer_append(out, request->body, request->body_size);
	return r;
}
