/* state_codec.c - see state_codec.h. */
#include "executor/linux/state_codec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as in the file");

void state_fail(struct state *state, int r, const char *format, ...)
{
	char text[ERROR_MESSAGE_MAX];
	va_list args;

	if (state->result)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	state->result = error_set(state->err, r, "%s", text);
}

void state_need(struct state *state, bool is_so, const char *what)
{
	if (is_so)
		return;
	if (state_is_read(state))
		state_fail(state, -EBADMSG,
			   "what it says of its program is no good: %s", what);
	else
		state_fail(state, -EOPNOTSUPP,
			   "what no file can have of a program: %s", what);
}

void state_bytes(struct state *state, void *bytes, size_t size)
{
	if (!size)
		return;
	if (!state_is_read(state)) {
		buffer_append(state->out, bytes, size);
		if (state->out->failed)
			state_fail(state, -E2BIG,
				   "what the host knows of the program, with "
				   "what it has in /tmp, takes more than %u MiB",
				   STATE_MAX >> 20);
		return;
	}
	if (size > state->left)
		state_fail(state, -EBADMSG,
			   "what it says of its program is truncated");
	if (state->result) {
		memset(bytes, 0, size);
		return;
	}
	memcpy(bytes, state->at, size);
	state->at += size;
	state->left -= size;
}

void state_u64(struct state *state, uint64_t *value)
{
	state_bytes(state, value, sizeof(*value));
}

/* No time of a program is so late: sums of two do not wrap. */
#define TIME_MAX (UINT64_MAX / 2)

void state_time(struct state *state, uint64_t *value_ns)
{
	state_u64(state, value_ns);
	if (!*value_ns || *value_ns == UINT64_MAX)
		return;
	state_need(state, *value_ns <= TIME_MAX, "a time");
	/* the host may have started again since: then its clock is behind the program's */
	if (state_is_read(state) && state->ahead_ns)
		*value_ns = *value_ns > state->ahead_ns ?
				    *value_ns - state->ahead_ns :
				    1;
}

static void read_text(struct state *state, char **text, size_t size)
{
	char *bytes = malloc(size + 1);

	if (!bytes) {
		state_fail(state, -ENOMEM, "no memory for a text");
		return;
	}
	state_bytes(state, bytes, size);
	bytes[size] = '\0';
	state_need(state, strlen(bytes) == size, "a text");
	*text = bytes;
}

void state_text(struct state *state, char **text, size_t most)
{
	uint64_t size = state_is_read(state) ? 0 : strlen(*text);

	state_u64(state, &size);
	state_need(state, size <= most, "the length of a text");
	if (!state_is_read(state))
		state_bytes(state, *text, size);
	else if (state_is_good(state))
		read_text(state, text, size);
}
