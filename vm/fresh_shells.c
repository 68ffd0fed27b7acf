/*
 * fresh_shells.c - keeps shells ready. See fresh_shells.h. fresh_take() runs on the
 * thread that makes a vm, and only takes one off a list: the rest is the thread's.
 */
#include "vm/fresh_shells.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/boot_state.h"
#include "vm/image/image.h"
#include "vm/layout.h"
#include "vm/run.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

/* It yields to all that serve, as threads that make vms do. */
#define FRESH_NICE 10
/* It makes none until nobody has taken one for so long, while there are any. */
#define FRESH_QUIET_NS (2 * NS_PER_MS)
/* When none could be made, or all were spared. */
#define FRESH_RETRY_NS (1 * NS_PER_S)

/* What a shell runs in once: memory of thaw's own, in which there is no function. */
#define DRY_MEMORY ((size_t)2 << 20)
#define DRY_TIMEOUT_NS (10 * NS_PER_S)

struct fresh_shell {
	struct fresh_shell *next;
	struct vm *vm;
	struct shell_kind kind;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;	    /* for the thread */
	struct fresh_shell *first;  /* the oldest */
	struct fresh_shell *doomed; /* of a kind that is not asked for */
	unsigned count, wanted;
	bool has_kind, has_thread;
	struct shell_kind kind;	       /* of the next one */
	uint64_t not_before_ns;	       /* then the next one may be made */
	struct fresh_shell *of_parent; /* in a child of fork(): of no use to it */
} fresh = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void init_condition(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&fresh.changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void fresh_on_fork_in_child(void)
{
	pthread_mutex_init(&fresh.lock, NULL);
	init_condition();
	fresh.of_parent = fresh.first;
	fresh.first = fresh.doomed = NULL;
	fresh.count = fresh.wanted = 0;
	fresh.has_thread = false;
}

static void fresh_prepare(void)
{
	init_condition();
	pthread_atfork(NULL, NULL, fresh_on_fork_in_child);
}

static void fresh_lock(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fresh_prepare);
	pthread_mutex_lock(&fresh.lock);
}

static void fresh_free(struct fresh_shell *shell)
{
	if (shell->vm)
		vm_shell_free(shell->vm);
	free(shell);
}

/* Returns whether there were any. */
static bool free_list(struct fresh_shell *shell)
{
	const bool were = shell != NULL;

	while (shell) {
		struct fresh_shell *next = shell->next;

		fresh_free(shell);
		shell = next;
	}
	return were;
}

static void push(struct fresh_shell **list, struct fresh_shell *shell)
{
	shell->next = *list;
	*list = shell;
}

/* Takes the shell at @at off the list. The lock is held. */
static struct fresh_shell *unlink_at(struct fresh_shell **at)
{
	struct fresh_shell *shell = *at;

	*at = shell->next;
	fresh.count--;
	return shell;
}

static void append(struct fresh_shell *shell)
{
	struct fresh_shell **at = &fresh.first;

	while (*at)
		at = &(*at)->next;
	shell->next = NULL;
	*at = shell;
	fresh.count++;
}

/* The memory for dry runs, and the state in which they begin; the thread's. */
struct dry {
	int fd;
	struct vcpu_state *state;
};

static int dry_prepare(struct dry *dry, struct vm *vm)
{
	const struct layout_config config = {
		.memory_size = DRY_MEMORY,
		.stack_size = LAYOUT_MEMORY_UNIT,
		.request_size = THAW_PAGE_SIZE,
		.reply_size = THAW_PAGE_SIZE,
	};
	const struct image image = { .end = THAW_GPA_IMAGE };
	struct layout layout;
	int r = layout_plan(&image, &config, NULL, &layout);

	if (r)
		return r;
	vm_prepare_memory(vm_memory(vm), &layout);
	return vm_boot_state(vm, &layout, NULL, &dry->state);
}

/* Has @vm run to the doorbell. What is first made for that stays with the vcpu. */
static int dry_run(struct dry *dry, struct vm *vm)
{
	const struct vm_config config = {
		.memory_size = DRY_MEMORY,
		.memory_fd = dry->fd,
		.shared = true,
	};
	struct vm_exit exit;
	int r = vm_shell_fill(vm, &config, NULL);

	if (!r && !dry->state)
		r = dry_prepare(dry, vm);
	if (!r)
		r = vm_set_state(vm, dry->state, NULL);
	if (r)
		return r;
	arch_enter(vm, vm_doorbell_address());
	r = vm_run(vm, clock_now_ns() + DRY_TIMEOUT_NS, &exit);
	if (!r &&
	    (exit.kind != VM_EXIT_DOORBELL || exit.bell != THAW_BELL_DONE))
		r = -EPROTO;
	return r;
}

/* NULL: there is not enough of something. */
static struct fresh_shell *fresh_make(const struct shell_kind *kind,
				      struct dry *dry)
{
	struct fresh_shell *shell = calloc(1, sizeof(*shell));

	if (!shell)
		return NULL;
	shell->kind = *kind;
	if (!vm_shell_make(kind, NULL, &shell->vm)) {
		const int r = dry_run(dry, shell->vm);

		if (vm_shell_empty(shell->vm, !r))
			return shell;
	}
	fresh_free(shell);
	return NULL;
}

