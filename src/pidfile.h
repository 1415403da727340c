/*
 * pidfile.h - one instance per pid file
 */
#ifndef MIREDO_PIDFILE_H
#define MIREDO_PIDFILE_H

#include <sys/types.h>

/*
 * Opens (never through a link), locks and writes our pid. The descriptor,
 * which holds the lock, or -errno. -EAGAIN: another process has it; *other is
 * its pid, 0 when unknown.
 */
int pidfile_open(const char *path, pid_t *other);

/* Empties it. The file stays: the lock tells the truth, not the file. */
void pidfile_clear(int fd);

#endif
