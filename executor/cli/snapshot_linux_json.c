/*
 * snapshot_linux_json.c - see snapshot_linux_json.h.
 *
 * Terms are those of proc(5) and of the system calls, flags are called as --strace calls
 * them, and addresses are hexadecimal. snapshot_linux_table.c prints the lists.
 */
#include "executor/cli/snapshot_linux_json.h"
#include "executor/cli/cli.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json_output.h"
#include "executor/linux/file_data.h"
#include "executor/linux/file_device.h"
#include "executor/linux/file_epoll.h"
#include "executor/linux/file_event.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_pipe.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/file_timer.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/place.h"
#include "executor/linux/process.h"
#include "executor/linux/signatures.h"
#include "executor/linux/space_memory.h"
#include "executor/linux/tmpfs_tree.h"
#include "executor/linux/trace_names.h"
#include "vm/layout.h"

static struct json_output make_list(void)
{
	return (struct json_output){ .json = json_array() };
}

static void add(struct json_output *list, json_t *value)
{
	list->failed |= json_array_append_new(list->json, value) != 0;
}

static void add_object(struct json_output *list, struct json_output object)
{
	add(list, json_output_take(object));
}

/* Of what the program has chosen: without control characters. */
static void put_hostile(struct json_output *object, const char *name,
			const char *text)
{
	char clean[ROOT_PATH_MAX];

	json_put_text(object, name, cli_clean(text, clean, sizeof(clean)));
}

static void put_in_hex(struct json_output *object, const char *name,
		       uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_put_text(object, name, text);
}

/* A number that a hostile file may have made too large for JSON is a text. */
static void put_any(struct json_output *object, const char *name,
		    uint64_t value)
{
	if (value > INT64_MAX)
		put_in_hex(object, name, value);
	else
		json_put_number(object, name, value);
}

/* Of a time that is @at_ns, where 0 and the last are none: how long it is from @now_ns. */
static void put_left(struct json_output *object, const char *name,
		     uint64_t at_ns, uint64_t now_ns)
{
	if (at_ns && at_ns != UINT64_MAX)
		json_put_number(object, name,
				at_ns > now_ns ? at_ns - now_ns : 0);
}

static void put_names(struct json_output *object, const char *name,
		      const char *word, uint64_t value)
{
	struct trace_text text = { .used = 0 };

	trace_put_names(&text, word, value);
	json_put_text(object, name, text.text);
}

static json_t *signal_text(int number)
{
	struct trace_text text = { .used = 0 };

	trace_put_signal(&text, number);
	return json_string(text.text);
}

static struct json_output signal_set(uint64_t set)
{
	struct json_output list = make_list();

	for (int i = 1; i <= LINUX_SIGNALS; i++)
		if (set & SIGNAL_BIT(i))
			add(&list, signal_text(i));
	return list;
}

static void put_mode(struct json_output *object, const char *name, mode_t mode)
{
	char text[8];

	snprintf(text, sizeof(text), "%04o", (unsigned)mode & 07777);
	json_put_text(object, name, text);
}

/* As /proc/self/maps tells them. */
static const char *area_kind(const struct space *space,
			     const struct layout *layout,
			     const struct area *area)
{
	if (area->prot == AREA_FRAMES)
		return "backing";
	if (area->end == layout->stack.start + layout->stack.size)
		return "stack";
	if (area->start <= space->break_start && space->break_start < area->end)
		return "heap";
	return area->prot ? "mapping" : "reserved";
}

/* How much of @area is as a file has it; the frames of the reserve are elsewhere. */
static uint64_t file_bytes(const struct space *space,
			   const struct layout *layout, const struct area *area)
{
	uint64_t bytes = 0;

	if (area->start >= layout->memory_size || area->prot == AREA_FRAMES)
		return 0;
	for (uint64_t at = area->start; at < area->end; at += THAW_PAGE_SIZE)
		if (space_memory_is_file(space, at))
			bytes += THAW_PAGE_SIZE;
	return bytes;
}

