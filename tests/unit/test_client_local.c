/*
 * test_client_local.c - clients on our own link: local client discovery
 *
 * RFC 4380 5.2.8; 5.2.3 (4), (5); 5.2.4 (3). See local_bench.h for who is where.
 */
#include "config.h"

#include "tests/unit/local_bench.h"

static int setup(void **state)
{
	(void)state;
	return setup_with(TEREDO_DISCOVERY_NAT);
}

static int setup_any(void **state)
{
	(void)state;
	return setup_with(TEREDO_DISCOVERY_ANY);
}

static int setup_off(void **state)
{
	(void)state;
	return setup_with(TEREDO_DISCOVERY_OFF);
}

/* ---- what we say ---- */

/* C-LCD-03 */
static void the_first_bubble_follows_qualification(void **state)
{
	static const uint8_t head[8] = { 0x60, 0, 0, 0, 0, 0, 59, 1 };
	static const uint8_t all[16] = { 0xff, 2, [15] = 1 };
	const struct sent *s;

	(void)state;
	bench_open_discovering(TEREDO_DISCOVERY_NAT);
	bench_qualify();
	bench_run(0);
	s = bench_expect_udp(GROUP);
	assert_int_equal(s->len, 40);
	assert_memory_equal(s->data, head, 8);
	assert_memory_equal(s->data + 8, &bench.own, 16);
	assert_memory_equal(s->data + 24, all, 16);
	bench_expect_silence();
	assert_int_equal(bench_count(TEREDO_EV_discovery_sent), 1);
}

/* When they were sent since the last bench_forget(). */
static unsigned announced(teredo_time *at, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < bench.n; i++)
		if (bench.sent[i].kind == OUTBOX_UDP &&
		    ep_equal(bench.sent[i].to, GROUP) && n < max)
			at[n++] = bench.sent[i].at;
	return n;
}

/* C-LCD-02 */
static void the_next_ones_are_200_to_300_s_apart(void **state)
{
	teredo_time at[16], low = TEREDO_NEVER, high = 0;
	unsigned n;

	(void)state;
	for (n = 0; n < 40 && bench.n < COUNT(bench.sent) - 200; n++)
		bench_run(100 * S);	/* the server is silent: address kept */
	n = announced(at, 16);
	assert_in_range(n, 10, 16);
	for (unsigned i = 1; i < n; i++) {
		teredo_time gap = at[i] - at[i - 1];

		assert_in_range(gap, 200 * S, 300 * S);
		low = gap < low ? gap : low;
		high = gap > high ? gap : high;
	}
	assert_true(high - low > 20 * S);
}

/* C-CFG-08, C-RX-17, C-LCD-10 */
static void without_discovery_there_is_not_a_word(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	bench_run(400 * S);
	assert_int_equal(bench_count_to(GROUP), 0);
	bench_forget();
	assert_dropped(announce(&a, NEAR), not_local);
	bench_expect_silence();
	assert_int_equal(bench_status().neighbours, 0);
	assert_dropped(bench_bubble(NEAR, &a, &bench.own), spoofed);
	bench_send(&a, 8);
	bench_expect_udp(near_mapped());
	bench_expect_udp(bench_peer_server());
	bench_expect_silence();
}

/* Beyond C-TX-07: who is behind our NAT may be near. */
static void the_way_to_somebody_behind_our_nat_begins_on_the_link(void **state)
{
	struct teredo_addr a = near(), b = bench_peer(ep4("192.0.2.99", 5000));

	(void)state;
	bench_send(&a, 8);
	bench_expect_udp(GROUP);
	bench_expect_udp(near_mapped());
	bench_expect_udp(bench_peer_server());
	bench_expect_silence();
	bench_run(5 * S);
	bench_forget();
	bench_send(&b, 8);
	bench_expect_udp(ep4("192.0.2.99", 5000));
	bench_expect_udp(bench_peer_server());
	bench_expect_silence();
}

/* ---- what we hear ---- */

/* C-RX-15, C-RX-16, C-LCD-08, C-LCD-09 */
static void a_neighbour_is_noted_and_answered_and_not_trusted(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	assert_int_equal(announce(&a, NEAR).fate, TEREDO_TAKEN);
	bench_expect_udp(GROUP);	/* it may not know us */
	bench_is_bubble(bench_expect_udp(NEAR), &bench.own, &a);
	bench_expect_silence();
	assert_int_equal(bench_status().neighbours, 1);
	assert_int_equal(bench_status().peers_direct, 0);
	assert_int_equal(bench_count(TEREDO_EV_discovery_received), 1);
	/* what is sent to it waits */
	assert_int_equal(bench_send(&a, 8).fate, TEREDO_TAKEN);
}

