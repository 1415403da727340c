/*
 * client_qualify.c - how a client gets an address and keeps it
 *
 * RFC 4380 5.2.1 and 5.2.5 as RFC 5991 changed them: the cone bit is never
 * probed, never set (C-CONE-01, A-ADDR-05), and the flags carry 12 random bits.
 *
 *   RESOLVING --first address of a server--> PROBING --12 s--> OFFLINE
 *   PROBING, OFFLINE --answer--> QUALIFIED --refresh--> REFRESHING
 *   REFRESHING --answer--> QUALIFIED,  --12 s--> LOST --answer--> QUALIFIED
 *
 * PROBING and REFRESHING solicit at 0, 4 and 8 s. OFFLINE and LOST solicit
 * once per back-off, each time the next server of the list, and ask for the
 * servers' names again; they differ in that LOST still has an address, which
 * goes on working with all its peers, because only new Teredo peers need the
 * server. So an outage of the server costs nothing but what came to it.
 *
 * Three functions carry this. enter() is the only one that changes the state,
 * by the table of legal moves; it sends what the state sends and arms the one
 * timer. after_timeout() only picks the next state. accept() takes a good
 * advertisement. A state is entered again for its next transmission.
 *
 * An advertisement counts when it carries a nonce of ours (C-SECQ-02), from
 * the very address that this nonce went to, with an origin that may be an
 * address (A-ADDR-07) and that server's prefix (C-QUAL-11). The nonce is taken
 * last, so that junk before the good answer does no harm (C-QUAL-13). With it
 * all open nonces are void: two answers never race. Who has a secret
 * (5.2.2, auth.c) takes only answers by the same key.
 *
 * Any datagram from there postpones the next refresh (5.2.5), and its source is
 * forged easily, so that it does so only for a while (C-MNT-01).
 *
 * Deviation from C-QUAL-15..18: the address is used after the first server
 * address answered. The second is asked beside it, only to tell the kind of
 * NAT, and can neither delay nor end anything: 45 ms instead of two round
 * trips, a server with one address serves, a symmetric client stays.
 */
#include "client_internal.h"

#include "icmp6.h"

#include <assert.h>
#include <string.h>

#define RESOLVE_GAP	(30 * TEREDO_SECOND)
#define EAGER		(300 * TEREDO_SECOND)	/* quick retries this long */
#define LAZY_GAP	(30 * TEREDO_SECOND)
#define POSTPONED	4u	/* refresh intervals without an answer */

#define BIT(state) (1u << TEREDO_CLIENT_##state)

/* Where each state may go. */
static const unsigned moves[TEREDO_CLIENT_STATES] = {
	[TEREDO_CLIENT_RESOLVING] =
		BIT(RESOLVING) | BIT(PROBING) | BIT(REFRESHING),
	[TEREDO_CLIENT_PROBING] = BIT(PROBING) | BIT(OFFLINE) | BIT(QUALIFIED),
	[TEREDO_CLIENT_OFFLINE] = BIT(OFFLINE) | BIT(PROBING) | BIT(QUALIFIED),
	[TEREDO_CLIENT_QUALIFIED] = BIT(REFRESHING),
	[TEREDO_CLIENT_REFRESHING] =
		BIT(REFRESHING) | BIT(LOST) | BIT(QUALIFIED),
	[TEREDO_CLIENT_LOST] = BIT(LOST) | BIT(REFRESHING) | BIT(QUALIFIED),
};

static uint32_t draw(const struct teredo_client *c)
{
	uint32_t r;

	c->env.random(c->env.ctx, &r, sizeof(r));
	return r;
}

/* Uniform in lo..lo+span. */
static teredo_time draw_time(const struct teredo_client *c, teredo_time lo,
			     teredo_time span)
{
	return lo + (span >> 16) * (draw(c) >> 16);
}

void client_qualify_resolve(struct teredo_client *c, teredo_time now,
			    struct teredo_outbox *ob)
{
	unsigned i;

	for (i = 0; i < c->config.servers; i++)
		outbox_news(ob, OUTBOX_RESOLVE, NULL,
			    (struct teredo_ep){ 0, 0 }, i);
	c->last_resolve = now;
}

