/*
 * dictionary.c - the trie, and the search for words that are nearly there.
 *
 * Suggestions are found by walking the trie along the misspelled word, while
 * spending one edit, or two if one leads nowhere: a letter left out, put in,
 * replaced, or two swapped. Each costs more or less, by how likely a slip it
 * is; the cheapest words are the suggestions.
 */
#include "dictionary.h"

#include <stdlib.h>
#include <string.h>

#define TWO_EDITS_FROM 5 /* letters: shorter words would become any other */
#define NODES_FIRST 65536

enum cost {
	COST_APOSTROPHE = 50, /* dont */
	COST_SWAP = 70,	      /* teh */
	COST_DOUBLE = 70,     /* occured, untill */
	COST_VOWEL = 80,      /* seperate */
	COST_OMITTED = 90,    /* wich */
	COST_OTHER = 100,
	COST_FIRST_LETTER = 30, /* on top: seldom is the first one wrong */
	COST_CAPITALS = 20,	/* on top: names are less frequent */
};

/* A node of the trie; index 0 is the root, and elsewhere means none. */
struct node {
	uint32_t child, sibling;
	uint32_t entry; /* 1 + where in the list its word is, or 0 */
	uint8_t letter;
};

struct candidate {
	uint32_t entry;
	unsigned cost;
};

struct search {
	const struct word *word;
	struct candidate best[SUGGESTIONS_MAX]; /* cheapest first */
	size_t count;
	unsigned *steps_left;
};

static const uint8_t *list, *list_end; /* the words, a line each */
static struct node *nodes;
static size_t node_count, node_capacity;

bool word_read(const uint8_t *text, size_t size, struct word *ret_word)
{
	struct word word = { 0 };
	size_t at, n;
	uint32_t point;

	for (at = 0; at < size; at += n) {
		n = utf8_decode(text + at, size - at, &point);
		if (n == 0 || word.size == LETTERS_MAX)
			return false;
		if (point == UTF8_APOSTROPHE) {
			word.curly = true;
			point = '\'';
		}
		if (!latin1_is_letter(point) && point != '\'')
			return false;
		if (latin1_is_upper(point))
			word.capitals |= UINT64_C(1) << word.size;
		word.letters[word.size++] = (uint8_t)latin1_lower(point);
	}
	if (word.size == 0)
		return false;
	*ret_word = word;
	return true;
}

bool word_is_all_capitals(const struct word *word)
{
	size_t i;

	for (i = 0; i < word->size; i++) {
		if (word->letters[i] != '\'' && !(word->capitals >> i & 1))
			return false;
	}
	return true;
}

bool word_drop_possessive(struct word *word)
{
	if (word->size <= 2 ||
	    memcmp(&word->letters[word->size - 2], "'s", 2) != 0)
		return false;
	word->size -= 2;
	word->capitals &= (UINT64_C(1) << word->size) - 1;
	word->possessive = true;
	return true;
}

static const uint8_t *find_line_end(const uint8_t *at)
{
	while (at < list_end && *at != '\n')
		at++;
	return at;
}

static void read_entry(uint32_t entry, struct word *ret_word)
{
	const uint8_t *start = list + entry - 1;

	word_read(start, (size_t)(find_line_end(start) - start), ret_word);
}

static uint32_t find_child(uint32_t node, uint8_t letter)
{
	uint32_t child = nodes[node].child;

	while (child != 0 && nodes[child].letter != letter)
		child = nodes[child].sibling;
	return child;
}

/* Returns 0 if there is no memory. */
static uint32_t add_child(uint32_t node, uint8_t letter)
{
	if (node_count == node_capacity) {
		size_t capacity = node_capacity * 2;
		struct node *larger = realloc(nodes, capacity * sizeof(*nodes));

		if (!larger)
			return 0;
		nodes = larger;
		node_capacity = capacity;
	}
	nodes[node_count] = (struct node){
		.letter = letter,
		.sibling = nodes[node].child,
	};
	nodes[node].child = (uint32_t)node_count;
	return (uint32_t)node_count++;
}

static int add_word(const struct word *word, uint32_t entry)
{
	uint32_t node = 0, child;
	struct word known;
	size_t i;

	for (i = 0; i < word->size; i++) {
		child = find_child(node, word->letters[i]);
		if (child == 0)
			child = add_child(node, word->letters[i]);
		if (child == 0)
			return -1;
		node = child;
	}
	/* Of "may" and "May", the trie knows the one that allows the other. */
	if (nodes[node].entry != 0) {
		read_entry(nodes[node].entry, &known);
		if (known.capitals <= word->capitals)
			return 0;
	}
	nodes[node].entry = entry;
	return 0;
}

/*
 * Puts siblings next to each other, and what is near the root together, so
 * that a search reads few pages.
 */
static int lay_out(void)
{
	struct node *laid_out = malloc(node_count * sizeof(*nodes));
	uint32_t used = 1, from, i;

	if (!laid_out)
		return -1;
	laid_out[0] = nodes[0];
	for (i = 0; i < used; i++) {
		from = laid_out[i].child;
		if (from != 0)
			laid_out[i].child = used;
		for (; from != 0; from = nodes[from].sibling) {
			laid_out[used] = nodes[from];
			used++;
			if (nodes[from].sibling != 0)
				laid_out[used - 1].sibling = used;
		}
	}
	free(nodes);
	nodes = laid_out;
	return 0;
}

