/*
 * control.c - the control page. See control.h. Its calls are on the hot path of
 * every dispatch. From here go to run.c and poll.c.
 *
 * Orderings with the guest: what the owner has written (the request, restored
 * pages) is before its store of GO, a release, which pairs with the guest's load
 * of GO, an acquire. What the function has written, and what KVM has put into the
 * dirty ring for it on the same CPU, is before the gate's store of DONE, a
 * release, which pairs with the acquire in control_is_done(). poll.c needs the
 * stores and loads of GO and DONE in one order for all threads: so they are
 * sequentially consistent. A store that loads follow is an exchange; see
 * watchdog.c.
 */
#include "vm/control.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hot.h"

int control_init(struct control *control, int vm_fd, struct error *err)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	struct kvm_userspace_memory_region slot = {
		.slot = 1,
		.guest_phys_addr = THAW_GPA_CONTROL,
		.memory_size = size,
	};
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return error_set(err, -errno, "mapping a control page: %s",
				 strerror(errno));
	control->page = page;
	control->size = size;
	slot.userspace_addr = (uintptr_t)page;
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot))
		return error_set(err, -errno,
				 "KVM_SET_USER_MEMORY_REGION for the control "
				 "page: %s",
				 strerror(errno));
	return 0;
}

void control_done(struct control *control)
{
	if (control->page)
		munmap(control->page, control->size);
}

HOT void control_reset(struct control *control)
{
	control->is_new = true;
	control->at_gate = false;
	if (!control->page)
		return;
	__atomic_store_n(&control->page->done, control->go, __ATOMIC_SEQ_CST);
	__atomic_store_n(&control->page->go, control->go, __ATOMIC_SEQ_CST);
}

HOT void control_begin(struct control *control, uint32_t looks)
{
	if (!control->page || !control->is_new)
		return;
	control->is_new = false;
	control->at_gate = false;
	control->go++;
	__atomic_store_n(&control->page->spins, looks, __ATOMIC_RELAXED);
	__atomic_exchange_n(&control->page->go, control->go, __ATOMIC_SEQ_CST);
}

void control_set_looks(struct control *control, uint32_t looks)
{
	__atomic_exchange_n(&control->page->spins, looks, __ATOMIC_SEQ_CST);
}
