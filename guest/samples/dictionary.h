/*
 * dictionary.h - a word list in a trie: which words are in it, and which are
 * near one that is not.
 *
 *	dictionary_load(words, words_end);
 *	if (word_read(text, size, &word) && !dictionary_has(&word))
 *		count = dictionary_suggest(&word, &steps_left, entries);
 */
#ifndef DICTIONARY_H
#define DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "utf8.h"

#define LETTERS_MAX 63 /* of a word; a bit each */
#define SUGGESTIONS_MAX 3
#define SPELLING_MAX ((LETTERS_MAX + 2) * UTF8_MAX)

/* Letters are Latin-1 in lowercase, which is all that English needs. */
struct word {
	uint8_t letters[LETTERS_MAX]; /* and apostrophes */
	size_t size;
	uint64_t capitals; /* which of them are written as capitals */
	bool curly;	   /* has typographic apostrophes */
	bool possessive;   /* 's was taken off its end */
};

/*
 * Reads a word in UTF-8. Returns false if it is one that no dictionary has:
 * empty, too long, or with other characters than letters and apostrophes.
 */
bool word_read(const uint8_t *text, size_t size, struct word *ret_word);

bool word_is_all_capitals(const struct word *word);

/* Takes off 's, if it has one. */
bool word_drop_possessive(struct word *word);

/*
 * Reads the list, a word a line in UTF-8, which must stay where it is. Returns
 * 0, or -1 if there is no memory.
 */
int dictionary_load(const uint8_t *words, const uint8_t *words_end);

/* A word may have more capitals than its entry: to start with, or all. */
bool dictionary_has(const struct word *word);

/*
 * Finds up to SUGGESTIONS_MAX entries near @word, the best one first, and
 * returns how many. Each step of the search takes one off @steps_left; at 0
 * it ends. A step takes some 50 ns, and a word some thousands of them.
 */
size_t dictionary_suggest(const struct word *word, unsigned *steps_left,
			  uint32_t entries[SUGGESTIONS_MAX]);

/*
 * Spells @entry with the capitals, the apostrophes and the possessive of
 * @word. Returns the bytes written.
 */
size_t dictionary_spell(uint32_t entry, const struct word *word,
			char out[SPELLING_MAX]);

#endif
