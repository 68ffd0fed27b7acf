/* signals_common.h - what the files of signals.c have in common. */
#ifndef TESTS_LINUX_SIGNALS_COMMON_H
#define TESTS_LINUX_SIGNALS_COMMON_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)

/* Of the request. */
extern long number;

/* How often a handler has run, for which signal, and what it was told. */
extern volatile int count;
extern volatile sig_atomic_t last;
extern volatile siginfo_t info; /* raise() is a leaf for the compiler */

/* Handlers that note this; the last one destroys vector registers besides. */
void on_count(int signal);
void on_info(int signal, siginfo_t *given, void *context);
void on_clobber(int signal, siginfo_t *given, void *context);

void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags);
void handle_simply(int signal, int flags);
void block(int how, int signal);

/* As asm_spin(): whether all registers are kept. */
int spin_keeps(volatile int *counter, long least);

void set_timer(int which, long us, long every_us);

void do_compute(void);
void do_sleep(void);
void do_restart(void);
void do_alarm(void);
void do_threads(void);
void do_timers(void);
void do_wait(void);
void do_timer_limit(void);
void do_loop(void);

#endif
