/* source_lines.c - see source_lines.h. */
#include "executor/cli/source_lines.h"

#include <ctype.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "vm/image/image.h"
#include "vm/image/open.h"
#include "vm/image/symbols.h"

struct source_lines {
	struct image *image;
	int fd;
	Dwarf *dwarf;
	char *directory; /* the working directory, or NULL */
};

void source_lines_close(struct source_lines *lines)
{
	if (!lines)
		return;
	if (lines->dwarf)
		dwarf_end(lines->dwarf);
	if (lines->fd >= 0)
		close(lines->fd);
	image_close(lines->image);
	free(lines->directory);
	free(lines);
}

int source_lines_open(const char *path, struct error *err,
		      struct source_lines **ret_lines)
{
	struct source_lines *lines = calloc(1, sizeof(*lines));
	int r;

	if (!lines)
		return error_set(err, -ENOMEM, "out of memory");
	lines->fd = -1;
	r = image_open(path, err, &lines->image);
	if (!r) {
		lines->fd = open(path, O_RDONLY | O_CLOEXEC);
		lines->dwarf = dwarf_begin(lines->fd, DWARF_C_READ);
		lines->directory = realpath(".", NULL);
		if (!lines->dwarf)
			r = error_set(err, -ENODATA,
				      "%s has no debug information: build it "
				      "with -g, and do not strip it",
				      path);
	}
	if (r) {
		source_lines_close(lines);
		return r;
	}
	*ret_lines = lines;
	return 0;
}

/* A frame in a text: "#NUMBER NAME+OFFSET (ADDRESS)", or "#NUMBER ? (ADDRESS)". */
struct frame {
	const char *name;
	size_t name_size;
	uint64_t offset;
	uint64_t address;
	bool is_call;		 /* not the innermost: a return address */
	const char *start, *end; /* of ADDRESS, without the parentheses */
};

/* The hexadecimal number at @text, and where it ends; NULL if there is none. */
static const char *read_hex(const char *text, uint64_t *ret_number)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return NULL;
	*ret_number = strtoull(text, &end, 16);
	return end;
}

/* Reads the frame that @text, a '#', begins; false if it begins none. */
static bool read_frame(const char *text, struct frame *ret_frame)
{
	const char *number = text + 1;
	const char *name = number + strspn(number, "0123456789");
	const char *end, *plus, *at;

	if (name == number || *name++ != ' ')
		return false;
	end = name + strcspn(name, " ");
	if (end[0] != ' ' || end[1] != '(')
		return false;
	ret_frame->offset = 0;
	plus = memrchr(name, '+', (size_t)(end - name));
	at = plus ? read_hex(plus + 1, &ret_frame->offset) : NULL;
	if (at != end && (*name != '?' || end != name + 1))
		return false;
	ret_frame->name = name;
	ret_frame->name_size = plus ? (size_t)(plus - name) : 0;
	ret_frame->is_call = strtoul(number, NULL, 10) > 0;
	ret_frame->start = end + 2;
	ret_frame->end = read_hex(ret_frame->start, &ret_frame->address);
	return ret_frame->end && *ret_frame->end == ')';
}

static bool find_frame(const char *text, struct frame *ret_frame)
{
	for (text = strchr(text, '#'); text; text = strchr(text + 1, '#'))
		if (read_frame(text, ret_frame))
			return true;
	return false;
}

/* Whether the image has that function there. */
static bool is_of_image(const struct image *image, const struct frame *frame)
{
	const uint64_t within = frame->address - frame->is_call;
	uint64_t offset;
	const char *name = image_symbol(image, within, &offset);

	return name && strlen(name) == frame->name_size &&
	       !memcmp(name, frame->name, frame->name_size) &&
	       frame->offset == offset + frame->is_call;
}

/* The compilation unit of the code at @address, an address of the file. */
static bool find_unit(Dwarf *dwarf, Dwarf_Addr address, Dwarf_Die *ret_unit)
{
	Dwarf_Off offset = 0, next;
	size_t header_size;

	/* not by .debug_aranges: clang makes none */
	while (!dwarf_nextcu(dwarf, offset, &next, &header_size, NULL, NULL,
			     NULL)) {
		if (dwarf_offdie(dwarf, offset + header_size, ret_unit) &&
		    dwarf_haspc(ret_unit, address) > 0)
			return true;
		offset = next;
	}
	return false;
}

/*
 * The source file of @line, on the heap: an absolute path if the compiler has said
 * where it was started, without . and .. if the file is there. NULL: out of memory.
 */
static char *find_path(Dwarf_Die *unit, const char *name)
{
	Dwarf_Attribute attribute;
	const char *directory =
		dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
	char *path, *real;

	if (*name == '/' || !directory)
		path = strdup(name);
	else if (asprintf(&path, "%s/%s", directory, name) < 0)
		path = NULL;
	real = path ? realpath(path, NULL) : NULL;
	if (!real)
		return path;
	free(path);
	return real;
}

/* Where @path goes on below @directory; @path itself if it is not there. */
static const char *path_below(const char *path, const char *directory)
{
	const size_t size = directory ? strlen(directory) : 0;

	return size && !strncmp(path, directory, size) && path[size] == '/' ?
		       path + size + 1 :
		       path;
}

/*
 * Puts "path:line" into @place. The text around it may be a string of JSON, so no
 * character needs an escape.
 */
static bool find_place(const struct source_lines *lines,
		       const struct frame *frame, char place[SOURCE_LINE_MAX])
{
	const uint64_t gva = frame->address - frame->is_call;
	const uint64_t address = gva - lines->image->bias;
	cleanup_free char *path = NULL;
	const char *name;
	Dwarf_Line *line;
	Dwarf_Die unit;
	int number;

	if (!find_unit(lines->dwarf, address, &unit))
		return false;
	line = dwarf_getsrc_die(&unit, address);
	name = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!name || dwarf_lineno(line, &number) || number <= 0)
		return false;
	path = find_path(&unit, name);
	if (!path || snprintf(place, SOURCE_LINE_MAX, "%s:%d",
			      path_below(path, lines->directory),
			      number) >= SOURCE_LINE_MAX)
		return false;
	text_clean(place, strlen(place));
	for (char *at = strpbrk(place, "\"\\"); at; at = strpbrk(at, "\"\\"))
		*at = '?';
	return true;
}

size_t source_lines_put(const struct source_lines *lines, const char *text,
			char *to, size_t size)
{
	char place[SOURCE_LINE_MAX];
	struct frame frame;

	if (!find_frame(text, &frame)) {
		snprintf(to, size, "%s", text);
		return strlen(text);
	}
	if (lines && is_of_image(lines->image, &frame) &&
	    find_place(lines, &frame, place))
		snprintf(to, size, "%.*s%s)", (int)(frame.start - text), text,
			 place);
	else
		snprintf(to, size, "%.*s)", (int)(frame.end - text), text);
	return (size_t)(frame.end + 1 - text);
}
