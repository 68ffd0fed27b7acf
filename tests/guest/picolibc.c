/* picolibc.c - runs main() of a test of picolibc's; its status is the reply. */
#include <thaw.h>

int test_main(int argc, char **argv);

THAW_HANDLER(test)
{
	char *argv[] = { (char *)request->function, NULL };

	thaw_reply_printf("%d", test_main(1, argv));
	return 0;
}
