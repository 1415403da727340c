/*
 * chance_goals.c - what must be well when nothing goes wrong any more
 *
 *   stuck     a client that could qualify does within 120 s (K2), also while
 *             things go wrong elsewhere
 *   reach     each pair for which its NATs leave a way exchanges packets, both
 *             ways, within 90 s
 *   at-rest   when everybody is silent nothing waits after 10 s, and all are
 *             forgotten after 400 s, but those on the own link who make
 *             themselves known
 *
 * There is a way between two boxes when neither maps by the remote; or when
 * one does and the other lets in, at a mapping that it keeps, whoever comes
 * from an address that it sent to: from there the way is opened (RFC 6081
 * section 3). Two with the same public address need the
 * hairpin of the box that has it, or discovery; with both, and a mapping by
 * the remote, they may hold on to two different ways.
 */
#include "config.h"

#include "chance.h"

#define STUCK	  (120 * TEREDO_SECOND)
#define WATCHED	  (10 * TEREDO_SECOND)
#define REACH	  (90 * TEREDO_SECOND)
#define STEP	  (3 * TEREDO_SECOND)
#define GIVEN_UP  (10 * TEREDO_SECOND)
#define FORGOTTEN (400 * TEREDO_SECOND)
#define PAIRS	  ((CHANCE_CLIENTS + CHANCE_HOSTS) * CHANCE_CLIENTS)

/* ---- stuck ---- */

/* Up, lossless and not on an island, all the way to the core. */
static bool is_line_good(const struct line *line)
{
	return !line->down && !line->loss && !line->island && !line->mtu;
}

static bool is_in_service(const struct node *n)
{
	if (n->life != NODE_ON || !is_line_good(access_line(n)))
		return false;
	for (const struct nat *nat = n->nat; nat; nat = nat->outside->nat)
		if (!is_line_good(&nat->outside->line))
			return false;
	return true;
}

static bool could_qualify(const struct chance *s, const struct node *client)
{
	const struct client_role *c = client_role(client);

	if (!is_in_service(client) || c->dns_down)
		return false;
	for (unsigned k = 0; k < c->config.servers; k++)
		for (unsigned i = 0; i < s->servers; i++)
			if (s->server[i]->link[0]->ip == c->server[k].ip &&
			    is_in_service(s->server[i]))
				return true;
	return false;
}

void chance_watch(struct chance *s)
{
	for (unsigned i = 0; i < s->clients; i++) {
		struct node *n = s->client[i];

		n->stack->n_in = 0; /* nobody asks for it */
		if (!could_qualify(s, n) || is_qualified(n))
			s->stuck[i] = 0;
		s->stuck[i] += WATCHED;
		if (s->stuck[i] > s->w->figure)
			s->w->figure = s->stuck[i];
		if (s->stuck[i] > STUCK + WATCHED)
			referee_foul(n, "stuck", "not qualified for %.0f s",
				     (double)s->stuck[i] / 1e9);
	}
	for (unsigned i = 0; i < s->relays; i++)
		s->host[i]->n_in = 0;
}

/* ---- reach ---- */

/* All boxes before a client as one: the strictest counts. */
struct box {
	enum nat_rule mapping, filtering;
	const struct nat *outermost; /* who has the public address */
};

static struct box box_of(const struct node *n)
{
	struct box b = {NAT_ANY, NAT_ANY, NULL};

	for (const struct nat *nat = n->nat; nat; nat = nat->outside->nat) {
		if (nat->mapping > b.mapping)
			b.mapping = nat->mapping;
		if (nat->filtering > b.filtering)
			b.filtering = nat->filtering;
		b.outermost = nat;
	}
	return b;
}

