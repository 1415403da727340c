/*
 * test_seen.c - about how many different ones there were lately
 */
#include "config.h"

#include "tests/unit/testing.h"
#include "libteredo/seen.h"

#define SECOND TEREDO_SECOND
#define BEGIN  (1000000 * SECOND)

static uint64_t seed = 4380;
static struct seen s;

static int setup(void **state)
{
	struct teredo_env env = test_env(&seed);

	(void)state;
	return seen_init(&s, &env) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	seen_fini(&s);
	return 0;
}

static void note(uint32_t from, uint32_t n, teredo_time now)
{
	for (uint32_t i = from; i < from + n; i++)
		seen_note(&s, &i, sizeof(i), now);
}

static void each_is_counted_once(void **state)
{
	(void)state;
	assert_int_equal(seen_places(&s, BEGIN), 0);
	note(7, 1, BEGIN);
	assert_int_equal(seen_places(&s, BEGIN), 1);
	for (unsigned i = 0; i < 1000; i++)
		note(7, 1, BEGIN + i * SECOND);
	assert_int_equal(seen_places(&s, BEGIN + 1000 * SECOND), 1);
}

/* m (1 - exp(-n / m)) places: 65536 of them for 20,000 are 17,234. */
static void many_use_as_many_places_as_chance_has_it(void **state)
{
	(void)state;
	note(0, 20000, BEGIN);
	note(0, 20000, BEGIN + 70 * SECOND);
	assert_in_range(seen_places(&s, BEGIN + 70 * SECOND), 17234 - 200,
			17234 + 200);
}

static void who_was_not_there_for_five_minutes_is_not_counted(void **state)
{
	uint32_t both;

	(void)state;
	note(0, 100, BEGIN);
	note(50, 100, BEGIN + 120 * SECOND);
	both = seen_places(&s, BEGIN + 120 * SECOND);
	assert_in_range(both, 148, 150);
	assert_int_equal(seen_places(&s, BEGIN + 230 * SECOND), both);
	assert_in_range(seen_places(&s, BEGIN + 310 * SECOND), 99, 100);
	assert_int_equal(seen_places(&s, BEGIN + 430 * SECOND), 0);
	note(0, 1, BEGIN + 400 * SECOND);
	assert_int_equal(seen_places(&s, BEGIN + 430 * SECOND), 1);
}

/* A turn may skip any number of minutes, and what is old is no trouble. */
static void a_long_silence_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		teredo_time now = BEGIN + i * i * 60 * SECOND;

		note(i, 3, now);
		assert_in_range(seen_places(&s, now), 2, 3 * 5);
	}
	assert_int_equal(seen_places(&s, 2 * BEGIN + 60000000 * SECOND), 0);
}

static void the_clock_may_begin_at_zero(void **state)
{
	(void)state;
	assert_int_equal(seen_places(&s, 0), 0);
	note(0, 10, 0);
	assert_int_equal(seen_places(&s, SECOND), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_counted_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			many_use_as_many_places_as_chance_has_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			who_was_not_there_for_five_minutes_is_not_counted,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_silence_leaves_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_clock_may_begin_at_zero,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
