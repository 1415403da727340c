/*
 * chance_luck.c - what can go wrong, and people who talk meanwhile
 *
 * Talk comes in conversations with pauses between them, so that an hour costs
 * little and every timer gets its turn. Bad luck strikes once in two minutes:
 * lines break or get worse, boxes forget, reboot and move, engines crash and go
 * on from their snapshot, programs restart, hosts sleep and move, parts of the
 * Internet lose each other, and Eve sends what she likes from any address.
 */
#include "config.h"

#include "chance.h"

#include <stdlib.h>

#include "../../libteredo/icmp6.h"

#define TALK_PAUSE 300u /* s, at most */
#define LUCK_PAUSE 240u
#define WATCH	   (10 * TEREDO_SECOND)

/* ---- talk ---- */

struct talk {
	struct stack *from, *to;
	teredo_time gap;
	uint32_t flow;
	unsigned left;
};

static struct stack *anybody(struct chance *s)
{
	unsigned i = chance_draw(s, s->clients + s->relays);

	return i < s->clients ? s->client[i]->stack
			      : s->host[i - s->clients];
}

static void say(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;
	struct talk *t = data, *next;

	if (s->is_over || !t->left)
		return;
	if (t->to->has_addr)
		stack_ping(t->from, &t->to->addr, t->flow, t->left);
	next = malloc(sizeof(*next));
	if (!next)
		abort();
	*next = *t;
	next->left--;
	world_at(w, w->now + t->gap, say, s, next);
}

static void begin_talk(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;
	struct talk *t;
	struct stack *from = anybody(s), *to = anybody(s);

	(void)data;
	if (s->is_over)
		return;
	world_at(w, w->now + chance_time(s, TALK_PAUSE), begin_talk, s, NULL);
	if (from == to)
		return;
	if (!chance_draw(s, 4) && from->has_addr && to->has_addr)
		burst(from, to, 1 + chance_draw(s, 12));
	t = malloc(sizeof(*t));
	if (!t)
		abort();
	*t = (struct talk){.from = from,
			   .to = to,
			   .gap = TEREDO_MS * (50u << chance_draw(s, 10)),
			   .flow = ++from->flows,
			   .left = 1 + chance_draw(s, 40)};
	world_at(w, w->now, say, s, t);
}

/* ---- what breaks, and is repaired by itself ---- */

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
	if (n->life == NODE_CRASHED) {
		node_respawn(n);
	} else if (n->life == NODE_OFF) {
		node_start(n);
	} else if (n->life == NODE_ASLEEP) {
		node_resume(n);
		if (n->ops->is_client)
			client_net_changed(n); /* it may wake elsewhere */
	}
}

static void reunite(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;

	(void)w;
	(void)data;
	for (unsigned i = 0; i < s->nodes; i++)
		access_line(s->node[i])->island = 0;
	for (unsigned i = 0; i < s->nats; i++)
		s->nat[i]->outside->line.island = 0;
}

static void break_line(struct chance *s, struct node *n)
{
	struct line *line = access_line(n);

	line->down = true;
	world_at(s->w, s->w->now + chance_time(s, chance_draw(s, 8) ? 60 : 900),
		 line_up, line, NULL);
}

static void divide(struct chance *s)
{
	for (unsigned i = 0; i < s->nodes; i++)
		access_line(s->node[i])->island = chance_draw(s, 2);
	world_at(s->w, s->w->now + chance_time(s, 300), reunite, s, NULL);
}

static void strike_nat(struct chance *s)
{
	struct nat *nat;

	if (!s->nats)
		return;
	nat = s->nat[chance_draw(s, s->nats)];
	switch (chance_draw(s, 4)) {
	case 0:
		nat_flush(nat);
		break;
	case 1:
		lab_reboot_nat(nat, chance_time(s, 60));
		break;
	case 2:
		lab_move_nat(s->l, nat);
		break;
	default:
		nat->lifetime = (32 + chance_draw(s, 300)) * TEREDO_SECOND;
		break;
	}
}

static void strike_node(struct chance *s, struct node *n)
{
	teredo_time until = s->w->now;

	if (n->life != NODE_ON)
		return;
	switch (chance_draw(s, 3)) {
	case 0:
		node_crash(n);
		until += chance_time(s, 2);
		break;
	case 1:
		node_stop(n);
		until += chance_time(s, 60);
		break;
	default:
		node_suspend(n);
		until += chance_time(s, chance_draw(s, 4) ? 100 : 4000);
		break;
	}
	world_at(s->w, until, revive, n, NULL);
}

