/* state_tmpfs.c - the files that a program has written, in a state: see state.h. */
#include "executor/linux/state_tmpfs.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/process.h"
#include "executor/linux/state_codec.h"
#include "executor/linux/tmpfs_tree.h"

static void state_moment(struct state *state, struct timespec *time)
{
	STATE_NUMBER(state, time->tv_sec);
	STATE_NUMBER(state, time->tv_nsec);
	state_need(state, time->tv_nsec >= 0 && time->tv_nsec < (long)NS_PER_S,
		   "a time of a file");
}

/* What a file of @mode may hold. */
static bool may_hold(mode_t mode, const uint8_t *bytes, size_t size)
{
	if (S_ISLNK(mode))
		return size && size < ROOT_PATH_MAX && !memchr(bytes, 0, size);
	return S_ISREG(mode) || !size;
}

static void state_contents(struct state *state, struct tmpfs_tree *tree,
			   uint32_t i)
{
	struct tmpfs_node *node = &tree->nodes[i];
	uint64_t size = node->bytes ? node->bytes->size : 0;

	STATE_NUMBER(state, size);
	if (state_is_read(state)) {
		state_need(state, size <= state->left, "the size of a file");
		if (state_is_good(state) && size &&
		    tmpfs_tree_resize(tree, i, size))
			state_fail(state, -ENOMEM, "no memory for a file");
	}
	if (!state_is_good(state))
		return;
	if (size)
		state_bytes(state, node->bytes->data, size);
	state_need(state,
		   may_hold(node->mode, size ? node->bytes->data : NULL, size),
		   "the bytes of a file");
}

static void state_node(struct state *state, struct tmpfs_tree *tree, uint32_t i)
{
	struct tmpfs_node *node = &tree->nodes[i];
	const mode_t kind = S_IFMT;

	STATE_NUMBER(state, node->mode);
	if (i < TMPFS_ROOTS)
		state_need(state, S_ISDIR(node->mode), "a directory");
	if (!node->mode || !state_is_good(state))
		return;
	STATE_NUMBER(state, node->name);
	state_moment(state, &node->accessed);
	state_moment(state, &node->modified);
	state_moment(state, &node->changed);
	state_need(state,
		   !(node->mode & ~(kind | 07777)) &&
			   (S_ISDIR(node->mode) || S_ISREG(node->mode) ||
			    S_ISLNK(node->mode)),
		   "the mode of a file");
	state_contents(state, tree, i);
}

static bool is_name(const char *text)
{
	return *text && !strchr(text, '/') && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0;
}

static void state_name(struct state *state, struct tmpfs_tree *tree,
		       struct tmpfs_name *name)
{
	bool is_used = name->text != NULL;

	STATE_NUMBER(state, is_used);
	if (!is_used || !state_is_good(state))
		return;
	state_text(state, &name->text, TMPFS_NAME_MAX);
	STATE_NUMBER(state, name->directory);
	STATE_NUMBER(state, name->node);
	state_need(state,
		   state_is_good(state) && is_name(name->text) &&
			   name->directory < tree->node_count &&
			   S_ISDIR(tree->nodes[name->directory].mode) &&
			   name->node >= TMPFS_ROOTS &&
			   name->node < tree->node_count &&
			   tree->nodes[name->node].mode,
		   "a name of a file");
}

static bool is_name_twice(const struct tmpfs_tree *tree, uint32_t i)
{
	const struct tmpfs_name *name = &tree->names[i];

	for (uint32_t k = 0; k < i; k++)
		if (tree->names[k].text &&
		    tree->names[k].directory == name->directory &&
		    !strcmp(tree->names[k].text, name->text))
			return true;
	return false;
}

/* Counts names and what is in directories. */
static void count(struct state *state, struct tmpfs_tree *tree)
{
	tree->nodes_used = tree->unnamed = 0;
	for (uint32_t i = 0; i < tree->node_count; i++)
		tree->nodes[i].names = i < TMPFS_ROOTS;
	for (uint32_t i = 0; i < tree->name_count; i++) {
		const struct tmpfs_name *name = &tree->names[i];

		if (!name->text)
			continue;
		tree->nodes[name->node].names++;
		tree->nodes[name->directory].children++;
		state_need(state, !is_name_twice(tree, i), "a name twice");
	}
	for (uint32_t i = 0; i < tree->node_count; i++) {
		tree->nodes_used += tree->nodes[i].mode != 0;
		tree->unnamed += tree->nodes[i].mode && !tree->nodes[i].names;
	}
}

/* Whether the way up from the directory @node ends at a root, or at one without a name. */
static bool is_rooted(const struct tmpfs_tree *tree, uint32_t node)
{
	for (uint32_t steps = 0; steps <= tree->node_count; steps++) {
		if (node < TMPFS_ROOTS || !tree->nodes[node].names)
			return true;
		node = tree->names[tree->nodes[node].name].directory;
	}
	return false;
}

static void check_node(struct state *state, const struct tmpfs_tree *tree,
		       uint32_t i)
{
	const struct tmpfs_node *node = &tree->nodes[i];

	if (i < TMPFS_ROOTS || !node->mode || !node->names)
		state_need(state, node->names || !node->children,
			   "a directory that was removed");
	else if (node->name >= tree->name_count)
		state_need(state, false, "the name of a file");
	else if (S_ISDIR(node->mode))
		state_need(state,
			   node->names == 1 && tree->names[node->name].text &&
				   tree->names[node->name].node == i,
			   "the name of a directory");
}

static void check_tree(struct state *state, struct tmpfs_tree *tree)
{
	count(state, tree);
	for (uint32_t i = 0; i < tree->node_count && state_is_good(state); i++)
		check_node(state, tree, i);
	for (uint32_t i = 0; i < tree->node_count && state_is_good(state); i++)
		if (S_ISDIR(tree->nodes[i].mode))
			state_need(state, is_rooted(tree, i),
				   "a circle of directories");
}

void state_tmpfs(struct state *state, struct linux_process *process)
{
	struct tmpfs_tree *tree = process->tmpfs.tree;
	uint32_t nodes = tree->node_count, names = tree->name_count;

	STATE_NUMBER(state, nodes);
	STATE_NUMBER(state, names);
	state_need(state,
		   nodes >= TMPFS_ROOTS && nodes <= TMPFS_NODES_MAX &&
			   names <= TMPFS_NODES_MAX,
		   "the number of its files");
	if (state_is_read(state) && state_is_good(state) &&
	    tmpfs_tree_make_places(tree, nodes, names))
		state_fail(state, -ENOMEM, "no memory for its files");
	for (uint32_t i = 0; i < nodes && state_is_good(state); i++)
		state_node(state, tree, i);
	for (uint32_t i = 0; i < names && state_is_good(state); i++)
		state_name(state, tree, &tree->names[i]);
	if (state_is_read(state) && state_is_good(state))
		check_tree(state, tree);
}
