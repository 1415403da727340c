/*
 * datagram.h - one datagram in or out of a socket of udp.c, the plain way
 *
 * Shares nothing with udp_tx.c and udp_rx.c, which tests hold against it.
 */
#ifndef TESTS_UNIT_DATAGRAM_H
#define TESTS_UNIT_DATAGRAM_H

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "../../libteredo/teredo.h"

/* 0 or -errno */
static inline int datagram_send(int fd, struct teredo_ep to, const void *data,
				size_t len)
{
	const struct sockaddr_in sin = { .sin_family = AF_INET,
					 .sin_port = to.port,
					 .sin_addr.s_addr = to.ip };

	return sendto(fd, data, len, 0, (const struct sockaddr *)&sin,
		      sizeof(sin)) < 0
		       ? -errno
		       : 0;
}

/* Its length, or -errno (-EAGAIN: none). *to: the address that it was sent to,
 * 0 if the kernel does not say. */
static inline int datagram_recv(int fd, void *buf, size_t size,
				struct teredo_ep *from, uint32_t *to)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct sockaddr_in sin = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_name = &sin,
			      .msg_namelen = sizeof(sin),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);
	const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	struct in_pktinfo info = { 0 };

	if (n < 0)
		return -errno;
	if (c != NULL && c->cmsg_level == IPPROTO_IP &&
	    c->cmsg_type == IP_PKTINFO)
		memcpy(&info, CMSG_DATA(c), sizeof(info));
	*from = (struct teredo_ep){ sin.sin_addr.s_addr, sin.sin_port };
	*to = info.ipi_addr.s_addr;
	return (int)n;
}

#endif
