/*
 * story_interval.c - clients that find out how long their NAT remembers
 *
 * RFC 4380 5.2.7. What is found is below the box's lifetime of a mapping,
 * whatever it is, and close to what the procedure can reach; the address that
 * is refreshed so seldom is never lost.
 */
#include "config.h"

#include "../../libteredo/wire.h"
#include "lab.h"
#include "scenario.h"

#define HOUR (3600 * TEREDO_SECOND)

static const struct {
	unsigned lifetime, found; /* s */
} boxes[] = {{35, 30}, {50, 45}, {70, 60}, {100, 90}, {300, 105}};
#define BOXES (sizeof(boxes) / sizeof(*boxes))

static struct node *finder(struct lab *l, enum nat_kind kind, unsigned lifetime)
{
	struct node *n = lab_client(l, "alice", kind);

	client_role(n)->config.find_refresh = true;
	n->nat->lifetime = lifetime * TEREDO_SECOND;
	return n;
}

static bool is_decided(const void *client)
{
	enum teredo_interval i = client_status(client).interval;

	return i == TEREDO_INTERVAL_DETERMINED ||
	       i == TEREDO_INTERVAL_UNDETERMINED;
}

static bool is_decided_or_off(const void *client)
{
	return ((const struct node *)client)->life == NODE_ON &&
	       is_decided(client);
}

/* The port is gone then, and the interval is that. */
static void expect_found(struct node *n, unsigned seconds)
{
	struct teredo_client_status st;

	EXPECT(n->w, world_run_until(n->w, HOUR, is_decided_or_off, n));
	st = client_status(n);
	EXPECT(n->w, st.interval == TEREDO_INTERVAL_DETERMINED);
	EXPECT(n->w, !n->second_is_open);
	EXPECT_AT_MOST(n->w, st.refresh, seconds * TEREDO_SECOND);
	EXPECT_AT_MOST(n->w, seconds * TEREDO_SECOND, st.refresh);
}

/* variant: box * 4 + NAT - cone */
static void box_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%u_s_%s", boxes[v / 4].lifetime,
		 nat_kind_name(NAT_CONE + v % 4));
}

static void what_is_found_never_loses_the_address(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice =
		qualify(finder(l, NAT_CONE + v % 4, boxes[v / 4].lifetime));
	uint64_t before;

	expect_found(alice, boxes[v / 4].found);
	w->figure = w->now;
	world_run(w, 5 * TEREDO_SECOND);
	before = node_counter(alice, TEREDO_EV_rs_sent);
	for (unsigned i = 0; i < 12; i++) {
		world_run(w, 2 * HOUR);
		EXPECT(w, talks(l->host, alice->stack, 1));
	}
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, node_counter(alice, TEREDO_EV_mapping_changed) == 0);
	/* no more of them than 75 % of the interval makes */
	EXPECT_AT_MOST(w,
		       node_counter(alice, TEREDO_EV_rs_sent) - before,
		       24 * 3600 * 4 / 3 / boxes[v / 4].found + 1);
}

static bool has_second_line(const void *client)
{
	return ((const struct node *)client)->link[1] != NULL;
}

static void a_second_port_that_is_never_answered_changes_nothing(
	struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = finder(l, NAT_PORT, 300);

	(void)v;
	node_start(alice);
	EXPECT(w, world_run_until(w, TEREDO_SECOND, has_second_line, alice));
	alice->link[1]->line.down = true;
	EXPECT(w, world_run_until(w, 20 * TEREDO_SECOND, is_decided, alice));
	EXPECT(w, client_status(alice).interval ==
			  TEREDO_INTERVAL_UNDETERMINED);
	EXPECT(w, client_status(alice).refresh == 30 * TEREDO_SECOND);
	EXPECT(w, !alice->second_is_open);
	world_run(w, HOUR);
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, talks(alice->stack, l->host, 3));
}

static const struct node_ops *honest;

static struct teredo_verdict no_bubbles(void *core, const struct teredo_rx *rx,
					teredo_time now,
					struct teredo_outbox *ob)
{
	if (rx->len == WIRE_BUBBLE_LEN)
		return (struct teredo_verdict){.fate = TEREDO_DROP};
	return honest->udp_in(core, rx, now, ob);
}

static void a_server_that_forwards_nothing_leaves_30_s(struct world *w,
						       unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = finder(l, NAT_PORT, 300);
	struct node_ops unkind = *l->server->ops;

	(void)v;
	honest = l->server->ops;
	unkind.udp_in = no_bubbles;
	l->server->ops = &unkind;
	qualify(alice);
	expect_found(alice, 30);
	l->server->ops = honest;
}

/* A box that forgets sooner takes the place of the first. */
static void another_mapping_begins_anew(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(finder(l, NAT_PORT, 300));

	(void)v;
	expect_found(alice, 105);
	alice->nat->lifetime = 50 * TEREDO_SECOND;
	lab_move_nat(l, alice->nat);
	world_run(w, 110 * TEREDO_SECOND);
	EXPECT(w, alice->stack->addresses == 2);
	EXPECT(w, alice->second_is_open);
	expect_found(alice, 45);
	world_run(w, 24 * HOUR);
	EXPECT(w, alice->stack->addresses == 2);
}

/* At any time of it; the server is away for a minute or two. */
static void an_outage_of_the_server_does_not_shorten_it(struct world *w,
							unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(finder(l, NAT_PORT, 100));

	(void)v;
	world_run(w, rng_below(&w->rng, 300 * TEREDO_SECOND));
	node_stop(l->server);
	world_run(w, 60 * TEREDO_SECOND +
			     rng_below(&w->rng, 60 * TEREDO_SECOND));
	node_start(l->server);
	if (client_status(alice).interval != TEREDO_INTERVAL_UNDETERMINED)
		expect_found(alice, 90);
}

static void an_engine_that_dies_has_it_found_anew_or_kept(struct world *w,
							  unsigned v)
{
	struct lab *l = lab_new(w);
	struct node *alice = qualify(finder(l, NAT_PORT, 100));

	(void)v;
	world_run(w, 100 * TEREDO_SECOND);
	node_crash(alice);
	world_run(w, TEREDO_SECOND);
	node_respawn(alice);
	EXPECT(w, client_status(alice).refresh == 30 * TEREDO_SECOND);
	world_run(w, TEREDO_SECOND);
	expect_found(alice, 90);
	node_crash(alice);
	node_respawn(alice);
	EXPECT(w, client_status(alice).refresh == 90 * TEREDO_SECOND);
	world_run(w, HOUR);
	EXPECT(w, !alice->second_is_open);
	EXPECT(w, client_status(alice).refresh == 90 * TEREDO_SECOND);
	EXPECT(w, alice->stack->addresses == 1);
}

const struct scenario story_interval[] = {
	STORY(what_is_found_never_loses_the_address,
	      "C-RID-01 C-RID-03 C-RID-04 C-RID-06 C-RID-07 C-RID-08 C-RID-09 "
	      "C-RID-11 C-CFG-06",
	      .variants = 4 * BOXES, .label = box_label),
	STORY(a_second_port_that_is_never_answered_changes_nothing,
	      "C-RID-02 C-RID-11"),
	STORY(a_server_that_forwards_nothing_leaves_30_s, "C-RID-06 C-RID-08"),
	STORY(another_mapping_begins_anew, "C-MNT-05 C-RID-01"),
	STORY(an_outage_of_the_server_does_not_shorten_it, "C-RID-06",
	      .seeds = 20),
	STORY(an_engine_that_dies_has_it_found_anew_or_kept, "C-RID-01"),
	{.name = NULL},
};
