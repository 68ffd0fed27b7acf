/* state_space.h - the address space in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_SPACE_H
#define EXECUTOR_LINUX_STATE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct linux_process;
struct state;

void state_space(struct state *state, struct linux_process *process);

/*
 * Notes that the @size bytes at @gpa are frames of something, whole pages; false: they are
 * no frames, or of something else already.
 */
bool state_note_frames(struct state *state, const struct linux_process *process,
		       uint64_t gpa, uint64_t size);

/* Whether all frames are noted: nothing else may be withheld from the program. */
bool state_has_all_frames(const struct state *state,
			  const struct linux_process *process);

#endif
