/* lambda.c - Lambda's API: from path to operation. See lambda.h. */

#include "executor/protocol/lambda.h"

#include <string.h>

#include "executor/protocol/lambda_name.h"
#include "executor/protocol/lambda_request.h"

/* What comes between two slashes of a path. */
struct segment {
	const char *at;
	size_t size;
};

/* /version/resource[/name[/part]], without a slash at the end. */
struct path {
	struct segment version, resource, name, part;
	size_t count;
	bool is_long; /* more than that */
};

struct route {
	const char *version, *resource;
	size_t count; /* segments; the third is a name */
	const char *part;
	enum lambda_operation operation;
};

/* All but LAMBDA_INVOKE are for GET. */
/* clang-format off */
static const struct route routes[] = {
	{ "2015-03-31", "functions", 4, "invocations", LAMBDA_INVOKE },
	{ "2015-03-31", "functions", 2, NULL, LAMBDA_LIST_FUNCTIONS },
	{ "2015-03-31", "functions", 3, NULL, LAMBDA_GET_FUNCTION },
	{ "2015-03-31", "functions", 4, "configuration",
	  LAMBDA_GET_FUNCTION_CONFIGURATION },
	{ "2015-03-31", "functions", 4, "versions", LAMBDA_LIST_VERSIONS },
	{ "2015-03-31", "functions", 4, "aliases", LAMBDA_LIST_ALIASES },
	{ "2019-09-30", "functions", 4, "concurrency",
	  LAMBDA_GET_CONCURRENCY },
	{ "2019-09-30", "functions", 4, "provisioned-concurrency",
	  LAMBDA_GET_PROVISIONED_CONCURRENCY },
	{ "2016-08-19", "account-settings", 2, NULL,
	  LAMBDA_GET_ACCOUNT_SETTINGS },
	{ "2017-03-31", "tags", 3, NULL, LAMBDA_LIST_TAGS },
};
/* clang-format on */

static bool is_word(const struct segment *segment, const char *word)
{
	return segment->size == strlen(word) &&
	       !memcmp(segment->at, word, segment->size);
}

/* Every version of the API is a date: "2015-03-31" and many later ones. */
static bool is_version(const struct segment *segment)
{
	static const char pattern[] = "20dd-dd-dd";

	if (segment->size != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; i < segment->size; i++) {
		char c = segment->at[i];

		if (pattern[i] == 'd' ? c < '0' || c > '9' : c != pattern[i])
			return false;
	}
	return true;
}

static void lambda_split_path(const char *text, struct path *ret_path)
{
	struct segment *const segments[] = { &ret_path->version,
					     &ret_path->resource,
					     &ret_path->name, &ret_path->part };
	const size_t most = sizeof(segments) / sizeof(*segments);

	*ret_path = (struct path){ .count = 0 };
	while (*text == '/' && (text[1] || !ret_path->count)) {
		size_t size = strcspn(++text, "/");

		if (ret_path->count == most) {
			ret_path->is_long = true;
			return;
		}
		*segments[ret_path->count++] = (struct segment){ text, size };
		text += size;
	}
}

static const struct route *find_route(const struct path *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		const struct route *route = &routes[i];

		if (!path->is_long && path->count == route->count &&
		    is_word(&path->version, route->version) &&
		    is_word(&path->resource, route->resource) &&
		    (!route->part || is_word(&path->part, route->part)))
			return route;
	}
	return NULL;
}

static const char *method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET_METHOD] = "GET",
		[HTTP_HEAD_METHOD] = "HEAD",
		[HTTP_POST_METHOD] = "POST",
		[HTTP_PUT_METHOD] = "PUT",
		[HTTP_DELETE_METHOD] = "DELETE",
		[HTTP_OPTIONS_METHOD] = "OPTIONS",
		[HTTP_PATCH_METHOD] = "PATCH",
		[HTTP_OTHER_METHOD] = "this method",
	};

	return names[method];
}

/* Clients do not repeat a request after 501. */
static bool refuse_operation(const struct http_request *request,
			     struct lambda_error *ret_error)
{
	return lambda_refuse(ret_error, 501, "NotImplementedException",
			     "thaw has no operation %s %.100s"
			     ": of Lambda's API it has Invoke, and reading "
			     "what functions there are; functions are "
			     "deployed by its catalog",
			     method_name(request->method), request->path);
}

/* Its query tells this list from the setting of one function, on the same path. */
static bool is_other_list(const struct http_request *request,
			  enum lambda_operation operation)
{
	char value[sizeof("ALL")];

	return operation == LAMBDA_GET_PROVISIONED_CONCURRENCY &&
	       lambda_get_parameter(request->query, "List", value,
				    sizeof(value)) != 0;
}

static enum lambda_operation find_operation(const struct http_request *request,
					    const struct path *path,
					    struct lambda_error *ret_error)
{
	const struct route *route = find_route(path);

	if (!route ||
	    (route->operation != LAMBDA_INVOKE &&
	     request->method != HTTP_GET_METHOD) ||
	    is_other_list(request, route->operation)) {
		refuse_operation(request, ret_error);
		return LAMBDA_UNSUPPORTED;
	}
	if (route->operation == LAMBDA_INVOKE &&
	    request->method != HTTP_POST_METHOD) {
		/*
		 * AWS answers 403 AccessDeniedException, "Unable to determine
		 * service/operation name to be authorized", and people look for
		 * a mistake in their permissions. No client depends on it.
		 */
		lambda_refuse(ret_error, 405, "MethodNotAllowedException",
			      "a function is invoked with POST, not with %s",
			      method_name(request->method));
		return LAMBDA_UNSUPPORTED;
	}
	return route->operation;
}

/* An initialiser would write 4 KiB for each invocation. */
static void reset(struct lambda_call *call)
{
	call->operation = LAMBDA_NONE;
	call->function[0] = call->qualifier[0] = call->marker[0] = '\0';
	call->invocation = LAMBDA_REQUEST_RESPONSE;
	call->wants_log = call->all_versions = false;
	call->client_context[0] = '\0';
	call->client_context_size = 0;
	call->max_items = LAMBDA_ITEMS_MAX;
}

bool lambda_parse(const struct http_request *request,
		  struct lambda_call *ret_call, struct lambda_error *ret_error)
{
	struct path path;

	reset(ret_call);
	lambda_split_path(request->path, &path);
	if (!path.count || !is_version(&path.version))
		return true;
	ret_call->operation = find_operation(request, &path, ret_error);
	if (ret_call->operation == LAMBDA_UNSUPPORTED)
		return false;
	if (path.count > 2 &&
	    (!lambda_read_name(path.name.at, path.name.size, ret_call,
			       ret_error) ||
	     !lambda_read_qualifier(request, ret_call, ret_error)))
		return false;
	return lambda_read_operation(request, ret_call, ret_error);
}
