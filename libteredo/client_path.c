/*
 * client_path.c - the client's packets, case by case
 *
 * RFC 4380 5.2.3 (reception), 5.2.4 (transmission), 5.2.6 (bubbles). The order
 * of the cases is the order of the text here; connectivity tests are
 * client_test.c.
 *
 * Coming in, a packet is believed because of where it came from. From a
 * trusted peer's endpoint: at once, that is the fast path. From the mapping
 * that a Teredo source names, or addressed to our cookie, or with the nonce of
 * our test: this proves the peer to be there, and what waits for it leaves. A
 * native source proves nothing by itself and is tested first, the packet waits
 * meanwhile (C-RX-19). All others are dropped. What an outsider makes up thus
 * costs at most a bubble or a test, within limits that it cannot raise.
 *
 * The cookie is what deployed implementations call the bubble's nonce: the
 * link-local source of our indirect bubbles. A peer that answers the origin
 * (C-RX-05) swaps the addresses, so that its answer shows us the cookie from
 * wherever it comes; this is how a peer behind a symmetric NAT is found. A
 * peer that keeps to the letter of the RFC may want a Teredo source instead,
 * so that every other bubble wears our own address.
 *
 * To the interface goes what is addressed to our very address (A-ADDR-09) by a
 * global source. Neighbour discovery never crosses (C-RX-21, SEC-ND-01).
 *
 * Packets from our server with an origin indication are answered with a bubble;
 * then they are like all others: it may be the relay of a native host (Q8).
 */
#include "client_internal.h"

#include "icmp6.h"

#include <string.h>

#define GREET_PEERS	32u
#define GREET_SLOTS	4096u		/* looked at in one call */

#define NO_OBJECTION CLIENT_NO_OBJECTION

static struct teredo_verdict taken_unless(struct teredo_client *c,
					  enum teredo_counter why)
{
	if (why != NO_OBJECTION)
		return client_drop(c, why);
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}

/* ---- what we send by ourselves ---- */

/* Room is a precondition of all callers. C-BUB-08 */
static void send_bubble(struct teredo_client *c, struct teredo_ep to,
			const struct teredo_addr *src,
			const struct teredo_addr *dst,
			enum teredo_counter kind, struct teredo_outbox *ob)
{
	uint8_t *p = outbox_udp(ob, TEREDO_VIA_PRIMARY, to, WIRE_BUBBLE_LEN);

	if (p == NULL)
		return;
	wire_put_bubble(p, src, dst);
	c->count.n[kind]++;
}

void client_path_bubble(struct teredo_client *c, struct teredo_ep to,
			const struct teredo_addr *dst,
			enum teredo_counter kind, struct teredo_outbox *ob)
{
	send_bubble(c, to, &c->addr, dst, kind, ob);
}

/* C-TX-07, C-TX-08: one transmission of two bubbles (Q11) */
static bool probe_teredo(struct teredo_client *c, const struct peer *p,
			 teredo_time now, struct teredo_outbox *ob)
{
	struct teredo_ep mapped = addr_mapping(&p->addr);
	struct teredo_ep server = addr_server_ep(addr_server(&p->addr));
	struct teredo_addr cookie;
	uint8_t key[EP_KEY_LEN];

	/* C-TX-11; the host's own addresses may be others by now */
	if (!ep_is_acceptable(mapped, &c->local) ||
	    !ep_is_acceptable(server, &c->local))
		return false;
	ep_key(key, mapped);
	ratelimit_table_take(&c->reply_gap, now, key, sizeof(key));
	send_bubble(c, mapped, &c->addr, &p->addr,
		    TEREDO_EV_bubble_direct_sent, ob);
	nonce_cookie(c->cookie.own, &p->addr, now, &cookie);
	send_bubble(c, server, p->attempts % 2 != 0 ? &cookie : &c->addr,
		    &p->addr, TEREDO_EV_bubble_indirect_sent, ob);
	return true;
}

static bool probe(void *role, struct peer *p, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct teredo_client *c = role;

	if (!c->has_address)
		return false;
	if (p->attempts == 2 && p->unanswered != 0)
		client_qualify_doubt(c, now, ob);
	if (client_is_teredo(&p->addr)) {
		bool is_local = client_local_probe(c, p, now, ob);

		/* Case 3 alone to begin with. What is silent on the link may
		 * be there no more, or never was (SEC-DOS-04). */
		return (is_local && p->attempts == 1) ||
		       probe_teredo(c, p, now, ob) || is_local;
	}
	return client_test_send(c, p, now, ob);
}

