/*
 * test_image_dynamic.c - relocations of a static PIE, and every way in which a
 * dynamic section is refused.
 */
#include "vm/image/image.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image_arch.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/open.h"

#define MEMORY_SIZE 0x110000

static struct elf_builder elf;
static struct elf_builder_pie *pie; /* in elf, after build_pie() */

static void build_pie(void)
{
	pie = elf_builder_pie(&elf);
}

static Elf64_Phdr *program(unsigned number)
{
	return elf_builder_program(&elf, number);
}

static struct image *parse(void)
{
	struct error err = { "" };
	struct image *image = NULL;
	int r = image_parse(elf.bytes, elf.size, "a.elf", &err, &image);

	ck_assert_msg(r == 0, "refused: %s", err.message);
	return image;
}

/* The file is refused with exactly this message, after its name. */
static void refused(const char *message)
{
	struct error err = { "" };
	struct image *image = NULL;
	char expected[ERROR_MESSAGE_MAX];
	int r = image_parse(elf.bytes, elf.size, "a.elf", &err, &image);

	snprintf(expected, sizeof(expected), "a.elf: %s", message);
	ck_assert_str_eq(err.message, expected);
	ck_assert_int_eq(r, -ENOEXEC);
	ck_assert_ptr_null(image);
}

/* Relocating */

static uint64_t load_target(const struct image *image, unsigned number)
{
	uint8_t *memory = calloc(1, MEMORY_SIZE);
	uint64_t value;

	ck_assert_int_eq(image_load(image, memory, MEMORY_SIZE, NULL), 0);
	memcpy(&value,
	       memory + 0x102000 + offsetof(struct elf_builder_pie, targets) +
		       number * sizeof(value),
	       sizeof(value));
	free(memory);
	return value;
}

START_TEST(load_relocates_a_pie)
{
	struct image *image = parse();

	ck_assert_uint_eq(load_target(image, 0), 0x100040);
	ck_assert_uint_eq(load_target(image, 1), 0x102000);
	image_close(image);
}
END_TEST

START_TEST(load_relocates_read_only_segments)
{
	struct image *image;

	program(1)->p_flags = PF_R;
	image = parse();
	ck_assert_uint_eq(load_target(image, 0), 0x100040);
	image_close(image);
}
END_TEST

START_TEST(empty_relocations_do_nothing)
{
	struct image *image;

	pie->relocations[0].r_info =
		ELF64_R_INFO(0, IMAGE_ARCH_RELOCATION_NONE);
	pie->relocations[0].r_offset = UINT64_MAX;
	image = parse();
	ck_assert_uint_eq(load_target(image, 0), 0);
	ck_assert_uint_eq(load_target(image, 1), 0x102000);
	image_close(image);
}
END_TEST

START_TEST(relocations_may_lie_unaligned_in_the_file)
{
	struct image *image;

	memmove((uint8_t *)pie + 4, pie, sizeof(*pie));
	elf.size += 4;
	program(1)->p_offset += 4;
	program(1)->p_align = 4;
	program(2)->p_offset += 4;
	image = parse();
	ck_assert_uint_eq(load_target(image, 1), 0x102000);
	image_close(image);
}
END_TEST

/* What is refused */

START_TEST(dynamic_section_outside_of_the_file_is_refused)
{
	program(2)->p_offset = elf.size;
	refused("truncated: the dynamic section ends at byte 8416 of a file "
		"of 8336");
}
END_TEST

START_TEST(needed_library_is_refused)
{
	pie->dynamic[3].d_tag = DT_NEEDED;
	refused("dynamically linked (needs shared libraries): link it with "
		"-static");
}
END_TEST

START_TEST(text_relocations_are_refused)
{
	pie->dynamic[3].d_tag = DT_TEXTREL;
	refused("relocations in its code (DT_TEXTREL): compile it with -fPIE");
}
END_TEST

START_TEST(text_relocations_in_flags_are_refused)
{
	pie->dynamic[3].d_tag = DT_FLAGS;
	pie->dynamic[3].d_un.d_val = DF_TEXTREL | DF_BIND_NOW;
	refused("relocations in its code (DT_TEXTREL): compile it with -fPIE");
}
END_TEST

START_TEST(other_entries_are_accepted)
{
	pie->dynamic[3].d_tag = DT_FLAGS;
	pie->dynamic[3].d_un.d_val = DF_BIND_NOW;
	pie->dynamic[4].d_tag = DT_DEBUG; /* and no DT_NULL */
	image_close(parse());
}
END_TEST

