/*
 * parent_link.c - the interface, and what the host has beside it
 *
 * What the interface shall look like stands in p->link; bringing it there is
 * one function that may be repeated at any time, because netconf does nothing
 * where nothing is amiss. So whatever is noticed - an address or a route
 * taken away, an MTU changed - the answer is the same. Two cases are others:
 * an interface that was deleted is made again on the same descriptor, which
 * the engine has too; and one that the administrator set down stays down, for
 * that is an order, and is put in order when it comes up.
 *
 * Notices come in swarms; they are answered when they have settled for 200
 * ms, the deletion and the return of BindAddress at once.
 *
 * Carrier is health: a routing daemon that looks at it announces the prefix
 * only while an engine serves. A new engine after a crash is there long before
 * carrier falls, since packets sent without carrier are lost. A relay that is
 * bound to an address which the host has lost is of no use to anybody either;
 * and an administrator may want it to be of none (`miredoctl announce hold`).
 */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "../libtun6/tun6.h"
#include "clock.h"
#include "log.h"
#include "parent.h"

#define SETTLE 200000000u	/* ns */
#define QUEUE_PACKETS 2000	/* what comes while the engine cannot run: 20 ms
				 * at the highest rate */
#define AGAIN  1000000000u
#define CLIENT_METRIC 1029	/* of the default route */
#define ONLINK_METRIC 256	/* of the prefix; the kernel's own choice */
#define HOST_METRIC   16	/* of a host's own relay: a route that was
				 * learned does not win over it (SEC-DOS-01) */

static const uint8_t link_local[16] = { 0xfe, 0x80, 0, 0,    0,	   0,
					0,    0,    0, 0,    0xff, 0xff,
					0xff, 0xff, 0xff, 0xff };
static const uint8_t anywhere[16];

static bool link_is_relay(const struct parent *p)
{
	return p->config.role == PRIV_RELAY ||
	       p->config.role == PRIV_SERVER_RELAY;
}

static uint32_t relay_metric(const struct parent *p)
{
	return p->config.host_local ? HOST_METRIC
				    : PARENT_RELAY_METRIC;
}

static int link_apply_client(struct parent *p, const uint8_t prefix[16])
{
	struct parent_link *l = &p->link;
	int err = netconf_replace_address(p->nc, l->ifindex, l->addr, 32);

	if (err == 0)
		err = netconf_add_route(p->nc, l->ifindex, prefix, 32,
					ONLINK_METRIC);
	if (err == 0)
		err = netconf_add_route(p->nc, l->ifindex, anywhere, 0,
					CLIENT_METRIC);
	return err;
}

/* Addresses and routes. 0 or the first -errno. */
static int link_apply_addresses(struct parent *p)
{
	struct parent_link *l = &p->link;
	uint8_t prefix[16] = { 0 };
	int err = netconf_add_address(p->nc, l->ifindex, link_local, 64);

	memcpy(prefix, &p->conf.prefix, sizeof(p->conf.prefix));
	if (err == 0 && l->up)
		err = link_apply_client(p, prefix);
	if (err == 0 && link_is_relay(p))
		err = netconf_add_route(p->nc, l->ifindex, prefix, 32,
					relay_metric(p));
	return err;
}

const char *parent_link_error(struct parent *p, int err)
{
	static char text[250];
	const char *name = p->config.instance;

	if (err == -EAFNOSUPPORT)
		snprintf(text, sizeof(text),
			 "IPv6 is disabled on it: sysctl net.ipv6.conf.%s."
			 "disable_ipv6=0       (containers: --sysctl "
			 "net.ipv6.conf.default.disable_ipv6=0)", name);
	else if (err == -EBUSY)
		snprintf(text, sizeof(text),
			 "another interface has its name now: remove that (ip "
			 "link del %s), or choose another InterfaceName and "
			 "restart", name);
	else
		snprintf(text, sizeof(text), "%s", strerror(-err));
	return text;
}

