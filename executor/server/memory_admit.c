/* memory_admit.c - whether there is memory for functions. See memory_admit.h. */
#include "executor/server/memory_admit.h"

#include <errno.h>

#include "base/units.h"
#include "executor/server/log/log.h"

/* The function that has the most of something. */
struct most {
	const char *name;
	uint64_t bytes;
};

static void most_add(struct most *most, const char *name, uint64_t bytes)
{
	if (!most->name || bytes > most->bytes)
		*most = (struct most){ name, bytes };
}

static uint64_t in_mib(uint64_t bytes)
{
	return bytes / UNITS_MIB;
}

/* Memory of the vms that are always there. */
static uint64_t warm_bytes(const struct catalog_function *spec)
{
	return (uint64_t)spec->memory * spec->concurrency.warm;
}

/* That, the boot's vm, and a first vm if there is no warm one. */
static uint64_t least_bytes(const struct catalog_function *spec)
{
	const uint64_t first = spec->concurrency.warm ? 0 : spec->memory;

	return spec->memory + warm_bytes(spec) + first;
}

static void memory_refuse(struct deployment *deployment, uint64_t max,
			  uint64_t taken, const struct most *most)
{
	const struct catalog_function *spec = deployment->spec;
	struct error why;

	error_set(&why, -ENOMEM,
		  "function %s: needs %llu MiB to boot and for its %s, and warm "
		  "vms of other functions have %llu MiB of the %llu MiB of "
		  "--max-memory%s%s: lower memory or concurrency.warm, or raise "
		  "--max-memory",
		  spec->name, (unsigned long long)in_mib(least_bytes(spec)),
		  spec->concurrency.warm ? "warm vms" : "first vm",
		  (unsigned long long)in_mib(taken),
		  (unsigned long long)in_mib(max),
		  taken ? ", most of them of " : "", taken ? most->name : "");
	deployment_fail(deployment, -ENOMEM, &why);
}

/* Logs if all vms at once would be more than fits. */
static void tell_sum(const struct generation *generation, uint64_t max)
{
	struct most most = { NULL, 0 };
	uint64_t sum = 0;

	for (size_t i = 0; i < generation->count; i++) {
		const struct catalog_function *spec =
			generation_newest(generation, i)->spec;
		const uint64_t bytes =
			(uint64_t)spec->memory * spec->concurrency.max;

		sum += bytes;
		most_add(&most, spec->name, bytes);
	}
	if (sum > max)
		log_write(THAW_LOG_INFO,
			  "all vms together would need more than --max-memory: "
			  "beyond it idle vms are freed, and then requests "
			  "refused",
			  LOG_NUMBER("sum_mib", in_mib(sum)),
			  LOG_NUMBER("max_mib", in_mib(max)),
			  LOG_FIELD("most", most.name),
			  LOG_NUMBER("most_mib", in_mib(most.bytes)));
}

/* Whether it is new in @generation, so that nobody deploys it yet. */
static bool is_new(const struct generation *generation,
		   const struct deployment *deployment)
{
	return deployment_is_pending(deployment) &&
	       deployment->generation == generation->number;
}

/* What is deployed, or is being booted, has its memory already. */
void memory_admit(const struct memory *memory, struct generation *generation)
{
	const uint64_t max = memory->budget.max;
	struct most most = { NULL, 0 };
	uint64_t taken = 0;

	for (int fresh = 0; fresh < 2; fresh++)
		for (size_t i = 0; i < generation->count; i++) {
			struct deployment *deployment =
				generation_newest(generation, i);
			const struct catalog_function *spec = deployment->spec;

			if (is_new(generation, deployment) != (fresh == 1))
				continue;
			if (fresh && least_bytes(spec) + taken > max) {
				memory_refuse(deployment, max, taken, &most);
				continue;
			}
			taken += warm_bytes(spec);
			most_add(&most, spec->name, warm_bytes(spec));
		}
	tell_sum(generation, max);
}
