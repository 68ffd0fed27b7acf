/* listeners.c - the server's listening sockets. Main thread, but for doors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/io/listen.h"
#include "executor/server/connection.h"
#include "executor/server/log/log.h"
#include "executor/server/server_internal.h"

/* Names of sockets that systemd hands over (FileDescriptorName=). */
#define NAME_ADMIN "admin"
#define NAME_METRICS "metrics"
#define NAME_SOCKET "socket"

static int add(struct server *server, int fd, int worker,
	       void (*open)(struct door *door, int fd), const char *path,
	       struct error *err)
{
	struct listening *all = reallocarray(server->listening,
					     server->listening_count + 1,
					     sizeof(*all));

	if (!all) {
		close(fd);
		return error_set(err, -ENOMEM, "no memory for a listener");
	}
	all[server->listening_count++] = (struct listening){
		.fd = fd, .worker = worker, .open = open, .path = path
	};
	if (path && lstat(path, &all[server->listening_count - 1].file))
		all[server->listening_count - 1].path = NULL;
	server->listening = all;
	return 0;
}

static bool has(const struct server *server,
		void (*open)(struct door *door, int fd))
{
	for (size_t i = 0; i < server->listening_count; i++)
		if (server->listening[i].open == open)
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
		.insecure = server->options.insecure,
	};
	char where[LISTEN_TEXT_MAX];

	for (unsigned i = 0; i < server->worker_count; i++) {
		int fd, r = listen_bind(&address, err, &fd);

		if (!r)
			r = add(server, fd, (int)i, http_connection_open, NULL,
				err);
		if (r)
			return r;
		listen_describe(fd, where, sizeof(where));
		address.text = where;
		address.is_first = false;
	}
	return 0;
}

static int bind_one(struct server *server, const char *text, int worker,
		    void (*open)(struct door *door, int fd), struct error *err)
{
	const struct listen_address address = {
		.text = text,
		.insecure = server->options.insecure,
	};
	int fd, r = listen_bind(&address, err, &fd);

	return r ? r :
		   add(server, fd, worker, open, listen_unix_path(text), err);
}

/* A port that the system has chosen is one for all addresses of a name. */
static void take_port(char text[LISTEN_TEXT_MAX], int fd)
{
	char where[LISTEN_TEXT_MAX], *port = strrchr(text, ':');

	listen_describe(fd, where, sizeof(where));
	if (port && !strcmp(port, ":0"))
		strcpy(port, strrchr(where, ':'));
}

/* All addresses of a name; those this machine has not, as it has no IPv6, less. */
static int bind_named(struct server *server, const char *text,
		      void (*open)(struct door *door, int fd),
		      struct error *err)
{
	char texts[LISTEN_NAMED_MAX][LISTEN_TEXT_MAX];
	const size_t before = server->listening_count;
	int r, count = listen_resolve(text, err, texts);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (server->listening_count > before)
			take_port(texts[i], server->listening[before].fd);
		r = open == http_connection_open ?
			    bind_shared(server, texts[i], err) :
			    bind_one(server, texts[i],
				     (int)server->worker_count, open, err);
		if (r && r != -EADDRNOTAVAIL)
			return r;
	}
	return server->listening_count > before ? 0 : -EADDRNOTAVAIL;
}

/* The main thread's, which may be NULL; what systemd has handed over is there. */
static int bind_main(struct server *server, const char *text,
		     void (*open)(struct door *door, int fd), struct error *err)
{
	if (!text || has(server, open))
		return 0;
	return listen_unix_path(text) ?
		       bind_one(server, text, (int)server->worker_count, open,
				err) :
		       bind_named(server, text, open, err);
}

static int bind_socket(struct server *server, const char *path,
		       struct error *err)
{
	static char text[LISTEN_TEXT_MAX];

	snprintf(text, sizeof(text), "unix:%s", path);
	return bind_one(server, text, -1, frame_connection_open, err);
}

