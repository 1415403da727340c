/*
 * test_client_qualify.c - how a client gets its address
 *
 * RFC 4380 5.2.1, 5.2.2 (the nonce), RFC 5991 3.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

/* Starts and resolves server 0; the nonce of the first solicitation. */
static const uint8_t *probing(void)
{
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	return bench_expect_rs(SERVER);
}

/* C-CFG-04 */
static void nothing_is_carried_before_there_is_an_address(void **state)
{
	struct teredo_addr own = ip6("2001:0:c633:6401:0:63bf:3fff:fdd2");
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_addr peer = bench_peer(ep4("192.0.2.99", 5000));
	struct test_packet p = { .len = 0 };

	(void)state;
	probing();
	packet_ip6(&p, 17, &own, &native, 8);
	assert_dropped(bench_tun(&p), not_qualified);
	p.len = 0;
	packet_ip6(&p, 17, &own, &peer, 8);
	assert_dropped(bench_tun(&p), not_qualified);
	p.len = 0;
	packet_ip6(&p, 17, &peer, &own, 8);
	assert_dropped(bench_udp(ep4("192.0.2.99", 5000), &p), not_qualified);
	bench_expect_silence();
}

/* C-SECQ-03 */
static void each_solicitation_has_a_fresh_nonce(void **state)
{
	uint8_t seen[200][8];
	unsigned n = 0;

	(void)state;
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	while (n < COUNT(seen)) {
		const struct sent *s;

		while (n < COUNT(seen) && (s = bench_next()) != NULL) {
			memcpy(seen[n], s->data + 4, 8);
			for (unsigned i = 0; i < n; i++)
				assert_memory_not_equal(seen[i], seen[n], 8);
			n++;
		}
		bench_forget();
		bench_run(30 * S);
	}
}

/* C-QUAL-12, C-QUAL-19, A-ADDR-01..05, A-MTU-01 */
static void the_address_is_made_of_the_advertisement(void **state)
{
	struct bench_ra ra;
	struct teredo_client_status st;
	struct teredo_addr a;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	assert_int_equal(bench_status().mtu, 1280);	/* A-MTU-01 */
	bench_run(37 * MS);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count(TEREDO_EV_ra_accepted), 1);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
	st = bench_status();
	assert_int_equal(st.state, TEREDO_CLIENT_QUALIFIED);
	assert_true(st.has_address);
	assert_addr_equal(&st.addr, &bench.own);
	addr_make(&a, addr_default_prefix(), ip4(SERVER),
		  addr_flags(&bench.own), ep4("192.0.2.45", 40000));
	assert_addr_equal(&st.addr, &a);
	assert_int_equal(addr_flags(&a) & ~0x3cff, 0);
	assert_ep_equal(st.mapped, ep4("192.0.2.45", 40000));
	assert_ep_equal(st.local, ep4("10.0.0.2", 40001));
	assert_int_equal(st.mtu, 1280);
	assert_int_equal(bench.mtu, 1280);
	assert_int_equal(st.rtt / MS, 37);
	assert_int_equal(st.last_answer, bench.now);
	assert_int_equal(st.since, bench.now);
	assert_int_equal(st.failures, 0);
	assert_int_equal(st.server, 0);
	assert_int_equal(st.server_ip, ip4(SERVER));
	assert_int_equal(st.server_ip2, ip4(SERVER2));
}

/* C-RAND-01, C-RAND-02, C-RAND-03, C-CONE-01, A-ADDR-04, A-ADDR-05,
 * SEC-ADR-02 */
static void the_twelve_random_bits_are_random_and_no_other_is_set(void **state)
{
	unsigned ones[16] = { 0 };
	const unsigned rounds = 400;
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		bench_close();
		bench_open(1, 4);
		bench.seed = test_random(&seed);
		bench_qualify();
		for (unsigned bit = 0; bit < 16; bit++)
			ones[bit] += addr_flags(&bench.own) >> bit & 1;
	}
	for (unsigned bit = 0; bit < 16; bit++) {
		if (0x3cff >> bit & 1)
			assert_in_range(ones[bit], rounds * 4 / 10,
					rounds * 6 / 10);
		else
			assert_int_equal(ones[bit], 0);
	}
}

/* C-QUAL-07 */
static void an_advertisement_without_origin_is_ignored(void **state)
{
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	ra.origin = (struct teredo_ep){ 0, 0 };
	assert_dropped(bench_answer(&ra), bad_ra);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
	bench_run(4 * S);
	bench_expect_rs(SERVER);
}

