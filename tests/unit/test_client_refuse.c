/*
 * test_client_refuse.c - what a client refuses, whoever sends it
 *
 * RFC 4380 5.2.3, first paragraphs; what must never reach the interface. All
 * of it is sent by a trusted peer.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define PEER	ep4("192.0.2.99", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static struct teredo_addr peer;

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	peer = bench_peer(PEER);
	bench_trust(&peer, PEER);
	bench_forget();
	return 0;
}

/* C-RX-01, A-ENC-06 */
static void what_is_no_teredo_packet_is_dropped(void **state)
{
	static const char *const bad[] = { "", "60", "0002", "00ff", "4500",
		"5000", "7000", "ffff", "0000", "0001", "000100ff" };

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct test_packet p = { .len = 0 };

		packet_hex(&p, bad[i]);
		assert_dropped(bench_udp(PEER, &p), malformed);
		packet_ip6(&p, 17, &peer, &bench.own, 8);
		if (p.len > 48)
			bench_udp(PEER, &p);
	}
	bench_expect_silence();
}

/* C-RX-01, A-ENC-05, A-ENC-07 */
static void each_element_comes_once_and_in_its_order(void **state)
{
	static const uint8_t nonce[8] = { 1 };

	(void)state;
	for (unsigned order = 0; order < 3; order++) {
		struct test_packet p = { .len = 0 };

		if (order != 0)
			packet_origin(&p, PEER);
		if (order != 1)
			packet_auth(&p, nonce);
		if (order == 0)
			packet_auth(&p, nonce);
		if (order == 1)
			packet_origin(&p, PEER);
		packet_ip6(&p, 17, &peer, &bench.own, 8);
		assert_dropped(bench_udp(PEER, &p), malformed);
	}
}

/* C-RX-02, A-ENC-08 */
static void a_truncated_packet_is_dropped_and_a_longer_one_is_cut(void **state)
{
	struct test_packet p = { .len = 0 };
	struct teredo_verdict v;

	(void)state;
	packet_ip6(&p, 17, &peer, &bench.own, 20);
	for (p.len = 0; p.len < 60; p.len++)
		assert_dropped(bench_udp(PEER, &p), malformed);
	packet_trailer(&p, 0x80, "abc", 3);
	v = bench_udp(PEER, &p);
	assert_int_equal(v.fate, TEREDO_TO_TUN);
	assert_int_equal(v.off, 0);
	assert_int_equal(v.len, 60);
}

/* X-TLV-04 */
static void a_trailer_that_asks_for_it_discards_the_packet(void **state)
{
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_ip6(&p, 17, &peer, &bench.own, 20);
	packet_trailer(&p, 0x41, "abc", 3);
	assert_dropped(bench_udp(PEER, &p), trailer);
}

/* C-RX-03, A-ADDR-09, SEC-ADR-01, C-RX-17 */
static void what_is_not_for_our_very_address_is_dropped(void **state)
{
	static const char *const others[] = { "2001:db8::1", "ff02::1", "::1",
		"ff02::2", "fe80::1", "2001:0:c633:6401::", "::" };

	(void)state;
	for (unsigned bit = 0; bit < 128; bit++) {
		struct teredo_addr dst = bench.own;
		struct test_packet p = { .len = 0 };

		dst.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		packet_ip6(&p, 17, &peer, &dst, 8);
		assert_dropped(bench_udp(PEER, &p), not_for_us);
	}
	for (unsigned i = 0; i < COUNT(others); i++) {
		struct teredo_addr dst = ip6(others[i]);
		struct test_packet p = { .len = 0 };

		packet_ip6(&p, 17, &peer, &dst, 8);
		assert_dropped(bench_udp(PEER, &p), not_for_us);
	}
	bench_expect_silence();
}

/* C-RX-17, C-CFG-08, C-LCD-10: local discovery is not done */
static void a_discovery_bubble_is_ignored(void **state)
{
	struct teredo_addr all_nodes = ip6("ff02::1");

	(void)state;
	assert_dropped(bench_bubble(ep4("192.0.2.77", 5000), &peer, &all_nodes),
		       not_for_us);
	bench_expect_silence();
}

