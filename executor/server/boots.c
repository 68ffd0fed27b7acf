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
#include "executor/server/deployment_load.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"
#include "vm/watchdog.h"

enum urgency {
	AWAITED, /* invocations wait until it is loaded */
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
	unsigned paused;  /* wait for one, in the middle of a boot */
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
		boots->paused++;
		boots_take_turn(boots);
		boots->paused--;
	}
	pthread_mutex_unlock(&boots->lock);
	return atomic_load(&deployment->cancelled);
}

/* The next one that may begin, or NULL. The lock is held. */
static struct deployment *boots_pop(struct boots *boots, bool *ret_is_suspect)
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
		*ret_is_suspect = i == SUSPECT;
		boots->suspects += *ret_is_suspect;
	}
	return deployment;
}

/* Enough for one line for each function at the start, but not for many reloads. */
static struct log_limit boot_limit = {
	.per_second = SERVER_BOOT_LINES_PER_SECOND,
	.burst = CATALOG_FUNCTIONS_MAX,
	.cause = "functions deployed, or not",
};

/* Where the snapshot is from, if there is a store. */
static const char *snapshot_source(const struct function *function)
{
	if (!function)
		return "stored";
	if (function->is_stored)
		return "stored";
	return function->options.store ? "booted" : "";
}

static void log_boot(const struct deployment *deployment)
{
	const bool good = deployment_is_active(deployment) ||
			  deployment->failure == -ESHUTDOWN;
	const enum thaw_level level = good ? THAW_LOG_INFO : THAW_LOG_ERROR;
	const struct function *function = deployment_function(deployment);

	if (!log_may(&boot_limit, level))
		return;
	if (deployment_is_active(deployment))
		log_write(level, "function deployed",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_NUMBER("took_us",
				     deployment->deploy_ns / NS_PER_US),
			  LOG_FIELD("snapshot", snapshot_source(function)),
			  LOG_FIELD("not_stored",
				    function ? function->not_stored.message :
					       ""),
			  LOG_FIELD("no_gate",
				    function ? function->no_gate : ""));
	else
		log_write(level, "function not deployed",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_FIELD("reason", deployment->why.message));
}

static void boots_deploy(struct boots *boots, struct deployment *deployment)
{
	struct function_options options = *boots->config.options;

	options.pause = (struct snapshot_pause){ boots_pause, deployment };
	if (deployment_is_pending(deployment)) {
		deployment_deploy(deployment, &options);
		log_boot(deployment);
	} else {
		deployment_load(deployment, &options);
	}
}

/* Boots the next function, if there is one. The lock is held, but not meanwhile. */
static bool boots_boot_next(struct boots *boots)
{
	bool is_suspect;
	struct deployment *deployment = boots_pop(boots, &is_suspect);

	if (!deployment)
		return false;
	pthread_mutex_unlock(&boots->lock);
	boots_deploy(boots, deployment);
	boots->config.ended(boots->config.cookie);
	pthread_mutex_lock(&boots->lock);
	boots->suspects -= is_suspect;
	pthread_mutex_unlock(&boots->lock);
	deployment_release(deployment);
	pthread_mutex_lock(&boots->lock);
	return true;
}

/*
 * Boots functions as long as there are any. Between two of them the turn goes only to a
 * boot that has begun: most are stored, and take less time than to wake another thread.
 */
static void boots_go_on(struct boots *boots)
{
	pthread_mutex_lock(&boots->lock);
	boots_take_turn(boots);
	while (boots_boot_next(boots))
		if (boots->paused) {
			boots_end_turn(boots);
			boots_take_turn(boots);
		}
	boots_end_turn(boots);
	pthread_mutex_unlock(&boots->lock);
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

	boots_go_on(boots);
	deployment_release(pushed);
}

/* The same for one that is to be loaded, which may happen several times. */
static void boots_run_load(struct offload_work *work)
{
	struct deployment *pushed = container_of(work, struct deployment, load);

	/* first: what is queued from now on is another thread's, or this one's */
	atomic_store(&pushed->load_is_pushed, false);
	boots_go_on(pushed->boots);
	deployment_release(pushed);
}

static void boots_queue(struct boots *boots, struct deployment *deployment,
			enum urgency urgency)
{
	struct queue *queue = &boots->queues[urgency];

	deployment->next_boot = NULL;
	pthread_mutex_lock(&boots->lock);
	*queue->last = deployment_hold(deployment);
	queue->last = &deployment->next_boot;
	pthread_mutex_unlock(&boots->lock);
}

void boots_load(struct boots *boots, struct deployment *deployment)
{
	boots_queue(boots, deployment, AWAITED);
	if (atomic_exchange(&deployment->load_is_pushed, true))
		return;
	deployment->load.run = boots_run_load;
	deployment_hold(deployment); /* for boots_run_load() */
	offload_push(boots->offload, NULL, &deployment->load);
}

void boots_push(struct boots *boots, struct deployment *deployment)
{
	deployment->boots = boots;
	deployment->boot.run = boots_run;
	boots_queue(boots, deployment, urgency_of(deployment));
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
