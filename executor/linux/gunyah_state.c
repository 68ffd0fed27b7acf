/* gunyah_state.c - see gunyah_state.h. */
#include "executor/linux/gunyah_state.h"

#include <signal.h>

#include "guest/abi/thaw_abi.h"

/* SA_RESTORER of the kernel's interface: a handler returns to where it says. */
#define SA_RESTORER_FLAG 0x04000000u

_Static_assert(GUNYAH_RETURN_ADDRESS < THAW_GPA_SYSTEM, "never mapped");

void gunyah_state_init(struct gunyah *gunyah, struct signals *signals,
		       const struct gunyah_options *options)
{
	if (!options->is_on)
		return;
	gunyah->is_on = true;
	interrupts_init(&gunyah->interrupts);
	signals->actions[GUNYAH_SIGNAL - 1] = (struct linux_action){
		.handler = GUNYAH_RETURN_ADDRESS,
		.flags = SA_RESTORER_FLAG | SA_SIGINFO | SA_RESTART,
		.restorer = GUNYAH_RETURN_ADDRESS,
	};
}

void gunyah_state_copy(struct gunyah *to, const struct gunyah *from)
{
	if (from->is_on && (!to->is_on || to->is_changed))
		*to = *from;
	to->is_changed = false;
}
