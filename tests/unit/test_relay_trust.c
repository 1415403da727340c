/*
 * test_relay_trust.c - which packets the relay believes
 *
 * RFC 4380 5.4.2, and beyond it R-DEC-07: cookies, strangers, and what is
 * remembered across a restart.
 */
#include "config.h"

#include "relay_bench.h"

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

/* R-DEC-04: back at its mapping. While it is trusted elsewhere, where it
 * answered to the cookie, this moves nothing: a source address is forged more
 * easily. */
static void a_client_that_returns_is_followed_when_trust_ends(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct test_packet q = from_client(client(), ip6(N));
	struct test_packet bubble = make_bubble(client(), ip6(N));

	prove(b, client(), ep4(MOVED, 2000));
	b->now += 20 * TEREDO_SECOND;
	expect_delivery(b, &q, home());
	assert_int_equal(outbox_count(b, OUTBOX_PEER_UP), 0);
	expect_udp_drop(b, &bubble, home(), TEREDO_DROP_spoofed);
	expect_sent(b, &p, ep4(MOVED, 2000));
	b->now += 10 * TEREDO_SECOND;
	expect_delivery(b, &q, home());
	assert_int_equal(outbox_count(b, OUTBOX_PEER_UP), 1);
	expect_sent(b, &p, home());
	expect_udp_drop(b, &q, ep4(MOVED, 2000), TEREDO_DROP_spoofed);
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

/* R-GEN-04: nor does a right answer displace one who is trusted */
static void a_right_answer_finds_no_room_in_a_full_table(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 1,
	});
	struct teredo_addr other = teredo6(SERVER, 0, HOST, 7);
	struct test_packet p = to_client(ip6(N), client()), answer;
	struct test_packet q = to_client(ip6(N), other);

	(void)state;
	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	prove(b, other, ep4(HOST, 7));
	expect_udp_drop(b, &answer, home(), TEREDO_DROP_table_full);
	expect_sent(b, &q, ep4(HOST, 7));
	bench_free(b);
}

static struct teredo_addr a_cookie_drawn_from(uint64_t seed)
{
	struct teredo_env env = test_env(&seed);
	struct test_packet p = to_client(ip6(N), client());
	struct relay_bench *b = calloc(1, sizeof(*b));
	struct teredo_addr cookie;

	assert_non_null(b);
	b->r = teredo_relay_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(), .max_peers = 1 }, &env);
	assert_non_null(b->r);
	give_tun(b, &p);
	cookie = bubble_source(b);
	bench_free(b);
	return cookie;
}

static void nobody_can_guess_a_cookie_from_another_relay(void **state)
{
	struct teredo_addr one = a_cookie_drawn_from(1);
	struct teredo_addr two = a_cookie_drawn_from(2);

	(void)state;
	assert_memory_not_equal(one.b, two.b, 16);
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

/* R-DEC-03, R-GEN-02: kept, asked, and delivered after one round trip */
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
		char host[sizeof("202.000.000.1")];
		struct test_packet p;

		snprintf(host, sizeof(host), "202.%u.%u.1", i >> 8, i & 255);
		p = from_client(teredo6(SERVER, 0, host, 1), ip6(N));
		b->now += TEREDO_SECOND / 10000;
		taken += give_udp(b, &p, ep4(host, 1)).fate == TEREDO_TAKEN;
	}
	assert_in_range(taken, 1399, 1401);
	assert_int_equal(bench_count(b, TEREDO_DROP_rate_limited),
			 50000 - taken);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_unproven, taken);
	bench_free(b);
}

/* R-DEC-03: 64 at once, then 16/s of one address, by whatever ports, and others
 * are let in meanwhile */
static void strangers_of_one_address_are_let_in_more_slowly(void **state)
{
	struct relay_bench *b = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 10000,
	});
	struct test_packet p;
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		p = from_client(teredo6(SERVER, 0, HOST, 1 + i), ip6(N));
		b->now += TEREDO_SECOND / 10000;
		taken += give_udp(b, &p, ep4(HOST, 1 + i)).fate ==
			 TEREDO_TAKEN;
	}
	assert_in_range(taken, 64 + 79, 64 + 81);
	p = from_client(teredo6(SERVER, 0, MOVED, 1), ip6(N));
	assert_int_equal(give_udp(b, &p, ep4(MOVED, 1)).fate, TEREDO_TAKEN);
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
	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));

	bench_setup(&fresh);
	next = fresh;
	next->now = b->now + 3 * TEREDO_SECOND;
	expect_udp_drop(next, &answer, ep4(MOVED, 2000),
			TEREDO_DROP_unknown_peer);
	teredo_relay_restore(next->r, &saved, next->now);
	assert_int_equal(give_udp(next, &answer, ep4(MOVED, 2000)).fate,
			 TEREDO_TAKEN);
	expect_sent(next, &p, ep4(MOVED, 2000));
	bench_free(next);
}

/* ... but not of who is denied by now: the client, where it answers from, or
 * its server (PeerDeny). */
