/* log_line.c - see log_line.h. */
#include "executor/server/log/log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/json_write.h"
#include "base/text.h"

#define CUT "..."
#define CUT_SIZE (sizeof(CUT) - 1)

/* With less room a value is left out, not cut; any number fits. */
#define VALUE_LEAST 32

/* A line that is being written. Room after @end is kept for what must follow. */
struct line {
	char *text;
	size_t size, end;
	bool json;
};

static const char *const levels[] = {
	[THAW_LOG_ERROR] = "error",
	[THAW_LOG_WARN] = "warn",
	[THAW_LOG_INFO] = "info",
	[THAW_LOG_DEBUG] = "debug",
};

static void line_put(struct line *line, const char *bytes, size_t size)
{
	if (size > line->end - line->size)
		return;
	memcpy(line->text + line->size, bytes, size);
	line->size += size;
}

static void line_put_text(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

/* Returns whether a mark changes the direction of text or breaks lines. */
static bool misleads(uint32_t point)
{
	return point == 0x200e || point == 0x200f ||
	       (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* Control characters of ASCII that have no letter for a backslash. */
static bool is_nameless(uint32_t point)
{
	return point < 0x80 && text_is_control(point) && point != '\n' &&
	       point != '\r';
}

/*
 * Writes the first character of @text into @piece, escaped if necessary. Returns
 * its size; *@ret_taken is its size in @text.
 */
static size_t line_escape(const char *text, size_t size, bool json,
			  char piece[static JSON_ESCAPED_MAX],
			  size_t *ret_taken)
{
	uint32_t point = 0;
	size_t length = text_decode(text, size, &point);

	*ret_taken = length ? length : 1;
	if (misleads(point))
		return (size_t)snprintf(piece, JSON_ESCAPED_MAX, "\\u%04x",
					(unsigned)point & 0xffff);
	if (!json && (!length || is_nameless(point)))
		return (size_t)snprintf(piece, JSON_ESCAPED_MAX, "\\x%02x",
					(unsigned char)*text);
	return json_escape(text, size, piece, ret_taken);
}

/* Writes as much of @text as there is room for. */
static void line_put_escaped(struct line *line, const char *text)
{
	size_t size = strnlen(text, LOG_LINE_MAX), taken;
	size_t room = line->end - line->size;
	size_t limit = line->size +
		       (room < LOG_VALUE_MAX ? room : LOG_VALUE_MAX) - CUT_SIZE;
	char piece[JSON_ESCAPED_MAX];

	for (size_t i = 0; i < size; i += taken) {
		size_t length = line_escape(text + i, size - i, line->json,
					    piece, &taken);

		if (line->size + length > limit) {
			line_put_text(line, CUT);
			return;
		}
		line_put(line, piece, length);
	}
}

/* Returns whether a text needs no quotes. */
static bool line_is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"\\=", *text))
			return false;
	return true;
}

static void line_put_value(struct line *line, const struct log_field *field)
{
	char digits[VALUE_LEAST];

	if (!field->text) {
		snprintf(digits, sizeof(digits), "%llu",
			 (unsigned long long)field->number);
		line_put_text(line, digits);
	} else if (!line->json && line_is_plain(field->text)) {
		line_put_escaped(line, field->text);
	} else {
		/* keeps room for the closing quote */
		line_put(line, "\"", 1);
		line->end--;
		line_put_escaped(line, field->text);
		line->end++;
		line_put(line, "\"", 1);
	}
}

static void line_put_field(struct line *line, const struct log_field *field)
{
	size_t around =
		strlen(field->key) * JSON_ESCAPED_MAX + strlen(",\"\":\"\"");

	if (line->end - line->size < around + VALUE_LEAST + CUT_SIZE)
		return;
	line_put_text(line, line->json ? ",\"" : " ");
	line_put_escaped(line, field->key);
	line_put_text(line, line->json ? "\":" : "=");
	line_put_value(line, field);
}

static void line_put_start(struct line *line, const struct log_entry *entry)
{
	const struct log_field message = { .key = "msg",
					   .text = entry->message };
	char time[DATE_TEXT_MAX];

	date_format_us(entry->unix_us, time);
	if (!line->json) {
		line_put_text(line, time);
		line_put(line, " ", 1);
		line_put_text(line, levels[entry->level]);
		line_put(line, " ", 1);
		line_put_escaped(line, entry->message);
		return;
	}
	line_put_text(line, "{\"ts\":\"");
	line_put_text(line, time);
	line_put_text(line, "\",\"level\":\"");
	line_put_text(line, levels[entry->level]);
	line_put(line, "\"", 1);
	line_put_field(line, &message);
}

size_t log_line_format(const struct log_entry *entry, enum log_format format,
		       char text[static LOG_LINE_MAX])
{
	bool json = format == LOG_FORMAT_JSON;
	const char *end = json ? "}\n" : "\n";
	struct line line = {
		.text = text,
		.end = LOG_LINE_MAX - strlen(end),
		.json = json,
	};

	line_put_start(&line, entry);
	for (size_t i = 0; i < entry->count; i++) {
		const struct log_field *field = &entry->fields[i];

		if (!field->text || *field->text)
			line_put_field(&line, field);
	}
	line.end = LOG_LINE_MAX;
	line_put_text(&line, end);
	return line.size;
}

bool log_parse_format(const char *name, enum log_format *ret_format)
{
	bool json = !strcmp(name, "json");

	if (!json && strcmp(name, "text") != 0)
		return false;
	*ret_format = json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	return true;
}

bool log_parse_level(const char *name, enum thaw_level *ret_level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (!strcmp(name, levels[i])) {
			*ret_level = (enum thaw_level)i;
			return true;
		}
	return false;
}
