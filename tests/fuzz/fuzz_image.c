/*
 * fuzz_image.c - libFuzzer target: any bytes as an image, parsed, loaded, and
 * asked for symbols. What is accepted must keep the promises of vm/image/image.h.
 *
 * The first run writes good files to begin with:
 *
 *	FUZZ_IMAGE_SEEDS=corpus fuzz_image -runs=0
 *	fuzz_image -max_len=16384 corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/image.h"
#include "vm/image/open.h"
#include "vm/image/symbols.h"

/* Larger images are parsed, but not loaded. */
#define LOAD_MAX (8u << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void write_seed(const struct elf_builder *elf, const char *directory,
		       const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	require(file != NULL);
	require(fwrite(elf->bytes, 1, elf->size, file) == elf->size);
	require(fclose(file) == 0);
}

static void add_symbols(struct elf_builder *elf, uint64_t address)
{
	const struct elf_builder_symbol symbols[] = {
		{ "start",
		  { .st_value = address,
		    .st_shndx = 1,
		    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE) } },
		{ "main",
		  { .st_value = address + 0x20,
		    .st_size = 0x10,
		    .st_shndx = 1,
		    .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC) } },
	};

	elf_builder_add_symbols(elf, symbols, 2);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = getenv("FUZZ_IMAGE_SEEDS");
	static struct elf_builder elf;

	(void)argc;
	(void)argv;
	if (!directory)
		return 0;
	elf_builder_executable(&elf);
	write_seed(&elf, directory, "executable");
	add_symbols(&elf, ELF_BUILDER_CODE);
	write_seed(&elf, directory, "executable_symbols");
	elf_builder_pie(&elf);
	write_seed(&elf, directory, "pie");
	add_symbols(&elf, ELF_BUILDER_PIE_CODE);
	write_seed(&elf, directory, "pie_symbols");
	return 0;
}

static void check_segments(const struct image *image)
{
	uint64_t end = THAW_GPA_IMAGE;
	unsigned entry_prot = 0;

	require(image->segment_count > 0);
	require(image->segment_count <= IMAGE_SEGMENTS_MAX);
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		const unsigned both = IMAGE_PROT_WRITE | IMAGE_PROT_EXECUTE;

		require(segment->gva >= end);
		require(segment->size > 0);
		require(segment->gva % THAW_PAGE_SIZE == 0);
		require(segment->size % THAW_PAGE_SIZE == 0);
		require((segment->prot & both) != both);
		end = segment->gva + segment->size;
		require(segment->data_gva >= segment->gva);
		require(segment->data_gva <= end);
		require(segment->data_size <= end - segment->data_gva);
		if (image->entry >= segment->gva && image->entry < end)
			entry_prot = segment->prot;
	}
	require(image->end == end);
	require(end <= IMAGE_MEMORY_MAX);
	require(entry_prot & IMAGE_PROT_EXECUTE);
}

static void check_symbol(const struct image *image, uint64_t gva)
{
	uint64_t offset = 0;
	const char *name = image_symbol(image, gva, &offset);

	if (!name)
		return;
	require(strlen(name) > 0 && strlen(name) <= IMAGE_SYMBOL_NAME_MAX);
	require(offset <= gva);
	for (; *name; name++)
		require(*name >= ' ' && *name <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct image *image;
	struct error err = { "" };
	int r = image_parse(bytes, size, "fuzz", &err, &image);

	if (r < 0) {
		require(strncmp(err.message, "fuzz: ", 6) == 0);
		return 0;
	}
	check_segments(image);
	if (image->end <= LOAD_MAX) {
		uint8_t *memory = calloc(1, image->end);

		require(memory != NULL);
		require(image_load(image, memory, image->end, &err) == 0);
		require(image_load(image, memory, image->end - 1, &err) < 0);
		free(memory);
	}
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		check_symbol(image, segment->gva - 1);
		for (uint64_t at = 0; at < THAW_PAGE_SIZE; at += 16)
			check_symbol(image, segment->gva + at);
		check_symbol(image, segment->gva + segment->size - 1);
	}
	image_close(image);
	return 0;
}
