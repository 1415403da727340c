/*
 * netcheck_lifetime.c - nine mappings, left alone for nine times
 *
 * Each socket solicits once and falls silent. When its time has come, ASKER,
 * a socket of its own, has the server send to that mapping: a bubble from
 * ASKER's Teredo address to the one that the mapping makes is forwarded by the
 * server (RFC 4380 5.3.1), whose packets the NAT lets in as long as it knows
 * the mapping. It is the trick of 5.2.7. ASKER solicits first, because the
 * server compares its address with where it comes from.
 *
 * The first is asked for at once, before its rest: a server that forwards
 * nothing would else be a mapping that is gone. Then it solicits anew.
 *
 * As they run side by side, the whole takes as long as the longest one; the
 * first that is gone ends it. They begin one after the other, at the pace at
 * which servers answer one host. A step that could not be asked, because the
 * server did not answer, says nothing.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../libteredo/addr.h"
#include "../libteredo/icmp6.h"
#include "../libteredo/wire.h"
#include "netcheck_lifetime.h"

#define SPACING (500 * TEREDO_MS)
#define TRIES	4u

enum phase { OPENING, RESTING, FINDING, KNOCKING, ENDED };

struct step {
	enum phase phase;
	bool control; /* not yet rested: is to be heard */
	teredo_time rest, next;
	unsigned tries;
	struct teredo_ep mapped;
	uint8_t nonce[WIRE_NONCE_LEN];
};

struct netcheck_lifetime {
	uint32_t server_ip;
	struct teredo_env env;
	struct teredo_addr self; /* ASKER's, of the step that is asked */
	struct netcheck_life life;
	bool forwards, over; /* forwards: the server does, as we heard */
	struct step step[NETCHECK_STEPS];
};

static void enter(struct netcheck_lifetime *l, struct step *s, enum phase phase,
		  teredo_time when)
{
	s->phase = phase;
	s->next = when;
	s->tries = 0;
	l->env.random(l->env.ctx, s->nonce, sizeof(s->nonce));
}

struct netcheck_lifetime *netcheck_lifetime_new(uint32_t server_ip,
						teredo_time longest,
						const struct teredo_env *env,
						teredo_time now)
{
	/* 5 min: 15 s, 30 s, 45 s, 60 s, 90 s, 2, 3, 4, 5 min */
	static const unsigned twentieths[NETCHECK_STEPS] = {1, 2,  3,  4, 6,
							    8, 12, 16, 20};
	struct netcheck_lifetime *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->server_ip = server_ip;
	l->env = *env;
	l->life.measured = true;
	for (unsigned i = 0; i < NETCHECK_STEPS; i++) {
		l->step[i].rest = longest / 20 * twentieths[i];
		/* the control takes two turns more */
		enter(l, &l->step[i], OPENING,
		      now + (i > 0 ? i + 2 : 0) * SPACING);
	}
	l->step[0].control = true;
	return l;
}

void netcheck_lifetime_free(struct netcheck_lifetime *l)
{
	free(l);
}

static size_t put_rs(uint8_t *out, const struct step *s)
{
	struct teredo_addr src;

	addr_make_link_local(&src, 0, (struct teredo_ep){0, 0});
	wire_put_auth(out, s->nonce);
	icmp6_put_rs(out + WIRE_AUTH_LEN, &src);
	return WIRE_AUTH_LEN + ICMP6_RS_LEN;
}

static void address_of(const struct netcheck_lifetime *l,
		       struct teredo_ep mapped, struct teredo_addr *a)
{
	addr_make(a, addr_default_prefix(), l->server_ip, 0, mapped);
}

/* Whether there is something to send for the step now. */
static bool act(struct netcheck_lifetime *l, unsigned i, teredo_time now,
		struct netcheck_datagram *out)
{
	struct step *s = &l->step[i];
	struct teredo_addr dst;

