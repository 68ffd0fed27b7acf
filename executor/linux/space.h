/*
 * space.h - the address space of a Linux program: what it has mapped, and the only way
 * in which the host reaches its memory.
 *
 * The heap of the layout holds the program, its break, which grows up, and what it maps,
 * from the top down; the stack is an area of its own. There, gva == gpa, as in all guests.
 * What it maps without access is in the layout's reserve, and gets memory of the heap, its
 * frames, page by page when it is made accessible: see reserve.h.
 * Until the snapshot, what is free is not mapped. In the snapshot all of it is mapped
 * read-write ahead, so that allocating memory changes no page table. What a request
 * changes of the page tables all the same, for example by mprotect(), is put back with
 * the vm's memory.
 *
 * Belongs to the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SPACE_H
#define EXECUTOR_LINUX_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/space_state.h"

struct layout;
struct vm;

/* Bytes below the stack that nothing is mapped to, unless it asks for just them. */
#define SPACE_STACK_GUARD ((uint64_t)32 << 10)

/* Makes the space of a program in @memory, of @layout, which it borrows. -ENOMEM. */
int space_init(struct space *space, const struct layout *layout,
	       uint8_t *memory);
void space_done(struct space *space);

/*
 * Makes *@to, zero or a space of the same layout, what *@from was when it was frozen; its
 * memory is that of @vm, which equals the snapshot. 0 or -ENOMEM.
 */
int space_copy(struct space *to, const struct space *from, struct vm *vm);

/* Maps all that is free, for the snapshot. The vm does not run again. */
void space_freeze(struct space *space);

/* As the system calls do, on whole pages; results as theirs: -errno. */
int space_map(struct space *space, uint64_t start, uint64_t size,
	      unsigned prot);
int space_unmap(struct space *space, uint64_t start, uint64_t size);
int space_protect(struct space *space, uint64_t start, uint64_t size,
		  unsigned prot);
/*
 * Zeroes what is mapped, but not what is a file's; moves the bytes of mapped pages to
 * others. 0 or -ENOMEM.
 */
int space_clear(struct space *space, uint64_t start, uint64_t size);
int space_move(struct space *space, uint64_t from, uint64_t to, uint64_t size);
/* Returns the break, moved to @end if that is possible. */
uint64_t space_set_break(struct space *space, uint64_t end);

/* Where @size bytes are free in the heap, near the top; 0: nowhere. */
uint64_t space_find(const struct space *space, uint64_t size);

/* The same in the reserve. */
uint64_t space_find_reserve(const struct space *space, uint64_t size);

/* Bytes of what is mapped with at least @prot. */
uint64_t space_mapped(const struct space *space, unsigned prot);

/* Whether the @size bytes at @start are pages that nothing was ever mapped to. */
bool space_is_unused(const struct space *space, uint64_t start, uint64_t size);

/*
 * Finds the most memory in one piece that nothing is mapped to and that has never been
 * used, so that it is zero; both 0: there is none.
 */
void space_unused(const struct space *space, uint64_t *ret_start,
		  uint64_t *ret_end);

/* Up to where the break may grow into such memory. */
uint64_t space_unused_break(const struct space *space);

/*
 * Takes @size bytes of whole pages from such memory, for good: the program can only read
 * them there, and maps nothing to them. Returns their address; 0: there are none.
 */
uint64_t space_withhold(struct space *space, uint64_t size);

/* Whether @start and @size are pages that a program may map, one at least. */
bool space_is_inside(const struct space *space, uint64_t start, uint64_t size);

/* Whether the @size bytes at @start are code of the program. */
bool space_is_code(const struct space *space, uint64_t start, size_t size);

/* Copies from, or to, memory that the program may read, or write. 0 or -EFAULT. */
int space_read(const struct space *space, uint64_t from, void *to, size_t size);
int space_write(struct space *space, uint64_t to, const void *from,
		size_t size);

/* Whether the program may write there. */
bool space_may_write(const struct space *space, uint64_t to, size_t size);

/* The pages are a file's until they are mapped again. */
void space_note_file(struct space *space, uint64_t start, uint64_t size);

/*
 * The same, as the kernel does that fills a mapping: the program need not write there.
 * Also -ENOMEM.
 */
int space_fill(struct space *space, uint64_t to, const void *from, size_t size);

/*
 * The bytes themselves, for reading; NULL: the program may not read them all, or they do
 * not lie together in memory. They are hostile; they do not change before the vm runs.
 */
const void *space_view(const struct space *space, uint64_t from, size_t size);

/* How many of the @size bytes lie together in memory, one at least. */
size_t space_together(const struct space *space, uint64_t from, size_t size);

/*
 * Copies a string of at most @size bytes, its zero included. Returns its length;
 * -EFAULT, or -ENAMETOOLONG.
 */
int space_read_string(const struct space *space, uint64_t from, char *to,
		      size_t size);

#endif