/* C-LCD-08 */
static void a_later_bubble_says_where_it_is_now(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	bench_run(5 * S);
	assert_int_equal(announce(&a, OTHER).fate, TEREDO_TAKEN);
	assert_int_equal(bench_status().neighbours, 1);
	assert_dropped(bench_bubble(NEAR, &a, &bench.own), spoofed);
	assert_int_equal(bench_bubble(OTHER, &a, &bench.own).fate,
			 TEREDO_TAKEN);
	assert_ep_equal(bench_send(&a, 8).to, OTHER);
}

/* C-LCD-04 */
static void a_bubble_to_another_address_than_the_groups_is_none(void **state)
{
	static const char *const to[] = { "10.0.0.2", "10.0.0.255",
					  "255.255.255.255", "224.0.0.1" };
	struct teredo_addr a = near();
	struct test_packet p = discovery_of(&a);

	(void)state;
	for (unsigned i = 0; i < COUNT(to); i++)
		assert_dropped(bench_discovery(NEAR, ip4(to[i]), &p),
			       not_local);
	/* to the service port: the destination is not ours */
	assert_dropped(bench_udp(NEAR, &p), not_for_us);
	bench_expect_silence();
	assert_int_equal(bench_status().neighbours, 0);
}

/* C-LCD-05, SEC-DOS-04 */
static void a_source_that_is_no_teredo_address_is_refused(void **state)
{
	static const char *const source[] = { "fe80::1", "2001:db8::1", "::",
					      "fe80::8000:ffff:ffff:ffff" };
	struct teredo_addr a;

	(void)state;
	for (unsigned i = 0; i < COUNT(source); i++) {
		a = ip6(source[i]);
		assert_dropped(announce(&a, NEAR), not_teredo);
	}
	a = bench_peer(ep4("10.0.0.7", 40007));
	assert_dropped(announce(&a, NEAR), martian_v4);
	a = bench_peer(ep4("192.0.2.45", 0));
	assert_dropped(announce(&a, NEAR), martian_v4);
	addr_make(&a, addr_default_prefix(), ip4("127.0.0.1"), 0,
		  near_mapped());
	assert_dropped(announce(&a, NEAR), martian_v4);
	assert_dropped(announce(&bench.own, NEAR), loop);
	bench_expect_silence();
	assert_int_equal(bench_status().neighbours, 0);
}

/* C-RX-15 */
static void only_the_bubble_itself_is_a_discovery_bubble(void **state)
{
	struct teredo_addr a = near(), all = ip6("ff02::1");
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_ip6(&p, 17, &a, &all, 8);
	assert_dropped(bench_discovery(NEAR, GROUP.ip, &p), not_for_us);
	p.len = 0;
	packet_bubble(&p, &a, &bench.own);
	assert_dropped(bench_discovery(NEAR, GROUP.ip, &p), not_for_us);
	p.len = 0;
	packet_origin(&p, near_mapped());
	packet_bubble(&p, &a, &all);
	assert_dropped(bench_discovery(NEAR, GROUP.ip, &p), not_for_us);
	p.len = 39;
	assert_dropped(bench_discovery(NEAR, GROUP.ip, &p), malformed);
	bench_expect_silence();
}

/* C-LCD-06, SEC-DOS-04 */
static void who_is_not_in_our_subnet_is_no_neighbour(void **state)
{
	static const char *const from[] = {
		"10.0.1.7", "9.255.255.7", "192.0.2.45", "127.0.0.1",
		"10.0.0.0", "10.0.0.255", "10.0.0.2", "0.0.0.0",
	};
	struct teredo_addr a = near();

	(void)state;
	for (unsigned i = 0; i < COUNT(from); i++)
		assert_dropped(announce(&a, ep4(from[i], 40007)), not_local);
	assert_dropped(announce(&a, ep4("10.0.0.7", 0)), not_local);
	bench_expect_silence();
	assert_int_equal(bench_status().neighbours, 0);
}

/* C-LCD-07 */
static void who_is_behind_another_nat_is_no_neighbour(void **state)
{
	struct teredo_addr a = bench_peer(ep4("192.0.2.46", 50007));

	(void)state;
	assert_dropped(announce(&a, NEAR), not_local);
	bench_expect_silence();
}

static void unless_all_of_the_link_is_wanted(void **state)
{
	struct teredo_addr a = bench_peer(ep4("192.0.2.46", 50007));

	(void)state;
	assert_int_equal(announce(&a, NEAR).fate, TEREDO_TAKEN);
	assert_int_equal(bench_status().neighbours, 1);
}

static void before_there_is_an_address_nobody_is_noted(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	bench_open_discovering(TEREDO_DISCOVERY_NAT);
	bench_start();
	assert_dropped(announce(&a, NEAR), not_qualified);
	bench_run(60 * S);
	assert_int_equal(bench_count_to(GROUP), 0);
}

/* ---- trust ---- */

