/*
 * story_link.c - two clients behind one NAT that does not hairpin
 *
 * RFC 4380 5.2.8, 7.3.4. Their mappings are of no use to each other; on the
 * link before the NAT they meet. The referee knows of neighbours only what
 * their discovery bubbles said.
 */
#include "config.h"

#include <arpa/inet.h>

#include "lab.h"
#include "scenario.h"
#include "villain.h"

#define VALIDITY (600 * TEREDO_SECOND)

static bool is_at(const struct node *a, const struct node *b,
		  struct teredo_ep ep)
{
	for (unsigned i = 0; i < NODE_PEERS; i++)
		if (a->peer[i].up &&
		    addr_equal(&a->peer[i].addr, &b->stack->addr))
			return ep_equal(a->peer[i].ep, ep);
	return false;
}

static bool are_near(const struct node *a, const struct node *b)
{
	return is_at(a, b, node_ep(b, TEREDO_VIA_PRIMARY)) &&
	       is_at(b, a, node_ep(a, TEREDO_VIA_PRIMARY));
}

struct couple {
	struct nat *nat;
	struct node *alice, *bob;
};

static struct couple couple_new(struct lab *l, enum nat_kind kind)
{
	struct couple c = {.nat = lab_nat(l, "nat", kind)};

	c.alice = lab_neighbour(l, "alice", c.nat);
	c.bob = lab_neighbour(l, "bob", c.nat);
	return c;
}

static struct couple couple_near(struct lab *l)
{
	struct couple c = couple_new(l, NAT_PORT);

	qualify(c.alice);
	qualify(c.bob);
	world_run(l->w, TEREDO_SECOND);
	return c;
}

static void label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s%s",
		 nat_kind_name(1 + v % (NAT_KINDS - 1)),
		 v / 4 % 2 ? "the_late_one_asks" : "the_early_one_asks",
		 v / 8 ? "_after_1000_s" : "");
}

/* Whoever begins, and however long ago they announced themselves. */
static void two_behind_one_nat_meet_on_the_link(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_new(l, 1 + v % (NAT_KINDS - 1));

	qualify(c.alice);
	world_run(w, 100 * TEREDO_SECOND);
	qualify(c.bob);
	if (v / 8)
		world_run(w, 1000 * TEREDO_SECOND);
	if (v / 4 % 2)
		w->figure = ping(c.bob->stack, c.alice->stack,
				 5 * TEREDO_SECOND);
	else
		w->figure = ping(c.alice->stack, c.bob->stack,
				 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 3 * TEREDO_SECOND);
	EXPECT(w, are_near(c.alice, c.bob));
	EXPECT(w, talks(c.alice->stack, c.bob->stack, 10));
	EXPECT(w, talks(c.bob->stack, c.alice->stack, 10));
}

static bool takes_while_not_deaf(struct tap *t, struct datagram *d)
{
	const bool *deaf = t->ctx;

	return !*deaf || !ep_equal(d->dst, referee_group());
}

/* Not one bubble of theirs was heard when they began. */
static void who_never_heard_of_each_other_meet(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_new(l, NAT_PORT);
	bool deaf = true;

	(void)v;
	tap_new(c.alice->link[0], takes_while_not_deaf, &deaf);
	tap_new(c.bob->link[0], takes_while_not_deaf, &deaf);
	qualify(c.alice);
	qualify(c.bob);
	world_run(w, 2 * TEREDO_SECOND);
	EXPECT(w, client_status(c.alice).neighbours == 0 &&
		  client_status(c.bob).neighbours == 0);
	deaf = false;
	w->figure = ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 3 * TEREDO_SECOND);
	EXPECT(w, are_near(c.alice, c.bob));
}

static void a_lossy_link_only_delays_it(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_new(l, NAT_PORT);

	(void)v;
	qualify(c.alice);
	qualify(c.bob);
	c.alice->link[0]->line.loss = c.bob->link[0]->line.loss = 100;
	for (unsigned i = 0; i < 60 && !are_near(c.alice, c.bob); i++)
		ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT(w, are_near(c.alice, c.bob));
}

