/*
 * fuzz_linux_calls.c - the system calls of a Linux program in a sequence, with hostile
 * arguments, and hostile bytes in memory and in the shim; between them faults, ends of
 * turns, time that passes, and requests. linux_fixture.c checks the process after each,
 * and each copy of a frozen one.
 *
 * An input is a byte of options, then operations: a byte that says which, and what it
 * needs. An argument is a byte that chooses one of linux_fixture_value(), or eight bytes.
 * If the program waits, the clock is put forward to the time that it waits for.
 */
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "executor/linux/calls.h"
#include "tests/unit/linux_fixture.h"
#include "tests/unit/require.h"

/* One input does so much at most: each is to be short, and so is it. */
#define OPERATIONS_MAX 256
/* How long a program may wait, and how often in a row. */
#define WAIT_MOST_NS UINT64_C(60000000000)
#define WAKES_MAX 16
/* The choice that takes eight bytes as they are. */
#define RAW 255

struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take(struct input *input, size_t size)
{
	uint64_t value = 0;

	if (size > input->size)
		size = input->size;
	if (size)
		memcpy(&value, input->data, size);
	input->data += size;
	input->size -= size;
	return value;
}

static uint64_t take_value(struct input *input)
{
	const unsigned choice = (unsigned)take(input, 1);

	if (choice == RAW)
		return take(input, 8);
	/* a little off, for all but the first quarter */
	return linux_fixture_value(choice % LINUX_FIXTURE_VALUES) +
	       choice / LINUX_FIXTURE_VALUES * 4;
}

/* Writes up to 255 bytes anywhere in memory that the program may write. */
static void put_bytes(struct input *input, uint64_t at)
{
	struct space *space = &linux_fixture_process()->space;
	size_t size = (size_t)take(input, 1);

	if (size > input->size)
		size = input->size;
	if (!space_write(space, at, input->data, size)) {
		input->data += size;
		input->size -= size;
	}
}

/* The same in the shim's state, which the program may write, too. */
static void put_shim(struct input *input)
{
	const size_t at = (size_t)take(input, 1) * 8 % sizeof(struct thaw_shim);
	const uint64_t value = take_value(input);

	memcpy(linux_fixture_memory() + THAW_GPA_SHIM + at, &value,
	       sizeof(value));
}

/* A request of Gunyah's devices, or the return from a function of theirs. */
static enum linux_step make_request(struct input *input)
{
	static const uint32_t requests[] = {
		0x40044900, 0x40044901, 0x40184902, 0x40084903, 0x40044904,
		0x40044905, 0x40044906, 0x40084300, 0x40044301, 0x40084302,
		0x40084400, 0x40044401, 0x5413,	    0x547f,
	};
	const unsigned choice = (unsigned)take(input, 1) % 16;
	struct vm_call call = { .number = SYS_ioctl };

	if (choice < 14) {
		call.args[0] = take(input, 1) % 6;
		call.args[1] = requests[choice];
		call.args[2] = take_value(input);
		call.pc = linux_fixture_value(24);
		call.sp = take_value(input);
		return linux_fixture_call(&call);
	}
	return linux_fixture_return(choice % 2 * 8);
}

static enum linux_step make_call(struct input *input)
{
	struct vm_call call = { .number = take(input, 2) % 520 };

	for (unsigned i = 0; i < 6; i++)
		call.args[i] = take_value(input);
	call.pc = linux_fixture_value(24);
	call.sp = take_value(input);
	return linux_fixture_call(&call);
}

static enum linux_step make_fault(struct input *input)
{
	struct vm_fault fault = { .cause = take(input, 1) % 32, .code = 4 };

	fault.address = take_value(input);
	fault.has_address = true;
	fault.pc = take_value(input);
	fault.sp = take_value(input);
	return linux_fixture_fault(&fault);
}

/* A program that sleeps is to go on, once it may, or to sleep on, until later. */
static enum linux_step sleep_on(void)
{
	const struct linux_process *process = linux_fixture_process();
	enum linux_step step = LINUX_SLEEP;

	for (int i = 0; i < WAKES_MAX && step == LINUX_SLEEP; i++) {
		const uint64_t wake_ns = process->wake_ns;

		/* as invocations do, which have a deadline */
		if (wake_ns > linux_fixture_now() + WAIT_MOST_NS)
			return LINUX_STUCK;
		linux_fixture_pass(wake_ns);
		step = linux_fixture_wake();
		REQUIRE(step != LINUX_SLEEP || process->wake_ns > wake_ns);
	}
	return step;
}

static enum linux_step do_operation(struct input *input)
{
	const unsigned operation = (unsigned)take(input, 1) % 16;

	switch (operation) {
	case 0:
	case 1:
		put_bytes(input, take_value(input));
		return LINUX_GO_ON;
	case 2:
		put_shim(input);
		return LINUX_GO_ON;
	case 3:
		linux_fixture_pass(linux_fixture_now() + take(input, 4));
		return LINUX_GO_ON;
	case 4:
	case 5:
		return linux_fixture_preempt(operation == 4);
	case 6:
		return make_fault(input);
	case 7:
		return LINUX_EXIT; /* the invocation is over */
	case 8:
		if (linux_fixture_process()->program->gunyah.is_on)
			return make_request(input);
		return make_call(input);
	default:
		return make_call(input);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const unsigned options = (unsigned)take(&input, 1);
	enum linux_step step;

	linux_fixture_set_gunyah(options & 2);
	linux_fixture_start(options & 1);
	for (int i = 0; i < OPERATIONS_MAX && input.size; i++) {
		step = do_operation(&input);
		if (step == LINUX_SLEEP)
			step = sleep_on();
		if (step == LINUX_INPUT && !linux_fixture_is_frozen())
			linux_fixture_freeze();
		else if (step != LINUX_GO_ON)
			linux_fixture_restore();
	}
	linux_fixture_stop();
	return 0;
}
