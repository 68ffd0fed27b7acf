/* hostile.h - what the parts of hostile.c share. */
#ifndef TESTS_LINUX_HOSTILE_H
#define TESTS_LINUX_HOSTILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
/* Of /tmp/before, a file from before the snapshot: 'b' in each byte. */
#define BEFORE_SIZE 10000

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)
#define FAILS(call, error) CHECK((long)(call) == -1 && errno == (error))

struct command {
	const char *name;
	void (*run)(void);
};

/* hostile_files.c */
void put_before(void);
void do_tmp(void);
void do_names(void);
void do_mounts(void);
void do_grow(void);

/* hostile_faults.c */
int seven(void);
/* Makes its code @prot, and has it return 8. An errno. */
int patch_seven(int prot);
void do_fault_loop(void);
void do_nested_faults(void);
void do_kept(void);
void do_probe(void);
void do_signal_stack(void);

/* hostile_refused.c */
void do_refused(void);

#endif
