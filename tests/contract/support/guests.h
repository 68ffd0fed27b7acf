/*
 * guests.h - what the tests of libthaw with guests share.
 *
 *	struct thaw *thaw = open_guest(backends[_i], "hostile", "");
 *	struct thaw_reply reply;
 *
 *	call(thaw, "hostile", "good", 0, &reply);
 *	ck_assert_str_eq(outcome(&reply), "pristine");
 *	thaw_reply_release(&reply);
 *	thaw_close(thaw);
 *
 * Everything compares memory with the snapshot after each restore.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/engine.h"
#include "executor/libthaw.h"

/*
 * The ways of tracking writes and of dispatch that this machine has:
 * backends[0 .. backend_count() - 1]. "bitmap" and "ring" are with exits,
 * "polled" and "cooperative" with the ring. Two variables of the environment
 * are for emulated machines: TEST_EXITS_ONLY leaves the polled ones out,
 * TEST_POLL_ON_ANY_CPU has them with one CPU as well, slowly.
 */
extern const char *const backends[];
int backend_count(void);

/* Whether it is one of the polled ones. */
bool backend_is_polled(const char *backend);

/* The library's options for one of them: nothing but what it takes. */
struct engine_options backend_options(const char *backend);

/* The catalog's defaults for one of them: the inside of that object. */
const char *backend_defaults(const char *backend);

/* What the functions have logged: lines, and the last of them. */
extern struct logged {
	unsigned lines;
	enum thaw_level level;
	size_t size;
	char text[2048];
} logged;

/*
 * Opens a catalog of functions with tracking by @backend; @functions is the
 * inside of its array, in which %s stands for the directory of the guests.
 */
struct thaw *open_functions(const char *backend, const char *functions);

/*
 * Opens a catalog of one function, called @guest like its image and, unless
 * @more says otherwise, its handler: 4 MiB of memory, windows of 4 KiB, a
 * timeout of 10 s, one vm. @more is JSON members, such as
 * "\"timeout\":\"1s\"", that replace those.
 */
struct thaw *open_guest(const char *backend, const char *guest,
			const char *more);

/* Invokes with @text as the request; the invocation must not be refused. */
void call(struct thaw *thaw, const char *function, const char *text,
	  uint64_t timeout_ns, struct thaw_reply *ret_reply);

/* The same, and the reply is done with; returns its outcome(). */
const char *call_once(struct thaw *thaw, const char *function,
		      const char *text);

/*
 * The reply as text, or "TYPE: MESSAGE". Valid until the next call on the
 * same thread.
 */
const char *outcome(const struct thaw_reply *reply);

/* Bytes of memory that is this process's alone. */
size_t private_bytes(void);

/*
 * Runs @suite. Returns the exit status of the test program; 77, and why, where
 * there is no KVM to be had.
 */
int run_suite(Suite *suite);

/* So many of @c; one of four texts that are used in turn. */
char *repeat(char c, size_t count);

#endif
