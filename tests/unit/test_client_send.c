/*
 * test_client_send.c - how a client's packets find their way
 *
 * RFC 4380 5.2.4, 5.2.6, 5.2.9: cases 1, 2 and 5.
 */
#include "config.h"

#include "tests/unit/client_bench.h"
#include "libteredo/path.h"

#define PEER	ep4("192.0.2.99", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	return 0;
}

static unsigned ms_of(const struct sent *s)
{
	return (unsigned)((s->at - bench.start) / MS);
}

/* C-TX-03, C-DCT-02, C-DCT-03, C-DCT-05, A-ENC-10 */
static void a_native_destination_is_tested_through_our_server(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	assert_int_equal(bench_send(&native, 8).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_expect_silence();
	assert_int_equal(bench_status().peers_pending, 1);
	/* C-DCT-01 */
	bench_run(1 * S);
	assert_int_equal(bench_send(&native, 8).fate, TEREDO_TAKEN);
	bench_expect_silence();
	bench_udp(RELAY, &reply);
	bench_run(28 * S);
	assert_ep_equal(bench_send(&native, 8).to, RELAY);
}

/* C-DCT-02 */
static void each_test_has_another_nonce(void **state)
{
	uint8_t seen[50][8];
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	for (unsigned i = 0; i < COUNT(seen); i++) {
		native.b[15] = (uint8_t)i;
		bench_send(&native, 8);
		memcpy(seen[i], bench_expect_udp(ep4(SERVER, 3544))->data + 48,
		       8);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 8);
	}
}

/* The ICMPv6 error about a packet of ours: RFC 4443 1/3, to ourselves */
static void expect_unreachable(const struct teredo_addr *about)
{
	const struct sent *s = bench_expect_tun();
	struct teredo_addr from = ip6("fe80::ffff:ffff:ffff");
	struct wire_packet p;
	const uint8_t *msg;
	size_t len;

	assert_int_equal(wire_parse_ip6(&p, s->data, s->len), WIRE_OK);
	assert_addr_equal(&p.src, &from);
	assert_addr_equal(&p.dst, &bench.own);
	msg = icmp6_message(&p, &len);
	assert_non_null(msg);
	assert_int_equal(msg[0], 1);
	assert_int_equal(msg[1], 3);
	assert_memory_equal(msg + 8 + 8, &bench.own, 16);
	assert_memory_equal(msg + 8 + 24, about, 16);
}

/* C-TX-04, C-TX-15 */
static void an_unanswered_test_is_repeated_three_times_and_given_up(
	void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_send(&native, 8);
	bench_send(&native, 9);
	bench_run(9 * S);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ms_of(bench_expect_udp(ep4(SERVER, 3544))),
				 i * PATH_GAP / MS);
	expect_unreachable(&native);
	expect_unreachable(&native);
	bench_expect_silence();
	assert_int_equal(bench_ms(), 9000);
	/* in the pause packets are refused at once */
	assert_dropped(bench_send(&native, 8), unreachable);
	expect_unreachable(&native);
	bench_expect_silence();
}

/* Weakness 8 of the observations: never a lock-out */
static void a_relay_that_returns_is_found_within_seconds(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;
	const struct sent *s = NULL, *t;

	(void)state;
	bench_trust(&native, RELAY);
	for (unsigned i = 0; i < 1000; i++) {	/* 100 s of traffic */
		bench_send(&native, 8);
		bench_run(100 * MS);
	}
	bench_forget();
	for (unsigned i = 0; i < 60; i++) {
		bench_send(&native, 8);
		bench_run(100 * MS);
	}
	while ((t = bench_next()) != NULL)
		if (t->kind == OUTBOX_UDP && t->len == ICMP6_ECHO_LEN(8))
			s = t;
	assert_non_null(s);			/* a test within 6 s */
	bench_test_reply(s, &native, &reply);
	assert_int_equal(bench_udp(ep4("203.0.113.50", 4000), &reply).fate,
			 TEREDO_TAKEN);
	assert_ep_equal(bench_send(&native, 8).to, ep4("203.0.113.50", 4000));
}

/* A restarted relay is noticed beside the traffic, not after 30 s. */
static void a_silent_relay_is_tested_beside_the_traffic(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_trust(&native, RELAY);
	bench_forget();
	for (unsigned i = 0; i < 40; i++) {
		assert_ep_equal(bench_send(&native, 8).to, RELAY);
		bench_run(100 * MS);
	}
	assert_int_equal(bench_count_to(ep4(SERVER, 3544)), 1);
}

