/*
 * test_client_maintain.c - how a client keeps its address, and loses none
 *
 * RFC 4380 5.2.5.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

static void assert_own(const struct teredo_addr *own)
{
	struct teredo_client_status st = bench_status();

	assert_addr_equal(&st.addr, own);
}

/* C-CFG-06, C-MNT-01, C-MNT-02 */
static void the_refresh_comes_after_75_to_100_percent_of_30_s(void **state)
{
	teredo_time shortest = 30 * S, longest = 0;

	(void)state;
	bench_qualify();
	for (unsigned i = 0; i < 60; i++) {
		teredo_time last = bench.now, gap;
		struct bench_ra ra;

		bench_run_to(TEREDO_CLIENT_REFRESHING);
		gap = bench.now - last;
		assert_in_range(gap, 22500 * MS, 30 * S);
		if (gap < shortest)
			shortest = gap;
		if (gap > longest)
			longest = gap;
		ra = bench_ra(bench_expect_rs(SERVER), SERVER);
		bench_expect_silence();
		assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
		bench_forget();
	}
	assert_true(longest - shortest > 4 * S);	/* not constant */
}

/* C-RX-04 */
static void any_packet_of_the_server_postpones_the_refresh(void **state)
{
	struct teredo_addr peer = bench_peer(ep4("192.0.2.99", 5000));

	(void)state;
	bench_qualify();
	for (unsigned i = 0; i < 5; i++) {
		bench_run(20 * S);
		bench_indirect(&peer, ep4("192.0.2.99", 5000));
		assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	}
	assert_int_equal(bench_count(TEREDO_EV_rs_sent), 2);
	bench_forget();
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_expect_rs(SERVER);
}

/* SEC-MITM-01: what comes from its address may be forged. */
static void nothing_postpones_the_refresh_for_ever(void **state)
{
	struct teredo_addr peer = bench_peer(ep4("192.0.2.99", 5000));
	teredo_time since;

	(void)state;
	bench_qualify();
	since = bench.now;
	while (bench_state() == TEREDO_CLIENT_QUALIFIED) {
		bench_bubble(ep4(SERVER, 3544), &peer, &bench.own);
		bench_run(1 * S);
		assert_true(bench.now - since <= 121 * S);
	}
	assert_true(bench.now - since >= 120 * S);
}

static void packets_of_others_do_not_postpone_the_refresh(void **state)
{
	struct teredo_ep at = ep4("192.0.2.99", 5000);
	struct teredo_addr peer = bench_peer(at);

	(void)state;
	bench_qualify();
	bench_run(20 * S);
	bench_receive(at, &peer, 8);
	bench_receive(ep4(SERVER2, 3544), &peer, 8);
	bench_run(10 * S);
	bench_expect_rs(SERVER);
}

/* C-MNT-04, C-RAND-05 */
static void the_same_mapping_keeps_the_address(void **state)
{
	struct teredo_addr own;
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	own = bench.own;
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_status().failures, 0);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
	assert_own(&own);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 0);
	bench_expect_silence();			/* the NAT is known */
}

/* C-MNT-03, C-QUAL-13 */
static void a_bad_answer_to_a_refresh_changes_nothing(void **state)
{
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.origin = ep4("10.0.0.1", 1);
	assert_dropped(bench_answer(&ra), martian_v4);
	ra.origin = ep4("192.0.2.45", 40009);
	ra.prefix_ip = ip4(RESERVE);
	assert_dropped(bench_answer(&ra), nonce);
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
	bench_run(4 * S);
	bench_expect_rs(SERVER);
}

/* C-MNT-05, C-RAND-05 */
static void another_mapping_makes_another_address(void **state)
{
	struct teredo_ep at = ep4("192.0.2.99", 5000);
	struct teredo_addr peer = bench_peer(at), old;
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	old = bench.own;
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_trust(&peer, at);
	assert_int_equal(bench_status().peers_direct, 1);
	ra = bench_ra(bench_last_nonce(), SERVER);
	ra.origin = ep4("192.0.2.45", 40001);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
	assert_ep_equal(addr_mapping(&bench.own), ra.origin);
	assert_int_not_equal(addr_flags(&bench.own), addr_flags(&old));
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 1);
	assert_int_equal(bench_status().peers_direct, 0);
	bench_expect_rs(SERVER2);		/* another NAT, perhaps */
	/* the old address is nobody's now */
	bench.own = old;
	assert_dropped(bench_receive(at, &peer, 8), not_for_us);
	assert_dropped(bench_send(&peer, 8), martian_v6);
}

