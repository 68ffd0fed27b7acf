/* areas.c - see areas.h. */
#include "executor/linux/areas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void areas_done(struct areas *areas)
{
	free(areas->list);
	*areas = (struct areas){ NULL, 0, 0 };
}

static int make_room(struct areas *areas, size_t count)
{
	size_t capacity = areas->capacity ? areas->capacity : 32;
	struct area *list;

	if (count <= areas->capacity)
		return 0;
	while (capacity < count)
		capacity *= 2;
	list = realloc(areas->list, capacity * sizeof(*list));
	if (!list)
		return -ENOMEM;
	areas->list = list;
	areas->capacity = capacity;
	return 0;
}

int areas_copy(struct areas *to, const struct areas *from)
{
	int r = make_room(to, from->count);

	if (r)
		return r;
	if (from->count)
		memcpy(to->list, from->list, from->count * sizeof(*from->list));
	to->count = from->count;
	return 0;
}

/* The index of the first area that ends behind @address. */
static size_t find(const struct areas *areas, uint64_t address)
{
	size_t low = 0, high = areas->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (areas->list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Removes @count areas at @at, and makes room for @more instead. */
static void replace(struct areas *areas, size_t at, size_t count, size_t more)
{
	memmove(areas->list + at + more, areas->list + at + count,
		(areas->count - at - count) * sizeof(*areas->list));
	areas->count += more;
	areas->count -= count;
}

int areas_clear(struct areas *areas, uint64_t start, uint64_t end)
{
	const size_t first = find(areas, start);
	size_t last = first, kept = 0;
	struct area ends[2];
	int r;

	while (last < areas->count && areas->list[last].start < end)
		last++;
	if (first == last)
		return 0;
	if (areas->list[first].start < start) {
		ends[kept] = areas->list[first];
		ends[kept++].end = start;
	}
	if (areas->list[last - 1].end > end) {
		ends[kept] = areas->list[last - 1];
		ends[kept++].start = end;
	}
	if (areas->count - (last - first) + kept > AREAS_MAX)
		return -ENOMEM;
	r = make_room(areas, areas->count + 1);
	if (r)
		return r;
	replace(areas, first, last - first, kept);
	memcpy(areas->list + first, ends, kept * sizeof(*ends));
	return 0;
}

int areas_set(struct areas *areas, uint64_t start, uint64_t end, unsigned prot)
{
	size_t at;
	int r;

	if (areas->count + 2 > AREAS_MAX)
		return -ENOMEM;
	r = make_room(areas, areas->count + 2);
	if (!r)
		r = areas_clear(areas, start, end);
	if (r)
		return r;
	at = find(areas, start);
	if (at < areas->count && areas->list[at].start == end &&
	    areas->list[at].prot == prot) {
		end = areas->list[at].end;
		replace(areas, at, 1, 0);
	}
	if (at && areas->list[at - 1].end == start &&
	    areas->list[at - 1].prot == prot) {
		areas->list[at - 1].end = end;
		return 0;
	}
	replace(areas, at, 0, 1);
	areas->list[at] = (struct area){ start, end, prot };
	return 0;
}

/* The area at @index, or NULL. */
static const struct area *areas_at(const struct areas *areas, size_t index)
{
	return index < areas->count ? &areas->list[index] : NULL;
}

const struct area *areas_next(const struct areas *areas, uint64_t address)
{
	return areas_at(areas, find(areas, address));
}

bool areas_allow(const struct areas *areas, uint64_t start, uint64_t end,
		 unsigned prot)
{
	for (size_t i = find(areas, start); start < end; i++) {
		const struct area *area = areas_at(areas, i);

		if (!area || area->start > start ||
		    (area->prot & (prot | AREA_FRAMES)) != prot)
			return false;
		start = area->end;
	}
	return true;
}

bool areas_are_free(const struct areas *areas, uint64_t start, uint64_t end)
{
	const struct area *next = areas_next(areas, start);

	return !next || next->start >= end;
}

uint64_t areas_gap(const struct areas *areas, uint64_t low, uint64_t high,
		   uint64_t size)
{
	size_t i = find(areas, high);

	if (i < areas->count && areas->list[i].start < high)
		high = areas->list[i].start;
	for (;;) {
		const uint64_t bottom = i ? areas->list[i - 1].end : 0;
		const uint64_t floor = bottom > low ? bottom : low;

		if (high >= floor && high - floor >= size)
			return high - size;
		if (!i || bottom <= low)
			return 0;
		high = areas->list[--i].start;
	}
}
