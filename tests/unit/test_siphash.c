/*
 * test_siphash.c - SipHash against known answers
 *
 * 2-4: appendix A of the paper and the vectors of its reference code, key
 * 00..0f, input 00, 00 01, ... 1-3: the same key as other implementations
 * test themselves with, and a zero key as CPython 3.11 hashes octets.
 */
#include "tests/unit/testing.h"

#include "libteredo/siphash.h"

static uint8_t input[64], key[SIPHASH_KEY_LEN];

static int setup(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	memcpy(key, input, sizeof(key));
	return 0;
}

static void siphash_2_4_gives_the_reference_output(void **state)
{
	(void)state;
	assert_true(siphash24(key, input, 0) == 0x726fdb47dd0e0e31u);
	assert_true(siphash24(key, input, 1) == 0x74f839c593dc67fdu);
	assert_true(siphash24(key, input, 15) == 0xa129ca6149be45e5u);
	assert_true(siphash24(key, input, 63) == 0x958a324ceb064572u);
}

static void siphash_1_3_gives_the_known_output(void **state)
{
	static const uint8_t zero[SIPHASH_KEY_LEN];

	(void)state;
	assert_true(siphash13(key, input, 0) == 0xabac0158050fc4dcu);
	assert_true(siphash13(zero, input, 1) == 0x68a914128e01e473u);
	assert_true(siphash13(zero, input, 7) == 0x2f098ab0c751325au);
	assert_true(siphash13(zero, input, 8) == 0xead411e67ebe2eeau);
	assert_true(siphash13(zero, input, 15) == 0xf30eb725bb91c9eau);
	assert_true(siphash13(zero, input, 16) == 0x8972188433a5c5b7u);
	assert_true(siphash13(zero, input, 63) == 0x385d3e39e5f37359u);
}

static void every_bit_of_the_key_and_the_input_counts(void **state)
{
	uint64_t h24 = siphash24(key, input, 16);
	uint64_t h13 = siphash13(key, input, 16);

	(void)state;
	for (unsigned bit = 0; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(1u << bit % 8);

		key[bit / 8] ^= mask;
		assert_true(siphash24(key, input, 16) != h24);
		assert_true(siphash13(key, input, 16) != h13);
		key[bit / 8] ^= mask;
		input[bit / 8] ^= mask;
		assert_true(siphash24(key, input, 16) != h24);
		assert_true(siphash13(key, input, 16) != h13);
		input[bit / 8] ^= mask;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_2_4_gives_the_reference_output),
		cmocka_unit_test(siphash_1_3_gives_the_known_output),
		cmocka_unit_test(every_bit_of_the_key_and_the_input_counts),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
