/*
 * msg.c - one struct, and at most one descriptor, per SOCK_SEQPACKET datagram
 *
 * The kernel keeps the borders between messages and carries descriptors, so
 * there is no framing to get wrong. The other end may be hostile: a message
 * longer than the buffer, or with more descriptors than one, is refused and
 * leaves no descriptor behind.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msg.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

int msg_pair(int fds[2])
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, fds) < 0 ? -errno : 0;
}

bool msg_refuse_fds(int fd)
{
	const int off = 0;

	return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)) ==
	       0;
}

int msg_send(int sock, const void *data, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(&iov.iov_base, &data, sizeof(data));	/* only read from */
	if (fd >= 0) {
		struct cmsghdr *c;

		mh.msg_control = control.room;
		mh.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* Takes the descriptors out of a message: their number; the first in *fd. */
static unsigned msg_take_fds(struct msghdr *mh, int *fd)
{
	unsigned taken = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL;
	     c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(got),
			       sizeof(got));
			if (taken++ == 0)
				*fd = got;
			else
				close(got);
		}
	}
	return taken;
}

ssize_t msg_recv(int sock, void *data, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { data, size };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t len = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	ssize_t err = 0;

	*fd = -1;
	if (len < 0)
		return -errno;
	if (msg_take_fds(&mh, fd) > 1 || (mh.msg_flags & MSG_CTRUNC) != 0)
		err = -EPROTO;
	else if ((mh.msg_flags & MSG_TRUNC) != 0)
		err = -EMSGSIZE;
	if (err == 0)
		return len;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return err;
}
