/*
 * client_local.c - clients on our own link
 *
 * RFC 4380 5.2.8, and the cases 5.2.3 (4), (5) and 5.2.4 (3). Two clients
 * behind one NAT reach each other by their mappings only if it hairpins, and
 * many do not. So each makes itself known on the link by a bubble to
 * 224.0.0.253 and notes the others, which are *neighbours* for 600 s after
 * their last. A neighbour is nobody to be trusted: it becomes a peer by a
 * unicast packet from the very place that its bubble came from. It is the one
 * kind of peer to which packets go at an address that is not global.
 *
 * Anybody on the link can say anything there, and that is why so much is
 * refused (C-LCD-04..07, SEC-DOS-04): what did not come to the group, or not
 * from the subnets of our link, or names another NAT than ours. A peer that is
 * trusted somewhere is not moved by it; and a neighbour that does not answer
 * is tried in the ordinary ways as well, so that a forged bubble for somebody
 * else cannot hide him.
 *
 * Beyond the RFC: who hears a bubble of somebody whom it does not trust makes
 * itself known too, before it answers. After one bubble each of the two has
 * noted the other, and the answers are believed; else the one that came first
 * would stay unknown for 300 s. For the same reason a bubble goes out with the
 * probes of a peer that is behind our NAT and not known to be near. Both are
 * limited: no two within a second, and a bucket each for what our own side
 * causes and what others cause.
 *
 * Which place a packet came from is judged in client_path.c.
 */
#include "client_internal.h"

#include <string.h>

#define VALIDITY	(600 * TEREDO_SECOND)		/* C-TX-05 */
#define PERIOD		(200 * TEREDO_SECOND)		/* C-LCD-02 */
#define PERIOD_SPAN	(100 * TEREDO_SECOND)
#define GAP		TEREDO_SECOND

static const struct teredo_addr all_nodes = {
	.b = { [0] = 0xff, [1] = 0x02, [15] = 1 },
};

/* 224.0.0.253:3544 */
static struct teredo_ep group(void)
{
	static const uint8_t ip[4] = { 224, 0, 0, 253 };
	struct teredo_ep ep = addr_server_ep(0);	/* the same port */

	memcpy(&ep.ip, ip, sizeof(ip));
	return ep;
}

void client_local_init(struct teredo_client *c)
{
	c->discovery.at = TEREDO_NEVER;
	c->discovery.own = (struct ratelimit){ .period = 2 * TEREDO_SECOND,
					       .burst = 8 };
	c->discovery.asked = (struct ratelimit){ .period = 10 * TEREDO_SECOND,
						 .burst = 4 };
	c->discovery.newcomers = (struct ratelimit){ .period = TEREDO_SECOND,
						     .burst = 16 };
}

void client_local_start(struct teredo_client *c, teredo_time now)
{
	if (c->config.discovery == TEREDO_DISCOVERY_OFF)
		return;
	memset(c->discovery.neighbour, 0, sizeof(c->discovery.neighbour));
	c->discovery.at = now;
}

/* ---- who is near ---- */

static bool is_behind_our_nat(const struct teredo_client *c,
			      const struct teredo_addr *addr)
{
	return addr_mapping(addr).ip == c->mapped.ip;
}

bool client_local_fits(const struct teredo_client *c,
		       const struct teredo_addr *addr, struct teredo_ep ep)
{
	return c->config.discovery != TEREDO_DISCOVERY_OFF && ep.port != 0 &&
	       addr_in_prefix(addr, addr_default_prefix()) &&
	       (c->config.discovery == TEREDO_DISCOVERY_ANY ||
		is_behind_our_nat(c, addr)) &&
	       local4_is_neighbour(&c->local, ep.ip) &&
	       !ep_is_denied(ep, &c->local);
}

static const struct client_neighbour *
find(const struct teredo_client *c, const struct teredo_addr *addr,
     teredo_time now)
{
	for (unsigned i = 0; i < CLIENT_NEIGHBOURS; i++) {
		const struct client_neighbour *n = &c->discovery.neighbour[i];

		if (n->until > now && addr_equal(&n->addr, addr))
			return n;
	}
	return NULL;
}

