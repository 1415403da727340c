/*
 * miredoctl_screen.c - terminals: colours, progress, and screens that renew
 * themselves
 *
 * A screen is made in memory and written at once, over the one before and not
 * after clearing it, so that it does not flicker. It is cut to the terminal's
 * size, since a line that wraps or scrolls would move all that comes after it,
 * and made anew when that changes. Where stdout is no terminal there are
 * neither colours nor cursor movements.
 *
 * Who watches wants to see it come back, too: an instance that ends, or is just
 * being replaced, is waited for. Only what no waiting mends ends a watch.
 *
 * Progress is said on stderr, and on a terminal only, so that no result that
 * somebody keeps has it.
 */
#include "config.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "miredoctl.h"

static bool coloured;
static volatile sig_atomic_t interrupted, resized;

void miredoctl_colour_init(const struct miredoctl_args *args)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	coloured = isatty(STDOUT_FILENO) && term != NULL &&
		   strcmp(term, "dumb") != 0 &&
		   args->value[OPT_NO_COLOUR] == NULL &&
		   (no == NULL || no[0] == '\0');
}

const char *miredoctl_colour(enum miredoctl_colour c)
{
	static const char *const sequence[] = {
		[PLAIN] = "\033[m",    [BOLD] = "\033[1m",
		[RED] = "\033[1;31m",  [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m",
	};

	return coloured ? sequence[c] : "";
}

/* ---- progress ---- */

void miredoctl_progress(const char *format, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (format != NULL) {
		va_start(ap, format);
		vfprintf(stderr, format, ap);
		va_end(ap);
	}
	fflush(stderr);
}

/* ---- screens ---- */

static void interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

static void resize(int signo)
{
	(void)signo;
	resized = 1;
}

/* A terminal that does not know its size shows whatever it can. */
static struct winsize size_of_screen(void)
{
	struct winsize w = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 ||
	    w.ws_row == 0)
		w = (struct winsize){.ws_col = UINT16_MAX,
				     .ws_row = UINT16_MAX};
	return w;
}

unsigned miredoctl_columns(void)
{
	return isatty(STDOUT_FILENO) ? size_of_screen().ws_col : UINT16_MAX;
}

/* A line, cut behind that column, and what follows it. Colours take no room,
 * and none of them is left out: the last one ends them. */
static const char *put_line(const char *text, unsigned columns)
{
	unsigned column = 0;
	bool escape = false;

	for (; *text != '\0' && *text != '\n'; text++) {
		if (*text == '\033')
			escape = true;
		if (escape || column++ < columns)
			putchar(*text);
		if (*text == 'm')
			escape = false;
	}
	if (column < columns)	/* else it would erase the last one */
		fputs("\033[K", stdout);
	return *text == '\n' ? text + 1 : text;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* Over what stands there, no line more than there are: the last one says how
 * many are left out. A newline stands between lines, not after the last. */
static void put_over(const char *text)
{
	struct winsize size = size_of_screen();
	unsigned lines = count_lines(text), fit = size.ws_row;
	char more[40];

	fputs(resized != 0 ? "\033[2J\033[H" : "\033[H", stdout);
	resized = 0;
	if (lines <= fit)
		fit = lines + 1;
	for (unsigned i = 1; i < fit && *text != '\0'; i++) {
		text = put_line(text, size.ws_col);
		if (i < lines)
			putchar('\n');
	}
	snprintf(more, sizeof(more), "(%u more lines)", lines - fit + 1);
	if (lines >= fit)
		put_line(more, size.ws_col);
	fputs("\033[J", stdout);
}

/* What a watch has to say where there is nothing to show. */
static const char *absence(const struct miredoctl_args *args, int code)
{
	static char text[120];
	const char *name = args->value[OPT_INSTANCE];

	snprintf(text, sizeof(text), "miredoctl: %.60s %s\n",
		 name != NULL ? name : "miredo",
		 code == CTL_EXIT_NOT_RUNNING
			 ? "is not running; waiting for it"
			 : "gives no answer; asking again");
	return text;
}

/* Nothing is said twice in a row where it would stay. */
static void put_absence(const struct miredoctl_args *args, int code, bool over,
			bool again)
{
	if (over)
		put_over(absence(args, code));
	else if (!again)
		fputs(absence(args, code), stderr);
}

static int show_once(const struct miredoctl_args *args,
		     int (*print)(const struct miredoctl_args *args, FILE *out),
		     bool over)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int code = out != NULL ? print(args, out) : CTL_EXIT_FAILED;

	if (out != NULL && fclose(out) == 0 && size > 0) {
		if (over)
			put_over(text);
		else
			fputs(text, stdout);
	}
	free(text);
	return code;
}

static bool may_come_back(const struct miredoctl_args *args, int code)
{
	return (code == CTL_EXIT_NOT_RUNNING || code == CTL_EXIT_FAILED) &&
	       args->value[OPT_WAIT] == NULL;
}

static int watch(const struct miredoctl_args *args,
		 int (*print)(const struct miredoctl_args *args, FILE *out))
{
	const struct timespec second = {.tv_sec = 1};
	bool json = args->value[OPT_JSON] != NULL;
	bool over = isatty(STDOUT_FILENO) && !json;
	int code = CTL_EXIT_OK, last;

	if (over)
		fputs("\033[2J", stdout);
	do {
		last = code;
		code = show_once(args, print, over);
		if (interrupted != 0 && code == CTL_EXIT_FAILED)
			code = last;	/* in the midst of asking */
		else if (may_come_back(args, code))
			put_absence(args, code, over, code == last);
		else if (code != CTL_EXIT_OK && code != CTL_EXIT_DEGRADED)
			break;
		else if (!over && !json)
			putchar('\n');
		if (fflush(stdout) != 0)
			return CTL_EXIT_FAILED;
		if (interrupted == 0)
			nanosleep(&second, NULL);
	} while (interrupted == 0);
	if (over)
		putchar('\n');
	return fflush(stdout) == 0 ? code : CTL_EXIT_FAILED;
}

int miredoctl_show(const struct miredoctl_args *args,
		   int (*print)(const struct miredoctl_args *args, FILE *out))
{
	const struct sigaction end = {.sa_handler = interrupt},
			       size = {.sa_handler = resize};
	int code;

	if (args->value[OPT_WATCH] == NULL) {
		code = show_once(args, print, false);
		return fflush(stdout) == 0 ? code : CTL_EXIT_FAILED;
	}
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGWINCH, &size, NULL);
	return watch(args, print);
}

void miredoctl_wrap(FILE *out, const char *text, int indent, size_t width)
{
	size_t len = strlen(text);

	while (len > width) {
		size_t n = width;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			n = width;
		fprintf(out, " %.*s\n%*s", (int)n, text, indent, "");
		text += n;
		while (*text == ' ')
			text++;
		len = strlen(text);
	}
	fprintf(out, " %s\n", text);
}
