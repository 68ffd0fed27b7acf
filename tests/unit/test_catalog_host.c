/* test_catalog_host.c - "host" of a catalog: what a function may ask of the host */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "executor/catalog.h"
#include "executor/catalog_functions_json.h"
#include "executor/catalog_host.h"
#include "executor/catalog_json.h"
#include "executor/limits.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_typed.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

#define HOST(members) ONE(", \"host\": { " members " }")
#define ALLOW "1: /functions/0/host/allow"

START_TEST(what_is_left_out_allows_nothing)
{
	static const char *const texts[] = {
		ONE(""), HOST(""), HOST("\"allow\": [], \"config\": {}")
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct catalog *catalog = fixture_catalog(texts[i]);
		const struct catalog_host *host = &catalog->functions[0].host;

		ck_assert_uint_eq(host->allow_count, 0);
		ck_assert_uint_eq(host->config_count, 0);
		ck_assert_uint_eq(host->max_size, 64 * UNITS_KIB);
		ck_assert(!catalog_host_allows(host, "print"));
		ck_assert(!catalog_host_allows_invoke(host, "f"));
		ck_assert_ptr_null(catalog_host_config(host, "a"));
		ck_assert_uint_eq(catalog_host_result_size(host), 0);
		catalog_free(catalog);
	}
}
END_TEST

#define TWO(host)                                                         \
	"{ \"functions\": [ { \"name\": \"f\", \"image\": \"image.elf\"," \
	" \"host\": { " host " } }, { \"name\": \"g\", \"image\":"        \
	" \"image.elf\" } ] }"
#define FULL                                                                  \
	"\"allow\": [ \"print\", \"invoke:g\" ], \"config\": { \"z\": 1,"     \
	" \"\": null, \"a b\": { \"y\": [ true, \"\\u00e9\" ], \"x\": -0.5 }" \
	" }, \"max_size\": \"1MiB\""

START_TEST(every_member_is_stored)
{
	struct catalog *catalog = fixture_catalog(TWO(FULL));
	const struct catalog_host *host = &catalog->functions[0].host;

	ck_assert_uint_eq(host->allow_count, 2);
	ck_assert_str_eq(host->allow[0], "print");
	ck_assert_str_eq(host->allow[1], "invoke:g");
	ck_assert(catalog_host_allows(host, "print"));
	ck_assert(!catalog_host_allows(host, "prin"));
	ck_assert(catalog_host_allows(host, "invoke"));
	ck_assert(catalog_host_allows_invoke(host, "g"));
	ck_assert(!catalog_host_allows_invoke(host, "f"));
	ck_assert_uint_eq(host->config_count, 3);
	ck_assert_str_eq(host->config[0].name, "");
	ck_assert_str_eq(host->config[2].name, "z");
	ck_assert_str_eq(catalog_host_config(host, "z"), "1");
	ck_assert_str_eq(catalog_host_config(host, ""), "null");
	ck_assert_str_eq(catalog_host_config(host, "a b"),
			 "{\"y\":[true,\"é\"],\"x\":-0.5}");
	ck_assert_ptr_null(catalog_host_config(host, "a"));
	ck_assert_uint_eq(host->max_size, 1 * UNITS_MIB);
	ck_assert_uint_eq(catalog_host_result_size(host),
			  UNITS_MIB + sizeof(struct thaw_host_answer));
	catalog_free(catalog);
}
END_TEST

START_TEST(invoke_alone_is_for_every_function)
{
	struct catalog *catalog =
		fixture_catalog(HOST("\"allow\": [ \"invoke\" ]"));
	const struct catalog_host *host = &catalog->functions[0].host;

	ck_assert(catalog_host_allows(host, "invoke"));
	ck_assert(catalog_host_allows_invoke(host, "f"));
	ck_assert(catalog_host_allows_invoke(host, "anything"));
	catalog_free(catalog);
}
END_TEST

START_TEST(what_is_written_is_read_as_the_same)
{
	struct catalog *catalog = fixture_catalog(TWO(FULL));
	const struct catalog_function *f = &catalog->functions[0];
	json_auto_t *json = catalog_function_json(f);
	cleanup_free char *text = json_dumps(json, 0);
	cleanup_free char *whole = NULL;
	struct catalog *again;

	ck_assert(asprintf(&whole,
			   "{ \"functions\": [ %s, { \"name\": \"g\","
			   " \"image\": \"image.elf\" } ] }",
			   text) > 0);
	again = fixture_catalog(whole);
	ck_assert(catalog_function_equal(f, &again->functions[0]));
	catalog_free(again);
	catalog_free(catalog);
}
END_TEST

