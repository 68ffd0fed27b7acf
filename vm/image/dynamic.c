/*
 * dynamic.c - reads the dynamic section of a static PIE: what must not
 * be in it, and the relocations image_load() applies. References: ELF gABI
 * chapter 5 (dynamic section). Next: symbols.c.
 */
#include "vm/image/dynamic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "image_arch.h"
#include "vm/image/elf.h"
#include "vm/image/image_internal.h"

/* The table of relocations, in the terms of the dynamic section. */
struct rela_table {
	uint64_t address;
	uint64_t size;
	uint64_t entry_size;
};

static int read_entry(const GElf_Dyn *entry, struct rela_table *table,
		      struct error *err)
{
	switch (entry->d_tag) {
	case DT_RELA:
		table->address = entry->d_un.d_ptr;
		return 0;
	case DT_RELASZ:
		table->size = entry->d_un.d_val;
		return 0;
	case DT_RELAENT:
		table->entry_size = entry->d_un.d_val;
		return 0;
	case DT_FLAGS:
		if (!(entry->d_un.d_val & DF_TEXTREL))
			return 0;
		/* fallthrough */
	case DT_TEXTREL:
		return error_set(err, -ENOEXEC,
				 "relocations in its code (DT_TEXTREL): "
				 "compile it with -fPIE");
	case DT_NEEDED:
		return error_set(err, -ENOEXEC,
				 "dynamically linked (needs shared "
				 "libraries): link it with -static");
	case DT_REL:
		return error_set(err, -ENOEXEC,
				 "relocations without addends (DT_REL)");
	case DT_RELR:
		return error_set(err, -ENOEXEC,
				 "packed relocations (DT_RELR): link it with "
				 "-Wl,-z,nopack-relative-relocs");
	case DT_JMPREL:
		return error_set(err, -ENOEXEC,
				 "relocations of a procedure linkage table "
				 "(DT_JMPREL), as indirect functions (ifunc, "
				 "target_clones) have them: link it with "
				 "-static -no-pie");
	default:
		return 0;
	}
}

static int read_entries(const struct image_reader *reader,
			const GElf_Phdr *header, struct rela_table *table,
			struct error *err)
{
	Elf_Data *data;
	GElf_Dyn entry;
	int r;

	data = elf_getdata_rawchunk(reader->elf, (int64_t)header->p_offset,
				    header->p_filesz, ELF_T_DYN);
	if (!data)
		return error_set(err, -ENOEXEC, "dynamic section: %s",
				 elf_errmsg(-1));
	for (int i = 0; gelf_getdyn(data, i, &entry); i++) {
		if (entry.d_tag == DT_NULL)
			break;
		r = read_entry(&entry, table, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the file has the table: all of it must be in one segment. */
static int find_table(const struct image_reader *reader,
		      const struct rela_table *table, uint64_t *ret_offset,
		      struct error *err)
{
	uint64_t gva = table->address + reader->bias;
	const struct image_segment *segment;

	if (table->entry_size != sizeof(Elf64_Rela) ||
	    table->size % sizeof(Elf64_Rela) != 0)
		return error_set(err, -ENOEXEC,
				 "relocation table of %" PRIu64
				 " bytes with entries of %" PRIu64
				 "; ELF says %zu",
				 table->size, table->entry_size,
				 sizeof(Elf64_Rela));
	segment = image_find_segment(reader->image, gva, table->size);
	if (!segment || gva < segment->data_gva ||
	    !image_range_inside(gva - segment->data_gva, table->size,
				segment->data_size))
		return error_set(err, -ENOEXEC,
				 "relocation table (%" PRIu64
				 " bytes at 0x%" PRIx64 ") is outside of the "
				 "segments",
				 table->size, table->address);
	*ret_offset = segment->data - reader->bytes + (gva - segment->data_gva);
	return 0;
}

/* Adds relocation @number to the image's. There is room. */
static int add_relocation(const struct image_reader *reader,
			  const GElf_Rela *rela, int number, struct error *err)
{
	struct image_private *file = reader->image->internal;
	uint64_t type = GELF_R_TYPE(rela->r_info);
	uint64_t gva = rela->r_offset + reader->bias;

	if (type == IMAGE_ARCH_RELOCATION_NONE)
		return 0;
	if (type != IMAGE_ARCH_RELOCATION_RELATIVE)
		return error_set(err, -ENOEXEC,
				 "relocation %d, at 0x%" PRIx64 ", is of type "
				 "%" PRIu64 ", not relative: link it with "
				 "-static -no-pie",
				 number, rela->r_offset, type);
	if (!image_find_segment(reader->image, gva, sizeof(uint64_t)))
		return error_set(err, -ENOEXEC,
				 "relocation %d, at 0x%" PRIx64 ", is outside "
				 "of the segments",
				 number, rela->r_offset);
	file->relocations[file->relocation_count++] = (struct image_relocation){
		.gva = gva,
		.value = reader->bias + rela->r_addend,
	};
	return 0;
}

static int read_relocations(const struct image_reader *reader,
			    const struct rela_table *table, struct error *err)
{
	struct image_private *file = reader->image->internal;
	int count;
	uint64_t offset = 0;
	Elf_Data *data;
	GElf_Rela rela;
	int r;

	r = find_table(reader, table, &offset, err);
	if (r < 0)
		return r;
	data = elf_getdata_rawchunk(reader->elf, (int64_t)offset, table->size,
				    ELF_T_RELA);
	if (!data)
		return error_set(err, -ENOEXEC, "relocation table: %s",
				 elf_errmsg(-1));
	/* No file is so large that an int would not do. */
	count = (int)(table->size / sizeof(Elf64_Rela));
	file->relocations = calloc(count, sizeof(file->relocations[0]));
	if (!file->relocations)
		return error_set(err, -ENOMEM, "out of memory");
	for (int i = 0; i < count && gelf_getrela(data, i, &rela); i++) {
		r = add_relocation(reader, &rela, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int image_read_dynamic(struct image_reader *reader, struct error *err)
{
	struct rela_table table = { .size = 0 };
	GElf_Phdr header = { .p_type = PT_NULL };
	int r;

	for (int i = 0; header.p_type != PT_DYNAMIC; i++) {
		if (!gelf_getphdr(reader->elf, i, &header))
			return 0;
	}
	r = image_check_extent(reader, "the dynamic section", header.p_offset,
			       header.p_filesz, err);
	if (r < 0)
		return r;
	r = read_entries(reader, &header, &table, err);
	if (r < 0 || table.size == 0)
		return r;
	return read_relocations(reader, &table, err);
}
