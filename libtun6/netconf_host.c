/*
 * netconf_host.c - what the host has beside the tunnel, and when it changes
 *
 * Addresses are read whole, routes never: a router may have a million of
 * them. Which way a packet to a certain address would take is one question to
 * the kernel, and its answer is boiled down to a number that changes when the
 * gateway, the interface, the source address or the state of that interface
 * does. Notices are only a reason to look again: what they say is not
 * believed further than that, so that a lost one (the kernel says when its
 * queue overflowed) costs nothing.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>

#include "netconf.h"
#include "netconf_nl.h"

#define NOTICES_AT_ONCE 256
#define GLOBAL_LEN 3u			/* 2000::/3: global unicast */

/* ---- addresses ---- */

static void host_add_net(struct netconf_host *host, uint32_t ip, unsigned len,
			 int ifindex)
{
	if (len == 0 || len > 31 || host->nets == NETCONF_NETS)
		return;
	host->net[host->nets].ip = ip;
	host->net[host->nets].mask = htonl(~(0xffffffffu >> len));
	host->net[host->nets++].ifindex = ifindex;
}

static void host_add4(struct netconf_host *host, struct nl_addr *a,
		      int ifindex)
{
	uint32_t ip, mask;
	unsigned len = nl_addr_get_prefixlen(a);

	if (nl_addr_get_len(a) != 4 || host->n4 + 2 > NETCONF_LOCAL4)
		return;
	memcpy(&ip, nl_addr_get_binary_addr(a), 4);
	if (ntohl(ip) >> 24 == 127)
		return;
	host->ip4[host->n4++] = ip;
	host_add_net(host, ip, len, ifindex);
	if (len >= 31 || len == 0)
		return;		/* no broadcast address (RFC 3021) */
	mask = htonl(0xffffffffu >> len);
	host->ip4[host->n4++] = ip | mask;
}

static void host_add6(struct netconf_host *host, struct rtnl_addr *ra,
		      struct nl_addr *a)
{
	if (nl_addr_get_len(a) != 16 || host->n6 == NETCONF_LOCAL6 ||
	    rtnl_addr_get_scope(ra) != RT_SCOPE_UNIVERSE)
		return;
	memcpy(host->addr6[host->n6++], nl_addr_get_binary_addr(a), 16);
}

int netconf_host(struct netconf *nc, int except, struct netconf_host *host)
{
	struct nl_cache *cache;
	int err = rtnl_addr_alloc_cache(nc->ask, &cache);

	memset(host, 0, sizeof(*host));
	if (err < 0)
		return netconf_errno(err);
	for (struct nl_object *o = nl_cache_get_first(cache); o != NULL;
	     o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;
		struct nl_addr *a = rtnl_addr_get_local(ra);

		if (a == NULL || rtnl_addr_get_ifindex(ra) == except)
			continue;
		if (rtnl_addr_get_family(ra) == AF_INET)
			host_add4(host, a, rtnl_addr_get_ifindex(ra));
		else if (rtnl_addr_get_family(ra) == AF_INET6)
			host_add6(host, ra, a);
	}
	nl_cache_free(cache);
	return 0;
}

void netconf_list_ip4(struct netconf *nc, char *buf, unsigned size)
{
	struct nl_cache *cache;
	size_t used = 0;

	snprintf(buf, size, "none");
	if (rtnl_addr_alloc_cache(nc->ask, &cache) < 0)
		return;
	for (struct nl_object *o = nl_cache_get_first(cache);
	     o != NULL && used < size; o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;
		struct nl_addr *a = rtnl_addr_get_local(ra);
		char ip[INET_ADDRSTRLEN], name[IF_NAMESIZE] = "?";

		if (a == NULL || rtnl_addr_get_family(ra) != AF_INET)
			continue;
		inet_ntop(AF_INET, nl_addr_get_binary_addr(a), ip, sizeof(ip));
		if_indextoname((unsigned)rtnl_addr_get_ifindex(ra), name);
		used += (size_t)snprintf(buf + used, size - used, "%s%s %s",
					 used > 0 ? ", " : "", ip, name);
	}
	nl_cache_free(cache);
}

/* ---- the way to somewhere ---- */

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * 0x100000001b3u;	/* FNV-1a */
	return h;
}

static uint64_t mix_addr(uint64_t h, struct nl_addr *a)
{
	return a == NULL ? h
			 : mix(h, nl_addr_get_binary_addr(a),
			       nl_addr_get_len(a));
}

