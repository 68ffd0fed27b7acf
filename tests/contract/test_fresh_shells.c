/*
 * test_fresh_shells.c - shells that are made ahead: who makes them, who gets them, what
 * they take, and what happens where there is not enough for them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "tests/contract/support/trace.h"
#include "vm/boot_state.h"
#include "vm/fresh_shells.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#ifdef TEST_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define VM_SIZE ((size_t)4 << 20)
#define OWNER 1000000
#define TIMEOUT_NS (60 * NS_PER_S)

static int memory_fd = -1;

static int try_vm(uint64_t owner, size_t size, struct error *err,
		  struct vm **ret_vm)
{
	struct vm_config config = {
		.memory_size = size,
		.memory_fd = memory_fd,
		.owner = owner,
		.dirty = DIRTY_AUTO,
	};

	return vm_create(&config, err, ret_vm);
}

static void open_memory(void)
{
	memory_fd = memfd_create("test", MFD_CLOEXEC);
	ck_assert_int_ge(memory_fd, 0);
	ck_assert_int_eq(ftruncate(memory_fd, 16 * VM_SIZE), 0);
}

/* A vm without a function that has had a state, so that its shell can be kept. */
static struct vm *make_vm(uint64_t owner, size_t size)
{
	const struct layout layout = { 0 };
	struct vcpu_state *state;
	struct error err;
	struct vm *vm;

	if (memory_fd < 0)
		open_memory();
	ck_assert_msg(!try_vm(owner, size, &err, &vm), "%s", err.message);
	ck_assert_int_eq(vm_boot_state(vm, &layout, &err, &state), 0);
	ck_assert_int_eq(vm_set_state(vm, state, &err), 0);
	vm_state_free(state);
	return vm;
}

/* Waits until @count are ready. */
static void await(unsigned count)
{
	const uint64_t until_ns = clock_now_ns() + TIMEOUT_NS;

	while (fresh_shells_count() != count) {
		ck_assert_msg(clock_now_ns() < until_ns, "%u shells, not %u",
			      fresh_shells_count(), count);
		usleep(1000);
	}
}

/* Has @count made, of the kind that a vm of @size bytes needs. */
static void make_ready(unsigned count, size_t size)
{
	fresh_shells_keep(count);
	vm_free(make_vm(0, size));
	await(count);
}

START_TEST(there_are_none_unless_they_are_wanted)
{
	vm_free(make_vm(OWNER, VM_SIZE));
	ck_assert_uint_eq(fresh_shells_count(), 0);
	ck_assert_uint_eq(fresh_shells_keep(FRESH_SHELLS_MAX + 1),
			  FRESH_SHELLS_MAX);
	ck_assert_uint_eq(fresh_shells_keep(FRESH_SHELLS_MAX),
			  FRESH_SHELLS_MAX);
	ck_assert_uint_eq(fresh_shells_keep(0), 0);
	ck_assert_uint_eq(fresh_shells_count(), 0);
}
END_TEST

START_TEST(whoever_has_no_shell_gets_a_fresh_one_and_another_is_made)
{
	struct vm *vms[4];

	make_ready(3, VM_SIZE);
	for (unsigned i = 0; i < 4; i++) {
		vms[i] = make_vm(OWNER + i, VM_SIZE);
		ck_assert_uint_eq(vms[i]->reuses, 0);
	}
	await(3);
	for (unsigned i = 0; i < 4; i++)
		vm_free(vms[i]);
}
END_TEST

START_TEST(a_shell_that_was_used_is_not_fresh_again)
{
	struct vm *vm, *other;
	int fd;

	shells_limit(2);
	make_ready(1, VM_SIZE);
	vm = make_vm(OWNER, VM_SIZE);
	await(1);
	fd = vm->fd;
	vm_free(vm);
	other = make_vm(OWNER + 1, VM_SIZE);
	ck_assert_int_ne(other->fd, fd);
	/* its owner gets it back, and takes no fresh one */
	await(1);
	vm = make_vm(OWNER, VM_SIZE);
	ck_assert_int_eq(vm->fd, fd);
	ck_assert_uint_eq(vm->reuses, 1);
	ck_assert_uint_eq(fresh_shells_count(), 1);
	vm_free(vm);
	vm_free(other);
}
END_TEST

