/* shim_files.c - see shim_files.h. */
#include "executor/linux/shim_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "executor/linux/file_data.h"
#include "executor/linux/file_host.h"
#include "executor/linux/process.h"
#include "executor/linux/space_memory.h"
#include "guest/abi/thaw_shim.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)

/* What the program may read of @fd; NULL: nothing, or it may change. */
static struct file_data *data_of(struct linux_process *process, unsigned fd)
{
	const struct file *file = files_get(&process->files, fd);

	if (!file || file->kind != &file_host || (file->flags & O_PATH) ||
	    !S_ISREG(file->data->status.st_mode))
		return NULL;
	return file->data;
}

/* Copies @data to where the program can only read it. Returns the address; 0: nowhere. */
static uint64_t keep(struct space *space, const struct file_data *data)
{
	const uint64_t size = THAW_STATUS_SIZE + data->size;
	const uint64_t start =
		space_withhold(space, (size + PAGE_MASK) & ~PAGE_MASK);

	if (!start ||
	    space_memory_put(space, start, &data->status,
			     sizeof(data->status)) ||
	    space_memory_put(space, start + THAW_STATUS_SIZE, data->bytes,
			     data->size))
		return 0;
	return start;
}

void shim_files_keep(struct linux_process *process)
{
	uint64_t start, end, room;
	unsigned count = 0;

	space_unused(&process->space, &start, &end);
	room = (end - start) / SHIM_FILES_SHARE;
	if (room > SHIM_FILES_BYTES_MAX)
		room = SHIM_FILES_BYTES_MAX;
	for (unsigned fd = 0; fd < FILES_MAX && count < THAW_SHIM_FILES; fd++) {
		struct file_data *data = data_of(process, fd);

		if (!data)
			continue;
		if (!data->gpa && data->size <= room) {
			data->gpa = keep(&process->space, data);
			room -= data->gpa ? data->size : 0;
		}
		count += data->gpa != 0;
	}
}

/* The place of the offset of @fd: that of a duplicate in the list, or a new one. */
static uint32_t offset_place(struct linux_process *process, unsigned fd)
{
	const struct thaw_given *given = &process->shim.given;
	const struct file *file = files_get(&process->files, fd);

	for (uint32_t i = 0; i < given->file_count; i++)
		if (files_get(&process->files, given->files[i].fd) == file)
			return given->files[i].place;
	return (uint32_t)given->file_count;
}

void shim_files_list(struct linux_process *process)
{
	struct thaw_given *given = &process->shim.given;

	given->file_count = 0;
	for (unsigned fd = 0; fd < FILES_MAX; fd++) {
		const struct file_data *data = data_of(process, fd);

		if (!data || !data->gpa || given->file_count == THAW_SHIM_FILES)
			continue;
		given->files[given->file_count] = (struct thaw_file){
			.fd = fd,
			.place = offset_place(process, fd),
			.start = (uint32_t)data->gpa,
			.size = (uint32_t)data->size,
		};
		given->file_count++;
	}
}

void shim_files_take(struct linux_process *process, const uint64_t *offsets)
{
	const struct thaw_given *given = &process->shim.given;

	for (uint64_t i = 0; i < given->file_count; i++) {
		struct file *file =
			files_get(&process->files, given->files[i].fd);
		const uint64_t offset = offsets[given->files[i].place];

		if (!file || offset > INT64_MAX || offset == file->offset)
			continue;
		file->offset = offset;
		process->files.is_changed = true;
	}
}

void shim_files_give(struct linux_process *process, uint64_t *offsets)
{
	const struct thaw_given *given = &process->shim.given;

	for (uint64_t i = 0; i < given->file_count; i++) {
		const struct file *file =
			files_get(&process->files, given->files[i].fd);

		offsets[given->files[i].place] = file ? file->offset : 0;
	}
}
