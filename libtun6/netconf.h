/*
 * netconf.h - addresses, routes and link of the tunnel interface; what the
 * host has; by libnl-route. Parent only.
 */
#ifndef LIBTUN6_NETCONF_H
#define LIBTUN6_NETCONF_H

#include <stdbool.h>
#include <stdint.h>

#define NETCONF_LOCAL4	64
#define NETCONF_LOCAL6	32

struct netconf;

/* All calls return 0 or -errno; a failed call changes nothing it can undo. */
int netconf_open(struct netconf **nc);
void netconf_close(struct netconf *nc);

/* Interface index, or -errno. */
int netconf_index(struct netconf *nc, const char *ifname);
int netconf_set_link(struct netconf *nc, int ifindex, bool up);
int netconf_set_mtu(struct netconf *nc, int ifindex, uint32_t mtu);

/* Adds addr/len; one that is there already is no error. */
int netconf_add_address(struct netconf *nc, int ifindex,
			const uint8_t addr[16], unsigned len);
/* Makes addr/len the only global IPv6 address of the interface. */
int netconf_replace_address(struct netconf *nc, int ifindex,
			    const uint8_t addr[16], unsigned len);
/* Removes all addresses of global scope. */
int netconf_flush_global(struct netconf *nc, int ifindex);

/* Adds dst/len through the interface with this metric; len 0: default. */
int netconf_add_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric);
int netconf_del_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric);

/* The host's IPv4 addresses and directed broadcasts and its global IPv6
 * addresses, without those of the interface `except`. */
struct netconf_host {
	unsigned n4, n6;
	uint32_t ip4[NETCONF_LOCAL4];
	uint8_t addr6[NETCONF_LOCAL6][16];
};
int netconf_host(struct netconf *nc, int except, struct netconf_host *host);

/* Human-readable "192.0.2.1 eth0, 127.0.0.1 lo" for an error message. */
void netconf_list_ip4(struct netconf *nc, char *buf, unsigned size);

/* A descriptor that is readable when addresses, links or routes changed.
 * netconf_changed() takes all notices off and tells what they were. */
#define NETCONF_CHANGED_IP4	1u	/* an IPv4 address or route */
#define NETCONF_CHANGED_IP6	2u
#define NETCONF_CHANGED_LINK	4u	/* the link `ifindex` itself */
#define NETCONF_LINK_GONE	8u	/* it was deleted */
int netconf_watch(struct netconf *nc);
unsigned netconf_changed(struct netconf *nc, int ifindex);

#endif