/* C-DCT-02: another test, another nonce, though the first was not answered */
static void a_new_series_of_tests_has_a_new_nonce(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	uint8_t nonce[8];

	(void)state;
	bench_trust(&native, RELAY);
	for (unsigned n = 0; n < 2; n++) {
		const struct sent *s;

		for (unsigned i = 0; i < 32; i++) {
			bench_send(&native, 8);
			bench_run(100 * MS);
		}
		s = bench_expect_udp(ep4(SERVER, 3544));
		if (n == 0)
			memcpy(nonce, s->data + 48, 8);
		else
			assert_memory_not_equal(nonce, s->data + 48, 8);
		/* alive after all */
		bench_receive(RELAY, &native, 8);
		bench_run(3 * S);
		bench_forget();
	}
}

static void tests_go_out_while_the_server_is_lost(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_run(45 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_LOST);
	bench_forget();
	bench_send(&native, 8);
	assert_int_equal(bench_expect_udp(ep4(SERVER, 3544))->len,
			 ICMP6_ECHO_LEN(8));
}

/* C-TX-01, C-TX-02 */
static void a_trusted_teredo_peer_gets_its_packets_directly_for_30_s(
	void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	bench_trust(&peer, PEER);
	bench_run(29 * S);
	bench_forget();
	assert_ep_equal(bench_send(&peer, 8).to, PEER);
	assert_int_equal(bench_count_to(bench_peer_server()), 0);
	bench_run(1 * S);
	bench_forget();
	assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count_to(bench_peer_server()), 1);
}

static void expect_traffic(enum peer_way way, uint64_t packets,
			   uint64_t octets)
{
	struct teredo_view v;

	assert_true(teredo_client_peer(bench.c, 0, bench.now, &v));
	assert_int_equal(v.traffic[way].packets, packets);
	assert_int_equal(v.traffic[way].octets, octets);
}

static void what_comes_and_goes_is_counted_for_the_peer(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_verdict v;

	(void)state;
	bench_send(&peer, 10); /* waits, and counts when it goes */
	expect_traffic(PEER_TX, 0, 0);
	bench_receive(PEER, &peer, 20);
	bench_receive(PEER, &peer, 30);
	v = bench_send(&peer, 40);
	assert_int_equal(v.fate, TEREDO_TO_UDP);
	expect_traffic(PEER_TX, 2, 50 + 80);
	teredo_client_sent_more(bench.c, v.peer, 7, 7000);
	expect_traffic(PEER_TX, 9, 50 + 80 + 7000);
	expect_traffic(PEER_RX, 2, 60 + 70);
	bench_receive(ep4("203.0.113.99", 1), &peer, 50); /* not the peer's */
	expect_traffic(PEER_RX, 2, 60 + 70);
}

/* C-TX-07, C-TX-08, C-BUB-01, C-BUB-02, C-BUB-03, C-BUB-08, C-TX-14 */
static void an_unknown_teredo_peer_gets_a_direct_and_an_indirect_bubble(
	void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	const struct sent *s;
	struct teredo_addr src;

	(void)state;
	assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TAKEN);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	s = bench_expect_udp(bench_peer_server());
	bench_is_bubble(s, NULL, &peer);
	memcpy(&src, s->data + 8, 16);
	assert_true(addr_is_link_local(&src));
	bench_expect_silence();
	assert_int_equal(bench_status().peers_pending, 1);
	assert_int_equal(bench_status().peers_direct, 0);
}

/* C-TX-06, C-TX-13, C-CONE-02, SEC-V4D-01 */
static void the_cone_bit_of_a_peer_is_ignored(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	peer.b[8] |= 0x80;
	assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TAKEN);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_expect_udp(bench_peer_server());
	bench_expect_silence();
}

