/* advice.c - see advice.h. */
#include "snapshot/store/advice.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "snapshot/store/directory.h"

static uint64_t page_count(const struct store_file *file)
{
	return file->header.memory_size / THAW_PAGE_SIZE;
}

static bool has_chunk(const struct store_file *file, uint64_t chunk)
{
	const size_t bytes = STORE_CHUNK_PAGES / 8;

	return chunk < page_count(file) / STORE_CHUNK_PAGES &&
	       !store_is_zero(file->bitmap + chunk * bytes, bytes);
}

static void hash_advice(const struct advice_header *header, const void *numbers,
			size_t count, uint8_t hash[STORE_HASH_SIZE])
{
	struct advice_header copy = *header;
	crypto_generichash_state state;

	memset(copy.hash, 0, sizeof(copy.hash));
	crypto_generichash_init(&state, NULL, 0, STORE_HASH_SIZE);
	crypto_generichash_update(&state, (const void *)&copy, sizeof(copy));
	crypto_generichash_update(&state, numbers, count * sizeof(uint32_t));
	crypto_generichash_final(&state, hash, STORE_HASH_SIZE);
}

static int refuse(struct error *err, const char *what)
{
	return error_set(err, -EBADMSG,
			 "what was learned of a snapshot is ignored: %s", what);
}

static int check_header(const struct advice_header *header,
			const struct store_file *file, size_t size,
			struct error *err)
{
	if (memcmp(header->magic, STORE_ADVICE_MAGIC, sizeof(header->magic)) !=
		    0 ||
	    header->format != STORE_ADVICE_FORMAT)
		return refuse(err, "it has another format");
	if (header->hot_count > STORE_HOT_MAX ||
	    header->working_count > STORE_WORKING_MAX)
		return refuse(err, "it names too many pages");
	if (size != sizeof(*header) + ((size_t)header->hot_count +
				       header->working_count) *
					      sizeof(uint32_t))
		return refuse(err, "its size is no good");
	if (memcmp(header->key, file->header.key, sizeof(header->key)) != 0 ||
	    memcmp(header->of, file->header.hash, sizeof(header->of)) != 0)
		return refuse(err, "it is of another snapshot");
	return 0;
}

/* Whether the numbers ascend. */
static bool ascend(const uint32_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (numbers[i] <= numbers[i - 1])
			return false;
	return true;
}

static int check_numbers(const struct store_advice *advice,
			 const struct store_file *file, struct error *err)
{
	if (!ascend(advice->hot, advice->hot_count) ||
	    !ascend(advice->working, advice->working_count))
		return refuse(err, "its pages do not ascend");
	if (advice->hot_count &&
	    advice->hot[advice->hot_count - 1] >= page_count(file))
		return refuse(err, "it names pages beyond memory");
	for (size_t i = 0; i < advice->working_count; i++)
		if (!has_chunk(file, advice->working[i]))
			return refuse(err, "it names pages that do not exist");
	return 0;
}

int store_advice_parse(const struct store_file *file, const void *bytes,
		       size_t size, struct error *err,
		       struct store_advice *ret_advice)
{
	const uint8_t *numbers =
		(const uint8_t *)bytes + sizeof(struct advice_header);
	struct store_advice *advice = ret_advice;
	uint8_t hash[STORE_HASH_SIZE];
	struct advice_header header;
	size_t hot_size, working_size;
	int r;

	if (size < sizeof(header))
		return refuse(err, "it is truncated");
	memcpy(&header, bytes, sizeof(header));
	r = check_header(&header, file, size, err);
	if (r)
		return r;
	hash_advice(&header, numbers, header.hot_count + header.working_count,
		    hash);
	if (memcmp(hash, header.hash, sizeof(hash)) != 0)
		return refuse(err, "it is corrupt");
	hot_size = header.hot_count * sizeof(uint32_t);
	working_size = header.working_count * sizeof(uint32_t);
	advice->invocations = header.invocations;
	advice->hot_count = header.hot_count;
	advice->working_count = header.working_count;
	memcpy(advice->hot, numbers, hot_size);
	memcpy(advice->working, numbers + hot_size, working_size);
	return check_numbers(advice, file, err);
}