static struct json_output area_json(const struct space *space,
				    const struct layout *layout,
				    const struct area *area)
{
	struct json_output object = json_output_make();
	char access[4];

	snprintf(access, sizeof(access), "%c%c%c",
		 area->prot & IMAGE_PROT_READ ? 'r' : '-',
		 area->prot & IMAGE_PROT_WRITE ? 'w' : '-',
		 area->prot & IMAGE_PROT_EXECUTE ? 'x' : '-');
	put_in_hex(&object, "start", area->start);
	put_in_hex(&object, "end", area->end);
	json_put_number(&object, "bytes", area->end - area->start);
	json_put_text(&object, "protection", access);
	json_put_text(&object, "kind", area_kind(space, layout, area));
	json_put_number(&object, "file_bytes", file_bytes(space, layout, area));
	return object;
}

static void put_memory(struct json_output *object, const struct space *space,
		       const struct layout *layout)
{
	struct json_output list = make_list();
	uint64_t mapped = 0, reserved = 0;

	for (size_t i = 0; i < space->areas.count; i++) {
		const struct area *area = &space->areas.list[i];
		const uint64_t size = area->end - area->start;

		if (!area->prot)
			reserved += size;
		else if (area->prot != AREA_FRAMES)
			mapped += size;
		add_object(&list, area_json(space, layout, area));
	}
	put_in_hex(object, "break_start", space->break_start);
	put_in_hex(object, "break_end", space->break_end);
	json_put_number(object, "mapped_bytes", mapped);
	json_put_number(object, "reserved_bytes", reserved);
	json_put_number(object, "area_count", space->areas.count);
	json_put_object(object, "areas", list);
}

/* The system call in which @thread waits. */
static void put_call(struct json_output *object,
		     const struct linux_thread *thread, uint64_t now_ns)
{
	const struct linux_signature *signature =
		linux_signature_find(thread->wait.call.number);

	json_put_text(object, "call", signature ? signature->name : "?");
	if (thread->futex.address)
		put_in_hex(object, "futex", thread->futex.address);
	if (thread->wait.is_begun)
		put_left(object, "timeout_ns", thread->wait.until_ns, now_ns);
}

static void put_threads(struct json_output *object,
			const struct linux_process *process, uint64_t now_ns)
{
	const struct linux_threads *threads = &process->threads;
	struct json_output list = make_list();

	for (unsigned i = 0; i < threads->count; i++) {
		const struct linux_thread *thread = threads->list[i];
		const bool is_current = thread == threads->current;
		struct json_output item = json_output_make();
		const struct signal_thread *signals =
			is_current ? &process->signals.thread :
				     &thread->signals;

		json_put_number(&item, "id", (uint64_t)thread->id);
		put_hostile(&item, "name", thread->name);
		/* what the first request finds running */
		json_put_text(&item, "state",
			      is_current	 ? "current" :
			      thread->is_waiting ? "waiting" :
						   "runnable");
		if (thread->is_waiting)
			put_call(&item, thread, now_ns);
		json_put_object(&item, "blocked", signal_set(signals->mask));
		add_object(&list, item);
	}
	json_put_number(object, "thread_count", threads->count);
	json_put_object(object, "threads", list);
}

static const char *mode_kind(mode_t mode)
{
	return S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "symlink" : "file";
}

static const char *file_kind_name(const struct linux_process *process,
				  const struct file *file)
{
	static const struct {
		const struct file_kind *kind;
		const char *name;
	} names[] = {
		{ &file_input, "stdin" },      { &file_output, "stdout" },
		{ &file_log, "stderr" },       { &file_pipe_reader, "pipe" },
		{ &file_pipe_writer, "pipe" }, { &file_event, "eventfd" },
		{ &file_timer, "timerfd" },    { &file_epoll, "epoll" },
	};

	if (file->kind == &file_host)
		return mode_kind(file->data->status.st_mode);
	if (file->kind == &file_tmpfs)
		return mode_kind(process->tmpfs.tree->nodes[file->node].mode);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].kind == file->kind)
			return names[i].name;
	return "device";
}

static struct json_output watches_json(const struct epolls *epolls,
				       size_t place)
{
	struct json_output list = make_list();

	for (uint32_t i = 0; i < epolls->count; i++) {
		const struct epoll_entry *entry = &epolls->list[i];
		struct json_output item = json_output_make();

		if (entry->epoll != place) {
			json_decref(item.json);
			continue;
		}
		json_put_number(&item, "fd", entry->fd);
		put_names(&item, "events", "poll_events", entry->events);
		add_object(&list, item);
	}
	return list;
}

