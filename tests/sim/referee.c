/*
 * referee.c - an honest observer with a memory of its own
 *
 * The book is kept from the packets alone, never from what a core says. Two
 * kinds of question are recorded when a core sends them: a bubble, whose
 * source the answer must name as its destination, and an echo request made up
 * by the core, whose data the reply must carry. An answer makes a proof: this
 * peer is at that endpoint. A proof stands for good, since a core may only be
 * more careful than that.
 *
 * The invariants, by the names with which they fail:
 *
 *   lost-outbox   nothing that the core had to say is lost: outbox.lost is 0
 *   deadline      expire() at a deadline acts or moves the deadline on
 *   global-only   no datagram to an address that is not global unicast, or to
 *                 port 0 (A-V4G). A client that looks for local peers may send
 *                 discovery bubbles to their group, and anything to where it
 *                 heard one from (C-TX-12)
 *   discovery     discovery bubbles are right, and 1 s apart (C-LCD-03)
 *   own-address   none to the node itself or to its own mapping (SEC-LOOP)
 *   well-formed   what is sent is a Teredo packet, what is delivered is IPv6,
 *                 a verdict lies within its packet
 *   bubble-gap    bubbles to one peer are 2 s apart (C-BUB-04)
 *   bubble-budget 4 bubbles without an answer, and one more per pause
 *                 (C-BUB-05, with the deviation of path.h): of our own, and of
 *                 those that answer an indirect one (C-BUB-07). The count
 *                 begins anew after a minute without a bubble, when the peer
 *                 is forgotten; when a server answers that did not, or that
 *                 was asked from another network; with another address or
 *                 engine
 *   solicit-rate  at most 10 solicitations in 10 s
 *   one-for-one   a server sends at most one packet for one received
 *                 (S-FWD-10); a client or relay at most one *transmission*
 *                 for a stranger's: what is not from a proven peer or an
 *                 answer that proves one. Two packets are one transmission
 *                 when they ask or answer one peer in two ways: straight and
 *                 by a server (Q11), at its origin and its mapping (Q9)
 *   proven-only   nothing unproven reaches a tun: a packet comes from where
 *                 its address says, or from where a cookie or a nonce came
 *                 back (C-RX-06..11, C-RX-19, R-DEC-02, R-DEC-07). What a
 *                 relay delivers, and what was held, is of somebody to whom
 *                 our side sent or who answered (R-DEC-03, R-DEC-04)
 *   fit-for-tun   no bubble, link-local or multicast source on a tun (C-RX-13,
 *                 C-RX-21, R-DEC-08)
 *   hops-fall     what is passed on has no more hops left than it came with,
 *                 and fewer where the node is a router
 *   bounded       tables and what is held are within their bounds
 *   news          the shell can follow: peers up and down in pairs, the
 *                 address that the status shows is on the tun, a snapshot that
 *                 was saved is taken
 *   stuck         a state is left within 120 s while nothing stands against
 *                 it (K2; checked by whoever knows the world: search, soak)
 *
 * Books are rings of REFEREE_BOOK entries: older entries than any scenario
 * needs are forgotten. They survive the crash of an engine, whose snapshot
 * has to carry its trust over, and not a restart.
 */
#include "config.h"

#include "referee.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "node.h"

#define BUBBLE_GAP    (2 * TEREDO_SECOND)
#define BUBBLE_BUDGET 4
#define DEAF	      (8 * TEREDO_SECOND)
#define PROBE_PACKETS 2
#define IDLE_EXPIRIES 3
#define EXPIRIES      1000

