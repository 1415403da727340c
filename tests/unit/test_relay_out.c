/*
 * test_relay_out.c - the relay, from native IPv6 to Teredo clients
 * RFC 4380 5.4.1: what is refused, bubbles, waiting packets, trust.
 */
#include "config.h"

#include "relay_bench.h"
#include "libteredo/path.h"

/* R-ENC-05, R-ENC-08, R-ENC-12, C-BUB-03 */
static void the_first_packet_waits_for_a_bubble(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), bubble;
	const struct outbox_item *item;
	struct teredo_relay_status st;

	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	assert_int_equal(b->ob.n, 1);
	item = outbox_nth(b, OUTBOX_UDP, 0);
	assert_ep_equal(item->to, ep4(SERVER, 3544));
	bubble = make_bubble(bubble_source(b), client());
	assert_int_equal(item->len, bubble.len);
	assert_memory_equal(outbox_data(&b->ob, item), bubble.b, bubble.len);
	assert_int_equal(bench_count(b, TEREDO_EV_bubble_indirect_sent), 1);
	assert_int_equal(bench_count(b, TEREDO_EV_bubble_direct_sent), 0);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven, 0);
	assert_int_equal(st.peers_unproven, 1);
	assert_int_equal(st.peers_max, 64);
}

/* R-ENC-03, R-ENC-09, R-DEC-04 */
static void the_answer_releases_what_waits_in_order(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), first;
	const struct outbox_item *item;

	first = p;
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	struct teredo_addr cookie = bubble_source(b);
	for (uint8_t i = 1; i < 4; i++) {
		p.b[40] = i;
		assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
		assert_int_equal(b->ob.n, 0);	/* C-BUB-04 */
	}
	p = make_bubble(client(), cookie);
	assert_int_equal(give_udp(b, &p, home()).fate, TEREDO_TAKEN);
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 4);
	assert_int_equal(outbox_count(b, OUTBOX_PEER_UP), 1);
	for (uint8_t i = 0; i < 4; i++) {
		item = outbox_nth(b, OUTBOX_UDP, i);
		assert_ep_equal(item->to, home());
		if (i > 0)
			first.b[40] = i;
		assert_memory_equal(outbox_data(&b->ob, item), first.b,
				    first.len);
	}
	expect_sent(b, &first, home());
	assert_int_equal(b->ob.n, 0);
}

/* R-ENC-06, R-ENC-07, R-ENC-10 */
static void four_bubbles_then_the_sender_is_told(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	const struct outbox_item *item;
	teredo_time start = b->now;
	const uint8_t *error;

	give_tun(b, &p);
	for (unsigned i = 1; i < 4; i++) {
		run_until(b, start + i * PATH_GAP - 1);
		assert_int_equal(b->bubbles, i);
		run_until(b, start + i * PATH_GAP + 50 * TEREDO_MS);
		assert_int_equal(b->bubbles, i + 1);
	}
	run_until(b, start + 4 * PATH_GAP - 1);
	assert_int_equal(b->errors, 0);
	assert_true(run_until(b, start + 9 * TEREDO_SECOND));
	assert_int_equal(b->errors, 1);
	assert_int_equal(b->bubbles, 4);
	item = outbox_nth(b, OUTBOX_TUN, 0);
	error = outbox_data(&b->ob, item);
	assert_memory_equal(error + 8, ip6(RELAY6).b, 16);
	assert_memory_equal(error + 24, ip6(N).b, 16);
	assert_memory_equal(error + 40, "\1\3", 2);
	assert_memory_equal(error + 48, p.b, p.len);
}

/* Never a lock-out: refused for 30 s, then asked again; a client that is
 * back answers at once. */
static void a_silent_client_is_asked_again_after_a_pause(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	unsigned asked;

	give_tun(b, &p);
	run_until(b, b->now + 9 * TEREDO_SECOND);
	asked = b->bubbles;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(give_tun(b, &p).fate, TEREDO_DROP);
		run_until(b, b->now + TEREDO_SECOND);
	}
	assert_int_equal(b->bubbles, asked);
	run_until(b, b->now + 20 * TEREDO_SECOND);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	assert_int_equal(b->bubbles, asked + 1);
	answer_bubble(b, client(), home());
	expect_sent(b, &p, home());
}

