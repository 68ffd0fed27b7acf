/*
 * sites_x86_64.c - see sites.h.
 *
 * Reference: Intel SDM volume 2 (MOV, JMP, SYSCALL).
 */
#include "executor/linux/sites.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor/linux/process.h"
#include "guest/abi/thaw_shim.h"
#include "vm/layout.h"

#define MOV_EAX 0xb8
#define MOV_ECX 0xb9
#define JMP 0xe9
#define JMP_SIZE 5
#define SYSCALL_SIZE 2

/* mov $number, %eax; syscall */
#define SITE_SIZE 7
/* syscall; cmp $-4096, %rax. The call returns to the last. */
static const uint8_t test_site[] = { 0x0f, 0x05, 0x48, 0x3d,
				     0x00, 0xf0, 0xff, 0xff };

_Static_assert(SITES_MAX *THAW_SITE_SIZE <= THAW_SITES_SIZE, "room for all");

static bool is_site(const uint8_t *code, uint32_t number)
{
	return code[0] == MOV_EAX && !memcmp(code + 1, &number, 4) &&
	       code[5] == 0x0f && code[6] == 0x05;
}

/* What is at a place, if it still is one. */
enum site_kind {
	SITE_NONE,
	SITE_MOV,
	SITE_TEST
};

static enum site_kind site_kind(const uint8_t *before, const uint8_t *test_code,
				uint32_t number)
{
	if (before && is_site(before, number))
		return SITE_MOV;
	if (test_code && (number == SYS_read || number == SYS_exit_group) &&
	    !memcmp(test_code, test_site, sizeof(test_site)))
		return SITE_TEST;
	return SITE_NONE;
}

static enum site_kind find_site(const struct space *space, uint64_t pc,
				uint32_t number)
{
	return site_kind(space_view(space, pc - SITE_SIZE, SITE_SIZE),
			 space_view(space, pc - SYSCALL_SIZE,
				    sizeof(test_site)),
			 number);
}

void sites_note(struct sites *sites, const struct space *space,
		const struct vm_call *call)
{
	if (call->pc > INT32_MAX || call->pc < THAW_GPA_IMAGE ||
	    call->number > INT32_MAX || sites->count == SITES_MAX ||
	    !find_site(space, call->pc, (uint32_t)call->number))
		return;
	for (size_t i = 0; i < sites->count; i++)
		if (sites->list[i].pc == call->pc)
			return;
	sites->list[sites->count].pc = (uint32_t)call->pc;
	sites->list[sites->count++].number = (uint32_t)call->number;
}

/* Code that is being written, for the address @at. */
struct code {
	uint8_t bytes[THAW_SITE_SIZE];
	size_t size;
	uint64_t at;
};

static void add_bytes(struct code *code, const void *bytes, size_t size)
{
	memcpy(code->bytes + code->size, bytes, size);
	code->size += size;
}

static void add_operand(struct code *code, uint8_t instruction,
			uint32_t operand)
{
	add_bytes(code, &instruction, sizeof(instruction));
	add_bytes(code, &operand, sizeof(operand));
}

static void add_jump(struct code *code, uint64_t to)
{
	add_operand(code, JMP,
		    (uint32_t)(to - (code->at + code->size + JMP_SIZE)));
}

static int write_code(int fd, const struct code *code)
{
	return pwrite(fd, code->bytes, code->size, (off_t)code->at) ==
			       (ssize_t)code->size ?
		       0 :
		       -EIO;
}

/* What a place jumps to does as SYSCALL does to RCX, and goes to the shim. */
static int change_mov(int fd, uint64_t slot, uint32_t pc, uint32_t number)
{
	struct code ours = { .at = slot };
	struct code theirs = { .at = pc - SITE_SIZE };
	int r;

	add_operand(&ours, MOV_EAX, number);
	add_operand(&ours, MOV_ECX, pc);
	add_jump(&ours, THAW_GPA_VDSO + THAW_VDSO_JUMP);
	r = write_code(fd, &ours);
	add_jump(&theirs, slot);
	return r ? r : write_code(fd, &theirs);
}

/* The frame may be that of this very call, or of another thread that waits in it. */
static int move_frames(struct linux_process *process, int fd, uint64_t from,
		       uint64_t to)
{
	const off_t at = THAW_GPA_FRAME + THAW_FRAME_PC;
	uint64_t pc;

	for (unsigned i = 0; i < process->threads.count; i++) {
		struct linux_thread *thread = process->threads.list[i];

		if (thread != process->threads.loaded &&
		    thread->frame->pc == from)
			thread->frame->pc = to;
	}
	if (pread(fd, &pc, sizeof(pc), at) != (ssize_t)sizeof(pc))
		return -EIO;
	if (pc != from)
		return 0;
	return pwrite(fd, &to, sizeof(to), at) == (ssize_t)sizeof(to) ? 0 :
									-EIO;
}

