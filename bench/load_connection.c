/* load_connection.c - see load_connection.h. */
#include "bench/load_connection.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* Events after which the peer sends nothing more. */
#define ENDS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* Time until a new attempt when the server refuses a connection, */
#define RETRY_NS (10 * NS_PER_MS)
/* and when it cannot accept one at the moment. */
#define RETRY_BUSY_NS NS_PER_MS

static void load_idle_push(struct load_pool *pool,
			   struct load_connection *connection)
{
	struct load_idle *idle = &pool->idle;

	idle->ring[(idle->first + idle->count++) % pool->count] = connection;
	connection->state = LOAD_IDLE;
}

struct load_connection *load_idle_pop(struct load_idle *idle, size_t capacity)
{
	struct load_connection *connection = idle->ring[idle->first];

	idle->first = (idle->first + 1) % capacity;
	idle->count--;
	return connection;
}

/* Removes a connection that has ended while it was idle. */
static void load_idle_remove(struct load_pool *pool,
			     const struct load_connection *connection)
{
	struct load_idle *idle = &pool->idle;
	const size_t count = idle->count;

	for (size_t i = 0; i < count; i++) {
		struct load_connection *other =
			load_idle_pop(idle, pool->count);

		if (other != connection)
			load_idle_push(pool, other);
	}
}

/* Undoes what belongs to the connection's present state. */
static void load_connection_leave(struct load_pool *pool,
				  struct load_connection *connection)
{
	switch (connection->state) {
	case LOAD_DOWN:
		pool->down--;
		break;
	case LOAD_CONNECTING:
		pool->connecting--;
		break;
	case LOAD_IDLE:
		load_idle_remove(pool, connection);
		break;
	case LOAD_BUSY:
		pool->busy--;
		break;
	}
}

/* Closes the connection, to open it again at @retry_ns. */
static void load_connection_go_down(struct load_pool *pool,
				    struct load_connection *connection,
				    uint64_t retry_ns)
{
	load_connection_leave(pool, connection);
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	connection->state = LOAD_DOWN;
	connection->retry_ns = retry_ns;
	pool->down++;
}

static void load_connection_go_up(struct load_pool *pool,
				  struct load_connection *connection)
{
	pool->connecting--;
	pool->reconnections += connection->was_open;
	connection->was_open = true;
	connection->has_answered = false;
	load_idle_push(pool, connection);
}

void load_connection_drop(struct load_pool *pool,
			  struct load_connection *connection)
{
	const bool was_busy = connection->state == LOAD_BUSY;
	uint64_t retry_ns = 0;

	if (was_busy && connection->counts)
		pool->tally->lost++;
	/* reconnect at once, unless this connection never got a reply */
	if (!connection->has_answered)
		retry_ns = clock_now_ns() + RETRY_NS;
	load_connection_go_down(pool, connection, retry_ns);
}

static void load_connection_refused(struct load_pool *pool,
				    struct load_connection *connection,
				    int error)
{
	pool->connect_error = error;
	load_connection_go_down(pool, connection,
				clock_now_ns() + (error == -EAGAIN ?
							  RETRY_BUSY_NS :
							  RETRY_NS));
}

void load_connection_open(struct load_pool *pool,
			  struct load_connection *connection)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = connection,
	};
	int r = load_target_connect(pool->options->target, SOCK_NONBLOCK,
				    &connection->fd);

	pool->down--;
	pool->connecting++;
	connection->state = LOAD_CONNECTING;
	if (r && r != -EINPROGRESS)
		return load_connection_refused(pool, connection, r);
	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event))
		return load_connection_refused(pool, connection, -errno);
	if (!r)
		load_connection_go_up(pool, connection);
}

static void load_connection_see_connected(struct load_pool *pool,
					  struct load_connection *connection)
{
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		load_connection_refused(pool, connection, -error);
	else
		load_connection_go_up(pool, connection);
}

