/*
 * thaw_typed.h - typed calls and their results as messages, in the request window and in
 * the reply window; and the declarations of typed functions in an image. Compiled on
 * both sides, so that both make the same checks. Neither side trusts a message: it is
 * copied once where the other side could change it, and checked before it is used.
 *
 * A message is one run of bytes, little endian:
 *
 *	struct thaw_message			24 bytes
 *	struct thaw_item[count]			16 bytes each
 *	texts and bytes, each at a multiple of 8, zeros between them
 *
 * A call has one item for each argument. A result has one item, or none if the
 * function returns void. The item of a scalar holds it. The item of a string or of
 * bytes holds their size in bytes, and their offset from the message's first byte. A
 * zero follows a string; its size does not count it.
 */
#ifndef THAW_TYPED_H
#define THAW_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "thaw_abi.h"
#include "thaw_types.h"

/* The content type of a request that is such a message. Its reply is one, too. */
#define THAW_TYPED_CONTENT_TYPE "application/vnd.thaw.typed"

/* thaw_message.kind */
#define THAW_MESSAGE_CALL 1
#define THAW_MESSAGE_RESULT 2

/* thaw_message.function of a call whose name says which function it calls. */
#define THAW_FUNCTION_NAMED 0xffff

/* The most bytes of a message: 1 GiB, so that no sum of sizes in it wraps. */
#define THAW_MESSAGE_MAX (UINT32_C(1) << 30)

struct thaw_message {
	uint32_t size;	   /* bytes of the whole message */
	uint16_t kind;	   /* THAW_MESSAGE_* */
	uint16_t count;	   /* number of items */
	uint16_t function; /* of a call: index of the declaration, or NAMED */
	uint16_t returns; /* of a call: the type expected; THAW_TYPE_NONE: any */
	/* Of a call by name, which a zero follows. Otherwise nobody reads them. */
	uint32_t name_size;
	uint64_t name; /* offset */
};

struct thaw_item {
	uint32_t type; /* enum thaw_type */
	uint32_t size; /* bytes, of a string or of bytes; else 0 */
	/*
	 * The offset, or the scalar: an int is sign-extended, a bool is 0 or 1, a
	 * float has its bits in the lower half.
	 */
	uint64_t bits;
};

/* The declaration of a function, as the SDK's THAW_FUNCTION lays it down. */
struct thaw_function_entry {
	uint64_t address; /* of the code; for the guest only */
	uint8_t returns;  /* enum thaw_type */
	uint8_t count;	  /* of the parameters */
	uint16_t flags;	  /* THAW_FUNCTION_* */
	uint32_t reserved;
	uint8_t types[THAW_PARAMETERS_MAX]; /* enum thaw_type; then zeros */
	char name[THAW_NAME_MAX - 8];
	char parameters[168]; /* their names: "a, b" */
};

/*
 * thaw_function_entry.flags of the dispatch function, which takes the calls of names that
 * no other function has. It has neither a name nor types.
 */
#define THAW_FUNCTION_DISPATCH 0x1

THAW_ASSERT(sizeof(struct thaw_message) == 24, "ABI");
THAW_ASSERT(sizeof(struct thaw_item) == 16, "ABI");
THAW_ASSERT(sizeof(struct thaw_function_entry) == 256, "ABI");

/* The most bytes that a message has besides those of its strings and bytes. */
#define THAW_MESSAGE_HEAD_MAX                                                  \
	(sizeof(struct thaw_message) +                                         \
	 THAW_PARAMETERS_MAX * (sizeof(struct thaw_item) + sizeof(uint64_t)) + \
	 THAW_NAME_MAX)

/* Whether an item of this type has a size and an offset. */
static inline bool thaw_type_has_bytes(uint32_t type)
{
	return type == THAW_TYPE_STRING || type == THAW_TYPE_BYTES;
}

/*
 * Whether the message at @bytes has @size bytes at @offset: a multiple of 8, after the
 * items. If @is_text, a zero must follow them, and none be among them.
 */
