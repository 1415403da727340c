/*
 * test_server_limits.c - what strangers get out of a server, at most
 *
 * server.c lists the limits; who uses them up in earnest stands in the
 * simulation's story_siege.c.
 */
#include "config.h"

#include "server_bench.h"

static struct teredo_addr client(void)
{
	return teredo6(S1, 0, CLIENT, 40000);
}

static struct teredo_ep from_client(void)
{
	return ep4(CLIENT, 40000);
}

/* How many of n bubbles go out: to 198.18.0.0 and what follows, or to one
 * address there. */
static unsigned passed_on(struct server_bench *b, unsigned n, bool is_one)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		struct test_packet p;
		char ip[24];

		snprintf(ip, sizeof(ip), "198.18.%u.%u", is_one ? 0 : i / 200,
			 is_one ? 1 : 1 + i % 200);
		p = make_bubble(client(),
				teredo6(S1, 0, ip, is_one ? 1000 + i : 4000));
		passed += bench_give(b, &p, from_client(),
				     TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	}
	return passed;
}

/* SEC-REF-02: any number of ports, which may be one NAT's */
static void one_address_gets_100_at_once_and_50_a_second(void **state)
{
	struct server_bench *b = *state;

	assert_int_equal(passed_on(b, 150, true), 100);
	b->now += TEREDO_SECOND;
	assert_int_equal(passed_on(b, 150, true), 50);
}

/* SEC-REF-02 */
static void all_get_1000_at_once_and_5000_a_second(void **state)
{
	struct server_bench *b = *state;

	assert_int_equal(passed_on(b, 1500, false), 1000);
	b->now += TEREDO_SECOND / 10;
	assert_int_equal(passed_on(b, 1500, false), 500);
}

/* S-FWD-01 */
static void one_endpoint_has_20_echoes_answered_and_10_a_second(void **state)
{
	struct server_bench *b = *state;
	struct test_packet p = make_icmp6(client(), ip6(S1_LL), 128, 16);
	unsigned answered[2] = { 0 };

	for (unsigned i = 0; i < 60; i++) {
		if (i == 30)
			b->now += TEREDO_SECOND;
		answered[i / 30] += bench_give(b, &p, from_client(),
					       TEREDO_VIA_PRIMARY).fate ==
				    TEREDO_TAKEN;
	}
	assert_int_equal(answered[0], 20);
	assert_int_equal(answered[1], 10);
}

#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup, \
						bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_address_gets_100_at_once_and_50_a_second),
		T(all_get_1000_at_once_and_5000_a_second),
		T(one_endpoint_has_20_echoes_answered_and_10_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
