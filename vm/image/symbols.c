/*
 * symbols.c - the names of an image's functions, for fault reports and
 * profiles. References: ELF gABI chapter 4 (string table, symbol table).
 *
 * A hostile symbol table can name functions wrongly, which harms nobody but
 * its author; it must not be read beyond its end, nor cost much.
 */
#include "vm/image/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vm/image/image_internal.h"

/* Functions beyond this number are ignored. */
#define IMAGE_SYMBOLS_MAX (1u << 18)

/* The first .symtab and its strings, which end in a zero byte. */
struct symbol_table {
	Elf_Data *symbols;
	int count;
	const char *strings;
	size_t strings_size;
};

static bool open_table(const struct image_reader *reader,
		       struct symbol_table *ret_table)
{
	Elf_Scn *section = NULL;
	Elf_Data *symbols, *strings;
	GElf_Shdr header;

	do {
		section = elf_nextscn(reader->elf, section);
		if (!section || !gelf_getshdr(section, &header))
			return false;
	} while (header.sh_type != SHT_SYMTAB);

	symbols = elf_getdata(section, NULL);
	strings = elf_getdata(elf_getscn(reader->elf, header.sh_link), NULL);
	if (!symbols || !strings || !strings->d_buf || strings->d_size == 0)
		return false;
	*ret_table = (struct symbol_table){
		.symbols = symbols,
		.count = (int)(symbols->d_size / sizeof(Elf64_Sym)),
		.strings = strings->d_buf,
		.strings_size = strings->d_size,
	};
	return ret_table->strings[ret_table->strings_size - 1] == '\0';
}

/* The executable segment @gva lies in, or NULL. */
static const struct image_segment *find_code(const struct image *image,
					     uint64_t gva)
{
	const struct image_segment *segment = image_find_segment(image, gva, 1);

	if (!segment || !(segment->prot & IMAGE_PROT_EXECUTE))
		return NULL;
	return segment;
}

/*
 * Reads symbol @i; returns false if it does not name a function. The name is
 * in the table's strings. Assembly may lack types, hence STT_NOTYPE; local
 * ones are labels inside of functions.
 */
static bool read_symbol(const struct image_reader *reader,
			const struct symbol_table *table, int i,
			struct image_symbol *ret_symbol)
{
	GElf_Sym symbol;
	unsigned type, bind;
	const char *name;
	uint64_t gva;

	if (!gelf_getsym(table->symbols, i, &symbol))
		return false;
	type = GELF_ST_TYPE(symbol.st_info);
	bind = GELF_ST_BIND(symbol.st_info);
	if (type != STT_FUNC && (type != STT_NOTYPE || bind != STB_GLOBAL))
		return false;
	if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
		return false;
	gva = symbol.st_value + reader->bias;
	if (!find_code(reader->image, gva))
		return false;
	if (symbol.st_name >= table->strings_size)
		return false;
	name = table->strings + symbol.st_name;
	if (!image_printable_length(name, IMAGE_SYMBOL_NAME_MAX))
		return false;
	*ret_symbol = (struct image_symbol){
		.gva = gva,
		.size = symbol.st_size,
		.name = name,
	};
	return true;
}

static void collect_symbols(const struct image_reader *reader,
			    const struct symbol_table *table)
{
	struct image_private *file = reader->image->internal;

	for (int i = 0; i < table->count; i++) {
		if (file->symbol_count == IMAGE_SYMBOLS_MAX)
			break;
		if (read_symbol(reader, table, i,
				&file->symbols[file->symbol_count]))
			file->symbol_count++;
	}
}

/* Gives the symbols names of their own, cut to IMAGE_SYMBOL_NAME_MAX. */
static int copy_names(struct image_private *file)
{
	size_t size = 0;
	char *next;

	for (size_t i = 0; i < file->symbol_count; i++) {
		size += strnlen(file->symbols[i].name, IMAGE_SYMBOL_NAME_MAX);
		size++;
	}
	next = file->symbol_names = malloc(size);
	if (!next)
		return -ENOMEM;
	for (size_t i = 0; i < file->symbol_count; i++) {
		struct image_symbol *symbol = &file->symbols[i];
		size_t length = strnlen(symbol->name, IMAGE_SYMBOL_NAME_MAX);

		memcpy(next, symbol->name, length);
		next[length] = '\0';
		symbol->name = next;
		next += length + 1;
	}
	return 0;
}

/* By address; of several at one address the largest is last. */
static int compare_symbols(const void *left, const void *right)
{
	const struct image_symbol *a = left, *b = right;

	if (a->gva != b->gva)
		return a->gva < b->gva ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return strcmp(a->name, b->name);
}

int image_read_symbols(struct image_reader *reader, struct error *err)
{
	struct image_private *file = reader->image->internal;
	struct symbol_table table;

	if (!open_table(reader, &table) || table.count == 0)
		return 0;
	file->symbols = calloc(table.count, sizeof(file->symbols[0]));
	if (!file->symbols)
		return error_set(err, -ENOMEM, "out of memory");
	collect_symbols(reader, &table);
	if (file->symbol_count == 0)
		return 0;
	if (copy_names(file) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	qsort(file->symbols, file->symbol_count, sizeof(file->symbols[0]),
	      compare_symbols);
	return 0;
}

/* The last symbol at or below @gva, or NULL. */
static const struct image_symbol *find_symbol(const struct image *image,
					      uint64_t gva)
{
	const struct image_symbol *symbols = image->internal->symbols;
	size_t low = 0, high = image->internal->symbol_count;

	/* Those before low start at or below gva, those from high on above. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].gva <= gva)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &symbols[low - 1] : NULL;
}

const char *image_symbol(const struct image *image, uint64_t gva,
			 uint64_t *ret_offset)
{
	const struct image_segment *code = find_code(image, gva);
	const struct image_symbol *symbol = find_symbol(image, gva);

	if (!code || !symbol || symbol->gva < code->gva)
		return NULL;
	if (symbol->size > 0 && gva - symbol->gva >= symbol->size)
		return NULL;
	*ret_offset = gva - symbol->gva;
	return symbol->name;
}
