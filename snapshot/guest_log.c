/* guest_log.c - takes log lines out of the mailbox. See guest_log.h. */
#include "snapshot/guest_log.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* @text is hostile, and may change meanwhile. */
static void guest_log_hand_over(const struct guest_log *log, uint32_t level,
				const char *from, size_t size, unsigned *lines)
{
	char text[THAW_LOG_MAX + 1];

	if (!log->line || *lines > GUEST_LOG_LINES_MAX)
		return;
	if (level > THAW_LOG_DEBUG)
		level = THAW_LOG_ERROR;
	if (level > log->level)
		return;
	if (++*lines > GUEST_LOG_LINES_MAX) {
		size = (size_t)snprintf(text, sizeof(text),
					"more than %d log lines: the rest is "
					"dropped",
					GUEST_LOG_LINES_MAX);
		log->line(log->cookie, THAW_LOG_WARN, text, size);
		return;
	}
	if (size > THAW_LOG_MAX)
		size = THAW_LOG_MAX;
	memcpy(text, from, size);
	text[size] = '\0';
	text_clean(text, size);
	log->line(log->cookie, (enum thaw_level)level, text, size);
}

void guest_log_take(const struct guest_log *log, const struct vm *vm,
		    unsigned *lines)
{
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));

	guest_log_hand_over(log, mailbox->log_level, mailbox->log_text,
			    mailbox->log_size, lines);
}

void guest_log_take_begun(const struct guest_log *log, const struct vm *vm,
			  uint64_t begun, unsigned *lines)
{
	const void *from = begun ? vm_view(vm, begun, GUEST_LOG_BEGUN_BYTES) :
				   NULL;
	struct thaw_line line[THAW_LINES];
	const char *text;

	if (!from)
		return;
	memcpy(line, from, sizeof(line));
	for (size_t i = 0; i < THAW_LINES; i++) {
		if (!line[i].size || line[i].size > THAW_LOG_MAX)
			continue;
		text = vm_view(vm, line[i].text, line[i].size);
		if (text)
			guest_log_hand_over(log, line[i].level, text,
					    line[i].size, lines);
	}
}
