/* invoke_fault.c - see invoke_fault.h. */
#include "executor/invoke_fault.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "executor/function.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/guest_backtrace.h"
#include "vm/exit.h"
#include "vm/image/symbols.h"

/* "page fault ... at 0x101234 in parse+0x12 (handler hello)" */
static void describe_fault_of(struct thaw_reply *reply,
			      const struct vm_fault *fault, const char *what,
			      bool is_exhausted)
{
	const struct function *function = invoke_state(reply)->function;
	char symbol_text[192] = "";
	const char *symbol;
	uint64_t offset = 0;

	symbol = function->image ?
			 image_symbol(function->image, fault->pc, &offset) :
			 NULL;
	if (symbol)
		snprintf(symbol_text, sizeof(symbol_text), " in %s+%#" PRIx64,
			 symbol, offset);
	snprintf(reply->error_message, sizeof(reply->error_message),
		 "%s at %#" PRIx64 "%s (handler %s)%s", what, fault->pc,
		 symbol_text, invoke_typed_handler(reply),
		 is_exhausted ? "; the heap is exhausted: raise memory" : "");
}

void invoke_take_fault(struct thaw_reply *reply, const struct vm_exit *exit,
		       const struct guest_log *log)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	const struct layout *layout = snapshot_layout(function->snapshot);
	const struct thaw_mailbox *mailbox =
		vm_view(state->vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	const bool is_fault = exit->kind == VM_EXIT_FAULT;
	const bool is_exhausted = is_fault && mailbox->heap_exhausted == 1;
	char what[256];

	vm_describe_exit(exit, layout, what, sizeof(what));
	reply->result = THAW_FAULT;
	reply->data = NULL;
	reply->size = 0;
	snprintf(reply->error_type, sizeof(reply->error_type), "%s",
		 is_exhausted ? "Runtime.OutOfMemory" : "Runtime.Fault");
	if (!is_fault) {
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "%s", what);
		return;
	}
	describe_fault_of(reply, &exit->fault, what, is_exhausted);
	if (function->image)
		guest_backtrace_log(log, state->vm, layout, function->image,
				    &exit->fault);
}