static uint64_t route_mix(struct netconf *nc, struct rtnl_route *route)
{
	struct rtnl_nexthop *nh = rtnl_route_nexthop_n(route, 0);
	uint64_t h = mix_addr(0xcbf29ce484222325u,
			      rtnl_route_get_pref_src(route));
	struct rtnl_link *link;
	unsigned flags = 0;
	int ifindex;

	if (nh == NULL)
		return h;
	h = mix_addr(h, rtnl_route_nh_get_gateway(nh));
	ifindex = rtnl_route_nh_get_ifindex(nh);
	if (rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link) == 0) {
		flags = rtnl_link_get_flags(link) & (IFF_UP | IFF_RUNNING);
		rtnl_link_put(link);
	}
	h = mix(h, &ifindex, sizeof(ifindex));
	return mix(h, &flags, sizeof(flags));
}

uint64_t netconf_way(struct netconf *nc, uint32_t ip)
{
	struct nl_addr *dst = nl_addr_build(AF_INET, &ip, sizeof(ip));
	struct rtnl_route *route = NULL;
	uint64_t way = 0;

	if (dst != NULL && rtnl_route_lookup(nc->ask, dst, &route) == 0) {
		way = route_mix(nc, route);
		rtnl_route_put(route);
	}
	nl_addr_put(dst);
	return way;
}

int netconf_out(struct netconf *nc, uint32_t ip)
{
	struct nl_addr *dst = nl_addr_build(AF_INET, &ip, sizeof(ip));
	struct rtnl_route *route = NULL;
	struct rtnl_nexthop *nh;
	int ifindex = 0;

	if (dst != NULL && rtnl_route_lookup(nc->ask, dst, &route) == 0) {
		nh = rtnl_route_nexthop_n(route, 0);
		ifindex = nh == NULL ? 0 : rtnl_route_nh_get_ifindex(nh);
		rtnl_route_put(route);
	}
	nl_addr_put(dst);
	return ifindex;
}

int netconf_out6(struct netconf *nc, const uint8_t dst[16], uint32_t *metric)
{
	uint8_t copy[16];
	struct nl_addr *to;
	struct rtnl_route *route = NULL;
	struct rtnl_nexthop *nh;
	int ifindex = 0;

	memcpy(copy, dst, sizeof(copy));
	to = nl_addr_build(AF_INET6, copy, sizeof(copy));
	*metric = 0;
	if (to != NULL && rtnl_route_lookup(nc->ask, to, &route) == 0) {
		nh = rtnl_route_nexthop_n(route, 0);
		ifindex = nh == NULL ? 0 : rtnl_route_nh_get_ifindex(nh);
		*metric = rtnl_route_get_priority(route);
		rtnl_route_put(route);
	}
	nl_addr_put(to);
	return ifindex;
}

/* ---- IPv6 by other means ---- */

/* In 2000::/3, so neither link-local nor unique local, and in use. */
static bool native_address(struct rtnl_addr *ra, uint32_t but)
{
	struct nl_addr *a = rtnl_addr_get_local(ra);
	uint8_t ip[16];

	if (a == NULL || nl_addr_get_len(a) != sizeof(ip) ||
	    (rtnl_addr_get_flags(ra) &
	     (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0)
		return false;
	memcpy(ip, nl_addr_get_binary_addr(a), sizeof(ip));
	return ip[0] >> 5 == 1 && memcmp(ip, &but, sizeof(but)) != 0;
}

static bool native_link(struct netconf *nc, int ifindex)
{
	const unsigned want = IFF_UP | IFF_RUNNING;
	struct rtnl_link *link;
	unsigned flags = 0;

	if (rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link) == 0) {
		flags = rtnl_link_get_flags(link);
		rtnl_link_put(link);
	}
	return (flags & want) == want;
}

/*
 * Whether there is a way through that interface to 2000::, where nobody is:
 * so it is a default route, or one for all of 2000::/3. Which route is the
 * better one, ours or another, is not asked.
 */
static bool native_route(struct netconf *nc, int ifindex)
{
	const uint8_t dst[16] = { 0x20 };
	const struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 128 };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	int err;

	if (msg == NULL)
		return false;
	err = nlmsg_append(msg, (void *)(uintptr_t)&rtm, sizeof(rtm),
			   NLMSG_ALIGNTO);
	if (err >= 0)
		err = nla_put(msg, RTA_DST, sizeof(dst), dst);
	if (err >= 0)
		err = nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex);
	if (err >= 0)
		err = nl_send_auto(nc->ask, msg);
	nlmsg_free(msg);
	if (err >= 0)
		err = nl_recvmsgs_default(nc->ask);	/* the route, or none */
	if (err >= 0)
		err = nl_wait_for_ack(nc->ask);
	return err >= 0;
}

