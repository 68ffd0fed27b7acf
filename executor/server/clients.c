/* clients.c - clients by their addresses. See clients.h. */
#include "executor/server/clients.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/entropy.h"

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct clients *)0)->key),
	       "the key's size");

void clients_init(struct clients *clients)
{
	memset(clients, 0, sizeof(*clients));
	pthread_mutex_init(&clients->lock, NULL);
	/* this fails only before the machine has entropy; then the key is known */
	(void)!entropy_fill(clients->key, sizeof(clients->key));
}

void clients_done(struct clients *clients)
{
	for (unsigned i = 0; i < CLIENTS_LISTS; i++)
		while (clients->lists[i]) {
			struct client *client = clients->lists[i];

			clients->lists[i] = client->next;
			free(client);
		}
	pthread_mutex_destroy(&clients->lock);
}

static bool take_v4(const uint8_t *from, uint8_t *address)
{
	memset(address, 0, CLIENTS_ADDRESS_SIZE);
	memcpy(address + CLIENTS_ADDRESS_SIZE - 4, from, 4);
	return from[0] != IN_LOOPBACKNET;
}

static bool take_v6(const struct in6_addr *from, uint8_t *address)
{
	if (IN6_IS_ADDR_V4MAPPED(from))
		return take_v4(from->s6_addr + 12, address);
	memcpy(address, from->s6_addr, CLIENTS_ADDRESS_SIZE);
	return !IN6_IS_ADDR_LOOPBACK(from);
}

static bool find_address(int fd, uint8_t *address)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &size))
		return false;
	if (peer.ss_family == AF_INET)
		return take_v4((const uint8_t *)&((struct sockaddr_in *)&peer)
				       ->sin_addr,
			       address);
	return peer.ss_family == AF_INET6 &&
	       take_v6(&((struct sockaddr_in6 *)&peer)->sin6_addr, address);
}

static struct client **list_of(struct clients *clients, const uint8_t *address)
{
	uint64_t hash;

	_Static_assert(sizeof(hash) == crypto_shorthash_BYTES, "its size");
	crypto_shorthash((unsigned char *)&hash, address, CLIENTS_ADDRESS_SIZE,
			 clients->key);
	return &clients->lists[hash % CLIENTS_LISTS];
}

/* Under the lock. */
static struct client *get(struct client **list, const uint8_t *address)
{
	struct client *client = *list;

	while (client &&
	       memcmp(client->address, address, CLIENTS_ADDRESS_SIZE) != 0)
		client = client->next;
	if (client)
		return client;
	client = calloc(1, sizeof(*client));
	if (!client)
		return NULL;
	memcpy(client->address, address, CLIENTS_ADDRESS_SIZE);
	client->next = *list;
	*list = client;
	return client;
}

struct client *clients_enter(struct clients *clients, int fd)
{
	uint8_t address[CLIENTS_ADDRESS_SIZE];
	struct client *client;

	if (!find_address(fd, address))
		return NULL;
	pthread_mutex_lock(&clients->lock);
	client = get(list_of(clients, address), address);
	if (client)
		client->connections++;
	pthread_mutex_unlock(&clients->lock);
	return client;
}

void clients_leave(struct clients *clients, struct client *client)
{
	struct client **at;

	if (!client)
		return;
	pthread_mutex_lock(&clients->lock);
	if (!--client->connections) {
		at = list_of(clients, client->address);
		while (*at != client)
			at = &(*at)->next;
		*at = client->next;
		free(client);
	}
	pthread_mutex_unlock(&clients->lock);
}
