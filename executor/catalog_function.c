/* catalog_function.c - see catalog_function.h; any thread. */
#include "executor/catalog_function.h"

#include <stdlib.h>
#include <string.h>

#define WORDS(noun, list)                                  \
	{                                                  \
		noun, sizeof(list) / sizeof(*(list)), list \
	}

static const char *const kind_list[] = {
	[CATALOG_KIND_NATIVE] = "native",
	[CATALOG_KIND_LINUX] = "linux",
};
static const char *const devices_list[] = {
	[CATALOG_DEVICES_LINUX] = "linux",
	[CATALOG_DEVICES_GUNYAH] = "gunyah",
};
static const char *const log_level_list[] = {
	[THAW_LOG_ERROR] = "error",
	[THAW_LOG_WARN] = "warn",
	[THAW_LOG_INFO] = "info",
	[THAW_LOG_DEBUG] = "debug",
};
static const char *const dispatch_list[] = {
	[CATALOG_DISPATCH_EXIT] = "exit",
	[CATALOG_DISPATCH_POLLED] = "polled",
	[CATALOG_DISPATCH_AUTO] = "auto",
};
static const char *const isolation_list[] = {
	[CATALOG_ISOLATION_STRICT] = "strict",
	[CATALOG_ISOLATION_COOPERATIVE] = "cooperative",
};

const struct catalog_words catalog_kinds = WORDS("kind of guest", kind_list);
const struct catalog_words catalog_devices =
	WORDS("set of devices", devices_list);
const struct catalog_words catalog_log_levels =
	WORDS("log level", log_level_list);
const struct catalog_words catalog_dispatches =
	WORDS("kind of dispatch", dispatch_list);
const struct catalog_words catalog_isolations =
	WORDS("kind of isolation", isolation_list);

const char *catalog_log_level_name(enum thaw_level level)
{
	return log_level_list[level];
}

const char *catalog_dispatch_name(enum catalog_dispatch dispatch)
{
	return dispatch_list[dispatch];
}

const char *catalog_isolation_name(enum catalog_isolation isolation)
{
	return isolation_list[isolation];
}

static void free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void catalog_function_done(struct catalog_function *function)
{
	free(function->name);
	free(function->image);
	free(function->program);
	free_list(function->arguments);
	free(function->root);
	free_list(function->files);
	free_list(function->interrupts);
	free(function->warm_input.text);
	free(function->warm_input.file);
	free(function->base);
	free(function->init.entry);
	free(function->init.text);
	free(function->init.file);
	free(function->entry);
	free(function->description);
	free_list(function->environment);
	free_list(function->labels);
	catalog_host_done(&function->host);
}

static bool equal_lists(char *const *a, char *const *b)
{
	size_t i = 0;

	while (a[i] && b[i] && !strcmp(a[i], b[i]))
		i++;
	return !a[i] && !b[i];
}

/* Either may be NULL. */
static bool equal_texts(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool equal_warm_inputs(const struct catalog_warm_input *a,
			      const struct catalog_warm_input *b)
{
	return equal_texts(a->text, b->text) && equal_texts(a->file, b->file) &&
	       a->count == b->count;
}

static bool equal_inits(const struct catalog_init *a,
			const struct catalog_init *b)
{
	return equal_texts(a->entry, b->entry) && a->size == b->size &&
	       (!a->size || !memcmp(a->text, b->text, a->size)) &&
	       equal_texts(a->file, b->file);
}

bool catalog_function_equal(const struct catalog_function *a,
			    const struct catalog_function *b)
{
	return !strcmp(a->name, b->name) && a->kind == b->kind &&
	       !strcmp(a->image, b->image) &&
	       equal_lists(a->arguments, b->arguments) &&
	       equal_texts(a->root, b->root) && a->tmp == b->tmp &&
	       a->writable_code == b->writable_code &&
	       a->devices == b->devices &&
	       equal_lists(a->interrupts, b->interrupts) &&
	       equal_lists(a->files, b->files) && !strcmp(a->entry, b->entry) &&
	       !strcmp(a->description, b->description) &&
	       equal_lists(a->environment, b->environment) &&
	       equal_warm_inputs(&a->warm_input, &b->warm_input) &&
	       equal_texts(a->base, b->base) &&
	       equal_inits(&a->init, &b->init) &&
	       equal_lists(a->labels, b->labels) && a->memory == b->memory &&
	       a->stack == b->stack && a->max_request == b->max_request &&
	       a->max_reply == b->max_reply && a->timeout_ns == b->timeout_ns &&
	       a->init_timeout_ns == b->init_timeout_ns &&
	       a->base_init_timeout_ns == b->base_init_timeout_ns &&
	       a->inline_budget_ns == b->inline_budget_ns &&
	       a->concurrency.max == b->concurrency.max &&
	       a->concurrency.warm == b->concurrency.warm &&
	       a->concurrency.queue == b->concurrency.queue &&
	       a->concurrency.queue_timeout_ns ==
		       b->concurrency.queue_timeout_ns &&
	       catalog_host_equal(&a->host, &b->host) &&
	       a->log_level == b->log_level && a->dispatch == b->dispatch &&
	       a->isolation == b->isolation && a->untrusted == b->untrusted &&
	       a->critical == b->critical;
}
