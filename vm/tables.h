/*
 * tables.h - page tables of Linux programs, which only the host writes.
 *
 * Heap and stack lie at the addresses of their memory: there the tables only say what may
 * be done. Pages of layout.reserve have memory of the heap if they are to be accessible,
 * their frames; the tables say which. An entry keeps its frame while nothing may be done
 * with the page.
 *
 * What changes is noted for the restore, and the next run acts by it. @vm is what runs in
 * @memory; NULL: nothing has run in it yet. On the thread that owns the vm.
 */
#ifndef VM_TABLES_H
#define VM_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/layout.h"

struct vm;

/*
 * Changes how the pages at @gva are mapped: IMAGE_PROT_*; 0: not at all. They are of the
 * heap or the stack of @layout, or of layout->reserve, where those without a frame are
 * passed over. 0 or -errno.
 */
int vm_protect(struct vm *vm, uint8_t *memory, const struct layout *layout,
	       uint64_t gva, uint64_t size, unsigned prot);

/*
 * Gives the pages at @gva, of layout->reserve, which have none, the frames at @gpa. They
 * are not accessible before vm_protect(). *@tables_used says how many pages of
 * layout->reserve_tables have been used. -ENOMEM: all, and some of the pages may have
 * their frames; or another -errno.
 */
int vm_map(struct vm *vm, uint8_t *memory, const struct layout *layout,
	   uint64_t gva, uint64_t gpa, uint64_t size, unsigned *tables_used);

/* Takes the frames of the @size bytes at @gva, of layout->reserve, away. 0 or -errno. */
int vm_unmap(struct vm *vm, uint8_t *memory, const struct layout *layout,
	     uint64_t gva, uint64_t size);

/*
 * The first page from @gva on, of layout->reserve, that has a frame; @end: none before
 * does. It takes little time, however much address space that is.
 */
uint64_t vm_next_frame(const uint8_t *memory, const struct layout *layout,
		       uint64_t gva, uint64_t end, uint64_t *ret_gpa);

/*
 * Forgets all tables of layout->reserve in @memory, in which no vm runs any more: its pages
 * have no frames, and vm_map() begins with the first table again.
 */
void vm_clear_reserve(uint8_t *memory, const struct layout *layout);

/*
 * Makes the tables of @vm equal to those in the memory of its snapshot, @pristine.
 * 0 or -errno; then the vm must not be run. -ESTALE: its invocations have used more than
 * LAYOUT_RESERVE_KEPT tables for the reserve.
 */
int vm_restore_tables(struct vm *vm, const struct layout *layout,
		      const uint8_t *pristine);

/*
 * Has the CPU fetch again what is code of a program among the @size bytes at @gpa, which
 * the restore has copied back. The tables are restored.
 */
void vm_restore_code(struct vm *vm, const struct layout *layout, uint64_t gpa,
		     uint64_t size);

/* Whether a program may write to the page at @gva, by the tables in @memory. */
bool vm_may_write(const uint8_t *memory, const struct layout *layout,
		  uint64_t gva);

#endif
