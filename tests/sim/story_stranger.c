/*
 * story_stranger.c - somebody who means no good, with any source address
 *
 * faults.md A (spoofing), B (floods), L (loops); protocol.md section 7. The
 * referee watches that nothing unproven is delivered and that nothing is sent
 * where it must not go; here it is told that those who talk do not notice,
 * and that strangers get little for their packets.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "lab.h"
#include "scenario.h"
#include "villain.h"

#define TICK (100 * TEREDO_MS)

struct scene {
	struct lab *l;
	struct node *alice, *bob; /* port-restricted and cone */
	struct link4 *stranger;
	struct flow *flow[3];
};

static void ignore(void *ctx, struct link4 *on, struct datagram *d)
{
	(void)ctx;
	(void)on;
	(void)d;
}

static struct scene *set_scene(struct world *w)
{
	struct scene *s = world_alloc(w, sizeof(*s));

	s->l = lab_new(w);
	s->alice = qualify(lab_client(s->l, "alice", NAT_PORT));
	s->bob = qualify(lab_client(s->l, "bob", NAT_CONE));
	s->stranger = net4_attach(w, "stranger", inet_addr("192.0.2.66"),
				  ignore, NULL);
	s->flow[0] = flow_start(s->alice->stack, s->l->host, TICK);
	s->flow[1] = flow_start(s->l->host, s->bob->stack, TICK);
	s->flow[2] = flow_start(s->bob->stack, s->alice->stack, TICK);
	s->alice->stack->meets_strangers = true;
	s->bob->stack->meets_strangers = true;
	s->l->host->meets_strangers = true;
	world_run(w, 5 * TEREDO_SECOND);
	return s;
}

/* Nobody noticed: no packet of the flows was late or lost. */
static void expect_unharmed(struct scene *s)
{
	struct world *w = s->l->w;

	for (unsigned i = 0; i < 3; i++) {
		EXPECT_AT_MOST(w, flow_gap(s->flow[i], TEREDO_SECOND),
			       2 * TICK);
		EXPECT(w, flow_lost(s->flow[i], s->flow[i]->sent) <= 2);
	}
	EXPECT(w, s->alice->stack->addresses == 1);
	EXPECT(w, s->bob->stack->addresses == 1);
}

static struct teredo_ep mapped(const struct node *client)
{
	return addr_mapping(&client->stack->addr);
}

static struct teredo_ep stranger_ep(const struct scene *s)
{
	return (struct teredo_ep){s->stranger->ip, htons(666)};
}

/* An address that fits an endpoint, of the scene's server. */
static struct teredo_addr address_at(const struct scene *s, struct teredo_ep ep)
{
	struct teredo_addr a;

	addr_make(&a, addr_default_prefix(), s->l->server->link[0]->ip, 0, ep);
	return a;
}

static const struct teredo_addr native = {
	{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6}};

static void send_bubble(struct scene *s, struct teredo_ep from,
			struct teredo_ep to, const struct teredo_addr *src,
			const struct teredo_addr *dst)
{
	uint8_t bubble[WIRE_BUBBLE_LEN];

	wire_put_bubble(bubble, src, dst);
	net4_spoof(s->stranger, from, to, bubble, sizeof(bubble));
}

/* As if from the server. */
static void send_origin_bubble(struct scene *s, const struct node *to,
			       struct teredo_ep origin,
			       const struct teredo_addr *src,
			       const struct teredo_addr *dst)
{
	uint8_t bubble[WIRE_ORIGIN_LEN + WIRE_BUBBLE_LEN];

	wire_put_origin(bubble, origin);
	wire_put_bubble(bubble + WIRE_ORIGIN_LEN, src, dst);
	net4_spoof(s->stranger, node_ep(s->l->server, 0), mapped(to), bubble,
		   sizeof(bubble));
}

static void send_echo(struct scene *s, uint8_t type, struct teredo_ep from,
		      struct teredo_ep to, const struct teredo_addr *src,
		      const struct teredo_addr *dst)
{
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8];

	rng_fill(&s->l->w->rng, data, sizeof(data));
	icmp6_put_echo(echo, type, src, dst, 1, 1, data, sizeof(data));
	net4_spoof(s->stranger, from, to, echo, sizeof(echo));
}

