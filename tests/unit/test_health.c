/*
 * test_health.c - every reason is found, and hidden behind its causes
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../libteredo/client.h"
#include "../../src/ctl.h"
#include "../../src/health.h"

#define MINUTE 60000000000ull

static struct ctl_status well(uint32_t role)
{
	return (struct ctl_status){
		.role = role,
		.engine_age = 100 * MINUTE,
		.state = TEREDO_CLIENT_QUALIFIED,
		.nat = TEREDO_NAT_CONE_OR_RESTRICTED,
		.server_ip = 1,
		.server_ip2 = 2,
		.peers_max = 100,
		.peers_direct = 50,
	};
}

/* That h, and nothing else, is wrong. */
static void assert_alone(const struct ctl_status *st, enum health h)
{
	uint32_t found = health_find(st);

	if (found != 1u << h)
		fail_msg("found %#x, not %#x (%s)", found, 1u << h,
			 health_reason(h)->code);
}

static void who_is_well_has_no_reason(void **state)
{
	(void)state;
	for (uint32_t role = PRIV_CLIENT; role <= PRIV_SERVER_RELAY; role++) {
		struct ctl_status st = well(role);

		assert_int_equal(health_find(&st), 0);
		assert_true(health_is_well(0));
	}
}

static void each_bit_of_the_parent_is_a_reason(void **state)
{
	static const struct {
		uint32_t bit;
		enum health h;
	} row[] = {
		{PRIV_LINK_GONE, HEALTH_IFACE_GONE},
		{PRIV_LINK_DOWN, HEALTH_IFACE_DOWN},
		{PRIV_LINK_BROKEN, HEALTH_IFACE_BROKEN},
		{PRIV_LINK_HOMELESS, HEALTH_BIND_LOST},
		{PRIV_LINK_HELD, HEALTH_ANNOUNCE_HELD},
		{PRIV_LINK_SHADOWED, HEALTH_ROUTE_SHADOWED},
		{PRIV_LINK_NO_IPV4, HEALTH_NO_IPV4},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ctl_status st = well(PRIV_RELAY);

		st.link.bits = row[i].bit;
		assert_alone(&st, row[i].h);
		st.role = PRIV_CLIENT;
		assert_alone(&st, row[i].h);
		assert_false(health_is_well(health_find(&st)));
	}
}

static void a_client_without_an_answer_says_so(void **state)
{
	struct ctl_status st = well(PRIV_CLIENT);

	(void)state;
	st.state = TEREDO_CLIENT_PROBING;
	assert_alone(&st, HEALTH_NOT_QUALIFIED);
	st.failures = 1;
	st.nat = TEREDO_NAT_SYMMETRIC;
	assert_alone(&st, HEALTH_SERVER_UNREACHABLE);
	st.state = TEREDO_CLIENT_OFFLINE;
	assert_alone(&st, HEALTH_SERVER_UNREACHABLE);
	st.state = TEREDO_CLIENT_LOST;
	assert_alone(&st, HEALTH_SERVER_UNREACHABLE);
	st.udp_error = EPERM;
	assert_alone(&st, HEALTH_UDP_BLOCKED);
	st.udp_error = ENETUNREACH;
	assert_alone(&st, HEALTH_SERVER_UNREACHABLE);
	st.auth_expired = 1;
	assert_alone(&st, HEALTH_KEY_EXPIRED);
	st.link.bits = PRIV_LINK_NO_IPV4;
	assert_alone(&st, HEALTH_NO_IPV4);
}

static void a_name_has_failed_only_when_dns_said_so(void **state)
{
	struct ctl_status st = well(PRIV_CLIENT);

	(void)state;
	st.state = TEREDO_CLIENT_RESOLVING;
	assert_alone(&st, HEALTH_NOT_QUALIFIED);
	st.link.bits = PRIV_LINK_UNRESOLVED;
	assert_alone(&st, HEALTH_DNS_FAILED);
	st.link.bits |= PRIV_LINK_NO_IPV4;
	assert_alone(&st, HEALTH_NO_IPV4);
	/* one of several: another one answers */
	st.state = TEREDO_CLIENT_QUALIFIED;
	st.link.bits = PRIV_LINK_UNRESOLVED;
	assert_int_equal(health_find(&st), 0);
}

static void what_a_client_finds_of_its_nat(void **state)
{
	struct ctl_status st = well(PRIV_CLIENT);

	(void)state;
	st.nat = TEREDO_NAT_SYMMETRIC;
	assert_alone(&st, HEALTH_NAT_SYMMETRIC);
	st.nat = TEREDO_NAT_NONE;
	st.counters[TEREDO_EV_mapping_changed] = 10;
	assert_int_equal(health_find(&st), 0); /* each 10 minutes */
	st.counters[TEREDO_EV_mapping_changed] = 11;
	assert_alone(&st, HEALTH_MAPPING_UNSTABLE);
	st.counters[TEREDO_EV_mapping_changed] = 2;
	st.engine_age = MINUTE;
	assert_int_equal(health_find(&st), 0);
}

