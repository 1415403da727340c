/*
 * test_client_interval_end.c - what the search for the interval comes to
 *
 * What does not count in it, what ends it and begins it anew, and what is done
 * with the result. Step by step: test_client_interval.c.
 */
#include "config.h"

#include "tests/unit/interval_bench.h"

static int setup(void **state)
{
	box_setup(state);
	bench_secondary_opened();
	box_run(0);
	return 0;
}

/* C-RID-07: never more than twice as long as what is known to be good */
static void a_short_interval_grows_twofold_at_most(void **state)
{
	(void)state;
	bench_close();
	box_setup_from(10 * S);
	bench_secondary_opened();
	box_run(20 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 20000, 40000, 120000);
	box_run(40 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 40000, 80000, 120000);
}

/* A bubble as forwarded, with one thing changed at a time */
static void only_our_own_bubble_counts(void **state)
{
	struct test_packet p;

	(void)state;
	box.forwards = false;
	box_run_to_test();
	box_put_bubble(&p);
	assert_dropped(box_secondary(ep4(SERVER2, 3544), &p), not_for_us);
	assert_dropped(box_secondary(ep4(SERVER, 3545), &p), not_for_us);
	p.b[8 + 23] ^= 1;				/* source */
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), not_for_us);
	p.b[8 + 23] ^= 1;
	p.b[8 + 24 + 9] ^= 1;				/* our flags */
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), not_for_us);
	p.b[8 + 24 + 9] ^= 1;
	assert_true(bench_udp(ep4(SERVER, 3544), &p).fate == TEREDO_DROP);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 60000, 120000);
	assert_int_equal(box_secondary(ep4(SERVER, 3544), &p).fate,
			 TEREDO_TAKEN);
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), not_for_us);
	box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
}

static void a_bubble_of_another_test_does_not_count(void **state)
{
	struct test_packet p;

	(void)state;
	box_run_to_test();
	box_put_bubble(&p);
	box.forwards = false;
	box_run_to_test();
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), not_for_us);
	box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
}

/* C-QUAL-07..11, C-SECQ-02, as on the service port */
static void only_a_good_answer_qualifies_the_second_port(void **state)
{
	struct test_packet p;
	struct bench_ra ra;
	uint8_t old[WIRE_NONCE_LEN];

	bench_close();
	box_setup(state);
	box.answers2 = false;
	bench_secondary_opened();
	box_run(0);
	ra = box_ra();
	memcpy(old, ra.nonce, sizeof(old));
#define REFUSED(change, reason)						\
	do {								\
		ra = box_ra();						\
		change;							\
		bench_put_ra(&p, &ra);					\
		assert_dropped(box_secondary(ra.from, &p), reason);	\
	} while (0)
	REFUSED(ra.nonce = NULL, nonce);
	REFUSED(ra.nonce = (const uint8_t *)"12345678", nonce);
	REFUSED(ra.from = ep4(SERVER2, 3544), nonce);
	REFUSED(ra.prefix_ip = ip4(SERVER2), nonce);
	REFUSED(ra.origin = ep4("10.0.0.1", 5), martian_v4);
	REFUSED(ra.origin.ip = 0, bad_ra);
	ra = box_ra();
	bench_put_ra(&p, &ra);
	/* it went to the other port */
	assert_dropped(bench_udp(ra.from, &p), nonce);
	p.b[12] = 1;
	assert_dropped(box_secondary(ra.from, &p), confirmation);
	p.b[12] = 0;
	assert_int_equal(box_secondary(ra.from, &p).fate, TEREDO_TAKEN);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 60000, 120000);
	assert_dropped(box_secondary(ra.from, &p), nonce);
	/* the service port has its own nonces */
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

/* C-RID-10; the bench fails at anything but solicitations that leaves there */
static void nothing_that_comes_there_is_delivered(void **state)
{
	struct teredo_ep at = ep4("192.0.2.99", 5000);
	struct teredo_addr peer = bench_peer(at);
	struct test_packet p = { .len = 0 };

	(void)state;
	bench_trust(&peer, at);
	packet_ip6(&p, 17, &peer, &bench.own, 8);
	assert_dropped(box_secondary(at, &p), not_for_us);
	p.len = 0;
	packet_bubble(&p, &peer, &bench.own);
	assert_dropped(box_secondary(at, &p), not_for_us);
	p.len = 0;
	packet_origin(&p, ep4("192.0.2.98", 5000));
	packet_bubble(&p, &peer, &bench.own);
	assert_dropped(box_secondary(ep4(SERVER, 3544), &p), not_for_us);
	assert_int_equal(bench_count(TEREDO_EV_bubble_reply_sent), 0);
	assert_ep_equal(bench_send(&peer, 8).to, at);
	assert_int_equal(bench_send(&peer, 8).via, TEREDO_VIA_PRIMARY);
	box_run_to_end();
}

/* C-CFG-06, C-MNT-01 */
static void the_refresh_comes_after_75_to_100_percent_of_what_was_found(
	void **state)
{
	teredo_time shortest = TEREDO_NEVER, longest = 0;
	unsigned first;

	(void)state;
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
	box_run(105 * S);
	first = box.rs;
	box_run(6000 * S);
	assert_in_range(box.rs - first, 6000 / 105, 6000 / 78);
	for (unsigned i = first + 1; i < box.rs; i++) {
		teredo_time gap = box.rs_at[i] - box.rs_at[i - 1];

		assert_in_range(gap, 78750 * MS, 105 * S);
		shortest = gap < shortest ? gap : shortest;
		longest = gap > longest ? gap : longest;
	}
	assert_true(longest - shortest > 12 * S);
}

