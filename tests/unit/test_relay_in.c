/*
 * test_relay_in.c - the relay, from Teredo clients to native IPv6
 *
 * RFC 4380 5.4.2: what of a believed client crosses, and what never does.
 */
#include "config.h"

#include "relay_bench.h"

/* R-DEC-04, R-DEC-05 */
static void a_trusted_client_reaches_native_hosts(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	prove(b, client(), home());
	expect_delivery(b, &p, home());
	assert_int_equal(b->ob.n, 0);
	p = make_icmp6(client(), ip6(N), 129, 1240);
	expect_delivery(b, &p, home());
}

/* R-DEC-02 */
static void a_source_outside_teredo_is_refused(void **state)
{
	static const char *const src[] = { N, "fe80::1", "2001:1::1", "::",
					   "2002:c000:22d::1", "ff02::1" };

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet p = from_client(ip6(src[i]), ip6(N));

		expect_udp_drop(*state, &p, home(), TEREDO_DROP_not_teredo);
	}
}

/* A-V4G-01..10, SEC-LOOP-03: outer source, mapping and server */
static void unfit_ipv4_addresses_are_refused(void **state)
{
	static const char *const own[] = { RELAY4, "203.0.113.255" };
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	for (size_t i = 0; not_global4[i] != NULL; i++) {
		const char *ip = not_global4[i];

		p = from_client(teredo6(SERVER, 0, ip, 40000), ip6(N));
		expect_udp_drop(b, &p, ep4(ip, 40000), TEREDO_DROP_martian_v4);
		expect_udp_drop(b, &p, home(), TEREDO_DROP_martian_v4);
		p = from_client(teredo6(ip, 0, HOST, 40000), ip6(N));
		expect_udp_drop(b, &p, home(), TEREDO_DROP_martian_v4);
	}
	p = from_client(teredo6(SERVER, 0, HOST, 0), ip6(N));
	expect_udp_drop(b, &p, ep4(HOST, 0), TEREDO_DROP_martian_v4);
	for (size_t i = 0; i < COUNT(own); i++) {
		p = from_client(teredo6(SERVER, 0, own[i], 40000), ip6(N));
		expect_udp_drop(b, &p, ep4(own[i], 40000), TEREDO_DROP_loop);
		expect_udp_drop(b, &p, home(), TEREDO_DROP_loop);
		p = from_client(teredo6(own[i], 0, HOST, 40000), ip6(N));
		expect_udp_drop(b, &p, home(), TEREDO_DROP_loop);
	}
}

/* R-DEC-01 */
static void elements_before_the_packet_are_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N)), q;

	prove(b, client(), home());
	q = with_origin(p, home());
	expect_udp_drop(b, &q, home(), TEREDO_DROP_malformed);
	q = with_auth(p, "12345678");
	expect_udp_drop(b, &q, home(), TEREDO_DROP_malformed);
	while (p.len-- > 0)
		expect_udp_drop(b, &p, home(), TEREDO_DROP_malformed);
}

/* X-TLV-01, X-TLV-04 */
static void trailers_do_not_cross(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));
	struct test_packet q = with_trailers(p, 20);
	struct teredo_verdict v;

	prove(b, client(), home());
	v = give_udp(b, &q, home());
	assert_int_equal(v.fate, TEREDO_TO_TUN);
	assert_int_equal(v.len, p.len);
	packet_hex(&p, "41 00");
	expect_udp_drop(b, &p, home(), TEREDO_DROP_trailer);
}

