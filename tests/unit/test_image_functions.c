/*
 * test_image_functions.c - typed functions that images declare, and host functions that
 * they import, well and badly.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "elf_builder.h"
#include "guest/abi/thaw_typed.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

static struct elf_builder elf;
static struct error error;

static const struct thaw_function_entry functions[] = {
	{ .returns = THAW_TYPE_INT,
	  .count = 2,
	  .types = { THAW_TYPE_INT, THAW_TYPE_INT },
	  .name = "add",
	  .parameters = "a, b" },
	{ .flags = THAW_FUNCTION_DISPATCH },
	{ .returns = THAW_TYPE_VOID, .name = "nothing" },
	{ .returns = THAW_TYPE_BYTES,
	  .count = 16,
	  .types = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1, 1, 1, 1, 1 },
	  .name = "all",
	  .parameters = "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p_1" },
};

#define COUNT (sizeof(functions) / sizeof(*functions))

static Elf64_Shdr *sections;
static struct thaw_function_entry *table;

static void build(void)
{
	elf_builder_executable(&elf);
	sections = elf_builder_add_section(&elf, ".thaw_functions", functions,
					   sizeof(functions));
	table = (struct thaw_function_entry *)(void *)(elf.bytes +
						       sections[1].sh_offset);
}

static struct image *parse(void)
{
	struct image *image;

	error.message[0] = '\0';
	ck_assert_msg(!image_parse(elf.bytes, elf.size, "test", &error, &image),
		      "%s", error.message);
	return image;
}

static void refuses(const char *why)
{
	struct image *image;

	ck_assert_int_eq(image_parse(elf.bytes, elf.size, "test", &error,
				     &image),
			 -ENOEXEC);
	ck_assert_msg(strstr(error.message, why), "not \"%s\": %s", why,
		      error.message);
}

START_TEST(functions_are_found_without_booting)
{
	char signature[DECLARATION_SIGNATURE_MAX];
	struct image *image = parse();
	const struct declaration *all =
		declarations_find(image_functions(image), "all");

	ck_assert_uint_eq(image_functions(image)->count, 3);
	ck_assert_uint_eq(declarations_total(image_functions(image)), 4);
	ck_assert(image_functions(image)->has_dispatch);
	ck_assert_str_eq(declaration_signature(&image_functions(image)->list[0],
					       signature),
			 "int add(int a, int b)");
	ck_assert_str_eq(declaration_signature(&image_functions(image)->list[2],
					       signature),
			 "void nothing()");
	ck_assert_str_eq(
		declaration_signature(all, signature),
		"bytes all(int a, uint b, long c, ulong d, float e, double f, "
		"string g, bool h, bytes i, int j, int k, int l, int m, int n, "
		"int o, int p_1)");
	ck_assert_uint_eq(all->index, 3);
	ck_assert_ptr_null(declarations_find(image_functions(image), "ad"));
	ck_assert_ptr_null(declarations_find(image_functions(image), ""));
	image_close(image);
}
END_TEST

START_TEST(the_longest_signature_fits)
{
	char signature[DECLARATION_SIGNATURE_MAX];
	struct thaw_function_entry *entry = &table[3];
	struct image *image;
	const char *last;

	memset(entry->name, 'n', sizeof(entry->name) - 1);
	memset(entry->types, THAW_TYPE_DOUBLE, sizeof(entry->types));
	for (size_t i = strlen(entry->parameters);
	     i < sizeof(entry->parameters) - 1; i++)
		entry->parameters[i] = 'p';
	image = parse();
	declaration_signature(declarations_find(image_functions(image),
						entry->name),
			      signature);
	last = signature + strlen(signature);
	ck_assert_str_eq(last - 3, "pp)");
	image_close(image);
}
END_TEST

START_TEST(an_image_without_the_section_has_no_functions)
{
	struct image *image;

	elf_builder_executable(&elf);
	image = parse();
	ck_assert_uint_eq(declarations_total(image_functions(image)), 0);
	image_close(image);
}
END_TEST

/* What an image declares is read, or refused; it is not overlooked. */
START_TEST(a_section_outside_of_the_file_is_refused)
{
	const uint64_t outside[] = { 0, ELF_BUILDER_DATA + 0x40,
				     UINT64_MAX - 63,
				     ELF_BUILDER_HANDLERS + 8 };

	sections[1].sh_addr = outside[_i];
	refuses("the section .thaw_functions has no bytes in the file");
}
END_TEST

START_TEST(a_section_without_bytes_is_refused)
{
	sections[1].sh_type = SHT_NOBITS;
	refuses("the section .thaw_functions has no bytes in the file");
}
END_TEST

