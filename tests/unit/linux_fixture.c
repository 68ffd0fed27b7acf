/* linux_fixture.c - see linux_fixture.h. */
#include "linux_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "executor/linux/device.h"
#include "executor/linux/file_data.h"
#include "executor/linux/file_gunyah.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/schedule.h"
#include "executor/linux/seen.h"
#include "executor/linux/shim.h"
#include "executor/linux/state.h"
#include "executor/linux/transfer.h"
#include "linux_fixture_check.h"
#include "require.h"
#include "vm/exit.h"
#include "vm/tables.h"
#include "vm/vm.h"

#define PAGE ((uint64_t)THAW_PAGE_SIZE)
#define MEMORY_SIZE LINUX_FIXTURE_MEMORY
#define GUARD ((size_t)1 << 20)

/* What stands for a vm. */
struct fake_vm {
	struct vm_call call;
	struct thaw_frame frame;
	int64_t result;
	bool has_result;
	bool is_in_ours; /* stopped where its registers cannot be saved */
};

static struct fake_vm fake;
static struct linux_process frozen, process;
static struct thaw_frame asking; /* the registers that the frozen one has */
static bool is_frozen;
static bool is_asked; /* it was frozen at a call that asks for the request */
static bool is_clock_ours;
static uint64_t clock_ns;
static uint8_t *memory;
static struct layout layout;
static uint8_t tables[LAYOUT_TABLES_MAX * THAW_PAGE_SIZE]; /* the snapshot's */
static char *const host_files[] = { "/proc/version", NULL };
static struct linux_program program = {
	.path = "/proc/self/exe",
	.tmp_size = 1 << 20,
};

static const char paths[][16] = { "/etc/passwd", "/dev/null",	  "/dev/zero",
				  "/tmp/a",	 "/proc/self/fd", "/",
				  ".",		 "/dev/thaw" };
/* What calls read that take structures; the last page of the read-write area has it. */
static const struct structs {
	struct timespec time;
	struct itimerspec timer;
	struct transfer_part parts[4];
	struct pollfd fds[4];
	struct epoll_event event;
	struct sigevent signal;
	struct linux_action action; /* its addresses are filled in */
	struct signal_stack stack;
} structs = {
	.time = { 0, 5000000 },
	.timer = { { 0, 1000000 }, { 0, 1000000 } },
	.fds = { { 0, POLLIN, 0 },
		 { 3, POLLIN | POLLOUT, 0 },
		 { 4, POLLIN, 0 },
		 { 5, POLLOUT, 0 } },
	.event = { .events = EPOLLIN | EPOLLOUT | EPOLLET },
	.signal = { .sigev_signo = SIGUSR1 },
	.action = { .flags = SA_SIGINFO | SA_NODEFER | 0x04000000 },
	.stack = { .size = 4096 },
};
#define STRUCT(name) (at + 3 * PAGE + offsetof(struct structs, name))

static const char input[] = "{\"a\":1}\nmore of it";

uint8_t *__wrap_vm_memory(struct vm *vm);
int __wrap_vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size);
int __real_vm_protect(struct vm *vm, uint8_t *bytes, const struct layout *where,
		      uint64_t gva, uint64_t size, unsigned prot);
int __wrap_vm_protect(struct vm *vm, uint8_t *bytes, const struct layout *where,
		      uint64_t gva, uint64_t size, unsigned prot);
int __real_vm_map(struct vm *vm, uint8_t *bytes, const struct layout *where,
		  uint64_t gva, uint64_t gpa, uint64_t size,
		  unsigned *tables_used);
int __wrap_vm_map(struct vm *vm, uint8_t *bytes, const struct layout *where,
		  uint64_t gva, uint64_t gpa, uint64_t size,
		  unsigned *tables_used);
int __real_vm_unmap(struct vm *vm, uint8_t *bytes, const struct layout *where,
		    uint64_t gva, uint64_t size);
int __wrap_vm_unmap(struct vm *vm, uint8_t *bytes, const struct layout *where,
		    uint64_t gva, uint64_t size);
int __wrap_vm_set_thread(struct vm *vm, uint64_t thread);
void __wrap_vm_call_get(const struct vm *vm, struct vm_call *ret_call);
void __wrap_vm_call_return(struct vm *vm, uint64_t result);
int __wrap_vm_call_save(const struct vm *vm, struct thaw_frame *ret_frame);
int __wrap_vm_frame_save(const struct vm *vm, const struct vm_exit *exit,
			 struct thaw_frame *ret_frame);
