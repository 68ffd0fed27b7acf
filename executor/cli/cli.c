/* cli.c - see cli.h. */
#include "executor/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "vm/kvm.h"

void cli_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	flockfile(stderr);
	fputs("thaw: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(arguments);
}

const char *cli_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

char *cli_clean(const char *text, char *to, size_t size)
{
	size_t length = strnlen(text, size - 1);

	memcpy(to, text, length);
	to[length] = '\0';
	text_clean(to, length);
	if (text[length] && length >= 3)
		memset(to + length - 3, '.', 3);
	return to;
}

const char *cli_catalog_path(const char *option)
{
	const char *variable = cli_variable(CLI_CATALOG_VARIABLE);

	if (option)
		return option;
	if (variable)
		return variable;
	if (access(CLI_CATALOG_DEFAULT, F_OK) == 0)
		return CLI_CATALOG_DEFAULT;
	cli_error("no catalog: give -c FILE, set " CLI_CATALOG_VARIABLE
		  ", or start where " CLI_CATALOG_DEFAULT " is");
	return NULL;
}

int cli_no_kvm(const struct error *error)
{
	cli_error("%s", error->message);
	cli_error("`thaw doctor` checks what this machine has");
	return CLI_ENVIRONMENT;
}

int cli_require_kvm(void)
{
	const struct kvm_host *host;
	struct error error;

	return kvm_open(&error, &host) ? cli_no_kvm(&error) : CLI_GO_ON;
}

int cli_open_code(int result)
{
	switch (result) {
	case -EINVAL:
		return CLI_CATALOG;
	case -ENOENT:
	case -ENOTDIR:
	case -EISDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EACCES:
		return CLI_NOT_FOUND;
	default:
		return CLI_INTERNAL;
	}
}

int cli_deploy_code(int result)
{
	switch (result) {
	case -ENOENT:
	case -EACCES:
		return CLI_NOT_FOUND;
	case -ENOEXEC:	 /* the image is no good */
	case -EPROTO:	 /* it does not speak thaw's protocol */
	case -ECANCELED: /* its init failed */
	case -ETIMEDOUT: /* its init did not end */
	case -EFBIG:
	case -E2BIG:  /* the environment */
	case -ENOMEM: /* the guest's memory, or ours: the message says */
	case -EINVAL:
		return CLI_CATALOG;
	case -ENODEV:
	case -EOPNOTSUPP:
		return CLI_ENVIRONMENT;
	default:
		return CLI_INTERNAL;
	}
}

int cli_invoke_code(int result)
{
	switch (result) {
	case -E2BIG:  /* the request */
	case -EINVAL: /* its content type */
		return CLI_USAGE;
	case -ENOSYS: /* no such typed function */
		return CLI_NOT_FOUND;
	case -EBUSY:
	case -EAGAIN: /* while waiting for a vm */
		return CLI_THROTTLED;
	default:
		return CLI_INTERNAL;
	}
}

void cli_print_log(void *cookie, const char *function, enum thaw_level level,
		   const char *text, size_t size)
{
	static const char *const levels[] = {
		[THAW_LOG_ERROR] = "error",
		[THAW_LOG_WARN] = "warn",
		[THAW_LOG_INFO] = "info",
		[THAW_LOG_DEBUG] = "debug",
	};

	(void)cookie;
	(void)size;
	fprintf(stderr, "[%s] %s: %s\n", function, levels[level], text);
}
