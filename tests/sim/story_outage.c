/*
 * story_outage.c - a server, a relay or a peer is away for a while
 *
 * Loss of the server costs no address, no peer and no packet of those who
 * know each other. Whoever returns is found again within seconds, by whichever
 * side speaks; there is no lock-out (client.h, path.h).
 */
#include "config.h"

#include "lab.h"
#include "scenario.h"

#define TICK (100 * TEREDO_MS)

static const unsigned absences[] = {5, 10, 20, 40, 60, 90, 180};
#define ABSENCES (sizeof(absences) / sizeof(*absences))

static void absence_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%u_s", absences[v]);
}

static teredo_time absence(unsigned v)
{
	return absences[v] * TEREDO_SECOND;
}

/* Traffic of alice with a host and a peer goes on as if nothing were. */
static void a_server_is_not_missed(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct flow *to_host, *to_bob, *from_host;
	teredo_time back;

	to_host = flow_start(alice->stack, l->host, TICK);
	to_bob = flow_start(alice->stack, bob->stack, TICK);
	from_host = flow_start(l->host, bob->stack, TICK);
	world_run(w, 15 * TEREDO_SECOND);
	node_stop(l->server);
	world_run(w, absence(v));
	node_start(l->server);
	back = w->now;
	world_run(w, 4600 * TEREDO_MS);
	wait_qualified(alice, TEREDO_SECOND);
	wait_qualified(bob, TEREDO_SECOND);
	w->figure = w->now - back;
	world_run(w, 60 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, flow_gap(to_host, TEREDO_SECOND), 2 * TICK);
	EXPECT_AT_MOST(w, flow_gap(to_bob, TEREDO_SECOND), 2 * TICK);
	EXPECT_AT_MOST(w, flow_gap(from_host, TEREDO_SECOND), 2 * TICK);
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, bob->stack->addresses == 1);
	EXPECT(w, talks(lab_host(l, "newcomer"), alice->stack, 3));
}

/* Whom we spoke with a minute ago is reached through the relay of then; but a
 * symmetric NAT has another mapping for it by now. */
static void an_idle_path_opens_without_the_server(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v));

	EXPECT(w, talks(alice->stack, l->host, 3));
	node_stop(l->server);
	world_run(w, 60 * TEREDO_SECOND);
	w->figure = ping(alice->stack, l->host, TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 250 * TEREDO_MS);
}

static void kind_label(unsigned kind, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(kind));
}

/* variant: absence * 8 + how * 4 + who speaks * 2 + NAT. A relay that stops
 * forgets; one that is cut off has asked in vain and pauses. */
static void away_label(unsigned v, char out[SCENARIO_LABEL])
{
	char length[SCENARIO_LABEL];

	absence_label(v / 8, length);
	snprintf(out, SCENARIO_LABEL, "%.20s_%s_%s_%s", length,
		 v & 4 ? "cut" : "stopped",
		 v & 2 ? "host_speaks" : "client_speaks",
		 v & 1 ? "symmetric" : "port");
}

static void a_relay_that_was_away_is_found_again(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(
		lab_client(l, "alice", v & 1 ? NAT_SYMMETRIC : NAT_PORT));
	struct flow *f = v & 2 ? flow_start(l->host, alice->stack, TICK)
			       : flow_start(alice->stack, l->host, TICK);
	bool cut = v & 4;

	world_run(w, 10 * TEREDO_SECOND);
	if (!cut)
		node_stop(l->relay);
	access_line(l->relay)->down = true;
	world_run(w, absence(v / 8));
	access_line(l->relay)->down = false;
	if (!cut)
		node_start(l->relay);
	world_run(w, 60 * TEREDO_SECOND);
	w->figure = flow_back(f, w->now - 60 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, (cut ? 12 : 6) * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, 200) <= 2);
	EXPECT(w, alice->stack->addresses == 1);
}

/* variant: absence * 2 + the one who is away speaks too */
static void peer_label(unsigned v, char out[SCENARIO_LABEL])
{
	char length[SCENARIO_LABEL];

	absence_label(v / 2, length);
	snprintf(out, SCENARIO_LABEL, "%.20s_%s", length,
		 v & 1 ? "both_speak" : "one_speaks");
}

static void a_peer_that_was_away_is_found_again(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_PORT));
	struct flow *f = flow_start(alice->stack, bob->stack, TICK);

	if (v & 1)
		flow_start(bob->stack, alice->stack, TICK);
	/* anywhere in bob's refresh cycle */
	world_run(w,
		  10 * TEREDO_SECOND + rng_below(&w->rng, 30 * TEREDO_SECOND));
	bob->nat->lifetime = 600 * TEREDO_SECOND;
	access_line(bob)->down = true;
	world_run(w, absence(v / 2));
	access_line(bob)->down = false;
	world_run(w, 60 * TEREDO_SECOND);
	w->figure = flow_back(f, w->now - 60 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 6 * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, 200) <= 2);
	EXPECT(w, bob->stack->addresses == 1);
}

const struct scenario story_outage[] = {
	STORY(a_server_is_not_missed, "C-MNT-06 R8", .variants = ABSENCES,
	      .label = absence_label, .seeds = 5),
	STORY(an_idle_path_opens_without_the_server, "C-DCT-01 C-TX-01 R8",
	      .variants = NAT_SYMMETRIC, .label = kind_label),
	STORY(a_relay_that_was_away_is_found_again, "C-TX-01 C-TX-03 R-ENC-06",
	      .variants = 8 * ABSENCES, .label = away_label),
	STORY(a_peer_that_was_away_is_found_again, "C-BUB-05 C-TX-10",
	      .variants = 2 * ABSENCES, .label = peer_label, .seeds = 10),
	{.name = NULL},
};
