/*
 * gunyah.h - programs with the devices of the Gunyah C runtime: /dev/gicv3,
 * /dev/console and /dev/exit, whose requests are in file_gunyah.c.
 *
 * By these a program registers functions of its own, which thaw runs: handlers of
 * interrupts, the console function and the exit function. They run as handlers of a
 * signal do that nobody else may use. While one runs, this signal is blocked, so each
 * runs to its end. A function returns to an address at which nothing is mapped; the
 * fault there tells its result.
 *
 * Interrupts are asserted by the program itself, or by the host at times that the
 * catalog gives. A program may wait for its request by ppoll() of nothing: that is the
 * point of its snapshot, and the call is made anew for each request.
 *
 * On the thread that runs the vm.
 */
#ifndef EXECUTOR_LINUX_GUNYAH_H
#define EXECUTOR_LINUX_GUNYAH_H

#include <stdbool.h>
#include <stdint.h>

struct linux_process;
struct thaw_frame;
struct vm_exit;

/* Notes that an invocation begins now. */
void gunyah_begin(struct linux_process *process);

/*
 * Asserts what the host is to have asserted by now, and sends the signal if a function is
 * to run. Whether it has.
 */
bool gunyah_expire(struct linux_process *process);

/* When the host asserts the next line (CLOCK_MONOTONIC); UINT64_MAX: never. */
uint64_t gunyah_next(const struct linux_process *process);

/*
 * The signal is delivered: makes the function that is to run the signal's handler. False:
 * there is none.
 */
bool gunyah_choose(struct linux_process *process);

/* Gives that function its arguments, in registers with which it begins. */
void gunyah_enter(struct linux_process *process, struct thaw_frame *registers);

/* Whether @exit, a fault, is the return of a function. */
bool gunyah_is_return(const struct linux_process *process,
		      const struct vm_exit *exit);

/*
 * It has returned @result. May change *@registers, with which the program goes on as
 * after any handler.
 */
void gunyah_returned(struct linux_process *process, uint64_t result,
		     struct thaw_frame *registers);

/*
 * Whether the call of ppoll() that is being done, of nothing and without a time limit, is
 * the point of the snapshot; then it sets process->step.
 */
bool gunyah_parks(struct linux_process *process);

/* If it was, changes *@registers, saved behind it, so that it is made again. */
void gunyah_park(const struct linux_process *process,
		 struct thaw_frame *registers);

/*
 * Whether the exit function is to run before the program ends by the call @number with
 * @status; then that call is made again behind it.
 */
bool gunyah_exits(struct linux_process *process, uint64_t number,
		  uint64_t status);

#endif
