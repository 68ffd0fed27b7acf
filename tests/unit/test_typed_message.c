/* test_typed_message.c - messages of others, and how requests say that they are some. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "executor/typed/message.h"

/* Reads a call of @name without arguments. */
static int read_call_of(const char *name, struct error *err)
{
	struct thaw_message head = {
		.kind = THAW_MESSAGE_CALL,
		.function = THAW_FUNCTION_NAMED,
	};
	struct message message;
	uint64_t bytes[16];

	thaw_message_write(&head, name, NULL, 0, bytes);
	return message_read(bytes, head.size, THAW_MESSAGE_CALL, err, &message);
}

/* A dispatch function takes any name that is text. */
START_TEST(the_name_of_a_call_is_utf8)
{
	static const char *const names[] = { "\xff", "gr\xc3", "\xed\xa0\x80" };
	struct error err;

	ck_assert_int_eq(read_call_of("gr\xc3\xbcn", &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ck_assert_int_eq(read_call_of(names[i], &err), -EPROTO);
		ck_assert_str_eq(err.message, "the name is not UTF-8");
	}
}
END_TEST

START_TEST(a_content_type_has_any_case_and_parameters)
{
	static const char *const good[] = {
		"application/vnd.thaw.typed",
		"Application/VND.Thaw.Typed",
		"application/vnd.thaw.typed; version=1",
		"application/vnd.thaw.typed;version=1",
		"application/vnd.thaw.typed \t;",
		"application/vnd.thaw.typed ",
	};
	static const char *const bad[] = {
		NULL,
		"",
		"application/vnd.thaw.type",
		"application/vnd.thaw.typed2",
		"application/vnd.thaw.typed+json",
		"application/vnd.thaw.typed x",
		" application/vnd.thaw.typed",
		"application/json; x=application/vnd.thaw.typed",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(message_has_type(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!message_has_type(bad[i]), "%s",
			      bad[i] ? bad[i] : "NULL");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("typed_message");
	TCase *tests = tcase_create("typed_message");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, the_name_of_a_call_is_utf8);
	tcase_add_test(tests, a_content_type_has_any_case_and_parameters);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