/* An advertisement for `to`, right in all but the nonce. */
#define RA_LEN (WIRE_AUTH_LEN + WIRE_ORIGIN_LEN + ICMP6_RA_LEN)

static size_t put_ra(struct scene *s, uint8_t *out, struct teredo_ep origin)
{
	uint8_t nonce[WIRE_NONCE_LEN];
	struct teredo_addr server, solicitor;
	uint32_t ip = s->l->server->link[0]->ip;

	rng_fill(&s->l->w->rng, nonce, sizeof(nonce));
	wire_put_auth(out, nonce);
	wire_put_origin(out + WIRE_AUTH_LEN, origin);
	addr_make_link_local(&server, ADDR_FLAG_CONE, node_ep(s->l->server, 0));
	addr_make_link_local(&solicitor, 0, (struct teredo_ep){0, 0});
	icmp6_put_ra(out + WIRE_AUTH_LEN + WIRE_ORIGIN_LEN, &server, &solicitor,
		     addr_default_prefix(), ip, TEREDO_MTU);
	return RA_LEN;
}

/* ---- damaged packets ---- */

/* Something that a node might be glad to get. Returns its length. */
static size_t put_bait(struct scene *s, uint8_t *out)
{
	struct teredo_addr src = address_at(s, stranger_ep(s)), ll;
	const struct teredo_addr *dst = rng_below(&s->l->w->rng, 2)
						? &s->alice->stack->addr
						: &s->bob->stack->addr;

	addr_make_link_local(&ll, 0, (struct teredo_ep){0, 0});
	switch (rng_below(&s->l->w->rng, 5)) {
	case 0:
		wire_put_bubble(out, &src, dst);
		return WIRE_BUBBLE_LEN;
	case 1:
		wire_put_origin(out, stranger_ep(s));
		wire_put_bubble(out + WIRE_ORIGIN_LEN, &src, dst);
		return WIRE_ORIGIN_LEN + WIRE_BUBBLE_LEN;
	case 2:
		return put_ra(s, out, mapped(s->alice));
	case 3:
		icmp6_put_rs(out, &ll);
		return ICMP6_RS_LEN;
	default:
		icmp6_put_echo(out, ICMP6_ECHO_REQUEST, &src, &s->l->host->addr,
			       1, 1, out, 8);
		return ICMP6_ECHO_LEN(8);
	}
}

static void damaged_packets_harm_nobody(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct teredo_ep party[] = {
		stranger_ep(s),		  mapped(s->alice),
		mapped(s->bob),		  node_ep(s->l->relay, 0),
		node_ep(s->l->server, 0), node_ep(s->l->server, 1),
	};
	uint8_t data[256];

	(void)variant;
	for (unsigned i = 0; i < 20000; i++) {
		struct teredo_ep from = party[rng_below(&w->rng, 6)];
		struct teredo_ep to = party[1 + rng_below(&w->rng, 5)];
		size_t len =
			villain_damage(&w->rng, data, put_bait(s, data));

		net4_spoof(s->stranger, from, to, data, len);
		world_run(w, 5 * TEREDO_MS);
	}
	expect_unharmed(s);
}

/* ---- loops ---- */

