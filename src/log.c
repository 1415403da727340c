/*
 * log.c - messages to stderr, to syslog, or through the parent
 *
 * The destination is the only global of the project. Each message is one line
 * whatever is in it: control characters, which may come from a configuration
 * file, a host name or another process, are replaced, so that nobody can write
 * a line of his own.
 *
 * Nobody waits for a reader: the parent has an engine to look after. What a
 * full pipe, a stopped terminal or a stopped syslogd does not take is counted,
 * and the number said when they take something again. That is also why this
 * is not syslog(3), which waits; the datagram is the same, without the time,
 * which every syslogd adds.
 *
 * Where stderr is the journal's, each line has its level in front, as the journal
 * wants it. It is not given fields by its own protocol: programs read
 * `miredoctl events --json`, which is the same under every init.
 *
 * A failed assert() is a line, too: in a sandbox the C library's own way ends
 * at its first forbidden call, when nobody has been told why.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <paths.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

static struct {
	const char *ident;
	bool syslog, echo;
	bool journal;		/* that is where stderr goes */
	int facility, sock;	/* sock: connected to syslogd, or -1 */
	unsigned lost;
	void (*sink)(void *ctx, int level, const char *line);
	void *ctx;
	void (*tee)(void *ctx, int level, const char *line);
	void *tee_ctx;
	char first_error[LOG_LINE_MAX];
} dest = { .ident = "miredo", .sock = -1 };

/* systemd.exec(5), JOURNAL_STREAM */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[48];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

void log_to_stderr(const char *ident)
{
	dest.journal = is_journal();
	dest.ident = ident;
	dest.syslog = false;
	dest.sink = NULL;
}

static void log_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (dest.sock >= 0)
		close(dest.sock);
	strcpy(sun.sun_path, _PATH_LOG);
	dest.sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			   0);
	if (dest.sock < 0 || connect(dest.sock, (struct sockaddr *)&sun,
				     sizeof(sun)) == 0)
		return;
	close(dest.sock);
	dest.sock = -1;
}

void log_to_syslog(const char *ident, int facility)
{
	if (dest.sock < 0)
		log_connect();
	dest.ident = ident;
	dest.facility = facility;
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

void log_tee(void (*tee)(void *ctx, int level, const char *line), void *ctx)
{
	dest.tee = tee;
	dest.tee_ctx = ctx;
}

/* One write, so that lines of several processes do not mix. */
static bool log_write_stderr(int level, const char *line)
{
	char out[LOG_LINE_MAX + 80], prefix[16] = "";
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	int n;

	if (dest.journal)
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	n = snprintf(out, sizeof(out), "%s%.60s: %s\n", prefix, dest.ident,
		     line);

	return poll(&pfd, 1, 0) == 1 &&
	       write(STDERR_FILENO, out, (size_t)n) >= 0;
}

static bool log_write_syslog(int level, const char *line)
{
	char out[LOG_LINE_MAX + 96];
	int n = snprintf(out, sizeof(out), "<%d>%.60s[%ld]: %s",
			 dest.facility | level, dest.ident, (long)getpid(),
			 line);

	if (send(dest.sock, out, (size_t)n, MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS)
		return false;
	log_connect();	/* syslogd was started anew, perhaps */
	return send(dest.sock, out, (size_t)n, MSG_NOSIGNAL) >= 0;
}

static bool log_write(int level, const char *line)
{
	bool taken = false;

	if (dest.syslog)
		taken = log_write_syslog(level, line);
	if (!dest.syslog || dest.echo)
		taken = log_write_stderr(level, line) || taken;
	return taken;
}

static void log_deliver(int level, const char *line)
{
	char lost[40];

	if (dest.lost > 0) {
		snprintf(lost, sizeof(lost), "lines lost: %u", dest.lost);
		if (log_write(LOG_WARNING, lost))
			dest.lost = 0;
	}
	if (!log_write(level, line))
		dest.lost++;
}

__attribute__((format(printf, 2, 0)))
static void log_va(int level, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX];

	vsnprintf(line, sizeof(line), fmt, args);
	for (char *p = line; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			*p = '?';
	if (level <= LOG_ERR && dest.first_error[0] == '\0')
		memcpy(dest.first_error, line, sizeof(line));
	if (dest.sink != NULL)
		dest.sink(dest.ctx, level, line);
	else
		log_deliver(level, line);
	if (dest.tee != NULL)
		dest.tee(dest.tee_ctx, level, line);
}

void log_line(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_va(level, fmt, args);
	va_end(args);
}

const char *log_first_error(void)
{
	return dest.first_error;
}

void die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_va(LOG_ERR, fmt, args);
	va_end(args);
	exit(status);
}

/* What assert() calls. A trap is no system call: SIGILL tells a debugger, a
 * fuzzer and the parent what SIGABRT would have told. */
void __assert_fail(const char *text, const char *file, unsigned line,
		   const char *function)
{
	log_line(LOG_CRIT, "bug: %s:%u: %s(): assertion failed: %s", file,
		 line, function, text);
	__builtin_trap();
}