/* C-RX-21, SEC-ING-01, SEC-HOLE-02 */
static void no_unfit_source_reaches_the_interface(void **state)
{
	static const char *const bad[] = { "::", "::1", "::ffff:192.0.2.1",
		"::192.0.2.1", "ff02::1", "ff0e::1", "fec0::1", "fd00::1" };
	struct teredo_addr link_local = ip6("fe80::1");

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct teredo_addr src = ip6(bad[i]);

		assert_dropped(bench_receive(PEER, &src, 8), martian_v6);
	}
	assert_dropped(bench_receive(PEER, &link_local, 8), link_local);
	bench_expect_silence();
}

/* SEC-LOOP-02, faults L5 */
static void our_own_address_as_source_is_a_loop(void **state)
{
	(void)state;
	assert_dropped(bench_receive(bench_mapped(), &bench.own, 8), loop);
	assert_dropped(bench_bubble(bench_mapped(), &bench.own, &bench.own),
		       loop);
}

/* An ICMPv6 message of `type` from the trusted peer, behind an empty
 * destination options header if asked. */
static struct teredo_verdict icmp6_in(uint8_t type, bool behind_options)
{
	struct test_packet p = { .len = 0 };

	packet_ip6(&p, behind_options ? 60 : 58, &peer, &bench.own, 32);
	if (behind_options) {
		memcpy(p.b + 40, "\72\0\1\4\0\0\0\0", 8);
		p.b[48] = type;
	} else {
		p.b[40] = type;
	}
	p.b[7] = 255;
	return bench_udp(PEER, &p);
}

/* C-RX-21, SEC-ND-01 */
static void neighbour_discovery_never_crosses(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned behind = 0; behind < 2; behind++) {
			struct teredo_verdict v =
				icmp6_in((uint8_t)type, behind != 0);

			if (type >= 133 && type <= 137)
				assert_dropped(v, martian_v6);
			else
				assert_int_equal(v.fate, TEREDO_TO_TUN);
		}
	}
}

/* A router advertisement of a peer, to us or to all, is not one of ours. */
static void a_peer_is_no_router(void **state)
{
	struct bench_ra ra = bench_ra((const uint8_t *)"12345678", SERVER);
	struct teredo_addr all_nodes = ip6("ff02::1");
	struct test_packet p;

	(void)state;
	ra.from = PEER;
	assert_dropped(bench_answer(&ra), nonce);
	bench_put_ra(&p, &ra);
	memcpy(p.b + 21 + 24, &all_nodes, 16);
	bench_fix_checksum(&p, 21);
	assert_int_equal(bench_udp(PEER, &p).fate, TEREDO_DROP);
	memcpy(p.b + 21 + 24, &bench.own, 16);
	bench_fix_checksum(&p, 21);
	assert_dropped(bench_udp(PEER, &p), link_local);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
}

/* G-RH0-01, SEC-SRC-01 */
static void a_routing_header_that_goes_on_is_dropped(void **state)
{
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_ip6(&p, 43, &peer, &bench.own, 24);
	memcpy(p.b + 40, "\73\2\0\1", 4);
	assert_dropped(bench_udp(PEER, &p), routing_header);
	p.b[43] = 0;			/* no segments left: it ends here */
	assert_int_equal(bench_udp(PEER, &p).fate, TEREDO_TO_TUN);
}

/* A bubble that has a payload is none (A-ENC-09). */
static void next_header_59_with_a_payload_is_data(void **state)
{
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_ip6(&p, 59, &peer, &bench.own, 4);
	assert_int_equal(bench_udp(PEER, &p).fate, TEREDO_TO_TUN);
}

static void a_bubble_of_a_native_source_is_dropped(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	assert_dropped(bench_bubble(PEER, &native, &bench.own), not_teredo);
	bench_expect_silence();
}

/* Elements that a peer has no business to send mean nothing. */
static void a_peer_cannot_say_an_origin(void **state)
{
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_origin(&p, ep4("203.0.113.66", 53));
	packet_bubble(&p, &peer, &bench.own);
	assert_int_equal(bench_udp(PEER, &p).fate, TEREDO_TAKEN);
	bench_expect_silence();
}

/* C-RX-07: delivered when the test is answered there; not when it is answered
 * at a third place, or where the peer was */
