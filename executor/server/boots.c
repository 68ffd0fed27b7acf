/*
 * boots.c - boots functions, in the order of their urgency. See boots.h.
 *
 * A boot that has begun keeps its thread. Of all threads, those run that have a
 * turn. In each pause of an init, the turn goes to the next thread in the line.
 */
#include "executor/server/boots.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/offload.h"
#include "executor/limits.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"
#include "vm/watchdog.h"

enum urgency {
	CRITICAL,
	NORMAL,
	SUSPECT, /* the last boot of the function failed */
	URGENCIES,
};

/* A thread that waits for its turn, on its own stack. */
struct turn {
	pthread_cond_t has_come;
	bool is_here;
	struct turn *next;
};

struct boots {
	struct boots_config config;
	struct offload_pool *offload;
	pthread_mutex_t lock; /* of the rest */
	struct turn *first_turn, **last_turn;
	unsigned running; /* have a turn */
	struct queue {
		struct deployment *first, **last;
	} queues[URGENCIES];
	unsigned suspects; /* under way */
};

int boots_create(const struct boots_config *config, struct error *err,
		 struct boots **ret_boots)
{
	struct offload_config threads = {
		.threads = SERVER_BOOTS_BEGUN_MAX,
		.per_share = SERVER_BOOTS_BEGUN_MAX,
		.name = "thaw-boot",
		.nice = SERVER_BOOTS_NICE,
	};
	struct boots *boots = calloc(1, sizeof(*boots));
	int r;

	if (!boots)
		return error_set(err, -ENOMEM, "no memory to boot functions");
	watch_signals(&threads.blocked);
	r = offload_pool_create(&threads, err, &boots->offload);
	if (r) {
		free(boots);
		return r;
	}
	boots->config = *config;
	boots->last_turn = &boots->first_turn;
	pthread_mutex_init(&boots->lock, NULL);
	for (int i = 0; i < URGENCIES; i++)
		boots->queues[i].last = &boots->queues[i].first;
	*ret_boots = boots;
	return 0;
}

static enum urgency urgency_of(const struct deployment *deployment)
{
	if (atomic_load(&deployment->stats->boot_failed))
		return SUSPECT;
	return deployment->spec->critical ? CRITICAL : NORMAL;
}

/* Waits for a turn, behind all others that wait. The lock is held. */
static void boots_take_turn(struct boots *boots)
{
	struct turn turn = { .has_come = PTHREAD_COND_INITIALIZER };

	if (boots->running < SERVER_BOOTS_MAX && !boots->first_turn) {
		boots->running++;
		return;
	}
	*boots->last_turn = &turn;
	/* cppcheck-suppress autoVariables; it is unlinked before it ends */
	boots->last_turn = &turn.next;
	while (!turn.is_here)
		pthread_cond_wait(&turn.has_come, &boots->lock);
	pthread_cond_destroy(&turn.has_come);
}

/* Passes the turn to the next one that waits, if any. The lock is held. */
static void boots_end_turn(struct boots *boots)
{
	struct turn *turn = boots->first_turn;

	if (!turn) {
		boots->running--;
		return;
	}
	boots->first_turn = turn->next;
	if (!boots->first_turn)
		boots->last_turn = &boots->first_turn;
	turn->is_here = true;
	pthread_cond_signal(&turn->has_come);
}

/*
 * A snapshot_pause: lets others that wait have their turn. Returns whether the
 * boot is not needed any more.
 */
static bool boots_pause(void *cookie)
{
	const struct deployment *deployment = cookie;
	struct boots *boots = deployment->boots;

	pthread_mutex_lock(&boots->lock);
	if (boots->first_turn) {
		boots_end_turn(boots);
		boots_take_turn(boots);
	}
	pthread_mutex_unlock(&boots->lock);
	return atomic_load(&deployment->cancelled);
}

/* The next one that may begin, or NULL. The lock is held. */
static struct deployment *boots_pop(struct boots *boots)
{
	struct deployment *deployment = NULL;

	for (int i = 0; i < URGENCIES && !deployment; i++) {
		struct queue *queue = &boots->queues[i];

		if (i == SUSPECT && boots->suspects == SERVER_BOOTS_SUSPECT_MAX)
			break;
		deployment = queue->first;
		if (!deployment)
			continue;
		queue->first = deployment->next_boot;
		if (!queue->first)
			queue->last = &queue->first;
		deployment->is_suspect = i == SUSPECT;
		boots->suspects += deployment->is_suspect;
	}
	return deployment;
}

/* Enough for one line for each function at the start, but not for many reloads. */
static struct log_limit boot_limit = {
	.per_second = SERVER_BOOT_LINES_PER_SECOND,
	.burst = CATALOG_FUNCTIONS_MAX,
	.cause = "functions deployed, or not",
};

static void log_boot(const struct deployment *deployment)
{
	const bool good = deployment_is_active(deployment) ||
			  deployment->failure == -ESHUTDOWN;
	const enum thaw_level level = good ? THAW_LOG_INFO : THAW_LOG_ERROR;

	if (!log_may(&boot_limit, level))
		return;
	if (deployment_is_active(deployment))
		log_write(level, "function deployed",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_NUMBER("took_us",
				     deployment->function->deploy_ns /
					     NS_PER_US),
			  LOG_FIELD("no_gate", deployment->function->no_gate));
	else
		log_write(level, "function not deployed",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_FIELD("reason", deployment->why.message));
}

static void boots_deploy(struct boots *boots, struct deployment *deployment)
{
	struct function_options options = *boots->config.options;

	options.pause = (struct snapshot_pause){ boots_pause, deployment };
	deployment_deploy(deployment, &options);
	log_boot(deployment);
}

/* Boots the next function, if there is one. */
static bool boots_boot_next(struct boots *boots)
{
	struct deployment *deployment;

	pthread_mutex_lock(&boots->lock);
	boots_take_turn(boots);
	deployment = boots_pop(boots);
	if (!deployment)
		boots_end_turn(boots);
	pthread_mutex_unlock(&boots->lock);
	if (!deployment)
		return false;
	boots_deploy(boots, deployment);
	pthread_mutex_lock(&boots->lock);
	boots_end_turn(boots);
	boots->suspects -= deployment->is_suspect;
	pthread_mutex_unlock(&boots->lock);
	boots->config.ended(boots->config.cookie);
	deployment_release(deployment);
	return true;
}

/*
 * Each function that was pushed begins this once. It boots the most urgent one
 * instead, and goes on: others may have ended without a boot, because too many
 * suspects were under way.
 */
static void boots_run(struct offload_work *work)
{
	struct deployment *pushed = container_of(work, struct deployment, boot);
	struct boots *boots = pushed->boots;

	while (boots_boot_next(boots))
		;
	deployment_release(pushed);
}

void boots_push(struct boots *boots, struct deployment *deployment)
{
	struct queue *queue = &boots->queues[urgency_of(deployment)];

	deployment->boots = boots;
	deployment->boot.run = boots_run;
	deployment->next_boot = NULL;
	pthread_mutex_lock(&boots->lock);
	*queue->last = deployment_hold(deployment);
	queue->last = &deployment->next_boot;
	pthread_mutex_unlock(&boots->lock);
	deployment_hold(deployment); /* for boots_run() */
	offload_push(boots->offload, NULL, &deployment->boot);
}

void boots_free(struct boots *boots)
{
	if (!boots)
		return;
	offload_pool_free(boots->offload);
	pthread_mutex_destroy(&boots->lock);
	free(boots);
}
