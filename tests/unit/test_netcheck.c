/*
 * test_netcheck.c - netcheck against our server, behind every kind of NAT
 *
 * All of it is simulated: the clock goes from one deadline to the next, a
 * datagram takes half a round trip each way. The NAT is as bad as they come: it
 * filters by address for the whole host, not by mapping.
 */
#include "config.h"

#include "testing.h"

#include "../../libteredo/icmp6.h"
#include "../../libteredo/server.h"
#include "../../src/netcheck.h"

#define SERVER	"192.0.2.1"
#define SECOND	"192.0.2.2"
#define OUTSIDE "203.0.113.9"
#define INSIDE	"10.0.0.2"
#define GATEWAY "10.0.0.1"
#define RTT	(40 * TEREDO_MS)
#define FLIGHTS 256

enum kind { NONE, CONE, ADDRESS, PORT, SYMMETRIC };

struct flight {
	bool used, inward;
	teredo_time at;
	struct teredo_ep from, to;
	size_t len;
	uint8_t data[600];
};

/* By these the network differs. */
struct traits {
	enum kind kind;
	bool hairpin, moves_ports, dead, single;
	unsigned lost; /* of the first datagrams that go out */
	teredo_time rtt;
	const char *gateway; /* what it answers to NAT-PMP, in hexadecimal */
};

struct bench {
	struct traits is;
	uint64_t seed;
	teredo_time now;
	struct netcheck *nc;
	struct teredo_server *server[2];
	struct teredo_outbox ob;
	struct flight flight[FLIGHTS];
	uint32_t asked[16]; /* addresses that were sent to */
	unsigned n_asked, out;
	/* of the symmetric NAT: a port each for socket and destination */
	struct {
		struct teredo_ep inside, to;
	} entry[32];
	unsigned entries;
	void (*forge)(struct bench *b, struct flight *f);
};

static uint16_t port_of(enum netcheck_socket s)
{
	return htons((uint16_t)(40000 + s));
}

static struct flight *fly(struct bench *b, struct teredo_ep from,
			  struct teredo_ep to, const uint8_t *data, size_t len)
{
	for (unsigned i = 0; i < FLIGHTS; i++) {
		struct flight *f = &b->flight[i];

		if (f->used)
			continue;
		*f = (struct flight){.used = true,
				     .at = b->now + b->is.rtt / 2,
				     .from = from,
				     .to = to,
				     .len = len};
		assert_true(len <= sizeof(f->data));
		memcpy(f->data, data, len);
		return f;
	}
	fail_msg("too many datagrams");
	return NULL;
}

/* ---- the NAT ---- */

static uint16_t outside_port(struct bench *b, struct teredo_ep inside,
			     struct teredo_ep to)
{
	unsigned i;

	if (b->is.kind != SYMMETRIC)
		return b->is.moves_ports ? htons((uint16_t)(ntohs(inside.port) +
							    1000))
					 : inside.port;
	for (i = 0; i < b->entries; i++)
		if (ep_equal(b->entry[i].inside, inside) &&
		    ep_equal(b->entry[i].to, to))
			break;
	assert_true(i < COUNT(b->entry));
	b->entry[i].inside = inside;
	b->entry[i].to = to;
	if (i == b->entries)
		b->entries++;
	return htons((uint16_t)(50000 + i));
}

static bool was_asked(const struct bench *b, uint32_t ip)
{
	for (unsigned i = 0; i < b->n_asked; i++)
		if (b->asked[i] == ip)
			return true;
	return false;
}

static bool find_inside(const struct bench *b, const struct flight *f,
			enum netcheck_socket *socket)
{
	unsigned port = ntohs(f->to.port);

	if (b->is.kind == SYMMETRIC) {
		if (port < 50000 || port >= 50000 + b->entries ||
		    !ep_equal(b->entry[port - 50000].to, f->from))
			return false;
		port = ntohs(b->entry[port - 50000].inside.port);
	} else if (b->is.moves_ports) {
		port -= 1000;
	}
	*socket = (enum netcheck_socket)(port - 40000);
	if (b->is.kind == ADDRESS)
		return was_asked(b, f->from.ip);
	/* each socket but FILTER asks both of a server's addresses */
	if (b->is.kind == PORT)
		return f->from.ip == ip4(OUTSIDE) ||
		       (was_asked(b, f->from.ip) &&
			(*socket != NETCHECK_FILTER ||
			 f->from.ip != ip4(SECOND)));
	return true;
}

