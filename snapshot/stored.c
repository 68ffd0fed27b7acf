/* stored.c - see stored.h. */
#include "snapshot/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/layered.h"
#include "snapshot/learned.h"
#include "snapshot/memory_file.h"
#include "snapshot/pages.h"
#include "snapshot/ready.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "snapshot/store/store.h"
#include "snapshot/wanted.h"
#include "vm/boot_state.h"
#include "vm/image/image.h"

_Static_assert(STORE_FEATURES == VM_FEATURES, "the same ones");

struct stored_copy {
	struct store_machine machine;
	struct store_content content; /* points into what follows */
	struct ready ready;
	struct layered_ready layered; /* in place of that, with a layer */
	char *manifest;
	uint8_t *state;
	uint8_t *program; /* what the host knows of it; NULL: an image */
};

/* What a file is a snapshot of: one of the two; of an image, over a base or NULL. */
struct stored_source {
	const struct image *image;
	const struct snapshot *base;
	const struct stored_program *program;
};

/* It does not change; to find it may take a hundred CPUIDs, which a hypervisor answers. */
static struct {
	pthread_mutex_t lock;
	bool is_known;
	struct store_machine is;
} this_machine = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int find_machine(struct error *err, struct store_machine *ret_machine)
{
	struct vm_machine machine;
	int r = vm_get_machine(err, &machine);

	if (r)
		return r;
	*ret_machine = (struct store_machine){
		.architecture = machine.architecture,
		.abi = THAW_ABI_VERSION,
		.page_size = THAW_PAGE_SIZE,
	};
	memcpy(ret_machine->features, machine.features,
	       sizeof(machine.features));
	return 0;
}

int stored_machine(struct error *err, struct store_machine *ret_machine)
{
	int r = 0;

	pthread_mutex_lock(&this_machine.lock);
	if (!this_machine.is_known)
		r = find_machine(err, &this_machine.is);
	this_machine.is_known = !r;
	if (!r)
		*ret_machine = this_machine.is;
	pthread_mutex_unlock(&this_machine.lock);
	return r;
}

void stored_free(struct stored_copy *copy)
{
	if (!copy)
		return;
	if (copy->content.memory_fd >= 0)
		close(copy->content.memory_fd);
	free(copy->manifest);
	free(copy->state);
	free(copy->program);
	free(copy);
}

static int fill_copy(const struct snapshot *snapshot, const char *manifest,
		     struct stored_copy *copy, struct error *err)
{
	const size_t state_size = vm_state_size();
	struct store_content *content = &copy->content;
	const bool is_layer = snapshot->layer.count;

	copy->manifest = strdup(manifest);
	copy->state = malloc(state_size);
	if (!copy->manifest || !copy->state)
		return error_set(err, -ENOMEM, "no memory for a copy");
	memcpy(copy->state, snapshot->state, state_size);
	copy->ready = snapshot->ready;
	if (is_layer)
		layered_put(snapshot, &copy->layered);
	content->memory_fd =
		fcntl(is_layer ? snapshot->layer.fd : snapshot->memory_fd,
		      F_DUPFD_CLOEXEC, 0);
	if (content->memory_fd < 0)
		return error_set(err, -errno, "another descriptor: %s",
				 strerror(errno));
	content->memory_size = snapshot->layout.memory_size;
	content->frozen_ns = snapshot->frozen_ns;
	content->manifest = copy->manifest;
	content->manifest_size = strlen(manifest);
	content->ready = is_layer ? (const void *)&copy->layered : &copy->ready;
	content->ready_size = is_layer ? sizeof(copy->layered) :
					 sizeof(copy->ready);
	content->state = copy->state;
	content->state_size = state_size;
	return stored_machine(err, &copy->machine);
}

int stored_copy(const struct snapshot *snapshot, const uint8_t *key,
		const char *version, const char *manifest, struct error *err,
		struct stored_copy **ret_copy)
{
	struct stored_copy *copy = calloc(1, sizeof(*copy));
	int r;

	if (!copy)
		return error_set(err, -ENOMEM, "no memory for a copy");
	copy->content.memory_fd = -1;
	copy->content.version = version;
	memcpy(copy->content.key, key, STORE_KEY_SIZE);
	r = fill_copy(snapshot, manifest, copy, err);
	if (r) {
		stored_free(copy);
		return r;
	}
	*ret_copy = copy;
	return 0;
}

int stored_copy_program(const struct snapshot *snapshot, const uint8_t *key,
			const char *version, const char *manifest,
			const void *state, size_t size, struct error *err,
			struct stored_copy **ret_copy)
{
	struct stored_copy *copy;
	int r = stored_copy(snapshot, key, version, manifest, err, &copy);

