/*
 * test_store_layout.c - a snapshot's file has a guest's memory as it is, so how that is laid
 * out is part of the file's format.
 *
 * What a guest would have is made of an image without code, and each part compared with its
 * hash in golden/layout.txt. If one differs, files that were written before do not fit any
 * more: raise STORE_FORMAT or THAW_ABI_VERSION, and put the new hashes there, of both
 * architectures: LAYOUT_GOLDEN=FILE has this one's written.
 *
 * A whole file of a guest would be no better a sample: what it has besides, a compiler, an
 * assembler or KVM has made. Stubs are part of a snapshot's key, and so is the image; the
 * vcpu's state is compared with what KVM says now.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "snapshot/info.h"
#include "snapshot/pages.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/store/file.h"
#include "vm/image/image.h"
#include "vm/layout.h"

#define GOLDEN "tests/unit/golden/layout.txt"
#define MEMORY (8u << 20)

static struct layout layout;
static uint8_t *memory;
static struct error err;
static char lines[4096];

static void set_up(void)
{
	static char *environment[] = { "GREETING=Salut", NULL };
	const struct layout_config config = {
		.memory_size = MEMORY,
		.stack_size = 64u << 10,
		.request_size = 128u << 10,
		.reply_size = 64u << 10,
		.result_size = 4096,
		.control = LAYOUT_CONTROL_SUPERVISOR,
	};
	struct image image = {
		.segments = {
			{ .gva = THAW_GPA_IMAGE,
			  .size = 0x3000,
			  .prot = IMAGE_PROT_READ | IMAGE_PROT_EXECUTE },
			{ .gva = THAW_GPA_IMAGE + 0x3000,
			  .size = 0x2000,
			  .prot = IMAGE_PROT_READ },
			{ .gva = THAW_GPA_IMAGE + 0x5000,
			  .size = 0x4000,
			  .prot = IMAGE_PROT_READ | IMAGE_PROT_WRITE },
		},
		.segment_count = 3,
		.entry = THAW_GPA_IMAGE + 0x100,
		.end = THAW_GPA_IMAGE + 0x9000,
	};

	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert_msg(!layout_plan(&image, &config, &err, &layout), "%s",
		      err.message);
	ck_assert_int_eq(pages_prepare(memory, &layout, environment,
				       THAW_HOST_LOCAL_PRINT, &err),
			 0);
	pages_freeze(memory, &layout, DIRTY_BITMAP, THAW_GPA_IMAGE + 0x200);
	/* where the stub rings the doorbell is the assembler's affair */
	info_of(memory)->done = 0;
}

static void tear_down(void)
{
	munmap(memory, MEMORY);
}

static void add_line(const char *name, const void *bytes, size_t size)
{
	uint8_t hash[STORE_HASH_SIZE];
	char *at = lines + strlen(lines);
	struct utsname machine;

	ck_assert_int_eq(uname(&machine), 0);
	store_hash(bytes, size, hash);
	at += sprintf(at, "%s %u.%u %s ", machine.machine, THAW_ABI_VERSION,
		      STORE_FORMAT, name);
	for (size_t i = 0; i < 16; i++)
		at += sprintf(at, "%02x", hash[i]);
	strcpy(at, "\n");
}

/* Offsets and sizes of what is in memory, or in the file, as the host has them. */
static void add_sizes(void)
{
	const uint64_t sizes[] = {
		sizeof(struct ready),
		offsetof(struct ready, dispatch),
		offsetof(struct ready, registered_count),
		sizeof(struct thaw_info),
		offsetof(struct thaw_info, counter_base),
		sizeof(struct thaw_mailbox),
		sizeof(struct thaw_handler_entry),
		sizeof(struct thaw_function_entry),
		sizeof(struct store_header),
		THAW_GPA_SUPERVISOR,
		THAW_GPA_FAULT,
		THAW_GPA_STUB,
		THAW_GPA_MAILBOX,
		THAW_GPA_HEADERS,
		THAW_GPA_LOG,
		THAW_GPA_ENVIRONMENT,
	};

	add_line("sizes", sizes, sizeof(sizes));
}

START_TEST(the_layout_of_memory_is_that_of_its_version)
{
	const uint64_t ranges[] = {
		layout.heap.start,  layout.heap.size,	  layout.stack.start,
		layout.stack.size,  layout.request.start, layout.request.size,
		layout.reply.start, layout.reply.size,	  layout.result.start,
		layout.result.size, layout.tables.start,  layout.tables.size,
	};
	static char golden[1 << 16];
	FILE *file;
	char *line, *next;

	add_sizes();
	add_line("ranges", ranges, sizeof(ranges));
	add_line("tables", memory + layout.tables.start, layout.tables.size);
	add_line("info", memory + THAW_GPA_INFO, THAW_PAGE_SIZE);
	add_line("environment", memory + THAW_GPA_ENVIRONMENT,
		 THAW_ENVIRONMENT_MAX);
	if (getenv("LAYOUT_GOLDEN")) {
		file = fopen(getenv("LAYOUT_GOLDEN"), "w");
		ck_assert_ptr_nonnull(file);
		fputs(lines, file);
		fclose(file);
	}
	file = fopen(GOLDEN, "r");
	ck_assert_ptr_nonnull(file);
	golden[fread(golden, 1, sizeof(golden) - 1, file)] = '\0';
	fclose(file);
	for (line = lines; *line; line = next) {
		next = strchr(line, '\n');
		*next++ = '\0';
		ck_assert_msg(strstr(golden, line) != NULL,
			      "not in " GOLDEN ": %s", line);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_layout");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("store_layout");
	int failed;

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, the_layout_of_memory_is_that_of_its_version);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
