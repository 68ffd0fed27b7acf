/*
 * spawned.c - a small static program, to compare `thaw bench` with: processes
 * instead of vms.
 *
 *	spawned		one request: copies standard input to standard output
 *	spawned SIZE	for each SIZE bytes read, a fork that writes them back;
 *			once it has gone, a zero byte
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX 65536

static char request[REQUEST_MAX];

/* Reads @size bytes, fewer only at the end. */
static size_t read_all(size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size && (n = read(0, request + done, size - done)) > 0)
		done += (size_t)n;
	return done;
}

static int write_all(const char *from, size_t size)
{
	ssize_t n;

	for (; size; from += n, size -= (size_t)n) {
		n = write(1, from, size);
		if (n <= 0)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int serve(size_t size)
{
	while (read_all(size) == size) {
		pid_t child = fork();

		if (child == 0)
			_exit(write_all(request, size));
		if (child < 0 || waitpid(child, NULL, 0) < 0 ||
		    write_all("", 1))
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (size > REQUEST_MAX)
		return EXIT_FAILURE;
	return size ? serve(size) : write_all(request, read_all(REQUEST_MAX));
}
