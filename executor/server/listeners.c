/* listeners.c - the server's listening sockets. See listeners.h. */
#include "executor/server/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/io/listen.h"
#include "executor/server/frame_connection.h"
#include "executor/server/host_check.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"

/* Of sockets that systemd hands over (FileDescriptorName=), and in the log. */
static const char *const kind_names[LISTENER_KINDS] = {
	[LISTENER_HTTP] = "http",
	[LISTENER_ADMIN] = "admin",
	[LISTENER_METRICS] = "metrics",
	[LISTENER_SOCKET] = "socket",
};

static bool is_main_kind(enum listener_kind kind)
{
	return kind == LISTENER_ADMIN || kind == LISTENER_METRICS;
}

/* A socket that has been bound; listeners_add() makes listeners of it. */
struct bound {
	enum listener_kind kind;
	int fd;
	int worker; /* whose it is; -1: all workers share it */
	const char *path;
	bool inherited;
};

static int listeners_add_one(struct server *server, const struct bound *bound,
			     unsigned worker_index)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return -ENOMEM;
	listener->kind = bound->kind;
	listener->worker_index = worker_index;
	listener->open = bound->kind == LISTENER_SOCKET ?
				 frame_connection_open :
				 http_connection_open;
	if (bound->kind == LISTENER_METRICS)
		listener->limit = &server->metrics_limit;
	listener->checks_hosts =
		host_check_is_wanted(&server->shared.options, bound->fd);
	listener->inherited = bound->inherited;
	listener->fd = bound->fd;
	*server->last_listener = listener;
	server->last_listener = &listener->next;
	return 0;
}

/* Takes the socket: one listener for its worker, or one for each. */
static int listeners_add(struct server *server, const struct bound *bound,
			 struct error *err)
{
	const unsigned count = bound->worker < 0 ? server->shared.worker_count :
						   1;
	struct listener **first = server->last_listener;
	int r = 0;

	for (unsigned i = 0; i < count && !r; i++)
		r = listeners_add_one(server, bound,
				      bound->worker < 0 ?
					      i :
					      (unsigned)bound->worker);
	if (!*first)
		close(bound->fd);
	else
		(*first)->is_first = true;
	if (r)
		return error_set(err, r, "no memory for a listener");
	if (bound->path && !lstat(bound->path, &(*first)->file))
		(*first)->path = bound->path;
	return 0;
}

static bool has_kind(const struct server *server, enum listener_kind kind)
{
	for (const struct listener *listener = server->listeners; listener;
	     listener = listener->next)
		if (listener->kind == kind)
			return true;
	return false;
}

/* A TCP port has a socket for each worker; the others follow the first. */
static int bind_shared(struct server *server, const char *text,
		       struct error *err)
{
	struct listen_address address = {
		.text = text,
		.shared = true,
		.is_first = true,
		.insecure = server->shared.options.insecure,
	};
	struct bound bound = { .kind = LISTENER_HTTP };
	char where[LISTEN_TEXT_MAX];

	for (unsigned i = 0; i < server->shared.worker_count; i++) {
		int r = listen_bind(&address, err, &bound.fd);

		bound.worker = (int)i;
		if (!r)
			r = listeners_add(server, &bound, err);
		if (r)
			return r;
		listen_describe(bound.fd, where, sizeof(where));
		address.text = where;
		address.is_first = false;
	}
	return 0;
}

/* One socket, which the main thread has, or which all workers share. */
static int bind_one(struct server *server, const char *text,
		    enum listener_kind kind, struct error *err)
{
	const struct listen_address address = {
		.text = text,
		.insecure = server->shared.options.insecure,
	};
	struct bound bound = {
		.kind = kind,
		.worker = is_main_kind(kind) ?
				  (int)server->shared.worker_count :
				  -1,
		.path = listen_unix_path(text),
	};
	int r = listen_bind(&address, err, &bound.fd);

	return r ? r : listeners_add(server, &bound, err);
}

/* A port that the system has chosen is used for all addresses of a name. */
static void take_port(char text[LISTEN_TEXT_MAX], int fd)
{
	char where[LISTEN_TEXT_MAX], *port = strrchr(text, ':');

	listen_describe(fd, where, sizeof(where));
	if (port && !strcmp(port, ":0"))
		strcpy(port, strrchr(where, ':'));
}

/*
 * Binds all addresses of a name but those that this machine does not have, such as
 * ones of IPv6. At least one has to be there.
 */
static int bind_named(struct server *server, const char *text,
		      enum listener_kind kind, struct error *err)
{
	char texts[LISTEN_NAMED_MAX][LISTEN_TEXT_MAX];
	struct listener **first = server->last_listener;
	int r, count = listen_resolve(text, err, texts);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (*first)
			take_port(texts[i], (*first)->fd);
		r = kind == LISTENER_HTTP ?
			    bind_shared(server, texts[i], err) :
			    bind_one(server, texts[i], kind, err);
		if (r && r != -EADDRNOTAVAIL)
			return r;
	}
	return *first ? 0 : -EADDRNOTAVAIL;
}

