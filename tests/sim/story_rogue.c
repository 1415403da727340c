/*
 * story_rogue.c - servers and relays that belong to somebody else
 *
 * Nobody can choose the relay of a native host, and a server may have been
 * taken over. A server's lie is refused where it can be seen to be one: then
 * it counts as no answer, and the next server of the list serves. Where it
 * can not, its damage is one useless address (SEC-DOS-02), and in no case is
 * the client a tool against others (SEC-REF-03, SEC-REF-04). A relay speaks
 * for those whom it was asked about, and for no longer than it carries their
 * packets (SEC-DOS-01, C-RX-07).
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

/* ---- what a server may say ---- */

struct answer {
	struct teredo_ep origin;
	uint32_t prefix, server_ip, mtu;
	uint8_t confirmation, prefix_len, hop_limit, lifetime;
	unsigned prefixes, copies;
};

struct rogue {
	struct villain *v;
	void (*lie)(struct answer *a);
	unsigned asked;
};

static uint32_t elsewhere(void)
{
	return inet_addr("192.0.2.42");
}

#define LIE(name, change)                                                      \
	static void lie_##name(struct answer *a)                               \
	{                                                                      \
		change;                                                        \
	}

LIE(nothing, (void)a)
LIE(third_party, a->origin.ip = elsewhere())
LIE(mtu_of_0, a->mtu = 0)
LIE(mtu_of_1279, a->mtu = 1279)
LIE(mtu_of_4G, a->mtu = UINT32_MAX)
LIE(lifetimes_of_0, a->lifetime = 0)
LIE(four_times, a->copies = 4)
LIE(loopback, a->origin.ip = htonl(0x7f000001))
LIE(nobody, a->origin.ip = 0)
LIE(private, a->origin.ip = htonl(0x0a000001))
LIE(multicast, a->origin.ip = htonl(0xe0000001))
LIE(broadcast, a->origin.ip = UINT32_MAX)
LIE(port_0, a->origin.port = 0)
LIE(other_prefix, a->prefix = htonl(0x20010db8))
LIE(sixtofour, a->prefix = htonl(0x2002c000))
LIE(other_server, a->server_ip = elsewhere())
LIE(two_prefixes, a->prefixes = 2)
LIE(no_prefix, a->prefixes = 0)
LIE(prefix_of_0_bits, a->prefix_len = 0)
LIE(prefix_of_96_bits, a->prefix_len = 96)
LIE(hop_limit, a->hop_limit = 64)
LIE(kiss_of_death, a->confirmation = 1)

static const struct {
	const char *name;
	void (*tell)(struct answer *a);
} lies[] = {
#define L(name) {#name, lie_##name}
	/* cannot be seen to be one, or make no difference */
	L(nothing), L(third_party), L(mtu_of_0), L(mtu_of_1279), L(mtu_of_4G),
	L(lifetimes_of_0), L(four_times),
	/* refused */
	L(loopback), L(nobody), L(private), L(multicast), L(broadcast),
	L(port_0), L(other_prefix), L(sixtofour), L(other_server),
	L(two_prefixes), L(no_prefix), L(prefix_of_0_bits),
	L(prefix_of_96_bits), L(hop_limit), L(kiss_of_death),
#undef L
};

#define PLAUSIBLE 7u
#define LIES	  (sizeof(lies) / sizeof(*lies))
#define PREFIX_AT (WIRE_IP6_LEN + 16u)
#define OPTION	  32u

static size_t put_ra(uint8_t *ra, const struct answer *a)
{
	struct teredo_addr server, solicitor;
	size_t len = ICMP6_RA_LEN;

	addr_make_link_local(&server, ADDR_FLAG_CONE,
			     addr_server_ep(a->server_ip));
	addr_make_link_local(&solicitor, 0, (struct teredo_ep){0, 0});
	icmp6_put_ra(ra, &server, &solicitor, a->prefix, a->server_ip, a->mtu);
	ra[7] = a->hop_limit;
	ra[PREFIX_AT + 2] = a->prefix_len;
	memset(ra + PREFIX_AT + 4, a->lifetime, 8);
	if (a->prefixes == 0)
		ra[PREFIX_AT] = 200; /* some unknown option */
	if (a->prefixes == 2) {
		memcpy(ra + len, ra + PREFIX_AT, OPTION);
		len += OPTION;
		ra[5] = (uint8_t)(len - WIRE_IP6_LEN);
	}
	villain_fix_checksum(ra);
	return len;
}

