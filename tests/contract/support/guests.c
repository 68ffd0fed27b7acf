/* guests.c - see guests.h */
#include "tests/contract/support/guests.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/function.h"
#include "snapshot/tracker.h"
#include "vm/kvm.h"
#include "vm/poll.h"
#include "vm/poll_cores.h"

#define SKIPPED 77

const char *backends[] = {
	"bitmap", "ring", "polled", "cooperative", NULL, NULL
};

struct logged logged;
struct offered offered;
const char *state_dir;

int backend_count(void)
{
	const struct kvm_host *host;

	/* for emulated machines with one CPU; slow */
	if (getenv("TEST_POLL_ON_ANY_CPU"))
		poll_cores_assume(1);
	if (kvm_open(NULL, &host) || !host->has_dirty_ring)
		return 1;
	if (getenv("TEST_EXITS_ONLY"))
		return 2;
	return poll_cores() ? 4 : 2;
}

int backend_count_all(void)
{
	int count = backend_count();
	const bool is_polled = count == 4;
	struct error err;

	if (getenv("TEST_BACKEND")) {
		backends[0] = getenv("TEST_BACKEND");
		return 1;
	}
	if (getenv("TEST_EXITS_ONLY")) {
		printf("skip: tables, polled_tables: TEST_EXITS_ONLY is set\n");
		return count;
	}
	if (tracker_try_tables(&err)) {
		printf("skip: tables, polled_tables: %s\n", err.message);
		return count;
	}
	backends[count++] = "tables";
	if (is_polled)
		backends[count++] = "polled_tables";
	return count;
}

bool backend_is_polled(const char *backend)
{
	return !strncmp(backend, "polled", 6) ||
	       !strcmp(backend, "cooperative");
}

struct engine_options backend_options(const char *backend)
{
	return (struct engine_options){
		.dirty = !strcmp(backend, "polled_tables") ? "tables" :
			 backend_is_polled(backend)	   ? "ring" :
							     backend,
		.poll_wait_ns = POLL_WAIT_MAX_NS,
	};
}

const char *backend_defaults(const char *backend)
{
	if (!backend_is_polled(backend))
		return "";
	return !strcmp(backend, "cooperative") ?
		       "\"dispatch\":\"polled\","
		       "\"isolation\":\"cooperative\"" :
		       "\"dispatch\":\"polled\"";
}

bool is_backtrace(enum thaw_level level, const char *text)
{
	return level == THAW_LOG_ERROR && *text == '#';
}

void take_line(void *cookie, const char *function, enum thaw_level level,
	       const char *text, size_t size)
{
	(void)cookie;
	(void)function;
	if (is_backtrace(level, text)) {
		snprintf(logged.backtrace, sizeof(logged.backtrace), "%s",
			 text);
		return;
	}
	logged.lines++;
	logged.level = level;
	logged.size = size;
	snprintf(logged.text, sizeof(logged.text), "%s", text);
}

/* Copies @from, with the guests' directory for each %s. */
static void put_directory(char *to, size_t size, const char *from)
{
	const char *mark;

	*to = '\0';
	while ((mark = strstr(from, "%s"))) {
		snprintf(to + strlen(to), size - strlen(to), "%.*s%s",
			 (int)(mark - from), from, TEST_GUESTS);
		from = mark + 2;
	}
	snprintf(to + strlen(to), size - strlen(to), "%s", from);
}

static struct thaw *open_text(const char *text,
			      const struct engine_options *options)
{
	struct thaw_error error;
	struct thaw *thaw;
	int r = engine_open_text(text, strlen(text), "test.json", options,
				 &error, &thaw);

	ck_assert_msg(!r, "%s", error.message);
	return thaw;
}

/* Deploys the functions of @text that can be; @must_be_stored: from the store. */
static void deploy_all(struct thaw *thaw, const char *text, bool must_be_stored)
{
	struct function *function;
	struct error err;
	char name[64];

	for (; (text = strstr(text, "{\"name\":\"")); text++) {
		ck_assert_int_eq(sscanf(text, "{\"name\":\"%63[^\"]", name), 1);
		if (engine_deploy(thaw, name, &err, &function))
			continue;
		ck_assert_msg(!must_be_stored || function->is_stored,
			      "%s: %s; %s", name, function->not_stored.message,
			      logged.text);
	}
}

/* Removes the directory @path, and the files in it. */
static void remove_directory(const char *path)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
	ck_assert_int_eq(rmdir(path), 0);
}

/* Writes the snapshots of @text to a directory, and opens it with those. */
static struct thaw *open_stored(const char *text,
				struct engine_options *options)
{
	char path[] = "/tmp/thaw-stored-XXXXXX";
	struct logged before;
	struct thaw *thaw;

	ck_assert_ptr_nonnull(mkdtemp(path));
	options->state_dir = path;
	thaw = open_text(text, options);
	deploy_all(thaw, text, false);
	thaw_close(thaw);
	before = logged;
	thaw = open_text(text, options);
	deploy_all(thaw, text, true);
	/* what a boot has logged is not logged again */
	logged = before;
	/* the files stay until they are not used any more */
	remove_directory(path);
	return thaw;
}