static teredo_time pause_after(void *role, const struct peer *p)
{
	(void)role;
	return (client_is_teredo(&p->addr) ? 30 : 4) * TEREDO_SECOND;
}

static void doubt(void *role, teredo_time now, struct teredo_outbox *ob)
{
	client_qualify_doubt(role, now, ob);
}

const struct path_ops client_path_ops = {
	.probe = probe,
	.pause = pause_after,
	.doubt = doubt,
	.sweep = client_sweep,
	.forget_after = 60 * TEREDO_SECOND,
	.hold_many = CLIENT_HOLD_BYTES / 4 * 3,
};

/* ---- reception ---- */

bool client_path_is_at(const struct peer *p, struct teredo_ep from,
		       teredo_time now)
{
	return p != NULL && peer_is_trusted(p, now) && ep_equal(p->ep, from);
}

/* C-BUB-07: not twice in 2 s to one endpoint, four without a direct packet
 * from a peer that we do not trust there, then one in 30 s; 50 a second in all.
 * A flood of endpoints meets the limit of all before it can use up anything for
 * a time after its end, and one endpoint cannot use up all. A cookie has a
 * limit of its own: a probe of ours just now is no answer to it, and two who
 * probe each other in step, one behind a symmetric NAT, would never meet. */
bool client_path_may_reply(struct teredo_client *c, struct teredo_ep to,
			   const struct teredo_addr *dst, bool is_trusted,
			   teredo_time now)
{
	size_t gap_len = EP_KEY_LEN + addr_is_link_local(dst);
	uint8_t key[EP_KEY_LEN + 1] = { 0 };

	ep_key(key, to);
	return ratelimit_has(&c->replies, 0, now) &&
	       ratelimit_table_take(&c->reply_gap, now, key, gap_len) &&
	       ratelimit_take(&c->replies, now) &&
	       (is_trusted || ratelimit_table_take(&c->reply_budget, now, key,
						   EP_KEY_LEN));
}

/* NO_OBJECTION: the bubble is sent. */
static enum teredo_counter reply_to(struct teredo_client *c,
				    struct teredo_ep to,
				    const struct wire_packet *p,
				    const struct peer *peer, teredo_time now,
				    struct teredo_outbox *ob)
{
	if (!ep_is_acceptable(to, &c->local))
		return ep_objection(to, &c->local);	/* SEC-REF-03 */
	if (ep_equal(to, c->mapped))
		return TEREDO_DROP_loop;
	if (!client_path_may_reply(c, to, &p->src,
				   client_path_is_at(peer, to, now), now))
		return TEREDO_DROP_rate_limited;
	send_bubble(c, to, &c->addr, &p->src, TEREDO_EV_bubble_reply_sent, ob);
	return NO_OBJECTION;
}

/*
 * Our server passed on a packet and says whence (C-RX-05). A direct bubble to
 * there opens our NAT and answers; the mapping that the source names gets one
 * too where it is another (Q9). Old servers leave out the origin: the mapping
 * then stands for it.
 */
static enum teredo_counter answer_indirect(struct teredo_client *c,
					   const struct wire_packet *p,
					   teredo_time now,
					   struct teredo_outbox *ob)
{
	const struct peer *peer = peers_find(c->path.peers, &p->src);
	struct teredo_ep mapped = addr_mapping(&p->src);
	enum teredo_counter why = TEREDO_DROP_not_teredo, why2;

	if (p->has_origin)
		why = reply_to(c, p->origin, p, peer, now, ob);
	if (client_is_teredo(&p->src) &&
	    !(p->has_origin && ep_equal(mapped, p->origin))) {
		why2 = reply_to(c, mapped, p, peer, now, ob);
		if (why2 == NO_OBJECTION || !p->has_origin)
			why = why2;
	}
	return why;
}

/*
 * The peer `src` has just shown itself at `from`. NO_OBJECTION: it is noted.
 * One host can name any number of addresses that fit its endpoint, so new
 * entries that nobody here asked for are limited, those of one IPv4 address
 * more so (SEC-DOS-03), and none takes the place of a peer whose path our side
 * is searching for.
 */
static enum teredo_counter prove(struct teredo_client *c, struct peer *p,
				 const struct teredo_addr *src,
				 struct teredo_ep from, teredo_time now,
				 struct teredo_outbox *ob)
{
	const struct peer *stalest;
	uint8_t key[EP_KEY_LEN];

