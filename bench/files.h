/*
 * files.h - the benchmark's guest and program, which are part of thaw, as files.
 */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H

#include "base/error.h"
#include "bench/row.h"

/*
 * Makes the files of @setup. Returns 0, or -errno after a message;
 * bench_files_close() is due in any case.
 */
int bench_files_open(struct bench_setup *setup, struct error *err);
void bench_files_close(struct bench_setup *setup);

/* Writes the guest to the new file @path. 0, or -errno after a message. */
int bench_files_copy_guest(const struct bench_setup *setup, const char *path,
			   struct error *err);

#endif