/* C-TX-10, C-BUB-05, C-TX-15, faults B8 */
static void a_silent_peer_gets_four_pairs_and_then_one_in_30_s(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	unsigned last = 0;

	(void)state;
	bench_send(&peer, 8);
	bench_run(9 * S);
	for (unsigned i = 0; i < 4; i++) {
		const struct sent *s = bench_expect_udp(PEER);

		assert_int_equal(ms_of(s), i * PATH_GAP / MS);
		bench_is_bubble(s, &bench.own, &peer);
		s = bench_expect_udp(bench_peer_server());
		/* for peers that answer the origin, and those that do not */
		assert_int_equal(s->data[8], i % 2 == 0 ? 0xfe : 0x20);
		if (i % 2 != 0)
			bench_is_bubble(s, &bench.own, &peer);
	}
	expect_unreachable(&peer);
	bench_expect_silence();
	bench_forget();
	for (unsigned i = 0; i < 30000; i += 10) {	/* 300 s of traffic */
		bench_send(&peer, 8);
		bench_run(100 * MS);
		for (const struct sent *s; (s = bench_next()) != NULL;) {
			if (s->kind != OUTBOX_UDP || !ep_equal(s->to, PEER))
				continue;
			assert_true(last == 0 || ms_of(s) - last >= 30000);
			last = ms_of(s);
		}
		bench_forget();
	}
	assert_true(last > 0);
}

/* C-BUB-04, C-BUB-06 */
static void bubbles_are_two_seconds_apart_whatever_the_traffic(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	unsigned last = 0;

	(void)state;
	for (unsigned i = 0; i < 800; i++) {
		bench_send(&peer, 8);
		bench_run(10 * MS);
		for (const struct sent *s; (s = bench_next()) != NULL;) {
			if (s->kind != OUTBOX_UDP || !ep_equal(s->to, PEER))
				continue;
			assert_true(last == 0 || ms_of(s) - last >= 2000);
			last = ms_of(s);
		}
	}
	assert_int_equal(bench_count(TEREDO_EV_bubble_direct_sent), 4);
	assert_int_equal(bench_count(TEREDO_EV_bubble_indirect_sent), 4);
}

/* C-TX-16 */
static void few_packets_wait_for_a_peer_and_in_order(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		bench_send(&peer, i % 1000);
	assert_in_range(bench_count(TEREDO_EV_packet_held), 4, 8);
	assert_int_equal(bench_count(TEREDO_EV_packet_held) +
			 bench_count(TEREDO_DROP_hold_full), 1000);
	bench.read = bench.n;
	bench_bubble(PEER, &peer, &bench.own);
	for (const struct sent *s; (s = bench_next()) != NULL;)
		assert_int_equal(s->len, 40 + len++);
	assert_int_equal(len, bench_count(TEREDO_EV_packet_held));
}

/* C-TX-11, A-V4G-01..09, SEC-V4D-02 */
static void a_peer_at_an_unfit_address_gets_nothing(void **state)
{
	static const char *const bad[] = { "0.1.2.3", "127.0.0.1", "10.1.2.3",
		"172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1",
		"192.88.99.1", "224.0.0.1", "239.255.255.255",
		"255.255.255.255", "240.0.0.1" };
	struct teredo_addr a;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		a = bench_peer(ep4(bad[i], 5000));
		assert_dropped(bench_send(&a, 8), martian_v4);
		addr_make(&a, addr_default_prefix(), ip4(bad[i]), 0, PEER);
		assert_dropped(bench_send(&a, 8), martian_v4);
	}
	a = bench_peer(ep4("192.0.2.99", 0));
	assert_dropped(bench_send(&a, 8), martian_v4);
	bench_expect_silence();
	a = bench_peer(ep4("100.64.0.1", 5000));	/* A-V4G-11 */
	assert_int_equal(bench_send(&a, 8).fate, TEREDO_TAKEN);
}

/* A-V4G-10, also when it was added meanwhile */
static void a_broadcast_address_of_ours_gets_nothing(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	bench_send(&peer, 8);
	bench.local.n = 1;
	bench.local.ip[0] = PEER.ip;
	bench_net_changed(false);
	bench_forget();
	assert_dropped(bench_send(&peer, 8), martian_v4);
	bench_run(10 * S);		/* and no bubbles any more */
	expect_unreachable(&peer);
	bench_expect_silence();
}

/* SEC-LOOP-02, G-FWD-01 */
static void our_own_mapping_gets_nothing(void **state)
{
	struct teredo_addr a = bench.own;

	(void)state;
	assert_dropped(bench_send(&a, 8), loop);
	a.b[9] ^= 0x55;
	assert_dropped(bench_send(&a, 8), loop);
	a = bench_peer(bench_mapped());		/* of another server */
	assert_dropped(bench_send(&a, 8), loop);
	bench_expect_silence();
}

