/*
 * client_outlook.c - what a client knows of a peer, and would do with a packet
 *
 * RFC 4380 5.2.4 as client_path.c and path.c carry it out, told without doing
 * it: for people who ask why a packet does not arrive.
 */
#include "client_internal.h"

#include <string.h>

static void refine(const struct teredo_client *c, struct teredo_view *v)
{
	if (v->way != TEREDO_WAY_DIRECT)
		return;
	if (!addr_in_prefix(&v->addr, addr_default_prefix()))
		v->way = TEREDO_WAY_RELAY;
	else if (client_local_fits(c, &v->addr, v->ep))
		v->way = TEREDO_WAY_LOCAL;
}

bool teredo_client_peer(const struct teredo_client *c, uint32_t slot,
			teredo_time now, struct teredo_view *v)
{
	const struct peer *p = peers_at(c->path.peers, slot);

	if (p == NULL)
		return false;
	path_view(&c->path, p, now, v);
	refine(c, v);
	return true;
}

void teredo_client_outlook(const struct teredo_client *c,
			   const struct teredo_addr *addr, teredo_time now,
			   struct teredo_outlook *o)
{
	const struct wire_packet p = { .src = c->addr, .dst = *addr };

	path_outlook(&c->path, addr, now, o);
	refine(c, &o->peer);
	o->reason = client_path_objection(c, &p);
	if (c->has_address && addr_equal(addr, &c->addr)) {
		o->would = TEREDO_WOULD_DELIVER;
	} else if (o->reason != CLIENT_NO_OBJECTION) {
		o->would = TEREDO_WOULD_DROP;
	} else if (o->would == TEREDO_WOULD_BUBBLE) {
		o->server_ip = addr_server(addr);
		if (!addr_in_prefix(addr, addr_default_prefix())) {
			o->would = TEREDO_WOULD_TEST;
			o->server_ip = c->used.ip;
		}
	}
}
