/*
 * hyperlight.h - what the files of the Hyperlight guest share. They are built for each
 * generation of the interface: hyperlight.elf and hyperlight_2.elf.
 */
#ifndef TESTS_GUEST_HYPERLIGHT_H
#define TESTS_GUEST_HYPERLIGHT_H

#include <hyperlight_guest.h>

#if HYPERLIGHT_GENERATION >= 2
typedef hl_ReturnValue result;
#define FROM(type) hl_result_from_##type
#else
typedef hl_Vec result;
#define FROM(type) hl_flatbuffer_result_from_##type
#endif

#define NO_INLINE __attribute__((noinline))

/* So that the compiler does not leave out what makes @memory: it may be used here. */
static inline void use(volatile void *memory)
{
	__asm__ volatile("" : : "r"(memory) : "memory");
}

/* Wraps a function that takes and returns one type. */
#define WRAP_SAME(function, type) \
	HYPERLIGHT_WRAP_FUNCTION(function, type, 1, type)

/* Registers one that takes bytes and returns what cannot be wrapped. */
static inline void register_bytes(const char *name,
				  result *(*function)(const hl_FunctionCall *))
{
	const hl_ParameterType types[] = { hl_ParameterType_VecBytes };

	hl_register_function_definition(name, function, 1, types,
					hl_ReturnType_VecBytes);
}

/* What each file has. */
void register_faults(void);
void register_host_calls(void);
void call_host_in_init(const char *name);
void register_mistakes(void);
void register_prints(void);

/* arch/ARCH/hyperlight_privileged.c: something that is not for user mode. */
int privileged(int32_t which);

#endif
