/* clones.c - what clones of one snapshot must not share, and time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <thaw.h>

/* Randomness that has been used before the snapshot. */
THAW_INIT(randomness)
{
	uint32_t used = 0;

	srand(1);
	srandom(1);
	for (int i = 0; i < 1000; i++)
		used ^= (uint32_t)rand() ^ (uint32_t)random() ^ arc4random();
	return getentropy(&used, sizeof(used));
}

/* rand, random, arc4random, getentropy, generation: in words */
THAW_HANDLER(randoms)
{
	uint64_t entropy;

	if (getentropy(&entropy, sizeof(entropy)))
		return -1;
	thaw_reply_printf("%d %ld %lu %llu %llu", rand(), random(),
			  (unsigned long)arc4random(),
			  (unsigned long long)entropy,
			  (unsigned long long)thaw_generation());
	return 0;
}

static unsigned long long now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		thaw_fail("Test.Clock", "clock_gettime failed");
	return time.tv_sec * 1000000000ull + (unsigned long long)time.tv_nsec;
}

/* real time, monotonic time, deadline: nanoseconds */
THAW_HANDLER(times)
{
	thaw_reply_printf("%llu %llu %llu", now(CLOCK_REALTIME),
			  now(CLOCK_MONOTONIC),
			  (unsigned long long)request->deadline_ns);
	return 0;
}

/* Works until its clock says that half of its time has passed. */
THAW_HANDLER(half)
{
	uint64_t start = now(CLOCK_MONOTONIC);
	uint64_t until = start + (request->deadline_ns - start) / 2;

	while (now(CLOCK_MONOTONIC) < until)
		;
	thaw_reply_printf("half");
	return 0;
}

/* Works for as long as its request says, in microseconds; then replies it. */
THAW_HANDLER(work)
{
	char text[32] = "";
	uint64_t until;

	if (request->size >= sizeof(text))
		return -1;
	memcpy(text, request->data, request->size);
	until = now(CLOCK_MONOTONIC) + strtoull(text, NULL, 10) * 1000;
	while (now(CLOCK_MONOTONIC) < until)
		;
	return thaw_reply(text, request->size);
}
