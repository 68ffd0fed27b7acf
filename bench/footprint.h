/*
 * footprint.h - what a process takes of the machine, as /proc says.
 *
 *	struct bench_footprint_files files;
 *
 *	r = bench_footprint_open(pid, err, &files);
 *	if (!r)
 *		r = bench_footprint_read(&files, err, &footprint);
 *	bench_footprint_close(&files);
 *
 * The files stay open, so that a process can read what it takes itself when it can
 * open no more files.
 */
#ifndef BENCH_FOOTPRINT_H
#define BENCH_FOOTPRINT_H

#include <dirent.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

struct bench_footprint {
	double private_kib; /* Private_Clean and Private_Dirty, of all mappings */
	/*
	 * Slab, VmallocUsed, KernelStack, PageTables and Percpu: of the whole
	 * machine, whoever takes them
	 */
	double kernel_kib;
	double mappings;
	double descriptors;
};

struct bench_footprint_files {
	FILE *memory, *machine, *mappings;
	DIR *descriptors;
};

/*
 * Opens the files of a process. 0 or -errno after a message; bench_footprint_close()
 * is due in any case.
 */
int bench_footprint_open(pid_t process, struct error *err,
			 struct bench_footprint_files *ret_files);

/* Reads what it takes now: 0 or -errno after a message. */
int bench_footprint_read(const struct bench_footprint_files *files,
			 struct error *err,
			 struct bench_footprint *ret_footprint);

void bench_footprint_close(struct bench_footprint_files *files);

/* What each of @count takes if they made @before become @after. */
struct bench_footprint
bench_footprint_each(const struct bench_footprint *before,
		     const struct bench_footprint *after, unsigned count);

#endif
