/*
 * test_shells.c - a shell becomes vms of its owner only, and nothing is left in it for
 * the memory and the tracker of the vm that it becomes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "vm/boot_state.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#define VM_SIZE ((size_t)4 << 20)

#define OWNER 1000000

/* A vm without a function that has had a state, so that its shell can be kept. */
static struct vm *make_vm(uint64_t owner)
{
	struct vm_config config = {
		.memory_size = VM_SIZE,
		.memory_fd = memfd_create("test", MFD_CLOEXEC),
		.owner = owner,
		.dirty = DIRTY_AUTO,
	};
	const struct layout layout = { 0 };
	struct vcpu_state *state;
	struct error err;
	struct vm *vm;

	ck_assert_int_eq(ftruncate(config.memory_fd, VM_SIZE), 0);
	ck_assert_msg(!vm_create(&config, &err, &vm), "%s", err.message);
	close(config.memory_fd);
	ck_assert_int_eq(vm_boot_state(vm, &layout, &err, &state), 0);
	ck_assert_int_eq(vm_set_state(vm, state, &err), 0);
	vm_state_free(state);
	return vm;
}

/* Frees @vm; returns whether a vm like it gets its shell. */
static bool is_kept(struct vm *vm)
{
	const unsigned before = vm->reuses;
	struct vm *next;
	bool is;

	vm_free(vm);
	next = make_vm(OWNER);
	is = next->reuses == before + 1;
	next->spoiled = true;
	vm_free(next);
	return is;
}

START_TEST(the_shell_of_a_vm_becomes_another_one)
{
	shells_limit(1);
	ck_assert(is_kept(make_vm(OWNER)));
}
END_TEST

START_TEST(no_more_shells_are_kept_than_the_limit)
{
	struct vm *vms[3];
	unsigned reused = 0;

	shells_limit(0);
	ck_assert(!is_kept(make_vm(OWNER)));
	shells_limit(2);
	for (int i = 0; i < 3; i++)
		vms[i] = make_vm(OWNER);
	for (int i = 0; i < 3; i++)
		vm_free(vms[i]);
	for (int i = 0; i < 3; i++) {
		vms[i] = make_vm(OWNER);
		reused += vms[i]->reuses;
	}
	ck_assert_uint_eq(reused, 2);
	for (int i = 0; i < 3; i++)
		vm_free(vms[i]);
	/* a new limit empties it */
	shells_limit(SHELLS_MAX + 1);
	vms[0] = make_vm(OWNER);
	ck_assert_uint_eq(vms[0]->reuses, 0);
	vm_free(vms[0]);
}
END_TEST

START_TEST(a_spoiled_vm_leaves_no_shell)
{
	struct vm *vm = make_vm(OWNER);

	vm_spoil(vm);
	ck_assert(!is_kept(vm));
}
END_TEST

START_TEST(a_vm_that_was_disowned_leaves_no_shell)
{
	struct vm *vm = make_vm(OWNER);

	vm_disown(vm);
	ck_assert(!is_kept(vm));
}
END_TEST

START_TEST(a_vm_without_a_state_leaves_no_shell)
{
	struct vm *vm = make_vm(OWNER);

	vm->has_state = false;
	ck_assert(!is_kept(vm));
}
END_TEST

START_TEST(a_shell_becomes_a_vm_of_its_owner_only)
{
	shells_limit(2);
	ck_assert(!is_kept(make_vm(OWNER + 1)));
	ck_assert(is_kept(make_vm(OWNER)));
	vm_free(make_vm(0));
	vm_free(make_vm(0));
	/* those of nobody are not kept */
	ck_assert(is_kept(make_vm(OWNER)));
}
END_TEST

START_TEST(an_owner_that_goes_takes_its_shells_along)
{
	struct vm *vm, *other;

	shells_limit(2);
	vm = make_vm(OWNER);
	other = make_vm(OWNER + 1);
	vm_free(vm);
	vm_free(other);
	shells_drop(OWNER);
	vm = make_vm(OWNER);
	ck_assert_uint_eq(vm->reuses, 0);
	other = make_vm(OWNER + 1);
	ck_assert_uint_eq(other->reuses, 1);
	vm_free(vm);
	vm_free(other);
}
END_TEST

