/* test_log.c - the log's ring and its writer, whoever reads */
#include "executor/server/log/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define THREADS 4
#define LINES 3000
#define FLOOD 20000 /* lines, more than the ring and a pipe hold */

/* All that comes out of a pipe. */
struct reader {
	int fd;
	char *text;
	size_t size;
	bool slow;
	pthread_t thread;
};

static int ends[2];

static void make_pipe(int flags)
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | flags), 0);
}

static void start(enum log_format format, enum thaw_level level)
{
	struct error err = { "" };

	ck_assert_msg(!log_start(ends[1], format, level, &err), "%s",
		      err.message);
}

static void *read_all(void *cookie)
{
	struct reader *reader = cookie;
	char part[3000];

	for (;;) {
		struct pollfd ready = { .fd = reader->fd, .events = POLLIN };
		ssize_t size;

		poll(&ready, 1, -1);
		size = read(reader->fd, part, sizeof(part));
		if (size <= 0)
			break;
		reader->text =
			realloc(reader->text, reader->size + (size_t)size + 1);
		memcpy(reader->text + reader->size, part, (size_t)size);
		reader->size += (size_t)size;
		reader->text[reader->size] = 0;
		if (reader->slow)
			usleep(200);
	}
	return NULL;
}

static void reader_start(struct reader *reader)
{
	reader->fd = ends[0];
	ck_assert_int_eq(pthread_create(&reader->thread, NULL, read_all,
					reader),
			 0);
}

/* Stops the log and ends the pipe. */
static void reader_finish(struct reader *reader)
{
	log_stop();
	close(ends[1]);
	pthread_join(reader->thread, NULL);
	close(ends[0]);
	if (!reader->text)
		reader->text = calloc(1, 1);
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		found++;
	return found;
}

/* What all the lines about lost ones say. */
static uint64_t count_announced(const char *text)
{
	static const char mark[] = "warn log lines dropped lines=";
	uint64_t lost = 0;

	while ((text = strstr(text, mark))) {
		text += strlen(mark);
		lost += strtoull(text, NULL, 10);
	}
	return lost;
}

static uint64_t cpu_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

START_TEST(lines_arrive_in_order_and_only_between_start_and_stop)
{
	struct reader reader = { .text = NULL };
	const char *first, *second;

	make_pipe(0);
	ck_assert(!log_wants(THAW_LOG_ERROR));
	log_write(THAW_LOG_ERROR, "early");
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	reader_start(&reader);
	ck_assert(log_wants(THAW_LOG_INFO));
	ck_assert(!log_wants(THAW_LOG_DEBUG));
	log_write(THAW_LOG_INFO, "first", LOG_FIELD("a", "b"));
	log_write(THAW_LOG_DEBUG, "quiet");
	log_write(THAW_LOG_ERROR, "second");
	reader_finish(&reader);
	log_write(THAW_LOG_ERROR, "late");
	first = strstr(reader.text, "Z info first a=b\n");
	second = strstr(reader.text, "Z error second\n");
	ck_assert(first && second && first < second);
	ck_assert_uint_eq(count(reader.text, "\n"), 2);
	ck_assert_uint_eq(log_dropped(), 0);
	free(reader.text);
}
END_TEST

