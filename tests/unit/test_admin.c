/* test_admin.c - what the admin listener says, as JSON */
#include "executor/server/admin/function_json.h"
#include "executor/server/metrics.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_fixture.h"
#include "executor/server/admin/server_json.h"

static struct buffer out;

static void set_up(void)
{
	admin_fixture_make();
	out = (struct buffer)BUFFER_INIT(1 << 20);
}

static void tear_down(void)
{
	buffer_done(&out);
}

/* What was written, which must be JSON and one line; the caller's. */
static json_t *parse_output(void)
{
	json_error_t error;
	json_t *json;

	ck_assert(!out.failed);
	ck_assert_uint_gt(out.size, 0);
	ck_assert_ptr_eq(memchr(out.data, '\n', out.size),
			 out.data + out.size - 1);
	json = json_loadb(out.data, out.size, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(json != NULL, "%s: %.*s", error.text, (int)out.size,
		      out.data);
	return json;
}

static void check_output(const char *golden)
{
	json_t *json = parse_output();
	json_error_t error;
	json_t *expected = json_loads(golden, 0, &error);

	ck_assert_msg(expected != NULL, "golden: %s at %d", error.text,
		      error.position);
	ck_assert_msg(json_equal(json, expected), "%.*s", (int)out.size,
		      out.data);
	json_decref(json);
	json_decref(expected);
}

#define NO_BUCKETS "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"

static const char golden_hello[] =
	"{\"name\":\"hello\",\"description\":\"Says \\\"hello\\\"\","
	"\"state\":\"active\",\"update\":null,\"reason\":null,\"image\":\"/lib/hello.elf\","
	"\"image_sha256\":\"ab12\",\"image_bytes\":4096,"
	"\"deployed_at\":\"2026-01-31T12:00:01Z\",\"boot_us\":1500,"
	"\"catalog\":{\"name\":\"hello\","
	"\"description\":\"Says \\\"hello\\\"\",\"image\":\"/lib/hello.elf\","
	"\"entry\":\"greet\",\"memory\":\"16MiB\",\"stack\":\"256KiB\","
	"\"max_request\":\"1MiB\",\"max_reply\":\"2MiB\","
	"\"timeout\":\"1500us\",\"init_timeout\":\"30s\","
	"\"inline_budget\":\"500us\",\"log_level\":\"warn\","
	"\"dispatch\":\"auto\",\"isolation\":\"strict\","
	"\"untrusted\":true,\"critical\":true,"
	"\"concurrency\":{\"max\":16,\"warm\":2,\"queue\":64,"
	"\"queue_timeout\":\"500ms\"},"
	"\"host\":{\"allow\":[\"print\"],\"secrets\":{},\"max_size\":\"64KiB\"},"
	"\"labels\":{\"team\":\"a=b\",\"empty\":\"\"}},"
	"\"memory_bytes\":16777216,\"timeout_ms\":1,"
	"\"max_request_bytes\":1048576,\"max_reply_bytes\":2097152,"
	"\"entry\":\"greet\",\"kind\":\"native\",\"dispatch\":\"auto\","
	"\"isolation\":\"strict\",\"gate\":\"call\",\"polled\":true,"
	"\"no_gate\":\"\",\"functions\":null,\"imports\":null,\"labels\":{\"team\":\"a=b\",\"empty\":\"\"},"
	"\"concurrency\":{\"max\":16,\"warm\":2,\"queue\":64,"
	"\"queue_timeout_ms\":500},\"vms\":{\"idle\":3,\"busy\":1},"
	"\"queued\":5,\"inflight\":1,"
	"\"invocations\":{\"ok\":101,\"function_error\":102,\"timeout\":103,"
	"\"crash\":104,\"oom\":105,\"too_large\":106,\"throttled\":107,"
	"\"refused\":108,\"failed\":109},"
	"\"duration\":{\"buckets\":[1,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"
	"\"sum_us\":20000025},"
	"\"phases\":{\"queue\":{\"buckets\":[" NO_BUCKETS "],\"sum_us\":0},"
	"\"run\":{\"buckets\":[0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
	"\"sum_us\":10},"
	"\"restore\":{\"buckets\":[" NO_BUCKETS "],\"sum_us\":0}},"
	"\"snapshot\":{\"bytes\":1000000,\"boots\":3,\"boot_failures\":4,"
	"\"loaded\":true,\"stored\":true,\"not_stored\":\"\"},"
	"\"restores\":11,\"copied_bytes\":12345678901,"
	"\"restores_offloaded\":12,\"queue_turns\":13,\"thread_waits\":14,"
	"\"log\":{\"lines\":7,\"dropped\":8},"
	"\"events\":{\"pending\":20,\"accepted\":21,\"done\":22,"
	"\"retried\":23,\"dropped\":24},"
	"\"dispatched\":{\"polled\":31,\"exit\":32,\"no_core\":33}}";

START_TEST(a_function_is_described_by_all_its_fields)
{
	admin_write_function(&fixture_functions[0], &out);
	check_output(golden_hello);
}
END_TEST

START_TEST(a_function_that_failed_has_a_reason_and_nothing_it_cannot_have)
{
	json_t *json;

	admin_write_function(&fixture_functions[1], &out);
	json = parse_output();
	ck_assert_str_eq(json_string_value(json_object_get(json, "state")),
			 "failed");
	/* the name as it is; of the reason, what is not UTF-8 is replaced */
	ck_assert_str_eq(json_string_value(json_object_get(json, "name")),
			 FIXTURE_HOSTILE_NAME);
	ck_assert_str_eq(json_string_value(json_object_get(json, "reason")),
			 "cut off: \xe2\x82\xac ??");
	ck_assert(json_is_null(json_object_get(json, "deployed_at")));
	ck_assert(json_is_null(json_object_get(json, "image_sha256")));
	ck_assert_str_eq(json_string_value(json_object_get(json, "gate")),
			 "none");
	ck_assert_str_eq(json_string_value(json_object_get(json, "no_gate")),
			 "");
	ck_assert_uint_eq(json_object_size(json_object_get(json, "labels")), 0);
	json_decref(json);
}
END_TEST

START_TEST(all_functions_have_the_same_fields_and_the_bounds_come_first)
{
	json_t *json, *bounds, *functions, *first;
	const char *key;
	json_t *value;

	admin_write_functions(&fixture_view, &out);
	json = parse_output();
	bounds = json_object_get(json, "bucket_bounds_us");
	functions = json_object_get(json, "functions");
	ck_assert_uint_eq(json_array_size(bounds), METRICS_BUCKETS);
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		ck_assert_uint_eq(json_integer_value(json_array_get(bounds, i)),
				  metrics_bounds_us[i]);
	ck_assert_uint_eq(json_array_size(functions), fixture_view.count);
	first = json_array_get(functions, 0);
	for (size_t i = 1; i < fixture_view.count; i++) {
		json_t *other = json_array_get(functions, i);

		ck_assert_uint_eq(json_object_size(other),
				  json_object_size(first));
		json_object_foreach(first, key, value)
			ck_assert_ptr_nonnull(json_object_get(other, key));
	}
	json_decref(json);
}
END_TEST

START_TEST(without_functions_the_list_is_empty)
{
	fixture_view.count = 0;
	admin_write_functions(&fixture_view, &out);
	check_output("{\"bucket_bounds_us\":[5,10,25,50,100,250,500,1000,2500,"
		     "5000,10000,25000,50000,100000,250000,500000,1000000,"
		     "2500000,5000000,10000000],\"functions\":[]}");
}
END_TEST

static const char golden_status[] =
	"{\"version\":\"%s\",\"pid\":%d,\"state\":\"serving\","
	"\"start_time\":\"2026-01-31T12:00:00Z\",\"uptime_ms\":123456,"
	"\"io\":\"io_uring\",\"workers\":2,\"offload_threads\":4,"
	"\"offload_busy\":1,\"catalog\":{\"path\":\"functions.json\","
	"\"sha256\":\"cd34\",\"generation\":7,\"last_reload_error\":null,"
	"\"reloads\":6,\"reload_failures\":1},"
	"\"connections\":{\"open\":1,\"max\":10000,\"total\":5,\"refused\":2},"
	"\"requests\":{\"total\":9,\"bad\":3},"
	"\"buffered\":{\"bytes\":65536,\"max\":536870912},"
	"\"memory\":{\"bytes\":33554432,\"max\":1073741824,"
	"\"pressure\":\"/proc/pressure/memory\"},"
	"\"events\":{\"queued\":20,\"max\":1000,\"oldest_ms\":1250},"
	"\"log\":{\"dropped\":14},"
	"\"functions\":{\"total\":3,\"active\":1,\"pending\":1,\"failed\":1,"
	"\"outdated\":0}}";

START_TEST(the_status_has_all_its_fields)
{
	char golden[sizeof(golden_status) + 64];

	snprintf(golden, sizeof(golden), golden_status, thaw_version(),
		 (int)getpid());
	admin_write_status(&fixture_view, &out);
	check_output(golden);
}
END_TEST

START_TEST(the_status_says_what_the_last_reload_failed_for)
{
	json_t *json;

	fixture_view.state = SERVER_DRAINING;
	fixture_view.last_reload_error = "line 3: \"x\"";
	fixture_view.catalog_path = "caf\xe9.json";
	admin_write_status(&fixture_view, &out);
	json = parse_output();
	ck_assert_str_eq(json_string_value(json_object_get(json, "state")),
			 "draining");
	json_t *catalog = json_object_get(json, "catalog");
	ck_assert_str_eq(json_string_value(
				 json_object_get(catalog, "last_reload_error")),
			 "line 3: \"x\"");
	ck_assert_str_eq(json_string_value(json_object_get(catalog, "path")),
			 "caf?.json");
	json_decref(json);
}
END_TEST

static bool write_ready(bool is_open)
{
	struct readiness readiness;

	readiness_make(fixture_functions, fixture_view.count, &readiness);
	buffer_clear(&out);
	return admin_write_ready(&readiness, is_open, &out);
}

START_TEST(what_is_not_deployed_is_named_with_its_reason)
{
	ck_assert(write_ready(true));
	check_output("{\"ready\":true,\"functions\":{\"total\":3,\"active\":1,"
		     "\"pending\":1,\"failed\":1,\"outdated\":0},\"checks\":["
		     "{\"name\":\"function we\\\"ird\\\\\\n\\u00fc\","
		     "\"ok\":false,\"reason\":\"cut off: \\u20ac ??\"},"
		     "{\"name\":\"function slow\",\"ok\":false,"
		     "\"reason\":\"is being booted\"},"
		     "{\"name\":\"draining\",\"ok\":true}]}");
}
END_TEST

START_TEST(a_server_is_ready_until_it_drains)
{
	fixture_view.count = 1;
	ck_assert(write_ready(true));
	check_output("{\"ready\":true,\"functions\":{\"total\":1,\"active\":1,"
		     "\"pending\":0,\"failed\":0,\"outdated\":0},\"checks\":["
		     "{\"name\":\"draining\",\"ok\":true}]}");
	ck_assert(!write_ready(false));
	check_output("{\"ready\":false,\"functions\":{\"total\":1,\"active\":1,"
		     "\"pending\":0,\"failed\":0,\"outdated\":0},\"checks\":["
		     "{\"name\":\"draining\",\"ok\":false,"
		     "\"reason\":\"is draining\"}]}");
}
END_TEST

START_TEST(a_server_is_ready_when_all_critical_functions_are_there)
{
	struct catalog_function spec = *fixture_functions[2].spec;

	spec.critical = true;
	fixture_functions[2].spec = &spec;
	ck_assert(!write_ready(true));
	/* it comes first */
	ck_assert_ptr_nonnull(strstr(out.data,
				     "\"checks\":[{\"name\":\"function slow\","
				     "\"ok\":false,\"critical\":true,"));
	/* its old version does */
	fixture_functions[2].state = FUNCTION_ACTIVE;
	fixture_functions[2].update = UPDATE_FAILED;
	fixture_functions[2].reason = "no";
	ck_assert(write_ready(true));
	ck_assert_ptr_nonnull(strstr(out.data, "\"outdated\":1"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"reason\":\"no\""));
}
END_TEST

START_TEST(as_many_functions_are_named_as_is_said)
{
	struct function_view views[SERVER_CHECKS_MAX + 1];
	struct readiness readiness;

	for (size_t i = 0; i < SERVER_CHECKS_MAX + 1; i++)
		views[i] = fixture_functions[2];
	readiness_make(views, SERVER_CHECKS_MAX, &readiness);
	ck_assert_uint_eq(readiness.count, SERVER_CHECKS_MAX);
	/* what has failed pushes out what is under way */
	views[SERVER_CHECKS_MAX] = fixture_functions[1];
	readiness_make(views, SERVER_CHECKS_MAX + 1, &readiness);
	ck_assert_uint_eq(readiness.count, SERVER_CHECKS_MAX);
	ck_assert_uint_eq(readiness.functions.total, SERVER_CHECKS_MAX + 1);
	ck_assert_str_eq(readiness.checks[0].name,
			 fixture_functions[1].spec->name);
}
END_TEST

START_TEST(what_does_not_fit_the_buffer_is_a_failure)
{
	out.max = 1000;
	admin_write_functions(&fixture_view, &out);
	ck_assert(out.failed);
	buffer_clear(&out);
	out.max = 100;
	admin_write_status(&fixture_view, &out);
	ck_assert(out.failed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("admin");
	TCase *tests = tcase_create("admin");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_function_is_described_by_all_its_fields);
	tcase_add_test(
		tests,
		a_function_that_failed_has_a_reason_and_nothing_it_cannot_have);
	tcase_add_test(
		tests,
		all_functions_have_the_same_fields_and_the_bounds_come_first);
	tcase_add_test(tests, without_functions_the_list_is_empty);
	tcase_add_test(tests, the_status_has_all_its_fields);
	tcase_add_test(tests, the_status_says_what_the_last_reload_failed_for);
	tcase_add_test(tests, what_is_not_deployed_is_named_with_its_reason);
	tcase_add_test(tests,
		       a_server_is_ready_when_all_critical_functions_are_there);
	tcase_add_test(tests, as_many_functions_are_named_as_is_said);
	tcase_add_test(tests, a_server_is_ready_until_it_drains);
	tcase_add_test(tests, what_does_not_fit_the_buffer_is_a_failure);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
