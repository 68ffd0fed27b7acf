/*
 * host.c - host functions: each type there and back, those that are built in, errors,
 * and calls that are lies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <thaw.h>
#include <thaw_arch.h>

#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)
#define info ((const volatile struct thaw_info *)THAW_GPA_INFO)

THAW_IMPORT(int, add, int, int)
THAW_IMPORT(const char *, greet, const char *)
THAW_IMPORT(struct thaw_bytes, echo, struct thaw_bytes)
THAW_IMPORT(void, nothing)
THAW_IMPORT(const char *, all, int, unsigned, long, unsigned long, float,
	    double, bool, const char *, struct thaw_bytes, int, int, int, int,
	    int, int, const char *)
THAW_IMPORT(int, fails, const char *)
THAW_IMPORT(int, lies, int)
THAW_IMPORT(void, slow, unsigned)

THAW_IMPORT(const char *, config, const char *)
THAW_IMPORT(const char *, env, const char *)
THAW_IMPORT(struct thaw_bytes, invoke, const char *, struct thaw_bytes)
THAW_IMPORT(void, log, int, const char *)
THAW_IMPORT(int, print, const char *)
THAW_IMPORT(struct thaw_bytes, random, unsigned)
THAW_IMPORT(struct thaw_bytes, read, unsigned long)
THAW_IMPORT(unsigned long, time)

static char text[8192];
static uintptr_t volatile nowhere = 8;

/* "3: why" of a call that has failed, or "0: ". */
static const char *failure(int status)
{
	snprintf(text, sizeof(text), "%d: %s", status, thaw_host_message());
	return text;
}

THAW_FUNCTION(int, call_add, (int, a), (int, b))
{
	int sum = -1;

	if (host_add(a, b, &sum))
		thaw_fail("Host.Add", "%s", thaw_host_message());
	return sum;
}

THAW_FUNCTION(const char *, call_greet, (const char *, name))
{
	const char *greeting;

	const int status = host_greet(name, &greeting);

	return status ? failure(status) : greeting;
}

THAW_FUNCTION(struct thaw_bytes, call_echo, (struct thaw_bytes, bytes))
{
	struct thaw_bytes same = { NULL, 0 };

	if (host_echo(bytes, &same))
		thaw_fail("Host.Echo", "%s", thaw_host_message());
	return same;
}

/* @size bytes there and back. */
THAW_FUNCTION(const char *, call_echo_of, (unsigned, size))
{
	char *bytes = malloc(size + 1);
	struct thaw_bytes same = { NULL, 0 };
	int status;

	memset(bytes, 'e', size);
	status = host_echo((struct thaw_bytes){ bytes, size }, &same);
	if (!status && (same.size != size || memcmp(same.data, bytes, size)))
		return "other bytes";
	free(bytes);
	return failure(status);
}

THAW_FUNCTION(const char *, call_all)
{
	const char *result;

	return host_all(-1, 2, -3, 4, 1.5F, 2.5, true, "h",
			(struct thaw_bytes){ "i", 1 }, 1, 2, 3, 4, 5, 6, "end",
			&result) ?
		       thaw_host_message() :
		       result;
}

THAW_FUNCTION(const char *, call_nothing)
{
	return failure(host_nothing());
}

THAW_FUNCTION(const char *, call_fails, (const char *, why))
{
	int result = 0;

	return failure(host_fails(why, &result));
}

THAW_FUNCTION(const char *, call_lies, (int, how))
{
	int result;

	return failure(host_lies(how, &result));
}

THAW_FUNCTION(const char *, call_slow, (unsigned, ms))
{
	return failure(host_slow(ms));
}

THAW_FUNCTION(const char *, call_config, (const char *, name))
{
	const char *json;
	const int status = host_config(name, &json);

	return status ? failure(status) : json;
}

THAW_FUNCTION(const char *, call_env, (const char *, name))
{
	const char *value;
	const int status = host_env(name, &value);

	return status ? failure(status) : value;
}

/* How far the host's time is from ours, in seconds. */
THAW_FUNCTION(long, call_time)
{
	unsigned long now;

	if (host_time(&now))
		thaw_fail("Host.Time", "%s", thaw_host_message());
	return (long)(now / 1000000000) - (long)time(NULL);
}

THAW_FUNCTION(const char *, call_random, (unsigned, count))
{
	static unsigned char first[4096];
	struct thaw_bytes bytes;
	const int status = host_random(count, &bytes);

	if (status)
		return failure(status);
	if (bytes.size != count)
		return "another number";
	memcpy(first, bytes.data, count);
	if (!host_random(count, &bytes) && count > 8 &&
	    !memcmp(first, bytes.data, count))
		return "the same again";
	return "random";
}

THAW_FUNCTION(const char *, call_print, (unsigned, count))
{
	int size = 0, status = 0;

	for (unsigned i = 0; i < count && !status; i++)
		status = i % 2 ? host_log(THAW_LOG_WARN, "a log line") :
				 host_print("a printed line\n", &size);
	return failure(status);
}

THAW_FUNCTION(const char *, call_print_and_fault)
{
	int size;

	host_print("printed\n", &size);
	host_log(THAW_LOG_WARN, "logged");
	host_print("begun", &size);
	*(volatile int *)nowhere = 1;
	return "";
}

