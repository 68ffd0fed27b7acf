/*
 * test_layers_hostile.c - files of layers that thaw has not written: they are refused, and
 * made anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/function.h"
#include "snapshot/layered.h"
#include "snapshot/snapshot_internal.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"

#define HEAD sizeof(struct store_header)
#define FUNCTIONS                                                            \
	"{\"name\":\"base\",\"image\":\"%s/layers.elf\",\"entry\":\"tell\"," \
	"\"memory\":\"4MiB\",\"stack\":\"64KiB\",\"max_request\":\"4KiB\","  \
	"\"max_reply\":\"4KiB\",\"environment\":{\"A\":\"b\"}},"             \
	"{\"name\":\"one\",\"base\":\"base\",\"entry\":\"tell\",\"init\":"   \
	"{\"entry\":\"learn\",\"text\":\"clear\"}}"
#define ANSWER "0 25296896"
/* A prime: no period of the file has it. */
#define FLIP_EVERY 8111

static struct store *store;
static struct error err;
/* The file of the layer, as thaw has written it, and where memory is. */
static char path[256];
static uint8_t *good;
static size_t size;
static struct layout layout;
static uint64_t code;
static bool has_system; /* is there anything in the system page? */

/* Deploys the function. Returns whether its snapshot was from its file. */
static bool deploy(char *ret_why)
{
	struct thaw *thaw = open_functions(backends[0], FUNCTIONS);
	const struct function *function;
	struct thaw_error error;
	bool is_stored;

	ck_assert_msg(!thaw_deploy(thaw, "one", &error), "%s", error.message);
	function = engine_find(thaw, "one");
	is_stored = function->is_stored;
	layout = function->snapshot->layout;
	code = function->image->entry;
	has_system =
		!store_is_zero(function->snapshot->pristine + THAW_GPA_SYSTEM,
			       THAW_PAGE_SIZE);
	if (ret_why)
		strcpy(ret_why, function->not_stored.message);
	ck_assert_str_eq(call_once(thaw, "one", ""), ANSWER);
	thaw_close(thaw);
	return is_stored;
}

/* The layer's file is the smaller one. */
static void set_up(void)
{
	struct store_entry *entries;
	size_t count;

	store = store_fixture_open();
	state_dir = store_fixture_path;
	ck_assert(!deploy(NULL));
	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	ck_assert_uint_eq(count, 2);
	snprintf(path, sizeof(path), "%s/%s", store_fixture_path,
		 entries[entries[1].bytes < entries[0].bytes].name);
	free(entries);
	good = store_fixture_read(path, &size);
	ck_assert(deploy(NULL));
}

static void tear_down(void)
{
	free(good);
	state_dir = NULL;
	store_fixture_close(store);
}

