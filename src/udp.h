/*
 * udp.h - the IPv4 side: one UDP socket
 */
#ifndef MIREDO_UDP_H
#define MIREDO_UDP_H

#include <stdint.h>

#include "../libteredo/teredo.h"

/* Parent: opens and binds (port 0: any; ip 0: any address). Non-blocking,
 * DF clear (A-MTU-03), 4 MB buffers where allowed, IP_PKTINFO, deaf to ICMP
 * errors (SEC-ICM-01). The descriptor or -errno. */
int udp_open(struct teredo_ep bind);

/* What it is bound to, or zeros. */
struct teredo_ep udp_bound(int fd);

/* One datagram: its length (0 is possible), or -errno (-EAGAIN: none). */
int udp_recv(int fd, void *buf, uint32_t size, struct teredo_ep *from,
	     uint32_t *local_ip);

/* 0 or -errno; never blocks. Outer ECN is zero (G-ECN-01), the UDP checksum
 * is never zero. */
int udp_send(int fd, struct teredo_ep to, const void *data, uint32_t len);

#endif
