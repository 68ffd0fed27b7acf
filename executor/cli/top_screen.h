/*
 * top_screen.h - the terminal of `thaw top`: another screen than that which
 * was there before, keys without Enter, and signals that end it properly.
 */
#ifndef EXECUTOR_CLI_TOP_SCREEN_H
#define EXECUTOR_CLI_TOP_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"

/* What top_screen_wait() returns besides keys. */
#define TOP_TIME 0	  /* the time is over */
#define TOP_NOTHING 0x100 /* wait again */
#define TOP_RESIZED 0x101 /* draw again */
#define TOP_ENDED (-1)	  /* a signal, or the terminal has gone */

struct top_screen {
	size_t width, height; /* now */
	int signal;	      /* that has ended it; 0 */

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

/* Takes over the terminal at standard output. -errno after a message. */
int top_screen_open(struct top_screen *screen, struct error *err);

/* Gives it back as it was. */
void top_screen_close(struct top_screen *screen);

/*
 * Shows lines of text, each cut to the width; those that do not fit are left
 * out. Line number @heading, from 0, stands out.
 */
void top_screen_draw(const struct top_screen *screen, const char *text,
		     size_t size, size_t heading);

/* Waits for a key, or until @until_ns of clock_now_ns(). */
int top_screen_wait(struct top_screen *screen, uint64_t until_ns);

#endif
