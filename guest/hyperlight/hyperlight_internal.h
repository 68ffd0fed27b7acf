/*
 * hyperlight_internal.h - what the files behind hyperlight_guest.h share. They are the
 * same for both generations: a result is an hl_ReturnValue in each, and the first one
 * only gives its pointer another type.
 */
#ifndef HYPERLIGHT_INTERNAL_H
#define HYPERLIGHT_INTERNAL_H

#define HYPERLIGHT_GENERATION 2
#include "hyperlight_guest.h"

#include <stddef.h>

#include <thaw.h>

/* error.c: ends the invocation with this error. */
void hyperlight_fail(hl_ErrorCode code, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* error.c: ends the invocation if hl_set_error() wants it. */
void hyperlight_end_if_set(void);

/* value.c: thaw's types for those of Hyperlight; THAW_TYPE_NONE: there is no such. */
enum thaw_type hyperlight_type_of_parameter(hl_ParameterType type);
enum thaw_type hyperlight_type_of_return(hl_ReturnType type);

/* value.c: the other way. */
hl_ReturnType hyperlight_return_of(enum thaw_type type);

/* value.c: what malloc() gives, or the end of the invocation. */
void *hyperlight_allocate(size_t size);

/*
 * value.c: makes parameters of @count values, 16 at most. Their texts and bytes are
 * copied to memory that can be written, and that is never freed.
 */
void hyperlight_parameters(const struct thaw_value *values, unsigned count,
			   hl_Parameter *parameters);

/* value.c: a value that borrows from @parameter. Fails where it makes no sense. */
struct thaw_value hyperlight_value_of(const hl_Parameter *parameter);

/* result.c: a result that owns a copy of @value, as type @type. */
hl_ReturnValue *hyperlight_result_of(const struct thaw_value *value,
				     hl_ReturnType type);

/* result.c: whether it has been made by a constructor. */
bool hyperlight_result_is(const hl_ReturnValue *result);

#endif
