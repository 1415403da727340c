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

/*
 * The same per key (an endpoint, an address), in a fixed table hashed with
 * SipHash: keys that collide share a bucket, so memory is bounded and an
 * attacker cannot choose whom to collide with. So many buckets that a server
 * with 10^5 clients, which solicit every 26 s, stays below one per 4 s in each.
 */
#define RATELIMIT_BUCKETS 16384
struct ratelimit_table {
	teredo_time period;
	uint32_t burst;
	uint8_t key[SIPHASH_KEY_LEN];
	teredo_time full_at[RATELIMIT_BUCKETS];
};

void ratelimit_table_init(struct ratelimit_table *t,
			  const struct teredo_env *env, uint32_t burst,
			  teredo_time period);
bool ratelimit_table_take(struct ratelimit_table *t, teredo_time now,
			  const void *id, size_t len);
/* The key behaved: its bucket is full again. */
void ratelimit_table_reset(struct ratelimit_table *t, const void *id,
			   size_t len);

#endif
