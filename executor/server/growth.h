/*
 * growth.h - has the pool of a function grow while requests wait in its line.
 */
#ifndef EXECUTOR_SERVER_GROWTH_H
#define EXECUTOR_SERVER_GROWTH_H

struct deployment;
struct offload_pool;

/*
 * Has a builder call pool_grow(), in the share of @deployment, which is active and is
 * held until then. Any thread. -ENOMEM: nobody does.
 */
int growth_push(struct offload_pool *builders, struct deployment *deployment);

#endif
