/*
 * load.c - see load.h.
 *
 * References: psABI, 3.4 (process initialization); getauxval(3); the kernel's
 * fs/binfmt_elf.c is what programs expect, where those say nothing.
 */
#include "executor/linux/load.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/entropy.h"
#include "executor/linux/place.h"
#include "executor/linux/signal_frame.h"
#include "guest/abi/thaw_shim.h"
#include "vm/calls.h"
#include "vm/image/program.h"
#include "vm/layout.h"

/* Where a position-independent program goes, if nothing else says so. */
#define PROGRAM_START 0x400000
/* Between a program's data and its break. */
#define BREAK_GUARD THAW_PAGE_SIZE
/* What the kernel says of its clock ticks. */
#define CLOCK_TICKS 100
#define RANDOM_BYTES 16
/* Who the program is: nobody. */
#define USER_ID 65534

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* A file that is loaded. */
struct loaded {
	uint8_t *bytes;
	size_t size;
	struct program headers;
	uint64_t bias;
};

static int read_all(int fd, uint8_t *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* it has shrunk */
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Opens a file that the program may see: itself, or an interpreter. */
static int open_visible(struct linux_process *process, const char *path,
			struct stat *ret_status)
{
	struct place place;
	int r = place_find(process, "/", path, true, &place);

	*ret_status = place.status;
	if (!r)
		r = place.kind == PLACE_HOST && S_ISREG(place.status.st_mode) ?
			    root_reopen(place.fd) :
			    -EACCES;
	place_done(&place);
	return r;
}

/* Reads the file @path, of which @what says what it is to the program. */
static int read_file(struct linux_process *process, const char *path,
		     const char *what, struct error *err, struct loaded *loaded)
{
	struct stat status;
	cleanup_close int fd = open_visible(process, path, &status);
	int r;

	if (fd < 0)
		return error_set(err, fd,
				 "%s%s: cannot open: %s; the program sees only "
				 "%s, and what files lists",
				 what, path, strerror(-fd),
				 process->program->root.is_directory ?
					 "its root" :
					 "programs and libraries of the host");
	if (!(status.st_mode & 0111))
		return error_set(err, -EACCES,
				 "%s%s: cannot be executed: %s: run chmod +x on "
				 "it, or name the interpreter of a script",
				 what, path, strerror(EACCES));
	if (status.st_size > LINUX_PROGRAM_MAX)
		return error_set(err, -EFBIG,
				 "%s%s: %" PRIu64
				 " bytes; a program may have %u at most",
				 what, path, (uint64_t)status.st_size,
				 LINUX_PROGRAM_MAX);
	free(loaded->bytes);
	loaded->size = (size_t)status.st_size;
	loaded->bytes = malloc(loaded->size + 1);
	if (!loaded->bytes)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	r = read_all(fd, loaded->bytes, loaded->size);
	return r ? error_set(err, r, "%s: cannot read: %s", path,
			     strerror(-r)) :
		   0;
}

/* Reads what is run: the program, or, while that is a script, its interpreter. */
static int read_executable(struct linux_process *process, struct error *err,
			   struct loaded *loaded)
{
	const char *what = "";
	struct script script = { NULL, NULL };
	int r, depth = 0;

	for (;; depth++) {
		r = read_file(process, process->executable, what, err, loaded);
		if (!r)
			r = script_read(loaded->bytes, loaded->size,
					process->executable, process->arguments,
					err, &script);
		if (r <= 0)
			return r;
		script_done(&process->script);
		process->script = script;
		process->executable = script.interpreter;
		process->arguments = script.arguments;
		what = "interpreter of a script: ";
		if (depth == SCRIPT_DEPTH_MAX)
			return error_set(err, -ELOOP,
					 "%s: more than %d scripts are each "
					 "other's interpreters: name a program "
					 "in their first lines",
					 process->program->path,
					 SCRIPT_DEPTH_MAX);
	}
}

static int read_elf_headers(const char *path, struct error *err,
			    struct loaded *loaded)
{
	const int r = program_read(loaded->bytes, loaded->size, err,
				   &loaded->headers);

	return r ? error_prefix(err, r, "%s", path) : 0;
}

/* Reads the interpreter that the headers of @of name. */
static int read_interpreter(struct linux_process *process,
			    const struct loaded *of, struct error *err,
			    struct loaded *loaded)
{
	const char *path = of->headers.interpreter;
	int r = read_file(process, path, "", err, loaded);

	if (!r)
		r = read_elf_headers(path, err, loaded);
	if (r == -ENOENT)
		return error_set(err, r,
				 "%s: its interpreter %s does not exist for it: "
				 "install it, or list it in files",
				 process->executable, path);
	return r ? error_prefix(err, r, "%s: its interpreter",
				process->executable) :
		   0;
}

static uint64_t program_end(const struct program *headers)
{
	return headers->segments[headers->segment_count - 1].end;
}

/* Chooses where @loaded goes: ET_EXEC where it says, a program low, others high. */
static uint64_t choose_bias(const struct space *space,
			    const struct loaded *loaded, bool is_interpreter)
{
	const uint64_t start = loaded->headers.segments[0].start;

	if (!loaded->headers.is_movable)
		return 0;
	if (!is_interpreter)
		return PROGRAM_START - start;
	return space_find(space, program_end(&loaded->headers) - start) - start;
}

static int place_segment(struct space *space, const struct loaded *loaded,
			 const struct program_segment *segment)
{
	const uint64_t mask = THAW_PAGE_SIZE - 1;
	const uint64_t start = segment->start + loaded->bias;
	const uint64_t size = segment->end - segment->start;
	const uint64_t data = segment->data_start + loaded->bias;

	if (!space_is_inside(space, start, size) ||
	    space_map(space, start, size, segment->prot))
		return -ENOMEM;
	if (segment->data_size)
		space_note_file(space, data & ~mask,
				((data & mask) + segment->data_size + mask) &
					~mask);
	return space_fill(space, data, loaded->bytes + segment->offset,
			  segment->data_size);
}

static int place_program(struct linux_process *process, struct loaded *loaded,
			 const char *path, bool is_interpreter,
			 struct error *err)
{
	const struct program *headers = &loaded->headers;
	int r = 0;

	loaded->bias = choose_bias(&process->space, loaded, is_interpreter);
	for (unsigned i = 0; i < headers->segment_count && !r; i++)
		r = place_segment(&process->space, loaded,
				  &headers->segments[i]);
	if (r)
		return error_set(err, r,
				 "%s: does not fit into the function's memory: "
				 "it wants 0x%" PRIx64 " to 0x%" PRIx64
				 ", and %zu KiB are all; raise memory, or build "
				 "it position-independent",
				 path,
				 headers->segments[0].start + loaded->bias,
				 program_end(headers) + loaded->bias,
				 process->space.layout->memory_size >> 10);
	return 0;
}

/* The stack being filled, from the top down. */
struct filling {
	struct space *space;
	uint64_t at;
	uint64_t bottom;
};

static uint64_t push(struct filling *filling, const void *bytes, size_t size)
{
	if (filling->at - filling->bottom < size) {
		filling->at = filling->bottom;
		return 0;
	}
	filling->at -= size;
	memcpy(filling->space->memory + filling->at, bytes, size);
	return filling->at;
}

static uint64_t push_text(struct filling *filling, const char *text)
{
	return push(filling, text, strlen(text) + 1);
}

static size_t count_strings(char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	return count;
}

/* What lies above the pointers. */
struct texts {
	uint64_t random;
	uint64_t platform;
	uint64_t path;
};

static const char *platform(void)
{
	const char *name = (const char *)(uintptr_t)getauxval(AT_PLATFORM);

	return name ? name : "";
}

/* Pushes the auxiliary vector. */
static void push_vector(struct filling *filling, const struct loaded *program,
			const struct loaded *interpreter,
			const struct texts *texts)
{
	const struct program *headers = &program->headers;
	uint64_t features[2];
	vm_features(&features[0], &features[1]);
	const uint64_t vector[][2] = {
		{ AT_SYSINFO_EHDR, THAW_GPA_VDSO },
		{ AT_PHDR,
		  headers->headers ? headers->headers + program->bias : 0 },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, headers->headers ? headers->header_count : 0 },
		{ AT_PAGESZ, THAW_PAGE_SIZE },
		{ AT_BASE, interpreter->bytes ? interpreter->bias : 0 },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, headers->entry + program->bias },
		{ AT_UID, USER_ID },
		{ AT_EUID, USER_ID },
		{ AT_GID, USER_ID },
		{ AT_EGID, USER_ID },
		{ AT_SECURE, 0 },
		{ AT_CLKTCK, CLOCK_TICKS },
		{ AT_HWCAP, features[0] },
		{ AT_HWCAP2, features[1] },
		{ AT_MINSIGSTKSZ, signal_frame_size() },
		{ AT_PLATFORM, texts->platform },
		{ AT_RANDOM, texts->random },
		{ AT_EXECFN, texts->path },
		{ AT_NULL, 0 },
	};

	push(filling, vector, sizeof(vector));
}

