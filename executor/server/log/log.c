/* log.c - the ring of lines and the thread that writes them. See log.h. */
#include "executor/server/log/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"

/*
 * Up to so many bytes of whole lines are written at once. A write of that size to a
 * pipe is atomic, and does not block if poll() says so, even if others block.
 */
#define CHUNK_MAX LOG_LINE_MAX
_Static_assert(CHUNK_MAX <= PIPE_BUF, "lines must not be torn in a pipe");
_Static_assert(LOG_RING_SIZE >= 2 * LOG_LINE_MAX, "any line must fit");

/* Bytes of the ring that are kept for the line about lost lines. */
#define NOTICE_MAX 256

/* How often a writer that waits for its reader checks whether to end. */
#define POLL_MS 100
#define NAP_MS 10

/* How long lines beyond their limit are counted before the count is logged. */
#define TELL_NS NS_PER_S

/* The part of LOG_STOP_NS that the writer has to notice the end. */
#define STOP_REST_NS (100 * NS_PER_MS)

#define LEVEL_NONE (-1)

static struct {
	pthread_mutex_t lock; /* of what is not atomic or the writer's */
	pthread_cond_t changed, ended; /* by CLOCK_MONOTONIC */
	bool has_conds, has_writer, is_ending;
	size_t first, size;
	uint64_t lost;		  /* lines that are lost and not announced */
	struct log_limit *limits; /* that have lost lines */
	uint64_t tell_ns;	  /* when to log how many */
	char ring[LOG_RING_SIZE];

	/* set before the thread starts */
	int fd;
	pthread_t thread;

	_Atomic int level, format;
	_Atomic uint64_t dropped;
	_Atomic uint64_t end_ns; /* when the writer gives up, or 0 */
} the_log = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.level = LEVEL_NONE,
};

HOT bool log_wants(enum thaw_level level)
{
	return (int)level <=
	       atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
	return atomic_load_explicit(&the_log.dropped, memory_order_relaxed);
}

static void count_dropped(uint64_t lines)
{
	atomic_fetch_add_explicit(&the_log.dropped, lines,
				  memory_order_relaxed);
}

/* With the lock held. */
static void lose(uint64_t lines)
{
	the_log.lost += lines;
	count_dropped(lines);
}

/* Puts a line into the ring and leaves @rest bytes free. With the lock held. */
static bool push_line(const char *line, size_t size, size_t rest)
{
	size_t at = (the_log.first + the_log.size) % LOG_RING_SIZE;
	size_t part = LOG_RING_SIZE - at;

	if (size + rest > LOG_RING_SIZE - the_log.size)
		return false;
	if (part > size)
		part = size;
	memcpy(the_log.ring + at, line, part);
	memcpy(the_log.ring, line + part, size - part);
	/* the writer sleeps only if the ring is empty */
	if (!the_log.size)
		pthread_cond_signal(&the_log.changed);
	the_log.size += size;
	return true;
}

static size_t format_now(enum thaw_level level, const char *message,
			 const struct log_field *fields, size_t count,
			 char line[static LOG_LINE_MAX])
{
	const struct log_entry entry = {
		.unix_us = clock_read_ns(CLOCK_REALTIME) / NS_PER_US,
		.level = level,
		.message = message,
		.fields = fields,
		.count = count,
	};
	int format =
		atomic_load_explicit(&the_log.format, memory_order_relaxed);

	return log_line_format(&entry, (enum log_format)format, line);
}

void log_write_fields(enum thaw_level level, const char *message,
		      const struct log_field *fields, size_t count)
{
	char line[LOG_LINE_MAX];
	size_t size;

	if (!log_wants(level))
		return;
	size = format_now(level, message, fields, count, line);
	pthread_mutex_lock(&the_log.lock);
	if (the_log.has_writer && !the_log.is_ending &&
	    !push_line(line, size, NOTICE_MAX))
		lose(1);
	pthread_mutex_unlock(&the_log.lock);
}

/* Logs how many lines are missing here. With the lock held. */
static void announce(void)
{
	const struct log_field fields[] = {
		LOG_NUMBER("lines", the_log.lost),
		LOG_NUMBER("total", log_dropped()),
	};
	char line[LOG_LINE_MAX];
	size_t size;

	if (!the_log.lost)
		return;
	size = format_now(THAW_LOG_WARN, "log lines dropped", fields,
			  sizeof(fields) / sizeof(*fields), line);
	if (push_line(line, size, 0))
		the_log.lost = 0;
}

