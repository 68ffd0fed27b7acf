/*
 * test_layers.c - functions with a base: they go on from its guest, and have nothing of each
 * other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/function.h"
#include "snapshot/layered.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"

/* What the table of the guest adds up to, and half of it. */
#define SUM "33816576"
#define SUM_CLEARED "25296896"

#define BASE                                                                 \
	"{\"name\":\"base\",\"image\":\"%s/layers.elf\",\"entry\":\"tell\"," \
	"\"memory\":\"4MiB\",\"stack\":\"64KiB\",\"max_request\":\"4KiB\","  \
	"\"max_reply\":\"4KiB\"}"
#define LAYER(name, text)                                               \
	",{\"name\":\"" name "\",\"base\":\"base\",\"entry\":\"tell\"," \
	"\"init_timeout\":\"2s\",\"concurrency\":{\"max\":2},"          \
	"\"init\":{\"entry\":\"learn\",\"text\":\"" text "\"}}"
#define ALL                                                      \
	BASE LAYER("one", "first") LAYER("two", "second")        \
		LAYER("clear", "clear") LAYER("same", "nothing") \
			LAYER("scatter", "scatter")

static struct store *store;
static struct error err;

static void set_up(void)
{
	store = store_fixture_open();
	state_dir = store_fixture_path;
}

static void tear_down(void)
{
	state_dir = NULL;
	store_fixture_close(store);
}

static struct function *deploy(struct thaw *thaw, const char *name)
{
	struct thaw_error error;

	ck_assert_msg(!thaw_deploy(thaw, name, &error), "%s", error.message);
	return engine_find(thaw, name);
}

static void expect(struct thaw *thaw, const char *name, const char *answer)
{
	for (int i = 0; i < 40; i++)
		ck_assert_str_eq(call_once(thaw, name, i % 2 ? "" : "aaaa"),
				 answer);
}

/* Each answers with what it has of its base, and what its init has added. */
static void expect_all(struct thaw *thaw)
{
	expect(thaw, "one", "1 first " SUM);
	expect(thaw, "base", "0 " SUM);
	expect(thaw, "two", "1 second " SUM);
	expect(thaw, "clear", "0 " SUM_CLEARED);
	expect(thaw, "same", "0 " SUM);
	expect(thaw, "one", "1 first " SUM);
	/* 12 bytes of 1, 12, 23...: 0x80 more each */
	expect(thaw, "scatter", "0 33818112");
}

START_TEST(functions_go_on_from_their_base_and_keep_apart)
{
	struct thaw *thaw;

	state_dir = NULL;
	thaw = open_functions(backends[_i], ALL);
	expect_all(thaw);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_layer_has_only_the_pages_that_differ)
{
	struct thaw *thaw;
	const struct function *one, *clear, *scatter, *base;
	struct stat file;

	state_dir = NULL;
	thaw = open_functions(backends[_i], ALL);
	one = deploy(thaw, "one");
	base = deploy(thaw, "base");
	clear = deploy(thaw, "clear");
	scatter = deploy(thaw, "scatter");
	ck_assert_uint_gt(snapshot_bytes(base->snapshot), 512u << 10);
	ck_assert_uint_gt(snapshot_bytes(one->snapshot), 0);
	ck_assert_uint_le(snapshot_bytes(one->snapshot), 48u << 10);
	ck_assert_int_eq(fstat(one->snapshot->layer.fd, &file), 0);
	ck_assert_uint_le((size_t)file.st_blocks * 512, 48u << 10);
	/* zeros take no page, and are those of the layer nonetheless */
	ck_assert_uint_le(snapshot_bytes(clear->snapshot), 48u << 10);
	/* far apart: extents are few, so what is between them is taken along */
	ck_assert_uint_le(scatter->snapshot->layer.count, LAYER_EXTENTS_MAX);
	ck_assert_uint_le(snapshot_bytes(scatter->snapshot), 600u << 10);
	/* both are over the same bytes, not over copies */
	ck_assert_int_eq(fstat(one->snapshot->memory_fd, &file), 0);
	{
		struct stat other;

		ck_assert_int_eq(fstat(clear->snapshot->memory_fd, &other), 0);
		ck_assert_uint_eq(file.st_ino, other.st_ino);
	}
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} failures[] = {
	{ "fail", "init failed: Test.Failed: as told" },
	{ "fault", "init failed: Runtime.Fault: " },
	{ "loop", "init failed: Sandbox.Timedout: " },
};