/* Pushes @count pointers to strings that lie one behind the other, from @text on. */
static void push_pointers(struct filling *filling, char *const *strings,
			  size_t count, uint64_t text)
{
	const uint64_t size = (count + 1) * sizeof(uint64_t);
	uint64_t at = filling->at - size;

	if (filling->at - filling->bottom < size) {
		filling->at = filling->bottom;
		return;
	}
	filling->at = at;
	for (size_t i = 0; i < count; i++, at += sizeof(text)) {
		memcpy(filling->space->memory + at, &text, sizeof(text));
		text += strlen(strings[i]) + 1;
	}
}

static uint64_t push_strings(struct filling *filling, char *const *strings)
{
	for (size_t i = count_strings(strings); i > 0; i--)
		push_text(filling, strings[i - 1]);
	return filling->at;
}

static int fill_stack(struct linux_process *process,
		      const struct loaded *program,
		      const struct loaded *interpreter, struct error *err,
		      uint64_t *ret_sp)
{
	const struct linux_program *what = process->program;
	const struct layout_range *stack = &process->space.layout->stack;
	const uint64_t argument_count = count_strings(process->arguments);
	const size_t variable_count = count_strings(what->environment);
	/* the kernel, too, leaves most of the stack to the program */
	struct filling filling = {
		.space = &process->space,
		.at = stack->start + stack->size,
		.bottom = stack->start + stack->size / 4 * 3,
	};
	uint8_t random[RANDOM_BYTES];
	struct texts texts;
	uint64_t arguments, variables, words;
	int r = entropy_fill(random, sizeof(random));

	if (r)
		return error_set(err, r, "getrandom: %s", strerror(-r));
	texts.path = push_text(&filling, what->path);
	variables = push_strings(&filling, what->environment);
	arguments = push_strings(&filling, process->arguments);
	texts.platform = push_text(&filling, platform());
	texts.random = push(&filling, random, sizeof(random));
	/* the words that follow end at a multiple of 16: argc, pointers, vector */
	words = 1 + argument_count + 1 + variable_count + 1;
	filling.at &= ~(uint64_t)15;
	if (words % 2)
		filling.at -= 8;
	process->vector_size = filling.at;
	push_vector(&filling, program, interpreter, &texts);
	process->vector = filling.at;
	process->vector_size -= filling.at;
	push_pointers(&filling, what->environment, variable_count, variables);
	push_pointers(&filling, process->arguments, argument_count, arguments);
	push(&filling, &argument_count, sizeof(argument_count));
	if (filling.at <= filling.bottom)
		return error_set(err, -E2BIG,
				 "arguments and environment take more than a "
				 "quarter of the stack: raise stack");
	*ret_sp = filling.at;
	return 0;
}

