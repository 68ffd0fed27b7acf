/* calls_memory.c - system calls about memory; see calls.h. */
#include "executor/linux/calls_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "executor/linux/file_data.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/process.h"
#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)

/* Rounds up; 0: it is 0, or larger than any part of the address space. */
static uint64_t pages_of(uint64_t size)
{
	return size > LAYOUT_RESERVE_SIZE ? 0 : (size + PAGE_MASK) & ~PAGE_MASK;
}

/*
 * IMAGE_PROT_* of PROT_*; -EACCES: writable and executable at once, and the catalog does
 * not allow it.
 */
static int prot_of(const struct linux_process *process, uint64_t prot)
{
	int ours = 0;

	if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	if ((prot & PROT_WRITE) && (prot & PROT_EXEC) &&
	    !process->program->is_code_writable)
		return -EACCES;
	if (prot)
		ours |= IMAGE_PROT_READ; /* the CPU has no other */
	if (prot & PROT_WRITE)
		ours |= IMAGE_PROT_WRITE;
	if (prot & PROT_EXEC)
		ours |= IMAGE_PROT_EXECUTE;
	return ours;
}

/*
 * Whether @size more bytes that are mapped, and @data more that may be written, are too
 * many for RLIMIT_AS and RLIMIT_DATA.
 */
static bool is_over_limit(const struct linux_process *process, uint64_t size,
			  uint64_t data)
{
	const struct rlimit *limits = process->limits.list;
	const uint64_t stack = process->space.layout->stack.size;

	if (!process->limits.is_memory_limited)
		return false;
	if (data)
		data += space_mapped(&process->space,
				     IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	/* the stack is no data */
	return (size && space_mapped(&process->space, 0) + size >
				limits[RLIMIT_AS].rlim_cur) ||
	       (data > stack && data - stack > limits[RLIMIT_DATA].rlim_cur);
}

/* The same of what is to be mapped at @place. What is there is counted already. */
static bool map_is_over_limit(const struct linux_process *process,
			      uint64_t place, uint64_t size, unsigned prot)
{
	const struct areas *areas = &process->space.areas;
	const bool is_more = !areas_allow(areas, place, place + size, 0);
	const bool is_data =
		(prot & IMAGE_PROT_WRITE) &&
		!areas_allow(areas, place, place + size, IMAGE_PROT_WRITE);

	return is_over_limit(process, is_more ? size : 0, is_data ? size : 0);
}

int64_t call_brk(struct linux_process *process, const uint64_t *args)
{
	const uint64_t end = process->space.break_end;
	const uint64_t more = args[0] - end;

	if (args[0] > end && is_over_limit(process, more, more))
		return (int64_t)end;
	return (int64_t)space_set_break(&process->space, args[0]);
}

/*
 * Chooses the place of a new mapping: the one that is asked for, if it must be so. One
 * that needs no memory, since it is not accessible, goes to the reserve.
 */
static int64_t choose_place(const struct space *space, uint64_t hint,
			    uint64_t size, uint64_t prot, uint64_t flags)
{
	const bool is_fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	const bool is_ours = space_is_inside(space, hint, size);
	const bool is_free = is_ours &&
			     areas_are_free(&space->areas, hint, hint + size);
	uint64_t place;

	if (is_fixed && (hint & PAGE_MASK))
		return -EINVAL;
	if (is_fixed && !is_ours)
		return -ENOMEM;
	if ((flags & MAP_FIXED_NOREPLACE) && !is_free)
		return -EEXIST;
	if (is_fixed || is_free)
		return (int64_t)hint;
	place = !prot && (flags & MAP_ANONYMOUS) ?
			space_find_reserve(space, size) :
			space_find(space, size);
	return place ? (int64_t)place : -ENOMEM;
}

/* What is to be mapped of a file. */
struct mapped {
	const uint8_t *bytes;
	size_t size;
};

/*
 * Finds the file that is to be mapped. A mapping is a copy: it may be shared only as
 * long as nobody writes to it.
 */
static int find_file(struct linux_process *process, const uint64_t *args,
		     struct mapped *mapped)
{
	const struct file *file = files_get(&process->files, args[4]);
	const bool is_tmpfs = file && file->kind == &file_tmpfs;

	if (!file || (file->flags & O_PATH))
		return -EBADF;
	if (!is_tmpfs && file->kind != &file_host)
		return -ENODEV;
	if (is_tmpfs ? tmpfs_is_directory(&process->tmpfs, file->node) :
		       file_is_directory(file))
		return -ENODEV;
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	if ((args[3] & MAP_SHARED) && (args[2] & PROT_WRITE))
		return is_tmpfs ? -ENODEV : -EACCES;
	if (args[5] & PAGE_MASK)
		return -EINVAL;
	if (is_tmpfs)
		mapped->bytes = tmpfs_bytes(&process->tmpfs, file->node,
					    args[5], &mapped->size);
	else if (args[5] < file->data->size)
		*mapped = (struct mapped){ file->data->bytes + args[5],
					   file->data->size - args[5] };
	return 0;
}

/* Copies what the file has; the rest is zero. */
static int fill(struct space *space, uint64_t place, uint64_t size,
		const struct mapped *mapped)
{
	const uint64_t left = mapped->size < size ? mapped->size : size;

	return left ? space_fill(space, place, mapped->bytes, left) : 0;
}

int64_t call_mmap(struct linux_process *process, const uint64_t *args)
{
	const uint64_t size = pages_of(args[1]), flags = args[3];
	const int prot = prot_of(process, args[2]);
	struct mapped mapped = { NULL, 0 };
	int64_t place;
	int r;

	if (!args[1])
		return -EINVAL;
	if (!size)
		return -ENOMEM;
	if (prot < 0)
		return prot;
	if (!(flags & (MAP_PRIVATE | MAP_SHARED)))
		return -EINVAL;
	place = choose_place(&process->space, args[0], size, args[2], flags);
	if (place < 0)
		return place;
	if (map_is_over_limit(process, (uint64_t)place, size, (unsigned)prot))
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS)) {
		r = find_file(process, args, &mapped);
		if (r)
			return r;
	}
	r = space_map(&process->space, (uint64_t)place, size, (unsigned)prot);
	if (!r)
		r = fill(&process->space, (uint64_t)place, size, &mapped);
	if (!r && !(flags & MAP_ANONYMOUS))
		space_note_file(&process->space, (uint64_t)place, size);
	return r ? r : place;
}

