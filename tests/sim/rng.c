/*
 * rng.c - splitmix64, by Steele, Lea and Flood (OOPSLA 2014)
 *
 * Small, seedable with any number, and good enough for losses and ports.
 * Nothing here needs to be unpredictable: a test wants the opposite.
 */
#include "config.h"

#include "rng.h"

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	return rng_next(r) % n;
}

bool rng_chance(struct rng *r, unsigned permille)
{
	return permille && rng_below(r, 1000) < permille;
}

struct rng rng_split(struct rng *r)
{
	return (struct rng){.state = rng_next(r)};
}

void rng_fill(void *rng, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len--)
		*p++ = (uint8_t)rng_next(rng);
}