/* Where there is no ring, one does for any memory. */
START_TEST(a_shell_with_too_small_a_ring_makes_room)
{
	struct vm *large, *small;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t entries = dirty_ring_entries(16 * VM_SIZE, page);

	make_ready(1, VM_SIZE);
	large = make_vm(OWNER, 16 * VM_SIZE);
	if (large->dirty.backend == DIRTY_RING)
		ck_assert_uint_eq(large->dirty.ring_entries, entries);
	/* of the kind of the last one */
	await(1);
	small = make_vm(OWNER + 1, VM_SIZE);
	ck_assert_uint_eq(small->dirty.ring_entries, large->dirty.ring_entries);
	vm_free(large);
	vm_free(small);
}
END_TEST

static unsigned count_files(void)
{
	DIR *stream = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

/* Mappings of vcpus. */
static unsigned count_mappings(void)
{
	FILE *stream = fopen("/proc/self/maps", "re");
	char line[1024];
	unsigned count = 0;

	while (fgets(line, sizeof(line), stream))
		count += strstr(line, "kvm-vcpu") != NULL;
	fclose(stream);
	return count;
}

START_TEST(a_shell_is_two_files_and_one_mapping)
{
	unsigned files, mappings;

	make_ready(1, VM_SIZE);
	files = count_files();
	mappings = count_mappings();
	fresh_shells_keep(9);
	await(9);
	ck_assert_uint_eq(count_files() - files, 8 * 2);
	ck_assert_uint_eq(count_mappings() - mappings, 8);
	fresh_shells_keep(1);
	ck_assert_uint_eq(count_files(), files);
	ck_assert_uint_eq(count_mappings(), mappings);
}
END_TEST

START_TEST(those_who_are_short_get_what_shells_have)
{
	make_ready(2, VM_SIZE);
	ck_assert(shells_spare());
	ck_assert_uint_eq(fresh_shells_count(), 0);
	ck_assert(!shells_spare());
}
END_TEST

/* Waits until there are some, as many as can be made. */
static void await_most(void)
{
	unsigned count, next = 0;

	do {
		count = next;
		usleep(300000);
		next = fresh_shells_count();
	} while (next <= 1 || next != count);
}

/* Makes vms of @size bytes until one is refused; returns how many were made. */
static unsigned make_until_refused(size_t size, const char *reason)
{
	struct vm *vms[64];
	struct error err;
	unsigned count = 0;
	int r;

	while (!(r = try_vm(OWNER, size, &err, &vms[count])))
		ck_assert_uint_lt(++count, 64);
	ck_assert_msg(strstr(err.message, reason), "%s", err.message);
	ck_assert_uint_eq(fresh_shells_count(), 0);
	for (unsigned i = 0; i < count; i++)
		vm_free(vms[i]);
	return count;
}

START_TEST(vms_come_before_shells_where_files_are_few)
{
	struct rlimit limit;
	unsigned made[3];

	make_ready(1, VM_SIZE);
	shells_limit(0);
	getrlimit(RLIMIT_NOFILE, &limit);
	/* "." and ".." and the folder itself are counted as well */
	limit.rlim_cur = count_files() - 3 + 16;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* they get all: what suits them, what does not, and what no shell takes */
	for (int i = 0; i < 3; i++) {
		fresh_shells_keep(i < 2 ? 64 : 0);
		if (i < 2)
			await_most();
		made[i] = make_until_refused(i == 1 ? 16 * VM_SIZE : VM_SIZE,
					     "Too many open files");
	}
	ck_assert_uint_ge(made[0], 16 / 2);
	ck_assert_uint_eq(made[1], made[0]);
	/* the memory of dry runs is a file, too */
	ck_assert_uint_le(made[2] - made[0], 1);
}
END_TEST

/* Takes all mappings that the process may have. */
static void fill_mappings(uint8_t *pages, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i += 2)
		if (mprotect(pages + i * size, size, PROT_READ))
			return;
	ck_abort_msg("more mappings than expected");
}

