/*
 * ratelimit.c - token buckets
 *
 * A bucket is one number: when it will be full again. Each token taken moves
 * that moment one period further away; a bucket whose moment lies `burst`
 * periods ahead is empty. No refilling, and a zeroed bucket is full.
 *
 * In a table, a key that has no bucket inherits the fullest of its set, not a
 * full one (the "space-saving" sketch of heavy hitters). What a bucket lacks is
 * then never less than what any key without one has taken: whoever lost its
 * bucket lost the fullest, and all fill at one pace. A fresh bucket would give
 * whoever returns its whole burst again; and forgetting the oldest would make
 * room for a flood by forgetting whom it is aimed at.
 *
 * Of two keys in one set, one in 65,536 pairs has the same tag and shares.
 */
#include "ratelimit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define LINE sizeof(struct ratelimit_set)
_Static_assert(LINE == 64, "a line of the processor's cache");

static bool take(teredo_time *full_at, uint32_t burst, teredo_time period,
		 teredo_time now)
{
	if (*full_at < now)
		*full_at = now;
	if (*full_at + period - now > burst * period)
		return false;
	*full_at += period;
	return true;
}

bool ratelimit_take(struct ratelimit *r, teredo_time now)
{
	return take(&r->full_at, r->burst, r->period, now);
}

bool ratelimit_has(const struct ratelimit *r, uint32_t reserve,
		   teredo_time now)
{
	teredo_time full_at = r->full_at;

	return take(&full_at, r->burst - reserve, r->period, now);
}

bool ratelimit_table_init(struct ratelimit_table *t,
			  const struct teredo_env *env, uint32_t sets,
			  uint32_t burst, teredo_time period)
{
	assert(sets > 0 && (sets & (sets - 1)) == 0);
	t->burst = burst;
	t->period = period;
	t->mask = sets - 1;
	t->hand = 0;
	env->random(env->ctx, t->key, sizeof(t->key));
	t->memory = table_new(env, (size_t)sets + 1, sizeof(*t->set));
	t->set = (struct ratelimit_set *)(((uintptr_t)t->memory + LINE - 1) &
					  ~(uintptr_t)(LINE - 1));
	return t->memory != NULL;
}

void ratelimit_table_fini(struct ratelimit_table *t)
{
	free(t->memory);
	t->memory = NULL;
}

/* Its own bucket, or the fullest of its set. */
static unsigned bucket(const struct ratelimit_set *set, uint16_t tag)
{
	unsigned fullest = 0;

	for (unsigned i = 0; i < RATELIMIT_WAYS; i++) {
		if (set->tag[i] == tag)
			return i;
		if (set->full_at[i] < set->full_at[fullest])
			fullest = i;
	}
	return fullest;
}

void ratelimit_table_prefetch(const struct ratelimit_table *t, const void *id,
			      size_t len)
{
	__builtin_prefetch(&t->set[siphash13(t->key, id, len) & t->mask], 1);
}

bool ratelimit_table_take(struct ratelimit_table *t, teredo_time now,
			  const void *id, size_t len)
{
	uint64_t h = siphash13(t->key, id, len);
	struct ratelimit_set *set = &t->set[h & t->mask];
	unsigned i = bucket(set, (uint16_t)(h >> 48));

	if (!take(&set->full_at[i], t->burst, t->period, now))
		return false;
	set->tag[i] = (uint16_t)(h >> 48);
	return true;
}

bool ratelimit_table_has(const struct ratelimit_table *t, teredo_time now,
			 const void *id, size_t len)
{
	uint64_t h = siphash13(t->key, id, len);
	const struct ratelimit_set *set = &t->set[h & t->mask];
	teredo_time full_at = set->full_at[bucket(set, (uint16_t)(h >> 48))];

	return take(&full_at, t->burst, t->period, now);
}

bool ratelimit_take_both(struct ratelimit *all, struct ratelimit_table *t,
			 teredo_time now, const void *id, size_t len)
{
	return ratelimit_has(all, 0, now) &&
	       ratelimit_table_take(t, now, id, len) &&
	       ratelimit_take(all, now);
}

void ratelimit_table_reset(struct ratelimit_table *t, const void *id,
			   size_t len)
{
	uint64_t h = siphash13(t->key, id, len);
	struct ratelimit_set *set = &t->set[h & t->mask];
	unsigned i = bucket(set, (uint16_t)(h >> 48));

	if (set->tag[i] == (uint16_t)(h >> 48))
		set->full_at[i] = 0;
}

static bool is_full(const struct ratelimit_set *set, teredo_time now)
{
	for (unsigned i = 0; i < RATELIMIT_WAYS; i++)
		if (set->full_at[i] > now)
			return false;
	return true;
}

static bool is_zero(const struct ratelimit_set *set)
{
	for (unsigned i = 0; i < RATELIMIT_WAYS; i++)
		if (set->full_at[i] != 0 || set->tag[i] != 0)
			return false;
	return true;
}

/* A whole set, so that no key has two buckets. What is zero is not written. */
void ratelimit_table_sweep(struct ratelimit_table *t, teredo_time now)
{
	for (uint32_t n = t->mask / RATELIMIT_PARTS + 1; n > 0; n--) {
		struct ratelimit_set *set = &t->set[t->hand];

		if (is_full(set, now) && !is_zero(set))
			*set = (struct ratelimit_set){ 0 };
		t->hand = (t->hand + 1) & t->mask;
	}
}