static void a_new_mtu_is_announced_with_the_same_address(void **state)
{
	struct teredo_addr own;
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	own = bench.own;
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.mtu = 1400;
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
	assert_addr_equal(&bench.own, &own);
	assert_int_equal(bench.mtu, 1400);
}

/* C-MNT-06; R8 */
static void a_silent_server_costs_neither_address_nor_peers(void **state)
{
	struct teredo_ep at = ep4("192.0.2.99", 5000);
	struct teredo_addr peer = bench_peer(at), own;
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	own = bench.own;
	bench_trust(&peer, at);
	for (unsigned i = 0; i < 90; i++) {
		bench_run(1 * S);
		assert_int_equal(bench_receive(at, &peer, 8).fate,
				 TEREDO_TO_TUN);
		assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TO_UDP);
	}
	assert_int_equal(bench_state(), TEREDO_CLIENT_LOST);
	assert_int_equal(bench_count(TEREDO_EV_server_lost), 1);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
	assert_true(bench_status().has_address);
	assert_true(bench_status().failures >= 3);
	/* back: the next solicitation comes within 4.4 s */
	bench_forget();
	bench_run(4400 * MS);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
	assert_own(&own);
	assert_int_equal(bench_status().failures, 0);
}

static void a_lost_server_is_asked_soon_and_later_rarely(void **state)
{
	static const unsigned gap[] = { 2000, 4000, 4000, 4000 };
	const struct sent *s, *t;

	(void)state;
	bench_qualify();
	for (unsigned i = 0; i < 20; i++) {	/* long after the start */
		struct bench_ra ra;

		bench_run_to(TEREDO_CLIENT_REFRESHING);
		ra = bench_ra(bench_last_nonce(), SERVER);
		assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	}
	bench_forget();
	bench_run_to(TEREDO_CLIENT_LOST);
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2);
	bench_forget();
	bench_run(20 * S);
	s = bench_next();
	assert_non_null(s);
	for (unsigned i = 0; i < COUNT(gap); i++) {
		t = bench_next();
		assert_non_null(t);
		assert_in_range((t->at - s->at) / MS, gap[i] * 9 / 10,
				gap[i] * 11 / 10);
		s = t;
	}
	bench_run(300 * S);
	bench_forget();
	bench_run(100 * S);
	assert_in_range(bench_count(TEREDO_EV_rs_sent), 95, 120);
	assert_in_range(bench_news(OUTBOX_RESOLVE), 2 * 2, 2 * 4);
}

/* C-FAIL-01 */
static void a_lost_client_moves_to_a_server_that_answers(void **state)
{
	struct teredo_ep at = ep4("192.0.2.99", 5000);
	struct teredo_addr peer = bench_peer(at);
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	assert_true(bench_server(1, RESERVE, "198.51.100.40"));
	bench_expect_silence();
	bench_run_to(TEREDO_CLIENT_LOST);
	bench_trust(&peer, at);
	assert_int_equal(bench_status().peers_direct, 1);
	bench_forget();
	bench_run(1100 * MS);
	ra = bench_ra(bench_expect_rs(RESERVE), RESERVE);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(addr_server(&bench.own), ip4(RESERVE));
	assert_int_equal(bench_status().server, 1);
	assert_int_equal(bench_status().peers_direct, 0);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 0);
	bench_expect_rs("198.51.100.40");		/* C-CFG-01 */
	/* and refreshes there */
	bench_run(13 * S);
	bench_forget();
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_expect_rs(RESERVE);
}