/* R-CONE-01, R-ENC-04, R-ENC-14, SEC-V4D-01 */
static void the_cone_bit_is_ignored(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(
		ip6(N), teredo6(SERVER, 0x8000, HOST, 40000));

	for (int i = 0; i < 1000; i++)
		assert_int_not_equal(give_tun(b, &p).fate, TEREDO_TO_UDP);
	assert_int_equal(b->bubbles, 1);
}

/* A-ADDR-09 */
static void all_of_an_address_names_a_peer(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p =
		to_client(ip6(N), teredo6(SERVER, 0x0001, HOST, 40000));

	prove(b, client(), home());
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
}

/* R-ENC-13, R-ENC-15 */
static void behind_a_nat_a_direct_bubble_opens_the_way(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 64,
		.direct_bubbles = true,
	});
	struct test_packet p = to_client(ip6(N), client()), bubble;

	(void)state;
	give_tun(b, &p);
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 2);
	assert_ep_equal(outbox_nth(b, OUTBOX_UDP, 0)->to, home());
	assert_ep_equal(outbox_nth(b, OUTBOX_UDP, 1)->to, ep4(SERVER, 3544));
	bubble = make_bubble(bubble_source(b), client());
	for (unsigned i = 0; i < 2; i++)
		assert_memory_equal(
			outbox_data(&b->ob, outbox_nth(b, OUTBOX_UDP, i)),
			bubble.b, bubble.len);
	answer_bubble(b, client(), home());
	expect_sent(b, &p, home());
	bench_free(b);
}

/* R-ENC-01, A-ADDR-01 */
static void only_the_prefix_is_carried(void **state)
{
	static const char *const dst[] = { N, "2001:1::1", "ff05::1", "ff0e::1",
					   "::1", "2002:c000:201::1",
					   "2000:0:c633:6401::1", "::" };

	for (size_t i = 0; i < COUNT(dst); i++) {
		struct test_packet p = to_client(ip6(N), ip6(dst[i]));

		expect_tun_drop(*state, &p, TEREDO_DROP_not_teredo);
	}
}

static void what_belongs_to_the_link_is_counted_as_that(void **state)
{
	static const char *const dst[] = { "febf::1", "ff02::16", "ff01::1" };
	struct test_packet p;

	for (size_t i = 0; i < COUNT(dst); i++) {
		p = to_client(ip6(i % 2 ? "::" : "fe80::2"), ip6(dst[i]));
		expect_tun_drop(*state, &p, TEREDO_DROP_link_local);
	}
}

/* R-ENC-02, A-V4G-01..09, SEC-V4D-02: mapping and server */
static void a_client_must_be_at_a_global_address(void **state)
{
	struct test_packet p;

	for (size_t i = 0; not_global4[i] != NULL; i++) {
		p = to_client(ip6(N),
			      teredo6(SERVER, 0, not_global4[i], 40000));
		expect_tun_drop(*state, &p, TEREDO_DROP_martian_v4);
		p = to_client(ip6(N), teredo6(not_global4[i], 0, HOST, 40000));
		expect_tun_drop(*state, &p, TEREDO_DROP_martian_v4);
	}
	p = to_client(ip6(N), teredo6(SERVER, 0, HOST, 0));
	expect_tun_drop(*state, &p, TEREDO_DROP_martian_v4);
	for (size_t i = 0; barely_global4[i] != NULL; i++) {
		p = to_client(ip6(N),
			      teredo6(barely_global4[i], 0, barely_global4[i],
				      40000));
		assert_int_equal(give_tun(*state, &p).fate, TEREDO_TAKEN);
	}
}

/* SEC-LOOP-03, A-V4G-10 */
static void a_client_at_our_own_address_is_refused(void **state)
{
	static const char *const own[] = { RELAY4, "203.0.113.255",
					   "203.0.113.77" };
	struct relay_bench *b = *state;
	struct teredo_addr own6 = ip6(RELAY6);
	struct test_packet p =
		to_client(ip6(N), teredo6(SERVER, 0, own[2], 40000));

	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	b->local.ip[b->local.n++] = ip4(own[2]);	/* at run time */
	teredo_relay_set_local(b->r, &b->local, &own6, 1);
	for (size_t i = 0; i < COUNT(own); i++) {
		p = to_client(ip6(N), teredo6(SERVER, 0, own[i], 40000));
		expect_tun_drop(b, &p, TEREDO_DROP_loop);
		p = to_client(ip6(N), teredo6(own[i], 0, HOST, 40000));
		expect_tun_drop(b, &p, TEREDO_DROP_loop);
	}
	/* nor does the one that we asked before get another bubble */
	run_until(b, b->now + 10 * TEREDO_SECOND);
	assert_int_equal(b->bubbles, 1);
}