bool client_local_is_at(const struct teredo_client *c,
			const struct teredo_addr *addr, struct teredo_ep ep,
			teredo_time now)
{
	const struct client_neighbour *n = find(c, addr, now);

	return n != NULL && ep_equal(n->ep, ep);
}

uint32_t client_local_count(const struct teredo_client *c, teredo_time now)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < CLIENT_NEIGHBOURS; i++)
		n += c->discovery.neighbour[i].until > now;
	return n;
}

/* The place of the one that was silent for longest. */
static struct client_neighbour *stalest(struct teredo_client *c)
{
	struct client_neighbour *n = c->discovery.neighbour;

	for (unsigned i = 1; i < CLIENT_NEIGHBOURS; i++)
		if (c->discovery.neighbour[i].until < n->until)
			n = &c->discovery.neighbour[i];
	return n;
}

/* C-LCD-08: what is not a peer yet becomes one when it is sent to or answers.
 * false: too many newcomers. */
static bool note(struct teredo_client *c, const struct teredo_addr *addr,
		 struct teredo_ep ep, teredo_time now)
{
	const struct client_neighbour *known = find(c, addr, now);
	struct client_neighbour *n;

	if (known != NULL)
		n = &c->discovery.neighbour[known - c->discovery.neighbour];
	else if (ratelimit_take(&c->discovery.newcomers, now))
		n = stalest(c);
	else
		return false;
	*n = (struct client_neighbour){ *addr, ep, now + VALIDITY };
	return true;
}

static bool is_same_link(const struct local4 *a, const struct local4 *b)
{
	return a->nets == b->nets &&
	       memcmp(a->net, b->net, a->nets * sizeof(a->net[0])) == 0;
}

void client_local_net_changed(struct teredo_client *c,
			      const struct local4 *was)
{
	uint32_t end = peers_max(c->path.peers);

	if (c->config.discovery == TEREDO_DISCOVERY_OFF)
		return;
	for (unsigned i = 0; i < CLIENT_NEIGHBOURS; i++) {
		struct client_neighbour *n = &c->discovery.neighbour[i];

		if (n->until != 0 && !client_local_fits(c, &n->addr, n->ep))
			n->until = 0;
	}
	for (uint32_t i = 0; i < end; i++) {
		struct peer *p = peers_at(c->path.peers, i);

		if (p != NULL && p->proven &&
		    !ep_is_acceptable(p->ep, &c->local) &&
		    !client_local_fits(c, &p->addr, p->ep))
			peers_remove(c->path.peers, p);
	}
	if (c->has_address && !is_same_link(was, &c->local))
		c->discovery.at = 0;
}

/* ---- what we say ---- */

/* C-LCD-03; there is room for it. The shell gives it a TTL of 1. One that
 * comes too early comes later. */
static void announce(struct teredo_client *c, struct ratelimit *limit,
		     teredo_time now, struct teredo_outbox *ob)
{
	uint8_t *p;

	if (!ratelimit_take(limit, now))
		return;
	if (c->discovery.last != 0 && now - c->discovery.last < GAP) {
		c->discovery.at = c->discovery.last + GAP;
		return;
	}
	p = outbox_udp(ob, TEREDO_VIA_PRIMARY, group(), WIRE_BUBBLE_LEN);
	if (p == NULL)
		return;
	wire_put_ip6(p, 0, WIRE_NH_NONE, 1, &c->addr, &all_nodes);
	c->discovery.last = now;
	c->count.n[TEREDO_EV_discovery_sent]++;
}

void client_local_expire(struct teredo_client *c, teredo_time now,
			 struct teredo_outbox *ob)
{
	uint32_t r;

	if (now < c->discovery.at || !outbox_room(ob, 1, WIRE_BUBBLE_LEN))
		return;
	c->env.random(c->env.ctx, &r, sizeof(r));
	c->discovery.at = now + PERIOD + (PERIOD_SPAN >> 16) * (r >> 16);
	announce(c, &c->discovery.own, now, ob);
}

