/*
 * story_loops.c - packets that want to go round and round
 *
 * A loop needs two who pass the same packet on to each other. Tunnels make it
 * easy: who the next hop is stands in an address that anybody can write (RFC
 * 6324; faults.md L and A3 to A5). Here each packet that could turn is sent
 * once, nobody else says anything, and what leaves is counted: nothing, or
 * the bubbles that any unknown address is worth.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "lab.h"
#include "scenario.h"
#include "villain.h"

struct scene {
	struct lab *l;
	struct node *bob; /* public */
	struct villain *eve;
	uint64_t before;
};

static struct scene *set_scene(struct world *w)
{
	struct scene *s = world_alloc(w, sizeof(*s));

	s->l = lab_new(w);
	s->bob = qualify(lab_client(s->l, "bob", NAT_NONE));
	s->eve = villain_new(w, "eve", "192.0.2.66", 666);
	s->bob->stack->meets_strangers = true;
	s->l->host->meets_strangers = true;
	EXPECT(w, talks(s->l->host, s->bob->stack, 1));
	return s;
}

static struct teredo_addr own(const struct scene *s, struct teredo_ep ep)
{
	return teredo_at(s->l->server->link[0]->ip, ep);
}

static struct teredo_addr sixtofour(uint32_t ip)
{
	struct teredo_addr a = {{0x20, 0x02, [15] = 1}};

	memcpy(a.b + 2, &ip, 4);
	return a;
}

static struct teredo_addr isatap(uint32_t ip, bool is_global)
{
	struct teredo_addr a = {{0x20, 0x01, 0x0d, 0xb8, 0x77, [8] = 0, 0, 0x5e,
				 0xfe}};

	a.b[8] = is_global ? 2 : 0;
	memcpy(a.b + 12, &ip, 4);
	return a;
}

/* From a native host, with any source. */
static void native_echo(struct scene *s, const struct teredo_addr *src,
			const struct teredo_addr *dst)
{
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8] = {0};

	icmp6_put_echo(echo, ICMP6_ECHO_REQUEST, src, dst, 1, 1, data, 8);
	s->l->host->send(s->l->host->ctx, echo, sizeof(echo));
}

/* ---- servers (L1) ---- */

/* Each claims to be a client of the other. */
static void two_servers_do_not_talk_to_each_other(struct world *w,
						  unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *a = s->l->server, *b = lab_server(s->l, "second", true);
	struct node *at[2] = {a, b};
	uint64_t before = a->sent + b->sent;
	unsigned said = 0;

	(void)variant;
	for (unsigned i = 0; i < 16; i++) {
		struct node *from = at[i & 1], *to = at[!(i & 1)];
		struct teredo_ep me = node_ep(from, i >> 1 & 1);
		struct teredo_ep you = node_ep(to, i >> 2 & 1);
		uint32_t ip = at[i >> 3]->link[0]->ip;
		struct teredo_addr src = teredo_at(ip, me);
		struct teredo_addr dst = teredo_at(ip, me);

		villain_bubble(s->eve, me, you, &src, &dst);
		villain_echo(s->eve, ICMP6_ECHO_REQUEST, me, you, &src, &dst);
		said += 2;
		dst = teredo_at(ip, you);
		villain_bubble(s->eve, me, you, &src, &dst);
		said++;
	}
	world_run(w, TEREDO_SECOND);
	/* what goes on goes on once */
	EXPECT(w, a->sent + b->sent <= before + said);
	before = a->sent + b->sent;
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, a->sent + b->sent == before);
}

static void a_server_feeds_no_tunnel(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *server = s->l->server;
	const struct teredo_addr me = own(s, s->eve->ep);
	uint64_t before = server->sent;

	(void)variant;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t ip = server->link[i]->ip;
		const struct teredo_addr to[] = {
			sixtofour(ip), isatap(ip, false), isatap(ip, true),
			own(s, (struct teredo_ep){htonl(0x7f000001), 1}),
			own(s, (struct teredo_ep){htonl(0x0a000001), 1}),
			own(s, (struct teredo_ep){UINT32_MAX, 1}),
			own(s, (struct teredo_ep){htonl(0xe0000001), 1}),
			own(s, (struct teredo_ep){s->bob->link[0]->ip, 0}),
		};

		for (unsigned k = 0; k < sizeof(to) / sizeof(*to); k++) {
			villain_echo(s->eve, ICMP6_ECHO_REQUEST, s->eve->ep,
				     node_ep(server, i), &me, &to[k]);
			villain_bubble(s->eve, s->eve->ep, node_ep(server, i),
				       &me, &to[k]);
		}
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, server->sent == before);
}

/* ---- relays ---- */

