/* test_store_faults.c - snapshots are written whole or not at all, whatever happens */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

/* Far more steps than writing takes. */
#define STEPS_MAX 200

/* Which step goes wrong, from 1 on, and how. */
static struct {
	unsigned steps, at;
	int error; /* 0: the process is killed there */
	bool is_after;
} fault;

static bool is_next(void)
{
	return ++fault.steps == fault.at;
}

/* Before or after the call of @result: fails, or dies. */
#define STEP(call)                                    \
	({                                            \
		const bool is_it = is_next();         \
		__typeof__(call) result;              \
		if (is_it && fault.error) {           \
			errno = fault.error;          \
			result = -1;                  \
		} else {                              \
			if (is_it && !fault.is_after) \
				raise(SIGKILL);       \
			result = (call);              \
			if (is_it)                    \
				raise(SIGKILL);       \
		}                                     \
		result;                               \
	})

ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *name, int to, const char *other);
int __wrap_renameat(int from, const char *name, int to, const char *other);

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	return STEP(__real_pwrite(fd, bytes, size, offset));
}

int __wrap_ftruncate(int fd, off_t size)
{
	return STEP(__real_ftruncate(fd, size));
}

/* Called once, when a file has been written and does not have its name yet. */
static void (*before_name)(void);

int __wrap_fsync(int fd)
{
	void (*call)(void) = before_name;

	before_name = NULL;
	if (call)
		call();
	return STEP(__real_fsync(fd));
}

int __wrap_renameat(int from, const char *name, int to, const char *other)
{
	return STEP(__real_renameat(from, name, to, other));
}

static struct store *store;
static struct error err;

static void open_store(void)
{
	ck_assert_int_eq(store_open(store_fixture_path, STORE_SIZE_DEFAULT,
				    &err, &store),
			 0);
}

static void set_up(void)
{
	memset(&fault, 0, sizeof(fault));
	store_fixture_begin();
	open_store();
}

static void tear_down(void)
{
	store_close(store);
	store_fixture_end();
}

/* The old one is for another machine: the new one takes its place. */
static struct store_machine machine_of(const char *version)
{
	struct store_machine machine = store_fixture_machine;

	machine.features[0] += !strcmp(version, "old");
	return machine;
}

static int put(const char *version)
{
	const struct store_machine machine = machine_of(version);
	struct store_content content = store_fixture_content(1);

	content.version = version;
	return store_put(store, &machine, &content, &err);
}

/* Which of the versions is there, verified; "": none. */
static const char *found(void)
{
	static char version[STORE_VERSION_MAX + 1];
	const uint8_t key[STORE_KEY_SIZE] = { 1 };
	struct store_file file;
	int r = store_find(store, NULL, key, NULL, &err, &file);

	if (r == -ENOENT)
		return "";
	ck_assert_msg(r == 0, "%s", err.message);
	memcpy(version, file.header.version, STORE_VERSION_MAX);
	ck_assert_int_eq(store_file_verify(&file, NULL, &err), 0);
	store_file_close(&file);
	return version;
}

static unsigned count_temporary(void)
{
	DIR *stream = opendir(store_fixture_path);
	const struct dirent *entry;
	unsigned count = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		count += !strncmp(entry->d_name, STORE_TEMPORARY,
				  strlen(STORE_TEMPORARY));
	closedir(stream);
	return count;
}

/* Whether writing was killed at step @at; else it has been done before that. */
static bool put_and_die(unsigned at, bool is_after)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		fault.at = at;
		fault.steps = 0;
		fault.is_after = is_after;
		_exit(put("new") ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

START_TEST(a_writer_that_is_killed_leaves_the_old_file_or_the_new_one)
{
	const bool has_old = _i & 1, is_after = _i & 2;
	bool was_killed = true, is_new = false;
	unsigned at = 1;

	for (; was_killed; at++) {
		const char *version;

		ck_assert_uint_lt(at, STEPS_MAX);
		if (has_old)
			ck_assert_int_eq(put("old"), 0);
		else
			unlink(store_fixture_file(1, STORE_SUFFIX));
		was_killed = put_and_die(at, is_after);
		store_close(store);
		open_store();
		ck_assert_uint_eq(count_temporary(), 0);
		version = found();
		ck_assert_msg(!strcmp(version, "new") ||
				      (!is_new &&
				       !strcmp(version, has_old ? "old" : "")),
			      "step %u: %s", at, version);
		is_new = !strcmp(version, "new");
	}
	ck_assert(is_new);
	/* pages, the parts, the header, to the disk, the name, the directory */
	ck_assert_uint_ge(at, 9);
}
END_TEST

START_TEST(a_step_that_fails_leaves_the_old_file_or_the_new_one)
{
	static const int errors[] = { ENOSPC, EIO, EDQUOT };
	bool has_failed = true;
	unsigned at = 1;

	ck_assert_int_eq(put("old"), 0);
	for (; has_failed; at++) {
		const char *version;

		ck_assert_uint_lt(at, STEPS_MAX);
		fault.steps = 0;
		fault.at = at;
		fault.error = errors[_i];
		has_failed = put("new") != 0;
		if (has_failed)
			ck_assert_ptr_nonnull(
				strstr(err.message, strerror(errors[_i])));
		/* without what vouches for it, a file is verified again */
		has_failed = fault.steps >= at;
		fault.at = 0;
		ck_assert_uint_eq(count_temporary(), 0);
		version = found();
		ck_assert(!strcmp(version, "new") || !strcmp(version, "old"));
		if (!strcmp(version, "new") && has_failed)
			ck_assert_int_eq(put("old"), 0);
	}
	ck_assert_str_eq(found(), "new");
	ck_assert_uint_ge(at, 9);
}
END_TEST

static void put_other(void)
{
	struct store_content content = store_fixture_content(1);

	content.version = "other";
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &content,
				   &err),
			 0);
}

