/*
 * catalog_function.h - one function as a catalog describes it, and the words that
 * a catalog has for its values.
 */
#ifndef EXECUTOR_CATALOG_FUNCTION_H
#define EXECUTOR_CATALOG_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/catalog_host.h"
#include "guest/abi/thaw_log.h"

struct catalog_concurrency {
	unsigned int max;	   /* vms, and so invocations at a time */
	unsigned int warm;	   /* vms kept although idle, <= max */
	unsigned int queue;	   /* invocations that may wait for a vm */
	uint64_t queue_timeout_ns; /* how long one waits */
};

/* A request that a Linux program answers before its snapshot; count 0: none. */
struct catalog_warm_input {
	char *text; /* the request itself; NULL: it is in the file */
	char *file; /* its path, resolved; or NULL */
	unsigned int count;
};

/* A request that the guest of the base answers, to become that of the function. */
struct catalog_init {
	char *entry; /* handler; NULL: the function's */
	char *text;  /* the request; NULL: there is none, nor a base */
	size_t size; /* of it */
	char *file;  /* whose bytes it has, resolved; or NULL */
};

/* What runs in the vm. */
enum catalog_kind {
	CATALOG_KIND_NATIVE = 0, /* an image, built against the SDK */
	CATALOG_KIND_LINUX,	 /* a Linux program */
};

/* Which devices a Linux program has besides its standard files. */
enum catalog_devices {
	CATALOG_DEVICES_LINUX = 0,
	CATALOG_DEVICES_GUNYAH, /* those of the Gunyah C runtime as well */
};

/* How a vm waits for its next request. */
enum catalog_dispatch {
	CATALOG_DISPATCH_EXIT = 0, /* by leaving guest mode */
	CATALOG_DISPATCH_POLLED,   /* inside the guest, on its own core */
	CATALOG_DISPATCH_AUTO,	   /* either, by the function's rate */
};

/* Where a polled vm waits. */
enum catalog_isolation {
	/* in supervisor code, which the function cannot change */
	CATALOG_ISOLATION_STRICT = 0,
	/*
	 * In user mode: cheaper, but code that has been taken over could stay
	 * from one invocation to the next.
	 */
	CATALOG_ISOLATION_COOPERATIVE,
};

/* One function. Every field has a value; what was left out has its default. */
struct catalog_function {
	char *name; /* unique in the catalog */
	enum catalog_kind kind;
	char *image;	    /* path of the ELF, resolved; of a program, too */
	char *program;	    /* the same, while it is read; NULL afterwards */
	char **arguments;   /* of a program, its name first; NULL-terminated */
	char *entry;	    /* handler; "": the one called like the function,
			       or the image's only one */
	char *description;  /* "" if none */
	char *root;	    /* directory that a program has as /, which its
			       image lies beneath; NULL: the host's files */
	char **files;	    /* paths that a program sees; NULL-terminated */
	char **environment; /* "NAME=VALUE", NULL-terminated */
	struct catalog_warm_input warm_input;
	char *base; /* function whose guest it goes on from; NULL: it boots */
	struct catalog_init init;
	char **interrupts; /* see catalog_interrupts.h; NULL-terminated */
	enum catalog_devices devices;
	char **labels; /* "NAME=VALUE", NULL-terminated */

	/* bytes */
	size_t memory;
	size_t stack;
	size_t max_request;
	size_t max_reply;
	size_t tmp; /* that a program may write to files */

	uint64_t timeout_ns;	       /* one invocation */
	uint64_t init_timeout_ns;      /* boot and init, until ready */
	uint64_t base_init_timeout_ns; /* that of the base */
	/*
	 * How long a server's worker runs one invocation itself: then it goes
	 * on where it keeps nobody waiting.
	 */
	uint64_t inline_budget_ns;

	struct catalog_concurrency concurrency;
	enum thaw_level log_level;

	struct catalog_host host;

	enum catalog_dispatch dispatch;
	enum catalog_isolation isolation; /* strict if @untrusted */
	bool untrusted;			  /* its code is not trusted */
	bool writable_code; /* a program's memory may be so, and executable */
	bool critical;	    /* a server without it is not ready */
};

/*
 * Frees what @function points to, which may be half-read, but not the struct
 * itself.
 */
void catalog_function_done(struct catalog_function *function);

/* Whether @a and @b are equal in every field. */
bool catalog_function_equal(const struct catalog_function *a,
			    const struct catalog_function *b);

/* The word of a value, which must be one of the enum; static. */
const char *catalog_log_level_name(enum thaw_level level);
const char *catalog_dispatch_name(enum catalog_dispatch dispatch);
const char *catalog_isolation_name(enum catalog_isolation isolation);

/* Values that are words: the value of each is its place in the list. */
struct catalog_words {
	const char *noun; /* what a word stands for */
	size_t count;
	const char *const *list;
};
extern const struct catalog_words catalog_kinds;
extern const struct catalog_words catalog_devices;
extern const struct catalog_words catalog_log_levels;
extern const struct catalog_words catalog_dispatches;
extern const struct catalog_words catalog_isolations;

#endif
