/* elf_builder.c - makes small ELF files in memory; see elf_builder.h. */
#include "tests/unit/elf_builder.h"

#include <assert.h>
#include <string.h>

#include "image_arch.h"

#define PAGE 0x1000

void elf_builder_init(struct elf_builder *elf, uint16_t type)
{
	memset(elf, 0, sizeof(*elf));
	*elf_builder_header(elf) = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = type,
		.e_machine = IMAGE_ARCH_MACHINE,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	elf->size = PAGE;
}

Elf64_Ehdr *elf_builder_header(struct elf_builder *elf)
{
	return (Elf64_Ehdr *)elf->bytes;
}

Elf64_Phdr *elf_builder_program(struct elf_builder *elf, unsigned number)
{
	size_t offset = sizeof(Elf64_Ehdr) + number * sizeof(Elf64_Phdr);

	assert(offset + sizeof(Elf64_Phdr) <= PAGE);
	return (Elf64_Phdr *)(elf->bytes + offset);
}

size_t elf_builder_append(struct elf_builder *elf, uint64_t address,
			  const void *bytes, size_t size)
{
	size_t offset = elf->size + ((address - elf->size) & (PAGE - 1));

	if (size == 0)
		return elf->size;
	assert(offset + size <= ELF_BUILDER_MAX);
	memcpy(elf->bytes + offset, bytes, size);
	elf->size = offset + size;
	return offset;
}

Elf64_Phdr *elf_builder_add_program(struct elf_builder *elf, uint32_t type,
				    uint64_t address, const void *bytes,
				    size_t size)
{
	unsigned number = elf_builder_header(elf)->e_phnum++;
	Elf64_Phdr *program = elf_builder_program(elf, number);

	*program = (Elf64_Phdr){
		.p_type = type,
		.p_flags = PF_R,
		.p_offset = elf_builder_append(elf, address, bytes, size),
		.p_vaddr = address,
		.p_paddr = address,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = type == PT_LOAD ? PAGE : 8,
	};
	return program;
}

static void add_code(struct elf_builder *elf, uint64_t address)
{
	uint8_t code[ELF_BUILDER_CODE_SIZE];
	Elf64_Phdr *program;

	memset(code, 0xc3, sizeof(code));
	program = elf_builder_add_program(elf, PT_LOAD, address, code,
					  sizeof(code));
	program->p_flags = PF_R | PF_X;
	elf_builder_header(elf)->e_entry = address + 0x10;
}

void elf_builder_executable(struct elf_builder *elf)
{
	uint8_t data[0x20];
	Elf64_Phdr *program;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i;
	elf_builder_init(elf, ET_EXEC);
	add_code(elf, ELF_BUILDER_CODE);
	program = elf_builder_add_program(elf, PT_LOAD, ELF_BUILDER_DATA, data,
					  sizeof(data));
	program->p_flags = PF_R | PF_W;
	program->p_memsz = 0x2000;
}

struct elf_builder_pie *elf_builder_pie(struct elf_builder *elf)
{
	const uint64_t address = ELF_BUILDER_PIE_DATA;
	const uint64_t targets =
		address + offsetof(struct elf_builder_pie, targets);
	const uint64_t type = ELF64_R_INFO(0, IMAGE_ARCH_RELOCATION_RELATIVE);
	const struct elf_builder_pie pie = {
		.relocations = {
			{ targets, type, ELF_BUILDER_PIE_CODE },
			{ targets + 8, type, ELF_BUILDER_PIE_DATA },
		},
		.dynamic = {
			{ DT_RELA, { address } },
			{ DT_RELASZ, { sizeof(pie.relocations) } },
			{ DT_RELAENT, { sizeof(Elf64_Rela) } },
		},
	};
	Elf64_Phdr *data, *dynamic;

	elf_builder_init(elf, ET_DYN);
	add_code(elf, ELF_BUILDER_PIE_CODE);
	data = elf_builder_add_program(elf, PT_LOAD, address, &pie,
				       sizeof(pie));
	data->p_flags = PF_R | PF_W;
	dynamic =
		elf_builder_add_program(elf, PT_DYNAMIC,
					address +
						offsetof(struct elf_builder_pie,
							 dynamic),
					NULL, 0);
	dynamic->p_offset =
		data->p_offset + offsetof(struct elf_builder_pie, dynamic);
	dynamic->p_filesz = dynamic->p_memsz = sizeof(pie.dynamic);
	return (struct elf_builder_pie *)(elf->bytes + data->p_offset);
}

