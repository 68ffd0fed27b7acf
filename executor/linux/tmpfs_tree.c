/* tmpfs_tree.c - see tmpfs_tree.h. */
#include "executor/linux/tmpfs_tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"
#include "snapshot/memory_budget.h"

/* Places that a new tree has, and by which a full one grows. */
#define PLACES 64

static uint64_t pages_of(uint64_t size)
{
	return (size + THAW_PAGE_SIZE - 1) & ~((uint64_t)THAW_PAGE_SIZE - 1);
}

static void hold_bytes(struct tmpfs_bytes *bytes)
{
	if (bytes)
		atomic_fetch_add_explicit(&bytes->references, 1,
					  memory_order_relaxed);
}

static void drop_bytes(struct tmpfs_bytes *bytes)
{
	if (bytes && atomic_fetch_sub_explicit(&bytes->references, 1,
					       memory_order_acq_rel) == 1) {
		memory_budget_give(bytes->memory, pages_of(bytes->capacity));
		free(bytes);
	}
}

struct tmpfs_tree *tmpfs_tree_make(uint64_t size, struct memory_budget *memory)
{
	struct tmpfs_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->references = 1;
	tree->memory = memory;
	tree->size = size;
	return tree;
}

void tmpfs_tree_hold(struct tmpfs_tree *tree)
{
	atomic_fetch_add_explicit(&tree->references, 1, memory_order_relaxed);
}

void tmpfs_tree_drop(struct tmpfs_tree *tree)
{
	if (!tree || atomic_fetch_sub_explicit(&tree->references, 1,
					       memory_order_acq_rel) > 1)
		return;
	for (uint32_t i = 0; i < tree->node_count; i++)
		drop_bytes(tree->nodes[i].bytes);
	for (uint32_t i = 0; i < tree->name_count; i++)
		free(tree->names[i].text);
	free(tree->nodes);
	free(tree->names);
	free(tree);
}

/* How many places @count of them have room for: as many as grow() has made. */
static size_t room_of(uint32_t count)
{
	return ((size_t)count / PLACES + 1) * PLACES;
}

static int copy_nodes(struct tmpfs_tree *to, const struct tmpfs_tree *from)
{
	to->nodes = malloc(room_of(from->node_count) * sizeof(*to->nodes));
	if (!to->nodes)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->node_count; i++) {
		to->nodes[i] = from->nodes[i];
		hold_bytes(to->nodes[i].bytes);
	}
	to->node_count = from->node_count;
	to->nodes_used = from->nodes_used;
	to->unnamed = from->unnamed;
	to->used = from->used;
	to->held = from->held;
	return 0;
}

static int copy_names(struct tmpfs_tree *to, const struct tmpfs_tree *from)
{
	to->names = calloc(room_of(from->name_count), sizeof(*to->names));
	if (!to->names)
		return -ENOMEM;
	to->name_count = from->name_count;
	for (uint32_t i = 0; i < from->name_count; i++) {
		if (!from->names[i].text)
			continue;
		to->names[i] = from->names[i];
		to->names[i].text = strdup(from->names[i].text);
		if (!to->names[i].text)
			return -ENOMEM;
	}
	return 0;
}

int tmpfs_tree_own(struct tmpfs_tree **tree)
{
	struct tmpfs_tree *from = *tree, *to;
	int r;

	/* pairs with the release in tmpfs_tree_drop() */
	if (atomic_load_explicit(&from->references, memory_order_acquire) == 1)
		return 0;
	to = tmpfs_tree_make(from->size, from->memory);
	if (!to)
		return -ENOMEM;
	r = copy_nodes(to, from);
	if (!r)
		r = copy_names(to, from);
	if (r) {
		tmpfs_tree_drop(to);
		return r;
	}
	tmpfs_tree_drop(from);
	*tree = to;
	return 0;
}

/* Makes room for one more in @list, which has @count of @size bytes each. */
static int grow(void *list, uint32_t count, size_t size)
{
	void **at = list, *more;

	if (count == TMPFS_TREE_MAX)
		return -ENOSPC;
	if (count % PLACES)
		return 0;
	more = realloc(*at, (count + PLACES) * size);
	if (!more)
		return -ENOMEM;
	*at = more;
	return 0;
}

int tmpfs_tree_free_node(struct tmpfs_tree *tree)
{
	int r;

	for (uint32_t i = 0; i < tree->node_count; i++)
		if (!tree->nodes[i].mode)
			return (int)i;
	r = grow(&tree->nodes, tree->node_count, sizeof(*tree->nodes));
	if (r)
		return r;
	tree->nodes[tree->node_count] = (struct tmpfs_node){ .mode = 0 };
	return (int)tree->node_count++;
}

int tmpfs_tree_free_name(struct tmpfs_tree *tree)
{
	int r;

	for (uint32_t i = 0; i < tree->name_count; i++)
		if (!tree->names[i].text)
			return (int)i;
	r = grow(&tree->names, tree->name_count, sizeof(*tree->names));
	if (r)
		return r;
	tree->names[tree->name_count] = (struct tmpfs_name){ .text = NULL };
	return (int)tree->name_count++;
}

