/*
 * test_path_limits.c - budgets, rates, refusals, and news of peers that go
 */
#include "path_bench.h"

/* C-TX-16, R-ENC-11 */
static void too_many_packets_are_dropped_and_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HOLD_PEER_PACKETS; i++)
		assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(send_one(1), TEREDO_DROP);
	assert_int_equal(receive(1).fate, TEREDO_DROP);
	assert_int_equal(count.n[TEREDO_DROP_hold_full], 2);
	proven();
	assert_int_equal(items_of(OUTBOX_UDP), HOLD_PEER_PACKETS);
}

/* SEC-DOS-06: fragments make long ones of what costs little to send */
static void of_a_stranger_no_long_packet_waits(void **state)
{
	struct test_packet t = { 0 };

	(void)state;
	packet_ip6(&t, 17, &dst, &us, TEREDO_MTU - 40 + 1);
	outbox_clear(&ob);
	assert_int_equal(path_receive_unproven(&path, &dst, t.b, TEREDO_MTU,
					       now, &ob).fate, TEREDO_TAKEN);
	assert_int_equal(path_receive_unproven(&path, &dst, t.b, TEREDO_MTU + 1,
					       now, &ob).fate, TEREDO_DROP);
	assert_int_equal(count.n[TEREDO_DROP_hold_full], 1);
	assert_int_equal(n_probes, 1);
}

/* C-CFG-05, R-ENC-16 */
static void a_full_table_is_counted(void **state)
{
	struct teredo_addr a;

	(void)state;
	for (unsigned i = 0; i <= MAX; i++) {
		a = dst_number(i);
		assert_int_equal(send_to(&a, 100, 1).fate, TEREDO_TAKEN);
		n_probes = 0;
	}
	assert_int_equal(count.n[TEREDO_EV_peer_evicted], 1);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 1);
	for (unsigned i = 1; i <= MAX; i++) {
		a = dst_number(i);
		outbox_clear(&ob);
		path_proven(&path, peers_find(path.peers, &a), ep, now, &ob);
	}
	assert_int_equal(send_one(1), TEREDO_DROP);
	assert_int_equal(receive(1).fate, TEREDO_DROP);
	assert_int_equal(count.n[TEREDO_DROP_table_full], 2);
	assert_int_equal(count.n[TEREDO_EV_peer_evicted], 1);
}

/* How many of 1000 refused packets are answered; each is from another network,
 * or all are from one. */
static unsigned refused(bool from_everywhere)
{
	unsigned errors = 0;

	for (unsigned i = 0; i < 1000; i++) {
		if (from_everywhere) {
			us.b[6] = (uint8_t)(i >> 8);
			us.b[7] = (uint8_t)i;
		}
		us.b[15] = (uint8_t)i;
		send_one(1);
		errors += ob.n;
	}
	return errors;
}

/* G-ICM-01, faults B7 */
static void errors_to_one_network_are_limited_to_10_a_second(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(refused(false), 32);
	now += 500 * TEREDO_MS;
	assert_int_equal(refused(false), 5);
	us.b[7] ^= 1;
	assert_int_equal(refused(false), 32);
}

/* G-ICM-01 */
static void errors_are_limited_to_100_a_second(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(refused(true), 100);
	now += 100 * TEREDO_MS;
	assert_int_equal(refused(true), 10);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 1 + 110);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 1 + 2000);
}

/* G-ICM-02 */
static void no_error_answers_an_error(void **state)
{
	struct test_packet t = { 0 };

	(void)state;
	packet_ip6(&t, 58, &us, &dst, 100);
	t.b[40] = ICMP6_UNREACHABLE;
	path_send(&path, &dst, t.b, t.len, now, &ob);
	assert_int_equal(run_until(T0 + 10 * S), 0);
	assert_int_equal(path_send(&path, &dst, t.b, t.len, now, &ob).fate,
			 TEREDO_DROP);
	assert_int_equal(ob.n, 0);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
}

static void a_refused_probe_uses_up_its_turn(void **state)
{
	(void)state;
	refuses = true;
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(ob.n, 0);
	assert_true(peer()->last_attempt == 0);
	run_until(T0 + 3 * S);
	refuses = false;
	assert_int_equal(run_until(T0 + 4 * PATH_GAP), 1);
	assert_int_equal(n_probes, 4);
	assert_true(probed_at[3] == T0 + 3 * PATH_GAP);
	assert_int_equal(peer()->last_attempt,
			 peer_stamp_of(T0 + 3 * PATH_GAP));
}

static void a_role_that_always_refuses_ends_the_cycle_too(void **state)
{
	(void)state;
	refuses = true;
	send_one(1);
	assert_int_equal(run_until(T0 + 4 * PATH_GAP), 1);
	assert_int_equal(hold_used(path.hold), 0);
	refuses = false;	/* nothing was sent: no reason for a pause */
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(ob.n, 1);
}

