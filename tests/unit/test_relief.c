/*
 * test_relief.c - pages that hold nothing go back, and nothing else does
 */
#include "config.h"

#include "tests/unit/testing.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../src/relief.h"

#define PAGES 100u

static struct relief r;
static size_t page;
static uint8_t *memory;		/* PAGES of them */

static int setup(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	page = (size_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(memory, PAGES * page);
}

static bool is_there(unsigned n)
{
	unsigned char there;

	assert_int_equal(mincore(memory + n * page, page, &there), 0);
	return (there & 1) != 0;
}

static void go_round(void)
{
	for (unsigned i = 0; i < RELIEF_PARTS; i++)
		relief_step(&r);
}

static void what_is_zero_goes_and_what_is_not_stays(void **state)
{
	(void)state;
	relief_table(&r, memory, PAGES * page);
	memset(memory, 1, PAGES * page);
	for (unsigned n = 0; n < PAGES; n += 3)
		memset(memory + n * page, 0, page);
	memory[4 * page - 1] = 7;	/* the last octet of page 3 */
	memory[6 * page] = 7;		/* the first one of page 6 */
	go_round();
	for (unsigned n = 0; n < PAGES; n++)
		assert_int_equal(is_there(n), n % 3 != 0 || n == 3 || n == 6);
	for (unsigned n = 0; n < PAGES; n++)
		assert_int_equal(memory[n * page + 1],
				 n % 3 != 0);
	assert_int_equal(memory[4 * page - 1], 7);
	assert_int_equal(memory[6 * page], 7);
}

static void what_came_back_goes_again(void **state)
{
	(void)state;
	relief_table(&r, memory, PAGES * page);
	for (unsigned turn = 0; turn < 3; turn++) {
		memory[50 * page] = 1;
		go_round();
		assert_true(is_there(50));
		memory[50 * page] = 0;
		go_round();
		assert_false(is_there(50));
	}
}

/* A buffer's, whatever is in it; its neighbours are tables (faults S1). */
static void what_is_in_a_buffer_goes(void **state)
{
	(void)state;
	memset(memory, 1, PAGES * page);
	relief_table(&r, memory, 10 * page);
	relief_buffer(&r, memory + 10 * page + 16, 50 * page);
	relief_table(&r, memory + 60 * page, 40 * page);
	go_round();
	for (unsigned n = 0; n < PAGES; n++)
		assert_int_equal(is_there(n), n <= 10 || n >= 60);
	assert_int_equal(memory[11 * page], 0);
	memory[11 * page] = 1;
	go_round();
	assert_false(is_there(11));
}

/* The ends of a table share their pages with others. */
static void half_a_page_is_left_alone(void **state)
{
	(void)state;
	memset(memory, 1, PAGES * page);
	memset(memory + page, 0, 8 * page);
	relief_table(&r, memory + page + 16, 3 * page - 16);
	relief_table(&r, memory + 5 * page, page - 1);
	relief_table(&r, memory + 6 * page, 2 * page + 1);
	go_round();
	assert_true(is_there(1));
	assert_false(is_there(2));
	assert_false(is_there(3));
	assert_true(is_there(4));
	assert_true(is_there(5));
	assert_false(is_there(6));
	assert_false(is_there(7));
	assert_true(is_there(8));
}

static void more_tables_than_it_knows_do_no_harm(void **state)
{
	(void)state;
	go_round();	/* of none */
	memset(memory, 1, PAGES * page);
	memset(memory, 0, (RELIEF_AREAS + 1) * page);
	for (unsigned n = 0; n < RELIEF_AREAS + 1; n++)
		relief_table(&r, memory + n * page, page);
	go_round();
	for (unsigned n = 0; n < RELIEF_AREAS; n++)
		assert_false(is_there(n));
	assert_true(is_there(RELIEF_AREAS));
}

/* Packets wait for it. */
static void a_step_is_short_however_much_there_is(void **state)
{
	const unsigned parts = 2 * RELIEF_PARTS;	/* of steps */
	size_t pages = parts * RELIEF_STEP, len = pages * page;
	uint8_t *much = mmap(NULL, len, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *there = malloc(pages);

	(void)state;
	assert_ptr_not_equal(much, MAP_FAILED);
	assert_non_null(there);
	relief_table(&r, much, len);
	for (size_t n = 0; n < pages; n++)
		much[n * page] = 0;	/* is there now, and zero */
	for (unsigned step = 0; step < parts; step++) {
		relief_step(&r);
		assert_int_equal(mincore(much, len, there), 0);
		for (size_t n = 0; n < pages; n++)
			assert_int_equal(there[n] & 1,
					 n >= (step + 1) * RELIEF_STEP);
	}
	free(there);
	munmap(much, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_zero_goes_and_what_is_not_stays, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_came_back_goes_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_in_a_buffer_goes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_page_is_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			more_tables_than_it_knows_do_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_step_is_short_however_much_there_is, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
