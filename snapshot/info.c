/* info.c - fills the info page. See info.h. */
#include "snapshot/info.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/entropy.h"
#include "base/hot.h"

void info_set_layout(struct thaw_info *info, const struct layout *layout,
		     uint64_t environment)
{
	info->abi_version = THAW_ABI_VERSION;
	info->page_size = THAW_PAGE_SIZE;
	info->dispatch = layout->entry;
	info->stack_top = layout->stack.start + layout->stack.size;
	info->heap_start = layout->heap.start;
	info->heap_end = layout->heap.start + layout->heap.size;
	info->request_start = layout->request.start;
	info->request_size = layout->request_max;
	info->reply_start = layout->reply.start;
	info->reply_size = layout->reply_max;
	info->environment = environment;
	info->result_start = layout->result.start;
	info->result_size = (uint32_t)layout->result_max;
}

HOT int info_refresh(struct thaw_info *info, const struct vm *vm,
		     const struct vm_moment *now, uint64_t clock_skew_ns)
{
	struct {
		uint8_t entropy[THAW_ENTROPY_SIZE];
		uint64_t generation;
	} random;

	int r = entropy_fill(&random, sizeof(random));

	if (r)
		return r;
	memcpy(info->entropy, random.entropy, sizeof(info->entropy));
	/* 0 is what a guest that has seen none yet compares with */
	info->generation = random.generation | 1;

	vm_counter_scale(vm, &info->counter_mult, &info->counter_shift);
	info->counter_base = vm_counter_at(vm, now);
	info->monotonic_base_ns = now->monotonic_ns + clock_skew_ns;
	info->realtime_base_ns = now->realtime_ns + clock_skew_ns;
	return 0;
}

int info_renew(struct vm *vm, uint64_t clock_skew_ns,
	       struct thaw_info *ret_info)
{
	const size_t start = offsetof(struct thaw_info, counter_base);
	const size_t end = offsetof(struct thaw_info, request);
	const struct vm_moment now = vm_now();
	int r = info_refresh(ret_info, vm, &now, clock_skew_ns);

	return r ? r :
		   vm_write(vm, THAW_GPA_INFO + start,
			    (const char *)ret_info + start, end - start);
}

int info_put_environment(uint8_t *memory, char *const *environment,
			 struct error *err)
{
	size_t count = 0, used;
	uint64_t pointer;

	while (environment && environment[count])
		count++;
	used = (count + 1) * sizeof(pointer);
	for (size_t i = 0; i < count && used <= THAW_ENVIRONMENT_MAX; i++) {
		size_t size = strlen(environment[i]) + 1;

		pointer = THAW_GPA_ENVIRONMENT + used;
		if (used + size <= THAW_ENVIRONMENT_MAX) {
			memcpy(memory + pointer, environment[i], size);
			memcpy(memory + THAW_GPA_ENVIRONMENT +
				       i * sizeof(pointer),
			       &pointer, sizeof(pointer));
		}
		used += size;
	}
	if (used > THAW_ENVIRONMENT_MAX)
		return error_set(err, -E2BIG,
				 "the environment takes more than %d bytes",
				 THAW_ENVIRONMENT_MAX);
	return 0;
}