static void answer_rs(struct villain *v, const struct datagram *d)
{
	struct rogue *r = v->ctx;
	uint8_t out[WIRE_AUTH_LEN + WIRE_ORIGIN_LEN + ICMP6_RA_LEN + OPTION];
	uint8_t *body = out + WIRE_AUTH_LEN;
	struct wire_packet p;
	struct answer a = {.origin = d->src,
			   .prefix = addr_default_prefix(),
			   .server_ip = v->ep.ip,
			   .mtu = TEREDO_MTU,
			   .prefix_len = 64,
			   .hop_limit = 255,
			   .lifetime = 255,
			   .prefixes = 1,
			   .copies = 1};
	size_t len;

	if (wire_parse(&p, d->data, d->len) != WIRE_OK || !p.auth.present)
		return;
	r->asked++;
	r->lie(&a);
	wire_put_auth(out, p.auth.nonce);
	out[WIRE_AUTH_LEN - 1] = a.confirmation;
	wire_put_origin(body, a.origin);
	len = put_ra(body + WIRE_ORIGIN_LEN, &a);
	while (a.copies--)
		net4_send(v->link, v->ep.port, d->src, out,
			  WIRE_AUTH_LEN + WIRE_ORIGIN_LEN + len);
}

static struct rogue *rogue_server(struct world *w, void (*lie)(struct answer *))
{
	struct rogue *r = world_alloc(w, sizeof(*r));

	r->v = villain_new(w, "rogue", "192.0.2.66", TEREDO_PORT);
	r->v->hears = answer_rs;
	r->v->ctx = r;
	r->lie = lie;
	return r;
}

/* A client that asks the rogue first. */
static struct node *client_of(struct lab *l, const struct rogue *r)
{
	struct node *n = lab_client(l, "alice", NAT_PORT);

	client_role(n)->server[0].ip = r->v->ep.ip;
	client_role(n)->server[0].ip2 = 0;
	return n;
}

static void expect_sound(struct node *n, uint32_t server_ip)
{
	struct teredo_client_status st = client_status(n);

	EXPECT(n->w, st.has_address);
	EXPECT(n->w, addr_in_prefix(&st.addr, addr_default_prefix()));
	EXPECT(n->w, addr_server(&st.addr) == server_ip);
	EXPECT(n->w, (addr_flags(&st.addr) & ~ADDR_FLAGS_RANDOM) == 0);
	EXPECT(n->w, ep_equal(addr_mapping(&st.addr), st.mapped));
	EXPECT(n->w, ipv4_is_global(st.mapped.ip) && st.mapped.port != 0);
	EXPECT(n->w, st.mtu == TEREDO_MTU);
}

static void a_server_that_lies_is_passed_over(struct world *w, unsigned lie)
{
	struct lab *l = lab_new(w);
	struct rogue *r = rogue_server(w, lies[lie].tell);
	struct villain *victim = villain_new(w, "victim", "192.0.2.42", 666);
	struct node *alice = client_of(l, r);

	lab_add_server(alice, l->server);
	node_start(alice);
	wait_qualified(alice, 20 * TEREDO_SECOND);
	expect_sound(alice, lie < PLAUSIBLE ? r->v->ep.ip
					    : l->server->link[0]->ip);
	if (lie >= PLAUSIBLE)
		EXPECT(w, talks(alice->stack, l->host, 3));
	world_run(w, 300 * TEREDO_SECOND);
	EXPECT(w, is_qualified(alice));
	EXPECT(w, alice->stack->addresses == 1);
	EXPECT(w, r->asked > 0 && r->asked < 30);
	EXPECT(w, victim->got == 0);
}

static void lie_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", lies[v].name);
}

/* All that it can take is what the one address was good for. */
static void a_server_that_turns_evil_is_left(struct world *w, unsigned lie)
{
	struct lab *l = lab_new(w);
	struct rogue *r = rogue_server(w, lie_nothing);
	struct node *alice = client_of(l, r);

	lie += PLAUSIBLE;
	lab_add_server(alice, l->server);
	qualify(alice);
	expect_sound(alice, r->v->ep.ip);
	r->lie = lies[lie].tell;
	world_run(w, 90 * TEREDO_SECOND);
	EXPECT(w, is_qualified(alice));
	expect_sound(alice, l->server->link[0]->ip);
	EXPECT(w, talks(alice->stack, l->host, 3));
	EXPECT(w, alice->stack->addresses == 2);
}

