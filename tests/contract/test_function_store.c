/*
 * test_function_store.c - the thread that writes snapshots to the store: what waits for
 * it is bounded, in number and in memory, and it lets others have the CPU.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "executor/function.h"
#include "executor/function_store.h"
#include "snapshot/boot.h"
#include "snapshot/memory_budget.h"
#include "snapshot/snapshot.h"
#include "snapshot/stored.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"
#include "vm/image/open.h"

static struct error err;
static struct image *image;
static struct function_store *store;
static struct snapshot_options options = {
	.layout = { .memory_size = 4u << 20,
		    .stack_size = 64u << 10,
		    .request_size = 4096,
		    .reply_size = 4096,
		    .result_size = 4096 },
	.init_timeout_ns = 10 * NS_PER_S,
	.dirty = DIRTY_BITMAP,
};

/* The writer waits here. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned writes;
static _Atomic int niceness;
static _Atomic bool is_patient;
static _Atomic bool is_endless; /* a write, until it is told to stop */

int __wrap_stored_write(struct store *to, const struct stored_copy *copy,
			const struct snapshot_pause *pause, struct error *why);

int __wrap_stored_write(struct store *to, const struct stored_copy *copy,
			const struct snapshot_pause *pause, struct error *why)
{
	(void)to;
	(void)copy;
	(void)why;
	niceness = getpriority(PRIO_PROCESS, (id_t)gettid());
	is_patient = thread_is_patient();
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	writes++;
	while (is_endless && !pause->call(pause->cookie))
		usleep(1000);
	return is_endless ? -ESHUTDOWN : 0;
}

static _Atomic unsigned warnings;
static char warning[ERROR_MESSAGE_MAX];

static void on_log(void *cookie, const char *function, enum thaw_level level,
		   const char *text, size_t size)
{
	(void)cookie;
	ck_assert_str_eq(function, "f");
	ck_assert_int_eq(level, THAW_LOG_WARN);
	ck_assert_uint_lt(size, sizeof(warning));
	memcpy(warning, text, size);
	warnings++;
}

static void set_up(void)
{
	store_fixture_begin();
	ck_assert_int_eq(function_store_open(store_fixture_path, 0, on_log,
					     NULL, &err, &store),
			 0);
	ck_assert_int_eq(image_open(TEST_GUESTS "/edges.elf", &err, &image), 0);
}

static void tear_down(void)
{
	image_close(image);
	store_fixture_end();
}

static struct function_writing *boot(void)
{
	const struct function_store_of of = { "f", "f.elf" };
	struct function_writing *writing;
	struct snapshot *snapshot;
	struct error why;
	bool is_stored;

	ck_assert_msg(!function_store_snapshot(store, &of, image, &options,
					       &err, &why, &is_stored, &writing,
					       &snapshot),
		      "%s", err.message);
	ck_assert(!is_stored);
	ck_assert_ptr_nonnull(writing);
	/* its function is gone before it is written */
	snapshot_free(snapshot);
	return writing;
}

START_TEST(so_many_wait_and_no_more)
{
	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < FUNCTION_STORE_WRITES_MAX; i++)
		function_store_write(boot(), NULL);
	ck_assert_uint_eq(warnings, 0);
	function_store_write(boot(), NULL);
	ck_assert_uint_eq(warnings, 1);
	ck_assert_ptr_nonnull(strstr(warning, "not in the store"));
	ck_assert_ptr_nonnull(strstr(warning, "256 others wait"));
	pthread_mutex_unlock(&gate);
	function_store_flush(store);
	ck_assert_uint_eq(writes, FUNCTION_STORE_WRITES_MAX);
	/* there is room again */
	function_store_write(boot(), NULL);
	ck_assert_uint_eq(function_store_close(store, false), 0);
	ck_assert_uint_eq(writes, FUNCTION_STORE_WRITES_MAX + 1);
	ck_assert_uint_eq(warnings, 1);
}
END_TEST

START_TEST(the_memory_counts_until_it_is_written)
{
	struct memory_budget budget;
	struct memory_kept *kept;

	memory_budget_init(&budget, 1 << 20, NULL);
	kept = memory_kept_create(&budget);
	ck_assert_int_eq(memory_budget_take(&budget, 4096, &err), 0);
	kept->bytes = 4096;
	pthread_mutex_lock(&gate);
	function_store_write(boot(), kept);
	/* as function_free() does */
	memory_kept_release(kept);
	ck_assert_uint_eq(budget.used, 4096);
	pthread_mutex_unlock(&gate);
	function_store_flush(store);
	ck_assert_uint_eq(budget.used, 0);
	function_store_close(store, false);
	memory_budget_done(&budget);
}
END_TEST

START_TEST(the_writer_lets_others_have_the_cpu)
{
	const int own = getpriority(PRIO_PROCESS, 0);

	function_store_write(boot(), NULL);
	function_store_flush(store);
	ck_assert_int_eq(niceness, own > 10 ? own : 10);
	ck_assert(is_patient);
	function_store_close(store, false);
}
END_TEST

START_TEST(closing_at_once_stops_what_is_being_written)
{
	function_store_write(boot(), NULL);
	function_store_flush(store);
	writes = 0;
	is_endless = true;
	function_store_write(boot(), NULL);
	function_store_write(boot(), NULL);
	while (!writes)
		usleep(1000);
	/* that one, and the one that waits */
	ck_assert_uint_eq(function_store_close(store, true), 2);
	ck_assert_uint_eq(writes, 1);
	ck_assert_uint_eq(warnings, 0);
}
END_TEST

/* The guest offers no handler of that name: it boots, and is not deployed. */
START_TEST(what_is_not_deployed_is_not_written)
{
	struct thaw_error error;
	struct thaw *thaw;

	function_store_close(store, false);
	state_dir = store_fixture_path;
	for (int is_good = 0; is_good < 2; is_good++) {
		thaw = open_guest("bitmap", "edges",
				  is_good ? "\"entry\":\"measure\"" :
					    "\"entry\":\"missing\"");
		ck_assert_int_eq(!thaw_deploy(thaw, "edges", &error), is_good);
		thaw_close(thaw);
		ck_assert_uint_eq(writes, is_good);
	}
	state_dir = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("function_store");
	TCase *group = tcase_create("function_store");

	tcase_set_timeout(group, 120);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, so_many_wait_and_no_more);
	tcase_add_test(group, the_memory_counts_until_it_is_written);
	tcase_add_test(group, the_writer_lets_others_have_the_cpu);
	tcase_add_test(group, closing_at_once_stops_what_is_being_written);
	tcase_add_test(group, what_is_not_deployed_is_not_written);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