/* 601 s after its last bubble a silent one is tried by its mapping only. */
static void a_neighbour_is_one_for_600_s(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_near(l);
	struct tap *tap;

	(void)v;
	node_stop(c.bob);
	world_run(w, VALIDITY - 10 * TEREDO_SECOND);
	EXPECT(w, client_status(c.alice).neighbours == 1);
	world_run(w, 10 * TEREDO_SECOND);
	EXPECT(w, client_status(c.alice).neighbours == 0);
	tap = tap_new(c.bob->link[0], NULL, NULL);
	EXPECT(w, ping(c.alice->stack, c.bob->stack, 10 * TEREDO_SECOND) ==
		  TEREDO_NEVER);
	for (unsigned i = 0; i < tap->n; i++)
		EXPECT(w, ep_equal(tap->kept[i]->dst, referee_group()));
	EXPECT(w, tap->n > 0);
}

/* ---- off ---- */

/* B10: the NAT does not hairpin and nobody looks on the link. */
static void without_discovery_little_is_said(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct nat *nat = lab_nat(l, "nat", 1 + v);
	struct node *alice = lab_client_behind(l, "alice", nat);
	struct node *bob = lab_client_behind(l, "bob", nat);
	uint64_t before;

	qualify(alice);
	qualify(bob);
	for (unsigned minute = 0; minute < 5; minute++) {
		before = node_counter(alice, TEREDO_EV_bubble_direct_sent) +
			 node_counter(alice, TEREDO_EV_bubble_indirect_sent);
		for (unsigned i = 0; i < 600; i++) {
			stack_ping(alice->stack, &bob->stack->addr, 7, i);
			world_run(w, 100 * TEREDO_MS);
		}
		EXPECT(w, node_counter(alice, TEREDO_EV_bubble_direct_sent) +
			  node_counter(alice, TEREDO_EV_bubble_indirect_sent) -
			  before <= 10);
	}
	EXPECT(w, stack_count(alice->stack, ARRIVAL_PONG, 7) == 0);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) > 0);
	EXPECT(w, node_counter(alice, TEREDO_EV_discovery_sent) == 0);
}

static void nat_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(1 + v));
}

/* Five minutes of the same traffic to somebody behind our NAT who is silent:
 * the link hears no more of it than the server does. */
static void who_does_not_answer_costs_little(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct nat *nat = lab_nat(l, "nat", NAT_PORT);
	struct node *alice = lab_neighbour(l, "alice", nat);
	struct node *bob = lab_client_behind(l, "bob", nat);

	(void)v;
	qualify(alice);
	qualify(bob);
	for (unsigned i = 0; i < 3000; i++) {
		stack_ping(alice->stack, &bob->stack->addr, 7, i);
		world_run(w, 100 * TEREDO_MS);
	}
	EXPECT(w, stack_count(alice->stack, ARRIVAL_PONG, 7) == 0);
	EXPECT(w, node_counter(alice, TEREDO_EV_discovery_sent) <= 20);
}

/* ---- somebody on the link ---- */

static void count_it(void *ctx, struct link4 *on, struct datagram *d)
{
	struct villain *v = ctx;

	(void)on;
	v->got++;
	if (v->hears)
		v->hears(v, d);
}

static struct villain *villain_inside(struct couple *c, struct world *w)
{
	struct villain *m = world_alloc(w, sizeof(*m));
	uint32_t ip = (c->alice->link[0]->ip & htonl(0xffffff00)) | htonl(66);

	m->w = w;
	m->ep = (struct teredo_ep){ip, htons(6666)};
	m->link = nat_attach(c->nat, "mallory", ip, count_it, m);
	return m;
}

/* Says to be bob, again and again, as a neighbour and as a peer. */
static void claim(struct villain *m, const struct couple *c)
{
	const struct teredo_addr all = {{0xff, 2, [15] = 1}};
	struct teredo_ep alice = node_ep(c->alice, TEREDO_VIA_PRIMARY);

	villain_bubble(m, m->ep, referee_group(), &c->bob->stack->addr, &all);
	villain_bubble(m, m->ep, alice, &c->bob->stack->addr,
		       &c->alice->stack->addr);
}

static void a_peer_that_is_trusted_is_not_captured(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_near(l);
	struct villain *m = villain_inside(&c, w);
	unsigned heard;

	(void)v;
	EXPECT(w, ping(c.alice->stack, c.bob->stack, TEREDO_SECOND) !=
		  TEREDO_NEVER);
	heard = m->got;
	for (unsigned i = 0; i < 100; i++) {
		claim(m, &c);
		EXPECT(w, talks(c.alice->stack, c.bob->stack, 5));
		EXPECT(w, are_near(c.alice, c.bob));
	}
	/* it hears what is said to all, and its answers are few */
	EXPECT(w, m->got - heard < 20);
}

