/*
 * signal_delivery.h - brings signals to the current thread of a Linux program: behind a
 * system call, at a deadline, at a fault. For schedule.c.
 *
 * Each function changes the thread's registers to those with which it goes on, in a
 * handler if one is due, whose frame it writes. A signal that ends the program puts
 * LINUX_EXIT into process->step. On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_SIGNAL_DELIVERY_H
#define EXECUTOR_LINUX_SIGNAL_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

struct linux_process;
struct thaw_frame;
struct vm_exit;

/*
 * Ends the thread's call, which returns @result, or, if @is_cut_off, was waiting when
 * the signal came that is due. Its handler runs by signals_interrupt().
 */
void signals_return(struct linux_process *process, struct thaw_frame *registers,
		    int64_t result, bool is_cut_off);

/* Has handlers run of signals that are due. */
void signals_interrupt(struct linux_process *process,
		       struct thaw_frame *registers);

/*
 * Makes of @exit, a fault, a signal. False: it has no handler, or that cannot run, and
 * the fault ends the program: process->signal.
 */
bool signals_fault(struct linux_process *process, const struct vm_exit *exit,
		   struct thaw_frame *registers);

#endif