/* Reads the program and, if it names one, its interpreter. */
static int read_parts(struct linux_process *process, struct error *err,
		      struct loaded *program, struct loaded *interpreter)
{
	int r = read_executable(process, err, program);

	if (!r)
		r = read_elf_headers(process->executable, err, program);
	if (!r && *program->headers.interpreter)
		r = read_interpreter(process, program, err, interpreter);
	return r;
}

static int load_parts(struct linux_process *process, struct loaded *program,
		      struct loaded *interpreter, struct error *err,
		      struct thaw_frame *ret_frame)
{
	const struct loaded *first = interpreter->bytes ? interpreter : program;
	uint64_t sp = 0;
	int r = place_program(process, program, process->executable, false,
			      err);

	if (r)
		return r;
	process->space.break_start = process->space.break_end =
		program_end(&program->headers) + program->bias + BREAK_GUARD;
	if (interpreter->bytes)
		r = place_program(process, interpreter,
				  program->headers.interpreter, true, err);
	if (!r)
		r = fill_stack(process, program, interpreter, err, &sp);
	if (!r)
		vm_frame_begin(ret_frame, first->headers.entry + first->bias,
			       sp);
	return r;
}

int linux_load(struct linux_process *process, struct error *err,
	       struct thaw_frame *ret_frame)
{
	struct loaded program = { .bytes = NULL };
	struct loaded interpreter = { .bytes = NULL };
	int r = read_parts(process, err, &program, &interpreter);

	if (!r)
		r = load_parts(process, &program, &interpreter, err, ret_frame);
	free(program.bytes);
	free(interpreter.bytes);
	return r;
}

/* Reads the files of @program with @process, which is zero and is not run. */
static int check_parts(const struct linux_program *program, struct error *err,
		       struct linux_process *process)
{
	struct loaded parts[2] = { { .bytes = NULL }, { .bytes = NULL } };
	int r;

	process->program = program;
	process->executable = program->path;
	process->arguments = program->arguments;
	process->directory.node = DIRECTORY_NOWHERE;
	if (tmpfs_init(&process->tmpfs, 0, NULL))
		return error_set(err, -ENOMEM, "no memory for a process");
	r = read_parts(process, err, &parts[0], &parts[1]);
	free(parts[0].bytes);
	free(parts[1].bytes);
	tmpfs_done(&process->tmpfs);
	script_done(&process->script);
	return r;
}

int linux_load_check(const struct linux_program *program, struct error *err)
{
	struct linux_process *process = calloc(1, sizeof(*process));
	int r;

	if (!process)
		return error_set(err, -ENOMEM, "no memory for a process");
	r = check_parts(program, err, process);
	free(process);
	return r;
}