START_TEST(a_writer_that_was_faster_is_not_replaced)
{
	before_name = put_other;
	ck_assert_int_eq(put("new"), 0);
	ck_assert_str_eq(found(), "other");
	ck_assert_uint_eq(count_temporary(), 0);
	/* nothing is written when it is there at first */
	fault.steps = 0;
	ck_assert_int_eq(put("new"), 0);
	ck_assert_uint_eq(fault.steps, 0);
}
END_TEST

/* The first write of it fails: the disk is full. */
static int put_on_full_disk(uint8_t key, int error)
{
	const struct store_content content = store_fixture_content(key);
	int r;

	fault.steps = 0;
	fault.at = 2;
	fault.error = error;
	r = store_put(store, &store_fixture_machine, &content, &err);
	fault.at = 0;
	return r;
}

static bool is_there(uint8_t key)
{
	return !access(store_fixture_file(key, STORE_SUFFIX), F_OK);
}

START_TEST(on_a_full_disk_those_used_least_recently_make_room)
{
	const struct store_content first = store_fixture_content(1);
	struct store_file file;

	ck_assert_int_eq(store_put(store, &store_fixture_machine, &first, &err),
			 0);
	/* it is the only one, and in use */
	ck_assert_int_eq(store_find(store, &store_fixture_machine, first.key,
				    NULL, &err, &file),
			 0);
	ck_assert_int_eq(put_on_full_disk(2, ENOSPC), -ENOSPC);
	ck_assert(is_there(1));
	store_file_close(&file);
	/* no room is made for what fails otherwise */
	ck_assert_int_eq(put_on_full_disk(2, EIO), -EIO);
	ck_assert(is_there(1));
	ck_assert_int_eq(put_on_full_disk(2, ENOSPC), 0);
	ck_assert(!is_there(1));
	ck_assert(is_there(2));
	/* no more than it takes */
	usleep(20000);
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &first, &err),
			 0);
	ck_assert_int_eq(put_on_full_disk(3, EDQUOT), 0);
	ck_assert(is_there(1));
	ck_assert(!is_there(2));
	ck_assert(is_there(3));
	ck_assert_uint_eq(count_temporary(), 0);
}
END_TEST

/* The kernel would end the process by SIGXFSZ. */
START_TEST(a_file_larger_than_the_process_may_write_is_not_begun)
{
	const struct rlimit limit = { 4096, 4096 };
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		if (setrlimit(RLIMIT_FSIZE, &limit))
			_exit(2);
		_exit(put("new") == -EFBIG ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(found(), "");
}
END_TEST

START_TEST(what_is_being_written_is_not_taken_for_left_behind)
{
	const struct store_content content = store_fixture_content(1);
	struct store_written written;

	ck_assert_int_eq(store_write(store_directory(store),
				     &store_fixture_machine, &content, &err,
				     &written),
			 0);
	store_close(store);
	open_store();
	ck_assert_uint_eq(count_temporary(), 1);
	store_written_abort(store_directory(store), &written);
	ck_assert_uint_eq(count_temporary(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_faults");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("store_faults");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(
		group,
		a_writer_that_is_killed_leaves_the_old_file_or_the_new_one, 0,
		4);
	tcase_add_loop_test(group,
			    a_step_that_fails_leaves_the_old_file_or_the_new_one,
			    0, 3);
	tcase_add_test(group, a_writer_that_was_faster_is_not_replaced);
	tcase_add_test(group,
		       on_a_full_disk_those_used_least_recently_make_room);
	tcase_add_test(group,
		       a_file_larger_than_the_process_may_write_is_not_begun);
	tcase_add_test(group,
		       what_is_being_written_is_not_taken_for_left_behind);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
