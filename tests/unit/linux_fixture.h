/*
 * linux_fixture.h - a Linux program's process over plain memory, for tests of system
 * calls without KVM. The functions of vm.h and calls.h that need a vm are replaced here
 * at link time: see LINUX_FIXTURE_WRAP in tests/CMakeLists.txt.
 *
 * One process at a time, on one thread. All failures abort.
 */
#ifndef TESTS_UNIT_LINUX_FIXTURE_H
#define TESTS_UNIT_LINUX_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/process.h"
#include "vm/exit.h"

/* So many places and numbers linux_fixture_value() knows. */
#define LINUX_FIXTURE_VALUES 70u
#define LINUX_FIXTURE_REPLY_MAX (64u << 10)
#define LINUX_FIXTURE_MEMORY ((size_t)4 << 20)

/*
 * Whether the processes made from now on have Gunyah's devices. Then they are open as
 * descriptors 3 to 5, and each line has interrupts of the host's.
 */
void linux_fixture_set_gunyah(bool is_on);

/* Makes a process in zeroed memory; @is_frozen: one that was frozen and has a request. */
void linux_fixture_start(bool is_frozen);
void linux_fixture_stop(void);

/*
 * Puts the process back, as between two requests; memory keeps its bytes. Checks that
 * the process is as it was frozen.
 */
void linux_fixture_restore(void);

/*
 * After LINUX_INPUT, opens a file of 4 bytes, which the shim has from then on, freezes the
 * process at its call, and restores it with a request.
 */
void linux_fixture_freeze(void);
/* The same, without that file. */
void linux_fixture_freeze_alone(void);
bool linux_fixture_is_frozen(void);

/* Appends the state of the frozen process: linux_state_write(). Its result. */
int linux_fixture_write_state(struct buffer *out, struct error *err);

/*
 * Makes a frozen process of a state, which may be hostile, in place of the one that there
 * is; checks it, and restores it. Another result of linux_state_read(): there is none now,
 * and only linux_fixture_stop() or another state may follow.
 */
int linux_fixture_read_state(const void *bytes, size_t size, struct error *err);

struct linux_process *linux_fixture_process(void);
uint8_t *linux_fixture_memory(void);
size_t linux_fixture_memory_size(void);

/* A value that a hostile program might pass; @choice may be anything. */
uint64_t linux_fixture_value(unsigned choice);

/*
 * Does @call as if the program had made it, and checks the process. Returns what is to
 * happen next.
 */
enum linux_step linux_fixture_call(const struct vm_call *call);

/*
 * Returns from a function that such a process has registered, with the stack pointer
 * @bytes above that of its beginning. Results as linux_fixture_call().
 */
enum linux_step linux_fixture_return(uint64_t bytes);

/* The same of linux_wake(), after LINUX_SLEEP. */
enum linux_step linux_fixture_wake(void);

/* The same of linux_preempt(); @is_in_ours: in code of thaw's own. */
enum linux_step linux_fixture_preempt(bool is_in_ours);

/* The same of linux_fault(); LINUX_EXIT: there is no handler. */
enum linux_step linux_fixture_fault(const struct vm_fault *fault);

/* CLOCK_MONOTONIC stands still between calls, and may be put forward. */
void linux_fixture_pass(uint64_t until_ns);
uint64_t linux_fixture_now(void);

/* Aborts if a table of the process is not consistent, or is over its limit. */
void linux_fixture_check(void);

#endif
