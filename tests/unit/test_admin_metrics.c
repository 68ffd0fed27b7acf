/* test_admin_metrics.c - the metrics, as Prometheus's text */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_fixture.h"
#include "base/clock.h"
#include "executor/server/admin/server_metrics.h"

#define MANY 1000
#define SCRAPES 200

static struct buffer out;

static void set_up(void)
{
	admin_fixture_make();
	out = (struct buffer)BUFFER_INIT(64 << 20);
}

static void tear_down(void)
{
	buffer_done(&out);
}

/* The metrics, with a zero behind them. */
static const char *render(void)
{
	buffer_clear(&out);
	admin_write_metrics(&fixture_view, &out);
	buffer_append(&out, "", 1);
	ck_assert(!out.failed);
	out.size--;
	return out.data;
}

/* Whether @line is one of those of @text. */
static bool has(const char *text, const char *line)
{
	size_t size = strlen(line);

	for (; (text = strstr(text, line)); text++)
		if (text[-1] == '\n' && text[size] == '\n')
			return true;
	return false;
}

static const char *const expected[] = {
	"thaw_invocations_total{function=\"hello\",outcome=\"ok\"} 101",
	"thaw_invocations_total{function=\"hello\",outcome=\"function_error\"} "
	"102",
	"thaw_invocations_total{function=\"hello\",outcome=\"refused\"} 108",
	"thaw_invocations_total{function=\"hello\",outcome=\"failed\"} 109",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"0.000005\"} 1",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"0.00001\"} 1",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"0.000025\"} 2",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"0.25\"} 2",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"10\"} 2",
	"thaw_invocation_duration_seconds_bucket{function=\"hello\","
	"le=\"+Inf\"} 3",
	"thaw_invocation_duration_seconds_sum{function=\"hello\"} 20.0000255",
	"thaw_invocation_duration_seconds_count{function=\"hello\"} 3",
	"thaw_phase_duration_seconds_bucket{function=\"hello\",phase=\"run\","
	"le=\"0.00001\"} 1",
	"thaw_phase_duration_seconds_sum{function=\"hello\",phase=\"run\"} "
	"0.00001",
	"thaw_phase_duration_seconds_count{function=\"hello\",phase=\"queue\"} "
	"0",
	"thaw_snapshot_restores_total{function=\"hello\"} 11",
	"thaw_snapshot_builds_total{function=\"hello\"} 3",
	"thaw_snapshot_build_failures_total{function=\"hello\"} 4",
	"thaw_snapshot_bytes{function=\"hello\"} 1000000",
	"thaw_starts_total{function=\"hello\",start=\"warm\"} 900",
	"thaw_starts_total{function=\"hello\",start=\"snapshot\"} 4",
	"thaw_vm_exits_total{function=\"hello\"} 910",
	"thaw_restored_bytes_total{function=\"hello\"} 12345678901",
	"thaw_restores_offloaded_total{function=\"hello\"} 12",
	"thaw_queue_turns_total{function=\"hello\"} 13",
	"thaw_thread_waits_total{function=\"hello\"} 14",
	"thaw_instances{function=\"hello\",state=\"idle\"} 3",
	"thaw_instances{function=\"hello\",state=\"busy\"} 1",
	"thaw_instances_max{function=\"hello\"} 16",
	"thaw_inflight{function=\"hello\"} 1",
	"thaw_queue_depth{function=\"hello\"} 5",
	"thaw_queue_limit{function=\"hello\"} 64",
	"thaw_async_pending{function=\"hello\"} 20",
	"thaw_async_accepted_total{function=\"hello\"} 21",
	"thaw_async_done_total{function=\"hello\"} 22",
	"thaw_async_retries_total{function=\"hello\"} 23",
	"thaw_async_dropped_total{function=\"hello\"} 24",
	"thaw_async_oldest_age_seconds 1.25",
	"thaw_dispatch_total{function=\"hello\",mode=\"polled\"} 31",
	"thaw_dispatch_total{function=\"hello\",mode=\"exit\"} 32",
	"thaw_dispatch_no_core_total{function=\"hello\"} 33",
	"thaw_function_log_lines_total{function=\"hello\"} 7",
	"thaw_function_log_lines_dropped_total{function=\"hello\"} 8",
	"thaw_connections 1",
	"thaw_connections_max 10000",
	"thaw_buffered_bytes 65536",
	"thaw_buffered_max_bytes 536870912",
	"thaw_connections_total 5",
	"thaw_connections_refused_total 2",
	"thaw_requests_total 9",
	"thaw_bad_requests_total 3",
	"thaw_accept_errors_total 10",
	"thaw_offloaded_total 11",
	"thaw_stolen_total 12",
	"thaw_config_last_reload_successful 1",
	"thaw_config_last_reload_success_timestamp_seconds 1769860800",
	"thaw_config_reloads_total 6",
	"thaw_config_reload_failures_total 1",
	"thaw_log_dropped_total 14",
	"thaw_vms_trimmed_total{reason=\"idle\"} 15",
	"thaw_vms_trimmed_total{reason=\"pressure\"} 16",
	"thaw_vms_trimmed_total{reason=\"limit\"} 17",
	"thaw_vms_shrunk_total 18",
	"thaw_memory_bytes 33554432",
	"thaw_memory_max_bytes 1073741824",
	"process_start_time_seconds 1769860800.999",
	"thaw_function_state{function=\"hello\",state=\"active\"} 1",
	"thaw_function_state{function=\"hello\",state=\"failed\"} 0",
	"thaw_function_state{function=\"hello\",state=\"outdated\"} 0",
	"thaw_function_state{function=\"slow\",state=\"pending\"} 1",
	"thaw_function_info{function=\"hello\",label_team=\"a=b\","
	"label_empty=\"\"} 1",
	"thaw_function_info{function=\"we\\\"ird\\\\\\n\xc3\xbc\"} 1",
	"thaw_function_info{function=\"slow\","
	"label_a_b_c_d=\"1\",label_a_b_c_d_conflict1=\"2\","
	"label_a_b_c_d_conflict2=\"3\",label_a_b_c_d_conflict1_conflict1=\"4\","
	"label_a_b_c_d_conflict1_conflict2=\"5\"} 1",
	"# TYPE thaw_phase_duration_seconds histogram",
	"# TYPE thaw_connections gauge",
	"# TYPE thaw_requests_total counter",
	/* a hostile name, escaped */
	"thaw_inflight{function=\"we\\\"ird\\\\\\n\xc3\xbc\"} 0",
};

