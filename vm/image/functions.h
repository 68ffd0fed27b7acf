/* functions.h - the typed functions that an image declares. */
#ifndef VM_IMAGE_FUNCTIONS_H
#define VM_IMAGE_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_typed.h"

struct error;
struct image;
struct image_reader;

/* One of them, checked. The strings are zero-terminated printable ASCII. */
struct image_function {
	uint16_t index; /* of its declaration */
	uint8_t returns, count;
	uint8_t types[THAW_PARAMETERS_MAX]; /* enum thaw_type */
	char name[sizeof(((struct thaw_function_entry *)0)->name)];
	char parameters[sizeof(((struct thaw_function_entry *)0)->parameters)];
};

/*
 * For open.c: sets the image's functions. -ENOEXEC: a declaration makes no sense;
 * -ENOMEM.
 */
int image_read_functions(struct image_reader *reader, struct error *err);

/*
 * The typed functions that the image declares, in the order of their names. 0: it has none, or the file has no section headers. They live as long as the
 * image.
 */
size_t image_function_count(const struct image *image);
const struct image_function *image_function(const struct image *image,
					    size_t number);

/* The function called @name, or NULL. */
const struct image_function *image_find_function(const struct image *image,
						 const char *name);

/* Whether it has a function that takes the calls of all other names. */
bool image_has_dispatch(const struct image *image);

/* How many declarations there are, that of the dispatch function included. */
size_t image_declaration_count(const struct image *image);

/* The type's name in signatures and messages: "int", "bytes"; static. */
const char *image_type_name(unsigned type);

/*
 * Copies the name of parameter @number to @to, which has room for @size bytes;
 * returns @to.
 */
const char *image_parameter_name(const struct image_function *function,
				 unsigned number, char *to, size_t size);

/* The longest signature, with its zero. */
#define IMAGE_SIGNATURE_MAX 512

/* Writes "int add(int a, int b)" to @to; returns @to. */
const char *image_signature(const struct image_function *function,
			    char to[static IMAGE_SIGNATURE_MAX]);

#endif