static uint64_t align_up(uint64_t value)
{
	return (value + 7) & ~(uint64_t)7;
}

/* Appends the section headers for a .symtab and the .strtab behind it. */
static Elf64_Shdr *add_sections(struct elf_builder *elf, size_t symbols_offset,
				size_t strings_offset, size_t strings_size)
{
	const Elf64_Shdr sections[3] = {
		[1] = {
			.sh_type = SHT_SYMTAB,
			.sh_offset = symbols_offset,
			.sh_size = strings_offset - symbols_offset,
			.sh_link = 2,
			.sh_addralign = 8,
			.sh_entsize = sizeof(Elf64_Sym),
		},
		[2] = {
			.sh_type = SHT_STRTAB,
			.sh_offset = strings_offset,
			.sh_size = strings_size,
			.sh_addralign = 1,
		},
	};
	size_t offset = elf_builder_append(elf, align_up(elf->size), sections,
					   sizeof(sections));

	elf_builder_header(elf)->e_shoff = offset;
	elf_builder_header(elf)->e_shnum = 3;
	return (Elf64_Shdr *)(elf->bytes + offset);
}

Elf64_Shdr *elf_builder_add_symbols(struct elf_builder *elf,
				    const struct elf_builder_symbol *symbols,
				    size_t count)
{
	Elf64_Sym symbol = { .st_name = 0 };
	size_t symbols_offset, strings_offset;
	uint32_t name = 1;

	/* Both tables begin with an empty entry. */
	symbols_offset = elf_builder_append(elf, align_up(elf->size), &symbol,
					    sizeof(symbol));
	for (size_t i = 0; i < count; i++) {
		symbol = symbols[i].symbol;
		symbol.st_name = name;
		elf_builder_append(elf, elf->size, &symbol, sizeof(symbol));
		name += strlen(symbols[i].name) + 1;
	}
	strings_offset = elf_builder_append(elf, elf->size, "", 1);
	for (size_t i = 0; i < count; i++)
		elf_builder_append(elf, elf->size, symbols[i].name,
				   strlen(symbols[i].name) + 1);
	return add_sections(elf, symbols_offset, strings_offset, name);
}

Elf64_Shdr *elf_builder_add_section(struct elf_builder *elf, const char *name,
				    const void *bytes, size_t size)
{
	static const char own_name[] = ".shstrtab";
	Elf64_Phdr *program = elf_builder_add_program(elf, PT_LOAD,
						      ELF_BUILDER_HANDLERS,
						      bytes, size);
	Elf64_Shdr sections[3] = {
		[1] = {
			.sh_name = 1,
			.sh_type = SHT_PROGBITS,
			.sh_addr = ELF_BUILDER_HANDLERS,
			.sh_offset = program->p_offset,
			.sh_size = size,
			.sh_addralign = 8,
		},
		[2] = {
			.sh_name = (Elf64_Word)strlen(name) + 2,
			.sh_type = SHT_STRTAB,
			.sh_size = strlen(name) + 2 + sizeof(own_name),
			.sh_addralign = 1,
		},
	};
	Elf64_Ehdr *header = elf_builder_header(elf);

	program->p_flags = PF_R;
	sections[2].sh_offset = elf_builder_append(elf, elf->size, "", 1);
	elf_builder_append(elf, elf->size, name, strlen(name) + 1);
	elf_builder_append(elf, elf->size, own_name, sizeof(own_name));
	header->e_shoff = elf_builder_append(elf, align_up(elf->size), sections,
					     sizeof(sections));
	header->e_shnum = 3;
	header->e_shstrndx = 2;
	return (Elf64_Shdr *)(elf->bytes + header->e_shoff);
}

Elf64_Shdr *elf_builder_add_handlers(struct elf_builder *elf,
				     const struct thaw_handler_entry *entries,
				     size_t count)
{
	return elf_builder_add_section(elf, ".thaw_handlers", entries,
				       count * sizeof(*entries));
}
