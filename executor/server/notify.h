/*
 * notify.h - tells systemd how the service is (sd_notify(3)): a datagram to
 * $NOTIFY_SOCKET, if that is set. Main thread.
 */
#ifndef EXECUTOR_SERVER_NOTIFY_H
#define EXECUTOR_SERVER_NOTIFY_H

#include <stdint.h>

/* @format makes lines such as "READY=1\nSTATUS=...". */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often "WATCHDOG=1" is wanted: half of $WATCHDOG_USEC; 0: not at all. */
uint64_t notify_watchdog_ns(void);

#endif
