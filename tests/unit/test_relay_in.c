/*
 * test_relay_in.c - the relay, from Teredo clients to native IPv6
 *
 * RFC 4380 5.4.2: whom it believes, what it passes on, what it remembers.
 */
#include "config.h"

#include "relay_bench.h"

/* R-DEC-04, R-DEC-05 */
static void a_trusted_client_reaches_native_hosts(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	prove(b, client(), home());
	expect_delivery(b, &p, home());
	assert_int_equal(b->ob.n, 0);
	p = make_icmp6(client(), ip6(N), 129, 1240);
	expect_delivery(b, &p, home());
}

/* R-DEC-07: the answer names the cookie, so it may come from anywhere */
static void a_client_behind_a_symmetric_nat_is_served(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	prove(b, client(), ep4(MOVED, 2000));
	expect_delivery(b, &p, ep4(MOVED, 2000));
	expect_udp_drop(b, &p, ep4(MOVED, 2001), TEREDO_DROP_spoofed);
}

/* R-DEC-07: who moves is followed once it answers from there */
static void a_client_that_moves_is_followed(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), answer;

	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	give_udp(b, &answer, home());
	expect_sent(b, &p, home());
	give_udp(b, &answer, ep4(MOVED, 2000));
	expect_sent(b, &p, ep4(MOVED, 2000));
}

/* R-DEC-07 */
static void a_forged_answer_proves_nothing(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), answer;
	struct teredo_addr other = teredo6(SERVER, 0, HOST, 40001), cookie;

	give_tun(b, &p);
	cookie = bubble_source(b);
	for (int bit = 64; bit < 128; bit++) {
		struct teredo_addr wrong = cookie;

		wrong.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		answer = make_bubble(client(), wrong);
		expect_udp_drop(b, &answer, ep4(MOVED, 2000),
				TEREDO_DROP_spoofed);
	}
	/* another client has no use for it */
	answer = make_bubble(other, cookie);
	expect_udp_drop(b, &answer, ep4(MOVED, 2000),
			TEREDO_DROP_unknown_peer);
	/* nor anybody, later */
	answer = make_bubble(client(), cookie);
	b->now += 61 * TEREDO_SECOND;
	expect_udp_drop(b, &answer, ep4(MOVED, 2000), TEREDO_DROP_spoofed);
}

static void a_cookie_is_good_for_30_s(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), answer;

	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	b->now += 30 * TEREDO_SECOND;
	assert_int_equal(give_udp(b, &answer, ep4(MOVED, 2000)).fate,
			 TEREDO_TAKEN);
}

/* R-DEC-04: our side sent to it, so what comes from its mapping is its */
static void a_client_that_we_sent_to_is_believed_at_its_mapping(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct test_packet q = from_client(client(), ip6(N));

	give_tun(b, &p);
	expect_delivery(b, &q, home());
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 1);	/* p */
	assert_int_equal(outbox_count(b, OUTBOX_PEER_UP), 1);
	expect_sent(b, &p, home());
}

/* R-DEC-04: any bubble does, not only one to the cookie */
static void a_plain_bubble_from_its_mapping_is_believed_too(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct test_packet q = make_bubble(client(), ip6(N));

	give_tun(b, &p);
	assert_int_equal(give_udp(b, &q, home()).fate, TEREDO_TAKEN);
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 1);
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 0);	/* R-DEC-08 */
	expect_sent(b, &p, home());
}

/* R-DEC-03: kept, asked, and delivered after one round trip */
static void a_stranger_is_asked_before_it_is_believed(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N)), second = p;
	struct teredo_addr cookie;
	const struct outbox_item *item;

	assert_int_equal(give_udp(b, &p, home()).fate, TEREDO_TAKEN);
	assert_int_equal(b->ob.n, 1);
	assert_ep_equal(outbox_nth(b, OUTBOX_UDP, 0)->to, ep4(SERVER, 3544));
	cookie = bubble_source(b);
	second.b[40] = 'F';
	assert_int_equal(give_udp(b, &second, home()).fate, TEREDO_TAKEN);
	assert_int_equal(b->ob.n, 0);
	second = make_bubble(client(), ip6(N));
	expect_udp_drop(b, &second, home(), TEREDO_DROP_spoofed);

	second = make_bubble(client(), cookie);
	give_udp(b, &second, home());
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 2);
	item = outbox_nth(b, OUTBOX_TUN, 0);
	assert_int_equal(item->len, p.len);
	assert_memory_equal(outbox_data(&b->ob, item), p.b, p.len);
	item = outbox_nth(b, OUTBOX_TUN, 1);
	assert_int_equal(outbox_data(&b->ob, item)[40], 'F');
	expect_delivery(b, &p, home());
}

