/* store_fixture.h - a directory of snapshots, and something to keep in it */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/store/store.h"

/* Memory of four chunks: page 0 is x, and pages 16, 18 and 47 are y. */
#define STORE_FIXTURE_SIZE (4 * STORE_CHUNK)

extern const struct store_machine store_fixture_machine;
extern char store_fixture_path[];

/* Makes the directory, and removes it with all that is in it. */
void store_fixture_begin(void);
void store_fixture_end(void);

/* The same with a store in it, for functions. */
struct store *store_fixture_open(void);
void store_fixture_close(struct store *store);

/* How many snapshots are in it. */
size_t store_fixture_count(struct store *store);

/* A snapshot, whose key begins with @key. Its memory belongs to the fixture. */
struct store_content store_fixture_content(uint8_t key);

/* Puts it into @store; looks for it there, as the machine @machine. 0 or -errno. */
int store_fixture_put(struct store *store, uint8_t key, struct error *err);
int store_fixture_find(struct store *store, const struct store_machine *machine,
		       uint8_t key, struct error *err);

/* Where store_fixture_damage() changes the memory; and the chunk that this is in. */
#define STORE_FIXTURE_DAMAGE (18u * THAW_PAGE_SIZE + 7)
#define STORE_FIXTURE_DAMAGED_CHUNK "0x10000"

/*
 * Flips a bit of the memory of the file with that key. The file's size and times are as
 * before, and what vouches for it still does: only the hash of the memory tells.
 */
void store_fixture_damage(struct store *store, uint8_t key);

/* The whole file with that key: its path, and its bytes on the heap. */
const char *store_fixture_file(uint8_t key, const char *suffix);
uint8_t *store_fixture_read(const char *path, size_t *ret_size);
void store_fixture_write(const char *path, const void *bytes, size_t size);

#endif