/* C-QUAL-08, C-QUAL-10: offsets from the IPv6 header of the advertisement */
static void an_invalid_advertisement_is_ignored(void **state)
{
	static const struct {
		const char *what;
		unsigned at;
		uint8_t value;
	} bad[] = {
		{ "hop limit", 7, 254 },
		{ "global source", 8, 0x20 },
		{ "type", 40, 133 },
		{ "code", 41, 1 },
		{ "zero-length option", 40 + 16 + 1, 0 },
		{ "no prefix option", 40 + 16, 200 },
		{ "two prefix options", 40 + 48, 3 },
		{ "prefix length", 40 + 16 + 2, 48 },
	};
	struct bench_ra ra;
	struct test_packet p;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	for (unsigned i = 0; i < COUNT(bad); i++) {
		bench_put_ra(&p, &ra);
		p.b[21 + bad[i].at] = bad[i].value;
		bench_fix_checksum(&p, 21);
		if (bench_udp(ra.from, &p).fate != TEREDO_DROP)
			fail_msg("%s", bad[i].what);
	}
	bench_put_ra(&p, &ra);
	p.b[21 + 42] ^= 1;	/* checksum */
	assert_dropped(bench_udp(ra.from, &p), bad_ra);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
	/* C-QUAL-13: the timer went on, the nonce is still good */
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

/* C-QUAL-10, with two well-formed prefix options */
static void an_advertisement_of_two_prefixes_is_ignored(void **state)
{
	struct bench_ra ra;
	struct test_packet p;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_put_ra(&p, &ra);
	packet_put(&p, p.b + 21 + 40 + 16, 32);
	p.b[21 + 5] = (uint8_t)(p.b[21 + 5] + 32);
	bench_fix_checksum(&p, 21);
	assert_dropped(bench_udp(ra.from, &p), bad_ra);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* A-ENC-08 */
static void a_truncated_advertisement_is_ignored(void **state)
{
	struct bench_ra ra;
	struct test_packet p;
	size_t whole;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_put_ra(&p, &ra);
	whole = p.len;
	for (p.len = 0; p.len < whole; p.len++)
		assert_dropped(bench_udp(ra.from, &p), malformed);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
	bench_expect_silence();
}

/* C-QUAL-09 */
static void an_advertisement_to_another_address_is_ignored(void **state)
{
	static const char *const others[] = { "fe80::8000:ffff:ffff:ffff",
		"fe80::ffff:ffff:fffe", "ff02::1",
		"2001:0:c633:6401:0:63bf:3fff:fdd2" };
	struct bench_ra ra;
	struct test_packet p;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	for (unsigned i = 0; i < COUNT(others); i++) {
		struct teredo_addr dst = ip6(others[i]);

		bench_put_ra(&p, &ra);
		memcpy(p.b + 21 + 24, &dst, 16);
		bench_fix_checksum(&p, 21);
		assert_int_equal(bench_udp(ra.from, &p).fate, TEREDO_DROP);
	}
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* C-QUAL-11 */
static void an_advertisement_of_another_prefix_is_ignored(void **state)
{
	static const char *const prefixes[] = { "3ffe:831f:c633:6401::",
		"2001:0:c633:6402::", "2001:1:c633:6401::", "2001:db8::" };
	struct bench_ra ra;
	struct test_packet p;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	for (unsigned i = 0; i < COUNT(prefixes); i++) {
		struct teredo_addr prefix = ip6(prefixes[i]);

		bench_put_ra(&p, &ra);
		memcpy(p.b + 21 + 40 + 16 + 16, &prefix, 16);
		bench_fix_checksum(&p, 21);
		assert_int_equal(bench_udp(ra.from, &p).fate, TEREDO_DROP);
	}
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* A-ADDR-07 */
static void an_origin_that_is_no_global_address_is_ignored(void **state)
{
	static const char *const bad[] = { "10.0.0.1", "127.0.0.1", "224.0.0.1",
		"192.168.0.1", "255.255.255.255", "0.0.0.1" };
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	for (unsigned i = 0; i < COUNT(bad); i++) {
		ra.origin = ep4(bad[i], 40000);
		assert_dropped(bench_answer(&ra), martian_v4);
	}
	ra.origin = ep4("192.0.2.45", 0);
	assert_dropped(bench_answer(&ra), martian_v4);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* C-SECQ-01, C-SECQ-02, SEC-MITM-01 */
static void an_advertisement_without_our_nonce_is_ignored(void **state)
{
	struct bench_ra ra;
	uint8_t nonce[8];

	(void)state;
	memcpy(nonce, probing(), 8);
	ra = bench_ra(nonce, SERVER);
	for (unsigned bit = 0; bit < 64; bit++) {
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_dropped(bench_answer(&ra), nonce);
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ra.nonce = NULL;
	assert_dropped(bench_answer(&ra), nonce);
	ra.nonce = nonce;
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_dropped(bench_answer(&ra), nonce);	/* once only */
}

static void an_answer_to_an_earlier_solicitation_counts(void **state)
{
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_run(9 * S);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

static void an_answer_after_a_minute_is_too_late(void **state)
{
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_run(60 * S);
	assert_dropped(bench_answer(&ra), nonce);
}

/* The legacy cone answer comes from the server's other address: not used. */
static void an_answer_from_somewhere_else_is_ignored(void **state)
{
	struct teredo_ep elsewhere[] = { ep4(SERVER2, 3544), ep4(SERVER, 3545),
					 ep4("203.0.113.1", 3544) };
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	for (unsigned i = 0; i < COUNT(elsewhere); i++) {
		ra.from = elsewhere[i];
		assert_dropped(bench_answer(&ra), nonce);
	}
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

static void a_nonce_counts_for_the_server_that_got_it_only(void **state)
{
	struct bench_ra ra;

	(void)state;
	ra = bench_ra(probing(), RESERVE);	/* RESERVE knows SERVER's */
	assert_true(bench_server(1, RESERVE, NULL));
	assert_dropped(bench_answer(&ra), nonce);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* C-SECQ-05 */
static void a_refusal_of_the_server_is_counted_and_ignored(void **state)
{
	struct bench_ra ra;
	struct test_packet p;

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_put_ra(&p, &ra);
	p.b[12] = 1;
	assert_dropped(bench_udp(ra.from, &p), confirmation);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* A-ENC-03: lengths of identifier and value that a server may use */
static void an_answer_with_identifier_and_value_is_parsed(void **state)
{
	struct bench_ra ra;
	struct test_packet p, q = { .len = 0 };
	uint8_t filler[255] = { 0 };

	(void)state;
	ra = bench_ra(probing(), SERVER);
	bench_put_ra(&p, &ra);
	packet_put(&q, "\0\1\20\24", 4);
	packet_put(&q, filler, 16 + 20);
	packet_put(&q, p.b + 4, p.len - 4);
	assert_int_equal(bench_udp(ra.from, &q).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

/* A-MTU-04 */
static void the_mtu_of_the_server_is_used_within_bounds(void **state)
{
	static const struct {
		uint32_t said, used;
	} mtu[] = { { 1280, 1280 }, { 1400, 1400 }, { 65507, 65507 },
		    { 1279, 1280 }, { 65508, 1280 }, { 0, 1280 },
		    { 0xffffffff, 1280 } };

	(void)state;
	for (unsigned i = 0; i < COUNT(mtu); i++) {
		struct bench_ra ra;

		bench_close();
		bench_open(1, 4);
		ra = bench_ra(probing(), SERVER);
		ra.mtu = mtu[i].said;
		assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
		assert_int_equal(bench.mtu, mtu[i].used);
		assert_int_equal(bench_status().mtu, mtu[i].used);
	}
}

static void state_and_nat_have_names(void **state)
{
	(void)state;
	assert_string_equal(teredo_client_state_name(TEREDO_CLIENT_RESOLVING),
			    "resolving");
	assert_string_equal(teredo_client_state_name(TEREDO_CLIENT_LOST),
			    "lost");
	assert_string_equal(teredo_nat_name(TEREDO_NAT_CONE_OR_RESTRICTED),
			    "restricted");
	for (unsigned i = 0; i < TEREDO_CLIENT_STATES; i++)
		assert_true(strlen(teredo_client_state_name(
			(enum teredo_client_state)i)) > 1);
	for (unsigned i = 0; i < TEREDO_NATS; i++)
		assert_true(strlen(teredo_nat_name((enum teredo_nat)i)) > 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_carried_before_there_is_an_address),
		T(each_solicitation_has_a_fresh_nonce),
		T(the_address_is_made_of_the_advertisement),
		T(the_twelve_random_bits_are_random_and_no_other_is_set),
		T(an_advertisement_without_origin_is_ignored),
		T(an_invalid_advertisement_is_ignored),
		T(an_advertisement_of_two_prefixes_is_ignored),
		T(a_truncated_advertisement_is_ignored),
		T(an_advertisement_to_another_address_is_ignored),
		T(an_advertisement_of_another_prefix_is_ignored),
		T(an_origin_that_is_no_global_address_is_ignored),
		T(an_advertisement_without_our_nonce_is_ignored),
		T(an_answer_to_an_earlier_solicitation_counts),
		T(an_answer_after_a_minute_is_too_late),
		T(an_answer_from_somewhere_else_is_ignored),
		T(a_nonce_counts_for_the_server_that_got_it_only),
		T(a_refusal_of_the_server_is_counted_and_ignored),
		T(an_answer_with_identifier_and_value_is_parsed),
		T(the_mtu_of_the_server_is_used_within_bounds),
		T(state_and_nat_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
