/* tmpfs.c - see tmpfs.h. */
#include "executor/linux/tmpfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/linux/tmpfs_tree.h"
#include "guest/abi/thaw_abi.h"

/* Nobody has this number of a device, or a node with the number 0. */
#define DEVICE 0x7400
#define INODE_FIRST 2
#define USER_ID 65534
/* Where an entry of a directory has its name: struct linux_dirent64. */
#define ENTRY_NAME 19
/* Offsets 0 and 1 of a directory are "." and ".."; names follow. */
#define ENTRY_FIRST 2

_Static_assert(TMPFS_NODES_MAX == TMPFS_TREE_MAX, "one limit");

static const char *const roots[TMPFS_ROOTS] = { "/tmp", "/dev/shm" };

static struct timespec now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time;
}

/* A new node. It has no name yet. */
static int add_node(struct tmpfs_tree *tree, mode_t mode)
{
	const int node = tmpfs_tree_free_node(tree);
	const struct timespec time = now();

	if (node < 0)
		return node;
	tree->nodes[node] = (struct tmpfs_node){
		.mode = mode,
		.accessed = time,
		.modified = time,
		.changed = time,
	};
	tree->nodes_used++;
	tree->unnamed++;
	return node;
}

int tmpfs_init(struct tmpfs *tmpfs, uint64_t size, struct memory_budget *memory)
{
	tmpfs->tree = tmpfs_tree_make(size, memory);
	if (!tmpfs->tree)
		return -ENOMEM;
	for (int i = 0; i < TMPFS_ROOTS; i++) {
		if (add_node(tmpfs->tree, S_IFDIR | 01777) < 0)
			return -ENOMEM;
		tmpfs->tree->nodes[i].names = 1;
		tmpfs->tree->unnamed--;
	}
	return 0;
}

void tmpfs_done(struct tmpfs *tmpfs)
{
	tmpfs_tree_drop(tmpfs->tree);
	tmpfs->tree = NULL;
}

void tmpfs_copy(struct tmpfs *to, const struct tmpfs *from)
{
	if (to->tree == from->tree)
		return;
	tmpfs_tree_drop(to->tree);
	tmpfs_tree_hold(from->tree);
	to->tree = from->tree;
}

static struct tmpfs_name *tmpfs_find_name(const struct tmpfs_tree *tree,
					  uint32_t directory, const char *text)
{
	for (uint32_t i = 0; i < tree->name_count; i++) {
		struct tmpfs_name *name = &tree->names[i];

		if (name->text && name->directory == directory &&
		    !strcmp(name->text, text))
			return name;
	}
	return NULL;
}

int tmpfs_find(const struct tmpfs *tmpfs, uint32_t directory, const char *name)
{
	const struct tmpfs_name *found =
		tmpfs_find_name(tmpfs->tree, directory, name);

	return found ? (int)found->node : -ENOENT;
}

/* The name that leads to @node: the only one, if it is a directory. */
static const struct tmpfs_name *name_of(const struct tmpfs_tree *tree,
					uint32_t node)
{
	const struct tmpfs_name *name;

	if (node < TMPFS_ROOTS || !tree->nodes[node].names)
		return NULL;
	name = &tree->names[tree->nodes[node].name];
	/* a directory has one name; a file may have lost the last one */
	if (S_ISDIR(tree->nodes[node].mode) ||
	    (name->text && name->node == node))
		return name;
	for (uint32_t i = 0; i < tree->name_count; i++)
		if (tree->names[i].text && tree->names[i].node == node)
			return &tree->names[i];
	return NULL;
}

static uint32_t parent_of(const struct tmpfs_tree *tree, uint32_t node)
{
	const struct tmpfs_name *name = name_of(tree, node);

	return name ? name->directory : node;
}

uint32_t tmpfs_parent(const struct tmpfs *tmpfs, uint32_t node)
{
	return parent_of(tmpfs->tree, node);
}

static void touch(struct tmpfs_node *node)
{
	node->modified = node->changed = now();
}

