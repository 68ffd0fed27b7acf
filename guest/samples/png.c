/*
 * png.c - PNG (ISO 15948) over zlib (RFC 1950) over deflate (RFC 1951).
 *
 * Deflate is used in its simplest compressed form: one block with the fixed
 * Huffman codes, matches found greedily through a table with the last place of
 * each three bytes. A picture takes a third of its size that way.
 */
#include "png.h"

#include <stdbool.h>
#include <string.h>

#define HASH_BITS 13
#define DISTANCE_MAX 32768
#define MATCH_MIN 3
#define MATCH_MAX 258
#define END_OF_BLOCK 256
#define ADLER_MODULUS 65521

struct writer {
	uint8_t *out;
	size_t size, capacity;
	bool full; /* something did not fit and was left out */
	uint32_t bits;
	unsigned bit_count; /* in @bits, less than 8 between calls */
};

/* Where a code of a length or distance begins, and how many bits refine it. */
struct range {
	uint16_t base, extra;
};

static const struct range lengths[] = {
	{ 3, 0 },   { 4, 0 },	{ 5, 0 },   { 6, 0 },	{ 7, 0 },   { 8, 0 },
	{ 9, 0 },   { 10, 0 },	{ 11, 1 },  { 13, 1 },	{ 15, 1 },  { 17, 1 },
	{ 19, 2 },  { 23, 2 },	{ 27, 2 },  { 31, 2 },	{ 35, 3 },  { 43, 3 },
	{ 51, 3 },  { 59, 3 },	{ 67, 4 },  { 83, 4 },	{ 99, 4 },  { 115, 4 },
	{ 131, 5 }, { 163, 5 }, { 195, 5 }, { 227, 5 }, { 258, 0 },
};

static const struct range distances[] = {
	{ 1, 0 },     { 2, 0 },	    { 3, 0 },	   { 4, 0 },	  { 5, 1 },
	{ 7, 1 },     { 9, 2 },	    { 13, 2 },	   { 17, 3 },	  { 25, 3 },
	{ 33, 4 },    { 49, 4 },    { 65, 5 },	   { 97, 5 },	  { 129, 6 },
	{ 193, 6 },   { 257, 7 },   { 385, 7 },	   { 513, 8 },	  { 769, 8 },
	{ 1025, 9 },  { 1537, 9 },  { 2049, 10 },  { 3073, 10 },  { 4097, 11 },
	{ 6145, 11 }, { 8193, 12 }, { 12289, 12 }, { 16385, 13 }, { 24577, 13 },
};

static uint32_t crc_table[256];

void png_init(void)
{
	uint32_t n, crc;
	int bit;

	for (n = 0; n < 256; n++) {
		crc = n;
		for (bit = 0; bit < 8; bit++)
			crc = (crc & 1) ? 0xedb88320 ^ crc >> 1 : crc >> 1;
		crc_table[n] = crc;
	}
}

static void put_byte(struct writer *writer, uint8_t byte)
{
	if (writer->size < writer->capacity)
		writer->out[writer->size++] = byte;
	else
		writer->full = true;
}

static void put_bytes(struct writer *writer, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t i;

	for (i = 0; i < size; i++)
		put_byte(writer, bytes[i]);
}

static void put_u32(struct writer *writer, uint32_t value)
{
	put_byte(writer, (uint8_t)(value >> 24));
	put_byte(writer, (uint8_t)(value >> 16));
	put_byte(writer, (uint8_t)(value >> 8));
	put_byte(writer, (uint8_t)value);
}

/* Up to 24 bits, the least significant first. */
static void put_bits(struct writer *writer, uint32_t bits, unsigned count)
{
	writer->bits |= bits << writer->bit_count;
	writer->bit_count += count;
	while (writer->bit_count >= 8) {
		put_byte(writer, (uint8_t)writer->bits);
		writer->bits >>= 8;
		writer->bit_count -= 8;
	}
}

/* Huffman codes go the other way round. */
static void put_code(struct writer *writer, uint32_t code, unsigned count)
{
	uint32_t reversed = 0;
	unsigned i;

	for (i = 0; i < count; i++)
		reversed |= (code >> i & 1) << (count - 1 - i);
	put_bits(writer, reversed, count);
}

