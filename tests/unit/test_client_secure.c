/*
 * test_client_secure.c - a client with a key: secure qualification
 *
 * RFC 4380 5.2.2. The server's elements are of the tests' own making.
 */
#include "config.h"

#include "keyed.h"
#include "tests/unit/client_bench.h"

static struct auth_key alice(void)
{
	return keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
}

static int setup(void **state)
{
	struct auth_key key = alice();

	(void)state;
	bench_open_keyed(2, 64, &key, hmac_compute);
	return 0;
}

/* The next packet, a solicitation to `server` by that key: its nonce. */
static const uint8_t *expect_rs_by(const struct auth_key *key,
				   const char *server)
{
	const struct sent *s = bench_expect_udp(addr_server_ep(ip4(server)));
	const uint8_t *tail = s->data + s->len - ICMP6_RS_LEN - 9;
	struct test_packet want = { .len = 0 };

	keyed_put(&want, key, tail, 0, s->data + s->len - ICMP6_RS_LEN,
		  ICMP6_RS_LEN);
	assert_int_equal(s->len, want.len);
	assert_memory_equal(s->data, want.b, want.len);
	return tail;
}

static const uint8_t *probing(void)
{
	struct auth_key key = alice();

	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	return expect_rs_by(&key, SERVER);
}

/* What `server` answers to that nonce. */
static struct test_packet ra_by(const struct auth_key *key,
				const uint8_t *nonce, uint8_t confirmation,
				const char *server)
{
	struct bench_ra ra = bench_ra(NULL, server);
	struct test_packet body, p = { .len = 0 };

	ra.prefix_ip = ip4(SERVER);
	bench_put_ra(&body, &ra);
	keyed_put(&p, key, nonce, confirmation, body.b, body.len);
	return p;
}

static struct teredo_verdict give(const struct test_packet *p,
				  const char *server)
{
	return bench_udp(addr_server_ep(ip4(server)), p);
}

static void qualify(void)
{
	struct auth_key key = alice();
	struct test_packet ra = ra_by(&key, probing(), 0, SERVER);

	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

/* C-CFG-02, C-SECQ-01, C-SECQ-04, C-SECQ-07, C-SECQ-08; the second address is
 * asked in the same way */
static void solicitation_and_advertisement_are_by_the_same_key(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra;

	(void)state;
	qualify();
	assert_true(bench_status().has_address);
	ra = ra_by(&key, expect_rs_by(&key, SERVER2), 0, SERVER2);
	assert_int_equal(give(&ra, SERVER2).fate, TEREDO_TAKEN);
	assert_int_equal(bench_status().nat, TEREDO_NAT_CONE_OR_RESTRICTED);
	bench_forget();
	bench_run(31 * S);	/* and in maintenance (SEC-MITM-01) */
	ra = ra_by(&key, expect_rs_by(&key, SERVER), 0, SERVER);
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count(TEREDO_EV_ra_accepted), 3);
}

/* C-SECQ-09 */
static void both_may_agree_on_sha256(void **state)
{
	struct auth_key key = keyed_key("alice", 1, TEREDO_HMAC_SHA256);
	struct test_packet ra;

	(void)state;
	bench_close();
	bench_open_keyed(1, 4, &key, hmac_compute);
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	ra = ra_by(&key, expect_rs_by(&key, SERVER), 0, SERVER);
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_true(bench_status().has_address);
}

/* C-SECQ-01 */
static void an_answer_without_authentication_is_refused(void **state)
{
	const uint8_t *nonce = probing();
	struct bench_ra ra = bench_ra(nonce, SERVER);

	(void)state;
	assert_dropped(bench_answer(&ra), authentication);
	ra.nonce = NULL;
	assert_dropped(bench_answer(&ra), nonce);
	assert_false(bench_status().has_address);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* C-SECQ-06, C-SECQ-09: fails closed */
static void an_answer_by_another_key_is_refused(void **state)
{
	const uint8_t *nonce = probing();
	struct auth_key keys[] = {
		keyed_key("alice", 0x0c, TEREDO_HMAC_SHA1),
		keyed_key("alicf", 0x0b, TEREDO_HMAC_SHA1),
		keyed_key("alice2", 0x0b, TEREDO_HMAC_SHA1),
		keyed_key("alic", 0x0b, TEREDO_HMAC_SHA1),
		keyed_key("", 0x0b, TEREDO_HMAC_SHA1),
		keyed_key("alice", 0x0b, TEREDO_HMAC_SHA256),
	};
	struct test_packet ra;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		ra = ra_by(&keys[i], nonce, 0, SERVER);
		assert_dropped(give(&ra, SERVER), authentication);
	}
	assert_false(bench_status().has_address);
	keys[0] = alice();
	ra = ra_by(&keys[0], nonce, 0, SERVER);
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
}

/* C-SECQ-02, C-SECQ-06, C-SECQ-08: each bit of element, origin and packet */
static void no_changed_answer_is_taken(void **state)
{
	struct auth_key key = alice();
	struct test_packet good = ra_by(&key, probing(), 0, SERVER), p;

	(void)state;
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		p = good;
		p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(give(&p, SERVER).fate, TEREDO_DROP);
	}
	for (p = good; p.len-- > 0;)
		assert_int_equal(give(&p, SERVER).fate, TEREDO_DROP);
	assert_false(bench_status().has_address);
	assert_int_equal(give(&good, SERVER).fate, TEREDO_TAKEN);
}

