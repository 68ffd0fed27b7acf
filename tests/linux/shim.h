/* shim.h - what the parts of shim.c share. */
#ifndef TESTS_LINUX_SHIM_H
#define TESTS_LINUX_SHIM_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096

#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition)) {                                      \
			dprintf(1, "line %d: %s (errno %d)\n", __LINE__, \
				#condition, errno);                      \
			exit(0);                                         \
		}                                                        \
	} while (0)
#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

/* What follows the command. */
extern long number;

/* shim_files.c: files that are open at the snapshot. */

/* Opens @paths, a NULL-terminated list, each once, and the first two more than once. */
void open_files(char **paths);
/* Has the shim, and the host, deal with them, after their state is spoiled. */
void use_files(void);
void do_read(void);
void do_seek(void);
void do_share(void);
void do_replace(void);
void do_threads(void);
void do_handler(void);
void do_wild(void);
void do_write_page(void);
void do_sum(void);

#endif
