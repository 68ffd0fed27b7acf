/*
 * hyperlight_faults.c - functions of a Hyperlight guest that end badly, or that look
 * as if they did.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hyperlight.h"

/* As the function's stack, and it is larger with the frames around it. */
#define STACK_BYTES (64 << 10)

static NO_INLINE int small_var(void)
{
	char buffer[1024];

	memset(buffer, 1, sizeof(buffer));
	use(buffer);
	return sizeof(buffer);
}

static NO_INLINE int large_var(void)
{
	char buffer[STACK_BYTES + 1];

	memset(buffer, 1, sizeof(buffer));
	use(buffer);
	return STACK_BYTES;
}

static NO_INLINE int stack_allocate(int32_t length)
{
	char *buffer = _alloca((size_t)length);

	memset(buffer, 1, (size_t)length);
	use(buffer);
	return length;
}

static NO_INLINE void descend(int32_t levels)
{
	char frame[1 << 12];

	memset(frame, levels & 1, sizeof(frame));
	use(frame);
	if (levels)
		descend(levels - 1);
	use(frame);
}

static int stack_overflow(int32_t levels)
{
	descend(levels);
	return levels;
}

static int infinite_recursion(void)
{
	descend(-1);
	return 0;
}

/* Writes behind an array: what is there are others of this frame. */
static NO_INLINE int buffer_overrun(const char *text)
{
	char guard[512], buffer[17];
	const size_t length = strlen(text);

	use(guard);
	use(buffer);
	for (size_t i = 0; i < length && i < sizeof(guard); i++)
		*(volatile char *)(buffer + i) = text[i];
	use(buffer);
	use(guard);
	return (int)(sizeof(buffer) - length);
}

/* Allocates all there is, in smaller and smaller pieces. */
static void take_all(void)
{
	for (size_t size = 1 << 20; size >= 16; size /= 2) {
		void *memory;

		do {
			memory = malloc(size);
			use(memory);
		} while (memory);
	}
}

static int exhaust_heap(void)
{
	take_all();
	hl_set_error(hl_ErrorCode_MallocFailed, "the heap is exhausted");
	return 0;
}

static int fill_heap_and_fault(void)
{
	take_all();
	*(volatile int *volatile)malloc(1 << 20) = 1;
	return 0;
}

/* A result needs memory, too. */
static int fill_heap_and_return(void)
{
	take_all();
	return 0;
}

static int abort_with_code(int32_t code)
{
	hl_abort_with_code(code);
}

static int abort_with_message(int32_t code, const char *message)
{
	hl_abort_with_code_and_message(code, message);
}

static int abort_without_message(int32_t code)
{
	hl_abort_with_code_and_message(code, NULL);
}

static int fill_heap_and_abort(void)
{
	take_all();
	hl_abort_with_code_and_message(7, "no memory is needed for this");
}

static int call_abort(void)
{
	abort();
}

static int call_exit(int32_t code)
{
	exit(code);
}

static int trigger_exception(void)
{
	__builtin_trap();
}

/* Whatever is there: it is not to be executed. */
static int execute(uint8_t *bytes)
{
	int (*volatile function)(void) = (int (*)(void))bytes;

	return function();
}

static int execute_on_heap(void)
{
	return execute(calloc(1, 64));
}

static NO_INLINE int execute_on_stack(void)
{
	uint8_t bytes[64] = { 0 };

	use(bytes);
	return execute(bytes);
}

static int read_from(uint64_t address)
{
	return *(volatile uint8_t *)address;
}

static int write_to(uint64_t address)
{
	*(volatile uint8_t *)address = 1;
	return 0;
}

static int guest_panic(const char *message)
{
	(void)message;
	assert(!"this holds");
	return 0;
}

/* How long it was, in milliseconds. */
static uint64_t spin_for(uint32_t ms)
{
	struct timespec start, now;
	uint64_t spent_ms;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		spent_ms = (uint64_t)((now.tv_sec - start.tv_sec) * 1000 +
				      (now.tv_nsec - start.tv_nsec) / 1000000);
	} while (spent_ms < ms);
	return spent_ms;
}

