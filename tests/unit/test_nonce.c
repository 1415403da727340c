/*
 * test_nonce.c - cookies and the ring of nonces
 */
#include "tests/unit/testing.h"

#include "libteredo/nonce.h"

static uint8_t key[SIPHASH_KEY_LEN];
static struct teredo_addr peer, cookie;
static struct nonce_ring ring;
static struct teredo_env env;
static uint64_t seed;

static int setup(void **state)
{
	(void)state;
	seed = 1;
	env = test_env(&seed);
	env.random(env.ctx, key, sizeof(key));
	peer = ip6("2001:0:c633:6476:0:dfff:3fff:fdf5");
	memset(&ring, 0, sizeof(ring));
	return 0;
}

/* R-DEC-07 */
static void a_cookie_is_good_for_this_period_and_the_next(void **state)
{
	teredo_time now = 7 * NONCE_COOKIE_PERIOD + 1;

	(void)state;
	nonce_cookie(key, &peer, now, &cookie);
	assert_true(nonce_cookie_is(key, &peer, now, &cookie));
	now = 8 * NONCE_COOKIE_PERIOD - 1;
	assert_true(nonce_cookie_is(key, &peer, now, &cookie));
	now = 9 * NONCE_COOKIE_PERIOD - 1;
	assert_true(nonce_cookie_is(key, &peer, now, &cookie));
	now = 9 * NONCE_COOKIE_PERIOD;
	assert_false(nonce_cookie_is(key, &peer, now, &cookie));
	/* nor before it was given out */
	now = 7 * NONCE_COOKIE_PERIOD - 1;
	assert_false(nonce_cookie_is(key, &peer, now, &cookie));
}

static void the_first_period_has_none_before_it(void **state)
{
	(void)state;
	nonce_cookie(key, &peer, UINT64_MAX, &cookie);
	assert_false(nonce_cookie_is(key, &peer, 0, &cookie));
	nonce_cookie(key, &peer, 0, &cookie);
	assert_true(nonce_cookie_is(key, &peer, 0, &cookie));
}

static void a_cookie_is_of_one_peer_and_one_key(void **state)
{
	struct teredo_addr other = peer;

	(void)state;
	nonce_cookie(key, &peer, 0, &cookie);
	other.b[9] ^= 1;
	assert_false(nonce_cookie_is(key, &other, 0, &cookie));
	for (unsigned bit = 0; bit < 128; bit++) {
		other = cookie;
		other.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(nonce_cookie_is(key, &peer, 0, &other));
	}
	key[0] ^= 1;
	assert_false(nonce_cookie_is(key, &peer, 0, &cookie));
}

/* A-ADDR-04 */
static void a_cookie_looks_like_nobody_else(void **state)
{
	struct teredo_addr and, or;

	(void)state;
	memset(&and, 0xff, sizeof(and));
	memset(&or, 0, sizeof(or));
	for (unsigned i = 0; i < 1000; i++) {
		nonce_cookie(key, &peer, i * NONCE_COOKIE_PERIOD, &cookie);
		assert_true(addr_is_link_local(&cookie));
		assert_int_equal(addr_flags(&cookie) & 0x0300, 0);
		assert_int_equal(addr_flags(&cookie) & ADDR_FLAG_CONE, 0);
		assert_int_not_equal(addr_flags(&cookie), 0);
		for (unsigned o = 0; o < 16; o++) {
			and.b[o] &= cookie.b[o];
			or.b[o] |= cookie.b[o];
		}
	}
	/* the other 60 bits all vary */
	cookie = ip6("fe80::400:0:0:0");
	assert_addr_equal(&and, &cookie);
	cookie = ip6("fe80::7cff:ffff:ffff:ffff");
	assert_addr_equal(&or, &cookie);
}

/* C-SECQ-02, C-SECQ-03 */
static void a_nonce_is_good_once_and_with_it_all_others_end(void **state)
{
	uint8_t first[WIRE_NONCE_LEN] = { 0 }, second[WIRE_NONCE_LEN] = { 0 };

	(void)state;
	nonce_ring_new(&ring, &env, 0, first);
	nonce_ring_new(&ring, &env, TEREDO_SECOND, second);
	assert_memory_not_equal(first, second, WIRE_NONCE_LEN);
	assert_true(nonce_ring_take(&ring, 2 * TEREDO_SECOND, first));
	assert_false(nonce_ring_take(&ring, 2 * TEREDO_SECOND, first));
	assert_false(nonce_ring_take(&ring, 2 * TEREDO_SECOND, second));
}

