/*
 * top_screen.h - the terminal of `thaw top`: an alternate screen, keys without
 * Enter, and signals that end it properly.
 */
#ifndef EXECUTOR_CLI_TOP_SCREEN_H
#define EXECUTOR_CLI_TOP_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"

/* Results of top_screen_wait() that are not keys. */
#define TOP_TIME 0	  /* the time is over */
#define TOP_NOTHING 0x100 /* wait again */
#define TOP_RESIZED 0x101 /* draw again */
#define TOP_ENDED (-1)	  /* a signal, or the terminal has gone */

struct top_screen {
	size_t width, height; /* now */
	int signal;	      /* the signal that has ended it; 0 */

	struct {
		bool has_keys;
		enum escape {
			ESCAPE_NONE,
			ESCAPE_BEGUN,
			ESCAPE_LIST
		} escape;
		struct termios before;
		sigset_t mask_before;
		int signals; /* a signalfd */
	} internal;
};

/*
 * Takes over the terminal at standard output. Returns 0, or -errno after a
 * message.
 */
int top_screen_open(struct top_screen *screen, struct error *err);

/* Restores the terminal. */
void top_screen_close(struct top_screen *screen);

/*
 * Shows lines of text, each cut to the width, as many as fit. Line number
 * @heading, from 0, stands out.
 */
void top_screen_draw(const struct top_screen *screen, const char *text,
		     size_t size, size_t heading);

/* Waits for a key, or until @until_ns of clock_now_ns(). */
int top_screen_wait(struct top_screen *screen, uint64_t until_ns);

#endif
