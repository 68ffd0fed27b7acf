/*
 * shim.c - answers system calls of a Linux program inside the guest. See thaw_shim.h.
 *
 * Runs on the program's behalf, in user mode, on a stack of its own, with the general
 * registers alone. The program is stopped meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <shim_arch.h>

#include "guest/linux/shim.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)
/* What is passed on to the host. */
#define PASS_ON INT64_MIN
/* Longer lists of buffers are the host's. */
#define VECTORS_MAX 16
#define SIGNAL_SET_SIZE 8
#define PROCESS_ID 1

#define shim ((struct thaw_shim *)THAW_GPA_SHIM)
#define given ((const struct thaw_given *)THAW_GPA_GIVEN)
#define actions ((struct thaw_action *)THAW_GPA_ACTIONS)

static bool is_within(uint64_t at, uint64_t size, uint64_t start, uint64_t end)
{
	return at >= start && at <= end && size <= end - at;
}

/* Whether the program may read, or write, all of @size bytes at @at. */
static bool may(uint64_t at, uint64_t size, bool write)
{
	if (is_within(at, size, given->break_start, shim->break_end) ||
	    is_within(at, size, shim->arena_end, given->arena_end))
		return true;
	for (uint64_t i = 0; i < given->range_count; i++) {
		const uint64_t end = given->ranges[i].end;

		if ((!write || (end & THAW_RANGE_WRITE)) &&
		    is_within(at, size, given->ranges[i].start,
			      end & ~(uint64_t)THAW_RANGE_WRITE))
			return true;
	}
	return false;
}

static bool is_in(uint64_t files, uint64_t fd)
{
	return fd < 64 && (files >> fd & 1) &&
	       !(fd < 3 && (shim->closed >> fd & 1));
}

static bool is_standard(uint64_t fd)
{
	return is_in(given->input_files | given->output_files |
			     given->error_files,
		     fd);
}

/* The file that is in the snapshot; NULL: it is no such file. */
static const struct thaw_file *file_of(uint64_t fd)
{
	for (uint64_t i = 0; i < given->file_count; i++)
		if (given->files[i].fd == fd)
			return &given->files[i];
	return NULL;
}

/* What a call may read. */
struct source {
	uint64_t from;
	uint64_t left;
	uint64_t *used; /* counts on; NULL: nothing does */
};

static struct source source_at(const struct thaw_file *file, uint64_t offset)
{
	const uint64_t at = offset < file->size ? offset : file->size;

	return (struct source){
		.from = file->start + THAW_STATUS_SIZE + at,
		.left = file->size - at,
	};
}

/* False: it is the host's to read. */
static bool find_source(uint64_t fd, struct source *ret)
{
	const struct thaw_file *file;

	if (is_in(given->input_files, fd)) {
		const uint64_t used = shim->input_used;

		*ret = (struct source){ given->input + used,
					given->input_size - used,
					&shim->input_used };
		return used <= given->input_size;
	}
	file = file_of(fd);
	if (!file)
		return false;
	*ret = source_at(file, shim->offsets[file->place]);
	ret->used = &shim->offsets[file->place];
	return true;
}

/* The same, as pread() does. */
static bool find_source_at(uint64_t fd, uint64_t offset, struct source *ret)
{
	const struct thaw_file *file = file_of(fd);

	if (!file || offset > INT64_MAX)
		return false;
	*ret = source_at(file, offset);
	return true;
}

/* How much of @source the buffer takes. */
static uint64_t part_of(uint64_t left, const struct iovec *buffer)
{
	return buffer->iov_len < left ? buffer->iov_len : left;
}

/* Whether the program may write all that @source has for it. */
static bool may_fill(const struct source *source, const struct iovec *buffers,
		     uint64_t count)
{
	uint64_t left = source->left;

	for (uint64_t i = 0; i < count; i++) {
		const uint64_t size = part_of(left, &buffers[i]);

		if (buffers[i].iov_len > INT64_MAX ||
		    (size && !may((uintptr_t)buffers[i].iov_base, size, true)))
			return false;
		left -= size;
	}
	return true;
}

