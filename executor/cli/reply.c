/* reply.c - see reply.h. */
#include "executor/cli/reply.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "executor/cli/cli.h"
#include "executor/http_headers.h"

/* Prints headers as HTTP has them, but without what a terminal would obey. */
static void print_headers(const struct answer *reply, FILE *file)
{
	char clean[THAW_REPLY_HEADERS_SIZE_MAX];
	const char *name, *value;

	for (size_t at = 0;
	     http_headers_next(reply->headers, reply->headers_size, &at, &name,
			       &value);) {
		fprintf(file, "%s: ", cli_clean(name, clean, sizeof(clean)));
		fprintf(file, "%s\n", cli_clean(value, clean, sizeof(clean)));
	}
}

void reply_print_metadata(const struct answer *reply, FILE *file)
{
	static const char *const results[] = {
		[THAW_OK] = "ok",
		[THAW_ERROR] = "error",
		[THAW_FAULT] = "fault",
		[THAW_TIMEOUT] = "timeout",
	};

	fprintf(file, "thaw/%s %s\n", thaw_version(), results[reply->result]);
	if (reply->status)
		fprintf(file, "Status: %u\n", reply->status);
	if (reply->result == THAW_OK)
		fprintf(file, "Content-Type: %s\n", reply->content_type);
	else
		fprintf(file, "Error-Type: %s\n", reply->error_type);
	fprintf(file, "Content-Length: %zu\n", reply->size);
	print_headers(reply, file);
	if (reply->server_timing) {
		fprintf(file, "X-Call-Id: %s\nServer-Timing: %s\n", reply->id,
			reply->server_timing);
		return;
	}
	fprintf(file,
		"Request-Id: %s\n"
		"Queue-Time: %.3f ms\n"
		"Run-Time: %.3f ms\n",
		reply->id, (double)reply->queue_ns / NS_PER_MS,
		(double)reply->run_ns / NS_PER_MS);
	if (reply->has_exits)
		fprintf(file, "Exits: %u\n", reply->exits);
}

/*
 * A terminal may obey text with a control character, or bytes that are not
 * UTF-8: some take 0x80 to 0x9f for control characters.
 */
static bool reply_is_text(const char *data, size_t size)
{
	for (size_t i = 0, length; i < size; i += length) {
		uint32_t point = 0;

		length = text_decode(data + i, size - i, &point);
		if (!length ||
		    (text_is_control(point) && point != '\n' && point != '\r'))
			return false;
	}
	return true;
}

static int cannot_write(const char *path, int error)
{
	cli_error("cannot write the reply to %s: %s", path, strerror(error));
	return CLI_INTERNAL;
}

static void reply_print(const struct answer *reply, bool include, FILE *file)
{
	if (include) {
		reply_print_metadata(reply, file);
		fputc('\n', file);
	}
	if (reply->size)
		fwrite(reply->data, 1, reply->size, file);
}

static int write_file(const struct answer *reply, const char *path,
		      bool include)
{
	FILE *file = fopen(path, "we");
	bool failed;

	if (!file)
		return cannot_write(path, errno);
	errno = EIO;
	reply_print(reply, include, file);
	failed = ferror(file);
	if (fclose(file) || failed)
		return cannot_write(path, errno);
	return CLI_OK;
}

int reply_write(const struct answer *reply, const char *path, bool include)
{
	bool has_file = path && strcmp(path, "-") != 0;

	if (reply->result != THAW_OK && (has_file || !include))
		return CLI_OK;
	if (has_file)
		return write_file(reply, path, include);
	if (!path && isatty(STDOUT_FILENO) &&
	    !reply_is_text(reply->data, reply->size)) {
		cli_error("the reply is not text and may upset the terminal: "
			  "use -o FILE, or -o - to have it all the same");
		return CLI_USAGE;
	}
	errno = EIO;
	reply_print(reply, include, stdout);
	if (fflush(stdout) || ferror(stdout)) {
		int error = errno;

		/* reported here, so main() need not do it */
		clearerr(stdout);
		return cannot_write("standard output", error);
	}
	return CLI_OK;
}