int netconf_native(struct netconf *nc, int except, uint32_t but)
{
	struct nl_cache *cache;
	int found = 0;

	if (rtnl_addr_alloc_cache(nc->ask, &cache) < 0)
		return 0;
	for (struct nl_object *o = nl_cache_get_first(cache);
	     o != NULL && found == 0; o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;
		int ifindex = rtnl_addr_get_ifindex(ra);

		if (ifindex != except && native_address(ra, but) &&
		    native_link(nc, ifindex) && native_route(nc, ifindex))
			found = ifindex;
	}
	nl_cache_free(cache);
	return found;
}

/* ---- notices ---- */

struct notice {
	int ifindex;
	unsigned changed;
};

static unsigned notice_link(const struct nlmsghdr *h, int ifindex)
{
	const struct ifinfomsg *ifi = nlmsg_data(h);

	if (!nlmsg_valid_hdr(h, sizeof(*ifi)))
		return 0;
	if (ifi->ifi_index != ifindex)
		return NETCONF_CHANGED_IP4;
	/* With another family it is not the link but its part in a bridge. */
	if (h->nlmsg_type == RTM_DELLINK && ifi->ifi_family == AF_UNSPEC)
		return NETCONF_LINK_GONE;
	return NETCONF_CHANGED_LINK;
}

static unsigned notice_addr(const struct nlmsghdr *h, int ifindex)
{
	const struct ifaddrmsg *ifa = nlmsg_data(h);

	if (!nlmsg_valid_hdr(h, sizeof(*ifa)))
		return 0;
	if ((int)ifa->ifa_index == ifindex)
		return NETCONF_CHANGED_LINK;
	return ifa->ifa_family == AF_INET ? NETCONF_CHANGED_IP4
					  : NETCONF_CHANGED_IP6;
}

static unsigned notice_route(struct nlmsghdr *h, int ifindex)
{
	const struct rtmsg *rtm = nlmsg_data(h);
	struct nlattr *oif;

	if (!nlmsg_valid_hdr(h, sizeof(*rtm)))
		return 0;
	if (rtm->rtm_family == AF_INET)	/* VPNs take both halves of it */
		return rtm->rtm_dst_len <= 1 ? NETCONF_CHANGED_IP4 : 0;
	oif = nlmsg_find_attr(h, sizeof(*rtm), RTA_OIF);
	if (oif != NULL && (int)nla_get_u32(oif) == ifindex)
		return NETCONF_CHANGED_LINK;
	return rtm->rtm_dst_len <= GLOBAL_LEN ? NETCONF_CHANGED_IP6 : 0;
}

static int notice_read(struct nl_msg *msg, void *arg)
{
	struct notice *n = arg;
	struct nlmsghdr *h = nlmsg_hdr(msg);

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		n->changed |= notice_link(h, n->ifindex);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		n->changed |= notice_addr(h, n->ifindex);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		n->changed |= notice_route(h, n->ifindex);
		break;
	default:
		break;
	}
	return NL_OK;
}

int netconf_watch(struct netconf *nc)
{
	struct nl_sock *sk = nl_socket_alloc();
	int err = -NLE_NOMEM;

	if (sk != NULL) {
		nl_socket_disable_seq_check(sk);
		err = nl_connect(sk, NETLINK_ROUTE);
	}
	if (err >= 0)
		err = nl_socket_set_nonblocking(sk);
	if (err >= 0)
		err = nl_socket_add_memberships(sk, RTNLGRP_LINK,
						RTNLGRP_IPV4_IFADDR,
						RTNLGRP_IPV6_IFADDR,
						RTNLGRP_IPV4_ROUTE,
						RTNLGRP_IPV6_ROUTE, 0);
	if (err < 0) {
		nl_socket_free(sk);
		return netconf_errno(err);
	}
	nl_socket_free(nc->watch);
	nc->watch = sk;
	return nl_socket_get_fd(sk);
}

unsigned netconf_changed(struct netconf *nc, int ifindex)
{
	struct notice n = { .ifindex = ifindex };

	nl_socket_modify_cb(nc->watch, NL_CB_VALID, NL_CB_CUSTOM, notice_read,
			    &n);
	for (unsigned i = 0; i < NOTICES_AT_ONCE; i++) {
		int err = nl_recvmsgs_default(nc->watch);

		if (err == -NLE_AGAIN)
			break;
		if (err < 0)	/* notices were lost: anything may have been */
			n.changed |= NETCONF_CHANGED_IP4 |
				     NETCONF_CHANGED_IP6 |
				     NETCONF_CHANGED_LINK;
	}
	return n.changed;
}
