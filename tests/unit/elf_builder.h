/*
 * elf_builder.h - makes small ELF files in memory, good and bad ones.
 *
 *	static struct elf_builder elf;
 *
 *	elf_builder_executable(&elf);			a good file
 *	elf_builder_program(&elf, 0)->p_vaddr = 0;	a bad one
 *	image_parse(elf.bytes, elf.size, ...);
 *
 * The file is built in place, so that whatever is in it can be changed at any
 * time. The first page holds the ELF header and the program headers.
 */
#ifndef ELF_BUILDER_H
#define ELF_BUILDER_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_abi.h"

#define ELF_BUILDER_MAX 0x20000

/* Addresses in the files that elf_builder_executable() and _pie() make. */
#define ELF_BUILDER_CODE 0x100000
#define ELF_BUILDER_DATA 0x102100
#define ELF_BUILDER_END 0x105000
#define ELF_BUILDER_CODE_SIZE 0x100
#define ELF_BUILDER_PIE_CODE 0x5040
#define ELF_BUILDER_PIE_DATA 0x7000

struct elf_builder {
	_Alignas(Elf64_Ehdr) uint8_t bytes[ELF_BUILDER_MAX];
	size_t size;
};

struct elf_builder_symbol {
	const char *name;
	Elf64_Sym symbol; /* but for st_name */
};

/* The data segment of elf_builder_pie(). */
struct elf_builder_pie {
	Elf64_Rela relocations[2]; /* of targets[0] and targets[1] */
	Elf64_Dyn dynamic[5];	   /* DT_RELA, RELASZ, RELAENT, two DT_NULL */
	uint64_t targets[2];
};

/* An ELF header of @type for this machine and nothing more. */
void elf_builder_init(struct elf_builder *elf, uint16_t type);

/*
 * An ET_EXEC: segment 0 is ELF_BUILDER_CODE_SIZE bytes of read-execute code,
 * the entry 0x10 into it; segment 1 is 0x20 bytes of read-write data (0x00,
 * 0x01, ...) and zeros up to 0x104100.
 */
void elf_builder_executable(struct elf_builder *elf);

/*
 * A static PIE: segment 0 is code as above, segment 1 the data returned (of
 * file and image alike), program header 2 the PT_DYNAMIC.
 */
struct elf_builder_pie *elf_builder_pie(struct elf_builder *elf);

Elf64_Ehdr *elf_builder_header(struct elf_builder *elf);
Elf64_Phdr *elf_builder_program(struct elf_builder *elf, unsigned number);

/*
 * Appends @size bytes where offset % 4096 == @address % 4096 and returns the
 * offset; without bytes nothing changes.
 */
size_t elf_builder_append(struct elf_builder *elf, uint64_t address,
			  const void *bytes, size_t size);

/* Adds a program header for @size bytes, which are appended. */
Elf64_Phdr *elf_builder_add_program(struct elf_builder *elf, uint32_t type,
				    uint64_t address, const void *bytes,
				    size_t size);

/*
 * Appends .symtab, .strtab and the section headers: 0 null, 1 .symtab,
 * 2 .strtab. Returns the headers.
 */
Elf64_Shdr *elf_builder_add_symbols(struct elf_builder *elf,
				    const struct elf_builder_symbol *symbols,
				    size_t count);

/*
 * Adds a read-only segment at ELF_BUILDER_HANDLERS with @size bytes, and section
 * headers: 0 null, 1 @name, 2 .shstrtab. Returns the headers.
 */
#define ELF_BUILDER_HANDLERS 0x110000
Elf64_Shdr *elf_builder_add_section(struct elf_builder *elf, const char *name,
				    const void *bytes, size_t size);

/* The same with a section .thaw_handlers that has @entries. */
Elf64_Shdr *elf_builder_add_handlers(struct elf_builder *elf,
				     const struct thaw_handler_entry *entries,
				     size_t count);

#endif
