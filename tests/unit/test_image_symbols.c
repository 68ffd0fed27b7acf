/*
 * test_image_symbols.c - the names of functions and of handlers, from good and bad tables.
 */
#include "vm/image/image.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/handlers.h"
#include "vm/image/open.h"
#include "vm/image/symbols.h"

static struct elf_builder elf;

static void build_executable(void)
{
	elf_builder_executable(&elf);
}

static void build_pie(void)
{
	elf_builder_pie(&elf);
}

static struct image *parse(void)
{
	struct error err = { "" };
	struct image *image = NULL;
	int r = image_parse(elf.bytes, elf.size, "a.elf", &err, &image);

	ck_assert_msg(r == 0, "refused: %s", err.message);
	return image;
}

/* Symbols */

#define SYMBOL(at, length, binding, type)                             \
	{                                                             \
		.st_value = (at), .st_size = (length), .st_shndx = 1, \
		.st_info = ELF64_ST_INFO(binding, type)               \
	}

/* @expected is "name+offset", or "" if there must be no symbol. */
static void symbol_is(const struct image *image, uint64_t gva,
		      const char *expected)
{
	uint64_t offset = 0;
	const char *name = image_symbol(image, gva, &offset);
	char found[256] = "";

	if (name)
		snprintf(found, sizeof(found), "%s+%u", name, (unsigned)offset);
	ck_assert_str_eq(found, expected);
}

static const struct elf_builder_symbol symbols[] = {
	{ "sized", SYMBOL(0x100080, 0x10, STB_LOCAL, STT_FUNC) },
	{ "start", SYMBOL(0x100010, 0, STB_GLOBAL, STT_NOTYPE) },
	{ "open_ended", SYMBOL(0x100020, 0, STB_GLOBAL, STT_FUNC) },
	{ "label", SYMBOL(0x100030, 0, STB_LOCAL, STT_NOTYPE) },
	{ "table", SYMBOL(0x100040, 8, STB_GLOBAL, STT_OBJECT) },
	{ "variable", SYMBOL(ELF_BUILDER_DATA, 8, STB_GLOBAL, STT_NOTYPE) },
	{ "last", SYMBOL(0x1000f0, 0, STB_GLOBAL, STT_FUNC) },
	{ "esc\033[2J", SYMBOL(0x100050, 0, STB_GLOBAL, STT_FUNC) },
	{ "", SYMBOL(0x100060, 0, STB_GLOBAL, STT_FUNC) },
};

static Elf64_Shdr *add_symbols(void)
{
	return elf_builder_add_symbols(&elf, symbols,
				       sizeof(symbols) / sizeof(symbols[0]));
}

START_TEST(symbols_name_the_function_an_address_lies_in)
{
	struct image *image;

	add_symbols();
	image = parse();
	symbol_is(image, 0x100000, "");
	symbol_is(image, 0x10000f, "");
	symbol_is(image, 0x100010, "start+0");
	symbol_is(image, 0x10001f, "start+15");
	symbol_is(image, 0x100020, "open_ended+0");
	symbol_is(image, 0x10007f, "open_ended+95");
	symbol_is(image, 0x100080, "sized+0");
	symbol_is(image, 0x10008f, "sized+15");
	symbol_is(image, 0x100090, "");
	symbol_is(image, 0x100fff, "last+3855");
	symbol_is(image, 0x101000, "");
	symbol_is(image, ELF_BUILDER_DATA, "");
	symbol_is(image, 0, "");
	symbol_is(image, UINT64_MAX, "");
	image_close(image);
}
END_TEST

START_TEST(symbols_of_a_pie_move_with_it)
{
	const struct elf_builder_symbol symbol = {
		"main", SYMBOL(ELF_BUILDER_PIE_CODE, 8, STB_GLOBAL, STT_FUNC)
	};
	struct image *image;

	build_pie();
	elf_builder_add_symbols(&elf, &symbol, 1);
	image = parse();
	symbol_is(image, 0x100044, "main+4");
	image_close(image);
}
END_TEST

START_TEST(undefined_and_absolute_symbols_do_not_count)
{
	struct elf_builder_symbol two[2] = { symbols[1], symbols[2] };
	struct image *image;

	two[0].symbol.st_shndx = SHN_UNDEF;
	two[1].symbol.st_shndx = SHN_ABS;
	elf_builder_add_symbols(&elf, two, 2);
	image = parse();
	symbol_is(image, 0x100020, "");
	image_close(image);
}
END_TEST

START_TEST(largest_of_several_symbols_at_one_address_counts)
{
	const struct elf_builder_symbol three[] = {
		{ "small", SYMBOL(0x100010, 4, STB_GLOBAL, STT_FUNC) },
		{ "large", SYMBOL(0x100010, 8, STB_GLOBAL, STT_FUNC) },
		{ "unknown", SYMBOL(0x100010, 0, STB_GLOBAL, STT_FUNC) },
	};
	struct image *image;

	elf_builder_add_symbols(&elf, three, 3);
	image = parse();
	symbol_is(image, 0x100016, "large+6");
	image_close(image);
}
END_TEST

START_TEST(long_symbol_names_are_cut)
{
	char name[300];
	struct elf_builder_symbol symbol = symbols[1];
	struct image *image;
	uint64_t offset;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	symbol.name = name;
	elf_builder_add_symbols(&elf, &symbol, 1);
	image = parse();
	ck_assert_uint_eq(strlen(image_symbol(image, 0x100010, &offset)),
			  IMAGE_SYMBOL_NAME_MAX);
	image_close(image);
}
END_TEST

START_TEST(file_without_section_headers_has_no_symbols)
{
	struct image *image = parse();

	symbol_is(image, 0x100010, "");
	image_close(image);
}
END_TEST

