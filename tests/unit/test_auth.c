/*
 * test_auth.c - the keyed authentication element, and nettle behind it
 *
 * RFC 4380 5.2.2. The values were computed with another program (Python's
 * hmac) over what the RFC says that they cover.
 */
#include "config.h"

#include "keyed.h"
#include "libteredo/wire.h"

static const uint8_t nonce[8] = { 0x3a, 0xcf, 0x56, 0x44,
				  0xdb, 0xca, 0x1e, 0x9f };
static const char rs_hex[] =
	"60000000 0008 3a ff fe80000000000000 0000ffffffffffff"
	"ff02000000000000 0000000000000002 8500 7d37 00000000";

static struct teredo_env env(void)
{
	return (struct teredo_env){ .hmac = hmac_compute };
}

static struct auth_key alice(void)
{
	return keyed_key("alice", 0x0b, TEREDO_HMAC_SHA1);
}

/* C-SECQ-07: RFC 2202 case 1 and RFC 4231 case 1, 2 */
static void nettle_computes_the_hmacs_of_their_rfcs(void **state)
{
	struct test_packet want = { .len = 0 };
	uint8_t key[20], out[32];

	(void)state;
	memset(key, 0x0b, sizeof(key));
	packet_hex(&want, "b617318655057264e28bc0b6fb378c8ef146be00");
	hmac_compute(NULL, TEREDO_HMAC_SHA1, key, 20,
		     (const uint8_t *)"Hi There", 8, out);
	assert_memory_equal(out, want.b, 20);
	want.len = 0;
	packet_hex(&want, "b0344c61d8db38535ca8afceaf0bf12b"
			  "881dc200c9833da726e9376c2e32cff7");
	hmac_compute(NULL, TEREDO_HMAC_SHA256, key, 20,
		     (const uint8_t *)"Hi There", 8, out);
	assert_memory_equal(out, want.b, 32);
	want.len = 0;
	packet_hex(&want, "5bdcc146bf60754e6a042426089575c7"
			  "5a003f089d2739839dec58b964ec3843");
	hmac_compute(NULL, TEREDO_HMAC_SHA256, (const uint8_t *)"Jefe", 4,
		     (const uint8_t *)"what do ya want for nothing?", 28, out);
	assert_memory_equal(out, want.b, 32);
}

static void put_rs(struct test_packet *p, const struct auth_key *key)
{
	struct test_packet rs = { .len = 0 };
	struct teredo_env e = env();

	packet_hex(&rs, rs_hex);
	p->len = 0;
	packet_more(p, auth_len(key));
	packet_put(p, rs.b, rs.len);
	auth_put(p->b, &e, key, nonce, 0, rs.len);
}

/* C-SECQ-07, C-SECQ-08: 57 octets are covered, without padding */
static void a_solicitation_has_the_octets_computed_elsewhere(void **state)
{
	struct auth_key key = alice();
	struct test_packet p, want = { .len = 0 };

	(void)state;
	packet_hex(&want, "0001 05 14 616c696365"
			  "fd90ba56b06f7c02e3499388011485a63fe18fd2"
			  "3acf5644dbca1e9f 00");
	packet_hex(&want, rs_hex);
	put_rs(&p, &key);
	assert_int_equal(p.len, want.len);
	assert_memory_equal(p.b, want.b, want.len);
}

/* C-SECQ-09 */
static void sha256_makes_a_value_of_32_octets(void **state)
{
	struct auth_key key = keyed_key("a", 0x0b, TEREDO_HMAC_SHA256);
	struct test_packet p, want = { .len = 0 };

	(void)state;
	packet_hex(&want, "0001 01 20 61"
			  "cb06cdd05e9a76a29b61a0a9907e9fa9"
			  "e69341b71d44153b7a604afb358d416b"
			  "3acf5644dbca1e9f 00");
	packet_hex(&want, rs_hex);
	put_rs(&p, &key);
	assert_int_equal(p.len, want.len);
	assert_memory_equal(p.b, want.b, want.len);
}

/* C-SECQ-10 */
static void without_a_key_there_is_the_nonce_alone(void **state)
{
	struct auth_key none = { .algorithm = 0 };
	struct test_packet p, want = { .len = 0 };

	(void)state;
	packet_hex(&want, "0001 00 00 3acf5644dbca1e9f 00");
	packet_hex(&want, rs_hex);
	put_rs(&p, &none);
	assert_int_equal(p.len, 61);
	assert_memory_equal(p.b, want.b, want.len);
}

static bool is_valid(const struct test_packet *p, const struct auth_key *key)
{
	struct teredo_env e = env();
	struct wire_packet w;

	return wire_parse(&w, p->b, p->len) == WIRE_OK &&
	       auth_is_valid(&w, &e, key);
}

