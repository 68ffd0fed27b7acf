/*
 * test_many.c - thousands of vms of one function at the same time, each with data of
 * its own, and the memory that they take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"

/* Of each backend. Making the thousands takes KVM some 10 ms each. */
#ifdef TEST_SANITIZED
static const size_t vms[] = { 100, 100, 50, 50 };
#else
static const size_t vms[] = { 200, 2000, 200, 200 };
#endif

#define FILES_PER_VM 2
#define FILES_BESIDES 64
/* What a vm takes in KVM and here, generously; and of what is free, a part. */
#define BYTES_PER_VM (1u << 20)
#define MEMORY_PART 4
/* A warm vm may take its hot set and this of private memory. */
#define PRIVATE_BESIDES (128u << 10)

#define PAGES 4

static size_t at_most(size_t count, size_t limit, const char *of_what)
{
	if (count <= limit)
		return count;
	printf("%zu vms instead of %zu for want of %s\n", limit, count,
	       of_what);
	return limit;
}

/* How many vms there can be here, @count at most. */
static size_t vm_count(size_t count)
{
	size_t available = (size_t)sysconf(_SC_AVPHYS_PAGES) *
			   (size_t)sysconf(_SC_PAGESIZE);
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	count = at_most(count, (files.rlim_cur - FILES_BESIDES) / FILES_PER_VM,
			"open files");
	return at_most(count, available / MEMORY_PART / BYTES_PER_VM, "memory");
}

/* Each vm changes its own choice of pages and replies bytes of its own. */
static void begin(struct thaw *thaw, size_t number, size_t page,
		  struct thaw_reply *reply)
{
	struct steps *steps = calloc(1, sizeof(*steps));

	steps_add(steps, STEP_CHECK, (uint32_t)(page % 50), PAGES);
	steps_add(steps, STEP_CHANGE, (uint32_t)(page % 50), PAGES);
	steps_add(steps, STEP_REPLY, (uint32_t)(number % 251),
		  (uint32_t)(number % 1000 + 1));
	steps_invoke(thaw, steps, 0, reply);
	free(steps);
}

static void check(size_t number, const struct thaw_reply *reply)
{
	const uint8_t *bytes = reply->data;

	ck_assert_msg(reply->result == THAW_OK, "%s", outcome(reply));
	ck_assert_uint_eq(reply->size, number % 1000 + 1);
	for (size_t i = 0; i < reply->size; i++)
		if (bytes[i] != number % 251)
			ck_abort_msg("vm %zu: byte %zu is %u", number, i,
				     bytes[i]);
}

/*
 * All of them at once: none is done with before all have replied. The vms are
 * handed out in the reverse of the order in which they were given back;
 * @reverse has them write to the same pages again.
 */
static void invoke_all(struct thaw *thaw, struct thaw_reply *replies,
		       size_t count, bool reverse)
{
	for (size_t i = 0; i < count; i++)
		begin(thaw, i, reverse ? count - 1 - i : i, &replies[i]);
	for (size_t i = 0; i < count; i++)
		check(i, &replies[i]);
	for (size_t i = 0; i < count; i++)
		thaw_reply_release(&replies[i]);
}

START_TEST(thousands_of_vms_keep_their_data_apart)
{
	size_t count = vm_count(vms[_i]), hot_pages = 0, before, each, allowed;
	struct thaw_reply *replies = calloc(count, sizeof(*replies));
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i],
		.memory = "2MiB",
		.concurrency = (unsigned)count,
	});

	ck_assert_ptr_nonnull(replies);
	memset(replies, 1, count * sizeof(*replies));
	for (int i = 0; i < 50; i++)
		change_pages(thaw, 0, PAGES);
	before = private_bytes();
	invoke_all(thaw, replies, count, false);
	invoke_all(thaw, replies, count, true);
	each = (private_bytes() - before) / count;
	for (size_t i = 0; i < count; i++)
		if (replies[i].hot_pages > hot_pages)
			hot_pages = replies[i].hot_pages;
	allowed = hot_pages * (size_t)sysconf(_SC_PAGESIZE) + PRIVATE_BESIDES;
	printf("%s: %zu vms, %zu hot pages at most, %zu KiB each (%zu "
	       "allowed)\n",
	       backends[_i], count, hot_pages, each / 1024, allowed / 1024);
#ifdef TEST_SANITIZED
	printf("skip: memory of a vm: a sanitizer takes its own\n");
#else
	ck_assert_uint_le(each, allowed);
#endif
	thaw_close(thaw);
	free(replies);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("many");
	TCase *group = tcase_create("many");

	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group, thousands_of_vms_keep_their_data_apart, 0,
			    backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
