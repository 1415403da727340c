/*
 * story_native.c - clients and native hosts, through a relay
 *
 * RFC 4380 5.2.9, 5.4. Every kind of NAT, a relay for a network (router) or
 * on the native host itself (host-local), and either side speaks first. A
 * symmetric client is served because its answer names the relay's cookie
 * (R-DEC-07).
 */
#include "config.h"

#include "lab.h"
#include "scenario.h"

/* variant: NAT kind * 4 + host-local * 2 + host first */
static void native_label(unsigned variant, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s_%s", nat_kind_name(variant / 4),
		 variant & 2 ? "hostlocal" : "router",
		 variant & 1 ? "host_first" : "client_first");
}

/* The client's packets to the host go to the relay and nowhere else. */
static bool goes_through(const struct node *client, const struct stack *host,
			 const struct node *relay)
{
	for (unsigned i = 0; i < NODE_PEERS; i++)
		if (client->peer[i].up &&
		    addr_equal(&client->peer[i].addr, &host->addr))
			return ep_equal(client->peer[i].ep,
					node_ep(relay, TEREDO_VIA_PRIMARY));
	return false;
}

static void client_and_native_host_talk(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", variant / 4));
	struct node *relay = l->relay;

	if (variant & 2)
		relay = lab_relay(l, "own-relay", l->host);
	if (variant & 1)
		w->figure = ping(l->host, alice->stack, TEREDO_SECOND);
	else
		w->figure = ping(alice->stack, l->host, TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
	EXPECT(w, talks(alice->stack, l->host, 10));
	EXPECT(w, talks(l->host, alice->stack, 10));
	EXPECT(w, goes_through(alice, l->host, relay));
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) == 0);
	/* silence is no reason to be slow afterwards */
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT(w, ping(alice->stack, l->host, TEREDO_SECOND) != TEREDO_NEVER);
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT(w, ping(l->host, alice->stack, TEREDO_SECOND) != TEREDO_NEVER);
}

/* variant: NAT kind * 2 + host first */
static void burst_label(unsigned variant, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s", nat_kind_name(variant / 2),
		 variant & 1 ? "host_first" : "client_first");
}

static void a_first_burst_to_or_from_a_host_stays_in_order(struct world *w,
							   unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", variant / 2));
	struct stack *from = variant & 1 ? l->host : alice->stack;
	struct stack *to = variant & 1 ? alice->stack : l->host;

	burst(from, to, 8);
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, got_in_order(to, from, 8));
}

/* What is too much is refused one by one, and the outbox holds the rest. */
static void of_a_long_burst_the_first_8_arrive(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 2));
	struct stack *from = v & 1 ? l->host : alice->stack;
	struct stack *to = v & 1 ? alice->stack : l->host;
	uint32_t flow = ++from->flows;

	for (unsigned i = 0; i < 100; i++)
		stack_data(from, &to->addr, flow, i, STACK_DATA_MIN);
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, got_in_order(to, from, 8));
	EXPECT(w, talks(from, to, 3));
}

static void many_hosts_share_a_relay(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_SYMMETRIC));
	struct stack *host[8];

	(void)variant;
	for (unsigned i = 0; i < 8; i++) {
		host[i] = lab_host(l, "one-of-many");
		stack_ping(alice->stack, &host[i]->addr, 99, i);
		stack_ping(host[i], &bob->stack->addr, 99, i);
	}
	world_run(w, 2 * TEREDO_SECOND);
	for (unsigned i = 0; i < 8; i++) {
		EXPECT(w, talks(host[i], alice->stack, 2));
		EXPECT(w, talks(bob->stack, host[i], 2));
	}
}

/* Without hairpin and local discovery they cannot talk to each other, but to
 * everybody else (C-SYM-02: each has a port of its own). */
static void kind_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(v + NAT_CONE));
}

static void two_clients_share_a_nat(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct nat *nat = lab_nat(l, "nat", v + NAT_CONE);
	struct node *alice = qualify(lab_client_behind(l, "alice", nat));
	struct node *bob = qualify(lab_client_behind(l, "bob", nat));
	struct node *carol = qualify(lab_client(l, "carol", NAT_ADDRESS));

	EXPECT(w, talks(alice->stack, l->host, 3));
	EXPECT(w, talks(l->host, bob->stack, 3));
	EXPECT(w, talks(carol->stack, alice->stack, 3));
	EXPECT(w, talks(carol->stack, bob->stack, 3));
	EXPECT(w, ping(alice->stack, bob->stack, 9 * TEREDO_SECOND) ==
			  TEREDO_NEVER);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) == 1);
}

const struct scenario story_native[] = {
	STORY(client_and_native_host_talk,
	      "C-DCT-02 C-DCT-03 C-RX-08 C-RX-09 C-RX-19 C-TX-02 C-TX-03 "
	      "R-ENC-03 R-ENC-05 R-ENC-08 R-DEC-04 R-DEC-07 S-FWD-03",
	      .variants = 4 * NAT_KINDS, .label = native_label),
	STORY(a_first_burst_to_or_from_a_host_stays_in_order,
	      "C-RX-09 R-ENC-09", .variants = 2 * NAT_KINDS,
	      .label = burst_label),
	STORY(of_a_long_burst_the_first_8_arrive, "C-TX-16 R-ENC-11",
	      .variants = 2 * NAT_KINDS, .label = burst_label),
	STORY(many_hosts_share_a_relay, "R-GEN-04"),
	STORY(two_clients_share_a_nat, "C-CFG-03 C-SYM-02 C-TX-15",
	      .variants = NAT_KINDS - NAT_CONE, .label = kind_label),
	{.name = NULL},
};
