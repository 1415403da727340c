/*
 * netconf.h - addresses, routes and link of the tunnel interface; what the
 * host has; by libnl-route. For the parent; miredoctl asks for routes.
 */
#ifndef LIBTUN6_NETCONF_H
#define LIBTUN6_NETCONF_H

#include <stdbool.h>
#include <stdint.h>

#define NETCONF_LOCAL4	2048
#define NETCONF_LOCAL6	32
#define NETCONF_NETS	32

struct netconf;

/* All calls return 0 or -errno; a failed call changes nothing it can undo. */
int netconf_open(struct netconf **nc);
void netconf_close(struct netconf *nc);

/* Interface index, or -errno. */
int netconf_index(struct netconf *nc, const char *ifname);
/* 1: it is a tun device, 0: another kind of interface, else -errno. */
int netconf_is_tun(struct netconf *nc, int ifindex);
/* 1: the administrator wants it up (IFF_UP), 0: down, else -errno. */
int netconf_is_up(struct netconf *nc, int ifindex);
int netconf_set_link(struct netconf *nc, int ifindex, bool up);
int netconf_set_mtu(struct netconf *nc, int ifindex, uint32_t mtu);
/* Packets that wait at most until the daemon reads them. */
int netconf_set_queue(struct netconf *nc, int ifindex, uint32_t packets);
/* IPv6 on, but no address of the kernel's own making, no router
 * advertisements, no redirects. Best before the link is up. What is so already
 * need not be writable. */
int netconf_quiet(struct netconf *nc, const char *ifname);
/* Whether IPv6 is switched off on it (disable_ipv6): the kernel refuses
 * addresses then, with -EACCES. */
bool netconf_is_off6(struct netconf *nc, const char *ifname);

/* Adds addr/len; one that is there already is no error. */
int netconf_add_address(struct netconf *nc, int ifindex,
			const uint8_t addr[16], unsigned len);
/* Makes addr/len the only global IPv6 address of the interface; it brings no
 * route. */
int netconf_replace_address(struct netconf *nc, int ifindex,
			    const uint8_t addr[16], unsigned len);
/* Removes all addresses of global scope. */
int netconf_flush_global(struct netconf *nc, int ifindex);

/* Adds dst/len through the interface, by a gateway that is nobody (fe80::1),
 * with this metric; len 0: default. */
int netconf_add_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric);
int netconf_del_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric);

/* The host's IPv4 addresses and directed broadcasts, its IPv4 subnets with
 * our address in them, and its global IPv6 addresses, without 127/8 and
 * without those of the interface `except`. */
struct netconf_host {
	unsigned n4, n6, nets;
	uint32_t ip4[NETCONF_LOCAL4];
	uint8_t addr6[NETCONF_LOCAL6][16];
	struct {
		uint32_t ip, mask;
		int ifindex;
	} net[NETCONF_NETS];
};
int netconf_host(struct netconf *nc, int except, struct netconf_host *host);

/* A number that changes when packets to ip (network order) take another way:
 * gateway, interface, source, or state of that interface. 0: no way. */
uint64_t netconf_way(struct netconf *nc, uint32_t ip);

/* The interface by which packets to ip leave; 0: none. */
int netconf_out(struct netconf *nc, uint32_t ip);

/* The interface and the metric of the IPv6 route that the kernel takes to
 * dst. 0: none. */
int netconf_out6(struct netconf *nc, const uint8_t dst[16], uint32_t *metric);

/* The interface, other than `except`, that has IPv6 by other means: it runs,
 * has a preferred address in 2000::/3 but outside of the /32 `but` (octets
 * 0-3), and a route to the whole of 2000::/3. 0: none. */
int netconf_native(struct netconf *nc, int except, uint32_t but);

/* Which way a packet to dst (4 or 16 octets, by the family) takes; by the
 * interface `via` if that is not 0. -ENETUNREACH: none. */
struct netconf_route {
	int ifindex;
	bool has_src, has_gateway;
	uint8_t src[16], gateway[16];	/* IPv4: the first 4 octets */
	unsigned len;			/* of the prefix of the route it is */
	uint32_t metric;
};
int netconf_route(struct netconf *nc, int family, const void *dst, int via,
		  struct netconf_route *r);

/* The interface of a Teredo relay, other than `except`: a tun with a route of
 * this metric to the /32 `prefix` (octets 0-3). 0: none. */
int netconf_relay(struct netconf *nc, int except, uint32_t prefix,
		  uint32_t metric);

/* Human-readable "192.0.2.1 eth0, 127.0.0.1 lo" for an error message. */
void netconf_list_ip4(struct netconf *nc, char *buf, unsigned size);

/* A descriptor that is readable when addresses, links or routes changed.
 * netconf_changed() takes notices off and tells what may have changed. */
#define NETCONF_CHANGED_IP4	1u	/* IPv4 addresses, default routes */
#define NETCONF_CHANGED_IP6	2u	/* IPv6 addresses, default routes */
#define NETCONF_CHANGED_LINK	4u	/* the link `ifindex` itself, what is
					 * on it or points to it */
#define NETCONF_LINK_GONE	8u	/* it was deleted */
int netconf_watch(struct netconf *nc);
unsigned netconf_changed(struct netconf *nc, int ifindex);

#endif
