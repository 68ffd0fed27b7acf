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
 * The library compares memory with the snapshot after each restore.
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
 * backends[0 .. backend_count() - 1]. "bitmap" and "ring" dispatch by exits, "polled"
 * and "cooperative" poll and track by the ring. Emulated machines set two variables of
 * the environment: TEST_EXITS_ONLY leaves the polled ones out, and
 * TEST_POLL_ON_ANY_CPU runs them, slowly, even if there is only one CPU.
 *
 * Behind them, up to backend_count_all(), are those that track by page tables: "tables",
 * which dispatches by exits, and "polled_tables"; unless there is TEST_EXITS_ONLY. The
 * environment's TEST_BACKEND names the only one of all these that is to be used.
 *
 * To be called before there are other processes and threads.
 */
extern const char *backends[];
int backend_count(void);
int backend_count_all(void);

/* Whether @backend polls. */
bool backend_is_polled(const char *backend);

/* The library's options for @backend; the others are the default. */
struct engine_options backend_options(const char *backend);

/* The members of the catalog's "defaults" for @backend, without the braces. */
const char *backend_defaults(const char *backend);

/*
 * What functions have logged: the number of lines, and the last line. The last backtrace
 * is apart from them.
 */
extern struct logged {
	unsigned lines;
	enum thaw_level level;
	size_t size;
	char text[2048];
	char backtrace[2048];
} logged;

/* A thaw_log_fn: what takes those lines, of catalogs that are opened here. */
void take_line(void *cookie, const char *function, enum thaw_level level,
	       const char *text, size_t size);

/* Whether a line of the log is a backtrace. */
bool is_backtrace(enum thaw_level level, const char *text);

/* The host functions that catalogs are opened with from now on; zero: none. */
extern struct offered {
	const struct thaw_host_function *functions;
	size_t count;
} offered;

/* The state directory of catalogs that are opened from now on; NULL: none. */
extern const char *state_dir;

/*
 * Opens a catalog of functions for @backend. @functions is the inside of the JSON
 * array, in which %s stands for the directory of the guests. The caller closes it. If
 * there is a variable TEST_STORED, the functions were booted by another one that has
 * written their snapshots to a store, and are taken from there.
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

/* Opens calls_host.elf, whose calls of add(int, int) are answered. The caller closes it. */
struct thaw *open_calls_host(const char *backend);

/* Invokes @function with @text as the request. The test fails if it is refused. */
void call(struct thaw *thaw, const char *function, const char *text,
	  uint64_t timeout_ns, struct thaw_reply *ret_reply);

/* The same, and releases the reply. Returns its outcome(). */
const char *call_once(struct thaw *thaw, const char *function,
		      const char *text);

/*
 * The reply as text, or "TYPE: MESSAGE". Valid until the next call on the
 * same thread.
 */
const char *outcome(const struct thaw_reply *reply);

/* Bytes of memory that this process shares with nobody. */
size_t private_bytes(void);

/*
 * Runs @suite. Returns the exit status of the test program. It is 77 if there is no
 * KVM; then the reason is printed.
 */
int run_suite(Suite *suite);

/* A text of @count times @c, valid until the fourth next call. */
char *repeat(char c, size_t count);

#endif
