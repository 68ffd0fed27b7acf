/*
 * admin_client.h - asks the admin listener of a running server.
 *
 *	struct http_client client;
 *
 *	r = admin_client_open(NULL, "--admin", &error, &client);
 *	if (!r)
 *		r = admin_client_ask(&client, "GET", "/v1/status", 0, &error,
 *				     &json);
 *	...
 *	http_client_done(&client);
 */
#ifndef EXECUTOR_CLIENT_ADMIN_CLIENT_H
#define EXECUTOR_CLIENT_ADMIN_CLIENT_H

#include <stdint.h>

#include "base/error.h"
#include "executor/client/http_client.h"

struct json_t; /* jansson's */

/* Largest answer: 10,000 functions with all their counts, and labels. */
#define ADMIN_BODY_MAX ((size_t)512 << 20)

/*
 * Makes a client of the admin listener at @address, as http_address.h has them;
 * NULL: of this user's server. Messages name @option, which is borrowed, as what
 * gives another address. Connects to nothing yet. 0, and http_client_done() is
 * due; else -errno of http_address_parse() or runtime_path().
 */
int admin_client_open(const char *address, const char *option,
		      struct error *err, struct http_client *ret_client);

/*
 * Sends a request and waits for the answer, for @timeout_ns; 0: for the default
 * time. Returns 0; the status, if the server refuses; or -errno as of
 * http_client_call(). The answer's text is in client->reply.body.
 */
int admin_client_ask_text(struct http_client *client, const char *method,
			  const char *path, uint64_t timeout_ns,
			  struct error *err);

/*
 * The same for an answer that is a JSON object, else -EBADMSG. The caller owns
 * *@ret_json; @ret_json may be NULL.
 */
int admin_client_ask(struct http_client *client, const char *method,
		     const char *path, uint64_t timeout_ns, struct error *err,
		     struct json_t **ret_json);

#endif