/* As the SDK's linker script leaves it in an image that declares nothing. */
START_TEST(an_empty_section_declares_nothing)
{
	struct image *image;

	sections[1].sh_size = 0;
	sections[1].sh_type = _i ? SHT_NOBITS : SHT_PROGBITS;
	image = parse();
	ck_assert_uint_eq(declarations_total(image_functions(image)), 0);
	image_close(image);
}
END_TEST

struct hostile {
	void (*make)(void);
	const char *why;
};

#define HOSTILE(name, statement)      \
	static void make_##name(void) \
	{                             \
		statement;            \
	}
HOSTILE(odd_size, sections[1].sh_size -= 8)
HOSTILE(no_name, table[0].name[0] = '\0')
HOSTILE(odd_name, table[0].name[1] = '-')
HOSTILE(control_name, table[0].name[2] = '\033')
HOSTILE(digit_name, table[0].name[0] = '1')
HOSTILE(endless_name, memset(table[0].name, 'n', sizeof(table[0].name)))
HOSTILE(endless_parameters,
	memset(table[0].parameters, 'n', sizeof(table[0].parameters)))
HOSTILE(two_names, strcpy(table[0].name, "all"))
HOSTILE(many_parameters, table[0].count = 17)
HOSTILE(all_parameters, table[0].count = 255)
HOSTILE(no_return, table[0].returns = THAW_TYPE_NONE)
HOSTILE(odd_return, table[0].returns = THAW_TYPE_VOID + 1)
HOSTILE(no_type, table[0].types[1] = THAW_TYPE_NONE)
HOSTILE(void_type, table[0].types[1] = THAW_TYPE_VOID)
HOSTILE(odd_type, table[0].types[0] = 255)
HOSTILE(more_types, table[0].types[2] = THAW_TYPE_INT)
HOSTILE(more_names, strcpy(table[0].parameters, "a, b, c"))
HOSTILE(fewer_names, strcpy(table[0].parameters, "a"))
HOSTILE(odd_names, strcpy(table[0].parameters, "a b"))
HOSTILE(no_names, table[0].parameters[0] = '\0')
HOSTILE(names_of_none, strcpy(table[2].parameters, "a"))
HOSTILE(flags, table[0].flags = 2)
HOSTILE(reserved, table[0].reserved = 1)
HOSTILE(dispatch_flags, table[1].flags = 3)
HOSTILE(dispatch_name, strcpy(table[1].name, "x"))
HOSTILE(dispatch_types, table[1].count = 1)
HOSTILE(two_dispatches, table[2] = table[1])

static const struct hostile hostile[] = {
	{ make_odd_size, "1016 bytes of typed functions" },
	{ make_no_name, "the name of typed function 0 is no name" },
	{ make_odd_name, "is no name" },
	{ make_control_name, "is no name" },
	{ make_digit_name, "is no name" },
	{ make_endless_name, "a name of typed function 0 does not end" },
	{ make_endless_parameters, "does not end" },
	{ make_two_names, "two typed functions are called all" },
	{ make_many_parameters, "has 17 parameters; 16 are allowed" },
	{ make_all_parameters, "has 255 parameters" },
	{ make_no_return, "(add) returns type 0" },
	{ make_odd_return, "(add) returns type 11" },
	{ make_no_type, "parameter 2 of typed function 0 (add) has type 0" },
	{ make_void_type, "has type 10" },
	{ make_odd_type, "parameter 1 of typed function 0 (add) has type 255" },
	{ make_more_types, "(add) has other parameters than it names" },
	{ make_more_names, "other parameters than it names" },
	{ make_fewer_names, "other parameters than it names" },
	{ make_odd_names, "other parameters than it names" },
	{ make_no_names, "other parameters than it names" },
	{ make_names_of_none, "(nothing) has other parameters" },
	{ make_flags, "typed function 0 has flags" },
	{ make_reserved, "typed function 0 has flags" },
	{ make_dispatch_flags, "the dispatch function, has" },
	{ make_dispatch_name, "the dispatch function, has" },
	{ make_dispatch_types, "the dispatch function, has" },
	{ make_two_dispatches, "typed function 2 is a second dispatch" },
};

#define HOSTILES (int)(sizeof(hostile) / sizeof(*hostile))

START_TEST(declarations_that_make_no_sense_are_refused)
{
	hostile[_i].make();
	refuses(hostile[_i].why);
}
END_TEST