int64_t call_munmap(struct linux_process *process, const uint64_t *args)
{
	const uint64_t size = pages_of(args[1]);

	return size ? space_unmap(&process->space, args[0], size) : -EINVAL;
}

int64_t call_mprotect(struct linux_process *process, const uint64_t *args)
{
	const uint64_t size = pages_of(args[1]);
	/* the stack is said to grow down, and need not be asked for its end */
	const int prot = prot_of(process, args[2] & ~(uint64_t)PROT_GROWSDOWN);

	if (args[0] & PAGE_MASK)
		return -EINVAL;
	if (prot < 0)
		return prot;
	if (!args[1])
		return 0;
	if (!size)
		return -ENOMEM;
	if (map_is_over_limit(process, args[0], size, (unsigned)prot))
		return -ENOMEM;
	return space_protect(&process->space, args[0], size, (unsigned)prot);
}

/* Where a mapping is moved to: MREMAP_FIXED says it, or it is anywhere. */
static int64_t choose_target(const struct space *space, const uint64_t *args,
			     uint64_t old_size, uint64_t size)
{
	uint64_t place = args[4];

	if (!(args[3] & MREMAP_FIXED)) {
		place = args[0] >= LAYOUT_RESERVE_START ?
				space_find_reserve(space, size) :
				space_find(space, size);
		return place ? (int64_t)place : -ENOMEM;
	}
	if (!(args[3] & MREMAP_MAYMOVE) ||
	    !space_is_inside(space, place, size) ||
	    (place < args[0] + old_size && args[0] < place + size))
		return -EINVAL;
	return (int64_t)place;
}

