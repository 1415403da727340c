/*
 * refuse_calls.c - a library that refuses what a seccomp filter cannot see
 *
 * A filter (refuse.c) sees numbers, not what pointers point at. This library,
 * named in a host's /etc/ld.so.preload, stands before the C library in every
 * program there and answers in the kernel's place. /etc/refuse says what it
 * refuses: "vnet-hdr", "segment-eio", "segment-einval", "segment-emsgsize"; it
 * is read when a program begins, before its sandbox closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int no_segments; /* errno, or 0 */
static bool no_vnet;

static void __attribute__((constructor)) read_refused(void)
{
	int fd = open("/etc/refuse", O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		no_vnet = strstr(text, "vnet-hdr") != NULL;
		no_segments = strstr(text, "segment-eio") ? EIO :
			      strstr(text, "segment-einval") ? EINVAL :
			      strstr(text, "segment-emsgsize") ? EMSGSIZE : 0;
	}
	close(fd);
}

static bool is_refused(const struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	return no_segments != 0 && c != NULL && c->cmsg_level == IPPROTO_UDP &&
	       c->cmsg_type == UDP_SEGMENT;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (!is_refused(msg))
		return syscall(SYS_sendmsg, fd, msg, flags);
	errno = no_segments;
	return -1;
}

int sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	unsigned good = 0;

	while (good < n && !is_refused(&msg[good].msg_hdr))
		good++;
	if (good > 0 || n == 0)
		return (int)syscall(SYS_sendmmsg, fd, msg, good, flags);
	errno = no_segments;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *req;
	va_list ap;

	va_start(ap, request);
	req = va_arg(ap, void *);
	va_end(ap);
	if (!no_vnet || request != TUNSETIFF ||
	    (req->ifr_flags & IFF_VNET_HDR) == 0)
		return (int)syscall(SYS_ioctl, fd, request, req);
	errno = EINVAL;
	return -1;
}
