/*
 * test_client_neighbour.c - hostile neighbours, other links, other engines
 *
 * RFC 4380 5.2.8, 7.3.4. See local_bench.h for who is where.
 */
#include "config.h"

#include "tests/unit/local_bench.h"

#define RELAY	ep4("203.0.113.50", 3545)

static int setup(void **state)
{
	(void)state;
	return setup_with(TEREDO_DISCOVERY_NAT);
}

static int setup_off(void **state)
{
	(void)state;
	return setup_with(TEREDO_DISCOVERY_OFF);
}

/* ---- hostile neighbours ---- */

/* SEC-DOS-04 */
static void a_peer_that_is_trusted_elsewhere_is_not_redirected(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	bench_trust(&a, near_mapped());
	announce(&a, NEAR);
	assert_dropped(bench_bubble(NEAR, &a, &bench.own), spoofed);
	/* accepted, as C-RX-18 has it, and nothing more */
	assert_int_equal(bench_receive(NEAR, &a, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&a, 8).to, near_mapped());
	assert_int_equal(bench_status().peers_local, 0);
}

/* SEC-DOS-04 */
static void a_neighbour_that_is_trusted_is_not_moved(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	befriend();
	bench_receive(NEAR, &a, 8);
	assert_dropped(announce(&a, OTHER), spoofed);
	bench_expect_silence();
	assert_dropped(bench_bubble(OTHER, &a, &bench.own), spoofed);
	assert_dropped(bench_receive(OTHER, &a, 8), spoofed);
	assert_ep_equal(bench_send(&a, 8).to, NEAR);
	/* it moved indeed: trust fades, then it may say so */
	bench_run(31 * S);
	assert_int_equal(announce(&a, OTHER).fate, TEREDO_TAKEN);
}

/* SEC-REF-03: what an outsider can make us say */
static void a_flood_of_neighbours_is_answered_within_limits(void **state)
{
	unsigned to_group, all = 0;

	(void)state;
	bench_run(60 * S);
	bench_forget();
	for (unsigned i = 0; i < 4000; i++) {
		struct teredo_addr a =
			bench_peer(ep4("192.0.2.45", 2000 + i));

		announce(&a, ep4("10.0.0.7", 2000 + i));
		if (i % 400 == 0)
			bench_run(1 * S);
	}
	to_group = bench_count_to(GROUP);
	for (unsigned i = 0; i < bench.n; i++)
		all += bench.sent[i].kind == OUTBOX_UDP &&
		       !ep_equal(bench.sent[i].to, ep4(SERVER, 3544)) &&
		       !ep_equal(bench.sent[i].to, ep4(RESERVE, 3544));
	assert_in_range(to_group, 1, 6);
	assert_in_range(all - to_group, 10, 16 + 10);
	assert_in_range(bench_status().neighbours, 10, 26);
	assert_true(bench_count(TEREDO_DROP_rate_limited) > 3900);
}

static void one_neighbour_is_not_answered_twice_in_2_s(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	bench_forget();
	for (unsigned i = 0; i < 19; i++) {
		bench_run(100 * MS);
		announce(&a, NEAR);
	}
	assert_int_equal(bench_count_to(NEAR), 0);
	bench_run(200 * MS);
	announce(&a, NEAR);
	assert_int_equal(bench_count_to(NEAR), 1);
}

/* The table has room for 64: the one that was silent for longest goes. */
static void the_table_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct teredo_addr a =
			bench_peer(ep4("192.0.2.45", 2000 + i));

		announce(&a, ep4("10.0.0.7", 2000 + i));
		bench_run(2 * S);
		bench_forget();
	}
	assert_int_equal(bench_status().neighbours, 64);
}

/* ---- the host moves ---- */

static void move_to(const char *ip)
{
	bench.local = (struct local4){
		.n = 1, .ip = { ip4(ip) },
		.nets = 1, .net = { { ip4(ip), htonl(0xffffff00) } },
	};
	bench_net_changed(false);
}

