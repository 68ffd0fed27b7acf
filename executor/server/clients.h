/*
 * clients.h - tells clients apart by their addresses, and counts the memory that the
 * server keeps for each of them (budget.h). Any thread.
 *
 * A unix socket or a loopback address may have many clients, so these are not told
 * apart. Addresses of IPv6 with the same first 64 bits are one client.
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
	uint8_t key[16]; /* secret: nobody can choose addresses that are all in one list */
	struct client *lists[CLIENTS_LISTS];
};

void clients_init(struct clients *clients);
void clients_done(struct clients *clients);

/*
 * Finds the client at the other end of @fd, which has one connection more. NULL: it
 * cannot be told apart, or there is no memory.
 */
struct client *clients_enter(struct clients *clients, int fd);

/* The client has one connection less. NULL is fine. */
void clients_leave(struct clients *clients, struct client *client);

#endif
