/* test_edges.c - tests each limit of an invocation at the limit and one beyond it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/abi/thaw_abi.h"
#include "snapshot/info.h"
#include "tests/contract/support/guests.h"

static struct thaw *open_entry(const char *entry)
{
	char more[128];

	snprintf(more, sizeof(more), "\"entry\":\"%s\"", entry);
	return open_guest("auto", "edges", more);
}

static const char *ask(struct thaw *thaw, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", number);
	return call_once(thaw, "edges", text);
}

START_TEST(a_request_may_be_as_large_as_max_request)
{
	struct thaw *thaw = open_entry("measure");
	const struct thaw_invoke_request large = { .data = repeat('r', 4097),
						   .size = 4097 };
	struct thaw_error error;
	struct thaw_reply reply;

	ck_assert_str_eq(call_once(thaw, "edges", ""), "0 0");
	ck_assert_str_eq(call_once(thaw, "edges", repeat('r', 4095)),
			 "4095 4095");
	ck_assert_str_eq(call_once(thaw, "edges", repeat('r', 4096)),
			 "4096 4096");
	ck_assert_int_eq(thaw_invoke(thaw, "edges", &large, &error, &reply),
			 -E2BIG);
	ck_assert_str_eq(error.message,
			 "function edges: a request of 4097 bytes is larger "
			 "than its max_request of 4096");
	/* a shorter request does not show the end of the one before */
	ck_assert_str_eq(call_once(thaw, "edges", "r"), "1 1");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_reply_may_be_as_large_as_max_reply)
{
	struct thaw *thaw = open_entry("reply");
	static const unsigned sizes[] = { 0, 1, 4095, 4096 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		ck_assert_str_eq(ask(thaw, sizes[i]), repeat('r', sizes[i]));
	ck_assert_str_eq(ask(thaw, 4097), "Test.TooLarge: 4097 of 4096");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_reply_beyond_max_reply_is_refused_by_the_host_too)
{
	struct thaw *thaw = open_entry("reply_unchecked");
	struct thaw_reply reply;

	call(thaw, "edges", "4096", 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_uint_eq(reply.size, 4096);
	thaw_reply_release(&reply);
	ck_assert_str_eq(ask(thaw, 4097),
			 "Function.ResponseSizeTooLarge: a reply of 4097 bytes "
			 "is larger than max_reply of 4096");
	thaw_close(thaw);
}
END_TEST

/* By each call that appends: no reply has a hole. */
START_TEST(a_reply_that_has_overflowed_is_not_sent)
{
	static const char calls[] = "bdp";
	struct thaw *thaw = open_entry("reply_in_parts");
	char request[32], expected[5000];

	for (const char *call = calls; *call; call++) {
		/* there is room for "end" and two parts, but not for a tenth part */
		snprintf(request, sizeof(request), "%c 11", *call);
		ck_assert_str_eq(call_once(thaw, "edges", request),
				 "Function.ResponseSizeTooLarge: a reply of "
				 "5503 bytes is larger than max_reply of 4096");
		snprintf(request, sizeof(request), "%c 11 r", *call);
		ck_assert_str_eq(call_once(thaw, "edges", request),
				 "Function.ResponseSizeTooLarge: a reply of "
				 "5503 bytes is larger than max_reply of 4096");
		snprintf(request, sizeof(request), "%c 11 0", *call);
		ck_assert_str_eq(call_once(thaw, "edges", request), "less");
		snprintf(request, sizeof(request), "%c 1", *call);
		snprintf(expected, sizeof(expected), "%send", repeat('a', 500));
		ck_assert_str_eq(call_once(thaw, "edges", request), expected);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(formatted_text_fills_a_reply_to_its_end)
{
	struct thaw *thaw = open_entry("reply_printf");

	ck_assert_str_eq(ask(thaw, 4095), repeat('0', 4095));
	ck_assert_str_eq(ask(thaw, 4096), repeat('0', 4096));
	ck_assert_str_eq(ask(thaw, 4097),
			 "Function.ResponseSizeTooLarge: a reply of 4097 bytes "
			 "is larger than max_reply of 4096");
	thaw_close(thaw);
}
END_TEST

/* Invokes `texts` with strings of the given lengths. 0 or -errno. */
static int send_texts(struct thaw *thaw, size_t type, size_t id)
{
	const struct thaw_invoke_request request = {
		.content_type = repeat('c', type), .id = repeat('i', id)
	};
	struct thaw_reply reply;
	char expected[512];
	int r = thaw_invoke(thaw, "edges", &request, NULL, &reply);

	if (r)
		return r;
	snprintf(expected, sizeof(expected), "%zu %s %zu %s", type,
		 request.content_type, id, request.id);
	ck_assert_str_eq(outcome(&reply), expected);
	ck_assert_str_eq(reply.id, request.id);
	thaw_reply_release(&reply);
	return 0;
}

START_TEST(content_type_and_id_of_a_request_have_a_length)
{
	struct thaw *thaw = open_entry("texts");

	ck_assert_int_eq(send_texts(thaw, 0, 0), 0);
	ck_assert_int_eq(send_texts(thaw, 127, 63), 0);
	ck_assert_int_eq(send_texts(thaw, 128, 63), -EINVAL);
	ck_assert_int_eq(send_texts(thaw, 127, 64), -EINVAL);
	ck_assert_int_eq(send_texts(thaw, 1, 1), 0);
	thaw_close(thaw);
}
END_TEST

START_TEST(an_invocation_without_an_id_gets_one)
{
	struct thaw *thaw = open_entry("texts");
	struct thaw_reply reply;
	char expected[128];

	call(thaw, "edges", "", 0, &reply);
	ck_assert_uint_eq(strlen(reply.id), 16);
	snprintf(expected, sizeof(expected), "0  16 %s", reply.id);
	ck_assert_str_eq(outcome(&reply), expected);
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(strings_of_a_reply_are_cut_where_they_end)
{
	struct thaw *thaw = open_entry("unterminated");
	struct thaw_reply reply;

	call(thaw, "edges", "0", 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_str_eq(reply.content_type, repeat('c', 127));
	ck_assert_str_eq(reply.error_type, "");
	ck_assert_str_eq(reply.error_message, "");
	thaw_reply_release(&reply);
	call(thaw, "edges", "1", 0, &reply);
	ck_assert_int_eq(reply.result, THAW_ERROR);
	ck_assert_str_eq(reply.content_type, "");
	ck_assert_str_eq(reply.error_type, repeat('t', 63));
	ck_assert_str_eq(reply.error_message, repeat('m', 1023));
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(control_characters_do_not_leave_the_guest)
{
	struct thaw *thaw = open_entry("controls");
	struct thaw_reply reply;

	call(thaw, "edges", "0", 0, &reply);
	ck_assert_str_eq(reply.content_type, "a?b??[0mc");
	thaw_reply_release(&reply);
	ck_assert_str_eq(ask(thaw, 1), "a?b??[0mc: a?b??[0mc");
	thaw_close(thaw);
}
END_TEST

START_TEST(error_texts_are_cut_at_their_limits)
{
	struct thaw *thaw = open_entry("fail_at_length");
	char expected[2048];

	for (unsigned length = 62; length <= 64; length++) {
		snprintf(expected, sizeof(expected), "%s: %s",
			 repeat('f', length < 63 ? length : 63),
			 repeat('f', length));
		ck_assert_str_eq(ask(thaw, length), expected);
	}
	snprintf(expected, sizeof(expected), "%s: %s", repeat('f', 63),
		 repeat('f', 1023));
	ck_assert_str_eq(ask(thaw, 1023), expected);
	ck_assert_str_eq(ask(thaw, 1024), expected);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_content_type_of_127_is_the_longest)
{
	struct thaw *thaw = open_entry("content_type_at_length");
	struct thaw_reply reply;

	call(thaw, "edges", "127", 0, &reply);
	ck_assert_str_eq(reply.content_type, repeat('c', 127));
	thaw_reply_release(&reply);
	call(thaw, "edges", "0", 0, &reply);
	ck_assert_str_eq(reply.content_type, "application/octet-stream");
	thaw_reply_release(&reply);
	ck_assert_str_eq(ask(thaw, 128), "Test.TooLong: content type");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_handler_name_of_55_is_the_longest)
{
	static const char name[] =
		"a_name_of_fifty_five_characters_which_is_the_longest_ok";
	struct thaw *thaw = open_entry(name);

	ck_assert_uint_eq(strlen(name), 55);
	ck_assert_str_eq(call_once(thaw, "edges", ""), name);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_stack_overflow_names_the_guard_page)
{
	struct thaw *where = open_entry("where");
	struct thaw *overflow = open_entry("overflow");
	uint64_t top = strtoull(call_once(where, "edges", ""), NULL, 10);
	const char *text = call_once(overflow, "edges", "");
	const char *mark = strstr(text, "writing address ");
	uint64_t address;

	ck_assert_msg(mark, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "Runtime.Fault: stack overflow "
					   "(raise stack, or use less of it)"));
	address = strtoull(mark + strlen("writing address "), NULL, 16);
	ck_assert_uint_lt(address, top - 65536);
	ck_assert_uint_ge(address, top - 65536 - THAW_PAGE_SIZE);
	ck_assert_ptr_nonnull(strstr(text, " in descend+"));
	thaw_close(where);
	thaw_close(overflow);
}
END_TEST

/* Pointers, their end, and the strings. */
START_TEST(an_environment_may_have_64_kib)
{
	const size_t most = THAW_ENVIRONMENT_MAX - 2 * 8 - strlen("V=") - 1;
	static char more[1 << 17], variable[1 << 17];
	char *environment[] = { variable, NULL };
	uint8_t *memory = calloc(1, THAW_GPA_IMAGE);
	struct thaw *thaw;
	size_t bytes = 0;

	snprintf(more, sizeof(more),
		 "\"entry\":\"where\",\"environment\":{\"V\":\"%s\"}",
		 repeat('v', most));
	thaw = open_guest("auto", "edges", more);
	sscanf(call_once(thaw, "edges", ""), "%*u 1 %zu", &bytes);
	ck_assert_uint_eq(bytes, most + 3);
	thaw_close(thaw);

	/* the catalog refuses more, and so does the layer below it */
	snprintf(variable, sizeof(variable), "V=%s", repeat('v', most));
	ck_assert_int_eq(info_put_environment(memory, environment, NULL), 0);
	snprintf(variable, sizeof(variable), "V=%s", repeat('v', most + 1));
	ck_assert_int_eq(info_put_environment(memory, environment, NULL),
			 -E2BIG);
	free(memory);
}
END_TEST

START_TEST(a_memory_that_is_too_small_is_refused)
{
	struct thaw *thaw = open_guest("auto", "edges",
				       "\"entry\":\"where\","
				       "\"memory\":\"2MiB\","
				       "\"max_request\":\"480KiB\","
				       "\"max_reply\":\"480KiB\"");
	struct thaw_error error;

	ck_assert_int_eq(thaw_deploy(thaw, "edges", &error), -ENOMEM);
	ck_assert_ptr_nonnull(
		strstr(error.message, "memory of 2048 KiB is too small"));
	thaw_close(thaw);
}
END_TEST

static int invoke_edges(struct thaw *thaw, struct thaw_error *error)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_reply reply;
	int r = thaw_invoke(thaw, "edges", &request, error, &reply);

	if (!r)
		thaw_reply_release(&reply);
	return r;
}

START_TEST(when_all_vms_are_busy_and_none_may_wait_it_is_busy)
{
	struct thaw *thaw =
		open_guest("auto", "edges",
			   "\"entry\":\"where\","
			   "\"concurrency\":{\"max\":2,\"queue\":0}");
	struct thaw_reply first, second;

	call(thaw, "edges", "", 0, &first);
	call(thaw, "edges", "", 0, &second);
	ck_assert_int_eq(invoke_edges(thaw, NULL), -EBUSY);
	thaw_reply_release(&second);
	ck_assert_int_eq(invoke_edges(thaw, NULL), 0);
	thaw_reply_release(&first);
	thaw_close(thaw);
}
END_TEST

static void *wait_for_a_vm(void *thaw)
{
	return (void *)(intptr_t)invoke_edges(thaw, NULL);
}

START_TEST(callers_wait_for_a_vm_for_so_long)
{
	struct thaw *thaw = open_guest(
		"auto", "edges",
		"\"entry\":\"where\",\"concurrency\":"
		"{\"max\":1,\"queue\":1,\"queue_timeout\":\"100ms\"}");
	struct thaw_reply reply;
	struct thaw_error error;
	pthread_t waiter;
	void *result;

	call(thaw, "edges", "", 0, &reply);
	ck_assert_int_eq(invoke_edges(thaw, &error), -EAGAIN);
	pthread_create(&waiter, NULL, wait_for_a_vm, thaw);
	usleep(20000);
	thaw_reply_release(&reply);
	pthread_join(waiter, &result);
	ck_assert_int_eq((int)(intptr_t)result, 0);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edges");
	TCase *group = tcase_create("edges");

	tcase_set_timeout(group, 60);
	tcase_add_test(group, a_request_may_be_as_large_as_max_request);
	tcase_add_test(group, a_reply_may_be_as_large_as_max_reply);
	tcase_add_test(group,
		       a_reply_beyond_max_reply_is_refused_by_the_host_too);
	tcase_add_test(group, a_reply_that_has_overflowed_is_not_sent);
	tcase_add_test(group, formatted_text_fills_a_reply_to_its_end);
	tcase_add_test(group, content_type_and_id_of_a_request_have_a_length);
	tcase_add_test(group, an_invocation_without_an_id_gets_one);
	tcase_add_test(group, strings_of_a_reply_are_cut_where_they_end);
	tcase_add_test(group, control_characters_do_not_leave_the_guest);
	tcase_add_test(group, error_texts_are_cut_at_their_limits);
	tcase_add_test(group, a_content_type_of_127_is_the_longest);
	tcase_add_test(group, a_handler_name_of_55_is_the_longest);
	tcase_add_test(group, a_stack_overflow_names_the_guard_page);
	tcase_add_test(group, an_environment_may_have_64_kib);
	tcase_add_test(group, a_memory_that_is_too_small_is_refused);
	tcase_add_test(group,
		       when_all_vms_are_busy_and_none_may_wait_it_is_busy);
	tcase_add_test(group, callers_wait_for_a_vm_for_so_long);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
