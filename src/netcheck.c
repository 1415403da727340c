/*
 * netcheck.c - asks Teredo servers, itself and the gateway
 *
 * A *probe* is a question that is sent up to a few times, half a second apart,
 * until it is answered or failed. Per server there are three:
 *
 *   PRIMARY    a solicitation from MAIN: is it there, how far, our mapping
 *   CONE       one with the cone bit, from FILTER: the server answers from its
 *              *other* address (S-RS-08). That it arrives shows filtering that
 *              does not look at the sender
 *   SECOND     a solicitation from MAIN to the second address: another mapping
 *              there is a NAT whose mapping varies (RFC 4380 5.2.1)
 *
 * SECOND waits for the end of CONE: once anything of ours went to the second
 * address, a NAT that filters by address alone would let its answer in. For
 * the same reason no CONE is asked of a server whose second address is another
 * server of the list, and one that is answered from where we sent to says
 * nothing. Which of address and port a NAT looks at cannot be known, as servers
 * have one port. What follows from the answers: netcheck_conclude.c.
 *
 * HAIRPIN sends to MAIN's mapping from a port of its own, as soon as there is
 * a mapping that is not our own address.
 *
 * Answers are taken as a client takes them (client_qualify.c): a nonce of ours
 * for this very question, from the address that it must come from, an origin
 * that can be an address, the server's prefix. The nonce's last octet tells
 * which transmission was answered, so that the round trip is exact.
 *
 * Everything ends at NETCHECK_LIMIT after the beginning, looking up names too:
 * that goes on beside the rest, and netcheck_found() begins with a server as
 * soon as it has an address.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "../libteredo/icmp6.h"
#include "netcheck_internal.h"

#define SPACING (500 * TEREDO_MS)

static struct probe *probe_of(struct netcheck *nc, unsigned server,
			      enum kind kind)
{
	return &nc->probe[server * PER_SERVER + kind];
}

/* ---- asking ---- */

static void ask(struct netcheck *nc, struct probe *p, unsigned tries,
		teredo_time now)
{
	p->step = ASKING;
	p->tries = tries;
	p->next = now;
	nc->env.random(nc->env.ctx, p->nonce, sizeof(p->nonce));
}

static bool is_listed(const struct netcheck *nc, uint32_t ip)
{
	for (unsigned i = 0; i < nc->config.servers; i++)
		if (nc->config.server[i].ip == ip)
			return true;
	return false;
}

static void ask_server(struct netcheck *nc, unsigned i, teredo_time now)
{
	const struct netcheck_server *s = &nc->config.server[i];

	if (s->ip == 0)
		return;
	ask(nc, probe_of(nc, i, PRIMARY), TRIES_MAX, now);
	if (s->ip2 != 0 && !is_listed(nc, s->ip2))
		ask(nc, probe_of(nc, i, CONE), 3, now);
}

static void begin(struct netcheck *nc, teredo_time now)
{
	for (unsigned i = 0; i < nc->config.servers; i++)
		ask_server(nc, i, now);
	if (nc->config.gateway == 0)
		return;
	for (unsigned i = NAT_PMP; i <= UPNP; i++)
		ask(nc, &nc->probe[i], 3, now);
}

struct netcheck *netcheck_new(const struct netcheck_config *config,
			      const struct teredo_env *env, teredo_time now)
{
	struct netcheck *nc = calloc(1, sizeof(*nc));

	if (nc == NULL)
		return NULL;
	assert(config->servers <= NETCHECK_SERVERS);
	nc->config = *config;
	nc->env = *env;
	nc->end = config->began + NETCHECK_LIMIT;
	nc->first = -1;
	begin(nc, now);
	return nc;
}

void netcheck_free(struct netcheck *nc)
{
	free(nc);
}

/* Asks what had to wait for something that is now known. */
static void ask_next(struct netcheck *nc, teredo_time now)
{
	for (unsigned i = 0; i < nc->config.servers; i++) {
		struct probe *second = probe_of(nc, i, SECOND);

		if (second->step == IDLE && nc->config.server[i].ip2 != 0 &&
		    look_at(nc, i, PRIMARY)->step == ANSWERED &&
		    look_at(nc, i, CONE)->step != ASKING)
			ask(nc, second, 3, now);
		if (nc->first < 0 && look_at(nc, i, PRIMARY)->step == ANSWERED)
			nc->first = (int)i;
	}
	if (nc->first >= 0 && nc->probe[HAIRPIN].step == IDLE &&
	    !is_ours(nc, &nc->config.server[nc->first]))
		ask(nc, &nc->probe[HAIRPIN], 3, now);
}

void netcheck_found(struct netcheck *nc, unsigned i,
		    const struct netcheck_server *found, teredo_time now)
{
	struct netcheck_server *s = &nc->config.server[i];

	assert(i < nc->config.servers && s->is_awaited && !found->is_awaited);
	*s = *found;
	ask_server(nc, i, now);
}

