/*
 * test_client_relays.c - a native host whose way changes between relays
 *
 * RFC 4380 5.2.3, 5.2.9: a packet by another relay is the host's when a test
 * came back by that relay (C-RX-07, C-RX-08, C-RX-19).
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define FIRST	ep4("203.0.113.50", 3545)
#define SECOND	ep4("203.0.113.60", 3545)
#define THIRD	ep4("203.0.113.70", 3545)
#define FORGER	ep4("203.0.113.66", 6666)

static struct teredo_addr host;

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	host = ip6("2001:db8::1");
	bench_trust(&host, FIRST);
	bench_run(3 * S);		/* the next test may be sent at once */
	bench_forget();
	return 0;
}

static enum teredo_fate from(struct teredo_ep relay)
{
	return bench_receive(relay, &host, 8).fate;
}

/* The next datagrams are a test by the server and by the relay of the last
 * proof; the answer comes by `relay`. */
static void answer_by(struct teredo_ep relay)
{
	struct test_packet reply;

	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &host, &reply);
	assert_non_null(bench_next());
	assert_int_equal(bench_udp(relay, &reply).fate, TEREDO_TAKEN);
}

static void move_to_the_second(void)
{
	assert_int_equal(from(SECOND), TEREDO_TAKEN);
	answer_by(SECOND);
	assert_ep_equal(bench_send(&host, 8).to, SECOND);
	bench.read = bench.n;
}

static void the_relay_before_is_believed_at_once(void **state)
{
	(void)state;
	move_to_the_second();
	assert_int_equal(from(FIRST), TEREDO_TO_TUN);
	bench_expect_silence();			/* no test so soon */
	assert_ep_equal(bench_send(&host, 8).to, SECOND);
	bench_run(3 * S);
	assert_int_equal(from(FIRST), TEREDO_TO_TUN);
	answer_by(FIRST);
	assert_ep_equal(bench_send(&host, 8).to, FIRST);
	assert_int_equal(from(SECOND), TEREDO_TO_TUN);
}

/* What it was heard last counts, not the move, nor what it sends since. */
static void the_relay_before_is_believed_for_as_long_as_without_the_other(
	void **state)
{
	(void)state;
	assert_int_equal(from(FIRST), TEREDO_TO_TUN);
	bench_run(10 * S);
	move_to_the_second();
	for (unsigned i = 0; i < 19; i++) {
		assert_int_equal(from(SECOND), TEREDO_TO_TUN);
		assert_int_equal(from(FIRST), TEREDO_TO_TUN);
		bench_run(1 * S);
	}
	bench_run(1 * S);
	assert_int_equal(from(SECOND), TEREDO_TO_TUN);
	assert_int_not_equal(from(FIRST), TEREDO_TO_TUN);
}

static void no_other_endpoint_gains_by_a_move(void **state)
{
	struct teredo_ep near = FIRST;
	struct teredo_addr other = ip6("2001:db8::2");

	(void)state;
	move_to_the_second();
	assert_int_not_equal(from(FORGER), TEREDO_TO_TUN);
	near.port++;
	assert_int_not_equal(from(near), TEREDO_TO_TUN);
	assert_int_not_equal(bench_receive(FIRST, &other, 8).fate,
			     TEREDO_TO_TUN);
	bench_run(3 * S);
	bench.read = bench.n;
	assert_int_equal(bench_news(OUTBOX_TUN), 1);	/* at the move */
	assert_ep_equal(bench_send(&host, 8).to, SECOND);
}

/* Nor does the peer that takes over its place in the table. */
static void the_next_of_its_slot_has_no_relay_before(void **state)
{
	struct teredo_addr next = ip6("2001:db8::2");
	struct bench_ra ra;

	(void)state;
	bench_close();
	bench_open(1, 1);
	bench_qualify();
	bench_trust(&host, FIRST);
	bench_run(3 * S);
	move_to_the_second();
	bench_net_changed(true);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.origin.port++;		/* which ends all peers */
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_trust(&next, THIRD);
	assert_int_not_equal(bench_receive(FIRST, &next, 8).fate,
			     TEREDO_TO_TUN);
}

/* It waits for the next test that may be sent. */
static void a_third_relay_within_two_seconds_loses_nothing(void **state)
{
	(void)state;
	move_to_the_second();
	bench_run(500 * MS);
	assert_int_equal(from(THIRD), TEREDO_TAKEN);
	bench_expect_silence();
	bench_run(1700 * MS);
	answer_by(THIRD);
	assert_int_equal(bench_expect_tun()->len, 48);
	assert_ep_equal(bench_send(&host, 8).to, THIRD);
}

static void a_late_packet_by_the_old_relay_costs_none_by_the_new(void **state)
{
	(void)state;
	assert_int_equal(from(SECOND), TEREDO_TAKEN);
	assert_int_equal(from(FIRST), TEREDO_TO_TUN);
	answer_by(SECOND);
	assert_int_equal(bench_expect_tun()->len, 48);
}

/* SEC-REF-04: a test per 2 s at most */
static void a_forger_causes_a_test_now_and_then(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 60000; ms += 50) {
		assert_int_not_equal(from(FORGER), TEREDO_TO_TUN);
		assert_int_equal(from(FIRST), TEREDO_TO_TUN);
		bench_run(50 * MS);
	}
	assert_in_range(bench_count(TEREDO_EV_test_sent), 2 * 10, 2 * 31);
	assert_int_equal(bench_news(OUTBOX_TUN), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_relay_before_is_believed_at_once),
		T(the_relay_before_is_believed_for_as_long_as_without_the_other),
		T(no_other_endpoint_gains_by_a_move),
		T(the_next_of_its_slot_has_no_relay_before),
		T(a_third_relay_within_two_seconds_loses_nothing),
		T(a_late_packet_by_the_old_relay_costs_none_by_the_new),
		T(a_forger_causes_a_test_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
