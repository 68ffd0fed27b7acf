/* test_linux_pipes.c - pipes and epoll entries of Linux programs, as tables. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/linux/epolls.h"
#include "executor/linux/pipes.h"

static struct pipes pipes, copy;
static struct epolls epolls, epolls_of_copy;

static void make_empty(void)
{
	pipes_done(&pipes);
	pipes_done(&copy);
	memset(&epolls, 0, sizeof(epolls));
	memset(&epolls_of_copy, 0, sizeof(epolls_of_copy));
}

static void expect_bytes(struct pipe *pipe, const char *bytes)
{
	size_t left = strlen(bytes), size;

	ck_assert_uint_eq(pipe->size, left);
	while (left) {
		const uint8_t *view = pipe_view(pipe, &size);

		ck_assert(!memcmp(view, bytes, size));
		pipe_take(pipe, size);
		bytes += size;
		left -= size;
	}
}

START_TEST(a_pipe_has_no_memory_before_it_is_written_to)
{
	int place;

	make_empty();
	place = pipes_add(&pipes);
	ck_assert_int_eq(place, 0);
	ck_assert_ptr_null(pipes.list[place].bytes);
	ck_assert_int_eq(pipe_put(&pipes.list[place], "ab", 2), 2);
	expect_bytes(&pipes.list[place], "ab");
	pipes_drop(&pipes, 0, true);
	ck_assert(pipes.list[place].is_used);
	pipes_drop(&pipes, 0, false);
	ck_assert(!pipes.list[place].is_used);
	ck_assert_uint_eq(pipes.capacity, 0);
}
END_TEST

/* The bytes lie across the end of the memory. */
START_TEST(a_copy_holds_the_same_bytes)
{
	static char bytes[PIPE_CAPACITY_MIN];
	struct pipe *pipe = &pipes.list[0];

	make_empty();
	ck_assert_int_eq(pipes_add(&pipes), 0);
	ck_assert_int_eq(pipes_resize(&pipes, 0, 1), PIPE_CAPACITY_MIN);
	ck_assert_int_eq(pipe_put(pipe, bytes, 4095), 4095);
	pipe_take(pipe, 4095);
	ck_assert_int_eq(pipe_put(pipe, "abcdef", 6), 6);
	ck_assert_int_eq(pipes_copy(&copy, &pipes), 0);
	expect_bytes(&copy.list[0], "abcdef");
	copy.is_changed = true;
	ck_assert_int_eq(pipes_copy(&copy, &pipes), 0);
	ck_assert_int_eq(pipes_resize(&copy, 0, 65536), 65536);
	expect_bytes(&copy.list[0], "abcdef");
	ck_assert_int_eq(pipes_copy(&copy, &pipes), 0);
	expect_bytes(&copy.list[0], "abcdef");
	expect_bytes(pipe, "abcdef");
}
END_TEST

START_TEST(what_has_not_changed_is_not_copied)
{
	const struct epoll_entry entry = { .epoll = 1, .file = 2, .fd = 3 };

	make_empty();
	ck_assert_int_eq(pipes_add(&pipes), 0);
	ck_assert_int_eq(pipe_put(&pipes.list[0], "ab", 2), 2);
	ck_assert_int_eq(epolls_add(&epolls, &entry), 0);
	ck_assert_int_eq(pipes_copy(&copy, &pipes), 0);
	epolls_copy(&epolls_of_copy, &epolls);
	/* a copy that is made again would have these put right */
	copy.list[0].size = 1;
	epolls_of_copy.list[0].fd = 4;
	ck_assert_int_eq(pipes_copy(&copy, &pipes), 0);
	epolls_copy(&epolls_of_copy, &epolls);
	ck_assert_uint_eq(copy.list[0].size, 1);
	ck_assert_uint_eq(epolls_of_copy.list[0].fd, 4);
}
END_TEST

START_TEST(all_pipes_together_have_a_limit)
{
	int count = 0;

	make_empty();
	while (pipes_add(&pipes) >= 0)
		count++;
	ck_assert_int_eq(count, PIPES_CAPACITY_MAX / PIPE_CAPACITY);
	ck_assert_int_eq(pipes_add(&pipes), -ENFILE);
	ck_assert_int_eq(pipes_resize(&pipes, 0, 65537), -EPERM);
	ck_assert_int_eq(pipes_resize(&pipes, 0, 65536), 65536);
	ck_assert_int_eq(pipes_resize(&pipes, 0, UINT64_MAX), -EINVAL);
	pipes_done(&pipes);
}
END_TEST

START_TEST(entries_go_with_their_files)
{
	struct epoll_entry entry = { .epoll = 1, .file = 2, .fd = 3 };

	make_empty();
	for (uint16_t fd = 0; fd < EPOLLS_MAX; fd++) {
		entry.file = fd % 2 ? 2 : 4;
		entry.fd = fd;
		ck_assert_int_eq(epolls_add(&epolls, &entry), 0);
	}
	ck_assert_int_eq(epolls_add(&epolls, &entry), -ENOSPC);
	ck_assert(epolls_is_watched(&epolls, 2));
	epolls_forget(&epolls, 2);
	ck_assert(!epolls_is_watched(&epolls, 2));
	ck_assert_uint_eq(epolls.count, EPOLLS_MAX / 2);
	ck_assert_ptr_null(epolls_find(&epolls, 1, 2, 3));
	epolls_remove(&epolls, epolls_find(&epolls, 1, 4, 2));
	ck_assert_ptr_null(epolls_find(&epolls, 1, 4, 2));
	ck_assert_ptr_nonnull(epolls_find(&epolls, 1, 4, 4));
	epolls_forget(&epolls, 1);
	ck_assert_uint_eq(epolls.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_pipes");
	TCase *tests = tcase_create("linux_pipes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_pipe_has_no_memory_before_it_is_written_to);
	tcase_add_test(tests, a_copy_holds_the_same_bytes);
	tcase_add_test(tests, what_has_not_changed_is_not_copied);
	tcase_add_test(tests, all_pipes_together_have_a_limit);
	tcase_add_test(tests, entries_go_with_their_files);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