START_TEST(an_init_that_fails_is_told_and_does_no_harm)
{
	char text[4096];
	struct thaw *thaw;
	struct thaw_error error;

	state_dir = NULL;
	snprintf(text, sizeof(text),
		 BASE LAYER(
			 "one",
			 "first") ",{\"name\":\"bad\",\"base\":\"base\",\"entry\":\"tell\","
				  "\"init_timeout\":\"200ms\",\"init\":{\"entry\":\"learn\","
				  "\"text\":\"%s\"}}",
		 "%s", failures[_i].text);
	thaw = open_functions(backends[0], text);
	ck_assert_int_eq(thaw_deploy(thaw, "bad", &error), -ECANCELED);
	ck_assert_msg(strstr(error.message, failures[_i].message) != NULL, "%s",
		      error.message);
	expect(thaw, "one", "1 first " SUM);
	expect(thaw, "base", "0 " SUM);
	thaw_close(thaw);
}
END_TEST

/* Whether all are from files. */
static bool all_are_stored(const char *backend)
{
	static const char *const names[] = { "one", "two", "clear", "same",
					     "scatter" };
	struct thaw *thaw = open_functions(backend, ALL);
	size_t count = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct function *function = deploy(thaw, names[i]);

		ck_assert_msg(!*function->not_stored.message, "%s",
			      function->not_stored.message);
		count += function->is_stored;
	}
	ck_assert(!count || count == sizeof(names) / sizeof(*names));
	expect_all(thaw);
	thaw_close(thaw);
	return count;
}

START_TEST(layers_are_kept_and_go_on_from_their_files)
{
	ck_assert(!all_are_stored(backends[_i]));
	ck_assert_uint_eq(store_fixture_count(store), 6);
	ck_assert(all_are_stored(backends[_i]));
	ck_assert(all_are_stored(backends[_i]));
	ck_assert_uint_eq(store_fixture_count(store), 6);
}
END_TEST

static char *path_of(const struct store_entry *entry, char path[256])
{
	snprintf(path, 256, "%s/%s", store_fixture_path, entry->name);
	return path;
}

/* The file of the base: the largest. */
static void find_base(char path[256])
{
	struct store_entry *entries;
	size_t count, largest = 0;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	ck_assert_uint_gt(count, 1);
	for (size_t i = 1; i < count; i++)
		if (entries[i].bytes > entries[largest].bytes)
			largest = i;
	path_of(&entries[largest], path);
	free(entries);
}

/* A base that has booted again has other bytes, though its key is the same. */
START_TEST(a_layer_over_a_base_that_is_gone_is_made_anew)
{
	char path[256];
	struct thaw *thaw;

	ck_assert(!all_are_stored(backends[0]));
	find_base(path);
	ck_assert_int_eq(unlink(path), 0);
	thaw = open_functions(backends[0], ALL);
	logged.lines = 0;
	ck_assert(!deploy(thaw, "one")->is_stored);
	expect(thaw, "one", "1 first " SUM);
	thaw_close(thaw);
	thaw = open_functions(backends[0], ALL);
	ck_assert(deploy(thaw, "one")->is_stored);
	ck_assert(!deploy(thaw, "two")->is_stored);
	expect_all(thaw);
	thaw_close(thaw);
	ck_assert(all_are_stored(backends[0]));
}
END_TEST

