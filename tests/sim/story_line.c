/*
 * story_line.c - lines are as bad as they are said to be
 *
 * As with the NATs: what the other stories lean on is tried by itself first,
 * with plain datagrams. Then a client lives behind the worst of it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "lab.h"
#include "scenario.h"

#define MS     TEREDO_MS
#define MANY   1000u
#define IP_UDP 28u

/* Two hosts on the core; b writes down when the numbered datagrams came. */
struct stage {
	struct link4 *a, *b;
	teredo_time sent[MANY], came[MANY];
	unsigned got, repeated, overtaken, last;
};

static void receive(void *ctx, struct link4 *on, struct datagram *d)
{
	struct stage *s = ctx;
	uint32_t n;

	if (d->len != sizeof(n))
		return;
	memcpy(&n, d->data, sizeof(n));
	s->got++;
	s->repeated += s->came[n] != 0;
	s->overtaken += n < s->last;
	s->last = n;
	if (!s->came[n])
		s->came[n] = on->w->now;
}

static struct stage *set_stage(struct world *w)
{
	struct stage *s = world_alloc(w, sizeof(*s));

	s->a = net4_attach(w, "a", inet_addr("203.0.113.1"), receive, s);
	s->b = net4_attach(w, "b", inet_addr("203.0.113.2"), receive, s);
	s->a->line.delay = 10 * MS;
	return s;
}

static struct teredo_ep at(const struct link4 *l)
{
	return (struct teredo_ep){l->ip, htons(7)};
}

/* 1000 datagrams, 1 ms apart. */
static void send_many(struct stage *s)
{
	struct world *w = s->a->w;

	for (uint32_t i = 0; i < MANY; i++) {
		s->sent[i] = w->now;
		net4_send(s->a, htons(7), at(s->b), &i, sizeof(i));
		world_run(w, MS);
	}
	world_run(w, TEREDO_SECOND);
}

static void a_good_line_keeps_order(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);

	(void)variant;
	send_many(s);
	EXPECT(w, s->got == MANY && !s->repeated && !s->overtaken);
	for (unsigned i = 0; i < MANY; i++)
		EXPECT(w, s->came[i] - s->sent[i] == 10 * MS);
}

static void jitter_delays_within_its_bound(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);
	teredo_time least = TEREDO_NEVER, most = 0;

	(void)variant;
	s->b->line.jitter = 50 * MS;
	send_many(s);
	EXPECT(w, s->got == MANY && !s->repeated && s->overtaken > 100);
	for (unsigned i = 0; i < MANY; i++) {
		teredo_time t = s->came[i] - s->sent[i];

		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	EXPECT(w, least >= 10 * MS && least < 12 * MS);
	EXPECT(w, most > 58 * MS && most < 60 * MS);
}

static void some_come_twice(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);

	(void)variant;
	s->a->line.twice = 100;
	send_many(s);
	EXPECT(w, s->repeated > 50 && s->repeated < 150);
	EXPECT(w, s->got == MANY + s->repeated);
}

static void some_are_overtaken(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);

	(void)variant;
	s->a->line.late = 100;
	send_many(s);
	EXPECT(w, s->got == MANY && !s->repeated);
	EXPECT(w, s->overtaken > 50 && s->overtaken < 200);
}

static void what_is_too_long_is_lost(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);
	uint8_t data[1500] = {0};

	(void)variant;
	s->b->line.mtu = IP_UDP + sizeof(uint32_t);
	send_many(s);
	EXPECT(w, s->got == MANY);
	s->b->line.mtu--;
	send_many(s);
	EXPECT(w, s->got == MANY);
	net4_send(s->a, htons(7), at(s->b), data, sizeof(data));
	world_run(w, TEREDO_SECOND);
	EXPECT(w, s->got == MANY);
}

static void an_island_is_by_itself(struct world *w, unsigned variant)
{
	struct stage *s = set_stage(w);

	(void)variant;
	s->b->line.island = 1;
	send_many(s);
	EXPECT(w, s->got == 0);
	s->a->line.island = 1;
	send_many(s);
	EXPECT(w, s->got == MANY);
}

/* A client on the worst line that one can live with. */
static void a_bad_line_is_lived_with(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = lab_client(l, "alice", NAT_PORT);
	struct node *bob = lab_client(l, "bob", NAT_PORT);
	unsigned answered = 0;

	(void)variant;
	*access_line(alice) = (struct line){.delay = 80 * MS,
					    .jitter = 60 * MS,
					    .loss = 50,
					    .twice = 50,
					    .late = 50,
					    .mtu = TEREDO_MTU + IP_UDP};
	node_start(alice);
	node_start(bob);
	wait_qualified(alice, 30 * TEREDO_SECOND);
	wait_qualified(bob, 2 * TEREDO_SECOND);
	for (unsigned i = 0; i < 20; i++) {
		answered += ping(alice->stack, bob->stack, TEREDO_SECOND) !=
			    TEREDO_NEVER;
		answered += ping(l->host, alice->stack, TEREDO_SECOND) !=
			    TEREDO_NEVER;
	}
	EXPECT(w, answered >= 24);
}

/* ---- a host in the world ---- */

static void a_suspended_host_comes_back(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));

	(void)variant;
	EXPECT(w, ping(alice->stack, l->host, TEREDO_SECOND) != TEREDO_NEVER);
	node_suspend(alice);
	world_run(w, 3600 * TEREDO_SECOND);
	node_resume(alice);
	world_run(w, TEREDO_SECOND);
	wait_qualified(alice, TEREDO_SECOND);
	w->figure = ping(alice->stack, l->host, 2 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, TEREDO_SECOND);
	EXPECT(w, alice->stack->addresses == 2);
}

/* variant: the kind of NAT where it goes; none: in public */
static void where_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "to_%s", nat_kind_name(v));
}

static void a_host_moves_to_another_network(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_CONE));
	struct nat *there = v ? lab_nat(l, "there", v) : NULL;

	EXPECT(w, talks(alice->stack, bob->stack, 3));
	lab_move_client(l, alice, there);
	world_run(w, 2 * TEREDO_SECOND);
	EXPECT(w, is_qualified(alice) && alice->stack->addresses == 2);
	EXPECT(w, ping(bob->stack, alice->stack, 3 * TEREDO_SECOND) !=
			  TEREDO_NEVER);
	EXPECT(w, ping(l->host, alice->stack, TEREDO_SECOND) != TEREDO_NEVER);
}

#define PLACES .variants = NAT_KINDS, .label = where_label

const struct scenario story_line[] = {
	STORY(a_good_line_keeps_order, "R18"),
	STORY(jitter_delays_within_its_bound, "R18"),
	STORY(some_come_twice, "R18"),
	STORY(some_are_overtaken, "R18"),
	STORY(what_is_too_long_is_lost, "R18"),
	STORY(an_island_is_by_itself, "R18"),
	STORY(a_bad_line_is_lived_with, "R18 C-QUAL-05 C-TX-08"),
	STORY(a_suspended_host_comes_back, "R19 C-MNT-05"),
	STORY(a_host_moves_to_another_network, "R10 C-MNT-05", PLACES),
	{.name = NULL},
};