/* Whether a thread was stopped amid the instructions of a place. */
static bool is_amid(const struct linux_process *process, uint64_t start,
		    uint64_t end, uint64_t pc)
{
	for (unsigned i = 0; i < process->threads.count; i++) {
		const struct linux_thread *thread = process->threads.list[i];

		if (thread != process->threads.loaded &&
		    thread->frame->pc > start && thread->frame->pc < end &&
		    thread->frame->pc != pc)
			return true;
	}
	return false;
}

static int change_test(struct linux_process *process, int fd, uint64_t slot,
		       uint32_t pc)
{
	struct code ours = { .at = slot };
	struct code theirs = { .at = pc - SYSCALL_SIZE };
	const uint64_t end = theirs.at + sizeof(test_site);
	const uint32_t returns =
		(uint32_t)slot + 2 * JMP_SIZE; /* behind our jump */
	int r;

	if (is_amid(process, theirs.at, end, pc))
		return 0;
	add_operand(&ours, MOV_ECX, returns);
	add_jump(&ours, THAW_GPA_VDSO + THAW_VDSO_JUMP);
	add_bytes(&ours, test_site + SYSCALL_SIZE,
		  sizeof(test_site) - SYSCALL_SIZE);
	add_jump(&ours, end);
	r = write_code(fd, &ours);
	add_jump(&theirs, slot);
	if (!r)
		r = write_code(fd, &theirs);
	return r ? r : move_frames(process, fd, pc, returns);
}

static int change_site(struct linux_process *process, int fd, uint64_t slot,
		       uint32_t pc, uint32_t number)
{
	uint8_t code[SITE_SIZE + sizeof(test_site)];
	const off_t start = (off_t)pc - SITE_SIZE;

	/* its library may be gone, and another may be there */
	if (!space_is_code(&process->space, (uint64_t)start, sizeof(code)) ||
	    pread(fd, code, sizeof(code), start) != (ssize_t)sizeof(code))
		return 0;
	switch (site_kind(code, code + SITE_SIZE - SYSCALL_SIZE, number)) {
	case SITE_MOV:
		return change_mov(fd, slot, pc, number);
	case SITE_TEST:
		/* what a handler has interrupted may be in such a call */
		if (process->signals.handlers)
			return 0;
		return change_test(process, fd, slot, pc);
	default:
		return 0;
	}
}

int sites_change(const struct sites *sites, struct linux_process *process,
		 int fd)
{
	int r = 0;

	for (size_t i = 0; i < sites->count && !r; i++)
		r = change_site(process, fd,
				THAW_GPA_SITES + i * THAW_SITE_SIZE,
				sites->list[i].pc, sites->list[i].number);
	return r;
}

/* Makes what change_mov() or change_test() has put at @slot, where @is is. */
static void make_again(const uint8_t *is, uint64_t slot, struct code *ret_code)
{
	uint32_t first, second;

	*ret_code = (struct code){ .at = slot };
	memcpy(&first, is + 1, sizeof(first));
	if (is[0] == MOV_EAX) {
		memcpy(&second, is + JMP_SIZE + 1, sizeof(second));
		add_operand(ret_code, MOV_EAX, first);
		add_operand(ret_code, MOV_ECX, second);
		add_jump(ret_code, THAW_GPA_VDSO + THAW_VDSO_JUMP);
	} else if (is[0] == MOV_ECX) {
		add_operand(ret_code, MOV_ECX, (uint32_t)slot + 2 * JMP_SIZE);
		add_jump(ret_code, THAW_GPA_VDSO + THAW_VDSO_JUMP);
		add_bytes(ret_code, test_site + SYSCALL_SIZE,
			  sizeof(test_site) - SYSCALL_SIZE);
		/* it goes on where the program's own code is */
		add_bytes(ret_code, is + ret_code->size, JMP_SIZE);
		ret_code->bytes[ret_code->size - JMP_SIZE] = JMP;
	}
}

bool sites_are_good(const uint8_t *memory)
{
	struct code code;

	for (uint64_t at = THAW_GPA_SITES;
	     at < THAW_GPA_SITES + THAW_SITES_SIZE; at += THAW_SITE_SIZE) {
		make_again(memory + at, at, &code);
		if (memcmp(code.bytes, memory + at, THAW_SITE_SIZE) != 0)
			return false;
	}
	return true;
}