/* Addresses of the other relay, as a client's and as a client's server. */
static void two_relays_do_not_talk_to_each_other(struct world *w,
						 unsigned direct)
{
	struct scene *s = set_scene(w);
	struct node *b, *a = s->l->relay;
	struct teredo_addr of_b, of_a;
	uint64_t a_before, b_before;

	b = lab_relay(s->l, "second", NULL);
	if (direct) {
		node_stop(a);
		node_stop(b);
		relay_role(a)->config.direct_bubbles = true;
		relay_role(b)->config.direct_bubbles = true;
		node_start(a);
		node_start(b);
	}
	of_a = teredo_at(b->link[0]->ip, node_ep(a, 0));
	of_b = teredo_at(a->link[0]->ip, node_ep(b, 0));
	a_before = a->sent;
	b_before = b->sent;
	/* what the other would say, and what asks for bubbles */
	villain_echo(s->eve, ICMP6_ECHO_REQUEST, node_ep(b, 0), node_ep(a, 0),
		     &of_b, &s->l->host->addr);
	villain_bubble(s->eve, node_ep(b, 0), node_ep(a, 0), &of_b, &of_a);
	villain_echo(s->eve, ICMP6_ECHO_REQUEST, node_ep(a, 0), node_ep(b, 0),
		     &of_a, &s->l->host->addr);
	native_echo(s, &s->l->host->addr, &of_a);
	native_echo(s, &s->l->host->addr, &of_b);
	world_run(w, TEREDO_SECOND);
	EXPECT(w, a->sent == a_before && b->sent == b_before);
	/* with an honest server in it, an address is worth four bubbles */
	of_a = own(s, node_ep(a, 0));
	native_echo(s, &s->l->host->addr, &of_a);
	world_run(w, 30 * TEREDO_SECOND);
	EXPECT(w, a->sent == a_before);
	EXPECT(w, b->sent <= b_before + (direct ? 8 : 4) + 1);
	EXPECT(w, node_peers_up(b) == 0);
}

static void direct_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", v ? "direct_bubbles" : "indirect");
}

/* RFC 6324: 6to4 and ISATAP routers that lead back here; L2, L3, L7, A3, A5 */
static void a_relay_takes_nothing_from_another_tunnel(struct world *w,
						      unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *relay = s->l->relay;
	const struct teredo_addr *bob = &s->bob->stack->addr;
	struct teredo_ep self = node_ep(relay, 0);
	const struct teredo_addr unfit[] = {
		sixtofour(self.ip), isatap(self.ip, false),
		isatap(self.ip, true), own(s, s->eve->ep), own(s, self),
		*bob, {{0}}, {{[15] = 1}}, {{0xff, 0x0e, [15] = 1}},
		{{0xfe, 0x80, [15] = 1}}, {{[10] = 0xff, 0xff, 192, 0, 2, 1}},
		{{0xfc, 0x00, [15] = 1}},
	};
	uint64_t before = relay->sent;

	(void)variant;
	for (unsigned i = 0; i < sizeof(unfit) / sizeof(*unfit); i++) {
		native_echo(s, &unfit[i], bob);
		/* and there, from a client that is trusted */
		villain_echo(s->eve, ICMP6_ECHO_REQUEST,
			     addr_mapping(bob), self, bob, &unfit[i]);
		world_run(w, 10 * TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, relay->sent == before);
	EXPECT(w, talks(s->l->host, s->bob->stack, 1));
}

/* A3, SEC-V4D-02 */
static void addresses_of_nowhere_cost_nothing(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *relay = s->l->relay;
	const uint32_t nowhere[] = {
		htonl(0x7f000001), htonl(0x0a000001), htonl(0xac100001),
		htonl(0xc0a80001), htonl(0xa9fe0001), htonl(0xe0000001),
		htonl(0xf0000001), UINT32_MAX,	      htonl(0x00000001),
		htonl(0xc0586301), relay->link[0]->ip, s->bob->link[0]->ip,
	};
	uint64_t relay_before = relay->sent, bob_before = s->bob->sent;

	(void)variant;
	for (unsigned i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		bool is_relay = nowhere[i] == relay->link[0]->ip;
		bool is_bob = nowhere[i] == s->bob->link[0]->ip;
		struct teredo_ep ep = {nowhere[i], htons(999)};
		struct teredo_addr as_peer = own(s, ep);
		struct teredo_addr as_server = teredo_at(ep.ip, s->eve->ep);

		if (!is_relay) {
			stack_ping(s->bob->stack, &as_peer, 9, i);
			stack_ping(s->bob->stack, &as_server, 9, i);
		}
		if (!is_bob) {
			native_echo(s, &s->l->host->addr, &as_peer);
			native_echo(s, &s->l->host->addr, &as_server);
		}
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, relay->sent == relay_before);
	EXPECT(w, s->bob->sent == bob_before);
}

/* ---- clients ---- */

/* What came out of the interface is put in again. L6 */
static void a_tun_that_feeds_itself_stays_empty(struct world *w,
						unsigned variant)
{
	struct scene *s = set_scene(w);
	const struct teredo_addr *bob = &s->bob->stack->addr;
	const struct teredo_addr src[] = {s->l->host->addr, *bob,
					  own(s, s->eve->ep)};
	const struct teredo_addr dst[] = {*bob, *bob, *bob};
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8] = {0};
	uint64_t before = s->bob->sent;

	(void)variant;
	for (unsigned i = 0; i < 3; i++) {
		icmp6_put_echo(echo, ICMP6_ECHO_REQUEST, &src[i], &dst[i], 1, 1,
			       data, 8);
		for (unsigned k = 0; k < 100; k++)
			node_tun_in(s->bob, echo, sizeof(echo));
	}
	world_run(w, 5 * TEREDO_SECOND);
	EXPECT(w, s->bob->sent == before);
	EXPECT(w, stack_count_all(s->bob->stack, ARRIVAL_UNREACHABLE) == 0);
}

