/* hostile.c - the handler that misbehaves as its request says. */
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "arch_behaviours.h"
#include "behaviours.h"
#include "hostile.h"

BEHAVIOURS(DECLARE_BEHAVIOUR)
ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)
POLLED_BEHAVIOURS(DECLARE_BEHAVIOUR)

#define HEAP_BYTES 8192

struct behaviour {
	const char *name;
	void (*act)(void);
};

#define ROW(name, ends, text) { #name, name },
static const struct behaviour behaviours[] = { BEHAVIOURS(ROW) ARCH_BEHAVIOURS(
	ROW) POLLED_BEHAVIOURS(ROW) };
#undef ROW

/* What an invocation must find as init left it. */
static volatile uint32_t in_data = 0x5eed;
static volatile uint8_t in_bss[HEAP_BYTES];
static volatile uint8_t *on_heap;
static int result;

THAW_INIT(heap)
{
	uint8_t *bytes = malloc(HEAP_BYTES);

	if (!bytes)
		return -1;
	on_heap = memset(bytes, 'h', HEAP_BYTES);
	return 0;
}

static int is_filled(const volatile uint8_t *bytes, size_t size, uint8_t value)
{
	while (size--)
		if (*bytes++ != value)
			return 0;
	return 1;
}

void good(void)
{
	if (in_data != 0x5eed)
		thaw_reply_printf("data ");
	if (!is_filled(in_bss, sizeof(in_bss), 0))
		thaw_reply_printf("bss ");
	if (!is_filled(on_heap, HEAP_BYTES, 'h'))
		thaw_reply_printf("heap ");
	if (!is_filled((const volatile uint8_t *)THAW_GPA_MAILBOX,
		       sizeof(struct thaw_mailbox), 0))
		thaw_reply_printf("mailbox ");
	if (!thaw_reply_size())
		thaw_reply_printf("pristine");
}

static void fill(uint64_t start, size_t size)
{
	memset((void *)HIDDEN(start), 0xa5, size);
}

void soil(void)
{
	const volatile struct thaw_info *info = (const void *)THAW_GPA_INFO;
	uint64_t here = (uint64_t)__builtin_frame_address(0);
	uint64_t new_heap = (uint64_t)malloc(200000);

	in_data = 0xa5a5a5a5;
	fill((uint64_t)in_bss, sizeof(in_bss));
	fill((uint64_t)on_heap, HEAP_BYTES);
	fill(new_heap, 200000);
	fill(here - 12000, 8000);
	fill(info->reply_start, info->reply_size);
	fill(THAW_GPA_MAILBOX, THAW_PAGE_SIZE);
	/* what the SDK does not set itself */
	memset((void *)THAW_GPA_MAILBOX, 0, sizeof(struct thaw_mailbox));
	thaw_reply_reset();
	thaw_reply_printf("soiled");
}

void returns_error(void)
{
	result = -7;
}

THAW_HANDLER(hostile)
{
	char name[THAW_NAME_MAX] = "";

	if (request->size < sizeof(name))
		memcpy(name, request->data, request->size);
	for (size_t i = 0; i < sizeof(behaviours) / sizeof(*behaviours); i++) {
		if (strcmp(behaviours[i].name, name))
			continue;
		behaviours[i].act();
		return result;
	}
	thaw_fail("Test.Unknown", "no behaviour %s", name);
}
