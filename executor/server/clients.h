/*
 * clients.h - clients that can be told apart, by their addresses, and what the
 * server keeps for each of them (budget.h). Any thread.
 *
 * Behind a unix socket or a loopback address are many: they are not told apart.
 * Addresses of IPv6 are one client's if their first 64 bits are the same.
 */
#ifndef EXECUTOR_SERVER_CLIENTS_H
#define EXECUTOR_SERVER_CLIENTS_H

#include <pthread.h>
#include <stdint.h>

#include "base/budget.h"

#define CLIENTS_LISTS 1024
#define CLIENTS_ADDRESS_SIZE 8

struct client {
	struct budget_share share;
	struct client *next;
	unsigned connections;
	uint8_t address[CLIENTS_ADDRESS_SIZE];
};

/* Those that have a connection; embedded in the server. */
struct clients {
	pthread_mutex_t lock;
	uint8_t key[16]; /* nobody chooses addresses for one list */
	struct client *lists[CLIENTS_LISTS];
};

void clients_init(struct clients *clients);
void clients_done(struct clients *clients);

/* Who is at the other end of @fd; NULL: not told apart, or no memory. */
struct client *clients_enter(struct clients *clients, int fd);

/* One connection less; NULL is fine. */
void clients_leave(struct clients *clients, struct client *client);

#endif