static void load_connection_count(struct load_pool *pool,
				  const struct load_connection *connection,
				  uint64_t now_ns)
{
	struct load_tally *tally = pool->tally;
	const unsigned status = connection->reply.status;

	pool->last_ns = now_ns;
	tally->statuses[status]++;
	if (!load_status_is_ok(pool->options->target->protocol, status)) {
		tally->errors++;
		return;
	}
	tally->ok++;
	histogram_add(&tally->latency, now_ns - connection->due_ns);
}

/* Handles a reply that is complete. */
static void load_connection_finish(struct load_pool *pool,
				   struct load_connection *connection)
{
	/* the reply came before the whole request was sent: do not reuse */
	const bool is_early = connection->sent < pool->options->request->size;

	if (connection->counts)
		load_connection_count(pool, connection, clock_now_ns());
	connection->has_answered = true;
	connection->counts = false;
	if (is_early || !connection->reply.keep_alive)
		return load_connection_drop(pool, connection);
	pool->busy--;
	load_idle_push(pool, connection);
}

/* Handles received bytes. Returns false when reading must stop. */
static bool load_connection_take(struct load_pool *pool,
				 struct load_connection *connection,
				 size_t size)
{
	size_t used;
	int r;

	/* nothing was requested */
	if (connection->state != LOAD_BUSY) {
		load_connection_drop(pool, connection);
		return false;
	}
	r = load_reply_feed(&connection->reply, pool->input, size, &used);
	if (r < 0) {
		load_connection_drop(pool, connection);
		return false;
	}
	if (r == 0)
		return true;
	if (used < size)
		connection->reply.keep_alive = false;
	load_connection_finish(pool, connection);
	return connection->state != LOAD_DOWN;
}

static void load_connection_see_end(struct load_pool *pool,
				    struct load_connection *connection)
{
	if (connection->state == LOAD_BUSY &&
	    load_reply_end(&connection->reply) == 1)
		load_connection_finish(pool, connection);
	else
		load_connection_drop(pool, connection);
}

/* Reads what there is. @has_ended: epoll will not report the end again. */
static void load_connection_receive(struct load_pool *pool,
				    struct load_connection *connection,
				    bool has_ended)
{
	ssize_t n;

	for (;;) {
		n = recv(connection->fd, pool->input, LOAD_INPUT_SIZE,
			 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			return load_connection_drop(pool, connection);
		if (n == 0)
			return load_connection_see_end(pool, connection);
		if (!load_connection_take(pool, connection, (size_t)n))
			return;
		/* epoll reports more data */
		if (n < LOAD_INPUT_SIZE && !has_ended)
			return;
	}
}

/* Sends as much of the request as the socket accepts now. */
static void load_connection_send(struct load_pool *pool,
				 struct load_connection *connection)
{
	const struct load_request *request = pool->options->request;

	while (connection->sent < request->size) {
		ssize_t n = send(connection->fd,
				 request->bytes + connection->sent,
				 request->size - connection->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			/*
			 * the server may have said why it closed the connection
			 */
			connection->sent = request->size;
			return load_connection_receive(pool, connection, true);
		}
		connection->sent += (size_t)n;
	}
}

void load_connection_start(struct load_pool *pool,
			   struct load_connection *connection, uint64_t due_ns,
			   uint64_t now_ns)
{
	connection->state = LOAD_BUSY;
	pool->busy++;
	connection->sent = 0;
	connection->due_ns = due_ns;
	connection->counts = due_ns >= pool->measure_ns;
	if (connection->counts) {
		pool->tally->sent++;
		pool->tally->late += now_ns - due_ns > LOAD_LATE_NS;
	}
	load_reply_reset(&connection->reply);
	load_connection_send(pool, connection);
}

void load_connection_handle(struct load_pool *pool,
			    struct load_connection *connection, uint32_t events)
{
	if (connection->state == LOAD_CONNECTING)
		load_connection_see_connected(pool, connection);
	if (connection->state == LOAD_BUSY && (events & EPOLLOUT))
		load_connection_send(pool, connection);
	if (connection->state != LOAD_DOWN && (events & (EPOLLIN | ENDS)))
		load_connection_receive(pool, connection, events & ENDS);
}