	if (!ep_is_acceptable(from, &c->local) &&
	    !client_local_is_at(c, src, from, now))
		return ep_objection(from, &c->local);	/* SEC-V4D-03 */
	if (p == NULL) {
		stalest = peers_stalest(c->path.peers, now);
		if (stalest != NULL && stalest->wanted && stalest->search != 0)
			return TEREDO_DROP_table_full;
		if (!ratelimit_has(&c->strangers, 0, now))
			return TEREDO_DROP_table_full;
		if (!ratelimit_table_take(&c->strangers_by_ip, now, &from.ip,
					  sizeof(from.ip)))
			return TEREDO_DROP_rate_limited;
		ratelimit_take(&c->strangers, now);
		p = path_peer(&c->path, src, now);
		if (p == NULL)
			return TEREDO_DROP_table_full;
	}
	ep_key(key, from);
	ratelimit_table_reset(&c->reply_budget, key, sizeof(key));
	path_proven(&c->path, p, from, now, ob);
	return NO_OBJECTION;
}

/* Where a peer says to be: the mapping that its source names (C-RX-11), or the
 * place on our link from which it announced itself (C-RX-18). */
static bool is_where_it_says(const struct teredo_client *c,
			     const struct wire_packet *p,
			     struct teredo_ep from, teredo_time now)
{
	return ep_equal(addr_mapping(&p->src), from) ||
	       client_local_is_at(c, &p->src, from, now);
}

/*
 * What comes from there shows the peer to be there, but not if it is trusted at
 * another endpoint: there it answered to our cookie, or to our bubble on the
 * link, and a source address is forged more easily than that (SEC-DOS-04).
 * Where it moved indeed, the path falls silent, and the next probe finds it.
 */
static bool is_shown_by(const struct teredo_client *c, const struct peer *p,
			const struct wire_packet *packet,
			struct teredo_ep from, teredo_time now)
{
	if (p != NULL && peer_is_trusted(p, now))
		return ep_equal(p->ep, from);
	return is_where_it_says(c, packet, from, now);
}

/* C-RX-13: a bubble has done its work here */
static struct teredo_verdict bubble_in(struct teredo_client *c,
				       const struct teredo_rx *rx,
				       const struct wire_packet *p,
				       teredo_time now,
				       struct teredo_outbox *ob)
{
	struct peer *peer = peers_find(c->path.peers, &p->src);

	c->count.n[TEREDO_EV_bubble_received]++;
	if (!client_is_teredo(&p->src))
		return client_drop(c, TEREDO_DROP_not_teredo);
	if (addr_equal(&p->dst, &c->addr)) {
		if (addr_equal(&p->src, &c->addr))
			return client_drop(c, TEREDO_DROP_loop);
		if (!is_shown_by(c, peer, p, rx->from, now))
			return client_drop(c, TEREDO_DROP_spoofed);
	} else if (!addr_is_link_local(&p->dst)) {
		return client_drop(c, TEREDO_DROP_not_for_us);
	} else if (!nonce_keys_are_of(&c->cookie, &p->src, now, &p->dst)) {
		return client_drop(c, TEREDO_DROP_nonce);
	} else if (peer != NULL) {
		peers_answered(c->path.peers, peer, now);
	}
	return taken_unless(c, prove(c, peer, &p->src, rx->from, now, ob));
}

/* A native source that is not proven to be there: rule 6. A proof that it lives
 * proves this packet only if it comes from this very endpoint, since anybody may
 * have sent it (C-RX-07, C-RX-19). So nothing is lost when a host's relay
 * changes. */
static struct teredo_verdict stranger_in(struct teredo_client *c,
					 struct peer *peer,
					 const struct wire_packet *p,
					 struct teredo_ep from, teredo_time now,
					 struct teredo_outbox *ob)
{
	/* Half of the pool is for what our own side sends. */
	bool is_full = hold_used(c->path.hold) > CLIENT_HOLD_BYTES / 2;

	if (is_full && peer != NULL && peer_is_trusted(peer, now))
		path_probe(&c->path, peer, now, ob);
	if (is_full)
		return client_drop(c, TEREDO_DROP_hold_full);
	/* anybody can name any number of native hosts (SEC-DOS-03) */
	if (peer == NULL &&
	    !ratelimit_take_both(&c->natives, &c->natives_by_ip, now, &from.ip,
				 sizeof(from.ip)))
		return client_drop(c, TEREDO_DROP_rate_limited);
	return path_receive_from(&c->path, &p->src, from, p->ip6, p->ip6_len,
				 now, ob);
}

