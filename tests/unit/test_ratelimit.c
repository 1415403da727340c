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
	assert_true(ratelimit_table_init(t, env, RATELIMIT_BUCKETS, burst,
					 TEREDO_SECOND));
}

static void a_reserve_is_left_to_others(void **state)
{
	struct ratelimit r = { .period = TEREDO_SECOND, .burst = 5 };
	unsigned n = 0;

	(void)state;
	assert_true(ratelimit_has(&r, 3, 0));
	while (ratelimit_take_above(&r, 3, 0))
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
	unsigned shared = 0;

	(void)state;
	table_init(&t, &env, 2);
	for (uint32_t id = 0; id < 1000; id++) {
		bool first = ratelimit_table_take(&t, 0, &id, sizeof(id));
		bool second = ratelimit_table_take(&t, 0, &id, sizeof(id));

		shared += !first || !second;
		assert_false(ratelimit_table_take(&t, 0, &id, sizeof(id)));
	}
	assert_in_range(shared, 0, 60);	/* 1000 keys, 16384 buckets */
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

/* Which keys share a bucket depends on the table's own secret. */
static void collisions_cannot_be_chosen(void **state)
{
	static struct ratelimit_table t[2];
	uint64_t seed = 3;
	struct teredo_env env = test_env(&seed);
	uint32_t id = 0, twin;

	(void)state;
	table_init(&t[0], &env, 1);
	table_init(&t[1], &env, 1);
	assert_true(ratelimit_table_take(&t[0], 0, &id, sizeof(id)));
	for (twin = 1; ratelimit_table_take(&t[0], 0, &twin, sizeof(twin));
	     twin++) {
		ratelimit_table_reset(&t[0], &twin, sizeof(twin));
		assert_in_range(twin, 1, 1000000);
	}
	assert_true(ratelimit_table_take(&t[1], 0, &id, sizeof(id)));
	assert_true(ratelimit_table_take(&t[1], 0, &twin, sizeof(twin)));
	ratelimit_table_fini(&t[0]);
	ratelimit_table_fini(&t[1]);
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
		cmocka_unit_test(a_key_that_behaved_is_full_again),
		cmocka_unit_test(collisions_cannot_be_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
