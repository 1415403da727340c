/*
 * test_client_indirect.c - what comes through the client's own server
 *
 * RFC 4380 5.2.3 and 5.2.6: a bubble is answered to where it came from, and
 * no outsider makes the client send more than a little.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define PEER	ep4("192.0.2.99", 5000)
#define ORIGIN	ep4("203.0.113.66", 6666)

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	return 0;
}

/* C-RX-05, C-BUB-08: what deployed relays and clients rely on */
static void an_indirect_bubble_is_answered_to_its_origin(void **state)
{
	static const char *const sources[] = { "2001:db8::1",
		"fe80::7c12:3456:789a:bcde", "fe80::1" };

	(void)state;
	for (unsigned i = 0; i < COUNT(sources); i++) {
		struct teredo_addr src = ip6(sources[i]);
		struct teredo_ep origin = ep4("203.0.113.66", 6000 + i);

		assert_int_equal(bench_indirect(&src, origin).fate,
				 TEREDO_TAKEN);
		bench_is_bubble(bench_expect_udp(origin), &bench.own, &src);
		bench_expect_silence();
	}
	assert_int_equal(bench_count(TEREDO_EV_bubble_reply_sent), 3);
}

/* C-RX-05 with a Teredo source, Q9 */
static void the_mapping_of_a_source_gets_one_too_if_it_is_not_the_origin(
	void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_ep origin = ep4("192.0.2.99", 5001);

	(void)state;
	bench_indirect(&peer, PEER);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_expect_silence();
	bench_run(2 * S);
	bench_indirect(&peer, origin);
	bench_is_bubble(bench_expect_udp(origin), &bench.own, &peer);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_expect_silence();
	bench_run(2 * S);
	assert_int_equal(bench_indirect(&peer, ep4("10.0.0.1", 5001)).fate,
			 TEREDO_TAKEN);		/* one of them is enough */
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_expect_silence();
	assert_int_equal(bench_status().peers_direct, 0);	/* no proof */
	assert_int_equal(bench_count(TEREDO_EV_bubble_received), 3);
}

static void without_an_origin_the_mapping_is_answered(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_addr inside = bench_peer(ep4("10.0.0.1", 5000));

	(void)state;
	assert_dropped(bench_bubble(ep4(SERVER, 3544), &inside, &bench.own),
		       martian_v4);
	assert_int_equal(bench_bubble(ep4(SERVER, 3544), &peer,
				      &bench.own).fate, TEREDO_TAKEN);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	assert_dropped(bench_bubble(ep4(SERVER, 3544), &native, &bench.own),
		       not_teredo);
	bench_expect_silence();
}

/* A-ENC-11 */
static void the_hop_limit_of_a_bubble_does_not_matter(void **state)
{
	static const uint8_t hops[] = { 0, 1, 64, 255 };
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	for (unsigned i = 0; i < COUNT(hops); i++) {
		struct test_packet p = { .len = 0 };

		packet_origin(&p, PEER);
		packet_bubble(&p, &peer, &bench.own);
		p.b[8 + 7] = hops[i];
		assert_int_equal(bench_udp(ep4(SERVER, 3544), &p).fate,
				 TEREDO_TAKEN);
		bench_expect_udp(PEER);
		bench_run(2 * S);
	}
}

/* Observed of deployed servers: trailers come along. */
static void trailers_of_a_bubble_do_no_harm(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct test_packet p = { .len = 0 };

	(void)state;
	packet_origin(&p, PEER);
	packet_bubble(&p, &peer, &bench.own);
	packet_trailer(&p, 1, "\1\2\3\4", 4);
	assert_int_equal(bench_udp(ep4(SERVER, 3544), &p).fate, TEREDO_TAKEN);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
}

static void only_our_very_address_is_answered_for(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), dst = bench.own;
	struct test_packet p = { .len = 0 };

	(void)state;
	dst.b[9] ^= 1;
	packet_origin(&p, PEER);
	packet_bubble(&p, &peer, &dst);
	assert_dropped(bench_udp(ep4(SERVER, 3544), &p), not_for_us);
	bench_expect_silence();
}

static void only_our_server_says_origins(void **state)
{
	struct teredo_ep others[] = { ep4(SERVER2, 3544), ep4(SERVER, 3545),
				      ep4(RESERVE, 3544), ORIGIN };
	struct teredo_addr link_local = ip6("fe80::1");

	(void)state;
	for (unsigned i = 0; i < COUNT(others); i++) {
		struct test_packet p = { .len = 0 };

		packet_origin(&p, ORIGIN);
		packet_bubble(&p, &link_local, &bench.own);
		assert_dropped(bench_udp(others[i], &p), not_teredo);
	}
	bench_expect_silence();
}

/* SEC-REF-03 */
static void an_unfit_origin_is_not_answered(void **state)
{
	static const char *const bad[] = { "127.0.0.1", "10.0.0.1",
		"224.0.0.1", "255.255.255.255", "192.168.1.1", "0.0.0.0",
		"169.254.1.1", "192.88.99.1", "198.51.100.255" };
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench.local.n = 1;
	bench.local.ip[0] = ip4("198.51.100.255");	/* attached subnet */
	bench_net_changed(false);
	for (unsigned i = 0; i < COUNT(bad); i++)
		assert_dropped(bench_indirect(&native, ep4(bad[i], 53)),
			       martian_v4);
	assert_dropped(bench_indirect(&native, ep4("203.0.113.66", 0)),
		       martian_v4);
	assert_dropped(bench_indirect(&native, bench_mapped()), loop);
	bench_expect_silence();
}