/* C-MNT-05: another NAT, or one that forgets sooner */
static void another_mapping_begins_anew_at_30_s(void **state)
{
	(void)state;
	box_run_to_end();
	assert_int_equal(box_port_news(), 0);
	box.mapped.port = htons(40007);
	box_run(105 * S);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 1);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 0, 0);
	assert_int_equal(box_port_news(), 1);
	box.lifetime = 50 * S;
	bench_secondary_opened();
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 45000, 0, 0);
	assert_int_equal(box_port_news(), 0);
}

static void another_mapping_in_between_keeps_the_port(void **state)
{
	unsigned before;

	(void)state;
	box_run(65 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
	box_port_news();
	box.mapped.port = htons(40007);
	before = box.rs2;
	while (bench_count(TEREDO_EV_mapping_changed) == 0)
		box_run(S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 60000, 120000);
	assert_int_equal(box.rs2, before + 1);
	assert_int_equal(box_port_news(), -1);
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
}

/* Also when the port never came, or was not answered: the next mapping is
 * another chance; and a port that is late is not asked for twice. */
static void another_mapping_is_another_chance(void **state)
{
	bench_close();
	box_setup(state);
	box_port_news();
	box.mapped.port = htons(40007);
	box_run(31 * S);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 1);
	assert_int_equal(box_port_news(), -1);
	box.answers2 = false;
	bench_secondary_opened();
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_UNDETERMINED, 30000, 0, 0);
	assert_int_equal(box_port_news(), 0);
	box.answers2 = true;
	box.mapped.port = htons(40008);
	box_run(31 * S);
	assert_int_equal(box_port_news(), 1);
	bench_secondary_opened();
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
}

/* Four bubbles that the server never had say nothing of the NAT. */
static void a_silent_server_decides_nothing(void **state)
{
	(void)state;
	box_run(65 * S);
	box.answers = box.answers2 = box.forwards = false;
	box_run(300 * S);
	box_assert(TEREDO_INTERVAL_DETERMINING, 60000, 90000, 120000);
	box.answers = box.answers2 = box.forwards = true;
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
}

/* Who slept over the end of the wait tests a longer interval than he wants. */
static void a_test_that_comes_too_late_is_made_again(void **state)
{
	(void)state;
	box.lifetime = 100 * S;
	box_run(10 * S);
	bench.now += 1000 * S;
	box_run(0);
	box_assert(TEREDO_INTERVAL_DETERMINING, 30000, 60000, 120000);
	assert_int_equal(box.bubbles, 0);
	box.forwards = false;
	box_run_to_test();
	bench.now += 1000 * S;
	box_run(0);
	box.forwards = true;
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 90000, 0, 0);
}

/* The result outlives the process; what was under way begins anew. */
static void what_was_found_is_saved(void **state)
{
	struct teredo_client_saved saved, bad;

	(void)state;
	assert_true(teredo_client_save(bench.c, &saved));
	assert_int_equal(saved.refresh_ms, 0);
	box_run_to_end();
	assert_true(teredo_client_save(bench.c, &saved));
	assert_int_equal(saved.refresh_ms, 105000);
	bench_close();
	bench_open_finding(30 * S);
	bench.now = saved.last_answer;
	bad = saved;
	bad.refresh_ms = 120001;
	assert_false(bench_restore(&bad));
	bad.refresh_ms = 999;
	assert_false(bench_restore(&bad));
	assert_true(bench_restore(&saved));
	box_port_news();
	box_run(0);
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
	assert_int_equal(box_port_news(), -1);
	/* the configuration may be another by then */
	bench_close();
	bench_open(2, 64);
	bench.now = saved.last_answer;
	assert_true(bench_restore(&saved));
	box_assert(TEREDO_INTERVAL_FIXED, 30000, 0, 0);
}

static void what_was_not_found_is_sought_anew(void **state)
{
	struct teredo_client_saved saved;

	(void)state;
	box_run(65 * S);
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_open_finding(30 * S);
	bench.now = saved.last_answer;
	assert_true(bench_restore(&saved));
	box_assert(TEREDO_INTERVAL_UNDETERMINED, 30000, 0, 0);
	box_port_news();
	box_run(0);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 0);
	assert_int_equal(box_port_news(), 1);
	bench_secondary_opened();
	box_run_to_end();
	box_assert(TEREDO_INTERVAL_DETERMINED, 105000, 0, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_our_own_bubble_counts),
		T(a_bubble_of_another_test_does_not_count),
		T(only_a_good_answer_qualifies_the_second_port),
		T(nothing_that_comes_there_is_delivered),
		T(the_refresh_comes_after_75_to_100_percent_of_what_was_found),
		T(another_mapping_begins_anew_at_30_s),
		T(another_mapping_in_between_keeps_the_port),
		T(a_short_interval_grows_twofold_at_most),
		T(another_mapping_is_another_chance),
		T(a_silent_server_decides_nothing),
		T(a_test_that_comes_too_late_is_made_again),
		T(what_was_found_is_saved),
		T(what_was_not_found_is_sought_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
