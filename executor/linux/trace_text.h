/*
 * trace_text.h - a line of a trace while it is written, and who takes it. What does not
 * fit is cut off. Nothing in it can upset a terminal: text of programs is written quoted
 * and escaped.
 */
#ifndef EXECUTOR_LINUX_TRACE_TEXT_H
#define EXECUTOR_LINUX_TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes a line without its newline: @size bytes, printable, with a zero behind them. */
typedef void (*linux_trace_fn)(void *cookie, const char *line, size_t size);

struct linux_trace {
	linux_trace_fn line; /* NULL: there is no trace */
	/*
	 * Told if the program ends before it reads its input, and so is not frozen: its
	 * exit status, or 128 and the signal, whether that was a fault's, and what it has
	 * written. NULL: nobody is.
	 */
	void (*ended)(void *cookie, int status, bool is_fault,
		      const void *output, size_t size);
	void *cookie;
};

/* Added to the number of a signal that ends a program, as shells do. */
#define LINUX_SIGNAL_STATUS 128

#define TRACE_LINE_MAX 2048

struct trace_text {
	size_t used;
	char text[TRACE_LINE_MAX];
};

/* Appends, as printf() does. */
void trace_put(struct trace_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Appends @size bytes in quotes, escaped as C does, with "..." behind them if @is_cut.
 */
void trace_quote(struct trace_text *text, const void *bytes, size_t size,
		 bool is_cut);

#endif
