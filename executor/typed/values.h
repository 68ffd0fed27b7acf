/*
 * values.h - typed calls of callers that have values of C: messages made of them,
 * and results taken out of messages. Any thread.
 */
#ifndef EXECUTOR_TYPED_VALUES_H
#define EXECUTOR_TYPED_VALUES_H

#include <stddef.h>

#include "guest/abi/thaw_types.h"

struct error;

struct typed_values {
	const char *name; /* of the function */
	const struct thaw_value *values;
	size_t count;
	enum thaw_type returns; /* wanted; THAW_TYPE_NONE: any */
};

/*
 * Makes a message of @call. The caller frees *@ret_message. -EINVAL: the name is too
 * long or empty, there are more than THAW_PARAMETERS_MAX values, or one has a type
 * that no parameter has; -E2BIG; -ENOMEM.
 */
int typed_values_pack(const struct typed_values *call, struct error *err,
		      void **ret_message, size_t *ret_size);

/*
 * Takes the value out of a result, from which it borrows. -EPROTO: the @size bytes at
 * @message are none.
 */
int typed_values_unpack(const void *message, size_t size, struct error *err,
			struct thaw_value *ret_value);

#endif
