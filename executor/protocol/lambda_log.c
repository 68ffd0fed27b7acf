/* lambda_log.c - the lines of a log, and its tail. See lambda_log.h. */
#include "executor/protocol/lambda_log.h"

#include <inttypes.h>

#include "base/base64.h"
#include "base/units.h"
#include "executor/protocol/lambda_name.h"

/* Hundredths of a millisecond are enough to tell what a restore took. */
static void write_hundredths_ms(uint64_t ns, struct buffer *out)
{
	uint64_t hundredths = (ns + 5 * UNITS_US) / (10 * UNITS_US);

	buffer_printf(out, "%" PRIu64 ".%02" PRIu64 " ms", hundredths / 100,
		      hundredths % 100);
}

void lambda_write_start(const char *id, struct buffer *out)
{
	buffer_printf(out, "START RequestId: %s Version: " LAMBDA_LATEST "\n",
		      id);
}

void lambda_write_report(const struct thaw_reply *reply, size_t memory_bytes,
			 size_t memory_used_bytes, uint64_t restore_ns,
			 struct buffer *out)
{
	buffer_printf(out, "END RequestId: %s\n", reply->id);
	buffer_printf(out, "REPORT RequestId: %s\tDuration: ", reply->id);
	write_hundredths_ms(reply->run_ns, out);
	buffer_printf(out,
		      "\tBilled Duration: %" PRIu64 " ms\tMemory Size: %" PRIu64
		      " MB\tMax Memory Used: %" PRIu64
		      " MB\tRestore Duration: ",
		      units_ceil(reply->run_ns, UNITS_MS),
		      units_ceil(memory_bytes, UNITS_MIB),
		      units_ceil(memory_used_bytes, UNITS_MIB));
	write_hundredths_ms(restore_ns, out);
	buffer_text(out, "\n");
}

void lambda_write_tail(const char *log, size_t size, struct buffer *out)
{
	size_t cut = size > LAMBDA_TAIL_MAX ? size - LAMBDA_TAIL_MAX : 0;

	/* what the cut left of a character: three continuation bytes at most */
	for (int i = 0; cut && i < 3 && ((uint8_t)log[cut] & 0xc0) == 0x80; i++)
		cut++;
	base64_encode(log + cut, size - cut, out);
}