static inline bool thaw_message_has(const struct thaw_message *head,
				    const void *bytes, uint64_t offset,
				    uint32_t size, bool is_text)
{
	const uint64_t start =
		sizeof(*head) + head->count * sizeof(struct thaw_item);
	const char *at;

	if (offset % 8 || offset < start || offset > head->size ||
	    size > head->size - offset)
		return false;
	if (!is_text)
		return true;
	at = (const char *)bytes + offset;
	return size < head->size - offset && !at[size] &&
	       !memchr(at, '\0', size);
}

/*
 * Reads the @size bytes at @bytes as a message of this kind. Returns false if they are
 * none; what the items hold is not checked yet. *@ret_head is a copy of the head.
 */
static inline bool thaw_message_open(const void *bytes, size_t size,
				     uint16_t kind,
				     struct thaw_message *ret_head)
{
	struct thaw_message head;

	if (size < sizeof(head) || size > THAW_MESSAGE_MAX)
		return false;
	memcpy(&head, bytes, sizeof(head));
	if (head.size != size || head.kind != kind ||
	    head.count > THAW_PARAMETERS_MAX || head.returns > THAW_TYPE_VOID ||
	    head.count * sizeof(struct thaw_item) > size - sizeof(head))
		return false;
	if (head.function == THAW_FUNCTION_NAMED &&
	    (!head.name_size || head.name_size >= THAW_NAME_MAX ||
	     !thaw_message_has(&head, bytes, head.name, head.name_size, true)))
		return false;
	*ret_head = head;
	return true;
}

/*
 * Sets *@value to the scalar in @item. Returns false if that is no value of the item's
 * type.
 */
static inline bool thaw_item_scalar(const struct thaw_item *item,
				    struct thaw_value *value)
{
	const uint32_t low = (uint32_t)item->bits;

	if (item->size)
		return false;
	switch (item->type) {
	case THAW_TYPE_INT:
		value->as.i32 = (int32_t)low;
		return (int64_t)item->bits == value->as.i32;
	case THAW_TYPE_UINT:
		value->as.u32 = low;
		return item->bits == low;
	case THAW_TYPE_LONG:
		value->as.i64 = (int64_t)item->bits;
		return true;
	case THAW_TYPE_ULONG:
		value->as.u64 = item->bits;
		return true;
	case THAW_TYPE_FLOAT:
		memcpy(&value->as.f32, &low, sizeof(low));
		return item->bits == low;
	case THAW_TYPE_DOUBLE:
		memcpy(&value->as.f64, &item->bits, sizeof(item->bits));
		return true;
	case THAW_TYPE_BOOL:
		value->as.boolean = low == 1;
		return item->bits <= 1;
	}
	return false;
}

/*
 * Reads item @index of the message at @bytes, which thaw_message_open() has read *@head
 * of. Returns false if the item is not valid. It does not check that text is UTF-8.
 * *@ret_value borrows its text or bytes from the message.
 */
static inline bool thaw_message_value(const struct thaw_message *head,
				      const void *bytes, unsigned index,
				      struct thaw_value *ret_value)
{
	struct thaw_item item;
	bool is_text;

	memcpy(&item,
	       (const char *)bytes + sizeof(*head) + index * sizeof(item),
	       sizeof(item));
	ret_value->type = (enum thaw_type)item.type;
	if (!thaw_type_has_bytes(item.type))
		return thaw_item_scalar(&item, ret_value);
	is_text = item.type == THAW_TYPE_STRING;
	if (!thaw_message_has(head, bytes, item.bits, item.size, is_text))
		return false;
	if (is_text) {
		ret_value->as.string.data = (const char *)bytes + item.bits;
		ret_value->as.string.size = item.size;
	} else {
		ret_value->as.bytes.data = (const char *)bytes + item.bits;
		ret_value->as.bytes.size = item.size;
	}
	return true;
}

/* How many bytes of a message a string or bytes of @size take, with what follows. */
static inline uint64_t thaw_message_room(uint64_t size)
{
	return (size + 8) & ~UINT64_C(7);
}

