/*
 * registered.c - typed functions that init registers, as the environment variable INIT
 * says: well, or so that thaw must refuse them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

THAW_FUNCTION(int, add, (int, a), (int, b))
{
	return a + b;
}

static void twice(const struct thaw_value *arguments, struct thaw_value *result)
{
	*result = thaw_value_int(2 * arguments[0].as.i32);
}

/* The code of all that are numbered. */
static void number(const struct thaw_value *arguments,
		   struct thaw_value *result)
{
	(void)arguments;
	*result = thaw_value_uint(thaw_registered_number());
}

static const struct thaw_function_record sound = {
	.call = twice,
	.returns = THAW_TYPE_INT,
	.count = 1,
	.types = { THAW_TYPE_INT },
	.name = "twice",
};

static struct thaw_function_record changed;

static int add_numbered(unsigned count)
{
	struct thaw_function_record record = {
		.call = number,
		.returns = THAW_TYPE_UINT,
	};

	for (unsigned i = 1; i <= count; i++) {
		snprintf(record.name, sizeof(record.name), "%u+0", i);
		if (thaw_register(&record) != (int)i)
			return -1;
	}
	return 0;
}

/* READY with a table of one's own. */
static void ready(uint32_t count, uint64_t table)
{
	mailbox->abi_version = THAW_ABI_VERSION;
	mailbox->function_count = 2;
	mailbox->registered_count = count;
	mailbox->registered = table;
	mailbox->dispatch = THAW_GPA_IMAGE;
	thaw_arch_ring(THAW_BELL_READY);
}

static int act(const char *init)
{
	if (!strcmp(init, "most"))
		return thaw_register(&sound) || add_numbered(253);
	if (!strcmp(init, "one_too_many"))
		return thaw_register(&sound) || add_numbered(254);
	if (!strcmp(init, "count"))
		ready(THAW_FUNCTIONS_MAX + 1, (uintptr_t)&changed);
	if (!strcmp(init, "count_with_the_image's"))
		ready(THAW_FUNCTIONS_MAX, THAW_GPA_IMAGE);
	if (!strcmp(init, "count_of_ones"))
		ready(UINT32_MAX, (uintptr_t)&changed);
	if (!strcmp(init, "null"))
		ready(1, 0);
	if (!strcmp(init, "outside"))
		ready(1, UINT64_MAX - 7);
	if (!strcmp(init, "across_the_end"))
		ready(2, (4u << 20) - sizeof(changed));
	if (!strcmp(init, "askew"))
		ready(1, (uintptr_t)&changed + 4);
	if (!strcmp(init, "no_name"))
		changed.name[0] = '\0';
	if (!strcmp(init, "odd_name"))
		strcpy(changed.name, "\x1b[2J");
	if (!strcmp(init, "endless_name"))
		memset(changed.name, 'n', sizeof(changed.name));
	if (!strcmp(init, "longest_name"))
		memset(changed.name, 'n', sizeof(changed.name) - 1);
	if (!strcmp(init, "name_of_the_image's"))
		strcpy(changed.name, "add");
	if (!strcmp(init, "name_twice"))
		return thaw_register(&changed) || thaw_register(&sound) != 1;
	if (!strcmp(init, "type"))
		changed.types[0] = 200;
	if (!strcmp(init, "no_type"))
		changed.returns = THAW_TYPE_NONE;
	if (!strcmp(init, "parameters"))
		changed.count = 17;
	if (!strcmp(init, "flags"))
		changed.flags = 2;
	if (!strcmp(init, "dispatch"))
		changed = (struct thaw_function_record){
			.flags = THAW_FUNCTION_DISPATCH,
		};
	return thaw_register(&changed);
}

THAW_INIT(as_told)
{
	const char *init = getenv("INIT");

	changed = sound;
	return act(init ? init : "");
}

/* After init there are no others. */
THAW_FUNCTION(int, too_late)
{
	return thaw_register(&sound);
}
