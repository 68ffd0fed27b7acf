/* load_connection.c - one connection of the load. See load_worker.h. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_worker.h"

/* Events after which there are no more. */
#define ENDS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* How long to wait when the server does not want a connection. */
#define RETRY_NS (10 * NS_PER_MS)
/* or cannot take it at the moment. */
#define RETRY_BUSY_NS NS_PER_MS

static void idle_push(struct load_worker *worker,
		      struct load_connection *connection)
{
	struct load_idle *idle = &worker->idle;

	idle->ring[(idle->first + idle->count++) % worker->count] = connection;
	connection->state = LOAD_IDLE;
}

struct load_connection *load_idle_pop(struct load_idle *idle, size_t capacity)
{
	struct load_connection *connection = idle->ring[idle->first];

	idle->first = (idle->first + 1) % capacity;
	idle->count--;
	return connection;
}

/* One from the middle: it has ended while it was idle. */
static void idle_remove(struct load_worker *worker,
			const struct load_connection *connection)
{
	struct load_idle *idle = &worker->idle;
	const size_t count = idle->count;

	for (size_t i = 0; i < count; i++) {
		struct load_connection *other =
			load_idle_pop(idle, worker->count);

		if (other != connection)
			idle_push(worker, other);
	}
}

/* Leaves the state it is in. */
static void leave(struct load_worker *worker,
		  struct load_connection *connection)
{
	switch (connection->state) {
	case LOAD_DOWN:
		worker->down--;
		break;
	case LOAD_CONNECTING:
		worker->connecting--;
		break;
	case LOAD_IDLE:
		idle_remove(worker, connection);
		break;
	case LOAD_BUSY:
		worker->busy--;
		break;
	}
}

/* Closes what there is; it is opened again at @retry_ns. */
static void go_down(struct load_worker *worker,
		    struct load_connection *connection, uint64_t retry_ns)
{
	leave(worker, connection);
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	connection->state = LOAD_DOWN;
	connection->retry_ns = retry_ns;
	worker->down++;
}

static void go_up(struct load_worker *worker,
		  struct load_connection *connection)
{
	worker->connecting--;
	worker->reconnections += connection->was_open;
	connection->was_open = true;
	connection->has_answered = false;
	idle_push(worker, connection);
}

void load_connection_drop(struct load_worker *worker,
			  struct load_connection *connection)
{
	const bool was_busy = connection->state == LOAD_BUSY;
	uint64_t retry_ns = 0;

	if (was_busy && connection->counts)
		worker->tally->lost++;
	/* at once, but not again and again if it is of no use */
	if (!connection->has_answered)
		retry_ns = clock_now_ns() + RETRY_NS;
	go_down(worker, connection, retry_ns);
}

static void refused(struct load_worker *worker,
		    struct load_connection *connection, int error)
{
	worker->connect_error = error;
	go_down(worker, connection,
		clock_now_ns() + (error == -EAGAIN ? RETRY_BUSY_NS : RETRY_NS));
}

void load_connection_open(struct load_worker *worker,
			  struct load_connection *connection)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = connection,
	};
	int r = load_target_connect(worker->options->target, SOCK_NONBLOCK,
				    &connection->fd);

	worker->down--;
	worker->connecting++;
	connection->state = LOAD_CONNECTING;
	if (r && r != -EINPROGRESS)
		return refused(worker, connection, r);
	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event))
		return refused(worker, connection, -errno);
	if (!r)
		go_up(worker, connection);
}

static void see_connected(struct load_worker *worker,
			  struct load_connection *connection)
{
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		refused(worker, connection, -error);
	else
		go_up(worker, connection);
}

static void count(struct load_worker *worker,
		  const struct load_connection *connection, uint64_t now_ns)
{
	struct load_tally *tally = worker->tally;
	const unsigned status = connection->reply.status;

	worker->last_ns = now_ns;
	tally->statuses[status]++;
	if (!load_status_is_ok(worker->options->target->protocol, status)) {
		tally->errors++;
		return;
	}
	tally->ok++;
	histogram_add(&tally->latency, now_ns - connection->due_ns);
}

/* The reply is whole. */
static void finish(struct load_worker *worker,
		   struct load_connection *connection)
{
	/* it has come before all of the request was sent: not to be reused */
	const bool is_early = connection->sent < worker->options->request->size;

	if (connection->counts)
		count(worker, connection, clock_now_ns());
	connection->has_answered = true;
	connection->counts = false;
	if (is_early || !connection->reply.keep_alive)
		return load_connection_drop(worker, connection);
	worker->busy--;
	idle_push(worker, connection);
}

/* Returns false when the connection is not to be read from any more. */
static bool take(struct load_worker *worker, struct load_connection *connection,
		 size_t size)
{
	size_t used;
	int r;

	/* nobody has asked */
	if (connection->state != LOAD_BUSY) {
		load_connection_drop(worker, connection);
		return false;
	}
	r = load_reply_feed(&connection->reply, worker->input, size, &used);
	if (r < 0) {
		load_connection_drop(worker, connection);
		return false;
	}
	if (r == 0)
		return true;
	if (used < size)
		connection->reply.keep_alive = false;
	finish(worker, connection);
	return connection->state != LOAD_DOWN;
}

static void see_end(struct load_worker *worker,
		    struct load_connection *connection)
{
	if (connection->state == LOAD_BUSY &&
	    load_reply_end(&connection->reply) == 1)
		finish(worker, connection);
	else
		load_connection_drop(worker, connection);
}

/* @has_ended: epoll will not tell of the end again. */
static void receive(struct load_worker *worker,
		    struct load_connection *connection, bool has_ended)
{
	ssize_t n;

	for (;;) {
		n = recv(connection->fd, worker->input, LOAD_INPUT_SIZE,
			 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			return load_connection_drop(worker, connection);
		if (n == 0)
			return see_end(worker, connection);
		if (!take(worker, connection, (size_t)n))
			return;
		/* of more, epoll would tell */
		if (n < LOAD_INPUT_SIZE && !has_ended)
			return;
	}
}

/* As much of the request as the socket takes now. */
static void send_more(struct load_worker *worker,
		      struct load_connection *connection)
{
	const struct load_request *request = worker->options->request;

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
			/* the server may have said why it has hung up */
			connection->sent = request->size;
			return receive(worker, connection, true);
		}
		connection->sent += (size_t)n;
	}
}

void load_connection_start(struct load_worker *worker,
			   struct load_connection *connection, uint64_t due_ns,
			   uint64_t now_ns)
{
	connection->state = LOAD_BUSY;
	worker->busy++;
	connection->sent = 0;
	connection->due_ns = due_ns;
	connection->counts = due_ns >= worker->measure_ns;
	if (connection->counts) {
		worker->tally->sent++;
		worker->tally->late += now_ns - due_ns > LOAD_LATE_NS;
	}
	load_reply_reset(&connection->reply);
	send_more(worker, connection);
}

void load_connection_handle(struct load_worker *worker,
			    struct load_connection *connection, uint32_t events)
{
	if (connection->state == LOAD_CONNECTING)
		see_connected(worker, connection);
	if (connection->state == LOAD_BUSY && (events & EPOLLOUT))
		send_more(worker, connection);
	if (connection->state != LOAD_DOWN && (events & (EPOLLIN | ENDS)))
		receive(worker, connection, events & ENDS);
}