static void on_another_link_neighbours_are_forgotten(void **state)
{
	struct teredo_addr a = near(), native = ip6("2001:db8::1");

	(void)state;
	befriend();
	bench_trust(&native, RELAY);
	bench_forget();
	move_to("172.16.1.2");
	bench_run(0);
	bench_expect_udp(GROUP);	/* and the others there hear of us */
	assert_int_equal(bench_status().neighbours, 0);
	assert_int_equal(bench_status().peers_local, 0);
	assert_int_equal(bench_status().peers_relay, 1);
	bench_run(3 * S);
	bench_forget();
	bench_send(&a, 8);
	assert_int_equal(bench_count_to(NEAR), 0);
	assert_dropped(announce(&a, NEAR), not_local);
}

static void with_the_same_link_nothing_changes(void **state)
{
	(void)state;
	befriend();
	bench_net_changed(false);
	bench_run(0);
	bench_expect_silence();
	assert_int_equal(bench_status().peers_local, 1);
}

/* A new mapping is a new address, by which nobody knows us. */
static void another_address_is_announced(void **state)
{
	struct bench_ra ra;

	(void)state;
	discover();
	bench_run(60 * S);
	bench_forget();
	bench_net_changed(true);
	bench_run(2 * S);
	ra = bench_ra(bench_last_nonce(), SERVER);
	ra.origin = ep4("192.0.2.77", 7777);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	bench_forget();
	bench_run(0);
	assert_memory_equal(bench_expect_udp(GROUP)->data + 8, &bench.own, 16);
	assert_int_equal(bench_status().neighbours, 0);
}

/* ---- another engine ---- */

static void a_neighbour_that_was_trusted_is_trusted_again(void **state)
{
	struct teredo_client_saved saved;
	struct teredo_addr a = near();
	struct teredo_ep unfit[] = {
		ep4("10.0.1.7", 40007), ep4("10.0.0.2", 40007),
		ep4("10.0.0.255", 40007), ep4("10.0.0.7", 0),
		ep4("127.0.0.1", 40007), GROUP,
	};

	(void)state;
	befriend();
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_open_discovering(TEREDO_DISCOVERY_NAT);
	assert_true(bench_restore(&saved));
	bench_start();
	for (unsigned i = 0; i < COUNT(unfit); i++)
		bench_restore_peer(&a, unfit[i]);
	assert_int_equal(bench_status().peers_direct, 0);
	bench_restore_peer(&a, NEAR);
	bench_run(0);
	assert_int_equal(bench_count_to(GROUP), 1);
	assert_int_equal(bench_receive(NEAR, &a, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&a, 8).to, NEAR);
}

/* ... which the administrator denies meanwhile, or its server */
static void who_is_denied_meanwhile_is_not_trusted_again(void **state)
{
	static const char *const ip[] = { "10.0.0.7", "203.0.113.9" };
	struct teredo_client_saved saved;
	struct teredo_addr a = near();

	(void)state;
	befriend();
	assert_true(teredo_client_save(bench.c, &saved));
	for (unsigned i = 0; i < COUNT(ip); i++) {
		bench_close();
		bench_open_denying(ip[i], TEREDO_DISCOVERY_NAT);
		assert_true(bench_restore(&saved));
		bench_restore_peer(&a, NEAR);
		assert_int_equal(bench_status().peers_direct, 0);
		assert_dropped(announce(&a, NEAR), denied);
		assert_dropped(bench_receive(NEAR, &a, 8), denied);
	}
}

static void without_discovery_no_private_place_is_restored(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	bench_restore_peer(&a, NEAR);
	assert_int_equal(bench_status().peers_direct, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
#define OFF(f) cmocka_unit_test_setup_teardown(f, setup_off, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_peer_that_is_trusted_elsewhere_is_not_redirected),
		T(a_neighbour_that_is_trusted_is_not_moved),
		T(a_flood_of_neighbours_is_answered_within_limits),
		T(one_neighbour_is_not_answered_twice_in_2_s),
		T(the_table_is_bounded),
		T(on_another_link_neighbours_are_forgotten),
		T(with_the_same_link_nothing_changes),
		T(another_address_is_announced),
		T(a_neighbour_that_was_trusted_is_trusted_again),
		T(who_is_denied_meanwhile_is_not_trusted_again),
		OFF(without_discovery_no_private_place_is_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