/* C-SECQ-08: trailers are behind what is covered */
static void trailers_are_not_covered(void **state)
{
	struct auth_key key = alice();
	struct test_packet p;

	(void)state;
	put_rs(&p, &key);
	assert_true(is_valid(&p, &key));
	packet_trailer(&p, 0x10, "1234", 4);
	assert_true(is_valid(&p, &key));
}

/* C-SECQ-06 */
static void each_octet_that_is_covered_counts(void **state)
{
	struct auth_key key = alice();
	struct test_packet good, p;

	(void)state;
	put_rs(&good, &key);
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		p = good;
		p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(is_valid(&p, &key));
	}
	for (p = good; p.len-- > 0;)
		assert_false(is_valid(&p, &key));
}

/* C-SECQ-06: a value that is cut short, but right as far as it goes */
static void the_beginning_of_a_value_is_no_value(void **state)
{
	struct auth_key key = alice();
	struct test_packet good;
	size_t at = 4 + key.id_len;

	(void)state;
	put_rs(&good, &key);
	for (uint8_t len = 0; len < 20; len++) {
		struct test_packet p = { .len = 0 };

		packet_put(&p, good.b, at + len);
		packet_put(&p, good.b + at + 20, good.len - at - 20);
		p.b[3] = len;
		assert_false(is_valid(&p, &key));
	}
}

/* C-SECQ-06, C-SECQ-09 */
static void another_key_is_another(void **state)
{
	struct auth_key key = alice(), other = alice();
	struct test_packet p;

	(void)state;
	put_rs(&p, &key);
	other.secret[19] ^= 1;
	assert_false(is_valid(&p, &other));
	other = alice();
	other.secret_len--;
	assert_false(is_valid(&p, &other));
	other = keyed_key("alicf", 0x0b, TEREDO_HMAC_SHA1);
	assert_false(is_valid(&p, &other));
	other = keyed_key("alice2", 0x0b, TEREDO_HMAC_SHA1);
	assert_false(is_valid(&p, &other));
	other = keyed_key("alic", 0x0b, TEREDO_HMAC_SHA1);
	assert_false(is_valid(&p, &other));
	other = keyed_key("alice", 0x0b, TEREDO_HMAC_SHA256);
	assert_false(is_valid(&p, &other));
	other.algorithm = 0;
	assert_false(is_valid(&p, &other));
}

static void a_full_table_gives_each_of_its_keys(void **state)
{
	static struct auth_keys keys;
	char id[16];

	(void)state;
	for (keys.n = 0; keys.n < AUTH_KEYS; keys.n++) {
		snprintf(id, sizeof(id), "host%u", (unsigned)keys.n);
		keys.key[keys.n] = keyed_key(id, 1, TEREDO_HMAC_SHA1);
	}
	for (uint32_t i = 0; i < AUTH_KEYS; i++) {
		struct wire_auth a = { .id = keys.key[i].id,
				       .id_len = keys.key[i].id_len };

		assert_ptr_equal(auth_find(&keys, &a), &keys.key[i]);
		a.id_len--;
		assert_ptr_not_equal(auth_find(&keys, &a), &keys.key[i]);
	}
	assert_null(auth_find(&keys, &(struct wire_auth){
		.id = (const uint8_t *)"host256", .id_len = 7 }));
	assert_null(auth_find(&keys, &(struct wire_auth){
		.id = (const uint8_t *)"", .id_len = 0 }));
}

static void a_key_has_lengths_that_we_take(void **state)
{
	struct auth_key key = alice();

	(void)state;
	assert_true(auth_key_is_sound(&key));
	key.algorithm = 3;
	assert_false(auth_key_is_sound(&key));
	assert_null(auth_algorithm_name(3));
	key = alice();
	key.id_len = AUTH_ID_MAX + 1;
	assert_false(auth_key_is_sound(&key));
	key.id_len = 0;
	assert_false(auth_key_is_sound(&key));
	key = alice();
	key.secret_len = AUTH_SECRET_MAX + 1;
	assert_false(auth_key_is_sound(&key));
	key.secret_len = 0;
	assert_false(auth_key_is_sound(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nettle_computes_the_hmacs_of_their_rfcs),
		cmocka_unit_test(
			a_solicitation_has_the_octets_computed_elsewhere),
		cmocka_unit_test(sha256_makes_a_value_of_32_octets),
		cmocka_unit_test(without_a_key_there_is_the_nonce_alone),
		cmocka_unit_test(trailers_are_not_covered),
		cmocka_unit_test(each_octet_that_is_covered_counts),
		cmocka_unit_test(the_beginning_of_a_value_is_no_value),
		cmocka_unit_test(another_key_is_another),
		cmocka_unit_test(a_full_table_gives_each_of_its_keys),
		cmocka_unit_test(a_key_has_lengths_that_we_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