int dictionary_load(const uint8_t *words, const uint8_t *words_end)
{
	const uint8_t *start, *end;
	struct word word;

	list = words;
	list_end = words_end;
	node_capacity = NODES_FIRST;
	nodes = malloc(node_capacity * sizeof(*nodes));
	if (!nodes)
		return -1;
	nodes[node_count++] = (struct node){ 0 };
	for (start = list; start < list_end; start = end + 1) {
		end = find_line_end(start);
		if (word_read(start, (size_t)(end - start), &word) &&
		    add_word(&word, (uint32_t)(start - list) + 1) < 0)
			return -1;
	}
	return lay_out();
}

bool dictionary_has(const struct word *word)
{
	uint32_t node = 0;
	struct word entry;
	size_t i;

	for (i = 0; i < word->size; i++) {
		node = find_child(node, word->letters[i]);
		if (node == 0)
			return false;
	}
	if (nodes[node].entry == 0)
		return false;
	read_entry(nodes[node].entry, &entry);
	return word->capitals == entry.capitals ||
	       word->capitals == (entry.capitals | 1) ||
	       word_is_all_capitals(word);
}

static bool comes_first(const struct candidate *a, const struct candidate *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	return a->entry < b->entry;
}

/* Adds a candidate or, if it is known by now, what it costs this way. */
static void offer(struct search *search, uint32_t entry, unsigned cost)
{
	struct candidate *best = search->best;
	struct candidate candidate = { .entry = entry, .cost = cost };
	struct word word;
	size_t i = 0;

	read_entry(entry, &word);
	if (word.capitals != 0)
		candidate.cost += COST_CAPITALS;
	while (i < search->count && best[i].entry != entry)
		i++;
	if (i == SUGGESTIONS_MAX)
		i--;
	if (i == search->count)
		search->count++;
	else if (!comes_first(&candidate, &best[i]))
		return;
	for (; i > 0 && comes_first(&candidate, &best[i - 1]); i--)
		best[i] = best[i - 1];
	best[i] = candidate;
}

static bool is_vowel(uint8_t letter)
{
	return letter != '\0' && strchr("aeiouy", letter) != NULL;
}

/* Of one letter too many or too few: @letter, next to @other. */
static unsigned cost_of_letter(uint8_t letter, uint8_t other,
			       unsigned otherwise)
{
	if (letter == '\'')
		return COST_APOSTROPHE;
	return letter == other ? COST_DOUBLE : otherwise;
}

/*
 * Walks on from @node, which stands for what the word's letters before @at
 * should have been, with up to @edits more edits.
 */
static void walk(struct search *search, uint32_t node, size_t at,
		 unsigned edits, unsigned cost)
{
	const struct word *word = search->word;
	bool more = at < word->size;
	uint8_t before = at > 0 ? word->letters[at - 1] : 0;
	uint8_t letter = more ? word->letters[at] : 0;
	uint32_t child;

	if (*search->steps_left == 0 ||
	    (search->count == SUGGESTIONS_MAX &&
	     cost > search->best[SUGGESTIONS_MAX - 1].cost))
		return;
	--*search->steps_left;
	if (!more && nodes[node].entry != 0)
		offer(search, nodes[node].entry, cost);
	child = more ? find_child(node, letter) : 0;
	if (child != 0)
		walk(search, child, at + 1, edits, cost);
	if (edits == 0)
		return;

	edits--;
	if (at == 0)
		cost += COST_FIRST_LETTER;
	if (more)
		walk(search, node, at + 1, edits,
		     cost + cost_of_letter(letter, before, COST_OTHER));
	if (at + 1 < word->size && word->letters[at + 1] != letter) {
		child = find_child(node, word->letters[at + 1]);
		child = child != 0 ? find_child(child, letter) : 0;
		if (child != 0)
			walk(search, child, at + 2, edits, cost + COST_SWAP);
	}
	for (child = nodes[node].child; child != 0;
	     child = nodes[child].sibling) {
		uint8_t other = nodes[child].letter;

		walk(search, child, at, edits,
		     cost + cost_of_letter(other, before, COST_OMITTED));
		if (more && other != letter)
			walk(search, child, at + 1, edits,
			     cost + (is_vowel(other) && is_vowel(letter) ?
					     COST_VOWEL :
					     COST_OTHER));
	}
}

size_t dictionary_suggest(const struct word *word, unsigned *steps_left,
			  uint32_t entries[SUGGESTIONS_MAX])
{
	struct search search = { .word = word, .steps_left = steps_left };
	size_t i;

	walk(&search, 0, 0, 1, 0);
	if (search.count == 0 && word->size >= TWO_EDITS_FROM)
		walk(&search, 0, 0, 2, 0);
	for (i = 0; i < search.count; i++)
		entries[i] = search.best[i].entry;
	return search.count;
}

size_t dictionary_spell(uint32_t entry, const struct word *word,
			char out[SPELLING_MAX])
{
	bool all = word->size > 1 && word_is_all_capitals(word);
	uint8_t letters[LETTERS_MAX + 2];
	struct word known;
	size_t used = 0, size, i;

	read_entry(entry, &known);
	size = known.size;
	memcpy(letters, known.letters, size);
	if (word->possessive) {
		letters[size++] = '\'';
		letters[size++] = 's';
	}
	if (word->capitals & 1)
		known.capitals |= 1;
	for (i = 0; i < size; i++) {
		uint32_t point = letters[i];

		if (all || (i < known.size && (known.capitals >> i & 1)))
			point = latin1_upper(point);
		if (point == '\'' && word->curly)
			point = UTF8_APOSTROPHE;
		used += utf8_encode(point, out + used);
	}
	return used;
}
