/*
 * admin.h - what `thaw status`, `top`, `reload` and so on ask the admin listener
 * of a running server, with exit codes and messages for a person.
 */
#ifndef EXECUTOR_CLI_ADMIN_H
#define EXECUTOR_CLI_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/cli/options.h"
#include "executor/client/http_client.h"

struct json_t;

/*
 * Options of `thaw status` and `reload`: whom to ask, and the form of the
 * answer.
 */
struct admin_options {
	const char *admin;
	bool json;
};
extern const struct cli_option admin_options[];

/*
 * Makes a client of the admin address: @option if it is neither NULL nor "",
 * else $THAW_ADMIN, else the user's server's socket. Returns CLI_GO_ON, and
 * then http_client_done() is due; or an exit code after a message.
 */
int admin_open(const char *option, struct http_client *ret_client);

/*
 * Sends a request and waits for the answer; @timeout_ns 0 is the default time.
 * Returns CLI_OK and the JSON object (*@ret_json, the caller's; @ret_json may
 * be NULL), or an exit code and a message in *@err. The answer's text remains
 * in client->reply.body.
 */
int admin_ask(struct http_client *client, const char *method, const char *path,
	      uint64_t timeout_ns, struct error *err, struct json_t **ret_json);

/* Do the same, and print the message. */
int admin_get(struct http_client *client, const char *path,
	      struct json_t **ret_json);
int admin_post(struct http_client *client, const char *path,
	       uint64_t timeout_ns, struct json_t **ret_json);

/* Does the same for an answer that is not JSON. */
int admin_get_text(struct http_client *client, const char *path);

/* Prints the text of the last answer. */
void admin_print_body(const struct http_client *client);

/*
 * Return members of an answer, by a path of keys such as "catalog.path". A
 * member that is missing, or of another type, is 0; a text is "-". Texts are
 * cleaned and cut to @size.
 */
uint64_t admin_number(const struct json_t *object, const char *path);
char *admin_text(const struct json_t *object, const char *path, char *to,
		 size_t size);
const struct json_t *admin_member(const struct json_t *object,
				  const char *path);

#endif