static int spin(void)
{
	for (;;)
		__asm__ volatile("");
	return 0;
}

HYPERLIGHT_WRAP_FUNCTION(small_var, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(large_var, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(stack_allocate, Int, 1, Int)
HYPERLIGHT_WRAP_FUNCTION(stack_overflow, Int, 1, Int)
HYPERLIGHT_WRAP_FUNCTION(infinite_recursion, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(buffer_overrun, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(exhaust_heap, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(fill_heap_and_fault, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(fill_heap_and_return, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(fill_heap_and_abort, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(abort_with_code, Int, 1, Int)
HYPERLIGHT_WRAP_FUNCTION(abort_with_message, Int, 2, Int, String)
HYPERLIGHT_WRAP_FUNCTION(abort_without_message, Int, 1, Int)
HYPERLIGHT_WRAP_FUNCTION(call_abort, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(call_exit, Int, 1, Int)
HYPERLIGHT_WRAP_FUNCTION(trigger_exception, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(execute_on_heap, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(execute_on_stack, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(read_from, Int, 1, ULong)
HYPERLIGHT_WRAP_FUNCTION(write_to, Int, 1, ULong)
HYPERLIGHT_WRAP_FUNCTION(guest_panic, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(spin_for, ULong, 1, UInt)
HYPERLIGHT_WRAP_FUNCTION(spin, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(privileged, Int, 1, Int)

void register_faults(void)
{
	HYPERLIGHT_REGISTER_FUNCTION("SmallVar", small_var);
	HYPERLIGHT_REGISTER_FUNCTION("LargeVar", large_var);
	HYPERLIGHT_REGISTER_FUNCTION("StackAllocate", stack_allocate);
	HYPERLIGHT_REGISTER_FUNCTION("StackOverflow", stack_overflow);
	HYPERLIGHT_REGISTER_FUNCTION("InfiniteRecursion", infinite_recursion);
	HYPERLIGHT_REGISTER_FUNCTION("BufferOverrun", buffer_overrun);
	HYPERLIGHT_REGISTER_FUNCTION("ExhaustHeap", exhaust_heap);
	HYPERLIGHT_REGISTER_FUNCTION("FillHeapAndCauseException",
				     fill_heap_and_fault);
	HYPERLIGHT_REGISTER_FUNCTION("FillHeapAndReturn", fill_heap_and_return);
	HYPERLIGHT_REGISTER_FUNCTION("FillHeapAndAbort", fill_heap_and_abort);
	HYPERLIGHT_REGISTER_FUNCTION("GuestAbortWithCode", abort_with_code);
	HYPERLIGHT_REGISTER_FUNCTION("GuestAbortWithMessage",
				     abort_with_message);
	HYPERLIGHT_REGISTER_FUNCTION("GuestAbortWithoutMessage",
				     abort_without_message);
	HYPERLIGHT_REGISTER_FUNCTION("Abort", call_abort);
	HYPERLIGHT_REGISTER_FUNCTION("Exit", call_exit);
	HYPERLIGHT_REGISTER_FUNCTION("TriggerException", trigger_exception);
	HYPERLIGHT_REGISTER_FUNCTION("ExecuteOnHeap", execute_on_heap);
	HYPERLIGHT_REGISTER_FUNCTION("ExecuteOnStack", execute_on_stack);
	HYPERLIGHT_REGISTER_FUNCTION("ReadFromUserMemory", read_from);
	HYPERLIGHT_REGISTER_FUNCTION("WriteToMemory", write_to);
	HYPERLIGHT_REGISTER_FUNCTION("guest_panic", guest_panic);
	HYPERLIGHT_REGISTER_FUNCTION("SpinForMs", spin_for);
	HYPERLIGHT_REGISTER_FUNCTION("Spin", spin);
	HYPERLIGHT_REGISTER_FUNCTION("Privileged", privileged);
}
