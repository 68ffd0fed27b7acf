/* linux_fixture_check.c - see linux_fixture_check.h. */
#include "linux_fixture_check.h"

#include <string.h>

#include "executor/linux/file_data.h"
#include "linux_fixture.h"
#include "require.h"
#include "vm/tables.h"

#define PAGE ((uint64_t)THAW_PAGE_SIZE)

static struct pipe copy_of_pipes[2];
/* For each page, whether it has a file for the shim; and of what process. */
static bool is_withheld[LINUX_FIXTURE_MEMORY / THAW_PAGE_SIZE];
static const struct linux_process *holder;

/* What was copied is the same, padding included. */
static bool is_same(const void *one, const void *other, size_t size)
{
	return !memcmp(one, other, size);
}

/* Whether a copy is what it was copied from, whatever has become of it meanwhile. */
static void check_files_copy(const struct files *copy, const struct files *from)
{
	REQUIRE(is_same(copy->list, from->list, sizeof(from->list)));
	REQUIRE(is_same(copy->descriptors, from->descriptors,
			sizeof(from->descriptors)));
	REQUIRE(is_same(copy->is_close_on_exec, from->is_close_on_exec,
			sizeof(from->is_close_on_exec)));
	REQUIRE(copy->timers == from->timers);
	REQUIRE(copy->epolls.count == from->epolls.count &&
		copy->epolls.turn == from->epolls.turn);
	REQUIRE(is_same(copy->epolls.list, from->epolls.list,
			from->epolls.count * sizeof(*from->epolls.list)));
	REQUIRE(copy->pipes.capacity == from->pipes.capacity);
	for (size_t i = 0; i < PIPES_MAX; i++) {
		struct pipe *one = &copy_of_pipes[0],
			    *other = &copy_of_pipes[1];
		size_t size, other_size;

		*one = copy->pipes.list[i];
		*other = from->pipes.list[i];
		REQUIRE(one->is_used == other->is_used &&
			one->readers == other->readers &&
			one->writers == other->writers &&
			one->capacity == other->capacity &&
			one->size == other->size &&
			one->readable == other->readable &&
			one->writable == other->writable);
		while (one->size) {
			const uint8_t *bytes = pipe_view(one, &size);

			REQUIRE(is_same(bytes, pipe_view(other, &other_size),
					size));
			REQUIRE(size == other_size);
			pipe_take(one, size);
			pipe_take(other, size);
		}
	}
}

static void check_signals_copy(const struct signals *copy,
			       const struct signals *from)
{
	REQUIRE(is_same(copy->actions, from->actions, sizeof(from->actions)));
	REQUIRE(is_same(&copy->thread, &from->thread, sizeof(from->thread)));
	REQUIRE(copy->handlers == from->handlers &&
		copy->is_return == from->is_return);
	REQUIRE(copy->timers.armed == from->timers.armed);
	REQUIRE(copy->queued == from->queued);
	REQUIRE(is_same(copy->queue, from->queue,
			from->queued * sizeof(*from->queue)));
}

static void check_threads_copy(const struct linux_threads *copy,
			       const struct linux_threads *from)
{
	REQUIRE(copy->count == from->count && copy->turn == from->turn &&
		copy->last_id == from->last_id &&
		copy->main_status == from->main_status &&
		copy->is_main_ended == from->is_main_ended);
	for (unsigned i = 0; i < from->count; i++) {
		const struct linux_thread *one = copy->list[i];
		const struct linux_thread *other = from->list[i];

		REQUIRE(is_same(one, other,
				offsetof(struct linux_thread, frame)));
		REQUIRE((one == copy->current) == (other == from->current));
		REQUIRE((one == copy->loaded) == (other == from->loaded));
		REQUIRE(one == copy->loaded ||
			is_same(one->frame, other->frame, sizeof(*one->frame)));
	}
}

void linux_fixture_check_copy(const struct linux_process *copy,
			      const struct linux_process *from)
{
	const struct space *space = &copy->space, *other = &from->space;
	const size_t used = 2 * other->used_words * sizeof(*other->used);

	check_files_copy(&copy->files, &from->files);
	check_signals_copy(&copy->signals, &from->signals);
	check_threads_copy(&copy->threads, &from->threads);
	REQUIRE(space->areas.count == other->areas.count);
	REQUIRE(is_same(space->areas.list, other->areas.list,
			other->areas.count * sizeof(*other->areas.list)));
	REQUIRE(space->break_start == other->break_start &&
		space->break_end == other->break_end);
	REQUIRE(is_same(space->used, other->used, used));
	REQUIRE(copy->tmpfs.tree == from->tmpfs.tree);
	REQUIRE(is_same(copy->limits.list, from->limits.list,
			sizeof(from->limits.list)));
	REQUIRE(copy->directory.node == from->directory.node &&
		!strcmp(copy->directory.path, from->directory.path));
	REQUIRE(copy->creation_mask == from->creation_mask);
	REQUIRE(copy->device.is_asked == from->device.is_asked);
	REQUIRE(is_same(&copy->shim, &from->shim, sizeof(from->shim)));
	REQUIRE(is_same(copy->missing, from->missing, sizeof(from->missing)));
}

static void check_areas(const struct space *space)
{
	const struct areas *areas = &space->areas;

	REQUIRE(areas->count <= AREAS_MAX && areas->count <= areas->capacity);
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->list[i];

		REQUIRE(area->start < area->end);
		REQUIRE(area->end <= LINUX_FIXTURE_MEMORY ||
			(area->start >= space->layout->reserve.start &&
			 area->end - space->layout->reserve.start <=
				 space->layout->reserve.size));
		REQUIRE(!((area->start | area->end) % PAGE));
		REQUIRE(area->start >= space->layout->heap.start);
		REQUIRE(!i || area[-1].end < area->start ||
			(area[-1].end == area->start &&
			 area[-1].prot != area->prot));
	}
	REQUIRE(space->break_end >= space->break_start);
	REQUIRE(space->break_end <=
		space->layout->heap.start + space->layout->heap.size);
}