static void a_stranger_becomes_known_by_an_answer_of_our_side(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));
	struct test_packet q = to_client(ip6(N), client());

	give_udp(b, &p, home());
	give_tun(b, &q);
	expect_delivery(b, &p, home());
	/* what was kept went first */
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 1);
	assert_int_equal(outbox_count(b, OUTBOX_UDP), 1);
}

/* R-DEC-03: 400 at once, then 200/s */
static void strangers_are_let_in_slowly(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 10000,
	});
	struct teredo_relay_status st;
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		struct teredo_addr src = teredo6(SERVER, 0, HOST, 1 + i);
		struct test_packet p = from_client(src, ip6(N));

		b->now += TEREDO_SECOND / 10000;
		taken += give_udp(b, &p, ep4(HOST, 1 + i)).fate ==
			 TEREDO_TAKEN;
	}
	assert_in_range(taken, 1399, 1401);
	assert_int_equal(bench_count(b, TEREDO_DROP_rate_limited),
			 50000 - taken);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_unproven, taken);
	bench_free(b);
}

/* R-DEC-03 */
static void a_bubble_of_a_stranger_is_dropped(void **state)
{
	struct test_packet p = make_bubble(client(), ip6(N));

	expect_udp_drop(*state, &p, home(), TEREDO_DROP_unknown_peer);
	p = make_bubble(client(), ip6("fe80::1"));
	expect_udp_drop(*state, &p, home(), TEREDO_DROP_unknown_peer);
}

/* R-DEC-02 */
static void a_source_elsewhere_than_its_mapping_is_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	expect_udp_drop(b, &p, ep4(HOST, 40001), TEREDO_DROP_spoofed);
	expect_udp_drop(b, &p, ep4(MOVED, 40000), TEREDO_DROP_spoofed);
	prove(b, client(), home());
	expect_udp_drop(b, &p, ep4(HOST, 40001), TEREDO_DROP_spoofed);
	p = make_bubble(client(), ip6(N));
	expect_udp_drop(b, &p, ep4(HOST, 40001), TEREDO_DROP_spoofed);
}

/* A client behind a symmetric NAT that was silent: known, but asked again. */
static void a_stale_client_elsewhere_is_asked_again(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	prove(b, client(), ep4(MOVED, 2000));
	run_until(b, b->now + 40 * TEREDO_SECOND);
	assert_int_equal(give_udp(b, &p, ep4(MOVED, 2000)).fate,
			 TEREDO_TAKEN);
	answer_bubble(b, client(), ep4(MOVED, 2000));
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 1);
	expect_delivery(b, &p, ep4(MOVED, 2000));
}

/* R-DEC-02 */
static void a_source_outside_teredo_is_refused(void **state)
{
	static const char *const src[] = { N, "fe80::1", "2001:1::1", "::",
					   "2002:c000:22d::1", "ff02::1" };

	for (size_t i = 0; i < COUNT(src); i++) {
		struct test_packet p = from_client(ip6(src[i]), ip6(N));

		expect_udp_drop(*state, &p, home(), TEREDO_DROP_not_teredo);
	}
}

/* SEC-V4D-04: an echo service in place of the server sends our bubble back */
static void our_own_bubble_is_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), bubble;

	give_tun(b, &p);
	bubble = make_bubble(bubble_source(b), client());
	expect_udp_drop(b, &bubble, ep4(SERVER, 3544),
			TEREDO_DROP_not_teredo);
}

