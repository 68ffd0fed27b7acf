/* test_catalog.c - what a catalog may say, and what it is told if it may not */
#include "executor/catalog.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_reader.h"
#include "executor/limits.h"
#include "tests/unit/catalog_fixture.h"

/* The repository's top; the tests are run from there unless it is given. */
#ifndef THAW_SOURCE_DIR
#define THAW_SOURCE_DIR "."
#endif

START_TEST(what_is_left_out_has_its_default)
{
	struct catalog *catalog = fixture_catalog(ONE(""));
	struct catalog_function *f = &catalog->functions[0];
	char image[FIXTURE_PATH_MAX + 32];

	snprintf(image, sizeof(image), "%s/image.elf", fixture_directory);
	ck_assert_str_eq(catalog->path, fixture_path);
	ck_assert_uint_eq(catalog->count, 1);
	ck_assert_str_eq(f->name, "f");
	ck_assert_str_eq(f->image, image);
	ck_assert_str_eq(f->entry, "");
	ck_assert_str_eq(f->description, "");
	ck_assert_ptr_null(f->environment[0]);
	ck_assert_ptr_null(f->labels[0]);
	ck_assert_uint_eq(f->memory, 16 * UNITS_MIB);
	ck_assert_uint_eq(f->stack, 256 * UNITS_KIB);
	ck_assert_uint_eq(f->max_request, 1 * UNITS_MIB);
	ck_assert_uint_eq(f->max_reply, 1 * UNITS_MIB);
	ck_assert_uint_eq(f->timeout_ns, 1 * UNITS_S);
	ck_assert_uint_eq(f->init_timeout_ns, 30 * UNITS_S);
	ck_assert_uint_eq(f->concurrency.max, 16);
	ck_assert_uint_eq(f->concurrency.warm, 0);
	ck_assert_uint_eq(f->concurrency.queue, 16384);
	ck_assert_uint_eq(f->concurrency.queue_timeout_ns, 1 * UNITS_S);
	ck_assert_int_eq(f->log_level, THAW_LOG_INFO);
	ck_assert_int_eq(f->dispatch, CATALOG_DISPATCH_EXIT);
	ck_assert_int_eq(f->isolation, CATALOG_ISOLATION_STRICT);
	ck_assert(!f->untrusted);
	ck_assert(!f->critical);
	catalog_free(catalog);
}
END_TEST

START_TEST(every_key_is_stored)
{
	struct catalog *catalog = fixture_catalog(ONE(
		", \"kind\": \"native\", \"entry\": \"handle\""
		", \"description\": \"Größe\", \"memory\": \"64MiB\""
		", \"stack\": \"1MiB\", \"max_request\": \"8MiB\""
		", \"max_reply\": \"12KiB\", \"timeout\": \"1500us\""
		", \"init_timeout\": \"2m\", \"log_level\": \"debug\""
		", \"inline_budget\": \"2ms\""
		", \"dispatch\": \"polled\", \"untrusted\": true"
		", \"critical\": true"
		", \"host\": { \"allow\": [] }, \"files\": []"
		", \"environment\": { \"B\": \"2=two\", \"A\": \"\" }"
		", \"labels\": { \"team\": \"media\" }"
		", \"concurrency\": { \"max\": 8, \"warm\": 3, \"queue\": 5,"
		" \"queue_timeout\": \"50ms\" }"));
	struct catalog_function *f = &catalog->functions[0];

	ck_assert_str_eq(f->entry, "handle");
	ck_assert_str_eq(f->description, "Größe");
	ck_assert_uint_eq(f->memory, 64 * UNITS_MIB);
	ck_assert_uint_eq(f->stack, 1 * UNITS_MIB);
	ck_assert_uint_eq(f->max_request, 8 * UNITS_MIB);
	ck_assert_uint_eq(f->max_reply, 12 * UNITS_KIB);
	ck_assert_uint_eq(f->timeout_ns, 1500 * UNITS_US);
	ck_assert_uint_eq(f->init_timeout_ns, 2 * UNITS_M);
	ck_assert_uint_eq(f->inline_budget_ns, 2 * UNITS_MS);
	ck_assert_int_eq(f->log_level, THAW_LOG_DEBUG);
	ck_assert_int_eq(f->dispatch, CATALOG_DISPATCH_POLLED);
	ck_assert(f->untrusted);
	ck_assert(f->critical);
	ck_assert_str_eq(f->environment[0], "B=2=two");
	ck_assert_str_eq(f->environment[1], "A=");
	ck_assert_ptr_null(f->environment[2]);
	ck_assert_str_eq(f->labels[0], "team=media");
	ck_assert_ptr_null(f->labels[1]);
	ck_assert_uint_eq(f->concurrency.max, 8);
	ck_assert_uint_eq(f->concurrency.warm, 3);
	ck_assert_uint_eq(f->concurrency.queue, 5);
	ck_assert_uint_eq(f->concurrency.queue_timeout_ns, 50 * UNITS_MS);
	catalog_free(catalog);
}
END_TEST