START_TEST(each_member_makes_a_difference)
{
	static const char *const others[] = {
		HOST("\"allow\": [ \"a\" ]"),
		HOST("\"allow\": [ \"a\", \"c\" ]"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"max_size\": \"4KiB\""),
		HOST("\"allow\": [ \"a\", \"b\" ], \"config\": { \"k\": 1 }"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"config\": { \"k\": 2 }"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"config\": { \"l\": 1 }"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"secrets\": { \"k\": "
		     "\"image.elf\" }"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"secrets\": { \"k\": "
		     "\"./image.elf\" }"),
		HOST("\"allow\": [ \"a\", \"b\" ], \"secrets\": { \"l\": "
		     "\"image.elf\" }"),
	};
	struct catalog *all[10] = { fixture_catalog(
		HOST("\"allow\": [ \"a\", \"b\" ]")) };

	for (size_t i = 0; i < 9; i++)
		all[i + 1] = fixture_catalog(others[i]);
	for (size_t i = 0; i < 10; i++)
		for (size_t j = 0; j < 10; j++)
			ck_assert_int_eq(
				catalog_function_equal(&all[i]->functions[0],
						       &all[j]->functions[0]),
				i == j);
	for (size_t i = 0; i < 10; i++)
		catalog_free(all[i]);
}
END_TEST

#define NO_NAME                                                             \
	" is not a host function's name: write up to 55 of A-Z a-z 0-9 _, " \
	"and no digit first, or \"invoke:FUNCTION\""

static const struct {
	const char *text;
	const char *refusal;
} refusals[] = {
	{ ONE(", \"host\": []"),
	  "1: /functions/0/host: an array is not an object" },
	{ HOST("\"x\": 1"), "1: /functions/0/host/x: unknown key. Known: "
			    "allow, config, secrets, max_size" },
	{ HOST("\"allow\": \"print\""),
	  ALLOW ": \"print\" is not an array: write [\"NAME\", "
		"\"invoke:FUNCTION\"]" },
	{ HOST("\"allow\": [ 1 ]"), ALLOW "/0: 1" NO_NAME },
	{ HOST("\"allow\": [\n\"a\",\n\"\" ]"),
	  "3: /functions/0/host/allow/1: \"\"" NO_NAME },
	{ HOST("\"allow\": [ \"1a\" ]"), ALLOW "/0: \"1a\"" NO_NAME },
	{ HOST("\"allow\": [ \"a-b\" ]"), ALLOW "/0: \"a-b\"" NO_NAME },
	{ HOST("\"allow\": [ \"a:b\" ]"), ALLOW "/0: \"a:b\"" NO_NAME },
	{ HOST("\"allow\": [ \"é\" ]"), ALLOW "/0: \"\\u00E9\"" NO_NAME },
	{ HOST("\"allow\": [ \"a\", \"b\", \"a\" ]"),
	  ALLOW "/2: \"a\" is listed already" },
	{ HOST("\"allow\": [ \"invoke:f\", \"invoke:f\" ]"),
	  ALLOW "/1: \"invoke:f\" is listed already" },
	{ HOST("\"allow\": [ \"a\", \"invoke:nobody\" ]"),
	  ALLOW "/1: the catalog has no function \"nobody\"" },
	{ HOST("\"allow\": [ \"invoke:F\" ]"),
	  ALLOW "/0: the catalog has no function \"F\": did you mean \"f\"?" },
	{ HOST("\"allow\": [ \"invoke:\" ]"),
	  ALLOW "/0: the catalog has no function \"\"" },
	{ HOST("\"config\": [ 1 ]"),
	  "1: /functions/0/host/config: an array is not an object: write "
	  "{\"NAME\": VALUE}" },
	{ HOST("\"secrets\": [ \"a\" ]"),
	  "1: /functions/0/host/secrets: an array is not an object: write "
	  "{\"NAME\": \"PATH\"}" },
	{ HOST("\"secrets\": { \"a\": 1 }"),
	  "1: /functions/0/host/secrets/a: 1 is not a file's path: write "
	  "\"NAME\": \"PATH\"" },
	{ HOST("\"secrets\": { \"a\": \"\" }"),
	  "1: /functions/0/host/secrets/a: \"\" is not a file's path" },
	{ HOST("\"secrets\": { \"a\": \"/dev/null\" }"),
	  "1: /functions/0/host/secrets/a: /dev/null: not a regular file" },
	{ HOST("\"secrets\": { \"a\": \"/\" }"),
	  "1: /functions/0/host/secrets/a: /: Is a directory" },
	{ HOST("\"secrets\": { \"a\": \"/none\" }"),
	  "1: /functions/0/host/secrets/a: /none: No such file or directory" },
	{ HOST("\"max_size\": 65536"), "1: /functions/0/host/max_size: 65536 "
				       "is not a string" },
	{ HOST("\"max_size\": \"4095B\""),
	  "1: /functions/0/host/max_size: \"4095B\" is out of range: accepted "
	  "is 4KiB to 64MiB" },
	{ HOST("\"max_size\": \"67108865B\""),
	  "1: /functions/0/host/max_size: \"67108865B\" is out of range" },
	{ HOST("\"allow\": [ \"a\" ], \"max_size\": \"16MiB\""),
	  "1: /functions/0/memory: 16MiB is too small for stack 256KiB + "
	  "max_request 1MiB + max_reply 1MiB + host.max_size 16MiB + 1MiB for "
	  "the image: needs 19712KiB" },
	{ "{ \"defaults\": { \"host\": {} }, \"functions\": [] }",
	  "1: /defaults/host: unknown key" },
};
#define REFUSALS ((int)(sizeof(refusals) / sizeof(*refusals)))

