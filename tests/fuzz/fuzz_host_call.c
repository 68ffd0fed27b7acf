/*
 * fuzz_host_call.c - libFuzzer's target for calls of host functions: any bytes as what a
 * guest asks of the host. What is accepted has the types that the function declares, and
 * is given back as it came. The first run writes some calls to begin with:
 *
 *	FUZZ_HOST_CALL_SEEDS=corpus fuzz_host_call -runs=0
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "executor/host/host_call.h"
#include "executor/host/host_function.h"
#include "tests/unit/require.h"

#define SIZE_MAX_OF_CALL 4096

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host_functions functions;

/* Returns its last argument, whose type is what it is declared to return. */
static void call_last(void *cookie, struct thaw_host_call *call)
{
	const struct host_call *inner = host_call_of(call);

	(void)cookie;
	REQUIRE(call->count == inner->function->signature.count);
	for (size_t i = 0; i < call->count; i++) {
		const struct thaw_value *value = &call->arguments[i];

		REQUIRE(value->type ==
			(enum thaw_type)inner->function->signature.types[i]);
		if (value->type != THAW_TYPE_STRING)
			continue;
		REQUIRE(!value->as.string.data[value->as.string.size]);
		REQUIRE(text_is_utf8(value->as.string.data,
				     value->as.string.size));
	}
	if (call->count)
		host_call_return(host_call_of(call),
				 &call->arguments[call->count - 1]);
}

static void write_seed(const char *folder, const char *name,
		       const struct thaw_value *values, unsigned count)
{
	struct thaw_message head = { .kind = THAW_MESSAGE_CALL,
				     .function = THAW_FUNCTION_NAMED };
	const size_t size = thaw_message_size(values, count, strlen(name));
	void *message = malloc(size);
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	REQUIRE(message && file);
	thaw_message_write(&head, name, values, count, message);
	fwrite(message, 1, size, file);
	fclose(file);
	free(message);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const enum thaw_type all[] = { 1, 2, 3, 4, 5, 6, 8, 9, 7 };
	const struct thaw_host_function given[] = {
		{ .name = "all",
		  .returns = THAW_TYPE_STRING,
		  .types = all,
		  .count = 9,
		  .call = call_last },
		{ .name = "same",
		  .returns = THAW_TYPE_BYTES,
		  .types = all + 7,
		  .count = 1,
		  .call = call_last },
		{ .name = "nothing",
		  .returns = THAW_TYPE_VOID,
		  .call = call_last },
	};
	const char *folder = getenv("FUZZ_HOST_CALL_SEEDS");
	struct thaw_value values[9] = { { .type = THAW_TYPE_NONE } };

	(void)argc;
	(void)argv;
	REQUIRE(!host_functions_make(given, 3, NULL, &functions));
	if (!folder)
		return 0;
	for (size_t i = 0; i < 9; i++)
		values[i].type = all[i];
	values[7].as.bytes = (struct thaw_bytes){ "ab", 2 };
	values[8].as.string = (struct thaw_text){ "text", 4 };
	write_seed(folder, "all", values, 9);
	write_seed(folder, "same", values + 7, 1);
	write_seed(folder, "nothing", NULL, 0);
	return 0;
}

/* Whether the answer is an error, or a result of the right type. */
static void check_answer(const struct host_call *call)
{
	const char *text =
		(const char *)call->answer + sizeof(struct thaw_host_answer);
	struct thaw_host_answer head;
	struct message result;

	REQUIRE(call->answer_size >= sizeof(head));
	memcpy(&head, call->answer, sizeof(head));
	REQUIRE(head.size <= call->answer_size - sizeof(head));
	if (head.status != THAW_HOST_OK) {
		REQUIRE(head.size < HOST_MESSAGE_MAX && !text[head.size]);
		REQUIRE(text_is_utf8(text, head.size));
		return;
	}
	REQUIRE(!message_read(text, head.size, THAW_MESSAGE_RESULT, NULL,
			      &result));
	REQUIRE((result.head.count ? result.values[0].type : THAW_TYPE_VOID) ==
		(enum thaw_type)call->function->signature.returns);
}

/* The same call twice: nothing of the first one is left. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_call *call =
		host_call_create("fuzz", "id", 0, SIZE_MAX_OF_CALL);

	REQUIRE(call);
	for (int i = 0; i < 2; i++) {
		if (host_call_read(call, data, size) == THAW_HOST_OK &&
		    host_call_choose(call, &functions) == THAW_HOST_OK) {
			host_call_begin(call);
			call->function->call(call->function->cookie,
					     &call->given);
			host_call_finish(call);
			REQUIRE(host_call_is_finished(call));
		}
		check_answer(call);
	}
	host_call_abandon(call);
	return 0;
}
