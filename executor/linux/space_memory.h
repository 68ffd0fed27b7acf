/*
 * space_memory.h - the memory of a program's pages, by its own address: writes it, zeroes
 * it, and notes whether a page is a file's.
 */
#ifndef EXECUTOR_LINUX_SPACE_MEMORY_H
#define EXECUTOR_LINUX_SPACE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space;

/* Writes @size bytes at @gpa. 0 or -errno. */
int space_memory_put(struct space *space, uint64_t gpa, const void *from,
		     size_t size);

/* Zeroes pages that may hold something, and notes that all may from now on. -ENOMEM. */
int space_memory_clear(struct space *space, uint64_t gpa, uint64_t size);

/* The same, and they are no file's any more. */
int space_memory_renew(struct space *space, uint64_t gpa, uint64_t size);

bool space_memory_is_file(const struct space *space, uint64_t gpa);
void space_memory_note_file(struct space *space, uint64_t gpa, bool is_file);

#endif
