/*
 * test_linux_seen.c - what a boot has looked at, and whether it still looks so.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "executor/linux/root.h"
#include "executor/linux/seen.h"
#include "executor/linux/state_codec.h"

static char directory[] = "/tmp/thaw-seen-XXXXXX";
static struct root root;
static struct linux_seen *seen;

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void begin(void)
{
	strcpy(directory, "/tmp/thaw-seen-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(root_open(&root, directory, NULL, NULL, NULL), 0);
	seen = linux_seen_create();
	ck_assert_ptr_nonnull(seen);
}

static void end(void)
{
	char command[64];

	linux_seen_free(seen);
	root_close(&root);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* As a program does that looks up the path. */
static void look(const char *path)
{
	struct stat status;
	int found = root_look(&root, path, &status);

	linux_seen_note(seen, path, found, &status);
	if (found >= 0)
		close(found);
}

START_TEST(a_file_is_the_same_until_it_changes)
{
	write_file("file", "text");
	ck_assert(linux_seen_is_same(seen, &root));
	look("/file");
	ck_assert(linux_seen_is_same(seen, &root));
	write_file("file", "TEXT");
	ck_assert(!linux_seen_is_same(seen, &root));
	/* what the first look saw counts */
	look("/file");
	ck_assert(!linux_seen_is_same(seen, &root));
}
END_TEST

START_TEST(nothing_is_the_same_until_there_is_something)
{
	look("/file");
	look("/folder/file");
	ck_assert(linux_seen_is_same(seen, &root));
	write_file("file", "");
	ck_assert(!linux_seen_is_same(seen, &root));
}
END_TEST

START_TEST(a_directory_is_the_same_unless_its_names_were_read)
{
	char folder[128];

	snprintf(folder, sizeof(folder), "%s/folder", directory);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	look("/folder");
	write_file("folder/one", "");
	ck_assert(linux_seen_is_same(seen, &root));
	linux_seen_free(seen);
	seen = linux_seen_create();
	look("/folder");
	linux_seen_note_names(seen, "/folder");
	linux_seen_note_names(seen, "/not noted");
	ck_assert(linux_seen_is_same(seen, &root));
	/* times may not tell what has changed a moment ago */
	ck_assert_int_eq(utimensat(AT_FDCWD, folder,
				   (struct timespec[2]){ { 1, 0 }, { 1, 0 } },
				   0),
			 0);
	ck_assert(!linux_seen_is_same(seen, &root));
}
END_TEST

START_TEST(a_file_of_the_host_is_where_links_lead)
{
	char path[128];

	write_file("one", "1");
	write_file("two", "2");
	snprintf(path, sizeof(path), "%s/link", directory);
	ck_assert_int_eq(symlink("one", path), 0);
	linux_seen_note_host(seen, path);
	ck_assert(linux_seen_is_same(seen, &root));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("two", path), 0);
	ck_assert(!linux_seen_is_same(seen, &root));
}
END_TEST

static struct {
	unsigned count;
	char last[ROOT_PATH_MAX];
} folders;

static void take_folder(void *cookie, const char *folder)
{
	(void)cookie;
	folders.count++;
	snprintf(folders.last, sizeof(folders.last), "%s", folder);
}

START_TEST(folders_are_those_of_the_host)
{
	char wanted[128];

	look("/a/one");
	look("/a/two");
	linux_seen_note_host(seen, "/etc/passwd");
	folders.count = 0;
	linux_seen_folders(seen, &root, directory, take_folder, NULL);
	ck_assert_uint_eq(folders.count, 1);
	snprintf(wanted, sizeof(wanted), "%s/a", directory);
	ck_assert_str_eq(folders.last, wanted);
}
END_TEST

START_TEST(so_many_paths_are_noted)
{
	char path[32];

	for (int i = 0; i < LINUX_SEEN_MAX; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		linux_seen_note(seen, path, -2, NULL);
	}
	/* again */
	linux_seen_note(seen, "/0", -2, NULL);
	ck_assert(!linux_seen_is_full(seen));
	linux_seen_note(seen, "/one more", -2, NULL);
	ck_assert(linux_seen_is_full(seen));
	write_file("one more", "");
	ck_assert(linux_seen_is_same(seen, &root));
	write_file("65535", "");
	ck_assert(!linux_seen_is_same(seen, &root));
}
END_TEST

START_TEST(so_many_bytes_of_paths_are_noted)
{
	const size_t size = ROOT_PATH_MAX;
	char path[ROOT_PATH_MAX];

	memset(path, 'a', size - 1);
	path[size - 1] = '\0';
	path[0] = '/';
	for (size_t i = 0; i < LINUX_SEEN_BYTES_MAX / size; i++) {
		path[1] = (char)('a' + i / 128);
		path[2] = (char)(1 + i % 128);
		ck_assert(!linux_seen_is_full(seen));
		linux_seen_note(seen, path, -2, NULL);
	}
	ck_assert(!linux_seen_is_full(seen));
	linux_seen_note(seen, "/", -2, NULL);
	ck_assert(linux_seen_is_full(seen));
}
END_TEST

