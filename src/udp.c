/*
 * udp.c - the IPv4 side: one UDP socket
 *
 * The parent opens and binds it and keeps a descriptor, so that the port, and
 * with it the NAT's mapping, outlives an engine.
 *
 * What the socket is set to, and why:
 * - non-blocking: neither a full buffer nor a pending ARP may stop a packet
 *   of somebody else for longer than udp_tx.c says; what the kernel would not
 *   take then is a drop to count.
 * - DF clear (A-MTU-03): a Teredo packet may be fragmented on its way. By
 *   IP_PMTUDISC_OMIT and not by DONT, which would believe a forged
 *   "fragmentation needed" and have the kernel cut all we send to that host
 *   to pieces of 552 octets (SEC-ICM-01). Only the MTU of our own link counts.
 * - no IP_RECVERR: an unconnected UDP socket without it is never told of ICMP
 *   errors. A forged "port unreachable" then cannot fail a send, cost a
 *   packet or wake us (SEC-ICM-01), and there is no error queue to drain.
 * - IP_PKTINFO: the address that a datagram was sent to. One's own address
 *   tells whether there is a NAT before us.
 * - TOS stays 0, whatever the packet inside says (G-ECN-01), and the checksum
 *   stays on (G-UDP-01): both are the kernel's defaults.
 * - 4 MB of buffers: bursts of a whole TCP window arrive at once.
 */
#include "config.h"

#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath.h"

#define BUFFER_BYTES (4 * 1024 * 1024)

static struct sockaddr_in to_sockaddr(struct teredo_ep ep)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = ep.port,
		.sin_addr.s_addr = ep.ip,
	};
}

/* As much as allowed: without CAP_NET_ADMIN it is net.core.[rw]mem_max. */
static void set_buffer(int fd, int forced, int plain)
{
	const int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

static int set_up(int fd, struct teredo_ep ep)
{
	const struct sockaddr_in sin = to_sockaddr(ep);
	const int on = 1, omit = IP_PMTUDISC_OMIT;

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit)) ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof(sin)))
		return -errno;
	return 0;
}

int udp_open(struct teredo_ep ep)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = set_up(fd, ep);
	if (error != 0) {
		close(fd);
		return error;
	}
	return fd;
}

int udp_open_group(struct teredo_ep group)
{
	const struct sockaddr_in sin = to_sockaddr(group);
	const int on = 1, off = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) ==
		    0 &&
	    bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int udp_join(int fd, uint32_t group, int ifindex)
{
	const struct ip_mreqn m = {.imr_multiaddr.s_addr = group,
				   .imr_ifindex = ifindex};

	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) == 0 ||
	    errno == EADDRINUSE)
		return 0;
	return -errno;
}

void udp_leave(int fd, uint32_t group, int ifindex)
{
	const struct ip_mreqn m = {.imr_multiaddr.s_addr = group,
				   .imr_ifindex = ifindex};

	setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m));
}

int udp_set_link(int fd, int ifindex)
{
	const struct ip_mreqn m = {.imr_ifindex = ifindex};
	const int ttl = 1, loop = 0;

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof(loop)))
		return -errno;
	return 0;
}

/* UDP_SEGMENT 0 changes nothing: it is asked for with each send. */
uint32_t udp_offload(int fd, uint32_t want)
{
	const int gro = (want & DATAPATH_GRO) != 0, segment = 0;
	uint32_t features = 0;

	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &gro, sizeof(gro)) == 0)
		features |= DATAPATH_GRO;
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
		       sizeof(segment)) == 0)
		features |= DATAPATH_SEGMENT;
	return features & want;
}

struct teredo_ep udp_bound(int fd)
{
	struct sockaddr_in sin = {0};
	socklen_t len = sizeof(sin);

	if (getsockname(fd, (struct sockaddr *)&sin, &len) != 0 ||
	    sin.sin_family != AF_INET)
		return (struct teredo_ep){0};
	return (struct teredo_ep){.ip = sin.sin_addr.s_addr,
				  .port = sin.sin_port};
}
