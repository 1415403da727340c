/*
 * test_server_secure.c - a server with keys: secure qualification
 *
 * RFC 4380 5.3.1 rule 4, 5.3.2. Elements are of the tests' own making.
 */
#include "config.h"

#include "keyed.h"
#include "server_bench.h"

static const uint8_t nonce[9] = "\x3a\xcf\x56\x44\xdb\xca\x1e\x9f";

/* Behind the element: as in test_server_rs.c */
static const char ra_hex[] =
	"0000 63bf 3ffffdd2"
	"60000000 0038 3a ff fe80000000000000 8000f22739cc9bfe"
	"fe80000000000000 0000ffffffffffff"
	"8600 954c 00 00 0000 00000000 000007d0"
	"0304 40 40 ffffffff ffffffff 00000000 20010000c6336401"
	"0000000000000000"
	"0501 0000 00000500";

/* alice: HMAC-SHA1; bob: HMAC-SHA256; carol: no longer valid */
static struct server_bench *with_keys(bool required)
{
	struct auth_keys keys = { .n = 3 };

	keys.key[0] = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	keys.key[1] = keyed_key("bob", 0x0c, TEREDO_HMAC_SHA256);
	keys.key[2] = keyed_key("carol", 0x0d, TEREDO_HMAC_SHA1);
	keys.key[2].expired = 1;
	return bench_new_keyed(S2, 1280, &keys, required, hmac_compute);
}

static int setup(void **state)
{
	*state = with_keys(true);
	return 0;
}

static struct test_packet rs_by(const struct auth_key *key)
{
	struct test_packet inner = make_rs(ip6("fe80::ffff:ffff:ffff"));
	struct test_packet p = { .len = 0 };

	keyed_put(&p, key, nonce, 0, inner.b, inner.len);
	return p;
}

static void expect_refusal(struct server_bench *b, const struct test_packet *p)
{
	b->now += TEREDO_SECOND;
	expect_drop(b, p, ep4(CLIENT, 40000), TEREDO_DROP_authentication);
}

static void expect_answer(struct server_bench *b, const struct test_packet *rs,
			  const struct auth_key *key, uint8_t confirmation)
{
	struct test_packet body = { .len = 0 }, ra = { .len = 0 };

	packet_hex(&body, ra_hex);
	keyed_put(&ra, key, nonce, confirmation, body.b, body.len);
	b->now += TEREDO_SECOND;
	assert_octets(b, expect_udp(b, rs, ep4(CLIENT, 40000)), &ra);
}

/* S-RS-11, S-RS-12, S-RS-13, S-RS-14, C-SECQ-07; the value was computed with
 * another program */
static void a_valid_solicitation_gets_a_valid_advertisement(void **state)
{
	struct auth_key alice = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	struct test_packet rs = rs_by(&alice), ra = { .len = 0 };

	expect_answer(*state, &rs, &alice, 0);
	packet_hex(&ra, "0001 05 14 616c696365"
			"20508665e23b6f0e4ecc6b6ca1de4400667df2fd"
			"3acf5644dbca1e9f 00");
	packet_hex(&ra, ra_hex);
	assert_octets(*state, expect_udp(*state, &rs, ep4(CLIENT, 40000)),
		      &ra);
}

/* C-SECQ-09, S-RS-14: each by his own algorithm and secret */
static void each_client_has_his_own_key(void **state)
{
	struct auth_key bob = keyed_key("bob", 0x0c, TEREDO_HMAC_SHA256);
	struct test_packet rs = rs_by(&bob);

	expect_answer(*state, &rs, &bob, 0);
	bob = keyed_key("bob", 0x0b, TEREDO_HMAC_SHA256);
	rs = rs_by(&bob);
	expect_refusal(*state, &rs);
	bob = keyed_key("bob", 0x0c, TEREDO_HMAC_SHA1);
	rs = rs_by(&bob);
	expect_refusal(*state, &rs);
}

/* S-RS-13, S-CHK-04: told so by his own secret, and nobody else is */
static void an_expired_identifier_is_told_so(void **state)
{
	struct auth_key carol = keyed_key("carol", 0x0d, TEREDO_HMAC_SHA1);
	struct test_packet rs = rs_by(&carol), ra = { .len = 0 };

	expect_answer(*state, &rs, &carol, 1);
	assert_int_equal(bench_count(*state, TEREDO_EV_ra_sent), 1);
	packet_put(&ra, rs.b, rs.len);
	ra.b[4 + 5] ^= 1;	/* its value */
	expect_refusal(*state, &ra);
}