/* Each frame is behind one page, and each page that is accessible has one. */
static void check_reserve(const struct space *space)
{
	const uint64_t end =
		space->layout->reserve.start + space->layout->reserve.size;
	static uint8_t is_behind[LINUX_FIXTURE_MEMORY / THAW_PAGE_SIZE];
	uint64_t frames = 0, at = space->layout->reserve.start, gpa;

	memset(is_behind, 0, sizeof(is_behind));
	while ((at = vm_next_frame(space->memory, space->layout, at, end,
				   &gpa)) < end) {
		const struct area *area = areas_next(&space->areas, gpa);

		REQUIRE(area && area->start <= gpa &&
			area->prot == AREA_FRAMES);
		REQUIRE(!is_behind[gpa / PAGE]++);
		REQUIRE(areas_allow(&space->areas, at, at + PAGE, 0));
		frames++;
		at += PAGE;
	}
	for (size_t i = 0; i < space->areas.count; i++) {
		const struct area *area = &space->areas.list[i];

		for (at = area->start;
		     area->prot == AREA_FRAMES && at < area->end; at += PAGE)
			frames -= !is_withheld[at / PAGE];
		if (area->start < space->layout->reserve.start || !area->prot)
			continue;
		for (at = area->start; at < area->end; at += PAGE)
			REQUIRE(vm_next_frame(space->memory, space->layout, at,
					      at + PAGE, &gpa) == at);
	}
	REQUIRE(!frames);
}

/* The files for the shim are what they were, and no memory of the program's. */
static void check_withheld(const struct space *space)
{
	for (unsigned i = 0; holder && i < FILES_MAX; i++) {
		const struct file_data *data = holder->files.list[i].data;
		const struct area *area;

		if (!data || !data->gpa)
			continue;
		area = areas_next(&space->areas, data->gpa);
		REQUIRE(area && area->prot == AREA_FRAMES &&
			area->start <= data->gpa &&
			data->gpa + THAW_STATUS_SIZE + data->size <= area->end);
		REQUIRE(is_same(space->memory + data->gpa, &data->status,
				sizeof(data->status)));
		REQUIRE(is_same(space->memory + data->gpa + THAW_STATUS_SIZE,
				data->bytes, data->size));
	}
}

void linux_fixture_check_frozen(const struct linux_process *frozen)
{
	holder = frozen;
	memset(is_withheld, 0, sizeof(is_withheld));
	for (unsigned i = 0; holder && i < FILES_MAX; i++) {
		const struct file_data *data = holder->files.list[i].data;
		uint64_t at = data ? data->gpa : 0;

		while (at && at < data->gpa + THAW_STATUS_SIZE + data->size) {
			is_withheld[at / PAGE] = true;
			at += PAGE;
		}
	}
}

static void check_files(const struct files *files)
{
	unsigned references[FILES_MAX] = { 0 };

	for (unsigned fd = 0; fd < FILES_MAX; fd++) {
		REQUIRE(files->descriptors[fd] <= FILES_MAX);
		if (files->descriptors[fd])
			references[files->descriptors[fd] - 1]++;
	}
	for (unsigned i = 0; i < FILES_MAX; i++) {
		REQUIRE(files->list[i].references == references[i]);
		REQUIRE(!references[i] == !files->list[i].kind);
		REQUIRE(files->list[i].offset <= INT64_MAX);
	}
}

static void check_gunyah(const struct gunyah *gunyah)
{
	const struct gunyah_console *console = &gunyah->console;

	REQUIRE(gunyah->line < INTERRUPTS_MAX);
	REQUIRE(interrupts_next(&gunyah->interrupts) < INTERRUPTS_MAX);
	REQUIRE(console->prefix_size < GUNYAH_PREFIX_SIZE);
	REQUIRE(console->text_size <= GUNYAH_TEXT_SIZE);
	REQUIRE(console->text_used <= console->text_size);
	REQUIRE(console->log_size <= GUNYAH_LOG_MAX);
	REQUIRE(console->log_used <= console->log_size);
}

static void check_threads(const struct linux_process *process)
{
	const struct linux_threads *threads = &process->threads;
	bool is_current = false;

	REQUIRE(threads->count <= LINUX_THREADS_MAX);
	for (unsigned i = 0; i < threads->count; i++)
		is_current |= threads->list[i] == threads->current;
	REQUIRE(is_current || process->step != LINUX_GO_ON);
	/* what runs next is what the vcpu has the registers of */
	REQUIRE(process->step != LINUX_GO_ON ||
		(threads->loaded == threads->current &&
		 !threads->current->is_waiting));
}

void linux_fixture_check_process(const struct linux_process *process)
{
	check_areas(&process->space);
	check_reserve(&process->space);
	check_withheld(&process->space);
	check_files(&process->files);
	check_threads(process);
	check_gunyah(&process->gunyah);
	REQUIRE(process->signals.queued <= SIGNALS_QUEUE_SIZE);
	REQUIRE(process->line_size <= LINUX_LINE_MAX);
	REQUIRE(process->tail_size <= LINUX_TAIL_MAX);
	REQUIRE(!process->is_request ||
		process->request.output.size <= LINUX_FIXTURE_REPLY_MAX);
	REQUIRE(process->request.input_used <= process->request.input_size);
}
