/*
 * test_guest_log.c - the lines that an invocation logs: all of them arrive, in order
 * and at the right time, for as few exits as possible; and lines that make no sense do
 * no harm.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/guest_log.h"
#include "tests/contract/support/guests.h"
#include "vm/poll.h"

static struct thaw *open_entry(const char *entry)
{
	char more[128];

	snprintf(more, sizeof(more), "\"entry\":\"%s\"", entry);
	return open_guest("auto", "edges", more);
}

static void ask(struct thaw *thaw, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", number);
	call_once(thaw, "edges", text);
}

START_TEST(log_lines_are_cut_at_1023)
{
	struct thaw *thaw = open_entry("log_at_length");
	static const unsigned lengths[][2] = {
		{ 0, 0 },	{ 1022, 1022 }, { 1023, 1023 },
		{ 1024, 1023 }, { 2000, 1023 },
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		ask(thaw, lengths[i][0]);
		ck_assert_uint_eq(logged.size, lengths[i][1]);
		ck_assert_str_eq(logged.text, repeat('l', lengths[i][1]));
	}
	thaw_close(thaw);
}
END_TEST

#define EURO "\xe2\x82\xac"

/* Copies @text; "l5" and "u5" stand for five letters, and characters, in a row. */
static char *put_runs(char *to, const char *text)
{
	while (*text) {
		size_t letters = strspn(text, "l"), euros = 0;

		while (!strncmp(text + euros * 3, EURO, 3))
			euros++;
		if (letters > 1)
			to += sprintf(to, "l%zu", letters);
		else if (euros)
			to += sprintf(to, "u%zu", euros);
		else
			*to++ = *text;
		text += letters > 1 ? letters : euros ? euros * 3 : 1;
	}
	*to = '\0';
	return to;
}

/* Appends "LEVEL:TEXT;". The backtrace of a fault is not the function's. */
static void collect(void *cookie, const char *function, enum thaw_level level,
		    const char *text, size_t size)
{
	char *to = (char *)cookie + strlen(cookie);

	(void)function;
	ck_assert_uint_eq(strlen(text), size);
	if (is_backtrace(level, text))
		return;
	to += sprintf(to, "%d:", (int)level);
	strcpy(put_runs(to, text), ";");
}

/* What write_lines does, what it logs, and how that ends. */
static const struct {
	const char *request;
	const char *lines;
	const char *outcome;
} writes[] = {
	{ "l5nel6n", "2:l5;1:l6;", "" },
	{ "m2l5nel6nm1", "3:line 0;3:line 1;2:l5;1:l6;3:line 0;", "" },
	{ "nnl1n", "2:;2:;2:l;", "" },
	/* the longest line, and one that is longer: it is cut */
	{ "l1022n", "2:l1022;", "" },
	{ "l1023n", "2:l1023;", "" },
	{ "l1024nl1n", "2:l1023;2:l;", "" },
	{ "el4000nl1n", "1:l1023;1:l;", "" },
	/* a character is not cut in half */
	{ "u0n", "2:u341;", "" },
	{ "u1n", "2:lu340;", "" },
	{ "u2n", "2:l2u340;", "" },
	{ "u3n", "2:l3u340;", "" },
	{ "L0", "0:u341;", "" },
	{ "L1", "0:lu340;", "" },
	{ "L2", "0:l2u340;", "" },
	{ "X1", "", "Test.Ended: lu340" },
	{ "X3", "", "Test.Ended: l3u340" },
	/* after a flush, the rest is a line of its own */
	{ "l5fn", "2:l5;", "" },
	{ "l5ffnl1n", "2:l5;2:l;", "" },
	{ "l5fl6n", "2:l5;2:l6;", "" },
	{ "fFnl5Fnn", "2:;2:l5;2:;", "" },
	{ "l2000fl1n", "2:l1023;2:l;", "" },
	/* the function ends the invocation itself */
	{ "l5el6", "2:l5;1:l6;", "" },
	{ "l5A", "2:l5;", "Runtime.Abort: *" },
	{ "m1l5nel6l7A", "3:line 0;2:l5;1:l13;", "Runtime.Abort: *" },
	{ "m1l5nel6X1", "3:line 0;2:l5;1:l6;", "Test.Ended: lu340" },
	/* and the host ends it */
	{ "l5P8", "2:l5;", "Runtime.Fault: *" },
	{ "l5nl6el7P8", "2:l5;2:l6;1:l7;", "Runtime.Fault: *" },
	{ "l5fel7P8", "2:l5;1:l7;", "Runtime.Fault: *" },
	{ "el2000P8", "1:l1023;", "Runtime.Fault: *" },
	{ "u0P8", "2:u341;", "Runtime.Fault: *" },
	/* unfinished lines follow the complete ones */
	{ "l5el6nm1P8", "1:l6;3:line 0;2:l5;", "Runtime.Fault: *" },
	{ "l5el6nm1S", "1:l6;3:line 0;2:l5;", "Sandbox.Timedout: *" },
	{ "l5el6nm1B", "1:l6;3:line 0;2:l5;", "Runtime.ProtocolError: *" },
	{ "l5nl6el7nZ", "2:l5;1:l7;2:l6;", "Sandbox.Timedout: *" },
	{ "el7S", "1:l7;", "Sandbox.Timedout: *" },
	{ "l5el7Z", "2:l5;1:l7;", "Sandbox.Timedout: *" },
	{ "el7B", "1:l7;", "Runtime.ProtocolError: *" },
};

