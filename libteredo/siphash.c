/*
 * siphash.c - keyed hashes
 *
 * SipHash-c-d: four words of state, keyed; c rounds for each 8 octets of
 * input, the last 8 hold what is left over and the length; then d rounds to
 * finish. 2-4 where the output itself is a secret proof, 1-3 where it only
 * has to be unpredictable for who fills a table. Words are little-endian by
 * definition, and put together from octets, so that every machine agrees; where
 * it is little-endian, compilers make one load of a whole word.
 */
#include "siphash.h"

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t get64(const uint8_t b[8])
{
	return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
	       (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 |
	       (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
	       (uint64_t)b[7] << 56;
}

static uint64_t get_rest(const uint8_t *b, size_t len)
{
	uint64_t x = 0;

	for (size_t i = 0; i < len; i++)
		x |= (uint64_t)b[i] << 8 * i;
	return x;
}

static inline void mix(struct sip *s, unsigned rounds)
{
	while (rounds-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotate(s->b, 13) ^ s->a;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a = rotate(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = rotate(s->b, 17) ^ s->c;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c = rotate(s->c, 32);
	}
}

static inline void absorb(struct sip *s, uint64_t word, unsigned rounds)
{
	s->d ^= word;
	mix(s, rounds);
	s->a ^= word;
}

static inline uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN],
			       const uint8_t *data, size_t len,
			       unsigned rounds, unsigned final_rounds)
{
	uint64_t k0 = get64(key), k1 = get64(key + 8);
	uint64_t last = (uint64_t)len << 56;
	struct sip s = {
		.a = k0 ^ 0x736f6d6570736575,	/* "somepseudorandomly" */
		.b = k1 ^ 0x646f72616e646f6d,
		.c = k0 ^ 0x6c7967656e657261,	/* "generatedbytes" */
		.d = k1 ^ 0x7465646279746573,
	};

	for (; len >= 8; len -= 8, data += 8)
		absorb(&s, get64(data), rounds);
	absorb(&s, last | get_rest(data, len), rounds);
	s.c ^= 0xff;
	mix(&s, final_rounds);
	return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *data,
		   size_t len)
{
	return siphash(key, data, len, 2, 4);
}

uint64_t siphash13(const uint8_t key[SIPHASH_KEY_LEN], const void *data,
		   size_t len)
{
	return siphash(key, data, len, 1, 3);
}
