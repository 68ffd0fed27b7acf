/* backtrace.h - where a function was when it faulted, and what had called it. */
#ifndef VM_BACKTRACE_H
#define VM_BACKTRACE_H

#include <stdint.h>

struct image;
struct layout;
struct vm;
struct vm_fault;

/* Calls further out than this many are left out. */
#define VM_BACKTRACE_MAX 32

/*
 * Puts into @ret_frames the address of the instruction that faulted, and then the
 * return address of each call that led to it, innermost first. Returns how many
 * there are, 1 or more. For the thread that owns @vm, after the exit that left
 * @fault and before the vm is restored.
 *
 * It follows the guest's frame pointers, so a function without one hides its caller.
 * The guest can put anything there: what is not in its stack, does not lead
 * outwards, or is not in the image's code ends the list.
 */
unsigned vm_backtrace(const struct vm *vm, const struct layout *layout,
		      const struct image *image, const struct vm_fault *fault,
		      uint64_t ret_frames[VM_BACKTRACE_MAX]);

#endif
