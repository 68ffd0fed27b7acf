/* test_catalog_check.c - all mistakes of a catalog at once, and its images */
#include "executor/catalog.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/catalog_fixture.h"
#include "tests/unit/elf_builder.h"

#define MISTAKES_MAX 64
#define MANY 50

static char mistakes[MISTAKES_MAX][ERROR_MESSAGE_MAX];
static size_t count, wanted;
static size_t functions; /* that the check has been shown */

static bool refused(void *cookie, const char *message)
{
	(void)cookie;
	ck_assert_uint_lt(count, MISTAKES_MAX);
	ck_assert_int_eq(strncmp(message, fixture_path, strlen(fixture_path)),
			 0);
	strcpy(mistakes[count++], message + strlen(fixture_path) + 1);
	return count < wanted;
}

static int look(void *cookie, const struct catalog_function *function,
		struct error *err)
{
	(void)cookie;
	functions++;
	return strcmp(function->name, "odd") ?
		       0 :
		       error_set(err, -EPROTO, "does not look good");
}

static int check(const char *text)
{
	const struct catalog_check how = { .refused = refused,
					   .function = look };
	struct catalog *catalog = NULL;
	int r;

	count = functions = 0;
	r = catalog_check(text, strlen(text), fixture_path, &how, &fixture_err,
			  &catalog);
	ck_assert((r == 0) == (catalog != NULL));
	ck_assert((r == 0) == (count == 0));
	catalog_free(catalog);
	return r;
}

/* @expected: in what order, how each begins; then NULL. */
static void refuses(const char *text, const char *const *expected)
{
	size_t i = 0;

	ck_assert_int_eq(check(text), -EINVAL);
	for (; expected[i] && i < count; i++)
		ck_assert_msg(!strncmp(mistakes[i], expected[i],
				       strlen(expected[i])),
			      "%s, not %s", mistakes[i], expected[i]);
	ck_assert_msg(!expected[i], "missing: %s", expected[i]);
	ck_assert_msg(i == count, "one too many: %s", mistakes[i]);
}

/* image.elf, with handlers "first" and "second". */
static void make_image(void)
{
	static const struct thaw_handler_entry handlers[] = {
		{ ELF_BUILDER_CODE, "first" },
		{ ELF_BUILDER_CODE, "second" },
	};
	static struct elf_builder elf;
	char path[FIXTURE_PATH_MAX + 32];
	FILE *file;

	elf_builder_executable(&elf);
	elf_builder_add_handlers(&elf, handlers, 2);
	snprintf(path, sizeof(path), "%s/image.elf", fixture_directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(elf.bytes, 1, elf.size, file), elf.size);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
	fixture_make();
	make_image();
	wanted = SIZE_MAX;
}

#define FUNCTION(name, keys) \
	"{ \"name\": \"" name "\", \"image\": \"image.elf\"" keys " }"
#define FIRST ", \"entry\": \"first\""

START_TEST(a_catalog_without_mistakes_is_read)
{
	ck_assert_int_eq(check("{ \"functions\": [" FUNCTION(
				 "a", FIRST) ",\n" FUNCTION("second",
							    "") "] }"),
			 0);
	ck_assert_uint_eq(functions, 2);
}
END_TEST

static const char wrong[] =
	"{ \"nothing\": 1, \"version\": 2,\n"
	"\"functions\": [\n"
	"{ \"image\": 7, \"memory\": \"1\", \"stack\": 2 },\n"
	"{ \"name\": \"a/b\", \"image\": \"nowhere.elf\" },\n" FUNCTION(
		"warm", FIRST
		", \"memory\": \"2MiB\","
		" \"concurrency\": { \"max\": 1, \"warm\": 2 }") ",\n" FUNCTION("twice",
										FIRST) ",\n" FUNCTION("twice",
												      FIRST) ",\n" FUNCTION("lists",
															    FIRST
															    ", \"environment\": { \"1\": \"\","
															    " \"A\": 1, \"2\": \"\" }") ",\n" FUNCTION("more",
																				       FIRST
																				       ", \"environment\": { \"1\": \"\", \"A\": \"\","
																				       " \"2\": \"\" }, \"labels\": { \".\": \"\", \"-\": \"\" }") "] }";

START_TEST(every_mistake_is_told)
{
	static const char *const expected[] = {
		"1: /nothing: unknown key",
		"1: /version: 2 is not a version",
		"3: /functions/0/image: 7 is not a string",
		"3: /functions/0/memory: \"1\" has no unit",
		"3: /functions/0/stack: 2 is not a string",
		"3: /functions/0: \"name\" is missing",
		"4: /functions/1/name: \"a/b\" is not a name",
		"4: /functions/1/image: No such file",
		"5: /functions/2/memory: 2MiB is too small for stack",
		"5: /functions/2/concurrency/warm: 2 is more than",
		"8: /functions/5/environment/A: 1 is not a string",
		"9: /functions/6/environment/1: not a variable's name",
		"9: /functions/6/environment/2: not a variable's name",
		"9: /functions/6/labels/.: not a label's name",
		"9: /functions/6/labels/-: not a label's name",
		"7: /functions/4/name: \"twice\" is already",
		NULL,
	};

	refuses(wrong, expected);
	/* those without a mistake of their own have been shown */
	ck_assert_uint_eq(functions, 2);
}
END_TEST