	if (s->phase == RESTING)
		enter(l, s, FINDING, now);
	if (s->tries == TRIES) {
		/* only a knock that nobody hears tells something */
		if (s->phase == KNOCKING) {
			if (l->forwards && !s->control)
				l->life.gone = s->rest;
			l->over = true;
		}
		s->phase = ENDED;
		return false;
	}
	s->tries++;
	s->next = now + SPACING;
	if (s->phase == KNOCKING) {
		address_of(l, s->mapped, &dst);
		wire_put_bubble(out->data, &l->self, &dst);
		out->len = WIRE_BUBBLE_LEN;
	} else {
		out->len = put_rs(out->data, s);
	}
	out->to = addr_server_ep(l->server_ip);
	return true;
}

bool netcheck_lifetime_next(struct netcheck_lifetime *l, teredo_time now,
			    unsigned *socket, struct netcheck_datagram *out)
{
	for (unsigned i = 0; i < NETCHECK_STEPS && !l->over; i++) {
		struct step *s = &l->step[i];

		if (s->phase == ENDED || s->next > now)
			continue;
		if (act(l, i, now, out)) {
			*socket = s->phase == OPENING ? i : NETCHECK_ASKER;
			return true;
		}
	}
	return false;
}

teredo_time netcheck_lifetime_deadline(const struct netcheck_lifetime *l)
{
	teredo_time next = TEREDO_NEVER;

	for (unsigned i = 0; i < NETCHECK_STEPS && !l->over; i++)
		if (l->step[i].phase != ENDED && l->step[i].next < next)
			next = l->step[i].next;
	return next;
}

static bool is_answer(const struct netcheck_lifetime *l, const struct step *s,
		      const struct wire_packet *p)
{
	struct icmp6_ra ra;

	return p->auth.present && p->auth.confirmation == 0 &&
	       memcmp(p->auth.nonce, s->nonce, sizeof(s->nonce)) == 0 &&
	       p->has_origin && ipv4_is_global(p->origin.ip) &&
	       p->origin.port != 0 && icmp6_parse_ra(p, &ra) &&
	       addr_server(&ra.prefix) == l->server_ip;
}

/* The bubble that the server forwarded. */
static bool is_knock(const struct netcheck_lifetime *l, const struct step *s,
		     const struct wire_packet *p)
{
	struct teredo_addr dst;

	address_of(l, s->mapped, &dst);
	return wire_is_bubble(p) && addr_equal(&p->src, &l->self) &&
	       addr_equal(&p->dst, &dst);
}

static void hear(struct netcheck_lifetime *l, struct step *s, teredo_time now)
{
	l->forwards = true;
	if (s->control) {
		s->control = false;
		enter(l, s, OPENING, now + SPACING);
		return;
	}
	s->phase = ENDED;
	if (s->rest > l->life.alive)
		l->life.alive = s->rest;
}

void netcheck_lifetime_in(struct netcheck_lifetime *l, unsigned socket,
			  struct teredo_ep from, const uint8_t *data,
			  size_t len, teredo_time now)
{
	struct wire_packet p;

	if (!ep_equal(from, addr_server_ep(l->server_ip)) ||
	    wire_parse(&p, data, len) != WIRE_OK)
		return;
	for (unsigned i = 0; i < NETCHECK_STEPS; i++) {
		struct step *s = &l->step[i];

		if (socket == i && s->phase == OPENING && is_answer(l, s, &p)) {
			s->mapped = p.origin;
			if (s->control)
				enter(l, s, FINDING, now + SPACING);
			else
				enter(l, s, RESTING, now + s->rest);
		} else if (socket == NETCHECK_ASKER && s->phase == FINDING &&
			   is_answer(l, s, &p)) {
			address_of(l, p.origin, &l->self);
			enter(l, s, KNOCKING, now);
		} else if (socket == i && s->phase == KNOCKING &&
			   is_knock(l, s, &p)) {
			hear(l, s, now);
		}
	}
}

void netcheck_lifetime_result(const struct netcheck_lifetime *l,
			      struct netcheck_life *life)
{
	*life = l->life;
}