/* A-V4G-01..10, SEC-LOOP-03: outer source, mapping and server */
static void unfit_ipv4_addresses_are_refused(void **state)
{
	static const char *const own[] = { RELAY4, "203.0.113.255" };
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));

	for (size_t i = 0; not_global4[i] != NULL; i++) {
		const char *ip = not_global4[i];

		p = from_client(teredo6(SERVER, 0, ip, 40000), ip6(N));
		expect_udp_drop(b, &p, ep4(ip, 40000), TEREDO_DROP_martian_v4);
		expect_udp_drop(b, &p, home(), TEREDO_DROP_martian_v4);
		p = from_client(teredo6(ip, 0, HOST, 40000), ip6(N));
		expect_udp_drop(b, &p, home(), TEREDO_DROP_martian_v4);
	}
	p = from_client(teredo6(SERVER, 0, HOST, 0), ip6(N));
	expect_udp_drop(b, &p, ep4(HOST, 0), TEREDO_DROP_martian_v4);
	for (size_t i = 0; i < COUNT(own); i++) {
		p = from_client(teredo6(SERVER, 0, own[i], 40000), ip6(N));
		expect_udp_drop(b, &p, ep4(own[i], 40000), TEREDO_DROP_loop);
		expect_udp_drop(b, &p, home(), TEREDO_DROP_loop);
		p = from_client(teredo6(own[i], 0, HOST, 40000), ip6(N));
		expect_udp_drop(b, &p, home(), TEREDO_DROP_loop);
	}
}

/* R-DEC-07 does not lift the checks: an answer from an unfit endpoint */
static void an_answer_from_an_unfit_endpoint_is_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client()), answer;

	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	expect_udp_drop(b, &answer, ep4("10.0.0.1", 9),
			TEREDO_DROP_martian_v4);
	expect_udp_drop(b, &answer, ep4(MOVED, 0), TEREDO_DROP_martian_v4);
	expect_udp_drop(b, &answer, ep4(RELAY4, 9), TEREDO_DROP_loop);
}

/* R-DEC-01 */
static void elements_before_the_packet_are_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N)), q;

	prove(b, client(), home());
	q = with_origin(p, home());
	expect_udp_drop(b, &q, home(), TEREDO_DROP_malformed);
	q = with_auth(p, "12345678");
	expect_udp_drop(b, &q, home(), TEREDO_DROP_malformed);
	while (p.len-- > 0)
		expect_udp_drop(b, &p, home(), TEREDO_DROP_malformed);
}

/* X-TLV-01, X-TLV-04 */
static void trailers_do_not_cross(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = from_client(client(), ip6(N));
	struct test_packet q = with_trailers(p, 20);
	struct teredo_verdict v;

	prove(b, client(), home());
	v = give_udp(b, &q, home());
	assert_int_equal(v.fate, TEREDO_TO_TUN);
	assert_int_equal(v.len, p.len);
	packet_hex(&p, "41 00");
	expect_udp_drop(b, &p, home(), TEREDO_DROP_trailer);
}

static const struct {
	const char *dst;
	enum teredo_counter why;
} refused[] = {
	{ "2001:0:c633:6401:0:63bf:3fff:fdd2", TEREDO_DROP_martian_v6 },
	{ "2001::1", TEREDO_DROP_martian_v6 },
	{ "fe80::1", TEREDO_DROP_link_local },
	{ "ff02::1", TEREDO_DROP_martian_v6 },
	{ "ff0e::1", TEREDO_DROP_martian_v6 },
	{ "::", TEREDO_DROP_martian_v6 },
	{ "::1", TEREDO_DROP_martian_v6 },
	{ "fc00::1", TEREDO_DROP_martian_v6 },
	{ "fec0::1", TEREDO_DROP_martian_v6 },
	{ "::ffff:192.0.2.1", TEREDO_DROP_martian_v6 },
	{ "::192.0.2.1", TEREDO_DROP_martian_v6 },
	{ "2002:c000:201::1", TEREDO_DROP_loop },
	{ "2002:cb00:7101::1", TEREDO_DROP_loop },
	{ "2001:db8::5efe:203.0.113.1", TEREDO_DROP_loop },
	{ "2001:db8::200:5efe:203.0.113.1", TEREDO_DROP_loop },
};

