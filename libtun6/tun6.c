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
 * Packets are bare IPv6 without packet information, behind a virtio-net
 * header where the kernel is asked for super-packets (gso.h). Addresses,
 * routes, MTU and link state are netconf.c's.
 */
#include "config.h"

#include "tun6.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Linux 6.2; Debian 12's headers are older. */
#define USO4 0x20u
#define USO6 0x40u
#define DISCARD 4000u /* twice what its queue holds */

/* TUNSETIFF; 0 or -errno. The kernel says EINVAL for an interface that exists
 * but is no tun: for the caller that is a name that is taken, too. */
static int attach(int fd, const char *name, bool vnet, struct ifreq *req)
{
	int error;

	memset(req, 0, sizeof(*req));
	req->ifr_flags = (short)(IFF_TUN | IFF_NO_PI |
				 (vnet ? IFF_VNET_HDR : 0));
	if (name != NULL) {
		if (strlen(name) >= sizeof(req->ifr_name))
			return -EINVAL;
		strcpy(req->ifr_name, name);
	}
	if (ioctl(fd, TUNSETIFF, req) == 0)
		return 0;
	error = -errno;
	if (error == -EINVAL && name != NULL && if_nametoindex(name) != 0)
		return -EBUSY;
	return error;
}

int tun6_open(const char *name, char name_out[IF_NAMESIZE], bool *vnet)
{
	struct ifreq req;
	int error;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = attach(fd, name, *vnet, &req);
	if (error == -EINVAL && *vnet) {
		*vnet = false;
		error = attach(fd, name, false, &req);
	}
	if (error != 0) {
		close(fd);
		return error;
	}
	memcpy(name_out, req.ifr_name, IF_NAMESIZE);
	return fd;
}

int tun6_reattach(int fd, const char *name, bool vnet)
{
	struct ifreq req;

	return attach(fd, name, vnet, &req);
}

/* Both kinds of USO go together, TSO needs checksums (include/uapi/linux/
 * if_tun.h); ECN lets CWR segments be merged as well. */
unsigned tun6_offload(int fd, unsigned want)
{
	const unsigned long tso =
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if ((want & TUN6_TSO) == 0) {
		ioctl(fd, TUNSETOFFLOAD, 0ul);
		return 0;
	}
	if ((want & TUN6_USO) != 0 &&
	    ioctl(fd, TUNSETOFFLOAD, tso | USO4 | USO6) == 0)
		return TUN6_TSO | TUN6_USO;
	return ioctl(fd, TUNSETOFFLOAD, tso) == 0 ? TUN6_TSO : 0;
}

int tun6_carrier(int fd, bool on)
{
	int value = on;

	return ioctl(fd, TUNSETCARRIER, &value) == 0 ? 0 : -errno;
}

void tun6_discard(int fd)
{
	uint8_t head[128];	/* the rest of a packet goes with it */

	for (unsigned i = 0; i < DISCARD; i++)
		if (read(fd, head, sizeof(head)) <= 0)
			break;
}

ssize_t tun6_read(int fd, void *buf, size_t size)
{
	ssize_t n = read(fd, buf, size);

	return n >= 0 ? n : -errno;
}

int tun6_write(int fd, const struct iovec *piece, unsigned n)
{
	return writev(fd, piece, (int)n) >= 0 ? 0 : -errno;
}