START_TEST(every_number_is_under_its_name)
{
	const char *text = render();

	ck_assert_msg(has(text, expected[_i]), "no %s in\n%s", expected[_i],
		      text);
}
END_TEST

START_TEST(the_version_and_the_process_are_told)
{
	const char *text = render();
	char line[80];

	snprintf(line, sizeof(line), "thaw_build_info{version=\"%s\"} 1",
		 thaw_version());
	ck_assert(has(text, line));
	ck_assert_ptr_nonnull(strstr(text, "\nprocess_cpu_seconds_total 0."));
	ck_assert_ptr_null(strstr(text, "\nprocess_open_fds 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nprocess_open_fds "));
	ck_assert_ptr_nonnull(strstr(text, "\nprocess_max_fds "));
	ck_assert_ptr_nonnull(strstr(text, "\nprocess_resident_memory_bytes "));
}
END_TEST

/* The family of a sample or a comment's line; *@size is its length. */
static const char *family_of(const char *line, size_t *ret_size)
{
	static const char *const ends[] = { "_bucket", "_sum", "_count" };
	const char *name = *line == '#' ? line + strlen("# HELP ") : line;
	size_t size = strcspn(name, "{ ");

	for (size_t i = 0; i < 3 && *line != '#'; i++) {
		size_t end = strlen(ends[i]);

		if (size > end && !memcmp(name + size - end, ends[i], end))
			size -= end;
	}
	*ret_size = size;
	return name;
}

