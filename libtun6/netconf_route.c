/*
 * netconf_route.c - which way would a packet to that destination take?
 *
 * Two questions to the kernel: what it would do (interface, gateway, source),
 * and by which route of its table (RTM_F_FIB_MATCH: prefix and metric). Asked
 * with an interface, it answers for that interface alone: so one can say what
 * another route won over. Nothing here needs a privilege.
 */
#include "config.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netconf.h"
#include "netconf_nl.h"

struct answer {
	struct netconf_route *route;
	size_t size;	/* of an address */
	bool match;
};

/* An address in its first octets. */
static bool copy(uint8_t out[16], const struct nlattr *a, size_t size)
{
	if (a == NULL || nla_len(a) != (int)size)
		return false;
	memcpy(out, nla_data(a), size);
	return true;
}

static int take(struct nl_msg *msg, void *ctx)
{
	struct answer *answer = ctx;
	struct netconf_route *r = answer->route;
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(h, sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0)
		return NL_OK;
	if (answer->match) {
		const struct rtmsg *rtm = nlmsg_data(h);

		r->len = rtm->rtm_dst_len;
		if (tb[RTA_PRIORITY] != NULL)
			r->metric = nla_get_u32(tb[RTA_PRIORITY]);
		return NL_OK;
	}
	if (tb[RTA_OIF] != NULL)
		r->ifindex = (int)nla_get_u32(tb[RTA_OIF]);
	r->has_gateway = copy(r->gateway, tb[RTA_GATEWAY], answer->size);
	r->has_src = copy(r->src, tb[RTA_PREFSRC], answer->size);
	return NL_OK;
}

static struct nl_msg *question(int family, const void *dst, size_t size,
			       int via, bool match)
{
	const struct rtmsg rtm = {
		.rtm_family = (unsigned char)family,
		.rtm_dst_len = (unsigned char)(8 * size),
		.rtm_flags = match ? RTM_F_FIB_MATCH : 0,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (msg == NULL)
		return NULL;
	if (nlmsg_append(msg, (void *)(uintptr_t)&rtm, sizeof(rtm),
			 NLMSG_ALIGNTO) >= 0 &&
	    nla_put(msg, RTA_DST, (int)size, dst) >= 0 &&
	    (via == 0 || nla_put_u32(msg, RTA_OIF, (uint32_t)via) >= 0))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int ask(struct netconf *nc, struct nl_msg *msg, struct answer *answer)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -NLE_NOMEM;

	if (msg != NULL && cb != NULL) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, take, answer);
		err = nl_send_auto(nc->ask, msg);
		if (err >= 0)
			err = nl_recvmsgs(nc->ask, cb);
		if (err >= 0)
			err = nl_wait_for_ack(nc->ask);
	}
	nl_cb_put(cb);
	nlmsg_free(msg);
	return err >= 0 ? 0 : -ENETUNREACH;
}

int netconf_route(struct netconf *nc, int family, const void *dst, int via,
		  struct netconf_route *r)
{
	struct answer answer = {
		.route = r,
		.size = family == AF_INET ? 4u : 16u,
	};
	int err;

	memset(r, 0, sizeof(*r));
	err = ask(nc, question(family, dst, answer.size, via, false), &answer);
	if (err != 0)
		return err;
	answer.match = true;
	return ask(nc, question(family, dst, answer.size, via, true), &answer);
}

static bool is_tun_of_relay(struct netconf *nc, struct rtnl_link *link,
			    const uint8_t dst[16], uint32_t metric)
{
	const char *type = rtnl_link_get_type(link);
	int ifindex = rtnl_link_get_ifindex(link);
	struct netconf_route r;

	return type != NULL && strcmp(type, "tun") == 0 &&
	       netconf_route(nc, AF_INET6, dst, ifindex, &r) == 0 &&
	       r.ifindex == ifindex && r.len == 32 && r.metric == metric;
}

int netconf_relay(struct netconf *nc, int except, uint32_t prefix,
		  uint32_t metric)
{
	uint8_t dst[16] = { [15] = 1 };
	struct nl_cache *cache;
	int found = 0;

	memcpy(dst, &prefix, sizeof(prefix));
	if (rtnl_link_alloc_cache(nc->ask, AF_UNSPEC, &cache) < 0)
		return 0;
	for (struct nl_object *o = nl_cache_get_first(cache);
	     o != NULL && found == 0; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;

		if (rtnl_link_get_ifindex(link) != except &&
		    is_tun_of_relay(nc, link, dst, metric))
			found = rtnl_link_get_ifindex(link);
	}
	nl_cache_free(cache);
	return found;
}
