/*
 * environment.c - the environment, for those who change it. The catalog's
 * variables are in a page that a function can read but not write, and so is
 * the array of them: what is changed is a copy.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Entries that a new array has room for beyond those it is made for. */
#define SPARE 16

extern char **environ;

/* The array once it is ours, with what setenv() has allocated beside it. */
static char **array;
static char **made; /* of each entry: itself, or NULL for another's string */
static size_t capacity;

static bool is_name(const char *name)
{
	if (name && *name && !strchr(name, '='))
		return true;
	errno = EINVAL;
	return false;
}

static size_t count_entries(void)
{
	size_t count = 0;

	while (environ && environ[count])
		count++;
	return count;
}

/* The place of the variable whose name has @length bytes, or the end. */
static size_t find(const char *name, size_t length)
{
	size_t i = 0;

	for (; environ && environ[i]; i++)
		if (!strncmp(environ[i], name, length) &&
		    environ[i][length] == '=')
			break;
	return i;
}

/* Makes the array one that can be written and has room for another entry. */
static int make_room(void)
{
	size_t count = count_entries();
	size_t room = count + 1 + SPARE;
	char **entries;

	if (environ == array && count + 1 < capacity)
		return 0;
	entries = calloc(2 * room, sizeof(*entries));
	if (!entries)
		return -1; /* errno is ENOMEM */
	for (size_t i = 0; i < count; i++) {
		entries[i] = environ[i];
		if (i < capacity && made[i] == environ[i])
			entries[room + i] = made[i];
	}
	free(array);
	environ = array = entries;
	made = entries + room;
	capacity = room;
	return 0;
}

/* Puts @string at @i, in place of what is there. */
static void replace(size_t i, char *string, bool is_made)
{
	if (made[i] == array[i])
		free(made[i]);
	array[i] = string;
	made[i] = is_made ? string : NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t length, size;
	char *string;
	size_t i;

	if (!is_name(name))
		return -1;
	length = strlen(name);
	i = find(name, length);
	if (!overwrite && environ && environ[i])
		return 0;
	size = strlen(value) + 1;
	string = malloc(length + 1 + size);
	if (!string)
		return -1;
	memcpy(string, name, length);
	string[length] = '=';
	memcpy(string + length + 1, value, size);
	if (make_room()) {
		free(string);
		return -1;
	}
	replace(i, string, true);
	return 0;
}

int unsetenv(const char *name)
{
	size_t length;
	size_t i;

	if (!is_name(name))
		return -1;
	length = strlen(name);
	while (i = find(name, length), environ && environ[i]) {
		if (make_room())
			return -1;
		replace(i, NULL, false);
		for (; array[i + 1]; i++) {
			array[i] = array[i + 1];
			made[i] = made[i + 1];
		}
		array[i] = made[i] = NULL;
	}
	return 0;
}

/* Without a value the variable is removed, as other C libraries do it. */
int putenv(char *string)
{
	const char *value = strchr(string, '=');
	size_t i;

	if (!value)
		return unsetenv(string);
	if (value == string) {
		errno = EINVAL;
		return -1;
	}
	i = find(string, (size_t)(value - string));
	if (make_room())
		return -1;
	if (array[i] != string)
		replace(i, string, false);
	return 0;
}
