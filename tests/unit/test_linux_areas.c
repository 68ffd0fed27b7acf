/* test_linux_areas.c - the table of a program's areas, and the headers of programs. */
#include "executor/linux/areas.h"

#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_arch.h"
#include "vm/image/program.h"

#define PAGE 4096u
#define P(n) ((uint64_t)(n)*PAGE)
#define R IMAGE_PROT_READ
#define RW (IMAGE_PROT_READ | IMAGE_PROT_WRITE)

static struct areas areas;

static void empty(void)
{
	areas_done(&areas);
}

/* The same operations on an array of pages, of which nothing can be wrong. */
#define PAGES 64
static int model[PAGES]; /* the protection plus 1; 0: free */

static void compare(void)
{
	for (unsigned page = 0; page < PAGES; page++) {
		const struct area *area = areas_next(&areas, P(page));
		const bool is_mapped = area && area->start <= P(page);

		ck_assert_int_eq(is_mapped, model[page] != 0);
		if (is_mapped)
			ck_assert_uint_eq(area->prot + 1, model[page]);
	}
	/* neighbours of one kind are one; the order is that of addresses */
	for (size_t i = 0; i < areas.count; i++)
		ck_assert_uint_lt(areas.list[i].start, areas.list[i].end);
	for (size_t i = 1; i < areas.count; i++)
		ck_assert_uint_le(areas.list[i - 1].end, areas.list[i].start);
}

START_TEST(areas_are_what_was_set_and_cleared)
{
	srandom(7);
	for (int i = 0; i < 20000; i++) {
		const unsigned a = (unsigned)random() % PAGES;
		const unsigned b = a + 1 + (unsigned)random() % (PAGES - a);
		const unsigned prot = (unsigned)random() % 4;

		if (prot == 3) {
			ck_assert(!areas_clear(&areas, P(a), P(b)));
		} else {
			ck_assert(!areas_set(&areas, P(a), P(b), prot));
		}
		for (unsigned page = a; page < b; page++)
			model[page] = prot == 3 ? 0 : (int)prot + 1;
		compare();
	}
	empty();
}
END_TEST

START_TEST(areas_allow_what_all_pages_allow)
{
	ck_assert(!areas_set(&areas, P(2), P(4), R));
	ck_assert(!areas_set(&areas, P(4), P(6), RW));
	ck_assert(areas_allow(&areas, P(2), P(6), R));
	ck_assert(areas_allow(&areas, P(3), P(3) + 5, R));
	ck_assert(areas_allow(&areas, P(4), P(6), RW));
	ck_assert(!areas_allow(&areas, P(3), P(6), RW));
	ck_assert(!areas_allow(&areas, P(1), P(3), R));
	ck_assert(!areas_allow(&areas, P(5), P(6) + 1, R));
	ck_assert(!areas_allow(&areas, P(5), UINT64_MAX, R));
	ck_assert(areas_are_free(&areas, P(0), P(2)));
	ck_assert(areas_are_free(&areas, P(6), UINT64_MAX));
	ck_assert(!areas_are_free(&areas, P(0), P(2) + 1));
	empty();
}
END_TEST

START_TEST(frames_are_no_part_of_the_program)
{
	ck_assert(!areas_set(&areas, P(2), P(4), R));
	ck_assert(!areas_set(&areas, P(4), P(6), AREA_FRAMES));
	ck_assert(areas_allow(&areas, P(2), P(4), 0));
	ck_assert(!areas_allow(&areas, P(4), P(5), 0));
	ck_assert(!areas_allow(&areas, P(2), P(6), 0));
	ck_assert(!areas_allow(&areas, P(4), P(6), R));
	/* but the place is taken */
	ck_assert(!areas_are_free(&areas, P(4), P(5)));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(6), P(1)), P(1));
	empty();
}
END_TEST

START_TEST(the_highest_gap_is_found)
{
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(8)), P(1));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(9)), 0);
	ck_assert(!areas_set(&areas, P(7), P(8), R));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(1)), P(8));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(2)), P(5));
	ck_assert(!areas_set(&areas, P(8), P(12), RW));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(6)), P(1));
	ck_assert_uint_eq(areas_gap(&areas, P(1), P(9), P(7)), 0);
	ck_assert_uint_eq(areas_gap(&areas, P(8), P(9), P(1)), 0);
	empty();
}
END_TEST

START_TEST(there_are_no_more_areas_than_the_limit)
{
	uint64_t at = 0;
	int r;

	while (!(r = areas_set(&areas, P(at), P(at + 1), R)))
		at += 2;
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_uint_ge(areas.count, AREAS_MAX - 2);
	ck_assert_uint_le(areas.count, AREAS_MAX);
	ck_assert(areas_allow(&areas, P(at - 2), P(at - 1), R));
	empty();
}
END_TEST

