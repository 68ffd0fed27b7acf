/* test_catalog_limits.c - each limit of a catalog, at its edge and beyond */
#include "executor/limits.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/catalog.h"
#include "guest/abi/thaw_abi.h"
#include "tests/unit/catalog_fixture.h"

START_TEST(memory_must_hold_its_parts)
{
	/* 256KiB of stack, 1MiB of reply and 1MiB more besides the request */
	fixture_accepts(ONE(", \"memory\": \"4MiB\", \"max_request\":"
			    " \"1792KiB\""));
	ck_assert_str_eq(fixture_refusal(ONE(", \"max_request\": \"1793KiB\",\n"
					     "\"memory\": \"4MiB\"")),
			 "2: /functions/0/memory: 4MiB is too small for stack "
			 "256KiB + max_request 1793KiB + max_reply 1MiB + 1MiB "
			 "for the image: needs 4097KiB");
}
END_TEST

START_TEST(warm_vms_are_no_more_than_vms)
{
	fixture_accepts(ONE(", \"concurrency\": { \"max\": 3, \"warm\": 3 }"));
	ck_assert_str_eq(
		fixture_refusal(
			ONE(", \"concurrency\": { \"max\": 3, \"warm\": 4 }")),
		"1: /functions/0/concurrency/warm: 4 is more than the "
		"concurrency's max, 3");
}
END_TEST

/* Each with its least and most, and what is just outside of them. */
static const struct {
	const char *key;
	const char *below, *least, *most, *above;
} ranges[] = {
	{ "memory", "1984KiB", "2MiB", "1GiB", "1048640KiB" },
	{ "stack", "16383B", "16KiB", "64MiB", "67108865B" },
	{ "max_request", "4095B", "4KiB", "64MiB", "67108865B" },
	{ "max_reply", "4095B", "4KiB", "64MiB", "67108865B" },
	{ "timeout", "999999ns", "1ms", "15m", "900000000001ns" },
	{ "init_timeout", "999999ns", "1ms", "15m", "900000000001ns" },
	{ "inline_budget", "49999ns", "50us", "1s", "1000000001ns" },
};

/* In "defaults", where values are checked one by one. */
static const char *default_of(const char *key, const char *value)
{
	static char text[256];

	snprintf(text, sizeof(text),
		 "{ \"defaults\": { \"%s\": \"%s\" }, \"functions\": [] }", key,
		 value);
	return text;
}

START_TEST(quantities_have_a_least_and_a_most)
{
	char range[64];

	snprintf(range, sizeof(range), "is out of range: accepted is %s to %s",
		 ranges[_i].least, ranges[_i].most);
	fixture_accepts(default_of(ranges[_i].key, ranges[_i].least));
	fixture_accepts(default_of(ranges[_i].key, ranges[_i].most));
	ck_assert_ptr_nonnull(
		strstr(fixture_refusal(
			       default_of(ranges[_i].key, ranges[_i].below)),
		       range));
	ck_assert_ptr_nonnull(
		strstr(fixture_refusal(
			       default_of(ranges[_i].key, ranges[_i].above)),
		       range));
}
END_TEST

START_TEST(memory_is_a_multiple_of_64_kib)
{
	fixture_accepts(default_of("memory", "2112KiB"));
	ck_assert_str_eq(fixture_refusal(default_of("memory", "2049KiB")),
			 "1: /defaults/memory: \"2049KiB\" is not a multiple "
			 "of 64KiB: the next is \"2112KiB\"");
}
END_TEST

#define CONCURRENCY(keys) ONE(", \"concurrency\": { " keys " }")

START_TEST(counts_have_a_least_and_a_most)
{
	fixture_accepts(CONCURRENCY("\"max\": 1"));
	fixture_accepts(CONCURRENCY("\"max\": 4096, \"warm\": 4096"));
	fixture_accepts(CONCURRENCY("\"queue\": 0"));
	fixture_accepts(CONCURRENCY("\"queue\": 65536"));
	fixture_accepts(CONCURRENCY("\"queue_timeout\": \"1ms\""));
	fixture_accepts(CONCURRENCY("\"queue_timeout\": \"15m\""));
	ck_assert_str_eq(fixture_refusal(CONCURRENCY("\"max\": 0")),
			 "1: /functions/0/concurrency/max: 0 is out of range: "
			 "accepted is 1 to 4096");
	fixture_refusal(CONCURRENCY("\"max\": 4097"));
	fixture_refusal(CONCURRENCY("\"warm\": -1"));
	fixture_refusal(CONCURRENCY("\"warm\": 4097"));
	fixture_refusal(CONCURRENCY("\"queue\": -1"));
	fixture_refusal(CONCURRENCY("\"queue\": 65537"));
	fixture_refusal(CONCURRENCY("\"queue\": 9223372036854775807"));
	fixture_refusal(CONCURRENCY("\"queue_timeout\": \"999us\""));
	fixture_refusal(CONCURRENCY("\"queue_timeout\": \"901s\""));
	ck_assert_str_eq(fixture_refusal(CONCURRENCY("\"max\": 4.0")),
			 "1: /functions/0/concurrency/max: 4.0 is not a whole "
			 "number: accepted is 1 to 4096");
}
END_TEST