/* A literal byte, the end of the block, or a length. */
static void put_symbol(struct writer *writer, unsigned symbol)
{
	if (symbol < 144)
		put_code(writer, 0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(writer, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(writer, symbol - 256, 7);
	else
		put_code(writer, 0xc0 + symbol - 280, 8);
}

static unsigned find_range(const struct range *ranges, size_t count,
			   size_t value)
{
	while (count > 1 && ranges[count - 1].base > value)
		count--;
	return (unsigned)count - 1;
}

static void put_match(struct writer *writer, size_t length, size_t distance)
{
	unsigned n = find_range(lengths, sizeof(lengths) / sizeof(lengths[0]),
				length);

	put_symbol(writer, 257 + n);
	put_bits(writer, (uint32_t)(length - lengths[n].base),
		 lengths[n].extra);
	n = find_range(distances, sizeof(distances) / sizeof(distances[0]),
		       distance);
	put_code(writer, n, 5);
	put_bits(writer, (uint32_t)(distance - distances[n].base),
		 distances[n].extra);
}

static uint32_t hash_three(const uint8_t *bytes)
{
	uint32_t three = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 |
			 bytes[2];

	return three * 0x9e3779b1 >> (32 - HASH_BITS);
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = 0;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

static void put_deflated(struct writer *writer, const uint8_t *data,
			 size_t size)
{
	static uint32_t last_place[1 << HASH_BITS]; /* + 1; 0 is none */
	size_t at = 0, length, left;

	memset(last_place, 0, sizeof(last_place));
	put_bits(writer, 1, 1); /* the last block */
	put_bits(writer, 1, 2); /* with fixed codes */
	while (at < size) {
		length = 0;
		left = size - at;
		if (left >= MATCH_MIN) {
			uint32_t *last = &last_place[hash_three(data + at)];
			size_t place = *last;

			*last = (uint32_t)at + 1;
			if (place > 0 && at - (place - 1) <= DISTANCE_MAX)
				length = match_length(data + place - 1,
						      data + at,
						      left < MATCH_MAX ?
							      left :
							      MATCH_MAX);
			if (length >= MATCH_MIN)
				put_match(writer, length, at - (place - 1));
		}
		if (length < MATCH_MIN) {
			put_symbol(writer, data[at]);
			length = 1;
		}
		at += length;
	}
	put_symbol(writer, END_OF_BLOCK);
	put_bits(writer, 0, (8 - writer->bit_count) % 8);
}

static uint32_t adler32(const uint8_t *data, size_t size)
{
	uint32_t a = 1, b = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		a = (a + data[i]) % ADLER_MODULUS;
		b = (b + a) % ADLER_MODULUS;
	}
	return b << 16 | a;
}

/* A chunk: length, type, data, checksum of the last two. */
static size_t begin_chunk(struct writer *writer, const char type[4])
{
	size_t start = writer->size;

	put_u32(writer, 0);
	put_bytes(writer, type, 4);
	return start;
}

static void end_chunk(struct writer *writer, size_t start)
{
	struct writer length = { .out = writer->out + start, .capacity = 4 };
	uint32_t crc = UINT32_MAX;
	size_t i;

	if (writer->full)
		return;
	put_u32(&length, (uint32_t)(writer->size - start - 8));
	for (i = start + 4; i < writer->size; i++)
		crc = crc_table[(crc ^ writer->out[i]) & 0xff] ^ crc >> 8;
	put_u32(writer, ~crc);
}

size_t png_encode(const struct png_image *image, uint8_t *out, size_t capacity)
{
	/* 8 bits per pixel, palette, deflate, the only filter, no interlace */
	static const uint8_t format[] = { 8, 3, 0, 0, 0 };
	static const uint8_t zlib_header[] = { 0x78, 0x01 };
	struct writer writer = { .out = out, .capacity = capacity };
	size_t raw = ((size_t)image->width + 1) * image->height, start;

	put_bytes(&writer, "\x89PNG\r\n\x1a\n", 8);
	start = begin_chunk(&writer, "IHDR");
	put_u32(&writer, image->width);
	put_u32(&writer, image->height);
	put_bytes(&writer, format, sizeof(format));
	end_chunk(&writer, start);

	start = begin_chunk(&writer, "PLTE");
	put_bytes(&writer, image->palette, sizeof(image->palette));
	end_chunk(&writer, start);

	start = begin_chunk(&writer, "IDAT");
	put_bytes(&writer, zlib_header, sizeof(zlib_header));
	put_deflated(&writer, image->rows, raw);
	put_u32(&writer, adler32(image->rows, raw));
	end_chunk(&writer, start);

	start = begin_chunk(&writer, "IEND");
	end_chunk(&writer, start);
	return writer.full ? 0 : writer.size;
}
