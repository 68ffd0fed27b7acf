/* libc_input.c - the request as standard input, and the other descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <unistd.h>

#include <thaw.h>

#include "expect.h"

static char text[64];

/* There is no request yet, and that is not to be kept. */
THAW_INIT(read_nothing)
{
	EXPECT(read(STDIN_FILENO, text, sizeof(text)) == 0);
	EXPECT(getchar() == EOF && feof(stdin));
	EXPECT(ungetc('x', stdin) == 'x');
	return 0;
}

/* The request is "12 ab -7.5e1\nline two\n\nrest". */
THAW_HANDLER(input)
{
	char *line = NULL;
	size_t size = 0;
	double number;

	EXPECT(!feof(stdin) && !ferror(stdin));
	EXPECT(read(STDIN_FILENO, text, 0) == 0);
	EXPECT(read(STDIN_FILENO, text, 3) == 3 && !memcmp(text, "12 ", 3));
	EXPECT(scanf("%7s %lf", text, &number) == 2 && number == -75);
	EXPECT_TEXT(text, "ab");
	EXPECT(getchar() == '\n');
	EXPECT(fgets(text, sizeof(text), stdin) == text);
	EXPECT_TEXT(text, "line two\n");
	EXPECT(getline(&line, &size, stdin) == 1);
	EXPECT(fread(text, 1, sizeof(text), stdin) == 4);
	EXPECT(!memcmp(text, "rest", 4));
	for (int i = 0; i < 2; i++) {
		EXPECT(read(STDIN_FILENO, text, sizeof(text)) == 0);
		EXPECT(getchar() == EOF && feof(stdin) && !ferror(stdin));
	}
	return 0;
}

THAW_FUNCTION(long, input_of_typed)
{
	return read(STDIN_FILENO, text, sizeof(text)) + getchar();
}

#define EXPECT_ERROR(call, error)              \
	do {                                   \
		errno = 0;                     \
		EXPECT((call) == -1);          \
		EXPECT(errno == (int)(error)); \
	} while (0)

THAW_HANDLER(descriptors)
{
	static const int wrong[] = { -1, 3, 4, 1000 };
	struct stat status;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const int fd = wrong[i];

		EXPECT_ERROR(read(fd, text, 1), EBADF);
		EXPECT_ERROR(write(fd, text, 1), EBADF);
		EXPECT_ERROR(close(fd), EBADF);
		EXPECT_ERROR(lseek(fd, 0, SEEK_SET), EBADF);
		EXPECT_ERROR(fstat(fd, &status), EBADF);
		EXPECT(!isatty(fd) && errno == EBADF);
	}
	EXPECT_ERROR(read(STDOUT_FILENO, text, 1), EBADF);
	EXPECT_ERROR(read(STDERR_FILENO, text, 1), EBADF);
	EXPECT_ERROR(write(STDIN_FILENO, text, 1), EBADF);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		EXPECT_ERROR(lseek(fd, 0, SEEK_SET), ENOSYS);
		EXPECT(!fstat(fd, &status) && S_ISCHR(status.st_mode));
		EXPECT(!isatty(fd) && errno == ENOTTY);
		EXPECT(!close(fd));
	}
	EXPECT(read(STDIN_FILENO, text, 1) == 1); /* still */
	EXPECT(fileno(stdin) == STDIN_FILENO);
	EXPECT(fileno(stdout) == STDOUT_FILENO);
	EXPECT(fileno(stderr) == STDERR_FILENO);
	return 0;
}

THAW_HANDLER(no_files)
{
	char name[] = "/tmp/XXXXXX";
	struct tms of_process;
	struct stat status;

	EXPECT_ERROR(open("/dev/null", O_RDONLY), ENOSYS);
	EXPECT_ERROR(stat("/", &status), ENOSYS);
	EXPECT_ERROR(unlink("/x"), ENOSYS);
	EXPECT(times(&of_process) == (clock_t)-1 && errno == ENOSYS);
	EXPECT_ERROR(remove("/x"), ENOSYS);
	EXPECT_ERROR(rename("/x", "/y"), ENOSYS);
	errno = 0;
	EXPECT(!fopen("/etc/passwd", "r") && errno == ENOSYS);
	errno = 0;
	EXPECT(!tmpfile() && errno == ENOSYS);
	EXPECT_ERROR(mkstemp(name), ENOSYS);
	return 0;
}

/* As parts of the same lines as those of the streams. */
THAW_HANDLER(writes)
{
	EXPECT(write(STDOUT_FILENO, "not\nsee", 7) == 7);
	printf("n\n");
	fprintf(stderr, "half a ");
	EXPECT(write(STDERR_FILENO, "line", 4) == 4);
	EXPECT(write(STDERR_FILENO, "", 0) == 0);
	return 0;
}