int __wrap_vm_frame_load(struct vm *vm, const struct thaw_frame *frame);
uint64_t __wrap_vm_vector_features(const struct vm *vm);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);

uint8_t *__wrap_vm_memory(struct vm *vm)
{
	(void)vm;
	return memory;
}

/* The host writes nowhere else, so that what it passes is to be right. */
int __wrap_vm_write(struct vm *vm, uint64_t gpa, const void *data, size_t size)
{
	(void)vm;
	REQUIRE(gpa <= MEMORY_SIZE && size <= MEMORY_SIZE - gpa);
	memmove(memory + gpa, data, size);
	return 0;
}

/* The tables are written as they are for a vm that has not run. */
int __wrap_vm_protect(struct vm *vm, uint8_t *bytes, const struct layout *where,
		      uint64_t gva, uint64_t size, unsigned prot)
{
	(void)vm;
	return __real_vm_protect(NULL, bytes, where, gva, size, prot);
}

int __wrap_vm_map(struct vm *vm, uint8_t *bytes, const struct layout *where,
		  uint64_t gva, uint64_t gpa, uint64_t size,
		  unsigned *tables_used)
{
	(void)vm;
	return __real_vm_map(NULL, bytes, where, gva, gpa, size, tables_used);
}

int __wrap_vm_unmap(struct vm *vm, uint8_t *bytes, const struct layout *where,
		    uint64_t gva, uint64_t size)
{
	(void)vm;
	return __real_vm_unmap(NULL, bytes, where, gva, size);
}

int __wrap_vm_set_thread(struct vm *vm, uint64_t thread)
{
	(void)vm;
	(void)thread;
	return 0;
}

void __wrap_vm_call_get(const struct vm *vm, struct vm_call *ret_call)
{
	(void)vm;
	*ret_call = fake.call;
}

void __wrap_vm_call_return(struct vm *vm, uint64_t result)
{
	(void)vm;
	fake.result = (int64_t)result;
	fake.has_result = true;
}

int __wrap_vm_call_save(const struct vm *vm, struct thaw_frame *ret_frame)
{
	(void)vm;
	*ret_frame = fake.frame;
	return 0;
}

int __wrap_vm_frame_save(const struct vm *vm, const struct vm_exit *exit,
			 struct thaw_frame *ret_frame)
{
	(void)vm;
	if (fake.is_in_ours && exit->kind == VM_EXIT_DEADLINE)
		return -EAGAIN;
	*ret_frame = fake.frame;
	return 0;
}

int __wrap_vm_frame_load(struct vm *vm, const struct thaw_frame *frame)
{
	(void)vm;
	fake.frame = *frame;
	return 0;
}

uint64_t __wrap_vm_vector_features(const struct vm *vm)
{
	(void)vm;
	return 7; /* x87, SSE, AVX; arm64 has no such bits */
}

