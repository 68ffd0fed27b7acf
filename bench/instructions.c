/* instructions.c - see instructions.h. */
#include "bench/instructions.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Addresses of instructions whose function is known: a power of two. */
#define KNOWN_MAX 16384

/* A round that takes longer, in seconds, is given up: nothing may ever come. */
#define ROUND_MAX_S 30

/* The exit statuses of the child. */
#define REFUSED 77
#define FAILED 1

struct counting {
	struct instructions *result;
	struct error *err;
	instructions_step_fn step;
	const char *mark; /* a function */
	/* says what it means that the child is there; NULL: a round is over */
	int (*at_mark)(void *cookie, struct error *err);
	void *cookie;
	Dwfl *dwfl;
	pid_t child; /* 0: it has ended */
	uint64_t pc;
	uint32_t arch;	/* an AUDIT_ARCH_* */
	unsigned marks; /* how often a round has begun, or the last one ended */
	uint64_t in_round; /* instructions since then */
	size_t last;	   /* the function of the last instruction */

	struct known {
		uint64_t pc; /* 0: no entry */
		char name[INSTRUCTIONS_NAME_MAX];
		bool is_vdso;
		bool is_mark; /* the mark's first instruction */
		bool is_call; /* it calls the kernel */
	} known[KNOWN_MAX];
};

/* Between rounds: the parent waits for this function. */
static __attribute__((noinline)) void instructions_mark(void)
{
	__asm__ volatile("" ::: "memory");
}

static int no_debuginfo(Dwfl_Module *module, void **data, const char *name,
			Dwarf_Addr base, const char *file, const char *link,
			GElf_Word crc, char **ret_file)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)ret_file;
	return -1;
}

/* A child by fork() has the same files at the same addresses as this process. */
static int open_symbols(struct counting *counting, pid_t process)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = no_debuginfo,
	};

	counting->dwfl = dwfl_begin(&callbacks);
	if (!counting->dwfl ||
	    dwfl_linux_proc_report(counting->dwfl, process) ||
	    dwfl_report_end(counting->dwfl, NULL, NULL))
		return error_set(counting->err, -EIO,
				 "reading the symbols of the program: %s",
				 dwfl_errmsg(-1));
	return 0;
}

/* Whether the instruction at @pc is SYSCALL or SVC #0. */
static bool calls_kernel(const struct counting *counting, uint64_t pc)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, counting->child, (void *)pc, NULL);
	if (errno)
		return false;
	return counting->arch == AUDIT_ARCH_AARCH64 ?
		       (word & 0xffffffff) == 0xd4000001 :
		       (word & 0xffff) == 0x050f;
}

static void find_function(const struct counting *counting, uint64_t pc,
			  struct known *ret_known)
{
	Dwfl_Module *module = dwfl_addrmodule(counting->dwfl, pc);
	const char *name = NULL, *file = "";
	GElf_Off offset = 0;
	GElf_Sym symbol;

	if (module) {
		name = dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL,
					    NULL, NULL);
		file = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL,
					NULL, NULL);
		/* it is behind the last one that has a symbol */
		if (name && symbol.st_size && offset >= symbol.st_size)
			name = NULL;
	}
	*ret_known = (struct known){ .pc = pc };
	strncpy(ret_known->name, name ? name : "?", INSTRUCTIONS_NAME_MAX - 1);
	ret_known->is_vdso = !strncmp(file, "[vdso", 5);
	ret_known->is_mark = name && !offset && !strcmp(name, counting->mark);
	ret_known->is_call = calls_kernel(counting, pc);
}

/* Returns NULL if there are too many. */
static const struct known *function_at(struct counting *counting, uint64_t pc)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		struct known *known = &counting->known[(pc + i) % KNOWN_MAX];

		if (!known->pc)
			find_function(counting, pc, known);
		if (known->pc == pc)
			return known;
	}
	return NULL;
}

static bool is_of(const struct instructions_function *function,
		  const struct known *known, int step)
{
	return function->step == step && !strcmp(function->name, known->name);
}

/* Counts the instruction at counting->pc. 0 or -errno. */
static int count_one(struct counting *counting, const struct known *known)
{
	struct instructions *all = counting->result;
	struct instructions_function *function =
		&all->functions[counting->last];
	int step = all->count ? function->step : -1;
	size_t i;

	if (!all->count || strcmp(function->name, known->name) != 0)
		step = counting->step ? counting->step(known->name,
						       known->is_vdso, step) :
					0;
	for (i = 0; i < all->count; i++)
		if (is_of(&all->functions[i], known, step))
			break;
	if (i == INSTRUCTIONS_FUNCTIONS_MAX)
		return -E2BIG;
	if (i == all->count) {
		all->functions[all->count++].step = step;
		strcpy(all->functions[i].name, known->name);
	}
	all->functions[i].count++;
	all->calls += known->is_call;
	all->total++;
	counting->last = i;
	return 0;
}

