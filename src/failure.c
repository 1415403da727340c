/*
 * failure.c - why the last start failed, kept for who asks later
 *
 * Who finds that nothing runs asks miredoctl status, and not the log, which is
 * elsewhere on each system. So a start that fails leaves its message beside
 * the control sockets. It is a convenience like them: where it cannot be
 * written, nothing is said. What is no fault of the start, another instance
 * that runs, leaves nothing. What happens later, when the sandbox is closed,
 * stands in the log alone.
 *
 * The directory may be anybody's mistake, and we are root: the file is made
 * only in a directory that only we can write to, and through no link.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "log.h"

static struct {
	const char *dir;
	char path[PATH_MAX];
	bool armed;
} kept;

static bool is_ours(const char *dir)
{
	struct stat st;

	mkdir(dir, 0755);
	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void leave_behind(int status, void *unused)
{
	const char *why = log_first_error();
	int fd;

	(void)unused;
	if (!kept.armed || status == 0 || why[0] == '\0' ||
	    strncmp(why, "already running", 15) == 0 || !is_ours(kept.dir))
		return;
	unlink(kept.path);
	fd = open(kept.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
			     O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	dprintf(fd, "%s\n", why);
	close(fd);
}

void failure_keep(const char *run_dir, const char *conf_file)
{
	const char *name = strrchr(conf_file, '/');
	int n;

	name = name != NULL ? name + 1 : conf_file;
	kept.dir = run_dir;
	n = snprintf(kept.path, sizeof(kept.path), "%s/%s.failed", run_dir,
		     name);
	kept.armed = n > 0 && n < (int)sizeof(kept.path) &&
		     on_exit(leave_behind, NULL) == 0;
}

void failure_forget(void)
{
	if (kept.armed && is_ours(kept.dir))
		unlink(kept.path);
	kept.armed = false;
}