/* S-CHK-04, C-SECQ-06 */
static void who_does_not_prove_his_identifier_gets_nothing(void **state)
{
	struct auth_key mallory = keyed_key("mallory", 1, TEREDO_HMAC_SHA1);
	struct test_packet rs = rs_by(&mallory);

	expect_refusal(*state, &rs);
	mallory = keyed_key("alice", 1, TEREDO_HMAC_SHA1);
	rs = rs_by(&mallory);
	expect_refusal(*state, &rs);
	rs = make_rs(ip6("fe80::ffff:ffff:ffff"));
	expect_refusal(*state, &rs);
	rs = with_auth(rs, (const char *)nonce);
	expect_refusal(*state, &rs);
	assert_int_equal(bench_count(*state, TEREDO_EV_ra_sent), 0);
}

/* C-SECQ-06, C-SECQ-08 */
static void no_changed_solicitation_is_answered(void **state)
{
	struct auth_key alice = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	struct test_packet good = rs_by(&alice), p;
	struct server_bench *b = *state;

	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		p = good;
		p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		b->now += TEREDO_SECOND;
		bench_give(b, &p, ep4(CLIENT, 40000), TEREDO_VIA_PRIMARY);
	}
	for (p = good; p.len-- > 0;) {
		b->now += TEREDO_SECOND;
		bench_give(b, &p, ep4(CLIENT, 40000), TEREDO_VIA_PRIMARY);
	}
	assert_int_equal(bench_count(b, TEREDO_EV_ra_sent), 0);
	expect_answer(b, &good, &alice, 0);
}

/* S-CHK-04, S-RS-15: a server for everybody, and for some by key */
static void where_it_is_not_required_a_nonce_will_do(void **state)
{
	struct auth_key alice = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	struct test_packet plain = make_rs(ip6("fe80::ffff:ffff:ffff"));
	struct test_packet rs = rs_by(&alice), ra = { .len = 0 };
	struct server_bench *b = with_keys(false);

	(void)state;
	expect_answer(b, &rs, &alice, 0);
	packet_hex(&ra, ra_hex);
	assert_octets(b, expect_udp(b, &plain, ep4(CLIENT, 40000)), &ra);
	ra = with_auth(ra, (const char *)nonce);
	rs = with_auth(plain, (const char *)nonce);
	assert_octets(b, expect_udp(b, &rs, ep4(CLIENT, 40000)), &ra);
	/* who claims an identifier must prove it all the same (C-SECQ-06) */
	alice.secret[0] ^= 1;
	rs = rs_by(&alice);
	expect_refusal(b, &rs);
	bench_free(b);
}

static void required_without_a_key_nobody_is_answered(void **state)
{
	struct auth_key alice = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	struct server_bench *b =
		bench_new_keyed(S2, 1280, NULL, true, hmac_compute);
	struct test_packet rs = rs_by(&alice);

	(void)state;
	expect_refusal(b, &rs);
	bench_free(b);
}

/* SEC-REF-01: what is forged takes nothing from the client */
static void forged_solicitations_do_not_use_up_the_limit(void **state)
{
	struct auth_key alice = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
	struct auth_key forger = keyed_key("alice", 0x0c, TEREDO_HMAC_SHA1);
	struct test_packet rs = rs_by(&alice), forged = rs_by(&forger);
	struct server_bench *b = *state;

	for (unsigned i = 0; i < 1000; i++)
		expect_drop(b, &forged, ep4(CLIENT, 40000),
			    TEREDO_DROP_authentication);
	expect_udp(b, &rs, ep4(CLIENT, 40000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_valid_solicitation_gets_a_valid_advertisement),
		TEST(each_client_has_his_own_key),
		TEST(an_expired_identifier_is_told_so),
		TEST(who_does_not_prove_his_identifier_gets_nothing),
		TEST(no_changed_solicitation_is_answered),
		TEST(where_it_is_not_required_a_nonce_will_do),
		TEST(required_without_a_key_nobody_is_answered),
		TEST(forged_solicitations_do_not_use_up_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
