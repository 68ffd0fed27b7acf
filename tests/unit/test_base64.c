/* test_base64.c - base64, written and read */
#include "base/base64.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *bytes, *text;
} base64s[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+" },
};

START_TEST(base64_is_that_of_rfc_4648)
{
	const char *bytes = base64s[_i].bytes, *text = base64s[_i].text;
	struct buffer out = BUFFER_INIT(64);
	char decoded[16];
	int size;

	base64_encode(bytes, strlen(bytes), &out);
	ck_assert_uint_eq(out.size, strlen(text));
	if (*text)
		ck_assert_mem_eq(out.data, text, out.size);
	buffer_done(&out);
	size = base64_decode(text, strlen(text), decoded, sizeof(decoded));
	ck_assert_int_eq(size, (int)strlen(bytes));
	ck_assert_mem_eq(decoded, bytes, (size_t)size);
	size = base64_decode(text, strcspn(text, "="), decoded, strlen(bytes));
	ck_assert_int_eq(size, (int)strlen(bytes));
	if (size)
		ck_assert_int_eq(base64_decode(text, strlen(text), decoded,
					       strlen(bytes) - 1),
				 -ENOSPC);
}
END_TEST

START_TEST(what_is_not_base64_is_refused)
{
	static const char *const wrong[] = {
		"Z",	 "Zg=",	   "Zg===",    "Zg==Zg==", "=Zg=", "Zm9v=",
		"Zm9vZ", "Zm9\nv", "Zm9v====", "Zm-v",	   "Zm_v", "Zh==",
		"Zm9=",	 "Zm 9v",  "Zm9\x80",  "====",
	};
	char decoded[16];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(base64_decode(wrong[i], strlen(wrong[i]), decoded,
					    sizeof(decoded)) == -EINVAL,
			      "%s", wrong[i]);
}
END_TEST

START_TEST(no_byte_but_the_64_is_a_digit)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char decoded[16];

	for (int byte = 0; byte < 256; byte++) {
		const char text[] = { (char)byte, 'A', 'A', 'A' };
		const bool is_digit = byte && strchr(digits, byte);

		ck_assert_int_eq(base64_decode(text, sizeof(text), decoded,
					       sizeof(decoded)),
				 is_digit ? 3 : -EINVAL);
	}
}
END_TEST

#define LOOP(test, samples)                 \
	tcase_add_loop_test(tests, test, 0, \
			    sizeof(samples) / sizeof(*(samples)))

int main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tests = tcase_create("base64");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	LOOP(base64_is_that_of_rfc_4648, base64s);
	tcase_add_test(tests, what_is_not_base64_is_refused);
	tcase_add_test(tests, no_byte_but_the_64_is_a_digit);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
