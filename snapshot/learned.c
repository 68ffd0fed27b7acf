/* learned.c - see learned.h. */
#include "snapshot/learned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "snapshot/hot_set.h"
#include "snapshot/snapshot_internal.h"

/* Pages of which the kernel is asked at once. */
#define ASKED_PAGES 1024u

/* Of what /proc/self/pagemap says of a page: it is there, or on a swap device. */
#define PAGEMAP_TOUCHED (UINT64_C(3) << 62)

void snapshot_set_learner(struct snapshot *snapshot,
			  struct snapshot_learner *learner)
{
	snapshot->learner = learner;
}

/* Adds the chunks among @count pages from @first on that the kernel's @entries have. */
static void add_chunks(const struct snapshot *snapshot, size_t first,
		       const uint64_t *entries, size_t count,
		       struct store_advice *advice)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t chunk =
			(uint32_t)((first + i) * snapshot->page_size /
				   STORE_CHUNK);
		const uint32_t known = advice->working_count;

		if (!(entries[i] & PAGEMAP_TOUCHED) ||
		    known == STORE_WORKING_MAX ||
		    (known && advice->working[known - 1] == chunk))
			continue;
		advice->working[advice->working_count++] = chunk;
	}
}

/* The working set. Where the kernel does not tell, it is empty. */
static void add_touched(const struct snapshot *snapshot, struct vm *vm,
			struct store_advice *advice)
{
	cleanup_close int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const size_t size = snapshot->page_size;
	const size_t pages = snapshot->layout.memory_size / size;
	const size_t base = (size_t)vm_memory(vm) / size;
	uint64_t entries[ASKED_PAGES];

	for (size_t page = 0; fd >= 0 && page < pages; page += ASKED_PAGES) {
		const size_t count = pages - page < ASKED_PAGES ? pages - page :
								  ASKED_PAGES;
		const size_t bytes = count * sizeof(*entries);

		/* what is no part of a file, no start reads from one */
		if (holes_cover(&snapshot->holes, page * size, count * size))
			continue;
		if (pread(fd, entries, bytes,
			  (off_t)((base + page) * sizeof(*entries))) !=
		    (ssize_t)bytes)
			return;
		add_chunks(snapshot, page, entries, count, advice);
	}
}

static void add_hot(struct store_advice *advice, const uint64_t *hot)
{
	for (uint64_t i = 1; i <= hot[0] && i <= STORE_HOT_MAX; i++)
		advice->hot[advice->hot_count++] =
			(uint32_t)(hot[i] / THAW_PAGE_SIZE);
}

void learned_tell(struct snapshot *snapshot, struct vm *vm)
{
	const unsigned invocations = vm_dirty(vm)->turn;
	struct store_advice *advice;
	uint64_t *hot;

	if (!snapshot->learner || invocations <= snapshot->advised_by)
		return;
	advice = calloc(1, sizeof(*advice));
	hot = hot_set_read(snapshot, vm);
	if (advice && hot) {
		advice->invocations = invocations;
		add_hot(advice, hot);
		add_touched(snapshot, vm, advice);
		snapshot->learner->learned(snapshot->learner, advice);
	} else {
		free(advice);
	}
	free(hot);
}

void learned_tell_at_end(struct snapshot *snapshot, struct vm *vm)
{
	if (!atomic_load(&snapshot->hot_seen))
		learned_tell(snapshot, vm);
}

/* Has the kernel read @count chunks from @first on; it does not wait for them. */
static void prefetch(const struct store_file *file, uint32_t first,
		     uint32_t count)
{
	(void)posix_fadvise(file->fd,
			    (off_t)(file->parts.memory +
				    (uint64_t)first * STORE_CHUNK),
			    (off_t)count * STORE_CHUNK, POSIX_FADV_WILLNEED);
}

static void prefetch_working_set(const struct store_file *file,
				 const struct store_advice *advice)
{
	const uint32_t *working = advice->working;

	for (uint32_t i = 0, run; i < advice->working_count; i += run) {
		run = 1;
		while (i + run < advice->working_count &&
		       working[i + run] == working[i] + run)
			run++;
		prefetch(file, working[i], run);
	}
}

void learned_use(struct snapshot *snapshot, struct store *store,
		 const struct store_file *file, struct error *err)
{
	cleanup_free struct store_advice *advice = malloc(sizeof(*advice));
	int r = advice ? store_advice_read(store, file, err, advice) : -ENOMEM;

	if (!r)
		r = hot_set_advise(snapshot, advice->hot, advice->hot_count,
				   err);
	if (!r) {
		prefetch_working_set(file, advice);
		snapshot->advised_by = advice->invocations;
	}
	if (r == -EBADMSG)
		store_advice_remove(store, file);
	if (err && (r == -ENOENT || r == -ENOMEM))
		err->message[0] = '\0';
}
