/*
 * pthread.h - what QuickJS wants of threads, for a guest, which has one. Its Atomics
 * lock what no other thread can touch, and Atomics.wait() is refused before it waits.
 */
#ifndef PTHREAD_H
#define PTHREAD_H

#include <errno.h>
#include <time.h>

typedef int pthread_mutex_t;
typedef int pthread_cond_t;

#define PTHREAD_MUTEX_INITIALIZER 0

static inline int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	(void)mutex;
	return 0;
}

static inline int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	(void)mutex;
	return 0;
}

static inline int pthread_cond_init(pthread_cond_t *cond,
				    const void *attributes)
{
	(void)cond;
	(void)attributes;
	return 0;
}

static inline int pthread_cond_destroy(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

static inline int pthread_cond_signal(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

static inline int pthread_cond_wait(pthread_cond_t *cond,
				    pthread_mutex_t *mutex)
{
	(void)cond;
	(void)mutex;
	return EPERM;
}

static inline int pthread_cond_timedwait(pthread_cond_t *cond,
					 pthread_mutex_t *mutex,
					 const struct timespec *until)
{
	(void)cond;
	(void)mutex;
	(void)until;
	return ETIMEDOUT;
}

#endif