/* RFC 4443 2.2: an error comes from an address of ours, or not at all */
static void without_an_address_no_error_is_sent(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_addr own6 = ip6(RELAY6);
	struct test_packet p = to_client(ip6(N), client());

	teredo_relay_set_local(b->r, &b->local, &own6, 1);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	run_until(b, b->now + 10 * TEREDO_SECOND);
	assert_int_equal(b->errors, 1);
	teredo_relay_set_local(b->r, &b->local, NULL, 0);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_DROP);
	assert_int_equal(b->errors, 1);
	teredo_relay_set_local(b->r, &b->local, &own6, 1);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_DROP);
	assert_int_equal(b->errors, 2);
}

/* SEC-ING-01, C-LL-01, SEC-LOOP-03 */
static void an_unfit_source_is_refused(void **state)
{
	static const struct {
		const char *src;
		enum teredo_counter why;
	} cases[] = {
		{ "fe80::1", TEREDO_DROP_link_local },
		{ "::", TEREDO_DROP_martian_v6 },
		{ "::1", TEREDO_DROP_martian_v6 },
		{ "ff02::1", TEREDO_DROP_martian_v6 },
		{ "ff0e::1", TEREDO_DROP_martian_v6 },
		{ "fc00::1", TEREDO_DROP_martian_v6 },
		{ "fec0::1", TEREDO_DROP_martian_v6 },
		{ "::ffff:192.0.2.1", TEREDO_DROP_martian_v6 },
		{ "::192.0.2.1", TEREDO_DROP_martian_v6 },
		{ "2001:0:c633:6401::1", TEREDO_DROP_martian_v6 },
		{ "2002:cb00:7101::1", TEREDO_DROP_loop },
		{ "2001:db8::5efe:203.0.113.1", TEREDO_DROP_loop },
		{ "2001:db8::200:5efe:203.0.113.1", TEREDO_DROP_loop },
	};
	struct test_packet p;

	for (size_t i = 0; i < COUNT(cases); i++) {
		p = to_client(ip6(cases[i].src), client());
		expect_tun_drop(*state, &p, cases[i].why);
	}
	p = to_client(ip6("2002:c000:201::1"), client());
	assert_int_equal(give_tun(*state, &p).fate, TEREDO_TAKEN);
}

/* SEC-ING-01: a host-local relay serves its own addresses only */
static void a_host_local_relay_sends_for_its_host_only(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 64,
		.host_local = true,
	});
	struct teredo_addr own[2] = { ip6(RELAY6), ip6("2001:db8:2::2") };
	struct test_packet p = to_client(ip6(N), client());

	(void)state;
	teredo_relay_set_local(b->r, &b->local, own, 2);
	expect_tun_drop(b, &p, TEREDO_DROP_martian_v6);
	for (unsigned i = 0; i < 2; i++) {
		p = to_client(own[i], client());
		assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	}
	teredo_relay_set_local(b->r, &b->local, own, 0);
	expect_tun_drop(b, &p, TEREDO_DROP_martian_v6);
	bench_free(b);
}

/* G-RH0-01, SEC-SRC-01 */
static void a_source_routed_packet_is_refused(void **state)
{
	uint8_t routed[24 + 4] = { 17, 2, 0, 1 };
	struct test_packet p =
		make_ip6(ip6(N), client(), 43, routed, sizeof(routed));

	expect_tun_drop(*state, &p, TEREDO_DROP_routing_header);
}

static void a_damaged_packet_is_refused(void **state)
{
	struct test_packet whole = to_client(ip6(N), client()), p = whole;

	while (p.len-- > 0)
		expect_tun_drop(*state, &p, TEREDO_DROP_malformed);
	p = with_trailers(whole, 1);
	expect_tun_drop(*state, &p, TEREDO_DROP_malformed);
	p = whole;
	p.b[0] = 0x45;
	expect_tun_drop(*state, &p, TEREDO_DROP_malformed);
}

