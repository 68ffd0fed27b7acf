/* ports.c (x86_64) - every way but the right one to use an I/O port. */
#include <string.h>

#include <thaw.h>

#include "arch_behaviours.h"
#include "hostile.h"

ARCH_BEHAVIOURS(DECLARE_BEHAVIOUR)

void out_other_port(void)
{
	__asm__ volatile("out %%al, $0x80" : : "a"(THAW_BELL_DONE));
}

void out_fault_port(void)
{
	__asm__ volatile("out %%al, %0" : : "N"(THAW_FAULT_PORT));
}

void in_other_port(void)
{
	uint32_t value;

	__asm__ volatile("in $0x60, %%al" : "=a"(value));
}

void out_16bit(void)
{
	__asm__ volatile("outw %%ax, %0"
			 :
			 : "N"(THAW_DOORBELL_PORT), "a"(THAW_BELL_DONE));
}

void out_32bit(void)
{
	__asm__ volatile("outl %%eax, %0"
			 :
			 : "N"(THAW_DOORBELL_PORT), "a"(THAW_BELL_DONE));
}

void in_doorbell(void)
{
	uint32_t value;

	__asm__ volatile("inb %1, %%al"
			 : "=a"(value)
			 : "N"(THAW_DOORBELL_PORT));
}

static void out_bytes(const void *from, uint64_t count)
{
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(count)
			 : "d"(THAW_DOORBELL_PORT)
			 : "memory");
}

void out_string(void)
{
	const uint8_t value = 77;
	const void *from = &value;

	__asm__ volatile("outsb"
			 : "+S"(from)
			 : "d"(THAW_DOORBELL_PORT)
			 : "memory");
}

void out_repeated(void)
{
	uint8_t values[100];

	memset(values, 77, sizeof(values));
	out_bytes(values, sizeof(values));
}

/* DONE a hundred times: at most one of them is this invocation's. */
void done_repeated(void)
{
	uint8_t values[100];

	memset(values, THAW_BELL_DONE, sizeof(values));
	out_bytes(values, sizeof(values));
}

static uint8_t much[1 << 16];

/*
 * KVM completes an IN when it is next entered: it may then write memory, or
 * want to go on. Neither may happen to the next invocation, nor may the code
 * behind the IN run in its place.
 */
static void in_bytes(void *to, uint64_t count)
{
	__asm__ volatile("rep insb; cld"
			 : "+D"(to), "+c"(count)
			 : "d"(THAW_DOORBELL_PORT)
			 : "memory");
	thaw_fail("Test.TakenOver", "an invocation of the past");
}

void in_repeated(void)
{
	memset(much, 0xa5, sizeof(much));
	in_bytes(much, 100);
}

void in_repeated_much(void)
{
	in_bytes(much, sizeof(much));
}

void in_repeated_down(void)
{
	__asm__ volatile("std");
	in_bytes(much + sizeof(much) - 1, sizeof(much));
}

void in_repeated_into_initialized_data(void)
{
	static uint8_t data[100] = { [0 ... 99] = 0x5a };

	in_bytes(data, sizeof(data));
}

void out_from_null(void)
{
	const void *from = NULL;

	__asm__ volatile("outsb"
			 : "+S"(from)
			 : "d"(THAW_DOORBELL_PORT)
			 : "memory");
}
