/*
 * notify.c - telling a service manager how we are (sd_notify(3))
 *
 * One datagram per message. The socket is connected before the sandbox
 * closes and before the environment that names it is forgotten.
 */
#include "config.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

int notify_open(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				     len);
	int fd;

	if (len < 2 || len >= sizeof(sun.sun_path))
		return -1;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void notify_say(int fd, const char *what)
{
	if (fd >= 0)
		send(fd, what, strlen(what), MSG_NOSIGNAL);
}