static void attach(struct tmpfs_tree *tree, struct tmpfs_name *name,
		   uint32_t node)
{
	name->node = node;
	tree->nodes[node].name = (uint32_t)(name - tree->names);
	if (!tree->nodes[node].names++)
		tree->unnamed--;
	tree->nodes[node].changed = now();
	tree->nodes[name->directory].children++;
	touch(&tree->nodes[name->directory]);
}

static void detach(struct tmpfs_tree *tree, struct tmpfs_name *name)
{
	if (!--tree->nodes[name->node].names)
		tree->unnamed++;
	tree->nodes[name->node].changed = now();
	tree->nodes[name->directory].children--;
	touch(&tree->nodes[name->directory]);
}

static void remove_name(struct tmpfs_tree *tree, struct tmpfs_name *name)
{
	detach(tree, name);
	free(name->text);
	name->text = NULL;
}

/* Whether @text may become a name in @directory. */
static int check_name(const struct tmpfs_tree *tree, uint32_t directory,
		      const char *text)
{
	if (strlen(text) > TMPFS_NAME_MAX)
		return -ENAMETOOLONG;
	if (tmpfs_find_name(tree, directory, text))
		return -EEXIST;
	return tree->nodes[directory].names ? 0 : -ENOENT;
}

/* Gives @node a name. */
static int add_name(struct tmpfs_tree *tree, uint32_t directory,
		    const char *text, uint32_t node)
{
	const int place = tmpfs_tree_free_name(tree);
	char *copy = place < 0 ? NULL : strdup(text);

	if (place < 0)
		return place;
	if (!copy)
		return -ENOMEM;
	tree->names[place] = (struct tmpfs_name){ copy, directory, node };
	attach(tree, &tree->names[place], node);
	return 0;
}

int tmpfs_make(struct tmpfs *tmpfs, uint32_t directory, const char *name,
	       mode_t mode)
{
	int node, r = check_name(tmpfs->tree, directory, name);

	if (!r)
		r = tmpfs_tree_own(&tmpfs->tree);
	if (r)
		return r;
	node = add_node(tmpfs->tree, mode);
	if (node < 0)
		return node;
	r = add_name(tmpfs->tree, directory, name, (uint32_t)node);
	if (r)
		tmpfs_tree_free(tmpfs->tree, (uint32_t)node);
	return r ? r : node;
}

int tmpfs_make_link(struct tmpfs *tmpfs, uint32_t directory, const char *name,
		    const char *target)
{
	const int node = tmpfs_make(tmpfs, directory, name, S_IFLNK | 0777);
	const size_t length = strlen(target);
	int64_t r;

	if (node < 0)
		return node;
	r = tmpfs_write(tmpfs, (uint32_t)node, 0, target, length);
	if (r == (int64_t)length)
		return node;
	remove_name(tmpfs->tree, tmpfs_find_name(tmpfs->tree, directory, name));
	tmpfs_tree_free(tmpfs->tree, (uint32_t)node);
	return r < 0 ? (int)r : -ENOSPC;
}

int tmpfs_make_unnamed(struct tmpfs *tmpfs, mode_t mode)
{
	const int r = tmpfs_tree_own(&tmpfs->tree);

	return r ? r : add_node(tmpfs->tree, mode);
}

int tmpfs_link(struct tmpfs *tmpfs, uint32_t node, uint32_t directory,
	       const char *name)
{
	int r = check_name(tmpfs->tree, directory, name);

	if (!r && S_ISDIR(tmpfs->tree->nodes[node].mode))
		r = -EPERM;
	if (!r)
		r = tmpfs_tree_own(&tmpfs->tree);
	return r ? r : add_name(tmpfs->tree, directory, name, node);
}

int tmpfs_remove(struct tmpfs *tmpfs, uint32_t directory, const char *name,
		 bool is_directory)
{
	const int node = tmpfs_find(tmpfs, directory, name);
	int r;

	if (node < 0)
		return node;
	if (is_directory && !tmpfs_is_directory(tmpfs, (uint32_t)node))
		return -ENOTDIR;
	if (!is_directory && tmpfs_is_directory(tmpfs, (uint32_t)node))
		return -EISDIR;
	if (tmpfs->tree->nodes[node].children)
		return -ENOTEMPTY;
	r = tmpfs_tree_own(&tmpfs->tree);
	if (!r)
		remove_name(tmpfs->tree,
			    tmpfs_find_name(tmpfs->tree, directory, name));
	return r;
}