/* Why the interface must not see it. */
static enum teredo_counter objection(const struct teredo_client *c,
				     const struct wire_packet *p)
{
	if (!addr_equal(&p->dst, &c->addr))
		return TEREDO_DROP_not_for_us;
	if (addr_is_link_local(&p->src))
		return TEREDO_DROP_link_local;
	if (addr_equal(&p->src, &c->addr))
		return TEREDO_DROP_loop;
	if (!addr_is_global(&p->src) || icmp6_is_neighbour_discovery(p))
		return TEREDO_DROP_martian_v6;
	if (wire_has_rh0(p))
		return TEREDO_DROP_routing_header;
	return NO_OBJECTION;
}

static struct teredo_verdict to_tun(struct teredo_client *c,
				    const struct peer *peer,
				    const struct wire_packet *p)
{
	if (peer != NULL)
		peers_traffic_add(c->path.peers, peer, PEER_RX, 1, p->ip6_len);
	return (struct teredo_verdict){ .fate = TEREDO_TO_TUN,
					.off = p->ip6_off,
					.len = p->ip6_len };
}

static struct teredo_verdict data_in(struct teredo_client *c,
				     const struct teredo_rx *rx,
				     const struct wire_packet *p,
				     teredo_time now, struct teredo_outbox *ob)
{
	enum teredo_counter why = objection(c, p);
	struct peer *peer;

	if (why != NO_OBJECTION)
		return client_drop(c, why);
	peer = peers_find(c->path.peers, &p->src);
	if (client_test_is_answered(c, peer, p, now)) {		/* case 2 */
		client_test_moves(c, peer, rx->from, now);
		return taken_unless(c, prove(c, peer, &p->src, rx->from, now,
					     ob));
	}
	if (client_path_is_at(peer, rx->from, now)) {		/* case 1 */
		path_heard(&c->path, peer, now);
		return to_tun(c, peer, p);
	}
	if (client_test_was_at(c, peer, rx->from, now)) {
		path_probe(&c->path, peer, now, ob);
		return to_tun(c, peer, p);
	}
	if (!client_is_teredo(&p->src) && p->has_origin)
		/* answered with a bubble: no test beside it */
		return client_drop(c, TEREDO_DROP_unknown_peer);
	if (!client_is_teredo(&p->src))				/* case 6 */
		return stranger_in(c, peer, p, rx->from, now, ob);
	if (!is_where_it_says(c, p, rx->from, now))	/* cases 3, 5 */
		return client_drop(c, TEREDO_DROP_spoofed);
	/* where it cannot be noted, it is nevertheless believed; but none of
	 * many of one host, the servers of which we should have to ask */
	if (!is_shown_by(c, peer, p, rx->from, now))
		return to_tun(c, peer, p);
	why = prove(c, peer, &p->src, rx->from, now, ob);
	if (why == TEREDO_DROP_martian_v4 || why == TEREDO_DROP_rate_limited)
		return client_drop(c, why);
	return to_tun(c, peers_find(c->path.peers, &p->src), p);
}

static struct teredo_verdict indirect_bubble_in(struct teredo_client *c,
						const struct wire_packet *p,
						teredo_time now,
						struct teredo_outbox *ob)
{
	c->count.n[TEREDO_EV_bubble_received]++;
	if (!addr_equal(&p->dst, &c->addr))
		return client_drop(c, TEREDO_DROP_not_for_us);
	return taken_unless(c, answer_indirect(c, p, now, ob));
}

struct teredo_verdict teredo_client_udp_in(struct teredo_client *c,
					   const struct teredo_rx *rx,
					   teredo_time now,
					   struct teredo_outbox *ob)
{
	struct wire_packet p;

	if (rx->via == TEREDO_VIA_SECONDARY)
		return client_interval_in(c, rx, now, ob);
	switch (wire_parse(&p, rx->data, rx->len)) {
	case WIRE_OK:
		break;
	case WIRE_MALFORMED:
		return client_drop(c, TEREDO_DROP_malformed);
	case WIRE_REFUSED:
		return client_drop(c, TEREDO_DROP_trailer);
	}
	if (rx->via == TEREDO_VIA_DISCOVERY)			/* case 4 */
		return client_local_in(c, rx, &p, now, ob);
	if (addr_equal(&p.dst, &c->solicitor))
		return client_qualify_answer(c, rx, &p, now, ob);
	if (!c->has_address)
		return client_drop(c, TEREDO_DROP_not_qualified);
	if (ep_equal(rx->from, c->mapped))		/* SEC-LOOP-02 */
		return client_drop(c, TEREDO_DROP_loop);
	if (client_denies(c, &p.src))
		return client_drop(c, TEREDO_DROP_denied);
	if (ep_equal(rx->from, addr_server_ep(c->used.ip))) {
		client_qualify_heard(c, now);
		if (wire_is_bubble(&p))
			return indirect_bubble_in(c, &p, now, ob);
		if (p.has_origin && addr_equal(&p.dst, &c->addr))
			answer_indirect(c, &p, now, ob);
	}
	if (ep_is_denied(rx->from, &c->local))
		return client_drop(c, TEREDO_DROP_denied);
	if (wire_is_bubble(&p))
		return bubble_in(c, rx, &p, now, ob);
	return data_in(c, rx, &p, now, ob);
}