static void turned_label(unsigned v, char out[SCENARIO_LABEL])
{
	lie_label(v + PLAUSIBLE, out);
}

/* ---- pointing others at a victim ---- */

#define VICTIM "203.0.113.99"

/* The client's own server says that a thousand ports of one host want to
 * talk. C-BUB-07 */
static void a_server_cannot_point_a_client_at_a_victim(struct world *w,
						       unsigned variant)
{
	struct lab *l = lab_new(w);
	struct rogue *r = rogue_server(w, lie_nothing);
	struct villain *victim = villain_new(w, "victim", VICTIM, 666);
	struct node *alice = client_of(l, r);
	uint8_t bubble[WIRE_ORIGIN_LEN + WIRE_BUBBLE_LEN];

	(void)variant;
	qualify(alice);
	for (unsigned i = 0; i < 10000; i++) {
		struct teredo_ep origin = {victim->ep.ip, htons((uint16_t)(i % 1000 + 1))};
		struct teredo_ep other = {victim->ep.ip, htons((uint16_t)(2000 + i))};
		struct teredo_addr src = teredo_at(r->v->ep.ip, other);

		wire_put_origin(bubble, origin);
		wire_put_bubble(bubble + WIRE_ORIGIN_LEN, &src,
				&alice->stack->addr);
		net4_send(r->v->link, r->v->ep.port,
			  addr_mapping(&alice->stack->addr), bubble,
			  sizeof(bubble));
		world_run(w, TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, victim->got > 0);
	EXPECT(w, victim->got <= 50 + 11 * 50);
}

/* A peer's address names the peer's server, and nobody checks that it is one:
 * an answer goes to the peer, never there. */
static void a_peers_server_is_no_way_to_a_victim(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct villain *victim = villain_new(w, "victim", VICTIM, TEREDO_PORT);
	struct villain *eve = villain_new(w, "eve", "192.0.2.66", 666);
	struct node *bob = qualify(lab_client(l, "bob", NAT_CONE));

	(void)v;
	bob->stack->meets_strangers = true;
	for (unsigned i = 0; i < 5000; i++) {
		struct teredo_addr src = teredo_at(victim->ep.ip, eve->ep);

		src.b[8] = (uint8_t)(i >> 4 & 0x3c);
		src.b[9] = (uint8_t)i;
		villain_echo(eve, ICMP6_ECHO_REQUEST, eve->ep,
			     addr_mapping(&bob->stack->addr), &src,
			     &bob->stack->addr);
		world_run(w, 2 * TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, eve->got > 100);
	EXPECT(w, victim->got == 0);
}

/* A relay asks by the server that the address names: at most four bubbles for
 * one of those strangers that it lets in, and so many of one host. R-DEC-03 */
static void a_relay_asks_a_victim_little(struct world *w, unsigned variant)
{
	struct lab *l = lab_new(w);
	struct villain *victim = villain_new(w, "victim", VICTIM, TEREDO_PORT);
	struct villain *eve = villain_new(w, "eve", "192.0.2.66", 666);

	(void)variant;
	for (unsigned i = 0; i < 10000; i++) {
		struct teredo_ep from = {eve->ep.ip, htons((uint16_t)(i + 1))};
		struct teredo_addr src = teredo_at(victim->ep.ip, from);

		villain_echo(eve, ICMP6_ECHO_REQUEST, from,
			     node_ep(l->relay, 0), &src, &l->host->addr);
		world_run(w, TEREDO_MS);
	}
	world_run(w, 20 * TEREDO_SECOND);
	EXPECT(w, victim->got > 0);
	EXPECT(w, victim->got <= 4 * (64 + 10 * 16));
}

/* Whatever it gets comes back. SEC-V4D-04 */
static void send_back(struct villain *v, const struct datagram *d)
{
	net4_send(v->link, d->dst.port, d->src, d->data, d->len);
}

static void an_echo_service_gets_no_more_for_it(struct world *w,
						unsigned echoes)
{
	struct lab *l = lab_new(w);
	struct villain *echo = villain_new(w, "echo", VICTIM, TEREDO_PORT);
	struct node *bob = qualify(lab_client(l, "bob", NAT_CONE));
	struct node *alice = lab_client(l, "alice", NAT_NONE);
	struct teredo_addr there = teredo_at(echo->ep.ip, echo->ep);
	uint64_t before = bob->sent + l->relay->sent;

	if (echoes)
		echo->hears = send_back;
	client_role(alice)->server[0].ip = echo->ep.ip;
	node_start(alice);
	stack_ping(bob->stack, &there, 1, 1);
	stack_ping(l->host, &there, 1, 1);
	world_run(w, 20 * TEREDO_SECOND);
	EXPECT(w, alice->stack->addresses == 0);
	/* four times two bubbles and four times one; refreshing not counted */
	EXPECT(w, echo->got <= 12 + alice->sent);
	EXPECT(w, bob->sent + l->relay->sent <= before + 12 + 1);
}

static void echo_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", v ? "that_echoes" : "silent");
}

/* ---- a relay that attracts 2001::/32 ---- */

struct bad_relay {
	struct villain *v;
	struct node *bob;
	struct link6 *link6;
	bool damages, is_silent;
	uint8_t reply[128]; /* the last answer to a test */
	size_t reply_len;
};

static void carry(void *ctx, const uint8_t *ip6, size_t len)
{
	struct bad_relay *b = ctx;
	uint8_t data[2048];
	struct teredo_addr dst;

	memcpy(&dst, ip6 + 24, sizeof(dst));
	if (b->is_silent || len > sizeof(data) ||
	    !addr_equal(&dst, &b->bob->stack->addr))
		return;
	memcpy(data, ip6, len);
	if (len <= sizeof(b->reply)) {
		memcpy(b->reply, ip6, len);
		b->reply_len = len;
	}
	net4_send(b->v->link, b->v->ep.port, addr_mapping(&dst), data, len);
	if (!b->damages)
		return;
	for (unsigned i = 0; i < 4; i++) {
		size_t cut = villain_damage(&b->v->w->rng, data, len);

		net4_send(b->v->link, b->v->ep.port, addr_mapping(&dst), data,
			  cut);
		memcpy(data, ip6, len);
	}
}

/* From bob to its hosts. */
static void carry_back(struct villain *v, const struct datagram *d)
{
	struct bad_relay *b = v->ctx;

	if (!b->is_silent && d->len >= WIRE_IP6_LEN)
		net6_send(b->link6, d->data, d->len);
}

static struct bad_relay *bad_relay(struct lab *l)
{
	static const struct teredo_addr addr6 = {
		{0x20, 0x01, 0x0d, 0xb8, 0x66, [15] = 1}};
	struct bad_relay *b = world_alloc(l->w, sizeof(*b));

	b->bob = qualify(lab_client(l, "bob", NAT_CONE));
	b->bob->stack->meets_strangers = true;
	b->v = villain_new(l->w, "mallory", "192.0.2.66", 3545);
	b->v->hears = carry_back;
	b->v->ctx = b;
	b->link6 = net6_attach(l->w, "mallory", &addr6, carry, b);
	net6_route(l->w, b->link6);
	return b;
}

static unsigned heard_from(const struct stack *s, const struct teredo_addr *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_in; i++)
		n += addr_equal(&s->in[i].peer, a);
	return n;
}

