/*
 * test_client_strangers.c - what a client does for those that nobody asked for
 *
 * SEC-DOS-03: neither its tests, nor its table, nor what it holds is theirs.
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

/* SEC-REF-04, CVE-2006-6266; faults B6 */
static void unknown_native_hosts_cause_a_limited_number_of_tests(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_addr friend = ip6("2001:db8:f::1");

	(void)state;
	bench_trust(&friend, RELAY);
	bench_forget();
	for (unsigned i = 0; i < 1000; i++) {
		native.b[15] = (uint8_t)i;
		native.b[14] = (uint8_t)(i >> 8);
		bench_receive(ep4("203.0.113.66", 6666), &native, 8);
		if (i % 100 == 0) {
			bench_run(100 * MS);
			assert_int_equal(bench_receive(RELAY, &friend, 8).fate,
					 TEREDO_TO_TUN);
		}
	}
	assert_true(bench_count(TEREDO_EV_test_sent) <= 10 + 5 + 1);
	assert_true(bench_count(TEREDO_DROP_rate_limited) > 700);
}

/* One of 256 places */
static struct teredo_ep somewhere(unsigned n)
{
	char ip[sizeof("203.000.0.1")];

	snprintf(ip, sizeof(ip), "203.%u.0.1", n % 256);
	return ep4(ip, 6666);
}

/* SEC-DOS-03: not one place alone, nor all of them together */
static void tests_for_strangers_leave_room_for_our_own(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		native.b[15] = (uint8_t)i;
		native.b[14] = (uint8_t)(i >> 8);
		bench_receive(somewhere(i), &native, 8);
		bench_run(10 * MS);
		bench_forget();
	}
	assert_in_range(bench_count(TEREDO_EV_test_sent), 50, 61);
	native = ip6("2001:db8:f::1");
	bench_send(&native, 8);
	bench_expect_udp(ep4(SERVER, 3544));
}

/* C-TX-16: what strangers send never uses up the room of our own packets */
static void half_of_the_room_is_kept_for_our_own_packets(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1"), peer = bench_peer(PEER);

	(void)state;
	bench_close();
	bench_open(1, 256);
	bench_qualify();
	for (unsigned i = 0; i < 128 * 8; i++) {
		native.b[15] = (uint8_t)(i / 8);
		bench_receive(somewhere(i / 8), &native, 1200);
		bench_forget();
	}
	assert_true(bench_count(TEREDO_DROP_hold_full) > 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(bench_send(&peer, 1200).fate, TEREDO_TAKEN);
}

/* SEC-DOS-03, faults B6: one host names any number of addresses that fit its endpoint */
static void a_flood_of_matching_sources_evicts_no_trusted_peer(void **state)
{
	struct teredo_addr friend = bench_peer(PEER);
	struct teredo_ep at = ep4("203.0.113.66", 6666);
	struct teredo_addr stranger = bench_peer(at);

	(void)state;
	bench_trust(&friend, PEER);
	for (unsigned i = 0; i < 4096; i++) {
		stranger.b[8] = (uint8_t)(i >> 8);
		stranger.b[9] = (uint8_t)i;
		/* believed, even where it cannot be noted */
		assert_int_equal(bench_receive(at, &stranger, 8).fate,
				 TEREDO_TO_TUN);
	}
	assert_ep_equal(bench_send(&friend, 8).to, PEER);
	assert_int_equal(bench_receive(PEER, &friend, 8).fate, TEREDO_TO_TUN);
	assert_true(bench_status().peers_direct <= 64);
}

/* SEC-DOS-03: nor the one that our side is about to talk to */
static void a_flood_does_not_evict_whom_we_search_for(void **state)
{
	struct teredo_addr friend = bench_peer(PEER);

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct teredo_addr stranger = bench_peer(somewhere(i));

		bench_receive(somewhere(i), &stranger, 8);
	}
	bench_run(40 * S);
	bench_forget();
	assert_int_equal(bench_send(&friend, 8).fate, TEREDO_TAKEN);
	for (unsigned i = 100; i < 140; i++) {
		struct teredo_addr stranger = bench_peer(somewhere(i));

		bench_receive(somewhere(i), &stranger, 8);
	}
	bench_forget();
	bench_bubble(PEER, &friend, &bench.own);
	assert_int_equal(bench_expect_udp(PEER)->len, 48);
}

/* In 2 s each of 2000 peers sends a packet. */
static void strangers_send(bool from_one_place)
{
	bench_close();
	bench_open(1, 4096);
	bench_qualify();
	for (unsigned i = 0; i < 2000; i++) {
		struct teredo_ep at = ep4("203.0.113.66", 6666);
		struct teredo_addr stranger;

		if (!from_one_place)
			at = somewhere(i);
		stranger = bench_peer(at);
		stranger.b[8] = (uint8_t)(i >> 8);
		stranger.b[9] = (uint8_t)i;
		bench_receive(at, &stranger, 8);
		bench_run(1 * MS);
		bench_forget();
	}
}

/* SEC-DOS-03: 128 at once, then 64/s */
static void peers_that_nobody_asked_for_are_noted_slowly(void **state)
{
	(void)state;
	strangers_send(false);
	assert_in_range(bench_status().peers_direct, 254, 258);
	/* all the same, they are who they say */
	assert_int_equal(bench_count(TEREDO_DROP_rate_limited), 0);
}

/* SEC-DOS-03: 128 of one IPv4 address at once, then 4/s; what the others send
 * would only make us ask servers that do not exist */
static void one_host_cannot_be_many_peers(void **state)
{
	(void)state;
	strangers_send(true);
	assert_in_range(bench_status().peers_direct, 134, 138);
	assert_in_range(bench_count(TEREDO_DROP_rate_limited), 1862, 1866);
}

/* ... and hosts that nobody asked for, from wherever, as many */
static void hosts_that_nobody_asked_for_are_noted_slowly(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_close();
	bench_open(1, 4096);
	bench_qualify();
	for (unsigned i = 0; i < 2000; i++) {
		native.b[14] = (uint8_t)(i >> 8);
		native.b[15] = (uint8_t)i;
		bench_receive(somewhere(i), &native, 8);
		bench_run(1 * MS);
		bench_forget();
	}
	assert_in_range(bench_status().peers_pending, 254, 258);
}

/* SEC-V4D-03: a Teredo source that names an address of our own network */
static void a_peer_at_an_address_of_ours_is_not_noted(void **state)
{
	struct teredo_ep at = ep4("198.51.100.255", 5000);
	struct teredo_addr peer = bench_peer(at);
	struct teredo_addr inside = bench_peer(ep4("10.0.0.9", 5000));

	(void)state;
	bench.local.n = 1;
	bench.local.ip[0] = at.ip;
	bench_net_changed(false);
	assert_dropped(bench_receive(at, &peer, 8), martian_v4);
	assert_dropped(bench_bubble(at, &peer, &bench.own), martian_v4);
	assert_dropped(bench_receive(ep4("10.0.0.9", 5000), &inside, 8),
		       martian_v4);
	assert_int_equal(bench_status().peers_direct, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unknown_native_hosts_cause_a_limited_number_of_tests),
		T(tests_for_strangers_leave_room_for_our_own),
		T(half_of_the_room_is_kept_for_our_own_packets),
		T(a_flood_of_matching_sources_evicts_no_trusted_peer),
		T(a_flood_does_not_evict_whom_we_search_for),
		T(peers_that_nobody_asked_for_are_noted_slowly),
		T(one_host_cannot_be_many_peers),
		T(hosts_that_nobody_asked_for_are_noted_slowly),
		T(a_peer_at_an_address_of_ours_is_not_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
