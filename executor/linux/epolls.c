/* epolls.c - see epolls.h. */
#include "executor/linux/epolls.h"

#include <errno.h>
#include <string.h>

void epolls_copy(struct epolls *to, const struct epolls *from)
{
	if (to->is_made && !to->is_changed)
		return;
	memcpy(to->list, from->list, from->count * sizeof(*from->list));
	to->count = from->count;
	to->turn = from->turn;
	to->is_made = true;
	to->is_changed = false;
}

struct epoll_entry *epolls_find(struct epolls *epolls, uint16_t epoll,
				uint16_t file, uint16_t fd)
{
	for (uint32_t i = 0; i < epolls->count; i++) {
		struct epoll_entry *entry = &epolls->list[i];

		if (entry->epoll == epoll && entry->file == file &&
		    entry->fd == fd)
			return entry;
	}
	return NULL;
}

int epolls_add(struct epolls *epolls, const struct epoll_entry *entry)
{
	if (epolls->count == EPOLLS_MAX)
		return -ENOSPC;
	epolls->list[epolls->count++] = *entry;
	epolls->is_changed = true;
	return 0;
}

void epolls_remove(struct epolls *epolls, struct epoll_entry *entry)
{
	const size_t behind =
		(size_t)(epolls->list + epolls->count - (entry + 1));

	memmove(entry, entry + 1, behind * sizeof(*entry));
	epolls->count--;
	epolls->is_changed = true;
}

void epolls_forget(struct epolls *epolls, uint16_t file)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < epolls->count; i++) {
		const struct epoll_entry *entry = &epolls->list[i];

		if (entry->epoll != file && entry->file != file)
			epolls->list[kept++] = *entry;
	}
	if (kept != epolls->count)
		epolls->is_changed = true;
	epolls->count = kept;
}

bool epolls_is_watched(const struct epolls *epolls, uint16_t file)
{
	for (uint32_t i = 0; i < epolls->count; i++)
		if (epolls->list[i].file == file)
			return true;
	return false;
}
