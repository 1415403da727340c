/*
 * failure.c - why nothing runs, kept for who asks later
 *
 * Who finds that nothing runs asks miredoctl status, and not the log, which is
 * elsewhere on each system. So a start that fails, and a service that gives
 * up, leave their message beside the control sockets. It is a convenience like
 * them: where it cannot be written, nothing is said. What is no fault of the
 * start, another instance that runs, leaves nothing. Of a start the first error
 * is the reason; once it serves, errors come and go, and who ends for one of
 * them says so (failure_tell).
 *
 * The directory may be anybody's mistake, and we are root: the file is made
 * only in a directory that only we can write to, and through no link. When the
 * sandbox is closed no file can be made, or removed, any more: so an empty one
 * is made before, which says nothing.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "log.h"

#define FEW 20			/* descriptors, with a limit of so many */

static struct {
	const char *dir;
	char path[PATH_MAX];
	bool armed, serves;
	bool closed;		/* no file can be made any more */
	int fd;			/* made before; -1: none */
	char told[LOG_LINE_MAX];
} kept;

static bool is_ours(const char *dir)
{
	struct stat st;

	mkdir(dir, 0755);
	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* An empty file in the place of what was there, or -1. */
static int make_file(void)
{
	if (!is_ours(kept.dir))
		return -1;
	unlink(kept.path);
	return open(kept.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
			       O_CLOEXEC, 0644);
}

static void leave_behind(int status, void *unused)
{
	const char *why = kept.told;

	(void)unused;
	if (why[0] == '\0' && !kept.serves)
		why = log_first_error();
	if (status == 0 || why[0] == '\0' ||
	    strncmp(why, "already running", 15) == 0)
		return;
	if (!kept.closed)
		kept.fd = make_file();
	if (kept.fd >= 0)
		dprintf(kept.fd, "%s\n", why);
}

void failure_keep(const char *run_dir, const char *conf_file)
{
	const char *name = strrchr(conf_file, '/');
	int n;

	name = name != NULL ? name + 1 : conf_file;
	kept.dir = run_dir;
	n = snprintf(kept.path, sizeof(kept.path), "%s/%s.failed", run_dir,
		     name);
	if (n > 0 && n < (int)sizeof(kept.path))
		kept.armed = on_exit(leave_behind, NULL) == 0;
}

void failure_close(void)
{
	kept.fd = kept.armed ? make_file() : -1;
	kept.closed = true;
	if (kept.fd < 0 || sysconf(_SC_OPEN_MAX) > FEW)
		return;
	close(kept.fd);		/* the next engine needs it more */
	kept.fd = -1;
}

void failure_serves(void)
{
	kept.serves = true;
}

void failure_tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(kept.told, sizeof(kept.told), fmt, args);
	va_end(args);
}
