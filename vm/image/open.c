/*
 * open.c - reads a file and has it checked, part by part: header and segments
 * (elf.c), relocations (dynamic.c), handlers (handlers.c), declarations (declarations.c),
 * symbols (symbols.c). Those do not name the file in their messages; here its name is
 * put before them.
 */
#include "vm/image/open.h"

#include <errno.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "vm/image/dynamic.h"
#include "vm/image/elf.h"
#include "vm/image/handlers.h"
#include "vm/image/image_declarations.h"
#include "vm/image/image_internal.h"
#include "vm/image/symbols.h"

#define cleanup_elf __attribute__((cleanup(cleanup_end_elf)))

static void cleanup_end_elf(Elf **elf)
{
	elf_end(*elf);
}

static int check_file_size(uint64_t size, const char *name, struct error *err)
{
	if (size == 0)
		return error_set(err, -ENOEXEC, "%s: the file is empty", name);
	if (size > IMAGE_FILE_MAX)
		return error_set(err, -EFBIG,
				 "%s: %" PRIu64 " bytes; an image may have "
				 "%u at most",
				 name, size, IMAGE_FILE_MAX);
	return 0;
}

/* An image that owns a buffer of @size bytes, and nothing in it yet. */
static struct image *create_image(const char *name, size_t size)
{
	struct image *image = calloc(1, sizeof(*image));
	struct image_private *file = calloc(1, sizeof(*file));

	if (!image || !file) {
		free(file);
		free(image);
		return NULL;
	}
	image->internal = file;
	atomic_store(&file->references, 1);
	pthread_mutex_init(&file->lock, NULL);
	file->name = strdup(name);
	file->bytes = malloc(size);
	file->size = size;
	if (!file->name || !file->bytes) {
		image_close(image);
		return NULL;
	}
	return image;
}

static int read_elf(struct image_reader *reader, struct error *err)
{
	cleanup_elf Elf *elf = NULL;
	int r;

	r = image_read_header(reader, err);
	if (r < 0)
		return r;

	elf_version(EV_CURRENT);
	/* elf_memory() takes a char *, but does not write to it. */
	elf = elf_memory((char *)reader->bytes, reader->size);
	if (!elf)
		return error_set(err, -ENOEXEC, "damaged ELF file: %s",
				 elf_errmsg(-1));
	reader->elf = elf;

	r = image_read_segments(reader, err);
	if (r < 0)
		return r;
	r = image_read_dynamic(reader, err);
	if (r < 0)
		return r;
	r = image_read_handlers(reader, err);
	if (r < 0)
		return r;
	r = image_read_declarations(reader, err);
	if (r < 0)
		return r;
	return image_read_symbols(reader, err);
}

/* Reads the bytes that @image holds. */
static int parse_image(struct image *image, struct error *err)
{
	struct image_private *file = image->internal;
	struct image_reader reader = {
		.image = image,
		.bytes = file->bytes,
		.size = file->size,
	};
	int r;

	r = read_elf(&reader, err);
	if (r < 0)
		return error_prefix(err, r, "%s", file->name);
	return 0;
}

/* Fills the image's buffer; less of it counts if the file has shrunk. */
static int read_file(struct image_private *file, int fd, struct error *err)
{
	size_t done = 0;

	while (done < file->size) {
		ssize_t n = read(fd, file->bytes + done, file->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "%s: cannot read: %m",
					 file->name);
		if (n == 0)
			break;
		done += n;
	}
	file->size = done;
	return 0;
}

int image_open(const char *path, struct error *err, struct image **ret_image)
{
	struct stat status;
	cleanup_close int fd = file_open_regular(path, &status);
	struct image *image;
	int r;

	if (fd == -EISDIR || fd == -EINVAL)
		return error_set(err, -ENOEXEC, "%s: not a regular file", path);
	if (fd < 0)
		return error_set(err, fd, "%s: cannot open: %s", path,
				 strerror(-fd));
	r = check_file_size(status.st_size, path, err);
	if (r < 0)
		return r;

	image = create_image(path, status.st_size);
	if (!image)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	r = read_file(image->internal, fd, err);
	if (r == 0)
		r = parse_image(image, err);
	if (r < 0) {
		image_close(image);
		return r;
	}
	*ret_image = image;
	return 0;
}

int image_parse(const void *bytes, size_t size, const char *name,
		struct error *err, struct image **ret_image)
{
	struct image *image;
	int r;

	r = check_file_size(size, name, err);
	if (r < 0)
		return r;
	image = create_image(name, size);
	if (!image)
		return error_set(err, -ENOMEM, "%s: out of memory", name);
	memcpy(image->internal->bytes, bytes, size);
	r = parse_image(image, err);
	if (r < 0) {
		image_close(image);
		return r;
	}
	*ret_image = image;
	return 0;
}