/* Makes the interface what p->link says. 0 or the first -errno. */
static int link_apply(struct parent *p)
{
	struct parent_link *l = &p->link;
	int err;

	if (l->ifindex == 0 || !(l->up || link_is_relay(p)))
		return 0;
	/* Set down by the administrator: its turn is when it comes up. */
	if (l->raised && netconf_is_up(p->nc, l->ifindex) == 0)
		return 0;
	err = netconf_set_mtu(p->nc, l->ifindex, l->mtu);
	if (err == 0 && !l->raised)
		err = netconf_set_link(p->nc, l->ifindex, true);
	l->raised = true;
	if (err == 0)
		err = link_apply_addresses(p);
	if (err == -EACCES && netconf_is_off6(p->nc, p->config.instance))
		err = -EAFNOSUPPORT;
	l->broken = err != 0;
	return err;
}

int parent_link_begin(struct parent *p)
{
	struct parent_link *l = &p->link;
	int err, index;
	bool off6;

	if (p->fd[PRIV_FD_TUN] < 0)
		return 0;
	index = netconf_index(p->nc, p->config.instance);
	if (index < 0)
		return index;
	err = netconf_is_tun(p->nc, index);
	if (err <= 0)	/* ours is elsewhere, and somebody made this one */
		return err < 0 ? err : -EBUSY;
	l->ifindex = index;
	l->raised = l->down_said = false;
	l->gone_said = 0;
	l->carrier = -1;
	/* it goes on without */
	(void)netconf_set_queue(p->nc, l->ifindex, QUEUE_PACKETS);
	err = netconf_quiet(p->nc, p->config.instance);
	off6 = netconf_is_off6(p->nc, p->config.instance);
	if (err < 0 && !off6)
		log_line(LOG_WARNING, "%s: router advertisements are not "
				      "turned off: %s", p->config.instance,
			 strerror(-err));
	parent_link_carrier(p);
	err = netconf_set_mtu(p->nc, l->ifindex, l->mtu);
	if (err == 0)
		err = link_apply(p);
	return err == 0 && off6 ? -EAFNOSUPPORT : err;
}

int parent_link_up(struct parent *p, const uint8_t addr[16], uint32_t mtu)
{
	struct parent_link *l = &p->link;
	bool was_broken = l->broken;
	int err;

	memcpy(l->addr, addr, sizeof(l->addr));
	l->mtu = mtu;
	l->up = true;
	err = link_apply(p);
	if (err == -EAFNOSUPPORT && !was_broken)	/* and how to mend it */
		log_line(LOG_ERR, "%s: %s", p->config.instance,
			 parent_link_error(p, err));
	return err;
}

/* Takes away address and routes of a client. */
static void link_down(struct parent *p)
{
	struct parent_link *l = &p->link;
	uint8_t prefix[16] = { 0 };

	if (!l->up)
		return;
	l->up = false;
	if (l->ifindex == 0)	/* its routes went with it */
		return;
	memcpy(prefix, &p->conf.prefix, sizeof(p->conf.prefix));
	netconf_del_route(p->nc, l->ifindex, anywhere, 0, CLIENT_METRIC);
	netconf_flush_global(p->nc, l->ifindex);
	netconf_del_route(p->nc, l->ifindex, prefix, 32, ONLINK_METRIC);
}

void parent_link_reload(struct parent *p, const struct conf *next)
{
	struct parent_link *l = &p->link;
	uint8_t prefix[16] = { 0 };

	if (!link_is_relay(p))
		return;
	memcpy(prefix, &p->conf.prefix, sizeof(p->conf.prefix));
	if (l->ifindex != 0 && (next->prefix != p->conf.prefix ||
				next->host_local != p->conf.host_local))
		netconf_del_route(p->nc, l->ifindex, prefix, 32,
				  relay_metric(p));
	l->mtu = next->mtu;
	parent_timer(p, PARENT_NET, clock_now());	/* applies it */
}

void parent_link_leave(struct parent *p)
{
	struct parent_link *l = &p->link;
	uint8_t prefix[16] = { 0 };

	memcpy(prefix, &p->conf.prefix, sizeof(p->conf.prefix));
	if (link_is_relay(p) && l->ifindex != 0)
		netconf_del_route(p->nc, l->ifindex, prefix, 32,
				  relay_metric(p));
	link_down(p);
	l->mtu = p->conf.mtu;
	parent_timer(p, PARENT_NET, clock_now());	/* the next role's */
}

void parent_link_discard(struct parent *p)
{
	if (p->fd[PRIV_FD_TUN] >= 0 && p->link.carrier == 0)
		tun6_discard(p->fd[PRIV_FD_TUN]);
}

