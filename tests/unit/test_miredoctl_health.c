/*
 * test_miredoctl_health.c - the words of each reason, as they are read
 *
 * They are part of the interface: a change here is a change for users.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/miredoctl_status.h"
#include "status_bench.h"

#define DAYS_2026_12_24 20811u

struct words {
	const char *code, *severity, *text, *remedy;
};

static const struct words words[HEALTHS] = {
	[HEALTH_ENGINE_DOWN] = {
		"engine-down", "error",
		"The engine, which handles every packet, ended 3 times within "
		"a minute: killed by signal 11. The next one starts in 2 s.",
		"the log may say why: journalctl -u miredo -n 20"},
	[HEALTH_IFACE_GONE] = {
		"iface-gone", "error",
		"teredo was deleted or moved away, and cannot be made again.",
		"restart miredo"},
	[HEALTH_IFACE_DOWN] = {
		"iface-admin-down", "error",
		"Somebody set teredo down; it is left so.",
		"ip link set dev teredo up"},
	[HEALTH_IFACE_BROKEN] = {
		"iface-broken", "error",
		"The interface was renamed, or the kernel refuses its "
		"addresses or routes.",
		"the log says which: journalctl -u miredo -n 20"},
	[HEALTH_NO_IPV4] = {
		"no-ipv4", "error",
		"This host has no way into the IPv4 Internet.",
		"ip -4 address; ip -4 route"},
	[HEALTH_BIND_LOST] = {
		"bind-address-lost", "error",
		"BindAddress is no address of this host any more: nothing is "
		"relayed.",
		"give the address back, or change BindAddress"},
	[HEALTH_DNS_FAILED] = {
		"dns-failed", "error",
		"vps.example.net has no IPv4 address: DNS does not answer, or "
		"says no.",
		"getent ahostsv4 vps.example.net"},
	[HEALTH_UDP_BLOCKED] = {
		"udp-blocked", "error",
		"A firewall on this host refuses our UDP packets.",
		"nft list ruleset; let miredo's user send UDP"},
	[HEALTH_KEY_EXPIRED] = {
		"key-expired", "error",
		"The server says that the key in KeyFile is no longer valid.",
		"ask its operator for another key"},
	[HEALTH_SERVER_UNREACHABLE] = {
		"server-unreachable", "error",
		"No answer from 192.0.2.1:3544 (UDP). It is off, or something "
		"between you and it blocks UDP 3544. Next try in 6 s. Address "
		"and peers are kept.",
		"miredoctl netcheck"},
	[HEALTH_NOT_QUALIFIED] = {
		"not-qualified", "warning",
		"It has only just begun: no server has answered yet.",
		"wait some seconds: miredoctl status --wait qualified"},
	[HEALTH_ANNOUNCE_HELD] = {
		"announce-held", "warning",
		"An operator took the carrier away, so that no router sends "
		"anything here.",
		"miredoctl announce release"},
	[HEALTH_ROUTE_SHADOWED] = {
		"route-shadowed", "warning",
		"The IPv6 route of eth0 (metric 100) wins over ours: packets "
		"for native hosts leave there.",
		"miredoctl route 2000::1; ip -6 route"},
	[HEALTH_NAT_SYMMETRIC] = {
		"nat-symmetric", "warning",
		"The NAT is symmetric (hard): native hosts are reached, many "
		"Teredo peers are not.",
		"a NAT that keeps mappings (cone), or a relay"},
	[HEALTH_MAPPING_UNSTABLE] = {
		"mapping-unstable", "warning",
		"The NAT changed the mapping 4 times in 20 m 0 s, and with it "
		"the address.",
		"RefreshInterval below the NAT's time limit; a fixed BindPort"},
	[HEALTH_TABLE_FULL] = {
		"table-full", "warning",
		"The peer table is full: strangers make room for each other.",
		"a larger MaxPeers"},
	[HEALTH_SERVICE_ENDED] = {
		"service-ended", "info",
		"The SunsetDate has come: nothing is answered.",
		"use another server or relay, or change SunsetDate"},
	[HEALTH_SUNSET_NEAR] = {
		"sunset-near", "info",
		"Nothing will be answered from 2026-12-24 on, in 29 days.",
		"tell those who use it"},
	[HEALTH_ONE_ADDRESS] = {
		"one-address", "info",
		"The server has one address: clients cannot tell a symmetric "
		"NAT.",
		"a second IPv4 address: ServerBindAddress2"},
};

static void become_qualifying(struct ctl_status *st, uint32_t state)
{
	st->state = state;
	memset(st->addr, 0, sizeof(st->addr));
}

static void make_link_ill(struct ctl_status *st, uint32_t bits)
{
	st->link.bits |= bits;
	snprintf(st->link.other, sizeof(st->link.other), "eth0");
	st->link.other_metric = 100;
}

static void make_client_ill(struct ctl_status *st, enum health h)
{
	switch ((int)h) {
	case HEALTH_DNS_FAILED:
		become_qualifying(st, TEREDO_CLIENT_RESOLVING);
		break;
	case HEALTH_KEY_EXPIRED:
		st->auth_expired = 1;
		break;
	case HEALTH_SERVER_UNREACHABLE:
		st->state = TEREDO_CLIENT_LOST;
		st->retry_in = 6 * SECOND;
		break;
	case HEALTH_NOT_QUALIFIED:
		become_qualifying(st, TEREDO_CLIENT_PROBING);
		break;
	case HEALTH_NAT_SYMMETRIC:
		st->nat = TEREDO_NAT_SYMMETRIC;
		break;
	case HEALTH_MAPPING_UNSTABLE:
		st->engine_age = 1200 * SECOND;
		st->counters[TEREDO_EV_mapping_changed] = 4;
		break;
	case HEALTH_TABLE_FULL:
		st->peers_max = 8;
		break;
	default:
		break;
	}
}

static void make_other_role_ill(struct ctl_status *st, enum health h)
{
	switch ((int)h) {
	case HEALTH_ENGINE_DOWN:
		st->deaths = 3;
		st->retry_in = 2 * SECOND;
		strcpy(st->fate, "killed by signal 11");
		break;
	case HEALTH_BIND_LOST:
	case HEALTH_ANNOUNCE_HELD:
		st->role = PRIV_RELAY;
		break;
	case HEALTH_UDP_BLOCKED:
		st->role = PRIV_RELAY;
		st->udp_refused = 1;
		break;
	case HEALTH_SERVICE_ENDED:
		st->role = PRIV_DORMANT;
		st->sunset = DAYS_2026_12_24;
		break;
	case HEALTH_SUNSET_NEAR:
		st->role = PRIV_SERVER;
		st->sunset = DAYS_2026_12_24;
		st->link.sunset_days = 29;
		break;
	case HEALTH_ONE_ADDRESS:
		st->role = PRIV_SERVER;
		st->server_ip2 = 0;
		break;
	default:
		break;
	}
}

/* A status in which h is wrong: a client's, or of the role whose it is. */
static struct ctl_status ill(enum health h)
{
	static const uint32_t link[HEALTHS] = {
		[HEALTH_IFACE_GONE] = PRIV_LINK_GONE,
		[HEALTH_IFACE_DOWN] = PRIV_LINK_DOWN,
		[HEALTH_IFACE_BROKEN] = PRIV_LINK_BROKEN,
		[HEALTH_NO_IPV4] = PRIV_LINK_NO_IPV4,
		[HEALTH_BIND_LOST] = PRIV_LINK_HOMELESS,
		[HEALTH_DNS_FAILED] = PRIV_LINK_UNRESOLVED,
		[HEALTH_ANNOUNCE_HELD] = PRIV_LINK_HELD,
		[HEALTH_ROUTE_SHADOWED] = PRIV_LINK_SHADOWED,
	};
	struct ctl_status st = client();

