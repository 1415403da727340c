/*
 * test_relay_outlook.c - what a relay tells about its peers
 */
#include "config.h"

#include "relay_bench.h"

static struct teredo_outlook look(const struct relay_bench *b,
				  struct teredo_addr a)
{
	struct teredo_outlook o;

	teredo_relay_outlook(b->r, &a, b->now, &o);
	return o;
}

static void a_new_client_would_get_a_bubble(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct teredo_outlook o = look(b, client());

	assert_int_equal(o.would, TEREDO_WOULD_BUBBLE);
	assert_int_equal(o.server_ip, ep4(SERVER, 0).ip);
	assert_false(o.known);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	o = look(b, client());
	assert_int_equal(o.would, TEREDO_WOULD_WAIT);
	assert_int_equal(o.peer.way, TEREDO_WAY_PENDING);
}

static void a_proven_client_is_listed_with_its_endpoint(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_outlook o;
	struct teredo_view v;
	unsigned n = 0;

	prove(b, client(), ep4(MOVED, 2000));
	o = look(b, client());
	assert_int_equal(o.would, TEREDO_WOULD_SEND);
	assert_ep_equal(o.peer.ep, ep4(MOVED, 2000));
	for (unsigned slot = 0; slot < 64; slot++)
		n += teredo_relay_peer(b->r, slot, b->now, &v);
	assert_int_equal(n, 1);
	assert_int_equal(v.way, TEREDO_WAY_DIRECT);
	assert_ep_equal(v.ep, ep4(MOVED, 2000));
}

/* R-ENC-01, R-ENC-02 */
static void who_is_no_client_is_told_with_the_reason(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_outlook o = look(b, ip6(N));

	assert_int_equal(o.would, TEREDO_WOULD_DROP);
	assert_int_equal(o.reason, TEREDO_DROP_not_teredo);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup, \
						bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_client_would_get_a_bubble),
		T(a_proven_client_is_listed_with_its_endpoint),
		T(who_is_no_client_is_told_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
