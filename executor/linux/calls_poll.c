/* calls_poll.c - see calls_poll.h. */
#include "executor/linux/calls_poll.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

#include "base/clock.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/process.h"
#include "executor/linux/wait.h"

#define POLL_MAX FILES_MAX
/* The size of the kernel's signal sets. */
#define SIGNAL_SET_SIZE 8
/* What the sets of select() stand for. */
#define READ_SET (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define WRITE_SET (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define OTHER_SET POLLPRI
#define SELECT_WORDS (FILES_MAX / 64)

uint64_t calls_poll_ms(uint64_t argument)
{
	const int32_t ms = (int32_t)argument;

	return ms < 0 ? UINT64_MAX : (uint64_t)ms * NS_PER_MS;
}

int calls_poll_time(struct linux_process *process, uint64_t address,
		    uint64_t *ret_timeout_ns)
{
	*ret_timeout_ns = UINT64_MAX;
	return address ?
		       linux_wait_read_time(process, address, ret_timeout_ns) :
		       0;
}

int calls_poll_set_mask(struct linux_process *process, uint64_t address,
			uint64_t size)
{
	uint64_t mask;

	if (!address)
		return 0;
	if (size != SIGNAL_SET_SIZE)
		return -EINVAL;
	if (space_read(&process->space, address, &mask, sizeof(mask)))
		return -EFAULT;
	signals_set_wait_mask(&process->signals, mask);
	return 0;
}

bool calls_poll_is_over(struct linux_process *process, int64_t ready,
			uint64_t timeout_ns)
{
	if (process->step == LINUX_INPUT)
		return false;
	if (ready || !timeout_ns || linux_wait_is_over(process))
		return true;
	linux_wait(process, timeout_ns == UINT64_MAX ?
				    LINUX_WAIT_FOREVER :
				    clock_now_ns() + timeout_ns);
	return false;
}

/* How much of @timeout_ns is left. */
static uint64_t time_left(const struct linux_process *process,
			  uint64_t timeout_ns)
{
	const uint64_t now_ns = clock_now_ns();
	uint64_t until_ns;

	if (!linux_wait_is_begun(process))
		return timeout_ns;
	until_ns = process->threads.current->wait.until_ns;
	return until_ns > now_ns ? until_ns - now_ns : 0;
}

/* As the kernel, writes what is left of a timeout, if that is possible. */
static void put_time_left(struct linux_process *process, uint64_t address,
			  uint64_t timeout_ns)
{
	const uint64_t left_ns = time_left(process, timeout_ns);
	const struct timespec left = { (time_t)(left_ns / NS_PER_S),
				       (long)(left_ns % NS_PER_S) };

	if (address)
		(void)space_write(&process->space, address, &left,
				  sizeof(left));
}

static short events_of(struct linux_process *process, const struct pollfd *fd)
{
	const uint32_t wanted = (uint16_t)fd->events | POLLERR | POLLHUP;
	struct file_poll state = { 0, 0, 0 };
	const struct file *file;

	if (fd->fd < 0)
		return 0;
	file = files_get(&process->files, (uint64_t)fd->fd);
	if (!file)
		return POLLNVAL;
	files_poll(process, file, wanted, &state);
	return (short)(state.events & wanted);
}

static int64_t poll_files(struct linux_process *process, uint64_t list,
			  uint64_t count, uint64_t timeout_ns)
{
	struct pollfd fds[POLL_MAX];
	int64_t ready = 0;

	count = (uint32_t)count;
	if (count > POLL_MAX)
		return -EINVAL;
	if (space_read(&process->space, list, fds, count * sizeof(*fds)))
		return -EFAULT;
	for (uint64_t i = 0; i < count; i++) {
		fds[i].revents = events_of(process, &fds[i]);
		ready += fds[i].revents != 0;
	}
	if (!calls_poll_is_over(process, ready, timeout_ns))
		return 0;
	if (space_write(&process->space, list, fds, count * sizeof(*fds)))
		return -EFAULT;
	return ready;
}

int64_t call_poll(struct linux_process *process, const uint64_t *args)
{
	return poll_files(process, args[0], args[1], calls_poll_ms(args[2]));
}

int64_t call_ppoll(struct linux_process *process, const uint64_t *args)
{
	uint64_t timeout_ns;
	int64_t r = calls_poll_time(process, args[2], &timeout_ns);

	if (!r)
		r = calls_poll_set_mask(process, args[3], args[4]);
	if (r)
		return r;
	if (!(uint32_t)args[1] && !args[2] && gunyah_parks(process))
		return 0;
	r = poll_files(process, args[0], args[1], timeout_ns);
	if (process->step == LINUX_GO_ON)
		put_time_left(process, args[2], timeout_ns);
	return r;
}

/* The three sets of select(). */
struct select_sets {
	uint64_t words[3][SELECT_WORDS];
};