START_TEST(a_mistake_is_refused_with_its_place)
{
	const char *refusal = fixture_refusal(refusals[_i].text);

	ck_assert_msg(!strncmp(refusal, refusals[_i].refusal,
			       strlen(refusals[_i].refusal)),
		      "%s\nnot\n%s", refusal, refusals[_i].refusal);
}
END_TEST

/* A list of @count names of @length characters, each another one. */
static char *allow_list(unsigned count, int length)
{
	char *text = calloc(1, 1 << 16), *to = text;

	to += sprintf(to, "%s",
		      "{ \"functions\": [ { \"name\": \"f\", \"image\": "
		      "\"image.elf\", \"host\": { \"allow\": [");
	for (unsigned i = 0; i < count; i++)
		to += sprintf(to, "%s\"a%0*u\"", i ? ", " : "", length - 1, i);
	strcpy(to, "] } } ] }");
	return text;
}

START_TEST(a_list_and_its_names_have_a_greatest_length)
{
	cleanup_free char *most = allow_list(64, 55);
	cleanup_free char *more = allow_list(65, 55);
	cleanup_free char *longer = allow_list(1, 56);

	fixture_accepts(most);
	ck_assert_str_eq(fixture_refusal(more),
			 ALLOW ": 65 entries: the most is 64");
	ck_assert_ptr_nonnull(strstr(fixture_refusal(longer), NO_NAME));
	fixture_accepts(HOST("\"max_size\": \"4KiB\""));
	fixture_accepts(HOST("\"max_size\": \"64MiB\""));
}
END_TEST

START_TEST(a_config_has_a_greatest_size)
{
	/* a name of one byte, and two quotes */
	const size_t most = LIMIT_HOST_CONFIG_MAX - 3;
	cleanup_free char *fits = fixture_repeated(
		"{ \"functions\": [ { \"name\": \"f\", \"image\": "
		"\"image.elf\", \"host\": { \"config\": { \"k\":   \"",
		"v", most, "\" } } } ] }");
	cleanup_free char *larger = fixture_repeated(
		"{ \"functions\": [ { \"name\": \"f\", \"image\": "
		"\"image.elf\", \"host\": { \"config\": { \"k\": \"",
		"v", most + 1, "\" } } } ] }");

	fixture_accepts(fits);
	ck_assert_str_eq(fixture_refusal(larger),
			 "1: /functions/0/host/config: 262145 bytes of names "
			 "and values, without spaces: the most is 262144");
}
END_TEST

