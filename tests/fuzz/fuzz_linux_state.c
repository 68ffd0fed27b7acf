/*
 * fuzz_linux_state.c - any bytes as what the host knows of a Linux program, as a hostile
 * file has it. What is accepted is checked by linux_fixture.c, written again, which must
 * be accepted as well, and goes on for a few calls.
 *
 * The first run writes a good state to begin with:
 *
 *	FUZZ_LINUX_STATE_SEEDS=corpus fuzz_linux_state -runs=0
 *	fuzz_linux_state -max_len=65536 corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/buffer.h"
#include "executor/linux/state.h"
#include "tests/unit/linux_fixture.h"
#include "tests/unit/require.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static enum linux_step call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	const struct vm_call made = { .number = number,
				      .args = { a, b, c },
				      .pc = linux_fixture_value(24),
				      .sp = linux_fixture_value(34) };

	return linux_fixture_call(&made);
}

static void write_seed(const char *directory)
{
	struct buffer state = BUFFER_INIT(STATE_MAX);
	char path[4096];
	FILE *file;

	REQUIRE(!linux_fixture_write_state(&state, NULL));
	snprintf(path, sizeof(path), "%s/good", directory);
	file = fopen(path, "we");
	REQUIRE(file && fwrite(state.data, 1, state.size, file) == state.size);
	REQUIRE(!fclose(file));
	buffer_done(&state);
}

/* A process with a pipe, an event, a timer and epoll, frozen. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = getenv("FUZZ_LINUX_STATE_SEEDS");
	uint64_t at;

	(void)argc;
	(void)argv;
	linux_fixture_start(false);
	at = linux_fixture_value(24) + 64;
	REQUIRE(call(SYS_pipe2, at, 0, 0) == LINUX_GO_ON);
	REQUIRE(call(SYS_write, 4, at, 100) == LINUX_GO_ON);
	REQUIRE(call(SYS_eventfd2, 5, 0, 0) == LINUX_GO_ON);
	REQUIRE(call(SYS_timerfd_create, 1, 0, 0) == LINUX_GO_ON);
	REQUIRE(call(SYS_epoll_create1, 0, 0, 0) == LINUX_GO_ON);
	REQUIRE(call(SYS_memfd_create, at, 0, 0) == LINUX_GO_ON);
	REQUIRE(call(SYS_read, 0, at, 10) == LINUX_INPUT);
	linux_fixture_freeze_alone();
	if (directory)
		write_seed(directory);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct buffer again = BUFFER_INIT(STATE_MAX);
	struct error err = { "" };

	if (linux_fixture_read_state(bytes, size, &err)) {
		REQUIRE(err.message[0] != '\0');
		return 0;
	}
	if (linux_fixture_process()->step == LINUX_GO_ON)
		for (uint64_t number = SYS_read; number < SYS_read + 40;
		     number++)
			if (call(number, number % 8, linux_fixture_value(24),
				 9) != LINUX_GO_ON)
				linux_fixture_restore();
	REQUIRE(!linux_fixture_write_state(&again, &err));
	REQUIRE(!linux_fixture_read_state(again.data, again.size, &err));
	buffer_done(&again);
	return 0;
}
