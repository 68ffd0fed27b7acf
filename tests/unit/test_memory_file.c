/* test_memory_file.c - sealing waits for whoever holds a page, and for no writer */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "snapshot/memory_file.h"

#define SIZE (64u << 10)
/* Longer than the kernel itself waits, 155 ms on a kernel of 250 Hz. */
#define HOLD_US 700000

static int fd;
static int ends[2]; /* of a pipe that holds a page of fd */

static void set_up(void)
{
	fd = memory_file_create(SIZE);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pipe(ends), 0);
}

static void tear_down(void)
{
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void *map(int protection)
{
	void *memory = mmap(NULL, SIZE, protection, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

/* The pipe refers to the page itself, not to a copy. */
static void hold_page(void)
{
	struct iovec page = { map(PROT_READ | PROT_WRITE), 4096 };

	memset(page.iov_base, 'x', page.iov_len);
	ck_assert_int_eq(vmsplice(ends[1], &page, 1, 0), 4096);
	munmap(page.iov_base, SIZE);
}

static void *let_go(void *unused)
{
	char bytes[4096];

	usleep(HOLD_US);
	ck_assert_int_eq(read(ends[0], bytes, sizeof(bytes)), 4096);
	return unused;
}

static void assert_sealed(void)
{
	ck_assert_int_eq(pwrite(fd, "y", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, SIZE / 2), -1);
	ck_assert_int_eq(ftruncate(fd, SIZE * 2), -1);
	ck_assert_ptr_eq(mmap(NULL, SIZE, PROT_WRITE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	ck_assert_int_eq(errno, EPERM);
}

START_TEST(test_sealed)
{
	munmap(map(PROT_READ | PROT_WRITE), SIZE);
	ck_assert_int_eq(memory_file_seal(fd), 0);
	assert_sealed();
}
END_TEST

START_TEST(test_held_for_a_while)
{
	pthread_t thread;

	hold_page();
	ck_assert_int_eq(pthread_create(&thread, NULL, let_go, NULL), 0);
	ck_assert_int_eq(memory_file_seal(fd), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	assert_sealed();
}
END_TEST

START_TEST(test_writer_left)
{
	char *memory = map(PROT_READ | PROT_WRITE);

	ck_assert_int_eq(memory_file_seal(fd), -EBUSY);
	memory[0] = 'w';
	munmap(memory, SIZE);
	ck_assert_int_eq(memory_file_seal(fd), 0);
}
END_TEST

START_TEST(test_no_file)
{
	ck_assert_int_eq(memory_file_seal(-1), -EBADF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory_file");
	TCase *tcase = tcase_create("memory_file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_sealed);
	tcase_add_test(tcase, test_held_for_a_while);
	tcase_add_test(tcase, test_writer_left);
	tcase_add_test(tcase, test_no_file);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