struct thaw *open_functions(const char *backend, const char *functions)
{
	struct engine_options options = backend_options(backend);
	static char text[1 << 18], inside[1 << 17];

	options.log = take_line;
	options.verify = true;
	options.host_functions = offered.functions;
	options.host_function_count = offered.count;
	options.state_dir = state_dir;
	put_directory(inside, sizeof(inside), functions);
	snprintf(text, sizeof(text),
		 "{\"version\":1,\"defaults\":{%s},\"functions\":[%s]}",
		 backend_defaults(backend), inside);
	return getenv("TEST_STORED") ? open_stored(text, &options) :
				       open_text(text, &options);
}

struct thaw *open_guest(const char *backend, const char *guest,
			const char *more)
{
	static const char *const defaults[][2] = {
		{ "\"memory\"", "\"4MiB\"" },
		{ "\"stack\"", "\"64KiB\"" },
		{ "\"max_request\"", "\"4KiB\"" },
		{ "\"max_reply\"", "\"4KiB\"" },
		{ "\"timeout\"", "\"10s\"" },
		{ "\"concurrency\"", "{\"max\":1}" },
	};
	static char text[1 << 17];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text),
				"{\"name\":\"%s\",\"image\":\"%%s/%s.elf\"%s%s",
				guest, guest, *more ? "," : "", more);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if (!strstr(more, defaults[i][0]))
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used, ",%s:%s",
						 defaults[i][0],
						 defaults[i][1]);
	snprintf(text + used, sizeof(text) - used, "}");
	return open_functions(backend, text);
}

static void add(void *unused, struct thaw_host_call *call)
{
	const struct thaw_value sum = {
		.type = THAW_TYPE_INT,
		.as.i32 = call->arguments[0].as.i32 + call->arguments[1].as.i32,
	};

	(void)unused;
	ck_assert_int_eq(thaw_host_return(call, &sum), 0);
}

struct thaw *open_calls_host(const char *backend)
{
	static const enum thaw_type types[] = { THAW_TYPE_INT, THAW_TYPE_INT };
	static const struct thaw_host_function host[] = { {
		.name = "add",
		.returns = THAW_TYPE_INT,
		.types = types,
		.count = 2,
		.call = add,
		.flags = THAW_HOST_INLINE,
	} };
	struct thaw *thaw;

	offered = (struct offered){ host, 1 };
	thaw = open_guest(backend, "calls_host",
			  "\"host\":{\"allow\":[\"add\"]}");
	offered = (struct offered){ NULL, 0 };
	return thaw;
}

void call(struct thaw *thaw, const char *function, const char *text,
	  uint64_t timeout_ns, struct thaw_reply *ret_reply)
{
	const struct thaw_invoke_request request = {
		.data = text,
		.size = strlen(text),
		.timeout_ns = timeout_ns,
	};
	struct thaw_error error;
	int r = thaw_invoke(thaw, function, &request, &error, ret_reply);

	ck_assert_msg(!r, "%s: %s: %d: %s", function, text, r, error.message);
}

const char *call_once(struct thaw *thaw, const char *function, const char *text)
{
	struct thaw_reply reply;
	const char *result;

	call(thaw, function, text, 0, &reply);
	result = outcome(&reply);
	thaw_reply_release(&reply);
	return result;
}

const char *outcome(const struct thaw_reply *reply)
{
	static _Thread_local char text[1 << 14];

	if (reply->result == THAW_OK)
		snprintf(text, sizeof(text), "%.*s", (int)reply->size,
			 (const char *)reply->data);
	else
		snprintf(text, sizeof(text), "%s: %s", reply->error_type,
			 reply->error_message);
	return text;
}

int run_suite(Suite *suite)
{
	const struct kvm_host *host;
	struct error err;
	SRunner *runner = srunner_create(suite);
	int failed = 0;

	if (kvm_open(&err, &host)) {
		printf("skip: %s\n", err.message);
		srunner_free(runner);
		return SKIPPED;
	}
	if (!host->has_dirty_ring)
		printf("skip: ring: this KVM has no dirty ring\n");
	if (backend_count() < 4)
		printf("skip: polled, cooperative: %s\n",
		       getenv("TEST_EXITS_ONLY") ?
			       "TEST_EXITS_ONLY is set" :
			       "no dirty ring, or no second CPU");
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

size_t private_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	size_t bytes = 0, kib;
	char line[128];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_%*[^:]: %zu kB", &kib) == 1)
			bytes += kib * 1024;
	fclose(file);
	return bytes;
}

char *repeat(char c, size_t count)
{
	static char text[4][1 << 17];
	static unsigned next;
	char *to = text[next++ % 4];

	memset(to, c, count);
	to[count] = '\0';
	return to;
}
