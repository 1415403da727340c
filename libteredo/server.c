/*
 * server.c - router advertisements, bubbles and connectivity tests
 *
 * RFC 4380 5.3. The packets of strangers are checked in the RFC's order: the
 * outer source, what it carries, who says to have sent it (rules 4 to 7 of
 * 5.3.1), then where it goes. No state is kept about a client, but for the
 * operator about how many there were (seen.h), so a restarted
 * server, or another one with the same address, goes on at once. There is no
 * timer, either, but one that gives back what the limits took of memory.
 *
 * Nothing of the datagram but the IPv6 packet and its trailers goes on. What
 * leaves is at most 8 octets longer than what came, the advertisement aside.
 *
 * It cannot be made to talk to itself: an own address is neither a source nor
 * the mapping of a destination (SEC-LOOP-01). Two servers cannot be made to
 * talk to each other: rule 5 binds the source to who sent it, rule 6 the
 * destination to us, and a packet passed on meets neither at the next server.
 *
 * Anyone may ask and sources can be forged, so all answers are rationed, per
 *   advertisements	IPv4 address		8 at once, then 2/s
 *			its /24			64 at once, then 50/s
 *   bubbles and echoes	endpoint they go to	20 at once, then 10/s
 *			the same, per source	8 at once, then 2/s
 *			its IPv4 address	100 at once, then 50/s
 *			the same, per source	50 at once, then 25/s
 *			all of them		1000 at once, then 5000/s
 *   our own echoes	the same, but for shares of sources
 *   echoes to IPv6	outer endpoint		20 at once, then 10/s
 *			its IPv4 address	100 at once, then 50/s
 *			IPv6 destination	200 at once, then 100/s
 * An IPv4 address may be a NAT with many clients behind it, 50 of whom solicit
 * less than twice a second; an IPv6 host may be popular, so it has a wider
 * limit. Solicitations are forged most easily: their first limit has so many
 * buckets that it takes 393,000 a second, from sources that each stay within
 * it, to empty those of others (B1); a network's fills so fast that it needs no
 * more than the rest.
 *
 * No single address can use up what all others need: whatever the port, a
 * source gets at most half of what there is for an IPv4 address or an IPv6
 * host, and a fifth of what there is for an endpoint. Half, not less: a busy
 * relay is one source, and may have many clients behind one large NAT. Of what
 * all share, half is left to those who ask less than 100 at once, then 50/s.
 * Nothing is taken of any limit before all of them have something left: what
 * is refused would use up the narrow ones without a bound.
 *
 * With packets of at most 200 octets, a pair of hosts gets less than 500
 * octets/s carried (SEC-OPEN-01).
 *
 * Secure qualification (5.2.2): a server that has keys looks at the
 * identifier of a solicitation. One it knows must come with a right value and
 * gets an advertisement by the same key; whatever else claims an identifier
 * gets nothing, and so does who claims none if that is required. This is
 * before the limits, so that who forges a client's address cannot use up what
 * is for the client. A server without keys passes over identifiers (S-RS-15).
 *
 * Elsewhere: the second socket and raw IPv6 output are the shell's business;
 * the relaxed rule for symmetric clients (X-SRV-01) is not done.
 */
#include "server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "icmp6.h"
#include "ratelimit.h"
#include "seen.h"
#include "wire.h"

#define ICMP6_MAX_PAYLOAD 88u	/* S-CHK-09 */
#define RA_SETS (16 * RATELIMIT_SETS)
#define FORWARDS 1000u	/* at once */
#define SWEEP_PERIOD TEREDO_SECOND
/* Until all buckets are full, which takes 4 s, and once around. */
#define SWEEPS (5 + RATELIMIT_PARTS)

enum {
	RA_TO_IP, RA_TO_NET,
	TO_EP, TO_IP, FROM_IP_TO_EP, FROM_IP_TO_IP,
	MODEST,		/* sources of these, that ask little */
	NATIVE_FROM_EP, NATIVE_FROM_IP, NATIVE_TO,
	N_TABLES
};

struct teredo_server {
	struct teredo_server_config config;
	struct teredo_env env;
	struct auth_keys keys;
	struct teredo_addr self;	/* link-local */
	uint8_t ra[ICMP6_RA_LEN];	/* to nobody */
	struct local4 own;		/* and the advertised ones */
	struct teredo_counters count;
	struct ratelimit_table table[N_TABLES];
	struct ratelimit forwards;
	struct seen clients;	/* who was answered; for the status alone */
	unsigned sweeps;	/* until the tables come to rest */
	teredo_time next_sweep;
};

