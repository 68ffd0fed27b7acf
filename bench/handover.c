/*
 * handover.c - floor.handover: two threads pass a cache line to each other and
 * back. Handing work to another CPU and collecting the result cannot cost less.
 * See row.h.
 *
 * The other thread spins only while the row is measured; it sleeps between
 * turns.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/row.h"

/* Bytes of the largest cache lines, two of which may be fetched at once. */
#define LINE_SIZE 128

/* Words that are passed besides numbers. */
#define WORD_END 0 /* the turn has ended: sleep */
#define WORD_QUIT UINT32_MAX

struct handover_state {
	_Alignas(LINE_SIZE) _Atomic uint32_t there;
	_Alignas(LINE_SIZE) _Atomic uint32_t back;
	_Alignas(LINE_SIZE) sem_t begun; /* posted when a turn begins */
	pthread_t thread;
	bool has_thread;
	uint32_t number; /* the number passed last */
};

/* Runs in the other thread: passes each word back. */
static void *pass_back(void *argument)
{
	struct handover_state *state = argument;
	uint32_t word, last;

	do {
		while (sem_wait(&state->begun))
			;
		word = WORD_END;
		do {
			last = word;
			do
				word = atomic_load_explicit(
					&state->there, memory_order_acquire);
			while (word == last);
			atomic_store_explicit(&state->back, word,
					      memory_order_release);
		} while (word != WORD_END && word != WORD_QUIT);
	} while (word != WORD_QUIT);
	return NULL;
}

static void pass(struct handover_state *state, uint32_t word)
{
	atomic_store_explicit(&state->there, word, memory_order_release);
	while (atomic_load_explicit(&state->back, memory_order_acquire) != word)
		;
}

static int check_cpus(struct error *err)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) < 2)
		return error_set(err, -EOPNOTSUPP, "it takes a second CPU");
	return 0;
}

static int handover_open(struct bench_row *row, struct error *err)
{
	struct handover_state *state;
	int r = check_cpus(err);

	if (r)
		return r;
	state = aligned_alloc(LINE_SIZE, sizeof(*state));
	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	memset(state, 0, sizeof(*state));
	row->state = state;
	sem_init(&state->begun, 0, 0);
	r = pthread_create(&state->thread, NULL, pass_back, state);
	if (r)
		return error_set(err, -r, "a second thread: %s", strerror(r));
	state->has_thread = true;
	return 0;
}

static int handover_begin(struct bench_row *row, struct error *err)
{
	struct handover_state *state = row->state;

	(void)err;
	state->number = WORD_END;
	sem_post(&state->begun);
	return 0;
}

static int handover_once(struct bench_row *row, struct error *err,
			 uint64_t *ret_ns)
{
	struct handover_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();

	(void)err;
	pass(state, ++state->number);
	*ret_ns = clock_now_ns() - start_ns;
	return 0;
}

static void handover_end(struct bench_row *row)
{
	pass(row->state, WORD_END);
}

/* The thread may be asleep, or in the middle of a turn that failed. */
static void handover_close(struct bench_row *row)
{
	struct handover_state *state = row->state;

	if (state->has_thread) {
		sem_post(&state->begun);
		pass(state, WORD_QUIT);
		pthread_join(state->thread, NULL);
	}
	sem_destroy(&state->begun);
	free(state);
}

const struct bench_kind bench_floor_handover = {
	.open = handover_open,
	.begin = handover_begin,
	.once = handover_once,
	.end = handover_end,
	.close = handover_close,
};
