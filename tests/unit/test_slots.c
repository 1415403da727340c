/*
 * test_slots.c - numbers of a pool against a plain array
 */
#include "tests/unit/testing.h"

#include "libteredo/slots.h"

static void the_lowest_free_one_is_taken(void **state)
{
	struct slots s;

	(void)state;
	assert_true(slots_init(&s, 200000));
	for (uint32_t i = 0; i < 200000; i++) {
		assert_false(slots_has(&s, i));
		assert_int_equal(slots_take(&s), i);
		assert_true(slots_has(&s, i));
	}
	assert_int_equal(s.count, 200000);
	slots_give(&s, 131071);
	slots_give(&s, 4096);
	slots_give(&s, 63);
	assert_int_equal(slots_take(&s), 63);
	assert_int_equal(slots_take(&s), 4096);
	assert_int_equal(slots_take(&s), 131071);
	slots_fini(&s);
}

static void what_is_not_there_is_not_in_use(void **state)
{
	struct slots s;

	(void)state;
	assert_true(slots_init(&s, 1));
	assert_int_equal(slots_take(&s), 0);
	assert_false(slots_has(&s, 1));
	assert_false(slots_has(&s, UINT32_MAX));
	slots_fini(&s);
	assert_true(slots_init(&s, 0));
	assert_false(slots_has(&s, 0));
	slots_fini(&s);
}

static void it_agrees_with_a_plain_array(void **state)
{
	enum { MAX = 5000 };
	static bool model[MAX];
	struct slots s;
	uint64_t seed = 9;
	uint32_t lowest, slot;

	(void)state;
	assert_true(slots_init(&s, MAX));
	for (unsigned turn = 0; turn < 100000; turn++) {
		slot = (uint32_t)(test_random(&seed) % MAX);
		if (s.count == MAX || (turn / 20000 % 2 == 1 && model[slot])) {
			assert_int_equal(slots_has(&s, slot), model[slot]);
			slots_give(&s, slot);
			model[slot] = false;
			continue;
		}
		for (lowest = 0; model[lowest]; lowest++)
			;
		assert_int_equal(slots_take(&s), lowest);
		model[lowest] = true;
	}
	slots_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_free_one_is_taken),
		cmocka_unit_test(what_is_not_there_is_not_in_use),
		cmocka_unit_test(it_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
