/*
 * tun6.c - the tunnel interface: a Linux tun device for IPv6
 *
 * One descriptor of /dev/net/tun is one interface. The interface lives as
 * long as the descriptor is open somewhere: the parent keeps it open, so that
 * an engine's death leaves the interface, its addresses and its routes alone.
 *
 * When somebody deletes the interface, the descriptor stays good: reads and
 * writes give -EBADFD until TUNSETIFF makes the interface again on it. epoll
 * reports EPOLLERR all that time, which the engine's pump has to know.
 *
 * Packets are bare IPv6: no packet information in front, no virtio-net
 * header. Addresses, routes, MTU and link state are netconf.c's.
 */
#include "config.h"

#include "tun6.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* TUNSETIFF; 0 or -errno. The kernel says EINVAL for an interface that exists
 * but is no tun: for the caller that is a name that is taken, too. */
static int attach(int fd, const char *name, struct ifreq *req)
{
	memset(req, 0, sizeof(*req));
	req->ifr_flags = IFF_TUN | IFF_NO_PI;
	if (name != NULL) {
		if (strlen(name) >= sizeof(req->ifr_name))
			return -EINVAL;
		strcpy(req->ifr_name, name);
	}
	if (ioctl(fd, TUNSETIFF, req) == 0)
		return 0;
	if (errno == EINVAL && name != NULL && if_nametoindex(name) != 0)
		return -EBUSY;
	return -errno;
}

int tun6_open(const char *name, char name_out[IF_NAMESIZE])
{
	struct ifreq req;
	int error;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = attach(fd, name, &req);
	if (error != 0) {
		close(fd);
		return error;
	}
	memcpy(name_out, req.ifr_name, IF_NAMESIZE);
	return fd;
}

int tun6_reattach(int fd, const char *name)
{
	struct ifreq req;

	return attach(fd, name, &req);
}

int tun6_carrier(int fd, bool on)
{
	int value = on;

	return ioctl(fd, TUNSETCARRIER, &value) == 0 ? 0 : -errno;
}

ssize_t tun6_read(int fd, void *buf, size_t size)
{
	ssize_t n = read(fd, buf, size);

	return n >= 0 ? n : -errno;
}

int tun6_write(int fd, const void *ip6, size_t len)
{
	return write(fd, ip6, len) >= 0 ? 0 : -errno;
}
