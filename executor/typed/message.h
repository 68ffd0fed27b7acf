/*
 * message.h - checks messages of others against what an image declares. Any thread.
 * guest/abi/thaw_typed.h has their layout.
 */
#ifndef EXECUTOR_TYPED_MESSAGE_H
#define EXECUTOR_TYPED_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_typed.h"

struct error;

struct message {
	struct thaw_message head;
	struct thaw_value values[THAW_PARAMETERS_MAX]; /* head.count of them */
};

/*
 * Reads the message of @kind in the @size bytes at @bytes, which do not change
 * meanwhile, and from which the values borrow. Its name and the text in it are UTF-8.
 * -EPROTO: it is none, and @err says why.
 */
int message_read(const void *bytes, size_t size, uint16_t kind,
		 struct error *err, struct message *ret_message);

/*
 * Whether @content_type, or NULL, is that of messages, in whatever case and with
 * whatever parameters (RFC 9110, 8.3.1).
 */
bool message_has_type(const char *content_type);

#endif
