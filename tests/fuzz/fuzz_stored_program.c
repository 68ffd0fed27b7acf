/*
 * fuzz_stored_program.c - libFuzzer target: the same as fuzz_stored.c of a Linux program,
 * whose file has what the host knows of it as well. What is accepted can be written again,
 * and may become a vm that is as the file says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "executor/catalog.h"
#include "executor/function_linux.h"
#include "executor/function_store.h"
#include "executor/linux/boot.h"
#include "executor/linux/seen.h"
#include "executor/linux/state.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot.h"
#include "snapshot/start.h"
#include "tests/fuzz/changed_file.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"

#define SKIPPED 77
#define CATALOG                                                                         \
	"{\"functions\":[{\"name\":\"p\",\"kind\":\"linux\",\"program\":\"" TEST_GUESTS \
	"/linux_shim_fixed\",\"memory\":\"8MiB\",\"max_request\":\"4KiB\"}]}"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int __real_linux_boot(const struct linux_program *program,
		      const struct snapshot_options *options, struct error *err,
		      struct linux_process *ret_process,
		      struct snapshot **ret_snapshot);
int __wrap_linux_boot(const struct linux_program *program,
		      const struct snapshot_options *options, struct error *err,
		      struct linux_process *ret_process,
		      struct snapshot **ret_snapshot);

static bool has_booted;

/* It is booted once; what is refused then is not. */
int __wrap_linux_boot(const struct linux_program *program,
		      const struct snapshot_options *options, struct error *err,
		      struct linux_process *ret_process,
		      struct snapshot **ret_snapshot)
{
	if (has_booted)
		return -ECANCELED;
	has_booted = true;
	return __real_linux_boot(program, options, err, ret_process,
				 ret_snapshot);
}

static struct function_store *store;
static struct catalog *catalog;
static struct snapshot_options options;

static void at_end(void)
{
	function_store_close(store, true);
	catalog_free(catalog);
	changed_file_end();
	store_fixture_end();
}

static void set_options(const struct catalog_function *spec)
{
	options = (struct snapshot_options){
		.layout = { .memory_size = spec->memory,
			    .stack_size = spec->stack,
			    .request_size = spec->max_request,
			    .reply_size = spec->max_reply },
		.init_timeout_ns = spec->init_timeout_ns,
		.environment = spec->environment,
		.dirty = DIRTY_BITMAP,
	};
}

/* From the store, or booted; then it is to be written. */
static int begin(struct function_linux_start *start, struct error *err,
		 struct function_linux **ret_program,
		 struct snapshot **ret_snapshot)
{
	*start = (struct function_linux_start){ .store = store };
	return function_linux_boot(&catalog->functions[0], start, &options, err,
				   ret_program, ret_snapshot);
}

static void save(void)
{
	struct function_linux_start start;
	struct function_linux *program;
	struct snapshot *snapshot;
	struct error err;
	struct store_entry *entries;
	char path[256];
	size_t count;

	if (begin(&start, &err, &program, &snapshot)) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	REQUIRE(!function_store_write_now(start.writing,
					  &(struct snapshot_pause){ 0 }));
	function_linux_free(program);
	snapshot_free(snapshot);
	REQUIRE(!store_list(function_store_files(store), &err, &entries,
			    &count) &&
		count == 1);
	snprintf(path, sizeof(path), "%s/%s", store_fixture_path,
		 entries[0].name);
	free(entries);
	changed_file_begin(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err;

	(void)argc;
	(void)argv;
	if (access("/dev/kvm", R_OK | W_OK)) {
		printf("skipped: no access to /dev/kvm\n");
		exit(SKIPPED);
	}
	store_fixture_begin();
	REQUIRE(!function_store_open(store_fixture_path, 0, NULL, NULL, &err,
				     &store));
	REQUIRE(!catalog_parse(CATALOG, strlen(CATALOG), "catalog", &err,
			       &catalog));
	set_options(&catalog->functions[0]);
	save();
	return atexit(at_end);
}

/* What the host knows of it is whole, and so is its memory. */
static void check(struct function_linux *program, struct snapshot *snapshot)
{
	struct buffer state = BUFFER_INIT(STATE_MAX);
	struct linux_seen *seen = linux_seen_create();
	struct error err = { "" };
	uint64_t gpa;
	struct vm *vm;

	REQUIRE(seen != NULL);
	REQUIRE(!linux_state_write(&program->process, snapshot_memory(snapshot),
				   seen, &state, &err));
	buffer_done(&state);
	linux_seen_free(seen);
	if (snapshot_start(snapshot, false, &err, &vm)) {
		REQUIRE(err.message[0] != '\0');
		return;
	}
	REQUIRE(snapshot_matches(snapshot, vm, &gpa));
	vm_free(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct function_linux_start start;
	struct function_linux *program;
	struct snapshot *snapshot;
	struct error err = { "" };
	int r;

	changed_file_write(bytes, size);
	r = begin(&start, &err, &program, &snapshot);
	if (r) {
		REQUIRE(r == -ECANCELED && start.why.message[0] != '\0');
		return 0;
	}
	REQUIRE(start.is_stored);
	check(program, snapshot);
	function_linux_free(program);
	snapshot_free(snapshot);
	return 0;
}
