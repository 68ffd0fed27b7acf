/*
 * registers_look.c (arm64) - compares the registers with what an invocation
 * must find.
 */
#include <stddef.h>

#include <thaw_abi.h>

#include "registers.h"
#include "saved.h"

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

_Static_assert(offsetof(struct saved, flags) == SAVED_FLAGS, "registers.S");
_Static_assert(offsetof(struct saved, fpcr) == SAVED_FPCR, "registers.S");
_Static_assert(offsetof(struct saved, tpidr) == SAVED_TPIDR, "registers.S");
_Static_assert(offsetof(struct saved, vectors) == SAVED_VECTORS, "registers.S");

#define GENERAL_X16 16
#define GENERAL_SP 31

static uint64_t general(unsigned i)
{
	if (i == GENERAL_X16)
		return info->dispatch;
	if (i == GENERAL_SP)
		return info->stack_top;
	return 0;
}

void look(void)
{
	for (unsigned i = 0; i < 32; i++)
		if (saved.general[i] != general(i))
			differs("general", i, saved.general[i]);
	if (saved.flags)
		differs("flags", 0, saved.flags);
	if (saved.fpcr)
		differs("fpcr", 0, saved.fpcr);
	if (saved.fpsr)
		differs("fpsr", 0, saved.fpsr);
	if (saved.tpidr)
		differs("tpidr", 0, saved.tpidr);
	for (unsigned i = 0; i < 64; i++)
		if (saved.vectors[i])
			differs("vector", i, saved.vectors[i]);
}

void look_at_modes(void)
{
	uint64_t ssbs, dit;

	/* SSBS and DIT, by their encodings: compilers know them by option */
	__asm__ volatile("mrs %0, s3_3_c4_c2_6" : "=r"(ssbs));
	__asm__ volatile("mrs %0, s3_3_c4_c2_5" : "=r"(dit));
	if (!ssbs)
		differs("ssbs", 0, ssbs);
	if (dit)
		differs("dit", 0, dit);
}
