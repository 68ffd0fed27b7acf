/*
 * signals.c - a Linux program for tests/contract/test_linux_signals.c: what it expects
 * of signals is what the kernel does, so each command says "good" on a kernel, too,
 * unless it is one that ends the program. It reads a command and a number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "signals_asm.h"
#include "signals_common.h"

#define PAGE 4096

long number;
volatile int count;
volatile sig_atomic_t last;
volatile siginfo_t info;

static char input[256];
static volatile sig_atomic_t nested;
static sigjmp_buf back;
static char *page, *volatile nowhere = (char *)16;

void on_count(int signal)
{
	count++;
	last = signal;
}

void on_info(int signal, siginfo_t *given, void *context)
{
	(void)context;
	count++;
	last = signal;
	info = *given;
}

static void on_jump(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	siglongjmp(back, 1);
}

void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(signal, &action, NULL));
}

void handle_simply(int signal, int flags)
{
	struct sigaction action = { .sa_handler = on_count, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(signal, &action, NULL));
}

void block(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(!sigprocmask(how, &set, NULL));
}

static void *map(int prot)
{
	void *memory =
		mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void do_info(void)
{
	const union sigval value = { .sival_int = 1234567 };

	handle(SIGUSR1, on_info, 0);
	CHECK(!kill(getpid(), SIGUSR1) && count == 1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid());
	CHECK(info.si_uid == getuid() && info.si_signo == SIGUSR1);
	CHECK(!kill(0, SIGUSR1) && count == 2);
	CHECK(!raise(SIGUSR1) && count == 3);
	CHECK(info.si_code == SI_TKILL);
	CHECK(!sigqueue(getpid(), SIGUSR1, value) && count == 4);
	CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == 1234567);
	CHECK(!kill(getpid(), 0) && count == 4);
	CHECK(kill(getpid(), 65) && errno == EINVAL);
	CHECK(kill(12345, SIGUSR1) && errno == ESRCH);
	CHECK(syscall(SYS_tgkill, getpid(), 12345, SIGUSR1) && errno == ESRCH);
	CHECK(syscall(SYS_tgkill, getpid(), 0, SIGUSR1) && errno == EINVAL);
	CHECK(syscall(SYS_tkill, getpid(), SIGUSR1) == 0 && count == 5);
	signal(SIGUSR1, SIG_IGN);
	CHECK(!raise(SIGUSR1) && count == 5);
	CHECK(signal(SIGCHLD, SIG_DFL) == SIG_DFL && !raise(SIGCHLD));
	CHECK(signal(SIGKILL, on_count) == SIG_ERR && errno == EINVAL);
	CHECK(signal(SIGSTOP, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

static void on_nested(int signal)
{
	const int depth = ++nested;

	/* each one that is raised runs before raise() returns */
	if (depth < 5)
		CHECK(!raise(signal == SIGUSR1 ? SIGUSR2 : SIGUSR1));
	CHECK(nested == (depth < 5 ? 5 : depth));
	count++;
}

static void do_nested(void)
{
	struct sigaction action = { .sa_handler = on_nested,
				    .sa_flags = SA_NODEFER };

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(!sigaction(SIGUSR2, &action, NULL));
	CHECK(!raise(SIGUSR1) && count == 5);
	/* once */
	handle_simply(SIGUSR1, SA_RESETHAND);
	CHECK(!raise(SIGUSR1) && count == 6);
	CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
}

static void on_masked(int signal, siginfo_t *given, void *context)
{
	ucontext_t *uc = context;
	sigset_t set;

	(void)given;
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, signal) && sigismember(&set, SIGUSR2));
	CHECK(!sigismember(&uc->uc_sigmask, signal));
	if (count++)
		return;
	CHECK(!raise(signal) && !raise(SIGUSR2)); /* both wait */
	CHECK(!sigpending(&set) && sigismember(&set, signal));
	CHECK(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGTERM));
	/* what it leaves is the program's mask */
	sigaddset(&uc->uc_sigmask, SIGTERM);
	sigaddset(&uc->uc_sigmask, SIGKILL);
}

static void do_masks(void)
{
	struct sigaction action = { .sa_sigaction = on_masked,
				    .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	handle_simply(SIGUSR2, 0);
	block(SIG_BLOCK, SIGUSR1);
	CHECK(!raise(SIGUSR1) && !raise(SIGUSR1) && !count);
	signal(SIGUSR1, SIG_IGN); /* drops what is pending */
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(!count);
	CHECK(!raise(SIGUSR1) && count == 3);
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGTERM) && !sigismember(&set, SIGKILL));
	CHECK(!sigismember(&set, SIGUSR1) && last == SIGUSR2);
}

static volatile sig_atomic_t order[200], orders;

static void on_order(int signal, siginfo_t *given, void *context)
{
	(void)context;
	order[orders++] = signal * 1000 + given->si_value.sival_int;
}

