/*
 * test_client_interval.c - the steps by which the refresh interval is found
 *
 * RFC 4380 5.2.7, steps 1 to 6, packet by packet. How it ends, and what
 * happens beside: test_client_interval_end.c.
 */
#include "config.h"

#include "tests/unit/interval_bench.h"

/* C-RID-01 */
static void the_second_port_is_qualified_right_after_the_first(void **state)
{
	(void)state;
	assert_int_equal(box_port_news(), 1);
	assert_int_equal(box.rs, 1);
	assert_int_equal(box.rs2, 0);
	bench_secondary_opened();
	assert_int_equal(bench.sent[0].via, TEREDO_VIA_SECONDARY);
	bench_expect_rs(SERVER);
	bench_expect_silence();
	assert_int_equal(bench.now, bench.start);
}

static void a_fixed_interval_needs_no_second_port(void **state)
{
	(void)state;
	bench_close();
	bench_setup(state);
	bench_qualify();
	assert_int_equal(bench_news(OUTBOX_SECONDARY), 0);
	bench_secondary_opened();
	bench_run(20 * S);
	bench_expect_silence();
	box_assert(TEREDO_INTERVAL_FIXED, 30000, 0, 0);
}

/* X-REF-01, X-REF-03 */
static void a_configured_interval_is_kept(void **state)
{
	(void)state;
	bench_close();
	bench_open_refreshing(20 * S);
	bench_qualify();
	for (unsigned i = 0; i < 60; i++) {
		teredo_time last = bench.now;
		struct bench_ra ra;

		bench_run_to(TEREDO_CLIENT_REFRESHING);
		assert_in_range(bench.now - last, 15 * S, 20 * S);
		ra = bench_ra(bench_expect_rs(SERVER), SERVER);
		assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
		bench_forget();
	}
	box_assert(TEREDO_INTERVAL_FIXED, 20000, 0, 0);
}

/* C-RID-02 */
static void without_an_answer_the_interval_stays_30_s(void **state)
{
	(void)state;
	box.answers2 = false;
	box_port_news();
	bench_secondary_opened();
	box_run_to_end();
	assert_int_equal(box.rs2, 3);
	assert_int_equal(box.rs2_at[1] - box.rs2_at[0], 4 * S);
	assert_int_equal(box.rs2_at[2] - box.rs2_at[1], 4 * S);
	assert_int_equal(bench.now - box.rs2_at[2], 4 * S);
	assert_int_equal(box_port_news(), 0);
	box_assert(TEREDO_INTERVAL_UNDETERMINED, 30000, 0, 0);
	box.answers2 = true;
	box_run(600 * S);
	assert_int_equal(box.rs2, 3);
	for (unsigned i = 2; i < box.rs; i++)
		assert_in_range(box.rs_at[i] - box.rs_at[i - 1], 22500 * MS,
				30 * S);
	assert_in_range(box.rs, 20, 30);
}

/* C-RID-03 */
static void the_first_candidate_is_60_s_of_at_most_120(void **state)
{
	(void)state;
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 0, 0);
	bench_secondary_opened();
	box_run(0);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 60000, 120000);
}

/* C-RID-04 */
static void the_port_rests_for_the_candidate_interval(void **state)
{
	teredo_time last;

	(void)state;
	box.forwards = false;
	bench_secondary_opened();
	box_run(0);
	last = box.used2;
	box_run_to_test();
	assert_int_equal(box.rs2, 1);
	assert_int_equal(box.bubble_at[0] - last, 60 * S);
}

/* C-RID-04, C-RID-10: whoever it is from */
static void any_packet_there_makes_the_wait_begin_anew(void **state)
{
	struct teredo_addr peer = bench_peer(ep4("192.0.2.99", 5000));
	struct test_packet p = { .len = 0 };

	(void)state;
	bench_secondary_opened();
	box_run(40 * S);
	packet_ip6(&p, 17, &peer, &bench.own, 8);
	assert_dropped(box_secondary(ep4("192.0.2.99", 5000), &p), not_for_us);
	box_run(40 * S);
	p.len = 7;
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), malformed);
	p.len = 0;
	packet_ip6(&p, 17, &peer, &bench.own, 8);
	packet_trailer(&p, 0x41, "abc", 3);		/* X-TLV-04 */
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), trailer);
	box_run_to_test();
	assert_int_equal(bench.now - bench.start, 140 * S);
}

