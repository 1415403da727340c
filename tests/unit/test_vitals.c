/*
 * test_vitals.c - samples for rates; health, told once
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../libteredo/client.h"
#include "../../src/log.h"
#include "../../src/vitals.h"
#include "status_bench.h"

static unsigned lines;
static char line[300];

static void take_line(void *ctx, int level, const char *text)
{
	(void)ctx;
	(void)level;
	lines++;
	snprintf(line, sizeof(line), "%s", text);
}

static void rates_are_over_10_to_20_seconds(void **state)
{
	struct vitals v;
	struct ctl_status st = client(), out;

	(void)state;
	vitals_begin(&v, 100 * SECOND);
	for (unsigned s = 1; s <= 100; s++) {
		st.udp_rx.packets = s;
		st.counters[TEREDO_EV_rs_sent] = 2 * s;
		vitals_look(&v, &st, (100 + s) * SECOND);
		out = st;
		vitals_fill(&v, &out, (100 + s) * SECOND);
		if (s >= 20)
			assert_in_range(out.then.age, 10 * SECOND,
					20 * SECOND);
		else
			assert_int_equal(out.then.age, s * SECOND);
		if (s >= 20) {
			assert_int_equal(out.then.age / SECOND,
					 s - out.then.udp_rx.packets);
			assert_int_equal(2 * out.then.age / SECOND,
					 2 * s - out.then.counters
							 [TEREDO_EV_rs_sent]);
		}
	}
}

static void each_reason_is_a_line_when_it_comes_and_when_it_ends(void **state)
{
	struct vitals v;
	struct ctl_status st = client();

	(void)state;
	lines = 0;
	vitals_begin(&v, 0);
	st.nat = TEREDO_NAT_SYMMETRIC;
	vitals_look(&v, &st, SECOND);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(line, "health nat-symmetric: The NAT is "));
	st.link.bits = PRIV_LINK_SHADOWED;	/* a second one, a worse one */
	vitals_look(&v, &st, 2 * SECOND);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(line, "health route-shadowed: Another route"));
	st.peers_max = 8;			/* a third one, a lesser one */
	vitals_look(&v, &st, 3 * SECOND);
	assert_int_equal(lines, 3);
	assert_non_null(strstr(line, "health table-full: The peer table"));
	st.link.bits = PRIV_LINK_CARRIER;
	vitals_look(&v, &st, 4 * SECOND);
	assert_int_equal(lines, 4);
	assert_string_equal(line, "health route-shadowed has ended");
	st.nat = TEREDO_NAT_NONE;
	st.peers_max = 4096;
	vitals_look(&v, &st, 5 * SECOND);
	assert_int_equal(lines, 5);
	assert_string_equal(line, "health ok: no more nat-symmetric, "
				  "table-full");
}

static void what_its_cause_hides_has_not_ended(void **state)
{
	struct vitals v;
	struct ctl_status st = client();

	(void)state;
	lines = 0;
	vitals_begin(&v, 0);
	st.nat = TEREDO_NAT_SYMMETRIC;
	vitals_look(&v, &st, SECOND);
	st.state = TEREDO_CLIENT_LOST;
	vitals_look(&v, &st, 2 * SECOND);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(line, "health server-unreachable: "));
	st.state = TEREDO_CLIENT_QUALIFIED;
	vitals_look(&v, &st, 3 * SECOND);
	assert_int_equal(lines, 3);
	assert_string_equal(line, "health server-unreachable has ended");
}

static void information_is_no_line(void **state)
{
	struct vitals v;
	struct ctl_status st = client();

	(void)state;
	lines = 0;
	vitals_begin(&v, 0);
	st.role = PRIV_SERVER;
	st.server_ip2 = 0;
	assert_true(vitals_look(&v, &st, SECOND));
	st.server_ip2 = 1;
	assert_true(vitals_look(&v, &st, 2 * SECOND));
	assert_int_equal(lines, 0);
}

static void a_change_is_one_line(void **state)
{
	struct vitals v;
	struct ctl_status st = client();

	(void)state;
	lines = 0;
	vitals_begin(&v, 0);
	st.state = TEREDO_CLIENT_PROBING;
	assert_true(vitals_look(&v, &st, SECOND));
	st.state = TEREDO_CLIENT_QUALIFIED;
	assert_true(vitals_look(&v, &st, 2 * SECOND));
	assert_int_equal(lines, 0);	/* as it should be */
	st.state = TEREDO_CLIENT_LOST;
	assert_true(vitals_look(&v, &st, 3 * SECOND));
	assert_false(vitals_look(&v, &st, 4 * SECOND));
	assert_int_equal(lines, 1);
	assert_non_null(strstr(line, "health server-unreachable: The server "
				     "does not answer."));
	vitals_fill(&v, &st, 5 * SECOND);
	assert_int_equal(st.health_age[HEALTH_SERVER_UNREACHABLE], 2 * SECOND);
	assert_true(st.health_age[HEALTH_DNS_FAILED] == UINT64_MAX);
	st.state = TEREDO_CLIENT_PROBING;	/* on the way back */
	assert_true(vitals_look(&v, &st, 6 * SECOND));
	assert_int_equal(lines, 1);
	st.state = TEREDO_CLIENT_QUALIFIED;
	assert_true(vitals_look(&v, &st, 7 * SECOND));
	assert_string_equal(line, "health ok: no more server-unreachable");
	assert_int_equal(lines, 2);
}

static void the_first_look_is_always_told(void **state)
{
	struct vitals v;
	struct ctl_status st = client();

	(void)state;
	lines = 0;
	vitals_begin(&v, 0);
	assert_true(vitals_look(&v, &st, SECOND));
	assert_int_equal(lines, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_over_10_to_20_seconds),
		cmocka_unit_test(a_change_is_one_line),
		cmocka_unit_test(each_reason_is_a_line_when_it_comes_and_when_it_ends),
		cmocka_unit_test(what_its_cause_hides_has_not_ended),
		cmocka_unit_test(information_is_no_line),
		cmocka_unit_test(the_first_look_is_always_told),
	};

	log_to_sink(take_line, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