/* C-LL-01, SEC-ING-01, G-FWD-01: what was forwarded has another source */
static void only_our_own_address_sends_and_only_to_global_ones(void **state)
{
	static const struct {
		const char *src, *dst;
	} bad[] = {
		{ NULL, "ff02::1" }, { NULL, "ff0e::1" }, { NULL, "fe80::1" },
		{ NULL, "::1" }, { NULL, "::" }, { NULL, "::ffff:192.0.2.1" },
		{ NULL, "fd00::1" }, { NULL, "fec0::1" },
		{ "fe80::1", "2001:db8::1" }, { "2001:db8::2", "2001:db8::1" },
		{ "::", "2001:db8::1" }, { "fe80::1", "ff02::2" },
		{ "2001:0:c633:6401:0:63bf:3fff:fdd2", "2001:db8::1" },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct teredo_addr dst = ip6(bad[i].dst), src = bench.own;
		struct test_packet p = { .len = 0 };

		if (bad[i].src != NULL)
			src = ip6(bad[i].src);
		packet_ip6(&p, 17, &src, &dst, 8);
		assert_int_equal(bench_tun(&p).fate, TEREDO_DROP);
	}
	bench_expect_silence();
	assert_int_equal(bench_count(TEREDO_DROP_link_local), 2);
	assert_int_equal(bench_count(TEREDO_DROP_martian_v6), COUNT(bad) - 2);
}

/* SEC-LOOP-04: nor is a datagram of ours that was routed into the tunnel */
static void what_is_no_ipv6_packet_is_dropped(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_ip6(&p, 17, &bench.own, &native, 20);
	for (p.len = 0; p.len < 60; p.len++)
		assert_dropped(bench_tun(&p), malformed);
	p.len = 61;
	assert_dropped(bench_tun(&p), malformed);
	p.len = 60;
	p.b[0] = 0x45;
	assert_dropped(bench_tun(&p), malformed);
	bench_expect_silence();
}

static void a_packet_longer_than_udp_carries_is_dropped(void **state)
{
	static uint8_t big[65508];
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_outbox ob = { .n = 0 };
	struct teredo_verdict v;

	(void)state;
	wire_put_ip6(big, 65508 - 40, 17, 64, &bench.own, &native);
	v = teredo_client_tun_in(bench.c, big, sizeof(big), bench.now, &ob);
	assert_int_equal(v.fate, TEREDO_DROP);
	assert_int_equal(bench_count(TEREDO_DROP_too_big), 1);
}

/* C-CFG-05 */
static void a_full_table_forgets_a_silent_peer_before_a_trusted_one(
	void **state)
{
	struct teredo_addr friend = bench_peer(PEER);

	(void)state;
	bench_trust(&friend, PEER);
	for (unsigned i = 0; i < 200; i++) {
		struct teredo_addr a = bench_peer(ep4("192.0.2.98", 1000 + i));

		assert_int_equal(bench_send(&a, 8).fate, TEREDO_TAKEN);
		bench_forget();
	}
	assert_ep_equal(bench_send(&friend, 8).to, PEER);
	assert_int_equal(bench_status().peers_max, 64);
	assert_int_equal(bench_status().peers_pending, 63);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_native_destination_is_tested_through_our_server),
		T(each_test_has_another_nonce),
		T(an_unanswered_test_is_repeated_three_times_and_given_up),
		T(a_relay_that_returns_is_found_within_seconds),
		T(a_silent_relay_is_tested_beside_the_traffic),
		T(a_new_series_of_tests_has_a_new_nonce),
		T(tests_go_out_while_the_server_is_lost),
		T(a_trusted_teredo_peer_gets_its_packets_directly_for_30_s),
		T(what_comes_and_goes_is_counted_for_the_peer),
		T(an_unknown_teredo_peer_gets_a_direct_and_an_indirect_bubble),
		T(the_cone_bit_of_a_peer_is_ignored),
		T(a_silent_peer_gets_four_pairs_and_then_one_in_30_s),
		T(bubbles_are_two_seconds_apart_whatever_the_traffic),
		T(few_packets_wait_for_a_peer_and_in_order),
		T(a_peer_at_an_unfit_address_gets_nothing),
		T(a_broadcast_address_of_ours_gets_nothing),
		T(our_own_mapping_gets_nothing),
		T(only_our_own_address_sends_and_only_to_global_ones),
		T(what_is_no_ipv6_packet_is_dropped),
		T(a_packet_longer_than_udp_carries_is_dropped),
		T(a_full_table_forgets_a_silent_peer_before_a_trusted_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
