/*
 * relay.c - between native IPv6 and Teredo clients
 *
 * RFC 4380 5.4. How a client is reached, held packets, probes and their end
 * are path.c; here is what a relay accepts from either side and what makes it
 * believe a client.
 *
 * The cone bit means nothing (R-CONE-01): no client gets a payload before it
 * answered a bubble, or was heard from its mapping after our side sent to it
 * (R-DEC-04). Bubbles go through the client's server and come from a cookie
 * (nonce.h). Clients answer to the source of a bubble, so an answer to the
 * cookie shows that the bubble arrived; where the answer comes from is then
 * where the client is, whatever its address says (R-DEC-07). The cookie
 * depends on the client's address and on time only: it survives eviction and,
 * with its key in the snapshot, a restart.
 *
 * A client that our side never sent to is a stranger (R-DEC-03). Its packets
 * are kept and it is asked with a bubble, so that a relay that lost its table
 * serves its clients again after one round trip, but a forged source gets
 * nothing through. Strangers are let into the table at 200/s, 400 at once, and
 * 16/s, 64 at once, of one IPv4 address; all probes leave at 2000/s, 2000 at
 * once (R-ENC-16, SEC-V4D-01). So that no single scanner uses them up, each
 * native /64 may begin with 50 new clients a second, 200 at once (SEC-DOS-06).
 *
 * A scanner that forges its sources has any number of /64s (faults B5). What it
 * does not do is to ask twice, and who wants something does. So half of the
 * probes there are for anyone, and the rest for who asked for the same client
 * a moment ago, and for repetitions where more was sent meanwhile; of those,
 * clients that were never heard leave a quarter. Nothing is kept of who is
 * turned away but a mark, in a table of marks that overwrite each other, and
 * of which those are swept away that were made before it became calm.
 *
 * What crosses is between a client and a native global address. Nothing goes
 * from Teredo to Teredo or to an address whose route may lead into another
 * tunnel of this host, nor from there (SEC-LOOP-03). The hop limit is the
 * kernel's business: it forwards behind and before us.
 */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

#include "icmp6.h"
#include "marks.h"
#include "nonce.h"
#include "path.h"
#include "peers.h"
#include "ratelimit.h"
#include "wire.h"

#define IP6_SRC		8u	/* where the source stands */
#define PAUSE		(10 * TEREDO_SECOND)	/* R-ENC-07 */
#define PROBES		2000u	/* a second, and at once */
#define FOR_RETURNING	(PROBES / 2)
#define FOR_FIRST	(PROBES / 4)
/* At 150,000 strangers a second a mark is still there after a second in 87 of
 * 100 cases. */
#define MARKS		(512 * RATELIMIT_SETS)
#ifndef RELAY_HOLD_BYTES		/* fuzzers want less */
#define RELAY_HOLD_BYTES ((size_t)8 << 20)
#endif
#define FIT		TEREDO_N_COUNTERS	/* no reason for a drop */

struct teredo_relay {
	struct teredo_relay_config config;
	struct local4 local;
	struct teredo_addr addr6[TEREDO_RELAY_LOCAL6];
	unsigned n_addr6;
	struct nonce_keys cookie;
	struct marks marks;
	struct ratelimit probes, strangers;
	struct ratelimit_table newcomers;	/* per native /64 */
	struct ratelimit_table strangers_by_ip;
	struct teredo_counters count;
	struct path path;
};

static struct teredo_verdict drop(struct teredo_relay *r,
				  enum teredo_counter why)
{
	r->count.n[why]++;
	return (struct teredo_verdict){ .fate = TEREDO_DROP };
}

/* Whether that client's server is the one on our socket (R-SRV-01). */
static bool is_of_own_server(const struct teredo_relay *r,
			     const struct teredo_addr *a)
{
	return r->config.server_ip != 0 &&
	       addr_server(a) == r->config.server_ip;
}

/* What keeps us from sending to that client (R-ENC-01, R-ENC-02). */
static enum teredo_counter unfit_client(const struct teredo_relay *r,
					const struct teredo_addr *a)
{
	struct teredo_ep server = addr_server_ep(addr_server(a));
	struct teredo_ep mapped = addr_mapping(a);
	bool own = is_of_own_server(r, a);

	if (!addr_in_prefix(a, r->config.prefix))
		return TEREDO_DROP_not_teredo;
	if (local4_has(&r->local, mapped.ip) ||
	    (local4_has(&r->local, server.ip) && !own))
		return TEREDO_DROP_loop;
	if (!ep_is_acceptable(mapped, &r->local))
		return ep_objection(mapped, &r->local);
	if (!ep_is_acceptable(server, &r->local) && !own)
		return ep_objection(server, &r->local);
	return FIT;
}

