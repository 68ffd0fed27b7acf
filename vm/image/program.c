/* program.c - see program.h. References: ELF gABI chapter 5; psABI. Next: elf.c. */
#include "vm/image/program.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vm/image/elf.h"
#include "vm/image/image_internal.h"

#define PAGE_MASK ((uint64_t)THAW_PAGE_SIZE - 1)
/* No program may lie above; so sums with a place in guest memory do not wrap. */
#define ADDRESS_MAX (1ull << 47)

static int take_interpreter(const struct image_reader *reader,
			    const Elf64_Phdr *header, struct program *program,
			    struct error *err)
{
	const uint64_t size = header->p_filesz;
	int r = image_check_extent(reader, "the interpreter's path",
				   header->p_offset, size, err);

	if (r)
		return r;
	if (!size || size > sizeof(program->interpreter) ||
	    reader->bytes[header->p_offset + size - 1] != '\0' ||
	    reader->bytes[header->p_offset] != '/')
		return error_set(err, -ENOEXEC,
				 "its interpreter is not an absolute path of %d "
				 "bytes at most",
				 PROGRAM_INTERPRETER_MAX - 1);
	memcpy(program->interpreter, reader->bytes + header->p_offset, size);
	return 0;
}

/* Keeps them in the order of their addresses, as the gABI has them. */
static int take_segment(const struct image_reader *reader, unsigned number,
			const Elf64_Phdr *header, struct program *program,
			struct error *err)
{
	struct program_segment *segment =
		&program->segments[program->segment_count];
	int r = image_check_load(reader, number, header, err);

	if (r || !header->p_memsz)
		return r;
	if (program->segment_count == IMAGE_SEGMENTS_MAX)
		return error_set(err, -ENOEXEC, "more than %u segments to load",
				 IMAGE_SEGMENTS_MAX);
	if (header->p_vaddr + header->p_memsz > ADDRESS_MAX)
		return error_set(err, -ENOEXEC,
				 "segment %u at 0x%" PRIx64
				 " is not in user space",
				 number, header->p_vaddr);
	*segment = (struct program_segment){
		.start = header->p_vaddr & ~PAGE_MASK,
		.end = (header->p_vaddr + header->p_memsz + PAGE_MASK) &
		       ~PAGE_MASK,
		.data_start = header->p_vaddr,
		.data_size = header->p_filesz,
		.offset = header->p_offset,
		.prot = image_segment_prot(header->p_flags),
	};
	if (program->segment_count && segment[-1].end > segment->start)
		return error_set(err, -ENOEXEC,
				 "segment %u at 0x%" PRIx64
				 " begins in or before the page in which the "
				 "one before it ends",
				 number, header->p_vaddr);
	program->segment_count++;
	return 0;
}

/* Where the program headers are once the segments are in memory. */
static void find_headers(const struct image_reader *reader,
			 struct program *program)
{
	const uint64_t offset = reader->header.e_phoff;
	const uint64_t size =
		(uint64_t)reader->header.e_phnum * sizeof(Elf64_Phdr);

	program->header_count = reader->header.e_phnum;
	for (unsigned i = 0; i < program->segment_count; i++) {
		const struct program_segment *s = &program->segments[i];

		if (offset >= s->offset &&
		    image_range_inside(offset - s->offset, size, s->data_size))
			program->headers = s->data_start + offset - s->offset;
	}
}

static int check_entry(const struct program *program, struct error *err)
{
	for (unsigned i = 0; i < program->segment_count; i++) {
		const struct program_segment *s = &program->segments[i];

		if (program->entry >= s->start && program->entry < s->end &&
		    (s->prot & IMAGE_PROT_EXECUTE))
			return 0;
	}
	return error_set(err, -ENOEXEC,
			 "entry point 0x%" PRIx64
			 " is not in an executable segment",
			 program->entry);
}

int program_read(const void *bytes, size_t size, struct error *err,
		 struct program *ret_program)
{
	struct image_reader reader = { .bytes = bytes, .size = size };
	struct program program = { .segment_count = 0 };
	int r = image_read_header(&reader, err);

	for (unsigned i = 0; i < reader.header.e_phnum && !r; i++) {
		Elf64_Phdr header;

		/* the table is inside of the file; the host is little endian */
		memcpy(&header,
		       reader.bytes + reader.header.e_phoff +
			       i * sizeof(header),
		       sizeof(header));
		if (header.p_type == PT_INTERP)
			r = take_interpreter(&reader, &header, &program, err);
		else if (header.p_type == PT_LOAD)
			r = take_segment(&reader, i, &header, &program, err);
	}
	if (r)
		return r;
	if (!program.segment_count)
		return error_set(err, -ENOEXEC,
				 "nothing to load: no PT_LOAD program header");
	program.is_movable = reader.header.e_type == ET_DYN;
	program.entry = reader.header.e_entry;
	find_headers(&reader, &program);
	r = check_entry(&program, err);
	if (!r)
		*ret_program = program;
	return r;
}