void referee_foul(struct node *n, const char *invariant, const char *format,
		  ...)
{
	char what[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	world_fail(n->w, "[%s] %s: %s", invariant, n->name, what);
}

/* The last `n` entries of a ring that has taken `n_ever`. */
static unsigned in_book(unsigned n_ever)
{
	return n_ever < REFEREE_BOOK ? n_ever : REFEREE_BOOK;
}

static const uint8_t *echo_data(const struct wire_packet *p, uint8_t type,
				size_t *len)
{
	const uint8_t *msg;

	if (p->next_header != ICMP6_NEXT_HEADER)
		return NULL;
	msg = icmp6_message(p, len);
	if (!msg || msg[0] != type)
		return NULL;
	*len -= 8;
	return msg + 8;
}

/* ---- proofs ---- */

static bool has_proof(const struct referee *r, const struct teredo_addr *peer,
		      const struct teredo_ep *ep)
{
	for (unsigned i = 0; i < in_book(r->proofs); i++)
		if (addr_equal(&r->proof[i].peer, peer) &&
		    (!ep || ep_equal(r->proof[i].ep, *ep)))
			return true;
	return false;
}

static bool answers(const struct question *q, const struct wire_packet *p)
{
	size_t len;
	const uint8_t *data;

	if (!addr_equal(&q->peer, &p->src))
		return false;
	if (!q->nonce_len)
		return addr_equal(&q->cookie, &p->dst);
	data = echo_data(p, ICMP6_ECHO_REPLY, &len);
	return data && len == q->nonce_len && !memcmp(data, q->nonce, len);
}

/* Whether p, from there, is an answer, and writes it down. */
static void take_proof(struct referee *r, const struct wire_packet *p,
		       struct teredo_ep from)
{
	if (has_proof(r, &p->src, &from))
		return;
	for (unsigned i = 0; i < in_book(r->questions); i++) {
		if (!answers(&r->question[i], p))
			continue;
		r->proof[r->proofs++ % REFEREE_BOOK] =
			(struct proof){p->src, from};
		return;
	}
}

/* Its bit among those to whom our side sent. Two may share one; so this is
 * never too strict. */
static uint8_t *wanted(struct referee *r, const struct teredo_addr *peer,
		       uint8_t *bit)
{
	uint32_t hash = 2166136261u;

	for (unsigned i = 0; i < sizeof(peer->b); i++)
		hash = (hash ^ peer->b[i]) * 16777619u;
	*bit = (uint8_t)(1u << hash % 8);
	return &r->wanted[hash / 8 % sizeof(r->wanted)];
}

static bool is_wanted(struct referee *r, const struct teredo_addr *peer)
{
	uint8_t bit;

	return *wanted(r, peer, &bit) & bit;
}

/* ---- neighbours ---- */

struct teredo_ep referee_group(void)
{
	return (struct teredo_ep){htonl(0xe00000fd), htons(TEREDO_PORT)};
}

/* peer NULL: whoever it is. */
static bool is_neighbour(const struct referee *r,
			 const struct teredo_addr *peer, struct teredo_ep ep)
{
	for (unsigned i = 0; i < in_book(r->neighbours); i++)
		if (ep_equal(r->neighbour[i].ep, ep) &&
		    (!peer || addr_equal(&r->neighbour[i].peer, peer)))
			return true;
	return false;
}

static void note_neighbour(struct referee *r, const struct teredo_rx *rx,
			   const struct wire_packet *p)
{
	if (rx->via == TEREDO_VIA_DISCOVERY &&
	    !is_neighbour(r, &p->src, rx->from))
		r->neighbour[r->neighbours++ % REFEREE_BOOK] =
			(struct proof){p->src, rx->from};
}

/* C-LCD-03; a second apart, whatever asks for it */
static void check_announcement(struct node *n, const uint8_t *data, size_t len)
{
	struct wire_packet p;

	if (!n->discovers || wire_parse(&p, data, len) != WIRE_OK ||
	    len != WIRE_IP6_LEN || !wire_is_bubble(&p) || p.hop_limit != 1 ||
	    !addr_equal(&p.src, &n->stack->addr) || !addr_is_all_nodes(&p.dst))
		referee_foul(n, "discovery", "no discovery bubble (C-LCD-03)");
	if (n->ref.announced && n->w->now - n->ref.announced < TEREDO_SECOND)
		referee_foul(n, "discovery", "bubbles too close");
	n->ref.announced = n->w->now;
}

static bool is_proven(struct node *n, const struct teredo_addr *peer,
		      const struct teredo_ep *from)
{
	struct referee *r = &n->ref;

	if (has_proof(r, peer, from) || (from && is_neighbour(r, peer, *from)))
		return true;
	if (!addr_in_prefix(peer, addr_default_prefix()) ||
	    (from && !ep_equal(addr_mapping(peer), *from)))
		return false;
	return (from && n->ops->is_client) || is_wanted(r, peer) ||
	       has_proof(r, peer, NULL);
}

static void ask(struct referee *r, const struct wire_packet *p)
{
	struct question q = {.peer = p->dst, .cookie = p->src};
	size_t len;
	const uint8_t *data;

	if (wire_is_bubble(p)) {
		if (!addr_is_link_local(&p->src))
			return; /* no secret in it */
	} else {
		data = echo_data(p, ICMP6_ECHO_REQUEST, &len);
		if (!data || len > sizeof(q.nonce))
			return;
		q.nonce_len = len;
		memcpy(q.nonce, data, len);
	}
	r->question[r->questions++ % REFEREE_BOOK] = q;
}

/* ---- bubbles ---- */

static const struct teredo_ep no_ep;

static struct bubbles *find_bubbles(struct referee *r,
				    const struct teredo_addr *to,
				    struct teredo_ep ep)
{
	for (unsigned i = 0; i < in_book(r->targets); i++)
		if (addr_equal(&r->bubbles[i].to, to) &&
		    ep_equal(r->bubbles[i].ep, ep))
			return &r->bubbles[i];
	return NULL;
}

/* Only an own bubble goes through a server; that it may go straight as well
 * is found out when the call is over. Where Eve has a peer be at its server's
 * very endpoint, own ones and answers cannot be told apart: none is judged. */
static void note_bubble(struct referee *r, const struct wire_packet *p,
			struct teredo_ep to)
{
	bool is_indirect = addr_in_prefix(&p->dst, addr_default_prefix()) &&
			   ep_equal(to, addr_server_ep(addr_server(&p->dst)));
	struct teredo_ep ep = is_indirect ? no_ep : to;
	struct bubbles *b = find_bubbles(r, &p->dst, ep);

	if (is_indirect && ep_equal(to, addr_mapping(&p->dst)))
		return;
	if (!b) {
		b = &r->bubbles[r->targets++ % REFEREE_BOOK];
		*b = (struct bubbles){
			.to = p->dst, .ep = ep, .last = TEREDO_NEVER};
	}
	b->sent = true;
}

static void check_bubbles(struct node *n, struct bubbles *b)
{
	teredo_time now = n->w->now, gap = now - b->last;
	teredo_time pause = n->ops->bubble_pause;
	char to[TRACE_ADDR_LEN];

	if (b->last != TEREDO_NEVER && gap < BUBBLE_GAP)
		referee_foul(n, "bubble-gap", "%.3f s to %s (C-BUB-04)",
			     (double)gap / 1e9, trace_addr(to, &b->to));
	if (gap >= n->ops->bubble_forgotten || b->paid_at < now)
		b->paid_at = now;
	b->paid_at += pause;
	if (b->paid_at > now + BUBBLE_BUDGET * pause)
		referee_foul(n, "bubble-budget", "to %s (C-BUB-05)",
			     trace_addr(to, &b->to));
	b->last = now;
}

/* All bubbles of one call to one address are one transmission. */
static void check_sent(struct node *n)
{
	struct referee *r = &n->ref;

	for (unsigned i = 0; i < in_book(r->targets); i++) {
		struct bubbles *b = &r->bubbles[i], *own;

		if (!b->sent)
			continue;
		own = find_bubbles(r, &b->to, no_ep);
		if (b == own || !own || !own->sent)
			check_bubbles(n, b);
	}
	for (unsigned i = 0; i < in_book(r->targets); i++)
		r->bubbles[i].sent = false;
}

static bool is_ra(const struct wire_packet *p)
{
	return p->next_header == ICMP6_NEXT_HEADER &&
	       p->ip6_len > WIRE_IP6_LEN && p->ip6[WIRE_IP6_LEN] == ICMP6_RA;
}

/* A packet straight from a peer answers the bubbles to it; an advertisement
 * after a silence shows that perhaps nothing could be answered. */
static void note_answer(struct node *n, const struct wire_packet *p,
			struct teredo_ep from)
{
	struct referee *r = &n->ref;
	bool was_deaf = r->is_uprooted ||
			(r->unheard && n->w->now - r->unheard >= DEAF);
	bool is_from_server = p->has_origin || p->auth.present;

	if (is_ra(p)) {
		r->unheard = 0;
		r->is_uprooted = false;
	}
	for (unsigned i = 0; i < in_book(r->targets); i++) {
		struct bubbles *b = &r->bubbles[i];

		if (is_from_server ? is_ra(p) && was_deaf
				   : addr_equal(&b->to, &p->src) ||
					     ep_equal(b->ep, from))
			b->paid_at = 0;
	}
}

/* ---- passing through ---- */

static struct passing *find_passing(struct referee *r, bool is_inbound,
				    const uint8_t *ip6, size_t len,
				    uint64_t *hash)
{
	uint8_t head[64] = {0};
	uint64_t word, h = 2 * len + is_inbound;

	memcpy(head, ip6, len < sizeof(head) ? len : sizeof(head));
	head[7] = 0;
	for (unsigned i = 0; i < sizeof(head); i += sizeof(word)) {
		memcpy(&word, head + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	*hash = h;
	return &r->passing[h % REFEREE_BOOK];
}

static void note_passing(struct referee *r, bool is_inbound, const uint8_t *ip6,
			 size_t len)
{
	uint64_t hash;
	struct passing *p = find_passing(r, is_inbound, ip6, len, &hash);

	*p = (struct passing){hash, ip6[7]};
}

/* is_inbound: it came by the tunnel. */
static void check_hops(struct node *n, bool is_inbound, const uint8_t *ip6,
		       size_t len)
{
	uint64_t hash;
	const struct passing *p =
		find_passing(&n->ref, is_inbound, ip6, len, &hash);

	if (p->hash == hash && ip6[7] + node_is_router(n) > p->hops)
		referee_foul(n, "hops-fall", "%u hops became %u", p->hops,
			     ip6[7]);
}

/* ---- the game ---- */

void referee_carries(struct node *n, const uint8_t *ip6, size_t len)
{
	struct wire_packet p;
	uint8_t *octet, bit;

	if (wire_parse_ip6(&p, ip6, len) != WIRE_OK)
		return;
	octet = wanted(&n->ref, &p.dst, &bit);
	*octet |= bit;
	note_passing(&n->ref, false, ip6, len);
}

void referee_hears(struct node *n, const struct teredo_rx *rx)
{
	struct wire_packet p;

	n->ref.answers = 0;
	n->ref.is_strange = true;
	if (wire_parse(&p, rx->data, rx->len) != WIRE_OK)
		return;
	note_neighbour(&n->ref, rx, &p);
	take_proof(&n->ref, &p, rx->from);
	note_answer(n, &p, rx->from);
	note_passing(&n->ref, true, p.ip6, p.ip6_len);
	n->ref.is_strange = !is_proven(n, &p.src, &rx->from);
}

/* RFC 4380 5.2.4 and 240/4, read for a second time. */
static bool is_public(uint32_t ip)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} unfit[] = {
		{0x00000000, 8},  {0x0a000000, 8},  {0x7f000000, 8},
		{0xa9fe0000, 16}, {0xac100000, 12}, {0xc0a80000, 16},
		{0xc0586300, 24}, {0xe0000000, 3},
	};

	for (unsigned i = 0; i < sizeof(unfit) / sizeof(*unfit); i++)
		if (!((ntohl(ip) ^ unfit[i].net) >> (32 - unfit[i].bits)))
			return false;
	return true;
}

static void check_target(struct node *n, struct teredo_ep to)
{
	char text[TRACE_ADDR_LEN];

	if ((!is_public(to.ip) && !is_neighbour(&n->ref, NULL, to)) || !to.port)
		referee_foul(n, "global-only", "sends to %s (A-V4G)",
			     trace_ep(text, to));
	for (unsigned i = 0; i < 2; i++)
		if (n->link[i] && n->link[i]->ip == to.ip)
			referee_foul(n, "own-address", "sends to itself");
	if (n->nat && n->stack->has_addr &&
	    ep_equal(addr_mapping(&n->stack->addr), to))
		referee_foul(n, "own-address", "sends to its own mapping");
}

static void check_solicitation(struct node *n)
{
	struct referee *r = &n->ref;
	teredo_time *slot = &r->rs[r->solicitations % 10];

	if (r->solicitations >= 10 && n->w->now - *slot < 10 * TEREDO_SECOND)
		referee_foul(n, "solicit-rate", "a storm of solicitations");
	*slot = n->w->now;
	r->solicitations++;
	if (!r->unheard)
		r->unheard = n->w->now;
}

/*
 * Who is both passes bubbles on as a server: those of clients, and with their
 * origin those of relays. Its own have a link-local source, and no origin, or
 * none but its own.
 */
static bool is_passed_on(const struct node *n, const struct wire_packet *p)
{
	return n->ops->is_both &&
	       (!addr_is_link_local(&p->src) ||
		(p->has_origin && p->origin.port != n->port));
}

void referee_sends(struct node *n, struct teredo_ep to, const uint8_t *data,
		   size_t len, bool own)
{
	struct wire_packet p;
	bool served;

	n->ref.answers++;
	if (ep_equal(to, referee_group())) {
		check_announcement(n, data, len);
		return;
	}
	check_target(n, to);
	if (wire_parse(&p, data, len) != WIRE_OK)
		referee_foul(n, "well-formed", "sends no Teredo packet");
	served = own && (n->ops->is_server || is_passed_on(n, &p));
	if (!wire_is_bubble(&p) && !served)
		check_hops(n, n->ops->is_server, p.ip6, p.ip6_len);
	if (!own || !n->ref.sent || !addr_equal(&p.dst, &n->ref.probed))
		n->ref.sent++;
	n->ref.probed = p.dst;
	if (!own || served)
		return;
	if (addr_is_all_routers(&p.dst)) {
		check_solicitation(n);
		n->ref.answers--; /* these have a limit of their own */
		n->ref.sent--;
	}
	if (wire_is_bubble(&p))
		note_bubble(&n->ref, &p, to);
	ask(&n->ref, &p);
}

void referee_sends6(struct node *n, const uint8_t *ip6, size_t len)
{
	n->ref.answers++;
	n->ref.sent++;
	check_hops(n, true, ip6, len);
}

void referee_delivers(struct node *n, const struct teredo_ep *from,
		      const uint8_t *ip6, size_t len)
{
	struct wire_packet p;
	char text[TRACE_ADDR_LEN];

	if (wire_parse_ip6(&p, ip6, len) != WIRE_OK)
		referee_foul(n, "well-formed", "no IPv6 packet for the tun");
	if (!from && p.next_header == ICMP6_NEXT_HEADER &&
	    ip6[WIRE_IP6_LEN] == ICMP6_UNREACHABLE)
		return; /* our own error */
	if (wire_is_bubble(&p) || addr_is_link_local(&p.src) ||
	    addr_is_multicast(&p.src))
		referee_foul(n, "fit-for-tun", "unfit for the tun (C-RX-21)");
	if (!node_is_router(n)) /* else when it leaves the router */
		check_hops(n, true, ip6, len);
	if (!is_proven(n, &p.src, from))
		referee_foul(n, "proven-only", "from %s (C-RX-19)",
			     trace_addr(text, &p.src));
}

void referee_forgives(struct node *n)
{
	n->ref.targets = 0;
	n->ref.announced = 0;
}

void referee_expired(struct node *n)
{
	struct referee *r = &n->ref;

	if (r->expired_at != n->w->now) {
		r->expired_at = n->w->now;
		r->expiries = r->idle_expiries = 0;
	}
	r->expiries++;
	r->idle_expiries +=
		!n->w->outbox.n && n->ops->deadline(n->core) <= n->w->now;
	if (r->idle_expiries > IDLE_EXPIRIES || r->expiries > EXPIRIES)
		referee_foul(n, "deadline", "expire() makes no progress");
}

void referee_looks(struct node *n)
{
	struct referee *r = &n->ref;

	check_sent(n);
	if (n->w->outbox.lost)
		referee_foul(n, "lost-outbox", "outbox lost an item");
	if (n->ops->is_server && r->answers > 1)
		referee_foul(n, "one-for-one", "%u packets for one (S-FWD-10)",
			     r->answers);
	if (!n->ops->is_server && r->is_strange &&
	    (r->sent > 1 || r->answers > PROBE_PACKETS))
		referee_foul(n, "one-for-one", "%u packets for a stranger's",
			     r->answers);
	r->is_strange = false;
	r->sent = 0;
	n->ops->check(n);
}