/* What keeps `a` from being the native end (SEC-ING-01, SEC-LOOP-03). */
static enum teredo_counter unfit_native(const struct teredo_relay *r,
					const struct teredo_addr *a)
{
	if (addr_is_link_local(a))
		return TEREDO_DROP_link_local;
	if (!addr_is_global(a) || addr_in_prefix(a, r->config.prefix))
		return TEREDO_DROP_martian_v6;
	if (addr_embeds_local(a, &r->local))
		return TEREDO_DROP_loop;
	return FIT;
}

static bool is_served(const struct teredo_relay *r,
		      const struct teredo_addr *a)
{
	if (!r->config.host_local)
		return true;
	for (unsigned i = 0; i < r->n_addr6; i++)
		if (addr_equal(&r->addr6[i], a))
			return true;
	return false;
}

static void send_bubble(struct teredo_outbox *ob, struct teredo_ep to,
			const struct teredo_addr *src,
			const struct teredo_addr *dst)
{
	uint8_t *out =
		outbox_udp(ob, TEREDO_VIA_PRIMARY, to, WIRE_BUBBLE_LEN);

	if (out != NULL)
		wire_put_bubble(out, src, dst);
}

/* What our own server would make of an indirect bubble of ours (S-FWD-06): to
 * the client's mapping, with our endpoint, which is the server's, in front. */
static void send_as_server(const struct teredo_relay *r,
			   struct teredo_outbox *ob,
			   const struct teredo_addr *src,
			   const struct teredo_addr *dst)
{
	uint8_t *out = outbox_udp(ob, TEREDO_VIA_PRIMARY, addr_mapping(dst),
				  WIRE_ORIGIN_LEN + WIRE_BUBBLE_LEN);

	if (out == NULL)
		return;
	wire_put_origin(out, addr_server_ep(r->config.server_ip));
	wire_put_bubble(out + WIRE_ORIGIN_LEN, src, dst);
}

/* Only our own server can be asked first; others look after themselves. It
 * gives its token away: to be asked last. */
static bool server_lets(const struct teredo_relay *r,
			const struct teredo_addr *client, teredo_time now)
{
	return !is_of_own_server(r, client) ||
	       r->config.may_send(r->config.server, addr_mapping(client), now);
}

/* One indirect bubble (R-ENC-05); behind a restricting NAT a direct one goes
 * before it and opens the way for the answer (R-ENC-13). */
static bool probe(void *role, struct peer *p, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct teredo_relay *r = role;
	struct teredo_addr cookie;
	uint32_t kept = 0;

	if (p->attempts > 1 && !p->proven)
		kept = p->insisted ? FOR_FIRST : FOR_RETURNING;
	if (unfit_client(r, &p->addr) != FIT ||
	    !ratelimit_has(&r->probes, kept, now) ||
	    !server_lets(r, &p->addr, now))
		return false;
	ratelimit_take(&r->probes, now);
	nonce_cookie(r->cookie.own, &p->addr, now, &cookie);
	if (r->config.direct_bubbles) {
		send_bubble(ob, addr_mapping(&p->addr), &cookie, &p->addr);
		r->count.n[TEREDO_EV_bubble_direct_sent]++;
	}
	if (is_of_own_server(r, &p->addr))
		send_as_server(r, ob, &cookie, &p->addr);
	else
		send_bubble(ob, addr_server_ep(addr_server(&p->addr)),
			    &cookie, &p->addr);
	r->count.n[TEREDO_EV_bubble_indirect_sent]++;
	return true;
}

static teredo_time pause_after(void *role, const struct peer *p)
{
	(void)role;
	(void)p;
	return PAUSE;
}

/* SEC-DOS-06, B4, B5. A host-local relay serves nobody but its own host. */
static bool admit(void *role, const uint8_t *ip6, teredo_time now)
{
	struct teredo_relay *r = role;

	if (r->config.host_local)
		return true;
	if (!ratelimit_table_take(&r->newcomers, now, ip6 + IP6_SRC, 8))
		return false;
	if (ratelimit_has(&r->probes, FOR_RETURNING, now))
		return true;
	return marks_returning(&r->marks, ip6) &&
	       ratelimit_has(&r->probes, 0, now);
}

