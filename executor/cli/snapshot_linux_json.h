/* snapshot_linux_json.h - what the host knows of a frozen Linux program, as JSON. */
#ifndef EXECUTOR_CLI_SNAPSHOT_LINUX_JSON_H
#define EXECUTOR_CLI_SNAPSHOT_LINUX_JSON_H

#include <stdint.h>

struct json_t;
struct layout;
struct linux_process;

/*
 * Describes @process, of linux_state_show(), whose memory was of @layout and whose
 * CLOCK_MONOTONIC was @frozen_ns. Of what it has in memory, in files and in pipes, only how
 * much that is. Returns an object that the caller owns; NULL: no memory.
 */
struct json_t *snapshot_linux_json(struct linux_process *process,
				   const struct layout *layout,
				   uint64_t frozen_ns);

#endif
