/*
 * thaw_host.h - how a host function can end: the same for functions (thaw_import.h)
 * and for programs that offer host functions (libthaw.h).
 */
#ifndef THAW_HOST_H
#define THAW_HOST_H

/* What a call of a host function returns; anything but THAW_HOST_OK has no result. */
enum thaw_host_status {
	THAW_HOST_OK = 0,
	/* the function ran, and reports an error */
	THAW_HOST_FAILED = 1,
	/* there is none of that name, or the catalog's host.allow does not list it */
	THAW_HOST_NOT_FOUND = 2,
	/* it takes other arguments, or the call is not valid */
	THAW_HOST_INVALID = 3,
	/* arguments or result are larger than the catalog's host.max_size */
	THAW_HOST_TOO_LARGE = 4,
	/* it cannot be called now, but perhaps later */
	THAW_HOST_BUSY = 5,
	/* there is no memory for it, in the guest or in the host */
	THAW_HOST_NO_MEMORY = 6
};

#endif