START_TEST(defaults_apply_key_by_key_to_every_function)
{
	struct catalog *catalog = fixture_catalog(
		"{ \"functions\": ["
		"  { \"name\": \"a\", \"image\": \"image.elf\" },"
		"  { \"name\": \"b\", \"image\": \"image.elf\","
		"    \"timeout\": \"9ms\", \"concurrency\": { \"max\": 9 } } ],"
		"  \"defaults\": { \"timeout\": \"5ms\", \"log_level\": \"warn\","
		"    \"concurrency\": { \"max\": 4, \"warm\": 2 } } }");
	struct catalog_function *a = &catalog->functions[0];
	struct catalog_function *b = &catalog->functions[1];

	ck_assert_uint_eq(a->timeout_ns, 5 * UNITS_MS);
	ck_assert_uint_eq(a->concurrency.max, 4);
	ck_assert_uint_eq(a->concurrency.warm, 2);
	ck_assert_int_eq(a->log_level, THAW_LOG_WARN);
	ck_assert_uint_eq(b->timeout_ns, 9 * UNITS_MS);
	ck_assert_uint_eq(b->concurrency.max, 9);
	ck_assert_uint_eq(b->concurrency.warm, 2);
	ck_assert_uint_eq(b->memory, LIMIT_MEMORY_DEFAULT);
	catalog_free(catalog);
}
END_TEST

START_TEST(a_function_is_found_by_its_name)
{
	struct catalog *catalog = fixture_catalog(
		"{ \"functions\": ["
		"  { \"name\": \"b\", \"image\": \"image.elf\" },"
		"  { \"name\": \"c\", \"image\": \"image.elf\" },"
		"  { \"name\": \"a\", \"image\": \"image.elf\" } ] }");

	ck_assert_ptr_eq(catalog_find(catalog, "b"), &catalog->functions[0]);
	ck_assert_ptr_eq(catalog_find(catalog, "c"), &catalog->functions[1]);
	ck_assert_ptr_eq(catalog_find(catalog, "a"), &catalog->functions[2]);
	ck_assert_ptr_null(catalog_find(catalog, "d"));
	ck_assert_ptr_null(catalog_find(catalog, ""));
	catalog_free(catalog);

	catalog = fixture_catalog("{ \"functions\": [] }");
	ck_assert_ptr_null(catalog_find(catalog, "a"));
	catalog_free(catalog);
}
END_TEST

