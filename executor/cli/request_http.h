/*
 * request_http.h - a request's HTTP part: the options --method, --path, --query
 * and --header of `invoke` and `run`.
 */
#ifndef EXECUTOR_CLI_REQUEST_HTTP_H
#define EXECUTOR_CLI_REQUEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/cli/options.h"
#include "executor/libthaw.h"

/* Most characters of a method; most headers. */
#define REQUEST_METHOD_MAX 31
#define REQUEST_HEADERS_MAX 64

struct request_http {
	const char *method, *path;	      /* NULL: not given */
	char query[THAW_ATTRIBUTES_SIZE_MAX]; /* "": not given */
	struct thaw_attribute headers[REQUEST_HEADERS_MAX];
	size_t header_count;
	char text[THAW_HEADERS_SIZE_MAX]; /* of the headers */
	size_t text_size;
};

/* Setters (cli_set_fn) of a struct request_http at the option's offset. */
int request_set_method(const struct cli_option *option, const char *value,
		       void *target);
int request_set_path(const struct cli_option *option, const char *value,
		     void *target);
int request_set_query(const struct cli_option *option, const char *value,
		      void *target);
int request_set_header(const struct cli_option *option, const char *value,
		       void *target);

/* Whether any of the options was given. */
bool request_has_http(const struct request_http *http);

/* Returns the method: POST if none was given. */
const char *request_method(const struct request_http *http);

/*
 * Adds to @request the headers and attributes that the options give, if any.
 * Attributes are written to @attributes. Everything is borrowed.
 */
#define REQUEST_ATTRIBUTES 3
void request_add_http(const struct request_http *http,
		      struct thaw_attribute attributes[REQUEST_ATTRIBUTES],
		      struct thaw_invoke_request *request);

#endif
