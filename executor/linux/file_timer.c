/* file_timer.c - see file_timer.h. */
#include "executor/linux/file_timer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base/clock.h"
#include "executor/linux/file_event.h"
#include "executor/linux/process.h"
#include "executor/linux/transfer.h"
#include "executor/linux/wait.h"

void file_timer_set(struct linux_process *process, struct file *file,
		    uint64_t next_ns, uint64_t every_ns)
{
	file->timer.next_ns = next_ns;
	file->timer.every_ns = every_ns;
	file->timer.is_noted = false;
	process->files.is_changed = true;
}

/* How often it has expired and nobody has read it. */
static uint64_t timer_ticks(const struct file_timer *timer, uint64_t now_ns)
{
	if (!timer->next_ns || timer->next_ns > now_ns)
		return 0;
	return timer->every_ns ?
		       (now_ns - timer->next_ns) / timer->every_ns + 1 :
		       1;
}

uint64_t file_timer_left(struct linux_process *process, struct file *file)
{
	const struct file_timer *timer = &file->timer;
	const uint64_t now_ns = clock_now_ns();
	const uint64_t ticks = timer_ticks(timer, now_ns);

	(void)process;
	if (!timer->next_ns || (ticks && !timer->every_ns))
		return 0;
	return timer->next_ns + ticks * timer->every_ns - now_ns;
}

uint64_t file_timers_next(const struct files *files)
{
	uint64_t first_ns = UINT64_MAX;

	if (!files->timers)
		return first_ns;
	for (size_t i = 0; i < FILES_MAX; i++) {
		const struct file *file = &files->list[i];

		if (file->kind == &file_timer && file->timer.next_ns &&
		    !file->timer.is_noted && file->timer.next_ns < first_ns)
			first_ns = file->timer.next_ns;
	}
	return first_ns;
}

/* Notes that @file, a timer, has expired; whether that is new. */
static bool note_expired(struct files *files, struct file *file,
			 uint64_t now_ns)
{
	if (file->timer.is_noted || !timer_ticks(&file->timer, now_ns))
		return false;
	file->timer.is_noted = true;
	file->timer.readable++;
	files->is_changed = true;
	return true;
}

bool file_timers_expire(struct files *files)
{
	bool has_expired = false;
	uint64_t now_ns;

	if (!files->timers)
		return false;
	now_ns = clock_now_ns();
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct file *file = &files->list[i];

		if (file->kind == &file_timer &&
		    note_expired(files, file, now_ns))
			has_expired = true;
	}
	return has_expired;
}

static int64_t timer_read(struct linux_process *process, struct file *file,
			  uint64_t *offset, struct transfer *transfer)
{
	struct file_timer *timer = &file->timer;
	const uint64_t ticks = timer_ticks(timer, clock_now_ns());

	(void)offset;
	if (transfer->left < sizeof(ticks))
		return -EINVAL;
	if (!ticks)
		return file->flags & O_NONBLOCK ?
			       -EAGAIN :
			       linux_wait(process, LINUX_WAIT_FOREVER);
	file_timer_set(process, file,
		       timer->every_ns ?
			       timer->next_ns + ticks * timer->every_ns :
			       0,
		       timer->every_ns);
	return transfer_put(transfer, &ticks, sizeof(ticks)) == sizeof(ticks) ?
		       (int64_t)sizeof(ticks) :
		       -EFAULT;
}

static void timer_poll(struct linux_process *process, const struct file *file,
		       uint32_t wanted, struct file_poll *ret)
{
	const uint64_t now_ns = clock_now_ns();
	struct files *files = &process->files;

	(void)wanted;
	/* of this one alone: who polls many timers would look at all for each */
	(void)note_expired(files, &files->list[file - files->list], now_ns);
	if (timer_ticks(&file->timer, now_ns))
		ret->events |= POLLIN | POLLRDNORM;
	ret->readable = file->timer.readable;
}

static void timer_close(struct linux_process *process, struct file *file)
{
	(void)file;
	process->files.timers--;
}

const struct file_kind file_timer = {
	.name = "anon_inode:[timerfd]",
	.read = timer_read,
	.poll = timer_poll,
	.status = file_event_status,
	.close = timer_close,
};
