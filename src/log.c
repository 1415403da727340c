/*
 * log.c - messages to stderr, to syslog, or through the parent
 *
 * The destination is the only global of the project. Each message is one line
 * whatever is in it: control characters, which may come from a configuration
 * file, a host name or another process, are replaced, so that nobody can write
 * a line of his own. syslog(3) opens files for the time zone and its socket at
 * the first use; both are done at once here, before the sandbox closes.
 */
#include "config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static struct {
	const char *ident;
	bool syslog, echo;
	void (*sink)(void *ctx, int level, const char *line);
	void *ctx;
} dest = { .ident = "miredo" };

void log_to_stderr(const char *ident)
{
	dest.ident = ident;
	dest.syslog = false;
	dest.sink = NULL;
}

void log_to_syslog(const char *ident, int facility)
{
	tzset();
	openlog(ident, LOG_PID | LOG_NDELAY, facility);
	dest.ident = ident;
	dest.syslog = true;
	dest.sink = NULL;
}

void log_echo(bool on)
{
	dest.echo = on;
}

void log_to_sink(void (*sink)(void *ctx, int level, const char *line),
		 void *ctx)
{
	dest.sink = sink;
	dest.ctx = ctx;
}

static void log_write_stderr(const char *line)
{
	char out[LOG_LINE_MAX + 64];
	int n = snprintf(out, sizeof(out), "%.60s: %s\n", dest.ident, line);
	ssize_t done;

	/* One write, so that lines of several processes do not mix. */
	done = write(STDERR_FILENO, out, (size_t)n);
	(void)done;	/* there is nobody to tell */
}

__attribute__((format(printf, 2, 0)))
static void log_va(int level, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX];

	vsnprintf(line, sizeof(line), fmt, args);
	for (char *p = line; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			*p = '?';
	if (dest.sink != NULL) {
		dest.sink(dest.ctx, level, line);
		return;
	}
	if (dest.syslog)
		syslog(level, "%s", line);
	if (!dest.syslog || dest.echo)
		log_write_stderr(line);
}

void log_line(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_va(level, fmt, args);
	va_end(args);
}

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_va(LOG_ERR, fmt, args);
	va_end(args);
	exit(status);
}