/* R-DEC-07: who was taken over knows nothing of use for long. */
static void the_key_of_the_process_before_is_good_for_a_minute(void **state)
{
	teredo_time now = 7 * NONCE_COOKIE_PERIOD, end = now + 60 * TEREDO_SECOND;
	struct nonce_keys keys;

	(void)state;
	nonce_keys_new(&keys, &env);
	assert_memory_not_equal(keys.own, key, sizeof(key));
	nonce_cookie(key, &peer, now, &cookie);
	assert_false(nonce_keys_are_of(&keys, &peer, now, &cookie));
	nonce_keys_inherit(&keys, key, now);
	assert_true(nonce_keys_are_of(&keys, &peer, now, &cookie));
	assert_true(nonce_keys_are_of(&keys, &peer, end - 1, &cookie));
	nonce_cookie(key, &peer, end, &cookie);	/* made by who knows it */
	assert_false(nonce_keys_are_of(&keys, &peer, end, &cookie));
	nonce_cookie(keys.own, &peer, end, &cookie);
	assert_true(nonce_keys_are_of(&keys, &peer, end, &cookie));
}

static void secrets_are_the_same_octet_by_octet(void **state)
{
	uint8_t a[9] = "abcdefgh", b[9] = "abcdefgh";

	(void)state;
	assert_true(nonce_is_same(a, b, sizeof(a)));
	assert_true(nonce_is_same(a, b, 0));
	for (unsigned i = 0; i < 8; i++) {
		b[i] ^= 0x80;
		assert_false(nonce_is_same(a, b, 8));
		assert_true(nonce_is_same(a, b, i));
		b[i] ^= 0x80;
	}
}

/* C-SECQ-02 */
static void no_other_nonce_is_good(void **state)
{
	uint8_t nonce[WIRE_NONCE_LEN], zero[WIRE_NONCE_LEN] = { 0 };

	(void)state;
	assert_false(nonce_ring_take(&ring, 0, zero));
	nonce_ring_new(&ring, &env, 0, nonce);
	assert_false(nonce_ring_take(&ring, 0, zero));
	for (unsigned bit = 0; bit < 64; bit++) {
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(nonce_ring_take(&ring, 0, nonce));
		nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(nonce_ring_take(&ring, 0, nonce));
}

static void a_nonce_ends_after_15_seconds(void **state)
{
	uint8_t nonce[WIRE_NONCE_LEN];

	(void)state;
	nonce_ring_new(&ring, &env, 5 * TEREDO_SECOND, nonce);
	assert_false(nonce_ring_take(&ring, 20 * TEREDO_SECOND, nonce));
	assert_true(nonce_ring_take(&ring, 20 * TEREDO_SECOND - 1, nonce));
}

static void the_last_four_nonces_are_remembered(void **state)
{
	uint8_t nonce[5][WIRE_NONCE_LEN];

	(void)state;
	for (unsigned take = 1; take < 5; take++) {
		for (unsigned i = 0; i < 5; i++)
			nonce_ring_new(&ring, &env, 0, nonce[i]);
		assert_false(nonce_ring_take(&ring, 0, nonce[0]));
		assert_true(nonce_ring_take(&ring, 0, nonce[take]));
	}
}

/* SEC-MITM-01 */
static void all_of_a_nonce_is_drawn(void **state)
{
	uint8_t nonce[WIRE_NONCE_LEN], seen[WIRE_NONCE_LEN] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		nonce_ring_new(&ring, &env, i, nonce);
		for (unsigned k = 0; k < sizeof(nonce); k++)
			seen[k] |= nonce[k];
	}
	for (unsigned k = 0; k < sizeof(seen); k++)
		assert_int_equal(seen[k], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_cookie_is_good_for_this_period_and_the_next, setup),
		cmocka_unit_test_setup(the_first_period_has_none_before_it,
				       setup),
		cmocka_unit_test_setup(a_cookie_is_of_one_peer_and_one_key,
				       setup),
		cmocka_unit_test_setup(a_cookie_looks_like_nobody_else, setup),
		cmocka_unit_test_setup(
			a_nonce_is_good_once_and_with_it_all_others_end, setup),
		cmocka_unit_test_setup(
			the_key_of_the_process_before_is_good_for_a_minute,
			setup),
		cmocka_unit_test_setup(secrets_are_the_same_octet_by_octet,
				       setup),
		cmocka_unit_test_setup(no_other_nonce_is_good, setup),
		cmocka_unit_test_setup(a_nonce_ends_after_15_seconds, setup),
		cmocka_unit_test_setup(all_of_a_nonce_is_drawn, setup),
		cmocka_unit_test_setup(the_last_four_nonces_are_remembered,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
