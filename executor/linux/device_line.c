/* device_line.c - see device_line.h. */
#include "executor/linux/device_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_walk.h"
#include "base/json_write.h"
#include "base/text.h"
#include "executor/typed/json_value.h"

/* A part of the text. */
struct piece {
	const char *text; /* NULL: not there */
	size_t size;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct piece piece_trim(const char *text, size_t size)
{
	while (size && is_blank(*text)) {
		text++;
		size--;
	}
	while (size && is_blank(text[size - 1]))
		size--;
	return (struct piece){ text, size };
}

static bool is_key(const struct json_member *member, const char *key)
{
	return member->key_size == strlen(key) &&
	       !memcmp(member->key, key, member->key_size);
}

/* Whether the two texts, of the program's or the caller's JSON, are equal. */
static bool is_text(struct piece piece, const struct buffer *text)
{
	return piece.size == text->size &&
	       !memcmp(piece.text, text->data, piece.size);
}

static int refuse_json(const char *what, struct piece all, int r, size_t offset,
		       struct error *err)
{
	const char *why = "is not JSON";

	if (r == -EILSEQ)
		why = "has a string that is not UTF-8";
	else if (r == -E2BIG)
		why = "is nested too deep";
	if (offset == all.size)
		return error_set(err, -EINVAL, "%s %s: it ends too early", what,
				 why);
	return error_set(err, -EINVAL, "%s %s: see byte %zu", what, why,
			 offset + 1);
}

static int check_json(const char *what, struct piece all, struct error *err)
{
	size_t offset;
	int r = json_check(all.text, all.size, &offset);

	return r ? refuse_json(what, all, r, offset, err) : 0;
}

/* An object that names a function, in parts. */
struct call_parts {
	struct piece function, args;
};

/* Whether the body, which is JSON, is a call itself; then its parts. */
static bool call_split(struct piece body, struct call_parts *ret_parts)
{
	struct json_member member;
	size_t offset = 0;

	*ret_parts = (struct call_parts){ { NULL, 0 }, { NULL, 0 } };
	while (json_walk_member(body.text, body.size, &offset, &member)) {
		const struct piece value = { member.value, member.value_size };

		if (is_key(&member, "function"))
			ret_parts->function = value;
		else if (is_key(&member, "args"))
			ret_parts->args = value;
	}
	return ret_parts->function.text != NULL;
}

/* A call that was sent to @name must be of that, and have nothing else. */
static int check_call(const char *name, struct piece body, struct error *err)
{
	struct buffer quoted = BUFFER_INIT(SIZE_MAX);
	struct json_member member;
	size_t offset = 0;
	int r = 0;

	json_write_text(&quoted, name);
	while (!r && json_walk_member(body.text, body.size, &offset, &member)) {
		const struct piece value = { member.value, member.value_size };

		if (is_key(&member, "function") && !is_text(value, &quoted))
			r = error_set(err, -EINVAL,
				      "the call is of %.*s, and was sent to %s",
				      value.size < 64 ? (int)value.size : 64,
				      value.text, name);
		else if (!is_key(&member, "function") &&
			 !is_key(&member, "args"))
			r = error_set(err, -EINVAL,
				      "the call has the key \"%.*s\"; it may "
				      "have \"function\" and \"args\"",
				      member.key_size < 64 ?
					      (int)member.key_size :
					      64,
				      member.key);
	}
	if (quoted.failed && !r)
		r = error_set(err, -ENOMEM, "no memory for a name");
	buffer_done(&quoted);
	return r;
}

int device_line_check(const struct device_call *call, struct error *err)
{
	const struct piece body = piece_trim(call->body, call->size);
	struct call_parts parts;
	int r;

	if (!body.size)
		return 0;
	r = check_json("the request", (struct piece){ call->body, call->size },
		       err);
	if (r || !call->name || !*call->name || !call_split(body, &parts))
		return r;
	return check_call(call->name, body, err);
}

/* Line breaks in JSON are blanks, so that others do as well. */
static void write_piece(struct piece piece, struct buffer *out)
{
	char *to = buffer_reserve(out, piece.size);

	if (!to)
		return;
	for (size_t i = 0; i < piece.size; i++)
		to[i] = is_blank(piece.text[i]) ? ' ' : piece.text[i];
	out->size += piece.size;
}

void device_line_write(const struct device_call *call, struct buffer *out)
{
	struct piece body = piece_trim(call->body, call->size);
	struct call_parts parts;
	const bool has_name = call->name && *call->name;

	if (has_name) {
		buffer_text(out, "{\"function\":");
		json_write_text(out, call->name);
		buffer_text(out, ",\"args\":");
		if (call_split(body, &parts))
			body = parts.args;
	}
	if (body.size)
		write_piece(body, out);
	else
		buffer_text(out, has_name ? "[]" : "null");
	buffer_text(out, has_name ? "}\n" : "\n");
}

/*
 * Copies a string of JSON, cut to @most bytes with its zero. One that is no text of C,
 * for it has a zero or half of a surrogate pair, stays as it is written.
 */
static int copy_string(struct piece piece, char *to, size_t most)
{
	cleanup_free char *room = malloc(piece.size + 1);
	struct thaw_value value;
	char *end = room;
	size_t size;

	if (!room)
		return -ENOMEM;
	if (json_value_read(piece.text, piece.size, THAW_TYPE_STRING, &end,
			    &value)) {
		memcpy(room, piece.text, piece.size);
		room[piece.size] = '\0';
	}
	size = strnlen(room, most - 1);
	memcpy(to, room, size);
	to[size] = '\0';
	return 0;
}

static int refuse_error(struct error *err)
{
	return error_set(err, -EINVAL,
			 "an error is {\"type\":TEXT,\"message\":TEXT}, and its "
			 "type is not empty");
}

static int read_error(struct piece piece, struct error *err,
		      struct device_reply *reply)
{
	struct json_member member;
	size_t offset = 0;
	int r = 0;

	while (!r &&
	       json_walk_member(piece.text, piece.size, &offset, &member)) {
		const struct piece value = { member.value, member.value_size };
		const bool is_type = is_key(&member, "type");

		if (*value.text != '"' ||
		    (!is_type && !is_key(&member, "message")))
			return refuse_error(err);
		r = is_type ? copy_string(value, reply->type,
					  sizeof(reply->type)) :
			      copy_string(value, reply->message,
					  sizeof(reply->message));
	}
	if (r)
		return error_set(err, r, "no memory for an error");
	if (!*reply->type)
		return refuse_error(err);
	text_clean_ascii(reply->type, strlen(reply->type));
	text_clean(reply->message, strlen(reply->message));
	return 0;
}

int device_reply_read(const char *text, size_t size, struct error *err,
		      struct device_reply *ret_reply)
{
	const struct piece all = piece_trim(text, size);
	struct json_member member, more;
	size_t offset = 0;
	int r = check_json("the reply", (struct piece){ text, size }, err);

	if (r)
		return r;
	*ret_reply = (struct device_reply){ .is_error = false };
	if (!json_walk_member(all.text, all.size, &offset, &member) ||
	    json_walk_member(all.text, all.size, &offset, &more) ||
	    (!is_key(&member, "result") && !is_key(&member, "error")))
		return error_set(err, -EINVAL,
				 "the reply is neither {\"result\":VALUE} nor "
				 "{\"error\":{\"type\":TEXT,"
				 "\"message\":TEXT}}");
	ret_reply->is_error = is_key(&member, "error");
	if (!ret_reply->is_error)
		return 0;
	return read_error((struct piece){ member.value, member.value_size },
			  err, ret_reply);
}
