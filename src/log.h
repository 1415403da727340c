/*
 * log.h - messages to stderr, to syslog, or through the parent
 *
 * One line per event, never per packet. Levels are those of <syslog.h>. In
 * the foreground lines go to stderr, else to syslog. Control characters but the
 * tab become '?'.
 */
#ifndef MIREDO_LOG_H
#define MIREDO_LOG_H

#include <stdbool.h>
#include <syslog.h>

#define LOG_LINE_MAX 480

/* Where lines go from now on. Each replaces the one before. */
void log_to_stderr(const char *ident);
void log_to_syslog(const char *ident, int facility);
/* A daemon that is still starting says on stderr too what goes to syslog. */
void log_echo(bool on);
/* Each line is handed to sink, which does not block. */
void log_to_sink(void (*sink)(void *ctx, int level, const char *line),
		 void *ctx);

/* Each line is handed to `tee`, too; NULL: to nobody. It logs nothing. */
void log_tee(void (*tee)(void *ctx, int level, const char *line), void *ctx);

void log_line(int level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The first line at LOG_ERR or worse, "" as long as there was none. */
const char *log_first_error(void);

/* Start-up only: logs at LOG_ERR and ends the process with `status`. */
__attribute__((noreturn)) void die(int status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