/* Those that systemd has made: by name, else public HTTP. */
static int inherit(struct server *server, unsigned count, const char *names,
		   struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < count && !r; i++) {
		size_t size = strcspn(names, ":");
		int fd = LISTEN_FDS_START + (int)i;

		if (size == strlen(NAME_ADMIN) &&
		    !strncmp(names, NAME_ADMIN, size))
			r = add(server, fd, (int)server->worker_count,
				http_admin_connection_open, NULL, err);
		else if (size == strlen(NAME_METRICS) &&
			 !strncmp(names, NAME_METRICS, size))
			r = add(server, fd, (int)server->worker_count,
				http_metrics_connection_open, NULL, err);
		else if (size == strlen(NAME_SOCKET) &&
			 !strncmp(names, NAME_SOCKET, size))
			r = add(server, fd, -1, frame_connection_open, NULL,
				err);
		else
			r = add(server, fd, -1, http_connection_open, NULL,
				err);
		if (!r)
			server->listening[server->listening_count - 1]
				.inherited = true;
		names += size + (names[size] == ':');
	}
	return r;
}

int server_bind(struct server *server, struct error *err)
{
	const struct server_options *options = &server->options;
	char names[1024];
	unsigned count = listen_inherited(names, sizeof(names));
	int r = inherit(server, count, names, err);

	/* what systemd hands over takes the place of what is configured */
	if (!r)
		r = bind_main(server, options->admin,
			      http_admin_connection_open, err);
	if (!r)
		r = bind_main(server, options->metrics,
			      http_metrics_connection_open, err);
	if (!r && options->socket && !has(server, frame_connection_open))
		r = bind_socket(server, options->socket, err);
	if (has(server, http_connection_open))
		return r;
	for (size_t i = 0; i < options->listen_count && !r; i++)
		r = listen_unix_path(options->listen[i]) ?
			    bind_one(server, options->listen[i], -1,
				     http_connection_open, err) :
			    bind_named(server, options->listen[i],
				       http_connection_open, err);
	return r;
}

static const char *kind_of(const struct listening *listening)
{
	if (listening->open == http_admin_connection_open)
		return "admin";
	if (listening->open == http_metrics_connection_open)
		return "metrics";
	return listening->open == frame_connection_open ? "socket" : "http";
}

/* Those of the admin, or the others. */
static int listen_at(struct server *server, bool admin, struct error *err)
{
	char where[LISTEN_TEXT_MAX];

	for (size_t i = 0; i < server->listening_count; i++) {
		const struct listening *one = &server->listening[i];
		int r;

		if ((one->worker == (int)server->worker_count) != admin)
			continue;
		r = listen_start(one->fd, err);
		if (r)
			return r;
		/* a shared port is said once */
		if (one->worker > 0 && one->worker < (int)server->worker_count)
			continue;
		listen_describe(one->fd, where, sizeof(where));
		log_write(THAW_LOG_INFO, "listening",
			  LOG_FIELD("kind", kind_of(one)),
			  LOG_FIELD("address", where));
	}
	return 0;
}

int server_listen_admin(struct server *server, struct error *err)
{
	int r = listen_at(server, true, err);

	if (!r)
		server_open_doors(&server->main);
	return r;
}

int server_listen(struct server *server, struct error *err)
{
	return listen_at(server, false, err);
}

void server_open_doors(struct worker *worker)
{
	const struct server *server = worker->server;
	struct error err;

	for (size_t i = 0; i < server->listening_count; i++) {
		const struct listening *one = &server->listening[i];
		bool ours = one->worker == (int)worker->index ||
			    (one->worker < 0 &&
			     worker->index < server->worker_count);

		if (ours && worker_listen(worker, one->fd, one->inherited,
					  one->open, &err))
			log_write(THAW_LOG_ERROR, "cannot listen",
				  LOG_FIELD("reason", err.message));
	}
}

void server_unlink(const struct server *server)
{
	for (size_t i = 0; i < server->listening_count; i++) {
		const struct listening *one = &server->listening[i];
		struct stat now;

		/* its inode is not used again as long as the socket is open */
		if (one->path && !lstat(one->path, &now) &&
		    now.st_dev == one->file.st_dev &&
		    now.st_ino == one->file.st_ino)
			unlink(one->path);
	}
}

void server_close(struct server *server)
{
	server_unlink(server);
	for (size_t i = 0; i < server->listening_count; i++)
		close(server->listening[i].fd);
	free(server->listening);
	server->listening = NULL;
	server->listening_count = 0;
}