/* C-RID-05: octet by octet */
static void a_bubble_goes_from_the_first_port_to_the_secondary_address(
	void **state)
{
	struct wire_packet p;
	static const uint8_t head[] = { 0x60, 0, 0, 0, 0, 0, 59, 0,
					0x20, 1, 0, 0 };

	(void)state;
	bench_secondary_opened();
	box_run_to_test();
	/* the bench has seen that it leaves the service port for SERVER */
	assert_int_equal(box.last_bubble.len, 40);
	assert_memory_equal(box.last_bubble.data, head, sizeof(head));
	assert_int_equal(wire_parse(&p, box.last_bubble.data, 40), WIRE_OK);
	assert_addr_equal(&p.src, &bench.own);
	assert_true(addr_in_prefix(&p.dst, addr_default_prefix()));
	assert_int_equal(addr_server(&p.dst), ip4(SERVER));
	assert_ep_equal(addr_mapping(&p.dst), box.mapped2);
	assert_int_equal(addr_flags(&p.dst) & ~ADDR_FLAGS_RANDOM, 0);
}

/* C-RID-06 */
static void four_bubbles_2_s_apart_and_no_more(void **state)
{
	(void)state;
	box.forwards = false;
	bench_secondary_opened();
	box_run(60 * S + 30 * S);
	assert_int_equal(box.bubbles, 4);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(box.bubble_at[i] - box.bubble_at[i - 1],
				 2 * S);
	/* C-RID-09: then the maintenance */
	assert_int_equal(box.rs2, 2);
	assert_int_equal(box.rs2_at[1] - box.bubble_at[3], 2 * S);
}

/* C-RID-06, C-RID-07 */
static void one_bubble_that_comes_is_enough(void **state)
{
	struct test_packet p;

	(void)state;
	for (unsigned nth = 1; nth <= 4; nth++) {
		bench_close();
		box_setup(state);
		box.forwards = false;
		bench_secondary_opened();
		box_run_to_test();
		box_run((nth - 1) * 2 * S + 1900 * MS);
		assert_int_equal(box.bubbles, nth);
		box_put_bubble(&p);
		assert_int_equal(box_secondary(ep4(SERVER, 3544), &p).fate,
				 TEREDO_TAKEN);
		box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
		box_run(20 * S);
		assert_int_equal(box.bubbles, nth);
		assert_int_equal(box.rs2, 2);		/* C-RID-09 */
	}
}

/* C-RID-07; the last rule of it is Q14's */
static void success_goes_60_90_105_and_ends(void **state)
{
	(void)state;
	bench_secondary_opened();
	box_run(60 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
	box_run(90 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 90000, 105000, 120000);
	box_port_news();
	box_run(104 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 90000, 105000, 120000);
	assert_int_equal(box_port_news(), -1);
	box_run(S);
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
	assert_int_equal(box.bubbles, 3);
	assert_int_equal(box.rs2, 3);
	assert_int_equal(box_port_news(), 0);			/* C-RID-11 */
}

/* C-RID-08, C-RID-09: another secondary address changes no value */
static void failure_goes_60_45_and_52_5(void **state)
{
	struct teredo_ep before = box.mapped2;

	(void)state;
	box.lifetime = 50 * S;
	bench_secondary_opened();
	box_run(60 * S + 8 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 45000, 60000);
	assert_false(ep_equal(before, box.mapped2));
	box_run(45 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 45000, 52500, 60000);
	assert_ep_equal(addr_mapping((const struct teredo_addr *)
				     (box.last_bubble.data + 24)),
			box.mapped2);
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 45000, 0, 0);
	assert_int_equal(box.bubbles, 4 + 1 + 4);
	assert_int_equal(box_port_news(), 0);			/* C-RID-11 */
}

/* C-RID-08: 30 is at least 75 % of 37.5 */
static void a_server_that_forwards_nothing_leaves_30_s(void **state)
{
	(void)state;
	box.forwards = false;
	bench_secondary_opened();
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 30000, 0, 0);
	assert_int_equal(box.bubbles, 12);
	assert_int_equal(bench.now - bench.start,
			 (60000 + 45000 + 37500 + 3 * 8000) * MS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_second_port_is_qualified_right_after_the_first),
		T(a_fixed_interval_needs_no_second_port),
		T(a_configured_interval_is_kept),
		T(without_an_answer_the_interval_stays_30_s),
		T(the_first_candidate_is_60_s_of_at_most_120),
		T(the_port_rests_for_the_candidate_interval),
		T(any_packet_there_makes_the_wait_begin_anew),
		T(a_bubble_goes_from_the_first_port_to_the_secondary_address),
		T(four_bubbles_2_s_apart_and_no_more),
		T(one_bubble_that_comes_is_enough),
		T(success_goes_60_90_105_and_ends),
		T(failure_goes_60_45_and_52_5),
		T(a_server_that_forwards_nothing_leaves_30_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
