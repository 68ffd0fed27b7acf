/*
 * words.S - the word list of spellcheck.c, as it is on disk: UTF-8, a word a
 * line. The build gives its path as THAW_WORDS_PATH, a quoted string.
 */
	.section .rodata
	.global spellcheck_words, spellcheck_words_end
spellcheck_words:
	.incbin THAW_WORDS_PATH
spellcheck_words_end:
	.byte 0

	.section .note.GNU-stack, "", %progbits