START_TEST(an_image_has_so_many_functions_at_most)
{
	static struct thaw_function_entry many[THAW_FUNCTIONS_MAX + 1];
	struct image *image;

	for (size_t i = 0; i < THAW_FUNCTIONS_MAX + 1; i++) {
		many[i] = functions[2];
		many[i].name[0] = (char)('a' + i % 26);
		many[i].name[1] = (char)('a' + i / 26);
	}
	elf_builder_executable(&elf);
	elf_builder_add_section(&elf, ".thaw_functions", many,
				(THAW_FUNCTIONS_MAX + (size_t)_i) *
					sizeof(*many));
	if (_i) {
		refuses("65792 bytes of typed functions; up to 256");
		return;
	}
	image = parse();
	ck_assert_uint_eq(image_functions(image)->count, THAW_FUNCTIONS_MAX);
	image_close(image);
}
END_TEST

/* Imports of several source files: parameters have no names. */
static const struct thaw_function_entry wanted[] = {
	{ .returns = THAW_TYPE_INT,
	  .count = 1,
	  .types = { THAW_TYPE_STRING },
	  .name = "print" },
	{ .returns = THAW_TYPE_LONG, .name = "time" },
	{ .returns = THAW_TYPE_INT,
	  .count = 1,
	  .types = { THAW_TYPE_STRING },
	  .name = "print" },
	{ .returns = THAW_TYPE_VOID,
	  .count = 2,
	  .types = { THAW_TYPE_INT, THAW_TYPE_STRING },
	  .name = "log" },
};

static void build_imports(void)
{
	elf_builder_executable(&elf);
	sections = elf_builder_add_section(&elf, ".thaw_imports", wanted,
					   sizeof(wanted));
	table = (struct thaw_function_entry *)(void *)(elf.bytes +
						       sections[1].sh_offset);
}

START_TEST(imports_that_are_alike_are_one)
{
	char signature[DECLARATION_SIGNATURE_MAX];
	const struct declarations *imports;
	struct image *image;

	build_imports();
	image = parse();
	imports = image_imports(image);
	ck_assert_uint_eq(declarations_total(image_functions(image)), 0);
	ck_assert_uint_eq(imports->count, 3);
	ck_assert_str_eq(imports->list[0].name, "log");
	ck_assert_str_eq(imports->list[2].name, "time");
	ck_assert_str_eq(declaration_signature(declarations_find(imports,
								 "print"),
					       signature),
			 "int print(string)");
	ck_assert_str_eq(declaration_signature(&imports->list[0], signature),
			 "void log(int, string)");
	image_close(image);
}
END_TEST

HOSTILE(other_return, table[2].returns = THAW_TYPE_VOID)
HOSTILE(other_type, table[2].types[0] = THAW_TYPE_BYTES)
HOSTILE(other_count, table[2].count = table[2].types[0] = 0)
HOSTILE(wild_count, table[2].count = 17)
HOSTILE(wild_type, table[3].types[1] = THAW_TYPE_VOID)
HOSTILE(wild_return, table[1].returns = 255)
HOSTILE(import_flags, table[1].flags = 0x80)
HOSTILE(import_reserved, table[1].reserved = 1)
HOSTILE(import_size, sections[1].sh_size -= 1)
HOSTILE(import_endless, memset(table[0].name, 'n', sizeof(table[0].name)))
HOSTILE(import_nameless, memset(table[1].name, 0, sizeof(table[1].name)))
HOSTILE(import_escape, table[1].name[1] = '\033')
HOSTILE(import_names, strcpy(table[3].parameters, "a"))
HOSTILE(import_dispatch, table[1] = (struct thaw_function_entry){
				 .flags = THAW_FUNCTION_DISPATCH })

static const struct hostile hostile_imports[] = {
	{ make_other_return,
	  "import 2 is void print(string), and another one is int "
	  "print(string): give them the same types" },
	{ make_other_type, "import 2 is int print(bytes), and another one" },
	{ make_other_count, "import 2 is int print(), and another one" },
	{ make_wild_count, "import 2 (print) has 17 parameters" },
	{ make_wild_type, "parameter 2 of import 3 (log) has type 10" },
	{ make_wild_return, "import 1 (time) returns type 255" },
	{ make_import_flags, "import 1 has flags" },
	{ make_import_reserved, "import 1 has flags" },
	{ make_import_size, "1023 bytes of imports; up to 4096 of 256" },
	{ make_import_endless, "a name of import 0 does not end" },
	{ make_import_nameless, "the name of import 1 is no name" },
	{ make_import_escape, "the name of import 1 is no name" },
	{ make_import_names, "import 3 (log) has other parameters" },
	{ make_import_dispatch, "an import is a dispatch function" },
};

START_TEST(imports_that_make_no_sense_are_refused)
{
	build_imports();
	hostile_imports[_i].make();
	refuses(hostile_imports[_i].why);
}
END_TEST

#define MANY (THAW_FUNCTIONS_MAX + 100)

