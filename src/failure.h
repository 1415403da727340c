/*
 * failure.h - why nothing runs, kept for who asks later
 */
#ifndef MIREDO_FAILURE_H
#define MIREDO_FAILURE_H

/* From now on an exit(3) with another status than 0 leaves the first error
 * that was logged in RUNDIR/CONF.failed, CONF being the configuration's file
 * name. Both texts stay the caller's. */
void failure_keep(const char *run_dir, const char *conf_file);

/* Called before the sandbox is entered: what an earlier start has left goes,
 * and what comes from now on can still be kept. */
void failure_close(void);

/* The start went well: what is logged from now on is no reason of it. */
void failure_serves(void);

/* This is kept instead of the first error. It begins with "gave up: ". */
void failure_tell(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
