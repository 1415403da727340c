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
/* Whether there are more than `reserve` tokens, fewer than burst, which who asks
 * leaves to others. */
bool ratelimit_has(const struct ratelimit *r, uint32_t reserve,
		   teredo_time now);

/*
 * The same per key (an endpoint, an address), in a table of fixed size that is
 * hashed with SipHash, so that nobody can choose whom to collide with.
 *
 * A key has a bucket of its own as long as there are enough; then it takes
 * over, as it is, the fullest of those that its hash allows it. So no key ever
 * gets more than its limit, however many others there are, and a key that has
 * asked little is refused only when all those buckets are empty: to bring that
 * about takes a token per period from six times as many buckets as there are
 * sets. A reset is the exception: it also forgives what its bucket lacked of
 * another's, who may then begin anew.
 */
#ifndef RATELIMIT_SETS		/* fuzzers want few */
#define RATELIMIT_SETS 2048u
#endif
/* Enough where another limit, for all keys together, is asked first and has at
 * most a hundred tokens a second. */
#define RATELIMIT_FEW (RATELIMIT_SETS / 4)
#define RATELIMIT_PARTS 30u
#define RATELIMIT_WAYS 6

/* One line of the processor's cache. */
struct ratelimit_set {
	_Alignas(8) teredo_time full_at[RATELIMIT_WAYS];
	uint16_t tag[RATELIMIT_WAYS];	/* whose: more of the key's hash */
};

struct ratelimit_table {
	teredo_time period;
	uint32_t burst;
	uint8_t key[SIPHASH_KEY_LEN];
	uint32_t mask, hand;
	void *memory;
	struct ratelimit_set *set;	/* in there, at the start of a line */
};

/* So many sets, a power of two. Memory is taken here, and is used where keys
 * come to. false: there is none; ratelimit_table_fini() may be called. */
bool ratelimit_table_init(struct ratelimit_table *t,
			  const struct teredo_env *env, uint32_t sets,
			  uint32_t burst, teredo_time period);
void ratelimit_table_fini(struct ratelimit_table *t);
bool ratelimit_table_take(struct ratelimit_table *t, teredo_time now,
			  const void *id, size_t len);
/* Whether it would. */
bool ratelimit_table_has(const struct ratelimit_table *t, teredo_time now,
			 const void *id, size_t len);
/* A token of each; none of the key's when there is none in `all`, so that the
 * table is only used as much as `all` lets it be. */
bool ratelimit_take_both(struct ratelimit *all, struct ratelimit_table *t,
			 teredo_time now, const void *id, size_t len);
/* That key comes soon: purely a hint. */
void ratelimit_table_prefetch(const struct ratelimit_table *t, const void *id,
			      size_t len);
/* The key behaved: its bucket is full again, if it has one. */
void ratelimit_table_reset(struct ratelimit_table *t, const void *id,
			   size_t len);
/* Clears the next 1/RATELIMIT_PARTS of the sets, as far as they are full
 * (table.h): it changes nothing but memory. */
void ratelimit_table_sweep(struct ratelimit_table *t, teredo_time now);

#endif
