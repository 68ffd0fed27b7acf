/* calls_epoll.c - see calls_epoll.h. */
#include "executor/linux/calls_epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>

#include "executor/linux/calls_poll.h"
#include "executor/linux/file_epoll.h"
#include "executor/linux/process.h"

/* What EPOLLEXCLUSIVE may come with. */
#define EXCLUSIVE                                                           \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | \
	 EPOLLEXCLUSIVE)
/* Events that one call hands over. */
#define EVENTS_MAX 256

int64_t call_epoll_create1(struct linux_process *process, const uint64_t *args)
{
	if ((uint32_t)args[0] & ~(uint32_t)EPOLL_CLOEXEC)
		return -EINVAL;
	return files_open(&process->files, &file_epoll,
			  O_RDWR | (uint32_t)args[0], NULL);
}

int64_t call_epoll_create(struct linux_process *process, const uint64_t *args)
{
	if ((int32_t)args[0] <= 0)
		return -EINVAL;
	return call_epoll_create1(process, (const uint64_t[]){ 0 });
}

static uint16_t file_place(const struct linux_process *process,
			   const struct file *file)
{
	return (uint16_t)(file - process->files.list);
}

/* Entries that watch epoll files: of @epoll, or of all if it is negative. */
static unsigned count_nested(const struct linux_process *process, int epoll)
{
	const struct files *files = &process->files;
	unsigned count = 0;

	for (uint32_t i = 0; i < files->epolls.count; i++) {
		const struct epoll_entry *entry = &files->epolls.list[i];

		if (epoll < 0 || entry->epoll == epoll)
			count += files->list[entry->file].kind == &file_epoll;
	}
	return count;
}

/*
 * An epoll file may watch another one, but no more than that: no cycle is possible. Nor
 * may many do so: whoever asks one of them looks at all that the others watch.
 */
static int check_nesting(const struct linux_process *process,
			 const struct file *epoll, const struct file *file)
{
	if (file->kind != &file_epoll)
		return 0;
	if (epolls_is_watched(&process->files.epolls,
			      file_place(process, epoll)) ||
	    count_nested(process, file_place(process, file)))
		return -ELOOP;
	return count_nested(process, -1) < EPOLLS_NESTED_MAX ? 0 : -EINVAL;
}

static int add(struct linux_process *process, const struct file *epoll,
	       const struct file *file, uint64_t fd,
	       const struct epoll_event *event)
{
	const struct epoll_entry entry = {
		.epoll = file_place(process, epoll),
		.file = file_place(process, file),
		.fd = (uint16_t)fd,
		.is_new = true,
		.events = event->events,
		.data = event->data.u64,
	};
	int r = check_nesting(process, epoll, file);

	if (r)
		return r;
	if ((event->events & EPOLLEXCLUSIVE) &&
	    (file->kind == &file_epoll || (event->events & ~EXCLUSIVE)))
		return -EINVAL;
	return epolls_add(&process->files.epolls, &entry);
}

static int change_entry(struct epolls *epolls, struct epoll_entry *entry,
			const struct epoll_event *event)
{
	if ((event->events | entry->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	entry->events = event->events;
	entry->data = event->data.u64;
	entry->is_new = true;
	entry->is_done = false;
	epolls->is_changed = true;
	return 0;
}

int64_t call_epoll_ctl(struct linux_process *process, const uint64_t *args)
{
	struct files *files = &process->files;
	const uint32_t operation = (uint32_t)args[1];
	struct epoll_event event = { .events = 0 };
	const struct file *epoll, *file;
	struct epoll_entry *entry;

	if (operation != EPOLL_CTL_DEL &&
	    space_read(&process->space, args[3], &event, sizeof(event)))
		return -EFAULT;
	epoll = files_get(files, args[0]);
	file = files_get(files, args[2]);
	if (!epoll || !file)
		return -EBADF;
	if (!file->kind->poll)
		return -EPERM;
	if (epoll->kind != &file_epoll || epoll == file)
		return -EINVAL;
	entry = epolls_find(&files->epolls, file_place(process, epoll),
			    file_place(process, file), (uint16_t)args[2]);
	if (operation == EPOLL_CTL_ADD)
		return entry ? -EEXIST :
			       add(process, epoll, file, args[2], &event);
	if (operation != EPOLL_CTL_DEL && operation != EPOLL_CTL_MOD)
		return -EINVAL;
	if (!entry)
		return -ENOENT;
	if (operation == EPOLL_CTL_MOD)
		return change_entry(&files->epolls, entry, &event);
	epolls_remove(&files->epolls, entry);
	return 0;
}

/* Waits for events, @timeout_ns at most, with a signal mask at @mask. */
static int64_t wait_for_events(struct linux_process *process,
			       const uint64_t *args, uint64_t timeout_ns,
			       uint64_t mask, uint64_t mask_size)
{
	const struct file *file = files_get(&process->files, args[0]);
	const int64_t max = (int32_t)args[2];
	const struct space *space = &process->space;
	struct epoll_event events[EVENTS_MAX];
	int64_t r = calls_poll_set_mask(process, mask, mask_size);
	int count;

	if (r)
		return r;
	if (max <= 0 || max > INT_MAX / (int)sizeof(*events))
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (file->kind != &file_epoll)
		return -EINVAL;
	/* what cannot be handed over must not be taken */
	if (!space_may_write(space, args[1], sizeof(*events)))
		return -EFAULT;
	count = (int)(max < EVENTS_MAX ? max : EVENTS_MAX);
	while (count > 1 && !space_may_write(space, args[1],
					     (size_t)count * sizeof(*events)))
		count /= 2;
	count = file_epoll_take(process, file, events, count);
	if (!calls_poll_is_over(process, count, timeout_ns))
		return 0;
	return space_write(&process->space, args[1], events,
			   (size_t)count * sizeof(*events)) ?
		       -EFAULT :
		       count;
}

int64_t call_epoll_wait(struct linux_process *process, const uint64_t *args)
{
	return wait_for_events(process, args, calls_poll_ms(args[3]), 0, 0);
}

int64_t call_epoll_pwait(struct linux_process *process, const uint64_t *args)
{
	return wait_for_events(process, args, calls_poll_ms(args[3]), args[4],
			       args[5]);
}

int64_t call_epoll_pwait2(struct linux_process *process, const uint64_t *args)
{
	uint64_t timeout_ns;
	int r = calls_poll_time(process, args[3], &timeout_ns);

	return r ? r :
		   wait_for_events(process, args, timeout_ns, args[4], args[5]);
}
