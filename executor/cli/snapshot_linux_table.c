/* snapshot_linux_table.c - see snapshot_linux_table.h. */
#include "executor/cli/snapshot_linux_table.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"

#define COLUMNS_MAX 8
#define CELL_MAX 1024
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The lists, and which members their items have, or may have. */
static const struct table {
	const char *list;
	const char *title;
	const char *columns[COLUMNS_MAX];
} tables[] = {
	{ "threads",
	  "Threads",
	  { "id", "name", "state", "call", "futex", "timeout_ns", "blocked" } },
	{ "areas",
	  "Memory",
	  { "start", "end", "bytes", "protection", "kind", "file_bytes" } },
	{ "descriptors",
	  "Descriptors",
	  { "fd", "kind", "path", "offset", "flags" } },
	{ "signal_handlers",
	  "Signal handlers",
	  { "signal", "handler", "flags", "blocked" } },
	{ "signals_pending", "Pending signals", { "signal", "thread" } },
	{ "timers",
	  "Timers",
	  { "timer", "signal", "expires_in_ns", "interval_ns" } },
	{ "tmp_files",
	  "Files in /tmp and /dev/shm",
	  { "path", "kind", "mode", "bytes" } },
	{ "limits", "Limits", { "resource", "soft", "hard" } },
};

/* The text of @value; of a list of texts, all of them. What has no room ends by "...". */
static const char *cell(const json_t *value, char text[CELL_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	if (json_is_string(value))
		cli_clean(json_string_value(value), text, CELL_MAX);
	else if (json_is_integer(value))
		snprintf(text, CELL_MAX, "%lld",
			 (long long)json_integer_value(value));
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *item = json_string_value(json_array_get(value, i));

		if (!item || used + strlen(item) + 5 > CELL_MAX) {
			strcpy(text + used, "...");
			break;
		}
		used += (size_t)snprintf(text + used, CELL_MAX - used, "%s%s",
					 i ? "," : "", item);
	}
	return *text ? text : "-";
}

static const char *heading(const char *column, char text[CELL_MAX])
{
	size_t i = 0;

	for (; i < CELL_MAX - 1 && column[i]; i++)
		text[i] = column[i] == '_' ? ' ' : (char)toupper(column[i]);
	text[i] = '\0';
	return text;
}

/* Prints a row, of the headings if @item is NULL; or else finds out how wide it is. */
static void row(const struct table *table, const json_t *item,
		int widths[COLUMNS_MAX], bool is_printed)
{
	char text[CELL_MAX];

	for (size_t i = 0; i < COLUMNS_MAX && table->columns[i]; i++) {
		const char *name = table->columns[i];
		const char *shown =
			item ? cell(json_object_get(item, name), text) :
			       heading(name, text);
		const bool is_last = i + 1 == COLUMNS_MAX ||
				     !table->columns[i + 1];

		if (is_printed)
			printf("%s%-*s", i ? "  " : "", is_last ? 0 : widths[i],
			       shown);
		else if ((int)strlen(shown) > widths[i])
			widths[i] = (int)strlen(shown);
	}
	if (is_printed)
		putchar('\n');
}

static void print_table(const struct table *table, const json_t *list)
{
	const size_t count = json_array_size(list);
	int widths[COLUMNS_MAX] = { 0 };

	if (!count)
		return;
	row(table, NULL, widths, false);
	for (size_t i = 0; i < count; i++)
		row(table, json_array_get(list, i), widths, false);
	printf("\n%s:\n", table->title);
	row(table, NULL, widths, true);
	for (size_t i = 0; i < count; i++)
		row(table, json_array_get(list, i), widths, true);
}

void snapshot_linux_print_lists(const json_t *shown)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		print_table(&tables[i], json_object_get(shown, tables[i].list));
}