/* Logs the lost lines of @limit, which has left the list. With the lock held. */
static void tell_limit(struct log_limit *limit)
{
	const uint64_t lost =
		atomic_exchange_explicit(&limit->lost, 0, memory_order_relaxed);
	const struct log_field fields[] = {
		LOG_FIELD("cause", limit->cause),
		LOG_NUMBER("lines", lost),
		LOG_FIELD("function", limit->function),
	};
	char line[LOG_LINE_MAX];
	size_t size;

	if (!the_log.has_writer)
		return;
	size = format_now(THAW_LOG_WARN, "log lines dropped", fields,
			  limit->function ? 3 : 2, line);
	if (!push_line(line, size, NOTICE_MAX))
		the_log.lost += lost;
}

/* With the lock held. */
static void tell_limits(void)
{
	while (the_log.limits) {
		struct log_limit *limit = the_log.limits;

		the_log.limits = limit->next;
		tell_limit(limit);
	}
}

/* Lists a limit that has lost its first line since the last report. */
static void list_limit(struct log_limit *limit)
{
	pthread_mutex_lock(&the_log.lock);
	if (!the_log.limits) {
		the_log.tell_ns = clock_now_ns() + TELL_NS;
		if (the_log.has_conds)
			pthread_cond_signal(&the_log.changed);
	}
	limit->next = the_log.limits;
	the_log.limits = limit;
	pthread_mutex_unlock(&the_log.lock);
}

bool log_may(struct log_limit *limit, enum thaw_level level)
{
	if (!log_wants(level))
		return false;
	if (log_limit_take(limit, clock_now_ns()))
		return true;
	count_dropped(1);
	if (!atomic_fetch_add_explicit(&limit->lost, 1, memory_order_relaxed))
		list_limit(limit);
	return false;
}

void log_limit_done(struct log_limit *limit)
{
	pthread_mutex_lock(&the_log.lock);
	for (struct log_limit **at = &the_log.limits; *at; at = &(*at)->next)
		if (*at == limit) {
			*at = limit->next;
			tell_limit(limit);
			break;
		}
	pthread_mutex_unlock(&the_log.lock);
}

static uint64_t count_lines(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Moves as many whole lines as fit to @chunk. With the lock held. */
static size_t pop_lines(char chunk[static CHUNK_MAX])
{
	size_t size = the_log.size < CHUNK_MAX ? the_log.size : CHUNK_MAX;
	size_t part = LOG_RING_SIZE - the_log.first;

	if (part > size)
		part = size;
	memcpy(chunk, the_log.ring + the_log.first, part);
	memcpy(chunk + part, the_log.ring, size - part);
	while (size && chunk[size - 1] != '\n')
		size--;
	the_log.first = (the_log.first + size) % LOG_RING_SIZE;
	the_log.size -= size;
	return size;
}

static struct timespec log_timespec_of(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};
}

/* Waits for lines, or until a report is due. With the lock held. */
static void wait_for_change(void)
{
	const struct timespec until = log_timespec_of(the_log.tell_ns);

	if (the_log.limits)
		pthread_cond_timedwait(&the_log.changed, &the_log.lock, &until);
	else
		pthread_cond_wait(&the_log.changed, &the_log.lock);
}

/* Waits for lines and takes some; 0: the log ends. */
static size_t take_lines(char chunk[static CHUNK_MAX])
{
	size_t size;

	pthread_mutex_lock(&the_log.lock);
	for (;;) {
		if (the_log.limits &&
		    (the_log.is_ending || clock_now_ns() >= the_log.tell_ns))
			tell_limits();
		if (the_log.size || the_log.is_ending)
			break;
		wait_for_change();
	}
	size = pop_lines(chunk);
	pthread_mutex_unlock(&the_log.lock);
	return size;
}

/* Returns how long the writer may wait now; 0: it gives up. */
static int find_wait_ms(void)
{
	uint64_t end =
		atomic_load_explicit(&the_log.end_ns, memory_order_relaxed);
	uint64_t now = clock_now_ns();

	if (!end)
		return POLL_MS;
	if (end <= now)
		return 0;
	return end - now < POLL_MS * NS_PER_MS ?
		       (int)((end - now) / NS_PER_MS) + 1 :
		       POLL_MS;
}