/* Fills all of the buffers, which are not the program's to change, or none. */
static int64_t fill(const struct source *source, const struct iovec *buffers,
		    uint64_t count)
{
	uint64_t done = 0;

	if (!may_fill(source, buffers, count))
		return PASS_ON;
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t size = part_of(source->left - done, &buffers[i]);

		shim_arch_copy(buffers[i].iov_base,
			       (const void *)(source->from + done), size);
		done += size;
	}
	if (source->used)
		*source->used += done;
	return (int64_t)done;
}

static int64_t fill_one(const struct source *source, uint64_t to, uint64_t size)
{
	const struct iovec buffer = { (void *)to, size };

	return fill(source, &buffer, 1);
}

/* The list is copied first: the bytes that are read may go there. */
static int64_t fill_list(const struct source *source, uint64_t list,
			 uint64_t count)
{
	struct iovec buffers[VECTORS_MAX];

	if (count > VECTORS_MAX || !may(list, count * sizeof(*buffers), false))
		return PASS_ON;
	shim_arch_copy(buffers, (const void *)list, count * sizeof(*buffers));
	return fill(source, buffers, count);
}

static int64_t shim_read(uint64_t fd, uint64_t to, uint64_t size)
{
	struct source source;

	return find_source(fd, &source) ? fill_one(&source, to, size) : PASS_ON;
}

static int64_t shim_readv(uint64_t fd, uint64_t list, uint64_t count)
{
	struct source source;

	return find_source(fd, &source) ? fill_list(&source, list, count) :
					  PASS_ON;
}

static int64_t shim_pread(uint64_t fd, uint64_t to, uint64_t size,
			  uint64_t offset)
{
	struct source source;

	return find_source_at(fd, offset, &source) ?
		       fill_one(&source, to, size) :
		       PASS_ON;
}

static int64_t shim_preadv(uint64_t fd, uint64_t list, uint64_t count,
			   uint64_t offset)
{
	struct source source;

	return find_source_at(fd, offset, &source) ?
		       fill_list(&source, list, count) :
		       PASS_ON;
}

/* Appends to one of the windows; nothing at all if it does not fit. */
static bool append(uint64_t window, uint64_t window_size, uint64_t *used,
		   uint64_t from, uint64_t size)
{
	if (*used > window_size || size > window_size - *used ||
	    !may(from, size, false))
		return false;
	shim_arch_copy((void *)(window + *used), (const void *)from, size);
	*used += size;
	return true;
}

static bool write_one(uint64_t fd, uint64_t from, uint64_t size)
{
	if (is_in(given->output_files, fd))
		return append(THAW_GPA_OUTPUT, THAW_OUTPUT_SIZE,
			      &shim->output_used, from, size);
	return append(THAW_GPA_ERRORS, THAW_ERRORS_SIZE, &shim->errors_used,
		      from, size);
}

static bool is_written(uint64_t fd)
{
	return is_in(given->output_files | given->error_files, fd);
}

static int64_t shim_write(uint64_t fd, uint64_t from, uint64_t size)
{
	if (!is_written(fd))
		return PASS_ON;
	if (!size)
		return 0;
	return write_one(fd, from, size) ? (int64_t)size : PASS_ON;
}

static int64_t shim_writev(uint64_t fd, uint64_t list, uint64_t count)
{
	const struct iovec *vectors = (const struct iovec *)list;
	const uint64_t output = shim->output_used, errors = shim->errors_used;
	int64_t total = 0;

	if (!is_written(fd) || count > VECTORS_MAX || list % 8 ||
	    !may(list, count * sizeof(*vectors), false))
		return PASS_ON;
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t size = vectors[i].iov_len;

		if (size &&
		    !write_one(fd, (uintptr_t)vectors[i].iov_base, size)) {
			shim->output_used = output;
			shim->errors_used = errors;
			return PASS_ON;
		}
		total += (int64_t)size;
	}
	return total;
}

static int64_t shim_close(uint64_t fd)
{
	if (fd > 2 || !is_standard(fd))
		return PASS_ON;
	shim->closed |= UINT64_C(1) << fd;
	return 0;
}

