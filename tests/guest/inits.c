/*
 * inits.c - gets ready wrongly, or never, as the environment variable INIT
 * says.
 */
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "hostile_text.h"

#define BIG_BYTES (2u << 20)

#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

static struct thaw_handler_entry entry = { .name = "inits" };
static uint8_t *big;

/* READY with a table of handlers and a dispatch of one's own. */
static void ready(uint32_t count, uint64_t handlers, uint64_t dispatch)
{
	mailbox->abi_version = THAW_ABI_VERSION;
	mailbox->handler_count = count;
	mailbox->handlers = handlers;
	mailbox->dispatch = dispatch;
	thaw_arch_ring(THAW_BELL_READY);
}

static void ready_with_name(const char *name, size_t size)
{
	memset(entry.name, 0, sizeof(entry.name));
	memcpy(entry.name, name, size);
	ready(1, (uintptr_t)&entry, THAW_GPA_IMAGE);
}

static void never(void)
{
	for (;;)
		__asm__ volatile("");
}

static void never_and_log(void)
{
	for (;;)
		thaw_log(THAW_LOG_INFO, "not yet");
}

static void exits(void)
{
	exit(0);
}

static void aborts(void)
{
	abort();
}

static void faults(void)
{
	volatile uint64_t *nowhere = NULL;

	__asm__ volatile("" : "+r"(nowhere));
	nowhere[2] = 1;
}

/* Not a tail call, though it never returns. */
static int descend(volatile char *above)
{
	volatile char frame[512];

	frame[0] = *above;
	return (frame[0] ? descend(frame) : 0) + frame[0];
}

static void overflows(void)
{
	volatile char frame = 1;

	descend(&frame);
}

static void fails(void)
{
	thaw_fail("Init.NoTable", "there is no table");
}

static void fails_unterminated(void)
{
	memset((void *)THAW_GPA_MAILBOX, 'x', THAW_PAGE_SIZE);
	thaw_arch_ring(THAW_BELL_DONE);
}

static void fails_hostile(void)
{
	thaw_log(THAW_LOG_ERROR, "%s", hostile_text);
	mailbox->status = THAW_STATUS_ERROR;
	fill_hostile(mailbox->error_type, sizeof(mailbox->error_type));
	fill_hostile(mailbox->error_message, sizeof(mailbox->error_message));
	thaw_arch_ring(THAW_BELL_DONE);
}

static void rings(void)
{
	thaw_arch_ring(200);
}

static void old_abi(void)
{
	thaw_arch_ring(THAW_BELL_READY);
}

static void newer_abi(void)
{
	mailbox->abi_version = THAW_ABI_VERSION + 1;
	thaw_arch_ring(THAW_BELL_READY);
}

/* As an image of version 5 does, whose mailbox had other members behind these. */
static void abi_5(void)
{
	volatile uint32_t *words = (volatile uint32_t *)THAW_GPA_MAILBOX;

	memset((char *)mailbox + 1264, 'l', 1024);
	words[1264 / 4] = THAW_LOG_DEBUG;
	thaw_arch_ring(THAW_BELL_LOG);
	words[1232 / 4] = 5;
	thaw_arch_ring(THAW_BELL_READY);
}

static void no_handlers(void)
{
	ready(0, (uintptr_t)&entry, THAW_GPA_IMAGE);
}

static void many_handlers(void)
{
	ready(UINT32_MAX, (uintptr_t)&entry, THAW_GPA_IMAGE);
}

static void handlers_null(void)
{
	ready(1, 0, THAW_GPA_IMAGE);
}

static void handlers_outside(void)
{
	ready(1, UINT64_MAX - 7, THAW_GPA_IMAGE);
}

static void handlers_across_the_end(void)
{
	ready(THAW_HANDLERS_MAX, (4u << 20) - 64, THAW_GPA_IMAGE);
}

static void handlers_askew(void)
{
	ready(1, (uintptr_t)&entry + 1, THAW_GPA_IMAGE);
}

static void lines_outside(void)
{
	mailbox->lines = UINT64_MAX - 7;
	ready(1, (uintptr_t)&entry, THAW_GPA_IMAGE);
}