static void send_out(struct bench *b, const struct netcheck_datagram *d)
{
	const char *here = b->is.kind == NONE ? OUTSIDE : INSIDE;
	struct teredo_ep from = {ip4(here), port_of(d->socket)};

	if (d->socket == NETCHECK_GATEWAY) {
		struct test_packet answer = {.len = 0};

		if (b->is.gateway == NULL || d->to.port != htons(5351) ||
		    d->len != 2)
			return;
		packet_hex(&answer, b->is.gateway);
		fly(b, d->to, from, answer.b, answer.len)->inward = true;
		return;
	}
	if (b->is.kind != NONE)
		from = (struct teredo_ep){ip4(OUTSIDE),
					  outside_port(b, from, d->to)};
	assert_true(b->n_asked < COUNT(b->asked));
	if (!was_asked(b, d->to.ip))
		b->asked[b->n_asked++] = d->to.ip;
	if (b->out++ < b->is.lost)
		return;
	if (d->to.ip == ip4(OUTSIDE) && b->is.kind != NONE && !b->is.hairpin)
		return;
	fly(b, from, d->to, d->data, d->len);
}

/* ---- the servers ---- */

static void serve(struct bench *b, const struct flight *f)
{
	bool second = f->to.ip == ip4(SECOND) || f->to.ip == ip4("192.0.2.9");
	unsigned n = ntohl(f->to.ip) % 256 > 5;
	struct teredo_rx rx = {.data = f->data,
			       .len = f->len,
			       .from = f->from,
			       .local_ip = f->to.ip,
			       .via = second ? TEREDO_VIA_SECONDARY
					     : TEREDO_VIA_PRIMARY};

	if (b->is.dead || b->server[n] == NULL || (second && b->is.single))
		return;
	outbox_clear(&b->ob);
	teredo_server_udp_in(b->server[n], &rx, b->now, &b->ob);
	for (unsigned i = 0; i < b->ob.n; i++) {
		const struct outbox_item *item = &b->ob.item[i];
		struct teredo_ep from = {ip4(n ? "192.0.2.8" : SERVER),
					 htons(TEREDO_PORT)};
		struct flight *answer;

		if (item->kind != OUTBOX_UDP)
			continue;
		if (item->via == TEREDO_VIA_SECONDARY)
			from.ip = ip4(n ? "192.0.2.9" : SECOND);
		answer = fly(b, from, item->to, outbox_data(&b->ob, item),
			     item->len);
		if (b->forge != NULL)
			b->forge(b, answer);
	}
}

static void arrive(struct bench *b, struct flight *f)
{
	enum netcheck_socket socket = NETCHECK_MAIN;

	f->used = false;
	if (f->inward)
		netcheck_in(b->nc, NETCHECK_GATEWAY, f->from, f->data, f->len,
			    b->now);
	else if (f->to.ip != ip4(OUTSIDE))
		serve(b, f);
	else if (find_inside(b, f, &socket))
		netcheck_in(b->nc, socket, f->from, f->data, f->len, b->now);
}

static struct bench *setup(struct traits is)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct teredo_server_config config = {
		.prefix = addr_default_prefix(), .mtu = 1280};
	struct teredo_env env;

	assert_non_null(b);
	b->is = is;
	if (b->is.rtt == 0)
		b->is.rtt = RTT;
	b->seed = 1;
	b->now = 7 * TEREDO_SECOND;
	env = test_env(&b->seed);
	for (unsigned i = 0; i < 2; i++) {
		config.ip = ip4(i ? "192.0.2.8" : SERVER);
		config.ip2 = is.single ? 0 : ip4(i ? "192.0.2.9" : SECOND);
		b->server[i] = teredo_server_new(&config, &env);
		assert_non_null(b->server[i]);
	}
	return b;
}

static teredo_time run(struct bench *b, unsigned servers,
		       struct netcheck_report *r)
{
	const char *here = b->is.kind == NONE ? OUTSIDE : INSIDE;
	struct netcheck_config config = {
		.servers = servers,
		.server = {{.ip = ip4(SERVER), .ip2 = ip4(SECOND)},
			   {.ip = ip4("192.0.2.8"), .ip2 = ip4("192.0.2.9")}},
		.local_port = port_of(NETCHECK_MAIN),
		.gateway = b->is.gateway != NULL ? ip4(GATEWAY) : 0,
	};
	struct teredo_env env = test_env(&b->seed);
	struct netcheck_datagram d;
	teredo_time began = b->now, next;

	for (unsigned i = 0; i < servers; i++)
		config.server[i].local_ip = ip4(here);
	b->nc = netcheck_new(&config, &env, b->now);
	assert_non_null(b->nc);
	for (;;) {
		while (netcheck_next(b->nc, b->now, &d))
			send_out(b, &d);
		next = netcheck_deadline(b->nc);
		if (next == TEREDO_NEVER)
			break;
		for (unsigned i = 0; i < FLIGHTS; i++)
			if (b->flight[i].used && b->flight[i].at < next)
				next = b->flight[i].at;
		b->now = next;
		for (unsigned i = 0; i < FLIGHTS; i++)
			if (b->flight[i].used && b->flight[i].at == next)
				arrive(b, &b->flight[i]);
	}
	netcheck_report(b->nc, r);
	return b->now - began;
}

