/*
 * embed - invokes a function from a program of its own, by libthaw.
 *
 *	embed CATALOG FUNCTION TEXT	in this process
 *	embed --server FUNCTION TEXT	by the `thaw serve` of this user
 *
 * Prints the reply. The exit status is 1 if the function failed, and 2 if it could
 * not be invoked. The program is C99, and C++ as well.
 */
#include <libthaw.h>
#include <stdio.h>
#include <string.h>

static void on_line(void *cookie, const char *function, enum thaw_level level,
		    const char *text, size_t size)
{
	(void)cookie;
	(void)size;
	if (level <= THAW_LOG_WARN)
		fprintf(stderr, "%s: %s\n", function, text);
}

static struct thaw_invoke_request request_of(const char *text)
{
	struct thaw_invoke_request request;

	memset(&request, 0, sizeof(request));
	request.data = text;
	request.size = strlen(text);
	return request;
}

static int print(enum thaw_result result, const void *data, size_t size,
		 const char *error_type, const char *error_message)
{
	if (result != THAW_OK) {
		fprintf(stderr, "embed: %s: %s\n", error_type, error_message);
		return 1;
	}
	fwrite(data, 1, size, stdout);
	return 0;
}

static int fail(const struct thaw_error *error)
{
	fprintf(stderr, "embed: %s\n", error->message);
	return 2;
}

static int run_here(const char *catalog, const char *function, const char *text)
{
	const struct thaw_invoke_request request = request_of(text);
	struct thaw_options options;
	struct thaw_error error;
	struct thaw_reply reply;
	struct thaw *thaw;
	int status;

	memset(&options, 0, sizeof(options));
	options.log = on_line;
	if (thaw_open(catalog, &options, &error, &thaw))
		return fail(&error);
	if (thaw_invoke(thaw, function, &request, &error, &reply)) {
		status = fail(&error);
	} else {
		status = print(reply.result, reply.data, reply.size,
			       reply.error_type, reply.error_message);
		/* the data are the vm's, which is restored now */
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
	return status;
}

static int ask_server(const char *function, const char *text)
{
	const struct thaw_invoke_request request = request_of(text);
	struct thaw_client_reply reply;
	struct thaw_client *client;
	struct thaw_error error;
	int status;

	if (thaw_connect(NULL, &error, &client))
		return fail(&error);
	if (thaw_client_invoke(client, function, &request, &error, &reply))
		status = fail(&error);
	else
		status = print(reply.result, reply.data, reply.size,
			       reply.error_type, reply.error_message);
	thaw_disconnect(client);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("libthaw %s\n", thaw_version());
		return 0;
	}
	if (argc != 4) {
		fprintf(stderr, "usage: embed CATALOG FUNCTION TEXT\n"
				"       embed --server FUNCTION TEXT\n");
		return 2;
	}
	if (!strcmp(argv[1], "--server"))
		return ask_server(argv[2], argv[3]);
	return run_here(argv[1], argv[2], argv[3]);
}
