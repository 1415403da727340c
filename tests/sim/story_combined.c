/*
 * story_combined.c - one box that is server and relay
 *
 * RFC 4380 5.4.3. Its own clients, of every kind of NAT, and those of another
 * server reach native hosts by it, and are reached; it may itself be behind a
 * 1:1 NAT. It never writes to itself: the referee sees to that.
 */
#include "config.h"

#include "lab.h"
#include "scenario.h"

/* variant: NAT kind * 4 + behind a 1:1 NAT * 2 + host first */
static void both_label(unsigned variant, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s_%s", nat_kind_name(variant / 4),
		 variant & 2 ? "translated" : "public",
		 variant & 1 ? "host_first" : "client_first");
}

/* A box, and l->server is it. */
static struct lab *lab_with_box(struct world *w, bool translated)
{
	struct lab *l = lab_empty(w);
	struct nat *nat = translated ? lab_nat(l, "one-to-one", NAT_CONE)
				     : NULL;

	l->server = l->relay = lab_server_relay(l, "box", nat);
	l->host = lab_host(l, "host");
	world_run(w, TEREDO_SECOND);
	return l;
}

static struct node *box_client(struct lab *l, const char *name,
			       enum nat_kind kind)
{
	struct node *n = lab_client(l, name, kind);

	client_role(n)->server[0].ip = server_relay_role(l->server)->config.ip;
	return n;
}

static bool goes_through_box(const struct node *client, const struct lab *l)
{
	const struct teredo_ep box = addr_server_ep(
		server_relay_role(l->server)->config.ip);

	for (unsigned i = 0; i < NODE_PEERS; i++)
		if (client->peer[i].up &&
		    addr_equal(&client->peer[i].addr, &l->host->addr))
			return ep_equal(client->peer[i].ep, box);
	return false;
}

static void a_server_relays_for_its_own_clients(struct world *w,
						unsigned variant)
{
	struct lab *l = lab_with_box(w, variant & 2);
	struct node *alice = qualify(box_client(l, "alice", variant / 4));

	if (variant & 1)
		w->figure = ping(l->host, alice->stack, TEREDO_SECOND);
	else
		w->figure = ping(alice->stack, l->host, TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
	EXPECT(w, talks(alice->stack, l->host, 10));
	EXPECT(w, talks(l->host, alice->stack, 10));
	EXPECT(w, goes_through_box(alice, l));
	EXPECT(w, stack_count_all(alice->stack, ARRIVAL_UNREACHABLE) == 0);
	burst(alice->stack, l->host, 8);
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, got_in_order(l->host, alice->stack, 8));
	/* silence, and an engine that dies, make no difference */
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT(w, ping(l->host, alice->stack, TEREDO_SECOND) != TEREDO_NEVER);
	node_crash(l->server);
	node_respawn(l->server);
	EXPECT(w, talks(alice->stack, l->host, 3));
	EXPECT(w, is_qualified(alice));
}

/* variant: NAT kind * 2 + translated */
static void kind_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s", nat_kind_name(v / 2),
		 v & 1 ? "translated" : "public");
}

static void a_server_relays_for_clients_of_others(struct world *w, unsigned v)
{
	struct lab *l = lab_with_box(w, v & 1);
	struct node *box = l->server, *bob, *alice;

	l->server = lab_server(l, "other", true);
	bob = qualify(lab_client(l, "bob", v / 2));
	l->server = box;
	alice = qualify(box_client(l, "alice", NAT_PORT));
	EXPECT(w, ping(bob->stack, l->host, TEREDO_SECOND) != TEREDO_NEVER);
	EXPECT(w, talks(l->host, bob->stack, 5));
	EXPECT(w, goes_through_box(bob, l));
	/* it is still a server, and serves both beside each other */
	EXPECT(w, talks(l->host, alice->stack, 5));
	if (v / 2 != NAT_SYMMETRIC) {
		EXPECT(w, ping(alice->stack, bob->stack, 3 * TEREDO_SECOND) !=
				  TEREDO_NEVER);
		EXPECT(w, talks(bob->stack, alice->stack, 5));
	}
}

/* PeerDeny. variant: another server's client * 2 + host first; the denied one is
 * the box's own client otherwise, and one that was served until now. */
static void a_box_does_not_serve_whom_it_denies(struct world *w, unsigned v)
{
	struct lab *l = lab_with_box(w, false);
	struct node *box = l->server, *alice, *bob;
	struct access4 *a = &server_relay_role(box)->config.access;

	if (v & 2)
		l->server = lab_server(l, "other", true);
	alice = qualify(lab_client(l, "alice", NAT_PORT));
	l->server = box;
	if (!(v & 2))
		EXPECT(w, talks(alice->stack, l->host, 3));
	bob = qualify(box_client(l, "bob", NAT_PORT));
	a->rule[a->n].ip = addr_mapping(&alice->stack->addr).ip;
	a->rule[a->n++].bits = 32;
	node_crash(box);
	node_respawn(box);
	EXPECT(w, ping(v & 1 ? l->host : alice->stack,
		       v & 1 ? alice->stack : l->host,
		       5 * TEREDO_SECOND) == TEREDO_NEVER);
	EXPECT(w, box->ops->counters(box->core)->n[TEREDO_DROP_denied] > 0);
	world_run(w, 60 * TEREDO_SECOND);
	EXPECT(w, is_qualified(alice) == ((v & 2) != 0));
	EXPECT(w, talks(bob->stack, l->host, 5));
	EXPECT(w, talks(l->host, bob->stack, 5));
}

static void denied_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s", v & 2 ? "other" : "own",
		 v & 1 ? "host_first" : "client_first");
}

const struct scenario story_combined[] = {
	STORY(a_server_relays_for_its_own_clients,
	      "R-SRV-01 R-SRV-02 S-FWD-03 S-FWD-06 R-DEC-07",
	      .variants = 4 * NAT_KINDS, .label = both_label),
	STORY(a_server_relays_for_clients_of_others, "R-SRV-01 R-SRV-02",
	      .variants = 2 * NAT_KINDS, .label = kind_label),
	STORY(a_box_does_not_serve_whom_it_denies, "R-SRV-02 S-RS-10 R-ENC-01",
	      .variants = 4, .label = denied_label),
	{.name = NULL},
};
