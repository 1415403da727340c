/*
 * pidfile.c - one instance per pid file
 *
 * The lock is what counts: it ends with the process, however that ends. The
 * number in the file is for scripts. At the end the process is no longer root
 * and cannot unlink the file in root's directory, so it empties it; a script
 * that reads an empty file has nothing to kill.
 *
 * It is a POSIX lock: it names its owner and is not inherited by children.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pidfile.h"

static pid_t pidfile_read(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) <= 0
		       ? 0
		       : (pid_t)strtol(text, NULL, 10);
}

/* 0 or -errno. */
static int pidfile_lock(int fd, pid_t *other)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	*other = 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		*other = lock.l_pid;
	if (*other <= 0)	/* the owner is in another pid namespace */
		*other = pidfile_read(fd);
	return -EAGAIN;
}

int pidfile_open(const char *path, pid_t *other)
{
	int fd = open(path,
		      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		      0644);
	int err;

	if (fd < 0)
		return -errno;
	err = pidfile_lock(fd, other);
	if (err == 0 && (ftruncate(fd, 0) < 0 ||
			 dprintf(fd, "%ld\n", (long)getpid()) < 0))
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

void pidfile_clear(int fd)
{
	int err = fd < 0 ? 0 : ftruncate(fd, 0);

	(void)err;	/* it would only be out of date */
}
