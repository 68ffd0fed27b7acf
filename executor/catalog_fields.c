/*
 * catalog_fields.c - the keys of one function; any thread.
 *
 * The tables at the end say which keys there are. Above them, one function
 * for each kind of value. See json_reader.h for how they are called.
 */
#include "executor/catalog_fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "executor/catalog_host_fields.h"
#include "executor/catalog_interrupts.h"
#include "executor/limits.h"
#include "guest/abi/thaw_abi.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* A handler's name in the image, without its terminating zero. */
#define HANDLER_NAME_MAX (sizeof(((struct thaw_handler_entry *)0)->name) - 1)

_Static_assert(LIMIT_NAME_MAX < THAW_FUNCTION_MAX, "names must fit the ABI");

/* Short-lived buffers, for the arguments of a refusal. */
#define QUOTE(value) json_reader_quote(value, (char[JSON_QUOTE_MAX]){ 0 })
#define SIZE(bytes) units_format_size(bytes, (char[UNITS_TEXT_MAX]){ 0 })
#define DURATION(ns) units_format_duration(ns, (char[UNITS_TEXT_MAX]){ 0 })

static void *member_of(void *target, const struct json_field *field)
{
	return (char *)target + field->offset;
}

/* A name: 1 to @max of the characters @set, the first of them of @first. */
static bool consists_of(const char *text, size_t max, const char *first,
			const char *set)
{
	size_t length = strlen(text);

	return length && length <= max && strchr(first, text[0]) &&
	       strspn(text, set) == length;
}

static size_t count_characters(const char *utf8)
{
	size_t count = 0;

	for (; *utf8; utf8++)
		count += (*utf8 & 0xc0) != 0x80;
	return count;
}

static int refuse_range(const struct json_place *place, const char *what,
			const char *least, const char *most)
{
	return json_reader_refuse(place,
				  "%s is out of range: accepted is %s to %s",
				  what, least, most);
}

/* For a value that is not digits and one of @units. */
static int refuse_quantity(const struct json_place *place, json_t *value,
			   const char *noun, const char *example,
			   const char *units)
{
	const char *text = json_string_value(value);
	const char *article = "is not a ";

	if (!text) {
		noun = "string";
	} else if (*text && strspn(text, DIGITS) == strlen(text)) {
		article = "has no ";
		noun = "unit";
	}
	return json_reader_refuse(place,
				  "%s %s%s: write for example \"%s\" (%s)",
				  QUOTE(value), article, noun, example, units);
}

static int read_size(const struct json_place *place, json_t *value,
		     const struct json_field *field, void *target)
{
	int r = -EINVAL;
	size_t bytes = 0;

	if (json_is_string(value))
		r = units_parse_size(json_string_value(value), &bytes);
	if (r == -EINVAL)
		return refuse_quantity(place, value, "size", "16MiB",
				       UNITS_OF_SIZE);
	if (r == -ERANGE || bytes < field->min || bytes > field->max)
		return refuse_range(place, QUOTE(value), SIZE(field->min),
				    SIZE(field->max));
	*(size_t *)member_of(target, field) = bytes;
	return 0;
}

static int read_memory(const struct json_place *place, json_t *value,
		       const struct json_field *field, void *target)
{
	int r = read_size(place, value, field, target);
	size_t bytes = r < 0 ? 0 : *(size_t *)member_of(target, field);
	size_t excess = bytes % LIMIT_MEMORY_STEP;

	if (r < 0 || !excess)
		return r;
	return json_reader_refuse(
		place, "%s is not a multiple of %s: the next is \"%s\"",
		QUOTE(value), SIZE(LIMIT_MEMORY_STEP),
		SIZE(bytes - excess + LIMIT_MEMORY_STEP));
}

static int read_duration(const struct json_place *place, json_t *value,
			 const struct json_field *field, void *target)
{
	int r = -EINVAL;
	uint64_t ns = 0;

	if (json_is_string(value))
		r = units_parse_duration(json_string_value(value), &ns);
	if (r == -EINVAL)
		return refuse_quantity(place, value, "duration", "100ms",
				       UNITS_OF_DURATION);
	if (r == -ERANGE || ns < field->min || ns > field->max)
		return refuse_range(place, QUOTE(value), DURATION(field->min),
				    DURATION(field->max));
	*(uint64_t *)member_of(target, field) = ns;
	return 0;
}

