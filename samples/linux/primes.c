/*
 * primes.c - counts the primes below a number with four threads. They are started before
 * the program reads its input, so they are in the snapshot, and wait.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define THREADS 4

static struct {
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	bool has_begun;
	unsigned left; /* threads that still count */
	unsigned long below, count;
} work = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.begin = PTHREAD_COND_INITIALIZER,
	.end = PTHREAD_COND_INITIALIZER,
	.left = THREADS,
};

static bool is_prime(unsigned long n)
{
	for (unsigned long i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

static void *count_some(void *first)
{
	unsigned long count = 0;

	pthread_mutex_lock(&work.lock);
	while (!work.has_begun)
		pthread_cond_wait(&work.begin, &work.lock);
	pthread_mutex_unlock(&work.lock);
	for (unsigned long n = *(unsigned *)first; n < work.below; n += THREADS)
		count += is_prime(n);
	pthread_mutex_lock(&work.lock);
	work.count += count;
	if (!--work.left)
		pthread_cond_signal(&work.end);
	pthread_mutex_unlock(&work.lock);
	return NULL;
}

int main(void)
{
	static unsigned firsts[THREADS] = { 0, 1, 2, 3 };
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, count_some, &firsts[i]))
			return 1;
	if (scanf("%lu", &work.below) != 1 || work.below > 10000000)
		return 2;
	pthread_mutex_lock(&work.lock);
	work.has_begun = true;
	pthread_cond_broadcast(&work.begin);
	while (work.left)
		pthread_cond_wait(&work.end, &work.lock);
	pthread_mutex_unlock(&work.lock);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%lu\n", work.count);
	return 0;
}
