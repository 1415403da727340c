/*
 * test_path.c - holding, probing, giving up, the pause, one-way paths
 */
#include "path_bench.h"

/* C-TX-02, R-ENC-03 */
static void a_packet_to_a_trusted_peer_goes_at_once(void **state)
{
	struct teredo_verdict v;

	(void)state;
	proven();
	v = send_to(&dst, 100, 1);
	assert_int_equal(v.fate, TEREDO_TO_UDP);
	assert_int_equal(v.off, 0);
	assert_int_equal(v.len, 140);
	assert_int_equal(v.via, TEREDO_VIA_PRIMARY);
	assert_ep_equal(v.to, ep);
	assert_int_equal(ob.n, 0);
	assert_int_equal(n_probes, 0);
	assert_int_equal(peer()->last_tx, peer_stamp_of(now));
	assert_true(peer()->wanted);
}

/* C-TX-03, C-TX-07, R-ENC-08 */
static void a_packet_to_another_peer_is_held_and_a_probe_is_sent(void **state)
{
	(void)state;
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(ob.n, 1);
	assert_int_equal(items_of(OUTBOX_UDP), 1);
	assert_int_equal(n_probes, 1);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 1);
	assert_int_equal(send_one(2), TEREDO_TAKEN);	/* no second probe */
	assert_int_equal(n_probes, 1);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 2);
	assert_true(peer()->wanted);
}

static void packet_is(const struct outbox_item *item, enum outbox_kind kind,
		      uint8_t mark)
{
	assert_int_equal(item->kind, kind);
	assert_int_equal(item->len, 140);
	assert_int_equal(outbox_data(&ob, item)[40], mark);
	if (kind == OUTBOX_UDP)
		assert_ep_equal(item->to, ep);
}

/* C-RX-09, C-RX-14, C-TX-09, R-ENC-09 */
static void proof_releases_what_is_held_in_order_and_once(void **state)
{
	uint32_t slot;

	(void)state;
	send_one(1);
	assert_int_equal(receive(2).fate, TEREDO_TAKEN);
	send_one(3);
	slot = peers_slot(path.peers, peer());
	proven();
	assert_int_equal(ob.n, 4);
	assert_int_equal(ob.item[0].kind, OUTBOX_PEER_UP);
	assert_int_equal(ob.item[0].arg, slot);
	assert_addr_equal(&ob.item[0].addr, &dst);
	assert_ep_equal(ob.item[0].to, ep);
	packet_is(&ob.item[1], OUTBOX_UDP, 1);
	packet_is(&ob.item[2], OUTBOX_TUN, 2);
	packet_is(&ob.item[3], OUTBOX_UDP, 3);
	assert_int_equal(count.n[TEREDO_EV_packet_released], 3);
	assert_int_equal(count.n[TEREDO_EV_peer_up], 1);
	assert_int_equal(hold_used(path.hold), 0);
	proven();
	assert_int_equal(ob.n, 0);
	assert_int_equal(send_one(4), TEREDO_TO_UDP);
	run_until(now + 20 * S);
	assert_int_equal(n_probes, 1);
}

/* C-RX-19 */
static void a_packet_of_an_unproven_peer_waits_for_its_proof(void **state)
{
	(void)state;
	assert_int_equal(receive(1).fate, TEREDO_TAKEN);
	assert_int_equal(n_probes, 1);
	assert_int_equal(items_of(OUTBOX_TUN), 0);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 1);
	assert_false(peer()->wanted);
	proven();
	assert_int_equal(items_of(OUTBOX_TUN), 1);
}

static void what_is_released_counts_as_sent(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + S);
	proven();
	assert_int_equal(peer()->last_tx, peer_stamp_of(now));
	assert_int_equal(peer()->unanswered, peer_stamp_of(now));
	assert_false(path_is_probing(peer()));
}

/* C-TX-04, C-TX-10, C-TX-15, C-BUB-04, R-ENC-06 */
static void four_probes_and_then_the_peer_is_unreachable(void **state)
{
	(void)state;
	send_one(1);
	assert_int_equal(run_until(T0 + 5 * S), 0);
	send_one(2);
	receive(3);
	assert_int_equal(run_until(T0 + 4 * PATH_GAP - 1), 0);
	assert_int_equal(n_probes, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(probed_at[i] == T0 + i * PATH_GAP);
		assert_int_equal(probe_number[i], i + 1);
	}
	assert_int_equal(run_until(T0 + 4 * PATH_GAP), 2);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 3);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 2);
	assert_int_equal(hold_used(path.hold), 0);
	run_until(T0 + 1000 * S);
	assert_int_equal(n_probes, 4);
}