static void say_as(struct bad_relay *b, const struct teredo_addr *src)
{
	struct teredo_ep to = addr_mapping(&b->bob->stack->addr);
	uint8_t reply[128];

	villain_echo(b->v, ICMP6_ECHO_REQUEST, b->v->ep, to, src,
		     &b->bob->stack->addr);
	villain_bubble(b->v, b->v->ep, to, src, &b->bob->stack->addr);
	/* the very answer to its own test, from another */
	memcpy(reply, b->reply, b->reply_len);
	memcpy(reply + 8, src, sizeof(*src));
	villain_fix_checksum(reply);
	net4_spoof(b->v->link, b->v->ep, to, reply, b->reply_len);
}

static void a_relay_speaks_only_for_whom_it_was_asked(struct world *w,
						      unsigned variant)
{
	struct lab *l = lab_new(w);
	struct bad_relay *b = bad_relay(l);
	struct node *alice = qualify(lab_client(l, "alice", NAT_PORT));
	struct stack *deaf = lab_host(l, "deaf");
	struct teredo_addr ll = {{0xfe, 0x80, [15] = 1}};
	struct flow *f, *g;

	(void)variant;
	/* there is no such host: nobody answers a test */
	deaf->addr.b[15] = 99;
	f = flow_start(b->bob->stack, l->host, TICK);
	world_run(w, 2 * TEREDO_SECOND);
	EXPECT(w, b->reply_len > 0);
	g = flow_start(alice->stack, b->bob->stack, TICK);
	world_run(w, 2 * TEREDO_SECOND);
	for (unsigned i = 0; i < 200; i++) {
		say_as(b, &deaf->addr);
		say_as(b, &alice->stack->addr);
		say_as(b, &b->bob->stack->addr);
		say_as(b, &ll);
		world_run(w, 20 * TEREDO_MS);
	}
	world_run(w, TEREDO_SECOND);
	EXPECT(w, heard_from(b->bob->stack, &l->host->addr) > 50);
	EXPECT(w, heard_from(b->bob->stack, &deaf->addr) == 0);
	EXPECT(w, heard_from(b->bob->stack, &b->bob->stack->addr) == 0);
	EXPECT(w, heard_from(b->bob->stack, &alice->stack->addr) <= g->sent);
	EXPECT_AT_MOST(w, flow_gap(f, 2 * TEREDO_SECOND), 3 * TICK);
	EXPECT_AT_MOST(w, flow_gap(g, 4 * TEREDO_SECOND), 3 * TICK);
}

