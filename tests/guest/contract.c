/* contract.c - breaks the contract of doorbell and mailbox. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "behaviours.h"
#include "hostile.h"

BEHAVIOURS(DECLARE_BEHAVIOUR)
POLLED_BEHAVIOURS(DECLARE_BEHAVIOUR)

#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

void spin_logging(void)
{
	for (;;)
		thaw_log(THAW_LOG_INFO, "still here");
}

void ring_zero(void)
{
	thaw_arch_ring(0);
}

void ring_ready(void)
{
	thaw_arch_ring(THAW_BELL_READY);
}

void ring_refused(void)
{
	thaw_arch_ring(THAW_BELL_REFUSED);
}

void ring_refused_after_log(void)
{
	thaw_log(THAW_LOG_INFO, "one");
	thaw_arch_ring(THAW_BELL_REFUSED);
}

/* Only the cooperative isolation has a use for it. */
void ring_idle(void)
{
	thaw_arch_ring(THAW_BELL_IDLE);
}

void ring_unknown(void)
{
	thaw_arch_ring(THAW_BELL_CALL + 1);
}

#define control ((volatile struct thaw_control *)HIDDEN(THAW_GPA_CONTROL))

/* Each changes nothing where it is allowed. */
void write_go(void)
{
	control->go = control->go;
}

void write_done(void)
{
	control->done = control->done;
}

void read_done(void)
{
	(void)control->done;
}

/* Says that the next invocation is done, and faults in this one. */
void claim_next(void)
{
	control->done = control->go + 1;
	poke(8);
}

/* Says that it is done, and goes on. */
void lie(void)
{
	static volatile uint32_t numbers[4096];

	control->done = control->go;
	for (;;)
		for (size_t i = 0; i < 4096; i++)
			numbers[i]++;
}

void ring_255(void)
{
	thaw_arch_ring(255);
}

void reply_of_one_too_many(void)
{
	mailbox->reply_size = 4097;
	thaw_arch_ring(THAW_BELL_DONE);
}

void reply_of_2_to_the_64(void)
{
	mailbox->reply_size = UINT64_MAX;
	thaw_arch_ring(THAW_BELL_DONE);
}

void status_unknown(void)
{
	mailbox->status = 2;
	thaw_arch_ring(THAW_BELL_DONE);
}

void mailbox_of_ones(void)
{
	memset((void *)THAW_GPA_MAILBOX, 0xff, THAW_PAGE_SIZE);
	thaw_arch_ring(THAW_BELL_DONE);
}

void http_status_of_600(void)
{
	mailbox->http_status = 600;
	thaw_arch_ring(THAW_BELL_DONE);
}

void headers_of_one_too_many(void)
{
	memset((char *)mailbox->headers, 'a', THAW_REPLY_HEADERS_MAX);
	mailbox->headers_size = THAW_REPLY_HEADERS_MAX + 1;
	thaw_arch_ring(THAW_BELL_DONE);
}

/* Ends with these headers, as they are. */
static void leave(const char *headers, size_t size)
{
	memcpy((char *)mailbox->headers, headers, size);
	mailbox->headers_size = (uint32_t)size;
	thaw_arch_ring(THAW_BELL_DONE);
}

void header_without_end(void)
{
	leave("Name\0value", sizeof("Name\0value") - 1);
}

void header_with_a_line(void)
{
	leave("A\0b\r\nSet-Cookie: c", sizeof("A\0b\r\nSet-Cookie: c"));
}

void header_of_framing(void)
{
	leave("A\0b\0Transfer-ENCODING\0chunked",
	      sizeof("A\0b\0Transfer-ENCODING\0chunked"));
}

void body_where_none_may_be(void)
{
	thaw_reply_status(204);
	thaw_reply("ab", 2);
}

static void log_raw(uint32_t size, uint32_t level, uint32_t used)
{
	struct thaw_log_line *line = (struct thaw_log_line *)THAW_GPA_LOG;

	line->size = size;
	line->level = level;
	mailbox->log_used = used;
	thaw_arch_ring(THAW_BELL_LOG);
	thaw_reply_printf("logged");
}

void log_of_wild_size(void)
{
	log_raw(UINT32_MAX, THAW_LOG_INFO, UINT32_MAX);
}

void log_of_wild_level(void)
{
	log_raw(4, UINT32_MAX, 16);
}

void log_flood(void)
{
	for (int i = 0; i < 1100; i++)
		thaw_log(THAW_LOG_INFO, "line %d", i);
	thaw_reply_printf("logged");
}

void calls_abort(void)
{
	abort();
}

void calls_exit(void)
{
	exit(3);
}

void calls_assert(void)
{
	assert(!"this holds");
}