/* R-DEC-06, SEC-LOOP-03 */
static void a_destination_that_is_not_native_is_refused(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p;

	for (size_t i = 0; i < COUNT(refused); i++) {
		/* from a stranger: not even asked about */
		p = from_client(client(), ip6(refused[i].dst));
		expect_udp_drop(b, &p, home(), refused[i].why);
	}
	prove(b, client(), home());
	for (size_t i = 0; i < COUNT(refused); i++) {
		p = from_client(client(), ip6(refused[i].dst));
		expect_udp_drop(b, &p, home(), refused[i].why);
	}
	p = from_client(client(), ip6("2001:db8::5efe:192.0.2.1"));
	expect_delivery(b, &p, home());
}

/* R-DEC-05, R-DEC-06 */
static void a_host_local_relay_delivers_to_its_host_only(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 64,
		.host_local = true,
	});
	struct test_packet p = to_client(ip6(RELAY6), client());

	(void)state;
	give_tun(b, &p);
	answer_bubble(b, client(), home());
	p = from_client(client(), ip6(RELAY6));
	expect_delivery(b, &p, home());
	p = from_client(client(), ip6(N));
	expect_udp_drop(b, &p, home(), TEREDO_DROP_not_for_us);
	bench_free(b);
}

/* SEC-ND-01 */
static void neighbour_discovery_does_not_cross(void **state)
{
	struct relay_bench *b = *state;
	uint8_t hidden[8 + 24] = { 58, 0 };
	struct test_packet p;

	prove(b, client(), home());
	for (unsigned type = 0; type < 256; type++) {
		p = make_icmp6(client(), ip6(N), type, 32);
		if (type >= 133 && type <= 137)
			expect_udp_drop(b, &p, home(),
					TEREDO_DROP_link_local);
		else
			expect_delivery(b, &p, home());
	}
	hidden[8] = 136;	/* behind destination options */
	p = make_ip6(client(), ip6(N), 60, hidden, sizeof(hidden));
	expect_udp_drop(b, &p, home(), TEREDO_DROP_link_local);
}

/* G-RH0-01, SEC-SRC-01 */
static void a_source_routed_packet_is_refused(void **state)
{
	struct relay_bench *b = *state;
	uint8_t routed[24 + 4] = { 17, 2, 0, 1 };
	struct test_packet p =
		make_ip6(client(), ip6(N), 43, routed, sizeof(routed));

	prove(b, client(), home());
	expect_udp_drop(b, &p, home(), TEREDO_DROP_routing_header);
}

/* R-DEC-08 */
static void nothing_with_next_header_59_crosses(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = make_bubble(client(), ip6(N));

	prove(b, client(), home());
	assert_int_equal(give_udp(b, &p, home()).fate, TEREDO_TAKEN);
	assert_int_equal(outbox_count(b, OUTBOX_TUN), 0);
	p = make_ip6(client(), ip6(N), 59, "data", 4);
	expect_udp_drop(b, &p, home(), TEREDO_DROP_malformed);
}

/* R-GEN-04: a full table keeps who is proven */
static void a_full_table_takes_no_stranger(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 2,
	});
	struct test_packet p = from_client(client(), ip6(N));

	(void)state;
	prove(b, teredo6(SERVER, 0, HOST, 1), ep4(HOST, 1));
	prove(b, teredo6(SERVER, 0, HOST, 2), ep4(HOST, 2));
	expect_udp_drop(b, &p, home(), TEREDO_DROP_table_full);
	p = from_client(teredo6(SERVER, 0, HOST, 1), ip6(N));
	expect_delivery(b, &p, ep4(HOST, 1));
	bench_free(b);
}

