/*
 * story_pairs.c - client to client, from cold
 *
 * RFC 4380 5.2.4, 5.2.6; RFC 6081 section 3 gives the table of what can be
 * done. Without a symmetric NAT every pair opens, whoever begins, and whether
 * or not they have the same server. With one, a peer that is public or behind
 * a cone or address-restricted NAT can open the way: it sends its indirect
 * bubble from a cookie, and the answer shows it the real mapping.
 */
#include "config.h"

#include "../../libteredo/addr.h"
#include "../../libteredo/path.h"
#include "lab.h"
#include "scenario.h"

/* variant: kind of alice * 16 + kind of bob * 4 + other server * 2
 * + both at once */
#define KINDS 4u /* without symmetric */

static void pair_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_to_%s%s%s", nat_kind_name(v / 16),
		 nat_kind_name(v / 4 % 4), v & 2 ? "_two_servers" : "",
		 v & 1 ? "_at_once" : "");
}

static struct node *bob_of(struct lab *l, enum nat_kind kind,
			   bool has_other_server)
{
	if (has_other_server)
		l->server = lab_server(l, "second", true);
	return qualify(lab_client(l, "bob", kind));
}

/* Each is where its address says: nothing goes around. */
static bool are_direct(const struct node *a, const struct node *b)
{
	for (unsigned i = 0; i < NODE_PEERS; i++)
		if (a->peer[i].up &&
		    addr_equal(&a->peer[i].addr, &b->stack->addr))
			return ep_equal(a->peer[i].ep,
					addr_mapping(&b->stack->addr));
	return false;
}

static void every_pair_opens(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 16));
	struct node *bob = bob_of(l, v / 4 % 4, v & 2);

	if (v & 1)
		stack_ping(bob->stack, &alice->stack->addr, 99, 0);
	w->figure = ping(alice->stack, bob->stack, TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
	EXPECT(w, talks(bob->stack, alice->stack, 10));
	EXPECT(w, talks(alice->stack, bob->stack, 10));
	EXPECT(w, are_direct(alice, bob) && are_direct(bob, alice));
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT(w,
	       ping(bob->stack, alice->stack, TEREDO_SECOND) != TEREDO_NEVER);
}

/* The answer to the first bubbles is lost, and the second arrive 40 ms closer
 * to them than they were sent: they are answered all the same. */
static void jitter_does_not_cost_an_answer(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 4));
	struct node *bob = qualify(lab_client(l, "bob", v % 4));
	uint32_t a = addr_mapping(&alice->stack->addr).ip;
	uint32_t b = addr_mapping(&bob->stack->addr).ip;

	net4_cut(w, a, b);
	access_line(alice)->delay += 40 * TEREDO_MS;
	EXPECT(w, ping(alice->stack, bob->stack, TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, node_counter(bob, TEREDO_EV_bubble_reply_sent) == 1);
	net4_mend(w, a, b);
	access_line(alice)->delay -= 40 * TEREDO_MS;
	w->figure = ping(alice->stack, bob->stack, 2 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, PATH_GAP - 750 * TEREDO_MS);
	EXPECT(w, are_direct(alice, bob) && are_direct(bob, alice));
}

static void burst_label(unsigned v, char out[SCENARIO_LABEL])
{
	pair_label(4 * v, out);
}

static void a_first_burst_to_a_peer_stays_in_order(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 4));
	struct node *bob = bob_of(l, v % 4, false);

	burst(alice->stack, bob->stack, 8);
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, got_in_order(bob->stack, alice->stack, 8));
}

/* variant: kind of the other * 2 + other server */
static void symmetric_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s%s", nat_kind_name(v / 2),
		 v & 1 ? "_two_servers" : "");
}

/* What Miredo reaches: all but port-restricted and symmetric. */
static void a_symmetric_peer_is_opened_from_outside(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 2));
	struct node *bob = bob_of(l, NAT_SYMMETRIC, v & 1);

	w->figure = ping(alice->stack, bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
	EXPECT(w, talks(alice->stack, bob->stack, 10));
	EXPECT(w, talks(bob->stack, alice->stack, 10));
	EXPECT(w, !are_direct(alice, bob) && are_direct(bob, alice));
}

/* Both begin at the same instant, and so at each next one: the bubble to the
 * other must not stand for the answer to his cookie. */
static void two_who_probe_in_step_meet(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 2));
	struct node *bob = bob_of(l, NAT_SYMMETRIC, v & 1);

	stack_ping(bob->stack, &alice->stack->addr, 99, 0);
	w->figure = ping(alice->stack, bob->stack, 5 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
	EXPECT(w, talks(bob->stack, alice->stack, 10));
	EXPECT(w, stack_count(bob->stack, ARRIVAL_PONG, 99) == 1);
}

const struct scenario story_pairs[] = {
	STORY(every_pair_opens,
	      "C-TX-07 C-TX-08 C-TX-09 C-RX-05 C-RX-11 C-RX-14 "
	      "S-FWD-05 S-FWD-06 X-MTX-01 X-MTX-02 X-MTX-03",
	      .variants = 16 * KINDS, .label = pair_label),
	STORY(jitter_does_not_cost_an_answer, "C-TX-08 C-BUB-04 C-BUB-07",
	      .variants = KINDS * KINDS, .label = burst_label),
	STORY(a_first_burst_to_a_peer_stays_in_order, "C-RX-14 C-TX-09",
	      .variants = KINDS * KINDS, .label = burst_label),
	STORY(a_symmetric_peer_is_opened_from_outside,
	      "X-MTX-01 X-MTX-02 X-SNS-01", .variants = 2 * 3,
	      .label = symmetric_label),
	STORY(two_who_probe_in_step_meet, "C-BUB-07 X-SNS-01",
	      .variants = 2 * 3, .label = symmetric_label),
	{.name = NULL},
};
