/* ready.c - see ready.h. */
#include "snapshot/ready.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/guest_log.h"
#include "snapshot/snapshot_internal.h"

void ready_copy(const struct thaw_mailbox *mailbox, struct ready *ret_ready)
{
	*ret_ready = (struct ready){
		.handlers = mailbox->handlers,
		.dispatch = mailbox->dispatch,
		.lines = mailbox->lines,
		.registered = mailbox->registered,
		.abi_version = mailbox->abi_version,
		.handler_count = mailbox->handler_count,
		.function_count = mailbox->function_count,
		.registered_count = mailbox->registered_count,
	};
}

/* @size bytes of @memory at @gpa, or NULL if they are not all inside. */
static const void *view(const struct snapshot *snapshot, const uint8_t *memory,
			uint64_t gpa, uint64_t size)
{
	const uint64_t all = snapshot->layout.memory_size;

	return size <= all && gpa <= all - size ? memory + gpa : NULL;
}

static bool is_handler_name(const char *name, size_t size)
{
	const char *end = memchr(name, '\0', size);

	if (!end || end == name)
		return false;
	for (; name < end; name++)
		if (*name <= ' ' || *name > '~')
			return false;
	return true;
}

/* Copies the name of handler @number, which no handler before it may have. */
static int take_name(struct snapshot *snapshot,
		     const struct thaw_handler_entry *entry, size_t number,
		     struct error *err)
{
	char *name = snapshot->handlers[number];

	memcpy(name, entry->name, sizeof(entry->name));
	if (!is_handler_name(name, sizeof(entry->name)))
		return error_set(err, -EPROTO,
				 "the name of handler %zu is not printable text",
				 number);
	for (size_t i = 0; i < number; i++)
		if (!strcmp(snapshot->handlers[i], name))
			return error_set(err, -EPROTO,
					 "handlers %zu and %zu are both named "
					 "\"%s\": rename one",
					 i, number, name);
	return 0;
}

/* Copies the typed functions that init has registered; they are checked later. */
static int take_registered(struct snapshot *snapshot, const uint8_t *memory,
			   struct error *err)
{
	const uint64_t at = snapshot->ready.registered;
	const size_t count = snapshot->ready.registered_count;
	const size_t size = count * sizeof(*snapshot->registered);
	const void *table;

	if (!count)
		return 0;
	if (count > THAW_FUNCTIONS_MAX)
		return error_set(err, -EPROTO,
				 "it has registered %zu functions; %d are "
				 "allowed",
				 count, THAW_FUNCTIONS_MAX);
	table = view(snapshot, memory, at, size);
	if (!table || at % 8)
		return error_set(err, -EPROTO,
				 "its table of registered functions at %#llx is "
				 "not in memory",
				 (unsigned long long)at);
	snapshot->registered = malloc(size);
	if (!snapshot->registered)
		return error_set(err, -ENOMEM, "no memory for functions");
	memcpy(snapshot->registered, table, size);
	snapshot->registered_count = count;
	return 0;
}

int ready_read(struct snapshot *snapshot, const uint8_t *memory,
	       struct error *err)
{
	const struct ready *ready = &snapshot->ready;
	const struct thaw_handler_entry *table;
	const size_t count = ready->handler_count;
	int r;

	if (ready->abi_version != THAW_ABI_VERSION)
		return error_set(err, -EPROTO,
				 "built for ABI version %u; this thaw has %u: "
				 "rebuild it with this thaw's SDK",
				 ready->abi_version, THAW_ABI_VERSION);
	if (count > THAW_HANDLERS_MAX ||
	    (!count && !ready->function_count && !ready->registered_count))
		return error_set(err, -EPROTO,
				 "offers %zu handlers; 1 to %d are allowed: "
				 "define one with THAW_HANDLER(name)",
				 count, THAW_HANDLERS_MAX);
	if (!view(snapshot, memory, ready->lines, GUEST_LOG_BEGUN_BYTES))
		return error_set(err, -EPROTO,
				 "its log lines at %#llx are not in memory",
				 (unsigned long long)ready->lines);
	r = take_registered(snapshot, memory, err);
	if (r)
		return r;
	table = view(snapshot, memory, ready->handlers, count * sizeof(*table));
	if (!table || ready->handlers % 8)
		return error_set(err, -EPROTO,
				 "its handler table at %#llx is not in memory",
				 (unsigned long long)ready->handlers);
	snapshot->handlers = calloc(count + 1, sizeof(*snapshot->handlers));
	if (!snapshot->handlers)
		return error_set(err, -ENOMEM, "no memory for handlers");
	for (size_t i = 0; i < count; i++) {
		r = take_name(snapshot, &table[i], i, err);
		if (r)
			return r;
	}
	snapshot->handler_count = count;
	return 0;
}