/* What only files of its kind have. */
static void put_special(struct json_output *object, const struct files *files,
			const struct file *file, uint64_t now_ns)
{
	if (file->kind == &file_pipe_reader ||
	    file->kind == &file_pipe_writer) {
		const struct pipe *pipe = &files->pipes.list[file->pipe];

		json_put_number(object, "pipe_bytes", pipe->size);
		json_put_number(object, "pipe_capacity", pipe->capacity);
	} else if (file->kind == &file_event) {
		put_any(object, "eventfd_count", file->event.count);
	} else if (file->kind == &file_timer) {
		put_names(object, "clock", "clock",
			  (uint64_t)file->timer.clock);
		put_left(object, "expires_in_ns", file->timer.next_ns, now_ns);
		json_put_number(object, "interval_ns", file->timer.every_ns);
	} else if (file->kind == &file_epoll) {
		json_put_object(object, "watches",
				watches_json(&files->epolls,
					     (size_t)(file - files->list)));
	}
}

static void put_path(struct json_output *object, struct linux_process *process,
		     const struct file *file)
{
	char path[ROOT_PATH_MAX];

	/* as /proc/self/fd has it */
	if (place_of_file(process, file, path))
		snprintf(path, sizeof(path), "/tmp/#%u (deleted)", file->node);
	put_hostile(object, "path", path);
}

/* The first descriptor of the same open file. */
static size_t first_of(const struct files *files, size_t fd)
{
	size_t first = 0;

	while (files->descriptors[first] != files->descriptors[fd])
		first++;
	return first;
}

static struct json_output descriptor_json(struct linux_process *process,
					  size_t fd, uint64_t now_ns)
{
	const struct files *files = &process->files;
	const struct file *file = &files->list[files->descriptors[fd] - 1];
	const uint64_t own = files->is_close_on_exec[fd] ? O_CLOEXEC : 0;
	const size_t first = first_of(files, fd);
	struct json_output object = json_output_make();

	json_put_number(&object, "fd", fd);
	json_put_text(&object, "kind", file_kind_name(process, file));
	put_path(&object, process, file);
	json_put_number(&object, "offset", file->offset);
	put_names(&object, "flags", "open_flags", file->flags | own);
	if (first < fd)
		json_put_number(&object, "duplicate_of", first);
	put_special(&object, files, file, now_ns);
	return object;
}

static void put_descriptors(struct json_output *object,
			    struct linux_process *process, uint64_t now_ns)
{
	struct json_output list = make_list();

	for (size_t fd = 0; fd < FILES_MAX; fd++)
		if (process->files.descriptors[fd])
			add_object(&list, descriptor_json(process, fd, now_ns));
	json_put_number(object, "descriptor_count", json_array_size(list.json));
	json_put_object(object, "descriptors", list);
}

static void put_pending(struct json_output *object,
			const struct signals *signals)
{
	struct json_output list = make_list();

	for (size_t i = 0; i < signals->queued; i++) {
		struct json_output item = json_output_make();

		json_put(&item, "signal",
			 signal_text(signals->queue[i].info.si_signo));
		if (signals->queue[i].thread)
			json_put_number(&item, "thread",
					(uint64_t)signals->queue[i].thread);
		add_object(&list, item);
	}
	json_put_object(object, "signals_pending", list);
}

/* Those for which it does not do what is done by default. */
static void put_signals(struct json_output *object,
			const struct signals *signals)
{
	struct json_output list = make_list();
	uint64_t ignored = 0;

	for (int i = 1; i <= LINUX_SIGNALS; i++) {
		const struct linux_action *action = &signals->actions[i - 1];
		struct json_output item;

		if (action->handler == (uintptr_t)SIG_IGN)
			ignored |= SIGNAL_BIT(i);
		if (action->handler == (uintptr_t)SIG_IGN ||
		    action->handler == (uintptr_t)SIG_DFL)
			continue;
		item = json_output_make();
		json_put(&item, "signal", signal_text(i));
		put_in_hex(&item, "handler", action->handler);
		put_names(&item, "flags", "signal_flags", action->flags);
		json_put_object(&item, "blocked", signal_set(action->mask));
		add_object(&list, item);
	}
	json_put_object(object, "signals_ignored", signal_set(ignored));
	json_put_object(object, "signal_handlers", list);
	put_pending(object, signals);
}

