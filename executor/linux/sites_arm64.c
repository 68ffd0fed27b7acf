/* sites_arm64.c - there are none: see sites.h. */
#include "executor/linux/sites.h"

#include "guest/abi/thaw_shim.h"

void sites_note(struct sites *sites, const struct space *space,
		const struct vm_call *call)
{
	(void)sites;
	(void)space;
	(void)call;
}

int sites_change(const struct sites *sites, struct linux_process *process,
		 int fd)
{
	(void)sites;
	(void)process;
	(void)fd;
	return 0;
}

bool sites_are_good(const uint8_t *memory)
{
	for (size_t i = 0; i < THAW_SITES_SIZE; i++)
		if (memory[THAW_GPA_SITES + i])
			return false;
	return true;
}