/* From `from`, to and about the server's own two addresses. */
static void a_server_never_talks_to_itself(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *server = s->l->server;
	uint64_t before;

	(void)variant;
	for (unsigned i = 0; i < 3; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	before = server->sent;
	for (unsigned i = 0; i < 8; i++) {
		struct teredo_ep from = node_ep(server, i & 1);
		struct teredo_ep to = node_ep(server, i >> 1 & 1);
		struct teredo_ep about = node_ep(server, i >> 2);
		struct teredo_addr src = address_at(s, from);
		struct teredo_addr dst = address_at(s, about);

		send_bubble(s, from, to, &src, &dst);
		send_echo(s, ICMP6_ECHO_REQUEST, from, to, &src, &dst);
		src = address_at(s, stranger_ep(s));
		send_bubble(s, stranger_ep(s), to, &src, &dst);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, server->sent == before);
}

static void a_relay_sends_nothing_back_into_a_tunnel(struct world *w,
						     unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *relay = s->l->relay;
	struct teredo_ep self = node_ep(relay, 0);
	struct teredo_addr own = address_at(s, self), sixtofour = native;
	uint64_t before;

	(void)variant;
	for (unsigned i = 0; i < 3; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	before = relay->sent;
	stack_ping(s->l->host, &own, 1, 1);
	sixtofour.b[1] = 2;
	memcpy(sixtofour.b + 2, &self.ip, 4);
	send_echo(s, ICMP6_ECHO_REQUEST, mapped(s->bob), self,
		  &s->bob->stack->addr, &sixtofour);
	memcpy(sixtofour.b + 2, &s->stranger->ip, 4);
	send_echo(s, ICMP6_ECHO_REQUEST, mapped(s->bob), self,
		  &s->bob->stack->addr, &sixtofour);
	send_echo(s, ICMP6_ECHO_REQUEST, mapped(s->bob), self,
		  &s->bob->stack->addr, &s->alice->stack->addr);
	send_echo(s, ICMP6_ECHO_REQUEST, self, self, &own, &s->l->host->addr);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, relay->sent == before);
}

static void a_client_sends_nothing_to_itself(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *bob = s->bob;
	struct teredo_addr self = bob->stack->addr, other = self;
	struct teredo_addr src = address_at(s, stranger_ep(s));
	uint64_t before;
	unsigned pongs;

	(void)variant;
	for (unsigned i = 0; i < 3; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	before = bob->sent;
	pongs = stack_count_all(bob->stack, ARRIVAL_PONG);
	other.b[9] ^= 1; /* a flag of RFC 5991 */
	stack_ping(bob->stack, &other, 1, 1);
	send_echo(s, ICMP6_ECHO_REQUEST, mapped(bob), mapped(bob), &self,
		  &self);
	send_echo(s, ICMP6_ECHO_REQUEST, stranger_ep(s), mapped(bob), &self,
		  &self);
	send_echo(s, ICMP6_ECHO_REQUEST, stranger_ep(s), mapped(bob), &src,
		  &other);
	send_origin_bubble(s, bob, stranger_ep(s), &src, &other);
	/* from where only it is itself, it does not believe anybody to be */
	send_echo(s, ICMP6_ECHO_REPLY, mapped(bob), mapped(bob), &other, &self);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, bob->sent == before);
	EXPECT(w, bob->stack->strange == 0);
	EXPECT(w, stack_count_all(bob->stack, ARRIVAL_PONG) == pongs);
}

/* Data by our server: its origin gets a bubble (C-RX-05), and that is all. */
static void data_by_our_server_costs_one_bubble(struct world *w,
						unsigned variant)
{
	struct scene *s = set_scene(w);
	struct teredo_addr src = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x66}};
	uint64_t before;

	(void)variant;
	for (unsigned i = 0; i < 3; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	before = s->bob->sent;
	send_echo(s, ICMP6_ECHO_REQUEST, stranger_ep(s),
		  node_ep(s->l->server, TEREDO_VIA_PRIMARY), &src,
		  &s->bob->stack->addr);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, s->bob->sent == before + 1);
}

/* ---- forgeries ---- */

static void forged_advertisements_are_ignored(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *carol = lab_client(s->l, "carol", NAT_NONE);
	uint8_t ra[RA_LEN];

	(void)variant;
	/* while one is soliciting in vain, and while others refresh */
	access_line(s->l->server)->down = true;
	node_start(carol);
	for (unsigned i = 0; i < 10000; i++) {
		struct teredo_ep to =
			i % 2 ? mapped(s->bob) : node_ep(carol, 0);
		size_t len = put_ra(s, ra, stranger_ep(s));

		net4_spoof(s->stranger, node_ep(s->l->server, 0), to, ra, len);
		world_run(w, 5 * TEREDO_MS);
	}
	EXPECT(w, carol->stack->addresses == 0);
	expect_unharmed(s);
}