static void what_comes_by_another_relay_waits_for_its_answer(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep other = ep4("203.0.113.51", 3545);
	struct teredo_ep third = ep4("203.0.113.52", 3545);
	struct test_packet reply;

	(void)state;
	for (unsigned where = 0; where < 3; where++) {
		struct teredo_ep at[3] = { other, third, RELAY };

		native.b[15] = (uint8_t)where;
		bench_trust(&native, RELAY);
		bench_run(5 * S);
		bench_forget();
		for (size_t len = 8; len < 16; len++)
			assert_int_equal(
				bench_receive(other, &native, len).fate,
				TEREDO_TAKEN);
		bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native,
				 &reply);
		bench_expect_udp(RELAY);
		assert_dropped(bench_receive(other, &native, 8), hold_full);
		assert_dropped(bench_receive(third, &native, 8), spoofed);
		bench_forget();
		assert_int_equal(bench_udp(at[where], &reply).fate,
				 TEREDO_TAKEN);
		for (size_t len = 8; where == 0 && len < 16; len++)
			assert_int_equal(bench_expect_tun()->len, 40 + len);
		bench_expect_silence();
		bench_run(60 * S);
		bench_forget();
	}
	assert_int_equal(bench_count(TEREDO_DROP_spoofed), 3 + 2 * 8);
}

/* C-RX-19: trust ends while something from another relay waits; what its own
 * relay brings then is not suspected with it. */
static void only_what_came_elsewhere_is_suspected(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep other = ep4("203.0.113.51", 3545);
	struct test_packet reply;

	(void)state;
	bench_trust(&native, RELAY);
	bench_run(26 * S);
	bench_forget();
	assert_int_equal(bench_receive(other, &native, 9).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(5 * S);
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TAKEN);
	bench_forget();
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_expect_tun()->len, 40 + 8);
	bench_expect_silence();
	assert_int_equal(bench_count(TEREDO_DROP_spoofed), 1);
}

/* C-RX-19: the host whose name is forged is alive and answers */
static void a_forged_host_does_not_vouch_for_its_forger(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep evil = ep4("203.0.113.66", 3545);
	struct test_packet reply;

	(void)state;
	assert_int_equal(bench_receive(evil, &native, 8).fate, TEREDO_TAKEN);
	assert_int_equal(bench_receive(evil, &native, 9).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	assert_int_equal(bench_send(&native, 10).fate, TEREDO_TAKEN);
	bench_forget();
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_expect_udp(RELAY)->len, 40 + 10);
	bench_expect_silence();
	assert_int_equal(bench_count(TEREDO_DROP_spoofed), 2);
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TO_TUN);
}

/* C-RX-08: a host was tested, did not answer and was forgotten; a Teredo peer
 * stands where it stood in the table. */
static void a_test_of_one_proves_no_other(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep evil = ep4("203.0.113.66", 3545);
	struct teredo_addr victim = bench_peer(ep4("192.0.2.77", 7000));
	struct test_packet reply, forged = { .len = 0 };

	(void)state;
	assert_int_equal(bench_receive(evil, &native, 8).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(400 * S);
	bench_send(&peer, 8);		/* takes the first place, as before */
	assert_int_equal(bench_send(&victim, 8).fate, TEREDO_TAKEN);
	forged = reply;
	memcpy(forged.b + 8, victim.b, 16);
	bench_fix_checksum(&forged, 0);
	bench_forget();
	assert_dropped(bench_udp(evil, &forged), spoofed);
	bench_expect_silence();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_no_teredo_packet_is_dropped),
		T(each_element_comes_once_and_in_its_order),
		T(a_truncated_packet_is_dropped_and_a_longer_one_is_cut),
		T(a_trailer_that_asks_for_it_discards_the_packet),
		T(what_is_not_for_our_very_address_is_dropped),
		T(a_discovery_bubble_is_ignored),
		T(no_unfit_source_reaches_the_interface),
		T(our_own_address_as_source_is_a_loop),
		T(neighbour_discovery_never_crosses),
		T(a_peer_is_no_router),
		T(a_routing_header_that_goes_on_is_dropped),
		T(next_header_59_with_a_payload_is_data),
		T(a_bubble_of_a_native_source_is_dropped),
		T(a_peer_cannot_say_an_origin),
		T(what_comes_by_another_relay_waits_for_its_answer),
		T(only_what_came_elsewhere_is_suspected),
		T(a_forged_host_does_not_vouch_for_its_forger),
		T(a_test_of_one_proves_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