static void the_error_quotes_the_packet_that_was_held(void **state)
{
	struct wire_packet p;
	const uint8_t *msg;
	size_t len;

	(void)state;
	send_one(7);
	run_until(T0 + 4 * PATH_GAP - 1);
	now = T0 + 4 * PATH_GAP;
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_int_equal(wire_parse_ip6(&p, outbox_data(&ob, &ob.item[0]),
					ob.item[0].len), WIRE_OK);
	assert_addr_equal(&p.src, &path.error_src);
	assert_addr_equal(&p.dst, &us);
	msg = icmp6_message(&p, &len);
	assert_non_null(msg);
	assert_memory_equal(msg, "\1\3", 2);
	assert_int_equal(len, 8 + 140);
	assert_int_equal(msg[8 + 40], 7);
}

static void an_error_about_a_long_packet_quotes_its_head(void **state)
{
	(void)state;
	send_to(&dst, 3000, 1);
	run_until(T0 + 4 * PATH_GAP - 1);
	now = T0 + 4 * PATH_GAP;
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_int_equal(ob.item[0].len, ICMP6_ERROR_MAX);
}

/* C-TX-15 */
static void in_the_pause_packets_are_refused_at_once(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(send_one(2), TEREDO_DROP);
	assert_int_equal(ob.n, 1);
	assert_int_equal(ob.item[0].kind, OUTBOX_TUN);
	assert_int_equal(receive(3).fate, TEREDO_DROP);
	assert_int_equal(ob.n, 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 2);
	assert_int_equal(count.n[TEREDO_DROP_unknown_peer], 1);
	assert_int_equal(n_probes, 4);
}

/* C-BUB-05 as this project has it: one probe per pause while traffic goes on */
static void after_the_pause_traffic_sends_one_probe_each(void **state)
{
	(void)state;
	for (; now < T0 + 130 * S; run_until(now + 100 * TEREDO_MS))
		send_one(1);
	/* four, then 30 s after the last one each */
	assert_int_equal(n_probes, 8);
	for (unsigned i = 4; i < 8; i++)
		assert_in_range((probed_at[i] - probed_at[i - 1]) / TEREDO_MS,
				30000, 30100);
	assert_int_equal(hold_used(path.hold), 0);
}

static void a_single_probe_is_given_up_after_the_gap(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 3 * PATH_GAP + PAUSE);
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(n_probes, 5);
	assert_int_equal(run_until(now + PATH_GAP - 1), 0);
	assert_int_equal(run_until(now + 1), 1);
	assert_int_equal(n_probes, 5);
	assert_int_equal(send_one(3), TEREDO_DROP);
}

/* Roles vary their probes by it. */
static void the_number_of_probes_goes_on_odd_and_even(void **state)
{
	static const uint8_t want[] = { 253, 254, 255, 254, 255, 254 };

	(void)state;
	peers_get(path.peers, &dst, now)->attempts = 252;
	for (unsigned i = 0; i < COUNT(want); i++) {
		send_one(1);
		assert_int_equal(n_probes, i + 1);
		assert_int_equal(probe_number[i], want[i]);
		run_until(now + PAUSE);
	}
}

static void a_sign_of_life_ends_the_pause(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(send_one(2), TEREDO_DROP);
	proven();
	assert_int_equal(send_one(3), TEREDO_TO_UDP);
	/* and everything begins again when trust has faded */
	run_until(now + 31 * S);
	n_probes = 0;
	assert_int_equal(send_one(4), TEREDO_TAKEN);
	run_until(now + 10 * S);
	assert_int_equal(n_probes, 4);
}

/* C-TX-01 */
static void trust_that_faded_is_asked_for_again(void **state)
{
	(void)state;
	proven();
	run_until(T0 + 30 * S - 1);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	run_until(T0 + 30 * S);
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(n_probes, 1);
	proven();
	assert_int_equal(ob.n, 1);	/* the packet, no second PEER_UP */
	assert_int_equal(count.n[TEREDO_EV_peer_up], 1);
}

static void another_endpoint_is_news(void **state)
{
	(void)state;
	proven();
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	ep = ep4("192.0.2.11", 8192);
	proven();
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	assert_ep_equal(ob.item[0].to, ep);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
}

/* ---- one-way paths ---- */

