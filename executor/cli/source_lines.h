/*
 * source_lines.h - finds the source lines of a backtrace in an image's debug
 * information, for `thaw symbolize`, and for functions that the command line runs
 * itself. The backtrace is one of snapshot/guest_backtrace.h.
 *
 * Debug information is read by libdw, which was not written against hostile input.
 * So this is never called for a function that its user does not trust, and never
 * in a server.
 */
#ifndef EXECUTOR_CLI_SOURCE_LINES_H
#define EXECUTOR_CLI_SOURCE_LINES_H

#include <stddef.h>

struct error;
struct source_lines;

/*
 * Opens the image at @path. The caller owns *@ret_lines and frees it by
 * source_lines_close(). Errors as image_open(); -ENODATA: the image has no debug
 * information.
 */
int source_lines_open(const char *path, struct error *err,
		      struct source_lines **ret_lines);

/* Frees @lines; NULL is fine. */
void source_lines_close(struct source_lines *lines);

/* A source line of this length at most is put into a text. */
#define SOURCE_LINE_MAX 512

/*
 * Copies @text, which ends in a zero, up to the end of the first call frame in it, or
 * all of it if there is none, to @to, which has @size bytes; what has no room is cut.
 * Of a frame "#1 parse+0x12 (0x101a52)" the source line takes the place of the address:
 * "#1 parse+0x12 (json.c:40)". The path is relative if the file is in the working
 * directory. A frame that is not of this image, or has no source line, stays as it is,
 * and so do all if @lines is NULL. Returns how many bytes of @text that were.
 */
size_t source_lines_put(const struct source_lines *lines, const char *text,
			char *to, size_t size);

#endif
