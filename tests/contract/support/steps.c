/* steps.c - see steps.h */
#include "tests/contract/support/steps.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/abi/thaw_abi.h"
#include "tests/contract/support/guests.h"

struct thaw *open_steps(const struct steps_options *options)
{
	struct engine_options library = backend_options(options->backend);
	struct thaw_error error;
	struct thaw *thaw;
	char text[1024];
	int r;

	library.verify = options->verify;
	library.restore = options->restore;
	library.state_dir = state_dir;
	if (state_dir)
		library.log = take_line;
	if (options->poll_wait_ns)
		library.poll_wait_ns = options->poll_wait_ns;
	snprintf(text, sizeof(text),
		 "{\"version\":1,\"defaults\":{%s},\"functions\":[{\"name\":\"steps\","
		 "\"image\":\"%s/pages.elf\",\"memory\":\"%s\","
		 "\"stack\":\"64KiB\",\"max_request\":\"%uKiB\","
		 "\"max_reply\":\"%uKiB\",\"timeout\":\"60s\","
		 "\"concurrency\":{\"max\":%u,\"queue\":0}}]}",
		 backend_defaults(options->backend), TEST_GUESTS,
		 options->memory, STEPS_REQUEST_MAX / 1024,
		 STEPS_REPLY_MAX / 1024,
		 options->concurrency ? options->concurrency : 1);
	r = engine_open_text(text, strlen(text), "test.json", &library, &error,
			     &thaw);
	ck_assert_msg(!r, "%s", error.message);
	return thaw;
}

unsigned host_pages(unsigned count)
{
	return (unsigned)(count * THAW_PAGE_SIZE / sysconf(_SC_PAGESIZE));
}

void steps_add(struct steps *steps, enum page_step_kind kind, uint32_t first,
	       uint32_t count)
{
	ck_assert_uint_lt(steps->request.count, STEPS_MAX);
	steps->request.steps[steps->request.count++] = (struct page_step){
		.kind = kind, .first = first, .count = count
	};
}

void steps_invoke(struct thaw *thaw, const struct steps *steps,
		  uint64_t timeout_ns, struct thaw_reply *ret_reply)
{
	const struct thaw_invoke_request request = {
		.data = &steps->request,
		.size = offsetof(struct page_request, steps) +
			steps->request.count * sizeof(struct page_step) +
			steps->more_size,
		.timeout_ns = timeout_ns,
	};
	struct thaw_error error;
	int r = thaw_invoke(thaw, "steps", &request, &error, ret_reply);

	if (r) /* ck_assert() makes a system call even if it holds */
		ck_abort_msg("%d: %s", r, error.message);
}

struct thaw_reply change_pages(struct thaw *thaw, uint32_t first,
			       uint32_t count)
{
	struct steps steps;
	struct thaw_reply reply;

	steps.request.count = 0;
	steps.more_size = 0;
	steps_add(&steps, STEP_CHANGE, first, count);
	steps_invoke(thaw, &steps, 0, &reply);
	if (reply.result != THAW_OK)
		ck_abort_msg("%s", outcome(&reply));
	thaw_reply_release(&reply);
	return reply;
}
