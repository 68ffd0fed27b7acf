/*
 * wordfreq.c - the most frequent words of a text.
 *
 *	#top 2
 *	The cat and the hat.	->  {"words":5,"unique":4,"top":[
 *				     {"word":"the","count":2},
 *				     {"word":"and","count":1}]}
 *
 * The first line is optional: the default is 10. A word is a run of letters
 * and digits, with apostrophes between them; ASCII and Latin-1 letters count
 * as lowercase, those of other scripts as they are. What is not UTF-8 parts
 * words. Equally frequent words are sorted by their bytes, so that the same
 * text always has the same reply.
 *
 * Everything here is allocated by the handler and never freed: the vm returns
 * to its snapshot after the reply. The table starts at one page and grows by
 * doubling, so that a short text touches little memory that would have to be
 * put back.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "json.h"
#include "utf8.h"

#define TOP_DEFAULT 10
#define TOP_MAX 1000
#define TOP_MARK "#top "
#define SLOTS_FIRST 256

/* A word, at @offset in the names; a @count of 0 marks a free slot. */
struct slot {
	uint32_t offset, size, count, hash;
};

struct table {
	char *names; /* of all words, one after the other */
	size_t names_size;
	struct slot *slots;
	size_t slot_count; /* a power of two */
	size_t unique, words;
};

/* A text being read. */
struct reader {
	const uint8_t *at, *end;
};

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		thaw_fail("Wordfreq.OutOfMemory",
			  "%zu bytes more are needed: raise memory",
			  count * size);
	return memory;
}

static bool is_word_part(uint32_t point)
{
	return utf8_is_letter(point) || (point >= '0' && point <= '9');
}

/* Decodes without moving; what is not UTF-8 is one byte that parts words. */
static size_t peek(const struct reader *reader, size_t ahead,
		   uint32_t *ret_point)
{
	size_t left = (size_t)(reader->end - reader->at) - ahead;
	size_t n = utf8_decode(reader->at + ahead, left, ret_point);

	if (n == 0) {
		*ret_point = 0;
		n = left > 0;
	}
	return n;
}

/*
 * Writes the next word in lowercase to @out, which has as much room as there
 * is text left: lowercase never takes more bytes. Returns its size, 0 at the
 * end of the text.
 */
static size_t read_word(struct reader *reader, char *out)
{
	size_t used = 0, n, after;
	uint32_t point, next;

	while ((n = peek(reader, 0, &point)) > 0) {
		if (is_word_part(point)) {
			used += utf8_encode(latin1_lower(point), out + used);
		} else if (used > 0 &&
			   (point == '\'' || point == UTF8_APOSTROPHE)) {
			after = peek(reader, n, &next);
			if (after == 0 || !is_word_part(next))
				break;
			out[used++] = '\'';
		} else if (used > 0) {
			break;
		}
		reader->at += n;
	}
	return used;
}

/* FNV-1a. */
static uint32_t hash_word(const char *word, size_t size)
{
	uint32_t hash = 2166136261;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)word[i]) * 16777619;
	return hash ^ hash >> 15;
}

/* Finds the word's slot, or the free one where it belongs. */
static struct slot *find_slot(const struct table *table, const char *word,
			      size_t size, uint32_t hash)
{
	size_t mask = table->slot_count - 1, i;

	for (i = hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &table->slots[i];

		if (slot->count == 0 ||
		    (slot->hash == hash && slot->size == size &&
		     memcmp(table->names + slot->offset, word, size) == 0))
			return slot;
	}
}

static void grow(struct table *table)
{
	struct slot *old = table->slots;
	size_t old_count = table->slot_count, i;

	table->slot_count = old_count * 2;
	table->slots = allocate(table->slot_count, sizeof(*table->slots));
	for (i = 0; i < old_count; i++) {
		if (old[i].count > 0)
			*find_slot(table, table->names + old[i].offset,
				   old[i].size, old[i].hash) = old[i];
	}
	free(old);
}