START_TEST(a_copy_is_equal_and_its_own)
{
	struct areas copy = { NULL, 0, 0 };

	ck_assert(!areas_set(&areas, P(1), P(2), R));
	ck_assert(!areas_copy(&copy, &areas));
	ck_assert(!areas_set(&areas, P(1), P(2), RW));
	ck_assert_uint_eq(copy.count, 1);
	ck_assert_uint_eq(copy.list[0].prot, R);
	empty();
	ck_assert(!areas_copy(&copy, &areas));
	ck_assert_uint_eq(copy.count, 0);
	areas_done(&copy);
}
END_TEST

/* A program of two segments and an interpreter. */
static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	char interpreter[16];
	char rest[2 * PAGE];
} file;

static struct error err;
static struct program program;

static void make_file(void)
{
	memset(&file, 0, sizeof(file));
	memcpy(file.header.e_ident, ELFMAG, SELFMAG);
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_ident[EI_VERSION] = EV_CURRENT;
	file.header.e_type = ET_DYN;
	file.header.e_machine = IMAGE_ARCH_MACHINE;
	file.header.e_entry = 0x40;
	file.header.e_phoff = sizeof(file.header);
	file.header.e_phentsize = sizeof(Elf64_Phdr);
	file.header.e_phnum = 3;
	file.segments[0] = (Elf64_Phdr){
		.p_type = PT_INTERP,
		.p_offset = offsetof(__typeof__(file), interpreter),
		.p_filesz = sizeof("/lib/ld.so"),
	};
	strcpy(file.interpreter, "/lib/ld.so");
	file.segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
					 .p_flags = PF_R | PF_X,
					 .p_filesz = 0x300,
					 .p_memsz = 0x300,
					 .p_align = PAGE };
	file.segments[2] = (Elf64_Phdr){ .p_type = PT_LOAD,
					 .p_flags = PF_R | PF_W,
					 .p_offset = 0x300,
					 .p_vaddr = 0x1300,
					 .p_filesz = 0x100,
					 .p_memsz = 0x2000,
					 .p_align = PAGE };
}

static int read_file(void)
{
	return program_read(&file, sizeof(file), &err, &program);
}

START_TEST(a_programs_headers_are_read)
{
	make_file();
	ck_assert_msg(!read_file(), "%s", err.message);
	ck_assert_uint_eq(program.segment_count, 2);
	ck_assert(program.is_movable);
	ck_assert_str_eq(program.interpreter, "/lib/ld.so");
	ck_assert_uint_eq(program.headers, sizeof(file.header));
	ck_assert_uint_eq(program.header_count, 3);
	ck_assert_uint_eq(program.segments[1].start, 0x1000);
	ck_assert_uint_eq(program.segments[1].end, 0x4000);
	ck_assert_uint_eq(program.segments[1].data_start, 0x1300);
	ck_assert_uint_eq(program.segments[1].prot, RW);
}
END_TEST

#define REFUSED(change)                                  \
	do {                                             \
		make_file();                             \
		change;                                  \
		ck_assert_int_eq(read_file(), -ENOEXEC); \
		ck_assert_str_ne(err.message, "");       \
		*err.message = '\0';                     \
	} while (0)

START_TEST(a_damaged_program_is_refused)
{
	REFUSED(file.header.e_machine = EM_RISCV);
	REFUSED(file.header.e_phnum = 0);
	REFUSED(file.header.e_phoff = sizeof(file));
	REFUSED(file.header.e_entry = 0x1300);
	REFUSED(file.header.e_entry = 0x9000);
	REFUSED(file.segments[0].p_offset = UINT64_MAX);
	REFUSED(file.segments[0].p_filesz = 3);
	REFUSED(file.segments[0].p_filesz = 0);
	REFUSED(file.interpreter[0] = 'l');
	REFUSED(file.segments[1].p_flags |= PF_W);
	REFUSED(file.segments[1].p_filesz = sizeof(file) + 1);
	REFUSED(file.segments[2].p_vaddr = 0x300);
	REFUSED(file.segments[2].p_vaddr = 0x1301);
	REFUSED(file.segments[2].p_vaddr = UINT64_MAX - 0xcff);
	REFUSED(file.segments[2].p_vaddr = 0xffff800000001300);
	REFUSED(file.segments[2].p_memsz = UINT64_MAX);
	REFUSED(file.segments[2].p_memsz = 0xff);
	REFUSED(file.segments[1].p_type = file.segments[2].p_type = PT_NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_areas");
	TCase *tests = tcase_create("linux_areas");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, areas_are_what_was_set_and_cleared);
	tcase_add_test(tests, areas_allow_what_all_pages_allow);
	tcase_add_test(tests, frames_are_no_part_of_the_program);
	tcase_add_test(tests, the_highest_gap_is_found);
	tcase_add_test(tests, there_are_no_more_areas_than_the_limit);
	tcase_add_test(tests, a_copy_is_equal_and_its_own);
	tcase_add_test(tests, a_programs_headers_are_read);
	tcase_add_test(tests, a_damaged_program_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
