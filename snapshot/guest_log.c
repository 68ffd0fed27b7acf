/* guest_log.c - takes log lines out of the mailbox. See guest_log.h. */
#include "snapshot/guest_log.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "vm/text.h"

void guest_log_take(const struct guest_log *log, const struct vm *vm,
		    unsigned *lines)
{
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	char text[THAW_LOG_MAX + 1];
	uint32_t level = mailbox->log_level;
	size_t size = mailbox->log_size;

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
	memcpy(text, mailbox->log_text, size);
	text[size] = '\0';
	text_clean(text, size);
	log->line(log->cookie, (enum thaw_level)level, text, size);
}