/* Nothing at all, over some seconds: a firewall may refuse some hosts. */
static void relay_and_server_find_that_nothing_leaves(void **state)
{
	(void)state;
	for (uint32_t role = PRIV_RELAY; role <= PRIV_SERVER_RELAY; role++) {
		struct ctl_status st = well(role);

		st.udp_tx.packets = st.then.udp_tx.packets = 1000;
		st.udp_refused = st.then.udp_refused = 3;
		assert_int_equal(health_find(&st), 0); /* long ago */
		st.udp_refused = 4;
		assert_alone(&st, HEALTH_UDP_BLOCKED);
		st.udp_tx.packets++;
		assert_int_equal(health_find(&st), 0);
		st.udp_tx.packets--;
		st.link.bits = PRIV_LINK_NO_IPV4;
		assert_alone(&st, HEALTH_NO_IPV4);
	}
}

static void an_interface_that_is_down_explains_the_routes(void **state)
{
	struct ctl_status st = well(PRIV_CLIENT);

	(void)state;
	st.link.bits = PRIV_LINK_DOWN | PRIV_LINK_SHADOWED | PRIV_LINK_BROKEN |
		       PRIV_LINK_HELD;
	assert_alone(&st, HEALTH_IFACE_DOWN);
	st.link.bits |= PRIV_LINK_GONE;
	assert_alone(&st, HEALTH_IFACE_GONE);
}

static void a_table_is_full_when_nobody_else_fits(void **state)
{
	struct ctl_status st = well(PRIV_RELAY);

	(void)state;
	st.peers_pending = 49;
	assert_int_equal(health_find(&st), 0);
	st.peers_pending = 50;
	assert_alone(&st, HEALTH_TABLE_FULL);
}

static void information_leaves_all_well(void **state)
{
	struct ctl_status st = well(PRIV_SERVER);

	(void)state;
	st.server_ip2 = 0;
	assert_alone(&st, HEALTH_ONE_ADDRESS);
	assert_true(health_is_well(health_find(&st)));
	assert_int_equal(health_worst(health_find(&st)), HEALTHS);
	st.server_ip2 = 2;
	st.sunset = 20000;
	st.link.sunset_days = 31;
	assert_int_equal(health_find(&st), 0);
	st.link.sunset_days = 30;
	assert_alone(&st, HEALTH_SUNSET_NEAR);
	st.role = PRIV_DORMANT;
	assert_alone(&st, HEALTH_SERVICE_ENDED);
	strcpy(st.native, "eth0");	/* dormant for another reason */
	st.sunset = 0;
	assert_int_equal(health_find(&st), 0);
}

/* So that what is told always has its causes above it, and there is no
 * circle in which everything is hidden. */
static void causes_stand_before_what_they_cause(void **state)
{
	(void)state;
	for (unsigned h = 0; h < HEALTHS; h++) {
		const struct health_reason *r = health_reason((enum health)h);

		assert_non_null(r->code);
		assert_int_equal(r->causes >> h, 0);
		assert_int_equal(health_visible(1u << h | r->causes) >> h & 1,
				 r->causes == 0);
		for (unsigned c = 0; c < h; c++)
			assert_string_not_equal(
				r->code, health_reason((enum health)c)->code);
	}
}

static void some_reason_is_always_told(void **state)
{
	uint32_t bits = 1;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		bits = bits * 1664525u + 1013904223u;
		if ((bits & ((1u << HEALTHS) - 1)) != 0)
			assert_int_not_equal(
				health_visible(bits & ((1u << HEALTHS) - 1)),
				0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_well_has_no_reason),
		cmocka_unit_test(each_bit_of_the_parent_is_a_reason),
		cmocka_unit_test(a_client_without_an_answer_says_so),
		cmocka_unit_test(a_name_has_failed_only_when_dns_said_so),
		cmocka_unit_test(what_a_client_finds_of_its_nat),
		cmocka_unit_test(relay_and_server_find_that_nothing_leaves),
		cmocka_unit_test(an_interface_that_is_down_explains_the_routes),
		cmocka_unit_test(a_table_is_full_when_nobody_else_fits),
		cmocka_unit_test(information_leaves_all_well),
		cmocka_unit_test(causes_stand_before_what_they_cause),
		cmocka_unit_test(some_reason_is_always_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
