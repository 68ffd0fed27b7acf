/* boots.c - boots functions, in the order of their urgency. See boots.h. */
#include "executor/server/boots.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/limits.h"
#include "executor/server/jobs.h"
#include "executor/server/log.h"
#include "executor/server/server_limits.h"
#include "vm/clock.h"

enum urgency {
	CRITICAL,
	NORMAL,
	SUSPECT, /* the last boot of the function failed */
	URGENCIES,
};

struct boots {
	struct boots_config config;
	struct jobs *jobs;
	pthread_mutex_t lock; /* of the rest */
	struct queue {
		struct served *first, **last;
	} queues[URGENCIES];
	unsigned suspects; /* under way */
};

int boots_create(const struct boots_config *config, struct error *err,
		 struct boots **ret_boots)
{
	const struct jobs_config threads = {
		.threads = SERVER_BOOTS_MAX,
		.per_share = SERVER_BOOTS_MAX,
		.nice = SERVER_BOOTS_NICE,
	};
	struct boots *boots = calloc(1, sizeof(*boots));
	int r;

	if (!boots)
		return error_set(err, -ENOMEM, "no memory to boot functions");
	r = jobs_create(&threads, err, &boots->jobs);
	if (r) {
		free(boots);
		return r;
	}
	boots->config = *config;
	pthread_mutex_init(&boots->lock, NULL);
	for (int i = 0; i < URGENCIES; i++)
		boots->queues[i].last = &boots->queues[i].first;
	*ret_boots = boots;
	return 0;
}

static enum urgency urgency_of(const struct served *served)
{
	if (atomic_load(&served->counted->boot_failed))
		return SUSPECT;
	return served->spec->critical ? CRITICAL : NORMAL;
}

/* The next one that may begin, or NULL. */
static struct served *pop(struct boots *boots)
{
	struct served *served = NULL;

	pthread_mutex_lock(&boots->lock);
	for (int i = 0; i < URGENCIES && !served; i++) {
		struct queue *queue = &boots->queues[i];

		if (i == SUSPECT && boots->suspects == SERVER_BOOTS_SUSPECT_MAX)
			break;
		served = queue->first;
		if (!served)
			continue;
		queue->first = served->next_boot;
		if (!queue->first)
			queue->last = &queue->first;
		served->is_suspect = i == SUSPECT;
		boots->suspects += served->is_suspect;
	}
	pthread_mutex_unlock(&boots->lock);
	return served;
}

/* A line for each function at the start, and no more for many reloads. */
static struct log_limit boot_limit = {
	.per_second = SERVER_BOOT_LINES_PER_SECOND,
	.burst = CATALOG_FUNCTIONS_MAX,
	.cause = "functions deployed, or not",
};

static void log_boot(const struct served *served)
{
	const bool good = served_is_active(served) ||
			  served->failure == -ESHUTDOWN;
	const enum log_level level = good ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;

	if (!log_may(&boot_limit, level))
		return;
	if (served_is_active(served))
		log_write(level, "function deployed",
			  LOG_FIELD("function", served->spec->name),
			  LOG_NUMBER("took_us",
				     served->function->deploy_ns / NS_PER_US),
			  LOG_FIELD("no_gate", served->function->no_gate));
	else
		log_write(level, "function not deployed",
			  LOG_FIELD("function", served->spec->name),
			  LOG_FIELD("reason", served->why.message));
}

static void boot(struct boots *boots, struct served *served)
{
	served_deploy(served, boots->config.options);
	log_boot(served);
	pthread_mutex_lock(&boots->lock);
	boots->suspects -= served->is_suspect;
	pthread_mutex_unlock(&boots->lock);
	boots->config.ended(boots->config.cookie);
	served_release(served);
}

/*
 * There is a job for each function, which boots the most urgent one instead; and
 * goes on, since jobs of suspects may have ended without.
 */
static void run(struct job *job)
{
	struct served *pushed =
		(void *)((char *)job - offsetof(struct served, boot));
	struct boots *boots = pushed->boots;
	struct served *served;

	while ((served = pop(boots)))
		boot(boots, served);
	served_release(pushed);
}

void boots_push(struct boots *boots, struct served *served)
{
	struct queue *queue = &boots->queues[urgency_of(served)];

	served->boots = boots;
	served->boot.run = run;
	served->next_boot = NULL;
	pthread_mutex_lock(&boots->lock);
	*queue->last = served_hold(served);
	queue->last = &served->next_boot;
	pthread_mutex_unlock(&boots->lock);
	served_hold(served); /* the job's */
	jobs_push(boots->jobs, NULL, &served->boot);
}

void boots_free(struct boots *boots)
{
	if (!boots)
		return;
	jobs_free(boots->jobs);
	pthread_mutex_destroy(&boots->lock);
	free(boots);
}