/* Makes @list, which has @count of @size bytes each, one of @wanted, the new ones zero. */
static int set_count(void *list, uint32_t count, uint32_t wanted, size_t size)
{
	void **at = list, *more = realloc(*at, room_of(wanted) * size);

	if (!more)
		return -ENOMEM;
	if (wanted > count)
		memset((char *)more + count * size, 0, (wanted - count) * size);
	*at = more;
	return 0;
}

int tmpfs_tree_make_places(struct tmpfs_tree *tree, uint32_t nodes,
			   uint32_t names)
{
	int r = set_count(&tree->nodes, tree->node_count, nodes,
			  sizeof(*tree->nodes));

	if (!r)
		tree->node_count = nodes;
	if (!r)
		r = set_count(&tree->names, tree->name_count, names,
			      sizeof(*tree->names));
	if (!r)
		tree->name_count = names;
	return r;
}

static uint64_t held_by(const struct tmpfs_bytes *bytes)
{
	return bytes ? pages_of(bytes->capacity) : 0;
}

/* Takes back what files could grow into, of all bytes that nobody else has. */
static void trim(struct tmpfs_tree *tree)
{
	tree->held = 0;
	for (uint32_t i = 0; i < tree->node_count; i++) {
		struct tmpfs_bytes **bytes = &tree->nodes[i].bytes, *less;

		if (*bytes && (*bytes)->capacity > (*bytes)->size &&
		    atomic_load_explicit(&(*bytes)->references,
					 memory_order_acquire) == 1) {
			less = realloc(*bytes, sizeof(*less) + (*bytes)->size);
			if (less) {
				memory_budget_give(less->memory,
						   pages_of(less->capacity) -
							   pages_of(
								   less->size));
				less->capacity = less->size;
				*bytes = less;
			}
		}
		tree->held += held_by(*bytes);
	}
}

/*
 * How many bytes a file that is to have @size may grow into: half as many again, and half
 * of what is free at most. So all files together hold as many as the tree has, and a file
 * that fills it up is copied a few times only.
 */
static size_t room_to_grow(struct tmpfs_tree *tree, uint32_t node, size_t size)
{
	const uint64_t need = pages_of(size);
	uint64_t others = tree->held - held_by(tree->nodes[node].bytes);
	uint64_t free;

	if (others + need > tree->size) {
		trim(tree);
		others = tree->held - held_by(tree->nodes[node].bytes);
	}
	if (others + need >= tree->size)
		return 0;
	free = (tree->size - others - need) / 2;
	return size / 2 < free ? size / 2 : free;
}

/*
 * Makes the bytes of @node the only reference to at least @capacity bytes that hold the
 * same, and to at most twice as many and a page: a file that has shrunk gives its memory
 * back.
 */
static int own_bytes(struct tmpfs_tree *tree, uint32_t node, size_t capacity)
{
	struct tmpfs_bytes **bytes = &tree->nodes[node].bytes;
	struct tmpfs_bytes *old = *bytes, *new;
	size_t keep = old ? old->size : 0, more;

	if (old && old->capacity >= capacity &&
	    old->capacity <= 2 * capacity + THAW_PAGE_SIZE &&
	    atomic_load_explicit(&old->references, memory_order_acquire) == 1)
		return 0;
	/* a file that grows piece by piece is not copied for each */
	more = room_to_grow(tree, node, capacity);
	if (keep && capacity > keep)
		capacity += more;
	old = *bytes; /* it may have been moved */
	if (memory_budget_take_now(tree->memory, pages_of(capacity)))
		return -ENOMEM;
	new = malloc(sizeof(*new) + capacity);
	if (!new) {
		memory_budget_give(tree->memory, pages_of(capacity));
		return -ENOMEM;
	}
	if (keep > capacity)
		keep = capacity;
	new->references = 1;
	new->memory = tree->memory;
	new->capacity = capacity;
	new->size = keep;
	if (keep)
		memcpy(new->data, old->data, keep);
	tree->held -= held_by(old);
	tree->held += held_by(new);
	drop_bytes(old);
	*bytes = new;
	return 0;
}

int tmpfs_tree_resize(struct tmpfs_tree *tree, uint32_t node, uint64_t size)
{
	struct tmpfs_bytes **bytes = &tree->nodes[node].bytes;
	const uint64_t old = *bytes ? (*bytes)->size : 0;
	const uint64_t others = tree->used - pages_of(old);
	int r;

	if (size > tree->size || pages_of(size) > tree->size - others)
		return -ENOSPC;
	if (size) {
		r = own_bytes(tree, node, size);
		if (r)
			return r;
		if (size > old)
			memset((*bytes)->data + old, 0, size - old);
		(*bytes)->size = size;
	} else {
		tree->held -= held_by(*bytes);
		drop_bytes(*bytes);
		*bytes = NULL;
	}
	tree->used = others + pages_of(size);
	return 0;
}

void tmpfs_tree_free(struct tmpfs_tree *tree, uint32_t node)
{
	(void)tmpfs_tree_resize(tree, node, 0);
	tree->nodes[node] = (struct tmpfs_node){ .mode = 0 };
	tree->nodes_used--;
	tree->unnamed--;
}
