/*
 * story_soak.c - hours of bad luck, and then peace
 *
 * Six clients behind NATs of all kinds, two servers, a relay for the network
 * and one on a host talk across each other while lines break and lose
 * packets, NATs forget and move, relays and servers stop, engines crash and
 * clients restart. No client may stay unqualified for long while it could
 * qualify. Then everything is mended: soon every path works. Then everybody
 * is silent: nothing is left over in any table.
 */
#include "config.h"

#include "lab.h"
#include "scenario.h"

#define CLIENTS	  6u
#define FLOWS	  16u
#define SERVERS	  2u
#define NODES	  (CLIENTS + SERVERS + 2u) /* and two relays */
#define HOURS	  2u
#define STUCK	  (120 * TEREDO_SECOND) /* longest without an address */
#define MENDED	  (90 * TEREDO_SECOND)
#define GIVEN_UP  (10 * TEREDO_SECOND)
#define FORGOTTEN (400 * TEREDO_SECOND)

struct soak {
	struct lab *l;
	struct rng rng;
	struct node *client[CLIENTS], *server[SERVERS], *relay[2];
	struct node *node[NODES]; /* all of them */
	struct stack *host[2];
	struct flow *flow[FLOWS];
	unsigned flows;
	teredo_time stuck[CLIENTS]; /* so long now */
	bool is_over;
};

static unsigned draw(struct soak *s, unsigned n)
{
	return (unsigned)rng_below(&s->rng, n);
}

static teredo_time draw_time(struct soak *s, unsigned seconds)
{
	return rng_below(&s->rng, seconds * TEREDO_SECOND);
}

/* ---- the cast ---- */

static void add_flow(struct soak *s, struct stack *from, struct stack *to)
{
	s->flow[s->flows] =
		flow_start(from, to, 500 * TEREDO_MS + draw_time(s, 3));
	s->flows++;
}

/* Whether a and b can talk, and b may wait to be called. */
static bool can_call(const struct node *a, const struct node *b)
{
	enum nat_kind x = a->nat ? a->nat->kind : NAT_NONE;
	enum nat_kind y = b->nat ? b->nat->kind : NAT_NONE;

	if (x == NAT_SYMMETRIC)
		return false;
	return y != NAT_SYMMETRIC || x != NAT_PORT;
}

