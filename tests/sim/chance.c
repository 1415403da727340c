/*
 * chance.c - the cast of a random world
 *
 * Everything that a story would choose is drawn: one or two servers, a relay
 * for the network and perhaps one on a host, two to six clients, each public
 * or behind a box of its own, a neighbour's, or a carrier's as well. Boxes
 * combine any mapping with any filtering, and keep an idle mapping for longer
 * than a client waits between two solicitations: with less there is nothing to
 * expect.
 */
#include "config.h"

#include "chance.h"

#define LEAST_LIFETIME 32u /* s; a client asks its server every 30 */

unsigned chance_draw(struct chance *s, unsigned n)
{
	return (unsigned)rng_below(&s->rng, n);
}

teredo_time chance_time(struct chance *s, unsigned seconds)
{
	return rng_below(&s->rng, seconds * TEREDO_SECOND);
}

void chance_line(struct chance *s, struct line *line, bool wild)
{
	*line = (struct line){
		.delay = (1 + chance_draw(s, 100)) * TEREDO_MS,
		.jitter = chance_draw(s, 3) ? 0
					    : chance_draw(s, 80) * TEREDO_MS,
	};
	if (!wild || chance_draw(s, 3))
		return;
	line->loss = chance_draw(s, 150);
	line->twice = chance_draw(s, 50);
	line->late = chance_draw(s, 50);
	if (!chance_draw(s, 4))
		line->mtu = 500 + chance_draw(s, 1000);
}

static struct nat *add_nat(struct chance *s)
{
	static const char *const names[CHANCE_NATS] = {
		"nat-a", "nat-b", "nat-c", "nat-d", "nat-e", "nat-f"};
	static const char *const rule[] = {"any", "address", "port"};
	static const char *const ports[] = {"random", "preserved", "counted"};
	struct nat *nat = lab_nat(s->l, names[s->nats], NAT_CONE);

	nat->mapping = chance_draw(s, 2) ? NAT_ANY : chance_draw(s, NAT_RULES);
	nat->filtering = chance_draw(s, NAT_RULES);
	nat->ports = chance_draw(s, NAT_SEQUENTIAL + 1);
	nat->hairpin = chance_draw(s, 2);
	nat->ignores_inbound = chance_draw(s, 2);
	nat->lifetime = (LEAST_LIFETIME + chance_draw(s, 300)) * TEREDO_SECOND;
	chance_line(s, &nat->outside->line, false);
	world_note(s->w, nat->outside->name,
		   "maps by %s, filters by %s, ports %s%s%s, %.0f s",
		   rule[nat->mapping], rule[nat->filtering], ports[nat->ports],
		   nat->hairpin ? ", hairpin" : "",
		   nat->ignores_inbound ? ", ignores inbound" : "",
		   (double)nat->lifetime / 1e9);
	s->nat[s->nats++] = nat;
	return nat;
}

/* One that is there, or a new one. */
static struct nat *some_nat(struct chance *s)
{
	struct nat *nat, *carrier;

	if (s->nats && (s->nats == CHANCE_NATS || !chance_draw(s, 3)))
		return s->nat[chance_draw(s, s->nats)];
	nat = add_nat(s);
	if (s->nats < CHANCE_NATS && !chance_draw(s, 4)) {
		carrier = chance_draw(s, 2) ? add_nat(s) : s->nat[0];
		if (carrier != nat && !carrier->outside->nat)
			lab_nat_behind(s->l, nat, carrier);
	}
	return nat;
}

static void add_client(struct chance *s)
{
	static const char *const names[CHANCE_CLIENTS] = {
		"alice", "bob", "carol", "dave", "erin", "frank"};
	const char *name = names[s->clients];
	struct node *n;

	s->l->server = s->server[chance_draw(s, s->servers)];
	n = chance_draw(s, 6) ? lab_client_behind(s->l, name, some_nat(s))
			      : lab_client(s->l, name, NAT_NONE);
	if (s->servers > 1 && chance_draw(s, 2))
		lab_add_server(n, s->server[s->l->server == s->server[0]]);
	if (!n->nat)
		chance_line(s, &n->link[0]->line, false);
	if (chance_draw(s, 2))
		client_role(n)->config.discovery = TEREDO_DISCOVERY_NAT;
	n->stack->meets_strangers = true;
	s->client[s->clients++] = n;
	s->node[s->nodes++] = n;
	node_start(n);
}

/* The servers of a world in which there is nobody, or what most stories need. */
static struct chance *begin(struct world *w, bool is_lean)
{
	struct chance *s = world_alloc(w, sizeof(*s));

	s->w = w;
	s->rng = rng_split(&w->rng);
	s->l = is_lean ? lab_empty(w) : lab_new(w);
	if (is_lean)
		s->l->server = lab_server(s->l, "server", true);
	s->eve = villain_new(w, "eve", "192.0.2.66", 666);
	s->server[s->servers++] = s->l->server;
	if (chance_draw(s, 2))
		s->server[s->servers++] =
			lab_server(s->l, "server2", chance_draw(s, 4));
	for (unsigned i = 0; i < s->servers; i++)
		s->node[s->nodes++] = s->server[i];
	return s;
}

struct chance *chance_new_lean(struct world *w)
{
	struct chance *s = begin(w, true);

	add_client(s);
	return s;
}

struct chance *chance_new(struct world *w)
{
	struct chance *s = begin(w, false);

	s->relay[s->relays] = s->l->relay;
	s->host[s->relays++] = s->l->host;
	if (chance_draw(s, 2)) {
		s->host[s->relays] = lab_host(s->l, "host2");
		s->relay[s->relays] =
			lab_relay(s->l, "own-relay", s->host[s->relays]);
		s->relays++;
	}
	for (unsigned i = 0; i < s->relays; i++) {
		s->node[s->nodes++] = s->relay[i];
		s->host[i]->meets_strangers = true;
	}
	for (unsigned i = 2 + chance_draw(s, CHANCE_CLIENTS - 1); i--;)
		add_client(s);
	return s;
}
