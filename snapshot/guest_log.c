/* guest_log.c - takes log lines out of guest memory. See guest_log.h. */
#include "snapshot/guest_log.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hot.h"
#include "base/text.h"

void guest_log_hand_over(const struct guest_log *log, uint32_t level,
			 const char *from, size_t size,
			 struct guest_log_progress *progress)
{
	char text[THAW_LOG_MAX + 1];

	if (!log->line || progress->lines > GUEST_LOG_LINES_MAX)
		return;
	if (level > THAW_LOG_DEBUG)
		level = THAW_LOG_ERROR;
	if (level > log->level)
		return;
	if (++progress->lines > GUEST_LOG_LINES_MAX) {
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

/* A size that makes no sense ends the lines. */
static void guest_log_take_lines(const struct guest_log *log,
				 const uint8_t *bytes, uint32_t used,
				 struct guest_log_progress *progress)
{
	struct thaw_log_line line;

	while (progress->taken < used &&
	       used - progress->taken >= sizeof(line)) {
		const uint8_t *at = bytes + progress->taken;
		uint32_t room;

		memcpy(&line, at, sizeof(line));
		room = used - progress->taken - (uint32_t)sizeof(line);
		if (line.size > room)
			return;
		guest_log_hand_over(log, line.level,
				    (const char *)at + sizeof(line), line.size,
				    progress);
		progress->taken +=
			(uint32_t)sizeof(line) + ((line.size + 7) & ~7u);
	}
}

static uint32_t read_used(const struct vm *vm)
{
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));

	return __atomic_load_n(&mailbox->log_used, __ATOMIC_RELAXED);
}

HOT bool guest_log_has_lines(const struct vm *vm)
{
	return read_used(vm);
}

void guest_log_take(const struct guest_log *log, struct vm *vm, bool is_bell,
		    struct guest_log_progress *progress)
{
	const uint32_t used = read_used(vm);
	const uint32_t none = 0;

	if (!used)
		return;
	guest_log_take_lines(log, vm_view(vm, THAW_GPA_LOG, THAW_LOG_SIZE),
			     used < THAW_LOG_SIZE ? used : THAW_LOG_SIZE,
			     progress);
	if (!is_bell)
		return;
	progress->taken = 0;
	vm_write(vm, THAW_GPA_MAILBOX + offsetof(struct thaw_mailbox, log_used),
		 &none, sizeof(none));
}

void guest_log_take_begun(const struct guest_log *log, const struct vm *vm,
			  uint64_t begun, struct guest_log_progress *progress)
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
					    line[i].size, progress);
	}
}
