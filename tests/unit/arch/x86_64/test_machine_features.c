/*
 * test_machine_features.c (x86_64) - what a snapshot's file says of the CPU: each instruction
 * that code may have chosen, and nothing that differs between the CPUs of a machine.
 */
#include "vm/boot_state.h"
#include "vm/x86_64/machine_features.h"

#include <check.h>
#include <cpuid.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm/vm.h"

/* The one bit of all CPUID that is set. */
static struct {
	uint32_t function, index;
	unsigned number;
	uint32_t bit;
} one;

static void read_one(uint32_t function, uint32_t index,
		     uint32_t ret_registers[FEATURES_REGISTERS])
{
	memset(ret_registers, 0, FEATURES_REGISTERS * sizeof(uint32_t));
	if (function == one.function && index == one.index)
		ret_registers[one.number] = one.bit;
}

static uint32_t without[FEATURES_WORDS], with[FEATURES_WORDS];

/* Collects @with that bit alone, and @without it. */
static void collect(uint32_t function, uint32_t index, unsigned number,
		    unsigned bit)
{
	one.bit = 0;
	features_collect(read_one, without);
	one.function = function;
	one.index = index;
	one.number = number;
	one.bit = 1u << bit;
	features_collect(read_one, with);
}

/* Whether a CPU with @own can be used for what was written on one with @other. */
static bool has_all(const uint32_t *own, const uint32_t *other)
{
	for (size_t i = 0; i < FEATURES_WORDS; i++)
		if (other[i] & ~own[i])
			return false;
	return true;
}

static bool is_told(uint32_t function, uint32_t index, unsigned number,
		    unsigned bit)
{
	collect(function, index, number, bit);
	return memcmp(with, without, sizeof(with)) != 0;
}

enum {
	EAX,
	EBX,
	ECX,
	EDX
};

START_TEST(each_instruction_is_told)
{
	static const struct {
		uint32_t function, index;
		unsigned number, bit;
	} bits[] = {
		{ 1, 0, ECX, 28 },	   /* AVX */
		{ 7, 0, EBX, 5 },	   /* AVX2 */
		{ 7, 0, EBX, 8 },	   /* BMI2 */
		{ 7, 0, ECX, 1 },	   /* AVX512_VBMI */
		{ 7, 0, EDX, 23 },	   /* AVX512_FP16 */
		{ 7, 1, EAX, 4 },	   /* AVX_VNNI */
		{ 7, 1, EAX, 23 },	   /* AVX_IFMA */
		{ 7, 1, EDX, 4 },	   /* AVX_VNNI_INT8 */
		{ 7, 2, EDX, 0 },	   /* PSFD */
		{ 0xd, 0, EAX, 2 },	   /* AVX's state */
		{ 0xd, 1, EAX, 1 },	   /* XSAVEC */
		{ 0x24, 0, EBX, 0 },	   /* the version of AVX10 */
		{ 0x80000001, 0, ECX, 5 }, /* LZCNT */
		{ 0x80000008, 0, EBX, 0 }, /* CLZERO */
		{ 0x80000021, 0, EAX, 6 }, /* NULL selectors clear the base */
	};

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		collect(bits[i].function, bits[i].index, bits[i].number,
			bits[i].bit);
		ck_assert_msg(has_all(with, without) && !has_all(without, with),
			      "leaf %#x.%u register %u bit %u",
			      bits[i].function, bits[i].index, bits[i].number,
			      bits[i].bit);
	}
}
END_TEST

/* The vendor; and what CR4 enables, which is part of a vcpu's state. */
START_TEST(what_must_be_alike_is)
{
	static const struct {
		uint32_t function;
		unsigned number, bit;
	} bits[] = {
		{ 0, EBX, 0 },	{ 0, ECX, 31 },
		{ 0, EDX, 7 },	{ 7, EBX, 0 }, /* FSGSBASE */
		{ 7, EBX, 7 },		       /* SMEP */
		{ 7, EBX, 20 },		       /* SMAP */
		{ 7, ECX, 2 },		       /* UMIP */
	};

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		collect(bits[i].function, 0, bits[i].number, bits[i].bit);
		ck_assert(!has_all(with, without) && !has_all(without, with));
	}
}
END_TEST

START_TEST(what_differs_between_cpus_is_not_told)
{
	static const uint32_t of_one_cpu[] = { 0xb,	   0x1f, 0x80000026,
					       0x8000001e, 4,	 0x8000001d };

	for (unsigned bit = 0; bit < 32; bit++) {
		ck_assert(!is_told(1, 0, EAX, bit));
		ck_assert(!is_told(1, 0, EBX, bit));
		ck_assert(!is_told(0xd, 0, EBX, bit));
		for (size_t i = 0; i < 6; i++)
			for (unsigned number = EAX; number <= EDX; number++)
				ck_assert(!is_told(of_one_cpu[i], 0, number,
						   bit));
	}
	/* what CR4 has enabled */
	ck_assert(!is_told(1, 0, ECX, 27));
	ck_assert(!is_told(7, 0, ECX, 4));
	/* whether there is a hypervisor, and may be one */
	ck_assert(!is_told(1, 0, ECX, 31));
	ck_assert(!is_told(1, 0, ECX, 5));
	ck_assert(!is_told(0x80000001, 0, ECX, 2));
}
END_TEST

/* What KVM lets a vm have and what this process sees, one behind the other. */
START_TEST(a_machine_is_what_kvm_says_and_what_the_cpu_says)
{
	uint32_t own[FEATURES_WORDS];
	struct vm_machine machine;
	struct error err;

	ck_assert_int_eq(vm_get_machine(&err, &machine), 0);
	features_collect(features_read_own, own);
	ck_assert_mem_eq(machine.features + FEATURES_WORDS, own, sizeof(own));
	/* SSE2 */
	ck_assert(features_register(machine.features, 1, 0, EDX) &
		  features_register(own, 1, 0, EDX) & 1u << 26);
}
END_TEST

/* What a process finds that opens KVM on that CPU, if it may run there. */
static void ask_on(int cpu, struct vm_machine *ret_machine)
{
	int answer[2], status;
	cpu_set_t set;
	pid_t pid;

	ck_assert_int_eq(pipe(answer), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
		_exit(vm_get_machine(NULL, ret_machine) ||
		      write(answer[1], ret_machine, sizeof(*ret_machine)) !=
			      sizeof(*ret_machine));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(answer[0], ret_machine, sizeof(*ret_machine)),
			 sizeof(*ret_machine));
	close(answer[0]);
	close(answer[1]);
}

START_TEST(it_is_the_same_on_all_cpus)
{
	const int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct vm_machine first, other;

	ask_on(0, &first);
	for (int cpu = 1; cpu < cpus; cpu++) {
		ask_on(cpu, &other);
		ck_assert_mem_eq(&first, &other, sizeof(first));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine_features");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("machine_features");
	int failed;

	tcase_add_test(group, each_instruction_is_told);
	tcase_add_test(group, what_must_be_alike_is);
	tcase_add_test(group, what_differs_between_cpus_is_not_told);
	tcase_add_test(group, a_machine_is_what_kvm_says_and_what_the_cpu_says);
	tcase_add_test(group, it_is_the_same_on_all_cpus);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
