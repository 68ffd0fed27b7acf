/* transfer.c - see transfer.h. */
#include "executor/linux/transfer.h"

#include <errno.h>

#include "executor/linux/space.h"

int transfer_init(struct transfer *transfer, struct space *space,
		  const struct transfer_part *parts, size_t count)
{
	*transfer = (struct transfer){
		.space = space,
		.parts = parts,
		.count = count,
	};
	for (size_t i = 0; i < count; i++) {
		if (parts[i].size > INT64_MAX)
			return -EINVAL;
		if (parts[i].size > TRANSFER_MAX - transfer->left)
			transfer->left = TRANSFER_MAX;
		else
			transfer->left += parts[i].size;
	}
	return 0;
}

/* Goes to the next part that has bytes; 0: none is left. */
static size_t next_part(struct transfer *transfer, size_t max)
{
	while (!transfer->now.size && transfer->count) {
		transfer->now = *transfer->parts++;
		transfer->count--;
	}
	if (max > transfer->left)
		max = transfer->left;
	return transfer->now.size < max ? transfer->now.size : max;
}

static void advance(struct transfer *transfer, size_t size)
{
	transfer->now.at += size;
	transfer->now.size -= size;
	transfer->left -= size;
}

size_t transfer_put(struct transfer *transfer, const void *bytes, size_t size)
{
	size_t done = 0, part;

	while ((part = next_part(transfer, size - done)) > 0) {
		if (space_write(transfer->space, transfer->now.at,
				(const uint8_t *)bytes + done, part))
			break;
		advance(transfer, part);
		done += part;
	}
	return done;
}

const void *transfer_take(struct transfer *transfer, size_t max,
			  size_t *ret_size)
{
	size_t part = next_part(transfer, max);
	const void *bytes = NULL;

	if (part)
		part = space_together(transfer->space, transfer->now.at, part);
	if (part)
		bytes = space_view(transfer->space, transfer->now.at, part);
	if (bytes) {
		advance(transfer, part);
		*ret_size = part;
	}
	return bytes;
}

void transfer_skip(struct transfer *transfer, size_t size)
{
	size_t part;

	while ((part = next_part(transfer, size)) > 0) {
		advance(transfer, part);
		size -= part;
	}
}

int64_t transfer_result(size_t done, size_t wanted)
{
	return done || !wanted ? (int64_t)done : -EFAULT;
}
