/* calls_socket.h - system calls about sockets, of which there are none; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_SOCKET_H
#define EXECUTOR_LINUX_CALLS_SOCKET_H

#include <stdint.h>

struct linux_process;

/* Of a descriptor, which is no socket. */
int64_t call_no_socket(struct linux_process *process, const uint64_t *args);

#endif