static const char *path_of_secret(void)
{
	static char path[FIXTURE_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/secret", fixture_directory);
	return path;
}

static void write_secret(size_t size)
{
	FILE *file = fopen(path_of_secret(), "w");

	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < size; i++)
		fputc('s', file);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_secret_has_a_greatest_size)
{
	static const char text[] = HOST("\"secrets\": { \"a\": \"secret\" }");

	write_secret(0);
	fixture_accepts(text);
	write_secret(LIMIT_HOST_SECRET_MAX);
	fixture_accepts(text);
	write_secret(LIMIT_HOST_SECRET_MAX + 1);
	ck_assert_ptr_nonnull(strstr(fixture_refusal(text),
				     "/secret has 65537 bytes: the most is "
				     "65536"));
	unlink(path_of_secret());
}
END_TEST

START_TEST(there_are_so_many_secrets_at_most)
{
	char text[8192];

	write_secret(1);
	for (unsigned count = LIMIT_HOST_SECRETS_MAX;
	     count <= LIMIT_HOST_SECRETS_MAX + 1; count++) {
		char *to = text;

		to += sprintf(to, "{ \"functions\": [ { \"name\": \"f\", "
				  "\"image\": \"image.elf\", \"host\": { "
				  "\"secrets\": {");
		for (unsigned i = 0; i < count; i++)
			to += sprintf(to, "%s\"s%u\": \"secret\"",
				      i ? ", " : "", i);
		strcpy(to, "} } } ] }");
		if (count <= LIMIT_HOST_SECRETS_MAX)
			fixture_accepts(text);
		else
			ck_assert_str_eq(fixture_refusal(text),
					 "1: /functions/0/host/secrets: 65 "
					 "secrets: the most is 64");
	}
	unlink(path_of_secret());
}
END_TEST

/* Makes image.elf one with @count imports. */
static void make_image(const struct thaw_function_entry *imports, size_t count)
{
	static struct elf_builder elf;
	char path[FIXTURE_PATH_MAX + 32];
	FILE *file;

	elf_builder_executable(&elf);
	elf_builder_add_section(&elf, ".thaw_imports", imports,
				count * sizeof(*imports));
	snprintf(path, sizeof(path), "%s/image.elf", fixture_directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(elf.bytes, 1, elf.size, file), elf.size);
	ck_assert_int_eq(fclose(file), 0);
}

static char mistakes[8][ERROR_MESSAGE_MAX];
static size_t count;

static bool refused(void *cookie, const char *message)
{
	(void)cookie;
	ck_assert_uint_lt(count, 8);
	strcpy(mistakes[count++], message + strlen(fixture_path) + 1);
	return true;
}

/* Checks @text, which has @wanted mistakes. */
static void check(const char *text, size_t wanted)
{
	const struct catalog_check how = { .refused = refused };
	struct catalog *catalog = NULL;
	int r;

	count = 0;
	r = catalog_check(text, strlen(text), fixture_path, &how, &fixture_err,
			  &catalog);
	ck_assert_int_eq(r, wanted ? -EINVAL : 0);
	ck_assert_msg(count == wanted, "%zu mistakes: %s", count, mistakes[0]);
	catalog_free(catalog);
}

static const struct thaw_function_entry imports[] = {
	{ .returns = THAW_TYPE_INT,
	  .count = 1,
	  .types = { THAW_TYPE_STRING },
	  .name = "print" },
	{ .returns = THAW_TYPE_BYTES,
	  .count = 2,
	  .types = { THAW_TYPE_STRING, THAW_TYPE_BYTES },
	  .name = "invoke" },
};

START_TEST(an_import_must_be_allowed)
{
	make_image(imports, 2);
	check(ONE(""), 2);
	ck_assert_str_eq(mistakes[0],
			 ALLOW ": imports bytes invoke(string, bytes), which "
			       "host.allow does not list: add \"invoke\" to "
			       "it");
	ck_assert_str_eq(mistakes[1],
			 ALLOW ": imports int print(string), which host.allow "
			       "does not list: add \"print\" to it");
	check(HOST("\"allow\": [ \"invoke\" ]"), 1);
	check(HOST("\"allow\": [ \"print\", \"invoke\" ]"), 0);
	check(HOST("\"allow\": [ \"print\", \"invoke:f\", \"more\" ]"), 0);
	/* what only follows from another mistake is none */
	check(HOST("\"allow\": [ 1 ]"), 1);
	/* a server that deploys it says the same, not the catalog's reader */
	fixture_accepts(ONE(""));
}
END_TEST

