/* client_fixture.c - a server for one connection. See client_fixture.h. */
#include "tests/unit/client_fixture.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "executor/io/runtime_dir.h"

char fixture_directory[32], fixture_path[64];
struct thaw_client *client;
struct thaw_error error;

static int listener = -1;
static pthread_t thread;
static fixture_serve_fn serve;

static void *run_server(void *unused)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	(void)unused;
	if (fd >= 0) {
		serve(fd);
		close(fd);
	}
	return NULL;
}

void fixture_serve(fixture_serve_fn function)
{
	serve = function;
	ck_assert_int_eq(pthread_create(&thread, NULL, run_server, NULL), 0);
}

void fixture_start(fixture_serve_fn function)
{
	fixture_serve(function);
	ck_assert_int_eq(thaw_connect(fixture_path, &error, &client), 0);
}

void fixture_stop(void)
{
	thaw_disconnect(client);
	client = NULL;
	pthread_join(thread, NULL);
}

void fixture_wait(void)
{
	pthread_join(thread, NULL);
}

void fixture_stop_listening(void)
{
	close(listener);
	listener = -1;
}

void fixture_set_up(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(fixture_directory, "/tmp/test_client.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture_directory));
	snprintf(fixture_path, sizeof(fixture_path), "%s/%s", fixture_directory,
		 RUNTIME_SOCKET);
	strcpy(address.sun_path, fixture_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	/* a client must not need it ignored */
	signal(SIGPIPE, SIG_DFL);
}

void fixture_tear_down(void)
{
	close(listener);
	unlink(fixture_path);
	rmdir(fixture_directory);
}

bool fixture_read(int fd, void *to, size_t size)
{
	ssize_t n = 1;

	for (; size && n > 0; size -= (size_t)n) {
		n = read(fd, to, size);
		to = (char *)to + (n > 0 ? n : 0);
		if (n < 0)
			return false;
	}
	return n > 0;
}

bool fixture_write(int fd, const void *from, size_t size)
{
	ssize_t n = 0;

	for (; size; size -= (size_t)n) {
		n = send(fd, from, size, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		from = (const char *)from + n;
	}
	return true;
}

char *fixture_read_request(int fd, struct frame_request *ret_request)
{
	char *frame = malloc(FRAME_HEADER_SIZE);
	size_t size;

	ck_assert_ptr_nonnull(frame);
	if (!fixture_read(fd, frame, FRAME_HEADER_SIZE)) {
		free(frame);
		return NULL;
	}
	ck_assert_int_eq(frame_size(frame, FRAME_HEADER_SIZE, FRAME_REQUEST,
				    FRAME_BODY_MAX, &size),
			 0);
	frame = realloc(frame, size);
	ck_assert_ptr_nonnull(frame);
	ck_assert(fixture_read(fd, frame + FRAME_HEADER_SIZE,
			       size - FRAME_HEADER_SIZE));
	ck_assert_int_eq(frame_read_request(frame, size, ret_request), 0);
	return frame;
}

bool fixture_write_reply(int fd, const struct frame_reply *reply)
{
	char head[FRAME_HEAD_MAX];
	int size = frame_write_reply(reply, head);

	return fixture_write(fd, head, (size_t)size) &&
	       fixture_write(fd, reply->data, reply->size);
}

void fixture_echo(int fd)
{
	struct frame_request request;
	char *frame;

	while ((frame = fixture_read_request(fd, &request))) {
		struct frame_reply reply = {
			.id = request.id,
			.queue_ns = 7,
			.run_ns = request.timeout_ns,
			.data = request.data,
			.size = request.size,
		};

		strcpy(reply.content_type, request.content_type);
		strcpy(reply.request_id, request.request_id);
		ck_assert(fixture_write_reply(fd, &reply));
		free(frame);
	}
}
