/*
 * nat.c - one table of sessions, read in four ways
 *
 * Like a connection tracker, the box keeps one record for each pair of an
 * inside endpoint and a remote one, with the public port it uses. The kinds
 * differ only in two questions: may a new session share the public port of
 * another one of the same inside endpoint (mapping), and which sessions admit
 * a packet that comes in (filtering). Ports are drawn at random so that no
 * scenario leans on luck, unless the box preserves or counts them.
 *
 * A hairpin is the way out and in again in one step: the one inside sees the
 * public endpoint of the other, and filtering holds as for anybody.
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
	nat->mapping = kind == NAT_SYMMETRIC ? NAT_PER_PORT : NAT_ANY;
	nat->filtering = kind == NAT_CONE      ? NAT_ANY
			 : kind == NAT_ADDRESS ? NAT_PER_ADDRESS
					       : NAT_PER_PORT;
	nat->next_port = 1024;
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

	if (nat->ports == NAT_PRESERVED && port_is_free(nat, port))
		return port;
	do {
		if (nat->ports != NAT_SEQUENTIAL)
			nat->next_port =
				(uint16_t)(1024 + rng_below(&nat->rng, 64512));
		else if (++nat->next_port < 1024)
			nat->next_port = 1024;
		port = htons(nat->next_port);
	} while (!port_is_free(nat, port));
	return port;
}

/* Whether `rule` takes two remotes for one. */
static bool is_same(enum nat_rule rule, struct teredo_ep a, struct teredo_ep b)
{
	return rule == NAT_ANY ||
	       (rule == NAT_PER_ADDRESS ? a.ip == b.ip : ep_equal(a, b));
}

/* The public port for a new session. */
static uint16_t map_port(struct nat *nat, struct teredo_ep inside,
			 struct teredo_ep remote)
{
	for (size_t i = 0; i < nat->n; i++) {
		struct session *s = &nat->sessions[i];

		if (ep_equal(s->inside, inside) && is_alive(nat, s) &&
		    is_same(nat->mapping, s->remote, remote))
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
	port = map_port(nat, inside, remote);
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

static void let_in(struct nat *nat, struct datagram *d)
{
	for (size_t i = 0; i < nat->n; i++) {
		struct session *s = &nat->sessions[i];

		if (s->port != d->dst.port || !is_alive(nat, s) ||
		    !is_same(nat->filtering, s->remote, d->src))
			continue;
		if (!nat->ignores_inbound)
			s->last = nat->outside->w->now;
		d->dst = s->inside;
		if (s->host->nat != nat)
			net4_drop(s->host, d, "host is gone");
		else
			net4_hand(s->host, d, NULL);
		return;
	}
	net4_drop(nat->outside, d, "filtered");
}

static void translate(struct nat *nat, struct link4 *host, struct datagram *d)
{
	struct session *s = find_session(nat, d->src, d->dst);

	if (!s)
		s = add_session(nat, host, d->src, d->dst);
	s->last = host->w->now;
	d->src = (struct teredo_ep){nat->outside->ip, s->port};
}

/* From the inside, over the host's line. */
static void go_out(struct world *w, void *link, void *datagram)
{
	struct link4 *host = link;
	struct nat *nat = host->nat;
	struct datagram *d = datagram;

	(void)w;
	if (!nat || host->ip != d->src.ip) {
		net4_drop(host, d, "host is gone");
		return;
	}
	if (d->dst.ip == nat->outside->ip && !nat->hairpin) {
		net4_drop(nat->outside, d, "no hairpin");
		return;
	}
	translate(nat, host, d);
	if (d->dst.ip == nat->outside->ip)
		let_in(nat, d);
	else
		nat->outside->out(nat->outside, net4_copy(d));
}

/* From the inside. Takes d. */
static void nat_out(struct link4 *host, struct datagram *d)
{
	struct link4 *to = net4_find(host->w, host->nat, d->dst.ip);

	if (net4_is_multicast(d->dst.ip))
		net4_flood(host, d);
	else if (to)
		net4_hand(to, d, host);
	else
		net4_carry(host, d, go_out);
	free(d);
}

/* From the outside. */
static void nat_in(void *ctx, struct link4 *on, struct datagram *d)
{
	(void)on;
	let_in(ctx, d);
}

void nat_plug(struct nat *nat, struct link4 *l, uint32_t ip)
{
	l->ip = ip;
	l->nat = nat;
	l->out = nat_out;
}

struct link4 *nat_attach(struct nat *nat, const char *name, uint32_t ip,
			 void (*receive)(void *ctx, struct link4 *on,
					 struct datagram *d),
			 void *ctx)
{
	struct link4 *l = link4_new(nat->outside->w, name, receive, ctx);

	nat_plug(nat, l, ip);
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