START_TEST(imports_are_told_with_their_types)
{
	struct image *image;
	cleanup_free char *text = NULL;
	char path[FIXTURE_PATH_MAX + 32];
	json_auto_t *list = NULL;

	make_image(imports, 1);
	snprintf(path, sizeof(path), "%s/image.elf", fixture_directory);
	ck_assert_int_eq(image_open(path, &fixture_err, &image), 0);
	list = catalog_imports_json(image_imports(image));
	text = json_dumps(list, JSON_COMPACT);
	ck_assert_str_eq(text, "[{\"name\":\"print\",\"signature\":\"int print("
			       "string)\",\"returns\":\"int\",\"parameters\":["
			       "{\"name\":\"\",\"type\":\"string\"}]}]");
	image_close(image);
}
END_TEST

START_TEST(every_mistake_is_told)
{
	make_image(NULL, 0);
	check("{ \"functions\": [ { \"name\": \"f\", \"image\": \"image.elf\","
	      " \"host\": { \"allow\": [ 1, \"a\", \"-\", \"invoke:no\" ],"
	      " \"config\": 1, \"max_size\": 1 } },\n"
	      "{ \"name\": 7, \"image\": \"image.elf\", \"host\":"
	      " { \"allow\": [ \"invoke:g\", \"invoke:f\" ] } } ] }",
	      6);
	ck_assert_ptr_eq(strstr(mistakes[0], ALLOW "/0: 1 is"), mistakes[0]);
	ck_assert_ptr_eq(strstr(mistakes[1], ALLOW "/2: \"-\" is"),
			 mistakes[1]);
	ck_assert_ptr_nonnull(strstr(mistakes[2], "/functions/0/host/config"));
	ck_assert_ptr_nonnull(
		strstr(mistakes[3], "/functions/0/host/max_size"));
	ck_assert_ptr_nonnull(strstr(mistakes[4], "2: /functions/1/name: 7"));
	ck_assert_str_eq(mistakes[5],
			 "2: /functions/1/host/allow/0: the catalog has no "
			 "function \"g\": did you mean \"f\"?");
}
END_TEST

START_TEST(the_answers_of_the_host_need_memory)
{
	make_image(NULL, 0);
	check(ONE(", \"memory\": \"4MiB\", \"max_request\": \"4KiB\","
		  " \"max_reply\": \"4KiB\", \"stack\": \"16KiB\", \"host\":"
		  " { \"max_size\": \"3040KiB\" }"),
	      0);
	check(ONE(", \"memory\": \"4MiB\", \"max_request\": \"4KiB\","
		  " \"max_reply\": \"4KiB\", \"stack\": \"16KiB\", \"host\":"
		  " { \"allow\": [ \"a\" ], \"max_size\": \"3040KiB\" }"),
	      1);
	ck_assert_ptr_nonnull(strstr(mistakes[0], "/functions/0/memory: "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_host");
	TCase *tests = tcase_create("catalog_host");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, fixture_make, fixture_remove);
	tcase_add_test(tests, what_is_left_out_allows_nothing);
	tcase_add_test(tests, every_member_is_stored);
	tcase_add_test(tests, invoke_alone_is_for_every_function);
	tcase_add_test(tests, what_is_written_is_read_as_the_same);
	tcase_add_test(tests, each_member_makes_a_difference);
	tcase_add_loop_test(tests, a_mistake_is_refused_with_its_place, 0,
			    REFUSALS);
	tcase_add_test(tests, a_list_and_its_names_have_a_greatest_length);
	tcase_add_test(tests, a_config_has_a_greatest_size);
	tcase_add_test(tests, a_secret_has_a_greatest_size);
	tcase_add_test(tests, there_are_so_many_secrets_at_most);
	tcase_add_test(tests, an_import_must_be_allowed);
	tcase_add_test(tests, imports_are_told_with_their_types);
	tcase_add_test(tests, every_mistake_is_told);
	tcase_add_test(tests, the_answers_of_the_host_need_memory);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