/* Marks are of use only while probes are scarce. */
static void sweep(void *role, teredo_time now)
{
	struct teredo_relay *r = role;

	ratelimit_table_sweep(&r->newcomers, now);
	ratelimit_table_sweep(&r->strangers_by_ip, now);
	if (ratelimit_has(&r->probes, FOR_RETURNING, now))
		marks_sweep(&r->marks);
}

static const struct path_ops ops = {
	.probe = probe,
	.pause = pause_after,
	.admit = admit,
	.sweep = sweep,
	.forget_after = 15 * TEREDO_SECOND,
	.hold_many = RELAY_HOLD_BYTES / 2,
};

static bool tables_init(struct teredo_relay *r, const struct teredo_env *env)
{
	return marks_init(&r->marks, env, MARKS) &&
	       ratelimit_table_init(&r->strangers_by_ip, env,
				    RATELIMIT_SETS, 64,
				    TEREDO_SECOND / 16) &&
	       ratelimit_table_init(&r->newcomers, env, RATELIMIT_SETS, 200,
				    20 * TEREDO_MS);
}

static void tables_fini(struct teredo_relay *r)
{
	ratelimit_table_fini(&r->strangers_by_ip);
	ratelimit_table_fini(&r->newcomers);
	marks_fini(&r->marks);
}

struct teredo_relay *teredo_relay_new(const struct teredo_relay_config *config,
				      const struct teredo_env *env)
{
	struct teredo_relay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->config = *config;
	r->local.access = &r->config.access;
	r->probes = (struct ratelimit){ .period = TEREDO_SECOND / PROBES,
					.burst = PROBES };
	r->strangers = (struct ratelimit){ .period = TEREDO_SECOND / 200,
					   .burst = 400 };
	nonce_keys_new(&r->cookie, env);
	if (!tables_init(r, env) ||
	    !path_init(&r->path, &ops, r, config->max_peers, RELAY_HOLD_BYTES,
		       env, &r->count)) {
		tables_fini(r);
		free(r);
		return NULL;
	}
	return r;
}

void teredo_relay_free(struct teredo_relay *r)
{
	if (r == NULL)
		return;
	path_fini(&r->path);
	tables_fini(r);
	free(r);
}

void teredo_relay_set_local(struct teredo_relay *r, const struct local4 *local,
			    const struct teredo_addr *addr6, unsigned n)
{
	if (n > TEREDO_RELAY_LOCAL6)
		n = TEREDO_RELAY_LOCAL6;
	r->local = *local;
	local4_sort(&r->local);
	r->local.access = &r->config.access;
	r->n_addr6 = n;
	r->path.error_src = (struct teredo_addr){ 0 };
	if (n == 0)
		return;
	r->path.error_src = addr6[0];
	memcpy(r->addr6, addr6, n * sizeof(*addr6));
}

/* What our own kernel says on every link is no misled traffic. */
static enum teredo_counter unfit_destination(const struct teredo_relay *r,
					     const struct teredo_addr *a)
{
	return addr_is_of_link(a) ? TEREDO_DROP_link_local : unfit_client(r, a);
}

/* What keeps a packet of our side from crossing. */
static enum teredo_counter unfit_outbound(const struct teredo_relay *r,
					  const struct wire_packet *p)
{
	enum teredo_counter why = unfit_destination(r, &p->dst);

	if (why == FIT)
		why = unfit_native(r, &p->src);
	if (why == FIT && !is_served(r, &p->src))
		why = TEREDO_DROP_martian_v6;
	if (why == FIT && wire_has_rh0(p))
		why = TEREDO_DROP_routing_header;
	return why;
}

struct teredo_verdict teredo_relay_tun_in(struct teredo_relay *r,
					  const uint8_t *ip6, size_t len,
					  teredo_time now,
					  struct teredo_outbox *ob)
{
	struct wire_packet p;
	enum teredo_counter why;

	if (wire_parse_ip6(&p, ip6, len) != WIRE_OK)
		return drop(r, TEREDO_DROP_malformed);
	if (len > TEREDO_MAX_UDP)
		return drop(r, TEREDO_DROP_too_big);
	why = unfit_outbound(r, &p);
	if (why != FIT)
		return drop(r, why);
	return path_send(&r->path, &p.dst, ip6, len, now, ob);
}

/* What keeps a client's packet from our side (R-DEC-05, R-DEC-06). 6to4 is
 * refused whole: its route may lead into a tunnel back to us. */
