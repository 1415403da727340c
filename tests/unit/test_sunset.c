/*
 * test_sunset.c - when not to serve, with the host and the calendar made up
 *
 * Everything that parent_sunset.c asks and tells is played here.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/clock.h"
#include "../../src/date.h"
#include "../../src/log.h"
#include "../../src/parent.h"

#define SECOND 1000000000ull

static uint64_t now;
static uint32_t today;
static int native, relay;	/* what netconf would find */
static unsigned renewed, left;
static char said[200];

uint64_t clock_now(void)
{
	return now;
}

uint32_t date_today(void)
{
	return today;
}

const char *date_text(char buf[DATE_LEN], uint32_t days)
{
	snprintf(buf, DATE_LEN, "day %u", days);
	return buf;
}

int netconf_native(struct netconf *nc, int except, uint32_t but)
{
	(void)nc;
	assert_int_equal(except, 7);
	assert_int_equal(but, 0x0120);
	return native;
}

int netconf_relay(struct netconf *nc, int except, uint32_t prefix,
		  uint32_t metric)
{
	(void)nc;
	assert_int_equal(except, 7);
	assert_int_equal(prefix, 0x0120);
	assert_int_equal(metric, 1024);
	return relay;
}

void parent_timer(struct parent *p, enum parent_timer t, uint64_t when)
{
	p->due[t] = when;
}

void parent_engine_renew(struct parent *p)
{
	renewed++;
	parent_sunset_take(p);
}

void parent_link_leave(struct parent *p)
{
	(void)p;
	left++;
}

void parent_configure(struct parent *p)
{
	p->config.role = parent_role(p);
}

void log_line(int level, const char *format, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, format);
	vsnprintf(said, sizeof(said), format, ap);
	va_end(ap);
}

/* A parent as it is after its start. */
static struct parent start(enum conf_role role, enum conf_native mode,
			   uint32_t sunset)
{
	struct parent p = {
		.conf = { .role = role, .native = mode, .sunset = sunset,
			  .prefix = 0x0120 },
		.link = { .ifindex = 7 },
	};

	for (unsigned t = 0; t < PARENT_TIMERS; t++)
		p.due[t] = UINT64_MAX;
	renewed = left = 0;
	said[0] = '\0';
	parent_sunset_look(&p, true);
	parent_configure(&p);
	return p;
}

/* A notice of the kernel's each second, and the timer when it is due. */
static void seconds_go_by(struct parent *p, unsigned n)
{
	while (n-- > 0) {
		now += SECOND;
		if (p->due[PARENT_NATIVE] <= now) {
			p->due[PARENT_NATIVE] = UINT64_MAX;
			parent_sunset_native(p);
		}
		parent_sunset_look(p, false);
	}
}

/* A-SUN-01 */
static void what_is_native_at_the_start_counts_at_once(void **state)
{
	struct parent p;

	(void)state;
	native = 1;
	p = start(CONF_CLIENT, CONF_NATIVE_SLEEP, 0);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	assert_string_equal(said, "dormant: native IPv6 on lo");
	p = start(CONF_CLIENT, CONF_NATIVE_RELAY, 0);	/* A-SUN-03 */
	assert_int_equal(p.config.role, PRIV_RELAY);
	p = start(CONF_CLIENT, CONF_NATIVE_IGNORE, 0);
	assert_int_equal(p.config.role, PRIV_CLIENT);
	p = start(CONF_RELAY, CONF_NATIVE_SLEEP, 0);
	assert_int_equal(p.config.role, PRIV_RELAY);
	p = start(CONF_SERVER, CONF_NATIVE_SLEEP, 0);
	assert_int_equal(p.config.role, PRIV_SERVER);
}

/* A-SUN-01: two cannot have the prefix, and the relay serves others, too. */
static void beside_a_relay_a_client_sleeps(void **state)
{
	struct parent p;

	(void)state;
	native = 0;
	relay = 1;
	p = start(CONF_CLIENT, CONF_NATIVE_RELAY, 0);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	assert_string_equal(said, "dormant: this host has a relay, lo");
	p = start(CONF_CLIENT, CONF_NATIVE_IGNORE, 0);
	assert_int_equal(p.config.role, PRIV_CLIENT);
	native = 2;
	p = start(CONF_CLIENT, CONF_NATIVE_RELAY, 0);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	relay = 0;			/* it ends */
	seconds_go_by(&p, 7);
	assert_int_equal(p.config.role, PRIV_RELAY);
	relay = 1;			/* and begins anew */
	seconds_go_by(&p, 7);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	native = relay = 0;
	seconds_go_by(&p, 7);
	assert_int_equal(p.config.role, PRIV_CLIENT);
}