/* @count entries, of which @different have names of their own. */
static void build_many(unsigned count, unsigned different)
{
	static struct thaw_function_entry many[MANY];

	for (unsigned i = 0; i < count; i++) {
		many[i] = wanted[1];
		snprintf(many[i].name, sizeof(many[i].name), "f%u",
			 i % different);
	}
	elf_builder_executable(&elf);
	sections = elf_builder_add_section(&elf, ".thaw_imports", many,
					   count * sizeof(*many));
}

START_TEST(an_image_imports_so_many_functions_at_most)
{
	struct image *image;

	build_many(MANY, THAW_FUNCTIONS_MAX);
	image = parse();
	ck_assert_uint_eq(image_imports(image)->count, THAW_FUNCTIONS_MAX);
	image_close(image);
	build_many(MANY, THAW_FUNCTIONS_MAX + 1);
	refuses("more than 256 imports");
}
END_TEST

/* So many that no image of the builder holds them. */
START_TEST(imports_may_be_repeated_so_often)
{
	const size_t size = sizeof(*wanted);
	const size_t most = DECLARATIONS_REPEATED_MAX;
	struct thaw_function_entry *many = calloc(most + 1, size);
	struct declarations imports = { .may_repeat = true };

	for (size_t i = 0; i < most + 1; i++)
		many[i] = wanted[0];
	ck_assert_int_eq(declarations_read(many, most * size, "import", false,
					   &error, &imports),
			 0);
	ck_assert_uint_eq(imports.count, 1);
	declarations_done(&imports);
	imports.may_repeat = true;
	ck_assert_int_eq(declarations_read(many, (most + 1) * size, "import",
					   false, &error, &imports),
			 -ENOEXEC);
	ck_assert_ptr_nonnull(
		strstr(error.message, "1048832 bytes of imports; up to 4096"));
	declarations_done(&imports);
	free(many);
}
END_TEST

START_TEST(an_image_that_registers_functions_says_so)
{
	struct image *image = parse();

	ck_assert(!image_functions(image)->is_open);
	image_close(image);
	elf_builder_executable(&elf);
	elf_builder_add_section(&elf, ".thaw_registers", "", 1);
	image = parse();
	ck_assert(image_functions(image)->is_open);
	image_close(image);
}
END_TEST

/* As registered ones are: see test_registered.c for those that are refused. */
START_TEST(declarations_are_read_behind_a_copy_of_others)
{
	struct thaw_function_entry more = functions[0];
	struct declarations all = { .count = 0 };
	struct image *image = parse();
	const struct declaration *last;

	ck_assert_int_eq(declarations_copy(image_functions(image), &error,
					   &all),
			 0);
	image_close(image);
	strcpy(more.name, "24K in/out~");
	*more.parameters = '\0';
	ck_assert_int_eq(declarations_read(&more, sizeof(more), "other", true,
					   &error, &all),
			 -ENOEXEC);
	ck_assert_msg(!declarations_read(&more, sizeof(more), "other", false,
					 &error, &all),
		      "%s", error.message);
	ck_assert_uint_eq(declarations_total(&all), COUNT + 1);
	last = declarations_find(&all, more.name);
	ck_assert_uint_eq(last->index, COUNT);
	ck_assert_ptr_nonnull(declarations_find(&all, "nothing"));
	strcpy(more.name, "tab\there");
	ck_assert_int_eq(declarations_read(&more, sizeof(more), "other", false,
					   &error, &all),
			 -ENOEXEC);
	declarations_done(&all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image functions");
	TCase *tests = tcase_create("functions");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, build, NULL);
	tcase_add_test(tests, functions_are_found_without_booting);
	tcase_add_test(tests, the_longest_signature_fits);
	tcase_add_test(tests, an_image_without_the_section_has_no_functions);
	tcase_add_loop_test(tests, a_section_outside_of_the_file_is_refused, 0,
			    4);
	tcase_add_test(tests, a_section_without_bytes_is_refused);
	tcase_add_loop_test(tests, an_empty_section_declares_nothing, 0, 2);
	tcase_add_loop_test(tests, declarations_that_make_no_sense_are_refused,
			    0, HOSTILES);
	tcase_add_loop_test(tests, an_image_has_so_many_functions_at_most, 0,
			    2);
	tcase_add_test(tests, imports_that_are_alike_are_one);
	tcase_add_loop_test(tests, imports_that_make_no_sense_are_refused, 0,
			    (int)(sizeof(hostile_imports) /
				  sizeof(*hostile_imports)));
	tcase_add_test(tests, an_image_imports_so_many_functions_at_most);
	tcase_add_test(tests, imports_may_be_repeated_so_often);
	tcase_add_test(tests, an_image_that_registers_functions_says_so);
	tcase_add_test(tests, declarations_are_read_behind_a_copy_of_others);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