static const uint32_t set_events[3] = { READ_SET, WRITE_SET, OTHER_SET };

static bool has_bit(const uint64_t *words, unsigned bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

/* Fills in @ready for descriptor @fd; how many sets have it, or -EBADF. */
static int select_one(struct linux_process *process, unsigned fd,
		      const struct select_sets *asked,
		      struct select_sets *ready)
{
	struct file_poll state = { 0, 0, 0 };
	const struct file *file;
	uint32_t wanted = 0;
	int count = 0;

	for (int set = 0; set < 3; set++)
		if (has_bit(asked->words[set], fd))
			wanted |= set_events[set];
	if (!wanted)
		return 0;
	file = files_get(&process->files, fd);
	if (!file)
		return -EBADF;
	files_poll(process, file, wanted, &state);
	for (int set = 0; set < 3; set++) {
		if (!has_bit(asked->words[set], fd) ||
		    !(state.events & set_events[set]))
			continue;
		ready->words[set][fd / 64] |= UINT64_C(1) << fd % 64;
		count++;
	}
	return count;
}

static int read_sets(const struct linux_process *process, const uint64_t *args,
		     size_t size, struct select_sets *ret_sets)
{
	memset(ret_sets, 0, sizeof(*ret_sets));
	for (int set = 0; set < 3; set++)
		if (args[1 + set] && space_read(&process->space, args[1 + set],
						ret_sets->words[set], size))
			return -EFAULT;
	return 0;
}

static int write_sets(struct linux_process *process, const uint64_t *args,
		      size_t size, const struct select_sets *sets)
{
	for (int set = 0; set < 3; set++)
		if (args[1 + set] && space_write(&process->space, args[1 + set],
						 sets->words[set], size))
			return -EFAULT;
	return 0;
}

/* Bits behind the last descriptor that there can be do not count, as in the kernel. */
static int64_t select_files(struct linux_process *process, const uint64_t *args,
			    uint64_t timeout_ns)
{
	const int32_t given = (int32_t)args[0];
	const unsigned count = given > FILES_MAX ? FILES_MAX : (unsigned)given;
	const size_t size = (count + 63) / 64 * sizeof(uint64_t);
	struct select_sets asked, ready;
	int64_t total = 0;
	int r;

	if (given < 0)
		return -EINVAL;
	r = read_sets(process, args, size, &asked);
	if (r)
		return r;
	memset(&ready, 0, sizeof(ready));
	for (unsigned fd = 0; fd < count; fd++) {
		r = select_one(process, fd, &asked, &ready);
		if (r < 0)
			return r;
		total += r;
	}
	if (!calls_poll_is_over(process, total, timeout_ns))
		return 0;
	r = write_sets(process, args, size, &ready);
	return r ? r : total;
}

int64_t call_pselect6(struct linux_process *process, const uint64_t *args)
{
	struct {
		uint64_t address, size;
	} mask = { 0, 0 };
	uint64_t timeout_ns;
	int64_t r;

	if (args[5] &&
	    space_read(&process->space, args[5], &mask, sizeof(mask)))
		return -EFAULT;
	r = calls_poll_time(process, args[4], &timeout_ns);
	if (!r)
		r = calls_poll_set_mask(process, mask.address, mask.size);
	if (r)
		return r;
	r = select_files(process, args, timeout_ns);
	if (process->step == LINUX_GO_ON)
		put_time_left(process, args[4], timeout_ns);
	return r;
}

/* A struct timeval may have any number of microseconds. */
static int read_timeval(struct linux_process *process, uint64_t address,
			uint64_t *ret_ns)
{
	struct timeval time;

	*ret_ns = UINT64_MAX;
	if (!address)
		return 0;
	if (space_read(&process->space, address, &time, sizeof(time)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_usec < 0)
		return -EINVAL;
	if ((uint64_t)time.tv_sec > UINT32_MAX ||
	    (uint64_t)time.tv_usec > UINT32_MAX)
		*ret_ns = UINT32_MAX * NS_PER_S;
	else
		*ret_ns = (uint64_t)time.tv_sec * NS_PER_S +
			  (uint64_t)time.tv_usec * NS_PER_US;
	return 0;
}

int64_t call_select(struct linux_process *process, const uint64_t *args)
{
	struct timeval left;
	uint64_t timeout_ns;
	int64_t r = read_timeval(process, args[4], &timeout_ns);

	if (r)
		return r;
	r = select_files(process, args, timeout_ns);
	if (process->step != LINUX_GO_ON || !args[4])
		return r;
	timeout_ns = time_left(process, timeout_ns);
	left.tv_sec = (time_t)(timeout_ns / NS_PER_S);
	left.tv_usec = (suseconds_t)(timeout_ns % NS_PER_S / NS_PER_US);
	(void)space_write(&process->space, args[4], &left, sizeof(left));
	return r;
}