	if (r)
		return r;
	copy->program = malloc(size);
	if (!copy->program) {
		stored_free(copy);
		return error_set(err, -ENOMEM, "no memory for a copy");
	}
	memcpy(copy->program, state, size);
	copy->content.ready = copy->program;
	copy->content.ready_size = size;
	*ret_copy = copy;
	return 0;
}

int stored_write(struct store *store, const struct stored_copy *copy,
		 const struct snapshot_pause *pause, struct error *err)
{
	struct store_content content = copy->content;

	content.pause = (struct store_pause){ pause->call, pause->cookie };
	return store_put(store, &copy->machine, &content, err);
}

int stored_write_learned(struct store *store, const uint8_t key[STORE_KEY_SIZE],
			 struct store_advice *advice)
{
	struct store_file file = { .fd = -1 };
	struct store_machine machine;
	char name[STORE_NAME_MAX];
	int r = stored_machine(NULL, &machine);

	store_name(key, STORE_SUFFIX, name);
	if (!r)
		r = store_file_open(store_directory(store), name, &machine, key,
				    NULL, &file);
	if (!r)
		r = store_advice_write(store, &file, advice, NULL);
	store_file_close(&file);
	return r;
}

/* The largest runs of pages that do not exist, in whole pages of the host. */
static void find_holes(struct snapshot *snapshot, const struct store_file *file)
{
	const uint64_t pages = file->header.memory_size / THAW_PAGE_SIZE;
	const uint64_t unit = snapshot->page_size;
	uint64_t begin = 0;

	for (uint64_t page = 0; page <= pages; page++) {
		uint64_t start, end;

		/* most of memory, as a rule */
		while (page + 8 <= pages && page % 8 == 0 &&
		       !file->bitmap[page / 8])
			page += 8;
		if (page < pages && !store_file_has_page(file, page))
			continue;
		start = (begin * THAW_PAGE_SIZE + unit - 1) / unit * unit;
		end = page * THAW_PAGE_SIZE / unit * unit;
		if (start < end)
			holes_add(&snapshot->holes, start, end - start);
		begin = page + 1;
	}
}

/*
 * This machine may have started later than the one that has frozen the guest: then the
 * guest's clock goes on from there.
 */
static void set_clock(struct snapshot *snapshot, const struct store_file *file)
{
	const uint64_t now_ns = clock_now_ns();

	snapshot->frozen_ns = file->header.frozen_ns;
	if (snapshot->frozen_ns > now_ns)
		snapshot->ahead_ns = snapshot->frozen_ns - now_ns;
}

/*
 * What the bitmap says is not there is not mapped from the file in vms, so that the checks
 * of memory, which look at all of it, would see what a vm does not have.
 */
static int check_holes(const struct snapshot *snapshot,
		       const struct store_file *file, struct error *err)
{
	for (unsigned i = 0; i < snapshot->holes.count; i++) {
		const size_t start = snapshot->holes.of[i].start;
		const size_t size = snapshot->holes.of[i].size;
		const off_t at = (off_t)(file->parts.memory + start);
		const off_t data = lseek(file->fd, at, SEEK_DATA);

		/* as a rule the file has a hole there; zeros are as good */
		if (data < 0 ? errno == ENXIO : data >= at + (off_t)size)
			continue;
		if (!store_is_zero(snapshot->pristine + start, size))
			return error_set(err, -EBADMSG,
					 "it has pages that its bitmap has not");
	}
	return 0;
}

/* A copy of the memory of @file: a descriptor, or -errno. */
static int copy_memory(const struct store_file *file)
{
	const size_t size = file->header.memory_size;
	cleanup_close int fd = memory_file_create(size);
	uint8_t *memory;
	int r;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	r = store_file_read(file, memory);
	munmap(memory, size);
	if (!r)
		r = memory_file_seal(fd);
	return r ? r : take_fd(&fd);
}

/*
 * The file that has the memory of @file from *@ret_offset on: it, or a copy where it cannot be
 * mapped safely. Either way it is in use from now on. Returns a descriptor for the caller to
 * close, or -errno.
 */
static int open_memory(struct snapshot *snapshot, const struct store_file *file,
		       struct error *err, off_t *ret_offset)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_set(err, -errno, "another descriptor: %s",
				 strerror(errno));
	*ret_offset = (off_t)file->parts.memory;
	if (!store_file_is_tmpfs(file))
		return fd;
	snapshot->copied_fd = fd;
	*ret_offset = 0;
	fd = copy_memory(file);
	return fd < 0 ?
		       error_set(err, fd, "copying a snapshot from a tmpfs: %s",
				 strerror(-fd)) :
		       fd;
}