static void no_symbols(void)
{
	struct image *image = parse();

	symbol_is(image, 0x100010, "");
	image_close(image);
}

START_TEST(damaged_symbol_tables_are_ignored)
{
	Elf64_Shdr *sections = add_symbols();
	const Elf64_Shdr good[3] = { sections[0], sections[1], sections[2] };

	sections[1].sh_type = SHT_NOTE;
	no_symbols();
	sections[1] = good[1];
	sections[1].sh_offset = UINT64_MAX;
	no_symbols();
	sections[1] = good[1];
	sections[1].sh_size = UINT64_MAX;
	no_symbols();
	sections[1] = good[1];
	sections[1].sh_size = 0;
	no_symbols();
	sections[1] = good[1];
	sections[1].sh_link = 99;
	no_symbols();
	sections[1] = good[1];
	sections[2].sh_offset = UINT64_MAX;
	no_symbols();
	sections[2] = good[2];
	sections[2].sh_size = 0;
	no_symbols();
	sections[2] = good[2];
	sections[2].sh_type = SHT_NOBITS;
	no_symbols();
	sections[2] = good[2];
	sections[2].sh_size -= 2; /* no zero byte at the end */
	no_symbols();
}
END_TEST

START_TEST(symbol_name_outside_of_the_string_table_does_not_count)
{
	Elf64_Shdr *sections = add_symbols();
	Elf64_Sym *table = (Elf64_Sym *)(elf.bytes + sections[1].sh_offset);

	table[2].st_name = sections[2].sh_size;
	no_symbols();
	table[2].st_name = UINT32_MAX;
	no_symbols();
}
END_TEST
static TCase *add_case(Suite *suite, const char *name, SFun set_up,
		       SFun tear_down)
{
	TCase *group = tcase_create(name);

	tcase_add_checked_fixture(group, set_up, tear_down);
	suite_add_tcase(suite, group);
	return group;
}

static void add_symbol_tests(Suite *suite)
{
	TCase *group = add_case(suite, "symbols", build_executable, NULL);

	tcase_add_test(group, symbols_name_the_function_an_address_lies_in);
	tcase_add_test(group, symbols_of_a_pie_move_with_it);
	tcase_add_test(group, undefined_and_absolute_symbols_do_not_count);
	tcase_add_test(group, largest_of_several_symbols_at_one_address_counts);
	tcase_add_test(group, long_symbol_names_are_cut);
	tcase_add_test(group, file_without_section_headers_has_no_symbols);
	tcase_add_test(group, damaged_symbol_tables_are_ignored);
	tcase_add_test(group,
		       symbol_name_outside_of_the_string_table_does_not_count);
}

/* Handlers */

static const struct thaw_handler_entry handlers[] = {
	{ 0x100010, "first" },
	{ 0x100020, "second" },
};

START_TEST(handlers_are_listed_as_the_guest_will_offer_them)
{
	struct image *image;

	elf_builder_add_handlers(&elf, handlers, 2);
	image = parse();
	ck_assert_uint_eq(image_handler_count(image), 2);
	ck_assert_str_eq(image_handler_name(image, 0), "first");
	ck_assert_str_eq(image_handler_name(image, 1), "second");
	image_close(image);
}
END_TEST

/* What a file may say of its table: then there is none. */
static void lie(Elf64_Shdr *sections, struct thaw_handler_entry *table, int how)
{
	Elf64_Shdr *section = &sections[1];

	switch (how) {
	case 0:
		section->sh_name = 1 << 20;
		break;
	case 1:
		section->sh_type = SHT_NOBITS;
		break;
	case 2:
		section->sh_size -= 8;
		break;
	case 3:
		section->sh_size = 0;
		break;
	case 4:
		section->sh_addr = UINT64_MAX - 63;
		break;
	case 5: /* zeros behind the file's bytes */
		section->sh_addr = ELF_BUILDER_DATA + 0x40;
		break;
	case 6:
		table[1].name[0] = '\0';
		break;
	case 7:
		table[1].name[3] = '\033';
		break;
	case 8:
		memset(table[1].name, 'n', sizeof(table[1].name));
		break;
	}
}

START_TEST(a_table_of_handlers_that_makes_no_sense_is_none)
{
	Elf64_Shdr *sections = elf_builder_add_handlers(&elf, handlers, 2);
	struct image *image;

	lie(sections,
	    (struct thaw_handler_entry *)(void *)(elf.bytes +
						  sections[1].sh_offset),
	    _i);
	image = parse();
	ck_assert_uint_eq(image_handler_count(image), 0);
	image_close(image);
}
END_TEST

START_TEST(more_handlers_than_a_guest_may_offer_are_none)
{
	static struct thaw_handler_entry many[THAW_HANDLERS_MAX + 1];
	struct image *image;

	for (size_t i = 0; i < THAW_HANDLERS_MAX + 1; i++)
		many[i] = handlers[0];
	elf_builder_add_handlers(&elf, many, THAW_HANDLERS_MAX + (size_t)_i);
	image = parse();
	ck_assert_uint_eq(image_handler_count(image),
			  _i ? 0 : THAW_HANDLERS_MAX);
	image_close(image);
}
END_TEST

static void add_handler_tests(Suite *suite)
{
	TCase *tests = tcase_create("handlers");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, build_executable, NULL);
	tcase_add_test(tests, handlers_are_listed_as_the_guest_will_offer_them);
	tcase_add_loop_test(tests,
			    a_table_of_handlers_that_makes_no_sense_is_none, 0,
			    9);
	tcase_add_loop_test(tests,
			    more_handlers_than_a_guest_may_offer_are_none, 0,
			    2);
}

int main(void)
{
	Suite *suite = suite_create("image symbols");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_symbol_tests(suite);
	add_handler_tests(suite);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