#define BEFORE "{ \"functions\": [ { \"image\": \"image.elf\", "

static const struct {
	const char *before, *unit;
	size_t most;
	const char *after;
} lengths[] = {
	{ BEFORE "\"name\": \"", "n", 64, "\" } ] }" },
	{ BEFORE "\"name\": \"f\", \"entry\": \"", "e", 55, "\" } ] }" },
	{ BEFORE "\"name\": \"f\", \"description\": \"", "ü", 1024,
	  "\" } ] }" },
	{ BEFORE "\"name\": \"f\", \"labels\": { \"", "l", 63,
	  "\": \"\" } } ] }" },
	{ BEFORE "\"name\": \"f\", \"labels\": { \"l\": \"", "ü", 255,
	  "\" } } ] }" },
	/* "A=" and a zero, its pointer, and the NULL pointer: 19 bytes */
	{ BEFORE "\"name\": \"f\", \"environment\": { \"A\": \"", "x",
	  THAW_ENVIRONMENT_MAX - 19, "\" } } ] }" },
};

START_TEST(texts_have_a_greatest_length)
{
	cleanup_free char *fits =
		fixture_repeated(lengths[_i].before, lengths[_i].unit,
				 lengths[_i].most, lengths[_i].after);
	cleanup_free char *exceeds =
		fixture_repeated(lengths[_i].before, lengths[_i].unit,
				 lengths[_i].most + 1, lengths[_i].after);

	fixture_accepts(fits);
	fixture_refusal(exceeds);
}
END_TEST

/* @before, @count members in @format, @after; returns owned. */
static char *enumerated(const char *before, const char *format, int count,
			const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(before, out);
	for (int i = 0; i < count; i++)
		fprintf(out, format, i ? "," : "", i);
	fputs(after, out);
	fclose(out);
	return text;
}

START_TEST(functions_have_a_greatest_number)
{
	const char *before = "{ \"functions\": [";
	const char *format =
		"%s{ \"name\": \"f%d\", \"image\": \"image.elf\" }";
	cleanup_free char *fits =
		enumerated(before, format, CATALOG_FUNCTIONS_MAX, "] }");
	cleanup_free char *exceeds =
		enumerated(before, format, CATALOG_FUNCTIONS_MAX + 1, "] }");
	struct catalog *catalog = fixture_catalog(fits);

	ck_assert_uint_eq(catalog->count, CATALOG_FUNCTIONS_MAX);
	ck_assert_str_eq(catalog_find(catalog, "f9999")->name, "f9999");
	catalog_free(catalog);
	ck_assert_str_eq(fixture_refusal(exceeds),
			 "1: /functions: 10001 functions: the most is 10000");
}
END_TEST

START_TEST(labels_have_a_greatest_number)
{
	const char *before = BEFORE "\"name\": \"f\", \"labels\": {";
	cleanup_free char *fits = enumerated(before, "%s\"l%d\": \"\"",
					     LIMIT_LABELS_MAX, "} } ] }");
	cleanup_free char *exceeds = enumerated(before, "%s\"l%d\": \"\"",
						LIMIT_LABELS_MAX + 1,
						"} } ] }");

	fixture_accepts(fits);
	ck_assert_str_eq(fixture_refusal(exceeds),
			 "1: /functions/0/labels: 65 labels: the most is 64");
}
END_TEST

START_TEST(a_file_has_a_greatest_size)
{
	struct catalog *catalog;
	char expected[256];
	/* Spaces behind the document up to the limit, then one byte more. */
	const char *document = "{ \"functions\": [] }";
	cleanup_free char *spaces =
		fixture_repeated(document, " ",
				 CATALOG_FILE_MAX - strlen(document), "");

	ck_assert_uint_eq(strlen(spaces), CATALOG_FILE_MAX);
	fixture_make_file("functions.json", spaces);
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog), 0);
	catalog_free(catalog);

	ck_assert_int_eq(truncate(fixture_path, CATALOG_FILE_MAX + 1), 0);
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog),
			 -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s: the catalog has more than 16777216 bytes", fixture_path);
	ck_assert_str_eq(fixture_err.message, expected);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int main(void)
{
	Suite *suite = suite_create("catalog_limits");
	TCase *tests = tcase_create("catalog_limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, fixture_make, fixture_remove);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, memory_must_hold_its_parts);
	tcase_add_test(tests, warm_vms_are_no_more_than_vms);
	tcase_add_loop_test(tests, quantities_have_a_least_and_a_most, 0,
			    COUNT(ranges));
	tcase_add_test(tests, memory_is_a_multiple_of_64_kib);
	tcase_add_test(tests, counts_have_a_least_and_a_most);
	tcase_add_loop_test(tests, texts_have_a_greatest_length, 0,
			    COUNT(lengths));
	tcase_add_test(tests, functions_have_a_greatest_number);
	tcase_add_test(tests, labels_have_a_greatest_number);
	tcase_add_test(tests, a_file_has_a_greatest_size);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
