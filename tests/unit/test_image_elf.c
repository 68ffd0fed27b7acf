/*
 * test_image_elf.c - every way in which the headers of an ELF file are refused.
 * The file is a good one, in which each test changes one thing.
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

static struct elf_builder elf;

static void build_executable(void)
{
	elf_builder_executable(&elf);
}

static void build_pie(void)
{
	elf_builder_pie(&elf);
}

static Elf64_Ehdr *header(void)
{
	return elf_builder_header(&elf);
}

static Elf64_Phdr *program(unsigned number)
{
	return elf_builder_program(&elf, number);
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

/* What is refused: the ELF header */

START_TEST(script_is_refused)
{
	memcpy(elf.bytes, "#!/b", 4);
	refused("not an ELF file (starts with 23 21 2f 62)");
}
END_TEST

START_TEST(empty_file_is_refused)
{
	elf.size = 0;
	refused("the file is empty");
}
END_TEST

START_TEST(file_shorter_than_the_magic_number_is_refused)
{
	elf.size = 3;
	refused("not an ELF file (only 3 bytes)");
}
END_TEST

START_TEST(file_shorter_than_the_ident_is_refused)
{
	elf.size = EI_NIDENT - 1;
	refused("truncated: 15 bytes of an ELF header");
}
END_TEST

START_TEST(file_shorter_than_the_header_is_refused)
{
	elf.size = sizeof(Elf64_Ehdr) - 1;
	refused("truncated: 63 bytes of an ELF header of 64");
}
END_TEST

START_TEST(file_of_32_bits_is_refused)
{
	header()->e_ident[EI_CLASS] = ELFCLASS32;
	refused("32-bit ELF file; images are 64-bit");
}
END_TEST

START_TEST(unknown_class_is_refused)
{
	header()->e_ident[EI_CLASS] = 9;
	refused("unknown ELF class 9");
}
END_TEST

START_TEST(big_endian_file_is_refused)
{
	header()->e_ident[EI_DATA] = ELFDATA2MSB;
	refused("big endian ELF file; images are little endian");
}
END_TEST

START_TEST(unknown_byte_order_is_refused)
{
	header()->e_ident[EI_DATA] = ELFDATANONE;
	refused("unknown ELF byte order 0");
}
END_TEST

START_TEST(unknown_version_is_refused)
{
	header()->e_ident[EI_VERSION] = 2;
	refused("unknown ELF version 2");
}
END_TEST

START_TEST(other_machine_is_refused_by_its_name)
{
	char message[128];
	bool arm = IMAGE_ARCH_MACHINE == EM_AARCH64;

	header()->e_machine = arm ? EM_X86_64 : EM_AARCH64;
	snprintf(message, sizeof(message),
		 "for %s (ELF machine %u); this thaw runs %s images",
		 arm ? "x86_64" : "AArch64", header()->e_machine,
		 arm ? "AArch64" : "x86_64");
	refused(message);
}
END_TEST

START_TEST(unknown_machine_is_refused_by_its_number)
{
	struct error err;
	struct image *image;

	header()->e_machine = 0x1234;
	ck_assert_int_eq(image_parse(elf.bytes, elf.size, "a", &err, &image),
			 -ENOEXEC);
	ck_assert_ptr_nonnull(
		strstr(err.message, "an unknown machine (ELF machine 4660)"));
}
END_TEST

START_TEST(relocatable_object_is_refused)
{
	header()->e_type = ET_REL;
	refused("relocatable object, not linked");
}
END_TEST

START_TEST(core_dump_is_refused)
{
	header()->e_type = ET_CORE;
	refused("core dump, not an executable");
}
END_TEST

START_TEST(unknown_type_is_refused)
{
	header()->e_type = 77;
	refused("ELF type 77, not an executable");
}
END_TEST

START_TEST(program_headers_outside_of_the_file_are_refused)
{
	header()->e_phoff = elf.size - 1;
	refused("truncated: the table of program headers ends at byte 4495 of "
		"a file of 4384");
}
END_TEST

START_TEST(program_headers_at_a_wrapping_offset_are_refused)
{
	header()->e_phoff = UINT64_MAX - 8;
	refused("truncated: the table of program headers ends at byte "
		"18446744073709551615 of a file of 4384");
}
END_TEST

START_TEST(too_many_program_headers_for_the_file_are_refused)
{
	header()->e_phnum = 0xfffe;
	refused("truncated: the table of program headers ends at byte 3669968 "
		"of a file of 4384");
}
END_TEST

START_TEST(extended_number_of_program_headers_is_refused)
{
	header()->e_phnum = PN_XNUM;
	refused("65535 or more program headers");
}
END_TEST

