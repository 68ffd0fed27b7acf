/*
 * thaw_log.h - the levels of log lines, most severe first. The same for the guest's
 * thaw_log(), the catalog's log_level, the host's thaw_log_fn, and the server's log.
 */
#ifndef THAW_LOG_H
#define THAW_LOG_H

enum thaw_level {
	THAW_LOG_ERROR = 0, /* what somebody has to attend to */
	THAW_LOG_WARN = 1,  /* what went wrong, but could be handled; stderr */
	THAW_LOG_INFO = 2,  /* what was done; stdout */
	THAW_LOG_DEBUG = 3  /* what helps to find a mistake */
};

#endif