/* C-QUAL-01, C-QUAL-02, C-CFG-02, C-SECQ-03, C-SECQ-04, C-SECQ-10 */
void client_qualify_send_rs(struct teredo_client *c, enum teredo_via via,
			    uint32_t ip, struct nonce_ring *ring,
			    teredo_time now, struct teredo_outbox *ob)
{
	const struct auth_key *key = &c->config.key;
	uint8_t nonce[WIRE_NONCE_LEN];
	uint8_t *p = outbox_udp(ob, via, addr_server_ep(ip),
				auth_len(key) + ICMP6_RS_LEN);

	assert(p != NULL);
	nonce_ring_new(ring, &c->env, now, nonce);
	icmp6_put_rs(p + auth_len(key), &c->solicitor);
	auth_put(p, &c->env, key, nonce, 0, ICMP6_RS_LEN);
	c->count.n[TEREDO_EV_rs_sent]++;
}

static void solicit(struct teredo_client *c, struct client_server *s,
		    teredo_time now, struct teredo_outbox *ob)
{
	client_qualify_send_rs(c, TEREDO_VIA_PRIMARY, s->ip, &s->nonces, now,
			       ob);
	s->asked = now;
	c->last_solicit = now;
	c->asking = true;
	c->tries++;
}

/* The next server of the list whose address is known. */
static struct client_server *next_server(struct teredo_client *c)
{
	unsigned k;

	for (k = 0; k < c->config.servers; k++) {
		c->asked = (c->asked + 1) % c->config.servers;
		if (c->server[c->asked].ip != 0)
			break;
	}
	assert(c->server[c->asked].ip != 0);
	return &c->server[c->asked];
}

/* The one asked last, unless it stands only for "before the next in turn" and
 * was never resolved. */
static struct client_server *server_in_turn(struct teredo_client *c)
{
	return c->server[c->asked].ip != 0 ? &c->server[c->asked]
					   : next_server(c);
}

/* 1, 2, 4, 4 ... s, after five minutes 30 s, each within 10 % */
static teredo_time back_off(const struct teredo_client *c, teredo_time now)
{
	teredo_time gap;

	if (now - c->state_since >= EAGER)
		gap = LAZY_GAP;
	else
		gap = TEREDO_SECOND << (c->tries < 2 ? c->tries : 2);
	return draw_time(c, gap - gap / 10, gap / 5);
}

/* A step of OFFLINE or LOST; coming in, the last solicitation is just over. */
static void retry(struct teredo_client *c, bool coming_in, teredo_time now,
		  struct teredo_outbox *ob)
{
	if (coming_in || now - c->last_resolve >= RESOLVE_GAP)
		client_qualify_resolve(c, now, ob);
	if (!coming_in)
		solicit(c, next_server(c), now, ob);
	c->timer = now + back_off(c, now);
}

void client_qualify_enter(struct teredo_client *c,
			  enum teredo_client_state state, teredo_time now,
			  struct teredo_outbox *ob)
{
	bool coming_in = state != c->state;

	assert(moves[c->state] & 1u << state);
	if (coming_in) {
		c->state = state;
		c->state_since = now;
		c->tries = 0;
		outbox_news(ob, OUTBOX_STATE, NULL,
			    (struct teredo_ep){ 0, 0 }, 0);
	}
	c->timer = now + CLIENT_RS_GAP;
	switch (state) {
	case TEREDO_CLIENT_RESOLVING:
		client_qualify_resolve(c, now, ob);
		if (now - c->state_since >= EAGER)
			c->timer = now + LAZY_GAP;
		break;
	case TEREDO_CLIENT_PROBING:
		solicit(c, server_in_turn(c), now, ob);
		break;
	case TEREDO_CLIENT_REFRESHING:
		solicit(c, &c->used, now, ob);
		break;
	case TEREDO_CLIENT_LOST:
		if (coming_in) {
			c->count.n[TEREDO_EV_server_lost]++;
			c->out_of_touch = true;
		}
		retry(c, coming_in, now, ob);
		break;
	case TEREDO_CLIENT_OFFLINE:
		retry(c, coming_in, now, ob);
		break;
	case TEREDO_CLIENT_QUALIFIED:
		/* C-CFG-06: 75 to 100 % of the interval, drawn anew */
		c->interval = draw_time(c, c->refresh / 4 * 3, c->refresh / 4);
		c->timer = now + c->interval;
		break;
	case TEREDO_CLIENT_STATES:
		break;
	}
}

