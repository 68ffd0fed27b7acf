/* run_settings.c - see run_settings.h. */
#include "executor/cli/run_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/cli.h"

static struct run_settings *settings_of(const struct cli_option *option,
					void *target)
{
	return (struct run_settings *)(void *)((char *)target + option->offset);
}

/* Adds @value to a list that may have @max. */
static int add_value(const struct cli_option *option, const char *value,
		     const char **list, size_t max, size_t *count)
{
	if (*count == max) {
		cli_error("--%s: more than %zu of them", option->name, max);
		return CLI_USAGE;
	}
	list[(*count)++] = value;
	return 0;
}

int run_settings_set_environment(const struct cli_option *option,
				 const char *value, void *target)
{
	struct run_settings *settings = settings_of(option, target);

	if (!strchr(value, '=')) {
		cli_error("--%s: \"%s\" is not NAME=VALUE", option->name,
			  value);
		return CLI_USAGE;
	}
	return add_value(option, value, settings->environment,
			 RUN_ENVIRONMENT_MAX, &settings->environment_count);
}

int run_settings_set_file(const struct cli_option *option, const char *value,
			  void *target)
{
	struct run_settings *settings = settings_of(option, target);

	return add_value(option, value, settings->files, LIMIT_FILES_MAX,
			 &settings->file_count);
}

int run_settings_set_interrupt(const struct cli_option *option,
			       const char *value, void *target)
{
	struct run_settings *settings = settings_of(option, target);

	return add_value(option, value, settings->interrupts,
			 GUNYAH_INTERRUPTS_MAX, &settings->interrupt_count);
}

bool run_settings_are_given(const struct run_settings *settings)
{
	return settings->memory || settings->timeout ||
	       settings->init_timeout || settings->max_request ||
	       settings->max_reply || settings->environment_count ||
	       settings->root || settings->file_count || settings->devices ||
	       settings->interrupt_count;
}

int run_settings_open(const struct run_settings *settings, const char *place,
		      char *const *words, struct program *ret_program)
{
	int code;

	*ret_program = (struct program){ .path = NULL };
	if (settings->root) {
		char *root = realpath(settings->root, NULL);

		if (!root) {
			cli_error("--root: %s: %s", settings->root,
				  strerror(errno));
			return PROGRAM_FAILED;
		}
		code = program_open_in_root(place, root, words, ret_program);
	} else {
		code = program_open(place, words, ret_program);
	}
	for (size_t i = 0; code == CLI_GO_ON && i < settings->file_count; i++)
		code = program_add_file(ret_program, "--file",
					settings->files[i]);
	return code;
}

struct run_function run_settings_function(const struct run_settings *settings,
					  const struct program *program)
{
	return (struct run_function){
		.name = program->name,
		.program = program->path,
		.root = program->root,
		.arguments = program->arguments,
		.files = program->files,
		.settings = settings,
	};
}

/* The keys of the catalog, and their options. */
static const struct {
	const char *key, *option;
} names[] = {
	{ "memory", "memory" },
	{ "timeout", "timeout" },
	{ "init_timeout", "init-timeout" },
	{ "max_request", "max-request" },
	{ "max_reply", "max-reply" },
	{ "environment", "env" },
	{ "root", "root" },
	{ "files", "file" },
	{ "devices", "devices" },
	{ "interrupts", "interrupt" },
	{ "entry", "entry" },
};

/* The part of @message behind the place of a function's key; NULL: it has none. */
static const char *find_key(const char *message, const char *name)
{
	static const char place[] = ":1: /functions/";
	const size_t size = strlen(name);

	if (strncmp(message, name, size) != 0 ||
	    strncmp(message + size, place, strlen(place)) != 0)
		return NULL;
	message += size + strlen(place);
	message += strspn(message, "0123456789");
	return *message == '/' ? message + 1 : NULL;
}

void run_settings_print_mistake(const char *message, const char *name)
{
	const char *key = find_key(message, name);
	const size_t size = key ? strcspn(key, "/:") : 0;

	for (size_t i = 0; key && i < sizeof(names) / sizeof(*names); i++) {
		const char *rest = key + size;

		if (strlen(names[i].key) != size ||
		    strncmp(key, names[i].key, size) != 0)
			continue;
		/* its place in the list says nothing of an option */
		if (!strcmp(names[i].key, "interrupts"))
			rest += strcspn(rest, ":");
		cli_error("--%s%s%s", names[i].option, *rest == '/' ? " " : "",
			  rest + (*rest == '/'));
		return;
	}
	cli_error("%s", message);
}
