/*
 * picolibc.c - runs main() of the test program of picolibc's that the request
 * names; its status is the reply.
 */
#include <string.h>

#include <thaw.h>

/* By the build, for each program that third_party/picolibc_tests.txt runs. */
#define PICOLIBC_TEST(main, path) int main(int argc, char **argv);
#include <picolibc_tests.h>
#undef PICOLIBC_TEST

static const struct {
	const char *path;
	int (*main)(int argc, char **argv);
} programs[] = {
#define PICOLIBC_TEST(main, path) { path, main },
#include <picolibc_tests.h>
};

THAW_HANDLER(test)
{
	const char *path = request->data;
	char *argv[] = { (char *)"test", NULL };

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (strlen(programs[i].path) != request->size ||
		    memcmp(programs[i].path, path, request->size))
			continue;
		thaw_reply_printf("%d", programs[i].main(1, argv));
		return 0;
	}
	thaw_fail("Test.NotFound", "no such program");
}