static int compare_pcs(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* How many pieces of @size bytes the sorted addresses are in. */
static unsigned count_pieces(const uint64_t *pcs, size_t count, uint64_t size)
{
	unsigned pieces = 0;

	for (size_t i = 0; i < count; i++)
		pieces += !i || pcs[i] / size != pcs[i - 1] / size;
	return pieces;
}

static void count_places(struct counting *counting)
{
	static uint64_t pcs[KNOWN_MAX];
	size_t count = 0;

	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (counting->known[i].pc)
			pcs[count++] = counting->known[i].pc;
	qsort(pcs, count, sizeof(*pcs), compare_pcs);
	counting->result->pages = count_pieces(pcs, count, 4096);
	counting->result->lines = count_pieces(pcs, count, 64);
}

static int read_pc(struct counting *counting)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, counting->child, sizeof(info),
		   &info) < 0)
		return -errno;
	counting->pc = info.instruction_pointer;
	counting->arch = info.arch;
	return 0;
}

static void on_alarm(int number)
{
	(void)number;
}

/* From here to the next call, waiting for the child ends after ROUND_MAX_S. */
static void give_time(void)
{
	alarm(ROUND_MAX_S);
}

/* Waits until the child stops or ends. 0 or -errno. */
static int wait_for(const struct counting *counting, int *ret_status)
{
	if (waitpid(counting->child, ret_status, __WALL) >= 0)
		return 0;
	return errno == EINTR ? -ETIMEDOUT : -errno;
}

/* The child is at the mark. 0 or -errno. */
static int take_mark(struct counting *counting)
{
	int r;

	give_time();
	r = counting->at_mark ?
		    counting->at_mark(counting->cookie, counting->err) :
		    1;

	if (r <= 0)
		return r;
	counting->marks++;
	counting->in_round = 0;
	return 0;
}

static bool is_over(const struct counting *counting)
{
	return counting->marks > counting->result->rounds;
}

/* The child is at an instruction. 0 or -errno. */
static int look(struct counting *counting)
{
	const uint64_t before = counting->pc;
	const struct known *known;
	int r = read_pc(counting);

	if (r || counting->pc == before)
		return r;
	known = function_at(counting, counting->pc);
	if (!known)
		return -E2BIG;
	if (known->is_mark)
		r = take_mark(counting);
	if (r || !counting->marks || is_over(counting))
		return r;
	if (++counting->in_round > INSTRUCTIONS_ROUND_MAX)
		return -ELOOP;
	return count_one(counting, known);
}

static int step_to_end(struct counting *counting)
{
	int status, r = 0, signal = 0;

	while (!r && !is_over(counting)) {
		if (ptrace(PTRACE_SINGLESTEP, counting->child, NULL,
			   (long)signal))
			return -errno;
		r = wait_for(counting, &status);
		if (r)
			return r;
		if (!WIFSTOPPED(status)) {
			counting->child = 0;
			return -ECHILD;
		}
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		if (!signal)
			r = look(counting);
	}
	return r;
}

/*
 * Takes the child, which has stopped before the first round, through all rounds. On one
 * CPU with this thread a step takes a third of the time, since neither wakes a CPU.
 */
static int step_through(struct counting *counting)
{
	cpu_set_t own, childs, shared;
	const int cpu = sched_getcpu();
	const bool share =
		cpu >= 0 && cpu < CPU_SETSIZE &&
		!sched_getaffinity(0, sizeof(own), &own) &&
		!sched_getaffinity(counting->child, sizeof(childs), &childs);
	int r;

	if (!share)
		return step_to_end(counting);
	CPU_ZERO(&shared);
	CPU_SET(cpu, &shared);
	sched_setaffinity(0, sizeof(shared), &shared);
	sched_setaffinity(counting->child, sizeof(shared), &shared);
	r = step_to_end(counting);
	sched_setaffinity(0, sizeof(own), &own);
	if (counting->child)
		sched_setaffinity(counting->child, sizeof(childs), &childs);
	return r;
}

/* What the child does. */
static _Noreturn void be_counted(const struct instructions_body *body,
				 struct error *err)
{
	int r;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(REFUSED);
	r = body->open(body->cookie, err);
	for (unsigned i = 0; i < body->warm_up && !r; i++)
		r = body->once(body->cookie, err);
	if (r)
		_exit(FAILED);
	raise(SIGSTOP);
	for (unsigned i = 0; i < body->rounds && !r; i++) {
		instructions_mark();
		r = body->once(body->cookie, err);
	}
	instructions_mark();
	_exit(r ? FAILED : EXIT_SUCCESS);
}

