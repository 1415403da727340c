/*
 * nat.c - one table of sessions, read in four ways
 *
 * Like a connection tracker, the box keeps one record for each pair of an
 * inside endpoint and a remote one, with the public port it uses. The kinds
 * differ only in two questions: may a new session share the public port of
 * another one of the same inside endpoint (mapping), and which sessions admit
 * a packet that comes in (filtering). Ports are drawn at random so that no
 * scenario leans on luck, unless the box preserves them.
 */
#include "config.h"

#include "nat.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

#include "../../libteredo/addr.h"

struct session {
	struct link4 *host;
	struct teredo_ep inside, remote;
	uint16_t port; /* on the outside */
	teredo_time last;
};

static const char *const names[NAT_KINDS] = {
	[NAT_NONE] = "none",	       [NAT_CONE] = "cone",
	[NAT_ADDRESS] = "address",     [NAT_PORT] = "port",
	[NAT_SYMMETRIC] = "symmetric",
};

const char *nat_kind_name(enum nat_kind kind)
{
	assert(kind < NAT_KINDS);
	return names[kind];
}

static void nat_end(void *nat)
{
	free(((struct nat *)nat)->sessions);
}

static void nat_in(void *ctx, struct link4 *on, struct datagram *d);

struct nat *nat_new(struct world *w, const char *name, enum nat_kind kind,
		    uint32_t ip)
{
	struct nat *nat = world_alloc_with(w, sizeof(*nat), nat_end);

	assert(kind != NAT_NONE);
	nat->kind = kind;
	nat->lifetime = 60 * TEREDO_SECOND;
	nat->rng = rng_split(&w->rng);
	nat->outside = net4_attach(w, name, ip, nat_in, nat);
	return nat;
}

static bool is_alive(const struct nat *nat, const struct session *s)
{
	return nat->outside->w->now - s->last < nat->lifetime;
}

static struct session *find_session(struct nat *nat, struct teredo_ep inside,
				    struct teredo_ep remote)
{
	for (size_t i = 0; i < nat->n; i++) {
		struct session *s = &nat->sessions[i];

		if (ep_equal(s->inside, inside) &&
		    ep_equal(s->remote, remote) && is_alive(nat, s))
			return s;
	}
	return NULL;
}

static bool port_is_free(const struct nat *nat, uint16_t port)
{
	for (size_t i = 0; i < nat->n; i++)
		if (nat->sessions[i].port == port &&
		    is_alive(nat, &nat->sessions[i]))
			return false;
	return true;
}

static uint16_t new_port(struct nat *nat, uint16_t wanted)
{
	uint16_t port = wanted;

	if (nat->preserves_port && port_is_free(nat, port))
		return port;
	do
		port = htons((uint16_t)(1024 + rng_below(&nat->rng, 64512)));
	while (!port_is_free(nat, port));
	return port;
}

/* The public port for a new session: the kind of mapping. */
static uint16_t map_port(struct nat *nat, struct teredo_ep inside)
{
	for (size_t i = 0; nat->kind != NAT_SYMMETRIC && i < nat->n; i++) {
		struct session *s = &nat->sessions[i];

		if (ep_equal(s->inside, inside) && is_alive(nat, s))
			return s->port;
	}
	return new_port(nat, inside.port);
}

static void forget_dead(struct nat *nat)
{
	size_t kept = 0;

	for (size_t i = 0; i < nat->n; i++)
		if (is_alive(nat, &nat->sessions[i]))
			nat->sessions[kept++] = nat->sessions[i];
	nat->n = kept;
}

static struct session *add_session(struct nat *nat, struct link4 *host,
				   struct teredo_ep inside,
				   struct teredo_ep remote)
{
	struct session *s;
	uint16_t port;

	forget_dead(nat);
	port = map_port(nat, inside);
	if (nat->n == nat->room) {
		nat->room = nat->room ? 2 * nat->room : 16;
		nat->sessions = realloc(nat->sessions,
					nat->room * sizeof(*nat->sessions));
		assert(nat->sessions);
	}
	s = &nat->sessions[nat->n++];
	*s = (struct session){host, inside, remote, port, 0};
	return s;
}

/* From the inside. Takes d. */
static void nat_out(struct link4 *host, struct datagram *d)
{
	struct nat *nat = host->nat;
	struct session *s;

	if (!net4_crosses(host, d)) {
		free(d);
		return;
	}
	s = find_session(nat, d->src, d->dst);
	if (!s)
		s = add_session(nat, host, d->src, d->dst);
	s->last = host->w->now;
	d->src = (struct teredo_ep){nat->outside->ip, s->port};
	net4_forward(nat->outside, d);
}

/* Whether s lets a packet from `remote` in: the kind of filtering. */
static bool admits(const struct nat *nat, const struct session *s,
		   struct teredo_ep remote)
{
	switch (nat->kind) {
	case NAT_CONE:
		return true;
	case NAT_ADDRESS:
		return s->remote.ip == remote.ip;
	case NAT_PORT:
	case NAT_SYMMETRIC:
		return ep_equal(s->remote, remote);
	case NAT_NONE:
	case NAT_KINDS:
		break;
	}
	return false;
}

/* From the outside. */
static void nat_in(void *ctx, struct link4 *on, struct datagram *d)
{
	struct nat *nat = ctx;

	for (size_t i = 0; i < nat->n; i++) {
		struct session *s = &nat->sessions[i];

		if (s->port != d->dst.port || !is_alive(nat, s) ||
		    !admits(nat, s, d->src))
			continue;
		s->last = on->w->now;
		d->dst = s->inside;
		if (s->host->ip != d->dst.ip)
			net4_drop(s->host, d, "address is gone");
		else if (net4_crosses(s->host, d))
			s->host->receive(s->host->ctx, s->host, d);
		return;
	}
	net4_drop(on, d, "filtered");
}

struct link4 *nat_attach(struct nat *nat, const char *name, uint32_t ip,
			 void (*receive)(void *ctx, struct link4 *on,
					 struct datagram *d),
			 void *ctx)
{
	struct world *w = nat->outside->w;
	struct link4 *l = world_alloc(w, sizeof(*l));

	*l = (struct link4){.w = w,
			    .name = name,
			    .ip = ip,
			    .out = nat_out,
			    .nat = nat,
			    .receive = receive,
			    .ctx = ctx};
	return l;
}

void nat_flush(struct nat *nat)
{
	nat->n = 0;
	world_note(nat->outside->w, nat->outside->name, "flushed");
}

void nat_move(struct nat *nat, uint32_t ip)
{
	nat_flush(nat);
	nat->outside->ip = ip;
	world_note(nat->outside->w, nat->outside->name, "public address moved");
}