START_TEST(a_family_has_one_head_and_all_its_samples_together)
{
	const char *line = render(), *family = "";
	size_t size = 0;

	for (; *line; line = strchr(line, '\n') + 1) {
		size_t here_size;
		const char *here = family_of(line, &here_size);
		char head[128];

		if (strncmp(line, "# HELP ", 7) != 0) {
			/* goes with the head before it */
			ck_assert_uint_eq(here_size, size);
			ck_assert_mem_eq(here, family, size);
			continue;
		}
		family = here;
		size = here_size;
		snprintf(head, sizeof(head), "# HELP %.*s ", (int)size, family);
		ck_assert_ptr_eq(strstr(out.data, head), line);
		ck_assert_ptr_null(strstr(line + 1, head));
		/* the type follows at once */
		ck_assert_int_eq(strncmp(strchr(line, '\n') + 1, "# TYPE ", 7),
				 0);
	}
}
END_TEST

START_TEST(without_functions_there_are_the_server_s_metrics_alone)
{
	const char *text;

	fixture_view.count = 0;
	text = render();
	ck_assert_ptr_null(strstr(text, "function=\""));
	ck_assert_ptr_null(strstr(text, "thaw_invocations_total"));
	ck_assert(has(text, "thaw_requests_total 9"));
}
END_TEST

/* Prometheus's own opinion, where it is installed. */
START_TEST(promtool_has_nothing_to_say)
{
	const char *text;
	FILE *promtool;

	if (system("command -v promtool >/dev/null 2>&1") != 0) {
		puts("skipped: no promtool");
		return;
	}
	fixture_view.count = (size_t)_i;
	text = render();
	promtool = popen("promtool check metrics", "w");
	ck_assert_ptr_nonnull(promtool);
	ck_assert_uint_eq(fwrite(text, 1, out.size, promtool), out.size);
	ck_assert_int_eq(pclose(promtool), 0);
}
END_TEST

static _Atomic bool is_over;

static void *observe(void *cookie)
{
	for (uint64_t ns = 1; !is_over; ns = ns * 3 % (20 * NS_PER_S))
		metrics_observe(cookie, ns);
	return NULL;
}

static uint64_t value_of(const char *text, const char *sample)
{
	const char *found = strstr(text, sample);

	ck_assert_ptr_nonnull(found);
	return strtoull(found + strlen(sample), NULL, 10);
}

START_TEST(the_count_is_that_of_the_last_bucket_while_others_count)
{
	pthread_t thread;
	uint64_t last = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, observe,
					&fixture_metrics.duration),
			 0);
	for (int i = 0; i < SCRAPES || last < 10; i++) {
		const char *text = render();
		uint64_t count =
			value_of(text, "thaw_invocation_duration_seconds_count"
				       "{function=\"hello\"} ");

		ck_assert_uint_eq(
			count,
			value_of(text, "thaw_invocation_duration_seconds_bucket"
				       "{function=\"hello\",le=\"+Inf\"} "));
		ck_assert_uint_ge(count, last);
		last = count;
	}
	is_over = true;
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(a_thousand_functions_are_no_trouble)
{
	struct function_view *functions = calloc(MANY, sizeof(*functions));
	uint64_t begin;

	ck_assert_ptr_nonnull(functions);
	for (size_t i = 0; i < MANY; i++)
		functions[i] = fixture_functions[i % FIXTURE_FUNCTIONS];
	fixture_view.functions = functions;
	fixture_view.count = MANY;
	begin = clock_now_ns();
	render();
	/* some 50 ms, and 10 times that with sanitizers */
	ck_assert_uint_lt(clock_now_ns() - begin, 5 * NS_PER_S);
	printf("%d functions: %zu bytes in %.1f ms\n", MANY, out.size,
	       (double)(clock_now_ns() - begin) / NS_PER_MS);
	free(functions);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("admin_metrics");
	TCase *tests = tcase_create("admin_metrics");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, every_number_is_under_its_name, 0,
			    sizeof(expected) / sizeof(*expected));
	tcase_add_test(tests, the_version_and_the_process_are_told);
	tcase_add_test(tests,
		       a_family_has_one_head_and_all_its_samples_together);
	tcase_add_test(tests,
		       without_functions_there_are_the_server_s_metrics_alone);
	tcase_add_loop_test(tests, promtool_has_nothing_to_say, 0,
			    FIXTURE_FUNCTIONS + 1);
	tcase_add_test(tests,
		       the_count_is_that_of_the_last_bucket_while_others_count);
	tcase_add_test(tests, a_thousand_functions_are_no_trouble);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
