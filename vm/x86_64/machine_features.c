/*
 * machine_features.c (x86_64) - see machine_features.h.
 *
 * References: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
#include "vm/x86_64/machine_features.h"

#include <cpuid.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define ALL UINT32_MAX
#define OSXSAVE (1u << 27) /* leaf 1, ECX */
#define OSPKE (1u << 4)	   /* leaf 7, ECX */

static const struct {
	uint32_t function, index;
	uint32_t mask[FEATURES_REGISTERS];
} leaves[FEATURES_LEAVES] = {
	/* the vendor */
	{ 0, 0, { ALL, ALL, ALL, ALL } },
	/* family, model, stepping; EBX has the number of the CPU */
	{ 1, 0, { ALL, 0, ALL & ~OSXSAVE, ALL } },
	{ 7, 0, { ALL, ALL, ALL & ~OSPKE, ALL } },
	{ 7, 1, { ALL, ALL, ALL, ALL } },
	{ 7, 2, { ALL, ALL, ALL, ALL } },
	/* XCR0; EBX and ECX are sizes, and EBX that of what is enabled */
	{ 0xd, 0, { ALL, 0, ALL, ALL } },
	{ 0xd, 1, { ALL, 0, ALL, ALL } },
	{ 0x19, 0, { ALL, ALL, ALL, ALL } }, /* key locker */
	{ 0x1e, 1, { ALL, ALL, ALL, ALL } }, /* AMX */
	{ 0x24, 0, { ALL, ALL, ALL, ALL } }, /* AVX10 */
	{ 0x24, 1, { ALL, ALL, ALL, ALL } }, /* AVX10 */
	{ 0x29, 0, { ALL, ALL, ALL, ALL } }, /* APX */
	{ 0x80000001, 0, { ALL, 0, ALL, ALL } },
	{ 0x80000007, 0, { 0, 0, 0, ALL } }, /* the TSC */
	{ 0x80000008, 0, { 0, ALL, 0, 0 } },
	{ 0x80000021, 0, { ALL, 0, 0, 0 } },
	{ 0xc0000001, 0, { 0, 0, 0, ALL } }, /* of VIA and Zhaoxin */
};

void features_collect(features_read_fn read, uint32_t words[FEATURES_WORDS])
{
	for (size_t i = 0; i < FEATURES_LEAVES; i++) {
		uint32_t *registers = words + i * FEATURES_REGISTERS;

		read(leaves[i].function, leaves[i].index, registers);
		for (size_t k = 0; k < FEATURES_REGISTERS; k++)
			registers[k] &= leaves[i].mask[k];
	}
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
