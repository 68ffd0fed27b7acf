/*
 * fuzz_typed.c - libFuzzer's target for typed functions: any bytes as declarations or
 * imports in an image, as a call in JSON, as a call or a result of another's making.
 * Whatever is accepted is what a guest, or a caller, can read.
 *
 * The first byte says which of them; the first run writes some to begin with:
 *
 *	FUZZ_TYPED_SEEDS=corpus fuzz_typed -runs=0
 *	fuzz_typed -max_len=4096 corpus
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_walk.h"
#include "base/text.h"
#include "executor/typed/call.h"
#include "executor/typed/message.h"
#include "executor/typed/result.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/require.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct thaw_function_entry functions[] = {
	{ .returns = THAW_TYPE_STRING,
	  .count = 9,
	  .types = { 1, 2, 3, 4, 5, 6, 7, 8, 9 },
	  .name = "all",
	  .parameters = "a, b, c, d, e, f, g, h, i" },
	{ .returns = THAW_TYPE_VOID, .name = "nothing" },
	{ .flags = THAW_FUNCTION_DISPATCH },
};

#define FUNCTIONS ".thaw_functions"

static const char json[] =
	"{\"function\":\"all\",\"args\":[1,2,3,4,1.5,2.5e0,\"\\u00e9\",true,"
	"\"AAEC\"]}";

static struct elf_builder elf;
static struct image *image;
static struct typed_target target;

static int parse(const char *section, const void *bytes, size_t size,
		 struct image **ret_image)
{
	elf_builder_executable(&elf);
	elf_builder_add_section(&elf, section, bytes, size);
	return image_parse(elf.bytes, elf.size, "fuzz", NULL, ret_image);
}

static void write_seed(const char *directory, const char *name, char first,
		       const void *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	REQUIRE(file);
	REQUIRE(fputc(first, file) == first);
	REQUIRE(fwrite(bytes, 1, size, file) == size);
	REQUIRE(!fclose(file));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct typed_request request = { .data = json,
					       .size = sizeof(json) - 1 };
	const char *directory = getenv("FUZZ_TYPED_SEEDS");
	struct typed_call call;

	(void)argc;
	(void)argv;
	REQUIRE(!parse(FUNCTIONS, functions, sizeof(functions), &image));
	target.functions = image_functions(image);
	REQUIRE(!typed_call_make(&target, &request, NULL, &call));
	if (directory) {
		write_seed(directory, "declarations", 'd', functions,
			   sizeof(functions));
		/* without the dispatch function, which none can be */
		write_seed(directory, "imports", 'i', functions,
			   sizeof(functions) - sizeof(*functions));
		write_seed(directory, "json", 'j', json, sizeof(json) - 1);
		write_seed(directory, "call", 'c', call.message, call.size);
		write_seed(directory, "result", 'r', call.message, call.size);
	}
	typed_call_done(&call);
	return 0;
}

static void check_declarations(const struct declarations *declarations,
			       bool is_named)
{
	char signature[DECLARATION_SIGNATURE_MAX], name[200];

	REQUIRE(declarations_total(declarations) <= THAW_FUNCTIONS_MAX);
	for (size_t i = 0; i < declarations->count; i++) {
		const struct declaration *function = &declarations->list[i];

		REQUIRE(function->count <= THAW_PARAMETERS_MAX);
		REQUIRE(declarations_find(declarations, function->name) ==
			function);
		declaration_signature(function, signature);
		REQUIRE(signature[strlen(signature) - 1] == ')');
		for (unsigned p = 0; p < function->count; p++)
			REQUIRE(*declaration_parameter_name(function, p, name,
							    sizeof(name)) ||
				!is_named);
	}
}

static void check_section(const char *section, const uint8_t *data, size_t size)
{
	struct image *other;

	if (size > 0x8000 || parse(section, data, size, &other))
		return;
	check_declarations(image_functions(other), true);
	check_declarations(image_imports(other), false);
	REQUIRE(!image_imports(other)->has_dispatch);
	image_close(other);
}

/* As the guest reads it: all in the bytes, text with a zero behind it. */
static void check_values(const void *bytes, size_t size, uint16_t kind)
{
	struct message message;
	const char *from = bytes;

	if (message_read(bytes, size, kind, NULL, &message))
		return;
	REQUIRE(message.head.count <= THAW_PARAMETERS_MAX &&
		message.head.size == size);
	for (unsigned i = 0; i < message.head.count; i++) {
		const struct thaw_value *value = &message.values[i];
		const char *at = value->as.bytes.data;

		if (!thaw_type_has_bytes(value->type))
			continue;
		REQUIRE(at >= from && at <= from + size &&
			value->as.bytes.size <= (size_t)(from + size - at));
		if (value->type == THAW_TYPE_STRING)
			REQUIRE(strlen(at) == value->as.string.size &&
				text_is_utf8(at, value->as.string.size));
	}
}

static void check_call(const uint8_t *data, size_t size, bool is_message)
{
	const struct typed_request request = {
		.data = data,
		.size = size,
		.is_message = is_message,
	};
	struct error err;
	struct typed_call call;
	int r = typed_call_make(&target, &request, &err, &call);

	REQUIRE(!r || r == -EINVAL || r == -ENOSYS);
	if (!r) {
		REQUIRE(call.size <= size * 2 + THAW_MESSAGE_HEAD_MAX);
		check_values(call.message, call.size, THAW_MESSAGE_CALL);
	}
	typed_call_done(&call);
}

static void check_result(const uint8_t *data, size_t size)
{
	struct typed_call call = { .function = NULL };
	struct error err;
	int r = typed_result_take(&call, data, size, 1 << 20, &err);

	REQUIRE(!r || r == -EPROTO || r == -E2BIG);
	if (!r)
		REQUIRE(!json_check(call.message, call.size, NULL));
	typed_call_done(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int first = size ? *data : 0;
	/* behind the first byte, and not a byte more, for the sanitizer */
	uint8_t *bytes = malloc(size ? size : 1);

	if (!size) {
		free(bytes);
		return 0;
	}
	memcpy(bytes, data + 1, --size);
	if (first == 'd')
		check_section(FUNCTIONS, bytes, size);
	else if (first == 'i')
		check_section(".thaw_imports", bytes, size);
	else if (first == 'j')
		check_call(bytes, size, false);
	else if (first == 'c')
		check_call(bytes, size, true);
	else
		check_result(bytes, size);
	free(bytes);
	return 0;
}
