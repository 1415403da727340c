/*
 * story_siege.c - strangers that use up what others need
 *
 * Every limit protects somebody, and a limit for all together is a way to lock
 * all out: who fills it keeps the others from it. Here somebody floods, from
 * one place or from forged ones, and others who never met before want to begin
 * to talk, meanwhile or soon after (faults.md B3, B4, B6; SEC-DOS-03,
 * SEC-DOS-06).
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "lab.h"
#include "scenario.h"

struct siege {
	struct lab *l;
	struct node *bob;
	struct link4 *stranger;
	teredo_time gap;		/* between two packets */
	void (*throw)(struct siege *s); /* one */
	bool is_over;
};

static void ignore(void *ctx, struct link4 *on, struct datagram *d)
{
	(void)ctx;
	(void)on;
	(void)d;
}

static struct siege *lay_siege(struct world *w, enum nat_kind bobs)
{
	struct siege *s = world_alloc(w, sizeof(*s));

	s->l = lab_new(w);
	s->bob = qualify(lab_client(s->l, "bob", bobs));
	s->bob->stack->meets_strangers = true;
	s->stranger = net4_attach(w, "stranger", inet_addr("192.0.2.66"),
				  ignore, NULL);
	world_run(w, 5 * TEREDO_SECOND);
	return s;
}

static void go_on(struct world *w, void *siege, void *data)
{
	struct siege *s = siege;

	(void)data;
	if (s->is_over)
		return;
	s->throw(s);
	world_at(w, w->now + s->gap, go_on, s, NULL);
}

static void flood(struct siege *s, unsigned per_second,
		  void (*throw)(struct siege *s))
{
	s->gap = TEREDO_SECOND / per_second;
	s->throw = throw;
	go_on(s->l->w, s, NULL);
	world_run(s->l->w, 5 * TEREDO_SECOND);
}

static struct teredo_ep mapped(const struct node *client)
{
	return addr_mapping(&client->stack->addr);
}

static struct teredo_addr some_native(struct siege *s)
{
	struct teredo_addr a = {{0x20, 0x01, 0x0d, 0xb8, 6}};

	rng_fill(&s->l->w->rng, a.b + 8, 8);
	return a;
}

static void throw_echo(struct siege *s, struct teredo_ep from,
		       struct teredo_ep to, const struct teredo_addr *src,
		       const struct teredo_addr *dst)
{
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8] = {0};

	icmp6_put_echo(echo, ICMP6_ECHO_REQUEST, src, dst, 1, 1, data, 8);
	net4_spoof(s->stranger, from, to, echo, sizeof(echo));
}

/* ---- a client ---- */

static void throw_native(struct siege *s)
{
	struct teredo_ep from = {s->stranger->ip, htons(666)};
	struct teredo_addr src = some_native(s);

	throw_echo(s, from, mapped(s->bob), &src, &s->bob->stack->addr);
}

static void throw_native_from_anywhere(struct siege *s)
{
	struct teredo_ep from = {(uint32_t)rng_next(&s->l->w->rng), htons(666)};
	struct teredo_addr src = some_native(s);

	throw_echo(s, from, mapped(s->bob), &src, &s->bob->stack->addr);
}

/* The server passes on 10 tests a second of ours: not all for strangers. */
static void strangers_do_not_use_up_a_clients_tests(struct world *w,
						    unsigned variant)
{
	struct siege *s = lay_siege(w, NAT_CONE);

	flood(s, 100, variant ? throw_native_from_anywhere : throw_native);
	for (unsigned i = 0; i < 20; i++) {
		struct stack *host = lab_host(s->l, "one-of-many");

		EXPECT(w, ping(s->bob->stack, host, TEREDO_SECOND) !=
				  TEREDO_NEVER);
		world_run(w, TEREDO_SECOND);
	}
}

static void where_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "from_%s", v ? "anywhere" : "one_place");
}

/* A host that does not give up after one packet. */
static bool gets_through(struct stack *from, const struct stack *to)
{
	for (unsigned i = 0; i < 3; i++)
		if (ping(from, to, 1500 * TEREDO_MS) != TEREDO_NEVER)
			return true;
	return false;
}

static void one_stranger_does_not_shut_a_client(struct world *w,
						unsigned variant)
{
	struct siege *s = lay_siege(w, NAT_CONE);

	(void)variant;
	flood(s, 1000, throw_native);
	for (unsigned i = 0; i < 10; i++)
		EXPECT(w, gets_through(lab_host(s->l, "one-of-many"),
				       s->bob->stack));
}

