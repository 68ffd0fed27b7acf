/*
 * elf.c - checks the headers of an ELF file and finds its segments.
 *
 * Nothing in the file is believed: an offset or a size is first checked
 * against what it must lie in, in a way that no sum can wrap. References: ELF
 * gABI chapters 4 (header) and 5 (program header). Next: dynamic.c.
 */
#include "vm/image/elf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "image_arch.h"
#include "vm/image/image_internal.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)

/* What segments may fill, from THAW_GPA_IMAGE on. */
#define IMAGE_ROOM (IMAGE_MEMORY_MAX - THAW_GPA_IMAGE)

/* A PT_LOAD and its place in the table of program headers. */
struct load {
	unsigned number;
	GElf_Phdr header;
};

struct load_list {
	struct load loads[IMAGE_SEGMENTS_MAX]; /* by address */
	unsigned count;
};

static const char *machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = {
		{ EM_X86_64, "x86_64" }, { EM_AARCH64, "AArch64" },
		{ EM_RISCV, "RISC-V" },	 { EM_PPC64, "PowerPC64" },
		{ EM_S390, "S/390" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return "an unknown machine";
}

static int check_ident(const uint8_t *bytes, size_t size, struct error *err)
{
	if (size < SELFMAG)
		return error_set(err, -ENOEXEC,
				 "not an ELF file (only %zu bytes)", size);
	if (memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return error_set(err, -ENOEXEC,
				 "not an ELF file (starts with %02x %02x %02x "
				 "%02x)",
				 bytes[0], bytes[1], bytes[2], bytes[3]);
	if (size < EI_NIDENT)
		return error_set(err, -ENOEXEC,
				 "truncated: %zu bytes of an ELF header", size);
	if (bytes[EI_CLASS] == ELFCLASS32)
		return error_set(err, -ENOEXEC,
				 "32-bit ELF file; images are 64-bit");
	if (bytes[EI_CLASS] != ELFCLASS64)
		return error_set(err, -ENOEXEC, "unknown ELF class %u",
				 bytes[EI_CLASS]);
	if (bytes[EI_DATA] == ELFDATA2MSB)
		return error_set(err, -ENOEXEC,
				 "big endian ELF file; images are little "
				 "endian");
	if (bytes[EI_DATA] != ELFDATA2LSB)
		return error_set(err, -ENOEXEC, "unknown ELF byte order %u",
				 bytes[EI_DATA]);
	if (bytes[EI_VERSION] != EV_CURRENT)
		return error_set(err, -ENOEXEC, "unknown ELF version %u",
				 bytes[EI_VERSION]);
	return 0;
}

static int check_type(const Elf64_Ehdr *header, struct error *err)
{
	if (header->e_machine != IMAGE_ARCH_MACHINE)
		return error_set(err, -ENOEXEC,
				 "for %s (ELF machine %u); this thaw runs %s "
				 "images",
				 machine_name(header->e_machine),
				 header->e_machine,
				 machine_name(IMAGE_ARCH_MACHINE));
	if (header->e_type == ET_REL)
		return error_set(err, -ENOEXEC,
				 "relocatable object, not linked");
	if (header->e_type == ET_CORE)
		return error_set(err, -ENOEXEC, "core dump, not an executable");
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return error_set(err, -ENOEXEC,
				 "ELF type %u, not an executable",
				 header->e_type);
	return 0;
}

int image_check_extent(const struct image_reader *reader, const char *what,
		       uint64_t offset, uint64_t size, struct error *err)
{
	uint64_t end;

	if (image_range_inside(offset, size, reader->size))
		return 0;
	if (__builtin_add_overflow(offset, size, &end))
		end = UINT64_MAX;
	return error_set(err, -ENOEXEC,
			 "truncated: %s ends at byte %" PRIu64
			 " of a file of %zu",
			 what, end, reader->size);
}

static int check_tables(const struct image_reader *reader, struct error *err)
{
	const Elf64_Ehdr *header = &reader->header;
	int r;

	if (header->e_phnum == PN_XNUM)
		return error_set(err, -ENOEXEC,
				 "65535 or more program headers");
	if (header->e_phnum > 0 && header->e_phentsize != sizeof(Elf64_Phdr))
		return error_set(err, -ENOEXEC,
				 "program headers of %u bytes; ELF says %zu",
				 header->e_phentsize, sizeof(Elf64_Phdr));
	r = image_check_extent(reader, "the table of program headers",
			       header->e_phoff,
			       (uint64_t)header->e_phnum * sizeof(Elf64_Phdr),
			       err);
	if (r < 0)
		return r;

	if (header->e_shoff == 0)
		return 0;
	/* With e_shnum 0 the real number would be in the first section. */
	if (header->e_shnum == 0 || header->e_shentsize != sizeof(Elf64_Shdr))
		return error_set(err, -ENOEXEC,
				 "%u section headers of %u bytes; strip the "
				 "file or link it again",
				 header->e_shnum, header->e_shentsize);
	return image_check_extent(reader, "the table of section headers",
				  header->e_shoff,
				  (uint64_t)header->e_shnum *
					  sizeof(Elf64_Shdr),
				  err);
}

int image_read_header(struct image_reader *reader, struct error *err)
{
	int r;

	r = check_ident(reader->bytes, reader->size, err);
	if (r < 0)
		return r;
	if (reader->size < sizeof(reader->header))
		return error_set(err, -ENOEXEC,
				 "truncated: %zu bytes of an ELF header of %zu",
				 reader->size, sizeof(reader->header));
	/* The host is little endian, too. */
	memcpy(&reader->header, reader->bytes, sizeof(reader->header));
	r = check_type(&reader->header, err);
	if (r < 0)
		return r;
	return check_tables(reader, err);
}

static int refuse_interpreter(const struct image_reader *reader,
			      const GElf_Phdr *header, struct error *err)
{
	const char *name = NULL;
	size_t length = 0;

	if (image_range_inside(header->p_offset, header->p_filesz,
			       reader->size)) {
		name = (const char *)reader->bytes + header->p_offset;
		length = image_printable_length(name, header->p_filesz);
	}
	if (length == 0)
		return error_set(err, -ENOEXEC,
				 "dynamically linked: link it with -static");
	return error_set(err, -ENOEXEC,
			 "dynamically linked (needs %.*s): link it with "
			 "-static",
			 (int)length, name);
}

int image_check_load(const struct image_reader *reader, unsigned number,
		     const Elf64_Phdr *header, struct error *err)
{
	uint64_t align = header->p_align > 1 ? header->p_align : 1;
	char what[32];
	uint64_t end;

	if (header->p_filesz > header->p_memsz)
		return error_set(err, -ENOEXEC,
				 "segment %u has %" PRIu64 " bytes in the "
				 "file, but only %" PRIu64 " in memory",
				 number, header->p_filesz, header->p_memsz);
	if (__builtin_add_overflow(header->p_vaddr, header->p_memsz, &end))
		return error_set(err, -ENOEXEC,
				 "segment %u at 0x%" PRIx64 " wraps around the "
				 "end of the address space",
				 number, header->p_vaddr);
	if ((header->p_flags & PF_W) && (header->p_flags & PF_X))
		return error_set(err, -ENOEXEC,
				 "segment %u at 0x%" PRIx64 " is writable and "
				 "executable: link with separate code and data",
				 number, header->p_vaddr);
	if (align & (align - 1))
		return error_set(err, -ENOEXEC,
				 "segment %u has alignment 0x%" PRIx64
				 ", which is not a power of two",
				 number, align);
	if (header->p_filesz == 0)
		return 0;

	if ((header->p_vaddr ^ header->p_offset) & (align - 1))
		return error_set(err, -ENOEXEC,
				 "segment %u is misaligned: address 0x%" PRIx64
				 " and file offset 0x%" PRIx64
				 " differ modulo 0x%" PRIx64,
				 number, header->p_vaddr, header->p_offset,
				 align);
	snprintf(what, sizeof(what), "segment %u", number);
	return image_check_extent(reader, what, header->p_offset,
				  header->p_filesz, err);
}

static int add_load(struct load_list *list, const struct load *load,
		    struct error *err)
{
	unsigned i;

	if (list->count == IMAGE_SEGMENTS_MAX)
		return error_set(err, -ENOEXEC, "more than %u segments to load",
				 IMAGE_SEGMENTS_MAX);
	for (i = list->count; i > 0; i--) {
		if (list->loads[i - 1].header.p_vaddr <= load->header.p_vaddr)
			break;
		list->loads[i] = list->loads[i - 1];
	}
	list->loads[i] = *load;
	list->count++;
	return 0;
}

static int collect_loads(const struct image_reader *reader,
			 struct load_list *list, struct error *err)
{
	int r;

	for (unsigned i = 0; i < reader->header.e_phnum; i++) {
		struct load load = { .number = i };

		if (!gelf_getphdr(reader->elf, i, &load.header))
			return error_set(err, -ENOEXEC, "program header %u: %s",
					 i, elf_errmsg(-1));
		if (load.header.p_type == PT_INTERP)
			return refuse_interpreter(reader, &load.header, err);
		if (load.header.p_type != PT_LOAD)
			continue;
		r = image_check_load(reader, i, &load.header, err);
		if (r < 0)
			return r;
		if (load.header.p_memsz == 0)
			continue;
		r = add_load(list, &load, err);
		if (r < 0)
			return r;
	}
	if (list->count == 0)
		return error_set(err, -ENOEXEC,
				 "nothing to load: no PT_LOAD program header");
	return 0;
}

unsigned image_segment_prot(uint32_t flags)
{
	unsigned prot = 0;

	if (flags & PF_R)
		prot |= IMAGE_PROT_READ;
	if (flags & PF_W)
		prot |= IMAGE_PROT_WRITE;
	if (flags & PF_X)
		prot |= IMAGE_PROT_EXECUTE;
	return prot;
}

/*
 * Makes a segment of @load, where @base is the address in the file that comes
 * to lie at THAW_GPA_IMAGE.
 */
static int place_load(const struct image_reader *reader,
		      const struct load *load, uint64_t base,
		      struct image_segment *ret_segment, struct error *err)
{
	const GElf_Phdr *header = &load->header;
	uint64_t offset = header->p_vaddr - base;
	uint64_t start, end;

	if (header->p_vaddr < base)
		return error_set(err, -ENOEXEC,
				 "segment %u at 0x%" PRIx64 " lies below 0x%x, "
				 "the lowest address of an image",
				 load->number, header->p_vaddr, THAW_GPA_IMAGE);
	if (!image_range_inside(offset, header->p_memsz, IMAGE_ROOM))
		return error_set(err, -ENOEXEC,
				 "segment %u (0x%" PRIx64 " bytes at 0x%" PRIx64
				 ") ends beyond 0x%x, the highest address of "
				 "an image",
				 load->number, header->p_memsz, header->p_vaddr,
				 IMAGE_MEMORY_MAX);

	start = THAW_GPA_IMAGE + offset;
	end = start + header->p_memsz;
	*ret_segment = (struct image_segment){
		.gva = start & ~PAGE_MASK,
		.size = ((end + PAGE_MASK) & ~PAGE_MASK) - (start & ~PAGE_MASK),
		.prot = image_segment_prot(header->p_flags),
		.data_gva = start,
		.data = reader->bytes,
		.data_size = header->p_filesz,
	};
	/* Without bytes in the file the offset was not checked. */
	if (header->p_filesz > 0)
		ret_segment->data += header->p_offset;
	return 0;
}

static int place_loads(struct image_reader *reader,
		       const struct load_list *list, struct error *err)
{
	struct image *image = reader->image;
	uint64_t base = THAW_GPA_IMAGE;
	int r;

	if (reader->header.e_type == ET_DYN)
		base = list->loads[0].header.p_vaddr & ~PAGE_MASK;
	reader->bias = THAW_GPA_IMAGE - base;

	for (unsigned i = 0; i < list->count; i++) {
		struct image_segment *segment = &image->segments[i];

		r = place_load(reader, &list->loads[i], base, segment, err);
		if (r < 0)
			return r;
		if (segment->gva < image->end)
			return error_set(err, -ENOEXEC,
					 "segments %u and %u overlap (share "
					 "the page 0x%" PRIx64 ")",
					 list->loads[i - 1].number,
					 list->loads[i].number,
					 segment->gva - reader->bias);
		image->end = segment->gva + segment->size;
		image->segment_count++;
	}
	return 0;
}

int image_read_segments(struct image_reader *reader, struct error *err)
{
	struct load_list list = { .count = 0 };
	struct image *image = reader->image;
	const struct image_segment *segment;
	int r;

	r = collect_loads(reader, &list, err);
	if (r < 0)
		return r;
	r = place_loads(reader, &list, err);
	if (r < 0)
		return r;

	image->entry = reader->header.e_entry + reader->bias;
	image->bias = reader->bias;
	segment = image_find_segment(image, image->entry, 1);
	if (!segment || !(segment->prot & IMAGE_PROT_EXECUTE))
		return error_set(err, -ENOEXEC,
				 "entry point 0x%" PRIx64 " is not in an "
				 "executable segment",
				 reader->header.e_entry);
	return 0;
}