static void forged_answers_prove_nothing(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct teredo_ep bob = mapped(s->bob);
	unsigned peers = node_peers_up(s->bob);

	(void)variant;
	for (unsigned i = 0; i < 10000; i++) {
		send_echo(s, i % 2 ? ICMP6_ECHO_REPLY : ICMP6_ECHO_REQUEST,
			  stranger_ep(s), bob, &native, &s->bob->stack->addr);
		send_echo(s, ICMP6_ECHO_REPLY, stranger_ep(s), bob,
			  &s->l->host->addr, &s->bob->stack->addr);
		world_run(w, 2 * TEREDO_MS);
	}
	EXPECT(w, node_peers_up(s->bob) == peers);
	/* in 20 s: of the stranger's address four and one in each pause, of the
	 * host's two in 2 s (by the server and by the relay), and one before */
	EXPECT(w, node_counter(s->bob, TEREDO_EV_test_sent) <= 8 + 20 + 1);
	expect_unharmed(s);
}

/* A bubble from anywhere moves a peer only if it names our cookie. */
static void forged_cookies_move_nobody(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct teredo_addr cookie = {{0xfe, 0x80}};

	(void)variant;
	for (unsigned i = 0; i < 10000; i++) {
		rng_fill(&w->rng, cookie.b + 8, 8);
		send_bubble(s, stranger_ep(s), mapped(s->bob),
			    &s->alice->stack->addr, &cookie);
		send_bubble(s, stranger_ep(s), mapped(s->bob),
			    &s->alice->stack->addr, &s->bob->stack->addr);
		send_bubble(s, stranger_ep(s), node_ep(s->l->relay, 0),
			    &s->bob->stack->addr, &cookie);
		send_bubble(s, stranger_ep(s), node_ep(s->l->relay, 0),
			    &s->bob->stack->addr, &s->l->host->addr);
		world_run(w, 2 * TEREDO_MS);
	}
	expect_unharmed(s);
}

/* SEC-OPEN-01: bubbles and small echoes, between whom it may be. */
static void a_server_carries_nothing_else(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *server = s->l->server;
	struct node *other = lab_server(s->l, "other", true);
	struct teredo_ep at = node_ep(server, 0), from = stranger_ep(s);
	const struct teredo_addr *bob = &s->bob->stack->addr;
	struct teredo_addr me = address_at(s, from), foreign;
	uint8_t data[WIRE_IP6_LEN + 200] = {0};
	const uint8_t zeros[81] = {0};
	uint64_t before;

	(void)variant;
	for (unsigned i = 0; i < 3; i++)
		s->flow[i]->is_silent = true;
	world_run(w, TEREDO_SECOND);
	before = server->sent;
	/* data; a bubble with more trailers than trailers need; a large echo */
	wire_put_ip6(data, 200, 17, 64, &me, bob);
	net4_spoof(s->stranger, from, at, data, sizeof(data));
	wire_put_bubble(data, &me, bob);
	net4_spoof(s->stranger, from, at, data, sizeof(data));
	icmp6_put_echo(data, ICMP6_ECHO_REQUEST, &me, &s->l->host->addr, 1, 1,
		       zeros, sizeof(zeros));
	net4_spoof(s->stranger, from, at, data, ICMP6_ECHO_LEN(81));
	/* somebody else's address; somebody else's client */
	send_bubble(s, from, at, &s->alice->stack->addr, bob);
	addr_make(&foreign, addr_default_prefix(), other->link[0]->ip, 0,
		  mapped(s->bob));
	send_bubble(s, from, at, &native, &foreign);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, server->sent == before);
	send_bubble(s, from, at, &me, bob);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, server->sent == before + 1);
}

/* ---- floods ---- */

