/* trace_structs.c - see trace_structs.h. */
#include "executor/linux/trace_structs.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

#include "executor/linux/process.h"
#include "executor/linux/trace_names.h"

static void put_stat(struct trace_text *text, const void *bytes)
{
	static const char *const kinds[] = {
		[S_IFIFO >> 12] = "S_IFIFO",   [S_IFCHR >> 12] = "S_IFCHR",
		[S_IFDIR >> 12] = "S_IFDIR",   [S_IFBLK >> 12] = "S_IFBLK",
		[S_IFREG >> 12] = "S_IFREG",   [S_IFLNK >> 12] = "S_IFLNK",
		[S_IFSOCK >> 12] = "S_IFSOCK", [15] = NULL,
	};
	struct stat status;
	const char *kind;

	memcpy(&status, bytes, sizeof(status));
	kind = kinds[(status.st_mode & S_IFMT) >> 12];
	trace_put(text, "{st_mode=%s|%#o, st_size=%lld, ...}",
		  kind ? kind : "0", status.st_mode & 07777,
		  (long long)status.st_size);
}

static void put_sigset(struct trace_text *text, const void *bytes)
{
	const char *before = "";
	uint64_t set;

	memcpy(&set, bytes, sizeof(set));
	/* as a set of few, or all but few */
	if (__builtin_popcountll(set) > 32) {
		trace_put(text, "~");
		set = ~set;
	}
	trace_put(text, "[");
	for (int i = 0; i < 64; i++) {
		const char *name = sigabbrev_np(i + 1);

		if (!(set >> i & 1))
			continue;
		if (name)
			trace_put(text, "%s%s", before, name);
		else
			trace_put(text, "%sRT_%d", before, i + 1 - 32);
		before = " ";
	}
	trace_put(text, "]");
}

static void put_sigaction(struct trace_text *text, const void *bytes)
{
	struct linux_action action;

	memcpy(&action, bytes, sizeof(action));
	trace_put(text, "{sa_handler=");
	if (action.handler < 2)
		trace_put(text, action.handler ? "SIG_IGN" : "SIG_DFL");
	else
		trace_put(text, "%#llx", (unsigned long long)action.handler);
	trace_put(text, ", sa_mask=");
	put_sigset(text, &action.mask);
	trace_put(text, ", sa_flags=");
	trace_put_names(text, "signal_flags", action.flags);
	if (action.restorer)
		trace_put(text, ", sa_restorer=%#llx",
			  (unsigned long long)action.restorer);
	trace_put(text, "}");
}

static void put_timespec(struct trace_text *text, const void *bytes)
{
	struct timespec time;

	memcpy(&time, bytes, sizeof(time));
	trace_put(text, "{tv_sec=%lld, tv_nsec=%ld}", (long long)time.tv_sec,
		  time.tv_nsec);
}

static void put_timeval(struct trace_text *text, const void *bytes)
{
	struct timeval time;

	memcpy(&time, bytes, sizeof(time));
	trace_put(text, "{tv_sec=%lld, tv_usec=%ld}", (long long)time.tv_sec,
		  time.tv_usec);
}

static void put_itimerspec(struct trace_text *text, const void *bytes)
{
	struct itimerspec timer;

	memcpy(&timer, bytes, sizeof(timer));
	trace_put(text, "{it_interval=");
	put_timespec(text, &timer.it_interval);
	trace_put(text, ", it_value=");
	put_timespec(text, &timer.it_value);
	trace_put(text, "}");
}

static void put_itimerval(struct trace_text *text, const void *bytes)
{
	struct itimerval timer;

	memcpy(&timer, bytes, sizeof(timer));
	trace_put(text, "{it_interval=");
	put_timeval(text, &timer.it_interval);
	trace_put(text, ", it_value=");
	put_timeval(text, &timer.it_value);
	trace_put(text, "}");
}

static void put_limit(struct trace_text *text, rlim_t limit)
{
	if (limit == RLIM_INFINITY)
		trace_put(text, "RLIM64_INFINITY");
	else
		trace_put(text, "%llu", (unsigned long long)limit);
}

static void put_rlimit(struct trace_text *text, const void *bytes)
{
	struct rlimit limit;

	memcpy(&limit, bytes, sizeof(limit));
	trace_put(text, "{rlim_cur=");
	put_limit(text, limit.rlim_cur);
	trace_put(text, ", rlim_max=");
	put_limit(text, limit.rlim_max);
	trace_put(text, "}");
}

static void put_utsname(struct trace_text *text, const void *bytes)
{
	struct utsname name;

	memcpy(&name, bytes, sizeof(name));
	trace_put(text, "{sysname=");
	trace_quote(text, name.sysname,
		    strnlen(name.sysname, sizeof(name.sysname)), false);
	trace_put(text, ", nodename=");
	trace_quote(text, name.nodename,
		    strnlen(name.nodename, sizeof(name.nodename)), false);
	trace_put(text, ", ...}");
}

static void put_stack(struct trace_text *text, const void *bytes)
{
	stack_t stack;

	memcpy(&stack, bytes, sizeof(stack));
	trace_put(text, "{ss_sp=%p, ss_flags=", stack.ss_sp);
	trace_put_names(text, "stack_flags", (unsigned)stack.ss_flags);
	trace_put(text, ", ss_size=%zu}", stack.ss_size);
}

static void put_fd_pair(struct trace_text *text, const void *bytes)
{
	int pair[2];

	memcpy(pair, bytes, sizeof(pair));
	trace_put(text, "[%d, %d]", pair[0], pair[1]);
}

static void put_pollfd(struct trace_text *text, const void *bytes)
{
	struct pollfd poll;

	memcpy(&poll, bytes, sizeof(poll));
	trace_put(text, "{fd=%d, events=", poll.fd);
	trace_put_names(text, "poll_events", (uint16_t)poll.events);
	if (poll.revents) {
		trace_put(text, ", revents=");
		trace_put_names(text, "poll_events", (uint16_t)poll.revents);
	}
	trace_put(text, "}");
}

static void put_epoll_event(struct trace_text *text, const void *bytes)
{
	struct epoll_event event;

	memcpy(&event, bytes, sizeof(event));
	trace_put(text, "{events=%#x, data=%#llx}", event.events,
		  (unsigned long long)event.data.u64);
}

static const struct trace_struct structs[] = {
	{ "epoll_event", sizeof(struct epoll_event), put_epoll_event },
	{ "fd_pair", 2 * sizeof(int), put_fd_pair },
	{ "itimerspec", sizeof(struct itimerspec), put_itimerspec },
	{ "itimerval", sizeof(struct itimerval), put_itimerval },
	{ "pollfd", sizeof(struct pollfd), put_pollfd },
	{ "rlimit", sizeof(struct rlimit), put_rlimit },
	{ "sigaction", sizeof(struct linux_action), put_sigaction },
	{ "sigset", sizeof(uint64_t), put_sigset },
	{ "stack", sizeof(stack_t), put_stack },
	{ "stat", sizeof(struct stat), put_stat },
	{ "timespec", sizeof(struct timespec), put_timespec },
	{ "timeval", sizeof(struct timeval), put_timeval },
	{ "utsname", sizeof(struct utsname), put_utsname },
};

_Static_assert(sizeof(struct utsname) <= TRACE_STRUCT_MAX, "the largest");

const struct trace_struct *trace_struct_find(const char *word)
{
	for (size_t i = 0; i < sizeof(structs) / sizeof(*structs); i++)
		if (!strcmp(structs[i].word, word))
			return &structs[i];
	return NULL;
}
