/*
 * error.h - errors for the person who reads them.
 *
 * Set-up code takes a last argument `struct error *err` and ends its failures
 * with
 *
 *	return error_set(err, -ENOEXEC, "%s: not an ELF file", path);
 *
 * so that the return value tells the kind of failure, and the message tells what
 * was tried, on what, why it failed and what to do. The caller owns the struct,
 * which has no heap memory. Hot paths return -errno alone. Any thread.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define ERROR_MESSAGE_MAX 1024

struct error {
	char message[ERROR_MESSAGE_MAX];
};

/*
 * Formats a message into @err, unless that is NULL, and returns @code, a negative
 * errno. A message that is too long is cut. text_clean() makes it one line of
 * UTF-8 without control characters, whatever its arguments hold.
 */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts a formatted prefix and ": " before the message in @err, unless it begins so, and
 * returns @code. For callers that know on whose behalf something failed.
 */
int error_prefix(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