/* Whether the directory @node is @above, or lies below it. */
static bool is_below(const struct tmpfs_tree *tree, uint32_t node,
		     uint32_t above)
{
	const struct tmpfs_name *name;

	while (node != above) {
		name = name_of(tree, node);
		if (!name)
			return false;
		node = name->directory;
	}
	return true;
}

/* Whether @from may take the place of the node @replaced, which may be -ENOENT. */
static int check_replaced(const struct tmpfs_tree *tree, uint32_t moved,
			  int replaced, uint64_t flags)
{
	if (flags & RENAME_EXCHANGE)
		return replaced < 0 ? replaced : 0;
	if (replaced < 0)
		return 0;
	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (S_ISDIR(tree->nodes[moved].mode)) {
		if (!S_ISDIR(tree->nodes[replaced].mode))
			return -ENOTDIR;
		return tree->nodes[replaced].children ? -ENOTEMPTY : 0;
	}
	return S_ISDIR(tree->nodes[replaced].mode) ? -EISDIR : 0;
}

static int check_rename(const struct tmpfs_tree *tree, uint32_t from,
			uint32_t moved, uint32_t to, int replaced,
			uint64_t flags)
{
	if ((flags & ~(uint64_t)(RENAME_EXCHANGE | RENAME_NOREPLACE)) ||
	    (flags & RENAME_EXCHANGE && flags & RENAME_NOREPLACE))
		return -EINVAL;
	if (!tree->nodes[to].names)
		return -ENOENT;
	if (S_ISDIR(tree->nodes[moved].mode) && is_below(tree, to, moved))
		return -EINVAL;
	if (replaced >= 0 && flags & RENAME_EXCHANGE &&
	    S_ISDIR(tree->nodes[replaced].mode) &&
	    is_below(tree, from, (uint32_t)replaced))
		return -EINVAL;
	return check_replaced(tree, moved, replaced, flags);
}

static void exchange(struct tmpfs_tree *tree, struct tmpfs_name *a,
		     struct tmpfs_name *b)
{
	const uint32_t node = a->node;

	a->node = b->node;
	b->node = node;
	tree->nodes[a->node].name = (uint32_t)(a - tree->names);
	tree->nodes[b->node].name = (uint32_t)(b - tree->names);
	touch(&tree->nodes[a->directory]);
	touch(&tree->nodes[b->directory]);
}

int tmpfs_rename(struct tmpfs *tmpfs, uint32_t from, const char *from_name,
		 uint32_t to, const char *to_name, uint64_t flags)
{
	const int moved = tmpfs_find(tmpfs, from, from_name);
	const int replaced = tmpfs_find(tmpfs, to, to_name);
	struct tmpfs_name *name, *old;
	char *text;
	int r;

	if (moved < 0)
		return moved;
	if (strlen(to_name) > TMPFS_NAME_MAX)
		return -ENAMETOOLONG;
	r = check_rename(tmpfs->tree, from, (uint32_t)moved, to, replaced,
			 flags);
	if (r || moved == replaced)
		return r;
	r = tmpfs_tree_own(&tmpfs->tree);
	text = r ? NULL : strdup(to_name);
	if (!text)
		return -ENOMEM;
	name = tmpfs_find_name(tmpfs->tree, from, from_name);
	old = tmpfs_find_name(tmpfs->tree, to, to_name);
	if (flags & RENAME_EXCHANGE) {
		exchange(tmpfs->tree, name, old);
		free(text);
		return 0;
	}
	if (old)
		remove_name(tmpfs->tree, old);
	detach(tmpfs->tree, name);
	free(name->text);
	name->text = text;
	name->directory = to;
	attach(tmpfs->tree, name, (uint32_t)moved);
	return 0;
}

const uint8_t *tmpfs_bytes(const struct tmpfs *tmpfs, uint32_t node,
			   uint64_t offset, size_t *ret_size)
{
	const struct tmpfs_bytes *bytes = tmpfs->tree->nodes[node].bytes;

	*ret_size = 0;
	if (!bytes || offset >= bytes->size)
		return NULL;
	*ret_size = bytes->size - offset;
	return bytes->data + offset;
}