static void gather(struct soak *s)
{
	static const char *const names[CLIENTS] = {"alice", "bob",  "carol",
						   "dave",  "erin", "frank"};
	struct lab *l = s->l;

	s->server[0] = l->server;
	s->server[1] = lab_server(l, "second", true);
	s->relay[0] = l->relay;
	s->host[0] = l->host;
	s->host[1] = lab_host(l, "host2");
	s->relay[1] = lab_relay(l, "own-relay", s->host[1]);
	for (unsigned i = 0; i < CLIENTS; i++) {
		enum nat_kind kind = i < NAT_KINDS ? i : draw(s, NAT_KINDS);

		l->server = s->server[draw(s, SERVERS)];
		s->client[i] = lab_client(l, names[i], kind);
		s->node[i] = s->client[i];
		node_start(s->client[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		s->node[CLIENTS + i] = s->server[i];
		s->node[CLIENTS + 2 + i] = s->relay[i];
	}
}

static void begin_talk(struct soak *s)
{
	while (s->flows < FLOWS / 2) {
		struct stack *host = s->host[draw(s, 2)];
		struct node *client = s->client[draw(s, CLIENTS)];

		if (s->flows % 2)
			add_flow(s, host, client->stack);
		else
			add_flow(s, client->stack, host);
	}
	while (s->flows < FLOWS) {
		struct node *a = s->client[draw(s, CLIENTS)];
		struct node *b = s->client[draw(s, CLIENTS)];

		if (a != b && can_call(a, b))
			add_flow(s, a->stack, b->stack);
	}
}

/* ---- bad luck ---- */

static void line_up(struct world *w, void *line, void *data)
{
	(void)w;
	(void)data;
	((struct line *)line)->down = false;
}

static void revive(struct world *w, void *node, void *data)
{
	struct node *n = node;

	(void)w;
	(void)data;
	if (n->life == NODE_CRASHED)
		node_respawn(n);
	else if (n->life == NODE_OFF)
		node_start(n);
}

static void break_line(struct soak *s, struct node *n)
{
	struct line *line = access_line(n);

	line->down = true;
	world_at(s->l->w, s->l->w->now + draw_time(s, 40), line_up, line, NULL);
}

static void strike_nat(struct soak *s, struct nat *nat)
{
	if (!nat)
		return;
	if (draw(s, 2))
		nat_flush(nat);
	else
		lab_move_nat(s->l, nat);
}

static void strike(struct world *w, void *soak, void *data)
{
	struct soak *s = soak;
	struct node *n = s->node[draw(s, NODES)];

	(void)data;
	if (s->is_over)
		return;
	switch (draw(s, 6)) {
	case 0:
		break_line(s, n);
		break;
	case 1:
		access_line(n)->loss = draw(s, 100);
		break;
	case 2:
		strike_nat(s, n->nat);
		break;
	case 3:
		if (n->life == NODE_ON) {
			node_crash(n);
			world_at(w, w->now + draw_time(s, 1), revive, n, NULL);
		}
		break;
	case 4:
		if (n->life == NODE_ON) {
			node_stop(n);
			world_at(w, w->now + draw_time(s, 30), revive, n, NULL);
		}
		break;
	default:
		s->flow[draw(s, FLOWS)]->is_silent ^= true;
		break;
	}
	world_at(w, w->now + draw_time(s, 20), strike, s, NULL);
}

/* ---- what must hold ---- */

static bool is_in_service(const struct node *n)
{
	return n->life == NODE_ON && !access_line(n)->down;
}

static bool could_qualify(const struct soak *s, const struct node *client)
{
	for (unsigned i = 0; i < SERVERS; i++)
		if (s->server[i]->link[0]->ip ==
		    client_role(client)->server[0].ip)
			return is_in_service(client) &&
			       is_in_service(s->server[i]);
	return false;
}

static void watch(struct world *w, void *soak, void *data)
{
	struct soak *s = soak;

	(void)data;
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct node *n = s->client[i];

		if (!could_qualify(s, n) || is_qualified(n))
			s->stuck[i] = 0;
		s->stuck[i] += TEREDO_SECOND;
		if (s->stuck[i] > w->figure)
			w->figure = s->stuck[i];
		EXPECT_AT_MOST(w, s->stuck[i], STUCK);
	}
	if (!s->is_over)
		world_at(w, w->now + TEREDO_SECOND, watch, s, NULL);
}

static void mend(struct soak *s)
{
	struct world *w = s->l->w;

	s->is_over = true;
	for (unsigned i = 0; i < NODES; i++) {
		*access_line(s->node[i]) = (struct line){.delay = TEREDO_MS};
		revive(w, s->node[i], NULL);
	}
	for (unsigned i = 0; i < FLOWS; i++)
		s->flow[i]->is_silent = false;
}

static void expect_peace(struct soak *s)
{
	struct world *w = s->l->w;

	for (unsigned i = 0; i < FLOWS; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	for (unsigned i = 0; i < CLIENTS; i++)
		wait_qualified(s->client[i], TEREDO_SECOND);
	for (unsigned i = 0; i < FLOWS; i++)
		if (flow_lost(s->flow[i], 5))
			world_fail(w, "%s does not reach %s",
				   s->flow[i]->from->name,
				   s->flow[i]->to->name);
}

static void expect_silence(struct soak *s)
{
	struct world *w = s->l->w;
	struct teredo_client_status st;
	struct teredo_relay_status rst;

	/* when the last probe is unanswered, nothing waits any longer */
	world_run(w, GIVEN_UP);
	for (unsigned i = 0; i < CLIENTS; i++)
		EXPECT(w, client_status(s->client[i]).held == 0);
	for (unsigned i = 0; i < 2; i++) {
		teredo_relay_status(s->relay[i]->core, &rst);
		EXPECT(w, rst.held == 0);
	}
	world_run(w, FORGOTTEN);
	for (unsigned i = 0; i < CLIENTS; i++) {
		st = client_status(s->client[i]);
		EXPECT(w, st.peers_direct + st.peers_relay == 0);
		EXPECT(w, st.peers_pending == 0);
		EXPECT(w, node_peers_up(s->client[i]) == 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		teredo_relay_status(s->relay[i]->core, &rst);
		EXPECT(w, rst.peers_proven + rst.peers_unproven == 0);
		EXPECT(w, node_peers_up(s->relay[i]) == 0);
	}
}

static void hours_of_bad_luck_leave_no_trace(struct world *w, unsigned variant)
{
	struct soak *s = world_alloc(w, sizeof(*s));

	(void)variant;
	s->l = lab_new(w);
	s->rng = rng_split(&w->rng);
	gather(s);
	begin_talk(s);
	world_at(w, 10 * TEREDO_SECOND, strike, s, NULL);
	world_at(w, 10 * TEREDO_SECOND, watch, s, NULL);
	world_run(w, HOURS * 3600 * TEREDO_SECOND);
	mend(s);
	world_run(w, MENDED);
	expect_peace(s);
	expect_silence(s);
}

const struct scenario story_soak[] = {
	STORY(hours_of_bad_luck_leave_no_trace,
	      "K2 C-CFG-05 C-MNT-06 R-ENC-10 R-GEN-04", .seeds = 8),
	{.name = NULL},
};
