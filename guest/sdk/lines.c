/*
 * lines.c - getline() and getdelim(), as POSIX has them: picolibc's do not say
 * that the input is over, and write beyond the buffer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MIN 128

/* Makes @line one of twice @*size bytes. */
static char *grow(char *line, size_t *size)
{
	size_t larger = *size < LINE_MIN / 2 ? LINE_MIN : *size * 2;

	line = realloc(line, larger);
	if (line)
		*size = larger;
	return line;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter,
		 FILE *restrict stream)
{
	size_t count = 0;
	int c;

	if (!line || !size) {
		errno = EINVAL;
		return -1;
	}
	if (!*line)
		*size = 0;
	do {
		if (count + 2 > *size) {
			char *larger = grow(*line, size);

			if (!larger)
				return -1;
			*line = larger;
		}
		c = getc(stream);
		if (c != EOF)
			(*line)[count++] = (char)c;
	} while (c != EOF && c != delimiter);
	(*line)[count] = '\0';
	return count && !ferror(stream) ? (ssize_t)count : -1;
}

ssize_t getline(char **restrict line, size_t *restrict size,
		FILE *restrict stream)
{
	return getdelim(line, size, '\n', stream);
}
