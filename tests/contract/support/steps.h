/*
 * steps.h - tells the handler `steps` of pages.elf (tests/guest/pages.h) which pages
 * to write.
 *
 *	struct thaw *thaw = open_steps(&(struct steps_options){
 *		.backend = backends[_i], .memory = "4MiB" });
 *	struct steps steps = { 0 };
 *
 *	steps_add(&steps, STEP_CHANGE, 0, 64);
 *	steps_invoke(thaw, &steps, 0, &reply);
 *	...
 *	thaw_reply_release(&reply);
 */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/libthaw.h"
#include "tests/guest/pages.h"

/* The function's max_request and max_reply, in bytes. */
#define STEPS_REQUEST_MAX (64u << 10)
#define STEPS_REPLY_MAX (16u << 10)

#define STEPS_MAX 32

/* A request. All zero is an empty one. */
struct steps {
	struct {
		uint32_t count;
		struct page_step steps[STEPS_MAX];
		uint8_t more[STEPS_REQUEST_MAX];
	} request;
	size_t more_size; /* bytes of @more that follow the steps */
};

struct steps_options {
	const char *backend;
	const char *memory;    /* "4MiB" */
	unsigned concurrency;  /* 0: one vm */
	bool verify;	       /* compare all memory after each restore */
	uint64_t poll_wait_ns; /* 0: that of backend_options() */
	const char *restore;   /* NULL: "copy" */
};

/*
 * Opens a catalog with the function "steps" only, as guests.h says: with @state_dir, and if
 * there is one, with the log. The caller closes it.
 */
struct thaw *open_steps(const struct steps_options *options);

/* At least how many pages of the host @count pages of the guest are. */
unsigned host_pages(unsigned count);

void steps_add(struct steps *steps, enum page_step_kind kind, uint32_t first,
	       uint32_t count);

/* Invokes "steps"; @timeout_ns 0 is 60 s. The test fails if it is refused. */
void steps_invoke(struct thaw *thaw, const struct steps *steps,
		  uint64_t timeout_ns, struct thaw_reply *ret_reply);

/*
 * Changes @count pages from @first on, and releases the reply, which is returned for
 * its counts. The test fails if the invocation does.
 */
struct thaw_reply change_pages(struct thaw *thaw, uint32_t first,
			       uint32_t count);

#endif
