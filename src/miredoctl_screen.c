/*
 * miredoctl_screen.c - terminals: colours, and screens that renew themselves
 *
 * A screen is made in memory and written at once, over the one before and not
 * after clearing it, so that it does not flicker. Where stdout is no terminal
 * there are neither colours nor cursor movements.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "miredoctl.h"

static bool coloured;
static volatile sig_atomic_t interrupted;

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

static void interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* Over what stands there: each line's rest, and what is below, is erased. */
static void put_over(const char *text)
{
	fputs("\033[H", stdout);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs("\033[K", stdout);
		putchar(*text);
	}
	fputs("\033[J", stdout);
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
	return fflush(stdout) == 0 ? code : CTL_EXIT_FAILED;
}

int miredoctl_show(const struct miredoctl_args *args,
		   int (*print)(const struct miredoctl_args *args, FILE *out))
{
	const struct sigaction action = {.sa_handler = interrupt};
	const struct timespec second = {.tv_sec = 1};
	bool over = isatty(STDOUT_FILENO) && args->value[OPT_JSON] == NULL;
	int code;

	if (args->value[OPT_WATCH] == NULL)
		return show_once(args, print, false);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (over)
		fputs("\033[2J", stdout);
	do {
		code = show_once(args, print, over);
		if (code != CTL_EXIT_OK && code != CTL_EXIT_DEGRADED)
			break;
		if (!over && args->value[OPT_JSON] == NULL)
			putchar('\n');
		nanosleep(&second, NULL);
	} while (interrupted == 0);
	return code;
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
