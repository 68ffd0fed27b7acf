/* lambda_internal.h - what the files of lambda.h have in common. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_INTERNAL_H
#define EXECUTOR_PROTOCOL_LAMBDA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/protocol/lambda.h"

/* Every ARN we make is this and a function's name. */
#define LAMBDA_ARN "arn:aws:lambda:us-east-1:000000000000:function:"

/* The versions of a function, which are one. */
#define LAMBDA_LATEST "$LATEST"
#define LAMBDA_VERSION "1"

/* Fills in *@ret_error. Returns false, as its callers do then. */
bool lambda_refuse(struct lambda_error *ret_error, unsigned status,
		   const char *type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for 400 InvalidParameterValueException. */
#define lambda_invalid(ret_error, ...)                                  \
	lambda_refuse(ret_error, 400, "InvalidParameterValueException", \
		      __VA_ARGS__)

/* A function as @size bytes of a path name it: into function and qualifier. */
bool lambda_read_name(const char *raw, size_t size, struct lambda_call *call,
		      struct lambda_error *ret_error);

/* The qualifier of the query. */
bool lambda_read_qualifier(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

/* What else the call's operation has in the query or in headers. */
bool lambda_read_operation(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

/* A parameter of the query: 1, 0 if there is none, -1 if it is no good. */
int lambda_get_parameter(const char *query, const char *name, char *value,
			 size_t size);

/* jansson's json_t. What returns one returns it owned; NULL: no memory. */
struct json_t;

/* One version of a function: an entry of a list. */
struct lambda_item {
	const struct function_view *function;
	const char *version;
	bool is_qualified; /* the version is part of the ARN */
};

/* The real one has paths of this machine in it, which are not for clients. */
#define LAMBDA_FAILED_REASON \
	"The function could not be deployed: the server's log says why."

/* When it was deployed; until it is, when the server began to. */
struct json_t *lambda_modified_json(const struct server_view *view,
				    const struct function_view *function);

/* A FunctionConfiguration. */
struct json_t *lambda_configuration_json(const struct server_view *view,
					 const struct lambda_item *item);

/* What ListFunctions answers; and ListVersionsByFunction, of @function. */
struct json_t *lambda_functions_json(const struct server_view *view,
				     const struct lambda_call *call);
struct json_t *lambda_versions_json(const struct server_view *view,
				    const struct lambda_call *call,
				    const struct function_view *function);

#endif