bool client_local_probe(struct teredo_client *c, const struct peer *p,
			teredo_time now, struct teredo_outbox *ob)
{
	const struct client_neighbour *n = find(c, &p->addr, now);
	uint8_t key[EP_KEY_LEN];

	if (c->config.discovery == TEREDO_DISCOVERY_OFF)
		return false;
	if (n != NULL || is_behind_our_nat(c, &p->addr))
		announce(c, &c->discovery.own, now, ob);
	if (n == NULL)
		return false;
	ep_key(key, n->ep);
	if (ratelimit_table_take(&c->reply_gap, now, key, sizeof(key)))
		client_path_bubble(c, n->ep, &p->addr,
				   TEREDO_EV_bubble_direct_sent, ob);
	return true;
}

/* ---- what we hear ---- */

/* C-RX-15, C-LCD-04..07; TEREDO_N_COUNTERS: none */
static enum teredo_counter objection(const struct teredo_client *c,
				     const struct teredo_rx *rx,
				     const struct wire_packet *p)
{
	if (rx->local_ip != group().ip)
		return TEREDO_DROP_not_local;
	if (!wire_is_bubble(p) || p->has_origin || p->auth.present ||
	    !addr_is_all_nodes(&p->dst))
		return TEREDO_DROP_not_for_us;
	if (!addr_in_prefix(&p->src, addr_default_prefix()))
		return TEREDO_DROP_not_teredo;
	if (client_denies(c, &p->src) || ep_is_denied(rx->from, &c->local))
		return TEREDO_DROP_denied;
	if (!ep_is_acceptable(addr_mapping(&p->src), &c->local) ||
	    !ipv4_is_global(addr_server(&p->src)))
		return TEREDO_DROP_martian_v4;
	if (addr_equal(&p->src, &c->addr) ||
	    ep_equal(addr_mapping(&p->src), c->mapped))
		return TEREDO_DROP_loop;
	if (!client_local_fits(c, &p->src, rx->from))
		return TEREDO_DROP_not_local;
	return TEREDO_N_COUNTERS;
}

/* A peer that answers us on the link stays where it does. */
static bool is_elsewhere(const struct teredo_client *c, const struct peer *peer,
			 struct teredo_ep from)
{
	return !ep_equal(peer->ep, from) &&
	       client_local_fits(c, &peer->addr, peer->ep);
}

struct teredo_verdict client_local_in(struct teredo_client *c,
				      const struct teredo_rx *rx,
				      const struct wire_packet *p,
				      teredo_time now,
				      struct teredo_outbox *ob)
{
	const struct peer *peer;
	enum teredo_counter why;
	bool is_trusted;

	c->count.n[TEREDO_EV_discovery_received]++;
	if (c->config.discovery == TEREDO_DISCOVERY_OFF)
		return client_drop(c, TEREDO_DROP_not_local);	/* C-RX-17 */
	if (!c->has_address)
		return client_drop(c, TEREDO_DROP_not_qualified);
	why = objection(c, rx, p);
	if (why != TEREDO_N_COUNTERS)
		return client_drop(c, why);
	peer = peers_find(c->path.peers, &p->src);
	is_trusted = peer != NULL && peer_is_trusted(peer, now);
	if (is_trusted && is_elsewhere(c, peer, rx->from))
		return client_drop(c, TEREDO_DROP_spoofed);
	if (!note(c, &p->src, rx->from, now))
		return client_drop(c, TEREDO_DROP_rate_limited);
	if (!is_trusted)
		announce(c, &c->discovery.asked, now, ob);
	if (!client_path_may_reply(c, rx->from, &p->src,
				   client_path_is_at(peer, rx->from, now), now))
		return client_drop(c, TEREDO_DROP_rate_limited);
	client_path_bubble(c, rx->from, &p->src, TEREDO_EV_bubble_reply_sent,
			   ob);					/* C-RX-16 */
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}