static int read_count(const struct json_place *place, json_t *value,
		      const struct json_field *field, void *target)
{
	json_int_t count = json_integer_value(value);
	char least[24];
	char most[24];

	snprintf(least, sizeof(least), "%" PRIu64, field->min);
	snprintf(most, sizeof(most), "%" PRIu64, field->max);
	if (!json_is_integer(value))
		return json_reader_refuse(
			place, "%s is not a whole number: accepted is %s to %s",
			QUOTE(value), least, most);
	if (count < (json_int_t)field->min || count > (json_int_t)field->max)
		return refuse_range(place, QUOTE(value), least, most);
	*(unsigned int *)member_of(target, field) = count;
	return 0;
}

static int read_name(const struct json_place *place, json_t *value,
		     const struct json_field *field, void *target)
{
	const char *name = json_string_value(value);
	char **copy = member_of(target, field);

	if (!name || !consists_of(name, field->max, LETTERS DIGITS "_",
				  LETTERS DIGITS "_.-"))
		return json_reader_refuse(
			place,
			"%s is not a name: write up to %" PRIu64
			" of A-Z a-z 0-9 _ . - and not . or - first",
			QUOTE(value), field->max);
	*copy = strdup(name);
	return *copy ? 0 : json_reader_no_memory(place);
}

static int read_handler(const struct json_place *place, json_t *value,
			const struct json_field *field, void *target)
{
	const char *name = json_string_value(value);
	char **copy = member_of(target, field);

	if (!name ||
	    !consists_of(name, field->max, LETTERS "_", LETTERS DIGITS "_"))
		return json_reader_refuse(
			place,
			"%s is not a handler's name: write the name given to "
			"THAW_HANDLER, or leave this out for the default",
			QUOTE(value));
	*copy = strdup(name);
	return *copy ? 0 : json_reader_no_memory(place);
}

static int read_string(const struct json_place *place, json_t *value,
		       const struct json_field *field, void *target)
{
	const char *text = json_string_value(value);
	size_t count = text ? count_characters(text) : 0;
	char **copy = member_of(target, field);

	if (!text || count < field->min || count > field->max)
		return json_reader_refuse(place,
					  "%s is not a string of %" PRIu64
					  " to %" PRIu64 " characters",
					  QUOTE(value), field->min, field->max);
	*copy = strdup(text);
	return *copy ? 0 : json_reader_no_memory(place);
}

/* Room for all words of a list, quoted, its terminating zero included. */
#define WORDS_TEXT_MAX 64

/* Lists the words as in: "a", "b" or "c". */
static const char *list_words(const struct catalog_words *words,
			      char text[static WORDS_TEXT_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < words->count && length < WORDS_TEXT_MAX; i++) {
		const char *comma = i + 1 < words->count ? ", " : " or ";

		length += snprintf(text + length, WORDS_TEXT_MAX - length,
				   "%s\"%s\"", i ? comma : "", words->list[i]);
	}
	return text;
}

/* Finds the value's place in a list of words. */
static int read_word(const struct json_place *place, json_t *value,
		     const struct catalog_words *words, size_t *ret)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < words->count; i++) {
		if (!strcmp(text, words->list[i])) {
			*ret = i;
			return 0;
		}
	}
	return json_reader_refuse(place, "%s is not a %s: accepted is %s",
				  QUOTE(value), words->noun,
				  list_words(words,
					     (char[WORDS_TEXT_MAX]){ 0 }));
}

static int read_log_level(const struct json_place *place, json_t *value,
			  const struct json_field *field, void *target)
{
	size_t level = 0;
	int r = read_word(place, value, &catalog_log_levels, &level);

	if (r == 0)
		*(enum thaw_level *)member_of(target, field) = level;
	return r;
}

static int read_dispatch(const struct json_place *place, json_t *value,
			 const struct json_field *field, void *target)
{
	size_t dispatch = 0;
	int r = read_word(place, value, &catalog_dispatches, &dispatch);

	if (r == 0)
		*(enum catalog_dispatch *)member_of(target, field) = dispatch;
	return r;
}

static int read_isolation(const struct json_place *place, json_t *value,
			  const struct json_field *field, void *target)
{
	size_t isolation = 0;
	int r = read_word(place, value, &catalog_isolations, &isolation);

	if (r == 0)
		*(enum catalog_isolation *)member_of(target, field) = isolation;
	return r;
}

static int read_flag(const struct json_place *place, json_t *value,
		     const struct json_field *field, void *target)
{
	if (!json_is_boolean(value))
		return json_reader_refuse(
			place,
			"%s is neither true nor false: write one of them, "
			"without quotes",
			QUOTE(value));
	*(bool *)member_of(target, field) = json_is_true(value);
	return 0;
}