/* The state that follows when c->timer is over. */
static enum teredo_client_state after_timeout(const struct teredo_client *c)
{
	bool again = c->tries < CLIENT_RS_TRIES;

	switch (c->state) {
	case TEREDO_CLIENT_PROBING:
		return again ? TEREDO_CLIENT_PROBING : TEREDO_CLIENT_OFFLINE;
	case TEREDO_CLIENT_REFRESHING:
		return again ? TEREDO_CLIENT_REFRESHING : TEREDO_CLIENT_LOST;
	case TEREDO_CLIENT_QUALIFIED:
		return TEREDO_CLIENT_REFRESHING;
	case TEREDO_CLIENT_RESOLVING:
	case TEREDO_CLIENT_OFFLINE:
	case TEREDO_CLIENT_LOST:
	case TEREDO_CLIENT_STATES:
		break;
	}
	return c->state;
}

/* A step of the test with the server's second address (C-QUAL-15). */
static void ask_nat(struct teredo_client *c, teredo_time now,
		    struct teredo_outbox *ob)
{
	if (c->nat_tries >= CLIENT_RS_TRIES || c->used.ip2 == 0 ||
	    local4_has(&c->local, c->used.ip2)) {
		c->nat_timer = TEREDO_NEVER;
		return;
	}
	client_qualify_send_rs(c, TEREDO_VIA_PRIMARY, c->used.ip2,
			       &c->nat_nonces, now, ob);
	c->nat_tries++;
	c->nat_timer = now + CLIENT_RS_GAP;
}

void client_qualify_expire(struct teredo_client *c, teredo_time now,
			   struct teredo_outbox *ob)
{
	if (now >= c->timer) {
		c->failures += c->asking;
		c->asking = false;
		client_qualify_enter(c, after_timeout(c), now, ob);
	}
	if (now >= c->nat_timer)
		ask_nat(c, now, ob);
}

void client_qualify_found(struct teredo_client *c, unsigned i, teredo_time now,
			  struct teredo_outbox *ob)
{
	teredo_time soon = c->last_solicit + CLIENT_SOLICIT_MIN;

	if (c->state == TEREDO_CLIENT_RESOLVING) {
		c->asked = i;
		client_qualify_enter(c, TEREDO_CLIENT_PROBING, now, ob);
	} else if (c->state == TEREDO_CLIENT_OFFLINE ||
		   c->state == TEREDO_CLIENT_LOST) {
		/* next in turn */
		c->asked = (i + c->config.servers - 1) % c->config.servers;
		if (c->timer > soon)
			c->timer = soon;
	}
}

void client_qualify_again(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob)
{
	teredo_time soon = c->last_solicit + CLIENT_SOLICIT_MIN;

	if (c->state == TEREDO_CLIENT_RESOLVING) {
		if (now >= c->last_resolve + CLIENT_SOLICIT_MIN)
			client_qualify_enter(c, c->state, now, ob);
		return;
	}
	c->tries = 0;
	c->state_since = now;		/* what comes is eager again */
	c->out_of_touch = c->has_address;
	if (now < soon)
		c->timer = soon;
	else
		client_qualify_enter(c, c->has_address
					? TEREDO_CLIENT_REFRESHING
					: TEREDO_CLIENT_PROBING, now, ob);
}

void client_qualify_doubt(struct teredo_client *c, teredo_time now,
			  struct teredo_outbox *ob)
{
	if (c->state == TEREDO_CLIENT_QUALIFIED &&
	    now >= c->last_answer + PATH_ONE_WAY)
		client_qualify_enter(c, TEREDO_CLIENT_REFRESHING, now, ob);
}

void client_qualify_heard(struct teredo_client *c, teredo_time now)
{
	teredo_time latest = c->last_answer + POSTPONED * c->refresh;
	teredo_time timer = now + c->interval;

	if (timer > latest)
		timer = latest;
	if (c->state == TEREDO_CLIENT_QUALIFIED && !c->out_of_touch &&
	    timer > c->timer)
		c->timer = timer;
}

