/*
 * test_ratelimit.c - token buckets, alone and by key
 */
#include "tests/unit/testing.h"

#include "libteredo/ratelimit.h"

static unsigned take_all(struct ratelimit *r, teredo_time now)
{
	unsigned n = 0;

	while (ratelimit_take(r, now))
		n++;
	return n;
}

static void a_zeroed_bucket_is_full(void **state)
{
	struct ratelimit r = { .period = TEREDO_SECOND, .burst = 5 };

	(void)state;
	assert_int_equal(take_all(&r, 0), 5);
	r.full_at = 0;
	assert_int_equal(take_all(&r, 1000 * TEREDO_SECOND), 5);
}

static void one_token_comes_back_per_period(void **state)
{
	struct ratelimit r = { .period = TEREDO_SECOND, .burst = 3 };

	(void)state;
	assert_int_equal(take_all(&r, 0), 3);
	assert_false(ratelimit_take(&r, TEREDO_SECOND - 1));
	assert_int_equal(take_all(&r, TEREDO_SECOND), 1);
	assert_int_equal(take_all(&r, 3 * TEREDO_SECOND + 1), 2);
	assert_int_equal(take_all(&r, 100 * TEREDO_SECOND), 3);
}

static void the_rate_holds_over_time(void **state)
{
	struct ratelimit r = { .period = 10 * TEREDO_MS, .burst = 100 };
	unsigned n = 0;

	(void)state;
	for (teredo_time t = 0; t < 10 * TEREDO_SECOND; t += TEREDO_MS)
		n += ratelimit_take(&r, t);
	assert_int_equal(n, 100 + 999);
}

static void a_bucket_without_burst_is_always_empty(void **state)
{
	struct ratelimit r = { .period = TEREDO_SECOND, .burst = 0 };

	(void)state;
	assert_false(ratelimit_take(&r, 0));
	assert_false(ratelimit_take(&r, 100 * TEREDO_SECOND));
}

static void a_large_burst_does_not_overflow(void **state)
{
	struct ratelimit r = { .period = 3600 * TEREDO_SECOND,
			       .burst = 1000000 };
	(void)state;
	assert_int_equal(take_all(&r, TEREDO_SECOND), 1000000);
}

static void table_init(struct ratelimit_table *t, const struct teredo_env *env,
		       uint32_t burst)
{
	assert_true(ratelimit_table_init(t, env, RATELIMIT_SETS, burst,
					 TEREDO_SECOND));
}

static void a_reserve_is_left_to_others(void **state)
{
	struct ratelimit r = { .period = TEREDO_SECOND, .burst = 5 };
	unsigned n = 0;

	(void)state;
	assert_true(ratelimit_has(&r, 3, 0));
	while (ratelimit_has(&r, 3, 0) && ratelimit_take(&r, 0))
		n++;
	assert_int_equal(n, 2);
	assert_false(ratelimit_has(&r, 3, 0));
	assert_true(ratelimit_has(&r, 0, 0));
	assert_int_equal(take_all(&r, 0), 3);
	assert_false(ratelimit_has(&r, 0, 0));
}

static void keys_have_buckets_of_their_own(void **state)
{
	static struct ratelimit_table t;
	uint64_t seed = 1;
	struct teredo_env env = test_env(&seed);

	(void)state;
	table_init(&t, &env, 2);
	for (uint32_t id = 0; id < 1000; id++)
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(ratelimit_table_take(&t, 0, &id,
							      sizeof(id)),
					 i < 2);
	ratelimit_table_fini(&t);
}

/* A table as a server has it for solicitations, and who asks meanwhile. */
struct siege {
	struct ratelimit_table t;
	uint32_t sources;	/* that are forged */
	uint32_t per_second;
	unsigned honest, refused;
};

static void besiege(struct siege *s, uint64_t *seed)
{
	teredo_time now = TEREDO_SECOND;

	for (uint32_t i = 0; i < 20 * s->per_second; i++) {
		uint32_t id = (uint32_t)(test_random(seed) % s->sources);
		uint32_t other = UINT32_MAX - s->honest % 1000;

		now += TEREDO_SECOND / s->per_second;
		ratelimit_table_take(&s->t, now, &id, sizeof(id));
		if (i % (s->per_second / 1000) != 0)
			continue;
		s->honest++;	/* each of a thousand once a second */
		s->refused += !ratelimit_table_take(&s->t, now, &other,
						    sizeof(other));
	}
}

/* Of a million, those of an honest one that are refused. Faults B1 */
static unsigned refused(uint32_t sources, uint32_t per_second)
{
	static struct siege s;
	uint64_t seed = sources + per_second;
	struct teredo_env env = test_env(&seed);

	s = (struct siege){ .sources = sources, .per_second = per_second };
	assert_true(ratelimit_table_init(&s.t, &env, 32768, 8,
					 TEREDO_SECOND / 2));
	besiege(&s, &seed);
	ratelimit_table_fini(&s.t);
	print_message("%u/s from %u sources: %u of %u refused\n", per_second,
		      sources, s.refused, s.honest);
	return (unsigned)(1000000ull * s.refused / s.honest);
}

/* Both what a flood comes from: few sources that each stay near their limit,
 * and as many as there are. */
static void forged_keys_cost_others_hardly_a_token(void **state)
{
	(void)state;
	assert_in_range(refused(131072, 100000), 0, 100);
	assert_in_range(refused(131072, 200000), 0, 10000);
	assert_in_range(refused(4000000000, 100000), 0, 100);
	assert_in_range(refused(4000000000, 200000), 0, 1000);
}

