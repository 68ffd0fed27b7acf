/* load.h - puts a Linux program into memory, as the kernel's execve() would. */
#ifndef EXECUTOR_LINUX_LOAD_H
#define EXECUTOR_LINUX_LOAD_H

#include "base/error.h"
#include "executor/linux/process.h"

/* A larger program, or interpreter, is refused. */
#define LINUX_PROGRAM_MAX (256u << 20)

/*
 * Loads the program of @process, which has been made, and its interpreter; fills the
 * stack; and makes the frame in which it begins. -ENOENT, -EACCES, ... of opening them;
 * -ENOEXEC; -ENOMEM, they do not fit; -E2BIG, arguments and environment do not.
 */
int linux_load(struct linux_process *process, struct error *err,
	       struct thaw_frame *ret_frame);

/*
 * Checks @program and its interpreter as far as that can be done without a vm. Errors as
 * linux_load().
 */
int linux_load_check(const struct linux_program *program, struct error *err);

#endif
