/* gunyah.c - see gunyah.h. */
#include "executor/linux/gunyah.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/gunyah_console.h"
#include "executor/linux/process.h"
#include "guest/abi/thaw_shim.h"
#include "vm/exit.h"
#include "vm/vm.h"

/* Where the text for the console function is: the shim's, which is off. */
#define TEXT_ADDRESS THAW_GPA_OUTPUT

_Static_assert(GUNYAH_TEXT_SIZE <= THAW_OUTPUT_SIZE, "room");
void gunyah_begin(struct linux_process *process)
{
	const struct gunyah_options *options = &process->program->gunyah;
	const uint64_t now_ns = options->count ? clock_now_ns() : 0;

	process->gunyah.is_repeating = process->gunyah.is_parked;
	for (unsigned i = 0; i < options->count; i++)
		process->gunyah.at_ns[i] =
			now_ns + options->interrupts[i].after_ns;
}

uint64_t gunyah_next(const struct linux_process *process)
{
	uint64_t next_ns = UINT64_MAX;

	if (process->gunyah.is_repeating)
		return next_ns;
	for (unsigned i = 0; i < process->program->gunyah.count; i++) {
		const uint64_t at_ns = process->gunyah.at_ns[i];

		if (at_ns && at_ns < next_ns)
			next_ns = at_ns;
	}
	return next_ns;
}

/* Asserts the lines whose time has come. */
static void raise_lines(struct linux_process *process)
{
	const struct gunyah_options *options = &process->program->gunyah;
	struct gunyah *gunyah = &process->gunyah;
	const uint64_t now_ns = options->count ? clock_now_ns() : 0;

	for (unsigned i = 0; i < options->count; i++) {
		if (!gunyah->at_ns[i] || gunyah->at_ns[i] > now_ns)
			continue;
		gunyah->at_ns[i] = 0;
		gunyah->is_changed = true;
		interrupts_raise(&gunyah->interrupts,
				 options->interrupts[i].line);
	}
}

static bool has_function_to_run(const struct gunyah *gunyah)
{
	if (gunyah->is_exiting)
		return gunyah->exit_function != 0;
	return gunyah->console.text_used < gunyah->console.text_size ||
	       interrupts_next(&gunyah->interrupts) >= 0;
}

bool gunyah_expire(struct linux_process *process)
{
	struct signals *signals = &process->signals;
	siginfo_t info;

	if (!process->gunyah.is_on || process->gunyah.is_repeating)
		return false;
	raise_lines(process);
	if (!has_function_to_run(&process->gunyah) ||
	    (signals_pending(signals, &signals->thread) &
	     SIGNAL_BIT(GUNYAH_SIGNAL)))
		return false;
	memset(&info, 0, sizeof(info));
	info.si_signo = GUNYAH_SIGNAL;
	info.si_code = SI_KERNEL;
	return !signal_send(signals, &info, 0);
}

/* Has @function run, with these arguments. */
static void choose(struct linux_process *process, enum gunyah_running running,
		   uint64_t function, uint64_t first, uint64_t second)
{
	struct gunyah *gunyah = &process->gunyah;

	gunyah->running = running;
	gunyah->arguments[0] = first;
	gunyah->arguments[1] = second;
	process->signals.actions[GUNYAH_SIGNAL - 1].handler = function;
	process->signals.is_changed = true;
}

static bool choose_console(struct linux_process *process)
{
	struct gunyah_console *console = &process->gunyah.console;
	size_t size;
	const char *text = gunyah_console_take(console, &size);

	/* it was deregistered when this was waiting */
	if (!text || !console->function)
		return false;
	if (vm_write(process->space.vm, TEXT_ADDRESS, text, size))
		return false;
	choose(process, GUNYAH_RUNS_CONSOLE, console->function, TEXT_ADDRESS,
	       size);
	return true;
}

static bool choose_handler(struct linux_process *process)
{
	struct gunyah *gunyah = &process->gunyah;
	const struct interrupt_handler *handler = NULL;
	int line;

	while (!handler) {
		line = interrupts_next(&gunyah->interrupts);
		if (line < 0)
			return false;
		gunyah->line = (uint32_t)line;
		handler = interrupts_take(&gunyah->interrupts, gunyah->line);
	}
	choose(process, GUNYAH_RUNS_HANDLER, handler->function, gunyah->line,
	       handler->data);
	return true;
}

bool gunyah_choose(struct linux_process *process)
{
	struct gunyah *gunyah = &process->gunyah;
	const uint64_t function = gunyah->exit_function;

	gunyah->is_changed = true;
	if (!gunyah->is_exiting)
		return choose_console(process) || choose_handler(process);
	if (!function)
		return false;
	gunyah->exit_function = 0;
	choose(process, GUNYAH_RUNS_EXIT, function, gunyah->exit_status, 0);
	return true;
}

void gunyah_enter(struct linux_process *process, struct thaw_frame *registers)
{
	signal_frame_set_arguments(registers, process->gunyah.arguments);
}

bool gunyah_is_return(const struct linux_process *process,
		      const struct vm_exit *exit)
{
	return process->gunyah.is_on && exit->fault.pc == GUNYAH_RETURN_ADDRESS;
}

void gunyah_returned(struct linux_process *process, uint64_t result,
		     struct thaw_frame *registers)
{
	struct gunyah *gunyah = &process->gunyah;

	gunyah->is_changed = true;
	/* a bool is one byte of the register */
	if (gunyah->running == GUNYAH_RUNS_HANDLER && !(result & 0xff))
		(void)interrupts_set_enabled(&gunyah->interrupts, gunyah->line,
					     false);
	else if (gunyah->running == GUNYAH_RUNS_EXIT)
		signal_frame_repeat(registers, gunyah->exit_number,
				    gunyah->exit_status);
	gunyah->running = GUNYAH_RUNS_NONE;
}

bool gunyah_parks(struct linux_process *process)
{
	if (!process->gunyah.is_on || process->is_frozen)
		return false;
	gunyah_expire(process);
	if (signals_are_due(&process->signals))
		return false;
	process->gunyah.is_parked = true;
	process->is_request = false;
	process->step = LINUX_INPUT;
	return true;
}

void gunyah_park(const struct linux_process *process,
		 struct thaw_frame *registers)
{
	const struct vm_call *call = &process->threads.current->wait.call;

	if (process->gunyah.is_parked)
		signal_frame_repeat(registers, call->number, call->args[0]);
}

bool gunyah_exits(struct linux_process *process, uint64_t number,
		  uint64_t status)
{
	struct gunyah *gunyah = &process->gunyah;

	if (!gunyah->exit_function || gunyah->is_exiting)
		return false;
	gunyah->is_changed = true;
	gunyah->is_exiting = true;
	gunyah->exit_number = number;
	gunyah->exit_status = status;
	/* nothing else is to come, and this is, also in a handler */
	signals_set_mask(&process->signals, ~SIGNAL_BIT(GUNYAH_SIGNAL));
	return true;
}
