/*
 * netcheck_conclude.c - what follows from the answers that netcheck.c got
 *
 * Only mappings of one local address are compared. What the two addresses of
 * one server see counts most; that several servers see ports of one address
 * is a NAT whose mapping varies, too. That they see different addresses, or
 * disagree otherwise, leaves it unknown: there may be several ways out.
 *
 * That no answer to CONE comes says something only where SECOND shows that the
 * server has a second address at all. A probe that had neither been answered
 * nor failed by the end leaves its fact unknown: nothing is guessed.
 */
#include "config.h"

#include <string.h>

#include "netcheck_internal.h"

/* Two mappings of one socket. False: another two have said the opposite. */
static bool compare(struct netcheck_report *r, struct teredo_ep a,
		    uint32_t by_a, struct teredo_ep b, uint32_t by_b)
{
	enum netcheck_fact before = r->varies;

	r->varies = ep_equal(a, b) ? NETCHECK_NO : NETCHECK_YES;
	if (before == NETCHECK_UNKNOWN) {
		r->seen_by[0] = by_a;
		r->seen_by[1] = by_b;
	}
	return before == NETCHECK_UNKNOWN || before == r->varies;
}

/* False: they disagree. */
static bool compare_all(struct netcheck_report *r,
			const struct netcheck_server *first)
{
	const struct netcheck_server *s, *end = r->server + r->servers;

	for (s = r->server; s < end; s++)
		if (s->local_ip == first->local_ip && s->mapped2.port != 0 &&
		    !compare(r, s->mapped, s->ip, s->mapped2, s->ip2))
			return false;
	if (r->varies == NETCHECK_YES)
		return true;
	for (s = r->server; s < end; s++)
		if (s != first && s->local_ip == first->local_ip &&
		    s->mapped.port != 0 &&
		    (!compare(r, first->mapped, first->ip, s->mapped, s->ip) ||
		     s->mapped.ip != first->mapped.ip))
			return false;
	return true;
}

static bool moves_port(const struct netcheck_report *r, struct teredo_ep mapped)
{
	return mapped.port != 0 && mapped.port != r->local.port;
}

static void report_mapping(const struct netcheck *nc, struct netcheck_report *r)
{
	const struct netcheck_server *s = &r->server[nc->first];

	r->udp = NETCHECK_YES;
	r->mapped = s->mapped;
	r->local = (struct teredo_ep){s->local_ip, nc->config.local_port};
	if (!compare_all(r, s))
		r->varies = NETCHECK_UNKNOWN;
	r->port_preserving = NETCHECK_YES;
	for (unsigned i = 0; i < r->servers; i++)
		if (moves_port(r, r->server[i].mapped) ||
		    moves_port(r, r->server[i].mapped2))
			r->port_preserving = NETCHECK_NO;
}

/* One answer that came through is enough; that none did must be no lack of a
 * second address. */
static void report_filtering(const struct netcheck *nc,
			     struct netcheck_report *r)
{
	for (unsigned i = 0; i < r->servers; i++) {
		if (look_at(nc, i, CONE)->step == ANSWERED)
			r->open = NETCHECK_YES;
		else if (look_at(nc, i, CONE)->step == FAILED &&
			 look_at(nc, i, SECOND)->step == ANSWERED &&
			 r->open == NETCHECK_UNKNOWN)
			r->open = NETCHECK_NO;
	}
}

static enum netcheck_fact fact_of(const struct probe *p)
{
	switch (p->step) {
	case ANSWERED:
		return p->fact;
	case FAILED:
		return NETCHECK_NO;
	case IDLE:
	case ASKING:
	default:
		return NETCHECK_UNKNOWN;
	}
}

static enum netcheck_nat judge(const struct netcheck *nc,
			       const struct netcheck_report *r)
{
	if (nc->first < 0)
		return NETCHECK_NAT_UNKNOWN;
	if (r->varies == NETCHECK_YES)
		return NETCHECK_NAT_SYMMETRIC;
	if (is_ours(nc, &r->server[nc->first]))
		return NETCHECK_NAT_NONE;
	if (r->varies == NETCHECK_UNKNOWN)
		return NETCHECK_NAT_UNKNOWN;
	if (r->open == NETCHECK_UNKNOWN)
		return NETCHECK_NAT_EASY;
	return r->open == NETCHECK_YES ? NETCHECK_NAT_CONE
				       : NETCHECK_NAT_RESTRICTED;
}

/* Only a refusal that somebody states is a No: servers may be down. */
static void report_udp(struct netcheck_report *r)
{
	for (unsigned i = 0; i < r->servers; i++)
		if (r->server[i].state == NETCHECK_BLOCKED)
			r->udp = NETCHECK_NO;
}

void netcheck_report(const struct netcheck *nc, struct netcheck_report *r)
{
	const struct probe *hairpin = &nc->probe[HAIRPIN];

	memset(r, 0, sizeof(*r));
	r->nearest = -1;
	r->servers = nc->config.servers;
	memcpy(r->server, nc->config.server, sizeof(r->server));
	for (unsigned i = 0; i < r->servers; i++)
		if (r->server[i].state == NETCHECK_OK &&
		    (r->nearest < 0 ||
		     r->server[i].rtt < r->server[r->nearest].rtt))
			r->nearest = (int)i;
	if (nc->first >= 0)
		report_mapping(nc, r);
	else
		report_udp(r);
	report_filtering(nc, r);
	if (hairpin->step == ANSWERED || hairpin->step == FAILED)
		r->hairpin =
			hairpin->step == ANSWERED ? NETCHECK_YES : NETCHECK_NO;
	r->nat_pmp = fact_of(&nc->probe[NAT_PMP]);
	r->pcp = fact_of(&nc->probe[PCP]);
	r->upnp = fact_of(&nc->probe[UPNP]);
	r->nat = judge(nc, r);
}
