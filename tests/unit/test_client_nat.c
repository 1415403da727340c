/*
 * test_client_nat.c - the kind of NAT, told beside the qualification
 *
 * RFC 4380 5.2.1, second half: it never delays nor ends anything.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

/* Qualifies with that origin; the nonce of the test with the second address. */
static const uint8_t *qualify_at(struct teredo_ep origin)
{
	struct bench_ra ra;

	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.origin = origin;
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	return bench_expect_rs(SERVER2);
}

static void answer_second(const uint8_t *nonce, struct teredo_ep origin)
{
	struct bench_ra ra = bench_ra(nonce, SERVER2);

	ra.origin = origin;
	ra.prefix_ip = ip4(SERVER);			/* C-QUAL-20, Q17 */
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
}

/* C-QUAL-15, C-QUAL-18 */
static void the_same_origin_twice_is_a_restricted_nat(void **state)
{
	const uint8_t *nonce;

	(void)state;
	nonce = qualify_at(bench_mapped());
	assert_int_equal(bench_status().nat, TEREDO_NAT_UNKNOWN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	bench_forget();
	answer_second(nonce, bench_mapped());
	assert_int_equal(bench_news(OUTBOX_STATE), 1);
	assert_int_equal(bench_count(TEREDO_EV_ra_accepted), 2);
	assert_int_equal(bench_status().nat, TEREDO_NAT_CONE_OR_RESTRICTED);
	bench_run(10 * S);
	bench_expect_silence();
}

/* C-QUAL-17: not offline, see theory of client_qualify.c */
static void two_origins_are_a_symmetric_nat_and_the_first_is_used(void **state)
{
	struct teredo_addr own;

	(void)state;
	answer_second(qualify_at(bench_mapped()), ep4("192.0.2.45", 40001));
	own = bench.own;
	assert_int_equal(bench_status().nat, TEREDO_NAT_SYMMETRIC);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_ep_equal(addr_mapping(&own), bench_mapped());
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
}

static void our_own_address_as_origin_is_no_nat(void **state)
{
	(void)state;
	bench_close();
	bench_open(1, 4);
	bench.local_ip = ip4("192.0.2.7");
	/* an address of ours is never a destination, but is a mapping */
	bench.local.n = 1;
	bench.local.ip[0] = ip4("192.0.2.7");
	bench_net_changed(false);
	answer_second(qualify_at(ep4("192.0.2.7", 40001)),
		      ep4("192.0.2.7", 40001));
	assert_int_equal(bench_status().nat, TEREDO_NAT_NONE);
}

/* C-QUAL-16 (deviation: the address stays) */
static void a_silent_second_address_leaves_the_kind_of_nat_unknown(
	void **state)
{
	(void)state;
	qualify_at(bench_mapped());
	bench_run(3999 * MS);
	bench_expect_silence();
	bench_run(1 * MS);
	bench_expect_rs(SERVER2);
	bench_run(3999 * MS);
	bench_expect_silence();
	bench_run(1 * MS);
	bench_expect_rs(SERVER2);
	bench_run(12 * S);
	bench_expect_silence();
	assert_int_equal(bench_status().nat, TEREDO_NAT_UNKNOWN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(bench_status().failures, 0);
}

static void no_nat_is_seen_without_the_second_address(void **state)
{
	(void)state;
	bench_close();
	bench_open(1, 4);
	bench.local_ip = ip4("192.0.2.7");
	qualify_at(ep4("192.0.2.7", 40001));
	assert_int_equal(bench_status().nat, TEREDO_NAT_NONE);
	bench_run(20 * S);
	assert_int_equal(bench_status().nat, TEREDO_NAT_NONE);
}

/* C-QUAL-20 */
static void the_second_address_speaks_for_the_first(void **state)
{
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(qualify_at(bench_mapped()), SERVER2);
	assert_dropped(bench_answer(&ra), nonce);	/* prefix of SERVER2 */
	ra.prefix_ip = ip4(SERVER);
	ra.from = ep4(SERVER, 3544);
	assert_dropped(bench_answer(&ra), nonce);
	assert_int_equal(bench_status().nat, TEREDO_NAT_UNKNOWN);
	ra.from = ep4(SERVER2, 3544);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
}

static void another_mapping_starts_the_test_anew(void **state)
{
	struct bench_ra ra;
	uint8_t old[8];

	(void)state;
	memcpy(old, qualify_at(bench_mapped()), 8);
	bench_run(8 * S);				/* three are out */
	bench_net_changed(true);
	bench_expect_rs(SERVER2);
	bench_expect_rs(SERVER2);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.origin = ep4("192.0.2.45", 40001);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_expect_rs(SERVER2);
	ra = bench_ra(old, SERVER2);		/* about the old mapping */
	ra.prefix_ip = ip4(SERVER);
	assert_dropped(bench_answer(&ra), nonce);
	bench_run(20 * S);
	bench_expect_rs(SERVER2);
	bench_expect_rs(SERVER2);
	bench_expect_silence();
}

/* Found by fuzzing: the second address vanished under the test. */
static void the_second_address_may_become_another_or_none(void **state)
{
	(void)state;
	qualify_at(bench_mapped());
	assert_true(bench_server(0, SERVER, "198.51.100.40"));
	assert_int_equal(bench_status().server_ip2, ip4("198.51.100.40"));
	bench_run(4 * S);
	bench_expect_rs("198.51.100.40");
	assert_true(bench_server(0, SERVER, "10.0.0.1"));
	bench_run(12 * S);
	bench_expect_silence();
	/* that of another server number is none of ours */
	assert_true(bench_server(1, SERVER, SERVER2));
	assert_int_equal(bench_status().server_ip2, 0);
}

/* SEC-LOOP: an address of our own tells nothing about a NAT */
static void the_second_address_is_not_asked_if_it_is_ours(void **state)
{
	struct bench_ra ra;

	(void)state;
	bench.local.n = 1;
	bench.local.ip[0] = ip4(SERVER2);
	bench_net_changed(false);
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_run(12 * S);
	bench_expect_silence();
}

static void a_server_with_one_address_is_not_tested(void **state)
{
	struct bench_ra ra;

	(void)state;
	bench_start();
	assert_true(bench_server(0, SERVER, SERVER));
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_run(12 * S);
	bench_expect_silence();
	assert_int_equal(bench_status().server_ip2, 0);
	assert_int_equal(bench_status().nat, TEREDO_NAT_UNKNOWN);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_origin_twice_is_a_restricted_nat),
		T(two_origins_are_a_symmetric_nat_and_the_first_is_used),
		T(our_own_address_as_origin_is_no_nat),
		T(a_silent_second_address_leaves_the_kind_of_nat_unknown),
		T(no_nat_is_seen_without_the_second_address),
		T(the_second_address_speaks_for_the_first),
		T(another_mapping_starts_the_test_anew),
		T(the_second_address_may_become_another_or_none),
		T(the_second_address_is_not_asked_if_it_is_ours),
		T(a_server_with_one_address_is_not_tested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