/* C-SECQ-08: a middlebox, or a server that thinks better of it */
static void an_origin_changed_after_signing_is_refused(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra = ra_by(&key, probing(), 0, SERVER);

	(void)state;
	wire_put_origin(ra.b + auth_len(&key), ep4("192.0.2.46", 40000));
	assert_dropped(give(&ra, SERVER), authentication);
	assert_false(bench_status().has_address);
}

/* C-SECQ-02: what was right once is right no more */
static void a_replayed_answer_is_refused(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra = ra_by(&key, probing(), 0, SERVER);

	(void)state;
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_dropped(give(&ra, SERVER), nonce);
	expect_rs_by(&key, SERVER2);
	bench_run(12 * S);	/* the second address stays silent */
	bench_forget();
	bench_run(19 * S);
	expect_rs_by(&key, SERVER);
	assert_dropped(give(&ra, SERVER), nonce);
	assert_int_equal(bench_count(TEREDO_EV_ra_accepted), 1);
}

/* C-SECQ-05: news, once; nothing of the answer is used; asking goes on */
static void a_key_that_is_no_longer_valid_is_news(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra = ra_by(&key, probing(), 1, SERVER);

	(void)state;
	bench_forget();
	assert_dropped(give(&ra, SERVER), confirmation);
	assert_int_equal(bench_news(OUTBOX_STATE), 1);
	assert_true(bench_status().key_expired);
	assert_false(bench_status().has_address);
	assert_dropped(give(&ra, SERVER), confirmation);
	assert_int_equal(bench_news(OUTBOX_STATE), 1);
	bench_run(4 * S);
	ra = ra_by(&key, expect_rs_by(&key, SERVER), 0, SERVER);
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_false(bench_status().key_expired);
	assert_true(bench_status().has_address);
}

/* C-SECQ-05 */
static void a_refused_key_does_not_end_an_address(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra;

	(void)state;
	qualify();
	expect_rs_by(&key, SERVER2);
	bench_forget();
	bench_run(12 * S);	/* the second address stays silent */
	bench_forget();
	bench_run(19 * S);
	ra = ra_by(&key, expect_rs_by(&key, SERVER), 1, SERVER);
	assert_dropped(give(&ra, SERVER), confirmation);
	assert_true(bench_status().key_expired);
	assert_true(bench_status().has_address);
	bench_run(20 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_LOST);
	assert_true(bench_status().has_address);
}

/* C-SECQ-05, C-SECQ-06: anybody can send an octet that is not zero */
static void only_the_server_can_say_that_a_key_is_not_valid(void **state)
{
	struct auth_key key = alice(), forger = alice();
	uint8_t stale[8] = { 0 };
	struct test_packet ra;

	(void)state;
	forger.secret[0] ^= 1;
	ra = ra_by(&forger, probing(), 1, SERVER);
	bench_forget();
	assert_dropped(give(&ra, SERVER), authentication);
	ra = ra_by(&key, stale, 1, SERVER);
	assert_dropped(give(&ra, SERVER), confirmation);
	assert_false(bench_status().key_expired);
	assert_int_equal(bench_news(OUTBOX_STATE), 0);
}

/* SEC-MITM-01, SEC-MITM-02 */
static void guessing_values_gets_nowhere(void **state)
{
	struct auth_key key = alice();
	struct test_packet ra = ra_by(&key, probing(), 0, SERVER);
	uint64_t seed = 4380;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		test_env_random(&seed, ra.b + 4 + key.id_len, 20);
		assert_int_equal(give(&ra, SERVER).fate, TEREDO_DROP);
	}
	assert_false(bench_status().has_address);
	assert_int_equal(bench_count(TEREDO_DROP_authentication), 100000);
}

/* SEC-MITM-03: who is on the path can pass an authentic answer on; a mapping
 * that is another is at least counted and announced. */
static void a_mapping_that_changes_is_told(void **state)
{
	struct auth_key key = alice();
	struct bench_ra moved = bench_ra(NULL, SERVER);
	struct test_packet body, ra = { .len = 0 };

	(void)state;
	qualify();
	expect_rs_by(&key, SERVER2);
	bench_net_changed(true);
	bench_run(S);
	moved.origin = ep4("203.0.113.77", 4444);
	bench_put_ra(&body, &moved);
	keyed_put(&ra, &key, expect_rs_by(&key, SERVER), 0, body.b, body.len);
	bench_forget();
	assert_int_equal(give(&ra, SERVER).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 1);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(solicitation_and_advertisement_are_by_the_same_key),
		TEST(both_may_agree_on_sha256),
		TEST(an_answer_without_authentication_is_refused),
		TEST(an_answer_by_another_key_is_refused),
		TEST(no_changed_answer_is_taken),
		TEST(an_origin_changed_after_signing_is_refused),
		TEST(a_replayed_answer_is_refused),
		TEST(a_key_that_is_no_longer_valid_is_news),
		TEST(a_refused_key_does_not_end_an_address),
		TEST(only_the_server_can_say_that_a_key_is_not_valid),
		TEST(guessing_values_gets_nowhere),
		TEST(a_mapping_that_changes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
