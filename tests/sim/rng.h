/*
 * rng.h - the only source of chance: splitmix64
 *
 * Everything random in a simulation is drawn from the seed through these, so
 * that a seed replays a run. Each consumer gets a stream of its own by
 * rng_split(): one more draw in one of them does not shift the others.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
/* 0..n-1, n > 0 */
uint64_t rng_below(struct rng *r, uint64_t n);
/* True `permille` times of 1000. */
bool rng_chance(struct rng *r, unsigned permille);
struct rng rng_split(struct rng *r);

/* As teredo_env.random wants it; rng is a struct rng. */
void rng_fill(void *rng, void *buf, size_t len);

#endif
