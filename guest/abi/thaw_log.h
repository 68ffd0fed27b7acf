/*
 * thaw_log.h - the levels of log lines: the guest's thaw_log(), the catalog's
 * log_level, the host's thaw_log_fn, and the server's log. Most severe first.
 */
#ifndef THAW_LOG_H
#define THAW_LOG_H

enum thaw_level {
	THAW_LOG_ERROR = 0,
	THAW_LOG_WARN = 1,
	THAW_LOG_INFO = 2,
	THAW_LOG_DEBUG = 3
};

#endif
