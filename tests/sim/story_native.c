/*
 * story_native.c - clients and native hosts, through a relay
 *
 * RFC 4380 5.2.9, 5.4. Every kind of NAT, a relay for a network (router) or
 * on the native host itself (host-local), and either side speaks first. A
 * symmetric client is served because its answer names the relay's cookie
 * (R-DEC-07).
 */
#include "config.h"

#include "../../libteredo/icmp6.h"
#include "lab.h"
#include "scenario.h"
#include "villain.h"

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

/* Anycast: the host's packets come by another relay from now on. */
static void a_flow_moves_to_another_relay_without_loss(struct world *w,
						       unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v + NAT_CONE));
	struct flow *f = flow_start(alice->stack, l->host, 150 * TEREDO_MS);
	struct node *second;

	world_run(w, 10 * TEREDO_SECOND);
	second = lab_relay(l, "second", NULL);
	world_run(w, 10 * TEREDO_SECOND);
	f->is_silent = true;
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, f->sent) == 0);
	EXPECT(w, goes_through(alice, l->host, second));
}

/* ... and back again, before the next test may be sent. */
static void a_flow_that_moves_there_and_back_loses_nothing(struct world *w,
							   unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v + NAT_CONE));
	struct flow *out = flow_start(alice->stack, l->host, 50 * TEREDO_MS);
	struct flow *in = flow_start(l->host, alice->stack, 50 * TEREDO_MS);
	struct node *second;

	world_run(w, 10 * TEREDO_SECOND);
	second = lab_relay(l, "second", NULL);
	for (unsigned i = 1; i <= 7; i++) {
		world_run(w, i * 300 * TEREDO_MS);
		net6_route(w, i % 2 ? l->relay->link6 : second->link6);
	}
	world_run(w, 10 * TEREDO_SECOND);
	out->is_silent = in->is_silent = true;
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, flow_lost(out, out->sent) == 0);
	EXPECT(w, flow_lost(in, in->sent) == 0);
	EXPECT(w, goes_through(alice, l->host, l->relay));
}

/* Who claims to be the host moves nothing and gets nothing in. */
static void the_host_itself_answers_but_not_for_others(struct world *w,
						       unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_CONE));
	struct villain *m = villain_new(w, "mallory", "192.0.2.66", 3545);
	struct flow *f = flow_start(alice->stack, l->host, 150 * TEREDO_MS);

	alice->stack->meets_strangers = true;
	world_run(w, 5 * TEREDO_SECOND);
	for (unsigned i = 0; i < 500; i++) {
		villain_echo(m, ICMP6_ECHO_REQUEST, m->ep,
			     addr_mapping(&alice->stack->addr), &l->host->addr,
			     &alice->stack->addr);
		if (v == 1 && i == 250)
			lab_relay(l, "second", NULL);
		world_run(w, 20 * TEREDO_MS);
	}
	f->is_silent = true;
	world_run(w, 12 * TEREDO_SECOND);
	if (v == 0)
		EXPECT(w, flow_lost(f, f->sent) == 0);
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_PING) == 0);
	EXPECT(w, alice->stack->strange == 0);
	EXPECT(w, goes_through(alice, l->host, l->relay) == (v == 0));
	EXPECT(w, node_counter(alice, TEREDO_DROP_spoofed) +
			  node_counter(alice, TEREDO_DROP_hold_full) >= 490);
}

static void moves_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "relay_%s", v ? "changes" : "stays");
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
	STORY(a_flow_moves_to_another_relay_without_loss, "C-RX-07 C-RX-08",
	      .variants = NAT_KINDS - NAT_CONE, .label = kind_label),
	STORY(a_flow_that_moves_there_and_back_loses_nothing,
	      "C-RX-07 C-RX-08", .variants = NAT_KINDS - NAT_CONE,
	      .label = kind_label),
	STORY(the_host_itself_answers_but_not_for_others,
	      "C-RX-07 SEC-MITM-04 SEC-DOS-04", .variants = 2,
	      .label = moves_label),
	STORY(two_clients_share_a_nat, "C-CFG-03 C-SYM-02 C-TX-15",
	      .variants = NAT_KINDS - NAT_CONE, .label = kind_label),
	{.name = NULL},
};