static void a_relay_that_damages_packets_damages_nothing_else(struct world *w,
							      unsigned variant)
{
	struct lab *l = lab_new(w);
	struct bad_relay *b = bad_relay(l);
	struct flow *f;

	(void)variant;
	b->damages = true;
	f = flow_start(b->bob->stack, l->host, TICK);
	world_run(w, 120 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, flow_gap(f, TEREDO_SECOND), 3 * TICK);
	EXPECT(w, b->bob->stack->addresses == 1);
}

/* As long as it carries, it stays; then the honest one is found. */
static void a_relay_that_falls_silent_is_left(struct world *w, unsigned v)
{
	struct lab *l = lab_new(w);
	struct bad_relay *b = bad_relay(l);
	struct flow *f;
	teredo_time begin;

	(void)v;
	f = flow_start(b->bob->stack, l->host, TICK);
	world_run(w, 5 * TEREDO_SECOND);
	begin = w->now;
	b->is_silent = true;
	net6_route(w, l->relay->link6);
	world_run(w, 20 * TEREDO_SECOND);
	EXPECT_AT_MOST(w, flow_gap(f, begin), 6 * TEREDO_SECOND);
	EXPECT(w, flow_lost(f, 100) <= 1);
}

const struct scenario story_rogue[] = {
	STORY(a_server_that_lies_is_passed_over,
	      "C-QUAL-08 C-QUAL-10 C-QUAL-11 A-MTU-04 A-ADDR-07 A-V4G-01 "
	      "SEC-DOS-02 SEC-REF-03 A2",
	      .variants = LIES, .label = lie_label),
	STORY(a_server_that_turns_evil_is_left,
	      "C-MNT-06 C-FAIL-01 SEC-MITM-01 A2", .variants = LIES - PLAUSIBLE,
	      .label = turned_label),
	STORY(a_server_cannot_point_a_client_at_a_victim,
	      "SEC-REF-03 C-BUB-07 B3"),
	STORY(a_peers_server_is_no_way_to_a_victim, "SEC-V4D-01 SEC-REF-04 B6"),
	STORY(a_relay_asks_a_victim_little, "R-DEC-03 SEC-V4D-01"),
	STORY(an_echo_service_gets_no_more_for_it, "SEC-V4D-04",
	      .variants = 2, .label = echo_label),
	STORY(a_relay_speaks_only_for_whom_it_was_asked,
	      "C-RX-07 C-DCT-06 SEC-MITM-04 SEC-DOS-01 A7"),
	STORY(a_relay_that_damages_packets_damages_nothing_else,
	      "SEC-DOS-01 C-RX-01 F1"),
	STORY(a_relay_that_falls_silent_is_left, "SEC-DOS-01 C-RX-07"),
	{.name = NULL},
};
