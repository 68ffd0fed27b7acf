/* scrub.c - see scrub.h. */
#include "snapshot/store/scrub.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "snapshot/store/store.h"

#define SCRUB_NICE 19

struct scrub {
	struct store *store;
	uint64_t interval_ns;
	void (*found)(void *cookie, const struct error *why);
	void *cookie;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool is_stopped;	   /* under the lock */
	char last[STORE_NAME_MAX]; /* verified; "": none */
};

/* Waits until it is time for the next file; false: it is to stop. */
static bool wait_for_turn(struct scrub *scrub)
{
	const uint64_t end_ns = clock_now_ns() + scrub->interval_ns;
	const struct timespec end = {
		.tv_sec = (time_t)(end_ns / NS_PER_S),
		.tv_nsec = (long)(end_ns % NS_PER_S),
	};
	bool is_stopped;
	int r = 0;

	pthread_mutex_lock(&scrub->lock);
	while (!scrub->is_stopped && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&scrub->stopped, &scrub->lock, &end);
	is_stopped = scrub->is_stopped;
	pthread_mutex_unlock(&scrub->lock);
	return !is_stopped;
}

/* For store_verify(). */
static bool is_stopped(void *cookie)
{
	struct scrub *scrub = cookie;
	bool is;

	pthread_mutex_lock(&scrub->lock);
	is = scrub->is_stopped;
	pthread_mutex_unlock(&scrub->lock);
	return is;
}

/* The file whose name follows the last one's, or else the first; false: there is none. */
static bool choose_next(struct scrub *scrub, char name[STORE_NAME_MAX])
{
	const struct store_entry *next = NULL, *first = NULL;
	struct store_entry *entries;
	size_t count;

	if (store_list(scrub->store, NULL, &entries, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct store_entry *entry = &entries[i];

		if (entry->is_bad)
			continue;
		if (!first || strcmp(entry->name, first->name) < 0)
			first = entry;
		if (strcmp(entry->name, scrub->last) > 0 &&
		    (!next || strcmp(entry->name, next->name) < 0))
			next = entry;
	}
	next = next ? next : first;
	if (next)
		strcpy(name, next->name);
	free(entries);
	return next != NULL;
}

/* Not one that is gone by now, or of another version, or was not read to its end. */
static bool is_trouble(int result)
{
	return result && result != -ENOENT && result != -ESTALE &&
	       result != -ESHUTDOWN;
}

static void *run_scrub(void *cookie)
{
	struct scrub *scrub = cookie;
	const struct store_pause pause = { is_stopped, scrub };
	char name[STORE_NAME_MAX];
	struct error why;

	thread_be_patient("thaw-scrub", SCRUB_NICE);
	while (wait_for_turn(scrub)) {
		if (!choose_next(scrub, name))
			continue;
		strcpy(scrub->last, name);
		if (is_trouble(
			    store_verify(scrub->store, name, &pause, &why)) &&
		    scrub->found)
			scrub->found(scrub->cookie, &why);
	}
	return NULL;
}

/* Signals are for others. */
static int start_thread(struct scrub *scrub)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&scrub->thread, NULL, run_scrub, scrub);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int scrub_start(struct store *store, uint64_t interval_ns,
		void (*found)(void *cookie, const struct error *why),
		void *cookie, struct error *err, struct scrub **ret_scrub)
{
	struct scrub *scrub = calloc(1, sizeof(*scrub));
	pthread_condattr_t attributes;
	int r;

	if (!scrub)
		return error_set(err, -ENOMEM, "no memory for a thread");
	scrub->store = store;
	scrub->interval_ns = interval_ns;
	scrub->found = found;
	scrub->cookie = cookie;
	pthread_mutex_init(&scrub->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&scrub->stopped, &attributes);
	pthread_condattr_destroy(&attributes);
	r = start_thread(scrub);
	if (r) {
		free(scrub);
		return error_set(err, r, "starting a thread: %s", strerror(-r));
	}
	*ret_scrub = scrub;
	return 0;
}

void scrub_stop(struct scrub *scrub)
{
	if (!scrub)
		return;
	pthread_mutex_lock(&scrub->lock);
	scrub->is_stopped = true;
	pthread_cond_signal(&scrub->stopped);
	pthread_mutex_unlock(&scrub->lock);
	pthread_join(scrub->thread, NULL);
	pthread_cond_destroy(&scrub->stopped);
	pthread_mutex_destroy(&scrub->lock);
	free(scrub);
}