START_TEST(a_refusal_has_line_pointer_reason_and_remedy)
{
	ck_assert_str_eq(
		fixture_refusal("{\n \"functions\": [\n  { \"name\": \"f\",\n"
				"    \"image\": \"image.elf\",\n"
				"    \"timeout\": \"100\" } ] }"),
		"5: /functions/0/timeout: \"100\" has no unit: write for "
		"example \"100ms\" (ns, us, ms, s, m)");
	ck_assert_str_eq(fixture_refusal(ONE(", \"memory\": 16")),
			 "1: /functions/0/memory: 16 is not a string: write "
			 "for example \"16MiB\" (B, KiB, MiB, GiB)");
	ck_assert_str_eq(fixture_refusal(ONE(", \"memory\": \"16MB\"")),
			 "1: /functions/0/memory: \"16MB\" is not a size: "
			 "write for example \"16MiB\" (B, KiB, MiB, GiB)");
	ck_assert_str_eq(fixture_refusal(
				 "{\n\"functions\": [\n{ \"name\": \"f\" } ] }"),
			 "3: /functions/0: \"image\" is missing");
	ck_assert_str_eq(fixture_refusal("{ \"functions\": [],\n}"),
			 "2:1: string or '}' expected near '}'");
	ck_assert_str_eq(fixture_refusal(
				 "{ \"functions\": [],\n\"functions\": [] }"),
			 "2:11: duplicate object key near '\"functions\"'");
	ck_assert_str_eq(fixture_refusal(ONE(", \"kind\": \"linux\"")),
			 "1: /functions/0/image: is for functions of kind "
			 "\"native\", and this one is \"linux\"");
	ck_assert_str_eq(fixture_refusal(ONE(", \"argv\": [\"a\"]")),
			 "1: /functions/0/argv: is for functions of kind "
			 "\"linux\", and this one is \"native\"");
	ck_assert_str_eq(fixture_refusal(ONE(", \"kind\": \"wasm\"")),
			 "1: /functions/0/kind: \"wasm\" is not a kind of "
			 "guest: accepted is \"native\" or \"linux\"");
	ck_assert_str_eq(fixture_refusal(
				 "{ \"functions\": [ { \"name\": \"f\", "
				 "\"kind\": \"linux\" } ] }"),
			 "1: /functions/0: \"program\" is missing");
	ck_assert_str_eq(fixture_refusal("[]"),
			 "1: an array is not an object: write {...}");
}
END_TEST

START_TEST(an_unknown_key_is_answered_with_the_nearest_and_all_known)
{
	ck_assert_str_eq(fixture_refusal(
				 ONE(", \"concurrency\":\n{ \"wram\": 1 }")),
			 "2: /functions/0/concurrency/wram: unknown key, did "
			 "you mean \"warm\"? Known: max, warm, queue, "
			 "queue_timeout");
	ck_assert_str_eq(fixture_refusal(
				 "{ \"functions\": [], \"something else\": 1 }"),
			 "1: /something else: unknown key. Known: $schema, "
			 "version, defaults, functions");
}
END_TEST

START_TEST(a_name_given_twice_is_refused_where_it_is_repeated)
{
	ck_assert_str_eq(
		fixture_refusal(
			"{ \"functions\": [\n"
			"{ \"name\": \"b\", \"image\": \"image.elf\" },\n"
			"{ \"name\": \"a\", \"image\": \"image.elf\" },\n"
			"{ \"name\": \"b\", \"image\": \"image.elf\" } ] }"),
		"4: /functions/2/name: \"b\" is already the name of "
		"/functions/0");
}
END_TEST

START_TEST(an_image_that_is_not_there_is_named_with_its_resolved_path)
{
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "1: /functions/0/image: No such file or directory: "
		 "%s/not/there.elf",
		 fixture_directory);
	ck_assert_str_eq(fixture_refusal("{ \"functions\": [ { \"name\": \"f\","
					 " \"image\": \"not/there.elf\" } ] }"),
			 expected);
	ck_assert_str_eq(fixture_refusal("{ \"functions\": [ { \"name\": \"f\","
					 " \"image\": \"/\" } ] }"),
			 "1: /functions/0/image: not a regular file: /");
}
END_TEST

START_TEST(an_absolute_image_stays_as_it_is)
{
	char text[256];
	char image[FIXTURE_PATH_MAX + 32];
	struct catalog *catalog;

	snprintf(image, sizeof(image), "%s/image.elf", fixture_directory);
	snprintf(text, sizeof(text),
		 "{ \"functions\": [ { \"name\": \"f\", \"image\": \"%s\" } ] }",
		 image);
	ck_assert_int_eq(catalog_parse(text, strlen(text), "elsewhere.json",
				       &fixture_err, &catalog),
			 0);
	ck_assert_str_eq(catalog->functions[0].image, image);
	catalog_free(catalog);
}
END_TEST

