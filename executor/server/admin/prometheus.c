/* prometheus.c - families, labels and values. See prometheus.h. */
#include "executor/server/admin/prometheus.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void prometheus_head(struct buffer *out, const char *name, const char *type,
		     const char *help)
{
	buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		      type);
}

/* Returns what replaces the first character of @text; NULL: it stays. */
static const char *label_escape(const char *text, size_t size,
				size_t *ret_taken)
{
	uint32_t point = 0;

	*ret_taken = text_decode(text, size, &point);
	if (!*ret_taken) {
		*ret_taken = 1;
		return REPLACEMENT;
	}
	return point == '\\' ? "\\\\" :
	       point == '"'  ? "\\\"" :
	       point == '\n' ? "\\n" :
			       NULL;
}

void prometheus_label(struct buffer *out, const char *name, const char *value)
{
	size_t size = strlen(value), start = 0, taken;

	buffer_text(out, name);
	buffer_text(out, "=\"");
	for (size_t i = 0; i < size; i += taken) {
		const char *escaped = label_escape(value + i, size - i, &taken);

		if (!escaped)
			continue;
		buffer_append(out, value + start, i - start);
		buffer_text(out, escaped);
		start = i + taken;
	}
	buffer_append(out, value + start, size - start);
	buffer_text(out, "\"");
}

void prometheus_decimal(struct buffer *out, uint64_t value, unsigned digits)
{
	char fraction[PROMETHEUS_NS];
	size_t size = 0;

	for (unsigned i = digits; i > 0; i--, value /= 10) {
		fraction[i - 1] = (char)('0' + value % 10);
		if (!size && value % 10)
			size = i;
	}
	buffer_number(out, value);
	if (!size)
		return;
	buffer_text(out, ".");
	buffer_append(out, fraction, size);
}

void prometheus_number(struct buffer *out, const char *name, const char *type,
		       const char *help, uint64_t value, unsigned digits)
{
	prometheus_head(out, name, type, help);
	buffer_text(out, name);
	buffer_text(out, " ");
	prometheus_decimal(out, value, digits);
	buffer_text(out, "\n");
}
