/*
 * test_client_plain.c - what a client does not do
 *
 * It does not pace, reorder or look into what it carries, and answers whoever
 * asks through its server, needed or not.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define PEER	ep4("192.0.2.99", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	return 0;
}

/* G-UDP-02: congestion control is for those inside */
static void a_proven_path_is_never_paced(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1"), peer = bench_peer(PEER);

	(void)state;
	bench_trust(&peer, PEER);
	bench_trust(&native, RELAY);
	for (unsigned i = 0; i < 100000; i++) {
		struct teredo_verdict v = bench_send(&peer, 1240);

		assert_int_equal(v.fate, TEREDO_TO_UDP);
		assert_ep_equal(v.to, PEER);
		assert_int_equal(bench_send(&native, 1240).fate, TEREDO_TO_UDP);
		assert_int_equal(bench_receive(PEER, &peer, 1240).fate,
				 TEREDO_TO_TUN);
	}
	bench_expect_silence();
}

/* C-CONE-03: behind a cone NAT the direct bubble of a peer comes through, and
 * then the indirect one, which was not needed; it is answered as any other. */
static void a_bubble_that_was_not_needed_is_answered(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	assert_int_equal(bench_bubble(PEER, &peer, &bench.own).fate,
			 TEREDO_TAKEN);
	bench_expect_silence();
	assert_int_equal(bench_indirect(&peer, PEER).fate, TEREDO_TAKEN);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_expect_silence();
	assert_int_equal(bench_status().peers_direct, 1);
}

/* SEC-ADR-01: who knows the mapping still has to find 12 bits */
static void one_of_4096_guesses_is_our_address(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), guess = bench.own;
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 4096; i++) {
		uint16_t flags = (uint16_t)((i & 0xf00) << 2 | (i & 0xff));
		struct test_packet p = { .len = 0 };

		addr_make(&guess, addr_default_prefix(), ip4(SERVER), flags,
			  bench_mapped());
		packet_ip6(&p, 17, &peer, &guess, 8);
		if (addr_equal(&guess, &bench.own)) {
			assert_int_equal(bench_udp(PEER, &p).fate,
					 TEREDO_TO_TUN);
			found++;
		} else {
			assert_dropped(bench_udp(PEER, &p), not_for_us);
		}
	}
	assert_int_equal(found, 1);
	bench_expect_silence();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_proven_path_is_never_paced),
		T(a_bubble_that_was_not_needed_is_answered),
		T(one_of_4096_guesses_is_our_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