/* Each look at the clock takes a microsecond. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (!is_clock_ours ||
	    (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME))
		return __real_clock_gettime(clock, ret_time);
	clock_ns += NS_PER_US;
	ret_time->tv_sec = (time_t)(clock_ns / NS_PER_S);
	ret_time->tv_nsec = (long)(clock_ns % NS_PER_S);
	return 0;
}

static struct vm *fake_vm(void)
{
	return (struct vm *)(void *)&fake;
}

/* Memory, with nothing before and behind it, and files. */
static void make_memory(void)
{
	struct error err;
	uint8_t *all = mmap(NULL, MEMORY_SIZE + 2 * GUARD, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(!root_open(&program.root, NULL, host_files, program.path,
			   &err));
	REQUIRE(all != MAP_FAILED);
	memory = all + GUARD;
	REQUIRE(!mprotect(memory, MEMORY_SIZE, PROT_READ | PROT_WRITE));
}

/* Where the fixture's areas begin: pages read-write, read-only, none, code. */
static uint64_t areas_start(void)
{
	return layout.heap.start + 64 * PAGE;
}

/* Pages in the reserve: two with memory, then as many without. */
static uint64_t reserve_start(void)
{
	return layout.reserve.start + ((uint64_t)1 << 30) - PAGE;
}

static void make_structs(uint64_t at)
{
	struct structs filled = structs;

	for (unsigned i = 0; i < 4; i++)
		filled.parts[i] = (struct transfer_part){ at + i * 8, 100 };
	filled.action.handler = filled.action.restorer = at + 7 * PAGE;
	filled.stack.start = at + PAGE;
	memcpy(memory + at + 3 * PAGE, &filled, sizeof(filled));
}

static void make_areas(struct space *space)
{
	const uint64_t at = areas_start();

	REQUIRE(!space_map(space, at, 4 * PAGE,
			   IMAGE_PROT_READ | IMAGE_PROT_WRITE));
	REQUIRE(!space_map(space, at + 4 * PAGE, PAGE, IMAGE_PROT_READ));
	REQUIRE(!space_map(space, at + 5 * PAGE, PAGE, 0));
	REQUIRE(!space_map(space, at + 7 * PAGE, PAGE,
			   IMAGE_PROT_READ | IMAGE_PROT_EXECUTE));
	memcpy(memory + at, paths, sizeof(paths));
	REQUIRE(!space_map(space, reserve_start(), 4 * PAGE, 0));
	REQUIRE(!space_protect(space, reserve_start(), 2 * PAGE,
			       IMAGE_PROT_READ | IMAGE_PROT_WRITE));
	make_structs(at);
}

void linux_fixture_set_gunyah(bool is_on)
{
	program.gunyah = (struct gunyah_options){ .is_on = is_on };
	for (unsigned i = 0; is_on && i < GUNYAH_INTERRUPTS_MAX; i++)
		program.gunyah.interrupts[program.gunyah.count++] =
			(struct gunyah_interrupt){ i % 2 ? 1019 - i : 28 + i,
						   0 };
}

static void open_files(struct files *files)
{
	static const char *const devices[] = { "/dev/gicv3", "/dev/console",
					       "/dev/exit" };

	file_stdio_open(files);
	for (unsigned i = 0; program.gunyah.is_on && i < 3; i++)
		REQUIRE(files_open(files, file_gunyah_find(devices[i]), O_RDWR,
				   NULL) == (int)i + 3);
}

static void restore(void)
{
	const struct device_call call = { .body = "null", .size = 4 };

	/* the rest of memory may hold anything */
	memcpy(memory + layout.tables.start, tables, layout.tables.size);
	REQUIRE(!linux_process_restore(&process, &frozen, fake_vm()));
	linux_fixture_check_copy(&process, &frozen);
	process.shim.is_off = program.gunyah.is_on;
	if (process.device.is_asked)
		REQUIRE(!device_request(&process, &call,
					LINUX_FIXTURE_REPLY_MAX));
	else
		linux_process_request(&process, input, sizeof(input) - 1,
				      LINUX_FIXTURE_REPLY_MAX);
	if (is_asked) {
		REQUIRE(!linux_call_pending(&process));
	} else {
		gunyah_begin(&process);
		REQUIRE(!shim_begin(&process));
	}
	fake.frame = asking;
	linux_fixture_check();
}

void linux_fixture_restore(void)
{
	is_clock_ours = true;
	if (is_frozen) {
		restore();
	} else {
		linux_fixture_stop();
		linux_fixture_start(false);
	}
	is_clock_ours = false;
}

/* A file that the shim answers for. */
static void open_file(void)
{
	const struct stat status = { .st_mode = S_IFREG | 0644 };
	struct file_data *data;

	REQUIRE(!file_data_make((uint8_t *)strdup("text"), 4, &status, "/file",
				&data));
	if (files_open(&process.files, &file_host, O_RDONLY, data) < 0)
		file_data_drop(data);
}

static void freeze(bool has_file)
{
	REQUIRE(!is_frozen && process.step == LINUX_INPUT);
	is_clock_ours = true;
	if (has_file)
		open_file();
	REQUIRE(!linux_save_asking(&process, fake_vm(), &asking));
	linux_process_freeze(&process);
	shim_freeze(&process);
	memcpy(tables, memory + layout.tables.start, layout.tables.size);
	process.space.vm = NULL;
	process.space.memory = NULL;
	frozen = process;
	linux_fixture_check_frozen(&frozen);
	memset(&process, 0, sizeof(process));
	is_frozen = is_asked = true;
	restore();
	is_clock_ours = false;
}

void linux_fixture_freeze(void)
{
	freeze(true);
}

void linux_fixture_freeze_alone(void)
{
	freeze(false);
}

int linux_fixture_write_state(struct buffer *out, struct error *err)
{
	struct linux_seen *seen = linux_seen_create();
	int r;

	REQUIRE(is_frozen && seen);
	/* the tables of the snapshot, which requests may have changed since */
	memcpy(memory + layout.tables.start, tables, layout.tables.size);
	r = linux_state_write(&frozen, memory, seen, out, err);
	linux_seen_free(seen);
	return r;
}

/* Where page tables are made of a state; zero but for thaw's own pages. */
static uint8_t *wanted_memory(void)
{
	static uint8_t *wanted;

	if (!wanted)
		wanted = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(wanted != MAP_FAILED);
	REQUIRE(!madvise(wanted, MEMORY_SIZE, MADV_DONTNEED));
	vm_prepare_memory(wanted, &layout);
	return wanted;
}

int linux_fixture_read_state(const void *bytes, size_t size, struct error *err)
{
	struct linux_seen *seen = linux_seen_create();
	uint8_t *wanted = wanted_memory();
	const struct state_source source = {
		.bytes = bytes,
		.size = size,
		.program = &program,
		.layout = &layout,
		.memory = memory,
	};
	int r;

	REQUIRE(is_frozen && seen);
	linux_fixture_stop();
	is_clock_ours = true;
	vm_frame_begin((void *)(memory + THAW_GPA_FRAME), 0, 0);
	r = linux_state_read(&source, wanted, seen, err, &frozen);
	linux_seen_free(seen);
	if (!r) {
		memcpy(tables, wanted + layout.tables.start,
		       layout.tables.size);
		linux_fixture_check_frozen(&frozen);
		restore();
	}
	is_clock_ours = false;
	return r;
}

bool linux_fixture_is_frozen(void)
{
	return is_frozen;
}

void linux_fixture_start(bool with_request)
{
	const struct layout_config config = {
		.memory_size = MEMORY_SIZE,
		.stack_size = 64u << 10,
		.request_size = 64u << 10,
		.reply_size = LINUX_FIXTURE_REPLY_MAX,
	};
	struct linux_process *first = with_request ? &frozen : &process;
	struct error err;

	linux_fixture_check_frozen(NULL);
	is_clock_ours = true;
	clock_ns = 1000 * NS_PER_S;
	is_asked = false;
	fake.is_in_ours = false;
	memset(&asking, 0, sizeof(asking));
	if (!memory)
		make_memory();
	REQUIRE(!madvise(memory, MEMORY_SIZE, MADV_DONTNEED));
	REQUIRE(!layout_plan_program(&config, &err, &layout));
	vm_prepare_memory(memory, &layout);
	REQUIRE(!linux_process_init(first, &program, &layout, memory));
	open_files(&first->files);
	make_areas(&first->space);
	first->space.vm = fake_vm();
	shim_begin_time(first);
	is_frozen = with_request;
	if (with_request) {
		linux_process_freeze(first);
		memcpy(tables, memory + layout.tables.start,
		       layout.tables.size);
		restore();
	}
	is_clock_ours = false;
}

void linux_fixture_stop(void)
{
	linux_process_done(&process);
	memset(&process, 0, sizeof(process));
	if (is_frozen)
		linux_process_done(&frozen);
	memset(&frozen, 0, sizeof(frozen));
}

struct linux_process *linux_fixture_process(void)
{
	return &process;
}

uint8_t *linux_fixture_memory(void)
{
	return memory;
}

size_t linux_fixture_memory_size(void)
{
	return MEMORY_SIZE;
}

uint64_t linux_fixture_value(unsigned choice)
{
	const uint64_t at = areas_start();
	const uint64_t stack_end = layout.stack.start + layout.stack.size;
	const uint64_t values[LINUX_FIXTURE_VALUES] = {
		0,
		1,
		2,
		3,
		4,
		8,
		16,
		64,
		255,
		256,
		1024,
		4095,
		PAGE,
		PAGE + 1,
		/* negative, huge */
		UINT64_MAX,
		(uint64_t)AT_FDCWD,
		(uint32_t)-1,
		INT32_MAX,
		INT64_MAX,
		(uint64_t)INT64_MIN,
		UINT64_MAX - PAGE + 1,
		(uint64_t)1 << 32,
		(uint64_t)1 << 47,
		(uint64_t)64 << 20,
		/* read-write, and what is there */
		at,
		at + 16,
		at + 32,
		at + 48,
		at + 64,
		at + 80,
		at + 96,
		at + 112,
		at + PAGE,
		at + 2 * PAGE + 1,
		at + 4 * PAGE - 8,
		/* up to read-only, no access, unmapped, code */
		at + 4 * PAGE - 1,
		at + 4 * PAGE,
		at + 5 * PAGE,
		at + 6 * PAGE,
		at + 7 * PAGE,
		/* ends */
		layout.heap.start,
		layout.stack.start - 8,
		stack_end - 4096,
		stack_end - 8,
		stack_end,
		MEMORY_SIZE - 8,
		MEMORY_SIZE,
		THAW_GPA_SHIM,
		/* with memory, and without */
		reserve_start(),
		reserve_start() + PAGE - 8,
		reserve_start() + 2 * PAGE,
		layout.reserve.start,
		layout.reserve.start + layout.reserve.size - PAGE,
		layout.reserve.size,
		/* structures, and what calls with them take */
		STRUCT(time),
		STRUCT(timer),
		STRUCT(parts),
		STRUCT(fds),
		STRUCT(event),
		STRUCT(signal),
		STRUCT(action),
		STRUCT(stack),
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			CLONE_THREAD | CLONE_SYSVSEM,
		SIGUSR1,
		SIGSEGV,
		SIGALRM,
		5,
		O_RDWR | O_CREAT,
		O_NONBLOCK,
		FIONREAD,
	};

	return values[choice % LINUX_FIXTURE_VALUES];
}

void linux_fixture_check(void)
{
	linux_fixture_check_process(&process);
}

enum linux_step linux_fixture_call(const struct vm_call *call)
{
	enum linux_step step = LINUX_GO_ON;

	fake.call = *call;
	fake.has_result = false;
	vm_frame_begin(&fake.frame, call->pc, call->sp);
	is_clock_ours = true;
	REQUIRE(!linux_call(&process, fake_vm(), &step));
	(void)linux_turn_end(&process);
	is_clock_ours = false;
	if (fake.has_result)
		REQUIRE(fake.result >= -4095);
	linux_fixture_check();
	return step;
}

enum linux_step linux_fixture_return(uint64_t bytes)
{
	const struct vm_exit exit = { .kind = VM_EXIT_FAULT,
				      .fault.pc = GUNYAH_RETURN_ADDRESS };
	int r;

	vm_frame_begin(&fake.frame, GUNYAH_RETURN_ADDRESS,
		       signal_frame_sp(&fake.frame) + bytes);
	is_clock_ours = true;
	r = linux_fault(&process, fake_vm(), &exit);
	is_clock_ours = false;
	REQUIRE(r == 0 || r == 1);
	linux_fixture_check();
	return r ? LINUX_GO_ON : LINUX_EXIT;
}

enum linux_step linux_fixture_wake(void)
{
	enum linux_step step = LINUX_GO_ON;

	is_clock_ours = true;
	REQUIRE(!linux_wake(&process, fake_vm(), &step));
	(void)linux_turn_end(&process);
	is_clock_ours = false;
	linux_fixture_check();
	return step;
}

enum linux_step linux_fixture_preempt(bool is_in_ours)
{
	const struct vm_exit exit = { .kind = VM_EXIT_DEADLINE };
	enum linux_step step = LINUX_GO_ON;

	fake.is_in_ours = is_in_ours;
	is_clock_ours = true;
	REQUIRE(!linux_preempt(&process, fake_vm(), &exit, &step));
	is_clock_ours = false;
	fake.is_in_ours = false;
	linux_fixture_check();
	return step;
}

enum linux_step linux_fixture_fault(const struct vm_fault *fault)
{
	const struct vm_exit exit = { .kind = VM_EXIT_FAULT, .fault = *fault };
	int r;

	vm_frame_begin(&fake.frame, fault->pc, fault->sp);
	is_clock_ours = true;
	r = linux_fault(&process, fake_vm(), &exit);
	is_clock_ours = false;
	REQUIRE(r == 0 || r == 1);
	if (r)
		linux_fixture_check();
	return r ? LINUX_GO_ON : LINUX_EXIT;
}

void linux_fixture_pass(uint64_t until_ns)
{
	if (clock_ns < until_ns)
		clock_ns = until_ns;
}

uint64_t linux_fixture_now(void)
{
	return clock_ns;
}