/* He claims a peer that never answered us, and says no more: the peer is
 * found all the same. Bob is elsewhere and his NAT lets everybody in. */
static void a_forged_neighbour_hides_nobody(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_new(l, NAT_PORT);
	struct villain *m = villain_inside(&c, w);

	(void)v;
	client_role(c.alice)->config.discovery = TEREDO_DISCOVERY_ANY;
	c.bob = qualify(lab_client(l, "robert", NAT_CONE));
	qualify(c.alice);
	claim(m, &c);
	world_run(w, 10 * TEREDO_MS);
	w->figure = ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT(w, w->figure != TEREDO_NEVER || m->got > 0);
	world_run(w, 40 * TEREDO_SECOND);
	w->figure = ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 3 * TEREDO_SECOND);
	EXPECT(w, is_at(c.alice, c.bob, addr_mapping(&c.bob->stack->addr)));
}

/* ---- the host ---- */

/* Bob gets another address on the link, and so another mapping. */
static void a_client_that_moves_is_found_again(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_near(l);

	(void)v;
	EXPECT(w, ping(c.alice->stack, c.bob->stack, TEREDO_SECOND) !=
		  TEREDO_NEVER);
	world_run(w, 20 * TEREDO_SECOND);
	c.bob->link[0]->ip ^= htonl(0x80);
	client_net_changed(c.bob);
	world_run(w, 2 * TEREDO_SECOND);
	wait_qualified(c.bob, 5 * TEREDO_SECOND);
	w->figure = ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 3 * TEREDO_SECOND);
	EXPECT(w, are_near(c.alice, c.bob));
}

/* On another link: nothing goes to the old one any more. */
static void who_leaves_the_link_forgets_it(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_near(l);

	(void)v;
	EXPECT(w, client_status(c.alice).peers_local == 1);
	c.alice->link[0]->ip = htonl(0xac100102);
	client_net_changed(c.alice);
	EXPECT(w, client_status(c.alice).peers_local == 0);
	EXPECT(w, client_status(c.alice).neighbours == 0);
}

static void a_crash_costs_no_neighbour(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct couple c = couple_near(l);

	(void)v;
	EXPECT(w, ping(c.alice->stack, c.bob->stack, TEREDO_SECOND) !=
		  TEREDO_NEVER);
	for (unsigned i = 0; i < 5; i++) {
		node_crash(c.alice);
		world_run(w, 20 * TEREDO_MS);
		node_respawn(c.alice);
		EXPECT(w, are_near(c.alice, c.bob));
		EXPECT(w, talks(c.bob->stack, c.alice->stack, 5));
		world_run(w, 10 * TEREDO_SECOND);
	}
	world_run(w, 60 * TEREDO_SECOND);	/* trust is over */
	w->figure = ping(c.alice->stack, c.bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 3 * TEREDO_SECOND);
	EXPECT(w, are_near(c.alice, c.bob));
}

const struct scenario story_link[] = {
	STORY(two_behind_one_nat_meet_on_the_link,
	      "C-LCD-02 C-LCD-08 C-LCD-09 C-RX-15 C-RX-16 C-RX-18 "
	      "C-TX-05 C-TX-12",
	      .variants = 4 * (NAT_KINDS - 1), .label = label, .seeds = 20),
	STORY(who_never_heard_of_each_other_meet, "C-TX-05 C-LCD-08",
	      .seeds = 20),
	STORY(a_lossy_link_only_delays_it, "C-TX-05", .seeds = 50),
	STORY(a_neighbour_is_one_for_600_s, "C-TX-05", .seeds = 5),
	STORY(without_discovery_little_is_said, "C-CFG-08 C-RX-17 C-LCD-10",
	      .variants = NAT_KINDS - 1, .label = nat_label),
	STORY(who_does_not_answer_costs_little, "C-LCD-02"),
	STORY(a_peer_that_is_trusted_is_not_captured, "SEC-DOS-04"),
	STORY(a_forged_neighbour_hides_nobody, "SEC-DOS-04", .seeds = 10),
	STORY(a_client_that_moves_is_found_again, "C-LCD-08", .seeds = 10),
	STORY(who_leaves_the_link_forgets_it, "C-LCD-06"),
	STORY(a_crash_costs_no_neighbour, "C-RX-18", .seeds = 10),
	{.name = NULL},
};
