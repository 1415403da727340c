/*
 * ratelimit.c - token buckets
 *
 * A bucket is one number: when it will be full again. Each token taken moves
 * that moment one period further away; a bucket whose moment lies `burst`
 * periods ahead is empty. No refilling, and a zeroed bucket is full.
 */
#include "ratelimit.h"

#include <assert.h>
#include <stdlib.h>

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

bool ratelimit_take_above(struct ratelimit *r, uint32_t reserve,
			  teredo_time now)
{
	return take(&r->full_at, r->burst - reserve, r->period, now);
}

bool ratelimit_has(const struct ratelimit *r, uint32_t reserve,
		   teredo_time now)
{
	struct ratelimit copy = *r;

	return ratelimit_take_above(&copy, reserve, now);
}

static teredo_time *bucket(struct ratelimit_table *t, const void *id,
			   size_t len)
{
	return &t->full_at[siphash13(t->key, id, len) & t->mask];
}

bool ratelimit_table_init(struct ratelimit_table *t,
			  const struct teredo_env *env, uint32_t buckets,
			  uint32_t burst, teredo_time period)
{
	assert(buckets > 0 && (buckets & (buckets - 1)) == 0);
	t->burst = burst;
	t->period = period;
	t->mask = buckets - 1;
	env->random(env->ctx, t->key, sizeof(t->key));
	t->full_at = calloc(buckets, sizeof(*t->full_at));
	return t->full_at != NULL;
}

void ratelimit_table_fini(struct ratelimit_table *t)
{
	free(t->full_at);
	t->full_at = NULL;
}

bool ratelimit_table_take(struct ratelimit_table *t, teredo_time now,
			  const void *id, size_t len)
{
	return take(bucket(t, id, len), t->burst, t->period, now);
}

void ratelimit_table_reset(struct ratelimit_table *t, const void *id,
			   size_t len)
{
	*bucket(t, id, len) = 0;
}
