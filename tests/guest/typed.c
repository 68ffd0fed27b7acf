/*
 * typed.c - typed functions: one that gives back each type, some that compute, and
 * results that are lies.
 */
#include <stdio.h>
#include <string.h>

#include <thaw.h>

#define SAME(word, type)                                \
	THAW_FUNCTION(type, same_##word, (type, value)) \
	{                                               \
		return value;                           \
	}

SAME(int, int)
SAME(uint, unsigned)
SAME(long, long)
SAME(ulong, unsigned long)
SAME(float, float)
SAME(double, double)
SAME(bool, bool)
SAME(string, const char *)
SAME(bytes, struct thaw_bytes)

THAW_FUNCTION(int, add, (int, a), (int, b))
{
	return (int)((unsigned)a + (unsigned)b);
}

THAW_FUNCTION(void, nothing)
{
}

/* All 16 parameters, of all types, as a text. */
THAW_FUNCTION(const char *, all, (int, a), (unsigned, b), (long, c),
	      (unsigned long, d), (float, e), (double, f), (bool, g),
	      (const char *, h), (struct thaw_bytes, i), (int, j), (int, k),
	      (int, l), (int, m), (int, n), (int, o), (const char *, p))
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "%d %u %ld %lu %g %g %d %s %.*s %d %d %d %d %d %d %s", a, b, c,
		 d, (double)e, f, g, h, (int)i.size, (const char *)i.data, j, k,
		 l, m, n, o, p);
	return text;
}

/* Bytes that are much larger than the request. */
THAW_FUNCTION(struct thaw_bytes, fill, (unsigned, size))
{
	static char bytes[1 << 20];
	const struct thaw_bytes result = { bytes, size };

	if (size > sizeof(bytes))
		thaw_fail("Typed.TooLarge", "%u bytes", size);
	memset(bytes, 'x', size);
	return result;
}

/* Text that is made where the result will be. */
THAW_FUNCTION(const char *, in_place, (unsigned, offset), (unsigned, size))
{
	size_t capacity;
	char *text = (char *)thaw_reply_buffer(&capacity) + offset;

	if (offset + size + 1 > capacity)
		thaw_fail("Typed.TooLarge", "%zu bytes", capacity);
	for (unsigned i = 0; i < size; i++)
		text[i] = (char)('a' + i % 26);
	text[size] = '\0';
	return text;
}

/* The SDK's own names are no function's. */
THAW_FUNCTION(int, entry_add, (int, a))
{
	return a;
}

THAW_FUNCTION(int, divide, (int, a), (int, b))
{
	if (!b)
		thaw_fail("Typed.DivisionByZero", "%d / 0", a);
	return a / b;
}

THAW_FUNCTION(int, fault)
{
	volatile int *volatile nowhere = (volatile int *)8;

	return *nowhere;
}

THAW_FUNCTION(const char *, null)
{
	return NULL;
}

/* A string that is not UTF-8. */
THAW_FUNCTION(const char *, latin1)
{
	return "caf\xe9";
}

/* What a guest may leave instead of a result. */
enum lie {
	LIE_NOTHING,
	LIE_KIND,
	LIE_SIZE,
	LIE_COUNT,
	LIE_TYPE,
	LIE_BOOL,
	LIE_OFFSET,
	LIE_LENGTH,
	LIE_NO_ZERO,
	LIE_INNER_ZERO,
	LIE_ITEM_OFFSET,
	LIE_TWO,
	LIES
};

/* The reply, and no code of the SDK behind it. */
static void leave(const void *reply, size_t size)
{
	volatile struct thaw_mailbox *mailbox =
		(volatile struct thaw_mailbox *)THAW_GPA_MAILBOX;
	const volatile struct thaw_info *info =
		(const volatile struct thaw_info *)THAW_GPA_INFO;

	if (size)
		memcpy((void *)info->reply_start, reply, size);
	mailbox->status = THAW_STATUS_OK;
	mailbox->reply_size = size;
	for (;;)
		((void (*)(void))info->done)();
}