/* Makes the file one of the @count bytes of @bytes. */
static void put_file(const uint8_t *bytes, size_t count)
{
	unlink(path);
	store_fixture_write(path, bytes, count);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static struct store_parts parts_of(const uint8_t *bytes)
{
	struct store_header header;

	memcpy(&header, bytes, HEAD);
	return store_parts_of(&header);
}

/* Has @bytes be as whole as a file that thaw has written. */
static void hash_again(uint8_t *bytes)
{
	struct store_header header;

	memcpy(&header, bytes, HEAD);
	store_hash_parts(&header, bytes + HEAD, header.hash);
	memcpy(bytes, &header, HEAD);
}

/* Has @bytes have a page at @gpa, and that byte of it another value. */
static void put_byte(uint8_t *bytes, uint64_t gpa, uint8_t bits)
{
	const struct store_parts parts = parts_of(bytes);
	const uint64_t page = gpa / THAW_PAGE_SIZE, chunk = gpa / STORE_CHUNK;

	bytes[parts.memory + gpa] ^= bits;
	bytes[parts.bitmap + page / 8] |= (uint8_t)(1 << page % 8);
	store_hash(bytes + parts.memory + chunk * STORE_CHUNK, STORE_CHUNK,
		   bytes + parts.hashes + chunk * STORE_HASH_SIZE);
}

static struct layered_ready *ready_of(uint8_t *bytes)
{
	return (struct layered_ready *)(void *)(bytes + parts_of(bytes).ready);
}

/* The file of @bytes is refused, for the reason @why, and then it is a good one again. */
static void expect_refused(uint8_t *bytes, const char *why)
{
	char message[sizeof(err.message)];

	hash_again(bytes);
	put_file(bytes, size);
	ck_assert_msg(!deploy(message), "%s: it is taken", why);
	ck_assert_msg(strstr(message, why) != NULL, "%s: %s", why, message);
	ck_assert(deploy(NULL));
}

static uint8_t *copy_good(void)
{
	uint8_t *bytes = malloc(size);

	memcpy(bytes, good, size);
	return bytes;
}

/* The first two extents of a file, and how many it says that there are. */
static const struct {
	uint64_t count;
	uint64_t extents[2][2];
} forged[] = {
	{ 0, { { 0x200000, 0x1000 } } },
	{ 5, { { 0x200000, 0x1000 } } },
	{ UINT64_MAX, { { 0x200000, 0x1000 } } },
	{ (UINT64_C(1) << 32) + 1, { { 0x200000, 0x1000 } } },
	{ 1, { { 0x200000, 0 } } },
	{ 1, { { 0x200001, 0x1000 } } },
	{ 1, { { 0x200200, 0x1000 } } },
	{ 1, { { 0x200000, 0x1001 } } },
	{ 1, { { 0x200000, 0x400000 } } },
	{ 1, { { 0x400000, 0x1000 } } },
	{ 1, { { 0, 0x401000 } } },
	{ 1, { { UINT64_MAX - 0xfff, 0x1000 } } },
	{ 1, { { 0x1000, UINT64_MAX - 0xfff } } },
	{ 2, { { 0x200000, 0x2000 }, { 0x201000, 0x1000 } } },
	{ 2, { { 0x200000, 0x1000 }, { 0x200000, 0x1000 } } },
	{ 2, { { 0x201000, 0x1000 }, { 0x200000, 0x1000 } } },
	/* the next one is 0, 0 */
	{ 3, { { 0x200000, 0x1000 }, { 0x201000, 0x1000 } } },
};

START_TEST(extents_that_thaw_does_not_make)
{
	uint8_t *bytes = copy_good();
	struct layered_ready *ready = ready_of(bytes);

	memset(ready->extents, 0, sizeof(ready->extents));
	memcpy(ready->extents, forged[_i].extents, sizeof(forged[_i].extents));
	ready->count = forged[_i].count;
	expect_refused(bytes, "its extents are not what thaw makes");
	free(bytes);
}
END_TEST

/* Pages that no guest writes, with a byte changed; and with what a file has not: zeros. */
START_TEST(extents_over_what_is_thaws)
{
	const uint64_t places[] = {
		THAW_GPA_SYSTEM,
		THAW_GPA_SUPERVISOR,
		THAW_GPA_FAULT,
		THAW_GPA_STUB,
		THAW_GPA_INFO,
		THAW_GPA_MAILBOX,
		THAW_GPA_HEADERS,
		THAW_GPA_LOG,
		THAW_GPA_ENVIRONMENT,
		code,
		layout.request.start,
		layout.tables.start,
		layout.tables.start + layout.tables.size - THAW_PAGE_SIZE,
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const uint64_t page =
			places[i] / THAW_PAGE_SIZE * THAW_PAGE_SIZE;
		uint8_t *bytes = copy_good();
		struct layered_ready *ready = ready_of(bytes);

		memset(ready->extents, 0, sizeof(ready->extents));
		ready->count = 1;
		ready->extents[0].start = page;
		ready->extents[0].size = THAW_PAGE_SIZE;
		put_byte(bytes, page + 0x123, 0x40);
		expect_refused(bytes, "is not what thaw makes");
		free(bytes);
	}
}
END_TEST

START_TEST(zeros_over_what_is_thaws)
{
	const uint64_t places[] = {
		THAW_GPA_SYSTEM,      THAW_GPA_STUB, THAW_GPA_INFO,
		THAW_GPA_ENVIRONMENT, code,	     layout.tables.start
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t *bytes = copy_good();
		struct layered_ready *ready = ready_of(bytes);

		/* one architecture has nothing there: the file is right */
		if (places[i] == THAW_GPA_SYSTEM && !has_system)
			continue;
		memset(ready->extents, 0, sizeof(ready->extents));
		ready->count = 1;
		ready->extents[0].start =
			places[i] / THAW_PAGE_SIZE * THAW_PAGE_SIZE;
		ready->extents[0].size = THAW_PAGE_SIZE;
		expect_refused(bytes, "is not what thaw makes");
		free(bytes);
	}
}
END_TEST

/* What the guest said at READY is the base's, to the byte. */
START_TEST(another_ready_than_the_bases)
{
	for (size_t i = 0; i < sizeof(struct ready); i += 5) {
		uint8_t *bytes = copy_good();

		ready_of(bytes)->ready[i] ^= 1;
		expect_refused(bytes, "its extents are not what thaw makes");
		free(bytes);
	}
}
END_TEST

/* It is of no use, and there is nothing wrong with it. */
START_TEST(the_hash_of_another_base)
{
	uint8_t *bytes = copy_good();

	ready_of(bytes)->base[_i] ^= 0x10;
	expect_refused(bytes, "its base has been booted again since");
	free(bytes);
}
END_TEST

START_TEST(another_state_of_the_vcpu)
{
	uint8_t *bytes = copy_good();
	const struct store_parts parts = parts_of(bytes);

	bytes[parts.state + 8] ^= 1;
	expect_refused(bytes, "its vcpu's state is not what thaw makes");
	free(bytes);
}
END_TEST

/* A byte changed, wherever it is, and nothing hashed again: a hole is one of the file. */
START_TEST(flipped_bytes)
{
	const struct store_parts parts = parts_of(good);
	const size_t start = ready_of(good)->extents[0].start;
	size_t taken = 0;

	for (size_t at = _i; at < size;
	     at += at < parts.memory ? 397 : FLIP_EVERY) {
		uint8_t *bytes;

		/* all of the memory before the extents is as the first of it */
		if (at > parts.memory + 3 * FLIP_EVERY &&
		    at < parts.memory + start)
			continue;
		bytes = copy_good();
		bytes[at] ^= 1 << _i;
		put_file(bytes, size);
		taken += deploy(NULL);
		free(bytes);
		if (at > parts.memory + start + 700000)
			break;
	}
	ck_assert_uint_eq(taken, 0);
	ck_assert(deploy(NULL));
}
END_TEST

START_TEST(files_that_are_cut_off)
{
	const struct store_parts parts = parts_of(good);
	const size_t sizes[] = { 0,
				 7,
				 HEAD - 1,
				 HEAD,
				 parts.ready + 48,
				 parts.ready + 151,
				 parts.state,
				 parts.bitmap,
				 parts.hashes,
				 parts.memory,
				 parts.memory +
					 ready_of(good)->extents[0].start,
				 size - 1,
				 size - THAW_PAGE_SIZE };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_file(good, sizes[i]);
		ck_assert_msg(!deploy(NULL), "of %zu bytes", sizes[i]);
		ck_assert(deploy(NULL));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layers_hostile");
	TCase *group = tcase_create("layers_hostile");

	tcase_set_timeout(group, 240);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, extents_that_thaw_does_not_make, 0,
			    sizeof(forged) / sizeof(*forged));
	tcase_add_test(group, extents_over_what_is_thaws);
	tcase_add_test(group, zeros_over_what_is_thaws);
	tcase_add_test(group, another_ready_than_the_bases);
	tcase_add_loop_test(group, the_hash_of_another_base, 0, 3);
	tcase_add_test(group, another_state_of_the_vcpu);
	tcase_add_loop_test(group, flipped_bytes, 0, 2);
	tcase_add_test(group, files_that_are_cut_off);
	suite_add_tcase(suite, group);
	(void)backend_count_all();
	return run_suite(suite);
}
