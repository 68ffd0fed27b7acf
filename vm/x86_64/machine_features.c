/*
 * machine_features.c (x86_64) - see machine_features.h.
 *
 * References: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
#include "vm/x86_64/machine_features.h"

#include <assert.h>
#include <cpuid.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define ALL UINT32_MAX
#define AVX10 0x24u /* a leaf */
/*
 * What is the kernel's affair, not the code's of user mode, and may differ between hosts with
 * the same CPU: in leaf 1, ECX, DTES64, MONITOR, DS-CPL, VMX, SMX, EST, TM2, CNXT-ID, SDBG, xTPR,
 * PDCM, PCID, DCA, x2APIC, the TSC's deadline, OSXSAVE, and that there is a hypervisor.
 */
#define KERNELS                                                                \
	(1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | \
	 1u << 10 | 1u << 11 | 1u << 14 | 1u << 15 | 1u << 17 | 1u << 18 |     \
	 1u << 21 | 1u << 24 | 1u << 27 | 1u << 31)
#define HTT (1u << 28)	/* leaf 1, EDX: how many CPUs there are */
#define OSPKE (1u << 4) /* leaf 7, ECX */
#define SVM (1u << 2)	/* leaf 0x80000001, ECX */
/*
 * What CR4 enables. A vcpu's state has all of it that the machine has, and a file's is compared
 * with that: a file with less would be taken for a damaged one.
 */
#define FSGSBASE (1u << 0) /* leaf 7, EBX */
#define SMEP (1u << 7)	   /* leaf 7, EBX */
#define SMAP (1u << 20)	   /* leaf 7, EBX */
#define UMIP (1u << 2)	   /* leaf 7, ECX */

enum {
	EAX,
	EBX,
	ECX,
	EDX
};

static const struct {
	uint32_t function, index, number;
	uint32_t mask; /* the bits that count */
	uint32_t same; /* those of them that must be alike */
} features[FEATURES_COUNT] = {
	/* the vendor */
	{ 0, 0, EBX, ALL, ALL },
	{ 0, 0, ECX, ALL, ALL },
	{ 0, 0, EDX, ALL, ALL },
	{ 1, 0, ECX, ~KERNELS, 0 },
	{ 1, 0, EDX, ~HTT, 0 },
	{ 7, 0, EBX, ALL, FSGSBASE | SMEP | SMAP },
	{ 7, 0, ECX, ~OSPKE, UMIP },
	{ 7, 0, EDX, ALL, 0 },
	{ 7, 1, EAX, ALL, 0 },
	{ 7, 1, EBX, ALL, 0 },
	{ 7, 1, ECX, ALL, 0 },
	{ 7, 1, EDX, ALL, 0 },
	{ 7, 2, EDX, ALL, 0 },
	/* XCR0: the others are sizes */
	{ 0xd, 0, EAX, ALL, 0 },
	{ 0xd, 0, EDX, ALL, 0 },
	{ 0xd, 1, EAX, ALL, 0 },
	{ AVX10, 0, EBX, ALL, 0 },
	{ AVX10, 1, ECX, ALL, 0 },
	{ 0x80000001, 0, ECX, ~SVM, 0 },
	{ 0x80000001, 0, EDX, ALL, 0 },
	{ 0x80000007, 0, EDX, ALL, 0 }, /* the TSC */
	{ 0x80000008, 0, EBX, ALL, 0 },
	{ 0x80000021, 0, EAX, ALL, 0 },
	{ 0xc0000001, 0, EDX, ALL, 0 }, /* of VIA and Zhaoxin */
};

/* A number as so many ones: a larger one has all bits of a smaller one. */
static uint32_t ones(uint32_t number)
{
	return number < 16 ? (1u << number) - 1 : UINT16_MAX;
}

void features_collect(features_read_fn read, uint32_t words[FEATURES_WORDS])
{
	uint32_t registers[FEATURES_REGISTERS] = { 0 };

	for (size_t i = 0; i < FEATURES_COUNT; i++) {
		/* each leaf once */
		if (!i || features[i].function != features[i - 1].function ||
		    features[i].index != features[i - 1].index)
			read(features[i].function, features[i].index,
			     registers);
		/* the version; the bits next to it are reserved */
		if (features[i].function == AVX10 && !features[i].index)
			registers[EBX] = (registers[EBX] & ~0xffffu) |
					 ones(registers[EBX] & 0xff);
		words[2 * i] = registers[features[i].number] & features[i].mask;
		words[2 * i + 1] = ~registers[features[i].number] &
				   features[i].same;
	}
}

uint32_t features_register(const uint32_t words[FEATURES_WORDS],
			   uint32_t function, uint32_t index, unsigned number)
{
	size_t i = 0;

	while (i < FEATURES_COUNT &&
	       (features[i].function != function ||
		features[i].index != index || features[i].number != number))
		i++;
	assert(i < FEATURES_COUNT);
	return words[2 * i];
}

/*
 * The last leaf of the range that @function is in. A hypervisor may take microseconds for
 * each leaf that is asked for, so this asks once.
 */
static uint32_t last_leaf_of(uint32_t function)
{
	static _Atomic uint32_t known[16];
	const uint32_t range = function >> 28;
	uint32_t last = atomic_load(&known[range]);

	if (!last) {
		last = __get_cpuid_max(range << 28, NULL);
		atomic_store(&known[range], last);
	}
	return last;
}

/* A leaf beyond the last one would read as another one. */
void features_read_own(uint32_t function, uint32_t index,
		       uint32_t ret_registers[FEATURES_REGISTERS])
{
	uint32_t *r = ret_registers;

	if (function > last_leaf_of(function))
		memset(r, 0, FEATURES_REGISTERS * sizeof(*r));
	else
		__cpuid_count(function, index, r[0], r[1], r[2], r[3]);
}
