/*
 * pipes.h - the pipes of a Linux program, and the bytes in them.
 *
 * A pipe gets memory when it is first written to. On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_PIPES_H
#define EXECUTOR_LINUX_PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a pipe holds, as in Linux: at first, at least, and at most. */
#define PIPE_CAPACITY (64u << 10)
#define PIPE_CAPACITY_MIN 4096u
#define PIPE_CAPACITY_MAX (1u << 20)
/* What all pipes of a program may hold together; another one is ENFILE. */
#define PIPES_CAPACITY_MAX (8u << 20)
/* Each takes at least one descriptor. */
#define PIPES_MAX 256

struct pipe {
	bool is_used;
	uint32_t readers, writers; /* open files of its ends */
	uint32_t capacity;	   /* a power of two */
	uint32_t start, size;	   /* of what it holds */
	uint8_t *bytes; /* capacity of them; NULL: never written to */
	/* see struct file_poll */
	uint64_t readable, writable;
};

struct pipes {
	struct pipe list[PIPES_MAX];
	uint32_t capacity; /* of all */
	bool is_made;	   /* by pipes_copy() */
	bool is_changed;   /* since pipes_copy() */
};

void pipes_done(struct pipes *pipes);

/* Makes *@to, zero or an earlier copy, equal to @from. 0 or -ENOMEM. */
int pipes_copy(struct pipes *to, const struct pipes *from);

/* Makes a pipe with one reader and one writer. Its place in the list, or -ENFILE. */
int pipes_add(struct pipes *pipes);

/* One of its ends is closed; without ends it is gone. */
void pipes_drop(struct pipes *pipes, uint32_t place, bool is_writer);

/* Sets the capacity, rounded as Linux does. It, or -EINVAL, -EPERM, -EBUSY, -ENOMEM. */
int pipes_resize(struct pipes *pipes, uint32_t place, uint64_t size);

/* Puts in as many of the @size bytes as there is room for; how many, or -ENOMEM. */
int64_t pipe_put(struct pipe *pipe, const void *bytes, size_t size);

/* The oldest bytes that lie in one place, and how many. */
const uint8_t *pipe_view(const struct pipe *pipe, size_t *ret_size);

/* Takes out the oldest @size bytes. */
void pipe_take(struct pipe *pipe, size_t size);

#endif
