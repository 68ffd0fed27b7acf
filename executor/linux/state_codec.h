/*
 * state_codec.h - writes numbers and bytes of a state, or reads them: see state.h. The
 * first failure sticks, and what is read from then on is zero.
 */
#ifndef EXECUTOR_LINUX_STATE_CODEC_H
#define EXECUTOR_LINUX_STATE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* A larger one is not stored: most of it would be what the program has in /tmp. */
#define STATE_MAX (16u << 20)
/* Paths of the host that a start reads: of the program, and of its warm_input. */
#define STATE_HOSTS 2

struct state {
	struct buffer *out; /* NULL: it is read */
	const uint8_t *at;  /* what is still to be read */
	size_t left;
	const uint8_t *memory; /* of the snapshot; NULL: linux_state_show() */
	/* when it is read: of the host's CLOCK_MONOTONIC, is the program's */
	uint64_t ahead_ns;
	const char *const *hosts; /* the same: STATE_HOSTS of them, or NULL */
	/* a bit for each page of memory that is the frame of something */
	uint64_t *frames;
	struct error *err;
	int result;
};

static inline bool state_is_read(const struct state *state)
{
	return !state->out;
}

/* Whether nothing has failed. */
static inline bool state_is_good(const struct state *state)
{
	return !state->result;
}

/* Notes the failure @r, -errno, and what it is. */
void state_fail(struct state *state, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fails unless @is_so, which must be so of @what in every state. */
void state_need(struct state *state, bool is_so, const char *what);

void state_bytes(struct state *state, void *bytes, size_t size);
void state_u64(struct state *state, uint64_t *value);
/* A time of CLOCK_MONOTONIC; 0 and UINT64_MAX are none. */
void state_time(struct state *state, uint64_t *value_ns);
/* A text of at most @most bytes, its zero not included; the caller owns what was read. */
void state_text(struct state *state, char **text, size_t most);

/* A member that is a number or a truth value; one that does not fit fails. */
#define STATE_NUMBER(state, member)                                            \
	do {                                                                   \
		uint64_t state_value = (uint64_t)(member);                     \
                                                                               \
		state_u64(state, &state_value);                                \
		if (state_is_read(state))                                      \
			(member) = (__typeof__(member))state_value;            \
		state_need(state, (uint64_t)(member) == state_value, #member); \
	} while (0)

#endif