static void teardown(struct bench *b)
{
	netcheck_free(b->nc);
	teredo_server_free(b->server[0]);
	teredo_server_free(b->server[1]);
	free(b);
}

static struct netcheck_report look(struct traits is, unsigned servers)
{
	struct bench *b = setup(is);
	struct netcheck_report r;

	assert_true(run(b, servers, &r) < 4 * TEREDO_SECOND);
	teardown(b);
	return r;
}

/* ---- kinds of NAT ---- */

static void no_nat_is_named(void **state)
{
	struct netcheck_report r = look((struct traits){.kind = NONE}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_NONE);
	assert_int_equal(r.udp, NETCHECK_YES);
	assert_int_equal(r.varies, NETCHECK_NO);
	assert_int_equal(r.open, NETCHECK_YES);
	assert_int_equal(r.port_preserving, NETCHECK_YES);
	assert_ep_equal(r.mapped, r.local);
}

static void a_cone_nat_is_named(void **state)
{
	struct netcheck_report r =
		look((struct traits){.kind = CONE, .moves_ports = true}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_CONE);
	assert_int_equal(r.open, NETCHECK_YES);
	assert_int_equal(r.port_preserving, NETCHECK_NO);
	assert_int_equal(r.hairpin, NETCHECK_NO);
	assert_ep_equal(r.mapped, ep4(OUTSIDE, 41000));
	assert_int_equal(r.server[0].rtt, RTT);
}

static void both_restricted_nats_are_restricted(void **state)
{
	static const enum kind kinds[] = {ADDRESS, PORT};

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		struct netcheck_report r =
			look((struct traits){.kind = kinds[i]}, 1);

		assert_int_equal(r.nat, NETCHECK_NAT_RESTRICTED);
		assert_int_equal(r.open, NETCHECK_NO);
		assert_int_equal(r.varies, NETCHECK_NO);
		assert_int_equal(r.port_preserving, NETCHECK_YES);
		assert_int_equal(ntohl(r.seen_by[1]), ntohl(ip4(SECOND)));
	}
}

static void a_symmetric_nat_is_named(void **state)
{
	struct netcheck_report r = look((struct traits){.kind = SYMMETRIC}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_SYMMETRIC);
	assert_int_equal(r.varies, NETCHECK_YES);
	assert_int_equal(r.open, NETCHECK_NO);
	assert_int_equal(r.port_preserving, NETCHECK_NO);
	assert_string_equal(netcheck_nat_class(r.nat), "hard");
}

static void hairpinning_is_seen(void **state)
{
	struct netcheck_report r =
		look((struct traits){.kind = CONE, .hairpin = true}, 1);

	(void)state;
	assert_int_equal(r.hairpin, NETCHECK_YES);
}

static void lost_datagrams_change_nothing(void **state)
{
	(void)state;
	for (unsigned lost = 1; lost <= 3; lost++) {
		struct netcheck_report r =
			look((struct traits){.kind = CONE, .lost = lost}, 1);

		assert_int_equal(r.nat, NETCHECK_NAT_CONE);
		assert_int_equal(r.server[0].rtt, RTT);
	}
}

/* ---- what cannot be known ---- */

static void one_address_tells_no_mapping_and_no_filtering(void **state)
{
	static const enum kind kinds[] = {CONE, PORT, SYMMETRIC};

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		struct netcheck_report r = look(
			(struct traits){.kind = kinds[i], .single = true}, 1);

		assert_int_equal(r.udp, NETCHECK_YES);
		assert_int_equal(r.varies, NETCHECK_UNKNOWN);
		assert_int_equal(r.open, NETCHECK_UNKNOWN);
		assert_int_equal(r.nat, NETCHECK_NAT_UNKNOWN);
		assert_null(netcheck_nat_type(r.nat));
	}
}

static void two_servers_of_one_address_tell_the_mapping(void **state)
{
	struct netcheck_report r =
		look((struct traits){.kind = PORT, .single = true}, 2);

	(void)state;
	assert_int_equal(r.varies, NETCHECK_NO);
	assert_int_equal(r.open, NETCHECK_UNKNOWN);
	assert_int_equal(r.nat, NETCHECK_NAT_EASY);
	r = look((struct traits){.kind = SYMMETRIC, .single = true}, 2);
	assert_int_equal(r.nat, NETCHECK_NAT_SYMMETRIC);
	assert_int_equal(ntohl(r.seen_by[1]), ntohl(ip4("192.0.2.8")));
}

