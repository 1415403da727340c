/*
 * story_restart.c - a process dies and the next one goes on
 *
 * A relay that lost its table serves again after seconds, because its clients
 * notice the silence and it asks strangers before it drops them. An engine
 * that crashed goes on from the snapshot, and what came meanwhile waits in
 * the descriptors that the parent holds: nobody notices.
 */
#include "config.h"

#include "lab.h"
#include "scenario.h"

#define TICK (100 * TEREDO_MS)

/* variant: NAT kind * 2 + host speaks */
static void restart_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s", nat_kind_name(v / 2),
		 v & 1 ? "host_speaks" : "client_speaks");
}

static void a_relay_restarts_under_traffic(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", v / 2));
	struct flow *f = v & 1 ? flow_start(l->host, alice->stack, TICK)
			       : flow_start(alice->stack, l->host, TICK);

	world_run(w, 10 * TEREDO_SECOND);
	node_stop(l->relay);
	world_run(w, 3 * TEREDO_SECOND);
	node_start(l->relay);
	world_run(w, 60 * TEREDO_SECOND);
	w->figure = flow_gap(f, 2 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, 8 * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, 200) <= 2);
	EXPECT(w, alice->stack->addresses == 1);
}

/* variant: who crashes */
static void crash_label(unsigned v, char out[SCENARIO_LABEL])
{
	static const char *const who[] = {"client", "relay", "server"};

	snprintf(out, SCENARIO_LABEL, "%s", who[v]);
}

static void an_engine_crashes_and_nobody_notices(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_SYMMETRIC));
	struct node *bob = qualify(lab_client(l, "bob", NAT_ADDRESS));
	struct node *victim[] = {alice, l->relay, l->server};
	struct teredo_addr addr = alice->stack->addr;
	struct flow *f[3];

	f[0] = flow_start(alice->stack, l->host, TICK);
	f[1] = flow_start(l->host, alice->stack, TICK);
	f[2] = flow_start(bob->stack, alice->stack, TICK);
	world_run(w, 10 * TEREDO_SECOND);
	for (unsigned i = 0; i < 10; i++) {
		unsigned peers = node_peers_up(victim[v]);

		node_crash(victim[v]);
		world_run(w, 1 + rng_below(&w->rng, 300 * TEREDO_MS));
		node_respawn(victim[v]);
		EXPECT(w, node_peers_up(victim[v]) == peers);
		world_run(w, rng_below(&w->rng, 40 * TEREDO_SECOND));
	}
	world_run(w, TEREDO_SECOND);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_AT_MOST(w, flow_gap(f[i], TEREDO_SECOND), 5 * TICK);
		EXPECT(w, flow_lost(f[i], f[i]->sent) <= 2);
	}
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, addr_equal(&addr, &alice->stack->addr));
}

/* Who was silent for longer than trust lasts is asked again. variant: as above,
 * but the server */
static void a_crash_makes_nobody_trusted(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct node *bob = qualify(lab_client(l, "bob", NAT_ADDRESS));
	struct node *victim = v ? l->relay : alice;
	struct stack *speaker = v ? l->host : alice->stack;
	struct stack *silent = v ? alice->stack : bob->stack;

	EXPECT(w, talks(speaker, silent, 3));
	world_run(w, 40 * TEREDO_SECOND);
	EXPECT(w, node_peers_up(victim) == 1);
	node_crash(victim);
	node_respawn(victim);
	EXPECT(w, node_peers_up(victim) == 1);
	w->figure = ping(speaker, silent, TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, TEREDO_SECOND);
	EXPECT(w, node_counter(victim, TEREDO_EV_packet_held) == 1);
}

/* The cookie is in the snapshot: a symmetric client whom the engine before
 * asked answers to the next. variant: who asked, bob or the relay */
static void asker_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", v ? "relay" : "client");
}

static void an_answer_to_the_engine_before_counts(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_SYMMETRIC));
	struct node *bob = qualify(lab_client(l, "bob", NAT_CONE));
	struct node *asker = v ? l->relay : bob;

	world_run(w, TEREDO_SECOND);
	stack_ping(v ? l->host : bob->stack, &alice->stack->addr, 9, 0);
	world_run(w, 15 * TEREDO_MS);
	EXPECT(w, node_counter(asker, TEREDO_EV_bubble_indirect_sent) == 1);
	node_crash(asker);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, node_peers_up(asker) == 0);
	node_respawn(asker);
	EXPECT(w, node_peers_up(asker) == 1);
}