/* The bytes of the open file @fd, or -errno; more than there may be are -EBADMSG. */
static ssize_t read_bytes(int fd, uint8_t *bytes, struct error *err)
{
	struct stat status;
	ssize_t size;

	if (fstat(fd, &status))
		return error_set(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
	    status.st_mode & 022)
		return error_set(err, -EPERM,
				 "what was learned of a snapshot is ignored: "
				 "others may write to it");
	if (status.st_size > (off_t)STORE_ADVICE_SIZE_MAX)
		return refuse(err, "it is too large");
	size = pread(fd, bytes, STORE_ADVICE_SIZE_MAX, 0);
	return size < 0 ? error_set(err, -errno, "%s", strerror(errno)) : size;
}

int store_advice_read(struct store *store, const struct store_file *file,
		      struct error *err, struct store_advice *ret_advice)
{
	cleanup_free uint8_t *bytes = NULL;
	cleanup_close int fd = -1;
	char name[STORE_NAME_MAX];
	ssize_t size;

	store_name(file->header.key, STORE_ADVICE_SUFFIX, name);
	fd = openat(store_directory(store), name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	bytes = malloc(STORE_ADVICE_SIZE_MAX);
	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for %s", name);
	size = read_bytes(fd, bytes, err);
	return size < 0 ? (int)size :
			  store_advice_parse(file, bytes, (size_t)size, err,
					     ret_advice);
}

void store_advice_remove(struct store *store, const struct store_file *file)
{
	char name[STORE_NAME_MAX];

	store_name(file->header.key, STORE_ADVICE_SUFFIX, name);
	unlinkat(store_directory(store), name, 0);
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

/* Has the pages of @advice be such as will be read again. */
static void tidy_advice(struct store_advice *advice,
			const struct store_file *file)
{
	uint32_t hot = 0, working = 0;

	qsort(advice->hot, advice->hot_count, sizeof(*advice->hot),
	      compare_numbers);
	qsort(advice->working, advice->working_count, sizeof(*advice->working),
	      compare_numbers);
	for (uint32_t i = 0; i < advice->hot_count; i++)
		if (advice->hot[i] < page_count(file) &&
		    (!hot || advice->hot[i] != advice->hot[hot - 1]))
			advice->hot[hot++] = advice->hot[i];
	for (uint32_t i = 0; i < advice->working_count; i++)
		if (has_chunk(file, advice->working[i]) &&
		    (!working ||
		     advice->working[i] != advice->working[working - 1]))
			advice->working[working++] = advice->working[i];
	advice->hot_count = hot;
	advice->working_count = working;
}

/* Puts the header and the numbers into @bytes; returns their size. */
static size_t put_advice(const struct store_advice *advice,
			 const struct store_file *file, uint8_t *bytes)
{
	const size_t hot_size = advice->hot_count * sizeof(uint32_t);
	const size_t working_size = advice->working_count * sizeof(uint32_t);
	uint8_t *numbers = bytes + sizeof(struct advice_header);
	struct advice_header header = {
		.format = STORE_ADVICE_FORMAT,
		.invocations = advice->invocations,
		.hot_count = advice->hot_count,
		.working_count = advice->working_count,
	};

	memcpy(header.magic, STORE_ADVICE_MAGIC, sizeof(header.magic));
	memcpy(header.key, file->header.key, sizeof(header.key));
	memcpy(header.of, file->header.hash, sizeof(header.of));
	memcpy(numbers, advice->hot, hot_size);
	memcpy(numbers + hot_size, advice->working, working_size);
	hash_advice(&header, numbers, advice->hot_count + advice->working_count,
		    header.hash);
	memcpy(bytes, &header, sizeof(header));
	return sizeof(header) + hot_size + working_size;
}

int store_advice_write(struct store *store, const struct store_file *file,
		       struct store_advice *advice, struct error *err)
{
	const int dir = store_directory(store);
	char temporary[STORE_TEMPORARY_MAX], name[STORE_NAME_MAX];
	cleanup_free uint8_t *bytes = malloc(STORE_ADVICE_SIZE_MAX);
	cleanup_close int fd = -1;
	size_t size;
	int r;

	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for advice");
	tidy_advice(advice, file);
	size = put_advice(advice, file, bytes);
	store_name(file->header.key, STORE_ADVICE_SUFFIX, name);
	fd = store_create_temporary(dir, temporary);
	if (fd < 0)
		return store_directory_failed(dir, fd, "creating a file in",
					      err);
	r = store_write_all(fd, bytes, size, 0);
	if (!r && renameat(dir, temporary, dir, name))
		r = -errno;
	if (r)
		unlinkat(dir, temporary, 0);
	return r ? error_set(err, r, "writing %s: %s", name, strerror(-r)) : 0;
}