/* ---- back in reach ---- */

void client_path_greet_start(struct teredo_client *c, teredo_time now)
{
	c->greet_slot = 0;
	c->greet_left = GREET_PEERS;
	c->greet_at = now;
}

/* Failures so far were those of the uplink: a pause ends, and a cycle that was
 * all but over begins anew. A proven peer in the table was in use within
 * PEER_FORGET. */
static void greet(struct teredo_client *c, struct peer *p, teredo_time now,
		  struct teredo_outbox *ob)
{
	p->attempts = 0;
	if (c->greet_left == 0 || !p->proven ||
	    peer_age(p->last_attempt, now) < PATH_GAP || path_is_probing(p))
		return;
	p->attempts = 1;
	if (probe(c, p, now, ob)) {
		p->last_attempt = peer_stamp_of(now);
		peers_asked(c->path.peers, p, now);
	} else {
		p->attempts = 0;
	}
	c->greet_left--;
}

void client_path_greet(struct teredo_client *c, teredo_time now,
		       struct teredo_outbox *ob)
{
	uint32_t end = peers_max(c->path.peers), n;

	for (n = 0; n < GREET_SLOTS && c->greet_slot < end; n++) {
		struct peer *p = peers_at(c->path.peers, c->greet_slot);

		if (!outbox_room(ob, 4, 512))
			break;
		if (p != NULL)
			greet(c, p, now, ob);
		c->greet_slot++;
	}
	c->greet_at = c->greet_slot < end ? now : TEREDO_NEVER;
}

/* ---- transmission ---- */

/* C-TX-11: may we send to this Teredo address at all? */
static enum teredo_counter teredo_objection(const struct teredo_client *c,
					    const struct teredo_addr *dst)
{
	struct teredo_ep server = addr_server_ep(addr_server(dst));
	struct teredo_ep mapped = addr_mapping(dst);

	if (ep_equal(mapped, c->mapped))
		return TEREDO_DROP_loop;		/* SEC-LOOP-02 */
	if (!ep_is_acceptable(mapped, &c->local))
		return ep_objection(mapped, &c->local);
	if (!ep_is_acceptable(server, &c->local))
		return ep_objection(server, &c->local);
	return NO_OBJECTION;
}

enum teredo_counter client_path_objection(const struct teredo_client *c,
					  const struct wire_packet *p)
{
	if (addr_is_multicast(&p->dst))
		return TEREDO_DROP_martian_v6;
	if (addr_is_link_local(&p->src) || addr_is_link_local(&p->dst))
		return TEREDO_DROP_link_local;		/* C-LL-01 */
	if (!c->has_address)
		return TEREDO_DROP_not_qualified;	/* C-CFG-04 */
	if (!addr_equal(&p->src, &c->addr))
		return TEREDO_DROP_martian_v6;		/* SEC-ING-01 */
	if (client_is_teredo(&p->dst))
		return teredo_objection(c, &p->dst);
	if (!addr_is_global(&p->dst))
		return TEREDO_DROP_martian_v6;
	return NO_OBJECTION;
}

struct teredo_verdict teredo_client_tun_in(struct teredo_client *c,
					   const uint8_t *ip6, size_t len,
					   teredo_time now,
					   struct teredo_outbox *ob)
{
	struct wire_packet p;
	enum teredo_counter why;

	if (len > TEREDO_MAX_UDP)
		return client_drop(c, TEREDO_DROP_too_big);
	if (wire_parse_ip6(&p, ip6, len) != WIRE_OK)
		return client_drop(c, TEREDO_DROP_malformed);
	why = client_path_objection(c, &p);
	if (why != NO_OBJECTION)
		return client_drop(c, why);
	return path_send(&c->path, &p.dst, ip6, len, now, ob);
}