START_TEST(a_message_stays_on_its_line_and_in_its_buffer)
{
	cleanup_free char *text =
		fixture_repeated("{ \"\\n\\u001b", "~/ü", 2000, "\": 1 }");
	const char *message = fixture_refusal(text);

	ck_assert_int_eq(strncmp(message, "1: /\?\?~0~1ü~0~1ü", 18), 0);
	ck_assert_ptr_nonnull(strstr(message, "ü~0~1: unknown key. Known"));
	ck_assert_ptr_null(strpbrk(message, "\n\033"));
}
END_TEST

START_TEST(a_caller_may_do_without_the_message)
{
	struct catalog *catalog;

	ck_assert_int_eq(catalog_parse("{}", 2, "f.json", NULL, &catalog),
			 -EINVAL);
	ck_assert_int_eq(catalog_parse("{", 1, "f.json", NULL, &catalog),
			 -EINVAL);
	ck_assert_int_eq(catalog_load("/no/such/file", NULL, &catalog),
			 -ENOENT);
	catalog_free(NULL);
}
END_TEST

START_TEST(a_catalog_is_loaded_from_its_file)
{
	struct catalog *catalog;

	fixture_make_file("functions.json", ONE(""));
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog), 0);
	ck_assert_uint_eq(catalog->count, 1);
	catalog_free(catalog);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_no_wrong_catalog)
{
	struct catalog *catalog;
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "%s: cannot open the catalog: No such file or directory",
		 fixture_path);
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog),
			 -ENOENT);
	ck_assert_str_eq(fixture_err.message, expected);
	ck_assert_int_eq(catalog_load(fixture_directory, &fixture_err,
				      &catalog),
			 -EISDIR);
}
END_TEST

/* Whoever opened one of these as a file would wait, perhaps for ever. */
START_TEST(what_is_no_file_is_refused_at_once)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct catalog *catalog;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkfifo(fixture_path, 0600), 0);
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog),
			 -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(fixture_err.message, "not a regular file"));
	ck_assert_int_eq(unlink(fixture_path), 0);
	strcpy(address.sun_path, fixture_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(catalog_load(fixture_path, &fixture_err, &catalog),
			 -EINVAL);
	ck_assert_int_eq(catalog_load("/dev/zero", &fixture_err, &catalog),
			 -EINVAL);
	close(fd);
}
END_TEST

/*
 * The schema's defaults are only shown to people. Said aloud, they must make
 * the function that saying nothing makes.
 */
START_TEST(the_schema_states_the_defaults)
{
	json_auto_t *schema = json_load_file(THAW_SOURCE_DIR
					     "/config/catalog.schema.json",
					     0, NULL);
	json_auto_t *definitions =
		json_incref(json_object_get(schema, "$defs"));
	json_auto_t *said = json_object();
	json_auto_t *document = NULL;
	cleanup_free char *text = NULL;
	struct catalog *explicit, *silent;
	struct catalog_function *a, *b;
	json_t *definition, *value, *properties, *concurrency;
	const char *key;

	ck_assert_ptr_nonnull(definitions);
	json_object_foreach(definitions, key, definition)
	{
		value = json_object_get(definition, "default");
		if (value)
			json_object_set(said, key, value);
	}
	properties =
		json_object_get(json_object_get(definitions, "concurrency"),
				"properties");
	concurrency = json_object_get(said, "concurrency");
	json_object_foreach(properties, key, definition)
	{
		value = json_object_get(definition, "default");
		json_object_set(concurrency, key, value);
	}
	ck_assert_uint_eq(json_object_size(said), 13);
	ck_assert_uint_eq(json_object_size(concurrency), 4);

	document = json_pack("{s:O, s:[{s:s, s:s}]}", "defaults", said,
			     "functions", "name", "f", "image", "image.elf");
	text = json_dumps(document, 0);
	explicit = fixture_catalog(text);
	silent = fixture_catalog(ONE(""));
	a = &explicit->functions[0];
	b = &silent->functions[0];
	ck_assert_uint_eq(a->memory, b->memory);
	ck_assert_uint_eq(a->stack, b->stack);
	ck_assert_uint_eq(a->max_request, b->max_request);
	ck_assert_uint_eq(a->max_reply, b->max_reply);
	ck_assert_uint_eq(a->timeout_ns, b->timeout_ns);
	ck_assert_uint_eq(a->init_timeout_ns, b->init_timeout_ns);
	ck_assert_uint_eq(a->inline_budget_ns, b->inline_budget_ns);
	ck_assert_int_eq(a->log_level, b->log_level);
	ck_assert_int_eq(a->dispatch, b->dispatch);
	ck_assert_int_eq(a->isolation, b->isolation);
	ck_assert_int_eq(a->untrusted, b->untrusted);
	ck_assert_int_eq(a->critical, b->critical);
	ck_assert_mem_eq(&a->concurrency, &b->concurrency,
			 sizeof(a->concurrency));
	catalog_free(explicit);
	catalog_free(silent);
}
END_TEST

