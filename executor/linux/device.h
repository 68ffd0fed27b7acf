/*
 * device.h - /dev/thaw, by which a program gets requests and gives replies one by one,
 * as lines of JSON: see device_line.h.
 *
 * The program is frozen where it first wants a request that there is none of. What it
 * has answered before that were the requests of warm_input.
 *
 *	wants a request		reads, or polls for reading
 *	the request		one line, then the end of the file, until it is answered
 *	the reply		what is written, up to the write that has a line break
 *
 * There is one request, whatever number of descriptors the device has. A program that
 * has asked here is not sent anything to standard input, and its standard output is
 * logged.
 */
#ifndef EXECUTOR_LINUX_DEVICE_H
#define EXECUTOR_LINUX_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "executor/linux/device_line.h"

struct linux_process;

#define DEVICE_PATH "/dev/thaw"

extern const struct file_kind file_thaw;

/*
 * Hands the process, which is_asked, a request; the reply may have @reply_max bytes.
 * device_line_check() must have passed @call, which is not needed afterwards. -ENOMEM.
 */
int device_request(struct linux_process *process,
		   const struct device_call *call, size_t reply_max);

/*
 * What the process has replied, now that it has ended: it returns 1 if that is a reply,
 * read into *@ret_reply; 0: the program has said nothing; -EINVAL, -E2BIG: why it is none.
 */
int device_take_reply(const struct linux_process *process, struct error *err,
		      struct device_reply *ret_reply);

/* The bytes of that reply, at process->request.output.data, without its line break. */
size_t device_reply_size(const struct linux_process *process);

/*
 * Whether the process was ended because its warm_input is no call, or because it has not
 * answered it well, and what was wrong.
 */
bool device_has_failed(const struct linux_process *process, struct error *err);

#endif