static size_t put_rs(uint8_t *out, const struct probe *p, uint16_t flags)
{
	uint8_t nonce[WIRE_NONCE_LEN];
	struct teredo_addr src;

	memcpy(nonce, p->nonce, sizeof(nonce));
	nonce[WIRE_NONCE_LEN - 1] ^= (uint8_t)p->sent;
	addr_make_link_local(&src, flags, (struct teredo_ep){0, 0});
	wire_put_auth(out, nonce);
	icmp6_put_rs(out + WIRE_AUTH_LEN, &src);
	return WIRE_AUTH_LEN + ICMP6_RS_LEN;
}

static void write_to_server(const struct netcheck *nc, unsigned i,
			    struct netcheck_datagram *out)
{
	const struct netcheck_server *s = &nc->config.server[i / PER_SERVER];
	enum kind kind = i % PER_SERVER;

	out->socket = kind == CONE ? NETCHECK_FILTER : NETCHECK_MAIN;
	out->to = addr_server_ep(kind == SECOND ? s->ip2 : s->ip);
	out->len = put_rs(out->data, &nc->probe[i],
			  kind == CONE ? ADDR_FLAG_CONE : 0);
}

static void write_datagram(const struct netcheck *nc, unsigned i,
			   struct netcheck_datagram *out)
{
	const struct netcheck_config *c = &nc->config;

	out->socket = NETCHECK_GATEWAY;
	out->to.ip = c->gateway;
	out->to.port = htons(NETCHECK_PMP_PORT);
	if (i < HAIRPIN) {
		write_to_server(nc, i, out);
	} else if (i == HAIRPIN) {
		out->socket = NETCHECK_HAIRPIN;
		out->to = c->server[nc->first].mapped;
		out->len = put_rs(out->data, &nc->probe[i], 0);
	} else if (i == NAT_PMP) {
		out->len = netcheck_put_nat_pmp(out->data);
	} else if (i == PCP) {
		out->socket = NETCHECK_PCP;
		out->len = netcheck_put_pcp(out->data, c->gateway_local);
	} else {
		out->to.ip = netcheck_ssdp_group();
		out->to.port = htons(NETCHECK_SSDP_PORT);
		out->len = netcheck_put_ssdp(out->data);
	}
}

/* How long the answer to the last transmission is waited for. That of a
 * server's other address takes as long as its own. */
static teredo_time patience(const struct netcheck *nc, unsigned i)
{
	teredo_time rtt =
		i < HAIRPIN ? nc->config.server[i / PER_SERVER].rtt : 0;

	return 3 * rtt > SPACING ? 3 * rtt : SPACING;
}

/* It is time: whether to send again. */
static bool is_sent_again(struct netcheck *nc, unsigned i, teredo_time now)
{
	struct probe *p = &nc->probe[i];

	if (p->sent < p->tries) {
		p->at[p->sent] = now;
		p->next = now + SPACING;
		return true;
	}
	if (now < p->at[p->sent - 1] + patience(nc, i)) {
		p->next = p->at[p->sent - 1] + patience(nc, i);
	} else if (i < HAIRPIN && i % PER_SERVER == CONE &&
		   look_at(nc, i / PER_SERVER, PRIMARY)->step == ASKING) {
		p->next = now + SPACING; /* how far the server is matters */
	} else {
		p->step = FAILED;
		ask_next(nc, now);
	}
	return false;
}

bool netcheck_next(struct netcheck *nc, teredo_time now,
		   struct netcheck_datagram *out)
{
	bool asking = false;

	if (now >= nc->end)
		nc->over = true;
	if (nc->over)
		return false;
	ask_next(nc, now);
	for (unsigned i = 0; i < PROBES; i++) {
		struct probe *p = &nc->probe[i];

		if (p->step == ASKING && p->next <= now &&
		    is_sent_again(nc, i, now)) {
			write_datagram(nc, i, out);
			p->sent++;
			return true;
		}
	}
	for (unsigned i = 0; i < PROBES; i++)
		asking |= nc->probe[i].step == ASKING;
	for (unsigned i = 0; i < nc->config.servers; i++)
		asking |= nc->config.server[i].is_awaited;
	nc->over = !asking;
	return false;
}

teredo_time netcheck_deadline(const struct netcheck *nc)
{
	teredo_time next = nc->end;

	if (nc->over)
		return TEREDO_NEVER;
	for (unsigned i = 0; i < PROBES; i++)
		if (nc->probe[i].step == ASKING && nc->probe[i].next < next)
			next = nc->probe[i].next;
	return next;
}

/* ---- answers ---- */

/* Which transmission of the probe has this nonce, from 1; 0: none. */
static unsigned transmission(const struct probe *p, const uint8_t *nonce)
{
	unsigned n = p->nonce[WIRE_NONCE_LEN - 1] ^ nonce[WIRE_NONCE_LEN - 1];

	if (p->step != ASKING || n >= p->sent ||
	    memcmp(p->nonce, nonce, WIRE_NONCE_LEN - 1) != 0)
		return 0;
	return n + 1;
}

/* Whether anything of ours went there: many NATs let in who was sent to. */
static bool is_contacted(const struct netcheck *nc, uint32_t ip)
{
	for (unsigned i = 0; i < nc->config.servers; i++)
		if (nc->config.server[i].ip2 == ip &&
		    look_at(nc, i, SECOND)->sent > 0)
			return true;
	return is_listed(nc, ip);
}

