/* container_of.h - from a member to the struct that it is embedded in. */
#ifndef BASE_CONTAINER_OF_H
#define BASE_CONTAINER_OF_H

#include <stddef.h>

/*
 * Evaluates to the struct @type whose member @member is at @pointer. @pointer
 * must have the member's type; only then does it compile.
 */
#define container_of(pointer, type, member)                                    \
	({                                                                     \
		__typeof__(&((type *)0)->member) the_member = (pointer);       \
		(type *)(void *)((char *)the_member - offsetof(type, member)); \
	})

#endif
