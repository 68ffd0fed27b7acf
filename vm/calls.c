/* calls.c - what architectures have in common of calls.h; see there. */
#include "vm/calls.h"

#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/vm_internal.h"

void vm_call_get(const struct vm *vm, struct vm_call *ret_call)
{
	arch_call_get(vm, ret_call);
}

void vm_call_return(struct vm *vm, uint64_t result)
{
	arch_call_return(vm, result);
}

int vm_call_save(const struct vm *vm, struct thaw_frame *ret_frame)
{
	return arch_call_save(vm, ret_frame);
}

int vm_frame_save(const struct vm *vm, const struct vm_exit *exit,
		  struct thaw_frame *ret_frame)
{
	return arch_frame_save(vm, exit, ret_frame);
}

int vm_frame_load(struct vm *vm, const struct thaw_frame *frame)
{
	return arch_frame_load(vm, frame);
}

bool vm_frame_is_users(const struct thaw_frame *frame)
{
	return arch_frame_is_users(frame);
}

void vm_frame_clone(struct thaw_frame *frame, const uint64_t *sp,
		    const uint64_t *thread)
{
	frame->general[0] = 0;
	if (thread)
		frame->thread = *thread;
	if (sp)
		arch_frame_set_sp(frame, *sp);
}

int vm_set_thread(struct vm *vm, uint64_t thread)
{
	return arch_set_thread(vm, thread);
}

void vm_frame_begin(struct thaw_frame *ret_frame, uint64_t pc, uint64_t sp)
{
	arch_frame_begin(ret_frame, pc, sp);
}

void vm_features(uint64_t *ret_first, uint64_t *ret_second)
{
	arch_features(ret_first, ret_second);
}

uint64_t vm_vector_features(const struct vm *vm)
{
	return arch_vector_features(vm);
}

uint64_t vm_signal_return_address(void)
{
	return arch_signal_return_address();
}

uint64_t vm_resume_address(void)
{
	return THAW_GPA_STUB + (uint64_t)(thaw_stub_resume - thaw_stub_start);
}

uint64_t vm_try_call_address(void)
{
	return THAW_GPA_STUB + (uint64_t)(thaw_stub_call - thaw_stub_start);
}
