/*
 * test_log_limit.c - B12: a line a second for each reason, and how many more
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/log_limit.h"

#define SECOND 1000000000u

static struct log_limit limit;
static unsigned more;

static int setup(void **state)
{
	(void)state;
	memset(&limit, 0, sizeof(limit));
	return 0;
}

static bool pass(const char *line, uint64_t now)
{
	return log_limit_pass(&limit, line, now, &more);
}

static void the_first_line_of_a_reason_passes(void **state)
{
	(void)state;
	assert_true(pass("qualified: address 2001::1", 1));
	assert_true(pass("server 192.0.2.1 answers again", 1));
	assert_int_equal(more, 0);
}

static void names_and_numbers_make_no_other_reason(void **state)
{
	(void)state;
	assert_true(pass("server: 192.0.2.1", 1));
	assert_false(pass("server: 192.0.2.2", 2));
	assert_true(pass("at 7 o'clock", 1));
	assert_false(pass("at 8 o'clock", 2));
	assert_true(pass("about \"one\"", 1));
	assert_false(pass("about \"other\"", 2));
}

static void a_second_later_the_next_says_how_many_were_not_logged(void **state)
{
	(void)state;
	assert_true(pass("NAT: a", 5));
	for (unsigned i = 0; i < 7; i++)
		assert_false(pass("NAT: b", 4 + SECOND));
	assert_true(pass("NAT: c", 5 + SECOND));
	assert_int_equal(more, 7);
	assert_true(pass("NAT: d", 5 + 2ull * SECOND));
	assert_int_equal(more, 0);
}

static void with_too_many_reasons_the_stalest_is_forgotten(void **state)
{
	char line[8];

	(void)state;
	assert_true(pass("old", 1));
	for (unsigned i = 0; i < LOG_LIMIT_REASONS; i++) {
		snprintf(line, sizeof(line), "%c", 'a' + i);
		assert_true(pass(line, 2 + i));
	}
	assert_false(pass("p", 3 + LOG_LIMIT_REASONS));
	assert_true(pass("old", 3 + LOG_LIMIT_REASONS));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_line_of_a_reason_passes),
		T(names_and_numbers_make_no_other_reason),
		T(a_second_later_the_next_says_how_many_were_not_logged),
		T(with_too_many_reasons_the_stalest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