static void link_has_carrier(struct parent_link *l, bool on)
{
	l->carrier = on;
	l->carrier_at = (uint32_t)(clock_now() / 1000000000u);
}

void parent_link_carrier(struct parent *p)
{
	struct parent_link *l = &p->link;
	bool on = p->engine.ready && !l->held && !l->withheld &&
		  !l->homeless && p->config.role != PRIV_DORMANT;
	int err;

	if (l->ifindex == 0 || l->carrier == on) {
		parent_health_tell(p, false);
		return;
	}
	err = tun6_carrier(p->fd[PRIV_FD_TUN], on);
	if (err < 0)
		log_line(LOG_ERR, "%s: carrier: %s", p->config.instance,
			 strerror(-err));
	else
		link_has_carrier(l, on);
	/* Others have taken over: the next engine must not send what is old. */
	if (!p->engine.ready)
		parent_link_discard(p);
	parent_health_tell(p, false);
}

/* It is not here any more: deleted, or in another namespace, where it lives on
 * and from where it may come back. */
static void link_made_again(struct parent *p)
{
	const char *name = p->config.instance;
	int err = tun6_reattach(p->fd[PRIV_FD_TUN], name, p->vnet);
	bool lives = err == -EEXIST;

	if (err == 0)
		parent_datapath_tun(p, p->config.datapath);
	if (err == 0 || lives)
		err = parent_link_begin(p);
	if (err == 0) {
		log_line(LOG_WARNING, lives ? "%s is back"
				: "%s was deleted and is made again", name);
		return;
	}
	if (err == p->link.gone_said)
		;
	else if (lives && err != -EBUSY)
		log_line(LOG_WARNING, "%s was moved to another network "
				      "namespace: left there", name);
	else
		log_line(LOG_ERR, "%s was %s: %s", name,
			 lives ? "moved to another network namespace"
			       : "deleted and cannot be made again",
			 parent_link_error(p, err));
	p->link.gone_said = err;
	parent_timer(p, PARENT_NET, clock_now() + AGAIN);
}

/* Rules of a firewall, ours too, are for its name. */
static void link_look_at_name(struct parent *p)
{
	unsigned ifindex = (unsigned)p->link.ifindex;
	char name[IF_NAMESIZE] = "";
	bool renamed = if_indextoname(ifindex, name) != NULL &&
		       strcmp(name, p->config.instance) != 0;

	if (renamed && !p->link.renamed)
		log_line(LOG_WARNING, "%s was renamed to %s: firewall rules "
				      "for %s do not hold",
			 p->config.instance, name, p->config.instance);
	p->link.renamed = renamed;
}

static void link_mend(struct parent *p)
{
	struct parent_link *l = &p->link;
	bool was_broken = l->broken;
	int up, err;

	if (p->fd[PRIV_FD_TUN] < 0)
		return;
	up = l->ifindex == 0 ? -ENODEV : netconf_is_up(p->nc, l->ifindex);
	if (up == -ENODEV) {	/* the notice may have been lost */
		l->ifindex = 0;
		link_made_again(p);
		return;
	}
	link_look_at_name(p);
	if (up == 0 && l->raised && !l->down_said)
		log_line(LOG_WARNING, "%s was set down: left so",
			 p->config.instance);
	if (l->raised)
		l->down_said = up == 0;
	err = link_apply(p);
	if (err < 0 && !was_broken)	/* any link's notice may bring us here */
		log_line(LOG_WARNING, "%s: %s", p->config.instance,
			 parent_link_error(p, err));
}

/* ---- the host ---- */

/* Changes when packets to any of the servers take another way. */
static uint64_t net_way(struct parent *p)
{
	unsigned n = p->policy.n_server_ips;
	uint64_t way = 0;

	for (unsigned i = 0; i < n && i < PRIV_SERVERS; i++)
		way = way * 31 + netconf_way(p->nc, p->policy.server_ip[i]);
	return way;
}

/* Whether a packet to any of the servers has one; who knows none has all. */
static bool net_has_way(struct parent *p)
{
	unsigned n = p->policy.n_server_ips;
	bool some = n == 0;

	for (unsigned i = 0; i < n && i < PRIV_SERVERS && !some; i++)
		some = netconf_way(p->nc, p->policy.server_ip[i]) != 0;
	return some;
}