/* Two seconds of darkness at a time when the mapping changed: the snapshot is
 * wrong, and the one solicitation finds it out. */
static void a_snapshot_that_is_out_of_date_is_corrected(struct world *w,
							unsigned variant)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));

	(void)variant;
	EXPECT(w, talks(alice->stack, l->host, 3));
	node_crash(alice);
	nat_flush(alice->nat);
	world_run(w, 2 * TEREDO_SECOND);
	node_respawn(alice);
	world_run(w, 200 * TEREDO_MS);
	EXPECT(w, is_qualified(alice));
	EXPECT(w, alice->stack->addresses == 2);
	EXPECT(w, talks(l->host, alice->stack, 3));
	EXPECT(w, talks(alice->stack, l->host, 3));
}

/* variant: NAT kind * 4 + host speaks * 2 + the NAT preserves ports */
static void flush_label(unsigned v, char out[SCENARIO_LABEL])
{
	char who[SCENARIO_LABEL];

	restart_label(v / 2 + 2 * NAT_CONE, who);
	snprintf(out, SCENARIO_LABEL, "%.40s%s", who,
		 v & 1 ? "_preserving" : "");
}

/* The box is rebooted under traffic. A mapping that comes back the same keeps
 * the address; else there is a new one as soon as the silence is noticed.
 * While only the other side speaks, the box stays closed until the refresh,
 * and by then the relay may be in its pause. */
static void a_nat_is_flushed_under_traffic(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = lab_client(l, "alice", NAT_CONE + v / 4);
	struct flow *f;

	alice->nat->ports = v & 1 ? NAT_PRESERVED : NAT_RANDOM;
	qualify(alice);
	f = v & 2 ? flow_start(l->host, alice->stack, TICK)
		  : flow_start(alice->stack, l->host, TICK);
	world_run(w,
		  10 * TEREDO_SECOND + rng_below(&w->rng, 30 * TEREDO_SECOND));
	nat_flush(alice->nat);
	world_run(w, 60 * TEREDO_SECOND);
	w->figure = flow_gap(f, 2 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, w->figure, (v & 2 ? 44 : 6) * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, 200) <= 2);
}

/* Without a snapshot it is a new client: new address, everything works. */
static void a_restarted_client_begins_anew(struct world *w, unsigned kind)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(lab_client(l, "alice", kind));
	struct node *bob = qualify(lab_client(l, "bob", NAT_ADDRESS));

	EXPECT(w, talks(alice->stack, l->host, 3));
	EXPECT(w, talks(bob->stack, alice->stack, 3));
	node_stop(alice);
	world_run(w, TEREDO_SECOND);
	qualify(alice);
	EXPECT(w, alice->stack->addresses == 2);
	EXPECT(w, talks(l->host, alice->stack, 3));
	EXPECT(w, talks(bob->stack, alice->stack, 3));
	EXPECT(w, talks(alice->stack, bob->stack, 3));
}

static void kind_label(unsigned kind, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(kind));
}

const struct scenario story_restart[] = {
	STORY(a_relay_restarts_under_traffic, "R-DEC-03 R-DEC-07 C-TX-03",
	      .variants = 2 * NAT_KINDS, .label = restart_label),
	STORY(an_engine_crashes_and_nobody_notices, "R2 S-GEN-01",
	      .variants = 3, .label = crash_label, .seeds = 5),
	STORY(a_crash_makes_nobody_trusted, "R2", .variants = 2,
	      .label = crash_label),
	STORY(an_answer_to_the_engine_before_counts, "R2 R-DEC-07",
	      .variants = 2, .label = asker_label),
	STORY(a_snapshot_that_is_out_of_date_is_corrected, "R2 C-MNT-05"),
	STORY(a_nat_is_flushed_under_traffic, "R12 R12b C-MNT-04 C-MNT-05",
	      .variants = 4 * (NAT_KINDS - NAT_CONE), .label = flush_label,
	      .seeds = 5),
	STORY(a_restarted_client_begins_anew, "C-MNT-05 R-GEN-04",
	      .variants = NAT_KINDS, .label = kind_label),
	{.name = NULL},
};
