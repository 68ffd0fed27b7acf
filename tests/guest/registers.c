/* registers.c - what registers.elf does in C; see registers.h. */
#include "registers.h"

#include <stdio.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)
#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

static const struct thaw_handler_entry handlers[] = {
	{ (uintptr_t)dispatch, "registers" },
};

static const struct {
	const char *name;
	uint64_t dirt;
} dirts[] = {
	{ "general", DIRT_GENERAL },
	{ "flags", DIRT_FLAGS },
	{ "float", DIRT_FLOAT },
	{ "vectors", DIRT_VECTORS },
	{ "selectors", DIRT_SELECTORS },
	{ "bases", DIRT_BASES },
	{ "stack", DIRT_STACK },
	{ "modes", DIRT_MODES },
	{ "all", ~(uint64_t)(DIRT_BASES | DIRT_MODES) },
};
static const char *const endings[] = { "done", "fault", "spin" };

static char reply[1024];
static size_t reply_size;

void differs(const char *name, unsigned index, uint64_t value)
{
	size_t room = sizeof(reply) - reply_size;
	int size = snprintf(reply + reply_size, room, "%s%u=%#llx ", name,
			    index, (unsigned long long)value);

	if (size > 0 && (size_t)size < room)
		reply_size += (size_t)size;
}

static _Noreturn void done(const char *text, size_t size)
{
	memcpy((void *)info->reply_start, text, size);
	mailbox->status = THAW_STATUS_OK;
	mailbox->reply_size = size;
	for (;;)
		thaw_arch_ring(THAW_BELL_DONE);
}

_Noreturn void invoked(void)
{
	char request[64] = "", dirt[32] = "", ending[32] = "";

	look();
	if (info->request.size == 10 &&
	    !memcmp((const void *)info->request_start, "look modes", 10))
		look_at_modes();
	if (reply_size)
		done(reply, reply_size);
	/* what the request gets if it ends well, but dirty */
	memcpy((void *)info->reply_start, "dirty", 5);
	mailbox->reply_size = 5;
	if (info->request.size < sizeof(request))
		memcpy(request, (const void *)info->request_start,
		       info->request.size);
	sscanf(request, "%31s %31s", dirt, ending);
	for (uint64_t end = 0; end < sizeof(endings) / sizeof(*endings); end++)
		for (size_t i = 0; i < sizeof(dirts) / sizeof(*dirts); i++)
			if (!strcmp(dirt, dirts[i].name) &&
			    !strcmp(ending, endings[end]))
				make_dirty(dirts[i].dirt, end);
	done("pristine", 8);
}

/* READY of one's own, since the SDK's would name its own dispatch. */
THAW_INIT(ready)
{
	mailbox->abi_version = THAW_ABI_VERSION;
	mailbox->handler_count = 1;
	mailbox->handlers = (uintptr_t)handlers;
	mailbox->dispatch = (uintptr_t)dispatch;
	thaw_arch_ring(THAW_BELL_READY);
	return -1; /* never: the next run starts at dispatch */
}
