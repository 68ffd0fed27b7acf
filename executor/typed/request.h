/* request.h - what a caller of a typed function has sent. */
#ifndef EXECUTOR_TYPED_REQUEST_H
#define EXECUTOR_TYPED_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/abi/thaw_typed.h"

struct typed_request {
	const void *data;
	size_t size;
	bool is_message;  /* else JSON */
	const char *name; /* of the function; NULL or "": the data have it */
};

#endif