START_TEST(relocations_without_addends_are_refused)
{
	pie->dynamic[3].d_tag = DT_REL;
	refused("relocations without addends (DT_REL)");
}
END_TEST

START_TEST(packed_relocations_are_refused)
{
	pie->dynamic[3].d_tag = DT_RELR;
	refused("packed relocations (DT_RELR): link it with "
		"-Wl,-z,nopack-relative-relocs");
}
END_TEST

START_TEST(plt_relocations_are_refused)
{
	pie->dynamic[3].d_tag = DT_JMPREL;
	refused("relocations of a procedure linkage table (DT_JMPREL), as "
		"indirect functions (ifunc, target_clones) have them: link it "
		"with -static -no-pie");
}
END_TEST

START_TEST(relocation_of_another_type_is_refused)
{
	pie->relocations[1].r_info = ELF64_R_INFO(0, 6);
	refused("relocation 1, at 0x7088, is of type 6, not relative: link it "
		"with -static -no-pie");
}
END_TEST

START_TEST(relocation_outside_of_the_segments_is_refused)
{
	pie->relocations[1].r_offset = 0x7ff9;
	refused("relocation 1, at 0x7ff9, is outside of the segments");
}
END_TEST

START_TEST(relocation_below_the_segments_is_refused)
{
	pie->relocations[1].r_offset = 0x4fff;
	refused("relocation 1, at 0x4fff, is outside of the segments");
}
END_TEST

START_TEST(relocation_table_outside_of_the_segments_is_refused)
{
	pie->dynamic[0].d_un.d_ptr = 0x9000;
	refused("relocation table (48 bytes at 0x9000) is outside of the "
		"segments");
}
END_TEST

START_TEST(relocation_table_larger_than_the_file_is_refused)
{
	pie->dynamic[1].d_un.d_val = 192;
	refused("relocation table (192 bytes at 0x7000) is outside of the "
		"segments");
}
END_TEST

START_TEST(relocation_table_before_the_data_of_a_segment_is_refused)
{
	pie->dynamic[0].d_un.d_ptr = 0x5000;
	refused("relocation table (48 bytes at 0x5000) is outside of the "
		"segments");
}
END_TEST

START_TEST(relocation_table_of_a_broken_size_is_refused)
{
	pie->dynamic[1].d_un.d_val = 47;
	refused("relocation table of 47 bytes with entries of 24; ELF says "
		"24");
}
END_TEST

START_TEST(relocations_of_another_size_are_refused)
{
	pie->dynamic[2].d_un.d_val = 16;
	refused("relocation table of 48 bytes with entries of 16; ELF says "
		"24");
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

static void add_relocating(Suite *suite)
{
	TCase *group = add_case(suite, "relocating", build_pie, NULL);

	tcase_add_test(group, load_relocates_a_pie);
	tcase_add_test(group, load_relocates_read_only_segments);
	tcase_add_test(group, empty_relocations_do_nothing);
	tcase_add_test(group, relocations_may_lie_unaligned_in_the_file);
}

static void add_refused_dynamic(Suite *suite)
{
	TCase *group = add_case(suite, "refused_dynamic", build_pie, NULL);

	tcase_add_test(group, dynamic_section_outside_of_the_file_is_refused);
	tcase_add_test(group, needed_library_is_refused);
	tcase_add_test(group, text_relocations_are_refused);
	tcase_add_test(group, text_relocations_in_flags_are_refused);
	tcase_add_test(group, other_entries_are_accepted);
	tcase_add_test(group, relocations_without_addends_are_refused);
	tcase_add_test(group, packed_relocations_are_refused);
	tcase_add_test(group, plt_relocations_are_refused);
	tcase_add_test(group, relocation_of_another_type_is_refused);
	tcase_add_test(group, relocation_outside_of_the_segments_is_refused);
	tcase_add_test(group, relocation_below_the_segments_is_refused);
	tcase_add_test(group,
		       relocation_table_outside_of_the_segments_is_refused);
	tcase_add_test(group, relocation_table_larger_than_the_file_is_refused);
	tcase_add_test(group,
		       relocation_table_before_the_data_of_a_segment_is_refused);
	tcase_add_test(group, relocation_table_of_a_broken_size_is_refused);
	tcase_add_test(group, relocations_of_another_size_are_refused);
}

int main(void)
{
	Suite *suite = suite_create("image dynamic");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_relocating(suite);
	add_refused_dynamic(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