static enum teredo_counter unfit_inbound(const struct teredo_relay *r,
					 const struct wire_packet *p)
{
	enum teredo_counter why = unfit_native(r, &p->dst);

	if (why == FIT && addr_is_6to4(&p->dst))
		why = TEREDO_DROP_loop;
	if (why == FIT && !is_served(r, &p->dst))
		why = TEREDO_DROP_not_for_us;
	if (why == FIT && p->next_header == WIRE_NH_NONE)
		why = TEREDO_DROP_malformed;	/* R-DEC-08 */
	if (why == FIT && icmp6_is_neighbour_discovery(p))
		why = TEREDO_DROP_link_local;
	return why;
}

/* Whether a packet from there is from the peer: where it is trusted to be, or
 * at its mapping if our side sent to it (R-DEC-04). */
static bool is_believed(const struct peer *p, struct teredo_ep from,
			teredo_time now)
{
	if (peer_is_trusted(p, now) && ep_equal(p->ep, from))
		return true;
	return (p->wanted || p->proven) &&
	       ep_equal(addr_mapping(&p->addr), from);
}

/*
 * Whether the peer is trusted at another endpoint. It answered to our cookie
 * there, so that a packet from its mapping, which is forged more easily, does
 * not move it. Where it moved indeed, the path falls silent, and the next bubble
 * finds it.
 */
static bool is_elsewhere(const struct peer *p, struct teredo_ep from,
			 teredo_time now)
{
	return peer_is_trusted(p, now) && !ep_equal(p->ep, from);
}

static struct teredo_verdict bubble_in(struct teredo_relay *r,
				       const struct wire_packet *p,
				       struct teredo_ep from, teredo_time now,
				       struct teredo_outbox *ob)
{
	struct peer *peer;

	if (nonce_keys_are_of(&r->cookie, &p->src, now, &p->dst)) {
		peer = path_peer(&r->path, &p->src, now);
		if (peer == NULL)
			return drop(r, TEREDO_DROP_table_full);
	} else {
		peer = peers_find(r->path.peers, &p->src);
		if (peer == NULL)
			return drop(r, TEREDO_DROP_unknown_peer);
		if (!is_believed(peer, from, now) ||
		    is_elsewhere(peer, from, now))
			return drop(r, TEREDO_DROP_spoofed);
	}
	r->count.n[TEREDO_EV_bubble_received]++;
	path_proven(&r->path, peer, from, now, ob);
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}

/* One host has any number of ports, and as many addresses. */
static bool may_be_asked(struct teredo_relay *r, struct teredo_ep from,
			 teredo_time now)
{
	return ratelimit_table_take(&r->strangers_by_ip, now, &from.ip,
				    sizeof(from.ip)) &&
	       ratelimit_take(&r->strangers, now);
}

/* A packet that may be a client's, but nothing proves it: kept and asked.
 * `peer` is NULL for a client without an entry. */
static struct teredo_verdict doubt(struct teredo_relay *r,
				   const struct peer *peer,
				   const struct wire_packet *p,
				   struct teredo_ep from, teredo_time now,
				   struct teredo_outbox *ob)
{
	enum teredo_counter why = unfit_inbound(r, p);
	bool stale = peer != NULL && peer->proven && ep_equal(peer->ep, from);

	if (!stale && !ep_equal(addr_mapping(&p->src), from))
		return drop(r, TEREDO_DROP_spoofed);	/* R-DEC-02 */
	if (why != FIT)
		return drop(r, why);
	if (peer == NULL && !may_be_asked(r, from, now))
		return drop(r, TEREDO_DROP_rate_limited);
	return path_receive_unproven(&r->path, &p->src, p->ip6, p->ip6_len,
				     now, ob);
}

static struct teredo_verdict data_in(struct teredo_relay *r,
				     const struct wire_packet *p,
				     struct teredo_ep from, teredo_time now,
				     struct teredo_outbox *ob)
{
	struct peer *peer = peers_find(r->path.peers, &p->src);
	enum teredo_counter why;

	if (peer == NULL || !is_believed(peer, from, now))
		return doubt(r, peer, p, from, now, ob);
	if (!peer_is_trusted(peer, now))
		path_proven(&r->path, peer, from, now, ob);
	else if (!is_elsewhere(peer, from, now))
		path_heard(&r->path, peer, now);
	why = unfit_inbound(r, p);
	if (why != FIT)
		return drop(r, why);
	return (struct teredo_verdict){
		.fate = TEREDO_TO_TUN,
		.off = p->ip6_off,
		.len = p->ip6_len,
	};
}

