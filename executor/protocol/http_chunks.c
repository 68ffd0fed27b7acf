/* http_chunks.c - see http_chunks.h. */
#include "executor/protocol/http_chunks.h"

#include <stdbool.h>

#include "executor/protocol/http_lines.h"

/*
 * What comes next. A line has a size and extensions:
 *
 *	5 ; name = token ; name = "text \" text" ; name CR LF
 */
enum state {
	SIZE_FIRST,
	SIZE,
	DELIMITER, /* a semicolon, or the end of the line */
	NAME_FIRST,
	NAME,
	NAME_END, /* an equals sign, or as DELIMITER */
	VALUE_FIRST,
	VALUE,
	QUOTED,
	QUOTED_PAIR,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* a header, or the end */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	ENDED,
	BAD,
};

static bool chunks_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool chunks_is_text(char c)
{
	return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

/* A blank is allowed before a semicolon, and harmless before the line's end. */
static enum state chunks_delimiter(char c)
{
	if (chunks_is_blank(c))
		return DELIMITER;
	if (c == ';')
		return NAME_FIRST;
	return c == '\r' ? SIZE_LF : BAD;
}

static enum state chunks_size(struct http_chunks *chunks, char c)
{
	const int digit = http_hex_digit(c);
	enum state next = chunks->state == SIZE ? chunks_delimiter(c) : BAD;

	if (digit < 0 && next != BAD)
		return next;
	if (digit < 0 || chunks->left > UINT64_MAX >> 4) {
		chunks->bad_reason = "the size of a chunk is not a number";
		return BAD;
	}
	chunks->left = chunks->left << 4 | (unsigned)digit;
	return SIZE;
}

static enum state chunks_extension(enum state state, char c)
{
	switch (state) {
	case NAME_FIRST:
		if (chunks_is_blank(c))
			return NAME_FIRST;
		return http_is_token(c) ? NAME : BAD;
	case NAME:
		if (http_is_token(c))
			return NAME;
		__attribute__((fallthrough));
	case NAME_END:
		if (chunks_is_blank(c))
			return NAME_END;
		return c == '=' ? VALUE_FIRST : chunks_delimiter(c);
	case VALUE_FIRST:
		if (chunks_is_blank(c))
			return VALUE_FIRST;
		if (c == '"')
			return QUOTED;
		return http_is_token(c) ? VALUE : BAD;
	case VALUE:
		return http_is_token(c) ? VALUE : chunks_delimiter(c);
	case QUOTED:
		if (c == '"')
			return DELIMITER;
		if (c == '\\')
			return QUOTED_PAIR;
		return chunks_is_text(c) ? QUOTED : BAD;
	case QUOTED_PAIR:
		return chunks_is_text(c) ? QUOTED : BAD;
	default:
		return chunks_delimiter(c);
	}
}

static enum state chunks_trailer(enum state state, char c)
{
	switch (state) {
	case TRAILER_FIRST:
		if (c == '\r')
			return END_LF;
		return http_is_token(c) ? TRAILER_NAME : BAD;
	case TRAILER_NAME:
		if (c == ':')
			return TRAILER_VALUE;
		return http_is_token(c) ? TRAILER_NAME : BAD;
	case TRAILER_VALUE:
		if (c == '\r')
			return TRAILER_LF;
		return chunks_is_text(c) ? TRAILER_VALUE : BAD;
	case TRAILER_LF:
		return c == '\n' ? TRAILER_FIRST : BAD;
	default:
		return c == '\n' ? ENDED : BAD;
	}
}

/* Returns what follows @c, a byte outside of the body. */
static enum state chunks_next(struct http_chunks *chunks, char c)
{
	switch ((enum state)chunks->state) {
	case SIZE_FIRST:
	case SIZE:
		return chunks_size(chunks, c);
	case SIZE_LF:
		if (c != '\n')
			return BAD;
		return chunks->left ? DATA : TRAILER_FIRST;
	case DATA_CR:
		return c == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		return c == '\n' ? SIZE_FIRST : BAD;
	case TRAILER_FIRST:
	case TRAILER_NAME:
	case TRAILER_VALUE:
	case TRAILER_LF:
	case END_LF:
		return chunks_trailer((enum state)chunks->state, c);
	case ENDED:
	case BAD:
		return BAD;
	default:
		return chunks_extension((enum state)chunks->state, c);
	}
}

static enum http_chunks_event chunks_take_data(struct http_chunks *chunks,
					       size_t size, size_t *ret_used)
{
	*ret_used = size < chunks->left ? size : (size_t)chunks->left;
	chunks->left -= *ret_used;
	if (!chunks->left)
		chunks->state = DATA_CR;
	return *ret_used ? HTTP_CHUNKS_DATA : HTTP_CHUNKS_MORE;
}

static enum http_chunks_event chunks_fail(struct http_chunks *chunks,
					  const char *reason)
{
	chunks->state = BAD;
	if (!chunks->bad_reason)
		chunks->bad_reason = reason;
	return HTTP_CHUNKS_BAD;
}

enum http_chunks_event http_chunks_take(struct http_chunks *chunks,
					const char *data, size_t size,
					size_t *ret_used)
{
	if (chunks->state == DATA)
		return chunks_take_data(chunks, size, ret_used);
	for (*ret_used = 0; *ret_used < size;) {
		if (!chunks->room--)
			return chunks_fail(chunks,
					   "the chunks are too small for what "
					   "is around them");
		chunks->state = (int)chunks_next(chunks, data[(*ret_used)++]);
		switch ((enum state)chunks->state) {
		case DATA:
			return HTTP_CHUNKS_SIZE;
		case ENDED:
			return HTTP_CHUNKS_END;
		case BAD:
			return chunks_fail(chunks,
					   "the chunks are not well-formed");
		default:
			break;
		}
	}
	return HTTP_CHUNKS_MORE;
}