START_TEST(program_headers_of_another_size_are_refused)
{
	header()->e_phentsize = 32;
	refused("program headers of 32 bytes; ELF says 56");
}
END_TEST

START_TEST(section_headers_outside_of_the_file_are_refused)
{
	header()->e_shoff = elf.size;
	header()->e_shnum = 2;
	refused("truncated: the table of section headers ends at byte 4512 of "
		"a file of 4384");
}
END_TEST

START_TEST(extended_number_of_section_headers_is_refused)
{
	header()->e_shoff = sizeof(Elf64_Ehdr);
	refused("0 section headers of 64 bytes; strip the file or link it "
		"again");
}
END_TEST

START_TEST(section_headers_of_another_size_are_refused)
{
	header()->e_shoff = sizeof(Elf64_Ehdr);
	header()->e_shnum = 1;
	header()->e_shentsize = 8;
	refused("1 section headers of 8 bytes; strip the file or link it "
		"again");
}
END_TEST

/* What is refused: segments */

START_TEST(file_without_segments_is_refused)
{
	header()->e_phnum = 0;
	refused("nothing to load: no PT_LOAD program header");
}
END_TEST

START_TEST(file_without_a_segment_to_load_is_refused)
{
	program(0)->p_type = PT_NOTE;
	program(1)->p_type = PT_NOTE;
	refused("nothing to load: no PT_LOAD program header");
}
END_TEST

START_TEST(seventeen_segments_are_refused)
{
	for (unsigned i = 2; i < IMAGE_SEGMENTS_MAX + 1; i++)
		elf_builder_add_program(&elf, PT_LOAD, 0x200000 + i * 0x1000,
					"", 1);
	refused("more than 16 segments to load");
}
END_TEST

START_TEST(dynamically_linked_file_is_refused)
{
	static const char linker[] = "/lib64/ld-linux-x86-64.so.2";

	elf_builder_add_program(&elf, PT_INTERP, 0, linker, sizeof(linker));
	refused("dynamically linked (needs /lib64/ld-linux-x86-64.so.2): link "
		"it with -static");
}
END_TEST

START_TEST(unprintable_dynamic_linker_is_not_printed)
{
	elf_builder_add_program(&elf, PT_INTERP, 0, "\033[2J", 5);
	refused("dynamically linked: link it with -static");
}
END_TEST

START_TEST(dynamic_linker_outside_of_the_file_is_not_read)
{
	elf_builder_add_program(&elf, PT_INTERP, 0, "x", 2)->p_offset =
		UINT64_MAX;
	refused("dynamically linked: link it with -static");
}
END_TEST

START_TEST(truncated_segment_is_refused)
{
	elf.size--;
	refused("truncated: segment 1 ends at byte 4384 of a file of 4383");
}
END_TEST

START_TEST(segment_at_a_wrapping_offset_is_refused)
{
	program(1)->p_offset = -0x1000 + 0x100;
	program(1)->p_filesz = 0x1000;
	refused("truncated: segment 1 ends at byte 18446744073709551615 of a "
		"file of 4384");
}
END_TEST

START_TEST(segment_larger_in_the_file_than_in_memory_is_refused)
{
	program(1)->p_memsz = 0x1f;
	refused("segment 1 has 32 bytes in the file, but only 31 in memory");
}
END_TEST

START_TEST(segment_that_wraps_around_is_refused)
{
	program(1)->p_vaddr = -0x1000 + 0x100;
	refused("segment 1 at 0xfffffffffffff100 wraps around the end of the "
		"address space");
}
END_TEST

START_TEST(writable_and_executable_segment_is_refused)
{
	program(1)->p_flags = PF_R | PF_W | PF_X;
	refused("segment 1 at 0x102100 is writable and executable: link with "
		"separate code and data");
}
END_TEST

START_TEST(alignment_that_is_no_power_of_two_is_refused)
{
	program(1)->p_align = 0x1800;
	refused("segment 1 has alignment 0x1800, which is not a power of two");
}
END_TEST

START_TEST(misaligned_segment_is_refused)
{
	program(1)->p_vaddr += 8;
	refused("segment 1 is misaligned: address 0x102108 and file offset "
		"0x1100 differ modulo 0x1000");
}
END_TEST

START_TEST(overlapping_segments_are_refused)
{
	program(1)->p_vaddr = ELF_BUILDER_CODE + 0x100;
	refused("segments 0 and 1 overlap (share the page 0x100000)");
}
END_TEST

START_TEST(overlapping_segments_of_a_pie_are_refused)
{
	build_pie();
	program(0)->p_memsz = 0x2000;
	refused("segments 0 and 1 overlap (share the page 0x7000)");
}
END_TEST

