/*
 * test_image.c - images that are good: opening, parsing, loading.
 */
#include "vm/image/image.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/open.h"

#define MEMORY_SIZE 0x110000

static struct elf_builder elf;
static struct elf_builder_pie *pie; /* in elf, after build_pie() */

static void build_executable(void)
{
	elf_builder_executable(&elf);
}

static void build_pie(void)
{
	pie = elf_builder_pie(&elf);
}

static Elf64_Ehdr *header(void)
{
	return elf_builder_header(&elf);
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

/* What is accepted */

START_TEST(executable_has_its_segments_by_address)
{
	struct image *image = parse();
	const struct image_segment *code = &image->segments[0];
	const struct image_segment *data = &image->segments[1];

	ck_assert_uint_eq(image->segment_count, 2);
	ck_assert_uint_eq(image->entry, ELF_BUILDER_CODE + 0x10);
	ck_assert_uint_eq(image->end, ELF_BUILDER_END);

	ck_assert_uint_eq(code->gva, ELF_BUILDER_CODE);
	ck_assert_uint_eq(code->size, 0x1000);
	ck_assert_uint_eq(code->prot, IMAGE_PROT_READ | IMAGE_PROT_EXECUTE);
	ck_assert_uint_eq(code->data_gva, ELF_BUILDER_CODE);
	ck_assert_uint_eq(code->data_size, ELF_BUILDER_CODE_SIZE);

	ck_assert_uint_eq(data->gva, 0x102000);
	ck_assert_uint_eq(data->size, 0x3000);
	ck_assert_uint_eq(data->prot, IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	ck_assert_uint_eq(data->data_gva, ELF_BUILDER_DATA);
	ck_assert_uint_eq(data->data_size, 0x20);
	image_close(image);
}
END_TEST

START_TEST(segments_are_sorted_even_if_headers_are_not)
{
	Elf64_Phdr code = *program(0);
	struct image *image;

	*program(0) = *program(1);
	*program(1) = code;
	image = parse();
	ck_assert_uint_eq(image->segments[0].gva, ELF_BUILDER_CODE);
	ck_assert_uint_eq(image->segments[1].gva, 0x102000);
	image_close(image);
}
END_TEST

START_TEST(segment_without_memory_is_ignored)
{
	struct image *image;

	elf_builder_add_program(&elf, PT_LOAD, 0, NULL, 0);
	image = parse();
	ck_assert_uint_eq(image->segment_count, 2);
	image_close(image);
}
END_TEST

START_TEST(segment_without_data_may_have_any_offset)
{
	struct image *image;

	program(1)->p_filesz = 0;
	program(1)->p_offset = UINT64_MAX;
	image = parse();
	ck_assert_uint_eq(image->segments[1].data_size, 0);
	ck_assert_uint_eq(image->segments[1].size, 0x3000);
	image_close(image);
}
END_TEST

START_TEST(segment_may_end_with_the_highest_address)
{
	struct image *image;

	program(1)->p_memsz = IMAGE_MEMORY_MAX - ELF_BUILDER_DATA;
	image = parse();
	ck_assert_uint_eq(image->end, IMAGE_MEMORY_MAX);
	image_close(image);
}
END_TEST

START_TEST(sixteen_segments_are_accepted)
{
	struct image *image;

	for (unsigned i = 2; i < IMAGE_SEGMENTS_MAX; i++)
		elf_builder_add_program(&elf, PT_LOAD, 0x200000 + i * 0x1000,
					"", 1);
	image = parse();
	ck_assert_uint_eq(image->segment_count, IMAGE_SEGMENTS_MAX);
	image_close(image);
}
END_TEST

START_TEST(file_may_change_after_parsing)
{
	struct image *image = parse();

	memset(elf.bytes, 0, elf.size);
	ck_assert_uint_eq(image->segments[0].data[0], 0xc3);
	image_close(image);
}
END_TEST

START_TEST(pie_is_moved_to_the_start_of_images)
{
	struct image *image;

	build_pie();
	image = parse();
	ck_assert_uint_eq(image->segments[0].gva, 0x100000);
	ck_assert_uint_eq(image->segments[0].data_gva, 0x100040);
	ck_assert_uint_eq(image->segments[1].gva, 0x102000);
	ck_assert_uint_eq(image->entry, 0x100050);
	ck_assert_uint_eq(image->end, 0x103000);
	image_close(image);
}
END_TEST

START_TEST(pie_linked_at_a_high_address_is_accepted)
{
	const int64_t high = 0x7f0000000000;
	struct image *image;

	build_pie();
	program(0)->p_vaddr += high;
	program(1)->p_vaddr += high;
	header()->e_entry += high;
	for (unsigned i = 0; i < 2; i++) {
		pie->relocations[i].r_offset += high;
		pie->relocations[i].r_addend += high;
	}
	pie->dynamic[0].d_un.d_ptr += high;
	image = parse();
	ck_assert_uint_eq(image->entry, 0x100050);
	image_close(image);
}
END_TEST

/* Loading */

START_TEST(load_copies_data_and_nothing_else)
{
	uint8_t *memory = calloc(1, MEMORY_SIZE);
	struct image *image = parse();
	uint64_t used = 0;

	ck_assert_int_eq(image_load(image, memory, MEMORY_SIZE, NULL), 0);
	for (unsigned i = 0; i < ELF_BUILDER_CODE_SIZE; i++)
		ck_assert_uint_eq(memory[ELF_BUILDER_CODE + i], 0xc3);
	for (unsigned i = 0; i < 0x20; i++)
		ck_assert_uint_eq(memory[ELF_BUILDER_DATA + i], i);
	for (unsigned i = 0; i < MEMORY_SIZE; i++)
		used += memory[i] != 0;
	/* The first byte of the data is zero, too. */
	ck_assert_uint_eq(used, ELF_BUILDER_CODE_SIZE + 0x20 - 1);
	image_close(image);
	free(memory);
}
END_TEST

START_TEST(load_accepts_an_image_that_ends_where_memory_ends)
{
	uint8_t *memory = calloc(1, ELF_BUILDER_END);
	struct image *image = parse();

	ck_assert_int_eq(image_load(image, memory, ELF_BUILDER_END, NULL), 0);
	image_close(image);
	free(memory);
}
END_TEST

START_TEST(load_refuses_an_image_that_ends_beyond_memory)
{
	struct image *image = parse();
	struct error err;
	uint8_t memory;

	ck_assert_int_eq(image_load(image, &memory, ELF_BUILDER_END - 1, &err),
			 -ENOEXEC);
	ck_assert_str_eq(err.message,
			 "a.elf: ends at 0x105000, beyond the function's "
			 "memory of 0x104fff bytes");
	image_close(image);
}
END_TEST

/* Opening files */

static char directory[32];
static char path[64];

static void make_directory(void)
{
	build_executable();
	snprintf(directory, sizeof(directory), "/tmp/test_image.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a.elf", directory);
}

static void remove_directory(void)
{
	unlink(path);
	rmdir(directory);
}

static void write_file(void)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(elf.bytes, 1, elf.size, file), elf.size);
	ck_assert_int_eq(fclose(file), 0);
}

