/* fs.h - what the sources of the program fs.c have in common. */
#ifndef TESTS_LINUX_FS_H
#define TESTS_LINUX_FS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)

#define FAILS(call, number) CHECK((call) == -1 && errno == (number))

extern const char *argument; /* what follows the command */

/* Commands of fs_limits.c. */
void do_deep(void);
void do_limit(void);

#endif
