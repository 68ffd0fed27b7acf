/* version.h - what Linux programs are told of the kernel, and of the machine. */
#ifndef EXECUTOR_LINUX_VERSION_H
#define EXECUTOR_LINUX_VERSION_H

/* The kernel whose calls these are; glibc asks for 3.2 at least. */
#define LINUX_RELEASE "6.1.0"
#define LINUX_VERSION "#1"
#define LINUX_NODE "thaw"

#endif
