/* gunyah.h - the interface of the Gunyah C runtime, for gunyah.c and gunyah_text.c. */
#ifndef TESTS_LINUX_GUNYAH_H
#define TESTS_LINUX_GUNYAH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define LINES 1020
#define TIMER 27

struct register_isr {
	bool (*isr)(int line, void *data);
	int irq;
	int reserved;
	void *data;
};

struct set_trigger {
	int irq;
	int trigger;
};

#define LEVEL_HIGH 0
#define EDGE_RISING 2

#define IRQ_ENABLE _IOW(0x49, 0, int)
#define IRQ_DISABLE _IOW(0x49, 1, int)
#define IRQ_REGISTER _IOW(0x49, 2, struct register_isr)
#define IRQ_SET_TRIGGER _IOW(0x49, 3, struct set_trigger)
#define IRQ_DEREGISTER _IOW(0x49, 4, int)
#define IRQ_ASSERT _IOW(0x49, 5, int)
#define IRQ_CLEAR _IOW(0x49, 6, int)

struct register_console {
	void (*write)(const char *text, size_t size);
};

#define CONSOLE_REGISTER _IOW(0x43, 0, struct register_console)
#define CONSOLE_DEREGISTER _IOW(0x43, 1, int)
#define CONSOLE_SET_PREFIX _IOW(0x43, 2, const char *)

struct register_exit {
	void (*exit)(int status);
};

#define EXIT_REGISTER _IOW(0x44, 0, struct register_exit)
#define EXIT_DEREGISTER _IOW(0x44, 1, int)

struct set_buffer {
	char *buffer;
	size_t size;
};

#define TERMINAL_SET_BUFFER 0x547f

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			fflush(stdout);                              \
			_exit(0);                                    \
		}                                                    \
	} while (0)

extern int gic, console, exits; /* the devices */
extern long number;		/* of the request */

/* Of the interrupt @line; all return 0 or -errno. */
int request(unsigned long what, int line);
int add_handler(int line, bool (*function)(int line, void *data));

void do_console(void);
void do_long_text(void);
void do_blocked_text(void);
void do_terminal(void);
void do_log(void);
void do_exit_requests(void);
void do_exit(void);
void do_exit_call(void);
void do_exit_in_handler(void);
void do_exit_again(void);

#endif