/* A result as text, with the head of HTTP that a handler may set, and a bad one. */
THAW_FUNCTION(const char *, lie_with_head, (int, status), (unsigned, size),
	      (bool, is_result))
{
	volatile struct thaw_mailbox *mailbox =
		(volatile struct thaw_mailbox *)THAW_GPA_MAILBOX;
	struct {
		struct thaw_message head;
		struct thaw_item item;
		char text[8];
	} reply = {
		.head = { .size = sizeof(reply),
			  .kind = THAW_MESSAGE_RESULT,
			  .count = is_result ? 1 : 2 },
		.item = { THAW_TYPE_STRING, 3, 40 },
		.text = "yes",
	};

	mailbox->http_status = (uint32_t)status;
	mailbox->headers_size = size;
	memcpy((void *)mailbox->headers, "x\0y", 4);
	leave(&reply, sizeof(reply));
	return NULL;
}

/*
 * Says in the cooperative isolation that it is done, and goes on to change its result,
 * 3000 times "e": to text that is not UTF-8, a larger one, one elsewhere, or others.
 */
THAW_FUNCTION(const char *, flip, (unsigned, what))
{
	volatile struct thaw_control *control =
		(volatile struct thaw_control *)THAW_GPA_CONTROL;
	volatile struct thaw_mailbox *mailbox =
		(volatile struct thaw_mailbox *)THAW_GPA_MAILBOX;
	volatile struct {
		struct thaw_message head;
		struct thaw_item item;
		char text[3008];
	} *reply =
		(void *)((const struct thaw_info *)THAW_GPA_INFO)->reply_start;

	memset((void *)reply, 0, sizeof(*reply));
	reply->head.size = sizeof(*reply);
	reply->head.kind = THAW_MESSAGE_RESULT;
	reply->head.count = 1;
	reply->item.type = THAW_TYPE_STRING;
	reply->item.size = 3000;
	reply->item.bits = 40;
	memset((void *)reply->text, 'e', 3000);
	mailbox->status = THAW_STATUS_OK;
	mailbox->reply_size = sizeof(*reply);
	control->done = control->go;
	for (unsigned i = 0;; i++) {
		const bool is_good = i % 128 < 64;

		if (what == 0)
			reply->text[1500] = is_good ? 'e' : '\xff';
		if (what == 1)
			reply->item.size = is_good ? 3000 : 0x7ffffff0;
		if (what == 2)
			reply->item.bits = is_good ? 40 : 0x7ffffff8;
		if (what == 3)
			reply->head.count = is_good ? 1 : 0xffff;
	}
	return NULL;
}

THAW_FUNCTION(const char *, lie, (int, how))
{
	struct {
		struct thaw_message head;
		struct thaw_item items[2];
		char text[8];
	} reply = {
		.head = { .size = sizeof(reply),
			  .kind = THAW_MESSAGE_RESULT,
			  .count = 1 },
		.items = { { THAW_TYPE_STRING, 3, 56 } },
		.text = "yes",
	};

	switch (how) {
	case LIE_NOTHING:
		leave(NULL, 0);
		break;
	case LIE_KIND:
		reply.head.kind = THAW_MESSAGE_CALL;
		break;
	case LIE_SIZE:
		reply.head.size++;
		break;
	case LIE_COUNT:
		reply.head.count = 17;
		break;
	case LIE_TYPE:
		reply.items[0] = (struct thaw_item){ THAW_TYPE_INT, 0, 1 };
		break;
	case LIE_BOOL:
		reply.items[0] = (struct thaw_item){ THAW_TYPE_BOOL, 0, 2 };
		break;
	case LIE_OFFSET:
		reply.items[0].bits = UINT64_MAX - 7;
		break;
	case LIE_LENGTH:
		reply.items[0].size = UINT32_MAX;
		break;
	case LIE_NO_ZERO:
		memset(reply.text, 'x', sizeof(reply.text));
		reply.items[0].size = sizeof(reply.text);
		break;
	case LIE_INNER_ZERO:
		reply.text[1] = '\0';
		break;
	case LIE_ITEM_OFFSET:
		reply.items[0].bits = 24;
		break;
	case LIE_TWO:
		reply.head.count = 2;
		reply.items[1] = (struct thaw_item){ THAW_TYPE_INT, 0, 1 };
		break;
	}
	leave(&reply, sizeof(reply));
	return NULL;
}

THAW_DISPATCH
{
	static char text[256];
	int length;

	if (!strncmp(call->name, "no_", 3))
		thaw_no_such_function(call);
	length = snprintf(text, sizeof(text), "%s:", call->name);
	for (unsigned i = 0; i < call->count; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length,
				   " %d", (int)call->arguments[i].type);
	return thaw_value_string(text);
}
