/*
 * udp.h - the IPv4 side: one UDP socket
 */
#ifndef MIREDO_UDP_H
#define MIREDO_UDP_H

#include <stdint.h>

#include "../libteredo/teredo.h"

/* Parent: opens and binds (port 0: any; ip 0: any address). Non-blocking,
 * DF clear and no path MTU (A-MTU-03), 4 MB buffers where allowed, IP_PKTINFO, deaf to ICMP
 * errors (SEC-ICM-01). The descriptor or -errno. */
int udp_open(struct teredo_ep bind);

/* Parent: the same for a multicast group; the port may be shared with others
 * who share it (Q5). It hears what is sent to the group on links where
 * udp_join() made it a member, and nothing else. */
int udp_open_group(struct teredo_ep group);
/* 0 or -errno; to be a member already, or to be none, is no error. */
int udp_join(int fd, uint32_t group, int ifindex);
void udp_leave(int fd, uint32_t group, int ifindex);
/* What fd sends to groups goes to that link, with a TTL of 1 (C-LCD-03), and
 * not back to this host. 0 or -errno. */
int udp_set_link(int fd, int ifindex);

/* Asks for UDP_GRO, or not, and for UDP_SEGMENT: of the bits of enum datapath
 * in `want` those that this kernel has. */
uint32_t udp_offload(int fd, uint32_t want);

/* What it is bound to, or zeros. */
struct teredo_ep udp_bound(int fd);

#endif