/* One packet on its way through. */
struct visit {
	const struct teredo_rx *rx;
	struct wire_packet p;
	teredo_time now;
	struct teredo_outbox *ob;
};

static bool limits_init(struct teredo_server *s, const struct teredo_env *env)
{
	static const struct {
		uint32_t sets, burst;
		teredo_time period;
	} all[N_TABLES] = {
		[RA_TO_IP] = { RA_SETS, 8, 500 * TEREDO_MS },
		[RA_TO_NET] = { RATELIMIT_SETS, 64, 20 * TEREDO_MS },
		[TO_EP] = { RATELIMIT_SETS, 20, 100 * TEREDO_MS },
		[TO_IP] = { RATELIMIT_SETS, 100, 20 * TEREDO_MS },
		[FROM_IP_TO_EP] = { RATELIMIT_SETS, 8, 500 * TEREDO_MS },
		[FROM_IP_TO_IP] = { RATELIMIT_SETS, 50, 40 * TEREDO_MS },
		[MODEST] = { RATELIMIT_SETS, 100, 20 * TEREDO_MS },
		[NATIVE_FROM_EP] = { RATELIMIT_SETS, 20, 100 * TEREDO_MS },
		[NATIVE_FROM_IP] = { RATELIMIT_SETS, 100, 20 * TEREDO_MS },
		[NATIVE_TO] = { RATELIMIT_SETS, 200, 10 * TEREDO_MS },
	};

	s->forwards = (struct ratelimit){ .period = TEREDO_SECOND / 5000,
					  .burst = FORWARDS };
	for (unsigned i = 0; i < N_TABLES; i++)
		if (!ratelimit_table_init(&s->table[i], env, all[i].sets,
					  all[i].burst, all[i].period))
			return false;
	return true;
}

struct teredo_server *
teredo_server_new(const struct teredo_server_config *config,
		  const struct teredo_env *env)
{
	struct teredo_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->config = *config;
	s->env = *env;
	s->own.access = &s->config.access;
	if (config->keys != NULL)
		s->keys = *config->keys;
	teredo_server_set_local(s, &(struct local4){ .n = 0 });
	addr_make_link_local(&s->self, ADDR_FLAG_CONE,
			     addr_server_ep(config->ip));
	icmp6_put_ra(s->ra, &s->self, &(struct teredo_addr){ .b = { 0 } },
		     config->prefix, config->ip, config->mtu);
	if (!limits_init(s, env) || !seen_init(&s->clients, env)) {
		teredo_server_free(s);
		return NULL;
	}
	return s;
}

void teredo_server_free(struct teredo_server *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < N_TABLES; i++)
		ratelimit_table_fini(&s->table[i]);
	seen_fini(&s->clients);
	free(s);
}

void teredo_server_set_local(struct teredo_server *s,
			     const struct local4 *local)
{
	s->own.n = 0;
	s->own.ip[s->own.n++] = s->config.ip;
	if (s->config.ip2 != 0)
		s->own.ip[s->own.n++] = s->config.ip2;
	for (unsigned i = 0; i < local->n && s->own.n < LOCAL4_MAX; i++)
		s->own.ip[s->own.n++] = local->ip[i];
	local4_sort(&s->own);
}

const struct teredo_counters *
teredo_server_counters(const struct teredo_server *s)
{
	return &s->count;
}

uint32_t teredo_server_clients(const struct teredo_server *s, teredo_time now)
{
	return seen_places(&s->clients, now);
}

static struct teredo_verdict drop(struct teredo_server *s,
				  enum teredo_counter why)
{
	s->count.n[why]++;
	return (struct teredo_verdict){ .fate = TEREDO_DROP };
}

static struct teredo_verdict taken(struct teredo_server *s,
				   enum teredo_counter event)
{
	s->count.n[event]++;
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}

static void comes_into_use(struct teredo_server *s, teredo_time now)
{
	if (s->sweeps == 0)
		s->next_sweep = now + SWEEP_PERIOD;
	s->sweeps = SWEEPS;
}

void teredo_server_expire(struct teredo_server *s, teredo_time now)
{
	if (now < teredo_server_deadline(s))
		return;
	for (unsigned i = 0; i < N_TABLES; i++)
		ratelimit_table_sweep(&s->table[i], now);
	s->next_sweep = now + SWEEP_PERIOD;
	s->sweeps--;
}

teredo_time teredo_server_deadline(const struct teredo_server *s)
{
	return s->sweeps == 0 ? TEREDO_NEVER : s->next_sweep;
}

struct limit {
	struct ratelimit_table *table;
	const void *id;
	size_t len;
};