START_TEST(segment_below_the_lowest_address_is_refused)
{
	program(0)->p_vaddr = 0;
	refused("segment 0 at 0x0 lies below 0x100000, the lowest address of "
		"an image");
}
END_TEST

START_TEST(segment_beyond_the_highest_address_is_refused)
{
	program(1)->p_memsz = IMAGE_MEMORY_MAX - ELF_BUILDER_DATA + 1;
	refused("segment 1 (0x3fefdf01 bytes at 0x102100) ends beyond "
		"0x40000000, the highest address of an image");
}
END_TEST

START_TEST(segment_of_a_pie_far_from_the_others_is_refused)
{
	build_pie();
	program(1)->p_vaddr = 0x7f0000000000;
	refused("segment 1 (0x90 bytes at 0x7f0000000000) ends beyond "
		"0x40000000, the highest address of an image");
}
END_TEST

START_TEST(entry_outside_of_the_segments_is_refused)
{
	header()->e_entry = 0x101000;
	refused("entry point 0x101000 is not in an executable segment");
}
END_TEST

START_TEST(entry_in_data_is_refused)
{
	header()->e_entry = ELF_BUILDER_DATA;
	refused("entry point 0x102100 is not in an executable segment");
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

static void add_refused_header(Suite *suite)
{
	TCase *group =
		add_case(suite, "refused_header", build_executable, NULL);

	tcase_add_test(group, script_is_refused);
	tcase_add_test(group, empty_file_is_refused);
	tcase_add_test(group, file_shorter_than_the_magic_number_is_refused);
	tcase_add_test(group, file_shorter_than_the_ident_is_refused);
	tcase_add_test(group, file_shorter_than_the_header_is_refused);
	tcase_add_test(group, file_of_32_bits_is_refused);
	tcase_add_test(group, unknown_class_is_refused);
	tcase_add_test(group, big_endian_file_is_refused);
	tcase_add_test(group, unknown_byte_order_is_refused);
	tcase_add_test(group, unknown_version_is_refused);
	tcase_add_test(group, other_machine_is_refused_by_its_name);
	tcase_add_test(group, unknown_machine_is_refused_by_its_number);
	tcase_add_test(group, relocatable_object_is_refused);
	tcase_add_test(group, core_dump_is_refused);
	tcase_add_test(group, unknown_type_is_refused);
	tcase_add_test(group, program_headers_outside_of_the_file_are_refused);
	tcase_add_test(group, program_headers_at_a_wrapping_offset_are_refused);
	tcase_add_test(group,
		       too_many_program_headers_for_the_file_are_refused);
	tcase_add_test(group, extended_number_of_program_headers_is_refused);
	tcase_add_test(group, program_headers_of_another_size_are_refused);
	tcase_add_test(group, section_headers_outside_of_the_file_are_refused);
	tcase_add_test(group, extended_number_of_section_headers_is_refused);
	tcase_add_test(group, section_headers_of_another_size_are_refused);
}

static void add_refused_segments(Suite *suite)
{
	TCase *group =
		add_case(suite, "refused_segments", build_executable, NULL);

	tcase_add_test(group, file_without_segments_is_refused);
	tcase_add_test(group, file_without_a_segment_to_load_is_refused);
	tcase_add_test(group, seventeen_segments_are_refused);
	tcase_add_test(group, dynamically_linked_file_is_refused);
	tcase_add_test(group, unprintable_dynamic_linker_is_not_printed);
	tcase_add_test(group, dynamic_linker_outside_of_the_file_is_not_read);
	tcase_add_test(group, truncated_segment_is_refused);
	tcase_add_test(group, segment_at_a_wrapping_offset_is_refused);
	tcase_add_test(group,
		       segment_larger_in_the_file_than_in_memory_is_refused);
	tcase_add_test(group, segment_that_wraps_around_is_refused);
	tcase_add_test(group, writable_and_executable_segment_is_refused);
	tcase_add_test(group, alignment_that_is_no_power_of_two_is_refused);
	tcase_add_test(group, misaligned_segment_is_refused);
	tcase_add_test(group, overlapping_segments_are_refused);
	tcase_add_test(group, overlapping_segments_of_a_pie_are_refused);
	tcase_add_test(group, segment_below_the_lowest_address_is_refused);
	tcase_add_test(group, segment_beyond_the_highest_address_is_refused);
	tcase_add_test(group, segment_of_a_pie_far_from_the_others_is_refused);
	tcase_add_test(group, entry_outside_of_the_segments_is_refused);
	tcase_add_test(group, entry_in_data_is_refused);
}

int main(void)
{
	Suite *suite = suite_create("image elf");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_refused_header(suite);
	add_refused_segments(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