/* C-RX-18, C-TX-12 */
static void a_unicast_bubble_from_that_place_is_believed(void **state)
{
	struct teredo_addr a = near();
	const struct sent *s;

	(void)state;
	discover();
	bench_send(&a, 8);
	bench_forget();
	assert_int_equal(bench_bubble(NEAR, &a, &bench.own).fate,
			 TEREDO_TAKEN);
	s = bench_expect_udp(NEAR);	/* what waited */
	assert_int_equal(s->len, 48);
	bench_expect_silence();
	assert_ep_equal(bench_send(&a, 8).to, NEAR);
	assert_int_equal(bench_receive(NEAR, &a, 8).fate, TEREDO_TO_TUN);
	assert_int_equal(bench_status().peers_local, 1);
	assert_int_equal(bench_status().peers_direct, 1);
}

/* C-RX-18: a packet, too, which is accepted */
static void a_packet_from_that_place_is_believed(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	assert_int_equal(bench_receive(NEAR, &a, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&a, 8).to, NEAR);
}

/* C-RX-18, SEC-DOS-04 */
static void no_other_place_is(void **state)
{
	struct teredo_addr a = near(), b = bench_peer(ep4("192.0.2.45", 7));

	(void)state;
	discover();
	assert_dropped(bench_bubble(ep4("10.0.0.7", 40008), &a, &bench.own),
		       spoofed);
	assert_dropped(bench_bubble(ep4("10.0.0.8", 40007), &a, &bench.own),
		       spoofed);
	assert_dropped(bench_bubble(NEAR, &b, &bench.own), spoofed);
	assert_dropped(bench_receive(NEAR, &b, 8), spoofed);
	assert_int_equal(bench_status().peers_direct, 0);
}

/* ---- transmission ---- */

/* C-TX-05 */
static void a_neighbour_is_asked_on_the_link(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	bench_run(3 * S);
	bench_forget();
	assert_int_equal(bench_send(&a, 8).fate, TEREDO_TAKEN);
	bench_expect_udp(GROUP);
	bench_is_bubble(bench_expect_udp(NEAR), &bench.own, &a);
	bench_expect_silence();
	/* a second bubble to it within 2 s of the answer would be too soon */
	bench_run(60 * S);
	assert_in_range(bench_count_to(NEAR), 4, 5);
}

/* C-TX-05 */
static void after_600_s_of_silence_it_is_no_neighbour(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	bench_run(599 * S);
	assert_int_equal(bench_status().neighbours, 1);
	bench_run(2 * S);
	assert_int_equal(bench_status().neighbours, 0);
	bench_forget();
	bench_send(&a, 8);
	assert_int_equal(bench_count_to(NEAR), 0);
	assert_int_equal(bench_count_to(near_mapped()), 1);
	assert_dropped(bench_bubble(NEAR, &a, &bench.own), spoofed);
}

/* SEC-DOS-04: a forged neighbour hides nobody */
static void a_silent_neighbour_is_tried_in_the_ordinary_ways(void **state)
{
	struct teredo_addr a = near();

	(void)state;
	discover();
	bench_run(3 * S);
	bench_forget();
	bench_send(&a, 8);
	assert_int_equal(bench_count_to(near_mapped()), 0);
	bench_run(3 * S);
	assert_int_equal(bench_count_to(near_mapped()), 1);
	assert_int_equal(bench_count_to(bench_peer_server()), 1);
	bench_forget();
	bench_bubble(near_mapped(), &a, &bench.own);
	assert_int_equal(bench_expect_udp(near_mapped())->len, 48);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
#define OFF(f) cmocka_unit_test_setup_teardown(f, setup_off, bench_teardown)
#define ANY(f) cmocka_unit_test_setup_teardown(f, setup_any, bench_teardown)
#define BARE(f) cmocka_unit_test_teardown(f, bench_teardown)
	const struct CMUnitTest tests[] = {
		BARE(the_first_bubble_follows_qualification),
		T(the_next_ones_are_200_to_300_s_apart),
		OFF(without_discovery_there_is_not_a_word),
		T(the_way_to_somebody_behind_our_nat_begins_on_the_link),
		T(a_neighbour_is_noted_and_answered_and_not_trusted),
		T(a_later_bubble_says_where_it_is_now),
		T(a_bubble_to_another_address_than_the_groups_is_none),
		T(a_source_that_is_no_teredo_address_is_refused),
		T(only_the_bubble_itself_is_a_discovery_bubble),
		T(who_is_not_in_our_subnet_is_no_neighbour),
		T(who_is_behind_another_nat_is_no_neighbour),
		ANY(unless_all_of_the_link_is_wanted),
		BARE(before_there_is_an_address_nobody_is_noted),
		T(a_unicast_bubble_from_that_place_is_believed),
		T(a_packet_from_that_place_is_believed),
		T(no_other_place_is),
		T(a_neighbour_is_asked_on_the_link),
		T(after_600_s_of_silence_it_is_no_neighbour),
		T(a_silent_neighbour_is_tried_in_the_ordinary_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