/* A restarted relay takes the answer to a bubble from before. */
static void cookies_outlive_the_process(void **state)
{
	struct relay_bench *b = *state, *next;
	struct test_packet p = to_client(ip6(N), client()), answer;
	struct teredo_relay_saved saved;
	void *fresh;

	teredo_relay_save(b->r, &saved);
	saved.cookie_key[3] ^= 1;	/* the benches draw the same key */
	teredo_relay_restore(b->r, &saved);
	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	teredo_relay_save(b->r, &saved);

	bench_setup(&fresh);
	next = fresh;
	next->now = b->now + 3 * TEREDO_SECOND;
	expect_udp_drop(next, &answer, ep4(MOVED, 2000),
			TEREDO_DROP_unknown_peer);
	teredo_relay_restore(next->r, &saved);
	assert_int_equal(give_udp(next, &answer, ep4(MOVED, 2000)).fate,
			 TEREDO_TAKEN);
	expect_sent(next, &p, ep4(MOVED, 2000));
	bench_free(next);
}

static void a_restored_peer_is_trusted_from_now_on(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_addr who = client();
	struct test_packet p = to_client(ip6(N), who);

	outbox_clear(&b->ob);
	teredo_relay_restore_peer(b->r, &who, ep4(MOVED, 2000), b->now,
				  &b->ob);
	assert_int_equal(b->ob.n, 1);
	assert_int_equal(b->ob.item[0].kind, OUTBOX_PEER_UP);
	assert_addr_equal(&b->ob.item[0].addr, &who);
	assert_ep_equal(b->ob.item[0].to, ep4(MOVED, 2000));
	expect_sent(b, &p, ep4(MOVED, 2000));
	run_until(b, b->now + 31 * TEREDO_SECOND);
	assert_int_not_equal(give_tun(b, &p).fate, TEREDO_TO_UDP);
}

/* The snapshot is hostile input. */
static void an_unfit_peer_is_not_restored(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_addr good = client();
	const struct {
		struct teredo_addr addr;
		struct teredo_ep ep;
	} bad[] = {
		{ ip6(N), home() },
		{ ip6("::"), home() },
		{ teredo6(SERVER, 0, "10.0.0.1", 9), home() },
		{ teredo6("127.0.0.1", 0, HOST, 9), home() },
		{ teredo6(SERVER, 0, RELAY4, 9), home() },
		{ good, ep4("10.0.0.1", 9) },
		{ good, ep4(HOST, 0) },
		{ good, ep4(RELAY4, 9) },
		{ good, ep4("203.0.113.255", 9) },
	};
	struct teredo_relay_status st;

	outbox_clear(&b->ob);
	for (size_t i = 0; i < COUNT(bad); i++)
		teredo_relay_restore_peer(b->r, &bad[i].addr, bad[i].ep,
					  b->now, &b->ob);
	assert_int_equal(b->ob.n, 0);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven + st.peers_unproven, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_trusted_client_reaches_native_hosts),
		T(a_client_behind_a_symmetric_nat_is_served),
		T(a_client_that_moves_is_followed),
		T(a_forged_answer_proves_nothing),
		T(a_cookie_is_good_for_30_s),
		T(a_client_that_we_sent_to_is_believed_at_its_mapping),
		T(a_plain_bubble_from_its_mapping_is_believed_too),
		T(a_stranger_is_asked_before_it_is_believed),
		T(a_stranger_becomes_known_by_an_answer_of_our_side),
		T(strangers_are_let_in_slowly),
		T(a_bubble_of_a_stranger_is_dropped),
		T(a_source_elsewhere_than_its_mapping_is_refused),
		T(a_stale_client_elsewhere_is_asked_again),
		T(a_source_outside_teredo_is_refused),
		T(our_own_bubble_is_refused),
		T(unfit_ipv4_addresses_are_refused),
		T(an_answer_from_an_unfit_endpoint_is_refused),
		T(elements_before_the_packet_are_refused),
		T(trailers_do_not_cross),
		T(a_destination_that_is_not_native_is_refused),
		T(a_host_local_relay_delivers_to_its_host_only),
		T(neighbour_discovery_does_not_cross),
		T(a_source_routed_packet_is_refused),
		T(nothing_with_next_header_59_crosses),
		T(a_full_table_takes_no_stranger),
		T(cookies_outlive_the_process),
		T(a_restored_peer_is_trusted_from_now_on),
		T(an_unfit_peer_is_not_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
