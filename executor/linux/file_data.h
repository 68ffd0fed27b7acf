/*
 * file_data.h - what a file or a directory held when a program opened it. It does not
 * change once there are copies. Any thread may hold and drop it.
 */
#ifndef EXECUTOR_LINUX_FILE_DATA_H
#define EXECUTOR_LINUX_FILE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A larger file cannot be opened: EFBIG. Nor can a larger list of a directory. */
#define FILE_DATA_MAX (64u << 20)

struct memory_budget;

struct file_data {
	_Atomic unsigned references;
	struct memory_budget *memory; /* that has paid for the bytes; or NULL */
	size_t paid;
	struct stat status;
	char *path;   /* as the program has it */
	bool is_made; /* up, for this process: no file of the host has it */
	size_t size;
	uint8_t *bytes; /* of a directory: entries as getdents64() has them */
	/* where the snapshot has it for the shim, as struct thaw_file.start; 0: nowhere */
	uint64_t gpa;
};

/*
 * Reads the regular file or the directory @found, which root_look() has returned with
 * @status, and which the program knows as @path: @room bytes at most. The caller owns a
 * reference of *@ret_data. @memory, which may be NULL and outlives the data, pays for it.
 * 0 or -errno; -EACCES: it is neither; -ENOMEM: it is larger, or @memory has no more.
 */
int file_data_read(int found, const struct stat *status, const char *path,
		   size_t room, struct memory_budget *memory,
		   struct file_data **ret_data);

/*
 * The same, of what is made up: its @size @bytes, which must come from malloc(), and
 * which are taken even if there is no memory.
 */
int file_data_make(uint8_t *bytes, size_t size, const struct stat *status,
		   const char *path, struct file_data **ret_data);

/* Takes one more reference. */
void file_data_hold(struct file_data *data);

/* Gives one back; NULL is fine. */
void file_data_drop(struct file_data *data);

#endif