START_TEST(another_request_is_another_layer)
{
	struct thaw *thaw =
		open_functions(backends[0], BASE LAYER("one", "first"));

	ck_assert(!deploy(thaw, "one")->is_stored);
	thaw_close(thaw);
	thaw = open_functions(backends[0], BASE LAYER("one", "other"));
	ck_assert(!deploy(thaw, "one")->is_stored);
	expect(thaw, "one", "1 other " SUM);
	thaw_close(thaw);
	ck_assert_uint_eq(store_fixture_count(store), 3);
}
END_TEST

/* What an invocation has besides its memory is not that of init. */
START_TEST(an_invocation_begins_anew_after_init)
{
	struct thaw *thaw;
	struct thaw_reply reply;

	state_dir = NULL;
	thaw = open_functions(backends[_i],
			      BASE ",{\"name\":\"talk\",\"base\":\"base\","
				   "\"entry\":\"hear\",\"init\":"
				   "{\"entry\":\"learn\",\"text\":\"talk\"}}");
	deploy(thaw, "talk");
	for (int i = 0; i < 3; i++) {
		logged.lines = 0;
		call(thaw, "talk", "heard", 0, &reply);
		ck_assert_str_eq(outcome(&reply), "heard 7 other");
		ck_assert_str_ne(reply.content_type, "text/init");
		ck_assert_int_eq(reply.status, 0);
		ck_assert_uint_eq(reply.headers_size, 0);
		ck_assert_uint_eq(logged.lines, 1);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

/* The same request, of functions that are told another name. */
START_TEST(the_same_request_of_two_functions_is_two_layers)
{
	for (int i = 0; i < 2; i++) {
		struct thaw *thaw =
			open_functions(backends[0],
				       BASE LAYER("one", "name")
					       LAYER("two", "name"));

		ck_assert(deploy(thaw, "one")->is_stored == i);
		ck_assert(deploy(thaw, "two")->is_stored == i);
		expect(thaw, "one", "1 one " SUM);
		expect(thaw, "two", "1 two " SUM);
		thaw_close(thaw);
	}
}
END_TEST

#define CALLS(color)                                                           \
	"{\"name\":\"calls\",\"image\":\"%s/calls.elf\",\"memory\":\"4MiB\","  \
	"\"stack\":\"64KiB\",\"max_request\":\"4KiB\",\"max_reply\":\"4KiB\"," \
	"\"host\":{\"allow\":[\"config\",\"print\",\"time\",\"invoke\"],"      \
	"\"config\":{\"color\":\"" color "\"}}},"                              \
	"{\"name\":\"one\",\"base\":\"calls\",\"init\":{\"text\":"             \
	"\"{\\\"function\\\":\\\"setting\\\",\\\"args\\\":[\\\"color\\\"]}\"}}"

/* An init may have asked the host. */
START_TEST(what_the_host_tells_an_init_is_part_of_its_layer)
{
	static const struct {
		const char *functions;
		bool is_stored;
	} turns[] = { { CALLS("red"), false },
		      { CALLS("red"), true },
		      { CALLS("blue"), false } };

	for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++) {
		struct thaw *thaw =
			open_functions(backends[0], turns[i].functions);

		ck_assert(deploy(thaw, "one")->is_stored == turns[i].is_stored);
		thaw_close(thaw);
	}
}
END_TEST

/* Writes to each byte of @vm's memory from @start to @end, as its guest would. */
static void write_all(struct vm *vm, uint64_t start, uint64_t end,
		      size_t page_size)
{
	memset(vm_memory(vm) + start, 0xa5, end - start);
	for (size_t page = start / page_size; page * page_size < end; page++)
		dirty_add(vm_dirty(vm), page);
}

/* All of its memory may be in the layer: it cannot be in the vm as well. */
START_TEST(the_vm_that_is_frozen_gives_its_memory_back)
{
	struct thaw *thaw;
	struct snapshot *base, *layer;
	const struct layout *layout;
	struct vm *vm;

	state_dir = NULL;
	thaw = open_functions(backends[_i], BASE);
	base = deploy(thaw, "base")->snapshot;
	layout = snapshot_layout(base);
	ck_assert_int_eq(snapshot_start(base, false, &err, &vm), 0);
	write_all(vm, layout->heap.start,
		  layout->heap.start + layout->heap.size,
		  snapshot_page_size(base));
	ck_assert_msg(!layered_create(base, vm, &err, &layer), "%s",
		      err.message);
	ck_assert(vm_spoiled(vm));
	ck_assert_int_eq(memcmp(vm_memory(vm) + layout->heap.start,
				snapshot_memory(base) + layout->heap.start,
				layout->heap.size),
			 0);
	vm_free(vm);
	snapshot_free(layer);
	thaw_close(thaw);
}
END_TEST

/* A page of the host may have the heap's end and what follows it. */
START_TEST(what_is_no_data_and_no_heap_is_the_bases)
{
	struct thaw *thaw;
	struct snapshot *base, *layer;
	const struct layout *layout;
	const uint8_t *is, *was;
	uint64_t end;
	struct vm *vm;

	state_dir = NULL;
	thaw = open_functions(backends[_i], BASE);
	base = deploy(thaw, "base")->snapshot;
	layout = snapshot_layout(base);
	end = layout->heap.start + layout->heap.size;
	ck_assert_int_eq(snapshot_start(base, false, &err, &vm), 0);
	/* heap, stack, windows */
	write_all(vm, layout->heap.start, layout->tables.start,
		  snapshot_page_size(base));
	ck_assert_msg(!layered_create(base, vm, &err, &layer), "%s",
		      err.message);
	is = snapshot_memory(layer);
	was = snapshot_memory(base);
	ck_assert_int_eq(is[layout->heap.start], 0xa5);
	ck_assert_int_eq(is[end - 1], 0xa5);
	ck_assert_int_eq(memcmp(is, was, layout->heap.start), 0);
	ck_assert_int_eq(memcmp(is + end, was + end, layout->memory_size - end),
			 0);
	vm_free(vm);
	snapshot_free(layer);
	thaw_close(thaw);
}
END_TEST

/* Without it the layer would be of no use: it is not the first to be removed. */
START_TEST(a_base_is_used_when_a_layer_is)
{
	const struct timespec long_ago[] = { { .tv_sec = 1000 },
					     { .tv_sec = 1000 } };
	struct store_entry *entries;
	struct thaw *thaw;
	char path[256];
	size_t count;

	ck_assert(!all_are_stored(backends[0]));
	thaw = open_functions(backends[0], ALL);
	ck_assert(deploy(thaw, "one")->is_stored);
	find_base(path);
	strcpy(strrchr(path, '.'), STORE_VOUCH_SUFFIX);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	ck_assert(deploy(thaw, "two")->is_stored);
	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_gt(entries[i].used_s, 1000);
	free(entries);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layers");
	TCase *group = tcase_create("layers");
	const int n = backend_count_all();

	tcase_set_timeout(group, 120);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group,
			    functions_go_on_from_their_base_and_keep_apart, 0,
			    n);
	tcase_add_loop_test(group, a_layer_has_only_the_pages_that_differ, 0,
			    n);
	tcase_add_loop_test(group, an_init_that_fails_is_told_and_does_no_harm,
			    0, sizeof(failures) / sizeof(*failures));
	tcase_add_loop_test(group, layers_are_kept_and_go_on_from_their_files,
			    0, n);
	tcase_add_test(group, a_layer_over_a_base_that_is_gone_is_made_anew);
	tcase_add_test(group, another_request_is_another_layer);
	tcase_add_loop_test(group, an_invocation_begins_anew_after_init, 0, n);
	tcase_add_test(group, the_same_request_of_two_functions_is_two_layers);
	tcase_add_test(group, what_the_host_tells_an_init_is_part_of_its_layer);
	tcase_add_loop_test(group, the_vm_that_is_frozen_gives_its_memory_back,
			    0, n);
	tcase_add_loop_test(group, what_is_no_data_and_no_heap_is_the_bases, 0,
			    n);
	tcase_add_test(group, a_base_is_used_when_a_layer_is);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