static void the_cookie_of_who_is_denied_by_now_counts_nothing(void **state)
{
	static const char *const denied[] = { HOST, MOVED, SERVER };
	struct relay_bench *b = *state, *next;
	struct test_packet p = to_client(ip6(N), client()), answer;
	struct teredo_relay_saved saved;

	teredo_relay_save(b->r, &saved);
	give_tun(b, &p);
	answer = make_bubble(client(), bubble_source(b));
	for (size_t i = 0; i < COUNT(denied); i++) {
		struct teredo_relay_config config = {
			.prefix = addr_default_prefix(),
			.max_peers = 64,
			.access = { .n = 1, .rule = { { ip4(denied[i]), 32,
							false } } },
		};

		next = bench_new(&config);
		teredo_relay_restore(next->r, &saved, next->now);
		expect_udp_drop(next, &answer, ep4(MOVED, 2000),
				TEREDO_DROP_denied);
		bench_free(next);
	}
}

/* RFC 4380 5.2.4: a crash is no reason to be trusted anew. */
static void a_restored_peer_is_trusted_for_as_long_as_before(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_addr who = client();
	struct test_packet p = to_client(ip6(N), who);
	struct teredo_relay_status st;

	teredo_relay_restore_peer(b->r, &who, ep4(MOVED, 2000),
				  b->now - 20 * TEREDO_SECOND, b->now, &b->ob);
	run_until(b, b->now + 9 * TEREDO_SECOND);
	expect_sent(b, &p, ep4(MOVED, 2000));
	run_until(b, b->now + 2 * TEREDO_SECOND);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven, 1);	/* as the one before had it */
}

static void who_was_heard_too_long_ago_or_never_is_not_restored(void **state)
{
	struct relay_bench *b = *state;
	const teredo_time heard[] = { b->now - 301 * TEREDO_SECOND, 0,
				      b->now + 1, TEREDO_NEVER };
	struct teredo_addr who = client();

	outbox_clear(&b->ob);
	for (unsigned i = 0; i < COUNT(heard); i++)
		teredo_relay_restore_peer(b->r, &who, ep4(MOVED, 2000),
					  heard[i], b->now, &b->ob);
	assert_int_equal(b->ob.n, 0);
}

/* R-GEN-04: who has lapsed makes room in the next engine, too. */
static void a_table_full_of_lapsed_peers_has_room(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct teredo_relay_status st;

	teredo_relay_status(b->r, &st);
	for (uint32_t i = 0; i < st.peers_max; i++) {
		struct teredo_addr who = teredo6(SERVER, 0, "192.0.2.77",
						 (uint16_t)(1000 + i));

		teredo_relay_restore_peer(b->r, &who, addr_mapping(&who),
					  b->now - 31 * TEREDO_SECOND, b->now,
					  &b->ob);
		outbox_clear(&b->ob);
	}
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven, st.peers_max);
	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
}

static void a_restored_peer_is_trusted_from_now_on(void **state)
{
	struct relay_bench *b = *state;
	struct teredo_addr who = client();
	struct test_packet p = to_client(ip6(N), who);

	outbox_clear(&b->ob);
	teredo_relay_restore_peer(b->r, &who, ep4(MOVED, 2000), b->now,
				  b->now, &b->ob);
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
					  b->now, b->now, &b->ob);
	assert_int_equal(b->ob.n, 0);
	teredo_relay_status(b->r, &st);
	assert_int_equal(st.peers_proven + st.peers_unproven, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_client_behind_a_symmetric_nat_is_served),
		T(a_client_that_moves_is_followed),
		T(a_client_that_returns_is_followed_when_trust_ends),
		T(a_forged_answer_proves_nothing),
		T(a_right_answer_finds_no_room_in_a_full_table),
		T(nobody_can_guess_a_cookie_from_another_relay),
		T(a_cookie_is_good_for_30_s),
		T(a_client_that_we_sent_to_is_believed_at_its_mapping),
		T(a_plain_bubble_from_its_mapping_is_believed_too),
		T(a_stranger_is_asked_before_it_is_believed),
		T(a_stranger_becomes_known_by_an_answer_of_our_side),
		T(strangers_are_let_in_slowly),
		T(strangers_of_one_address_are_let_in_more_slowly),
		T(a_bubble_of_a_stranger_is_dropped),
		T(a_source_elsewhere_than_its_mapping_is_refused),
		T(a_stale_client_elsewhere_is_asked_again),
		T(our_own_bubble_is_refused),
		T(an_answer_from_an_unfit_endpoint_is_refused),
		T(a_full_table_takes_no_stranger),
		T(cookies_outlive_the_process),
		T(the_cookie_of_who_is_denied_by_now_counts_nothing),
		T(a_restored_peer_is_trusted_for_as_long_as_before),
		T(who_was_heard_too_long_ago_or_never_is_not_restored),
		T(a_table_full_of_lapsed_peers_has_room),
		T(a_restored_peer_is_trusted_from_now_on),
		T(an_unfit_peer_is_not_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