/* Whether an answer to that probe may come from there. */
static bool is_from(const struct netcheck_server *s, enum kind kind,
		    struct teredo_ep from)
{
	if (kind == CONE)
		return from.port == addr_server_ep(s->ip).port &&
		       from.ip != s->ip && ipv4_is_global(from.ip);
	return ep_equal(from, addr_server_ep(kind == SECOND ? s->ip2 : s->ip));
}

/* C-QUAL-08, C-QUAL-11, A-ADDR-07 */
static bool is_good(const struct wire_packet *p,
		    const struct netcheck_server *s)
{
	struct icmp6_ra ra;

	return icmp6_parse_ra(p, &ra) && p->has_origin &&
	       p->auth.confirmation == 0 && ipv4_is_global(p->origin.ip) &&
	       p->origin.port != 0 &&
	       addr_in_prefix(&ra.prefix, addr_default_prefix()) &&
	       addr_server(&ra.prefix) == s->ip;
}

static void take_answer(struct netcheck *nc, unsigned i, enum kind kind,
			const struct wire_packet *p, struct teredo_ep from,
			teredo_time now)
{
	struct probe *probe = probe_of(nc, i, kind);
	struct netcheck_server *s = &nc->config.server[i];
	unsigned n = transmission(probe, p->auth.nonce);

	if (n == 0 || !is_from(s, kind, from))
		return;
	if (kind == CONE && is_contacted(nc, from.ip)) {
		probe->step = IDLE;
		return;
	}
	if (!is_good(p, s)) {
		if (s->state != NETCHECK_OK)
			s->state = NETCHECK_INVALID;
		return;
	}
	probe->step = ANSWERED;
	if (kind == PRIMARY) {
		s->state = NETCHECK_OK;
		s->rtt = now - probe->at[n - 1];
		s->mapped = p->origin;
	} else if (kind == SECOND) {
		s->mapped2 = p->origin;
	} else {
		s->ip2 = from.ip; /* it knows best */
	}
	ask_next(nc, now);
}

/* Whether the gateway may have sent it back to us, with its own address on
 * either side or with ours. */
static bool is_turned(const struct netcheck *nc, struct teredo_ep from)
{
	const struct netcheck_server *s;

	if (nc->first < 0)
		return false;
	s = &nc->config.server[nc->first];
	return from.ip == s->mapped.ip || from.ip == s->local_ip ||
	       from.ip == nc->config.gateway;
}

static void take_packet(struct netcheck *nc, enum netcheck_socket socket,
			const struct wire_packet *p, struct teredo_ep from,
			teredo_time now)
{
	struct probe *hairpin = &nc->probe[HAIRPIN];

	for (unsigned i = 0; i < nc->config.servers; i++) {
		if (socket == NETCHECK_FILTER) {
			take_answer(nc, i, CONE, p, from, now);
		} else {
			take_answer(nc, i, PRIMARY, p, from, now);
			take_answer(nc, i, SECOND, p, from, now);
		}
	}
	if (socket == NETCHECK_MAIN && icmp6_is_rs(p) && is_turned(nc, from) &&
	    transmission(hairpin, p->auth.nonce) != 0)
		hairpin->step = ANSWERED;
}

static void take_fact(struct netcheck *nc, unsigned i, enum netcheck_fact fact)
{
	if (nc->probe[i].step != ASKING || fact == NETCHECK_UNKNOWN)
		return;
	nc->probe[i].step = ANSWERED;
	nc->probe[i].fact = fact;
}

static void take_from_gateway(struct netcheck *nc, enum netcheck_socket socket,
			      struct teredo_ep from, const uint8_t *data,
			      size_t len)
{
	if (from.ip != nc->config.gateway)
		return;
	if (from.port != htons(NETCHECK_PMP_PORT))
		take_fact(nc, UPNP, netcheck_get_ssdp(data, len));
	else if (socket == NETCHECK_PCP)
		take_fact(nc, PCP, netcheck_get_pcp(data, len));
	else
		take_fact(nc, NAT_PMP, netcheck_get_nat_pmp(data, len));
}

void netcheck_in(struct netcheck *nc, enum netcheck_socket socket,
		 struct teredo_ep from, const uint8_t *data, size_t len,
		 teredo_time now)
{
	struct wire_packet p;

	if (nc->over)
		return;
	if (socket == NETCHECK_GATEWAY || socket == NETCHECK_PCP)
		take_from_gateway(nc, socket, from, data, len);
	else if (wire_parse(&p, data, len) == WIRE_OK && p.auth.present)
		take_packet(nc, socket, &p, from, now);
}

void netcheck_error(struct netcheck *nc, struct teredo_ep to,
		    enum netcheck_state why, uint32_t offender)
{
	for (unsigned i = 0; i < nc->config.servers; i++) {
		struct netcheck_server *s = &nc->config.server[i];

		if (s->ip == 0 || !ep_equal(to, addr_server_ep(s->ip)) ||
		    s->state >= NETCHECK_INVALID)
			continue;
		s->state = why;
		s->offender = offender;
	}
}
