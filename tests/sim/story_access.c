/*
 * story_access.c - whom the administrator lets a client or a relay speak with
 *
 * PeerAllow and PeerDeny of miredo.conf(5): the rule with the longest prefix
 * decides. What is denied is neither sent to nor taken from, and counted.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lab.h"
#include "scenario.h"

static void add_rule(struct access4 *a, uint32_t ip, uint8_t bits, bool allow)
{
	uint32_t mask = bits == 0 ? 0 : htonl(~0u << (32 - bits));

	a->rule[a->n].ip = ip & mask;
	a->rule[a->n].bits = bits;
	a->rule[a->n++].allow = allow;
}

static uint32_t ip_of(const struct node *client)
{
	return addr_mapping(&client->stack->addr).ip;
}

static uint64_t denied(const struct node *n)
{
	return n->ops->counters(n->core)->n[TEREDO_DROP_denied];
}

/* SEC-V4D-03: two clients of which one has rules; the other is not told. */
static void a_client_does_not_speak_with_a_denied_peer(struct world *w,
						       unsigned from_bob)
{
	struct lab *l = lab_new(w);
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct node *carol = qualify(lab_client(l, "carol", NAT_PORT));
	struct node *alice = lab_client(l, "alice", NAT_CONE);

	add_rule(&client_role(alice)->config.access, ip_of(bob), 32, false);
	qualify(alice);
	EXPECT(w, ping(from_bob ? bob->stack : alice->stack,
		       from_bob ? alice->stack : bob->stack,
		       5 * TEREDO_SECOND) == TEREDO_NEVER);
	EXPECT(w, denied(alice) > 0);
	EXPECT(w, talks(alice->stack, carol->stack, 5));
	EXPECT(w, talks(alice->stack, l->host, 5));
}

static void of_several_rules_the_longest_prefix_decides(struct world *w,
							unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct node *carol = qualify(lab_client(l, "carol", NAT_PORT));
	struct node *alice = lab_client(l, "alice", NAT_PORT);
	struct access4 *a = &client_role(alice)->config.access;

	/* all but bob, his server and the relay, in any order */
	if (v == 0)
		add_rule(a, 0, 0, false);
	add_rule(a, ip_of(bob), 32, true);
	add_rule(a, addr_server(&bob->stack->addr), 32, true);
	if (v == 1)
		add_rule(a, 0, 0, false);
	qualify(alice);
	EXPECT(w, talks(alice->stack, bob->stack, 5));
	EXPECT(w, ping(alice->stack, carol->stack, 5 * TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, ping(l->host, alice->stack, 5 * TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, denied(alice) > 0);
}

/* Whoever begins. Only a bubble from a cookie is answered, as it does not say
 * whose it is; what comes then does. */
static void a_client_does_not_speak_with_peers_of_a_denied_server(
	struct world *w, unsigned from_bob)
{
	struct lab *l = lab_new(w);
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct node *alice = lab_client(l, "alice", NAT_CONE);

	add_rule(&client_role(alice)->config.access,
		 addr_server(&bob->stack->addr), 32, false);
	qualify(alice);
	EXPECT(w, ping(from_bob ? bob->stack : alice->stack,
		       from_bob ? alice->stack : bob->stack,
		       5 * TEREDO_SECOND) == TEREDO_NEVER);
	EXPECT(w, denied(alice) > 0);
	EXPECT(w, node_peers_up(alice) == 0);
	EXPECT(w, alice->stack->n_in == 0);
	EXPECT(w, talks(alice->stack, l->host, 5));
}

/* On the link too, where bob's own address is denied or his server. */
static void a_client_does_not_meet_a_denied_neighbour(struct world *w,
						      unsigned server)
{
	struct lab *l = lab_new(w);
	struct nat *nat = lab_nat(l, "nat", NAT_PORT);
	struct node *bob = qualify(lab_neighbour(l, "bob", nat));
	struct node *alice = lab_neighbour(l, "alice", nat);

	add_rule(&client_role(alice)->config.access,
		 server ? addr_server(&bob->stack->addr) : bob->link[0]->ip,
		 32, false);
	qualify(alice);
	EXPECT(w, ping(bob->stack, alice->stack, 5 * TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, ping(alice->stack, bob->stack, 5 * TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, denied(alice) > 0);
	EXPECT(w, client_status(alice).neighbours == 0);
	EXPECT(w, node_peers_up(alice) == 0);
	EXPECT(w, talks(alice->stack, l->host, 5));
}

/* The relay is what a native host is reached by. */
static void a_client_does_not_speak_with_a_denied_relay(struct world *w,
							unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = lab_client(l, "alice", NAT_CONE);

	add_rule(&client_role(alice)->config.access, l->relay->link[0]->ip, 32,
		 false);
	qualify(alice);
	EXPECT(w, ping(v ? l->host : alice->stack, v ? alice->stack : l->host,
		       5 * TEREDO_SECOND) == TEREDO_NEVER);
	EXPECT(w, denied(alice) > 0);
}

static void a_relay_does_not_serve_a_denied_client(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct access4 *a = &relay_role(l->relay)->config.access;

	add_rule(a, ip_of(alice), 32, false);
	node_crash(l->relay);
	node_respawn(l->relay);
	EXPECT(w, ping(v ? l->host : alice->stack, v ? alice->stack : l->host,
		       5 * TEREDO_SECOND) == TEREDO_NEVER);
	EXPECT(w, denied(l->relay) > 0);
	EXPECT(w, talks(bob->stack, l->host, 5));
	EXPECT(w, talks(l->host, bob->stack, 5));
}

static void label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", v ? "second" : "first");
}

const struct scenario story_access[] = {
	STORY(a_client_does_not_speak_with_a_denied_peer, "C-TX-11 SEC-V4D-03",
	      .variants = 2, .label = label),
	STORY(of_several_rules_the_longest_prefix_decides, "C-TX-11",
	      .variants = 2, .label = label),
	STORY(a_client_does_not_speak_with_peers_of_a_denied_server, "C-TX-11",
	      .variants = 2, .label = label),
	STORY(a_client_does_not_meet_a_denied_neighbour, "C-TX-05 C-LCD-09",
	      .variants = 2, .label = label),
	STORY(a_client_does_not_speak_with_a_denied_relay, "C-TX-11",
	      .variants = 2, .label = label),
	STORY(a_relay_does_not_serve_a_denied_client, "R-ENC-01 R-DEC-02",
	      .variants = 2, .label = label),
	{.name = NULL},
};
