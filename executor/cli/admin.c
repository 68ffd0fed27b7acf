/* admin.c - see admin.h. */
#include "executor/cli/admin.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/client/admin_client.h"

#define KEY_MAX 64

const struct cli_option admin_options[] = {
	CLI_OPTION_ADMIN(struct admin_options, admin),
	CLI_OPTION_FORMAT(struct admin_options, json),
	{ .name = NULL },
};

int admin_open(const char *option, struct http_client *ret_client)
{
	struct error error;

	if (!option || !*option)
		option = cli_variable(CLI_ADMIN_VARIABLE);
	if (!admin_client_open(option, "--admin", &error, ret_client))
		return CLI_GO_ON;
	cli_error("%s", error.message);
	return CLI_USAGE;
}

/* Returns the exit code for a result of admin_client.h. */
static int admin_code(int result)
{
	switch (result) {
	case 0:
		return CLI_OK;
	case 404:
		return CLI_NOT_FOUND;
	case 422:
		return CLI_CATALOG;
	case 409: /* it starts, drains, or reloads already */
	case 503:
	case -ENOTCONN:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EPROTO:
		return CLI_CONNECT;
	default:
		return CLI_INTERNAL;
	}
}

int admin_ask(struct http_client *client, const char *method, const char *path,
	      uint64_t timeout_ns, struct error *err, json_t **ret_json)
{
	return admin_code(admin_client_ask(client, method, path, timeout_ns,
					   err, ret_json));
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
	int code = admin_code(
		admin_client_ask_text(client, "GET", path, 0, &error));

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