/* A token of each, or none of any. */
static bool take_all(const struct limit *limit, unsigned n, teredo_time now)
{
	for (unsigned i = 0; i < n; i++)
		if (!ratelimit_table_has(limit[i].table, now, limit[i].id,
					 limit[i].len))
			return false;
	for (unsigned i = 0; i < n; i++)
		ratelimit_table_take(limit[i].table, now, limit[i].id,
				     limit[i].len);
	return true;
}

/* Rule 5 */
static bool is_from_its_mapping(const struct teredo_server *s,
				const struct wire_packet *p,
				struct teredo_ep from)
{
	return addr_in_prefix(&p->src, s->config.prefix) &&
	       ep_equal(addr_mapping(&p->src), from);
}

/* Rule 6, for sources that exist at all */
static bool is_for_own_client(const struct teredo_server *s,
			      const struct visit *v)
{
	const struct wire_packet *p = &v->p;

	return !addr_in_prefix(&p->src, s->config.prefix) &&
	       (addr_is_link_local(&p->src) || addr_is_global(&p->src)) &&
	       addr_in_prefix(&p->dst, s->config.prefix) &&
	       addr_server(&p->dst) == s->config.ip;
}

/* Rule 4: whether the solicitation may be answered, and by which key; that is
 * one without an algorithm for the nonce alone, or nothing (S-RS-15). */
static bool authenticate(const struct teredo_server *s,
			 const struct wire_packet *p,
			 const struct auth_key **key)
{
	static const struct auth_key none;

	*key = &none;
	if (s->keys.n == 0 ||
	    (p->auth.id_len == 0 && p->auth.value_len == 0))
		return !s->config.require_auth;
	*key = auth_find(&s->keys, &p->auth);
	return *key != NULL && auth_is_valid(p, &s->env, *key);
}

/* The advertisement always names the primary address (S-RS-02, S-RS-03); a
 * cone solicitation is answered from the other one (S-RS-08). */
static struct teredo_verdict send_ra(struct teredo_server *s,
				     const struct visit *v, bool cone,
				     const struct auth_key *key)
{
	const struct wire_auth *auth = &v->p.auth;
	size_t auth_octets = auth->present ? auth_len(key) : 0;
	enum teredo_via via = v->rx->via;
	uint8_t *out, *body;

	if (cone)
		via = via == TEREDO_VIA_PRIMARY ? TEREDO_VIA_SECONDARY
						: TEREDO_VIA_PRIMARY;
	out = outbox_udp(v->ob, via, v->rx->from,
			 auth_octets + WIRE_ORIGIN_LEN + ICMP6_RA_LEN);
	assert(out != NULL);
	body = out + auth_octets;
	wire_put_origin(body, v->rx->from);
	memcpy(body + WIRE_ORIGIN_LEN, s->ra, sizeof(s->ra));
	icmp6_readdress_ra(body + WIRE_ORIGIN_LEN, &v->p.src);
	/* Never a nonce of someone else (S-RS-15); S-RS-11..14 */
	if (auth->present)
		auth_put(out, &s->env, key, auth->nonce, key->expired,
			 WIRE_ORIGIN_LEN + ICMP6_RA_LEN);
	return taken(s, TEREDO_EV_ra_sent);
}

static void note_client(struct teredo_server *s, const struct visit *v)
{
	uint8_t id[6];

	memcpy(id, &v->rx->from.ip, 4);
	memcpy(id + 4, &v->rx->from.port, 2);
	seen_note(&s->clients, id, sizeof(id), v->now);
}

/* 5.3.2, and rule 4: from a link-local address, or by rule 5. */
static struct teredo_verdict solicited(struct teredo_server *s,
				       const struct visit *v)
{
	const struct wire_packet *p = &v->p;
	bool cone = (addr_flags(&p->src) & ADDR_FLAG_CONE) != 0;
	const uint32_t *ip = &v->rx->from.ip;
	const struct auth_key *key;

	if (!addr_is_all_routers(&p->dst) ||
	    (!addr_is_link_local(&p->src) && !is_from_its_mapping(s, p, v->rx->from)) ||
	    !icmp6_is_rs(p))
		return drop(s, TEREDO_DROP_bad_rs);
	s->count.n[TEREDO_EV_rs_received]++;
	if (!authenticate(s, p, &key))
		return drop(s, TEREDO_DROP_authentication);
	if (cone && s->config.ip2 == 0)
		return drop(s, TEREDO_DROP_no_second_address);
	if (!ratelimit_table_has(&s->table[RA_TO_NET], v->now, ip, 3) ||
	    !ratelimit_table_take(&s->table[RA_TO_IP], v->now, ip, 4))
		return drop(s, TEREDO_DROP_rate_limited);
	ratelimit_table_take(&s->table[RA_TO_NET], v->now, ip, 3);
	note_client(s, v);
	return send_ra(s, v, cone, key);
}

