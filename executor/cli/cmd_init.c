/*
 * cmd_init.c - `thaw init`: makes a project of the files of guest/project/, in which
 * the function's name takes the place of each @NAME@.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"

#define MARK "@NAME@"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* The build puts the files into the program. */
#define INCLUDE_FILE(name, file)                           \
	extern const char name##_file[];                   \
	__asm__(".pushsection .rodata\n"                   \
		".globl " #name "_file\n" #name "_file:\n" \
		".incbin \"" PROJECT_DIRECTORY file "\"\n" \
		".byte 0\n"                                \
		".popsection\n")

INCLUDE_FILE(build, "/CMakeLists.txt");
INCLUDE_FILE(source, "/function.c");
INCLUDE_FILE(catalog, "/catalog.json");
INCLUDE_FILE(readme, "/README.md");

static const struct {
	const char *name; /* with MARK in it, maybe */
	const char *text;
} files[] = {
	{ "CMakeLists.txt", build_file },
	{ MARK ".c", source_file },
	{ "catalog.json", catalog_file },
	{ "README.md", readme_file },
};

#define FILES (sizeof(files) / sizeof(*files))

/* Names that CMake keeps for targets of its own (its policy CMP0037). */
static const char *const reserved[] = {
	"all",		 "ALL_BUILD",  "clean",	     "edit_cache",
	"help",		 "install",    "INSTALL",    "package",
	"PACKAGE",	 "preinstall", "test",	     "package_source",
	"rebuild_cache", "RUN_TESTS",  "ZERO_CHECK",
};

static int init_check_name(const char *name)
{
	const size_t size = strlen(name);

	if (!size || size > LIMIT_NAME_MAX ||
	    !strchr(LETTERS DIGITS "_", *name) ||
	    strspn(name, LETTERS DIGITS "_-.") != size) {
		cli_error("init: \"%s\" is not a name: write up to %d letters, "
			  "digits, '_', '-' and '.', the first of them none "
			  "of the last two",
			  name, LIMIT_NAME_MAX);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(name, reserved[i])) {
			cli_error("init: CMake keeps the name \"%s\" for "
				  "itself: choose another",
				  name);
			return CLI_USAGE;
		}
	return CLI_GO_ON;
}

/* Writes @text, with @name in place of each mark. */
static void put_text(FILE *file, const char *text, const char *name)
{
	const char *mark;

	while ((mark = strstr(text, MARK))) {
		fwrite(text, 1, (size_t)(mark - text), file);
		fputs(name, file);
		text = mark + strlen(MARK);
	}
	fputs(text, file);
}

static void make_file_name(size_t i, const char *name, char *path, size_t size)
{
	const bool is_marked = !strncmp(files[i].name, MARK, strlen(MARK));

	snprintf(path, size, "%s%s", is_marked ? name : "",
		 files[i].name + (is_marked ? strlen(MARK) : 0));
}

/* 0 or -errno. */
static int write_project_file(int directory, const char *path, const char *text,
			      const char *name)
{
	cleanup_close int fd = openat(directory, path,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				      0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed;

	if (!file)
		return -errno;
	take_fd(&fd);
	errno = EIO;
	put_text(file, text, name);
	failed = ferror(file);
	return fclose(file) || failed ? -errno : 0;
}

/* Fills the new directory @name; takes back what it has made if that fails. */
static int fill_project(const char *name)
{
	cleanup_close int directory =
		open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[LIMIT_NAME_MAX + 16] = "";
	int r = directory < 0 ? -errno : 0;
	size_t made = 0;

	while (!r && made < FILES) {
		make_file_name(made, name, path, sizeof(path));
		r = write_project_file(directory, path, files[made].text, name);
		made++;
	}
	if (!r)
		return CLI_OK;
	cli_error("init: cannot write %s/%s: %s", name, path, strerror(-r));
	while (made) {
		make_file_name(--made, name, path, sizeof(path));
		unlinkat(directory, path, 0);
	}
	rmdir(name);
	return CLI_INTERNAL;
}

static int init_run(const struct cli_verb *verb, int argc, char **argv)
{
	const char *name;
	int code = cli_parse(verb, argc, argv, NULL, &name);

	if (code == CLI_GO_ON)
		code = init_check_name(name);
	if (code != CLI_GO_ON)
		return code;
	if (mkdir(name, 0777)) {
		cli_error("init: cannot make the directory %s: %s%s", name,
			  strerror(errno),
			  errno == EEXIST ? ": choose another name, or remove "
					    "what is there" :
					    "");
		return errno == EEXIST ? CLI_USAGE : CLI_INTERNAL;
	}
	code = fill_project(name);
	if (code != CLI_OK)
		return code;
	printf("%s/ has a function, its catalog and its tests. Build, test and "
	       "serve it:\n\n"
	       "  cd %s\n"
	       "  cmake -B build && cmake --build build\n"
	       "  ctest --test-dir build\n"
	       "  thaw serve -c catalog.json\n",
	       name, name);
	return CLI_OK;
}

const struct cli_verb cmd_init = {
	.name = "init",
	.operand = "PROJECT",
	.summary = "make a project with a new function",
	.about =
		"Makes the directory PROJECT with a function of that name in C: what builds it with\n"
		"CMake and the installed SDK, its catalog, and tests, which call it by `thaw invoke`.\n"
		"Prints the commands that build, test and serve it.\n",
	.examples = "  thaw init hello\n",
	.run = init_run,
};
