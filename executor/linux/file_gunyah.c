/*
 * file_gunyah.c - see file_gunyah.h. Numbers and errors are those of the Gunyah C
 * runtime. Its checks of lines are not complete; ours are.
 */
#include "executor/linux/file_gunyah.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "executor/linux/file_stdio.h"
#include "executor/linux/gunyah_console.h"
#include "executor/linux/process.h"

/* What the requests have at their argument. */
struct handler_request {
	uint64_t function;
	uint32_t line;
	uint32_t reserved;
	uint64_t data;
};

struct trigger_request {
	uint32_t line;
	uint32_t trigger;
};

struct buffer_request {
	uint64_t buffer;
	uint64_t size;
};

#define IRQ_ENABLE _IOW(0x49, 0, int)
#define IRQ_DISABLE _IOW(0x49, 1, int)
#define IRQ_REGISTER _IOW(0x49, 2, struct handler_request)
#define IRQ_SET_TRIGGER _IOW(0x49, 3, struct trigger_request)
#define IRQ_DEREGISTER _IOW(0x49, 4, int)
#define IRQ_ASSERT _IOW(0x49, 5, int)
#define IRQ_CLEAR _IOW(0x49, 6, int)

#define CONSOLE_REGISTER _IOW(0x43, 0, uint64_t)
#define CONSOLE_DEREGISTER _IOW(0x43, 1, int)
#define CONSOLE_SET_PREFIX _IOW(0x43, 2, const char *)

#define EXIT_REGISTER _IOW(0x44, 0, uint64_t)
#define EXIT_DEREGISTER _IOW(0x44, 1, int)

/* Of standard input, output and error. */
#define TERMINAL_SET_BUFFER 0x547f
#define TERMINAL_ROWS 64
#define TERMINAL_COLUMNS 96
#define TERMINAL_WIDTH 1280
#define TERMINAL_HEIGHT 760

/* O_LARGEFILE of the kernel's interface. On either architecture, the other is O_NOFOLLOW. */
#define LARGE_FILE (O_NOFOLLOW == 0100000 ? 0400000u : 0100000u)

static int64_t register_handler(struct linux_process *process, uint64_t at)
{
	struct handler_request asked;

	if (space_read(&process->space, at, &asked, sizeof(asked)))
		return -EFAULT;
	return interrupts_register(&process->gunyah.interrupts, asked.line,
				   asked.function, asked.data);
}

static int64_t set_trigger(struct linux_process *process, uint64_t at)
{
	struct trigger_request asked;

	if (space_read(&process->space, at, &asked, sizeof(asked)))
		return -EFAULT;
	return interrupts_set_trigger(&process->gunyah.interrupts, asked.line,
				      asked.trigger);
}

/* A request that has only the number of the line. */
static int64_t change_line(struct linux_process *process, uint64_t request,
			   uint64_t at)
{
	struct interrupts *interrupts = &process->gunyah.interrupts;
	uint32_t line;

	if (space_read(&process->space, at, &line, sizeof(line)))
		return -EFAULT;
	switch (request) {
	case IRQ_ENABLE:
	case IRQ_DISABLE:
		return interrupts_set_enabled(interrupts, line,
					      request == IRQ_ENABLE);
	case IRQ_DEREGISTER:
		return interrupts_deregister(interrupts, line);
	case IRQ_ASSERT:
		return interrupts_assert(interrupts, line);
	default:
		return interrupts_clear(interrupts, line);
	}
}

static int64_t gicv3_ioctl(struct linux_process *process, struct file *file,
			   uint64_t request, uint64_t argument)
{
	(void)file;
	process->gunyah.is_changed = true;
	switch (request) {
	case IRQ_REGISTER:
		return register_handler(process, argument);
	case IRQ_SET_TRIGGER:
		return set_trigger(process, argument);
	case IRQ_ENABLE:
	case IRQ_DISABLE:
	case IRQ_DEREGISTER:
	case IRQ_ASSERT:
	case IRQ_CLEAR:
		return change_line(process, request, argument);
	}
	return -ENOSYS;
}

/* Registers the function whose address is at @at as @stored. */
static int64_t register_function(struct linux_process *process, uint64_t at,
				 uint64_t *stored)
{
	uint64_t function;

	if (space_read(&process->space, at, &function, sizeof(function)))
		return -EFAULT;
	if (*stored)
		return -EBUSY;
	*stored = function;
	process->gunyah.is_changed = true;
	return 0;
}

static int64_t deregister_function(struct linux_process *process,
				   uint64_t *stored)
{
	if (!*stored)
		return -ENOENT;
	*stored = 0;
	process->gunyah.is_changed = true;
	return 0;
}

static int64_t console_ioctl(struct linux_process *process, struct file *file,
			     uint64_t request, uint64_t argument)
{
	uint64_t *function = &process->gunyah.console.function;

	(void)file;
	switch (request) {
	case CONSOLE_REGISTER:
		return register_function(process, argument, function);
	case CONSOLE_DEREGISTER:
		return deregister_function(process, function);
	case CONSOLE_SET_PREFIX:
		return gunyah_console_set_prefix(process, argument);
	}
	return -ENOSYS;
}

static int64_t exit_ioctl(struct linux_process *process, struct file *file,
			  uint64_t request, uint64_t argument)
{
	uint64_t *function = &process->gunyah.exit_function;
	int64_t r;

	(void)file;
	switch (request) {
	case EXIT_REGISTER:
		r = register_function(process, argument, function);
		return r || *function ? r : -EINVAL;
	case EXIT_DEREGISTER:
		return deregister_function(process, function);
	}
	return -ENOSYS;
}

static int64_t terminal_ioctl(struct linux_process *process, uint64_t request,
			      uint64_t argument)
{
	static const struct winsize size = { TERMINAL_ROWS, TERMINAL_COLUMNS,
					     TERMINAL_WIDTH, TERMINAL_HEIGHT };
	struct buffer_request asked;

	switch (request) {
	case TIOCGWINSZ:
		return space_write(&process->space, argument, &size,
				   sizeof(size));
	case TERMINAL_SET_BUFFER:
		if (space_read(&process->space, argument, &asked,
			       sizeof(asked)))
			return -EFAULT;
		return gunyah_console_set_log(process, asked.buffer,
					      asked.size);
	}
	return -EINVAL;
}

int64_t file_gunyah_ioctl(struct linux_process *process,
			  const struct file *file, uint64_t request,
			  uint64_t argument)
{
	if (file->kind == &file_input || file->kind == &file_output ||
	    file->kind == &file_log)
		return terminal_ioctl(process, request, argument);
	return -EINVAL;
}

static void gunyah_device_status(struct linux_process *process,
				 const struct file *file, struct stat *ret)
{
	(void)process;
	(void)file;
	ret->st_mode = S_IFCHR | 0666;
}

static const struct file_kind kinds[] = {
	{ .name = "/dev/gicv3",
	  .ioctl = gicv3_ioctl,
	  .status = gunyah_device_status },
	{ .name = "/dev/console",
	  .ioctl = console_ioctl,
	  .status = gunyah_device_status },
	{ .name = "/dev/exit",
	  .ioctl = exit_ioctl,
	  .status = gunyah_device_status },
};

const struct file_kind *file_gunyah_find(const char *path)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(path, kinds[i].name))
			return &kinds[i];
	return NULL;
}

bool file_gunyah_refuses(const struct file_kind *kind, uint64_t flags,
			 uint64_t mode)
{
	return file_gunyah_find(kind->name) &&
	       ((flags & ~(uint64_t)(O_ACCMODE | LARGE_FILE)) || mode);
}
