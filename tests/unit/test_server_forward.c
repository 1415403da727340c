/*
 * test_server_forward.c - the server passes bubbles on
 *
 * RFC 4380 5.3.1 rules 1 to 7 and what follows them.
 */
#include "config.h"

#include "server_bench.h"

static struct teredo_addr client(void)
{
	return teredo6(S1, 0, CLIENT, 40000);
}

static struct teredo_addr other(void)
{
	return teredo6(S1, 0, OTHER, 50000);
}

/* A client of another server. */
static struct teredo_addr foreign(void)
{
	return teredo6("203.0.113.99", 0, OTHER, 50000);
}

static struct teredo_ep from_client(void)
{
	return ep4(CLIENT, 40000);
}

/* S-CHK-05, S-FWD-05, S-FWD-06 */
static void a_bubble_reaches_an_own_client_with_the_origin(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = { .len = 0 }, out = { .len = 0 };
	const struct outbox_item *item;

	packet_hex(&in, "60000000 0000 3b 00"
			"20010000c6336401 000063bf3ffffdd2"
			"20010000c6336401 00003caf34ff8ef6");
	packet_hex(&out, "0000 63bf 3ffffdd2");
	packet_put(&out, in.b, in.len);
	item = expect_udp(b, &in, from_client());
	assert_octets(b, item, &out);
	assert_ep_equal(item->to, ep4(OTHER, 50000));
	assert_int_equal(item->via, TEREDO_VIA_PRIMARY);
	assert_int_equal(bench_count(b, TEREDO_EV_bubble_forwarded), 1);
}

/* S-FWD-05 */
static void what_came_to_the_second_address_leaves_from_the_first(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(client(), other());
	struct test_packet out = with_origin(in, from_client());

	bench_give(b, &in, from_client(), TEREDO_VIA_SECONDARY);
	assert_int_equal(b->ob.item[0].via, TEREDO_VIA_PRIMARY);
	assert_octets(b, &b->ob.item[0], &out);
}

/* S-FWD-07 */
static void a_client_of_another_server_gets_no_origin(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(client(), foreign());

	assert_octets(b, expect_udp(b, &in, from_client()), &in);
	assert_ep_equal(b->ob.item[0].to, ep4(OTHER, 50000));
}

/* S-CHK-05: a client of another server may ask for a client of ours */
static void a_foreign_client_may_send(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(foreign(), client());
	struct test_packet out = with_origin(in, ep4(OTHER, 50000));

	assert_octets(b, expect_udp(b, &in, ep4(OTHER, 50000)), &out);
}

/* S-CHK-06: relays, and their cookies */
static void a_source_outside_teredo_reaches_own_clients_only(void **state)
{
	static const char *const src[] = { NATIVE, "fe80::1",
					   "fe80::5c2e:1234:5678:9abc",
					   "2001:1::1", "2002:c000:22d::1" };
	struct server_bench *b = *state;

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet in = make_bubble(ip6(src[i]), client());
		struct test_packet out = with_origin(in, ep4(OTHER, 3545));

		assert_octets(b, expect_udp(b, &in, ep4(OTHER, 3545)), &out);
		in = make_bubble(ip6(src[i]), foreign());
		expect_drop(b, &in, ep4(CLIENT, 3545), TEREDO_DROP_spoofed);
	}
}

static void a_source_that_nobody_has_is_refused(void **state)
{
	static const char *const src[] = { "::", "::1", "ff02::1", "ff0e::1",
					   "fc00::1", "fec0::1",
					   "::ffff:192.0.2.1" };

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet in = make_bubble(ip6(src[i]), client());

		expect_drop(*state, &in, ep4(OTHER, 3545),
			    TEREDO_DROP_spoofed);
	}
}

/* S-CHK-07, strict for clients behind symmetric NATs */
static void a_source_elsewhere_than_its_mapping_is_refused(void **state)
{
	struct server_bench *b = *state;
	struct test_packet own = make_bubble(client(), other());
	struct test_packet their = make_bubble(client(), foreign());

	expect_drop(b, &own, ep4(CLIENT, 40001), TEREDO_DROP_spoofed);
	expect_drop(b, &own, ep4("192.0.2.46", 40000), TEREDO_DROP_spoofed);
	expect_drop(b, &their, ep4(CLIENT, 40001), TEREDO_DROP_spoofed);
}

