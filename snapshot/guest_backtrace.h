/* guest_backtrace.h - the backtrace of a function that has faulted, in its log. */
#ifndef SNAPSHOT_GUEST_BACKTRACE_H
#define SNAPSHOT_GUEST_BACKTRACE_H

struct guest_log;
struct image;
struct layout;
struct vm;
struct vm_fault;

/*
 * Logs the call frames of vm_backtrace() in a line of the level "error":
 *
 *	#0 parse+0x12 (0x101a52) #1 thaw_handler_hello+0x40 (0x101b90)
 *
 * Each has the name that image_symbol() gives, or "?", and the address in the guest,
 * which `thaw symbolize` turns into a source line. Frames that have no room in
 * THAW_LOG_MAX - 1 bytes are left out. This reads no debug information, since that is
 * as hostile as the rest of the image. Not for the hot path. Called as vm_backtrace()
 * is.
 */
void guest_backtrace_log(const struct guest_log *log, const struct vm *vm,
			 const struct layout *layout, const struct image *image,
			 const struct vm_fault *fault);

#endif