/* C-BUB-07: what a received packet asks for has the same limits */
static void probes_on_request_keep_to_the_same_limits(void **state)
{
	struct peer *p = peers_get(path.peers, &dst, now);

	(void)state;
	for (; now < T0 + 30 * S; run_until(now + 100 * TEREDO_MS))
		path_probe(&path, p, now, &ob);
	assert_int_equal(n_probes, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(probed_at[i] == T0 + i * PATH_GAP);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 0);
}

/* C-BUB-04: the role sent a bubble of its own a moment ago */
static void a_probe_keeps_its_distance_from_the_last(void **state)
{
	(void)state;
	peers_get(path.peers, &dst, now)->last_attempt = peer_stamp_of(T0 - S);
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(n_probes, 0);
	run_until(T0 - S + PATH_GAP);
	assert_int_equal(n_probes, 1);
	assert_true(probed_at[0] == T0 - S + PATH_GAP);
}

/* As when the role's own limit is reached, and only until one is over. */
static void only_so_many_paths_are_searched_for_at_once(void **state)
{
	struct teredo_addr a = dst_number(0), b = dst_number(1);

	(void)state;
	path.searches.max = 2;
	assert_int_equal(send_to(&a, 100, 1).fate, TEREDO_TAKEN);
	assert_int_equal(send_to(&b, 100, 1).fate, TEREDO_TAKEN);
	assert_int_equal(send_one(1), TEREDO_DROP);
	assert_int_equal(receive(1).fate, TEREDO_DROP);
	assert_int_equal(ob.n, 0);
	assert_int_equal(count.n[TEREDO_DROP_rate_limited], 2);
	assert_int_equal(n_probes, 2);
	assert_int_equal(peer()->attempts, 0);
	/* what is proven, what fails and what goes makes room */
	path_proven(&path, peers_find(path.peers, &a), ep, now, &ob);
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	peers_remove(path.peers, peers_find(path.peers, &b));
	assert_int_equal(send_to(&b, 100, 1).fate, TEREDO_TAKEN);
	run_until(T0 + 4 * PATH_GAP);
	assert_int_equal(hold_used(path.hold), 0);
	for (unsigned i = 2; i < 4; i++) {
		a = dst_number(i);
		assert_int_equal(send_to(&a, 100, 1).fate, TEREDO_TAKEN);
	}
	a = dst_number(4);
	assert_int_equal(send_to(&a, 100, 1).fate, TEREDO_DROP);
}

static void a_trusted_peer_needs_no_search(void **state)
{
	struct teredo_addr a = dst_number(0);

	(void)state;
	path.searches.max = 1;
	send_to(&a, 100, 1);
	proven();
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	now += 5 * S;
	assert_int_equal(send_one(1), TEREDO_TO_UDP);	/* one-way */
	assert_int_equal(n_probes, 1);
	run_until(T0 + 20 * S);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(probe_number[n_probes - 1], 1);
	assert_true(path_is_probing(peer()));
}

/* The outbox never loses: many timers come due at once. */
static void timers_wait_for_room_in_the_outbox(void **state)
{
	unsigned errors = 0, calls = 0;

	(void)state;
	path.errors.burst = path.errors_to.burst = 1000;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		for (unsigned k = 0; k < 5; k++)
			send_to(&a, 1240, 1);
		n_probes = 0;
	}
	for (now = T0; now <= T0 + 4 * PATH_GAP; now += PATH_GAP) {
		while (path_deadline(&path) <= now) {
			outbox_clear(&ob);
			path_expire(&path, now, &ob);
			errors += items_of(OUTBOX_TUN);
			n_probes = 0;
			calls++;
		}
	}
	assert_int_equal(ob.lost, 0);
	assert_int_equal(errors, 5 * MAX);
	assert_in_range(calls, 10, 100);
}

static void a_full_outbox_stops_expiry_at_once(void **state)
{
	(void)state;
	send_one(1);
	now = T0 + PATH_GAP;
	outbox_clear(&ob);
	assert_non_null(outbox_packet(&ob, OUTBOX_TUN, OUTBOX_BYTES));
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_true(path_deadline(&path) <= now);
	outbox_clear(&ob);
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_true(path_deadline(&path) > now);
}

/* ---- news of peers that go ---- */