/* ... also of those that have no bucket of their own at any time */
static void no_key_gets_more_than_its_limit(void **state)
{
	static struct ratelimit_table t;
	uint64_t seed = 4;
	struct teredo_env env = test_env(&seed);
	unsigned taken[40] = { 0 }, sum = 0;
	teredo_time now = 0;

	(void)state;
	assert_true(ratelimit_table_init(&t, &env, 1, 3, TEREDO_SECOND));
	while (now < 100 * TEREDO_SECOND) {
		uint32_t id = (uint32_t)(test_random(&seed) % COUNT(taken));

		/* some ask often, others seldom, with long pauses for all */
		id = test_random(&seed) % 4 == 0 ? id : id % 8;
		now += test_random(&seed) % 50 == 0 ? 3 * TEREDO_SECOND
						    : 10 * TEREDO_MS;
		taken[id] += ratelimit_table_take(&t, now, &id, sizeof(id));
		assert_in_range(taken[id], 0, 3 + now / TEREDO_SECOND);
	}
	for (unsigned i = 0; i < COUNT(taken); i++)
		sum += taken[i];
	assert_in_range(sum, 200, RATELIMIT_WAYS * 103);
	ratelimit_table_fini(&t);
}

/* Who is forged as a source gets its limit, whatever else is forged. */
static void a_flood_does_not_make_a_table_forget(void **state)
{
	static struct ratelimit_table t;
	uint64_t seed = 5;
	struct teredo_env env = test_env(&seed);
	unsigned taken = 0;

	(void)state;
	table_init(&t, &env, 8);
	for (unsigned i = 0; i < 1000000; i++) {
		teredo_time now = i * (TEREDO_SECOND / 100000);
		uint64_t id = test_random(&seed);

		ratelimit_table_take(&t, now, &id, sizeof(id));
		taken += ratelimit_table_take(&t, now, "victim", 6);
	}
	assert_in_range(taken, 1, 8 + 9);
	ratelimit_table_fini(&t);
}

static void a_key_that_behaved_is_full_again(void **state)
{
	static struct ratelimit_table t;
	uint64_t seed = 2;
	struct teredo_env env = test_env(&seed);

	(void)state;
	table_init(&t, &env, 1);
	assert_true(ratelimit_table_take(&t, 5, "a", 1));
	assert_false(ratelimit_table_take(&t, 5, "a", 1));
	ratelimit_table_reset(&t, "a", 1);
	assert_true(ratelimit_table_take(&t, 5, "a", 1));
	ratelimit_table_fini(&t);
}

/* The first key that finds nothing left once `first` took what there was. */
static uint32_t twin_of(struct ratelimit_table *t, uint32_t first)
{
	uint32_t twin = first;

	assert_true(ratelimit_table_take(t, 0, &first, sizeof(first)));
	do {
		twin++;
		assert_in_range(twin - first, 1, 10000000);
	} while (siphash13(t->key, &twin, sizeof(twin)) >> 48 !=
			 siphash13(t->key, &first, sizeof(first)) >> 48 ||
		 ratelimit_table_take(t, 0, &twin, sizeof(twin)));
	return twin;
}

/* Which keys share a bucket depends on the table's own secret. */
static void collisions_cannot_be_chosen(void **state)
{
	static struct ratelimit_table t[2];
	uint64_t seed = 3;
	struct teredo_env env = test_env(&seed);
	uint32_t id = 0, twin;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_true(ratelimit_table_init(&t[i], &env, 16, 1,
						 TEREDO_SECOND));
	twin = twin_of(&t[0], id);
	assert_true(ratelimit_table_take(&t[1], 0, &id, sizeof(id)));
	assert_true(ratelimit_table_take(&t[1], 0, &twin, sizeof(twin)));
	ratelimit_table_fini(&t[0]);
	ratelimit_table_fini(&t[1]);
}

/* Memory comes to rest, and nobody gets more for it. */
static void sweeping_clears_what_is_full_and_nothing_else(void **state)
{
	static struct ratelimit_table swept, kept;
	uint64_t seed = 4;
	struct teredo_env env = test_env(&seed);
	teredo_time now = 1000 * TEREDO_SECOND;

	(void)state;
	table_init(&swept, &env, 2);
	table_init(&kept, &env, 2);
	memcpy(kept.key, swept.key, sizeof(kept.key));
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t id = test_random(&seed) % 5000;

		now += TEREDO_SECOND / 1000;
		assert_int_equal(ratelimit_table_take(&swept, now, &id, 8),
				 ratelimit_table_take(&kept, now, &id, 8));
		if (i % 100 == 0)
			ratelimit_table_sweep(&swept, now);
	}
	for (unsigned i = 0; i < RATELIMIT_PARTS; i++)
		ratelimit_table_sweep(&swept, now + TEREDO_SECOND * 3);
	for (size_t i = 0; i < (swept.mask + 1) * sizeof(*swept.set); i++)
		assert_int_equal(((const uint8_t *)swept.set)[i], 0);
	ratelimit_table_fini(&swept);
	ratelimit_table_fini(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_bucket_is_full),
		cmocka_unit_test(one_token_comes_back_per_period),
		cmocka_unit_test(the_rate_holds_over_time),
		cmocka_unit_test(a_bucket_without_burst_is_always_empty),
		cmocka_unit_test(a_large_burst_does_not_overflow),
		cmocka_unit_test(a_reserve_is_left_to_others),
		cmocka_unit_test(keys_have_buckets_of_their_own),
		cmocka_unit_test(forged_keys_cost_others_hardly_a_token),
		cmocka_unit_test(no_key_gets_more_than_its_limit),
		cmocka_unit_test(a_flood_does_not_make_a_table_forget),
		cmocka_unit_test(a_key_that_behaved_is_full_again),
		cmocka_unit_test(collisions_cannot_be_chosen),
		cmocka_unit_test(
			sweeping_clears_what_is_full_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
