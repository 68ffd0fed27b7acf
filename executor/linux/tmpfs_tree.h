/*
 * tmpfs_tree.h - what tmpfs.c keeps: nodes, their names, and the bytes of files. Each
 * tree, and each run of bytes, counts who refers to it, and does not change while more
 * than one does. Any thread may hold and drop them.
 */
#ifndef EXECUTOR_LINUX_TMPFS_TREE_H
#define EXECUTOR_LINUX_TMPFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct memory_budget;

/* Nodes, and names. */
#define TMPFS_TREE_MAX 4096

/* The contents of a file, or the target of a symbolic link. */
struct tmpfs_bytes {
	_Atomic unsigned references;
	struct memory_budget
		*memory; /* that has paid for the capacity; or NULL */
	size_t size;
	size_t capacity;
	uint8_t data[];
};

struct tmpfs_node {
	mode_t mode;	   /* 0: it is free */
	uint32_t names;	   /* that lead to it */
	uint32_t name;	   /* the place of the last one that it was given */
	uint32_t children; /* of a directory: names in it */
	struct timespec accessed, modified, changed;
	struct tmpfs_bytes *bytes; /* NULL: empty */
};

struct tmpfs_name {
	char *text; /* NULL: it is free */
	uint32_t directory;
	uint32_t node;
};

struct tmpfs_tree {
	_Atomic unsigned references;
	struct memory_budget *memory; /* pays for the bytes of files; or NULL */
	uint64_t size, used;	      /* bytes, in pages */
	uint64_t held; /* memory that files have: as used, with what they grow into */
	uint32_t node_count, name_count;
	uint32_t nodes_used, unnamed;
	struct tmpfs_node *nodes;
	struct tmpfs_name *names;
};

/* Makes an empty tree, which the caller owns. NULL: no memory. */
struct tmpfs_tree *tmpfs_tree_make(uint64_t size, struct memory_budget *memory);
void tmpfs_tree_hold(struct tmpfs_tree *tree);
void tmpfs_tree_drop(struct tmpfs_tree *tree); /* NULL is fine */

/* Makes the caller's *@tree one that nobody else has. 0 or -ENOMEM. */
int tmpfs_tree_own(struct tmpfs_tree **tree);

/* Find a free place; the caller fills it in. -ENOSPC or -ENOMEM. */
int tmpfs_tree_free_node(struct tmpfs_tree *tree);
int tmpfs_tree_free_name(struct tmpfs_tree *tree);

/*
 * Gives the caller's own new tree @nodes and @names places, TMPFS_TREE_MAX at most, of
 * which those that it has not are free. 0 or -ENOMEM.
 */
int tmpfs_tree_make_places(struct tmpfs_tree *tree, uint32_t nodes,
			   uint32_t names);

/*
 * Makes the bytes of @node of the caller's own tree @size bytes of its own; new ones
 * are zero. 0, -ENOSPC, or -ENOMEM.
 */
int tmpfs_tree_resize(struct tmpfs_tree *tree, uint32_t node, uint64_t size);

/* Frees @node, to which no name leads. */
void tmpfs_tree_free(struct tmpfs_tree *tree, uint32_t node);

#endif