static int queue(int signal, int value)
{
	return sigqueue(getpid(), signal, (union sigval){ .sival_int = value });
}

static void do_queue(void)
{
	sigset_t all, old;
	siginfo_t got;
	int most = 0;

	handle(SIGRTMIN + 1, on_order, 0);
	handle(SIGRTMIN + 2, on_order, 0);
	handle(SIGUSR1, on_order, 0);
	sigfillset(&all);
	CHECK(!sigprocmask(SIG_SETMASK, &all, &old));
	CHECK(!queue(SIGRTMIN + 2, 1) && !queue(SIGRTMIN + 1, 2));
	CHECK(!queue(SIGRTMIN + 1, 3) && !queue(SIGUSR1, 4));
	CHECK(!queue(SIGUSR1, 5)); /* one waits already */
	CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
	/* the last frame runs first, and then the one below it */
	CHECK(orders == 4 && order[3] == SIGUSR1 * 1000 + 4);
	CHECK(order[0] == (SIGRTMIN + 2) * 1000 + 1);
	CHECK(order[2] % 1000 + order[1] % 1000 == 5);

	block(SIG_BLOCK, SIGRTMIN + 1);
	while (!queue(SIGRTMIN + 1, most))
		most++;
	CHECK(errno == EAGAIN && (!number || most == number));
	CHECK(!queue(SIGUSR1, 6) && orders == 5); /* still fits */
	sigemptyset(&all);
	sigaddset(&all, SIGRTMIN + 1);
	for (int i = 0; i < most; i++) {
		CHECK(sigwaitinfo(&all, &got) == SIGRTMIN + 1);
		CHECK(got.si_value.sival_int == i && got.si_code == SI_QUEUE);
	}
	CHECK(sigtimedwait(&all, &got, &(struct timespec){ 0, 0 }) == -1);
	CHECK(errno == EAGAIN);
	CHECK(sigtimedwait(&all, &got, &(struct timespec){ 0, 2000000 }) == -1);
	CHECK(errno == EAGAIN);
}

static stack_t alternate;

static void use_stack(int flags)
{
	alternate.ss_size = 65536;
	alternate.ss_sp = malloc(alternate.ss_size);
	alternate.ss_flags = flags;
	CHECK(!sigaltstack(&alternate, NULL));
}

static void on_stack(int signal, siginfo_t *given, void *context)
{
	const char *here = __builtin_frame_address(0), *start = alternate.ss_sp;
	ucontext_t *uc = context;
	stack_t none = { .ss_flags = SS_DISABLE }, now;

	on_info(signal, given, context);
	CHECK(here > start && here < start + alternate.ss_size);
	CHECK(uc->uc_stack.ss_sp == alternate.ss_sp);
	CHECK(!sigaltstack(NULL, &now));
	if (number) { /* disarmed: it may be changed */
		CHECK(now.ss_flags == SS_DISABLE && !sigaltstack(&none, NULL));
	} else {
		CHECK(now.ss_flags == SS_ONSTACK);
		CHECK(sigaltstack(&none, NULL) == -1 && errno == EPERM);
	}
	if (signal == SIGUSR1)
		CHECK(!raise(SIGUSR2)); /* further down the same stack */
}

static void do_stack(void)
{
	stack_t now, small = { .ss_sp = page, .ss_size = 2000 };
	stack_t odd = { .ss_sp = page, .ss_size = 65536, .ss_flags = 4 };

	CHECK(getauxval(AT_MINSIGSTKSZ) > 1000);
	CHECK(!sigaltstack(NULL, &now) && now.ss_flags == SS_DISABLE);
	CHECK(sigaltstack(&small, NULL) == -1 && errno == ENOMEM);
	CHECK(sigaltstack(&odd, NULL) == -1 && errno == EINVAL);
	use_stack(number ? (int)(1u << 31) : 0);
	handle(SIGUSR1, on_stack, number ? 0 : SA_ONSTACK);
	handle(SIGUSR1, on_stack, SA_ONSTACK);
	handle(SIGUSR2, number ? on_info : on_stack, SA_ONSTACK);
	CHECK(!raise(SIGUSR1) && count == 2);
	CHECK(!sigaltstack(NULL, &now) && now.ss_sp == alternate.ss_sp);
	CHECK(now.ss_size == alternate.ss_size);
	CHECK(!raise(SIGUSR1) && count == 4);
	/* without SA_ONSTACK it is not used */
	handle(SIGUSR1, on_info, 0);
	CHECK(!raise(SIGUSR1) && count == 5);
}

__attribute__((noinline)) static int recurse(int depth)
{
	volatile char room[512];

	room[0] = (char)depth;
	if (depth < 0)
		return 0;
	return recurse(depth + 1) + room[0];
}