static int read_kind(const struct json_place *place, json_t *value,
		     const struct json_field *field, void *target)
{
	size_t kind = 0;
	int r = read_word(place, value, &catalog_kinds, &kind);

	if (r == 0)
		*(enum catalog_kind *)member_of(target, field) = kind;
	return r;
}

static int read_devices(const struct json_place *place, json_t *value,
			const struct json_field *field, void *target)
{
	size_t devices = 0;
	int r = read_word(place, value, &catalog_devices, &devices);

	if (r == 0)
		*(enum catalog_devices *)member_of(target, field) = devices;
	return r;
}

static int read_strings(const struct json_place *place, json_t *value,
			const struct json_field *field, void *target)
{
	const size_t count = json_array_size(value);
	char **list;

	if (!json_is_array(value) || count < field->min || count > field->max)
		return json_reader_refuse(place,
					  "%s is not an array of %" PRIu64
					  " to %" PRIu64
					  " strings: write [\"...\", ...]",
					  QUOTE(value), field->min, field->max);
	list = calloc(count + 1, sizeof(*list));
	*(char ***)member_of(target, field) = list;
	if (!list)
		return json_reader_no_memory(place);
	for (size_t i = 0; i < count; i++) {
		const struct json_place here = json_place_element(place, i);
		json_t *element = json_array_get(value, i);

		if (!json_is_string(element))
			return json_reader_refuse(
				&here, "%s is not a string: write it in quotes",
				QUOTE(element));
		list[i] = strdup(json_string_value(element));
		if (!list[i])
			return json_reader_no_memory(place);
	}
	return 0;
}

