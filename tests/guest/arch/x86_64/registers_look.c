/*
 * registers_look.c (x86_64) - compares the registers with what an invocation
 * must find.
 */
#include <stddef.h>
#include <string.h>

#include <thaw_abi.h>

#include "registers.h"
#include "saved.h"

#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

_Static_assert(offsetof(struct saved, flags) == SAVED_FLAGS, "registers.S");
_Static_assert(offsetof(struct saved, selectors) == SAVED_SELECTORS,
	       "registers.S");
_Static_assert(offsetof(struct saved, at_fs) == SAVED_AT_FS, "registers.S");
_Static_assert(offsetof(struct saved, xcr0) == SAVED_XCR0, "registers.S");
_Static_assert(offsetof(struct saved, xsave) == SAVED_XSAVE, "registers.S");

#define GENERAL_RCX 2
#define GENERAL_RSP 7
/*
 * What the stub's last instruction, XOR, leaves: ZF and PF. It may leave AF;
 * and IF, which user mode cannot change, is as KVM likes it.
 */
#define FLAGS 0x46
#define FLAGS_ANY UINT64_C(0x210)
#define XSAVE_FCW 0
#define XSAVE_MXCSR 24
#define XSAVE_HEADER 512
#define XCR0_PKRU 0x200

static uint64_t general(unsigned i)
{
	if (i == GENERAL_RCX)
		return info->dispatch;
	if (i == GENERAL_RSP)
		return info->stack_top - 8;
	return 0;
}

/* Zero but for the control words, and for what says what was saved. */
static void look_at_extended_state(void)
{
	uint16_t fcw;
	uint32_t mxcsr;

	memcpy(&fcw, saved.xsave + XSAVE_FCW, sizeof(fcw));
	memcpy(&mxcsr, saved.xsave + XSAVE_MXCSR, sizeof(mxcsr));
	if (fcw != 0x37f)
		differs("fcw", 0, fcw);
	if (mxcsr != 0x1f80)
		differs("mxcsr", 0, mxcsr);
	memset(saved.xsave + XSAVE_FCW, 0, sizeof(fcw));
	memset(saved.xsave + XSAVE_MXCSR, 0, 8);
	memset(saved.xsave + XSAVE_HEADER, 0, 8);
	for (unsigned i = 0; i < sizeof(saved.xsave); i++)
		if (saved.xsave[i])
			differs("xsave", i, saved.xsave[i]);
}

void look(void)
{
	static const uint16_t selectors[6] = {
		THAW_X86_USER_CS, THAW_X86_USER_DS, THAW_X86_USER_DS,
		THAW_X86_USER_DS, THAW_X86_USER_DS, THAW_X86_USER_DS,
	};
	uint64_t in_info;

	memcpy(&in_info, (const void *)THAW_GPA_INFO, sizeof(in_info));
	for (unsigned i = 0; i < 16; i++)
		if (saved.general[i] != general(i))
			differs("general", i, saved.general[i]);
	if ((saved.flags & ~FLAGS_ANY) != FLAGS)
		differs("flags", 0, saved.flags);
	for (unsigned i = 0; i < 6; i++)
		if (saved.selectors[i] != selectors[i])
			differs("selector", i, saved.selectors[i]);
	if (saved.at_fs != in_info)
		differs("fs", 0, saved.at_fs);
	if (saved.at_gs != in_info)
		differs("gs", 0, saved.at_gs);
	look_at_extended_state();
}

/*
 * PKRU, where KVM has it in XCR0, though CPUID hides it: then it is in what
 * look() has compared.
 */
void look_at_modes(void)
{
	if (!(saved.xcr0 & XCR0_PKRU))
		__builtin_trap();
}
