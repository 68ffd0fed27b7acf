/* guest_backtrace.c - see guest_backtrace.h. */
#include "snapshot/guest_backtrace.h"

#include <inttypes.h>
#include <stdio.h>

#include "snapshot/guest_log.h"
#include "vm/backtrace.h"
#include "vm/image/symbols.h"

/* Puts frame @number into @text. Returns its length. */
static size_t put_frame(const struct image *image, unsigned number,
			uint64_t address, char *text, size_t size)
{
	/* the call, which may be its function's last instruction */
	const uint64_t within = number ? address - 1 : address;
	uint64_t offset;
	const char *name = image_symbol(image, within, &offset);

	if (name)
		return (size_t)snprintf(text, size,
					"#%u %s+%#" PRIx64 " (%#" PRIx64 ")",
					number, name,
					offset + (address - within), address);
	return (size_t)snprintf(text, size, "#%u ? (%#" PRIx64 ")", number,
				address);
}

void guest_backtrace_log(const struct guest_log *log, const struct vm *vm,
			 const struct layout *layout, const struct image *image,
			 const struct vm_fault *fault)
{
	char frame[IMAGE_SYMBOL_NAME_MAX + 64], text[THAW_LOG_MAX];
	uint64_t frames[VM_BACKTRACE_MAX];
	unsigned count;
	size_t used = 0;

	if (!log->line)
		return;
	count = vm_backtrace(vm, layout, image, fault, frames);
	for (unsigned i = 0; i < count; i++) {
		const size_t size =
			put_frame(image, i, frames[i], frame, sizeof(frame));

		if (used + 1 + size >= sizeof(text))
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s", i ? " " : "", frame);
	}
	log->line(log->cookie, THAW_LOG_ERROR, text, used);
}