/* The table is, its texts are not; or are too long. */
static void lines_wild(void)
{
	static struct thaw_line wild[THAW_LINES] = {
		{ .text = UINT64_MAX - 7, .size = 9, .level = UINT32_MAX },
		{ .text = THAW_GPA_IMAGE, .size = UINT32_MAX },
	};

	mailbox->lines = (uintptr_t)wild;
	faults();
}

static void lines_askew(void)
{
	mailbox->lines = (4u << 20) - 8;
	faults();
}

static void faults_in_a_line(void)
{
	printf("half a");
	faults();
}

static void never_ends_a_line(void)
{
	fprintf(stderr, "half a");
	never();
}

static void name_empty(void)
{
	ready_with_name("", 0);
}

static void name_with_escape(void)
{
	ready_with_name("\x1b[2J", 4);
}

static void name_endless(void)
{
	char name[sizeof(entry.name)];

	memset(name, 'n', sizeof(name));
	ready_with_name(name, sizeof(name));
}

static void name_twice(void)
{
	static struct thaw_handler_entry entries[] = { { .name = "one" },
						       { .name = "same" },
						       { .name = "same" } };

	ready(3, (uintptr_t)entries, THAW_GPA_IMAGE);
}

static void dispatch_null(void)
{
	ready(1, (uintptr_t)&entry, 0);
}

static void dispatch_wild(void)
{
	ready(1, (uintptr_t)&entry, 0x8000000000000000);
}

static void dispatch_in_data(void)
{
	ready(1, (uintptr_t)&entry, (uintptr_t)&entry);
}

static void logs_much(void)
{
	for (int i = 0; i < 5000; i++)
		printf("line %d\n", i);
}

static volatile double one = 1, three = 3;
static double third;

/* Leaves another rounding, and the exception of a result that is not exact. */
static void rounds_up(void)
{
	fesetround(FE_UPWARD);
	third = one / three;
}

static void is_big(void)
{
	big = malloc(BIG_BYTES);
	if (!big)
		thaw_fail("Init.NoMemory", "no memory");
	for (size_t i = 0; i < BIG_BYTES; i++)
		big[i] = (uint8_t)(i * 7);
}

#define INIT(name)          \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	void (*act)(void);
} inits[] = {
	INIT(never),
	INIT(never_and_log),
	INIT(exits),
	INIT(aborts),
	INIT(faults),
	INIT(overflows),
	INIT(fails),
	INIT(fails_unterminated),
	INIT(fails_hostile),
	INIT(rings),
	INIT(old_abi),
	INIT(newer_abi),
	INIT(abi_5),
	INIT(no_handlers),
	INIT(many_handlers),
	INIT(handlers_null),
	INIT(handlers_outside),
	INIT(handlers_across_the_end),
	INIT(handlers_askew),
	INIT(lines_outside),
	INIT(lines_wild),
	INIT(lines_askew),
	INIT(faults_in_a_line),
	INIT(never_ends_a_line),
	INIT(name_empty),
	INIT(name_with_escape),
	INIT(name_endless),
	INIT(name_twice),
	INIT(dispatch_null),
	INIT(dispatch_wild),
	INIT(dispatch_in_data),
	INIT(logs_much),
	INIT(rounds_up),
	INIT(is_big),
};

THAW_INIT(as_told)
{
	const char *name = getenv("INIT");

	for (size_t i = 0; i < sizeof(inits) / sizeof(*inits); i++)
		if (name && !strcmp(inits[i].name, name))
			inits[i].act();
	return name ? 0 : -3;
}

/* What is left of init's rounding; then it leaves another one. */
static int reply_rounding(void)
{
	const int raised = fetestexcept(FE_ALL_EXCEPT), mode = fegetround();

	thaw_reply_printf("raised %d, mode %s, less than init's: %d", raised,
			  mode == FE_TONEAREST ? "to nearest" : "other",
			  one / three < third);
	fesetround(FE_DOWNWARD);
	return 0;
}

/* What init has left, on the heap or elsewhere, or that there is nothing. */
THAW_HANDLER(inits)
{
	if (third > 0)
		return reply_rounding();
	if (!big)
		return thaw_reply("nothing", 7);
	for (size_t i = 0; i < BIG_BYTES; i++)
		if (big[i] != (uint8_t)(i * 7))
			thaw_fail("Test.Wrong", "byte %zu", i);
	memset(big, 0, BIG_BYTES);
	return thaw_reply("all", 3);
}