/* Invokes @function with @request, and says what comes of it. */
THAW_FUNCTION(const char *, call_invoke, (const char *, function),
	      (const char *, request))
{
	struct thaw_bytes reply;
	const int status =
		host_invoke(function,
			    (struct thaw_bytes){ request, strlen(request) },
			    &reply);

	if (status)
		return failure(status);
	snprintf(text, sizeof(text), "%.*s", (int)reply.size,
		 (const char *)reply.data);
	return text;
}

/* Calls itself by way of the host, again and again; says how deep it came. */
THAW_FUNCTION(const char *, recurse, (int, depth))
{
	struct thaw_bytes reply;
	char request[64];
	int status;

	snprintf(request, sizeof(request),
		 "{\"function\":\"recurse\",\"args\":[%d]}", depth + 1);
	status = host_invoke("host",
			     (struct thaw_bytes){ request, strlen(request) },
			     &reply);
	if (!status)
		snprintf(text, sizeof(text), "%.*s", (int)reply.size,
			 (const char *)reply.data);
	else
		snprintf(text, sizeof(text), "at %d: %d: %s", depth, status,
			 thaw_host_message());
	return text;
}

THAW_FUNCTION(const char *, call_by_name, (const char *, name))
{
	const struct thaw_value two[] = { thaw_value_int(20),
					  thaw_value_int(22) };
	struct thaw_value result;

	return failure(thaw_host_call(name, two, 2, THAW_TYPE_NONE, &result));
}

/* Calls print() by name, and wants a string of it. */
THAW_FUNCTION(const char *, print_as_string)
{
	const struct thaw_value line = thaw_value_string("a line");
	struct thaw_value result;

	return failure(
		thaw_host_call("print", &line, 1, THAW_TYPE_STRING, &result));
}

/* As often as it can. */
THAW_FUNCTION(unsigned, call_often, (unsigned, count))
{
	unsigned done = 0;
	int sum;

	while (done < count && !host_add(1, (int)done, &sum))
		done++;
	return done;
}

static const char *ring_for(uint64_t at, uint64_t size)
{
	const struct thaw_host_answer *answer =
		(const void *)info->result_start;

	mailbox->call = at;
	mailbox->call_size = size;
	thaw_arch_ring(THAW_BELL_CALL);
	snprintf(text, sizeof(text), "%u: %s", answer->status,
		 (const char *)(answer + 1));
	return text;
}

/* A call that is a lie, or none at all. */
THAW_FUNCTION(const char *, lie, (unsigned, number))
{
	static struct {
		struct thaw_message head;
		struct thaw_item item[2];
		char name[16];
	} call;
	const uint64_t at = (uintptr_t)&call;

	call.head = (struct thaw_message){ .size = sizeof(call),
					   .kind = THAW_MESSAGE_CALL,
					   .count = 2,
					   .function = THAW_FUNCTION_NAMED,
					   .name_size = 3,
					   .name = sizeof(call) - 16 };
	call.item[0] = call.item[1] =
		(struct thaw_item){ .type = THAW_TYPE_INT };
	memcpy(call.name, "add", 4);
	switch (number) {
	case 0:
		return ring_for(at, sizeof(call));
	case 1:
		return ring_for(UINT64_MAX, 64);
	case 2:
		return ring_for(0x14000, UINT64_MAX);
	case 3:
		return ring_for(at, 0);
	case 4:
		return ring_for(at, 12);
	case 5:
		return ring_for(0, sizeof(call));
	case 6:
		call.head.kind = THAW_MESSAGE_RESULT;
		break;
	case 7:
		call.head.function = 0;
		break;
	case 8:
		call.head.count = 0xffff;
		break;
	case 9:
		call.head.name = 0xffffffff;
		break;
	case 10:
		call.item[0].type = 99;
		break;
	case 11:
		call.item[1] = (struct thaw_item){ THAW_TYPE_STRING, 0x7fffffff,
						   sizeof(call) - 16 };
		break;
	case 12:
		memcpy(call.name, "\xff\xfe\xfd", 4);
		break;
	case 13:
		call.item[0].type = THAW_TYPE_LONG;
		break;
	case 14:
		call.head.returns = THAW_TYPE_STRING;
		break;
	}
	return ring_for(at, sizeof(call));
}

/* The result window is the host's. */
THAW_FUNCTION(void, write_result)
{
	*(volatile char *)info->result_start = 1;
}

/* What the invocation was sent, in pieces of 3 bytes. */
THAW_HANDLER(read_all)
{
	struct thaw_bytes bytes;

	(void)request;
	do {
		if (host_read(3, &bytes))
			thaw_fail("Host.Read", "%s", thaw_host_message());
		thaw_reply_printf("[%.*s]", (int)bytes.size,
				  (const char *)bytes.data);
	} while (bytes.size);
	return 0;
}

static char at_init[128];

THAW_INIT(calls_the_host)
{
	const char *rest = getenv("INIT_MS");
	int sum;

	usleep(rest ? (useconds_t)atoi(rest) * 1000 : 0);

	snprintf(at_init, sizeof(at_init), "%d", host_add(1, 2, &sum));
	strlcat(at_init, ": ", sizeof(at_init));
	strlcat(at_init, thaw_host_message(), sizeof(at_init));
	return 0;
}

THAW_FUNCTION(const char *, during_init)
{
	return at_init;
}
