/*
 * typed.c - rows of typed functions: invoke.typed, which is invoke.warm with two
 * arguments and a result in place of 64 bytes, and json.args, what it takes to make
 * such a call of JSON, and JSON of its result, without a vm. See row.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/invoke.h"
#include "bench/row.h"
#include "executor/typed/call.h"
#include "executor/typed/result.h"
#include "guest/abi/thaw_typed.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

/* Conversions in one sample: the clock is slower than one of them. */
#define CONVERSIONS 100

#define REPLY_MAX 4096

static const char json[] = "{\"function\":\"add\",\"args\":[20,22]}";

static const struct thaw_value arguments[] = {
	{ .type = THAW_TYPE_INT, .as = { .i32 = 20 } },
	{ .type = THAW_TYPE_INT, .as = { .i32 = 22 } },
};

/* As large as the request of other rows. */
_Static_assert(sizeof(struct thaw_message) + 2 * sizeof(struct thaw_item) +
			       sizeof(uint64_t) ==
		       BENCH_REQUEST_SIZE,
	       "comparable");

static int typed_open(struct bench_row *row, struct error *err)
{
	const struct bench_function function = { .entry = "add", .vms = 1 };
	struct thaw *thaw;
	int r = bench_thaw_open(row->setup, &function, err, &thaw);

	if (!r)
		row->state = thaw;
	return r;
}

static int typed_once(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	static const struct thaw_typed_call call = {
		.name = "add",
		.arguments = arguments,
		.count = 2,
	};
	const uint64_t start_ns = clock_now_ns();
	struct thaw_value value;
	struct thaw_reply reply;
	int r = thaw_call(row->state, BENCH_FUNCTION, &call,
			  (struct thaw_error *)(void *)err, &reply, &value);

	if (r)
		return r;
	thaw_reply_release(&reply);
	*ret_ns = clock_now_ns() - start_ns;
	return value.type == THAW_TYPE_INT && value.as.i32 == 42 ?
		       0 :
		       error_set(err, -EPROTO, "20 + 22 is not 42: %s",
				 reply.error_message);
}

static void typed_close(struct bench_row *row)
{
	thaw_close(row->state);
}

static int json_open(struct bench_row *row, struct error *err)
{
	struct image *image;
	int r = image_open(row->setup->guest_path, err, &image);

	if (!r)
		row->state = image;
	return r;
}

/* There and back, once. */
static int convert(const struct image *image, const void *result, size_t size,
		   struct error *err)
{
	const struct typed_request request = { .data = json,
					       .size = sizeof(json) - 1 };
	const struct typed_target target = { .functions =
						     image_functions(image) };
	struct typed_call call;
	int r = typed_call_make(&target, &request, err, &call);

	if (!r)
		r = typed_result_take(&call, result, size, REPLY_MAX, err);
	typed_call_done(&call);
	return r;
}

static int json_once(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	static const struct thaw_value sum = { .type = THAW_TYPE_INT,
					       .as = { .i32 = 42 } };
	struct thaw_message head = { .kind = THAW_MESSAGE_RESULT };
	uint64_t bytes[8], start_ns;
	int r = 0;

	thaw_message_write(&head, NULL, &sum, 1, bytes);
	start_ns = clock_now_ns();
	for (int i = 0; i < CONVERSIONS && !r; i++)
		r = convert(row->state, bytes, head.size, err);
	*ret_ns = (clock_now_ns() - start_ns) / CONVERSIONS;
	return r;
}

static void json_close(struct bench_row *row)
{
	image_close(row->state);
}

const struct bench_kind bench_invoke_typed = {
	.open = typed_open,
	.once = typed_once,
	.close = typed_close,
};

const struct bench_kind bench_json_args = {
	.open = json_open,
	.once = json_once,
	.close = json_close,
	.many = CONVERSIONS,
};