static uint64_t size_of(const struct tmpfs_node *node)
{
	return node->bytes ? node->bytes->size : 0;
}

/* How many bytes the file may have, with what is free. */
static uint64_t room_for(const struct tmpfs_tree *tree, uint32_t node)
{
	const uint64_t size = size_of(&tree->nodes[node]);

	return ((size + THAW_PAGE_SIZE - 1) & ~((uint64_t)THAW_PAGE_SIZE - 1)) +
	       tree->size - tree->used;
}

int64_t tmpfs_write(struct tmpfs *tmpfs, uint32_t node, uint64_t offset,
		    const void *bytes, size_t size)
{
	struct tmpfs_node *file;
	uint64_t room, end;
	int r;

	if (!size)
		return 0;
	if (offset > INT64_MAX - size)
		return -EFBIG;
	room = room_for(tmpfs->tree, node);
	if (offset >= room)
		return -ENOSPC;
	if (size > room - offset)
		size = room - offset;
	r = tmpfs_tree_own(&tmpfs->tree);
	if (r)
		return r;
	file = &tmpfs->tree->nodes[node];
	end = offset + size > size_of(file) ? offset + size : size_of(file);
	r = tmpfs_tree_resize(tmpfs->tree, node, end);
	if (r)
		return r;
	memcpy(file->bytes->data + offset, bytes, size);
	touch(file);
	return (int64_t)size;
}

int tmpfs_resize(struct tmpfs *tmpfs, uint32_t node, uint64_t size)
{
	int r;

	if (size > INT64_MAX)
		return -EFBIG;
	r = tmpfs_tree_own(&tmpfs->tree);
	if (!r)
		r = tmpfs_tree_resize(tmpfs->tree, node, size);
	if (!r)
		touch(&tmpfs->tree->nodes[node]);
	return r;
}

/* One entry at @to, if it fits into @size bytes. Returns its size or 0. */
static size_t put_entry(uint8_t *to, size_t size, uint64_t node, int64_t next,
			mode_t mode, const char *name)
{
	const size_t length = strlen(name) + 1;
	const size_t whole = (ENTRY_NAME + length + 7) & ~(size_t)7;
	const struct {
		uint64_t inode;
		int64_t next;
		uint16_t length;
		uint8_t type;
	} __attribute__((packed))
	head = { node + INODE_FIRST, next, (uint16_t)whole,
		 (uint8_t)IFTODT(mode) };

	_Static_assert(sizeof(head) == ENTRY_NAME, "linux_dirent64");
	if (whole > size)
		return 0;
	memset(to, 0, whole);
	memcpy(to, &head, sizeof(head));
	memcpy(to + ENTRY_NAME, name, length);
	return whole;
}

/* The entry at the offset @at. Returns its size; 0: it does not fit. */
static size_t put_entry_at(const struct tmpfs_tree *tree, uint32_t directory,
			   uint64_t at, uint8_t *to, size_t size)
{
	const struct tmpfs_name *name;

	if (at == 0)
		return put_entry(to, size, directory, 1, S_IFDIR, ".");
	if (at == 1)
		return put_entry(to, size, parent_of(tree, directory), 2,
				 S_IFDIR, "..");
	name = &tree->names[at - ENTRY_FIRST];
	return put_entry(to, size, name->node, (int64_t)at + 1,
			 tree->nodes[name->node].mode, name->text);
}

int tmpfs_list(const struct tmpfs *tmpfs, uint32_t directory, uint64_t *offset,
	       void *to, size_t size)
{
	const struct tmpfs_tree *tree = tmpfs->tree;
	const uint64_t end = tree->name_count + ENTRY_FIRST;
	uint64_t at = *offset;
	size_t used = 0, n;

	if (!tree->nodes[directory].names)
		return -ENOENT;
	for (; at < end; at++) {
		if (at >= ENTRY_FIRST &&
		    (!tree->names[at - ENTRY_FIRST].text ||
		     tree->names[at - ENTRY_FIRST].directory != directory))
			continue;
		n = put_entry_at(tree, directory, at, (uint8_t *)to + used,
				 size - used);
		if (!n && !used)
			return -EINVAL;
		if (!n)
			break;
		used += n;
	}
	*offset = at;
	return (int)used;
}

