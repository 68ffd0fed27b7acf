/*
 * declarations.h - functions with names and types, as an image declares them: those
 * that it has (THAW_FUNCTION), and those that it wants of the host (THAW_IMPORT); and
 * as init has registered them (thaw_register()).
 *
 * The SDK lays down one struct thaw_function_entry for each of them, in a section of
 * the image or in the guest's memory. They are hostile until they have been read here.
 */
#ifndef VM_IMAGE_DECLARATIONS_H
#define VM_IMAGE_DECLARATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_typed.h"

struct error;

/* One declaration, checked. The strings are zero-terminated printable ASCII. */
struct declaration {
	uint16_t index; /* of its entry */
	uint8_t returns, count;
	uint8_t types[THAW_PARAMETERS_MAX]; /* enum thaw_type */
	char name[sizeof(((struct thaw_function_entry *)0)->name)];
	/* their names, "a, b"; "": they have none */
	char parameters[sizeof(((struct thaw_function_entry *)0)->parameters)];
};

/* All of one kind, in the order of their names. */
struct declarations {
	struct declaration *list;
	size_t count;	   /* of the list */
	bool has_dispatch; /* a function takes the calls of all other names */
	bool may_repeat;   /* several that are alike count as one */
	bool is_open;	   /* init may register others */
};

/*
 * Entries of an image's imports: every source file may have one for the same host
 * function. THAW_FUNCTIONS_MAX of them may be different.
 */
#define DECLARATIONS_REPEATED_MAX 4096

/*
 * Reads the entries in the @size bytes at @bytes into *@declarations, behind those that
 * are there already. @kind is what messages call one of them: "typed function". If
 * @is_named, names are identifiers of C, and parameters have some; else any printable
 * ASCII is a name, and parameters need none. The caller frees what has been read by
 * declarations_done(), also after an error. -ENOEXEC: an entry makes no sense; -ENOMEM.
 */
int declarations_read(const void *bytes, size_t size, const char *kind,
		      bool is_named, struct error *err,
		      struct declarations *declarations);

/* Copies *@from; the caller frees the copy by declarations_done(). -ENOMEM. */
int declarations_copy(const struct declarations *from, struct error *err,
		      struct declarations *ret_copy);

/* Frees the list. All zero is fine. */
void declarations_done(struct declarations *declarations);

/* The declaration called @name, or NULL. */
const struct declaration *
declarations_find(const struct declarations *declarations, const char *name);

/* How many entries there are, that of the dispatch function included. */
static inline size_t declarations_total(const struct declarations *declarations)
{
	return declarations->count + declarations->has_dispatch;
}

/* The type's name in signatures and messages: "int", "bytes"; static. */
const char *type_name(unsigned type);

/*
 * Copies the name of parameter @number to @to, which has room for @size bytes;
 * returns @to. "" if it has none.
 */
const char *declaration_parameter_name(const struct declaration *declaration,
				       unsigned number, char *to, size_t size);

/* The longest signature, with its zero. */
#define DECLARATION_SIGNATURE_MAX 512

/* Writes "int add(int a, int b)" to @to; returns @to. */
const char *declaration_signature(const struct declaration *declaration,
				  char to[static DECLARATION_SIGNATURE_MAX]);

/* Whether @text is the name that a function may have: an identifier of C. */
bool declaration_is_name(const char *text);

/* Whether both have the same number of parameters, and the same types. */
bool declaration_is_like(const struct declaration *one,
			 const struct declaration *other);

#endif
