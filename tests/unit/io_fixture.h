/* io_fixture.h - ends of connections that do what a test says. */
#ifndef TESTS_IO_FIXTURE_H
#define TESTS_IO_FIXTURE_H

#include <check.h>

#include "executor/io/io.h"

enum close_in {
	NEVER,
	IN_RECEIVED,
	IN_ENDED,
	IN_SENT,
};

/* A stream and what has become of it. */
struct end {
	struct io_stream stream;
	char *in; /* what was taken, owned */
	size_t in_size, in_max;
	bool picky;   /* takes some of it, and is resumed by end_resume() */
	bool greedy;  /* when picky, resumes itself in the same callback */
	bool echo;    /* sends back what comes; it has to fit in */
	bool refuses; /* takes nothing */
	enum close_in close_in;
	unsigned seed;
	unsigned calls;	  /* of received() */
	size_t sends;	  /* more of the same to be sent, from sent() */
	size_t from_size; /* of what is echoed */
	struct iovec out;
	int ended, sent, closed; /* how often */
	int end_error, sent_error;
};

/* Opens @end, with room for @max bytes, on @fd. */
void end_open(struct io *io, struct end *end, int fd, size_t max);
void end_send(struct end *end, const void *data, size_t size);
/* Closes it, unless it is, and waits until that is done. */
void end_close(struct end *end);
/* Whether io left a closed stream alone. */
bool end_untouched(const struct end *end);

/* The backend's io; it is the test's. */
struct io *io_of(int backend);

/* Waits for a moment; fails the test if it has been @start_ns for too long. */
void turn(struct io *io, uint64_t start_ns);

/* Turns until @condition. */
#define TURN_UNTIL(io, condition)                        \
	do {                                             \
		uint64_t turn_start_ns = clock_now_ns(); \
		while (!(condition))                     \
			turn(io, turn_start_ns);         \
	} while (0)

/* Both ends of a connection, non-blocking. */
void pair_unix(int fds[2]);
void pair_tcp(int fds[2]);
/* A listening TCP socket, and a connection to it that is not accepted. */
int listen_tcp(void);
int connect_tcp(int listener);

/* Raises the limit of files to @count or skips: false. */
bool may_have_files(unsigned count);

/* Runs the suite's tests for each backend that can be had; main()'s result. */
int run_for_backends(const char *name, const TTest *const *tests);

#endif
