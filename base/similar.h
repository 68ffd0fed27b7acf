/*
 * similar.h - which of several names somebody probably meant. Any thread.
 *
 *	struct similar similar = similar_to("helo");
 *
 *	for (...)
 *		similar_try(&similar, name, strlen(name));
 *	if (similar.name)
 *		did you mean "%.*s"?  (int)similar.size, similar.name
 */
#ifndef BASE_SIMILAR_H
#define BASE_SIMILAR_H

#include <stddef.h>

/* Longer names are similar to none. */
#define SIMILAR_MAX 64

struct similar {
	const char *meant;
	size_t distance;  /* of @name; at first one more than accepted */
	const char *name; /* the nearest so far, or NULL; borrowed */
	size_t size;
};

/* Begins a search. One letter may be wrong, and a quarter of them besides. */
struct similar similar_to(const char *meant);

/* Offers a name of @size bytes, borrowed for as long as @similar is used. */
void similar_try(struct similar *similar, const char *name, size_t size);

#endif