static int64_t move(struct space *space, const uint64_t *args,
		    uint64_t old_size, uint64_t size, unsigned prot)
{
	const int64_t place = choose_target(space, args, old_size, size);
	int r;

	if (place < 0)
		return place;
	r = space_map(space, (uint64_t)place, size, prot);
	if (!r)
		r = space_move(space, args[0], (uint64_t)place,
			       old_size < size ? old_size : size);
	if (!r)
		r = space_unmap(space, args[0], old_size);
	return r ? r : place;
}

/* Makes the mapping longer where it is, if it can be. */
static bool extend(struct space *space, uint64_t start, uint64_t old_size,
		   uint64_t size, unsigned prot)
{
	return areas_are_free(&space->areas, start + old_size, start + size) &&
	       !space_map(space, start + old_size, size - old_size, prot);
}

int64_t call_mremap(struct linux_process *process, const uint64_t *args)
{
	struct space *space = &process->space;
	const uint64_t old_size = pages_of(args[1]), size = pages_of(args[2]);
	const struct area *area;

	if ((args[0] & PAGE_MASK) || !args[2] || !args[1] ||
	    (args[3] & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED)))
		return -EINVAL;
	if (!old_size)
		return -EFAULT;
	area = areas_next(&space->areas, args[0]);
	if (!area || area->start > args[0] || area->end < args[0] + old_size ||
	    area->prot == AREA_FRAMES)
		return -EFAULT;
	/* the stack stays as it is: musl looks for its end in this way */
	if (!size || !space_is_inside(space, args[0], old_size))
		return -ENOMEM;
	if (size > old_size &&
	    is_over_limit(process, size - old_size,
			  area->prot & IMAGE_PROT_WRITE ? size - old_size : 0))
		return -ENOMEM;
	if (args[3] & MREMAP_FIXED)
		return move(space, args, old_size, size, area->prot);
	if (size < old_size) {
		const int r =
			space_unmap(space, args[0] + size, old_size - size);

		return r ? r : (int64_t)args[0];
	}
	if (size == old_size ||
	    extend(space, args[0], old_size, size, area->prot))
		return (int64_t)args[0];
	if (!(args[3] & MREMAP_MAYMOVE))
		return -ENOMEM;
	return move(space, args, old_size, size, area->prot);
}

/* Whether all of @start and @size is mapped, whatever may be done with it. 0 or -errno. */
static int check_range(const struct space *space, uint64_t start, uint64_t size)
{
	const uint64_t pages = pages_of(size);

	if (start & PAGE_MASK)
		return -EINVAL;
	if ((size && !pages) || pages > UINT64_MAX - start ||
	    !areas_allow(&space->areas, start, start + pages, 0))
		return -ENOMEM;
	return 0;
}

static bool is_advice(uint64_t advice)
{
	return advice <= MADV_DONTNEED || advice == MADV_FREE ||
	       (advice >= MADV_DONTFORK && advice <= MADV_POPULATE_WRITE);
}

/* Only what promises zeros must be done; the rest is advice. */
int64_t call_madvise(struct linux_process *process, const uint64_t *args)
{
	struct space *space = &process->space;
	int r;

	if (!is_advice(args[2]))
		return -EINVAL;
	r = check_range(space, args[0], args[1]);
	if (r || args[2] != MADV_DONTNEED)
		return r;
	return space_clear(space, args[0], pages_of(args[1]));
}

/* All that is mapped is there. */
int64_t call_mincore(struct linux_process *process, const uint64_t *args)
{
	const uint64_t count = pages_of(args[1]) / THAW_PAGE_SIZE;
	int r = check_range(&process->space, args[0], args[1]);
	uint8_t present[64];

	memset(present, 1, sizeof(present));
	for (uint64_t at = 0; at < count && !r; at += sizeof(present))
		r = space_write(&process->space, args[2] + at, present,
				count - at < sizeof(present) ? count - at :
							       sizeof(present));
	return r;
}

int64_t call_mlock(struct linux_process *process, const uint64_t *args)
{
	const uint64_t within = args[0] & PAGE_MASK;

	if (args[1] > UINT64_MAX - within)
		return -EINVAL;
	return check_range(&process->space, args[0] - within, args[1] + within);
}

/* Nothing that is shared can be written to. */
int64_t call_msync(struct linux_process *process, const uint64_t *args)
{
	if (args[2] & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	return check_range(&process->space, args[0], args[1]);
}