/* Waits until the child stops by itself. 0 or -errno. */
static int await_child(struct counting *counting, const struct error *theirs)
{
	int status, r = wait_for(counting, &status);

	if (r)
		return error_set(counting->err, r, "waiting: %s", strerror(-r));
	if (WIFSTOPPED(status))
		return 0;
	counting->child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
		return error_set(counting->err, -EPERM,
				 "this machine lets a process trace no other");
	return error_set(counting->err, -EIO, "the process that is counted: %s",
			 *theirs->message ? theirs->message : "has died");
}

static int count_child(struct counting *counting, const struct error *theirs)
{
	int r = await_child(counting, theirs);

	if (r)
		return r;
	ptrace(PTRACE_SETOPTIONS, counting->child, NULL,
	       (long)PTRACE_O_EXITKILL);
	r = step_through(counting);
	if (r)
		return error_set(counting->err, r,
				 "counting instructions, in round %u: %s",
				 counting->marks,
				 *theirs->message ? theirs->message :
						    strerror(-r));
	return 0;
}

static int count_in_child(struct counting *counting,
			  const struct instructions_body *body)
{
	struct error *theirs = mmap(NULL, sizeof(*theirs),
				    PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (theirs == MAP_FAILED)
		return error_set(counting->err, -ENOMEM, "no memory");
	counting->child = fork();
	if (!counting->child)
		be_counted(body, theirs);
	r = counting->child < 0 ? error_set(counting->err, -errno, "fork: %s",
					    strerror(errno)) :
				  count_child(counting, theirs);
	if (counting->child > 0) {
		kill(counting->child, SIGKILL);
		waitpid(counting->child, NULL, 0);
	}
	munmap(theirs, sizeof(*theirs));
	return r;
}

/* Stops the thread. 0 or -errno after a message. */
static int stop_thread(struct counting *counting)
{
	int status;

	if (ptrace(PTRACE_SEIZE, counting->child, NULL, NULL))
		return error_set(counting->err,
				 errno == ESRCH ? -ESRCH : -EPERM,
				 "this machine lets no process trace another: "
				 "%s",
				 strerror(errno));
	if (ptrace(PTRACE_INTERRUPT, counting->child, NULL, NULL) ||
	    wait_for(counting, &status) || !WIFSTOPPED(status))
		return error_set(counting->err, -ECHILD,
				 "stopping a thread: it has ended");
	return 0;
}

static int count_thread(struct counting *counting)
{
	int r = stop_thread(counting);

	if (r)
		return r;
	*counting->err->message = '\0';
	r = step_through(counting);
	if (counting->child)
		ptrace(PTRACE_DETACH, counting->child, NULL, NULL);
	if (r && !*counting->err->message)
		error_set(counting->err, r,
			  "counting instructions, in round %u: %s",
			  counting->marks, strerror(-r));
	return r;
}

/* Counts in a child, or, if @body is NULL, those of counting->child of @process. */
static int count(struct counting *counting, pid_t process,
		 const struct instructions_body *body)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct sigaction old;
	int r = open_symbols(counting, process);

	sigaction(SIGALRM, &action, &old);
	give_time();
	if (!r)
		r = body ? count_in_child(counting, body) :
			   count_thread(counting);
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	count_places(counting);
	dwfl_end(counting->dwfl);
	free(counting);
	return r;
}

/* Returns NULL after a message: no memory. */
static struct counting *prepare(struct error *err, unsigned rounds,
				struct instructions *ret_instructions)
{
	struct counting *counting = calloc(1, sizeof(*counting));

	*ret_instructions = (struct instructions){ .rounds = rounds };
	if (!counting) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	counting->result = ret_instructions;
	counting->err = err;
	return counting;
}

int instructions_count(const struct instructions_body *body, struct error *err,
		       struct instructions *ret_instructions)
{
	struct counting *counting =
		prepare(err, body->rounds, ret_instructions);

	if (!counting)
		return -ENOMEM;
	counting->step = body->step;
	counting->mark = "instructions_mark";
	return count(counting, getpid(), body);
}

int instructions_count_thread(const struct instructions_thread *thread,
			      struct error *err,
			      struct instructions *ret_instructions)
{
	struct counting *counting =
		prepare(err, thread->rounds, ret_instructions);

	if (!counting)
		return -ENOMEM;
	counting->step = thread->step;
	counting->mark = thread->mark;
	counting->at_mark = thread->at_mark;
	counting->cookie = thread->cookie;
	counting->child = thread->thread;
	return count(counting, thread->process, NULL);
}
