/* test_json_write.c - strings of JSON, whatever is in them */
#include "base/json_write.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct sample {
	const char *from, *to;
} samples[] = {
	{ "a\tb\n\"\\\r/", "\"a\\tb\\n\\\"\\\\\\r/\"" },
	{ "\xc3\xbc\xff\xc3", "\"\xc3\xbc\\ufffd\\ufffd\"" },
	{ "\x7f\xc2\x9b\x1b", "\"\\u007f\\u009b\\u001b\"" },
	{ "\xf0\x9f\x90\xbb", "\"\xf0\x9f\x90\xbb\"" },
	{ "", "\"\"" },
};

START_TEST(strings_of_json_are_valid_whatever_is_in_them)
{
	struct buffer out = BUFFER_INIT(1024);

	json_write_text(&out, samples[_i].from);
	ck_assert_uint_eq(out.size, strlen(samples[_i].to));
	ck_assert_mem_eq(out.data, samples[_i].to, out.size);
	buffer_done(&out);
}
END_TEST

START_TEST(jansson_reads_what_was_written)
{
	struct buffer out = BUFFER_INIT(4096);
	char text[256];
	json_t *value;

	for (size_t i = 0; i < 128; i++)
		text[i] = (char)i;
	/* U+0080 to U+00BF */
	for (size_t i = 0; i < 64; i++) {
		text[128 + 2 * i] = '\xc2';
		text[129 + 2 * i] = (char)(0x80 + i);
	}
	json_write_string(&out, text, sizeof(text));
	value = json_loadb(out.data, out.size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
			   NULL);
	ck_assert_uint_eq(json_string_length(value), sizeof(text));
	ck_assert_mem_eq(json_string_value(value), text, sizeof(text));
	json_decref(value);
	buffer_done(&out);
}
END_TEST

/* Nothing behind what has filled the buffer is read: here it cannot be. */
START_TEST(a_buffer_that_is_full_ends_it)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct buffer out = BUFFER_INIT(64);
	char *text = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(text, MAP_FAILED);
	memset(text, 1, page);
	ck_assert_int_eq(mprotect(text + page, page, PROT_NONE), 0);
	json_write_string(&out, text, 2 * page);
	ck_assert(out.failed);
	buffer_done(&out);
	munmap(text, 2 * page);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_write");
	TCase *tests = tcase_create("json_write");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests,
			    strings_of_json_are_valid_whatever_is_in_them, 0,
			    sizeof(samples) / sizeof(*samples));
	tcase_add_test(tests, a_buffer_that_is_full_ends_it);
	tcase_add_test(tests, jansson_reads_what_was_written);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