/* C-BUB-04, C-BUB-05, C-BUB-07: 1000 a second, naming one origin */
static void one_endpoint_gets_little_however_often_it_is_named(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	teredo_time last = 0;
	unsigned n = 0;

	(void)state;
	for (unsigned ms = 0; ms < 300 * 1000; ms += 50) {
		native.b[15]++;
		bench_indirect(&native, ORIGIN);
		bench_run(50 * MS);
		for (const struct sent *s; (s = bench_next()) != NULL;) {
			if (s->kind != OUTBOX_UDP || !ep_equal(s->to, ORIGIN))
				continue;
			assert_true(last == 0 || s->at - last >= 2 * S);
			last = s->at;
			n++;
		}
		bench_forget();
	}
	assert_in_range(n, 4, 4 + 300 / 30);
}

/* C-BUB-05: a direct response ends the count */
static void a_direct_packet_renews_the_budget_of_its_endpoint(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_addr link_local = ip6("fe80::1");
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		bench_run(2 * S);
		bench_forget();
		bench_indirect(&peer, PEER);
		n += bench_count_to(PEER);
		bench_bubble(PEER, &peer, &bench.own);
	}
	assert_int_equal(n, 20);
	/* for others that are named by it, too */
	for (unsigned i = 0; i < 20; i++) {
		bench_run(2 * S);
		bench_forget();
		bench_indirect(&link_local, PEER);
		n += bench_count_to(PEER);
		bench_bubble(PEER, &peer, &bench.own);
	}
	assert_int_equal(n, 40);
}

/* SEC-REF-03, C-BUB-07: 1000 origins a second */
static void many_endpoints_get_little_in_all(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		bench_indirect(&native, ep4("203.0.113.66", 1000 + i));
		bench_run(1 * MS);
		bench_forget();
	}
	assert_in_range(bench_count(TEREDO_EV_bubble_reply_sent), 200,
			50 + 5 * 50);
}

/* ... also when the victim is named by the source, not by the origin */
static void one_mapping_gets_little_whatever_the_origins(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		bench_indirect(&peer, ep4("203.0.113.66", 1000 + i));
		bench_run(1 * MS);
	}
	assert_int_equal(bench_count_to(PEER), 1);
}

/* ... nor by the name of a peer that we trust somewhere else */
static void a_trusted_name_gives_others_no_more(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_ep victim = ep4("203.0.113.66", 1000);

	(void)state;
	bench_trust(&peer, PEER);
	bench_forget();
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(bench_receive(PEER, &peer, 8).fate,
				 TEREDO_TO_TUN);
		bench_indirect(&peer, victim);
		bench_run(3 * S);
	}
	assert_int_equal(bench_count_to(victim), 4);
	assert_int_equal(bench_count_to(PEER), 9);
}

/* C-BUB-04: our own probe went there just now */
static void a_probe_and_a_reply_are_two_seconds_apart(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	bench_send(&peer, 8);
	assert_int_equal(bench_count_to(PEER), 1);
	bench_run(1 * S);
	assert_dropped(bench_indirect(&peer, PEER), rate_limited);
	assert_int_equal(bench_count_to(PEER), 1);
}

/* Q8, section 9 of the observations: answered, not delivered */
static void data_of_a_teredo_source_through_the_server_is_not_delivered(
	void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct test_packet p = { .len = 0 };

	(void)state;
	assert_dropped(bench_receive(ep4(SERVER, 3544), &peer, 8), spoofed);
	bench_expect_silence();
	packet_origin(&p, PEER);
	packet_ip6(&p, 17, &peer, &bench.own, 8);
	assert_dropped(bench_udp(ep4(SERVER, 3544), &p), spoofed);
	bench_is_bubble(bench_expect_udp(PEER), &bench.own, &peer);
	bench_trust(&peer, PEER);
	assert_dropped(bench_udp(ep4(SERVER, 3544), &p), spoofed);
}

/* Q8: the server may be a relay */
static void the_server_may_be_the_relay_of_a_native_host(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep server = ep4(SERVER, 3544);
	struct test_packet reply;

	(void)state;
	assert_int_equal(bench_receive(server, &native, 8).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(server), &native, &reply);
	assert_int_equal(bench_udp(server, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_expect_tun()->len, 48);
	assert_ep_equal(bench_send(&native, 8).to, server);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_indirect_bubble_is_answered_to_its_origin),
		T(the_mapping_of_a_source_gets_one_too_if_it_is_not_the_origin),
		T(without_an_origin_the_mapping_is_answered),
		T(the_hop_limit_of_a_bubble_does_not_matter),
		T(trailers_of_a_bubble_do_no_harm),
		T(only_our_very_address_is_answered_for),
		T(only_our_server_says_origins),
		T(an_unfit_origin_is_not_answered),
		T(one_endpoint_gets_little_however_often_it_is_named),
		T(a_direct_packet_renews_the_budget_of_its_endpoint),
		T(many_endpoints_get_little_in_all),
		T(one_mapping_gets_little_whatever_the_origins),
		T(a_trusted_name_gives_others_no_more),
		T(a_probe_and_a_reply_are_two_seconds_apart),
		T(data_of_a_teredo_source_through_the_server_is_not_delivered),
		T(the_server_may_be_the_relay_of_a_native_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
