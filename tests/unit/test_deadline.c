/*
 * test_deadline.c - the heap of timers against a plain array
 */
#include "tests/unit/testing.h"

#include "libteredo/deadline.h"

#define MAX 64u

static const struct teredo_env env;	/* no wish to hear of tables */

static struct deadlines *d;

static int setup(void **state)
{
	(void)state;
	d = deadlines_new(MAX, &env);
	return d == NULL;
}

static int teardown(void **state)
{
	(void)state;
	deadlines_free(d);
	return 0;
}

static void nothing_is_due_when_nothing_is_armed(void **state)
{
	uint32_t id;

	(void)state;
	assert_true(deadlines_next(d) == TEREDO_NEVER);
	assert_false(deadlines_pop(d, TEREDO_NEVER, &id));
	deadlines_disarm(d, 3);
	assert_true(deadlines_next(d) == TEREDO_NEVER);
}

static void timers_come_in_the_order_of_their_times(void **state)
{
	static const teredo_time when[] = { 50, 10, 40, 20, 30 };
	uint32_t id;

	(void)state;
	for (uint32_t i = 0; i < COUNT(when); i++)
		deadlines_arm(d, i, when[i]);
	assert_true(deadlines_next(d) == 10);
	assert_false(deadlines_pop(d, 9, &id));
	for (teredo_time t = 10; t <= 50; t += 10) {
		assert_true(deadlines_pop(d, t, &id));
		assert_int_equal(when[id], t);
		assert_false(deadlines_pop(d, t, &id));
	}
}

static void arming_again_moves_a_timer(void **state)
{
	uint32_t id;

	(void)state;
	deadlines_arm(d, 1, 100);
	deadlines_arm(d, 2, 50);
	deadlines_arm(d, 1, 10);
	assert_true(deadlines_next(d) == 10);
	deadlines_arm(d, 1, 200);
	assert_true(deadlines_next(d) == 50);
	assert_true(deadlines_pop(d, 1000, &id));
	assert_int_equal(id, 2);
	assert_true(deadlines_pop(d, 1000, &id));
	assert_int_equal(id, 1);
	assert_false(deadlines_pop(d, 1000, &id));
}

/* What popping at `now` has to give, out of the plain array. */
static teredo_time model_next(const teredo_time *model)
{
	teredo_time next = TEREDO_NEVER;

	for (uint32_t i = 0; i < MAX; i++)
		if (model[i] < next)
			next = model[i];
	return next;
}

static void it_agrees_with_a_plain_array_over_many_steps(void **state)
{
	teredo_time model[MAX], now = 0;
	uint64_t seed = 4;
	uint32_t id;

	(void)state;
	memset(model, 0xff, sizeof(model));
	for (unsigned step = 0; step < 100000; step++) {
		id = (uint32_t)(test_random(&seed) % MAX);
		switch (test_random(&seed) % 4) {
		case 0:
		case 1:
			model[id] = now + test_random(&seed) % 100;
			deadlines_arm(d, id, model[id]);
			break;
		case 2:
			model[id] = TEREDO_NEVER;
			deadlines_disarm(d, id);
			break;
		default:
			now += test_random(&seed) % 20;
			while (deadlines_pop(d, now, &id)) {
				assert_true(model[id] <= now);
				assert_true(model[id] == model_next(model));
				model[id] = TEREDO_NEVER;
			}
			assert_true(model_next(model) > now);
		}
		assert_true(deadlines_next(d) == model_next(model));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			nothing_is_due_when_nothing_is_armed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			timers_come_in_the_order_of_their_times, setup,
			teardown),
		cmocka_unit_test_setup_teardown(arming_again_moves_a_timer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_agrees_with_a_plain_array_over_many_steps, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