/* How long it takes them counts from the invocation on. */
static void put_timers(struct json_output *object,
		       const struct signal_timers *timers)
{
	struct json_output list = make_list();

	for (unsigned i = 0; i < SIGNAL_TIMERS; i++) {
		const struct signal_timer *timer = &timers->list[i];
		const bool is_own = i >= SIGNAL_TIMERS_OWN;
		struct json_output item;

		if (is_own ? !timer->is_used : !timer->end_ns)
			continue;
		item = json_output_make();
		if (is_own)
			put_names(&item, "timer", "clock", timer->clock);
		else
			put_names(&item, "timer", "itimer", i);
		json_put(&item, "signal",
			 timer->is_silent ? json_null() :
					    signal_text(timer->number));
		put_left(&item, "expires_in_ns", timer->end_ns, 0);
		json_put_number(&item, "interval_ns", timer->every_ns);
		add_object(&list, item);
	}
	json_put_object(object, "timers", list);
}

static struct json_output node_json(const struct tmpfs *tmpfs, uint32_t i)
{
	const struct tmpfs_node *node = &tmpfs->tree->nodes[i];
	struct json_output object = json_output_make();
	char path[ROOT_PATH_MAX];

	if (tmpfs_path(tmpfs, i, path, sizeof(path)) < 0)
		snprintf(path, sizeof(path), "/tmp/#%u (deleted)", i);
	put_hostile(&object, "path", path);
	json_put_text(&object, "kind", mode_kind(node->mode));
	put_mode(&object, "mode", node->mode);
	json_put_number(&object, "bytes", node->bytes ? node->bytes->size : 0);
	return object;
}

static void put_tmpfs(struct json_output *object, const struct tmpfs *tmpfs)
{
	const struct tmpfs_usage usage = tmpfs_usage(tmpfs);
	struct json_output list = make_list();

	for (uint32_t i = TMPFS_ROOTS; i < tmpfs->tree->node_count; i++)
		if (tmpfs->tree->nodes[i].mode)
			add_object(&list, node_json(tmpfs, i));
	json_put_number(object, "tmp_used_bytes", usage.used);
	json_put_number(object, "tmp_bytes", usage.size);
	json_put_object(object, "tmp_files", list);
}

static void put_limit(struct json_output *object, const char *name,
		      rlim_t value)
{
	if (value == RLIM_INFINITY)
		json_put_text(object, name, "unlimited");
	else
		json_put_number(object, name, value);
}

static void put_limits(struct json_output *object, const struct limits *limits)
{
	struct json_output list = make_list();

	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		struct json_output item = json_output_make();

		put_names(&item, "resource", "resource", i);
		put_limit(&item, "soft", limits->list[i].rlim_cur);
		put_limit(&item, "hard", limits->list[i].rlim_max);
		add_object(&list, item);
	}
	json_put_object(object, "limits", list);
}

static void put_process(struct json_output *object,
			struct linux_process *process)
{
	char path[ROOT_PATH_MAX];

	json_put_text(object, "executable", process->executable);
	put_hostile(object, "working_directory",
		    place_of_directory(process, path) < 0 ? "(deleted)" : path);
	put_mode(object, "umask", process->creation_mask);
	json_put(object, "nice", json_integer(process->nice));
	put_any(object, "cpu_time_ns", process->shim.given.used_ns);
	json_put_text(object, "requests_from",
		      process->device.is_asked ? "/dev/thaw" : "stdin");
	/* what begins each reply */
	json_put_number(object, "stdout_bytes", process->request.output.size);
}

json_t *snapshot_linux_json(struct linux_process *process,
			    const struct layout *layout, uint64_t frozen_ns)
{
	struct json_output object = json_output_make();

	put_process(&object, process);
	put_memory(&object, &process->space, layout);
	put_threads(&object, process, frozen_ns);
	put_descriptors(&object, process, frozen_ns);
	put_signals(&object, &process->signals);
	put_timers(&object, &process->signals.timers);
	put_tmpfs(&object, &process->tmpfs);
	put_limits(&object, &process->limits);
	return json_output_take(object);
}