static int bind_address_of(struct server *server, const char *text,
			   enum listener_kind kind, struct error *err)
{
	return listen_unix_path(text) ? bind_one(server, text, kind, err) :
					bind_named(server, text, kind, err);
}

/* Binds @text, which may be NULL, unless systemd has handed over such a one. */
static int bind_main(struct server *server, const char *text,
		     enum listener_kind kind, struct error *err)
{
	return !text || has_kind(server, kind) ?
		       0 :
		       bind_address_of(server, text, kind, err);
}

static int bind_socket(struct server *server, const char *path,
		       struct error *err)
{
	static char text[LISTEN_TEXT_MAX];

	snprintf(text, sizeof(text), "unix:%s", path);
	return bind_one(server, text, LISTENER_SOCKET, err);
}

/* The kind that a name of systemd's says; any other is public HTTP. */
static enum listener_kind kind_of_name(const char *name, size_t size)
{
	for (int kind = LISTENER_ADMIN; kind < LISTENER_KINDS; kind++)
		if (size == strlen(kind_names[kind]) &&
		    !strncmp(name, kind_names[kind], size))
			return (enum listener_kind)kind;
	return LISTENER_HTTP;
}

static int listeners_inherit(struct server *server, unsigned count,
			     const char *names, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < count && !r; i++) {
		const size_t size = strcspn(names, ":");
		struct bound bound = {
			.kind = kind_of_name(names, size),
			.fd = LISTEN_FDS_START + (int)i,
			.worker = -1,
			.inherited = true,
		};

		if (is_main_kind(bound.kind))
			bound.worker = (int)server->shared.worker_count;
		r = listeners_add(server, &bound, err);
		names += size + (names[size] == ':');
	}
	return r;
}

static void listeners_set_handlers(struct server *server,
				   const struct listener_handlers *handlers)
{
	for (struct listener *listener = server->listeners; listener;
	     listener = listener->next)
		listener->handler = handlers->of[listener->kind];
}

int listeners_bind(struct server *server,
		   const struct listener_handlers *handlers, struct error *err)
{
	const struct server_options *options = &server->shared.options;
	char names[1024];
	unsigned count = listen_inherited(names, sizeof(names));
	bool has_http;
	int r;

	server->last_listener = &server->listeners;
	server->metrics_limit.max = SERVER_METRICS_CONNECTIONS;
	r = listeners_inherit(server, count, names, err);
	/* what systemd hands over takes the place of what is configured */
	has_http = has_kind(server, LISTENER_HTTP);
	if (!r)
		r = bind_main(server, options->admin, LISTENER_ADMIN, err);
	if (!r)
		r = bind_main(server, options->metrics, LISTENER_METRICS, err);
	if (!r && options->socket && !has_kind(server, LISTENER_SOCKET))
		r = bind_socket(server, options->socket, err);
	for (size_t i = 0; i < options->listen_count && !r && !has_http; i++)
		r = bind_address_of(server, options->listen[i], LISTENER_HTTP,
				    err);
	listeners_set_handlers(server, handlers);
	return r;
}

/* Has sockets listen: the main thread's, or the others. */
static int listeners_listen(struct server *server, bool is_main,
			    struct error *err)
{
	char where[LISTEN_TEXT_MAX];

	for (const struct listener *listener = server->listeners; listener;
	     listener = listener->next) {
		int r;

		if (is_main_kind(listener->kind) != is_main ||
		    !listener->is_first)
			continue;
		r = listen_start(listener->fd, err);
		if (r)
			return r;
		/* a port that workers share is logged once */
		if (!is_main && listener->worker_index > 0)
			continue;
		listen_describe(listener->fd, where, sizeof(where));
		log_write(THAW_LOG_INFO, "listening",
			  LOG_FIELD("kind", kind_names[listener->kind]),
			  LOG_FIELD("address", where));
	}
	return 0;
}

int listeners_start_main(struct server *server, struct error *err)
{
	int r = listeners_listen(server, true, err);

	if (!r)
		listeners_open(&server->main);
	return r;
}

int listeners_start(struct server *server, struct error *err)
{
	return listeners_listen(server, false, err);
}

void listeners_open(struct worker *worker)
{
	struct server *server = server_of_worker(worker);

	for (struct listener *listener = server->listeners; listener;
	     listener = listener->next)
		if (listener->worker_index == worker->index)
			worker_listen(worker, listener);
}

void listeners_unlink(const struct server *server)
{
	for (const struct listener *listener = server->listeners; listener;
	     listener = listener->next) {
		struct stat now;

		/* its inode is not used again as long as the socket is open */
		if (listener->path && !lstat(listener->path, &now) &&
		    now.st_dev == listener->file.st_dev &&
		    now.st_ino == listener->file.st_ino)
			unlink(listener->path);
	}
}

void listeners_close(struct server *server)
{
	struct listener *listener, *next;

	listeners_unlink(server);
	for (listener = server->listeners; listener; listener = next) {
		next = listener->next;
		if (listener->is_first)
			close(listener->fd);
		free(listener);
	}
	server->listeners = NULL;
}
