/*
 * error.h - errors for the person who reads them.
 *
 * Set-up code takes a last argument `struct error *err` and ends its failures
 * with
 *
 *	return error_set(err, -ENOEXEC, "%s: not an ELF file", path);
 *
 * so that the return value says what kind of failure it was and the message
 * says what was tried, on what, why it failed and what to do. The caller owns
 * the struct; there is no heap behind it. Hot paths return -errno alone.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define ERROR_MESSAGE_MAX 1024

struct error {
	char message[ERROR_MESSAGE_MAX];
};

/*
 * Formats a message into @err (which may be NULL: then nothing is kept) and
 * returns @code, a negative errno. Longer messages are cut. Whatever is in it,
 * the message is one line of UTF-8 that a terminal does not obey: text_clean().
 */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts a formatted prefix and ": " before the message already in @err and
 * returns @code. For callers that know on whose behalf something failed.
 */
int error_prefix(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