START_TEST(the_log_is_started_once_and_may_be_started_again)
{
	struct reader reader = { .text = NULL };
	struct error err;

	make_pipe(0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	ck_assert_int_eq(log_start(ends[1], LOG_FORMAT_TEXT, THAW_LOG_INFO,
				   &err),
			 -EBUSY);
	log_stop();
	log_stop();
	start(LOG_FORMAT_JSON, THAW_LOG_ERROR);
	reader_start(&reader);
	log_write(THAW_LOG_ERROR, "again");
	reader_finish(&reader);
	ck_assert_ptr_nonnull(
		strstr(reader.text,
		       "\"level\":\"error\",\"msg\":\"again\"}\n"));
	free(reader.text);
}
END_TEST

static void *write_lines(void *cookie)
{
	for (uint64_t i = 0; i < LINES; i++) {
		log_write(THAW_LOG_INFO, "line", LOG_FIELD("thread", cookie),
			  LOG_NUMBER("i", i), LOG_FIELD("end", "end"));
		if (i % 64 == 0)
			usleep(1000);
	}
	return NULL;
}

static void write_from_threads(void)
{
	static const char *const names[THREADS] = { "a", "b", "c", "d" };
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines,
						(void *)names[i]),
				 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* A descriptor that blocks, or one that has to be asked again. */
START_TEST(lines_of_many_threads_are_whole_and_all_accounted_for)
{
	struct reader reader = { .slow = true };
	size_t lines;

	make_pipe(_i ? O_NONBLOCK : 0);
	ck_assert_int_gt(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	reader_start(&reader);
	write_from_threads();
	reader_finish(&reader);
	lines = count(reader.text, " info line thread=");
	ck_assert_uint_eq(lines, count(reader.text, " end=end\n"));
	ck_assert_uint_eq(lines + log_dropped(), THREADS * LINES);
	ck_assert_uint_eq(count_announced(reader.text), log_dropped());
	free(reader.text);
}
END_TEST

static void flood(void)
{
	for (uint64_t i = 0; i < FLOOD; i++)
		log_write(THAW_LOG_INFO, "flood", LOG_NUMBER("i", i),
			  LOG_FIELD("end", "end"));
}

START_TEST(nobody_waits_for_who_does_not_read_and_losses_are_announced)
{
	struct reader reader = { .text = NULL };
	uint64_t begin, used, took;
	size_t lines;

	make_pipe(_i ? O_NONBLOCK : 0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	begin = clock_now_ns();
	flood();
	took = clock_now_ns() - begin;
	/* formatting takes a microsecond or two; waiting would take forever */
	ck_assert_uint_lt(took, 10 * NS_PER_S);
	ck_assert_uint_gt(log_dropped(), FLOOD / 4);

	/* and the writer does not spin meanwhile */
	used = cpu_ns();
	usleep(500000);
	used = cpu_ns() - used;
	ck_assert_uint_lt(used, 100 * NS_PER_MS);

	/* it is said when there is room, without another line */
	reader_start(&reader);
	usleep(300000);
	log_write(THAW_LOG_INFO, "after");
	reader_finish(&reader);
	lines = count(reader.text, " end=end\n");
	ck_assert_uint_eq(lines + log_dropped(), FLOOD);
	ck_assert_uint_eq(count_announced(reader.text), log_dropped());
	ck_assert_ptr_nonnull(strstr(strstr(reader.text, "log lines dropped"),
				     " info after\n"));
	free(reader.text);
}
END_TEST

START_TEST(stopping_waits_a_second_for_the_reader_and_no_longer)
{
	uint64_t begin;
	int size;

	make_pipe(_i ? O_NONBLOCK : 0);
	/* 16 pages, whatever those are here */
	size = fcntl(ends[1], F_GETPIPE_SZ);
	ck_assert_int_gt(size, 0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	flood();
	begin = clock_now_ns();
	log_stop();
	ck_assert_uint_gt(clock_now_ns() - begin, LOG_STOP_NS / 2);
	ck_assert_uint_lt(clock_now_ns() - begin, 3 * LOG_STOP_NS);
	/* only what the pipe holds was not lost */
	ck_assert_uint_gt(log_dropped(), FLOOD - (unsigned)size / 40);
}
END_TEST

/* As if the reader had gone: 0: EPIPE; 1: closed; 2: not for writing. */
static void spoil(int how)
{
	make_pipe(0);
	if (how == 0) {
		close(ends[0]);
	} else if (how == 1) {
		close(ends[1]);
	} else {
		close(ends[1]);
		ends[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(ends[1], 0);
	}
}

START_TEST(a_descriptor_that_fails_costs_the_lines_and_nothing_else)
{
	uint64_t begin, used;

	spoil(_i);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	for (int i = 0; i < 3; i++) {
		log_write(THAW_LOG_INFO, "lost");
		usleep(20000);
	}
	used = cpu_ns();
	usleep(300000);
	used = cpu_ns() - used;
	ck_assert_uint_lt(used, 100 * NS_PER_MS);
	flood();
	begin = clock_now_ns();
	log_stop();
	ck_assert_uint_lt(clock_now_ns() - begin, 3 * LOG_STOP_NS);
	ck_assert_uint_eq(log_dropped(), FLOOD + 3);
}
END_TEST

START_TEST(a_descriptor_that_works_again_gets_the_count)
{
	struct reader reader = { .text = NULL };

	make_pipe(0);
	/* a pipe whose reader has gone, for a while in the place of this one */
	{
		int good = fcntl(ends[1], F_DUPFD_CLOEXEC, 0), broken[2];

		ck_assert_int_eq(pipe2(broken, O_CLOEXEC), 0);
		close(broken[0]);
		ck_assert_int_ge(dup3(broken[1], ends[1], O_CLOEXEC), 0);
		start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
		log_write(THAW_LOG_INFO, "lost");
		for (int i = 0; i < 500 && !log_dropped(); i++)
			usleep(10000);
		ck_assert_uint_eq(log_dropped(), 1);
		ck_assert_int_ge(dup3(good, ends[1], O_CLOEXEC), 0);
		close(good);
		close(broken[1]);
	}
	reader_start(&reader);
	log_write(THAW_LOG_INFO, "kept");
	reader_finish(&reader);
	ck_assert_ptr_nonnull(strstr(reader.text, "info kept\n"));
	ck_assert_ptr_nonnull(
		strstr(reader.text, "log lines dropped lines=1 total=1\n"));
	ck_assert_uint_eq(count(reader.text, "\n"), 2);
	free(reader.text);
}
END_TEST

static volatile sig_atomic_t handled_elsewhere;

static void handle(int signal)
{
	char name[16] = "";

	(void)signal;
	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (!strcmp(name, "thaw-log"))
		handled_elsewhere = 1;
}

START_TEST(signals_are_not_for_the_writer)
{
	struct sigaction action = { .sa_handler = handle };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	make_pipe(0);
	sigaction(SIGUSR1, &action, NULL);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	/* nobody but the writer could take it */
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	kill(getpid(), SIGUSR1);
	usleep(100000);
	ck_assert(!handled_elsewhere);
	log_stop();
	ck_assert(!handled_elsewhere);
}
END_TEST

/* Takes @count lines at @now_ns. */
static void take_lines(struct log_limit *limit, unsigned count, uint64_t now_ns)
{
	for (unsigned i = 0; i < count; i++)
		ck_assert(log_limit_take(limit, now_ns));
	ck_assert(!log_limit_take(limit, now_ns));
}

START_TEST(a_limit_lets_a_burst_through_and_then_so_many_a_second)
{
	struct log_limit limit = { .per_second = 10, .burst = 3 };
	uint64_t now = 5 * NS_PER_S;

	take_lines(&limit, 3, now);
	ck_assert(!log_limit_take(&limit, now + 99 * NS_PER_MS));
	ck_assert(log_limit_take(&limit, now + 100 * NS_PER_MS));
	ck_assert(!log_limit_take(&limit, now + 150 * NS_PER_MS));
	/* what is left of a step counts for the next */
	take_lines(&limit, 1, now + 200 * NS_PER_MS);
	/* after a pause a burst again, and no more */
	now += 3600 * NS_PER_S;
	take_lines(&limit, 3, now);
	/* a clock that another thread read before */
	ck_assert(!log_limit_take(&limit, now - 1));
	take_lines(&limit, 3, now + NS_PER_S);
}
END_TEST

START_TEST(limits_of_one_and_of_anything_are_limits)
{
	struct log_limit one = { .per_second = 1, .burst = 1 };
	struct log_limit none = { .per_second = 10, .burst = 0 };
	struct log_limit any = { .per_second = UINT32_MAX, .burst = 1 };

	take_lines(&one, 1, 1);
	ck_assert(!log_limit_take(&one, NS_PER_S));
	take_lines(&one, 1, NS_PER_S + 1);
	ck_assert(!log_limit_take(&none, 1));
	ck_assert(!log_limit_take(&none, NS_PER_S));
	for (uint64_t i = 1; i < 100; i++)
		ck_assert(log_limit_take(&any, i));
}
END_TEST

/* The sum of "lines=N" in the lines that tell what @cause has lost. */
static uint64_t count_told(const char *text, const char *cause)
{
	uint64_t sum = 0;
	char mark[128];

	snprintf(mark, sizeof(mark),
		 "warn log lines dropped cause=%s lines=", cause);
	while ((text = strstr(text, mark))) {
		text += strlen(mark);
		sum += strtoull(text, NULL, 10);
	}
	return sum;
}

static unsigned count_lines_of(const char *text, const char *message)
{
	unsigned count = 0;

	while ((text = strstr(text, message))) {
		count++;
		text++;
	}
	return count;
}

static void write_limited(struct log_limit *limit, unsigned count)
{
	while (count--)
		if (log_may(limit, THAW_LOG_INFO))
			log_write(THAW_LOG_INFO, "flood",
				  LOG_FIELD("of", limit->cause));
}

/* One each: of nobody's, of a function's, and one with nothing lost. */
START_TEST(lost_lines_are_told_without_another_line)
{
	struct log_limit mine = LOG_LIMIT_OF("mine");
	struct log_limit its = {
		.per_second = 1, .burst = 5, .cause = "its", .function = "hello"
	};
	struct log_limit good = LOG_LIMIT_OF("good");
	struct reader reader = { 0 };

	make_pipe(0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	reader_start(&reader);
	write_limited(&mine, LOG_LIMIT_BURST + 1);
	write_limited(&its, 7);
	write_limited(&good, 1);
	ck_assert_uint_eq(log_dropped(), 3);
	/* by itself, while nobody writes */
	while (mine.lost || its.lost)
		usleep(1000);
	log_write(THAW_LOG_INFO, "the next", LOG_NUMBER("n", 1));
	reader_finish(&reader);
	ck_assert_uint_eq(count_lines_of(reader.text, "info flood of=mine"),
			  LOG_LIMIT_BURST);
	ck_assert_uint_eq(count_lines_of(reader.text, "info flood of=its"), 5);
	ck_assert_uint_eq(count_told(reader.text, "mine"), 1);
	ck_assert_ptr_nonnull(strstr(
		reader.text,
		"warn log lines dropped cause=its lines=2 function=hello\n"));
	ck_assert_uint_eq(count_told(reader.text, "good"), 0);
	ck_assert_ptr_nonnull(
		strstr(strstr(reader.text, "log lines dropped"), "the next"));
	free(reader.text);
}
END_TEST

START_TEST(what_is_lost_is_told_at_the_end_and_before_a_limit_goes)
{
	struct log_limit goes = LOG_LIMIT_OF("goes");
	struct log_limit stays = LOG_LIMIT_OF("stays");
	struct reader reader = { 0 };

	make_pipe(0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	reader_start(&reader);
	write_limited(&stays, LOG_LIMIT_BURST + 2);
	write_limited(&goes, LOG_LIMIT_BURST + 3);
	log_limit_done(&goes);
	memset(&goes, 0xff, sizeof(goes));
	reader_finish(&reader);
	ck_assert_uint_eq(count_told(reader.text, "goes"), 3);
	ck_assert_uint_eq(count_told(reader.text, "stays"), 2);
	/* nothing is left of it for another start */
	log_limit_done(&stays);
	free(reader.text);
}
END_TEST

static struct log_limit shared = LOG_LIMIT_OF("shared");

static void *write_many(void *cookie)
{
	write_limited(&shared, LINES);
	return cookie;
}

START_TEST(a_limit_of_many_threads_loses_no_count)
{
	struct reader reader = { 0 };
	pthread_t threads[THREADS];

	make_pipe(0);
	start(LOG_FORMAT_TEXT, THAW_LOG_INFO);
	reader_start(&reader);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many,
						NULL),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	reader_finish(&reader);
	ck_assert_uint_eq(count_lines_of(reader.text, "info flood") +
				  count_told(reader.text, "shared"),
			  THREADS * LINES);
	ck_assert_uint_eq(count_told(reader.text, "shared"), log_dropped());
	free(reader.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests,
		       lines_arrive_in_order_and_only_between_start_and_stop);
	tcase_add_test(tests, the_log_is_started_once_and_may_be_started_again);
	tcase_add_loop_test(
		tests, lines_of_many_threads_are_whole_and_all_accounted_for, 0,
		2);
	tcase_add_loop_test(
		tests,
		nobody_waits_for_who_does_not_read_and_losses_are_announced, 0,
		2);
	tcase_add_loop_test(tests,
			    stopping_waits_a_second_for_the_reader_and_no_longer,
			    0, 2);
	tcase_add_loop_test(
		tests, a_descriptor_that_fails_costs_the_lines_and_nothing_else,
		0, 3);
	tcase_add_test(tests, a_descriptor_that_works_again_gets_the_count);
	tcase_add_test(tests, signals_are_not_for_the_writer);
	tcase_add_test(tests,
		       a_limit_lets_a_burst_through_and_then_so_many_a_second);
	tcase_add_test(tests, limits_of_one_and_of_anything_are_limits);
	tcase_add_test(tests, lost_lines_are_told_without_another_line);
	tcase_add_test(tests,
		       what_is_lost_is_told_at_the_end_and_before_a_limit_goes);
	tcase_add_test(tests, a_limit_of_many_threads_loses_no_count);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