/* Maps the memory of @file, which is the snapshot's from now on. */
static int map_file(struct snapshot *snapshot, struct store_file *file,
		    struct error *err)
{
	/*
	 * Holes of a file take nothing that the kernel cannot drop. Those of a copy may, but
	 * few are read, and each would be a mapping.
	 */
	const struct holes none = { .count = 0 };
	uint8_t *pristine;
	int r;

	snapshot->stored_bytes = (size_t)store_file_bytes(file);
	memcpy(snapshot->file_hash, file->header.hash,
	       sizeof(snapshot->file_hash));
	find_holes(snapshot, file);
	r = open_memory(snapshot, file, err, &snapshot->memory_offset);
	if (r < 0)
		return r;
	snapshot->memory_fd = r;
	r = holes_map(&none, snapshot->memory_fd, snapshot->memory_offset,
		      snapshot->layout.memory_size, PROT_READ, &pristine);
	if (r)
		return error_set(err, r, "mapping a snapshot: %s",
				 strerror(-r));
	snapshot->pristine = pristine;
	return check_holes(snapshot, file, err);
}

/* The same, over @base. */
static int map_layer(struct snapshot *snapshot, const struct snapshot *base,
		     struct store_file *file, struct error *err)
{
	cleanup_close int fd = -1;
	off_t offset;

	snapshot->layer_bytes = (size_t)store_file_bytes(file);
	fd = open_memory(snapshot, file, err, &offset);
	return fd < 0 ? fd :
			layered_open(snapshot, base, file->ready,
				     file->header.ready_size, fd, offset, err);
}

static int map(struct snapshot *snapshot, const struct stored_source *source,
	       struct store_file *file, struct error *err)
{
	int r;

	if (file->header.memory_size != snapshot->layout.memory_size ||
	    file->header.state_size != vm_state_size())
		return error_set(err, -EBADMSG,
				 "it is of a guest of another size");
	set_clock(snapshot, file);
	r = source->base ? map_layer(snapshot, source->base, file, err) :
			   map_file(snapshot, file, err);
	if (!r)
		vm_flush_code(snapshot->pristine, &snapshot->layout);
	return r;
}

static int wrong_page(uint64_t gpa, struct error *err)
{
	return error_set(err, -EBADMSG,
			 "its page at %#llx is not what thaw makes",
			 (unsigned long long)gpa);
}

/* Compares with what a boot makes, of which some is made in @wanted, which is zero. */
static int check_pages(const struct snapshot *snapshot,
		       const struct image *image,
		       const struct snapshot_options *options, uint8_t *wanted,
		       struct error *err)
{
	const struct layout *layout = &snapshot->layout;
	uint64_t gpa;
	int r;

	r = pages_prepare(wanted, layout, options->environment,
			  options->host_local, err);
	if (r)
		return r;
	pages_freeze_given(wanted, layout, snapshot->dirty,
			   snapshot->ready.dispatch);
	if (pages_match(snapshot->pristine, wanted, layout, &snapshot->holes,
			&gpa) &&
	    image_matches(image, snapshot->pristine, &gpa))
		return 0;
	return wrong_page(gpa, err);
}

static int check_program(const struct snapshot *snapshot,
			 const struct stored_program *program,
			 const struct store_file *file, uint8_t *wanted,
			 struct error *err)
{
	const struct stored_program_file what = {
		.state = file->ready,
		.state_size = file->header.ready_size,
		.memory = snapshot->pristine,
		.ahead_ns = snapshot->ahead_ns,
	};
	uint64_t gpa;
	int r;

	pages_prepare_program(wanted, &snapshot->layout);
	r = program->read(program->cookie, &what, wanted, err);
	if (r)
		return r;
	return pages_match_program(snapshot->pristine, wanted,
				   &snapshot->layout, &snapshot->holes, &gpa) ?
		       0 :
		       wrong_page(gpa, err);
}

static int check_image_memory(const struct snapshot *snapshot,
			      const struct stored_source *source,
			      const struct snapshot_options *options,
			      struct error *err)
{
	uint8_t *wanted = wanted_get(&snapshot->layout);
	int r;

	if (!wanted)
		return error_set(err, -errno, "no memory to check a snapshot");
	r = check_pages(snapshot, source->image, options, wanted, err);
	wanted_put(wanted, &snapshot->layout);
	return r;
}

static int check_program_memory(const struct snapshot *snapshot,
				const struct stored_program *program,
				const struct store_file *file,
				struct error *err)
{
	const size_t size = snapshot->layout.memory_size;
	uint8_t *wanted = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);
	int r;

	if (wanted == MAP_FAILED)
		return error_set(err, -errno, "no memory to check a snapshot");
	r = check_program(snapshot, program, file, wanted, err);
	munmap(wanted, size);
	return r;
}

