/*
 * trace.c - what `thaw run --strace` prints: a program that makes few system calls. Its
 * first argument, if there is one, says what it does before it reads.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* no compiler can tell that nothing is there */
static char *volatile wild = (char *)1;

static void before(const char *what)
{
	if (!strcmp(what, "early"))
		_exit(3);
	while (!strcmp(what, "spin"))
		;
	if (!strcmp(what, "fault")) {
		write(STDOUT_FILENO, "before", 6);
		*wild = 0;
	}
	write(STDERR_FILENO, "starts\n", 7);
}

int main(int argc, char **argv)
{
	char request[64];
	ssize_t size;

	if (argc > 1)
		before(argv[1]);
	size = read(STDIN_FILENO, request, sizeof(request));
	open("/nothing\n\33[2J", O_RDONLY | O_CLOEXEC);
	write(STDOUT_FILENO, request, (size_t)size);
	write(STDOUT_FILENO,
	      "thirty-two bytes are shown, and what follows is cut off\n", 56);
	write(STDERR_FILENO, "log line\n", 9);
	write(STDOUT_FILENO, wild, 4);
	close(-1);
	if (size && *request == 'f')
		*wild = 0;
	if (size && *request == 'i')
		__builtin_trap();
	if (size && *request == 's')
		kill(getpid(), SIGABRT);
	return size && *request == 'e' ? 3 : 0;
}