static void origins_of_strangers_are_rationed(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	uint64_t before = node_counter(s->bob, TEREDO_EV_bubble_reply_sent);

	(void)variant;
	for (unsigned i = 0; i < 10000; i++) {
		struct teredo_ep origin = {(uint32_t)rng_next(&w->rng),
					   (uint16_t)rng_next(&w->rng)};
		struct teredo_addr src = address_at(s, origin);

		send_origin_bubble(s, s->bob, origin, &src,
				   &s->bob->stack->addr);
		world_run(w, TEREDO_MS);
	}
	EXPECT(w, node_counter(s->bob, TEREDO_EV_bubble_reply_sent) <=
			  before + 50 + 10 * 50);
	expect_unharmed(s);
}

static void solicitations_of_strangers_are_rationed(struct world *w,
						    unsigned variant)
{
	struct scene *s = set_scene(w);
	struct teredo_addr solicitor;
	uint8_t rs[ICMP6_RS_LEN];
	uint64_t before = node_counter(s->l->server, TEREDO_EV_ra_sent);

	(void)variant;
	addr_make_link_local(&solicitor, 0, (struct teredo_ep){0, 0});
	icmp6_put_rs(rs, &solicitor);
	for (unsigned i = 0; i < 10000; i++) {
		net4_spoof(s->stranger, stranger_ep(s),
			   node_ep(s->l->server, i % 2), rs, sizeof(rs));
		world_run(w, TEREDO_MS);
	}
	EXPECT(w, node_counter(s->l->server, TEREDO_EV_ra_sent) <=
			  before + 8 + 2 * 10 + 4);
	qualify(lab_client(s->l, "carol", NAT_PORT));
	expect_unharmed(s);
}

static void a_scan_through_the_relay_disturbs_nobody(struct world *w,
						     unsigned variant)
{
	struct scene *s = set_scene(w);
	struct stack *scanner = lab_host(s->l, "scanner");

	(void)variant;
	for (unsigned i = 0; i < 10000; i++) {
		struct teredo_addr dst;

		rng_fill(&w->rng, dst.b, sizeof(dst.b));
		memcpy(dst.b, s->alice->stack->addr.b, 4);
		stack_ping(scanner, &dst, 1, i);
		world_run(w, TEREDO_MS);
	}
	expect_unharmed(s);
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT(w,
	       ping(scanner, s->alice->stack, TEREDO_SECOND) != TEREDO_NEVER);
}

const struct scenario story_stranger[] = {
	STORY(damaged_packets_harm_nobody,
	      "S-CHK-01 C-RX-01 R-DEC-01 A-ENC-06 A-ENC-08 F1"),
	STORY(a_server_never_talks_to_itself, "SEC-LOOP-01 S-CHK-08 L1"),
	STORY(a_relay_sends_nothing_back_into_a_tunnel,
	      "SEC-LOOP-03 R-ENC-02 R-DEC-06 L2 L3 L7"),
	STORY(a_client_sends_nothing_to_itself,
	      "SEC-LOOP-02 C-RX-03 A-ADDR-09 L5"),
	STORY(data_by_our_server_costs_one_bubble, "C-RX-05 C-RX-19 SEC-REF-03"),
	STORY(forged_advertisements_are_ignored,
	      "SEC-MITM-01 SEC-DOS-02 C-SECQ-02 A2"),
	STORY(forged_answers_prove_nothing,
	      "SEC-MITM-04 SEC-REF-04 C-RX-10 C-DCT-06 A7"),
	STORY(forged_cookies_move_nobody, "R-DEC-02 R-DEC-07 C-RX-07 A1"),
	STORY(a_server_carries_nothing_else,
	      "SEC-OPEN-01 S-CHK-02 S-CHK-06 S-CHK-07 S-CHK-09 S-FWD-09"),
	STORY(origins_of_strangers_are_rationed, "SEC-REF-03 C-BUB-07 B3"),
	STORY(solicitations_of_strangers_are_rationed,
	      "SEC-REF-01 SEC-DOS-05 B2"),
	STORY(a_scan_through_the_relay_disturbs_nobody,
	      "R-ENC-16 SEC-DOS-06 B5"),
	{.name = NULL},
};