/* The lines and the end of it, in @ret_lines and @ret_end. */
static void write_lines(struct thaw *thaw, const char *text,
			uint64_t timeout_ns, char *ret_lines, char *ret_end)
{
	const struct thaw_invoke_request request = {
		.data = text,
		.size = strlen(text),
		.timeout_ns = timeout_ns,
		.log = collect,
		.log_cookie = ret_lines,
	};
	struct thaw_reply reply;

	*ret_lines = '\0';
	ck_assert_int_eq(thaw_invoke(thaw, "edges", &request, NULL, &reply), 0);
	put_runs(ret_end, outcome(&reply));
	thaw_reply_release(&reply);
}

static void check_write(struct thaw *thaw, size_t i)
{
	const bool is_ended = *writes[i].outcome == 'S';
	uint64_t timeout_ns = is_ended ? 20 * NS_PER_MS : 0;
	char lines[8192], end[2048];

	/* a slow machine may not reach the line in so short a time */
	do {
		write_lines(thaw, writes[i].request, timeout_ns, lines, end);
		timeout_ns *= 8;
	} while (is_ended && !*lines && timeout_ns < 10 * NS_PER_S);
	ck_assert_msg(!strcmp(lines, writes[i].lines), "%s: lines %s",
		      writes[i].request, lines);
	ck_assert_msg(!fnmatch(writes[i].outcome, end, 0), "%s: %s",
		      writes[i].request, end);
}

START_TEST(a_line_is_logged_however_it_ends)
{
	struct thaw *thaw =
		open_guest(backends[_i], "edges",
			   "\"entry\":\"write_lines\",\"log_level\":\"debug\"");

	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		check_write(thaw, i);
	thaw_close(thaw);
}
END_TEST

/* Longer than the invocation may take. */
static void collect_late(void *cookie, const char *function,
			 enum thaw_level level, const char *text, size_t size)
{
	collect(cookie, function, level, text, size);
	usleep(600000);
}