/* Makes one, without the lock, which is held before and after. */
static void make_one(struct dry *dry)
{
	const struct shell_kind kind = fresh.kind;
	struct fresh_shell *shell;

	pthread_mutex_unlock(&fresh.lock);
	shell = fresh_make(&kind, dry);
	pthread_mutex_lock(&fresh.lock);
	if (!shell)
		fresh.not_before_ns = clock_now_ns() + FRESH_RETRY_NS;
	else if (fresh.count < fresh.wanted)
		append(shell);
	else
		push(&fresh.doomed, shell);
}

static void free_doomed(void)
{
	struct fresh_shell *doomed = fresh.doomed;

	fresh.doomed = NULL;
	pthread_mutex_unlock(&fresh.lock);
	free_list(doomed);
	pthread_mutex_lock(&fresh.lock);
}

/* Waits for something to do, or until one may be made. The lock is held. */
static void wait_for_need(uint64_t now_ns)
{
	const uint64_t until_ns = fresh.not_before_ns;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};

	if (fresh.count < fresh.wanted && now_ns < until_ns)
		pthread_cond_timedwait(&fresh.changed, &fresh.lock, &until);
	else
		pthread_cond_wait(&fresh.changed, &fresh.lock);
}

/* The lock is held. */
static void serve_need(struct dry *dry)
{
	const uint64_t now_ns = clock_now_ns();

	if (fresh.doomed)
		free_doomed();
	else if (fresh.count < fresh.wanted && now_ns >= fresh.not_before_ns)
		make_one(dry);
	else
		wait_for_need(now_ns);
}

static void *run_fresh(void *cookie)
{
	struct dry dry = { .fd = memfd_create("thaw-shells", MFD_CLOEXEC) };

	(void)cookie;
	thread_be_patient("thaw-shells", FRESH_NICE);
	if (dry.fd >= 0)
		(void)!ftruncate(dry.fd, (off_t)DRY_MEMORY);
	pthread_mutex_lock(&fresh.lock);
	while (fresh.wanted)
		serve_need(&dry);
	fresh.has_thread = false;
	free_doomed();
	pthread_mutex_unlock(&fresh.lock);
	vm_state_free(dry.state);
	if (dry.fd >= 0)
		close(dry.fd);
	return NULL;
}

/* Wakes the thread, or starts it. The lock is held. */
static void call_thread(void)
{
	pthread_t thread;
	sigset_t blocked, old;

	if (fresh.has_thread) {
		pthread_cond_signal(&fresh.changed);
		return;
	}
	watch_signals(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	fresh.has_thread = !pthread_create(&thread, NULL, run_fresh, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (fresh.has_thread)
		pthread_detach(thread);
}

/* Whether @has does for a vm that needs @wants: its ring may be larger. */
static bool fits(const struct shell_kind *has, const struct shell_kind *wants)
{
	return has->dirty == wants->dirty &&
	       (has->ring_entries == wants->ring_entries ||
		(wants->ring_entries &&
		 has->ring_entries > wants->ring_entries));
}

/* Takes the oldest one that fits off the list. The lock is held. */
static struct fresh_shell *find_fitting(const struct shell_kind *kind)
{
	struct fresh_shell **at = &fresh.first;

	while (*at && !fits(&(*at)->kind, kind))
		at = &(*at)->next;
	if (*at)
		return unlink_at(at);
	/* one that does not suit makes room */
	if (fresh.first && fresh.count == fresh.wanted)
		push(&fresh.doomed, unlink_at(&fresh.first));
	return NULL;
}

/* A shell_source's take(). */
static struct vm *fresh_take(const struct shell_kind *kind)
{
	struct fresh_shell *shell = NULL;
	struct vm *vm = NULL;

	fresh_lock();
	fresh.kind = *kind;
	fresh.has_kind = true;
	if (fresh.wanted) {
		const uint64_t quiet_ns = clock_now_ns() + FRESH_QUIET_NS;

		shell = find_fitting(kind);
		if (fresh.count && fresh.not_before_ns < quiet_ns)
			fresh.not_before_ns = quiet_ns;
		call_thread();
	}
	pthread_mutex_unlock(&fresh.lock);
	if (shell) {
		vm = shell->vm;
		free(shell);
	}
	return vm;
}

/* A shell_source's spare(): makes none for a while. */
static bool fresh_spare(void)
{
	struct fresh_shell *all;

	fresh_lock();
	all = fresh.first;
	fresh.first = NULL;
	fresh.count = 0;
	fresh.not_before_ns = clock_now_ns() + FRESH_RETRY_NS;
	pthread_mutex_unlock(&fresh.lock);
	return free_list(all);
}

unsigned fresh_shells_keep(unsigned count)
{
	static const struct shell_source source = { fresh_take, fresh_spare };
	struct fresh_shell *freed = NULL;

	if (count > FRESH_SHELLS_MAX)
		count = FRESH_SHELLS_MAX;
	fresh_lock();
	fresh.wanted = count;
	while (fresh.count > fresh.wanted)
		push(&freed, unlink_at(&fresh.first));
	if (fresh.has_thread || (fresh.wanted && fresh.has_kind))
		call_thread();
	pthread_mutex_unlock(&fresh.lock);
	shells_set_source(&source);
	free_list(freed);
	return count;
}

unsigned fresh_shells_count(void)
{
	unsigned count;

	fresh_lock();
	count = fresh.count;
	pthread_mutex_unlock(&fresh.lock);
	return count;
}
