/* similar.c - by Levenshtein's distance. See similar.h. */
#include "base/similar.h"

#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The number of characters to insert, delete or replace to make @a into the @size
 * ones at @b, kept as one row of the table.
 */
static size_t edit_distance(const char *a, const char *b, size_t size)
{
	size_t row[SIMILAR_MAX + 1];

	for (size_t j = 0; j <= size; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0]++;

		for (size_t j = 0; j < size; j++) {
			size_t replaced = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = min(min(diagonal, row[j]) + 1, replaced);
		}
	}
	return row[size];
}

struct similar similar_to(const char *meant)
{
	const size_t size = strlen(meant);

	return (struct similar){
		.meant = meant,
		.distance = size > SIMILAR_MAX ? 0 : 2 + size / 4,
	};
}

void similar_try(struct similar *similar, const char *name, size_t size)
{
	size_t distance;

	if (!similar->distance || size > SIMILAR_MAX)
		return;
	distance = edit_distance(similar->meant, name, size);
	if (distance >= similar->distance)
		return;
	similar->distance = distance;
	similar->name = name;
	similar->size = size;
}