static void silence_is_no_proof_that_udp_is_blocked(void **state)
{
	struct netcheck_report r =
		look((struct traits){.kind = PORT, .dead = true}, 2);

	(void)state;
	assert_int_equal(r.udp, NETCHECK_UNKNOWN);
	assert_int_equal(r.nearest, -1);
	assert_int_equal(r.server[1].state, NETCHECK_SILENT);
	assert_int_equal(r.nat, NETCHECK_NAT_UNKNOWN);
	assert_int_equal(r.port_preserving, NETCHECK_UNKNOWN);
}

/* The answer to the cone solicitation is late, not filtered. */
static void a_far_server_is_not_taken_for_a_filter(void **state)
{
	struct netcheck_report r = look(
		(struct traits){.kind = CONE, .rtt = 900 * TEREDO_MS}, 1);

	(void)state;
	assert_int_equal(r.open, NETCHECK_YES);
	r = look((struct traits){.kind = CONE, .rtt = 3000 * TEREDO_MS}, 1);
	assert_int_not_equal(r.open, NETCHECK_NO);
}

static void a_firewall_that_says_so_is_no_silence(void **state)
{
	struct bench *b = setup((struct traits){.kind = PORT, .dead = true});
	struct netcheck_report r;

	(void)state;
	run(b, 1, &r);
	netcheck_error(b->nc, ep4(SERVER, 3544), NETCHECK_BLOCKED,
		       ip4(GATEWAY));
	netcheck_report(b->nc, &r);
	assert_int_equal(r.udp, NETCHECK_NO);
	assert_int_equal(r.server[0].state, NETCHECK_BLOCKED);
	teardown(b);
}

/* ---- hostile servers ---- */

static void a_wrong_nonce(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[5] ^= 1;
}

static void a_private_origin(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN + 4] = 10 ^ 0xff;
}

static void another_address(struct bench *b, struct flight *f)
{
	(void)b;
	f->from.ip = ip4("192.0.2.77");
}

static void a_confirmation(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN - 1] = 1;
}

static void a_broken_advertisement(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[f->len - 1] ^= 1;
}

/* C-SECQ-02, C-QUAL-08, C-QUAL-11, A-ADDR-07 */
static void what_a_client_refuses_is_refused(void **state)
{
	static const struct {
		void (*forge)(struct bench *b, struct flight *f);
		enum netcheck_state seen;
	} cases[] = {
		{a_wrong_nonce, NETCHECK_SILENT},
		{another_address, NETCHECK_SILENT},
		{a_private_origin, NETCHECK_INVALID},
		{a_confirmation, NETCHECK_INVALID},
		{a_broken_advertisement, NETCHECK_INVALID},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bench *b = setup((struct traits){.kind = NONE});
		struct netcheck_report r;

		b->forge = cases[i].forge;
		run(b, 1, &r);
		assert_int_equal(r.server[0].state, cases[i].seen);
		assert_int_equal(r.udp, NETCHECK_UNKNOWN);
		assert_int_equal(r.nearest, -1);
		teardown(b);
	}
}

/* ---- the gateway ---- */

static void nat_pmp_is_told_from_its_lack(void **state)
{
	static const struct {
		const char *answer;
		enum netcheck_fact fact;
	} cases[] = {
		{"00 80 0000 00000001 cb007109", NETCHECK_YES},
		{"00 80 0002 00000001 00000000", NETCHECK_NO}, /* refuses */
		{"00 80 0000", NETCHECK_NO},		       /* cut off */
		{"02 80 0001", NETCHECK_NO}, /* PCP only, by its answer */
		{"", NETCHECK_NO},	     /* silent */
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct netcheck_report r = look(
			(struct traits){.kind = PORT,
					.gateway = cases[i].answer},
			1);

		assert_int_equal(r.nat_pmp, cases[i].fact);
		assert_int_equal(r.upnp, NETCHECK_NO);
	}
	assert_int_equal(look((struct traits){.kind = PORT}, 1).nat_pmp,
			 NETCHECK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_nat_is_named),
		cmocka_unit_test(a_cone_nat_is_named),
		cmocka_unit_test(both_restricted_nats_are_restricted),
		cmocka_unit_test(a_symmetric_nat_is_named),
		cmocka_unit_test(hairpinning_is_seen),
		cmocka_unit_test(lost_datagrams_change_nothing),
		cmocka_unit_test(one_address_tells_no_mapping_and_no_filtering),
		cmocka_unit_test(two_servers_of_one_address_tell_the_mapping),
		cmocka_unit_test(silence_is_no_proof_that_udp_is_blocked),
		cmocka_unit_test(a_far_server_is_not_taken_for_a_filter),
		cmocka_unit_test(a_firewall_that_says_so_is_no_silence),
		cmocka_unit_test(what_a_client_refuses_is_refused),
		cmocka_unit_test(nat_pmp_is_told_from_its_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
