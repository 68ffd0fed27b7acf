/*
 * start.c - the two ways into a function. The entry stub jumps to _start when
 * the image boots, and for every invocation to what _start published as
 * dispatch. Neither returns.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "sdk.h"

extern const struct thaw_handler_record __thaw_handlers_start[];
extern const struct thaw_handler_record __thaw_handlers_end[];
extern const struct thaw_init_record __thaw_inits_start[];
extern const struct thaw_init_record __thaw_inits_end[];
extern void (*const __thaw_init_array_start[])(void);
extern void (*const __thaw_init_array_end[])(void);

/* The thread-local variables, in place, as function.ld says. */
struct thread_locals {
	uint64_t start, end, align;
};

/* ELF's Elf64_Rela; of an indirect function (ifunc) the addend is a resolver. */
struct relocation {
	uint64_t place;
	uint64_t info; /* the low half is the type */
	uint64_t (*resolve)(uint64_t hwcap, const uint64_t *more);
};

extern const struct thread_locals __thaw_thread_locals;
extern const struct relocation __thaw_relocations_start[];
extern const struct relocation __thaw_relocations_end[];

/* gold puts those of indirect functions elsewhere, and says itself where. */
#define OF_GOLD __attribute__((weak, visibility("hidden")))
extern const struct relocation __rela_iplt_start[] OF_GOLD;
extern const struct relocation __rela_iplt_end[] OF_GOLD;

char **environ;

/* 0 without thread-local variables. */
static uint64_t thread_pointer;

_Noreturn void _start(void);

static size_t handler_count(void)
{
	return (size_t)(__thaw_handlers_end - __thaw_handlers_start);
}

/* A handler is called with the request, a typed function with its arguments. */
static _Noreturn void dispatch(void)
{
	uint32_t handler = thaw_info->request.handler;
	const bool is_typed = handler == THAW_HANDLER_TYPED;
	const struct thaw_request request = {
		.data = (const void *)thaw_info->request_start,
		.size = thaw_info->request.size,
		.content_type = (const char *)thaw_info->request.content_type,
		.function = (const char *)thaw_info->request.function,
		.handler = is_typed ? "" : __thaw_handlers_start[handler].name,
		.id = (const char *)thaw_info->request.id,
		.deadline_ns = thaw_info->request.deadline_ns,
	};
	int r;

	if (thread_pointer)
		thaw_arch_set_thread_pointer(thread_pointer);
	thaw_entropy_reseed();
	if (is_typed)
		thaw_typed_run(&request);
	r = __thaw_handlers_start[handler].function(&request);
	/* often it is why: return thaw_reply(...) */
	if (r && !thaw_reply_overflowed())
		thaw_fail("Runtime.HandlerError", "handler %s returned %d",
			  request.handler, r);
	thaw_done();
}

const char *thaw_attribute(const char *name)
{
	const char *at = (const char *)THAW_GPA_ATTRIBUTES;
	const char *end = at + thaw_info->request.attributes_size;

	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (!strcmp(at, name))
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

/* A resolver that is told of no capabilities asks the CPU, or takes the base. */
static void resolve(const struct relocation *at, const struct relocation *end)
{
	static const uint64_t none[3] = { sizeof(none) };

	for (size_t count = (size_t)(end - at); count; count--, at++)
		if ((uint32_t)at->info == THAW_ARCH_INDIRECT)
			*(uint64_t *)at->place = at->resolve(0, none);
}

static void make_thread(void)
{
	const struct thread_locals *locals = &__thaw_thread_locals;

	if (locals->start == locals->end)
		return;
	if (!thaw_arch_has_thread_pointer())
		thaw_fail("Runtime.InitError",
			  "it has thread-local variables, and this CPU does "
			  "not let user mode set FS (FSGSBASE): make them "
			  "static");
	thread_pointer = thaw_arch_place_thread_pointer(locals->start,
							locals->end,
							locals->align);
	thaw_arch_set_thread_pointer(thread_pointer);
}

static void run_inits(void)
{
	for (size_t i = 0;
	     i < (size_t)(__thaw_init_array_end - __thaw_init_array_start); i++)
		__thaw_init_array_start[i]();
	for (const struct thaw_init_record *init = __thaw_inits_start;
	     init < __thaw_inits_end; init++) {
		int r;

		/* the host says which one has not ended in time */
		strncpy((char *)thaw_mailbox->error_message, init->name,
			sizeof(thaw_mailbox->error_message) - 1);
		r = init->function();
		if (r)
			thaw_fail("Runtime.InitError", "init %s returned %d",
				  init->name, r);
	}
}

_Noreturn void _start(void)
{
	environ = (char **)thaw_info->environment;
	resolve(__thaw_relocations_start, __thaw_relocations_end);
	resolve(__rela_iplt_start, __rela_iplt_end);
	make_thread();
	thaw_stdio_init();
	thaw_entropy_reseed();
	run_inits();
	thaw_stdio_flush();
	thaw_reply_reset();

	thaw_mailbox->abi_version = THAW_ABI_VERSION;
	thaw_mailbox->handler_count = (uint32_t)handler_count();
	thaw_mailbox->handlers = (uintptr_t)__thaw_handlers_start;
	thaw_typed_ready();
	thaw_host_ready();
	thaw_mailbox->dispatch = (uintptr_t)dispatch;
	for (;;)
		thaw_arch_ring(THAW_BELL_READY);
}
