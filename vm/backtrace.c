/*
 * backtrace.c - follows the frame pointers of a guest that has faulted. Both
 * architectures keep a frame record of two words where the frame pointer points:
 * the caller's frame pointer and the return address (System V ABI for AMD64, 3.2.2;
 * Procedure Call Standard for the Arm 64-bit Architecture, 6.4.6).
 */
#include "vm/backtrace.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vm/arch.h"
#include "vm/exit.h"
#include "vm/image/image.h"
#include "vm/image/symbols.h"
#include "vm/layout.h"
#include "vm/vm.h"

struct frame_record {
	uint64_t frame;
	uint64_t return_address;
};

/* The bytes of the executable segment that @gva lies in, up to @gva; or NULL. */
static const uint8_t *code_before(const struct image *image, uint64_t gva,
				  uint64_t *ret_size)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		const uint64_t offset = gva - segment->data_gva;

		if (!(segment->prot & IMAGE_PROT_EXECUTE) ||
		    gva < segment->data_gva || offset > segment->data_size)
			continue;
		*ret_size = offset;
		return segment->data;
	}
	return NULL;
}

static bool is_return_address(const struct image *image, uint64_t gva)
{
	uint64_t size;

	return code_before(image, gva, &size) && size >= ARCH_CALL_SIZE;
}

/*
 * Whether fault->caller is where the function that faulted returns to, because it has
 * no frame record, or none yet: it has come to its first instruction only, or to where
 * there is no code, or the instruction before the return address is a direct call of
 * just that function.
 */
static bool has_no_record(const struct image *image,
			  const struct vm_fault *fault)
{
	const uint64_t caller = fault->caller;
	uint64_t start, offset, size;
	const uint8_t *code;

	if (!is_return_address(image, caller))
		return false;
	if (!code_before(image, fault->pc, &size))
		return true;
	if (!image_symbol(image, fault->pc, &offset))
		return false;
	start = fault->pc - offset;
	if (fault->pc == start)
		return true;
	if (fault->caller_may_be_old &&
	    image_symbol(image, caller - 1, &offset) &&
	    caller - 1 - offset == start)
		return false; /* it has called itself, and that has returned */
	code = code_before(image, caller, &size);
	return arch_call_target(code + size, caller) == start;
}

/* Copies the record at @frame, if all of it is in the stack at or above @low. */
static bool read_record(const struct vm *vm, const struct layout *layout,
			uint64_t frame, uint64_t low,
			struct frame_record *ret_record)
{
	const struct layout_range *stack = &layout->stack;
	const void *from;

	/* the difference of one below the stack is larger than any stack */
	if (frame % sizeof(frame) || frame < low ||
	    frame - stack->start > stack->size - sizeof(*ret_record))
		return false;
	from = vm_view(vm, frame, sizeof(*ret_record));
	if (!from)
		return false;
	memcpy(ret_record, from, sizeof(*ret_record));
	return true;
}

/*
 * Whether the function that faulted has just put its record on the stack, and not set
 * the frame pointer yet, which is still its caller's.
 */
static bool has_new_record(const struct vm *vm, const struct layout *layout,
			   const struct image *image,
			   const struct vm_fault *fault)
{
	struct frame_record record;

	return read_record(vm, layout, fault->sp, fault->sp, &record) &&
	       record.frame == fault->frame &&
	       is_return_address(image, record.return_address);
}

unsigned vm_backtrace(const struct vm *vm, const struct layout *layout,
		      const struct image *image, const struct vm_fault *fault,
		      uint64_t ret_frames[VM_BACKTRACE_MAX])
{
	uint64_t frame = fault->frame, low = fault->sp;
	struct frame_record record;
	unsigned count = 0;

	ret_frames[count++] = fault->pc;
	if (has_new_record(vm, layout, image, fault))
		frame = fault->sp;
	else if (has_no_record(image, fault))
		ret_frames[count++] = fault->caller;
	while (count < VM_BACKTRACE_MAX &&
	       read_record(vm, layout, frame, low, &record) &&
	       is_return_address(image, record.return_address)) {
		ret_frames[count++] = record.return_address;
		low = frame + sizeof(record);
		frame = record.frame;
	}
	return count;
}