/* A4, from where a trusted peer is. */
static void odd_packets_stay_outside(struct world *w, unsigned variant)
{
	struct scene *s = set_scene(w);
	struct node *alice = qualify(lab_client(s->l, "alice", NAT_NONE));
	const struct teredo_addr *bob = &s->bob->stack->addr;
	struct teredo_ep from = addr_mapping(&alice->stack->addr);
	struct teredo_ep to = addr_mapping(bob);
	const struct teredo_addr odd[] = {
		{{0}},			{{[15] = 1}},
		{{0xff, 0x0e, 1}},	{{0xfe, 0x80, [15] = 1}},
		{{0xfe, 0xc0, 1}},	{{[10] = 0xff, 0xff, 1}},
		{{0xfc, 0x00, 1}},	*bob,
	};
	uint8_t rh0[WIRE_IP6_LEN + 24 + 16] = {0};
	uint64_t before;
	size_t n_in;

	(void)variant;
	EXPECT(w, talks(alice->stack, s->bob->stack, 1));
	n_in = s->bob->stack->n_in;
	before = s->bob->sent;
	for (unsigned i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		villain_echo(s->eve, ICMP6_ECHO_REQUEST, from, to, &odd[i],
			     bob);
		villain_echo(s->eve, ICMP6_ECHO_REQUEST, from, to,
			     &alice->stack->addr, &odd[i < 7 ? i : 0]);
		villain_echo(s->eve, ICMP6_RA, from, to, &alice->stack->addr,
			     bob);
	}
	wire_put_ip6(rh0, sizeof(rh0) - WIRE_IP6_LEN, 43, 64,
		     &alice->stack->addr, bob);
	rh0[WIRE_IP6_LEN] = WIRE_NH_NONE;
	rh0[WIRE_IP6_LEN + 1] = 2;
	rh0[WIRE_IP6_LEN + 3] = 1;
	memcpy(rh0 + WIRE_IP6_LEN + 8, s->l->host->addr.b, 16);
	net4_spoof(s->eve->link, from, to, rh0, sizeof(rh0));
	world_run(w, TEREDO_SECOND);
	EXPECT(w, s->bob->stack->n_in == n_in);
	EXPECT(w, s->bob->sent == before);
	EXPECT(w, s->bob->stack->strange == 0);
	EXPECT(w, talks(alice->stack, s->bob->stack, 1));
}

/* SEC-ADR-01, A6: one flag pattern of all is the client's. */
static void a_scan_of_the_flags_finds_one_address(struct world *w, unsigned v)
{
	struct scene *s = set_scene(w);
	struct teredo_addr me = own(s, s->eve->ep), dst;
	const struct teredo_addr *bob = &s->bob->stack->addr;
	unsigned before = stack_count_all(s->bob->stack, ARRIVAL_PING);

	(void)v;
	s->eve->got = 0;
	for (unsigned flags = 0; flags < 0x10000; flags++) {
		dst = *bob;
		dst.b[8] = (uint8_t)(flags >> 8);
		dst.b[9] = (uint8_t)flags;
		villain_echo(s->eve, ICMP6_ECHO_REQUEST, s->eve->ep,
			     addr_mapping(bob), &me, &dst);
		if (flags % 16 == 0)
			world_run(w, TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, stack_count_all(s->bob->stack, ARRIVAL_PING) == before + 1);
	EXPECT(w, s->eve->got == 1);
}

const struct scenario story_loops[] = {
	STORY(two_servers_do_not_talk_to_each_other,
	      "SEC-LOOP-01 S-FWD-10 L1"),
	STORY(a_server_feeds_no_tunnel,
	      "SEC-LOOP-01 SEC-LOOP-03 S-FWD-04 SEC-V4D-02 L1"),
	STORY(two_relays_do_not_talk_to_each_other,
	      "SEC-LOOP-03 R-ENC-02 R-DEC-02 L4", .variants = 2,
	      .label = direct_label),
	STORY(a_relay_takes_nothing_from_another_tunnel,
	      "SEC-LOOP-03 SEC-ING-01 R-DEC-06 L2 L3 L7 A4 A5"),
	STORY(addresses_of_nowhere_cost_nothing,
	      "SEC-V4D-02 SEC-LOOP-03 C-TX-11 R-ENC-01 R-ENC-02 A3"),
	STORY(a_tun_that_feeds_itself_stays_empty, "SEC-LOOP-02 SEC-ING-01 L6"),
	STORY(odd_packets_stay_outside,
	      "SEC-HOLE-02 SEC-ND-01 SEC-SRC-01 C-RX-21 A4"),
	STORY(a_scan_of_the_flags_finds_one_address,
	      "SEC-ADR-01 A-ADDR-09 C-RX-03 A6"),
	{.name = NULL},
};
