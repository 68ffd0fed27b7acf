/*
 * image.c - puts an image into guest memory, and answers questions about it. See
 * image.h; how an image is made of a file is in open.c.
 */
#include "vm/image/image.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vm/image/declarations.h"
#include "vm/image/image_internal.h"

struct image *image_hold(struct image *image)
{
	atomic_fetch_add_explicit(&image->internal->references, 1,
				  memory_order_relaxed);
	return image;
}

void image_close(struct image *image)
{
	if (!image || atomic_fetch_sub(&image->internal->references, 1) != 1)
		return;
	pthread_mutex_destroy(&image->internal->lock);
	free(image->internal->name);
	free(image->internal->bytes);
	free(image->internal->relocations);
	free(image->internal->handlers);
	declarations_done(&image->internal->functions);
	declarations_done(&image->internal->imports);
	free(image->internal->symbols);
	free(image->internal->symbol_names);
	free(image->internal);
	free(image);
}

static bool is_relocated(const struct image_private *file,
			 const struct image_segment *segment)
{
	for (size_t i = 0; i < file->relocation_count; i++)
		/* Below the segment, the difference wraps: not inside. */
		if (image_range_inside(file->relocations[i].gva - segment->gva,
				       sizeof(uint64_t), segment->size))
			return true;
	return false;
}

/* Compares @size bytes at @gva with @wanted, or with zeros if that is NULL. */
static bool bytes_match(const uint8_t *memory, uint64_t gva,
			const uint8_t *wanted, uint64_t size, uint64_t *ret_gva)
{
	static const uint8_t zeros[THAW_PAGE_SIZE];

	while (size) {
		const uint64_t page_left =
			THAW_PAGE_SIZE - gva % THAW_PAGE_SIZE;
		const uint64_t piece = size < page_left ? size : page_left;

		*ret_gva = gva;
		if (memcmp(memory + gva, wanted ? wanted : zeros, piece) != 0)
			return false;
		gva += piece;
		size -= piece;
		if (wanted)
			wanted += piece;
	}
	return true;
}

/* Of a segment that nothing is relocated in. */
static bool segment_matches(const struct image_segment *segment,
			    const uint8_t *memory, uint64_t *ret_gva)
{
	const uint64_t end = segment->gva + segment->size;
	const uint64_t data_end = segment->data_gva + segment->data_size;

	return bytes_match(memory, segment->gva, NULL,
			   segment->data_gva - segment->gva, ret_gva) &&
	       bytes_match(memory, segment->data_gva, segment->data,
			   segment->data_size, ret_gva) &&
	       bytes_match(memory, data_end, NULL, end - data_end, ret_gva);
}

/* Of any other one, by way of a copy. */
static bool relocated_matches(const struct image_private *file,
			      const struct image_segment *segment,
			      const uint8_t *memory, uint64_t *ret_gva)
{
	uint8_t *copy = calloc(1, segment->size);
	bool matches;

	*ret_gva = segment->gva;
	if (!copy)
		return false;
	memcpy(copy + (segment->data_gva - segment->gva), segment->data,
	       segment->data_size);
	for (size_t i = 0; i < file->relocation_count; i++) {
		const uint64_t at = file->relocations[i].gva - segment->gva;
		uint64_t value = htole64(file->relocations[i].value);

		if (image_range_inside(at, sizeof(value), segment->size))
			memcpy(copy + at, &value, sizeof(value));
	}
	matches =
		bytes_match(memory, segment->gva, copy, segment->size, ret_gva);
	free(copy);
	return matches;
}

bool image_matches(const struct image *image, const uint8_t *memory,
		   uint64_t *ret_gva)
{
	const struct image_private *file = image->internal;
	bool matches = true;

	for (unsigned i = 0; matches && i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (segment->prot & IMAGE_PROT_WRITE)
			continue;
		matches = is_relocated(file, segment) ?
				  relocated_matches(file, segment, memory,
						    ret_gva) :
				  segment_matches(segment, memory, ret_gva);
	}
	return matches;
}

size_t image_file_size(const struct image *image)
{
	return image->internal->size;
}

static void hash_numbers(crypto_generichash_state *state,
			 const uint64_t *numbers, size_t size)
{
	crypto_generichash_update(state, (const unsigned char *)numbers, size);
}

/* Sizes come before what they are of, so that no two images give the same bytes. */
static void hash_loaded(const struct image *image,
			uint8_t hash[IMAGE_HASH_SIZE])
{
	const struct image_private *file = image->internal;
	const uint64_t whole[] = { image->entry, image->end,
				   image->segment_count,
				   file->relocation_count };
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, IMAGE_HASH_SIZE);
	hash_numbers(&state, whole, sizeof(whole));
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		const uint64_t place[] = { segment->gva, segment->size,
					   segment->prot, segment->data_gva,
					   segment->data_size };

		hash_numbers(&state, place, sizeof(place));
		crypto_generichash_update(&state, segment->data,
					  segment->data_size);
	}
	for (size_t i = 0; i < file->relocation_count; i++) {
		const uint64_t place[] = { file->relocations[i].gva,
					   file->relocations[i].value };

		hash_numbers(&state, place, sizeof(place));
	}
	crypto_generichash_final(&state, hash, IMAGE_HASH_SIZE);
}

const uint8_t *image_hash(const struct image *image)
{
	struct image_private *file = image->internal;

	pthread_mutex_lock(&file->lock);
	if (!file->has_hash)
		hash_loaded(image, file->hash);
	file->has_hash = true;
	pthread_mutex_unlock(&file->lock);
	return file->hash;
}

const char *image_sha256(const struct image *image)
{
	struct image_private *file = image->internal;
	unsigned char hash[crypto_hash_sha256_BYTES];

	pthread_mutex_lock(&file->lock);
	if (!*file->sha256) {
		crypto_hash_sha256(hash, file->bytes, file->size);
		sodium_bin2hex(file->sha256, sizeof(file->sha256), hash,
			       sizeof(hash));
	}
	pthread_mutex_unlock(&file->lock);
	return file->sha256;
}

int image_load(const struct image *image, uint8_t *memory, size_t memory_size,
	       struct error *err)
{
	const struct image_private *file = image->internal;

	if (image->end > memory_size)
		return error_set(err, -ENOEXEC,
				 "%s: ends at 0x%" PRIx64 ", beyond the "
				 "function's memory of 0x%zx bytes",
				 file->name, image->end, memory_size);

	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		memcpy(memory + segment->data_gva, segment->data,
		       segment->data_size);
	}
	for (size_t i = 0; i < file->relocation_count; i++) {
		uint64_t value = htole64(file->relocations[i].value);

		memcpy(memory + file->relocations[i].gva, &value,
		       sizeof(value));
	}
	return 0;
}

bool image_range_inside(uint64_t offset, uint64_t size, uint64_t total)
{
	return size <= total && offset <= total - size;
}

size_t image_printable_length(const char *string, size_t size)
{
	size_t length = strnlen(string, size);

	for (size_t i = 0; i < length; i++) {
		if (string[i] < ' ' || string[i] > '~')
			return 0;
	}
	return length;
}

const struct image_segment *image_find_segment(const struct image *image,
					       uint64_t gva, uint64_t size)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		/* Below the segment, the difference wraps: not inside. */
		if (image_range_inside(gva - segment->gva, size, segment->size))
			return segment;
	}
	return NULL;
}