static void open_fails(const char *name, int code, const char *message)
{
	struct error err = { "" };
	struct image *image = NULL;
	char expected[ERROR_MESSAGE_MAX];

	snprintf(expected, sizeof(expected), "%s: %s", name, message);
	ck_assert_int_eq(image_open(name, &err, &image), code);
	ck_assert_str_eq(err.message, expected);
	ck_assert_ptr_null(image);
}

START_TEST(open_reads_a_file)
{
	struct error err = { "" };
	struct image *image;

	write_file();
	ck_assert_msg(image_open(path, &err, &image) == 0, "%s", err.message);
	ck_assert_uint_eq(image->segments[0].data[0], 0xc3);
	image_close(image);
}
END_TEST

START_TEST(open_names_the_file_it_refuses)
{
	header()->e_type = ET_REL;
	write_file();
	open_fails(path, -ENOEXEC, "relocatable object, not linked");
}
END_TEST

START_TEST(open_refuses_a_missing_file)
{
	open_fails(path, -ENOENT, "cannot open: No such file or directory");
}
END_TEST

START_TEST(open_refuses_an_empty_file)
{
	elf.size = 0;
	write_file();
	open_fails(path, -ENOEXEC, "the file is empty");
}
END_TEST

START_TEST(open_refuses_a_file_that_is_too_large)
{
	write_file();
	ck_assert_int_eq(truncate(path, IMAGE_FILE_MAX + 1), 0);
	open_fails(path, -EFBIG,
		   "67108865 bytes; an image may have 67108864 at most");
}
END_TEST

START_TEST(open_refuses_a_directory)
{
	open_fails(directory, -ENOEXEC, "not a regular file");
}
END_TEST

START_TEST(open_does_not_wait_for_a_fifo)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	open_fails(path, -ENOEXEC, "not a regular file");
}
END_TEST

START_TEST(close_accepts_null)
{
	image_close(NULL);
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

static void add_accepted(Suite *suite)
{
	TCase *group = add_case(suite, "accepted", build_executable, NULL);

	tcase_add_test(group, executable_has_its_segments_by_address);
	tcase_add_test(group, segments_are_sorted_even_if_headers_are_not);
	tcase_add_test(group, segment_without_memory_is_ignored);
	tcase_add_test(group, segment_without_data_may_have_any_offset);
	tcase_add_test(group, segment_may_end_with_the_highest_address);
	tcase_add_test(group, sixteen_segments_are_accepted);
	tcase_add_test(group, file_may_change_after_parsing);
	tcase_add_test(group, pie_is_moved_to_the_start_of_images);
	tcase_add_test(group, pie_linked_at_a_high_address_is_accepted);
}

static void add_loading(Suite *suite)
{
	TCase *group = add_case(suite, "loading", build_executable, NULL);

	tcase_add_test(group, load_copies_data_and_nothing_else);
	tcase_add_test(group,
		       load_accepts_an_image_that_ends_where_memory_ends);
	tcase_add_test(group, load_refuses_an_image_that_ends_beyond_memory);
}

static void add_opening(Suite *suite)
{
	TCase *group =
		add_case(suite, "opening", make_directory, remove_directory);

	tcase_add_test(group, open_reads_a_file);
	tcase_add_test(group, open_names_the_file_it_refuses);
	tcase_add_test(group, open_refuses_a_missing_file);
	tcase_add_test(group, open_refuses_an_empty_file);
	tcase_add_test(group, open_refuses_a_file_that_is_too_large);
	tcase_add_test(group, open_refuses_a_directory);
	tcase_add_test(group, open_does_not_wait_for_a_fifo);
	tcase_add_test(group, close_accepts_null);
}

int main(void)
{
	Suite *suite = suite_create("image");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_accepted(suite);
	add_loading(suite);
	add_opening(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