/* A-ENC-11 */
static void any_hop_limit_passes_unchanged(void **state)
{
	static const uint8_t limits[] = { 0, 1, 64, 255 };
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(client(), other()), out;

	for (size_t i = 0; i < COUNT(limits); i++) {
		in.b[7] = limits[i];
		out = with_origin(in, from_client());
		assert_octets(b, expect_udp(b, &in, from_client()), &out);
	}
}

/* A-ADDR-06 */
static void flags_of_an_address_do_not_matter(void **state)
{
	struct server_bench *b = *state;

	for (unsigned flags = 0; flags <= 0xffff; flags += 0x55) {
		struct test_packet in =
			make_bubble(teredo6(S1, flags, CLIENT, 40000),
				    teredo6(S1, flags ^ 0xffff, OTHER, 50000));

		b->now += TEREDO_SECOND;
		expect_udp(b, &in, from_client());
		assert_ep_equal(b->ob.item[0].to, ep4(OTHER, 50000));
	}
}

/* S-FWD-08 */
static void trailers_are_carried_on(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(client(), other()), out;

	packet_hex(&in, "01 04 aabbccdd");
	out = with_origin(in, from_client());
	assert_int_equal(out.len, 8 + 46);
	assert_octets(b, expect_udp(b, &in, from_client()), &out);
}

/* S-FWD-09, SEC-OPEN-01 */
static void trailers_are_bounded(void **state)
{
	static const size_t too_many[] = { 65, 66, 200, 1000, 4000 };
	struct server_bench *b = *state;
	struct test_packet bubble = make_bubble(client(), other());
	struct test_packet in = with_trailers(bubble, 64), out;

	out = with_origin(in, from_client());
	assert_octets(b, expect_udp(b, &in, from_client()), &out);
	for (size_t i = 0; i < COUNT(too_many); i++) {
		in = with_trailers(bubble, too_many[i]);
		expect_drop(b, &in, from_client(), TEREDO_DROP_too_big);
	}
}

/* X-TLV-04 */
static void a_trailer_may_ask_for_the_drop(void **state)
{
	struct test_packet in = make_bubble(client(), other());

	packet_hex(&in, "41 00");
	expect_drop(*state, &in, from_client(), TEREDO_DROP_trailer);
}

/* S-FWD-08: neither the element nor somebody's own idea of an origin */
static void what_stands_before_the_packet_is_not_forwarded(void **state)
{
	struct server_bench *b = *state;
	struct test_packet bubble = make_bubble(client(), other());
	struct test_packet out = with_origin(bubble, from_client());
	struct test_packet in = with_auth(bubble, "nonsense");

	assert_octets(b, expect_udp(b, &in, from_client()), &out);
	in = with_origin(bubble, ep4("1.2.3.4", 337));
	assert_octets(b, expect_udp(b, &in, from_client()), &out);
	in = with_auth(in, "nonsense");
	assert_octets(b, expect_udp(b, &in, from_client()), &out);
}

/* S-FWD-09 */
static void next_header_59_with_a_payload_is_no_bubble(void **state)
{
	struct test_packet in =
		make_ip6(client(), other(), 59, "data", 4);

	expect_drop(*state, &in, from_client(), TEREDO_DROP_not_relayed);
	in = make_ip6(client(), other(), 59, "d", 1);
	expect_drop(*state, &in, from_client(), TEREDO_DROP_not_relayed);
}

/* S-GEN-04, S-CHK-02, SEC-EXT-01 */
static void nothing_but_bubbles_and_icmpv6_is_carried(void **state)
{
	struct test_packet echo = make_icmp6(client(), other(), 128, 16);
	uint8_t hidden[8 + 16] = { 58, 0 };

	memcpy(hidden + 8, echo.b + 40, 16);
	for (unsigned nh = 0; nh < 256; nh++) {
		struct test_packet in = make_ip6(client(), other(), nh,
						 hidden, sizeof(hidden));
		struct test_packet native = make_ip6(client(), ip6(NATIVE), nh,
						     hidden, sizeof(hidden));

		if (nh == 58)
			continue;
		expect_drop(*state, &in, from_client(),
			    TEREDO_DROP_not_relayed);
		expect_drop(*state, &native, from_client(),
			    TEREDO_DROP_not_relayed);
	}
}

