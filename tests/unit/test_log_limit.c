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

/* "what; how many", or "" where nothing is to be told */
static const char *flush(uint64_t now)
{
	static char text[LOG_LIMIT_BEGIN + 20];
	char begin[LOG_LIMIT_BEGIN];
	unsigned n;

	if (!log_limit_flush(&limit, now, &n, begin))
		return "";
	snprintf(text, sizeof(text), "%s; %u", begin, n);
	return text;
}

static void what_silence_follows_is_told_by_a_timer(void **state)
{
	(void)state;
	assert_true(pass("NAT: a", 5));
	assert_string_equal(flush(6), "");
	for (unsigned i = 0; i < 7; i++)
		assert_false(pass("NAT: b", 6));
	assert_string_equal(flush(4 + SECOND), "");
	assert_string_equal(flush(5 + SECOND), "NAT; 7");
	assert_string_equal(flush(5 + SECOND), "");
	assert_string_equal(flush(5 + 9ull * SECOND), "");
	/* that was a line, too */
	assert_false(pass("NAT: c", 6 + SECOND));
	assert_true(pass("NAT: d", 5 + 2ull * SECOND));
	assert_int_equal(more, 1);
	assert_string_equal(flush(UINT64_MAX), "");
}

static void each_reason_is_told_by_itself_and_at_the_end_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		pass("one", 1);
		pass("a very long line that goes on and on and on and on", 1);
	}
	assert_string_equal(flush(2), "");
	assert_string_equal(flush(UINT64_MAX), "one; 2");
	assert_string_equal(flush(UINT64_MAX), "a very long line that goes on "
					       "and on and on and; 2");
	assert_string_equal(flush(UINT64_MAX), "");
}

static void what_a_forgotten_reason_suppressed_is_told(void **state)
{
	char line[8];

	(void)state;
	assert_true(pass("old", 1));
	assert_false(pass("old", 1));
	for (unsigned i = 0; i < LOG_LIMIT_REASONS; i++) {
		snprintf(line, sizeof(line), "%c", 'a' + i);
		assert_true(pass(line, 2 + i));
	}
	assert_string_equal(flush(2 + LOG_LIMIT_REASONS), "; 1");
	assert_string_equal(flush(2 + LOG_LIMIT_REASONS), "");
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_line_of_a_reason_passes),
		T(names_and_numbers_make_no_other_reason),
		T(a_second_later_the_next_says_how_many_were_not_logged),
		T(with_too_many_reasons_the_stalest_is_forgotten),
		T(what_silence_follows_is_told_by_a_timer),
		T(each_reason_is_told_by_itself_and_at_the_end_at_once),
		T(what_a_forgotten_reason_suppressed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
