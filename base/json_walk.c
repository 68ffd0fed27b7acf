/* json_walk.c - checks JSON text and finds its parts. See json_walk.h. */
#include "base/json_walk.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* A place in a text; after a failure, the first wrong byte. */
struct scan {
	const char *at, *end;
};

/* What may come next. */
enum expected {
	VALUE,
	VALUE_OR_END, /* after '[' */
	KEY,	      /* after ',' in an object */
	KEY_OR_END,   /* after '{' */
	REST,	      /* after a value: ',', '}', ']', or the end */
};

/* The open objects and arrays: one bit each, 1 for an object. */
struct nesting {
	unsigned int depth;
	uint64_t objects[JSON_CHECK_DEPTH_MAX / 64];
};

/* What may follow a backslash, except 'u'; and what ends a value. */
static const char escapes[] = { '"', '\\', '/', 'b', 'f', 'n', 'r', 't' };
static const char closers[] = { ',', '}', ']' };

static bool json_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool json_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && json_is_blank(*scan->at))
		scan->at++;
}

/* Takes @c if it is next. */
static bool scan_take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0 if a byte of @word is less than @least, which is 128 at most. */
static uint64_t any_below(uint64_t word, uint8_t least)
{
	return (word - EACH_BYTE(least)) & ~word & EACH_BYTE(0x80);
}

static bool json_is_plain(char c)
{
	return (uint8_t)c >= ' ' && (uint8_t)c < 0x80 && c != '"' && c != '\\';
}

/* Skips bytes that stand for themselves in a string, which most do. */
static void skip_plain(struct scan *scan)
{
	uint64_t word;

	while ((size_t)(scan->end - scan->at) >= sizeof(word)) {
		memcpy(&word, scan->at, sizeof(word));
		if (any_below(word, ' ') | (word & EACH_BYTE(0x80)) |
		    any_below(word ^ EACH_BYTE('"'), 1) |
		    any_below(word ^ EACH_BYTE('\\'), 1))
			break;
		scan->at += sizeof(word);
	}
	while (scan->at < scan->end && json_is_plain(*scan->at))
		scan->at++;
}

static int scan_escape(struct scan *scan)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	scan->at++;
	if (scan_take(scan, 'u')) {
		for (int i = 0; i < 4; i++, scan->at++)
			if (scan->at == scan->end ||
			    !memchr(hex, *scan->at, sizeof(hex) - 1))
				return -EINVAL;
		return 0;
	}
	if (scan->at == scan->end ||
	    !memchr(escapes, *scan->at, sizeof(escapes)))
		return -EINVAL;
	scan->at++;
	return 0;
}

/* Scans a string after its first quote, up to and including the last. */
static int scan_string(struct scan *scan)
{
	int r = 0;

	while (!r) {
		uint32_t point;
		size_t length;

		skip_plain(scan);
		if (scan_take(scan, '"'))
			return 0;
		if (scan->at == scan->end || (uint8_t)*scan->at < ' ')
			return -EINVAL;
		if (*scan->at == '\\') {
			r = scan_escape(scan);
			continue;
		}
		length = text_decode(scan->at, (size_t)(scan->end - scan->at),
				     &point);
		if (!length)
			r = -EILSEQ;
		scan->at += length;
	}
	return r;
}

static int scan_digits(struct scan *scan)
{
	if (scan->at == scan->end || !json_is_digit(*scan->at))
		return -EINVAL;
	while (scan->at < scan->end && json_is_digit(*scan->at))
		scan->at++;
	return 0;
}

static int scan_number(struct scan *scan)
{
	int r;

	scan_take(scan, '-');
	/* no digits follow a leading zero */
	r = scan_take(scan, '0') ? 0 : scan_digits(scan);
	if (!r && scan_take(scan, '.'))
		r = scan_digits(scan);
	if (!r && (scan_take(scan, 'e') || scan_take(scan, 'E'))) {
		if (!scan_take(scan, '+'))
			scan_take(scan, '-');
		r = scan_digits(scan);
	}
	return r;
}

static int scan_word(struct scan *scan, const char *word)
{
	for (; *word; word++)
		if (!scan_take(scan, *word))
			return -EINVAL;
	return 0;
}

static bool in_object(const struct nesting *nesting)
{
	unsigned int top = nesting->depth - 1;

	return nesting->objects[top / 64] >> top % 64 & 1;
}

static int open_one(struct scan *scan, struct nesting *nesting, bool is_object)
{
	unsigned int top = nesting->depth;
	uint64_t bit = UINT64_C(1) << top % 64;

	if (top == JSON_CHECK_DEPTH_MAX)
		return -E2BIG;
	nesting->depth++;
	if (is_object)
		nesting->objects[top / 64] |= bit;
	else
		nesting->objects[top / 64] &= ~bit;
	scan->at++;
	return 0;
}