START_TEST(what_follows_from_a_mistake_in_defaults_is_none)
{
	static const char *const expected[] = {
		"1: /defaults/memory: \"8GiB\" is out of",
		"1: /defaults/log_level: 1 is not a",
		"3: /functions/1/entry: ",
		NULL,
	};

	refuses("{ \"defaults\": { \"memory\": \"8GiB\", \"log_level\": 1 },\n"
		"\"functions\": [" FUNCTION("a", FIRST ", \"max_reply\": \"20MiB\"") ",\n" FUNCTION(
			"b", ", \"entry\": \"third\"") "] }",
		expected);
	ck_assert_uint_eq(functions, 0);
}
END_TEST

START_TEST(what_is_no_catalog_at_all_is_one_mistake)
{
	static const struct {
		const char *text;
		const char *expected[2];
	} samples[] = {
		{ "", { "1:0: " } },
		{ "[]", { "1: an array is not an object" } },
		{ "{}", { "1: \"functions\" is missing" } },
		{ "{ \"functions\": 1 }",
		  { "1: /functions: 1 is not an array" } },
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		refuses(samples[i].text, samples[i].expected);
}
END_TEST

START_TEST(an_image_has_to_have_the_handler_and_to_fit)
{
	static const char *const expected[] = {
		"2: /functions/1/entry: ",
		"3: /functions/2/timeout: 1 is not a string",
		"3: /functions/2/entry: ",
		"4: /functions/3/entry: 1 is not a handler's name",
		"5: /functions/4/memory: memory of 2112 KiB is too",
		NULL,
	};

	refuses("{ \"functions\": [" FUNCTION("second", "") ",\n" FUNCTION("third", "") ",\n" FUNCTION("a", ", \"entry\": \"firts\", \"timeout\": 1") ",\n" FUNCTION(
			"b",
			", \"entry\": 1") ",\n" FUNCTION("small", FIRST
							 ", \"memory\": \"2112KiB\","
							 " \"stack\": \"16KiB\", \"max_request\": \"4KiB\","
							 " \"max_reply\": \"1068KiB\"") "] }",
		expected);
	ck_assert_ptr_nonnull(strstr(mistakes[0], "no handler \"third\": set "
						  "entry to one of: first, "
						  "second"));
}
END_TEST

START_TEST(what_is_no_image_is_said_to_be_none)
{
	static const char *const expected[] = { "1: /functions/0/image: ",
						NULL };

	fixture_make_file("image.elf", "text");
	refuses(ONE(""), expected);
	ck_assert_ptr_nonnull(strstr(mistakes[0], "image.elf: not an ELF"));
}
END_TEST

START_TEST(what_the_check_has_to_say_is_a_mistake_of_the_function)
{
	static const char *const expected[] = {
		"2: /functions/1: does not look good", NULL
	};

	refuses("{ \"functions\": [" FUNCTION("a", FIRST) ",\n" FUNCTION(
			"odd", FIRST) ",\n" FUNCTION("b", FIRST) "] }",
		expected);
	ck_assert_uint_eq(functions, 3);
}
END_TEST

START_TEST(no_more_mistakes_are_told_than_are_wanted)
{
	char *text =
		fixture_repeated("{ \"functions\": [ 1", ", 1", MANY, "] }");

	for (wanted = 1; wanted < MANY; wanted += MANY / 5) {
		ck_assert_int_eq(check(text), -ECANCELED);
		ck_assert_uint_eq(count, wanted);
	}
	wanted = SIZE_MAX;
	ck_assert_int_eq(check(text), -EINVAL);
	ck_assert_uint_eq(count, MANY + 1);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_check");
	TCase *tests = tcase_create("catalog_check");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, set_up, fixture_remove);
	tcase_add_test(tests, a_catalog_without_mistakes_is_read);
	tcase_add_test(tests, every_mistake_is_told);
	tcase_add_test(tests, what_follows_from_a_mistake_in_defaults_is_none);
	tcase_add_test(tests, what_is_no_catalog_at_all_is_one_mistake);
	tcase_add_test(tests, an_image_has_to_have_the_handler_and_to_fit);
	tcase_add_test(tests, what_is_no_image_is_said_to_be_none);
	tcase_add_test(tests,
		       what_the_check_has_to_say_is_a_mistake_of_the_function);
	tcase_add_test(tests, no_more_mistakes_are_told_than_are_wanted);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