static void count_words(struct table *table, struct reader *reader)
{
	char *word = table->names;
	size_t size;

	while ((size = read_word(reader, word)) > 0) {
		uint32_t hash = hash_word(word, size);
		struct slot *slot = find_slot(table, word, size, hash);

		table->words++;
		if (slot->count++ > 0)
			continue;
		slot->offset = (uint32_t)(word - table->names);
		slot->size = (uint32_t)size;
		slot->hash = hash;
		word += size;
		if (++table->unique > table->slot_count / 2)
			grow(table);
	}
}

static bool ranks_before(const struct table *table, const struct slot *a,
			 const struct slot *b)
{
	size_t shorter = a->size < b->size ? a->size : b->size;
	int order;

	if (a->count != b->count)
		return a->count > b->count;
	order = memcmp(table->names + a->offset, table->names + b->offset,
		       shorter);
	return order != 0 ? order < 0 : a->size < b->size;
}

/* Puts the first @limit words in order into @top; returns how many. */
static size_t rank(const struct table *table, const struct slot **top,
		   size_t limit)
{
	size_t used = 0, i, at;

	for (i = 0; i < table->slot_count; i++) {
		const struct slot *slot = &table->slots[i];

		if (slot->count == 0 ||
		    (used == limit &&
		     !ranks_before(table, slot, top[used - 1])))
			continue;
		if (used < limit)
			used++;
		for (at = used - 1; at > 0; at--) {
			if (!ranks_before(table, slot, top[at - 1]))
				break;
			top[at] = top[at - 1];
		}
		top[at] = slot;
	}
	return used;
}

/* Reads the first line, if it is one for us, and passes over it. */
static size_t read_limit(struct reader *reader)
{
	const uint8_t *at = reader->at;
	size_t limit = 0, mark = strlen(TOP_MARK);

	if ((size_t)(reader->end - at) < mark ||
	    memcmp(at, TOP_MARK, mark) != 0)
		return TOP_DEFAULT;
	at += mark;
	for (; at < reader->end && *at >= '0' && *at <= '9'; at++) {
		limit = limit * 10 + (size_t)(*at - '0');
		if (limit > TOP_MAX)
			break;
	}
	if (limit < 1 || limit > TOP_MAX)
		thaw_fail("Wordfreq.InvalidRequest",
			  TOP_MARK "takes a number from 1 to %d", TOP_MAX);
	if (at < reader->end && *at == '\r')
		at++;
	if (at < reader->end && *at++ != '\n')
		thaw_fail("Wordfreq.InvalidRequest",
			  "the first line goes on behind the number");
	reader->at = at;
	return limit;
}

static int reply(const struct table *table, const struct slot **top,
		 size_t count)
{
	size_t i;

	if (thaw_reply_type("application/json") < 0 ||
	    thaw_reply_printf("{\"words\":%zu,\"unique\":%zu,\"top\":[",
			      table->words, table->unique) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (thaw_reply_printf("%s{\"word\":", i > 0 ? "," : "") < 0 ||
		    json_reply_string(table->names + top[i]->offset,
				      top[i]->size) < 0 ||
		    thaw_reply_printf(",\"count\":%u}",
				      (unsigned)top[i]->count) < 0)
			return -1;
	}
	return thaw_reply("]}", 2);
}

THAW_HANDLER(wordfreq)
{
	struct reader reader = { .at = request->data };
	struct table table = { .slot_count = SLOTS_FIRST };
	const struct slot **top;
	size_t limit;

	if (request->size > UINT32_MAX)
		thaw_fail("Wordfreq.InvalidRequest", "the text is over 4 GiB");
	reader.end = reader.at + request->size;
	limit = read_limit(&reader);
	table.names = malloc(request->size + 1);
	if (!table.names)
		thaw_fail("Wordfreq.OutOfMemory",
			  "%zu bytes for words: raise memory", request->size);
	table.slots = allocate(table.slot_count, sizeof(*table.slots));
	count_words(&table, &reader);
	top = allocate(limit, sizeof(*top));
	if (reply(&table, top, rank(&table, top, limit)) < 0)
		thaw_fail("Wordfreq.ReplyTooLarge",
			  "raise max_reply or ask for fewer words");
	return 0;
}
