/* image_cache.c - see image_cache.h. */
#include "executor/image_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "vm/image/image.h"
#include "vm/image/open.h"

/*
 * A file that has changed so recently may change again and keep its times: some file
 * systems have whole seconds only.
 */
#define FRESH_NS (2 * NS_PER_S)

/* Nobody can set the time of the last change. */
struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct entry {
	struct identity identity;
	struct image *image; /* held; NULL: free */
	size_t bytes;
	uint64_t used; /* larger: later */
};

static struct {
	pthread_mutex_t lock; /* of all but reads */
	struct entry entries[IMAGE_CACHE_MAX];
	size_t bytes;
	uint64_t uses;
	_Atomic size_t reads;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_identity(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && same_time(&a->modified, &b->modified) &&
	       same_time(&a->changed, &b->changed);
}

/* False: the file is not there, or may change without notice. */
static bool identify(const char *path, struct identity *ret_identity)
{
	struct stat status;

	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return false;
	*ret_identity = (struct identity){
		.device = status.st_dev,
		.inode = status.st_ino,
		.size = status.st_size,
		.modified = status.st_mtim,
		.changed = status.st_ctim,
	};
	return clock_read_ns(CLOCK_REALTIME) >
	       (uint64_t)status.st_ctim.tv_sec * NS_PER_S + FRESH_NS;
}

/* The lock is held. */
static struct entry *find_entry(const struct identity *identity)
{
	for (size_t i = 0; i < IMAGE_CACHE_MAX; i++) {
		struct entry *entry = &cache.entries[i];

		if (entry->image && same_identity(&entry->identity, identity)) {
			entry->used = ++cache.uses;
			return entry;
		}
	}
	return NULL;
}

/* The lock is held. */
static void drop(struct entry *entry)
{
	cache.bytes -= entry->bytes;
	image_close(entry->image);
	*entry = (struct entry){ 0 };
}

/* A free entry, or the one that was used least recently. The lock is held. */
static struct entry *find_oldest(bool is_taken)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < IMAGE_CACHE_MAX; i++) {
		struct entry *entry = &cache.entries[i];

		if (is_taken && !entry->image)
			continue;
		if (!oldest || entry->used < oldest->used)
			oldest = entry;
	}
	return oldest;
}

/* The lock is held. */
static void keep(const struct identity *identity, struct image *image)
{
	const size_t bytes = image_file_size(image);
	struct entry *entry;

	if (bytes > IMAGE_CACHE_BYTES_MAX)
		return;
	while (cache.bytes + bytes > IMAGE_CACHE_BYTES_MAX)
		drop(find_oldest(true));
	entry = find_oldest(false);
	if (entry->image)
		drop(entry);
	*entry = (struct entry){
		.identity = *identity,
		.image = image_hold(image),
		.bytes = bytes,
		.used = ++cache.uses,
	};
	cache.bytes += bytes;
}

/* Keeps @image, or gives the one instead that another thread has kept meanwhile. */
static struct image *share(const struct identity *identity, struct image *image)
{
	const struct entry *entry;

	pthread_mutex_lock(&cache.lock);
	entry = find_entry(identity);
	if (entry) {
		image_close(image);
		image = image_hold(entry->image);
	} else {
		keep(identity, image);
	}
	pthread_mutex_unlock(&cache.lock);
	return image;
}

int image_cache_open(const char *path, struct error *err,
		     struct image **ret_image)
{
	struct identity before, after;
	const bool is_known = identify(path, &before);
	const struct entry *entry;
	struct image *image = NULL;
	int r;

	if (is_known) {
		pthread_mutex_lock(&cache.lock);
		entry = find_entry(&before);
		if (entry)
			image = image_hold(entry->image);
		pthread_mutex_unlock(&cache.lock);
	}
	if (image) {
		*ret_image = image;
		return 0;
	}
	r = image_open(path, err, &image);
	if (r)
		return r;
	atomic_fetch_add(&cache.reads, 1);
	/* what was read is that file only if no other one has taken its place */
	if (is_known && identify(path, &after) &&
	    same_identity(&before, &after))
		image = share(&before, image);
	*ret_image = image;
	return 0;
}

size_t image_cache_reads(void)
{
	return atomic_load(&cache.reads);
}

void image_cache_clear(void)
{
	pthread_mutex_lock(&cache.lock);
	for (size_t i = 0; i < IMAGE_CACHE_MAX; i++)
		if (cache.entries[i].image)
			drop(&cache.entries[i]);
	pthread_mutex_unlock(&cache.lock);
}