static void move(struct chance *s)
{
	struct node *n = s->client[chance_draw(s, s->clients)];
	bool in_public = !s->nats || !chance_draw(s, 4);

	lab_move_client(s->l, n,
			in_public ? NULL : s->nat[chance_draw(s, s->nats)]);
}

/* ---- Eve ---- */

static struct teredo_ep ep_of(struct chance *s)
{
	struct stack *st = s->client[chance_draw(s, s->clients)]->stack;

	if (!chance_draw(s, 5))
		return s->eve->ep;
	if (chance_draw(s, 2) && st->has_addr)
		return addr_mapping(&st->addr);
	return node_ep(s->relays && chance_draw(s, 2)
			       ? s->relay[chance_draw(s, s->relays)]
			       : s->server[chance_draw(s, s->servers)],
		       TEREDO_VIA_PRIMARY);
}

static struct teredo_addr addr_of(struct chance *s)
{
	struct stack *st = anybody(s);

	if (st->has_addr && chance_draw(s, 4))
		return st->addr;
	return teredo_at(s->server[0]->link[0]->ip, ep_of(s));
}

static void eve_sends(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;
	struct teredo_ep from = ep_of(s), to = ep_of(s);
	struct teredo_addr src = addr_of(s), dst = addr_of(s);
	uint8_t junk[100];

	(void)data;
	if (s->is_over)
		return;
	switch (chance_draw(s, 4)) {
	case 0:
		villain_bubble(s->eve, from, to, &src, &dst);
		break;
	case 1:
		villain_echo(s->eve, ICMP6_ECHO_REQUEST, from, to, &src, &dst);
		break;
	case 2:
		villain_echo(s->eve, ICMP6_ECHO_REPLY, from, to, &src, &dst);
		break;
	default:
		rng_fill(&s->rng, junk, sizeof(junk));
		net4_spoof(s->eve->link, from, to, junk,
			   chance_draw(s, sizeof(junk)));
		break;
	}
	if (chance_draw(s, 60)) /* or she has had enough */
		world_at(w, w->now + chance_time(s, 2), eve_sends, s, NULL);
}

/* ---- fate ---- */

static void strike(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;
	struct node *n = s->node[chance_draw(s, s->nodes)];

	(void)data;
	if (s->is_over)
		return;
	switch (chance_draw(s, 8)) {
	case 0:
		break_line(s, n);
		break;
	case 1:
		chance_line(s, access_line(n), true);
		break;
	case 2:
	case 3:
		strike_nat(s);
		break;
	case 4:
		strike_node(s, n);
		break;
	case 5:
		move(s);
		break;
	case 6:
		divide(s);
		break;
	default:
		eve_sends(w, s, NULL);
		break;
	}
	n = s->client[chance_draw(s, s->clients)];
	client_role(n)->dns_down = !chance_draw(s, 10);
	world_at(w, w->now + chance_time(s, LUCK_PAUSE), strike, s, NULL);
}

static void watch(struct world *w, void *ctx, void *data)
{
	struct chance *s = ctx;

	(void)data;
	if (s->is_over)
		return;
	chance_watch(s);
	world_at(w, w->now + WATCH, watch, s, NULL);
}

static void mend(struct chance *s)
{
	s->is_over = true;
	reunite(s->w, s, NULL);
	for (unsigned i = 0; i < s->nats; i++)
		chance_line(s, &s->nat[i]->outside->line, false);
	for (unsigned i = 0; i < s->nodes; i++) {
		chance_line(s, access_line(s->node[i]), false);
		revive(s->w, s->node[i], NULL);
	}
	for (unsigned i = 0; i < s->clients; i++)
		client_role(s->client[i])->dns_down = false;
}

void chance_luck(struct chance *s, teredo_time duration)
{
	world_at(s->w, s->w->now, begin_talk, s, NULL);
	world_at(s->w, s->w->now, strike, s, NULL);
	world_at(s->w, s->w->now, watch, s, NULL);
	world_run(s->w, duration);
	mend(s);
}