static int64_t shim_status(uint64_t fd, uint64_t to)
{
	const struct thaw_file *file = file_of(fd);
	const void *status;

	if (file)
		status = (const void *)(uintptr_t)file->start;
	else if (fd <= 2 && is_standard(fd))
		status = given->status[fd];
	else
		return PASS_ON;
	if (!may(to, THAW_STATUS_BYTES, true))
		return PASS_ON;
	shim_arch_copy((void *)to, status, THAW_STATUS_BYTES);
	return 0;
}

/* Of a descriptor alone: fstat(), as newer C libraries ask. */
static int64_t shim_status_at(uint64_t fd, uint64_t path, uint64_t to,
			      uint64_t flags)
{
	if (flags != AT_EMPTY_PATH || !may(path, 1, false) ||
	    *(const char *)path)
		return PASS_ON;
	return shim_status(fd, to);
}

/* Neither the standard streams nor files are terminals. */
static int64_t shim_ioctl(uint64_t fd, uint64_t request)
{
	return (request == TCGETS || request == TIOCGWINSZ) &&
			       (is_standard(fd) || file_of(fd)) ?
		       -ENOTTY :
		       PASS_ON;
}

static int64_t shim_lseek(uint64_t fd, int64_t by, uint64_t whence)
{
	const struct thaw_file *file;
	int64_t offset = 0;

	if (is_standard(fd))
		return -ESPIPE;
	file = file_of(fd);
	if (!file || whence > SEEK_END)
		return PASS_ON;
	if (whence == SEEK_CUR)
		offset = (int64_t)shim->offsets[file->place];
	else if (whence == SEEK_END)
		offset = file->size;
	if (__builtin_add_overflow(offset, by, &offset) || offset < 0)
		return -EINVAL;
	shim->offsets[file->place] = (uint64_t)offset;
	return offset;
}

static int64_t shim_clock_gettime(uint64_t clock, uint64_t to)
{
	struct timespec now;

	if (clock > INT32_MAX || !shim_clock((clockid_t)clock, &now) ||
	    !may(to, sizeof(now), true))
		return PASS_ON;
	shim_arch_copy((void *)to, &now, sizeof(now));
	return 0;
}

static bool note_change(uint64_t start, uint64_t size)
{
	const uint64_t count = shim->change_count;

	if (count >= THAW_SHIM_CHANGES || count >= given->change_limit)
		return false;
	shim->changes[count] = (struct thaw_shim_change){ start, size };
	shim->change_count = count + 1;
	return true;
}

/* Fresh memory for the allocator; anything else is the host's. */
static int64_t shim_mmap(const uint64_t *args)
{
	const uint64_t size = (args[1] + PAGE_MASK) & ~PAGE_MASK;
	const uint64_t flags = args[3] & ~(uint64_t)(MAP_NORESERVE | MAP_STACK);
	const uint64_t end = shim->arena_end;

	if (args[0] || !args[1] || args[1] > (UINT64_C(1) << 40) ||
	    args[2] != (PROT_READ | PROT_WRITE) ||
	    flags != (MAP_PRIVATE | MAP_ANONYMOUS) ||
	    !is_within(given->arena_start, size, given->arena_start, end) ||
	    !note_change(end - size, size))
		return PASS_ON;
	shim->arena_end = end - size;
	return (int64_t)shim->arena_end;
}

/* The host learns of it later: until then the program may still use the memory. */
static int64_t shim_munmap(uint64_t start, uint64_t size)
{
	size = (size + PAGE_MASK) & ~PAGE_MASK;
	if ((start & PAGE_MASK) || !size || start >= THAW_RESERVE_START ||
	    !may(start, size, true) ||
	    !note_change(start, size | THAW_SHIM_UNMAP))
		return PASS_ON;
	return 0;
}

/* The break only grows here, into memory that has never been used. */
static int64_t shim_brk(uint64_t end)
{
	if (!end)
		return (int64_t)shim->break_end;
	if (end < shim->break_end || end > given->break_limit)
		return PASS_ON;
	shim->break_end = end;
	return (int64_t)end;
}

