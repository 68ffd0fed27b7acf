/* admin_client.c - asks the admin listener. See admin_client.h. */
#include "executor/cli/admin_client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/http_problem.h"
#include "executor/cli/options.h"
#include "executor/io/runtime_dir.h"

#define KEY_MAX 64

const struct cli_option admin_options[] = {
	CLI_OPTION_ADMIN(struct admin_options, admin),
	CLI_OPTION_FORMAT(struct admin_options, json),
	{ .name = NULL },
};

int admin_open(const char *option, struct http_client *ret_client)
{
	char path[RUNTIME_PATH_MAX];
	struct http_address address;
	struct error error;
	int r;

	if (!option || !*option)
		option = cli_variable(CLI_ADMIN_VARIABLE);
	if (option) {
		r = http_address_parse(option, &error, &address);
	} else {
		r = runtime_path(RUNTIME_ADMIN, false, &error, path);
		if (!r)
			r = http_address_parse(path, &error, &address);
	}
	if (r) {
		cli_error("%s", error.message);
		return CLI_USAGE;
	}
	http_client_init(ret_client, &address, "--admin", ADMIN_BODY_MAX);
	return CLI_GO_ON;
}

static int connection_code(int result)
{
	switch (result) {
	case -ENOTCONN:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EPROTO:
		return CLI_CONNECT;
	default:
		return CLI_INTERNAL;
	}
}

static int admin_refused(const struct http_client *client, struct error *err)
{
	unsigned status = client->reply.status;
	struct http_problem problem;

	http_problem_read(&client->reply, &problem);
	error_set(err, 0, "%s: %s", http_address_name(&client->address),
		  problem.message);
	switch (status) {
	case 404:
		return CLI_NOT_FOUND;
	case 422:
		/* it names the catalog itself */
		error_set(err, 0, "%s", problem.message);
		return CLI_CATALOG;
	case 409: /* it starts, drains, or reloads already */
	case 503:
		return CLI_CONNECT;
	default:
		return CLI_INTERNAL;
	}
}

/* The answer's text is in client->reply.body. */
static int ask_text(struct http_client *client, const char *method,
		    const char *path, uint64_t timeout_ns, struct error *err)
{
	const struct http_call call = {
		.method = method,
		.path = path,
		.timeout_ns = timeout_ns,
	};
	int r = http_client_call(client, &call, err);

	if (r)
		return connection_code(r);
	if (client->reply.status < 200 || client->reply.status > 299)
		return admin_refused(client, err);
	return CLI_OK;
}

int admin_ask(struct http_client *client, const char *method, const char *path,
	      uint64_t timeout_ns, struct error *err, json_t **ret_json)
{
	const struct http_reply *reply = &client->reply;
	int code = ask_text(client, method, path, timeout_ns, err);
	json_t *json;

	if (code)
		return code;
	json = reply->body.size ?
		       json_loadb(reply->body.data, reply->body.size, 0, NULL) :
		       NULL;
	if (!json_is_object(json)) {
		json_decref(json);
		error_set(err, 0,
			  "%s%s: the answer is not a JSON object: is it the "
			  "admin address of `thaw serve`?",
			  http_address_name(&client->address), path);
		return CLI_INTERNAL;
	}
	if (ret_json)
		*ret_json = json;
	else
		json_decref(json);
	return CLI_OK;
}

static int ask_aloud(struct http_client *client, const char *method,
		     const char *path, uint64_t timeout_ns, json_t **ret_json)
{
	struct error error;
	int code =
		admin_ask(client, method, path, timeout_ns, &error, ret_json);

	if (code)
		cli_error("%s", error.message);
	return code;
}

int admin_get(struct http_client *client, const char *path, json_t **ret_json)
{
	return ask_aloud(client, "GET", path, 0, ret_json);
}

int admin_get_text(struct http_client *client, const char *path)
{
	struct error error;
	int code = ask_text(client, "GET", path, 0, &error);

	if (code)
		cli_error("%s", error.message);
	return code;
}

int admin_post(struct http_client *client, const char *path,
	       uint64_t timeout_ns, json_t **ret_json)
{
	return ask_aloud(client, "POST", path, timeout_ns, ret_json);
}

void admin_print_body(const struct http_client *client)
{
	const struct buffer *body = &client->reply.body;

	fwrite(body->data, 1, body->size, stdout);
	if (body->size && body->data[body->size - 1] != '\n')
		putchar('\n');
}

const json_t *admin_member(const json_t *object, const char *path)
{
	while (object && *path) {
		size_t size = strcspn(path, ".");
		char key[KEY_MAX];

		snprintf(key, sizeof(key), "%.*s", (int)size, path);
		object = json_object_get(object, key);
		path += size + (path[size] == '.');
	}
	return object;
}

uint64_t admin_number(const json_t *object, const char *path)
{
	json_int_t value = json_integer_value(admin_member(object, path));

	return value > 0 ? (uint64_t)value : 0;
}

char *admin_text(const json_t *object, const char *path, char *to, size_t size)
{
	const char *text = json_string_value(admin_member(object, path));

	return cli_clean(text && *text ? text : "-", to, size);
}
