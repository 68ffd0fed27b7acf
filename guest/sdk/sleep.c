/* sleep.c - the older ways to wait. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#define US_PER_S 1000000u

/* Nothing wakes a function early: what remains is always 0. */
unsigned sleep(unsigned seconds)
{
	const struct timespec duration = { .tv_sec = seconds };

	nanosleep(&duration, NULL);
	return 0;
}

int usleep(useconds_t microseconds)
{
	const struct timespec duration = {
		.tv_sec = microseconds / US_PER_S,
		.tv_nsec = (long)(microseconds % US_PER_S) * 1000,
	};

	return nanosleep(&duration, NULL);
}
