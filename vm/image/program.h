/*
 * program.h - the headers of a Linux program or of its interpreter, checked.
 *
 * The file is hostile. What is accepted is what image.h says of an ELF file, but: the
 * file may name an interpreter and need libraries; it may lie anywhere; and nothing is
 * said of its relocations, which are its own to apply. Segments never share a page, and
 * are never writable and executable at once.
 */
#ifndef VM_IMAGE_PROGRAM_H
#define VM_IMAGE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/image/image.h"

/* A longer path of an interpreter is refused; with its terminating zero. */
#define PROGRAM_INTERPRETER_MAX 256

/* Bytes of the file at @offset, then zeros; addresses as in the file. */
struct program_segment {
	uint64_t start; /* page-aligned */
	uint64_t end;	/* page-aligned */
	uint64_t data_start;
	uint64_t data_size;
	uint64_t offset; /* in the file, which has @data_size bytes there */
	unsigned prot;	 /* IMAGE_PROT_* */
};

struct program {
	struct program_segment segments[IMAGE_SEGMENTS_MAX]; /* by address */
	unsigned segment_count;
	bool is_movable; /* ET_DYN: any multiple of a page may be added */
	uint64_t entry;
	uint64_t headers; /* address of the program headers; 0: not in memory */
	unsigned header_count;
	char interpreter[PROGRAM_INTERPRETER_MAX]; /* "": none */
};

/* Reads the headers of the @size bytes of a file. -ENOEXEC, with a message. */
int program_read(const void *bytes, size_t size, struct error *err,
		 struct program *ret_program);

#endif
