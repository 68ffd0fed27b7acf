/* calls_transfer.c - see calls_transfer.h. */
#include "executor/linux/calls_transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "executor/linux/process.h"
#include "executor/linux/transfer.h"

/* What a transfer may be told to do: hints, none of which changes what it does here. */
#define HINTS ((uint64_t)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
/* The offset of preadv2() and pwritev2() that means the file's own. */
#define OWN_OFFSET UINT64_MAX

/* A transfer: of which descriptor, in which direction, at which place. */
struct request {
	uint64_t fd;
	bool is_write;
	bool has_offset; /* not the file's own */
	uint64_t offset;
};

/* Finds the file, if it may be transferred from, or to, so. */
static int find_file(struct linux_process *process,
		     const struct request *request, struct file **ret_file)
{
	struct file *file = files_get(&process->files, request->fd);
	const uint32_t refused = request->is_write ? O_RDONLY : O_WRONLY;

	if (request->has_offset && request->offset > INT64_MAX)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (request->has_offset && !file->kind->seek)
		return -ESPIPE;
	if ((file->flags & O_PATH) || (file->flags & O_ACCMODE) == refused)
		return -EBADF;
	if (request->is_write ? !file->kind->write : !file->kind->read)
		return -EINVAL;
	*ret_file = file;
	return 0;
}

static int64_t transfer_parts(struct linux_process *process, struct file *file,
			      const struct request *request,
			      const struct transfer_part *parts, size_t count)
{
	const uint64_t before = file->offset;
	uint64_t offset = request->offset;
	uint64_t *at = request->has_offset ? &offset : &file->offset;
	struct transfer transfer;
	int64_t n;
	int r = transfer_init(&transfer, &process->space, parts, count);

	if (r)
		return r;
	n = request->is_write ?
		    file->kind->write(process, file, at, &transfer) :
		    file->kind->read(process, file, at, &transfer);
	if (file->offset != before)
		process->files.is_changed = true;
	return n;
}

static int64_t transfer_one(struct linux_process *process,
			    const struct request *request, uint64_t at,
			    uint64_t size)
{
	const struct transfer_part part = { at, size };
	struct file *file;
	int r = find_file(process, request, &file);

	return r ? r : transfer_parts(process, file, request, &part, 1);
}

/* The list is copied once; then it is the host's. */
static int64_t transfer_list(struct linux_process *process,
			     const struct request *request, uint64_t list,
			     uint64_t count)
{
	struct transfer_part parts[TRANSFER_PARTS_MAX];
	struct file *file;
	int r = find_file(process, request, &file);

	if (r)
		return r;
	if (count > TRANSFER_PARTS_MAX)
		return -EINVAL;
	if (space_read(&process->space, list, parts, count * sizeof(*parts)))
		return -EFAULT;
	return transfer_parts(process, file, request, parts, count);
}

int64_t call_read(struct linux_process *process, const uint64_t *args)
{
	const struct request request = { .fd = args[0] };

	return transfer_one(process, &request, args[1], args[2]);
}

int64_t call_write(struct linux_process *process, const uint64_t *args)
{
	const struct request request = { .fd = args[0], .is_write = true };

	return transfer_one(process, &request, args[1], args[2]);
}

int64_t call_pread64(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.has_offset = true,
		.offset = args[3],
	};

	return transfer_one(process, &request, args[1], args[2]);
}

int64_t call_pwrite64(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.is_write = true,
		.has_offset = true,
		.offset = args[3],
	};

	return transfer_one(process, &request, args[1], args[2]);
}

int64_t call_readv(struct linux_process *process, const uint64_t *args)
{
	const struct request request = { .fd = args[0] };

	return transfer_list(process, &request, args[1], args[2]);
}

int64_t call_writev(struct linux_process *process, const uint64_t *args)
{
	const struct request request = { .fd = args[0], .is_write = true };

	return transfer_list(process, &request, args[1], args[2]);
}

/* An offset has two words, of which the first has all of it on a 64-bit machine. */
int64_t call_preadv(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.has_offset = true,
		.offset = args[3],
	};

	return transfer_list(process, &request, args[1], args[2]);
}

int64_t call_pwritev(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.is_write = true,
		.has_offset = true,
		.offset = args[3],
	};

	return transfer_list(process, &request, args[1], args[2]);
}

int64_t call_preadv2(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.has_offset = args[3] != OWN_OFFSET,
		.offset = args[3],
	};

	if (args[5] & ~HINTS)
		return -EOPNOTSUPP;
	return transfer_list(process, &request, args[1], args[2]);
}

int64_t call_pwritev2(struct linux_process *process, const uint64_t *args)
{
	const struct request request = {
		.fd = args[0],
		.is_write = true,
		.has_offset = args[3] != OWN_OFFSET,
		.offset = args[3],
	};

	if (args[5] & ~HINTS)
		return -EOPNOTSUPP;
	return transfer_list(process, &request, args[1], args[2]);
}
