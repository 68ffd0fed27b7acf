/* layers.c - a guest that others go on from: a table of its init's, and words learned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thaw.h>

#define TABLE_BYTES (512u << 10)
#define PAGE 4096

struct word {
	struct word *next;
	char text[64];
};

static uint8_t *table;
static struct word *words;
static unsigned count;
static uint32_t number;
static int other;
static __thread unsigned kept = 3;

/* INIT is what it logs; "hang": it does not end. */
THAW_INIT(words)
{
	const char *init = getenv("INIT");

	if (init)
		printf("init: %s\n", init);
	fflush(stdout);
	if (init && !strcmp(init, "slow"))
		sleep(2);
	while (init && !strcmp(init, "hang"))
		__asm__ volatile("");
	return 0;
}

THAW_INIT(table)
{
	table = malloc(TABLE_BYTES);
	if (!table)
		return -1;
	for (size_t i = 0; i < TABLE_BYTES; i++)
		table[i] = (uint8_t)(i / PAGE + 1);
	return 0;
}

static void learn_word(const char *text)
{
	struct word *word = malloc(sizeof(*word));

	if (!word)
		thaw_fail("Test.Memory", "no memory");
	snprintf(word->text, sizeof(word->text), "%s", text);
	word->next = words;
	words = word;
	count++;
}

/* Leaves all that an invocation can leave of itself: reply, input, log lines, numbers. */
static void talk(void)
{
	char byte;

	thaw_reply_printf("this was said during init");
	thaw_reply_type("text/init");
	thaw_reply_status(404);
	thaw_reply_header("x-init", "yes");
	while (read(0, &byte, 1) == 1)
		;
	printf("no end of line");
	number = arc4random();
	other = rand();
	kept = 7;
}

/* A word; or what to do to the table instead. */
THAW_HANDLER(learn)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)request->size,
		 (const char *)request->data);
	thaw_log(THAW_LOG_INFO, "learns %s", text);
	if (!strcmp(text, "fail"))
		thaw_fail("Test.Failed", "as told");
	if (!strcmp(text, "loop"))
		for (;;)
			__asm__ volatile("");
	if (!strcmp(text, "sleep"))
		sleep(3600);
	if (!strcmp(text, "fault"))
		__builtin_trap();
	if (!strcmp(text, "talk"))
		talk();
	else if (!strcmp(text, "name"))
		learn_word(request->function);
	else if (!strcmp(text, "clear"))
		memset(table, 0, TABLE_BYTES / 2);
	else if (!strcmp(text, "scatter"))
		for (size_t i = 0; i < TABLE_BYTES; i += 11 * PAGE)
			table[i] ^= 0x80;
	else if (strcmp(text, "nothing") != 0)
		learn_word(text);
	return 0;
}

/* The number of words and the words; the sum of the table; what the heap still does. */
THAW_HANDLER(tell)
{
	uint64_t sum = 0;
	char *more = malloc(100);

	for (size_t i = 0; i < TABLE_BYTES; i++)
		sum += table[i];
	thaw_reply_printf("%u", count);
	for (const struct word *word = words; word; word = word->next)
		thaw_reply_printf(" %s", word->text);
	thaw_reply_printf(" %llu%s", (unsigned long long)sum,
			  more ? "" : " no memory");
	/* an invocation's own words are not the next one's */
	learn_word("own");
	table[request->size * PAGE] ^= 0x55;
	free(more);
	return 0;
}

/* What talk() has left: its input, its thread's variable, its random numbers. */
THAW_HANDLER(hear)
{
	char text[64];
	const ssize_t size = read(0, text, sizeof(text));

	printf("\n");
	thaw_reply_printf("%.*s %u %s%s", (int)size, text, kept,
			  arc4random() == number ? "same " : "",
			  rand() == other ? "same" : "other");
	return 0;
}