/* Echo request and reply are all the ICMPv6 that we carry (S-GEN-04), and
 * small (S-CHK-09). */
static bool is_small_echo(const struct wire_packet *p)
{
	size_t len;
	const uint8_t *msg;

	if (p->ip6_len > WIRE_IP6_LEN + ICMP6_MAX_PAYLOAD)
		return false;
	msg = icmp6_message(p, &len);
	return msg != NULL && (msg[0] == ICMP6_ECHO_REQUEST ||
			       msg[0] == ICMP6_ECHO_REPLY);
}

/* For ff02::2 or our link-local address (S-FWD-01). The sender passed rule 5:
 * the answer goes where the question came from, if it came from there. A sender
 * asks for himself, so that there is no share of his. */
static struct teredo_verdict answer_echo(struct teredo_server *s,
					 const struct visit *v)
{
	const struct wire_packet *p = &v->p;
	uint8_t id[EP_KEY_LEN];
	const struct limit limits[] = {
		{ &s->table[TO_EP], id, EP_KEY_LEN },
		{ &s->table[TO_IP], id, 4 },
	};
	size_t len;
	const uint8_t *msg;
	uint8_t *out;

	if (wire_is_bubble(p))
		return drop(s, TEREDO_DROP_not_relayed);
	msg = icmp6_message(p, &len);
	if (msg == NULL || msg[0] != ICMP6_ECHO_REQUEST)
		return drop(s, TEREDO_DROP_not_relayed);
	ep_key(id, v->rx->from);
	if (!ratelimit_has(&s->forwards, FORWARDS / 2, v->now) ||
	    !take_all(limits, sizeof(limits) / sizeof(limits[0]), v->now))
		return drop(s, TEREDO_DROP_rate_limited);
	ratelimit_take(&s->forwards, v->now);
	out = outbox_udp(v->ob, v->rx->via, v->rx->from,
			 ICMP6_ECHO_LEN(len - 8));
	assert(out != NULL);
	icmp6_put_echo(out, ICMP6_ECHO_REPLY, &s->self, &p->src,
		       (uint16_t)(msg[4] << 8 | msg[5]),
		       (uint16_t)(msg[6] << 8 | msg[7]), msg + 8, len - 8);
	return taken(s, TEREDO_EV_echo_answered);
}

/* Of the sender's share of what its target may get, of that, and of what there
 * is for all. */
static bool take_for_target(struct teredo_server *s, uint32_t from_ip,
			    struct teredo_ep to, teredo_time now)
{
	uint8_t id[4 + EP_KEY_LEN];
	const struct limit all[] = {
		{ &s->table[TO_EP], id + 4, EP_KEY_LEN },
		{ &s->table[TO_IP], id + 4, 4 },
		{ &s->table[FROM_IP_TO_EP], id, sizeof(id) },
		{ &s->table[FROM_IP_TO_IP], id, 4 + 4 },
	};
	uint32_t kept = ratelimit_table_has(&s->table[MODEST], now, &from_ip, 4) ?
				0 : FORWARDS / 2;

	memcpy(id, &from_ip, 4);
	ep_key(id + 4, to);
	if (!ratelimit_has(&s->forwards, kept, now) ||
	    !take_all(all, sizeof(all) / sizeof(all[0]), now))
		return false;
	ratelimit_table_take(&s->table[MODEST], now, &from_ip, 4);
	return ratelimit_take(&s->forwards, now);
}

/* To a Teredo client, from the primary address (S-FWD-05), with the sender's
 * endpoint in front for our own clients only (S-FWD-06, S-FWD-07). */
static struct teredo_verdict forward(struct teredo_server *s,
				     const struct visit *v)
{
	const struct wire_packet *p = &v->p;
	struct teredo_ep to = addr_mapping(&p->dst);
	size_t origin =
		addr_server(&p->dst) == s->config.ip ? WIRE_ORIGIN_LEN : 0;
	uint8_t *out;

	if (local4_has(&s->own, to.ip))
		return drop(s, TEREDO_DROP_loop);
	if (!ep_is_acceptable(to, &s->own))	/* S-FWD-04 */
		return drop(s, ep_objection(to, &s->own));
	if (!take_for_target(s, v->rx->from.ip, to, v->now))
		return drop(s, TEREDO_DROP_rate_limited);
	out = outbox_udp(v->ob, TEREDO_VIA_PRIMARY, to,
			 origin + p->ip6_len + p->trailers_len);
	assert(out != NULL);
	if (origin != 0)
		wire_put_origin(out, v->rx->from);
	memcpy(out + origin, p->ip6, p->ip6_len);
	if (p->trailers_len != 0)	/* S-FWD-08 */
		memcpy(out + origin + p->ip6_len, p->trailers,
		       p->trailers_len);
	return taken(s, wire_is_bubble(p) ? TEREDO_EV_bubble_forwarded
					  : TEREDO_EV_echo_forwarded);
}

