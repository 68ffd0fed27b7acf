/*
 * spellcheck.c - finds misspelled English words, and corrects them.
 *
 *	I recieve teh letter.	->  {"misspelled":[
 *		{"word":"recieve","offset":2,"suggestions":["receive","relieve"]},
 *		{"word":"teh","offset":10,"suggestions":["the","tech","tea"]}],
 *		"corrected":"I receive the letter.","words":4}
 *
 * The request is plain text in UTF-8; offsets count its bytes. The word list
 * is part of the image. Reading it into a trie is the init function's work, so
 * it is in the snapshot: no invocation waits for it.
 *
 * Single letters, words with digits or letters beyond Latin-1, short acronyms
 * and addresses are not checked. dictionary.c has the search.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "dictionary.h"
#include "json.h"
#include "utf8.h"

#define TEXT_MAX 65536
#define ACRONYM_MAX 4 /* letters: unknown, and not checked */

/* Bounds the time that one request may spend on suggestions: some 50 ms. */
#define STEPS_MAX 1000000

/* words.S */
extern const uint8_t spellcheck_words[], spellcheck_words_end[];

struct text {
	char *data;
	size_t size, capacity;
};

struct check {
	const uint8_t *text;
	struct text corrected;
	size_t words, misspelled;
	unsigned steps_left;
};

THAW_INIT(load_words)
{
	return dictionary_load(spellcheck_words, spellcheck_words_end);
}

static void append(struct text *text, const void *data, size_t size)
{
	if (size > text->capacity - text->size) {
		text->capacity = (text->capacity + size) * 2;
		text->data = realloc(text->data, text->capacity);
		if (!text->data)
			thaw_fail("Spellcheck.OutOfMemory", "raise memory");
	}
	memcpy(text->data + text->size, data, size);
	text->size += size;
}

static void check_reply(int result)
{
	if (result < 0)
		thaw_fail("Spellcheck.ReplyTooLarge",
			  "raise max_reply, or send less text at a time");
}

/* Is this run of letters, digits and apostrophes a misspelled word? */
static bool is_misspelled(const uint8_t *text, size_t size,
			  struct word *ret_word)
{
	struct word word;

	if (!word_read(text, size, &word) || word.size == 1 ||
	    dictionary_has(&word))
		return false;
	if (word_drop_possessive(&word) &&
	    (word.size == 1 || dictionary_has(&word)))
		return false;
	if (word.size <= ACRONYM_MAX && word_is_all_capitals(&word))
		return false;
	*ret_word = word;
	return true;
}

/* Replies the word at @offset; its best suggestion goes into the text. */
static void report(struct check *check, size_t offset, size_t size,
		   const struct word *word)
{
	const uint8_t *text = check->text + offset;
	uint32_t entries[SUGGESTIONS_MAX];
	char spelling[SPELLING_MAX];
	size_t count, i, n;

	check_reply(thaw_reply_printf("%s{\"word\":",
				      check->misspelled++ > 0 ? "," : ""));
	check_reply(json_reply_string((const char *)text, size));
	check_reply(
		thaw_reply_printf(",\"offset\":%zu,\"suggestions\":[", offset));
	count = dictionary_suggest(word, &check->steps_left, entries);
	for (i = 0; i < count; i++) {
		n = dictionary_spell(entries[i], word, spelling);
		if (i == 0)
			append(&check->corrected, spelling, n);
		else
			check_reply(thaw_reply(",", 1));
		check_reply(json_reply_string(spelling, n));
	}
	if (count == 0)
		append(&check->corrected, text, size);
	check_reply(thaw_reply("]}", 2));
}

static bool is_space(uint8_t byte)
{
	return byte <= ' ';
}

/* Is what stands here, up to the next space, an e-mail or web address? */
static bool is_address(const uint8_t *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (text[i] == '@')
			return true;
		if (size - i > 3 && memcmp(text + i, "://", 3) == 0)
			return true;
	}
	return false;
}

/* Bytes of the word at the start of @text, 0 if there is none. */
static size_t measure_word(const uint8_t *text, size_t size)
{
	bool joint = true; /* the last one was an apostrophe, or nothing */
	size_t at = 0, end = 0, n;
	uint32_t point;

	while ((n = utf8_decode(text + at, size - at, &point)) > 0) {
		if (utf8_is_letter(point) || point == '_' ||
		    (point >= '0' && point <= '9')) {
			joint = false;
			end = at + n;
		} else if (joint ||
			   (point != '\'' && point != UTF8_APOSTROPHE)) {
			break;
		} else {
			joint = true;
		}
		at += n;
	}
	return end;
}

/* Checks the words between two spaces. */
static void check_run(struct check *check, size_t offset, size_t size)
{
	const uint8_t *at = check->text + offset, *end = at + size;
	struct word word;
	uint32_t point;
	size_t n;

	for (; at < end; at += n) {
		n = measure_word(at, (size_t)(end - at));
		if (n == 0) {
			n = utf8_decode(at, (size_t)(end - at), &point);
			append(&check->corrected, at, n);
			continue;
		}
		check->words++;
		if (is_misspelled(at, n, &word))
			report(check, (size_t)(at - check->text), n, &word);
		else
			append(&check->corrected, at, n);
	}
}

static void check_request(const struct thaw_request *request)
{
	const uint8_t *text = request->data;
	size_t at, n;
	uint32_t point;

	if (request->size > TEXT_MAX)
		thaw_fail("Spellcheck.TextTooLarge",
			  "%zu bytes, at most %d are allowed", request->size,
			  TEXT_MAX);
	for (at = 0; at < request->size; at += n) {
		n = utf8_decode(text + at, request->size - at, &point);
		if (n == 0)
			thaw_fail("Spellcheck.InvalidText",
				  "byte %zu: not UTF-8", at);
	}
}

THAW_HANDLER(spellcheck)
{
	struct check check = { .text = request->data, .steps_left = STEPS_MAX };
	const uint8_t *text = request->data;
	size_t at, n;

	check_request(request);
	check_reply(thaw_reply_type("application/json"));
	check_reply(thaw_reply_printf("{\"misspelled\":["));
	for (at = 0; at < request->size; at += n) {
		bool space = is_space(text[at]);

		for (n = 1; at + n < request->size; n++) {
			if (is_space(text[at + n]) != space)
				break;
		}
		if (space || is_address(text + at, n))
			append(&check.corrected, text + at, n);
		else
			check_run(&check, at, n);
	}
	check_reply(thaw_reply_printf("],\"corrected\":"));
	check_reply(json_reply_string(check.corrected.data ?: "",
				      check.corrected.size));
	check_reply(thaw_reply_printf(",\"words\":%zu}", check.words));
	return 0;
}
