/*
 * test_linux_fs.c - the files of Linux programs: what they may write, what they see of
 * the host, scripts, and a root of their own. The program is tests/linux/fs.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "dynamic", "musl" };
#define BUILDS 3

static const char *program_of(const char *build)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/linux_fs_%s", TEST_GUESTS, build);
	return path;
}

/* Opens @program, with further members of the catalog. */
static struct thaw *open_path(int i, const char *program, const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":\"%s\","
		 "\"argv\":[\"p\"],\"tmp\":\"512KiB\",\"timeout\":\"60s\","
		 "\"concurrency\":{\"max\":1}%s}",
		 program, more);
	return open_functions(backends[i], text);
}

static const char *const commands[] = {
	"write", "names", "unnamed", "directories", "list", "status",
	"map",	 "full",  "hostile", "deep",	    "proc", "memory",
};

START_TEST(files_are_those_of_linux_and_each_invocation_has_its_own)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("fs", build))
		return;
	thaw = open_path(_i / BUILDS, program_of(build), "");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		expect(thaw, commands[i], "good\n");
		expect(thaw, "snapshot", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_program_may_have_one_page_to_write_to)
{
	struct thaw *thaw = open_functions(
		backends[_i],
		"{\"name\":\"p\",\"kind\":\"linux\",\"timeout\":\"60s\","
		"\"program\":\"%s/linux_fs_fixed\",\"argv\":[\"p\",\"idle\"],"
		"\"tmp\":\"4KiB\"}");

	expect(thaw, "cat /tmp/x", "No such file or directory");
	expect(thaw, "names", "line *: !symlink*(errno 28)\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(code_is_writable_only_if_the_catalog_says_so)
{
	struct thaw *thaw =
		open_path(_i, program_of("fixed"), ",\"writable_code\":true");

	expect(thaw, "code", "good\n");
	expect(thaw, "snapshot", "good\n");
	expect(thaw, "code", "good\n");
	thaw_close(thaw);
	thaw = open_path(_i, program_of("fixed"), "");
	expect(thaw, "code", "line *: a != MAP_FAILED (errno 13)\n");
	thaw_close(thaw);
}
END_TEST

/* A directory of the host's, for a test. */
static char top[64];

static const char *at(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void put_file(const char *name, const void *bytes, size_t size)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

/* Copies the program itself, as @build has it. */
static void put_build(const char *name, const char *build)
{
	FILE *from = fopen(program_of(build), "r");
	static char bytes[4 << 20];
	size_t size;

	ck_assert_ptr_nonnull(from);
	size = fread(bytes, 1, sizeof(bytes), from);
	ck_assert(size > 0 && size < sizeof(bytes));
	fclose(from);
	put_file(name, bytes, size);
}

static void put_program(const char *name)
{
	put_build(name, "fixed");
}

static void put_directory(const char *name)
{
	ck_assert_int_eq(mkdir(at(name), 0755), 0);
}

static void put_link(const char *to, const char *name)
{
	ck_assert_int_eq(symlink(to, at(name)), 0);
}

static void make_top(void)
{
	/* not in /tmp, of which the program has its own */
	strcpy(top, "/var/tmp/thaw-fs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static void remove_top(void)
{
	ck_assert_int_eq(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_root(void)
{
	make_top();
	put_directory("root");
	put_directory("root/bin");
	put_directory("root/data");
	put_directory("root/proc");
	put_program("root/bin/fs");
	put_text("outside", "outside");
	put_text("root/data/file", "inside");
	put_text("root/proc/secret", "secret");
	put_link("fs", "root/bin/link");
	put_link("/data/file", "root/absolute");
	put_link("../../../../../data/file", "root/data/up");
	put_link("../../outside", "root/data/out");
	put_link(at("outside"), "root/data/host");
	put_link("/proc/self/root/proc/1/root", "root/data/magic");
	put_link("/tmp/before", "root/data/border");
}

static const char *members(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static const char *members(const char *format, ...)
{
	static char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static const struct {
	const char *path, *outcome;
} in_root[] = {
	{ "/data/file", "inside" },
	{ "/data/../../../data/file", "inside" },
	{ "/absolute", "inside" },
	{ "/data/up", "inside" },
	{ "/data/out", "No such file*" },
	{ "/data/host", "No such file*" },
	{ "/data/magic", "Is a directory" },
	{ "/data/magic/outside", "No such file*" },
	{ "/data/border", "before" },
	{ "/data/border/x", "Not a directory" },
	{ "/proc/secret", "No such file*" },
	{ "/proc/self/comm", "link\n" },
	{ "/etc/passwd", "No such file*" },
	{ "/added/file", "outside" },
	{ "/added/none", "No such file*" },
	{ "/added/../data/file", "inside" },
	{ "/deep/in/it", "outside" },
	{ "/deep/in", "Is a directory" },
};

START_TEST(a_root_is_all_that_a_program_sees)
{
	struct thaw *thaw;
	char request[128];

	make_root();
	put_directory("more");
	put_text("more/file", "outside");
	thaw = open_path(_i, "/bin/link",
			 members(",\"root\":\"%s/root\",\"files\":[\"/added"
				 "=%s/more\",\"/deep/in/it=%s/outside\"]",
				 top, top, top));
	for (size_t i = 0; i < sizeof(in_root) / sizeof(*in_root); i++) {
		snprintf(request, sizeof(request), "cat %s", in_root[i].path);
		expect(thaw, request, in_root[i].outcome);
	}
	snprintf(request, sizeof(request), "cat %s/outside", top);
	expect(thaw, request, "No such file*");
	/* what changes underneath is an error, not a way out */
	ck_assert_int_eq(rename(at("root/data"), at("data")), 0);
	expect(thaw, "cat /data/none", "No such file*");
	ck_assert_int_eq(symlink(top, at("root/data")), 0);
	expect(thaw, "cat /data/outside", "No such file*");
	remove_top();
	expect(thaw, "cat /data/other", "No such file*");
	thaw_close(thaw);
}
END_TEST

START_TEST(the_files_that_are_open_may_have_so_many_bytes)
{
	static const char *const large[] = { "root/1", "root/2", "root/3",
					     "root/4" };
	struct thaw *thaw;

	make_root();
	put_text("root/0", "x");
	for (int i = 0; i < 4; i++) {
		put_text(large[i], "");
		ck_assert_int_eq(truncate(at(large[i]), 64 << 20), 0);
	}
	thaw = open_path(_i, "/bin/fs", members(",\"root\":\"%s/root\"", top));
	expect(thaw, "limit /", "good\n");
	expect(thaw, "limit /", "good\n");
	thaw_close(thaw);
	remove_top();
}
END_TEST

static _Atomic bool race_is_over;

/* Swaps a directory and a link that leads out, again and again. */
static void *swap(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&race_is_over, memory_order_relaxed))
		(void)renameat2(AT_FDCWD, at("root/data"), AT_FDCWD,
				at("root/swapped"), RENAME_EXCHANGE);
	return NULL;
}

START_TEST(a_link_that_is_swapped_in_leads_nowhere)
{
	struct thaw *thaw;
	pthread_t thread;

	make_root();
	put_directory("other");
	put_text("other/file", "outside");
	put_link("../other", "root/swapped");
	thaw = open_path(_i, "/bin/fs", members(",\"root\":\"%s/root\"", top));
	atomic_store(&race_is_over, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, swap, NULL), 0);
	expect(thaw, "opens /data/file", "good\n");
	atomic_store(&race_is_over, true);
	pthread_join(thread, NULL);
	thaw_close(thaw);
	remove_top();
}
END_TEST

START_TEST(a_script_is_a_program)
{
	struct thaw *thaw;
	char line[1100];

	make_root();
	put_text("root/bin/a", "#! /bin/fs  -x  one argument \t\nanything");
	thaw = open_path(_i, "/bin/a", members(",\"root\":\"%s/root\"", top));
	expect(thaw, "arguments", "/bin/fs|-x  one argument|/bin/a|");
	expect(thaw, "cat /proc/self/comm", "fs\n");
	expect(thaw, "cat /bin/a", "#! /bin/fs*");
	thaw_close(thaw);
	/* without a root; no newline at the end */
	snprintf(line, sizeof(line), "#!%s", program_of("fixed"));
	put_text("script", line);
	thaw = open_path(_i, at("script"),
			 members(",\"files\":[\"%s\"]", program_of("fixed")));
	snprintf(line, sizeof(line), "%s|%s|", program_of("fixed"),
		 at("script"));
	expect(thaw, "arguments", line);
	thaw_close(thaw);
	/* four scripts, each the next one's interpreter */
	put_text("root/1", "#!/bin/fs 1\n");
	put_text("root/2", "#!/1 2\n");
	put_text("root/3", "#!/2 3\n");
	put_text("root/4", "#!/3 4\n");
	thaw = open_path(_i, "/4", members(",\"root\":\"%s/root\"", top));
	expect(thaw, "arguments", "/bin/fs|1|/1|2|/2|3|/3|4|/4|");
	thaw_close(thaw);
	remove_top();
}
END_TEST

/* Opens a program that cannot be deployed; returns why. */
static const char *refusal(int i, const char *program, const char *more)
{
	static struct thaw_error error;
	struct engine_options options = backend_options(backends[i]);
	struct thaw *thaw;
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"functions\":[{\"name\":\"p\",\"kind\":\"linux\","
		 "\"program\":\"%s\"%s}]}",
		 program, more);
	ck_assert_int_eq(engine_open_text(text, strlen(text), "t", &options,
					  &error, &thaw),
			 0);
	ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
	thaw_close(thaw);
	return error.message;
}

static const struct {
	const char *program, *message;
} refused[] = {
	{ "/none", "*/none: cannot open: No such file*its root*" },
	{ "/data", "*/data: cannot open: Permission denied*" },
	{ "/data/host", "*/data/host: cannot open: No such file*" },
	{ "/data/file", "*/data/file: *not an ELF*" },
	{ "/empty", "*/empty: *not an ELF file (only 0 bytes)*" },
	{ "/truncated", "*/truncated: truncated: * of a file of 5000*" },
	{ "/elsewhere",
	  "*/elsewhere: for * (ELF machine 8); this thaw runs *" },
	{ "/missing", "*interpreter of a script: /bin/none: cannot open: No "
		      "such file*" },
	{ "/nameless", "*/nameless: its first line*names no interpreter" },
	{ "/long", "*/long: its first line*more than 256 bytes*" },
	{ "/5", "*/5: more than 4 scripts*" },
	{ "/self", "*/self: more than 4 scripts*" },
};

/* A program for another machine: the number of it is at 18. */
static void put_elsewhere(const char *name)
{
	int fd;

	put_program(name);
	fd = open(at(name), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "\x08\x00", 2, 18), 2);
	close(fd);
}

START_TEST(a_program_that_cannot_be_loaded_says_why)
{
	char line[300], more[128];
	const char *why;

	make_root();
	put_text("root/empty", "");
	put_program("root/truncated");
	ck_assert_int_eq(truncate(at("root/truncated"), 5000), 0);
	put_elsewhere("root/elsewhere");
	put_text("root/missing", "#!/bin/none\n");
	put_text("root/nameless", "#! \t\n");
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	put_file("root/long", line, sizeof(line));
	put_text("root/1", "#!/bin/fs\n");
	put_text("root/2", "#!/1\n");
	put_text("root/3", "#!/2\n");
	put_text("root/4", "#!/3\n");
	put_text("root/5", "#!/4\n");
	put_text("root/self", "#!/self\n");
	snprintf(more, sizeof(more), ",\"root\":\"%s/root\"", top);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		why = refusal(_i, refused[i].program, more);
		ck_assert_msg(!fnmatch(refused[i].message, why, 0), "%s: %s",
			      refused[i].program, why);
	}
	why = refusal(_i, "/x", ",\"root\":\"/none/at/all\"");
	ck_assert_msg(!fnmatch("*root: /none/at/all: cannot be opened as a "
			       "directory: No such file*",
			       why, 0),
		      "%s", why);
	why = refusal(_i, program_of("fixed"), ",\"files\":[\"/none/at/all\"]");
	ck_assert_msg(!fnmatch("*files: /none/at/all: cannot be opened: No "
			       "such file*",
			       why, 0),
		      "%s", why);
	remove_top();
}
END_TEST

/* Where a dynamic executable of either architecture says that its interpreter is. */
static const char *const interpreters[] = {
	"root/lib64/ld-linux-x86-64.so.2",
	"root/lib/ld-linux-aarch64.so.1",
};

/* Puts there what cannot be loaded, in one of four ways. */
static void put_interpreters(int way)
{
	for (size_t i = 0; i < 2; i++) {
		const char *name = interpreters[i];

		if (way == 1)
			put_text(name, "no program");
		if (way == 2)
			put_program(name);
		if (way == 2)
			ck_assert_int_eq(truncate(at(name), 5000), 0);
		if (way == 3)
			put_elsewhere(name);
	}
}

/* The same of the interpreter that a dynamic executable names. */
START_TEST(an_interpreter_that_cannot_be_loaded_says_why)
{
	static const char *const whys[] = {
		"*/ld-linux-* does not exist for it: *, or list it in files",
		"*/ld-linux-*not an ELF file*",
		"*/ld-linux-*truncated: * of a file of 5000*",
		"*/ld-linux-*for * (ELF machine 8); this thaw runs *",
	};
	char more[128];

	if (!program_is_built("fs", "dynamic"))
		return;
	make_root();
	put_build("root/bin/dynamic", "dynamic");
	put_directory("root/lib");
	put_directory("root/lib64");
	snprintf(more, sizeof(more), ",\"root\":\"%s/root\"", top);
	for (int i = 0; i < 4; i++) {
		const char *why;

		put_interpreters(i);
		why = refusal(_i, "/bin/dynamic", more);
		ck_assert_msg(!fnmatch(whys[i], why, 0), "%d: %s", i, why);
	}
	remove_top();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_fs");
	TCase *tests = tcase_create("linux_fs");
	const int count = program_trackers();

	/* what small machines lack */
	mkdir("/usr", 0755);
	mkdir("/usr/bin", 0755);
	mkdir("/var", 0755);
	mkdir("/var/tmp", 01777);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(
		tests, files_are_those_of_linux_and_each_invocation_has_its_own,
		0, count * BUILDS);
	tcase_add_loop_test(tests, a_program_may_have_one_page_to_write_to, 0,
			    count);
	tcase_add_loop_test(tests, code_is_writable_only_if_the_catalog_says_so,
			    0, count);
	tcase_add_loop_test(tests, a_root_is_all_that_a_program_sees, 0, count);
	tcase_add_loop_test(tests, a_link_that_is_swapped_in_leads_nowhere, 0,
			    count);
	tcase_add_loop_test(tests,
			    the_files_that_are_open_may_have_so_many_bytes, 0,
			    count);
	tcase_add_loop_test(tests, a_script_is_a_program, 0, count);
	tcase_add_loop_test(tests, a_program_that_cannot_be_loaded_says_why, 0,
			    count);
	tcase_add_loop_test(tests,
			    an_interpreter_that_cannot_be_loaded_says_why, 0,
			    count);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
