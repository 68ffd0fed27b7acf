/*
 * io_uring_create.c - sets up a ring, and finds out whether this kernel has what
 * io_uring.c needs of it. See io_uring_internal.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/io/io_uring_internal.h"

#define SUBMISSIONS 256
#define COMPLETIONS 2048

/*
 * Buffers that are there at first. They are few: they are used in turn, and those
 * used lately are in the cache. Their number is doubled when they are too few.
 */
#define BUFFERS_FIRST 16

/* With less and less of what newer kernels have to offer. */
static int uring_setup_ring(struct uring *uring, struct error *err)
{
	static const unsigned fewer[] = {
		0,
		IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_SINGLE_ISSUER,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_SUBMIT_ALL,
	};
	unsigned flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
			 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |
			 IORING_SETUP_TASKRUN_FLAG |
			 IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN;
	int r = -EINVAL;

	for (size_t i = 0; r == -EINVAL && i < sizeof(fewer) / sizeof(*fewer);
	     i++) {
		struct io_uring_params params = { .cq_entries = COMPLETIONS };

		flags &= ~fewer[i];
		params.flags = flags;
		r = io_uring_queue_init_params(SUBMISSIONS, &uring->ring,
					       &params);
	}
	if (r == -EPERM)
		return error_set(err, r,
				 "io_uring_setup: %s: forbidden by seccomp, or "
				 "by the sysctl kernel.io_uring_disabled",
				 strerror(-r));
	if (r < 0)
		return error_set(err, r, "io_uring_setup: %s", strerror(-r));
	uring->has_ring = true;
	/* spares each call looking up the file; no matter if it cannot */
	io_uring_register_ring_fd(&uring->ring);
	return 0;
}

static void *uring_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Memory of buffers that were never used is not there. */
static int uring_setup_buffers(struct uring *uring, struct error *err)
{
	const size_t size = IO_BUFFERS_MAX * (size_t)IO_RECEIVE_MAX;
	int r;

	uring->buffers =
		uring_map(IO_BUFFERS_MAX * sizeof(struct io_uring_buf));
	uring->memory = uring_map(size);
	if (!uring->buffers || !uring->memory)
		return error_set(err, -ENOMEM, "no memory for buffers");
	madvise(uring->memory, size, MADV_NOHUGEPAGE);
	r = uring_register_buffers(uring);
	if (r < 0)
		return error_set(err, r,
				 "io_uring has no buffer rings here: %s",
				 strerror(-r));
	uring_provide(uring, 0, BUFFERS_FIRST);
	uring->provided = BUFFERS_FIRST;
	return 0;
}

/* Whether a byte that is there comes in a buffer of the ring. */
static int uring_probe_receive(struct uring *uring, const int ends[2])
{
	struct __kernel_timespec timeout = { .tv_sec = 1 };
	struct io_uring_cqe *cqe;
	unsigned flags;
	int r;

	if (write(ends[1], "", 1) != 1)
		return -errno;
	uring_prepare_receive(uring, ends[0], false, TAG_PROBE);
	r = io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1, &timeout,
					     NULL);
	if (!io_uring_cq_ready(&uring->ring))
		return r < 0 ? r : -ETIME;
	io_uring_peek_cqe(&uring->ring, &cqe);
	flags = cqe->flags;
	r = cqe->res;
	io_uring_cqe_seen(&uring->ring, cqe);
	if (flags & IORING_CQE_F_BUFFER)
		uring_provide(uring, flags >> IORING_CQE_BUFFER_SHIFT, 1);
	if (r < 0)
		return r;
	return flags & IORING_CQE_F_BUFFER ? 0 : -EOPNOTSUPP;
}

static int uring_setup_receive(struct uring *uring, struct error *err)
{
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return error_set(err, -errno, "socketpair: %s",
				 strerror(errno));
	r = uring_probe_receive(uring, ends);
	close(ends[1]);
	close(ends[0]);
	if (r < 0)
		return error_set(err, r,
				 "io_uring cannot receive into a ring of "
				 "buffers here: %s",
				 strerror(-r));
	return 0;
}

static int uring_setup_wakes(struct uring *uring, struct error *err)
{
	/* blocking: of a non-blocking one, a read fails instead of waiting */
	uring->io.wake_fd = eventfd(0, EFD_CLOEXEC);
	if (uring->io.wake_fd < 0)
		return error_set(err, -errno, "eventfd: %s", strerror(errno));
	uring_read_wakes(uring);
	return 0;
}

int io_create_uring(struct error *err, struct io **ret_io)
{
	struct uring *uring = io_allocate(&uring_operations, sizeof(*uring));
	int r;

	if (!uring)
		return error_set(err, -ENOMEM, "no memory for an io_uring");
	r = uring_setup_ring(uring, err);
	if (!r)
		r = uring_setup_buffers(uring, err);
	if (!r)
		r = uring_setup_receive(uring, err);
	if (!r)
		r = uring_setup_wakes(uring, err);
	if (r < 0) {
		io_free(&uring->io);
		return r;
	}
	*ret_io = &uring->io;
	return 0;
}