static void a_swept_peer_is_announced_down_once(void **state)
{
	uint32_t slot;
	unsigned downs = 0;

	(void)state;
	proven();
	slot = peers_slot(path.peers, peer());
	while (path_deadline(&path) <= T0 + 400 * S) {
		if (path_deadline(&path) > now)
			now = path_deadline(&path);
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		if (items_of(OUTBOX_PEER_DOWN) > 0) {
			assert_int_equal(ob.item[0].arg, slot);
			assert_true(now > T0 + PEER_FORGET);
			downs++;
		}
	}
	assert_int_equal(downs, 1);
	assert_null(peer());
	assert_int_equal(count.n[TEREDO_EV_peer_down], 1);
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

static void all_peers_down_do_not_fit_one_outbox_and_none_is_lost(void **state)
{
	bool down[MAX] = { false };
	unsigned calls = 0;

	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		outbox_clear(&ob);
		path_proven(&path, peers_get(path.peers, &a, now), ep, now,
			    &ob);
	}
	peers_clear(path.peers);
	while (path_deadline(&path) <= now) {
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		for (unsigned i = 0; i < ob.n; i++) {
			assert_int_equal(ob.item[i].kind, OUTBOX_PEER_DOWN);
			assert_false(down[ob.item[i].arg]);
			down[ob.item[i].arg] = true;
		}
		calls++;
	}
	for (unsigned i = 0; i < MAX; i++)
		assert_true(down[i]);
	assert_int_equal(calls, 2);
	assert_int_equal(count.n[TEREDO_EV_peer_down], MAX);
}

static void only_those_that_went_are_announced_down(void **state)
{
	static const unsigned goes[] = { 3, 64, 99 };

	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		outbox_clear(&ob);
		path_proven(&path, peers_get(path.peers, &a, now), ep, now,
			    &ob);
	}
	outbox_clear(&ob);
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 0);
	for (unsigned i = 0; i < COUNT(goes); i++)
		peers_remove(path.peers, peers_at(path.peers, goes[i]));
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, COUNT(goes));
	for (unsigned i = 0; i < COUNT(goes); i++)
		assert_int_equal(ob.item[i].arg, goes[i]);
}

/* PEER_UP for a slot replaces what was there: a later PEER_DOWN would be of
 * the wrong peer. */
static void a_slot_used_again_is_not_announced_down(void **state)
{
	uint32_t slot;

	(void)state;
	proven();
	slot = peers_slot(path.peers, peer());
	peers_remove(path.peers, peer());
	dst = dst_number(1);
	proven();
	assert_int_equal(peers_slot(path.peers, peer()), slot);
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	outbox_clear(&ob);
	path_expire(&path, now, &ob);
	assert_int_equal(items_of(OUTBOX_PEER_DOWN), 0);
	assert_true(path_deadline(&path) > now);
}

/* R-ENC-10 */
static void a_peer_that_goes_takes_its_timer_and_packets_along(void **state)
{
	(void)state;
	send_one(1);
	send_one(2);
	peers_remove(path.peers, peer());
	assert_int_equal(hold_used(path.hold), 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
	run_until(T0 + 100 * S);
	assert_int_equal(n_probes, 1);
	send_one(3);
	peers_remove(path.peers, peer());
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 3);
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

static void nobody_is_waited_for_when_there_is_no_peer(void **state)
{
	(void)state;
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

/* SEC-DOS-06: those who ask for many do not leave others without. */
static void when_much_is_held_only_first_packets_are(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		for (unsigned k = 0; k < HOLD_PEER_PACKETS; k++)
			assert_true(send_to(&a, 1500, 1).fate ==
					    TEREDO_TAKEN ||
				    k > 0);
	}
	assert_in_range(count.n[TEREDO_EV_packet_held],
			MAX + 50 * (HOLD_PEER_PACKETS - 1),
			MAX + 60 * (HOLD_PEER_PACKETS - 1));
	assert_int_equal(count.n[TEREDO_DROP_hold_full],
			 MAX * HOLD_PEER_PACKETS -
				 count.n[TEREDO_EV_packet_held]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(too_many_packets_are_dropped_and_counted),
		PATH_TEST(of_a_stranger_no_long_packet_waits),
		PATH_TEST(a_full_table_is_counted),
		PATH_TEST(errors_to_one_network_are_limited_to_10_a_second),
		PATH_TEST(errors_are_limited_to_100_a_second),
		PATH_TEST(no_error_answers_an_error),
		PATH_TEST(a_refused_probe_uses_up_its_turn),
		PATH_TEST(a_role_that_always_refuses_ends_the_cycle_too),
		PATH_TEST(probes_on_request_keep_to_the_same_limits),
		PATH_TEST(a_probe_keeps_its_distance_from_the_last),
		PATH_TEST(only_so_many_paths_are_searched_for_at_once),
		PATH_TEST(a_trusted_peer_needs_no_search),
		PATH_TEST(timers_wait_for_room_in_the_outbox),
		PATH_TEST(a_full_outbox_stops_expiry_at_once),
		PATH_TEST(a_swept_peer_is_announced_down_once),
		PATH_TEST(all_peers_down_do_not_fit_one_outbox_and_none_is_lost),
		PATH_TEST(only_those_that_went_are_announced_down),
		PATH_TEST(a_slot_used_again_is_not_announced_down),
		PATH_TEST(a_peer_that_goes_takes_its_timer_and_packets_along),
		PATH_TEST(when_much_is_held_only_first_packets_are),
		PATH_TEST(nobody_is_waited_for_when_there_is_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
