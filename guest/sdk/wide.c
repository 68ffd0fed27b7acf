/*
 * wide.c - wide characters in streams and in strings.
 *
 * A stream of bytes has wide characters in the encoding of the locale;
 * picolibc's functions would put each as the four bytes it has in memory. The
 * formatting and the reading of formats are picolibc's: they call putwc() and
 * getwc() below, which know the streams that stand for a wide string.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#undef getwc
#undef putwc

/* A string as a stream: of one kind, @room says how much may be put. */
struct wide_string {
	FILE file;
	wchar_t *to;
	const wchar_t *from;
	size_t room;
	bool is_over; /* more was to be put than there is room */
};

/* Called by nobody: they mark the streams that are a struct wide_string. */
static int put_wide(char c, FILE *file)
{
	(void)c;
	(void)file;
	return _FDEV_ERR;
}

static int get_wide(FILE *file)
{
	(void)file;
	return _FDEV_ERR;
}

static wint_t put_in_string(wchar_t c, struct wide_string *string)
{
	if (!string->room) {
		string->is_over = true;
		return WEOF;
	}
	string->room--;
	*string->to++ = c;
	return (wint_t)c;
}

wint_t putwc(wchar_t c, FILE *stream)
{
	mbstate_t state = { 0 };
	char bytes[MB_LEN_MAX];
	size_t count;

	if (stream->put == put_wide)
		return put_in_string(c, (struct wide_string *)stream);
	count = wcrtomb(bytes, c, &state);
	if (count == (size_t)-1) {
		stream->flags |= __SERR;
		return WEOF;
	}
	for (size_t i = 0; i < count; i++)
		if (putc(bytes[i], stream) == EOF)
			return WEOF;
	return (wint_t)c;
}

static wint_t get_from_string(struct wide_string *string)
{
	if (*string->from)
		return (wint_t)*string->from++;
	string->file.flags |= __SEOF;
	return WEOF;
}

/* A character that ends too early, or is none, is an error of the stream. */
static wint_t get_from_bytes(FILE *stream)
{
	mbstate_t state = { 0 };
	size_t result = (size_t)-2;
	wchar_t c = 0;

	while (result == (size_t)-2) {
		int byte = getc(stream);
		char in = (char)byte;

		if (byte == EOF && mbsinit(&state))
			return WEOF;
		result = byte == EOF ? (size_t)-1 : mbrtowc(&c, &in, 1, &state);
	}
	if (result != (size_t)-1)
		return (wint_t)c;
	errno = EILSEQ;
	stream->flags |= __SERR;
	return WEOF;
}

wint_t getwc(FILE *stream)
{
	wint_t c = stream->unget;

	if (c && (stream->flags & __SWIDE)) {
		stream->unget = 0;
		return c - 1;
	}
	stream->flags |= __SWIDE;
	if (stream->get == get_wide)
		return get_from_string((struct wide_string *)stream);
	return get_from_bytes(stream);
}

/* One character, as wide as any. */
wint_t ungetwc(wint_t c, FILE *stream)
{
	if (c == WEOF || stream->unget || !(stream->flags & __SRD))
		return WEOF;
	stream->flags |= __SWIDE;
	stream->flags &= (uint8_t)~__SEOF;
	stream->unget = c + 1;
	return c;
}

wint_t fgetwc(FILE *stream)
{
	return getwc(stream);
}

wint_t getwc_unlocked(FILE *stream)
{
	return getwc(stream);
}

wint_t fputwc(wchar_t c, FILE *stream)
{
	return putwc(c, stream);
}

wint_t putwc_unlocked(wchar_t c, FILE *stream)
{
	return putwc(c, stream);
}

/* A last line without its newline is a line, too. */
wchar_t *fgetws(wchar_t *restrict line, int size, FILE *restrict stream)
{
	wint_t c = L'\0';
	int count = 0;

	if (size <= 0)
		return NULL;
	while (count < size - 1 && c != L'\n') {
		c = getwc(stream);
		if (c == WEOF && (!count || ferror(stream)))
			return NULL;
		if (c == WEOF)
			break;
		line[count++] = (wchar_t)c;
	}
	line[count] = L'\0';
	return line;
}

/* What does not fit is an error, and the string is cut: C17, 7.29.2.7. */
int vswprintf(wchar_t *restrict to, size_t size, const wchar_t *restrict format,
	      va_list args)
{
	struct wide_string string = {
		.file = FDEV_SETUP_STREAM(put_wide, NULL, NULL, __SWR),
		.to = to,
		.room = size ? size - 1 : 0,
	};
	int count = vfwprintf(&string.file, format, args);

	if (size)
		*string.to = L'\0';
	if (size && !string.is_over)
		return count;
	if (count >= 0 || string.is_over)
		errno = EOVERFLOW;
	return -1;
}

int swprintf(wchar_t *restrict to, size_t size, const wchar_t *restrict format,
	     ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vswprintf(to, size, format, args);
	va_end(args);
	return count;
}

int vswscanf(const wchar_t *restrict from, const wchar_t *restrict format,
	     va_list args)
{
	struct wide_string string = {
		.file = FDEV_SETUP_STREAM(NULL, get_wide, NULL, __SRD),
		.from = from,
	};

	return vfwscanf(&string.file, format, args);
}

int swscanf(const wchar_t *restrict from, const wchar_t *restrict format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vswscanf(from, format, args);
	va_end(args);
	return count;
}