static void do_overflow(void)
{
	use_stack(0);
	handle(SIGSEGV, on_jump, SA_ONSTACK);
	for (int i = 1; i <= 3; i++) {
		if (!sigsetjmp(back, 1))
			recurse(0);
		CHECK(count == i && last == SIGSEGV);
		CHECK(info.si_code == SEGV_MAPERR ||
		      info.si_code == SEGV_ACCERR);
	}
}

static void on_fix(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	CHECK((char *)given->si_addr == page);
	if (number)
		CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			   0) == page);
	else
		CHECK(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
}

/* The instruction is done again. */
static void do_fix(void)
{
	page = map(PROT_NONE);
	handle(SIGSEGV, on_fix, 0);
	*(volatile char *)page = 7;
	CHECK(*page == 7 && count == 1 && info.si_code == SEGV_ACCERR);
	CHECK(!mprotect(page, PAGE, PROT_READ));
	if (number)
		return;
	*(volatile char *)page = 8;
	CHECK(*page == 8 && count == 2);
}

/* Where a fault is to be, and what its signal is to say. */
static void expect_fault(int access, void *address, int signal, int code)
{
	info = (siginfo_t){ 0 };
	if (!sigsetjmp(back, 1)) {
		if (access == 'r')
			(void)*(volatile char *)address;
		else if (access == 'w')
			*(volatile char *)address = 1;
		else
			((void (*)(void))(uintptr_t)address)();
		CHECK(!"a fault");
	}
	if (info.si_signo != signal || info.si_code != code ||
	    (code != SI_KERNEL && info.si_addr != address)) {
		printf("%c %p: signal %d code %d address %p\n", access, address,
		       info.si_signo, info.si_code, info.si_addr);
		exit(0);
	}
	CHECK(info.si_errno == 0);
}

static void do_codes(void)
{
	char *read_only = map(PROT_READ), *none = map(PROT_NONE);
	char *data = map(PROT_READ | PROT_WRITE);

	data[0] = 1;
	handle(SIGSEGV, on_jump, 0);
	handle(SIGBUS, on_jump, 0);
	expect_fault('r', NULL, SIGSEGV, SEGV_MAPERR);
	expect_fault('w', (void *)0x123, SIGSEGV, SEGV_MAPERR);
	expect_fault('x', (void *)0x40, SIGSEGV, SEGV_MAPERR);
	expect_fault('w', read_only + 5, SIGSEGV, SEGV_ACCERR);
	expect_fault('r', none + 9, SIGSEGV, SEGV_ACCERR);
	expect_fault('x', data, SIGSEGV, SEGV_ACCERR);
	expect_fault('w', (void *)(uintptr_t)do_codes, SIGSEGV, SEGV_ACCERR);
	expect_fault('w', (void *)(UINT64_C(1) << 46), SIGSEGV, SEGV_MAPERR);
	if (WILD_ADDRESS)
		expect_fault('r', (void *)WILD_ADDRESS, SIGSEGV, SI_KERNEL);
	CHECK(!mprotect(data, PAGE, PROT_READ));
	expect_fault('w', data, SIGSEGV, SEGV_ACCERR);
}

static void expect_signal(void (*run)(void), int signal, int code,
			  void *address)
{
	info = (siginfo_t){ 0 };
	if (!sigsetjmp(back, 1))
		run();
	if (info.si_signo != signal || info.si_code != code ||
	    info.si_addr != address) {
		printf("signal %d code %d address %p, not %p\n", info.si_signo,
		       info.si_code, info.si_addr, address);
		exit(0);
	}
}

static void do_exceptions(void)
{
	handle(SIGFPE, on_jump, 0);
	handle(SIGILL, on_jump, 0);
	handle(SIGTRAP, on_jump, 0);
	expect_signal(asm_illegal, SIGILL, ILLEGAL_CODE,
		      (void *)(uintptr_t)asm_illegal);
	expect_signal(asm_break, SIGTRAP, BREAK_CODE, BREAK_ADDRESS);
	if (HAS_DIVISION_FAULT)
		expect_signal(asm_divide, SIGFPE, FPE_INTDIV,
			      (void *)(uintptr_t)asm_divide);
}

static void do_float(void)
{
	handle(SIGFPE, on_jump, 0);
	if (HAS_DIVISION_FAULT)
		expect_signal(asm_float, SIGFPE, FPE_FLTDIV,
			      (void *)(uintptr_t)asm_float_at);
}

/* A handler skips an instruction, and changes a register. */
static void on_skip(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	skip_illegal(context);
}

void on_clobber(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	asm_clobber();
	CHECK(is_frame_good(context));
}

int spin_keeps(volatile int *counter, long least)
{
	return asm_spin_keeps(counter, least);
}

