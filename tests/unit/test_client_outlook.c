/*
 * test_client_outlook.c - what a client tells about its peers
 *
 * Whatever teredo_client_outlook() says, a packet is sent afterwards, to see
 * that it was right.
 */
#include "config.h"

#include "tests/unit/client_bench.h"
#include "libteredo/path.h"

#define PEER	ep4("192.0.2.99", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	return 0;
}

static struct teredo_outlook look(const struct teredo_addr *a)
{
	struct teredo_outlook o;

	teredo_client_outlook(bench.c, a, bench.now, &o);
	return o;
}

/* How many peers are listed; the last of them. */
static unsigned list(struct teredo_view *v)
{
	unsigned n = 0, max = bench_status().peers_max;

	for (unsigned slot = 0; slot < max; slot++)
		n += teredo_client_peer(bench.c, slot, bench.now, v);
	return n;
}

static void a_new_native_host_would_be_tested(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_outlook o = look(&native);
	struct teredo_view v;

	(void)state;
	assert_int_equal(o.would, TEREDO_WOULD_TEST);
	assert_int_equal(o.server_ip, ep4(SERVER, 0).ip);
	assert_false(o.known);
	assert_int_equal(list(&v), 0);
	assert_int_equal(bench_send(&native, 8).fate, TEREDO_TAKEN);
	bench_expect_udp(ep4(SERVER, 3544));
	o = look(&native);
	assert_int_equal(o.would, TEREDO_WOULD_WAIT);
	assert_int_equal(o.peer.way, TEREDO_WAY_PENDING);
	assert_int_equal(o.peer.probes, 1);
	assert_int_equal(o.peer.ep.ip, 0);
	assert_true(o.peer.age == TEREDO_NEVER);
}

static void a_trusted_native_host_is_reached_by_its_relay(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_outlook o;
	struct teredo_view v;

	(void)state;
	bench_trust(&native, RELAY);
	bench_run(2 * S);
	o = look(&native);
	assert_int_equal(o.would, TEREDO_WOULD_SEND);
	assert_int_equal(o.peer.way, TEREDO_WAY_RELAY);
	assert_ep_equal(o.peer.ep, RELAY);
	assert_in_range(o.peer.age, 2 * S - 2 * MS, 2 * S + 2 * MS);
	assert_ep_equal(bench_send(&native, 8).to, RELAY);
	assert_int_equal(list(&v), 1);
	assert_addr_equal(&v.addr, &native);
	assert_int_equal(v.way, TEREDO_WAY_RELAY);
}

static void a_new_client_would_get_bubbles_through_its_server(void **state)
{
	struct teredo_addr peer;
	struct teredo_outlook o;

	(void)state;
	addr_make(&peer, addr_default_prefix(), ep4("203.0.113.1", 0).ip, 0,
		  PEER);
	o = look(&peer);
	assert_int_equal(o.would, TEREDO_WOULD_BUBBLE);
	assert_int_equal(o.server_ip, ep4("203.0.113.1", 0).ip);
	bench_send(&peer, 8);
	bench_expect_udp(PEER);
	bench_expect_udp(ep4("203.0.113.1", 3544));
}

static void who_did_not_answer_would_be_refused_and_then_asked(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_outlook o;

	(void)state;
	bench_send(&native, 8);
	bench_run(9 * S);
	o = look(&native);
	assert_int_equal(o.would, TEREDO_WOULD_REFUSE);
	assert_int_equal(o.peer.way, TEREDO_WAY_NONE);
	assert_int_equal(o.peer.probes, PATH_ATTEMPTS);
	assert_dropped(bench_send(&native, 8), unreachable);
	bench_run(31 * S);
	assert_int_equal(look(&native).would, TEREDO_WOULD_TEST);
	assert_int_equal(bench_send(&native, 8).fate, TEREDO_TAKEN);
}

/* SEC-LOOP-02, C-TX-11, C-LL-01 */
static void what_may_not_leave_is_told_with_its_reason(void **state)
{
	struct teredo_addr martian, all = ip6("ff02::1"), ll = ip6("fe80::1");
	struct teredo_outlook o;

	(void)state;
	addr_make(&martian, addr_default_prefix(), ep4(SERVER, 0).ip, 0,
		  ep4("10.1.2.3", 5000));
	o = look(&martian);
	assert_int_equal(o.would, TEREDO_WOULD_DROP);
	assert_int_equal(o.reason, TEREDO_DROP_martian_v4);
	assert_dropped(bench_send(&martian, 8), martian_v4);
	o = look(&all);
	assert_int_equal(o.would, TEREDO_WOULD_DROP);
	assert_int_equal(o.reason, TEREDO_DROP_martian_v6);
	assert_int_equal(look(&ll).reason, TEREDO_DROP_link_local);
	assert_int_equal(look(&bench.own).would, TEREDO_WOULD_DELIVER);
}

static void without_an_address_nothing_leaves(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_outlook o;

	(void)state;
	bench_close();
	bench_open(1, 16);
	bench_start();
	o = look(&native);
	assert_int_equal(o.would, TEREDO_WOULD_DROP);
	assert_int_equal(o.reason, TEREDO_DROP_not_qualified);
}

/* The test's nonce tells the answer. */
static void the_round_trip_of_the_test_is_told(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	bench_send(&native, 8);
	assert_int_equal(look(&native).peer.rtt, 0);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(31 * MS);
	bench_udp(RELAY, &reply);
	assert_int_equal(look(&native).peer.rtt, 31 * MS);
	bench_run(1 * S);	/* what is no answer changes nothing */
	bench_send(&native, 8);
	bench_receive(RELAY, &native, 8);
	assert_int_equal(look(&native).peer.rtt, 31 * MS);
}

/* One nonce for all: nobody can tell which of them is answered. */
static void no_round_trip_is_guessed_of_a_second_test(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	bench_send(&native, 8);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(PATH_GAP + 31 * MS);
	bench_udp(RELAY, &reply);
	assert_int_equal(look(&native).peer.way, TEREDO_WAY_RELAY);
	assert_int_equal(look(&native).peer.rtt, 0);
}

/* The bubble that names our cookie is an answer; one from the mapping may be
 * the peer's own. */
static void the_round_trip_of_a_bubble_is_told(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), cookie;

	(void)state;
	bench_send(&peer, 8);
	bench_expect_udp(PEER);
	memcpy(&cookie, bench_expect_udp(bench_peer_server())->data + 8, 16);
	bench_run(20 * MS);
	bench_bubble(PEER, &peer, &bench.own);
	assert_int_equal(look(&peer).peer.way, TEREDO_WAY_DIRECT);
	assert_int_equal(look(&peer).peer.rtt, 0);
	bench_run(5 * MS);
	bench_bubble(PEER, &peer, &cookie);
	assert_int_equal(look(&peer).peer.rtt, 25 * MS);
	bench_run(5 * MS);
	bench_bubble(PEER, &peer, &cookie);	/* again */
	assert_int_equal(look(&peer).peer.rtt, 25 * MS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_native_host_would_be_tested),
		T(a_trusted_native_host_is_reached_by_its_relay),
		T(a_new_client_would_get_bubbles_through_its_server),
		T(who_did_not_answer_would_be_refused_and_then_asked),
		T(what_may_not_leave_is_told_with_its_reason),
		T(without_an_address_nothing_leaves),
		T(the_round_trip_of_the_test_is_told),
		T(no_round_trip_is_guessed_of_a_second_test),
		T(the_round_trip_of_a_bubble_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