START_TEST(a_vm_that_refuses_a_state_leaves_no_shell)
{
	struct vm *vm = make_vm(OWNER);
	const int fd = vm->vcpu_fd;
	const struct layout layout = { 0 };
	struct vcpu_state *state;
	struct error err;

	shells_limit(1);
	ck_assert_int_eq(vm_boot_state(vm, &layout, &err, &state), 0);
	vm->vcpu_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ck_assert_int_ne(vm_set_state(vm, state, &err), 0);
	close(vm->vcpu_fd);
	vm->vcpu_fd = fd;
	vm_state_free(state);
	ck_assert(!is_kept(vm));
}
END_TEST

START_TEST(shells_that_suit_nobody_make_room)
{
	struct vm *vm;

	shells_limit(1);
	vm_free(make_vm(OWNER + 1));
	/* it suits this one no more than the one before */
	vm_free(make_vm(OWNER));
	vm = make_vm(OWNER);
	ck_assert_uint_eq(vm->reuses, 1);
	vm_free(vm);
}
END_TEST

START_TEST(a_child_of_fork_makes_its_own)
{
	int status;
	pid_t child;

	shells_limit(1);
	vm_free(make_vm(OWNER));
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		struct vm *vm = make_vm(OWNER);

		_exit(vm->reuses != 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	/* and leaves the parent's alone */
	ck_assert(is_kept(make_vm(OWNER)));
}
END_TEST

static const char *const sizes[] = { "2MiB", "8MiB", "2MiB", "2MiB", "16MiB" };

/*
 * The first vm of each function has the shell in which the function was booted, with all
 * of its memory in use. After each invocation, all memory is compared with the snapshot's.
 */
static void use(const char *backend, unsigned round)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backend,
		.memory = sizes[round % (sizeof(sizes) / sizeof(*sizes))],
		.verify = true,
		.concurrency = 2,
	});
	struct steps steps = { 0 };
	struct thaw_reply replies[2];

	steps_add(&steps, STEP_CHANGE, 0, 1);
	steps_add(&steps, STEP_CHANGE, 3 + round, 100);
	for (int i = 0; i < 6; i++) {
		steps_invoke(thaw, &steps, 0, &replies[0]);
		ck_assert_msg(replies[0].result == THAW_OK, "%s",
			      outcome(&replies[0]));
		steps_invoke(thaw, &steps, 0, &replies[1]);
		ck_assert_msg(replies[1].result == THAW_OK, "%s",
			      outcome(&replies[1]));
		thaw_reply_release(&replies[1]);
		thaw_reply_release(&replies[0]);
		ck_assert_uint_ge(replies[0].hot_pages, host_pages(101));
	}
	thaw_close(thaw);
}

START_TEST(a_function_of_any_size_is_right_in_the_shell_of_its_boot)
{
	for (unsigned round = 0; round < 5; round++)
		use(backends[_i], round);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shells");
	TCase *group = tcase_create("shells");

	tcase_set_timeout(group, 120);
	tcase_add_test(group, the_shell_of_a_vm_becomes_another_one);
	tcase_add_test(group, no_more_shells_are_kept_than_the_limit);
	tcase_add_test(group, a_spoiled_vm_leaves_no_shell);
	tcase_add_test(group, a_vm_that_was_disowned_leaves_no_shell);
	tcase_add_test(group, a_vm_without_a_state_leaves_no_shell);
	tcase_add_test(group, a_shell_becomes_a_vm_of_its_owner_only);
	tcase_add_test(group, an_owner_that_goes_takes_its_shells_along);
	tcase_add_test(group, a_vm_that_refuses_a_state_leaves_no_shell);
	tcase_add_test(group, shells_that_suit_nobody_make_room);
	tcase_add_test(group, a_child_of_fork_makes_its_own);
	tcase_add_loop_test(
		group, a_function_of_any_size_is_right_in_the_shell_of_its_boot,
		0, backend_count_all());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
