/*
 * changed_file.h - a snapshot's file in the store of store_fixture.h, as an input of a fuzz
 * target changes it: its hashes are made right then, so that what is behind them is reached.
 *
 * An input is a list of changes: what is changed (enum changed_part, one byte), where (2
 * bytes), in which page (2), how many bytes (1), and these.
 */
#ifndef TESTS_FUZZ_CHANGED_FILE_H
#define TESTS_FUZZ_CHANGED_FILE_H

#include <stddef.h>
#include <stdint.h>

enum changed_part {
	CHANGED_READY,
	CHANGED_STATE,
	CHANGED_BITMAP,
	CHANGED_PAGE,
	CHANGED_FROZEN,
	CHANGED_FEATURES, /* the mask of the CPU's */
	CHANGED_ADVICE,	  /* what was learned, beside the file */
	CHANGED_PARTS,
};

/* Takes the file with @path for the good one. */
void changed_file_begin(const char *path);

/* Writes the one that the input makes of it, in its place. */
void changed_file_write(const uint8_t *bytes, size_t size);

void changed_file_end(void);

#endif