START_TEST(a_line_that_is_logged_at_the_deadline_is_logged_once)
{
	static const char *const requests[] = { "l5nFl6n", "l5Fl6n", "l5fl6n" };
	struct thaw *thaw =
		open_guest("auto", "edges",
			   "\"entry\":\"write_lines\",\"log_level\":\"debug\"");
	char lines[64] = "";
	const struct thaw_invoke_request request = {
		.data = requests[_i],
		.size = strlen(requests[_i]),
		.timeout_ns = 500 * NS_PER_MS,
		.log = collect_late,
		.log_cookie = lines,
	};
	struct thaw_reply reply;

	ck_assert_int_eq(thaw_invoke(thaw, "edges", &request, NULL, &reply), 0);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	ck_assert_str_eq(lines, "2:l5;");
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_log_line_of_any_size_is_taken_safely)
{
	struct thaw *thaw = open_entry("log_unchecked");
	static const unsigned sizes[] = { 1023, 1024, 1025 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ask(thaw, sizes[i]);
		ck_assert_uint_eq(logged.lines, i + 1);
		ck_assert_int_eq(logged.level, THAW_LOG_WARN);
		ck_assert_str_eq(logged.text,
				 repeat('?', sizes[i] < 1024 ? 1023 : 1024));
	}
	ask(thaw, UINT32_MAX);
	ck_assert_uint_eq(logged.lines, 3);
	thaw_close(thaw);
}
END_TEST

START_TEST(an_invocation_may_log_only_so_much)
{
	struct thaw *thaw = open_entry("log_lines");

	ask(thaw, 1000);
	ck_assert_uint_eq(logged.lines, 1000);
	ck_assert_str_eq(logged.text, "line 999");
	ask(thaw, 1500);
	ck_assert_uint_eq(logged.lines, 2001);
	ck_assert_str_eq(logged.text,
			 "more than 1000 log lines: the rest is dropped");
	thaw_close(thaw);
}
END_TEST

/* Exits of an invocation of write_lines beyond the one that ends it. */
static unsigned more_exits(struct thaw *thaw, const char *text)
{
	struct thaw_reply reply;
	unsigned exits;

	call(thaw, "edges", text, 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	exits = reply.exits;
	if (!invoke_state(&reply)->is_polled)
		exits--;
	thaw_reply_release(&reply);
	return exits;
}

START_TEST(sixteen_lines_cost_no_exit)
{
	struct thaw *thaw =
		open_guest(backends[_i], "edges",
			   "\"entry\":\"write_lines\",\"log_level\":\"debug\"");

	for (int round = 0; round < 3; round++) {
		logged.lines = 0;
		ck_assert_uint_eq(more_exits(thaw, ""), 0);
		ck_assert_uint_eq(logged.lines, 0);
		ck_assert_uint_eq(more_exits(thaw, "m16"), 0);
		ck_assert_uint_eq(logged.lines, 16);
		/* and the unfinished ones cost none either */
		ck_assert_uint_eq(more_exits(thaw, "m5l5nel6nl7"), 0);
		ck_assert_uint_eq(logged.lines, 24);
	}
	thaw_close(thaw);
}
END_TEST

/* fflush() sends what there is, whichever stream it is for, and nothing else. */
START_TEST(a_flush_costs_an_exit_if_there_is_a_line)
{
	static const struct {
		const char *request;
		unsigned exits;
	} flushes[] = {
		{ "f", 0 },    { "F", 0 },    { "l5f", 1 },
		{ "l5F", 1 },  { "l5nf", 1 }, { "m3f", 1 },
		{ "m3ef", 1 }, { "m3ff", 1 }, { "m3fm1f", 2 },
	};
	struct thaw *thaw =
		open_guest(backends[_i], "edges",
			   "\"entry\":\"write_lines\",\"log_level\":\"debug\"");

	for (size_t i = 0; i < sizeof(flushes) / sizeof(*flushes); i++)
		ck_assert_msg(more_exits(thaw, flushes[i].request) ==
				      flushes[i].exits,
			      "%s", flushes[i].request);
	thaw_close(thaw);
}
END_TEST

#define LONGEST (sizeof(struct thaw_log_line) + THAW_LOG_MAX)

/* Fillings of the memory for @count lines as long as the request says. */
static unsigned fillings(unsigned count, size_t size)
{
	const size_t room = (sizeof(struct thaw_log_line) + size + 7) / 8 * 8;
	unsigned exits = 0;
	size_t used = 0;

	while (count--) {
		if (used > THAW_LOG_SIZE - LONGEST) {
			exits++;
			used = 0;
		}
		used += room;
	}
	return exits;
}

START_TEST(more_lines_than_the_memory_holds_cost_an_exit_per_filling)
{
	static const unsigned counts[] = { 15, 16, 17, 30, 31, 45, 46 };
	struct thaw *thaw =
		open_guest(backends[_i], "edges",
			   "\"entry\":\"write_lines\",\"log_level\":\"debug\"");
	char request[512] = "", *to;

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		to = request;
		for (unsigned n = 0; n < counts[i]; n++)
			to = stpcpy(to, "l1023n");
		logged.lines = 0;
		ck_assert_uint_eq(more_exits(thaw, request),
				  (counts[i] - 1) / 15);
		ck_assert_uint_eq(fillings(counts[i], 1023),
				  (counts[i] - 1) / 15);
		ck_assert_uint_eq(logged.lines, counts[i]);
		ck_assert_uint_eq(logged.size, 1023);
	}
	/* "line 1": 16 bytes of the memory, so that there is room for 960 */
	ck_assert_uint_eq(fillings(960, 6), 0);
	ck_assert_uint_eq(more_exits(thaw, "w960"), 0);
	ck_assert_uint_eq(more_exits(thaw, "w961"), fillings(961, 6));
	ck_assert_uint_eq(fillings(961, 6), 1);
	thaw_close(thaw);
}
END_TEST

