/* admin_client.c - see admin_client.h. */
#include "executor/client/admin_client.h"

#include <errno.h>
#include <jansson.h>

#include "executor/client/http_problem.h"
#include "executor/io/runtime_dir.h"

int admin_client_open(const char *address, const char *option,
		      struct error *err, struct http_client *ret_client)
{
	char path[RUNTIME_PATH_MAX];
	struct http_address parsed;
	int r = 0;

	if (!address) {
		r = runtime_path(RUNTIME_ADMIN, false, err, path);
		address = path;
	}
	if (!r)
		r = http_address_parse(address, err, &parsed);
	if (!r)
		http_client_init(ret_client, &parsed, option, ADMIN_BODY_MAX);
	return r;
}

static int admin_client_refused(const struct http_client *client,
				struct error *err)
{
	const unsigned status = client->reply.status;
	struct http_problem problem;

	http_problem_read(&client->reply, &problem);
	/* a catalog that is not valid: the message names it */
	if (status == 422)
		error_set(err, 0, "%s", problem.message);
	else
		error_set(err, 0, "%s: %s", http_address_name(&client->address),
			  problem.message);
	return (int)status;
}

int admin_client_ask_text(struct http_client *client, const char *method,
			  const char *path, uint64_t timeout_ns,
			  struct error *err)
{
	const struct http_call call = {
		.method = method,
		.path = path,
		.timeout_ns = timeout_ns,
	};
	int r = http_client_call(client, &call, err);

	if (r)
		return r;
	if (client->reply.status < 200 || client->reply.status > 299)
		return admin_client_refused(client, err);
	return 0;
}

int admin_client_ask(struct http_client *client, const char *method,
		     const char *path, uint64_t timeout_ns, struct error *err,
		     json_t **ret_json)
{
	const struct http_reply *reply = &client->reply;
	int r = admin_client_ask_text(client, method, path, timeout_ns, err);
	json_t *json;

	if (r)
		return r;
	json = reply->body.size ?
		       json_loadb(reply->body.data, reply->body.size, 0, NULL) :
		       NULL;
	if (!json_is_object(json)) {
		json_decref(json);
		return error_set(err, -EBADMSG,
				 "%s%s: the answer is not a JSON object: is it "
				 "the admin address of `thaw serve`?",
				 http_address_name(&client->address), path);
	}
	if (ret_json)
		*ret_json = json;
	else
		json_decref(json);
	return 0;
}
