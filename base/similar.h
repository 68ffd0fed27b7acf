/*
 * similar.h - which of several names was probably meant by another one.
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

/* Longer names are like no other one. */
#define SIMILAR_MAX 64

struct similar {
	const char *meant;
	size_t distance;  /* of @name; at first one more than is accepted */
	const char *name; /* the nearest so far, or NULL; borrowed */
	size_t size;
};

/* Up to two letters may be wrong, and a quarter of them more. */
struct similar similar_to(const char *meant);

/* The name of @size bytes at @name is one of those. */
void similar_try(struct similar *similar, const char *name, size_t size);

#endif