/* Bytes of the memory, and of a line's text, at and about every boundary. */
static const uint32_t wild_used[] = {
	0,  1,	  7,	8,    9,     15,    16,	   17,	  23,	      24,
	25, 1031, 1032, 1033, 16376, 16383, 16384, 16385, 0x80000000, UINT32_MAX
};
static const uint32_t wild_sizes[] = {
	0,	    1,		7,	   8,	       9,	   1023,
	1024,	    1025,	1032,	   16367,      16368,	   16375,
	16376,	    16377,	16384,	   0x7fffffff, 0x80000000, 0xfffffff0,
	0xfffffff8, 0xfffffff9, UINT32_MAX
};

/* Lines that there are in so much memory, all of it the head of such a line. */
static unsigned count_lines(uint32_t used, uint32_t size)
{
	uint64_t at = 0;
	unsigned lines = 0;

	if (used > THAW_LOG_SIZE)
		used = THAW_LOG_SIZE;
	while (at + sizeof(struct thaw_log_line) + size <= used) {
		at += (sizeof(struct thaw_log_line) + size + 7) / 8 * 8;
		lines++;
	}
	return lines <= GUEST_LOG_LINES_MAX ? lines : GUEST_LOG_LINES_MAX + 1;
}

static void expect_lines(struct thaw *thaw, uint32_t used, uint32_t size,
			 uint32_t level, char end)
{
	const unsigned wanted = count_lines(used, size);
	char text[64];

	logged.lines = 0;
	logged.size = 0;
	snprintf(text, sizeof(text), "%u %u %u %c", used, size, level, end);
	call_once(thaw, "edges", text);
	ck_assert_msg(logged.lines == wanted, "%s: %u lines, not %u", text,
		      logged.lines, wanted);
	if (wanted && wanted <= GUEST_LOG_LINES_MAX) {
		ck_assert_uint_eq(logged.size,
				  size < THAW_LOG_MAX ? size : THAW_LOG_MAX);
		ck_assert_int_eq(logged.level, level <= THAW_LOG_DEBUG ?
						       level :
						       THAW_LOG_ERROR);
	}
}