static void a_late_answer_of_the_server_before_does_not_move_us_back(
	void **state)
{
	struct bench_ra first, second;
	uint8_t nonce[8];

	(void)state;
	bench_qualify();
	assert_true(bench_server(1, RESERVE, NULL));
	bench_run_to(TEREDO_CLIENT_LOST);
	bench_forget();
	bench_run(4 * S);
	memcpy(nonce, bench_expect_rs(RESERVE), 8);
	first = bench_ra(nonce, RESERVE);
	second = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&second).fate, TEREDO_TAKEN);
	assert_dropped(bench_answer(&first), nonce);
	assert_int_equal(bench_status().server, 0);
}

/* An answer to the solicitation before the last one must not count either:
 * nothing is asked any more. */
static void with_one_answer_all_nonces_are_void(void **state)
{
	struct bench_ra ra;
	uint8_t nonce[8];

	(void)state;
	bench_qualify();
	bench_run_to(TEREDO_CLIENT_LOST);
	memcpy(nonce, bench_last_nonce(), 8);	/* to the server in use */
	bench_run(1100 * MS);
	ra = bench_ra(bench_last_nonce(), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	ra.nonce = nonce;
	assert_dropped(bench_answer(&ra), nonce);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

static void a_change_of_the_network_begins_a_whole_round(void **state)
{
	(void)state;
	bench_qualify();
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_run(9 * S);				/* the third is out */
	bench_forget();
	bench_net_changed(true);
	bench_run(11 * S);
	for (unsigned i = 0; i < 3; i++)
		bench_expect_rs(SERVER);
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
}

static void a_server_that_moves_is_left_in_peace_until_it_is_silent(
	void **state)
{
	struct teredo_addr own;
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	own = bench.own;
	assert_true(bench_server(0, "198.51.100.77", NULL));
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_expect_rs(SERVER);
	assert_own(&own);
	bench_run(12 * S + 1100 * MS);
	bench_expect_rs(SERVER);
	bench_expect_rs(SERVER);
	ra = bench_ra(bench_expect_rs("198.51.100.77"), "198.51.100.77");
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(addr_server(&bench.own), ip4("198.51.100.77"));
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

static void the_same_address_of_the_server_again_changes_nothing(void **state)
{
	(void)state;
	bench_qualify();
	for (unsigned i = 0; i < 10; i++) {
		assert_true(bench_server(0, SERVER, NULL));
		bench_run(1 * S);
	}
	bench_expect_silence();
	assert_int_equal(bench_news(OUTBOX_STATE), 0);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

/* X-REF-04, R12: perhaps it is our mapping that is another */
static void a_path_that_falls_silent_under_traffic_solicits(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	bench_trust(&native, ep4("203.0.113.50", 3545));
	for (unsigned i = 0; i < 54; i++) {
		bench_send(&native, 8);
		bench_run(100 * MS);
	}
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
	ra = bench_ra(bench_last_nonce(), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	/* once: it was not the mapping */
	for (unsigned i = 0; i < 160; i++) {
		bench_send(&native, 8);
		bench_run(100 * MS);
		assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	}
}

/* X-REF-04: the answer that just came is an answer to the other path, too */
static void two_silent_paths_solicit_once(void **state)
{
	struct teredo_addr native[] = { ip6("2001:db8::1"), ip6("2001:db8::2") };
	const struct teredo_ep relay = ep4("203.0.113.50", 3545);
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	bench_trust(&native[0], relay);
	bench_trust(&native[1], relay);
	for (unsigned i = 0; i < 75; i++) {
		bench_send(&native[0], 8);
		bench_send(&native[1], 8);
		if (i == 15)
			bench_receive(relay, &native[1], 8);
		bench_run(100 * MS);
		if (i == 53) {
			ra = bench_ra(bench_last_nonce(), SERVER);
			assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
		}
		if (i >= 53)
			assert_int_equal(bench_state(),
					 TEREDO_CLIENT_QUALIFIED);
	}
}

/* ... and it need not go on for that: the second probe is as good a reason */
static void a_path_that_stays_silent_solicits_without_traffic(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_qualify();
	bench_trust(&native, ep4("203.0.113.50", 3545));
	bench_send(&native, 8);
	bench_run(3100 * MS);
	bench_send(&native, 8);
	bench_run(2 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	bench_run(100 * MS);
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
}

/* Who never answered says nothing about our mapping. */
static void a_host_that_never_answered_is_no_reason_to_solicit(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_qualify();
	bench_run(5 * S);
	for (unsigned i = 0; i < 90; i++) {
		bench_send(&native, 8);
		bench_run(100 * MS);
		assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	}
	assert_int_equal(bench_count(TEREDO_EV_test_sent), 4);
}

/* ---- the world changes ---- */

/* R10, R11, R13 */
static void a_change_of_the_network_solicits_at_once(void **state)
{
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	bench_run(5 * S);
	bench_net_changed(true);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
	ra.origin = ep4("203.0.113.200", 40000);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_ep_equal(addr_mapping(&bench.own), ra.origin);
}

static void changes_of_the_network_solicit_once_a_second_at_most(void **state)
{
	unsigned n = 0;

	(void)state;
	bench_qualify();
	bench_run(5 * S);
	for (unsigned i = 0; i < 100; i++) {
		bench_net_changed(true);
		bench_run(100 * MS);
	}
	while (bench_next() != NULL)
		n++;
	assert_in_range(n, 9, 11);
	/* the last one was not forgotten */
	bench_forget();
	bench_run(900 * MS);
	bench_net_changed(true);
	bench_net_changed(true);
	bench_run(1 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
	bench_expect_rs(SERVER);
}

static void a_change_within_the_second_is_not_put_off_by_the_server(
	void **state)
{
	struct teredo_addr peer = bench_peer(ep4("192.0.2.99", 5000));
	struct bench_ra ra;

	(void)state;
	bench_qualify();
	bench_run(5 * S);
	bench_net_changed(true);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	bench_answer(&ra);
	bench_net_changed(true);
	bench_expect_silence();
	bench_indirect(&peer, ep4("192.0.2.99", 5000));
	bench_next();					/* the reply to it */
	bench_run(1 * S);
	bench_expect_rs(SERVER);
}

static void a_change_of_the_network_ends_the_wait_of_an_offline_client(
	void **state)
{
	(void)state;
	bench_start();
	bench_net_changed(true);			/* no server to ask */
	bench_expect_silence();
	assert_true(bench_server(0, SERVER, NULL));
	bench_run(400 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_OFFLINE);
	bench_run(2 * S);
	bench_forget();
	bench_net_changed(true);
	bench_run(1 * S);
	bench_expect_rs(SERVER);
}

static void a_change_that_does_not_concern_us_solicits_not(void **state)
{
	(void)state;
	bench_qualify();
	bench_run(5 * S);
	bench_net_changed(false);
	bench_expect_silence();
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_refresh_comes_after_75_to_100_percent_of_30_s),
		T(any_packet_of_the_server_postpones_the_refresh),
		T(nothing_postpones_the_refresh_for_ever),
		T(packets_of_others_do_not_postpone_the_refresh),
		T(the_same_mapping_keeps_the_address),
		T(a_bad_answer_to_a_refresh_changes_nothing),
		T(another_mapping_makes_another_address),
		T(a_new_mtu_is_announced_with_the_same_address),
		T(a_silent_server_costs_neither_address_nor_peers),
		T(a_lost_server_is_asked_soon_and_later_rarely),
		T(a_lost_client_moves_to_a_server_that_answers),
		T(a_late_answer_of_the_server_before_does_not_move_us_back),
		T(with_one_answer_all_nonces_are_void),
		T(a_change_of_the_network_begins_a_whole_round),
		T(a_server_that_moves_is_left_in_peace_until_it_is_silent),
		T(the_same_address_of_the_server_again_changes_nothing),
		T(a_path_that_falls_silent_under_traffic_solicits),
		T(two_silent_paths_solicit_once),
		T(a_path_that_stays_silent_solicits_without_traffic),
		T(a_host_that_never_answered_is_no_reason_to_solicit),
		T(a_change_of_the_network_solicits_at_once),
		T(changes_of_the_network_solicit_once_a_second_at_most),
		T(a_change_within_the_second_is_not_put_off_by_the_server),
		T(a_change_of_the_network_ends_the_wait_of_an_offline_client),
		T(a_change_that_does_not_concern_us_solicits_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