static const struct {
	const char *dst;
	enum teredo_counter why;
} refused[] = {
	{ "2001:0:c633:6401:0:63bf:3fff:fdd2", TEREDO_DROP_martian_v6 },
	{ "2001::1", TEREDO_DROP_martian_v6 },
	{ "fe80::1", TEREDO_DROP_link_local },
	{ "ff02::1", TEREDO_DROP_martian_v6 },
	{ "ff0e::1", TEREDO_DROP_martian_v6 },
	{ "::", TEREDO_DROP_martian_v6 },
	{ "::1", TEREDO_DROP_martian_v6 },
	{ "fc00::1", TEREDO_DROP_martian_v6 },
	{ "fec0::1", TEREDO_DROP_martian_v6 },
	{ "::ffff:192.0.2.1", TEREDO_DROP_martian_v6 },
	{ "::192.0.2.1", TEREDO_DROP_martian_v6 },
	{ "2002:c000:201::1", TEREDO_DROP_loop },
	{ "2002:cb00:7101::1", TEREDO_DROP_loop },
	{ "2001:db8::5efe:203.0.113.1", TEREDO_DROP_loop },
	{ "2001:db8::200:5efe:203.0.113.1", TEREDO_DROP_loop },
};

/* R-DEC-06, SEC-LOOP-03 */
static void a_destination_that_is_not_native_is_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p;

	for (size_t i = 0; i < COUNT(refused); i++) {
		/* from a stranger: not even asked about */
		p = from_client(client(), ip6(refused[i].dst));
		expect_udp_drop(b, &p, home(), refused[i].why);
	}
	prove(b, client(), home());
	for (size_t i = 0; i < COUNT(refused); i++) {
		p = from_client(client(), ip6(refused[i].dst));
		expect_udp_drop(b, &p, home(), refused[i].why);
	}
	p = from_client(client(), ip6("2001:db8::5efe:192.0.2.1"));
	expect_delivery(b, &p, home());
}

/* R-DEC-05, R-DEC-06 */
static void a_host_local_relay_delivers_to_its_host_only(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 64,
		.host_local = true,
	});
	struct test_packet p = to_client(ip6(RELAY6), client());

	(void)state;
	give_tun(b, &p);
	answer_bubble(b, client(), home());
	p = from_client(client(), ip6(RELAY6));
	expect_delivery(b, &p, home());
	p = from_client(client(), ip6(N));
	expect_udp_drop(b, &p, home(), TEREDO_DROP_not_for_us);
	bench_free(b);
}

/* SEC-ND-01 */
static void neighbour_discovery_does_not_cross(void **state)
{
	struct relay_bench *b = *state;
	uint8_t hidden[8 + 24] = { 58, 0 };
	struct test_packet p;

	prove(b, client(), home());
	for (unsigned type = 0; type < 256; type++) {
		p = make_icmp6(client(), ip6(N), type, 32);
		if (type >= 133 && type <= 137)
			expect_udp_drop(b, &p, home(),
					TEREDO_DROP_link_local);
		else
			expect_delivery(b, &p, home());
	}
	hidden[8] = 136;	/* behind destination options */
	p = make_ip6(client(), ip6(N), 60, hidden, sizeof(hidden));
	expect_udp_drop(b, &p, home(), TEREDO_DROP_link_local);
}

/* G-RH0-01, SEC-SRC-01 */
static void a_source_routed_packet_is_refused(void **state)
{
	struct relay_bench *b = *state;
	uint8_t routed[24 + 4] = { 17, 2, 0, 1 };
	struct test_packet p =
		make_ip6(client(), ip6(N), 43, routed, sizeof(routed));

	prove(b, client(), home());
	expect_udp_drop(b, &p, home(), TEREDO_DROP_routing_header);
}

/* R-DEC-08 */
static void nothing_with_next_header_59_crosses(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = make_bubble(client(), ip6(N));

	prove(b, client(), home());
	assert_int_equal(give_udp(b, &p, home()).fate, TEREDO_TAKEN);
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 0);
	p = make_ip6(client(), ip6(N), 59, "data", 4);
	expect_udp_drop(b, &p, home(), TEREDO_DROP_malformed);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_trusted_client_reaches_native_hosts),
		T(a_source_outside_teredo_is_refused),
		T(unfit_ipv4_addresses_are_refused),
		T(elements_before_the_packet_are_refused),
		T(trailers_do_not_cross),
		T(a_destination_that_is_not_native_is_refused),
		T(a_host_local_relay_delivers_to_its_host_only),
		T(neighbour_discovery_does_not_cross),
		T(a_source_routed_packet_is_refused),
		T(nothing_with_next_header_59_crosses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