/* S-FWD-02 */
static void a_destination_without_global_scope_is_refused(void **state)
{
	static const char *const dst[] = {
		"fe80::1", "::1", "::", "ff02::1", "ff05::2", "ff0e::1",
		"fec0::1", "fc00::1", "fd12::1", "::ffff:192.0.2.1",
		"::192.0.2.1", "fe80::8000:f227:39cc:9bff",
	};

	for (size_t i = 0; i < COUNT(dst); i++) {
		struct test_packet bubble = make_bubble(client(), ip6(dst[i]));
		struct test_packet echo =
			make_icmp6(client(), ip6(dst[i]), 128, 16);

		expect_drop(*state, &bubble, from_client(),
			    TEREDO_DROP_martian_v6);
		expect_drop(*state, &echo, from_client(),
			    TEREDO_DROP_martian_v6);
	}
}

/* S-FWD-04, A-V4G-01..09, A-V4G-11, SEC-V4D-02 */
static void a_mapping_must_be_global_unicast(void **state)
{
	struct server_bench *b = *state;

	for (size_t i = 0; not_global4[i] != NULL; i++) {
		struct teredo_addr dst = teredo6(S1, 0, not_global4[i], 50000);
		struct test_packet bubble = make_bubble(client(), dst);
		struct test_packet echo = make_icmp6(client(), dst, 128, 16);
		struct test_packet relay = make_bubble(ip6(NATIVE), dst);

		expect_drop(b, &bubble, from_client(),
			    TEREDO_DROP_martian_v4);
		expect_drop(b, &echo, from_client(), TEREDO_DROP_martian_v4);
		expect_drop(b, &relay, ep4(OTHER, 3545),
			    TEREDO_DROP_martian_v4);
	}
	for (size_t i = 0; barely_global4[i] != NULL; i++) {
		struct test_packet in = make_bubble(
			client(), teredo6(S1, 0, barely_global4[i], 50000));

		expect_udp(b, &in, from_client());
		assert_ep_equal(b->ob.item[0].to,
				ep4(barely_global4[i], 50000));
	}
}

static void port_0_is_nobodys(void **state)
{
	struct test_packet in =
		make_bubble(client(), teredo6(S1, 0, OTHER, 0));

	expect_drop(*state, &in, from_client(), TEREDO_DROP_martian_v4);
	in = make_bubble(teredo6(S1, 0, CLIENT, 0), other());
	expect_drop(*state, &in, ep4(CLIENT, 0), TEREDO_DROP_martian_v4);
}

/* S-CHK-03 */
static void a_source_must_be_global_unicast(void **state)
{
	for (size_t i = 0; not_global4[i] != NULL; i++) {
		struct test_packet teredo = make_bubble(
			teredo6(S1, 0, not_global4[i], 40000), other());
		struct test_packet native = make_bubble(ip6(NATIVE), other());

		expect_drop(*state, &teredo, ep4(not_global4[i], 40000),
			    TEREDO_DROP_martian_v4);
		expect_drop(*state, &native, ep4(not_global4[i], 40000),
			    TEREDO_DROP_martian_v4);
	}
}

/* SEC-LOOP-01: all of primary and secondary, as source and as mapping */
static void the_server_does_not_talk_to_itself(void **state)
{
	static const char *const own[] = { S1, S2, "198.51.100.255" };
	struct server_bench *b = *state;

	for (size_t i = 0; i < COUNT(own) * COUNT(own); i++) {
		const char *src = own[i % COUNT(own)];
		const char *dst = own[i / COUNT(own)];
		struct test_packet in = make_bubble(
			teredo6(S1, 0, src, 3544), teredo6(S1, 0, dst, 3544));

		expect_drop(b, &in, ep4(src, 3544), TEREDO_DROP_loop);
		in = make_bubble(client(), teredo6(S1, 0, dst, 3544));
		expect_drop(b, &in, from_client(), TEREDO_DROP_loop);
		in = make_bubble(ip6(NATIVE), teredo6(S1, 0, dst, 3544));
		expect_drop(b, &in, ep4(OTHER, 3545), TEREDO_DROP_loop);
		in = make_bubble(client(), teredo6(S1, 0, dst, 999));
		expect_drop(b, &in, from_client(), TEREDO_DROP_loop);
		in = make_bubble(teredo6(S1, 0, src, 999), client());
		expect_drop(b, &in, ep4(src, 999), TEREDO_DROP_loop);
	}
}

/* A packet that one server passed on is refused by the next, whatever its
 * source: no two servers can be set on each other. */