	make_link_ill(&st, link[h]);
	make_client_ill(&st, h);
	make_other_role_ill(&st, h);
	return st;
}

static void each_reason_has_its_words(void **state)
{
	char buf[MIREDOCTL_REASON_MAX];

	(void)state;
	for (enum health h = 0; h < HEALTHS; h++) {
		const struct health_reason *r = health_reason(h);
		struct ctl_status st = ill(h);

		assert_non_null(words[h].code);
		assert_string_equal(r->code, words[h].code);
		if (health_find(&st) != 1u << h)
			fail_msg("%s: found %#x", r->code, health_find(&st));
		assert_string_equal(health_severity_name(r->severity),
				    words[h].severity);
		assert_string_equal(miredoctl_health_text(buf, &st, h),
				    words[h].text);
		assert_string_equal(miredoctl_health_remedy(buf, &st, h),
				    words[h].remedy);
		assert_int_equal(miredoctl_health_exit(&st),
				 r->severity == HEALTH_INFO ? 0 : 5);
	}
}

/* The screen breaks lines between words, and nowhere else. */
static void assert_screen(const struct ctl_status *st, const char *wanted)
{
	char screen[600] = "";
	FILE *out = fmemopen(screen, sizeof(screen) - 1, "w");

	miredoctl_print_health(st, out);
	fclose(out);
	assert_string_equal(screen, wanted);
}

static void a_screen_has_the_code_the_text_and_the_remedy(void **state)
{
	struct ctl_status st = ill(HEALTH_MAPPING_UNSTABLE);

	(void)state;
	assert_screen(&st,
		"Health: 1 problem\n"
		"  mapping-unstable    The NAT changed the mapping 4 times in "
		"20 m 0 s, and\n"
		"                      with it the address.\n"
		"                      Try: RefreshInterval below the NAT's "
		"time limit; a fixed\n"
		"                      BindPort\n");
	st = ill(HEALTH_SERVICE_ENDED);
	assert_screen(&st,
		"Health: ok\n"
		"  service-ended       The SunsetDate has come: nothing is "
		"answered.\n");
}

static void what_is_not_known_is_not_said(void **state)
{
	struct ctl_status st = unqualified();
	char buf[MIREDOCTL_REASON_MAX];

	(void)state;
	assert_string_equal(
		miredoctl_health_text(buf, &st, HEALTH_SERVER_UNREACHABLE),
		"The server does not answer. It is off, or something between "
		"you and it blocks UDP 3544.");
	st.server_ip = htonl(0xc0000201);
	assert_string_equal(
		miredoctl_health_text(buf, &st, HEALTH_SERVER_UNREACHABLE),
		"No answer from 192.0.2.1:3544 (UDP). It is off, or something "
		"between you and it blocks UDP 3544. Next try at once.");
	assert_string_equal(
		miredoctl_health_text(buf, &st, HEALTH_ROUTE_SHADOWED),
		"There is no route through the tunnel any more, or one that "
		"refuses wins over it.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_words),
		cmocka_unit_test(a_screen_has_the_code_the_text_and_the_remedy),
		cmocka_unit_test(what_is_not_known_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