/* C-TX-01 */
static void trust_ends_30_s_after_the_last_packet(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct test_packet q = from_client(client(), ip6(N));
	teredo_time heard;

	prove(b, client(), home());
	run_until(b, b->now + 20 * TEREDO_SECOND);
	expect_delivery(b, &q, home());
	heard = b->now;
	run_until(b, heard + 29 * TEREDO_SECOND);
	expect_sent(b, &p, home());
	run_until(b, heard + 31 * TEREDO_SECOND);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
}

/* R-ENC-08..11 */
static void what_waits_is_bounded(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	unsigned kept = 0;

	for (unsigned i = 0; i < 10000; i++)
		kept += give_tun(b, &p).fate == TEREDO_TAKEN;
	assert_in_range(kept, 2, 8);
	assert_int_equal(b->bubbles, 1);
	assert_int_equal(bench_count(b, TEREDO_DROP_hold_full), 10000 - kept);
}

/* A native host in the n-th network */
static struct teredo_addr network(unsigned n)
{
	struct teredo_addr a = ip6("2001:db8::1");

	a.b[6] = (uint8_t)(n >> 8);
	a.b[7] = (uint8_t)n;
	return a;
}

/* SEC-DOS-06, faults B4: 200 at once, then 50/s, and no more from any host of
 * the network; others do not notice */
static void one_network_begins_with_a_limited_number_of_clients(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet scan, p = to_client(network(1), client());

	for (unsigned i = 0; i < 20000; i++) {
		struct teredo_addr from = network(0);

		from.b[8] = (uint8_t)i;
		scan = to_client(from, teredo6(SERVER, 0, HOST, 1 + i));
		b->now += TEREDO_SECOND / 10000;
		give_tun(b, &scan);
	}
	assert_in_range(b->bubbles, 299, 301);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 1);
}

/* ... but the only host that there is may have what there is */
static void a_host_local_relay_does_not_ration_its_host(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 1000,
		.host_local = true,
	});
	struct teredo_addr self = ip6(N);

	(void)state;
	teredo_relay_set_local(b->r, &b->local, &self, 1);
	for (unsigned i = 0; i < 1000; i++) {
		struct test_packet p =
			to_client(self, teredo6(SERVER, 0, HOST, 1 + i));

		assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	}
	assert_int_equal(b->bubbles, 1000);
	bench_free(b);
}

/* R-ENC-16, SEC-V4D-01: a scan through the relay meets the limits, and who is
 * trusted stays */
static void a_scan_is_rationed_and_displaces_nobody(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), scan;
	struct teredo_relay_status st;

	prove(b, client(), home());
	b->bubbles = 0;
	for (unsigned i = 0; i < 20000; i++) {
		scan = to_client(network(i % 4096),
				 teredo6(SERVER, 0, HOST, 1 + i));
		b->now += TEREDO_SECOND / 20000;
		assert_int_not_equal(give_tun(b, &scan).fate, TEREDO_TO_UDP);
	}
	assert_in_range(b->bubbles, 2000, 4001);
	expect_sent(b, &p, home());
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven, 1);
	assert_true(st.peers_unproven < 64);
}

/* Faults B5: where each packet comes from another network, who asks again is
 * served, and little is kept of who does not. */
static void who_asks_again_is_served_amid_strangers(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet scan;
	unsigned served = 0, before;

	for (unsigned i = 0; i < 300000; i++) {
		struct teredo_addr from = network(i);

		from.b[4] = (uint8_t)(i >> 16);
		scan = to_client(from, teredo6(SERVER, 0, HOST, 1 + i));
		b->now += TEREDO_SECOND / 100000;
		give_tun(b, &scan);
		if (i < 50000 || i % 10000 != 0)
			continue;
		/* asks now, and a second later */
		scan = to_client(ip6(N), teredo6(SERVER, 0, "192.0.2.46", 1 + i));
		give_tun(b, &scan);
		if (i < 150000)
			continue;
		scan = to_client(ip6(N),
				 teredo6(SERVER, 0, "192.0.2.46", 1 + i - 100000));
		before = b->bubbles;
		give_tun(b, &scan);
		served += b->bubbles > before;
	}
	assert_in_range(served, 14, 15);
	assert_in_range(b->bubbles, 0, 2000 + 3 * 2000);
}

/* Uses up all bubbles there are; those clients displace each other. Each asks
 * twice, because the last of the bubbles are for those. (By chance one may be
 * taken for another that was asked just now.) */