void tmpfs_status(const struct tmpfs *tmpfs, uint32_t node,
		  struct stat *ret_status)
{
	const struct tmpfs_node *file = &tmpfs->tree->nodes[node];
	const uint64_t size = size_of(file);

	*ret_status = (struct stat){
		.st_dev = DEVICE,
		.st_ino = node + INODE_FIRST,
		.st_mode = file->mode,
		.st_nlink = file->names,
		.st_uid = USER_ID,
		.st_gid = USER_ID,
		.st_size = (off_t)size,
		.st_blksize = THAW_PAGE_SIZE,
		.st_blocks =
			(blkcnt_t)((size + THAW_PAGE_SIZE - 1) /
				   THAW_PAGE_SIZE * (THAW_PAGE_SIZE / 512)),
		.st_atim = file->accessed,
		.st_mtim = file->modified,
		.st_ctim = file->changed,
	};
}

bool tmpfs_is_directory(const struct tmpfs *tmpfs, uint32_t node)
{
	return S_ISDIR(tmpfs->tree->nodes[node].mode);
}

int tmpfs_set_mode(struct tmpfs *tmpfs, uint32_t node, mode_t mode)
{
	const int r = tmpfs_tree_own(&tmpfs->tree);
	struct tmpfs_node *file = &tmpfs->tree->nodes[node];

	if (r)
		return r;
	file->mode = (file->mode & S_IFMT) | (mode & 07777);
	file->changed = now();
	return 0;
}

int tmpfs_set_times(struct tmpfs *tmpfs, uint32_t node,
		    const struct timespec *access,
		    const struct timespec *modification)
{
	const int r = tmpfs_tree_own(&tmpfs->tree);
	struct tmpfs_node *file = &tmpfs->tree->nodes[node];

	if (r)
		return r;
	if (access)
		file->accessed = *access;
	if (modification)
		file->modified = *modification;
	file->changed = now();
	return 0;
}

int tmpfs_path(const struct tmpfs *tmpfs, uint32_t node, char *to, size_t size)
{
	size_t length, start = size;

	while (node >= TMPFS_ROOTS) {
		const struct tmpfs_name *name = name_of(tmpfs->tree, node);

		if (!name)
			return -ENOENT;
		length = strlen(name->text);
		if (length + 1 > start)
			return -ENAMETOOLONG;
		start -= length;
		memcpy(to + start, name->text, length);
		to[--start] = '/';
		node = name->directory;
	}
	length = strlen(roots[node]);
	if (length + (size - start) + 1 > size)
		return -ENAMETOOLONG;
	memmove(to + length, to + start, size - start);
	memcpy(to, roots[node], length);
	length += size - start;
	to[length] = '\0';
	return (int)length;
}

struct tmpfs_usage tmpfs_usage(const struct tmpfs *tmpfs)
{
	return (struct tmpfs_usage){
		.size = tmpfs->tree->size,
		.used = tmpfs->tree->used,
		.held = tmpfs->tree->held,
		.nodes = TMPFS_NODES_MAX,
		.nodes_used = tmpfs->tree->nodes_used,
	};
}

bool tmpfs_has_unnamed(const struct tmpfs *tmpfs)
{
	return tmpfs->tree->unnamed > 0;
}

void tmpfs_collect(struct tmpfs *tmpfs,
		   bool (*is_open)(const void *cookie, uint32_t node),
		   const void *cookie)
{
	for (uint32_t i = 0; i < tmpfs->tree->node_count; i++) {
		const struct tmpfs_node *node = &tmpfs->tree->nodes[i];

		if (!node->mode || node->names || is_open(cookie, i))
			continue;
		if (tmpfs_tree_own(&tmpfs->tree))
			return; /* there is no memory: they stay for now */
		tmpfs_tree_free(tmpfs->tree, i);
	}
}