/* A-SUN-01 */
static void a_change_counts_when_it_has_lasted(void **state)
{
	struct parent p;

	(void)state;
	native = 0;
	p = start(CONF_CLIENT, CONF_NATIVE_SLEEP, 0);
	assert_int_equal(p.config.role, PRIV_CLIENT);
	native = 1;
	seconds_go_by(&p, 4);
	assert_int_equal(p.config.role, PRIV_CLIENT);
	seconds_go_by(&p, 3);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	assert_int_equal(renewed, 1);
	assert_int_equal(left, 1);
	native = 0;
	seconds_go_by(&p, 4);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	seconds_go_by(&p, 3);
	assert_int_equal(p.config.role, PRIV_CLIENT);
	assert_string_equal(said, "awake: no native IPv6 any more");
	assert_int_equal(renewed, 2);
}

/* A-SUN-01 */
static void what_flaps_changes_nothing(void **state)
{
	struct parent p;

	(void)state;
	native = 0;
	p = start(CONF_CLIENT, CONF_NATIVE_RELAY, 0);
	for (unsigned i = 0; i < 20; i++) {
		native = !native;
		seconds_go_by(&p, 4);
	}
	assert_int_equal(renewed, 0);
	assert_int_equal(p.config.role, PRIV_CLIENT);
}

/* The kernel's notice of it has not settled yet. */
static void what_is_undone_at_the_last_moment_changes_nothing(void **state)
{
	struct parent p;

	(void)state;
	native = 0;
	p = start(CONF_CLIENT, CONF_NATIVE_SLEEP, 0);
	native = 1;
	seconds_go_by(&p, 1);
	assert_true(p.due[PARENT_NATIVE] != UINT64_MAX);
	native = 0;
	p.due[PARENT_NATIVE] = UINT64_MAX;
	parent_sunset_native(&p);
	assert_int_equal(renewed, 0);
	assert_string_equal(said, "");
}

/* A-SUN-01: another interface has it now; the status names it. */
static void another_interface_is_another_reason(void **state)
{
	struct parent p;

	(void)state;
	native = 1;
	p = start(CONF_CLIENT, CONF_NATIVE_SLEEP, 0);
	native = 9;
	seconds_go_by(&p, 7);
	assert_int_equal(p.native, 9);
	assert_int_equal(renewed, 1);
	assert_int_equal(left, 0);
	assert_int_equal(p.config.role, PRIV_DORMANT);
}

/* A-SUN-04 */
static void an_end_is_announced_as_it_comes_nearer(void **state)
{
	static const unsigned days[] = { 100, 30, 7, 1 };
	struct parent p;
	char want[100];

	(void)state;
	native = 0;
	today = 1000;
	p = start(CONF_SERVER, CONF_NATIVE_RELAY, 1100);
	for (unsigned i = 0; i < 4; i++) {
		today = 1100 - days[i];
		parent_sunset_tick(&p);
		snprintf(want, sizeof(want), "this service ends on day 1100 "
					     "(SunsetDate), in %u days",
			 days[i]);
		assert_string_equal(said, want);
		said[0] = '\0';
		parent_sunset_tick(&p);		/* once each */
		assert_string_equal(said, "");
	}
	assert_int_equal(renewed, 0);
	assert_int_equal(p.config.role, PRIV_SERVER);
}

/* A-SUN-04, A-SUN-06 */
static void from_its_date_on_it_serves_no_more(void **state)
{
	static const enum conf_role role[] = { CONF_SERVER, CONF_RELAY };
	struct parent p;

	(void)state;
	native = 0;
	for (unsigned i = 0; i < 2; i++) {
		today = 1099;
		p = start(role[i], CONF_NATIVE_RELAY, 1100);
		parent_sunset_tick(&p);
		assert_int_equal(p.config.role, role[i]);
		today = 1100;
		parent_sunset_tick(&p);
		assert_int_equal(p.config.role, PRIV_DORMANT);
		assert_int_equal(renewed, 1);
		parent_sunset_tick(&p);
		assert_int_equal(renewed, 1);
		today = 1000;		/* the clock was wrong */
		parent_sunset_tick(&p);
		assert_int_equal(p.config.role, role[i]);
	}
	today = 1200;
	p = start(CONF_SERVER, CONF_NATIVE_RELAY, 1100);
	assert_int_equal(p.config.role, PRIV_DORMANT);
	assert_string_equal(said, "ended on day 1100 (SunsetDate): dormant, "
				  "nothing is answered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_native_at_the_start_counts_at_once),
		cmocka_unit_test(beside_a_relay_a_client_sleeps),
		cmocka_unit_test(a_change_counts_when_it_has_lasted),
		cmocka_unit_test(what_flaps_changes_nothing),
		cmocka_unit_test(
			what_is_undone_at_the_last_moment_changes_nothing),
		cmocka_unit_test(another_interface_is_another_reason),
		cmocka_unit_test(an_end_is_announced_as_it_comes_nearer),
		cmocka_unit_test(from_its_date_on_it_serves_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
