/* memory.c - what lies outside a function's memory, or is not its to change. */
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "behaviours.h"
#include "hostile.h"

BEHAVIOURS(DECLARE_BEHAVIOUR)

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

static const char constant[] = "constant";
static uint8_t data[16] = { 0xc3 };

void read_null(void)
{
	peek(8);
}

void write_null(void)
{
	poke(8);
}

void jump_null(void)
{
	jump(0);
}

void write_code(void)
{
	poke((uint64_t)write_code);
}

void write_constant(void)
{
	poke((uint64_t)constant);
}

void write_stub(void)
{
	poke(THAW_GPA_STUB);
}

void write_info(void)
{
	poke(THAW_GPA_INFO + THAW_INFO_DISPATCH);
}

void write_headers(void)
{
	poke(THAW_GPA_HEADERS);
}

void write_environment(void)
{
	poke(THAW_GPA_ENVIRONMENT);
}

void write_request(void)
{
	poke(info->request_start);
}

void write_supervisor_code(void)
{
	poke(THAW_GPA_SUPERVISOR);
}

void read_system_page(void)
{
	peek(THAW_GPA_SYSTEM);
}

void read_fault_page(void)
{
	peek(THAW_GPA_FAULT);
}

void read_page_tables(void)
{
	/* they follow the reply window and its guard */
	peek(info->reply_start + info->reply_size + 2 * THAW_PAGE_SIZE);
}

void read_beyond_memory(void)
{
	peek(0x40000000);
}

void jump_supervisor(void)
{
	jump(THAW_GPA_SUPERVISOR);
}

void jump_data(void)
{
	jump((uint64_t)data);
}

void jump_heap(void)
{
	jump((uint64_t)calloc(1, 16));
}

void jump_stack(void)
{
	uint8_t code[16] = { 0xc3 };

	jump((uint64_t)code);
}

void jump_mailbox(void)
{
	jump(THAW_GPA_MAILBOX);
}

void jump_request(void)
{
	jump(info->request_start);
}

void jump_reply(void)
{
	jump(info->reply_start);
}

/* Starts the invocation again, and again. */
void jump_stub(void)
{
	jump(THAW_GPA_STUB);
}

void overflow_stack(void)
{
	volatile uint8_t frame[1024];

	frame[0] = 1;
	if (frame[0])
		overflow_stack();
	frame[1] = 0; /* not a tail call */
}

void overrun_heap(void)
{
	poke(info->heap_end);
}

void overrun_reply(void)
{
	poke(info->reply_start + info->reply_size);
}

void overrun_request(void)
{
	peek(info->request_start + info->request_size);
}

void exhaust_heap(void)
{
	for (;;)
		poke((uint64_t)malloc(100000));
}