static void use_up_bubbles(struct relay_bench *b)
{
	for (unsigned n = 0, in_vain = 0; in_vain < 8; n++) {
		struct test_packet p = to_client(
			network(n), teredo6(SERVER, 0, HOST, 1 + n));
		unsigned before = b->bubbles;

		give_tun(b, &p);
		give_tun(b, &p);
		in_vain += b->bubbles == before;
	}
}

/* A client for whom there were no bubbles was not asked in vain: its next
 * packet does not meet a pause. */
static void a_rationed_client_is_asked_as_soon_as_can_be(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 2,
	});
	struct test_packet p = to_client(ip6(N), client());
	teredo_time start;

	(void)state;
	prove(b, client(), home());
	run_until(b, b->now + 40 * TEREDO_SECOND);
	start = b->now + TEREDO_SECOND;
	for (unsigned turn = 0; turn < 4; turn++) {
		run_until(b, start + turn * PATH_GAP - 1);
		use_up_bubbles(b);
		b->bubbles = 0;
		run_until(b, start + turn * PATH_GAP);
		if (turn == 0)
			assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
		assert_int_equal(b->bubbles, 0);
	}
	run_until(b, start + 9 * TEREDO_SECOND);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	answer_bubble(b, client(), home());
	expect_sent(b, &p, home());
	bench_free(b);
}

/* B5: what is left when bubbles are scarce is for who was not asked yet */
static void repetitions_leave_some_for_others(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 4096,
		.host_local = true,
	});
	struct teredo_addr self = ip6(N);
	struct test_packet p;

	(void)state;
	teredo_relay_set_local(b->r, &b->local, &self, 1);
	for (unsigned i = 0; i < 100 + 1700; i++) {
		if (i == 100)
			run_until(b, b->now + PATH_GAP - 1);
		p = to_client(self, teredo6(SERVER, 0, HOST, 1 + i));
		give_tun(b, &p);
		if (i < 100)
			give_tun(b, &p);	/* goes on asking */
	}
	assert_int_equal(b->bubbles, 1800);
	run_until(b, b->now + TEREDO_MS);
	assert_int_equal(b->bubbles, 1800);
	p = to_client(self, teredo6(SERVER, 0, HOST, 5000));
	give_tun(b, &p);
	assert_int_equal(b->bubbles, 1801);
	bench_free(b);
}

/* R-GEN-04: a proven peer does not make room for an unproven one */
static void a_full_table_refuses_new_clients(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 4,
	});
	struct test_packet p = to_client(ip6(N), client());

	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		prove(b, teredo6(SERVER, 0, HOST, i), ep4(HOST, i));
	assert_int_equal(give_tun(b, &p).fate, TEREDO_DROP);
	assert_int_equal(bench_count(b, TEREDO_DROP_table_full), 1);
	for (unsigned i = 1; i <= 4; i++) {
		p = to_client(ip6(N), teredo6(SERVER, 0, HOST, i));
		expect_sent(b, &p, ep4(HOST, i));
	}
	bench_free(b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(the_first_packet_waits_for_a_bubble),
		T(the_answer_releases_what_waits_in_order),
		T(four_bubbles_then_the_sender_is_told),
		T(a_silent_client_is_asked_again_after_a_pause),
		T(the_cone_bit_is_ignored),
		T(all_of_an_address_names_a_peer),
		T(behind_a_nat_a_direct_bubble_opens_the_way),
		T(only_the_prefix_is_carried),
		T(what_belongs_to_the_link_is_counted_as_that),
		T(a_client_must_be_at_a_global_address),
		T(a_client_at_our_own_address_is_refused),
		T(without_an_address_no_error_is_sent),
		T(an_unfit_source_is_refused),
		T(a_host_local_relay_sends_for_its_host_only),
		T(a_source_routed_packet_is_refused),
		T(a_damaged_packet_is_refused),
		T(trust_ends_30_s_after_the_last_packet),
		T(what_waits_is_bounded),
		T(one_network_begins_with_a_limited_number_of_clients),
		T(a_host_local_relay_does_not_ration_its_host),
		T(a_scan_is_rationed_and_displaces_nobody),
		T(who_asks_again_is_served_amid_strangers),
		T(a_rationed_client_is_asked_as_soon_as_can_be),
		T(repetitions_leave_some_for_others),
		T(a_full_table_refuses_new_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
