/* files.c - see files.h. */
#include "bench/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The files that bench/ builds become part of the program. */
#define INCLUDE_FILE(name, file)                           \
	extern const char name##_start[];                  \
	extern const char name##_end[];                    \
	__asm__(".pushsection .rodata\n"                   \
		".globl " #name "_start\n"                 \
		".globl " #name "_end\n" #name "_start:\n" \
		".incbin \"" file "\"\n" #name "_end:\n"   \
		".popsection\n")

INCLUDE_FILE(bench_guest, BENCH_GUEST_FILE);
INCLUDE_FILE(bench_program, BENCH_PROGRAM_FILE);

/* Makes a file in memory that contains these bytes. */
static int make_file(const char *name, const char *start, const char *end,
		     struct error *err, int *ret_fd)
{
	const size_t size = (size_t)(end - start);
	cleanup_close int fd = -1;
	ssize_t written;

	if (!size)
		return error_set(err, -ENODEV,
				 "this thaw was built without its benchmarks: "
				 "set THAW_GUESTS when building it");
	fd = memfd_create(name, MFD_CLOEXEC);
	written = fd < 0 ? -1 : write(fd, start, size);
	if (written < 0)
		return error_set(err, -errno, "a memfd of %zu bytes: %s", size,
				 strerror(errno));
	if ((size_t)written < size)
		return error_set(err, -ENOSPC,
				 "no memory for a memfd of %zu "
				 "bytes",
				 size);
	*ret_fd = take_fd(&fd);
	return 0;
}

int bench_files_open(struct bench_setup *setup, struct error *err)
{
	int r;

	r = make_file("bench.elf", bench_guest_start, bench_guest_end, err,
		      &setup->guest_fd);
	if (!r)
		r = make_file("spawned", bench_program_start, bench_program_end,
			      err, &setup->program_fd);
	if (r)
		return r;
	snprintf(setup->guest_path, sizeof(setup->guest_path),
		 "/proc/self/fd/%d", setup->guest_fd);
	snprintf(setup->program_path, sizeof(setup->program_path),
		 "/proc/self/fd/%d", setup->program_fd);
	return 0;
}

void bench_files_close(struct bench_setup *setup)
{
	if (setup->guest_fd >= 0)
		close(setup->guest_fd);
	if (setup->program_fd >= 0)
		close(setup->program_fd);
}

int bench_files_copy_guest(const struct bench_setup *setup, const char *path,
			   struct error *err)
{
	cleanup_close int to =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char bytes[65536];
	off_t done = 0;
	ssize_t n;

	if (to < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	while ((n = pread(setup->guest_fd, bytes, sizeof(bytes), done)) > 0) {
		const ssize_t written = write(to, bytes, (size_t)n);

		if (written != n)
			return error_set(err, written < 0 ? -errno : -ENOSPC,
					 "cannot write %s: %s", path,
					 strerror(written < 0 ? errno :
								ENOSPC));
		done += n;
	}
	return n < 0 ? error_set(err, -errno, "the guest cannot be read: %s",
				 strerror(errno)) :
		       0;
}