static void forget_nonces(struct teredo_client *c)
{
	unsigned i;

	memset(&c->used.nonces, 0, sizeof(c->used.nonces));
	for (i = 0; i < c->config.servers; i++)
		memset(&c->server[i].nonces, 0, sizeof(c->server[i].nonces));
}

static void announce(struct teredo_client *c, struct teredo_outbox *ob)
{
	outbox_news(ob, OUTBOX_ADDRESS, &c->addr, (struct teredo_ep){ 0, 0 },
		    c->mtu);
}

static bool is_unmapped(const struct teredo_client *c)
{
	return ep_equal(c->mapped, (struct teredo_ep){
		c->local_ip, c->config.local_port });
}

/* C-QUAL-19, C-MNT-05, C-RAND-01..05 */
static void take_address(struct teredo_client *c,
			 const struct client_server *s, struct teredo_ep mapped,
			 uint32_t mtu, teredo_time now,
			 struct teredo_outbox *ob)
{
	if (c->has_address && !ep_equal(mapped, c->mapped))
		c->count.n[TEREDO_EV_mapping_changed]++;
	if (s != &c->used) {
		c->number = (unsigned)(s - c->server);
		c->used = *s;
	}
	addr_make(&c->addr, addr_default_prefix(), s->ip,
		  (uint16_t)(draw(c) & ADDR_FLAGS_RANDOM), mapped);
	c->has_address = true;
	c->mapped = mapped;
	c->mtu = mtu;
	c->since = now;
	c->nat = is_unmapped(c) ? TEREDO_NAT_NONE : TEREDO_NAT_UNKNOWN;
	peers_clear(c->path.peers);
	client_local_start(c, now);
	announce(c, ob);
}

static void start_nat_test(struct teredo_client *c, teredo_time now,
			   struct teredo_outbox *ob)
{
	memset(&c->nat_nonces, 0, sizeof(c->nat_nonces));
	c->nat_tries = 0;
	ask_nat(c, now, ob);
}

static void accept(struct teredo_client *c, const struct client_server *s,
		   const struct teredo_rx *rx, struct teredo_ep mapped,
		   uint32_t mtu, teredo_time now, struct teredo_outbox *ob)
{
	bool is_same = c->has_address && s->ip == c->used.ip &&
		       ep_equal(mapped, c->mapped);

	c->count.n[TEREDO_EV_ra_accepted]++;
	c->rtt = now - s->asked;
	c->last_answer = now;
	c->asking = false;
	c->failures = 0;
	c->key_expired = false;
	c->local_ip = rx->local_ip;
	if (!is_same) {
		take_address(c, s, mapped, mtu, now, ob);
	} else if (mtu != c->mtu) {
		c->mtu = mtu;
		announce(c, ob);
	}
	forget_nonces(c);
	if (!is_same || c->secondary.step == CLIENT_INTERVAL_IDLE)
		client_interval_begin(c, now, ob);
	client_qualify_enter(c, TEREDO_CLIENT_QUALIFIED, now, ob);
	if (!is_same)
		start_nat_test(c, now, ob);
	else if (c->out_of_touch)
		client_path_greet_start(c, now);
	c->out_of_touch = false;
}

/* The prefix is that of a server with this address (C-QUAL-11). */
static bool prefix_is(const struct icmp6_ra *ra, uint32_t server_ip)
{
	return addr_in_prefix(&ra->prefix, addr_default_prefix()) &&
	       addr_server(&ra->prefix) == server_ip;
}

bool client_qualify_is_from(const struct client_server *s,
			    const struct teredo_rx *rx,
			    const struct icmp6_ra *ra)
{
	return s->ip != 0 && ep_equal(rx->from, addr_server_ep(s->ip)) &&
	       prefix_is(ra, s->ip);
}

/* The server whose answer this is, by nonce and by address; NULL: none. */
static struct client_server *find_asked(struct teredo_client *c,
					const struct teredo_rx *rx,
					const struct icmp6_ra *ra,
					const uint8_t *nonce, teredo_time now)
{
	unsigned i;

	if (client_qualify_is_from(&c->used, rx, ra) &&
	    nonce_ring_take(&c->used.nonces, now, nonce))
		return &c->used;
	for (i = 0; i < c->config.servers; i++)
		if (client_qualify_is_from(&c->server[i], rx, ra) &&
		    nonce_ring_take(&c->server[i].nonces, now, nonce))
			return &c->server[i];
	return NULL;
}