START_TEST(vms_come_before_shells_where_mappings_are_few)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	size_t count = 0;
	FILE *stream = fopen("/proc/sys/vm/max_map_count", "re");
	unsigned made;
	uint8_t *pages;

	if (IS_SANITIZED) {
		printf("skip: few mappings: a sanitizer needs some itself\n");
		fclose(stream);
		return;
	}
	if (fscanf(stream, "%zu", &count) != 1 || count > 1000000) {
		printf("skip: mappings: this machine allows too many\n");
		fclose(stream);
		return;
	}
	fclose(stream);
	make_ready(1, VM_SIZE);
	shells_limit(0);
	pages = mmap(NULL, 2 * count * size, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	fill_mappings(pages, 2 * count, size);
	/* 16 less: two for each that becomes one with those beside it */
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(mprotect(pages + 2 * i * size, size,
					  PROT_NONE),
				 0);
	fresh_shells_keep(64);
	await_most();
	made = make_until_refused(VM_SIZE, "Cannot allocate memory");
	ck_assert_uint_ge(made, 4);
	ck_assert_uint_ge(make_until_refused(VM_SIZE, "Cannot allocate memory"),
			  made);
}
END_TEST

START_TEST(a_child_of_fork_has_none_and_makes_none)
{
	int status;
	pid_t child;

	make_ready(2, VM_SIZE);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		unsigned count = fresh_shells_count();

		vm_free(make_vm(OWNER, VM_SIZE));
		count += fresh_shells_count();
		/* it may want its own */
		make_ready(1, VM_SIZE);
		_exit(count ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	await(2);
	vm_free(make_vm(OWNER, VM_SIZE));
	await(2);
}
END_TEST

#define BURST 8

/* Each invocation is still held when the next one begins. */
static void burst_under_trace(void *cookie)
{
	struct thaw_reply replies[BURST];
	struct steps steps = { 0 };
	struct thaw *thaw;

	shells_limit(0);
	fresh_shells_keep(BURST);
	thaw = open_steps(&(struct steps_options){
		.backend = backends[*(int *)cookie],
		.memory = "8MiB",
		.verify = true,
		.concurrency = BURST,
	});
	steps_add(&steps, STEP_CHANGE, 0, 3);
	steps_invoke(thaw, &steps, 0, &replies[0]);
	/* what has tried the gate has asked for others */
	fresh_shells_keep(0);
	fresh_shells_keep(BURST);
	await(BURST);
	trace_mark();
	for (int i = 1; i < BURST; i++)
		steps_invoke(thaw, &steps, 0, &replies[i]);
	trace_mark();
	for (int i = 0; i < BURST; i++) {
		ck_assert_msg(replies[i].result == THAW_OK, "%s",
			      outcome(&replies[i]));
		thaw_reply_release(&replies[i]);
	}
	thaw_close(thaw);
}

START_TEST(a_burst_makes_no_KVM_vm_while_there_are_shells)
{
	struct trace trace;

	if (trace_calls(burst_under_trace, &_i, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	ck_assert_msg(!trace_ioctls(&trace, KVM_CREATE_VM), "%s",
		      trace_text(&trace));
	ck_assert_msg(!trace_ioctls(&trace, KVM_CREATE_VCPU), "%s",
		      trace_text(&trace));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fresh shells");
	TCase *group = tcase_create("fresh shells");

	tcase_set_timeout(group, 240);
	tcase_add_test(group, there_are_none_unless_they_are_wanted);
	tcase_add_test(
		group,
		whoever_has_no_shell_gets_a_fresh_one_and_another_is_made);
	tcase_add_test(group, a_shell_that_was_used_is_not_fresh_again);
	tcase_add_test(group, a_shell_with_too_small_a_ring_makes_room);
	tcase_add_test(group, a_shell_is_two_files_and_one_mapping);
	tcase_add_test(group, those_who_are_short_get_what_shells_have);
	tcase_add_test(group, vms_come_before_shells_where_files_are_few);
	tcase_add_test(group, vms_come_before_shells_where_mappings_are_few);
	tcase_add_test(group, a_child_of_fork_has_none_and_makes_none);
	tcase_add_loop_test(group,
			    a_burst_makes_no_KVM_vm_while_there_are_shells, 0,
			    backend_count_all());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