/* Each word of a key, and the value it stands for. */
static const struct {
	const char *key, *word;
	int value;
} words[] = {
	{ "log_level", "error", THAW_LOG_ERROR },
	{ "log_level", "warn", THAW_LOG_WARN },
	{ "log_level", "info", THAW_LOG_INFO },
	{ "log_level", "debug", THAW_LOG_DEBUG },
	{ "dispatch", "exit", CATALOG_DISPATCH_EXIT },
	{ "dispatch", "polled", CATALOG_DISPATCH_POLLED },
	{ "dispatch", "auto", CATALOG_DISPATCH_AUTO },
	{ "isolation", "strict", CATALOG_ISOLATION_STRICT },
	{ "isolation", "cooperative", CATALOG_ISOLATION_COOPERATIVE },
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

START_TEST(a_word_stands_for_its_value_and_the_other_way_round)
{
	const char *key = words[_i].key;
	struct catalog *catalog;
	struct catalog_function *f;
	const char *word;
	char text[128];
	int value;

	snprintf(text, sizeof(text), ONE(", \"%s\": \"%s\""), key,
		 words[_i].word);
	catalog = fixture_catalog(text);
	f = &catalog->functions[0];
	if (!strcmp(key, "log_level")) {
		value = (int)f->log_level;
		word = catalog_log_level_name(f->log_level);
	} else if (!strcmp(key, "dispatch")) {
		value = (int)f->dispatch;
		word = catalog_dispatch_name(f->dispatch);
	} else {
		value = (int)f->isolation;
		word = catalog_isolation_name(f->isolation);
	}
	ck_assert_int_eq(value, words[_i].value);
	ck_assert_str_eq(word, words[_i].word);
	catalog_free(catalog);
}
END_TEST

START_TEST(a_word_that_is_none_is_answered_with_those_that_are)
{
	ck_assert_str_eq(fixture_refusal(ONE(", \"log_level\": \"INFO\"")),
			 "1: /functions/0/log_level: \"INFO\" is not a log "
			 "level: accepted is \"error\", \"warn\", \"info\" or "
			 "\"debug\"");
	ck_assert_str_eq(fixture_refusal(ONE(", \"dispatch\": \"poll\"")),
			 "1: /functions/0/dispatch: \"poll\" is not a kind of "
			 "dispatch: accepted is \"exit\", \"polled\" or "
			 "\"auto\"");
	ck_assert_str_eq(fixture_refusal(ONE(", \"isolation\": true")),
			 "1: /functions/0/isolation: true is not a kind of "
			 "isolation: accepted is \"strict\" or "
			 "\"cooperative\"");
	ck_assert_str_eq(fixture_refusal(ONE(", \"untrusted\": \"true\"")),
			 "1: /functions/0/untrusted: \"true\" is neither true "
			 "nor false: write one of them, without quotes");
	ck_assert_str_eq(fixture_refusal("{ \"defaults\": { \"dispatch\": 1 },"
					 " \"functions\": [] }"),
			 "1: /defaults/dispatch: 1 is not a kind of dispatch: "
			 "accepted is \"exit\", \"polled\" or \"auto\"");
}
END_TEST

#define COOPERATIVE "\"isolation\": \"cooperative\""
#define UNTRUSTED "\"untrusted\": true"
#define NO_COOPERATION                                                      \
	" /functions/0/isolation: \"cooperative\", from here or from "      \
	"defaults, is not for untrusted functions: write \"strict\" here, " \
	"or \"untrusted\": false if you trust the code"

/* A catalog of one function, on line 2, with @keys beside these defaults. */
#define ONE_OF(defaults, keys)                                 \
	"{ \"defaults\": { " defaults " }, \"functions\": [\n" \
	"{ \"name\": \"f\", \"image\": \"image.elf\"" keys " } ] }"

START_TEST(cooperation_is_not_for_untrusted_functions)
{
	ck_assert_str_eq(fixture_refusal(ONE(", " UNTRUSTED ",\n" COOPERATIVE)),
			 "2:" NO_COOPERATION);
	ck_assert_str_eq(fixture_refusal(ONE_OF(COOPERATIVE, ", " UNTRUSTED)),
			 "2:" NO_COOPERATION);
	ck_assert_str_eq(fixture_refusal(ONE_OF(UNTRUSTED, ", " COOPERATIVE)),
			 "2:" NO_COOPERATION);
	ck_assert_str_eq(fixture_refusal(
				 ONE_OF(UNTRUSTED ", " COOPERATIVE, "")),
			 "2:" NO_COOPERATION);
	/* Also if nothing is polled: dispatch may be changed later. */
	ck_assert_str_eq(fixture_refusal(ONE_OF("\"dispatch\": \"exit\"",
						", " UNTRUSTED
						", " COOPERATIVE)),
			 "2:" NO_COOPERATION);
}
END_TEST

START_TEST(a_function_overrides_its_defaults_trust_and_isolation)
{
	struct catalog *catalog = fixture_catalog(
		"{ \"defaults\": { \"dispatch\": \"auto\", " UNTRUSTED
		", " COOPERATIVE " }, \"functions\": ["
		"  { \"name\": \"a\", \"image\": \"image.elf\","
		"    \"isolation\": \"strict\" },"
		"  { \"name\": \"b\", \"image\": \"image.elf\","
		"    \"untrusted\": false, \"dispatch\": \"exit\" } ] }");
	struct catalog_function *a = &catalog->functions[0];
	struct catalog_function *b = &catalog->functions[1];

	ck_assert_int_eq(a->dispatch, CATALOG_DISPATCH_AUTO);
	ck_assert_int_eq(a->isolation, CATALOG_ISOLATION_STRICT);
	ck_assert(a->untrusted);
	ck_assert_int_eq(b->dispatch, CATALOG_DISPATCH_EXIT);
	ck_assert_int_eq(b->isolation, CATALOG_ISOLATION_COOPERATIVE);
	ck_assert(!b->untrusted);
	catalog_free(catalog);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog");
	TCase *tests = tcase_create("catalog");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, fixture_make, fixture_remove);
	tcase_add_test(tests, what_is_left_out_has_its_default);
	tcase_add_test(tests, every_key_is_stored);
	tcase_add_test(tests, defaults_apply_key_by_key_to_every_function);
	tcase_add_test(tests, a_function_is_found_by_its_name);
	tcase_add_test(tests, a_refusal_has_line_pointer_reason_and_remedy);
	tcase_add_test(
		tests,
		an_unknown_key_is_answered_with_the_nearest_and_all_known);
	tcase_add_test(tests,
		       a_name_given_twice_is_refused_where_it_is_repeated);
	tcase_add_test(
		tests,
		an_image_that_is_not_there_is_named_with_its_resolved_path);
	tcase_add_test(tests, an_absolute_image_stays_as_it_is);
	tcase_add_test(tests, a_message_stays_on_its_line_and_in_its_buffer);
	tcase_add_test(tests, a_caller_may_do_without_the_message);
	tcase_add_test(tests, a_catalog_is_loaded_from_its_file);
	tcase_add_test(tests, a_file_that_cannot_be_read_is_no_wrong_catalog);
	tcase_add_test(tests, what_is_no_file_is_refused_at_once);
	tcase_add_test(tests, the_schema_states_the_defaults);
	tcase_add_loop_test(tests,
			    a_word_stands_for_its_value_and_the_other_way_round,
			    0, COUNT(words));
	tcase_add_test(tests,
		       a_word_that_is_none_is_answered_with_those_that_are);
	tcase_add_test(tests, cooperation_is_not_for_untrusted_functions);
	tcase_add_test(tests,
		       a_function_overrides_its_defaults_trust_and_isolation);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