void parent_net_server(struct parent *p, uint32_t ip)
{
	bool settled = net_way(p) == p->way;

	priv_policy_add(&p->policy, ip);
	if (settled)	/* the way to it is no change of the way */
		p->way = net_way(p);
}

static void net_find_home(struct parent *p, const struct netconf_host *host)
{
	struct parent_link *l = &p->link;
	bool homeless = link_is_relay(p) && p->config.bind_ip != 0 &&
			host->n4 + 2 <= NETCONF_LOCAL4;

	for (unsigned i = 0; i < host->n4; i++)
		homeless &= host->ip4[i] != p->config.bind_ip;
	if (homeless == l->homeless)	/* and an engine that is not ready */
		return;			/* yet is no reason for the carrier */
	log_line(LOG_WARNING, homeless
			? "BindAddress is no address of this host any more: "
			  "nothing is relayed"
			: "BindAddress is back");
	l->homeless = homeless;
	parent_link_carrier(p);
}

/* More of them are not looked at. */
static void net_count(struct parent *p, const struct netconf_host *host)
{
	bool many = host->n4 + 2 > NETCONF_LOCAL4;

	if (many && !p->link.many_said)
		log_line(LOG_WARNING, "this host has more IPv4 addresses than "
			 "the %u that are known to be its own",
			 NETCONF_LOCAL4 / 2);
	p->link.many_said = many;
}

/* Whoever waits for the carrier shall not wait for the swarm's end. */
static void net_look_for_home(struct parent *p)
{
	struct netconf_host host;

	if (netconf_host(p->nc, p->link.ifindex, &host) == 0)
		net_find_home(p, &host);
}

void parent_net_look(struct parent *p)
{
	struct priv_netchange *m = &p->net;
	struct netconf_host host;
	uint64_t way = net_way(p);

	m->verb = PRIV_NETCHANGE;
	m->solicit = way != p->way;
	p->way = way;
	if (netconf_host(p->nc, p->link.ifindex, &host) < 0)
		return;
	net_count(p, &host);
	p->link.no_ipv4 = host.n4 == 0 || !net_has_way(p);
	net_find_home(p, &host);
	if (m->n4 != host.n4 ||
	    memcmp(m->ip4, host.ip4, sizeof(m->ip4)) != 0)
		m->solicit = 1;
	m->n4 = host.n4;
	m->n6 = host.n6;
	memcpy(m->ip4, host.ip4, sizeof(m->ip4));
	memcpy(m->addr6, host.addr6, sizeof(m->addr6));
	parent_discovery_look(p, &host);
}

/* Most notices are none to the engine; and of long messages few fit into its
 * socket while it waits for a processor. */
void parent_net_tell(struct parent *p, bool anyway)
{
	if (!anyway && p->net.solicit == 0 &&
	    memcmp(&p->net, &p->net_told, sizeof(p->net)) == 0)
		return;
	p->net_told = p->net;
	p->net_told.solicit = 0;
	parent_send(p, &p->net, sizeof(p->net), -1);
}

void parent_net_settled(struct parent *p)
{
	link_mend(p);
	parent_sunset_look(p, false);
	parent_net_look(p);
	parent_net_tell(p, false);
	parent_health_tell(p, false);
}

void parent_net_slept(struct parent *p)
{
	parent_net_look(p);
	p->net.solicit = 1;
	parent_net_tell(p, false);
}

static void net_readable(void *ctx, uint32_t events)
{
	struct parent *p = ctx;
	unsigned changed = netconf_changed(p->nc, p->link.ifindex);

	(void)events;
	if ((changed & NETCONF_LINK_GONE) != 0) {
		p->link.ifindex = 0;
		link_mend(p);
	}
	if ((changed & NETCONF_CHANGED_IP4) != 0 && p->link.homeless)
		net_look_for_home(p);
	if (changed != 0 && p->due[PARENT_NET] == UINT64_MAX)
		parent_timer(p, PARENT_NET, clock_now() + SETTLE);
}

int parent_net_watch(struct parent *p)
{
	int fd = netconf_watch(p->nc);

	return fd < 0 ? fd : loop_add(p->loop, fd, EPOLLIN, net_readable, p);
}
