/*
 * info.h - the info page: what the host tells the guest.
 */
#ifndef SNAPSHOT_INFO_H
#define SNAPSHOT_INFO_H

#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"
#include "vm/vm.h"

/* Fills what is fixed at boot. @environment: the guest's address of it. */
void info_set_layout(struct thaw_info *info, const struct layout *layout,
		     uint64_t environment);

/*
 * Fills what is new in every invocation: clocks, by which it is @now, plus
 * @clock_skew_ns (0 but in tests), entropy, and a generation no other
 * invocation on this machine is likely to have had. 0, or -errno from
 * entropy_fill().
 */
int info_refresh(struct thaw_info *info, const struct vm *vm,
		 const struct vm_moment *now, uint64_t clock_skew_ns);

/*
 * Refreshes the info page of @vm, which a Linux program runs in; *@ret_info has what is
 * new in it. 0 or -errno.
 */
int info_renew(struct vm *vm, uint64_t clock_skew_ns,
	       struct thaw_info *ret_info);

/*
 * Lays out @environment (NULL-terminated "NAME=value"s, may be NULL) in the
 * pages at THAW_GPA_ENVIRONMENT of @memory. Returns -E2BIG if it is too large.
 */
int info_put_environment(uint8_t *memory, char *const *environment,
			 struct error *err);

#endif