/* As if from the server, about everybody. */
static void throw_origin(struct siege *s)
{
	uint8_t bubble[WIRE_ORIGIN_LEN + WIRE_BUBBLE_LEN];
	struct rng *rng = &s->l->w->rng;
	struct teredo_ep origin = {(uint32_t)rng_next(rng),
				   (uint16_t)rng_next(rng)};
	struct teredo_addr src;

	addr_make(&src, addr_default_prefix(), s->l->server->link[0]->ip, 0,
		  origin);
	wire_put_origin(bubble, origin);
	wire_put_bubble(bubble + WIRE_ORIGIN_LEN, &src, &s->bob->stack->addr);
	net4_spoof(s->stranger, node_ep(s->l->server, 0), mapped(s->bob),
		   bubble, sizeof(bubble));
}

/* What a flood used up comes back when it is over, for those, too, who were
 * never part of it. */
static void a_flood_of_origins_has_no_aftermath(struct world *w, unsigned v)
{
	struct siege *s = lay_siege(w, NAT_PORT);

	(void)v;
	/* the box in front of bob lets in what looks like the server's */
	flood(s, 5000, throw_origin);
	world_run(w, 15 * TEREDO_SECOND);
	s->is_over = true;
	world_run(w, 2100 * TEREDO_MS);
	for (unsigned i = 0; i < 5; i++) {
		struct node *carol =
			qualify(lab_client(s->l, "carol", NAT_PORT));

		EXPECT(w, ping(carol->stack, s->bob->stack, TEREDO_SECOND) !=
				  TEREDO_NEVER);
	}
}

/* ---- who is trusted elsewhere than its address says ---- */

static struct node *alice; /* behind a symmetric NAT */

static void throw_from_the_mapping(struct siege *s)
{
	uint8_t bubble[WIRE_BUBBLE_LEN];
	struct teredo_ep from = mapped(alice);
	struct teredo_ep relay = node_ep(s->l->relay, 0);
	const struct teredo_addr *src = &alice->stack->addr;
	const struct teredo_addr *bob = &s->bob->stack->addr;

	throw_echo(s, from, relay, src, &s->l->host->addr);
	throw_echo(s, from, mapped(s->bob), src, bob);
	wire_put_bubble(bubble, src, bob);
	net4_spoof(s->stranger, from, relay, bubble, sizeof(bubble));
	net4_spoof(s->stranger, from, mapped(s->bob), bubble, sizeof(bubble));
}

static void its_mapping_does_not_move_a_symmetric_peer(struct world *w,
						       unsigned variant)
{
	struct siege *s = lay_siege(w, NAT_CONE);
	struct flow *f[4];
	teredo_time begin;

	(void)variant;
	alice = qualify(lab_client(s->l, "alice", NAT_SYMMETRIC));
	s->l->host->meets_strangers = true;
	alice->stack->meets_strangers = true;
	f[0] = flow_start(alice->stack, s->l->host, 100 * TEREDO_MS);
	f[1] = flow_start(s->l->host, alice->stack, 100 * TEREDO_MS);
	f[2] = flow_start(s->bob->stack, alice->stack, 100 * TEREDO_MS);
	world_run(w, 2 * TEREDO_SECOND);
	f[3] = flow_start(alice->stack, s->bob->stack, 100 * TEREDO_MS);
	world_run(w, 2 * TEREDO_SECOND);
	begin = w->now;
	flood(s, 20, throw_from_the_mapping);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_AT_MOST(w, flow_gap(f[i], begin), 300 * TEREDO_MS);
		EXPECT(w, flow_lost(f[i], 60) <= 2);
	}
}

/* ---- a relay ---- */

static struct stack *scanner;

static void throw_scan(struct siege *s)
{
	struct teredo_addr dst;

	rng_fill(&s->l->w->rng, dst.b, sizeof(dst.b));
	memcpy(dst.b, s->bob->stack->addr.b, 4);
	stack_ping(scanner, &dst, 1, 1);
}

/* B4 */
static void a_scan_does_not_shut_a_relay(struct world *w, unsigned variant)
{
	struct siege *s = lay_siege(w, NAT_PORT);

	(void)variant;
	scanner = lab_host(s->l, "scanner");
	flood(s, 10000, throw_scan);
	for (unsigned i = 0; i < 10; i++) {
		struct stack *host = lab_host(s->l, "one-of-many");
		struct node *carol =
			qualify(lab_client(s->l, "carol", NAT_SYMMETRIC));

		EXPECT(w, ping(host, carol->stack, TEREDO_SECOND) !=
				  TEREDO_NEVER);
	}
}

/* ---- a server ---- */

static void throw_bubble_to(struct siege *s, const struct teredo_addr *dst)
{
	struct teredo_ep from = {s->stranger->ip,
				 (uint16_t)rng_next(&s->l->w->rng)};
	uint8_t bubble[WIRE_BUBBLE_LEN];
	struct teredo_addr src;

	addr_make(&src, addr_default_prefix(), s->l->server->link[0]->ip, 0,
		  from);
	wire_put_bubble(bubble, &src, dst);
	net4_spoof(s->stranger, from, node_ep(s->l->server, 0), bubble,
		   sizeof(bubble));
}