/*
 * Writes some of @text. Returns how many bytes, 0 for none yet, or -errno. Naps
 * when a descriptor is not ready although poll() said so, instead of spinning.
 */
static ssize_t write_some(const char *text, size_t size, int wait_ms)
{
	struct pollfd ready = { .fd = the_log.fd, .events = POLLOUT };
	ssize_t written;

	/* write() reports what else poll() may have found */
	if (!poll(&ready, 1, wait_ms))
		return 0;
	written = write(the_log.fd, text, size);
	if (written > 0)
		return written;
	if (written < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	poll(NULL, 0, NAP_MS);
	return 0;
}

/* Returns how many bytes of @text were not written. */
static size_t write_chunk(const char *text, size_t size)
{
	while (size) {
		int wait_ms = find_wait_ms();
		ssize_t written = wait_ms ? write_some(text, size, wait_ms) :
					    -ETIMEDOUT;

		if (written < 0)
			break;
		text += written;
		size -= (size_t)written;
	}
	return size;
}

static void *run_writer(void *cookie)
{
	char chunk[CHUNK_MAX];
	size_t size;

	while ((size = take_lines(chunk)) > 0) {
		size_t rest = write_chunk(chunk, size);

		pthread_mutex_lock(&the_log.lock);
		/* while writing fails, a line about it would fail, too */
		if (rest)
			lose(count_lines(chunk + size - rest, rest));
		else
			announce();
		pthread_mutex_unlock(&the_log.lock);
	}
	pthread_mutex_lock(&the_log.lock);
	the_log.has_writer = false;
	pthread_cond_broadcast(&the_log.ended);
	pthread_mutex_unlock(&the_log.lock);
	return cookie;
}

/* Makes conditions that steps of the wall clock do not affect. Lock held. */
static void make_conds(void)
{
	pthread_condattr_t attributes;

	if (the_log.has_conds)
		return;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&the_log.changed, &attributes);
	pthread_cond_init(&the_log.ended, &attributes);
	pthread_condattr_destroy(&attributes);
	the_log.has_conds = true;
}

/* With the lock held. Signals are for other threads, SIGPIPE for none. */
static int start_writer(void)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = -pthread_create(&the_log.thread, NULL, run_writer, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!r)
		pthread_setname_np(the_log.thread, "thaw-log");
	return r;
}

int log_start(int fd, enum log_format format, enum thaw_level level,
	      struct error *err)
{
	int r = -EBUSY;

	pthread_mutex_lock(&the_log.lock);
	if (!the_log.has_writer) {
		the_log.fd = fd;
		atomic_store(&the_log.format, (int)format);
		the_log.is_ending = false;
		the_log.first = the_log.size = 0;
		the_log.lost = 0;
		atomic_store(&the_log.end_ns, 0);
		make_conds();
		r = start_writer();
		the_log.has_writer = !r;
	}
	pthread_mutex_unlock(&the_log.lock);
	if (r)
		return error_set(err, r, "cannot start the log's thread: %s",
				 strerror(-r));
	atomic_store(&the_log.level, (int)level);
	return 0;
}

/* With the lock held: whether the writer ended before @end_ns. */
static bool wait_for_end(uint64_t end_ns)
{
	const struct timespec end = log_timespec_of(end_ns);

	while (the_log.has_writer)
		if (pthread_cond_timedwait(&the_log.ended, &the_log.lock, &end))
			break;
	return !the_log.has_writer;
}

void log_stop(void)
{
	uint64_t end_ns = clock_now_ns() + LOG_STOP_NS;
	pthread_t thread;
	bool has_ended;

	atomic_store(&the_log.level, LEVEL_NONE);
	pthread_mutex_lock(&the_log.lock);
	if (!the_log.has_writer || the_log.is_ending) {
		pthread_mutex_unlock(&the_log.lock);
		return;
	}
	the_log.is_ending = true;
	atomic_store(&the_log.end_ns, end_ns - STOP_REST_NS);
	pthread_cond_signal(&the_log.changed);
	/* another start may follow at once */
	thread = the_log.thread;
	has_ended = wait_for_end(end_ns);
	pthread_mutex_unlock(&the_log.lock);
	if (has_ended)
		pthread_join(thread, NULL);
	else
		pthread_detach(thread);
}