static int64_t shim_sigaction(uint64_t number, uint64_t new, uint64_t old,
			      uint64_t set_size)
{
	struct thaw_action before;

	if (number < 1 || number > THAW_SIGNALS ||
	    set_size != SIGNAL_SET_SIZE ||
	    (new && (given->is_signalled ||
		     (THAW_SIGNALS_NEVER >> (number - 1) & 1))) ||
	    (new && !may(new, sizeof(before), false)) ||
	    (old && !may(old, sizeof(before), true)))
		return PASS_ON;
	shim_arch_copy(&before, &actions[number - 1], sizeof(before));
	if (new) {
		shim_arch_copy(&actions[number - 1], (const void *)new,
			       sizeof(before));
		actions[number - 1].flags &= THAW_ACTION_FLAGS;
		actions[number - 1].mask &= ~THAW_SIGNALS_NEVER;
		shim->changed_actions |= UINT64_C(1) << (number - 1);
	}
	if (old)
		shim_arch_copy((void *)old, &before, sizeof(before));
	return 0;
}

static int64_t shim_sigprocmask(uint64_t how, uint64_t new, uint64_t old,
				uint64_t set_size)
{
	const uint64_t before = shim->signal_mask;
	uint64_t set;

	if (set_size != SIGNAL_SET_SIZE || given->is_signalled ||
	    (new && !may(new, sizeof(set), false)) ||
	    (old && !may(old, sizeof(set), true)))
		return PASS_ON;
	if (new) {
		shim_arch_copy(&set, (const void *)new, sizeof(set));
		if (how == 0)
			set |= before;
		else if (how == 1)
			set = before & ~set;
		else if (how != 2)
			return PASS_ON;
		shim->signal_mask = set & ~THAW_SIGNALS_NEVER;
	}
	if (old)
		shim_arch_copy((void *)old, &before, sizeof(before));
	return 0;
}

/* Wakes nobody, if there is nobody else. */
static int64_t shim_futex(uint64_t at, uint64_t operation)
{
	return given->is_alone && at % 4 == 0 && may(at, 4, false) &&
			       (operation & ~(uint64_t)FUTEX_PRIVATE_FLAG) ==
				       FUTEX_WAKE ?
		       0 :
		       PASS_ON;
}

static int64_t shim_call(uint64_t number, const uint64_t *args)
{
	switch (number) {
	case SYS_read:
		return shim_read(args[0], args[1], args[2]);
	case SYS_readv:
		return shim_readv(args[0], args[1], args[2]);
	case SYS_pread64:
		return shim_pread(args[0], args[1], args[2], args[3]);
	case SYS_preadv:
		return shim_preadv(args[0], args[1], args[2], args[3]);
	case SYS_write:
		return shim_write(args[0], args[1], args[2]);
	case SYS_writev:
		return shim_writev(args[0], args[1], args[2]);
	case SYS_close:
		return shim_close(args[0]);
	case SYS_fstat:
		return shim_status(args[0], args[1]);
	case SYS_newfstatat:
		return shim_status_at(args[0], args[1], args[2], args[3]);
	case SYS_ioctl:
		return shim_ioctl(args[0], args[1]);
	case SYS_lseek:
		return shim_lseek(args[0], (int64_t)args[1], args[2]);
	case SYS_clock_gettime:
		return shim_clock_gettime(args[0], args[1]);
	case SYS_mmap:
		return shim_mmap(args);
	case SYS_munmap:
		return shim_munmap(args[0], args[1]);
	case SYS_brk:
		return shim_brk(args[0]);
	case SYS_rt_sigaction:
		return shim_sigaction(args[0], args[1], args[2], args[3]);
	case SYS_rt_sigprocmask:
		return shim_sigprocmask(args[0], args[1], args[2], args[3]);
	case SYS_futex:
		return shim_futex(args[0], args[1]);
	case SYS_getpid:
		return PROCESS_ID;
	case SYS_gettid:
		return given->thread;
	case SYS_getuid:
	case SYS_geteuid:
	case SYS_getgid:
	case SYS_getegid:
		return given->user;
	default:
		return PASS_ON;
	}
}

/* Called by the entry. Returns whether the call has been answered. */
int shim_enter(void)
{
	int64_t result = PASS_ON;

	if (shim->is_active)
		result =
			shim_call(shim_arch_number(shim), shim_arch_args(shim));
	if (result == PASS_ON)
		return 0;
	shim_arch_return(shim, (uint64_t)result);
	return 1;
}