/* Scans a value, or the beginning of an object or array. */
static int scan_value(struct scan *scan, struct nesting *nesting,
		      enum expected *next)
{
	*next = REST;
	switch (*scan->at) {
	case '{':
		*next = KEY_OR_END;
		return open_one(scan, nesting, true);
	case '[':
		*next = VALUE_OR_END;
		return open_one(scan, nesting, false);
	case '"':
		scan->at++;
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		return scan_number(scan);
	}
}

static int scan_key(struct scan *scan)
{
	int r = scan_take(scan, '"') ? scan_string(scan) : -EINVAL;

	skip_blanks(scan);
	if (!r && !scan_take(scan, ':'))
		r = -EINVAL;
	return r;
}

/* Scans what follows a value in an object or array. */
static int scan_rest(struct scan *scan, struct nesting *nesting,
		     enum expected *next)
{
	bool is_object = in_object(nesting);

	if (scan_take(scan, ',')) {
		*next = is_object ? KEY : VALUE;
		return 0;
	}
	if (!scan_take(scan, is_object ? '}' : ']'))
		return -EINVAL;
	nesting->depth--;
	return 0;
}

/* Scans one step of the grammar. */
static int scan_next(struct scan *scan, struct nesting *nesting,
		     enum expected *next)
{
	bool may_end = *next == KEY_OR_END || *next == VALUE_OR_END;

	if (may_end && scan_take(scan, *next == KEY_OR_END ? '}' : ']')) {
		nesting->depth--;
		*next = REST;
		return 0;
	}
	if (*next == REST)
		return scan_rest(scan, nesting, next);
	if (*next == VALUE || *next == VALUE_OR_END)
		return scan_value(scan, nesting, next);
	*next = VALUE;
	return scan_key(scan);
}

int json_check(const char *text, size_t size, size_t *ret_offset)
{
	struct scan scan = { text, text + size };
	struct nesting nesting = { .depth = 0 };
	enum expected next = VALUE;
	int r = 0;

	for (;;) {
		bool is_whole = next == REST && !nesting.depth;

		skip_blanks(&scan);
		if (is_whole && scan.at == scan.end)
			return 0;
		if (is_whole || scan.at == scan.end)
			r = -EINVAL;
		if (!r)
			r = scan_next(&scan, &nesting, &next);
		if (r)
			break;
	}
	if (ret_offset)
		*ret_offset = (size_t)(scan.at - text);
	return r;
}

/* Skips a value of a text that is known to be JSON, however deep it is. */
static void skip_value(struct scan *scan)
{
	size_t depth = 0;

	while (scan->at < scan->end) {
		char c = *scan->at++;

		if (c == '"')
			scan_string(scan);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (!depth)
			/* a number or a word */
			while (scan->at < scan->end &&
			       !json_is_blank(*scan->at) &&
			       !memchr(closers, *scan->at, sizeof(closers)))
				scan->at++;
		if (!depth)
			break;
	}
}

/* Goes to what follows @opener or a comma; false: nothing does. */
static bool scan_to_next(struct scan *scan, size_t offset, char opener)
{
	scan->at += offset;
	skip_blanks(scan);
	if (!scan_take(scan, offset ? ',' : opener))
		return false;
	skip_blanks(scan);
	return scan->at < scan->end &&
	       !memchr(closers, *scan->at, sizeof(closers));
}

static void scan_member_value(struct scan *scan, const char *text,
			      size_t *offset, struct json_member *member)
{
	member->value = scan->at;
	skip_value(scan);
	member->value_size = (size_t)(scan->at - member->value);
	*offset = (size_t)(scan->at - text);
}

bool json_walk_member(const char *text, size_t size, size_t *offset,
		      struct json_member *ret_member)
{
	struct scan scan = { text, text + size };

	if (!scan_to_next(&scan, *offset, '{') || !scan_take(&scan, '"'))
		return false;
	ret_member->key = scan.at;
	scan_string(&scan);
	ret_member->key_size = (size_t)(scan.at - ret_member->key) - 1;
	skip_blanks(&scan);
	scan_take(&scan, ':');
	skip_blanks(&scan);
	scan_member_value(&scan, text, offset, ret_member);
	return true;
}

bool json_walk_element(const char *text, size_t size, size_t *offset,
		       struct json_member *ret_element)
{
	struct scan scan = { text, text + size };

	if (!scan_to_next(&scan, *offset, '['))
		return false;
	ret_element->key = NULL;
	ret_element->key_size = 0;
	scan_member_value(&scan, text, offset, ret_element);
	return true;
}