/* Clients put nothing before their packets to a relay: an origin indication
 * or authentication comes from something else (R-DEC-01). */
static enum teredo_counter unfit_datagram(const struct teredo_relay *r,
					  const struct wire_packet *p,
					  struct teredo_ep from)
{
	if (p->auth.present || p->has_origin)
		return TEREDO_DROP_malformed;
	if (local4_has(&r->local, from.ip))
		return TEREDO_DROP_loop;
	if (!ep_is_acceptable(from, &r->local))
		return ep_objection(from, &r->local);
	if (wire_has_rh0(p))
		return TEREDO_DROP_routing_header;
	return unfit_client(r, &p->src);
}

struct teredo_verdict teredo_relay_udp_in(struct teredo_relay *r,
					  const struct teredo_rx *rx,
					  teredo_time now,
					  struct teredo_outbox *ob)
{
	struct wire_packet p;
	enum teredo_counter why;

	switch (wire_parse(&p, rx->data, rx->len)) {
	case WIRE_MALFORMED:
		return drop(r, TEREDO_DROP_malformed);
	case WIRE_REFUSED:
		return drop(r, TEREDO_DROP_trailer);
	case WIRE_OK:
		break;
	}
	why = unfit_datagram(r, &p, rx->from);
	if (why != FIT)
		return drop(r, why);
	if (wire_is_bubble(&p))
		return bubble_in(r, &p, rx->from, now, ob);
	return data_in(r, &p, rx->from, now, ob);
}

void teredo_relay_prefetch(struct teredo_relay *r, const struct teredo_addr *keys,
			   unsigned n)
{
	peers_prefetch(r->path.peers, keys, n);
}

bool teredo_relay_trusts(const struct teredo_relay *r,
			 const struct teredo_addr *addr, struct teredo_ep from,
			 teredo_time now)
{
	const struct peer *p = peers_find(r->path.peers, addr);

	return p != NULL && peer_is_trusted(p, now) && ep_equal(p->ep, from);
}

void teredo_relay_expire(struct teredo_relay *r, teredo_time now,
			 struct teredo_outbox *ob)
{
	path_expire(&r->path, now, ob);
}

teredo_time teredo_relay_deadline(const struct teredo_relay *r)
{
	return path_deadline(&r->path);
}

void teredo_relay_status(const struct teredo_relay *r,
			 struct teredo_relay_status *st)
{
	const struct peers *t = r->path.peers;

	st->peers_proven = peers_proven(t);
	st->peers_unproven = peers_count(t) - st->peers_proven;
	st->peers_max = peers_max(t);
	st->held = hold_used(r->path.hold);
}

const struct teredo_counters *
teredo_relay_counters(const struct teredo_relay *r)
{
	return &r->count;
}

bool teredo_relay_peer(const struct teredo_relay *r, uint32_t slot,
		       teredo_time now, struct teredo_view *v)
{
	const struct peer *p = peers_at(r->path.peers, slot);

	if (p != NULL)
		path_view(&r->path, p, now, v);
	return p != NULL;
}

void teredo_relay_outlook(const struct teredo_relay *r,
			  const struct teredo_addr *addr, teredo_time now,
			  struct teredo_outlook *o)
{
	path_outlook(&r->path, addr, now, o);
	o->reason = unfit_destination(r, addr);
	if (o->reason != FIT)
		o->would = TEREDO_WOULD_DROP;
	else if (o->would == TEREDO_WOULD_BUBBLE)
		o->server_ip = addr_server(addr);
}

void teredo_relay_save(const struct teredo_relay *r,
		       struct teredo_relay_saved *saved)
{
	memcpy(saved->cookie_key, r->cookie.own, sizeof(saved->cookie_key));
}

void teredo_relay_restore(struct teredo_relay *r,
			  const struct teredo_relay_saved *saved,
			  teredo_time now)
{
	nonce_keys_inherit(&r->cookie, saved->cookie_key, now);
}

void teredo_relay_restore_peer(struct teredo_relay *r,
			       const struct teredo_addr *addr,
			       struct teredo_ep ep, teredo_time heard,
			       teredo_time now, struct teredo_outbox *ob)
{
	if (unfit_client(r, addr) != FIT || !ep_is_acceptable(ep, &r->local))
		return;
	path_restore(&r->path, addr, ep, heard, now, ob);
}