static int check_memory(const struct snapshot *snapshot,
			const struct stored_source *source,
			const struct snapshot_options *options,
			const struct store_file *file, struct error *err)
{
	return source->program ?
		       check_program_memory(snapshot, source->program, file,
					    err) :
		       check_image_memory(snapshot, source, options, err);
}

/* One with a base, @base, which may be of a CPU with less, has the state of that. */
static int check_state(struct snapshot *snapshot, const struct snapshot *base,
		       const struct store_file *file, struct error *err)
{
	const struct vm_config config = snapshot_vm_config(snapshot);
	int r = vm_new_state(&config, &snapshot->layout, file->header.features,
			     err, &snapshot->state);

	if (r)
		return r;
	if (base)
		memcpy(snapshot->state, base->state, vm_state_size());
	if (memcmp(snapshot->state, file->state, vm_state_size()) != 0)
		return error_set(err, -EBADMSG,
				 "its vcpu's state is not what thaw makes");
	return 0;
}

static int plan(struct snapshot *snapshot, const struct stored_source *source,
		const struct snapshot_options *options, struct store_file *file,
		struct error *err)
{
	if (source->program) {
		snapshot->layout = *source->program->layout;
		return 0;
	}
	if (source->base) {
		snapshot->layout = source->base->layout;
		return 0;
	}
	if (file->header.ready_size != sizeof(snapshot->ready))
		return error_set(err, -EBADMSG, "it is of another guest");
	memcpy(&snapshot->ready, file->ready, sizeof(snapshot->ready));
	return layout_plan(source->image, &options->layout, err,
			   &snapshot->layout);
}

static int load(struct snapshot *snapshot, const struct stored_source *source,
		const struct snapshot_options *options, struct store *store,
		struct store_file *file, struct error *remark,
		struct error *err)
{
	int r;

	r = plan(snapshot, source, options, file, err);
	/* what a program maps, and so may write, is known only when it has been read */
	if (!r && source->image)
		learned_use(snapshot, store, file, remark);
	if (!r)
		r = map(snapshot, source, file, err);
	if (!r)
		r = check_memory(snapshot, source, options, file, err);
	if (!r)
		r = check_state(snapshot, source->base, file, err);
	if (!r && source->image)
		r = ready_read(snapshot, snapshot->pristine, err);
	return r == -EPROTO ? -EBADMSG : r;
}

static int load_from(const struct stored_source *source,
		     const struct snapshot_options *options,
		     struct store *store, const uint8_t *key, struct error *err,
		     struct snapshot **ret_snapshot)
{
	const struct store_pause pause = { options->pause.call,
					   options->pause.cookie };
	struct store_file file = { .fd = -1 };
	struct error remark = { "" };
	struct snapshot *snapshot;
	struct store_machine machine;
	int r = stored_machine(err, &machine);

	if (!r)
		r = store_find(store, &machine, key, &pause, err, &file);
	if (r)
		return r;
	snapshot = snapshot_allocate(options->dirty, options->remap);
	if (snapshot)
		r = load(snapshot, source, options, store, &file, &remark, err);
	else
		r = error_set(err, -ENOMEM, "no memory for a snapshot");
	if (r == -EBADMSG) {
		error_prefix(err, r, "a snapshot written by thaw %.*s",
			     STORE_VERSION_MAX, file.header.version);
		store_reject(store, key, &file);
	}
	if (r == -ESTALE)
		store_forget(store, key, &file);
	store_file_close(&file);
	if (r) {
		snapshot_free(snapshot);
		return r;
	}
	if (err)
		*err = remark;
	*ret_snapshot = snapshot;
	return 0;
}

int snapshot_load(const struct image *image,
		  const struct snapshot_options *options, struct store *store,
		  const uint8_t *key, struct error *err,
		  struct snapshot **ret_snapshot)
{
	const struct stored_source source = { .image = image };

	return load_from(&source, options, store, key, err, ret_snapshot);
}

int snapshot_load_layer(const struct image *image, const struct snapshot *base,
			const struct snapshot_options *options,
			struct store *store, const uint8_t *key,
			struct error *err, struct snapshot **ret_snapshot)
{
	const struct stored_source source = { .image = image, .base = base };

	return load_from(&source, options, store, key, err, ret_snapshot);
}

int snapshot_load_program(const struct stored_program *program,
			  const struct snapshot_options *options,
			  struct store *store, const uint8_t *key,
			  struct error *err, struct snapshot **ret_snapshot)
{
	const struct stored_source source = { .program = program };

	return load_from(&source, options, store, key, err, ret_snapshot);
}
