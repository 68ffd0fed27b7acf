/* secrets.c - a function that asks for secrets, in its invocations and in an init. */
#include <stdio.h>
#include <string.h>

#include <thaw.h>

THAW_IMPORT(struct thaw_bytes, secret, const char *)

/* What the last one was, and what an init was told. */
static char last[8192], told[256];

static const char *ask(const char *name)
{
	struct thaw_bytes bytes;
	const int status = host_secret(name, &bytes);

	if (status) {
		snprintf(last, sizeof(last), "%d: %s", status,
			 thaw_host_message());
	} else {
		const size_t size = bytes.size < sizeof(last) ?
					    bytes.size :
					    sizeof(last) - 1;

		memcpy(last, bytes.data, size);
		last[size] = '\0';
	}
	return last;
}

static const char *name_of(const struct thaw_request *request)
{
	static char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)request->size,
		 (const char *)request->data);
	return name;
}

/* The secret that the request names; or what an invocation before has left. */
THAW_HANDLER(tell)
{
	if (*last)
		thaw_fail("Test.Left", "%s", last);
	thaw_reply_printf("%s", ask(name_of(request)));
	return 0;
}

/* As an init: asks for the secret that it names, and leaves nothing but the answer. */
THAW_HANDLER(learn)
{
	snprintf(told, sizeof(told), "%s", ask(name_of(request)));
	*last = '\0';
	return 0;
}

/* What that init was told. */
THAW_HANDLER(recall)
{
	thaw_reply_printf("%s", told);
	return 0;
}
