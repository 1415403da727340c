/*
 * test_client_census.c - how many peers there are, in a small and a large table
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define RELAY	ep4("203.0.113.50", 3545)
#define CLIENTS	5000u
#define NATIVES	500u

static struct teredo_addr native(unsigned n)
{
	struct teredo_addr a = ip6("2001:db8::1");

	a.b[14] = (uint8_t)(n >> 8);
	a.b[15] = (uint8_t)n;
	return a;
}

/* That many are heard, and nothing is read of what that brings about. */
static void hear(unsigned clients, unsigned natives)
{
	for (unsigned i = 0; i < clients; i++) {
		struct teredo_ep at = ep4("192.0.2.99", 5000 + i);
		struct teredo_addr a = bench_peer(at);

		bench_restore_peer(&a, at);
		bench_forget();
	}
	for (unsigned i = 0; i < natives; i++) {
		struct teredo_addr a = native(i);

		bench_restore_peer(&a, RELAY);
		bench_forget();
	}
}

static void pass(unsigned seconds, unsigned clients, unsigned natives)
{
	for (unsigned s = 0; s < seconds; s++) {
		if (s % 10 == 0)
			hear(clients, natives);
		bench_run(S);
		bench_forget();
	}
}

static void expect(unsigned direct, unsigned relay)
{
	struct teredo_client_status st = bench_status();

	assert_int_equal(st.peers_direct, direct);
	assert_int_equal(st.peers_relay, relay);
	assert_int_equal(st.peers_pending, 0);
}

static void open_with(uint32_t max_peers)
{
	bench_open(2, max_peers);
	bench_qualify();
}

static void a_small_table_is_counted_when_it_is_asked_for(void **state)
{
	(void)state;
	open_with(4096);
	hear(3000, NATIVES);
	expect(3000, NATIVES);
	bench_run(31 * S);
	expect(0, 0);
	bench_close();
}

/* A table that large is never looked at as a whole. */
static void a_large_one_is_counted_within_a_minute(void **state)
{
	(void)state;
	open_with(8192);
	pass(64, CLIENTS, NATIVES);
	expect(CLIENTS, NATIVES);
	pass(10, CLIENTS, NATIVES);
	expect(CLIENTS, NATIVES);	/* between two counts, too */
	pass(94, 0, NATIVES);
	expect(0, NATIVES);
	bench_close();
}

static void nobody_is_counted_where_nobody_is(void **state)
{
	(void)state;
	open_with(8192);
	pass(64, 10, 10);
	expect(10, 10);
	bench_run(400 * S);
	expect(0, 0);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_table_is_counted_when_it_is_asked_for),
		cmocka_unit_test(a_large_one_is_counted_within_a_minute),
		cmocka_unit_test(nobody_is_counted_where_nobody_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