/* A connectivity test (S-FWD-03), as it is and without trailers. */
static struct teredo_verdict to_native6(struct teredo_server *s,
					const struct visit *v)
{
	const struct wire_packet *p = &v->p;
	uint8_t from[EP_KEY_LEN];
	const struct limit all[] = {
		{ &s->table[NATIVE_FROM_EP], from, sizeof(from) },
		{ &s->table[NATIVE_FROM_IP], from, 4 },
		{ &s->table[NATIVE_TO], p->dst.b, sizeof(p->dst.b) },
	};

	if (wire_is_bubble(p))
		return drop(s, TEREDO_DROP_not_relayed);
	if (addr_embeds_local(&p->dst, &s->own) ||
	    (s->config.no_6to4 && addr_is_6to4(&p->dst)))
		return drop(s, TEREDO_DROP_loop);
	ep_key(from, v->rx->from);
	if (!take_all(all, sizeof(all) / sizeof(all[0]), v->now))
		return drop(s, TEREDO_DROP_rate_limited);
	s->count.n[TEREDO_EV_echo_forwarded]++;
	return (struct teredo_verdict){
		.fate = TEREDO_TO_NATIVE6,
		.off = p->ip6_off,
		.len = p->ip6_len,
	};
}

/* A bubble or a small echo whose source passed. */
static struct teredo_verdict deliver(struct teredo_server *s,
				     const struct visit *v)
{
	const struct teredo_addr *dst = &v->p.dst;

	if (addr_is_all_routers(dst) || addr_equal(dst, &s->self))
		return answer_echo(s, v);
	if (!addr_is_global(dst))	/* S-FWD-02 */
		return drop(s, TEREDO_DROP_martian_v6);
	if (addr_in_prefix(dst, s->config.prefix))
		return forward(s, v);
	return to_native6(s, v);
}

bool teredo_server_take(struct teredo_server *s, struct teredo_ep to,
			teredo_time now)
{
	comes_into_use(s, now);
	return take_for_target(s, s->config.ip, to, now);
}

bool teredo_server_may_test(const struct teredo_server *s,
			    const struct wire_packet *p,
			    struct teredo_ep from)
{
	return is_small_echo(p) && is_from_its_mapping(s, p, from);
}

/* The one table that is too large for the processor's cache. */
void teredo_server_prefetch(const struct teredo_server *s,
			    const struct teredo_ep *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ratelimit_table_prefetch(&s->table[RA_TO_IP], &from[i].ip, 4);
}

struct teredo_verdict teredo_server_udp_in(struct teredo_server *s,
					   const struct teredo_rx *rx,
					   teredo_time now,
					   struct teredo_outbox *ob)
{
	struct visit v = { .rx = rx, .now = now, .ob = ob };
	const struct wire_packet *p = &v.p;

	comes_into_use(s, now);
	switch (wire_parse(&v.p, rx->data, rx->len)) {
	case WIRE_MALFORMED:
		return drop(s, TEREDO_DROP_malformed);
	case WIRE_REFUSED:
		return drop(s, TEREDO_DROP_trailer);
	case WIRE_OK:
		break;
	}
	if (local4_has(&s->own, rx->from.ip))	/* S-CHK-08 */
		return drop(s, TEREDO_DROP_loop);
	if (!ep_is_acceptable(rx->from, &s->own))	/* S-CHK-03, S-RS-10 */
		return drop(s, ep_objection(rx->from, &s->own));
	if (p->trailers_len > WIRE_MAX_TRAILERS)	/* S-FWD-09 */
		return drop(s, TEREDO_DROP_too_big);
	if (p->next_header == ICMP6_NEXT_HEADER && p->ip6_len > WIRE_IP6_LEN &&
	    p->ip6[WIRE_IP6_LEN] == ICMP6_RS)
		return solicited(s, &v);
	if (!wire_is_bubble(p) && !is_small_echo(p))	/* S-CHK-02 */
		return drop(s, TEREDO_DROP_not_relayed);
	if (!is_from_its_mapping(s, p, rx->from) && !is_for_own_client(s, &v))
		return drop(s, TEREDO_DROP_spoofed);	/* rule 7 */
	return deliver(s, &v);
}