static void a_peer_that_does_not_answer_is_probed_beside_the_traffic(
	void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 29 * S; run_until(now + 100 * TEREDO_MS))
		assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 4);
	assert_in_range((probed_at[0] - T0) / TEREDO_MS, 3000, 3200);
	for (unsigned i = 1; i < 4; i++)
		assert_true(probed_at[i] == probed_at[0] + i * PATH_GAP);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 0);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 0);
	run_until(T0 + 30 * S);
	assert_int_equal(send_one(1), TEREDO_DROP);	/* asked long enough */
}

static void a_busy_path_is_doubted_a_second_after_its_first_probe(void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 5 * S; run_until(now + 100 * TEREDO_MS))
		send_one(1);
	assert_true(n_doubts > 0);
	assert_true(doubted_at == probed_at[0] + PATH_PATIENCE);
}

static void a_peer_that_answers_the_probe_is_not_doubted(void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 20 * S; run_until(now + 100 * TEREDO_MS)) {
		send_one(1);
		if (n_probes > 0 && now > probed_at[n_probes - 1] + S / 2)
			peers_heard(path.peers, peer(), now);
	}
	assert_int_equal(n_doubts, 0);
}

static void idleness_is_not_a_one_way_path(void **state)
{
	(void)state;
	proven();
	run_until(T0 + 20 * S);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	run_until(T0 + 23 * S);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 0);
	run_until(T0 + 23 * S + 2 * TEREDO_MS);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 1);
}

static void probes_beside_the_traffic_end_when_the_peer_is_heard(void **state)
{
	(void)state;
	proven();
	send_one(1);
	run_until(T0 + 4 * S);
	send_one(2);
	assert_int_equal(n_probes, 1);
	run_until(T0 + 5 * S);
	peers_heard(path.peers, peer(), now);	/* data, no proof needed */
	run_until(T0 + 20 * S);
	assert_int_equal(n_probes, 1);
	assert_int_equal(peer()->attempts, 0);
	send_one(3);
	run_until(T0 + 24 * S);
	send_one(4);
	assert_int_equal(n_probes, 2);
	proven();
	assert_int_equal(ob.n, 0);
	run_until(T0 + 40 * S);
	assert_int_equal(n_probes, 2);
}

static void hearing_a_trusted_peer_ends_its_probes_at_once(void **state)
{
	(void)state;
	proven();
	send_one(1);
	run_until(T0 + 4 * S);
	send_one(2);
	assert_int_equal(n_probes, 1);
	path_heard(&path, peer(), now);
	assert_int_equal(peer()->attempts, 0);
	assert_false(path_is_probing(peer()));
	assert_true(path_deadline(&path) > now + PATH_GAP / 4);
}

static void a_peer_heard_in_the_pause_gets_all_probes_again(void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 15 * S; run_until(now + S))
		send_one(1);
	assert_int_equal(n_probes, 4);
	path_heard(&path, peer(), now);
	assert_int_equal(peer()->last_rx, peer_stamp_of(now));
	for (; now < T0 + 30 * S; run_until(now + S))
		send_one(1);
	assert_int_equal(n_probes, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(a_packet_to_a_trusted_peer_goes_at_once),
		PATH_TEST(a_packet_to_another_peer_is_held_and_a_probe_is_sent),
		PATH_TEST(proof_releases_what_is_held_in_order_and_once),
		PATH_TEST(a_packet_of_an_unproven_peer_waits_for_its_proof),
		PATH_TEST(what_is_released_counts_as_sent),
		PATH_TEST(four_probes_and_then_the_peer_is_unreachable),
		PATH_TEST(the_error_quotes_the_packet_that_was_held),
		PATH_TEST(an_error_about_a_long_packet_quotes_its_head),
		PATH_TEST(in_the_pause_packets_are_refused_at_once),
		PATH_TEST(after_the_pause_traffic_sends_one_probe_each),
		PATH_TEST(a_single_probe_is_given_up_after_the_gap),
		PATH_TEST(the_number_of_probes_goes_on_odd_and_even),
		PATH_TEST(a_sign_of_life_ends_the_pause),
		PATH_TEST(trust_that_faded_is_asked_for_again),
		PATH_TEST(another_endpoint_is_news),
		PATH_TEST(a_peer_that_does_not_answer_is_probed_beside_the_traffic),
		PATH_TEST(a_busy_path_is_doubted_a_second_after_its_first_probe),
		PATH_TEST(a_peer_that_answers_the_probe_is_not_doubted),
		PATH_TEST(idleness_is_not_a_one_way_path),
		PATH_TEST(probes_beside_the_traffic_end_when_the_peer_is_heard),
		PATH_TEST(hearing_a_trusted_peer_ends_its_probes_at_once),
		PATH_TEST(a_peer_heard_in_the_pause_gets_all_probes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
