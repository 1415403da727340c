/*
 * story_give_up.c - what cannot be reached is refused, soon and cheaply
 *
 * RFC 6081 section 3: an attempt fails in finite time. Four probes within 9 s,
 * then ICMPv6 "address unreachable" for all that waited (C-TX-15); then a
 * pause in which packets are refused at once. The referee counts the bubbles.
 */
#include "config.h"

#include <arpa/inet.h>

#include "../../libteredo/path.h"
#include "lab.h"
#include "scenario.h"

#define LIMIT (9 * TEREDO_SECOND)

static bool is_refused(const void *stack)
{
	return stack_count_all(stack, ARRIVAL_UNREACHABLE) > 0;
}

/* Time until the stack of `from` is told that `to` cannot be reached. */
static teredo_time refusal(struct stack *from, const struct teredo_addr *to)
{
	teredo_time start = from->w->now;

	stack_ping(from, to, ++from->flows, 7);
	EXPECT(from->w, world_run_until(from->w, LIMIT, is_refused, from));
	EXPECT(from->w, addr_equal(&from->in[from->n_in - 1].peer, to));
	EXPECT(from->w, from->in[from->n_in - 1].seq == 7);
	return from->w->now - start;
}

/* variant: 0 port to symmetric, 1 symmetric to port, 2 symmetric twice */
static void impossible_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_to_%s",
		 nat_kind_name(v ? NAT_SYMMETRIC : NAT_PORT),
		 nat_kind_name(v == 1 ? NAT_PORT : NAT_SYMMETRIC));
}

static void an_impossible_pair_is_told_so(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice =
		qualify(lab_client(l, "alice", v ? NAT_SYMMETRIC : NAT_PORT));
	struct node *bob = qualify(
		lab_client(l, "bob", v == 1 ? NAT_PORT : NAT_SYMMETRIC));
	struct flow *f;

	w->figure = refusal(alice->stack, &bob->stack->addr);
	f = flow_start(alice->stack, bob->stack, 50 * TEREDO_MS);
	flow_start(bob->stack, alice->stack, 50 * TEREDO_MS);
	world_run(w, 300 * TEREDO_SECOND);
	EXPECT(w, stack_count(alice->stack, ARRIVAL_PONG, f->id) == 0);
	/* native hosts are not affected */
	EXPECT(w, talks(alice->stack, l->host, 10));
	EXPECT(w, talks(l->host, bob->stack, 10));
}

static void a_dead_peer_is_refused(struct world *w, unsigned kind)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", kind));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));

	node_stop(bob);
	w->figure = refusal(alice->stack, &bob->stack->addr);
}

static void a_dead_host_is_refused(struct world *w, unsigned kind)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", kind));
	struct teredo_addr nobody = l->host->addr;

	nobody.b[8] = 1;
	w->figure = refusal(alice->stack, &nobody);
}

static void a_relay_refuses_for_a_dead_client(struct world *w, unsigned kind)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", kind));

	node_stop(alice);
	w->figure = refusal(l->host, &alice->stack->addr);
}

static void kind_label(unsigned kind, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(kind));
}

/* B8: an application that does not listen. 1000 pings a second for a minute
 * cost 4 bubble pairs, then one per 30 s, and a bounded queue. */
static void a_stubborn_application_is_cheap(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));

	(void)variant;
	node_stop(bob);
	flow_start(alice->stack, bob->stack, TEREDO_MS);
	world_run(w, 4 * PATH_GAP - 100 * TEREDO_MS);
	EXPECT(w, node_counter(alice, TEREDO_EV_packet_held) == 8);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) == 0);
	world_run(w, 100 * TEREDO_MS);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) > 8);
	world_run(w, 60 * TEREDO_SECOND - 4 * PATH_GAP);
	EXPECT(w, node_counter(alice, TEREDO_EV_bubble_indirect_sent) <= 6);
	EXPECT(w,
	       stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) < 53 * 101);
	EXPECT(w, talks(alice->stack, l->host, 10));
}

/* Who is forgotten for others is not asked sooner for that. More than the table
 * holds are asked within 2 s, and then the first again. */
static void who_is_forgotten_is_not_asked_sooner(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct stack *from = v ? l->host : alice->stack;
	struct teredo_addr dst = alice->stack->addr;

	for (unsigned i = 0; i < 3 * (NODE_PEERS + 8); i++) {
		addr_make(&dst, addr_default_prefix(),
			  l->server->link[0]->ip, 0,
			  (struct teredo_ep){
				  inet_addr("203.0.113.77"),
				  htons((uint16_t)(
					  1000 + i % (NODE_PEERS + 8)))});
		stack_ping(from, &dst, 1, 1);
		world_run(w, 8 * TEREDO_MS);
	}
	EXPECT(w, node_counter(v ? l->relay : alice,
			       TEREDO_EV_peer_evicted) >= 2 * NODE_PEERS);
}

static void who_asks_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", v ? "relay" : "client");
}

/* A dead peer must not make a stack of held packets that never leaves. */
static void a_queue_is_refused_as_a_whole(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));

	(void)variant;
	node_stop(bob);
	burst(alice->stack, bob->stack, 8);
	world_run(w, LIMIT);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) == 8);
	for (unsigned i = 0; i < 8; i++)
		EXPECT(w, alice->stack->in[i].seq == i);
}

#define EVERY_NAT .variants = NAT_KINDS, .label = kind_label

const struct scenario story_give_up[] = {
	STORY(an_impossible_pair_is_told_so,
	      "C-TX-15 X-MTX-03 X-MTX-08 C-BUB-04 C-BUB-05 B9", .variants = 3,
	      .label = impossible_label),
	STORY(a_dead_peer_is_refused, "C-TX-10 C-TX-15", EVERY_NAT),
	STORY(a_dead_host_is_refused, "C-TX-04 C-TX-15", EVERY_NAT),
	STORY(a_relay_refuses_for_a_dead_client, "R-ENC-06 R-ENC-07",
	      EVERY_NAT),
	STORY(a_stubborn_application_is_cheap,
	      "C-BUB-04 C-BUB-05 C-TX-16 R-ENC-11 G-ICM-01 B8"),
	STORY(who_is_forgotten_is_not_asked_sooner, "C-BUB-04 R-ENC-06",
	      .variants = 2, .label = who_asks_label),
	STORY(a_queue_is_refused_as_a_whole, "C-TX-15 C-TX-16"),
	{.name = NULL},
};
