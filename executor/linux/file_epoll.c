/* file_epoll.c - see file_epoll.h. */
#include "executor/linux/file_epoll.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "executor/linux/file_event.h"
#include "executor/linux/process.h"

/* Events that need not be asked for. */
#define ALWAYS (EPOLLERR | EPOLLHUP)
#define TO_READ (EPOLLIN | EPOLLRDNORM)
#define TO_WRITE (EPOLLOUT | EPOLLWRNORM)

/* What has come of @entry; 0: nothing. */
static uint32_t events_of(struct linux_process *process,
			  const struct epoll_entry *entry, uint64_t *ret_seen)
{
	const uint32_t wanted = entry->events | ALWAYS;
	struct file_poll state = { 0, 0, 0 };
	uint64_t seen = 0;

	if (entry->is_done)
		return 0;
	files_poll(process, &process->files.list[entry->file], wanted, &state);
	if (wanted & TO_READ)
		seen += state.readable;
	if (wanted & TO_WRITE)
		seen += state.writable;
	*ret_seen = seen;
	if ((entry->events & EPOLLET) && !entry->is_new && entry->seen == seen)
		return 0;
	return state.events & wanted;
}

static void note(struct epolls *epolls, struct epoll_entry *entry,
		 uint64_t seen)
{
	if (!(entry->events & (EPOLLET | EPOLLONESHOT)))
		return;
	entry->is_new = false;
	entry->seen = seen;
	entry->is_done = (entry->events & EPOLLONESHOT) != 0;
	epolls->is_changed = true;
}

/*
 * Whether one of the files can only say with the request whether it is ready. To be
 * asked first: what is taken would be lost when the call is done again.
 */
static bool asks_for_request(struct linux_process *process, uint16_t place)
{
	const struct epolls *epolls = &process->files.epolls;
	uint64_t seen;

	for (uint32_t i = 0; i < epolls->count && !process->is_request; i++)
		if (epolls->list[i].epoll == place)
			(void)events_of(process, &epolls->list[i], &seen);
	return process->step == LINUX_INPUT;
}

/* The next time begins behind the last that was taken, so that none starves. */
int file_epoll_take(struct linux_process *process, const struct file *file,
		    struct epoll_event *ret_events, int max)
{
	struct epolls *epolls = &process->files.epolls;
	const uint16_t place = (uint16_t)(file - process->files.list);
	const uint32_t first = epolls->turn;
	int count = 0;

	if (asks_for_request(process, place))
		return 0;
	for (uint32_t i = 0; i < epolls->count && count < max; i++) {
		const uint32_t at = (first + i) % epolls->count;
		struct epoll_entry *entry = &epolls->list[at];
		uint32_t events;
		uint64_t seen;

		if (entry->epoll != place)
			continue;
		events = events_of(process, entry, &seen);
		if (!events)
			continue;
		ret_events[count].events = events;
		ret_events[count++].data.u64 = entry->data;
		note(epolls, entry, seen);
		if (count == max) {
			epolls->turn = (at + 1) % epolls->count;
			epolls->is_changed = true;
		}
	}
	return count;
}

static void poll_watched(struct linux_process *process, const struct file *file,
			 uint32_t wanted, struct file_poll *ret)
{
	const struct epolls *epolls = &process->files.epolls;
	const uint16_t place = (uint16_t)(file - process->files.list);

	if (!(wanted & TO_READ))
		return;
	for (uint32_t i = 0; i < epolls->count; i++) {
		const struct epoll_entry *entry = &epolls->list[i];
		uint64_t seen = 0;

		if (entry->epoll != place)
			continue;
		if (events_of(process, entry, &seen))
			ret->events |= POLLIN | POLLRDNORM;
		ret->readable += seen;
	}
}

const struct file_kind file_epoll = {
	.name = "anon_inode:[eventpoll]",
	.poll = poll_watched,
	.status = file_event_status,
};
