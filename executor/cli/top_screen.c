/* top_screen.c - see top_screen.h. */
#include "executor/cli/top_screen.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

/* Used if the terminal does not tell its size. */
#define WIDTH_DEFAULT 80
#define HEIGHT_DEFAULT 24

/* Sequences of ECMA-48, and xterm's for its other screen and the cursor. */
#define ENTER "\033[?1049h\033[?25l\033[2J"
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define HOME "\033[H"
#define REVERSE "\033[7m"
#define PLAIN "\033[0m"
#define END_LINE "\033[K"
#define END_SCREEN "\033[J"
#define ESCAPE '\033'

static const int handled[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH,
};

static void top_screen_measure(struct top_screen *screen)
{
	struct winsize size = { .ws_col = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ||
	    !size.ws_row)
		size = (struct winsize){ .ws_col = WIDTH_DEFAULT,
					 .ws_row = HEIGHT_DEFAULT };
	screen->width = size.ws_col;
	screen->height = size.ws_row;
}

/* Keeps the signals of keys: ^C and ^Z. */
static void top_screen_enter(struct top_screen *screen)
{
	struct termios keys = screen->internal.before;

	if (screen->internal.has_keys) {
		keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys.c_cc[VMIN] = 1;
		keys.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &keys);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
	top_screen_measure(screen);
}

static void top_screen_leave(struct top_screen *screen)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	/* discard keys that were typed meanwhile */
	if (screen->internal.has_keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->internal.before);
}

int top_screen_open(struct top_screen *screen, struct error *err)
{
	sigset_t signals;

	*screen = (struct top_screen){ .internal = { .signals = -1 } };
	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(handled) / sizeof(*handled); i++)
		sigaddset(&signals, handled[i]);
	sigprocmask(SIG_BLOCK, &signals, &screen->internal.mask_before);
	screen->internal.signals =
		signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->internal.signals < 0) {
		sigprocmask(SIG_SETMASK, &screen->internal.mask_before, NULL);
		return error_set(err, -errno, "cannot receive signals: %m");
	}
	screen->internal.has_keys =
		isatty(STDIN_FILENO) &&
		!tcgetattr(STDIN_FILENO, &screen->internal.before);
	top_screen_enter(screen);
	return 0;
}

void top_screen_close(struct top_screen *screen)
{
	top_screen_leave(screen);
	close(screen->internal.signals);
	sigprocmask(SIG_SETMASK, &screen->internal.mask_before, NULL);
}

/* Returns the bytes of the first @width characters of a line of UTF-8. */
static size_t cut(const char *line, size_t size, size_t width)
{
	size_t used = 0, characters = 0;

	while (used < size) {
		if ((line[used] & 0xc0) != 0x80 && characters++ == width)
			break;
		used++;
	}
	return used;
}

void top_screen_draw(const struct top_screen *screen, const char *text,
		     size_t size, size_t heading)
{
	const char *end = text + size;

	fputs(HOME, stdout);
	for (size_t line = 0; text < end && line < screen->height; line++) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((next ? next : end) - text);

		fputs(line ? "\r\n" : "", stdout);
		fputs(line == heading ? REVERSE : "", stdout);
		fwrite(text, 1, cut(text, length, screen->width), stdout);
		fputs(END_LINE PLAIN, stdout);
		text += length + 1;
	}
	fputs(END_SCREEN, stdout);
	fflush(stdout);
}

/* On ^Z the shell gets its terminal back as it was. */
static void top_screen_stop(struct top_screen *screen)
{
	top_screen_leave(screen);
	kill(getpid(), SIGSTOP);
	top_screen_enter(screen);
}

static int take_signal(struct top_screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->internal.signals, &info, sizeof(info)) != sizeof(info))
		return TOP_RESIZED;
	switch (info.ssi_signo) {
	case SIGTSTP:
		top_screen_stop(screen);
		return TOP_RESIZED;
	case SIGCONT:
		top_screen_enter(screen);
		return TOP_RESIZED;
	case SIGWINCH:
		top_screen_measure(screen);
		return TOP_RESIZED;
	default:
		screen->signal = (int)info.ssi_signo;
		return TOP_ENDED;
	}
}

/*
 * Whether @c belongs to what a key such as an arrow sends, which thaw ignores:
 * ESC, then one character, or '[' (or 'O') and all characters up to a letter.
 */
static bool is_of_escape(struct top_screen *screen, unsigned char c)
{
	enum escape before = screen->internal.escape;

	screen->internal.escape = ESCAPE_NONE;
	if (before == ESCAPE_NONE && c == ESCAPE)
		screen->internal.escape = ESCAPE_BEGUN;
	else if ((before == ESCAPE_BEGUN && (c == '[' || c == 'O')) ||
		 (before == ESCAPE_LIST && c < '@'))
		screen->internal.escape = ESCAPE_LIST;
	return before != ESCAPE_NONE || c == ESCAPE;
}

static int top_screen_take_key(struct top_screen *screen)
{
	unsigned char key;
	ssize_t got = read(STDIN_FILENO, &key, 1);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return TOP_NOTHING;
	if (got <= 0) {
		screen->internal.has_keys = false;
		return TOP_ENDED;
	}
	return is_of_escape(screen, key) ? TOP_NOTHING : key;
}

int top_screen_wait(struct top_screen *screen, uint64_t until_ns)
{
	struct pollfd fds[] = {
		{ .fd = screen->internal.signals, .events = POLLIN },
		{ .fd = screen->internal.has_keys ? STDIN_FILENO : -1,
		  .events = POLLIN },
	};
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ms =
		now_ns < until_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 0;
	int r = poll(fds, 2, left_ms < INT_MAX ? (int)left_ms : INT_MAX);

	if (r > 0 && fds[0].revents)
		return take_signal(screen);
	if (r > 0 && fds[1].revents)
		return top_screen_take_key(screen);
	return TOP_TIME;
}