START_TEST(lines_that_make_no_sense_do_no_harm)
{
	const size_t uses = sizeof(wild_used) / sizeof(*wild_used);
	const size_t sizes = sizeof(wild_sizes) / sizeof(*wild_sizes);
	static const char ends[] = "LDP";
	struct thaw *thaw =
		open_guest(backends[_i], "edges",
			   "\"entry\":\"log_raw\",\"log_level\":\"debug\"");

	for (const char *end = ends; *end; end++)
		for (size_t i = 0; i < uses * sizes; i++)
			expect_lines(thaw, wild_used[i / sizes],
				     wild_sizes[i % sizes], THAW_LOG_WARN,
				     *end);
	for (uint32_t level = 0; level < 6; level++)
		expect_lines(thaw, 64, 24, level, 'L');
	expect_lines(thaw, 64, 24, UINT32_MAX, 'L');
	thaw_close(thaw);
}
END_TEST

static void count_sound(void *cookie, const char *function,
			enum thaw_level level, const char *text, size_t size)
{
	(void)function;
	ck_assert_uint_le(level, THAW_LOG_DEBUG);
	ck_assert_uint_le(size, THAW_LOG_MAX);
	ck_assert_uint_eq(strlen(text), size);
	++*(unsigned *)cookie;
}

/*
 * A cooperative function that goes on after its end. What it then writes is its own
 * harm, so memory is not compared.
 */
static struct thaw *open_liar(void)
{
	static const struct engine_options options = {
		.poll_wait_ns = POLL_WAIT_MAX_NS,
	};
	char text[512];
	struct thaw_error error;
	struct thaw *thaw;

	snprintf(text, sizeof(text),
		 "{\"functions\":[{\"name\":\"edges\",\"image\":"
		 "\"%s/edges.elf\",\"entry\":\"log_lie\",\"dispatch\":"
		 "\"polled\",\"isolation\":\"cooperative\","
		 "\"memory\":\"4MiB\"}]}",
		 TEST_GUESTS);
	ck_assert_msg(!engine_open_text(text, strlen(text), "test.json",
					&options, &error, &thaw),
		      "%s", error.message);
	return thaw;
}

START_TEST(lines_that_change_while_they_are_read_do_no_harm)
{
	struct thaw *thaw;
	unsigned lines, believed = 0;
	const struct thaw_invoke_request request = {
		.timeout_ns = 50 * NS_PER_MS,
		.log = count_sound,
		.log_cookie = &lines,
	};
	struct thaw_reply reply;

	if (backend_count() < 4) {
		printf("skip: changing lines: nothing is polled here\n");
		return;
	}
	thaw = open_liar();
	for (int i = 0; i < 40; i++) {
		lines = 0;
		ck_assert_int_eq(thaw_invoke(thaw, "edges", &request, NULL,
					     &reply),
				 0);
		believed += reply.result == THAW_OK;
		/* and two of thaw's: that there were more, and a backtrace */
		ck_assert_uint_le(lines, GUEST_LOG_LINES_MAX + 2);
		thaw_reply_release(&reply);
	}
	ck_assert_uint_ge(believed, 1);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest_log");
	TCase *group = tcase_create("guest_log");
	const int count = backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_test(group, log_lines_are_cut_at_1023);
	tcase_add_loop_test(group, a_line_is_logged_however_it_ends, 0, count);
	tcase_add_loop_test(group,
			    a_line_that_is_logged_at_the_deadline_is_logged_once,
			    0, 3);
	tcase_add_test(group, a_log_line_of_any_size_is_taken_safely);
	tcase_add_test(group, an_invocation_may_log_only_so_much);
	tcase_add_loop_test(group, sixteen_lines_cost_no_exit, 0, count);
	tcase_add_loop_test(group, a_flush_costs_an_exit_if_there_is_a_line, 0,
			    count);
	tcase_add_loop_test(
		group,
		more_lines_than_the_memory_holds_cost_an_exit_per_filling, 0,
		count);
	tcase_add_loop_test(group, lines_that_make_no_sense_do_no_harm, 0,
			    count);
	tcase_add_test(group, lines_that_change_while_they_are_read_do_no_harm);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