static bool can_meet(const struct node *a, const struct node *b)
{
	struct box x = box_of(a), y = box_of(b);

	if (a->nat && a->nat == b->nat && client_role(a)->config.discovery &&
	    client_role(b)->config.discovery &&
	    (x.mapping == NAT_ANY || !x.outermost->hairpin))
		return true;
	if (x.outermost && x.outermost == y.outermost && !x.outermost->hairpin)
		return false;
	if (x.mapping == NAT_ANY && y.mapping == NAT_ANY)
		return true;
	if (x.mapping == NAT_ANY)
		return x.filtering < NAT_PER_PORT;
	return y.mapping == NAT_ANY && y.filtering < NAT_PER_PORT;
}

struct pair {
	struct stack *a, *b;
	uint32_t flow_a, flow_b;
};

static unsigned pair_all(struct chance *s, struct pair *pair)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->clients; i++) {
		struct node *a = s->client[i];

		for (unsigned k = 0; k < i; k++)
			if (can_meet(a, s->client[k]))
				pair[n++] = (struct pair){
					a->stack, s->client[k]->stack, 0, 0};
		for (unsigned k = 0; k < s->relays; k++)
			pair[n++] = (struct pair){a->stack, s->host[k], 0, 0};
	}
	return n;
}

/* Whether it is answered; else asks again. */
static bool asks(struct stack *from, const struct stack *to, uint32_t flow)
{
	if (stack_count(from, ARRIVAL_PONG, flow))
		return true;
	if (to->has_addr)
		stack_ping(from, &to->addr, flow, 0);
	return false;
}

static void expect_reach(struct chance *s)
{
	struct pair pair[PAIRS];
	unsigned n = pair_all(s, pair), missing = 1;
	teredo_time end = s->w->now + REACH;

	for (unsigned i = 0; i < n; i++) {
		pair[i].flow_a = ++pair[i].a->flows;
		pair[i].flow_b = ++pair[i].b->flows;
	}
	while (missing) {
		missing = 0;
		for (unsigned i = 0; i < n; i++) {
			struct pair *p = &pair[i];
			bool a = asks(p->a, p->b, p->flow_a);
			bool b = asks(p->b, p->a, p->flow_b);

			missing += !(a && b);
			if (s->w->now >= end && !(a && b))
				world_fail(s->w,
					   "[reach] %s and %s do not meet",
					   a ? p->b->name : p->a->name,
					   a ? p->a->name : p->b->name);
		}
		world_run(s->w, STEP);
	}
}

/* ---- at rest ---- */

static void expect_held(struct node *n, size_t held, size_t limit,
			const char *what)
{
	if (held > limit)
		referee_foul(n, "at-rest", "%zu %s are left", held, what);
}

static void expect_silence(struct chance *s)
{
	struct teredo_relay_status rst;
	struct teredo_client_status st;

	world_run(s->w, GIVEN_UP);
	for (unsigned i = 0; i < s->clients; i++)
		expect_held(s->client[i], client_status(s->client[i]).held, 0,
			    "octets held");
	for (unsigned i = 0; i < s->relays; i++) {
		teredo_relay_status(s->relay[i]->core, &rst);
		expect_held(s->relay[i], rst.held, 0, "octets held");
	}
	world_run(s->w, FORGOTTEN);
	for (unsigned i = 0; i < s->clients; i++) {
		st = client_status(s->client[i]);
		expect_held(s->client[i],
			    st.peers_direct + st.peers_relay + st.peers_pending,
			    st.neighbours, "peers");
		expect_held(s->client[i], node_peers_up(s->client[i]),
			    st.neighbours, "peers up");
	}
	for (unsigned i = 0; i < s->relays; i++) {
		teredo_relay_status(s->relay[i]->core, &rst);
		expect_held(s->relay[i],
			    rst.peers_proven + rst.peers_unproven, 0, "peers");
	}
}

void chance_goals(struct chance *s)
{
	/* reboots and broken lines that began before end by themselves */
	for (teredo_time t = 0; t < STUCK; t += WATCHED) {
		world_run(s->w, WATCHED);
		chance_watch(s);
	}
	for (unsigned i = 0; i < s->clients; i++)
		if (!is_qualified(s->client[i]))
			wait_qualified(s->client[i], 10 * TEREDO_SECOND);
	expect_reach(s);
	expect_silence(s);
}
