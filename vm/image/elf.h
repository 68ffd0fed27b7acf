/* elf.h - checks the ELF header and the program headers, for open.c. */
#ifndef VM_IMAGE_ELF_H
#define VM_IMAGE_ELF_H

#include <elf.h>
#include <stdint.h>

struct error;
struct image_reader;

/*
 * Checks that the bytes are an ELF file of our kind and that the tables of
 * program and section headers lie inside. Sets the reader's header. -ENOEXEC.
 */
int image_read_header(struct image_reader *reader, struct error *err);

/*
 * Checks the program headers and sets the image's segments, entry and end and
 * the reader's bias. -ENOEXEC.
 */
int image_read_segments(struct image_reader *reader, struct error *err);

/*
 * Refuses @what, @size bytes at @offset, unless it lies inside of the file.
 * -ENOEXEC.
 */
int image_check_extent(const struct image_reader *reader, const char *what,
		       uint64_t offset, uint64_t size, struct error *err);

/*
 * Checks what can be said of the program header @number, a PT_LOAD, without knowing
 * the others. -ENOEXEC.
 */
int image_check_load(const struct image_reader *reader, unsigned number,
		     const Elf64_Phdr *header, struct error *err);

/* IMAGE_PROT_* of a program header's flags. */
unsigned image_segment_prot(uint32_t flags);

#endif
