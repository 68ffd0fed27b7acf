/* lambda_request.c - what queries and headers ask for. See lambda_request.h. */
#include "executor/protocol/lambda_request.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_walk.h"
#include "executor/protocol/http_query.h"
#include "executor/protocol/http_request.h"

/* What MaxItems may be; a page has no more than LAMBDA_ITEMS_MAX. */
#define MAX_ITEMS_MAX 10000

/* X-Amz-Client-Context, in base64. */
#define CLIENT_CONTEXT_MAX 3583

/* How much of an invalid value a message shows. */
#define SHOWN "%.100s"

int lambda_get_parameter(const char *query, const char *name, char *value,
			 size_t size)
{
	size_t length = strlen(name);

	if (http_query_get(query, name, value, size))
		return 1;
	/* tells one that is too long or ill-formed from none */
	for (; *query; query += strcspn(query, "&"), query += *query == '&')
		if (!strncmp(query, name, length) &&
		    strchr("=&", query[length]))
			return -1;
	return 0;
}

static bool read_max_items(const char *query, struct lambda_call *call,
			   struct lambda_error *ret_error)
{
	char value[sizeof("10000")];
	int r = lambda_get_parameter(query, "MaxItems", value, sizeof(value));
	unsigned number = 0;

	if (!r)
		return true;
	for (const char *c = value; r > 0 && *c; c++) {
		if (*c < '0' || *c > '9')
			r = -1;
		number = number * 10 + (unsigned)(*c - '0');
	}
	if (r < 0 || !number || number > MAX_ITEMS_MAX)
		return lambda_invalid(ret_error,
				      "MaxItems: write a number from 1 to %d",
				      MAX_ITEMS_MAX);
	if (number < LAMBDA_ITEMS_MAX)
		call->max_items = number;
	return true;
}

static bool read_marker(const char *query, struct lambda_call *call,
			struct lambda_error *ret_error)
{
	char value[sizeof(call->marker) * 2];
	int r = lambda_get_parameter(query, "Marker", value, sizeof(value));
	int size = r > 0 ? base64_decode(value, strlen(value), call->marker,
					 sizeof(call->marker) - 1) :
			   -1;

	if (!r)
		return true;
	/* it is only compared with names, so any text will do */
	if (size <= 0 || memchr(call->marker, '\0', (size_t)size)) {
		call->marker[0] = '\0';
		return lambda_invalid(ret_error,
				      "Marker: give back the NextMarker of the "
				      "page before");
	}
	call->marker[size] = '\0';
	return true;
}

static bool read_list(const struct http_request *request,
		      struct lambda_call *call, struct lambda_error *ret_error)
{
	char value[sizeof("ALL")];
	int r = 0;

	if (call->operation == LAMBDA_LIST_FUNCTIONS)
		r = lambda_get_parameter(request->query, "FunctionVersion",
					 value, sizeof(value));
	if (r < 0 || (r > 0 && strcmp(value, "ALL") != 0))
		return lambda_invalid(ret_error, "FunctionVersion: write ALL");
	call->all_versions = r > 0;
	return read_max_items(request->query, call, ret_error) &&
	       read_marker(request->query, call, ret_error);
}

static bool read_invocation_type(const struct http_request *request,
				 struct lambda_call *call,
				 struct lambda_error *ret_error)
{
	static const char *const types[] = {
		[LAMBDA_REQUEST_RESPONSE] = "RequestResponse",
		[LAMBDA_EVENT] = "Event",
		[LAMBDA_DRY_RUN] = "DryRun",
	};
	const char *type =
		http_request_header(request, "x-amz-invocation-type");

	if (!type)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i])) {
			call->invocation = (enum lambda_invocation)i;
			return true;
		}
	return lambda_invalid(ret_error,
			      "X-Amz-Invocation-Type " SHOWN
			      ": write RequestResponse, Event or DryRun",
			      type);
}

static bool read_log_type(const struct http_request *request,
			  struct lambda_call *call,
			  struct lambda_error *ret_error)
{
	const char *type = http_request_header(request, "x-amz-log-type");

	if (!type || !strcmp(type, "None"))
		return true;
	if (strcmp(type, "Tail") != 0)
		return lambda_invalid(ret_error,
				      "X-Amz-Log-Type " SHOWN
				      ": write None or Tail",
				      type);
	/* other invocations are answered before there is a log */
	call->wants_log = call->invocation == LAMBDA_REQUEST_RESPONSE;
	return true;
}

static bool is_object(const char *text, size_t size)
{
	return text[strspn(text, " \t\r\n")] == '{' &&
	       !json_check(text, size, NULL);
}

static bool read_client_context(const struct http_request *request,
				struct lambda_call *call,
				struct lambda_error *ret_error)
{
	const char *text = http_request_header(request, "x-amz-client-context");
	size_t size = text ? strlen(text) : 0;
	int r;

	if (!size)
		return true;
	if (size > CLIENT_CONTEXT_MAX)
		return lambda_refuse(ret_error, 400,
				     "InvalidRequestContentException",
				     "Client context has %zu bytes of base64, "
				     "more than the %d it may have",
				     size, CLIENT_CONTEXT_MAX);
	r = base64_decode(text, size, call->client_context,
			  sizeof(call->client_context) - 1);
	call->client_context[r > 0 ? r : 0] = '\0';
	if (r <= 0 || !is_object(call->client_context, (size_t)r)) {
		call->client_context[0] = '\0';
		return lambda_refuse(ret_error, 400,
				     "InvalidRequestContentException",
				     "Client context must be a valid "
				     "Base64-encoded JSON object.");
	}
	call->client_context_size = (size_t)r;
	return true;
}

bool lambda_read_operation(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error)
{
	switch (call->operation) {
	case LAMBDA_INVOKE:
		return read_invocation_type(request, call, ret_error) &&
		       read_log_type(request, call, ret_error) &&
		       read_client_context(request, call, ret_error);
	case LAMBDA_LIST_FUNCTIONS:
	case LAMBDA_LIST_VERSIONS:
	case LAMBDA_LIST_ALIASES:
		return read_list(request, call, ret_error);
	default:
		return true;
	}
}

bool lambda_check_payload(const char *body, size_t size,
			  struct lambda_error *ret_error)
{
	size_t offset;
	int r = size ? json_check(body, size, &offset) : 0;

	if (!r)
		return true;
	if (r == -E2BIG)
		return lambda_refuse(ret_error, 400,
				     "InvalidRequestContentException",
				     "Could not parse request body into json: "
				     "more than %d arrays and objects in one "
				     "another at byte %zu",
				     JSON_CHECK_DEPTH_MAX, offset);
	return lambda_refuse(ret_error, 400, "InvalidRequestContentException",
			     "Could not parse request body into json: %s at "
			     "byte %zu of %zu (AWS CLI v2 sends a payload as it "
			     "is only with --cli-binary-format "
			     "raw-in-base64-out)",
			     r == -EILSEQ ? "not UTF-8" : "not JSON", offset,
			     size);
}