START_TEST(a_path_in_a_root_does_not_leave_it)
{
	struct stat status, other;
	char path[128];
	int fd;

	write_file("one", "1");
	snprintf(path, sizeof(path), "%s/link", directory);
	ck_assert_int_eq(symlink("/one", path), 0);
	fd = root_resolve(directory, "/link");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	snprintf(path, sizeof(path), "%s/one", directory);
	ck_assert_int_eq(stat(path, &other), 0);
	ck_assert_uint_eq(status.st_ino, other.st_ino);
	close(fd);
	fd = root_resolve(directory, "/../../../one");
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(root_resolve(directory, "/etc/passwd"), -2);
	ck_assert_int_eq(root_resolve("/nowhere", "/one"), -2);
}
END_TEST

/* As a file of the store has it, and as another process reads it. */
static int take_over(struct buffer *bytes, const char *host,
		     struct linux_seen *to)
{
	const char *hosts[STATE_HOSTS] = { NULL, host };
	struct error err;
	struct state state = { .at = (const uint8_t *)bytes->data,
			       .left = bytes->size,
			       .hosts = hosts,
			       .err = &err };

	linux_seen_state(to, &state);
	return state.result ? state.result : state.left ? -EINVAL : 0;
}

static struct buffer written(void)
{
	struct buffer bytes = BUFFER_INIT(STATE_MAX);
	struct error err;
	struct state state = { .out = &bytes, .err = &err };

	linux_seen_state(seen, &state);
	ck_assert_int_eq(state.result, 0);
	return bytes;
}

START_TEST(what_was_noted_can_be_written_and_read)
{
	char path[ROOT_PATH_MAX], host[128];
	struct linux_seen *other = linux_seen_create();
	struct linux_seen *moved = linux_seen_create();
	struct buffer bytes;

	snprintf(host, sizeof(host), "%s/host", directory);
	write_file("host", "text");
	write_file("file", "text");
	look("/file");
	look("/missing");
	look("");
	linux_seen_note_names(seen, "");
	linux_seen_note_host(seen, host);
	bytes = written();
	ck_assert_int_eq(take_over(&bytes, host, other), 0);
	ck_assert(linux_seen_is_same(other, &root));
	linux_seen_move(moved, other);
	ck_assert(linux_seen_is_same(moved, &root));
	write_file("missing", "it is there");
	/* the directory's names were read: it has changed, too */
	ck_assert_int_eq(linux_seen_changed(moved, &root, path), 1);
	ck_assert(!strcmp(path, "") || !strcmp(path, "/missing"));
	/* nothing is left there */
	ck_assert(linux_seen_is_same(other, &root));
	linux_seen_free(moved);
	linux_seen_free(other);
	buffer_done(&bytes);
}
END_TEST

/* Whether a file has changed cannot be told then: it is no reason to throw a snapshot away. */
START_TEST(without_descriptors_nothing_has_changed)
{
	char path[ROOT_PATH_MAX];
	struct rlimit old, none;

	write_file("file", "text");
	look("/file");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(linux_seen_changed(seen, &root, path), -EMFILE);
	ck_assert_str_eq(path, "/file");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(linux_seen_changed(seen, &root, path), 0);
}
END_TEST

/* A hostile file names no path that a program could not have looked up. */
START_TEST(other_paths_are_not_read)
{
	static const char *const paths[] = { "/../etc", "//file", "file",
					     "/a/./b", "/a/" };
	struct linux_seen *other;
	struct buffer bytes;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct stat status = { .st_mode = 0 };

		linux_seen_free(seen);
		seen = linux_seen_create();
		other = linux_seen_create();
		linux_seen_note(seen, paths[i], -ENOENT, &status);
		bytes = written();
		ck_assert_int_eq(take_over(&bytes, NULL, other), -EBADMSG);
		buffer_done(&bytes);
		linux_seen_free(other);
	}
	/* a path of the host is one that the catalog names */
	linux_seen_free(seen);
	seen = linux_seen_create();
	linux_seen_note_host(seen, "/etc/shadow");
	bytes = written();
	other = linux_seen_create();
	ck_assert_int_eq(take_over(&bytes, "/etc/passwd", other), -EBADMSG);
	linux_seen_free(other);
	other = linux_seen_create();
	ck_assert_int_eq(take_over(&bytes, "/etc/shadow", other), 0);
	linux_seen_free(other);
	buffer_done(&bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_seen");
	TCase *tests = tcase_create("linux_seen");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* by an emulator of user mode, for example */
	if (syscall(SYS_openat2, -1, "", NULL, 0) && errno == ENOSYS) {
		printf("skip: openat2: %s\n", strerror(errno));
		return 77;
	}

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_file_is_the_same_until_it_changes);
	tcase_add_test(tests, nothing_is_the_same_until_there_is_something);
	tcase_add_test(tests,
		       a_directory_is_the_same_unless_its_names_were_read);
	tcase_add_test(tests, a_file_of_the_host_is_where_links_lead);
	tcase_add_test(tests, folders_are_those_of_the_host);
	tcase_add_test(tests, so_many_paths_are_noted);
	tcase_add_test(tests, so_many_bytes_of_paths_are_noted);
	tcase_add_test(tests, a_path_in_a_root_does_not_leave_it);
	tcase_add_test(tests, what_was_noted_can_be_written_and_read);
	tcase_add_test(tests, without_descriptors_nothing_has_changed);
	tcase_add_test(tests, other_paths_are_not_read);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
