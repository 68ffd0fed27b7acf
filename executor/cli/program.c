/* program.c - see program.h. */
#include "executor/cli/program.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/cli/cli.h"
#include "executor/linux/root.h"

/* Without $PATH, as execvp(3) has it. */
#define PATH_DEFAULT "/bin:/usr/bin"

void program_make_name(const char *path, char name[static LIMIT_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t used = 0;

	for (; *base && base != dot && used < LIMIT_NAME_MAX; base++) {
		unsigned char c = (unsigned char)*base;

		if ((isascii(c) && isalnum(c)) || c == '_' ||
		    (used && (c == '-' || c == '.')))
			name[used++] = (char)c;
	}
	name[used] = '\0';
	if (!used)
		strcpy(name, "function");
}

static int program_no_memory(const char *place)
{
	cli_error("%s: no memory for a command line", place);
	return PROGRAM_FAILED;
}

/* Whether @path can be executed: 0 or an errno. */
static int check_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	return access(path, X_OK) ? errno : 0;
}

/* Looks for @word in the folders of PATH. Returns a path on the heap, or NULL. */
static char *search_path(const char *word, int *ret_error)
{
	const char *folders = getenv("PATH");
	char *path = NULL;

	*ret_error = ENOENT;
	if (!folders || !*folders)
		folders = PATH_DEFAULT;
	while (true) {
		const size_t size = strcspn(folders, ":");
		int error;

		if (asprintf(&path, "%.*s%s%s", (int)size, folders,
			     size ? "/" : "", word) < 0)
			return NULL;
		error = check_executable(path);
		if (!error)
			return path;
		free(path);
		if (error == EACCES)
			*ret_error = error;
		if (!folders[size])
			return NULL;
		folders += size + 1;
	}
}

static int find_program(const char *place, const char *word,
			struct program *program)
{
	const bool is_path = strchr(word, '/');
	cleanup_free char *found = NULL;
	int error = 0;

	if (is_path)
		error = check_executable(word);
	else
		found = search_path(word, &error);
	if (!is_path && !found && error == ENOENT) {
		cli_error("%s: there is no program %s in $PATH", place, word);
		return PROGRAM_NOT_FOUND;
	}
	if (is_path ? error : !found) {
		cli_error("%s: cannot run %s: %s%s", place, word,
			  is_path ? "" : "in $PATH: ", strerror(error));
		return error == ENOENT || error == ENOTDIR ?
			       PROGRAM_NOT_FOUND :
			       PROGRAM_NOT_EXECUTABLE;
	}
	program->path = realpath(is_path ? word : found, NULL);
	return program->path ? CLI_GO_ON : program_no_memory(place);
}

static bool is_regular(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode);
}

int program_add_file(struct program *program, const char *place,
		     const char *path)
{
	char **files;
	char *real = realpath(path, NULL);

	if (!real) {
		cli_error("%s: %s: %s", place, path, strerror(errno));
		return PROGRAM_FAILED;
	}
	files = realloc(program->files,
			(program->file_count + 2) * sizeof(*files));
	if (!files) {
		free(real);
		return program_no_memory(place);
	}
	program->files = files;
	files[program->file_count++] = real;
	files[program->file_count] = NULL;
	return CLI_GO_ON;
}

/* Takes the argument @word, and the file that it names. */
static int take_word(const char *place, const char *word, bool is_first,
		     struct program *program, char **ret_argument)
{
	const bool is_file = !is_first && is_regular(word);

	*ret_argument = is_file ? realpath(word, NULL) : strdup(word);
	if (!*ret_argument)
		return program_no_memory(place);
	if (!is_file)
		return CLI_GO_ON;
	if (!program->file_count)
		program_make_name(word, program->name);
	return program_add_file(program, place, word);
}

int program_open(const char *place, char *const *words,
		 struct program *ret_program)
{
	struct program *program = ret_program;
	size_t count = 0;
	int code;

	*program = (struct program){ .path = NULL };
	code = find_program(place, words[0], program);
	if (code != CLI_GO_ON)
		return code;
	program_make_name(words[0], program->name);
	while (words[count])
		count++;
	program->arguments = calloc(count + 1, sizeof(char *));
	if (!program->arguments)
		return program_no_memory(place);
	for (size_t i = 0; i < count && code == CLI_GO_ON; i++)
		code = take_word(place, words[i], !i, program,
				 &program->arguments[i]);
	return code;
}

/* Sets the path that @word has in @root, where links lead as they do for the program. */
static int find_in_root(const char *place, const char *root, const char *word,
			struct program *program)
{
	static const char *const folders[] = { "/usr/local/bin/", "/usr/bin/",
					       "/bin/" };

	if (strchr(word, '/')) {
		if (asprintf(&program->path, "%s%s", *word == '/' ? "" : "/",
			     word) < 0)
			program->path = NULL;
		return program->path ? CLI_GO_ON : program_no_memory(place);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		cleanup_free char *path = NULL;
		cleanup_close int fd = -1;

		if (asprintf(&path, "%s%s", folders[i], word) < 0) {
			path = NULL;
			return program_no_memory(place);
		}
		fd = root_resolve(root, path);
		if (fd < 0)
			continue;
		program->path = take_pointer(path);
		return CLI_GO_ON;
	}
	cli_error("%s: there is no program %s in %s, in its /usr/local/bin, "
		  "/usr/bin and /bin",
		  place, word, root);
	return PROGRAM_NOT_FOUND;
}

int program_open_in_root(const char *place, char *root, char *const *words,
			 struct program *ret_program)
{
	size_t count = 0;
	int code;

	*ret_program = (struct program){ .root = root };
	program_make_name(words[0], ret_program->name);
	code = find_in_root(place, root, words[0], ret_program);
	if (code != CLI_GO_ON)
		return code;
	while (words[count])
		count++;
	ret_program->arguments = calloc(count + 1, sizeof(char *));
	for (size_t i = 0; ret_program->arguments && i < count; i++) {
		ret_program->arguments[i] = strdup(words[i]);
		if (!ret_program->arguments[i])
			return program_no_memory(place);
	}
	return ret_program->arguments ? CLI_GO_ON : program_no_memory(place);
}

static void program_free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void program_done(struct program *program)
{
	free(program->path);
	free(program->root);
	program_free_list(program->arguments);
	program_free_list(program->files);
	*program = (struct program){ .path = NULL };
}