static void do_registers(void)
{
	handle(SIGILL, on_skip, 0);
	CHECK(asm_skip() == 77);
	handle(SIGUSR1, on_clobber, 0);
	CHECK(asm_raise_keeps(getpid(), SIGUSR1) && count == 3);
}

static void on_frame(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	spoil_frame(context, (int)number);
}

/* Frames that no program may return to. */
static void do_frame(void)
{
	use_stack(0);
	handle(SIGSEGV, on_jump, SA_ONSTACK);
	handle(SIGUSR1, on_frame, 0);
	for (number = 0; number < SPOILS; number++) {
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		CHECK(last == SIGSEGV && info.si_code == SPOILED_CODE);
	}
	last = 0;
	if (!sigsetjmp(back, 1))
		asm_sigreturn_at(page + 64);
	CHECK(last == SIGSEGV);
}

static void do_wild_return(void)
{
	signal(SIGSEGV, SIG_DFL);
	asm_sigreturn_at((char *)number);
}

static void do_wild_stack(void)
{
	handle(SIGUSR1, on_info, 0);
	asm_kill_at((char *)number, getpid(), SIGUSR1);
}

static void on_fault_again(int signal, siginfo_t *given, void *context)
{
	on_info(signal, given, context);
	*(volatile char *)nowhere = 1;
}

static void do_fault_in_handler(void)
{
	handle(SIGSEGV, on_fault_again, number ? SA_NODEFER : 0);
	use_stack(0);
	*(volatile char *)nowhere = 1;
}

static void do_blocked_fault(void)
{
	handle(SIGSEGV, on_info, 0);
	block(SIG_BLOCK, SIGSEGV);
	*(volatile char *)nowhere = 1;
}

static void do_raise(void)
{
	raise((int)number);
}

/* How often the handler has run that is installed before the snapshot. */
static volatile int early;

static void on_early(int signal)
{
	(void)signal;
	early++;
}

static void do_early(void)
{
	struct itimerval timer;
	sigset_t set;

	CHECK(!early && !raise(SIGHUP) && early == 1);
	CHECK(!sigpending(&set) && sigismember(&set, SIGIO));
	CHECK(!getitimer(ITIMER_REAL, &timer) && timer.it_value.tv_sec > 900);
	CHECK(alarm(0) > 900);
	block(SIG_UNBLOCK, SIGIO);
	CHECK(early == 2);
}

/* A timer of a few milliseconds, from before the snapshot. */
static void do_left(void)
{
	while (!early)
		;
	CHECK(early == 1);
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "info", do_info },
	{ "nested", do_nested },
	{ "masks", do_masks },
	{ "queue", do_queue },
	{ "stack", do_stack },
	{ "overflow", do_overflow },
	{ "fix", do_fix },
	{ "codes", do_codes },
	{ "exceptions", do_exceptions },
	{ "registers", do_registers },
	{ "float", do_float },
	{ "frame", do_frame },
	{ "wild_return", do_wild_return },
	{ "wild_stack", do_wild_stack },
	{ "fault_in_handler", do_fault_in_handler },
	{ "blocked_fault", do_blocked_fault },
	{ "compute", do_compute },
	{ "sleep", do_sleep },
	{ "restart", do_restart },
	{ "alarm", do_alarm },
	{ "threads", do_threads },
	{ "timers", do_timers },
	{ "timer_limit", do_timer_limit },
	{ "loop", do_loop },
	{ "raise", do_raise },
	{ "wait", do_wait },
	{ "early", do_early },
	{ "left", do_left },
};

/* What happens before the snapshot, as the first argument says. */
static void set_up(const char *how)
{
	page = map(PROT_NONE);
	signal(SIGHUP, on_early);
	signal(SIGIO, on_early);
	if (!strcmp(how, "early")) {
		block(SIG_BLOCK, SIGIO);
		raise(SIGIO);
		alarm(1000);
	}
	if (!strcmp(how, "left")) {
		signal(SIGALRM, on_early);
		set_timer(ITIMER_REAL, 20000, 0);
	}
	if (!strcmp(how, "fault")) {
		handle(SIGSEGV, on_fix, 0);
		*(volatile char *)page = 7;
		count = 0;
		page = map(PROT_NONE);
	}
	if (!strcmp(how, "timer")) {
		handle_simply(SIGALRM, 0);
		set_timer(ITIMER_REAL, 1000, 0);
		while (!count)
			;
		count = 0;
	}
}

int main(int argc, char **argv)
{
	ssize_t size;

	set_up(argc > 1 ? argv[1] : "");
	size = read(0, input, sizeof(input) - 1);
	if (size < 0)
		return 5;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(input, commands[i].name, length) ||
		    (input[length] && input[length] != ' '))
			continue;
		number = strtol(input + length, NULL, 0);
		commands[i].run();
		printf("good\n");
		return 0;
	}
	return 6;
}
