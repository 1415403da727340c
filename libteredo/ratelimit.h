/*
 * ratelimit.h - token buckets for everything an outsider can trigger
 */
#ifndef LIBTEREDO_RATELIMIT_H
#define LIBTEREDO_RATELIMIT_H

#include "siphash.h"
#include "teredo.h"

/* `burst` at once, then one per `period`. A zeroed bucket is full. */
struct ratelimit {
	teredo_time period;
	uint32_t burst;
	teredo_time full_at;	/* when the bucket will be full again */
};

/* Takes a token; false when there is none. */
bool ratelimit_take(struct ratelimit *r, teredo_time now);
/* The same for who must leave `reserve` tokens, fewer than burst, to others. */
bool ratelimit_take_above(struct ratelimit *r, uint32_t reserve,
			  teredo_time now);
/* Whether there are more than `reserve` tokens. */
bool ratelimit_has(const struct ratelimit *r, uint32_t reserve,
		   teredo_time now);

/*
 * The same per key (an endpoint, an address), in a fixed table hashed with
 * SipHash: keys that collide share a bucket, so memory is bounded and an
 * attacker cannot choose whom to collide with. But one with so many keys that
 * each bucket is asked more often than it fills empties all of them: where a
 * key is easily forged there have to be more buckets than that.
 */
#ifndef RATELIMIT_BUCKETS		/* fuzzers want small ones */
#define RATELIMIT_BUCKETS 16384u
#endif
struct ratelimit_table {
	teredo_time period;
	uint32_t burst;
	uint8_t key[SIPHASH_KEY_LEN];
	uint32_t mask;
	teredo_time *full_at;
};

/* So many buckets, a power of two. Memory is taken here, and is used where keys
 * come to. false: there is none; ratelimit_table_fini() may be called. */
bool ratelimit_table_init(struct ratelimit_table *t,
			  const struct teredo_env *env, uint32_t buckets,
			  uint32_t burst, teredo_time period);
void ratelimit_table_fini(struct ratelimit_table *t);
bool ratelimit_table_take(struct ratelimit_table *t, teredo_time now,
			  const void *id, size_t len);
/* The key behaved: its bucket is full again. */
void ratelimit_table_reset(struct ratelimit_table *t, const void *id,
			   size_t len);

#endif
