/*
 * test_client_greet.c - back in reach, the client tells its peers
 *
 * Ours: a host whose uplink returns is reached again within seconds, although
 * its NAT forgot whom it talked to.
 */
#include "config.h"

#include "tests/unit/client_bench.h"
#include "libteredo/path.h"

#define PEER	ep4("192.0.2.99", 5000)
#define IDLE	ep4("192.0.2.98", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static struct teredo_addr peer, idle, native;

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	peer = bench_peer(PEER);
	idle = bench_peer(IDLE);
	native = ip6("2001:db8::1");
	return 0;
}

static void answer_last(void)
{
	struct bench_ra ra = bench_ra(bench_last_nonce(), SERVER);

	bench_forget();
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_run(10 * MS);
}

static void lose_the_server(void)
{
	bench_run_to(TEREDO_CLIENT_LOST);
}

static void peers_are_greeted_once_when_the_server_answers_again(void **state)
{
	struct test_packet reply;
	const struct sent *s;

	(void)state;
	bench_trust(&idle, IDLE);
	lose_the_server();
	bench_trust(&peer, PEER);
	bench_trust(&native, RELAY);
	bench_run(5 * S);
	answer_last();
	for (unsigned i = 0; i < 2; i++) {
		s = bench_next();
		assert_non_null(s);
		assert_true(ep_equal(s->to, PEER) || ep_equal(s->to, IDLE));
		bench_is_bubble(s, &bench.own, NULL);
		s = bench_expect_udp(bench_peer_server());
		assert_int_equal(s->data[8], 0xfe);	/* from our cookie */
	}
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_expect_udp(RELAY);
	bench_run(2500 * MS);
	bench_expect_silence();
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
}

static void they_are_greeted_after_a_change_of_the_network_too(void **state)
{
	(void)state;
	bench_trust(&peer, PEER);
	for (unsigned i = 0; i < 3; i++) {	/* each time */
		bench_run(5 * S);
		bench_net_changed(true);
		answer_last();
		assert_int_equal(bench_count_to(PEER), 1);
	}
}

static void a_refresh_is_no_reason_to_greet(void **state)
{
	(void)state;
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	bench_trust(&peer, PEER);
	answer_last();
	assert_int_equal(bench_count_to(PEER), 0);
	/* nor is it after a greeting */
	lose_the_server();
	bench_run(3 * S);
	answer_last();
	assert_int_equal(bench_count_to(PEER), 1);
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	answer_last();
	assert_int_equal(bench_count_to(PEER), 0);
}

/* Who never answered is no friend, who is being asked need not be greeted. */
static void only_proven_peers_at_rest_are_greeted(void **state)
{
	(void)state;
	lose_the_server();
	bench_trust(&peer, PEER);
	bench_send(&idle, 8);
	bench_run(3 * S);
	for (unsigned i = 0; i < 8; i++) {	/* one-way, so it is probed */
		bench_send(&peer, 8);
		bench_run(500 * MS);
	}
	bench_net_changed(true);
	bench_run(1 * S);
	answer_last();
	assert_int_equal(bench_count_to(PEER), 0);
	assert_int_equal(bench_count_to(IDLE), 0);
}

static void the_pause_of_peers_that_were_out_of_reach_ends(void **state)
{
	(void)state;
	lose_the_server();
	bench_send(&peer, 8);
	bench_run(9 * S);
	assert_dropped(bench_send(&peer, 8), unreachable);
	bench_net_changed(true);
	bench_run(1 * S);
	answer_last();
	assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count_to(PEER), 1);
}

/* C-BUB-04 */
static void a_greeting_counts_as_a_transmission(void **state)
{
	teredo_time greeted;

	(void)state;
	bench_trust(&peer, PEER);
	lose_the_server();
	bench_run(5 * S);
	answer_last();
	greeted = bench_expect_udp(PEER)->at;
	bench_send(&peer, 8);
	bench_run(3 * S);
	bench_expect_udp(bench_peer_server());
	assert_int_equal(bench_expect_udp(PEER)->at - greeted, PATH_GAP);
}

static void no_more_than_32_peers_are_greeted(void **state)
{
	(void)state;
	bench_close();
	bench_open(1, 256);
	bench_qualify();
	lose_the_server();
	for (unsigned i = 0; i < 100; i++) {
		struct teredo_ep at = ep4("192.0.2.99", 5000 + i);
		struct teredo_addr a = bench_peer(at);

		bench_bubble(at, &a, &bench.own);
	}
	bench_run(10 * S);
	bench_net_changed(true);
	bench_run(1 * S);
	answer_last();
	assert_int_equal(bench_count_to(bench_peer_server()), 32);
}

/* A probe of before, which nobody answered, is not the one that is answered. */
static void the_round_trip_of_a_greeting_is_its_own(void **state)
{
	struct test_packet reply;
	struct teredo_outlook o;
	const struct sent *s;

	(void)state;
	bench_trust(&native, RELAY);
	for (unsigned i = 0; i < 8; i++) {	/* one-way, so it is probed */
		bench_run(500 * MS);
		bench_send(&native, 8);
	}
	bench_receive(RELAY, &native, 8);
	bench_run(5 * S);
	bench_net_changed(true);
	answer_last();
	s = bench_expect_udp(ep4(SERVER, 3544));
	bench_test_reply(s, &native, &reply);
	bench_run(7 * MS);
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	teredo_client_outlook(bench.c, &native, bench.now, &o);
	assert_int_equal(o.peer.rtt, bench.now - s->at);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(peers_are_greeted_once_when_the_server_answers_again),
		T(they_are_greeted_after_a_change_of_the_network_too),
		T(a_refresh_is_no_reason_to_greet),
		T(only_proven_peers_at_rest_are_greeted),
		T(the_pause_of_peers_that_were_out_of_reach_ends),
		T(a_greeting_counts_as_a_transmission),
		T(no_more_than_32_peers_are_greeted),
		T(the_round_trip_of_a_greeting_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