/* Checks that an object's values are strings. */
static int check_strings(const struct json_place *place, json_t *value)
{
	const char *name;
	json_t *member;
	int result = 0, r;

	if (!json_is_object(value))
		return json_reader_refuse(
			place,
			"%s is not an object: write {\"NAME\": \"VALUE\"}",
			QUOTE(value));
	json_object_foreach(value, name, member)
	{
		struct json_place here = json_place_member(place, name);

		if (json_is_string(member))
			continue;
		r = json_reader_refuse(&here,
				       "%s is not a string: write it in quotes",
				       QUOTE(member));
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

/* Copies an object of strings into a list of "NAME=VALUE". */
static int copy_strings(const struct json_place *place, json_t *value,
			char ***ret)
{
	char **list = calloc(json_object_size(value) + 1, sizeof(*list));
	size_t count = 0;
	const char *name;
	json_t *member;

	*ret = list;
	if (!list)
		return json_reader_no_memory(place);
	json_object_foreach(value, name, member)
	{
		if (asprintf(&list[count], "%s=%s", name,
			     json_string_value(member)) < 0) {
			list[count] = NULL;
			return json_reader_no_memory(place);
		}
		count++;
	}
	return 0;
}

static int read_environment(const struct json_place *place, json_t *value,
			    const struct json_field *field, void *target)
{
	int r = check_strings(place, value), result = 0;
	size_t bytes = sizeof(uint64_t); /* the NULL that ends the pointers */
	const char *name;
	json_t *member;

	if (r < 0)
		return r;
	json_object_foreach(value, name, member)
	{
		struct json_place here = json_place_member(place, name);

		if (!consists_of(name, SIZE_MAX, LETTERS "_",
				 LETTERS DIGITS "_")) {
			r = json_reader_refuse(
				&here,
				"not a variable's name: write A-Z a-z 0-9 _, "
				"and no digit first");
			if (json_reader_ends(place, r, &result))
				return r;
		}
		bytes += sizeof(uint64_t) + strlen(name) + strlen("=") +
			 json_string_length(member) + 1;
	}
	if (bytes > field->max)
		return json_reader_refuse(
			place,
			"needs %zu bytes in the guest, names, values and "
			"pointers: the most is %" PRIu64,
			bytes, field->max);
	return result ? result :
			copy_strings(place, value, member_of(target, field));
}

static int check_label(const struct json_place *place, const char *name,
		       const char *value)
{
	if (!consists_of(name, LIMIT_LABEL_NAME_MAX, LETTERS DIGITS "_",
			 LETTERS DIGITS "_./-"))
		return json_reader_refuse(
			place,
			"not a label's name: write up to %d of A-Z a-z 0-9 _ . "
			"/ - and not . / or - first",
			LIMIT_LABEL_NAME_MAX);
	if (count_characters(value) > LIMIT_LABEL_VALUE_MAX)
		return json_reader_refuse(place, "more than %d characters",
					  LIMIT_LABEL_VALUE_MAX);
	return 0;
}

static int read_labels(const struct json_place *place, json_t *value,
		       const struct json_field *field, void *target)
{
	int r = check_strings(place, value), result = 0;
	const char *name;
	json_t *member;

	if (r < 0)
		return r;
	if (json_object_size(value) > field->max)
		return json_reader_refuse(place,
					  "%zu labels: the most is %" PRIu64,
					  json_object_size(value), field->max);
	json_object_foreach(value, name, member)
	{
		struct json_place here = json_place_member(place, name);

		r = check_label(&here, name, json_string_value(member));
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result ? result :
			copy_strings(place, value, member_of(target, field));
}

/* Files that a program sees besides those that all see. */
static int read_files(const struct json_place *place, json_t *value,
		      const struct json_field *field, void *target)
{
	char **list;
	int r = read_strings(place, value, field, target);

	if (r)
		return r;
	list = *(char ***)member_of(target, field);
	for (size_t i = 0; list[i]; i++) {
		const struct json_place here = json_place_element(place, i);

		if (list[i][0] != '/')
			return json_reader_refuse(&here,
						  "%s is not an absolute path",
						  QUOTE(json_array_get(value,
								       i)));
	}
	return 0;
}

static int read_interrupts(const struct json_place *place, json_t *value,
			   const struct json_field *field, void *target)
{
	struct gunyah_interrupt interrupt;
	int r = read_strings(place, value, field, target);
	char **list;

	if (r)
		return r;
	list = *(char ***)member_of(target, field);
	for (size_t i = 0; list[i]; i++) {
		const struct json_place here = json_place_element(place, i);

		r = catalog_interrupts_parse(list[i], &interrupt);
		if (r == -ERANGE)
			return json_reader_refuse(
				&here,
				"%s is out of range: accepted are the lines 0 "
				"to %d without %d, and times up to %s",
				QUOTE(json_array_get(value, i)),
				INTERRUPTS_MAX - 1, INTERRUPTS_TIMER,
				DURATION(LIMIT_TIMEOUT_MAX));
		if (r)
			return json_reader_refuse(
				&here,
				"%s is not an interrupt: write the number of "
				"its line, or for example \"40@5ms\" (%s)",
				QUOTE(json_array_get(value, i)),
				UNITS_OF_DURATION);
	}
	return 0;
}

/* A key whose value, between @least and @most, goes to @member. */
#define FIELD(key, read, member, least, most)                                \
	{                                                                    \
		key, read, offsetof(struct catalog_function, member), least, \
			most, false                                          \
	}

/* The same, for a quantity with its range in limits.h. */
#define QUANTITY(key, read, member, limit) \
	FIELD(key, read, member, limit##_MIN, limit##_MAX)

static const struct json_field concurrency_fields[] = {
	QUANTITY("max", read_count, concurrency.max, LIMIT_CONCURRENCY),
	QUANTITY("warm", read_count, concurrency.warm, LIMIT_WARM),
	QUANTITY("queue", read_count, concurrency.queue, LIMIT_QUEUE),
	QUANTITY("queue_timeout", read_duration, concurrency.queue_timeout_ns,
		 LIMIT_QUEUE_TIMEOUT),
	{ .key = NULL },
};

static const struct json_field host_fields[] = {
	{ .key = "allow", .read = catalog_host_read_allow },
	{ .key = "config", .read = catalog_host_read_config },
	{ .key = "secrets", .read = catalog_host_read_secrets },
	QUANTITY("max_size", read_size, host.max_size, LIMIT_HOST_SIZE),
	{ .key = NULL },
};

static const struct json_field warm_input_fields[] = {
	FIELD("text", read_string, warm_input.text, 0, CATALOG_FILE_MAX),
	FIELD("file", read_string, warm_input.file, 1, LIMIT_IMAGE_MAX),
	QUANTITY("count", read_count, warm_input.count, LIMIT_WARM_INPUT),
	{ .key = NULL },
};

/* A request, in @value, is a text or in a file. */
static int check_request(const struct json_place *place, const json_t *value)
{
	if (!json_is_object(value) ||
	    !json_object_get(value, "text") != !json_object_get(value, "file"))
		return 0;
	return json_reader_refuse(place,
				  "needs either \"text\", the request, or "
				  "\"file\", the path of a file that has it");
}

static int read_warm_input(const struct json_place *place, json_t *value,
			   const struct json_field *field, void *target)
{
	struct catalog_warm_input *warm =
		&((struct catalog_function *)target)->warm_input;
	int result =
		json_reader_object(place, value, warm_input_fields, target);
	int r;

	(void)field;
	if (json_reader_ends(place, result, &result))
		return result;
	r = check_request(place, value);
	if (!warm->count)
		warm->count = LIMIT_WARM_INPUT_DEFAULT;
	return json_reader_ends(place, r, &result) ? r : result;
}

static const struct json_field init_fields[] = {
	FIELD("entry", read_handler, init.entry, 1, HANDLER_NAME_MAX),
	FIELD("text", read_string, init.text, 0, CATALOG_FILE_MAX),
	FIELD("file", read_string, init.file, 1, LIMIT_IMAGE_MAX),
	{ .key = NULL },
};

static int read_init(const struct json_place *place, json_t *value,
		     const struct json_field *field, void *target)
{
	struct catalog_init *init = &((struct catalog_function *)target)->init;
	int result = json_reader_object(place, value, init_fields, target);
	int r;

	(void)field;
	if (json_reader_ends(place, result, &result))
		return result;
	r = check_request(place, value);
	if (init->text)
		init->size = strlen(init->text);
	return json_reader_ends(place, r, &result) ? r : result;
}

static int read_concurrency(const struct json_place *place, json_t *value,
			    const struct json_field *field, void *target)
{
	(void)field;
	return json_reader_object(place, value, concurrency_fields, target);
}

static int read_host_object(const struct json_place *place, json_t *value,
			    const struct json_field *field, void *target)
{
	(void)field;
	return json_reader_object(place, value, host_fields, target);
}

/* clang-format off */
#define DEFAULT_FIELDS \
	QUANTITY("memory", read_memory, memory, LIMIT_MEMORY), \
	QUANTITY("stack", read_size, stack, LIMIT_STACK), \
	QUANTITY("max_request", read_size, max_request, LIMIT_REQUEST), \
	QUANTITY("max_reply", read_size, max_reply, LIMIT_REPLY), \
	QUANTITY("timeout", read_duration, timeout_ns, LIMIT_TIMEOUT), \
	QUANTITY("init_timeout", read_duration, init_timeout_ns, \
		 LIMIT_INIT_TIMEOUT), \
	QUANTITY("inline_budget", read_duration, inline_budget_ns, \
		 LIMIT_INLINE_BUDGET), \
	FIELD("log_level", read_log_level, log_level, 0, 0), \
	FIELD("dispatch", read_dispatch, dispatch, 0, 0), \
	FIELD("isolation", read_isolation, isolation, 0, 0), \
	FIELD("untrusted", read_flag, untrusted, 0, 0), \
	FIELD("critical", read_flag, critical, 0, 0), \
	{ .key = "concurrency", .read = read_concurrency }
/* clang-format on */

const struct json_field catalog_function_fields[] = {
	{ "name", read_name, offsetof(struct catalog_function, name), 1,
	  LIMIT_NAME_MAX, .required = true },
	/* one of them is required: see catalog_function_set_image() */
	FIELD("image", read_string, image, 1, LIMIT_IMAGE_MAX),
	FIELD("program", read_string, program, 1, LIMIT_IMAGE_MAX),
	FIELD("argv", read_strings, arguments, 1, LIMIT_ARGUMENTS_MAX),
	FIELD("entry", read_handler, entry, 1, HANDLER_NAME_MAX),
	FIELD("description", read_string, description, 0,
	      LIMIT_DESCRIPTION_MAX),
	FIELD("environment", read_environment, environment, 0,
	      THAW_ENVIRONMENT_MAX),
	FIELD("labels", read_labels, labels, 0, LIMIT_LABELS_MAX),
	FIELD("kind", read_kind, kind, 0, 0),
	{ .key = "host", .read = read_host_object },
	FIELD("root", read_string, root, 1, LIMIT_IMAGE_MAX),
	FIELD("files", read_files, files, 0, LIMIT_FILES_MAX),
	{ .key = "warm_input", .read = read_warm_input },
	FIELD("base", read_name, base, 1, LIMIT_NAME_MAX),
	{ .key = "init", .read = read_init },
	QUANTITY("tmp", read_size, tmp, LIMIT_TMP),
	FIELD("writable_code", read_flag, writable_code, 0, 0),
	FIELD("devices", read_devices, devices, 0, 0),
	FIELD("interrupts", read_interrupts, interrupts, 0,
	      GUNYAH_INTERRUPTS_MAX),
	DEFAULT_FIELDS,
	{ .key = NULL },
};
const struct json_field catalog_default_fields[] = {
	DEFAULT_FIELDS,
	{ .key = NULL },
};
