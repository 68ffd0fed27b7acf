/*
 * state_host_files.c - see state_host_files.h.
 *
 * The bytes of a file are not stored: the file is looked up as the program would do it,
 * and read again. It must be the one that it was, and hold the same.
 */
#include "executor/linux/state_host_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "executor/linux/file_data.h"
#include "executor/linux/file_host.h"
#include "executor/linux/process.h"
#include "executor/linux/state_codec.h"
#include "executor/linux/state_space.h"
#include "guest/abi/thaw_shim.h"
#include "snapshot/store/file.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)

/* A file as a state has it. */
struct host_file {
	char *path;
	struct stat status;
	bool is_unread; /* open as a path alone */
	uint64_t gpa;
	uint8_t hash[STORE_HASH_SIZE];
};

static void state_look(struct state *state, struct stat *status)
{
	STATE_NUMBER(state, status->st_mode);
	STATE_NUMBER(state, status->st_dev);
	STATE_NUMBER(state, status->st_ino);
	STATE_NUMBER(state, status->st_size);
	STATE_NUMBER(state, status->st_mtim.tv_sec);
	STATE_NUMBER(state, status->st_mtim.tv_nsec);
	STATE_NUMBER(state, status->st_ctim.tv_sec);
	STATE_NUMBER(state, status->st_ctim.tv_nsec);
}

static void state_host_file(struct state *state, struct host_file *file)
{
	state_text(state, &file->path, ROOT_PATH_MAX - 1);
	state_look(state, &file->status);
	STATE_NUMBER(state, file->is_unread);
	STATE_NUMBER(state, file->gpa);
	state_bytes(state, file->hash, sizeof(file->hash));
	state_need(state,
		   state_is_good(state) &&
			   (!*file->path || root_is_path(file->path)),
		   "the path of a file");
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_dev == b->st_dev &&
	       a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_time(&a->st_mtim, &b->st_mtim) &&
	       is_time(&a->st_ctim, &b->st_ctim);
}

static void changed(struct state *state, const struct host_file *file)
{
	state_fail(state, -ESTALE, "%s has changed since", file->path);
}

/* Whether a file of @size bytes may be for the shim at @gpa. */
static bool may_be_kept_at(struct state *state,
			   const struct linux_process *process, uint64_t size,
			   uint64_t gpa)
{
	size = (THAW_STATUS_SIZE + size + PAGE_MASK) & ~PAGE_MASK;
	return state_note_frames(state, process, gpa, size);
}

/* Whether @data is for the shim at @gpa, where it finds what the file has. */
static bool is_kept_at(struct state *state, const struct linux_process *process,
		       const struct file_data *data, uint64_t gpa)
{
	return may_be_kept_at(state, process, data->size, gpa) &&
	       (!data->size || !memcmp(state->memory + gpa + THAW_STATUS_SIZE,
				       data->bytes, data->size));
}

static void open_data(struct state *state, struct linux_process *process,
		      const struct host_file *file, struct file_data **ret_data)
{
	uint8_t hash[STORE_HASH_SIZE];
	struct stat status = { .st_mode = 0 };
	cleanup_close int found =
		root_look(&process->program->root, file->path, &status);
	int r;

	if (root_is_short(found)) {
		state_fail(state, found, "%s: %s", file->path,
			   strerror(-found));
		return;
	}
	if (found < 0 || !is_same(&status, &file->status)) {
		changed(state, file);
		return;
	}
	r = file->is_unread ?
		    file_data_make(NULL, 0, &status, file->path, ret_data) :
		    file_data_read(found, &status, file->path,
				   files_room(&process->files),
				   process->program->memory, ret_data);
	if (r) {
		state_fail(state, r, "%s: %s", file->path, strerror(-r));
		return;
	}
	if (file->is_unread)
		return;
	store_hash((*ret_data)->bytes, (*ret_data)->size, hash);
	if (memcmp(hash, file->hash, sizeof(hash)) != 0)
		changed(state, file);
	if (file->gpa)
		state_need(state,
			   S_ISREG(status.st_mode) &&
				   is_kept_at(state, process, *ret_data,
					      file->gpa),
			   "where a file is for the shim");
	(*ret_data)->gpa = file->gpa;
}

/* Of a file that is not opened, since it is only shown. */
static void show_data(struct state *state, struct linux_process *process,
		      const struct host_file *file, struct file_data **ret_data)
{
	const uint64_t size = (uint64_t)file->status.st_size;

	if (file_data_make(NULL, 0, &file->status, file->path, ret_data)) {
		state_fail(state, -ENOMEM, "no memory for a file");
		return;
	}
	if (file->gpa && !file->is_unread)
		state_need(state,
			   S_ISREG(file->status.st_mode) &&
				   size <= FILE_DATA_MAX &&
				   may_be_kept_at(state, process, size,
						  file->gpa),
			   "where a file is for the shim");
}

static void describe(struct state *state, const struct file_data *data,
		     bool is_unread, struct host_file *ret_file)
{
	if (data->is_made)
		state_fail(state, -EOPNOTSUPP,
			   "%s is open, which is made up for it", data->path);
	*ret_file = (struct host_file){
		.path = data->path,
		.status = data->status,
		.is_unread = is_unread,
		.gpa = data->gpa,
	};
	if (!is_unread)
		store_hash(data->bytes, data->size, ret_file->hash);
}

/* The first file that has the data of @file, up to it. */
static size_t first_of(const struct files *files, const struct file *file)
{
	size_t i = 0;

	while (files->list[i].data != file->data)
		i++;
	return i;
}

static void state_data(struct state *state, struct linux_process *process,
		       struct file *file)
{
	struct files *files = &process->files;
	const size_t place = (size_t)(file - files->list);
	size_t first = state_is_read(state) ? 0 : first_of(files, file);
	struct host_file described = { .path = NULL };
	struct file_data *data = NULL;

	STATE_NUMBER(state, first);
	state_need(state,
		   first <= place && files->list[first].kind == &file_host,
		   "a file that is open twice");
	if (!state_is_good(state))
		return;
	if (first < place) {
		if (!state_is_read(state))
			return;
		file->data = files->list[first].data;
		file_data_hold(file->data);
		return;
	}
	if (!state_is_read(state)) {
		describe(state, file->data,
			 (file->flags & O_PATH) && !file->data->bytes,
			 &described);
		state_host_file(state, &described);
		return;
	}
	state_host_file(state, &described);
	if (state_is_good(state))
		(state->memory ? open_data : show_data)(state, process,
							&described, &data);
	/* what is open as a path alone has nothing to read */
	state_need(state, !described.is_unread || (file->flags & O_PATH),
		   "a file that was not read");
	file->data = data;
	free(described.path);
}

void state_host_files(struct state *state, struct linux_process *process)
{
	for (size_t i = 0; i < FILES_MAX && state_is_good(state); i++)
		if (process->files.list[i].kind == &file_host)
			state_data(state, process, &process->files.list[i]);
	if (state_is_read(state) && state_is_good(state))
		state_need(state, state_has_all_frames(state, process),
			   "memory that is withheld from it");
}