/* The bytes of a string or of bytes; 0 for other types. */
static inline size_t thaw_value_size(const struct thaw_value *value)
{
	if (value->type == THAW_TYPE_STRING)
		return value->as.string.size;
	return value->type == THAW_TYPE_BYTES ? value->as.bytes.size : 0;
}

/*
 * Returns the size of a message with @count values and a name of @name_size bytes; 0
 * stands for no name. Returns 0 if that is more than THAW_MESSAGE_MAX.
 */
static inline size_t thaw_message_size(const struct thaw_value *values,
				       unsigned count, size_t name_size)
{
	uint64_t size =
		sizeof(struct thaw_message) + count * sizeof(struct thaw_item);

	if (name_size)
		size += thaw_message_room(name_size);
	for (unsigned i = 0; i < count; i++) {
		const size_t more = thaw_value_size(&values[i]);

		if (more > THAW_MESSAGE_MAX)
			return 0;
		if (thaw_type_has_bytes(values[i].type))
			size += thaw_message_room(more);
	}
	return size <= THAW_MESSAGE_MAX ? (size_t)size : 0;
}

/* The item of a value that is neither a string nor bytes. */
static inline struct thaw_item thaw_item_of(const struct thaw_value *value)
{
	struct thaw_item item = { (uint32_t)value->type, 0, 0 };

	switch (value->type) {
	case THAW_TYPE_INT:
		item.bits = (uint64_t)(int64_t)value->as.i32;
		break;
	case THAW_TYPE_UINT:
		item.bits = value->as.u32;
		break;
	case THAW_TYPE_LONG:
	case THAW_TYPE_ULONG:
		item.bits = value->as.u64;
		break;
	case THAW_TYPE_FLOAT:
		memcpy(&item.bits, &value->as.f32, sizeof(value->as.f32));
		break;
	case THAW_TYPE_DOUBLE:
		memcpy(&item.bits, &value->as.f64, sizeof(value->as.f64));
		break;
	case THAW_TYPE_BOOL:
		item.bits = value->as.boolean;
		break;
	default:
		break;
	}
	return item;
}

/*
 * Writes @size bytes at the offset *@end of the message at @to, and zeros up to the next
 * multiple of 8. Returns their offset, and moves *@end. The bytes may overlap the room
 * that they go to.
 */
static inline uint64_t thaw_message_put(void *to, uint64_t *end,
					const void *data, size_t size)
{
	const uint64_t at = *end;
	const uint64_t room = thaw_message_room(size);

	if (size)
		memmove((char *)to + at, data, size);
	memset((char *)to + at + size, 0, (size_t)(room - size));
	*end = at + room;
	return at;
}

/*
 * Writes a message to @to, which has as many bytes as thaw_message_size() says. The
 * caller sets kind, function and returns in *@head; this sets the rest. @name is NULL
 * unless the function is THAW_FUNCTION_NAMED. The text or bytes of a single value may
 * overlap the room at @to: they are moved first.
 */
static inline void thaw_message_write(struct thaw_message *head,
				      const char *name,
				      const struct thaw_value *values,
				      unsigned count, void *to)
{
	uint64_t end = sizeof(*head) + count * sizeof(struct thaw_item);
	char *item_at = (char *)to + sizeof(*head);

	head->count = (uint16_t)count;
	head->name_size = name ? (uint32_t)strlen(name) : 0;
	head->name = name ? thaw_message_put(to, &end, name, head->name_size) :
			    0;
	for (unsigned i = 0; i < count; i++) {
		const struct thaw_value *value = &values[i];
		const bool is_text = value->type == THAW_TYPE_STRING;
		struct thaw_item item = thaw_item_of(value);

		if (thaw_type_has_bytes(value->type)) {
			item.size = (uint32_t)thaw_value_size(value);
			item.bits =
				thaw_message_put(to, &end,
						 is_text ?
							 value->as.string.data :
							 value->as.bytes.data,
						 item.size);
		}
		memcpy(item_at + i * sizeof(item), &item, sizeof(item));
	}
	head->size = (uint32_t)end;
	memcpy(to, head, sizeof(*head));
}

#endif
