/* call_json.c - see call_json.h. */
#include "executor/typed/call_json.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/json_walk.h"
#include "executor/typed/json_value.h"
#include "executor/typed/target.h"
#include "vm/image/declarations.h"

/* Of a key that is none, in a message. */
#define SHOWN_MAX 64

/* A part of the text. */
struct piece {
	const char *text;
	size_t size;
};

/* The object, or the list alone, in parts. NULL: not there. */
struct parts {
	struct piece function, args;
};

static bool is_key(const struct json_member *member, const char *key)
{
	return member->key_size == strlen(key) &&
	       !memcmp(member->key, key, member->key_size);
}

static int take_part(struct piece *part, const struct json_member *member,
		     char first, struct error *err)
{
	const int size = (int)member->key_size;
	char given[JSON_GIVEN_MAX];

	if (part->text)
		return error_set(err, -EINVAL, "the call has two \"%.*s\"",
				 size, member->key);
	if (*member->value != first)
		return error_set(err, -EINVAL,
				 "\"%.*s\" of the call: expected %s, given %s",
				 size, member->key,
				 first == '"' ? "a string" : "a list",
				 json_value_given(member->value,
						  member->value_size, given));
	*part = (struct piece){ member->value, member->value_size };
	return 0;
}

static int refuse_key(const struct json_member *member, struct error *err)
{
	return error_set(err, -EINVAL,
			 "the call has the key \"%.*s\"; it may have "
			 "\"function\" and \"args\"",
			 member->key_size > SHOWN_MAX ? SHOWN_MAX :
							(int)member->key_size,
			 member->key);
}

static int split_object(struct piece all, struct error *err,
			struct parts *parts)
{
	struct json_member member;
	size_t offset = 0;
	int r = 0;

	while (!r && json_walk_member(all.text, all.size, &offset, &member)) {
		if (is_key(&member, "function"))
			r = take_part(&parts->function, &member, '"', err);
		else if (is_key(&member, "args"))
			r = take_part(&parts->args, &member, '[', err);
		else
			r = refuse_key(&member, err);
	}
	return r;
}

static int refuse_json(struct piece all, int r, size_t offset,
		       struct error *err)
{
	const char *what = "is not JSON";

	if (r == -EILSEQ)
		what = "has a string that is not UTF-8";
	else if (r == -E2BIG)
		what = "is nested too deep";
	if (offset == all.size)
		return error_set(err, -EINVAL, "the call %s: it ends too early",
				 what);
	return error_set(err, -EINVAL, "the call %s: see byte %zu", what,
			 offset + 1);
}

static size_t count_blanks(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size && strchr(" \t\r\n", text[count]) && text[count])
		count++;
	return count;
}

/* No text at all is a call without arguments. */
static int split(struct piece all, struct error *err, struct parts *ret_parts)
{
	const size_t blanks = count_blanks(all.text, all.size);
	size_t offset;
	int r;

	*ret_parts = (struct parts){ { NULL, 0 }, { NULL, 0 } };
	if (blanks == all.size)
		return 0;
	r = json_check(all.text, all.size, &offset);
	if (r)
		return refuse_json(all, r, offset, err);
	if (all.text[blanks] == '{')
		return split_object(all, err, ret_parts);
	if (all.text[blanks] != '[')
		return error_set(err, -EINVAL,
				 "a call is {\"function\":NAME,\"args\":[...]}, "
				 "or the list of arguments alone");
	ret_parts->args = all;
	return 0;
}

/* Takes the name that the call has, and compares it with the one from outside. */
static int take_name(const struct typed_target *target,
		     const struct typed_request *request, struct piece name,
		     struct error *err, struct call_json *call)
{
	const char *outer = target->only ? target->only->name : NULL;
	const size_t size = name.text ? name.size - 2 : 0;

	if (request->name && *request->name)
		outer = request->name;
	if (!name.text && !outer)
		return error_set(err, -EINVAL,
				 "the call names no function: it is "
				 "{\"function\":NAME,\"args\":[...]}");
	if (size >= sizeof(call->name) ||
	    (outer && strlen(outer) >= sizeof(call->name)))
		return error_set(err, -ENOSYS,
				 "no such function: a name has %zu "
				 "characters at most",
				 sizeof(call->name) - 1);
	if (name.text && memchr(name.text, '\\', name.size))
		return error_set(err, -ENOSYS,
				 "no such function: %.*s: a name has no "
				 "escapes",
				 (int)name.size, name.text);
	if (name.text && outer &&
	    (size != strlen(outer) || memcmp(name.text + 1, outer, size) != 0))
		return error_set(err, -EINVAL,
				 "the call is of \"%.*s\", and was sent to %s",
				 (int)size, name.text + 1, outer);
	if (outer) {
		strcpy(call->name, outer);
	} else {
		memcpy(call->name, name.text + 1, size);
		call->name[size] = '\0';
	}
	if (!*call->name)
		return error_set(err, -ENOSYS,
				 "no such function: the name is empty");
	return 0;
}

static int refuse_value(const struct call_json *call,
			const struct json_member *element, enum thaw_type type,
			struct error *err)
{
	char given[JSON_GIVEN_MAX];

	return typed_target_refuse(call->function, call->count,
				   json_value_expected(type),
				   json_value_given(element->value,
						    element->value_size, given),
				   err);
}

static unsigned count_elements(struct piece args)
{
	struct json_member element;
	unsigned count = 0;
	size_t offset = 0;

	while (args.text &&
	       json_walk_element(args.text, args.size, &offset, &element))
		count++;
	return count;
}

static int read_values(struct piece args, char *room, struct error *err,
		       struct call_json *call)
{
	const struct declaration *function = call->function;
	const unsigned given = count_elements(args);
	struct json_member element;
	size_t offset = 0;
	int r = typed_target_check_count(function, given, err);

	if (!r && given > THAW_PARAMETERS_MAX)
		r = error_set(err, -EINVAL,
			      "%u arguments; a call has %d at most", given,
			      THAW_PARAMETERS_MAX);
	for (call->count = 0; !r && call->count < given;) {
		const enum thaw_type type =
			function ?
				(enum thaw_type)function->types[call->count] :
				THAW_TYPE_NONE;

		json_walk_element(args.text, args.size, &offset, &element);
		if (json_value_read(element.value, element.value_size, type,
				    &room, &call->values[call->count]))
			r = refuse_value(call, &element, type, err);
		else
			call->count++;
	}
	return r;
}

int call_json_read(const struct typed_target *target,
		   const struct typed_request *request, char *room,
		   struct error *err, struct call_json *ret_call)
{
	struct parts parts;
	int r = split((struct piece){ request->data, request->size }, err,
		      &parts);

	if (!r)
		r = take_name(target, request, parts.function, err, ret_call);
	if (!r)
		r = typed_target_find(target, ret_call->name, err,
				      &ret_call->function);
	return r ? r : read_values(parts.args, room, err, ret_call);
}