static void two_servers_do_not_loop(void **state)
{
	const char *const src[] = { "fe80::1", NATIVE };
	struct server_bench *b = *state;
	struct teredo_addr at_peer = teredo6(S1, 0, "203.0.113.99", 3544);
	struct test_packet in, hop = { .len = 0 };

	for (size_t i = 0; i < 2; i++) {
		in = make_bubble(ip6(src[i]), at_peer);
		expect_udp(b, &in, ep4(OTHER, 50000));
		assert_ep_equal(b->ob.item[0].to, ep4("203.0.113.99", 3544));
		/* the other server's view: destination not its client; ours
		 * stands in for it with a destination not our client */
		in = make_bubble(ip6(src[i]), foreign());
		hop = with_origin(in, ep4(OTHER, 50000));
		expect_drop(b, &hop, ep4("203.0.113.99", 3544),
			    TEREDO_DROP_spoofed);
	}
	in = make_bubble(client(), at_peer);
	expect_drop(b, &in, ep4("203.0.113.99", 3544), TEREDO_DROP_spoofed);
}

/* A-ADDR-01: 2001:1::/32 is native, where bubbles have no business */
static void only_the_prefix_is_teredo(void **state)
{
	struct teredo_addr dst = other();
	struct test_packet in;

	dst.b[3] = 1;
	in = make_bubble(client(), dst);
	expect_drop(*state, &in, from_client(), TEREDO_DROP_not_relayed);
}

/* A-ENC-08, S-CHK-01 */
static void a_truncated_bubble_is_refused(void **state)
{
	struct test_packet in =
		with_auth(make_bubble(client(), other()), "12345678");

	while (in.len-- > 0)
		expect_drop(*state, &in, from_client(), TEREDO_DROP_malformed);
}

static struct teredo_ep somebody(unsigned n)
{
	char ip[sizeof("203.000.000.001")];

	snprintf(ip, sizeof(ip), "203.%u.%u.1", n / 256 % 256, n % 256);
	return ep4(ip, 5000);
}

/* SEC-REF-02: 20 at once, then 10 a second, whoever they come from */
static void a_client_gets_10_bubbles_a_second(void **state)
{
	struct server_bench *b = *state;
	unsigned passed = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct test_packet in = make_bubble(ip6("fe80::1"), other());

		b->now += TEREDO_MS;
		passed += bench_give(b, &in, somebody(i),
				     TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	}
	assert_in_range(passed, 100, 120);
	/* another port of the same address is another client */
	for (unsigned i = 0; i < 20; i++) {
		struct test_packet in = make_bubble(
			ip6("fe80::1"), teredo6(S1, 0, OTHER, 50001));

		expect_udp(b, &in, somebody(i));
	}
}

/* SEC-REF-02, faults B3: 8 at once, then 2 a second from one address, by
 * whatever ports, so that others reach the same client */
static void one_address_gets_2_of_them(void **state)
{
	struct server_bench *b = *state;
	struct test_packet in = make_bubble(ip6("fe80::1"), other());
	unsigned passed = 0;

	for (unsigned i = 0; i < 10000; i++) {
		b->now += TEREDO_MS;
		passed += bench_give(b, &in, ep4(CLIENT, 1024 + i),
				     TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	}
	assert_in_range(passed, 20, 28);
	for (unsigned i = 0; i < 10; i++)
		expect_udp(b, &in, somebody(i));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_bubble_reaches_an_own_client_with_the_origin),
		T(what_came_to_the_second_address_leaves_from_the_first),
		T(a_client_of_another_server_gets_no_origin),
		T(a_foreign_client_may_send),
		T(a_source_outside_teredo_reaches_own_clients_only),
		T(a_source_that_nobody_has_is_refused),
		T(a_source_elsewhere_than_its_mapping_is_refused),
		T(any_hop_limit_passes_unchanged),
		T(flags_of_an_address_do_not_matter),
		T(trailers_are_carried_on),
		T(trailers_are_bounded),
		T(a_trailer_may_ask_for_the_drop),
		T(what_stands_before_the_packet_is_not_forwarded),
		T(next_header_59_with_a_payload_is_no_bubble),
		T(nothing_but_bubbles_and_icmpv6_is_carried),
		T(a_destination_without_global_scope_is_refused),
		T(a_mapping_must_be_global_unicast),
		T(port_0_is_nobodys),
		T(a_source_must_be_global_unicast),
		T(the_server_does_not_talk_to_itself),
		T(two_servers_do_not_loop),
		T(only_the_prefix_is_teredo),
		T(a_truncated_bubble_is_refused),
		T(a_client_gets_10_bubbles_a_second),
		T(one_address_gets_2_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