/* C-QUAL-17, C-QUAL-18, C-QUAL-20 */
static bool take_nat_answer(struct teredo_client *c, const struct teredo_rx *rx,
			    const struct wire_packet *p,
			    const struct icmp6_ra *ra, teredo_time now,
			    struct teredo_outbox *ob)
{
	enum teredo_nat nat = TEREDO_NAT_CONE_OR_RESTRICTED;

	if (!c->has_address || c->used.ip2 == 0 ||
	    !ep_equal(rx->from, addr_server_ep(c->used.ip2)) ||
	    !prefix_is(ra, c->used.ip) ||
	    !nonce_ring_take(&c->nat_nonces, now, p->auth.nonce))
		return false;
	c->nat_timer = TEREDO_NEVER;
	c->count.n[TEREDO_EV_ra_accepted]++;
	if (!ep_equal(p->origin, c->mapped))
		nat = TEREDO_NAT_SYMMETRIC;
	else if (is_unmapped(c))
		nat = TEREDO_NAT_NONE;
	if (nat != c->nat)
		outbox_news(ob, OUTBOX_STATE, NULL,
			    (struct teredo_ep){ 0, 0 }, 0);
	c->nat = nat;
	return true;
}

/*
 * The server refuses our key (C-SECQ-05): the answer is not used and counts as
 * none, an address that we have is kept as when the server is silent, and we
 * go on asking, so that a key made valid again is enough. An authentic answer
 * is news; what anybody can send is not.
 */
static struct teredo_verdict
take_refusal(struct teredo_client *c, const struct teredo_rx *rx,
	     const struct wire_packet *p, const struct icmp6_ra *ra,
	     teredo_time now, struct teredo_outbox *ob)
{
	if (c->config.key.algorithm != 0 && !c->key_expired &&
	    find_asked(c, rx, ra, p->auth.nonce, now) != NULL) {
		c->key_expired = true;
		outbox_news(ob, OUTBOX_STATE, NULL,
			    (struct teredo_ep){ 0, 0 }, 0);
	}
	return client_drop(c, TEREDO_DROP_confirmation);
}

enum teredo_counter client_qualify_objection(const struct teredo_client *c,
					     const struct wire_packet *p,
					     struct icmp6_ra *ra)
{
	if (!icmp6_parse_ra(p, ra) || !p->has_origin)
		return TEREDO_DROP_bad_ra;
	if (!p->auth.present)
		return TEREDO_DROP_nonce;
	if (c->config.key.algorithm != 0 &&
	    !auth_is_valid(p, &c->env, &c->config.key))	/* C-SECQ-06 */
		return TEREDO_DROP_authentication;
	if (p->auth.confirmation != 0)
		return TEREDO_DROP_confirmation;
	/* Not ep_is_acceptable(): without a NAT it is an address of ours. */
	if (!ipv4_is_global(p->origin.ip) || p->origin.port == 0)
		return TEREDO_DROP_martian_v4;
	return CLIENT_NO_OBJECTION;
}

struct teredo_verdict client_qualify_answer(struct teredo_client *c,
					    const struct teredo_rx *rx,
					    const struct wire_packet *p,
					    teredo_time now,
					    struct teredo_outbox *ob)
{
	const struct client_server *s;
	struct icmp6_ra ra;
	enum teredo_counter why = client_qualify_objection(c, p, &ra);
	uint32_t mtu = TEREDO_MTU;

	if (why == TEREDO_DROP_confirmation)
		return take_refusal(c, rx, p, &ra, now, ob);
	if (why != CLIENT_NO_OBJECTION)
		return client_drop(c, why);
	if (ra.mtu >= TEREDO_MTU && ra.mtu <= TEREDO_MAX_UDP)
		mtu = ra.mtu;		/* A-MTU-04 */
	s = find_asked(c, rx, &ra, p->auth.nonce, now);
	if (s != NULL)
		accept(c, s, rx, p->origin, mtu, now, ob);
	else if (!take_nat_answer(c, rx, p, &ra, now, ob))
		return client_drop(c, TEREDO_DROP_nonce);
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}