static void throw_bubble_by_the_server(struct siege *s)
{
	throw_bubble_to(s, &s->bob->stack->addr);
}

/* To clients that would be behind the same NAT. */
static void throw_bubble_at_a_port(struct siege *s)
{
	struct teredo_addr dst = s->bob->stack->addr;

	rng_fill(&s->l->w->rng, dst.b + 10, 2);
	throw_bubble_to(s, &dst);
}

/* 10 bubbles a second to one client, 50 to an address: not all of one host. */
/* carol may share a bucket with one of the stranger's endpoints, by chance:
 * then her second bubble is answered. */
static void one_host_does_not_use_up_a_servers_bubbles(struct world *w,
						       unsigned variant)
{
	struct siege *s = lay_siege(w, NAT_PORT);

	flood(s, 1000, variant ? throw_bubble_at_a_port
			       : throw_bubble_by_the_server);
	for (unsigned i = 0; i < 10; i++) {
		struct node *carol =
			qualify(lab_client(s->l, "carol", NAT_PORT));

		/* not in step with the flood */
		world_run(w, rng_next(&w->rng) % TEREDO_SECOND);
		EXPECT(w, ping(carol->stack, s->bob->stack,
			       3 * TEREDO_SECOND) != TEREDO_NEVER);
	}
}

static void aim_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "to_%s", v ? "its_address" : "one_client");
}

/* ---- server and relay in one ---- */

static struct link6 *forger;

static void count_datagram(void *ctx, struct link4 *on, struct datagram *d)
{
	unsigned *got = ctx;

	(void)on;
	(void)d;
	(*got)++;
}

static void ignore6(void *ctx, const uint8_t *ip6, size_t len)
{
	(void)ctx;
	(void)ip6;
	(void)len;
}

/* From any network, to a client of the box at one port of the stranger after
 * the other: the box forgets, and may soon ask one twice. */
static void throw_native_at_a_port(struct siege *s)
{
	struct rng *rng = &s->l->w->rng;
	struct teredo_ep at = {s->stranger->ip,
			       htons((uint16_t)(s->l->w->now / TEREDO_MS))};
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8] = {0};
	struct teredo_addr src = {{0x20, 0x01, 0x0d, 0xb8}}, dst;

	rng_fill(rng, src.b + 4, 12);
	addr_make(&dst, addr_default_prefix(), s->l->server->link[0]->ip, 0,
		  at);
	icmp6_put_echo(echo, ICMP6_ECHO_REQUEST, &src, &dst, 1, 1, data, 8);
	net6_send(forger, echo, sizeof(echo));
}

/* What the relay in the box asks for by itself is rationed as what is asked of
 * the server by one host: 50 at once to one address, then 25 a second. */
static void a_relay_is_no_way_around_its_servers_limits(struct world *w,
							unsigned variant)
{
	static const struct teredo_addr far = {{0x20, 0x01, 0x0d, 0xb8, 6}};
	struct siege *s = world_alloc(w, sizeof(*s));
	unsigned *got = world_alloc(w, sizeof(*got));
	struct node *carol;

	(void)variant;
	s->l = lab_empty(w);
	s->l->server = s->l->relay = lab_server_relay(s->l, "box", NULL);
	s->l->host = lab_host(s->l, "host");
	s->stranger = net4_attach(w, "stranger", inet_addr("192.0.2.66"),
				  count_datagram, got);
	forger = net6_attach(w, "forger", &far, ignore6, NULL);
	carol = lab_client(s->l, "carol", NAT_PORT);
	client_role(carol)->server[0].ip = s->l->server->link[0]->ip;
	qualify(carol);
	flood(s, 1000, throw_native_at_a_port);
	EXPECT(w, *got >= 50);
	EXPECT_AT_MOST(w, *got, 50 + 25 * 5);
	EXPECT(w, ping(s->l->host, carol->stack, TEREDO_SECOND) !=
			  TEREDO_NEVER);
}

const struct scenario story_siege[] = {
	STORY(strangers_do_not_use_up_a_clients_tests,
	      "C-DCT-01 SEC-REF-04 SEC-DOS-03 B6", .variants = 2,
	      .label = where_label),
	STORY(one_stranger_does_not_shut_a_client, "C-RX-19 SEC-DOS-03 B6"),
	STORY(a_flood_of_origins_has_no_aftermath, "C-BUB-07 SEC-REF-03"),
	STORY(its_mapping_does_not_move_a_symmetric_peer,
	      "R-DEC-07 C-RX-07 SEC-DOS-03"),
	STORY(a_scan_does_not_shut_a_relay, "R-ENC-16 SEC-DOS-06 B4"),
	STORY(one_host_does_not_use_up_a_servers_bubbles, "SEC-REF-02 B3",
	      .variants = 2, .label = aim_label),
	STORY(a_relay_is_no_way_around_its_servers_limits,
	      "R-SRV-01 SEC-REF-02"),
	{.name = NULL},
};
