/* interrupts.c - see interrupts.h. */
#include "executor/linux/interrupts.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Lines below are those of software, which are always edge-triggered. */
#define SOFTWARE_END 16
/* Those from there on are level-triggered at first; others are edge-triggered. */
#define PRIVATE_END 32

static bool has(const uint64_t *words, uint32_t line)
{
	return words[line / 64] >> line % 64 & 1;
}

static void set(uint64_t *words, uint32_t line, bool value)
{
	const uint64_t bit = UINT64_C(1) << line % 64;

	words[line / 64] = value ? words[line / 64] | bit :
				   words[line / 64] & ~bit;
}

/* Whether the program may do anything with @line. */
static int check_line(uint32_t line)
{
	if (line >= INTERRUPTS_MAX)
		return -EINVAL;
	return line == INTERRUPTS_TIMER ? -EBUSY : 0;
}

static int check_handler(const struct interrupts *interrupts, uint32_t line)
{
	const int r = check_line(line);

	return r || interrupts->handlers[line].function ? r : -ENOENT;
}

void interrupts_init(struct interrupts *interrupts)
{
	memset(interrupts, 0, sizeof(*interrupts));
	for (uint32_t line = 0; line < INTERRUPTS_MAX; line++)
		set(interrupts->edge, line,
		    line < SOFTWARE_END || line >= PRIVATE_END);
}

int interrupts_register(struct interrupts *interrupts, uint32_t line,
			uint64_t function, uint64_t data)
{
	const int r = check_line(line);

	if (r)
		return r;
	if (interrupts->handlers[line].function)
		return -EBUSY;
	interrupts->handlers[line] =
		(struct interrupt_handler){ function, data };
	return 0;
}

int interrupts_deregister(struct interrupts *interrupts, uint32_t line)
{
	const int r = check_handler(interrupts, line);

	if (!r)
		interrupts->handlers[line] = (struct interrupt_handler){ 0, 0 };
	return r;
}

int interrupts_set_enabled(struct interrupts *interrupts, uint32_t line,
			   bool is_enabled)
{
	const int r = check_handler(interrupts, line);

	if (!r)
		set(interrupts->enabled, line, is_enabled);
	return r;
}

int interrupts_assert(struct interrupts *interrupts, uint32_t line)
{
	const int r = check_handler(interrupts, line);

	if (!r)
		set(interrupts->pending, line, true);
	return r;
}

int interrupts_clear(struct interrupts *interrupts, uint32_t line)
{
	const int r = check_handler(interrupts, line);

	if (r)
		return r;
	set(interrupts->pending, line, false);
	set(interrupts->held, line, false);
	return 0;
}

int interrupts_set_trigger(struct interrupts *interrupts, uint32_t line,
			   uint32_t trigger)
{
	const int r = check_line(line);

	if (r)
		return r;
	if (trigger != INTERRUPTS_EDGE_RISING &&
	    (trigger != INTERRUPTS_LEVEL_HIGH || line < SOFTWARE_END))
		return -EINVAL;
	set(interrupts->edge, line, trigger == INTERRUPTS_EDGE_RISING);
	return 0;
}

void interrupts_raise(struct interrupts *interrupts, uint32_t line)
{
	set(has(interrupts->edge, line) ? interrupts->pending :
					  interrupts->held,
	    line, true);
}

int interrupts_next(const struct interrupts *interrupts)
{
	for (unsigned i = 0; i < INTERRUPTS_WORDS; i++) {
		const uint64_t due =
			(interrupts->pending[i] |
			 (interrupts->held[i] & ~interrupts->edge[i])) &
			interrupts->enabled[i];

		if (due)
			return (int)(i * 64) + __builtin_ctzll(due);
	}
	return -1;
}

const struct interrupt_handler *interrupts_take(struct interrupts *interrupts,
						uint32_t line)
{
	const struct interrupt_handler *handler = &interrupts->handlers[line];

	set(interrupts->pending, line, false);
	if (handler->function)
		return handler;
	set(interrupts->enabled, line, false);
	return NULL;
}
