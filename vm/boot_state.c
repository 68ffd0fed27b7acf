/* boot_state.c - see boot_state.h. */
#include "vm/boot_state.h"

#include <stdlib.h>

#include "vm/arch.h"
#include "vm/kvm.h"
#include "vm/vm_internal.h"

int vm_boot_state(struct vm *vm, const struct layout *layout, struct error *err,
		  struct vcpu_state **ret_state)
{
	uint32_t features[ARCH_FEATURES];

	arch_machine_features(features);
	return arch_boot_state(vm, layout, features, err, ret_state);
}

int vm_new_state(const struct vm_config *config, const struct layout *layout,
		 const uint32_t features[VM_FEATURES], struct error *err,
		 struct vcpu_state **ret_state)
{
	struct vm *vm;
	int r = shells_take(config, err, &vm);

	if (r)
		return r;
	r = arch_boot_state(vm, layout, features, err, ret_state);
	if (!r && shells_suit(config))
		shells_give(vm);
	else
		vm_shell_free(vm);
	return r;
}

void vm_state_free(struct vcpu_state *state)
{
	free(state);
}

size_t vm_state_size(void)
{
	return arch_state_size;
}

_Static_assert(VM_FEATURES == ARCH_FEATURES, "the same ones");

uint32_t vm_architecture(void)
{
	return arch_machine;
}

int vm_get_machine(struct error *err, struct vm_machine *ret_machine)
{
	const struct kvm_host *host;
	int r = kvm_open(err, &host);

	if (r)
		return r;
	*ret_machine = (struct vm_machine){ .architecture = arch_machine };
	arch_machine_features(ret_machine->features);
	return 0;
}
