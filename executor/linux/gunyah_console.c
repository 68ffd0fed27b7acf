/* gunyah_console.c - see gunyah_console.h. */
#include "executor/linux/gunyah_console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/process.h"

int gunyah_console_set_prefix(struct linux_process *process, uint64_t address)
{
	struct gunyah_console *console = &process->gunyah.console;
	const int size = space_read_string(&process->space, address,
					   console->prefix,
					   sizeof(console->prefix));

	process->gunyah.is_changed = true;
	console->prefix_size = size < 0 ? 0 : (uint32_t)size;
	if (size == -ENAMETOOLONG)
		return -E2BIG;
	return size < 0 ? size : 0;
}

int gunyah_console_set_log(struct linux_process *process, uint64_t log,
			   uint64_t size)
{
	struct gunyah_console *console = &process->gunyah.console;

	if (size > GUNYAH_LOG_MAX)
		return -EINVAL;
	if (size && !space_may_write(&process->space, log, size))
		return -EFAULT;
	process->gunyah.is_changed = true;
	console->log = log;
	console->log_size = size;
	console->log_used = 0;
	return 0;
}

/* What a handler writes is not for the console function, which is one itself. */
static bool has_listener(const struct linux_process *process)
{
	return process->gunyah.console.function &&
	       !process->gunyah.is_exiting &&
	       !(process->signals.thread.mask & SIGNAL_BIT(GUNYAH_SIGNAL));
}

uint64_t gunyah_console_room(const struct linux_process *process, uint64_t size)
{
	const uint64_t room =
		GUNYAH_TEXT_SIZE - process->gunyah.console.text_size;

	return has_listener(process) && size > room ? room : size;
}

/* Appends to the ring; what the program has unmapped meanwhile is not written. */
static void log_bytes(struct linux_process *process, const char *bytes,
		      size_t size)
{
	struct gunyah_console *console = &process->gunyah.console;

	if (size > console->log_size) {
		bytes += size - console->log_size;
		size = console->log_size;
	}
	while (size) {
		const uint64_t left = console->log_size - console->log_used;
		const size_t part = size < left ? size : left;

		(void)space_write(&process->space,
				  console->log + console->log_used, bytes,
				  part);
		console->log_used =
			(console->log_used + part) % console->log_size;
		bytes += part;
		size -= part;
	}
	(void)space_write(&process->space, console->log + console->log_used, "",
			  1);
}

static size_t line_size(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return end ? (size_t)(end - text) + 1 : size;
}

/* Each line in the log buffer begins with the time. */
static void log_text(struct linux_process *process, const char *text,
		     size_t size)
{
	struct gunyah_console *console = &process->gunyah.console;

	while (size) {
		const size_t part = line_size(text, size);
		const uint64_t us = clock_now_ns() / NS_PER_US;
		char time[32];

		if (!console->is_log_line_begun)
			log_bytes(process, time,
				  (size_t)snprintf(time, sizeof(time),
						   "%llu.%06llu: ",
						   (unsigned long long)us /
							   1000000,
						   (unsigned long long)us %
							   1000000));
		log_bytes(process, text, part);
		console->is_log_line_begun = text[part - 1] != '\n';
		text += part;
		size -= part;
	}
}

void gunyah_console_put(struct linux_process *process, const char *text,
			size_t size)
{
	struct gunyah_console *console = &process->gunyah.console;

	if (console->log_size || has_listener(process))
		process->gunyah.is_changed = true;
	if (console->log_size)
		log_text(process, text, size);
	if (!has_listener(process))
		return;
	memcpy(console->text + console->text_size, text, size);
	console->text_size += (uint32_t)size;
}

const char *gunyah_console_take(struct gunyah_console *console,
				size_t *ret_size)
{
	const char *text = console->text + console->text_used;

	if (console->text_used == console->text_size)
		return NULL;
	if (!console->is_line_begun && console->prefix_size) {
		console->is_line_begun = true;
		*ret_size = console->prefix_size;
		return console->prefix;
	}
	*ret_size = line_size(text, console->text_size - console->text_used);
	console->is_line_begun = text[*ret_size - 1] != '\n';
	console->text_used += (uint32_t)*ret_size;
	if (console->text_used == console->text_size)
		console->text_used = console->text_size = 0;
	return text;
}
