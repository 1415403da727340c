/*
 * test_miredoctl_screen.c - the screens that the command makes of a status
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/miredoctl_status.h"
#include "status_bench.h"

static char *screen_of(const struct ctl_status *st)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	miredoctl_print_text(st, out);
	fclose(out);
	return text;
}

static void assert_shows(const char *screen, const char *fact)
{
	if (strstr(screen, fact) == NULL)
		fail_msg("\"%s\" is missing in:\n%s", fact, screen);
}

static void the_clients_screen_has_its_facts(void **state)
{
	struct ctl_status st = client();
	char *s = screen_of(&st);

	(void)state;
	assert_shows(s, "miredo " PACKAGE_VERSION "  client  teredo  "
			"up 3 h 13 m (engine 2)");
	assert_shows(s, " QUALIFIED\n");
	assert_shows(s, "2001:0:c000:201::d2");
	assert_shows(s, "vps.example.net (192.0.2.1)");
	assert_shows(s, "RTT 18.4 ms\n");
	assert_shows(s, "11 s ago\n");
	assert_shows(s, "restricted (easy), port-preserving\n");
	assert_shows(s, "192.168.1.2:51123 -> 192.0.2.45:51123   "
			"stable 3 h 12 m\n");
	assert_shows(s, "1280, default metric 1029 (native IPv6: none that "
			"wins)\n");
	assert_shows(s, "Refresh        every 30 s\n");
	assert_shows(s, "6 direct, 2 via relay, 0 pending      (8 of 4,096)");
	assert_shows(s, "rx 14.2 MiB  tx 0 B\n");
	assert_shows(s, "5 (3 by the kernel, 2 nonce)\n");
	assert_shows(s, "Health: ok\n");
	free(s);
}

/* C-RID-03 */
static void a_search_for_the_interval_shows(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.interval = TEREDO_INTERVAL_DETERMINING;
	s = screen_of(&st);
	assert_shows(s, "every 30 s, being determined\n");
	free(s);
	st.refresh = 45 * SECOND;
	st.refresh_candidate = 52500 * SECOND / 1000;
	st.refresh_max = 60 * SECOND;
	s = screen_of(&st);
	assert_shows(s, "every 45 s, being determined: 52.5 s is tried\n");
	free(s);
	st.interval = TEREDO_INTERVAL_DETERMINED;
	s = screen_of(&st);
	assert_shows(s, "every 45 s, determined\n");
	free(s);
	st.interval = TEREDO_INTERVAL_UNDETERMINED;
	s = screen_of(&st);
	assert_shows(s, "every 45 s, not determined\n");
	free(s);
}

static void a_screen_that_is_not_well_says_why(void **state)
{
	struct ctl_status st = unqualified();
	char *s = screen_of(&st);

	(void)state;
	assert_shows(s, " NOT QUALIFIED\n");
	assert_shows(s, "no answer to 4 solicitations\n");
	assert_shows(s, "  Last answer    never\n");
	assert_shows(s, "Health: 1 problem\n  server-unreachable  ");
	assert_shows(s, "Try: miredoctl netcheck\n");
	assert_null(strstr(s, "Address"));
	assert_null(strstr(s, "Mapping"));
	free(s);
}

static void assert_fits(char *screen)
{
	char *save = NULL, *line, *all = strdup(screen);
	unsigned lines = 0;

	for (line = strtok_r(screen, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strlen(line) >= 80)
			fail_msg("%zu columns: %s", strlen(line), line);
		lines++;
	}
	if (lines > 24)
		fail_msg("%u lines:\n%s", lines, all);
	free(all);
	free(screen);
}

static void relay_and_server_show_what_happens_now(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.role = PRIV_RELAY;
	st.peers_direct = 17990;
	st.peers_pending = 214;
	st.peers_max = 65536;
	st.then.age = 10 * SECOND;
	st.udp_rx.packets = 412000;
	st.udp_tx.packets = 5;
	st.counters[TEREDO_EV_bubble_direct_sent] = 300;
	st.counters[TEREDO_EV_bubble_indirect_sent] = 70;
	st.counters[TEREDO_DROP_spoofed] = 131;
	st.then.counters[TEREDO_DROP_spoofed] = 100;
	st.counters[TEREDO_DROP_nonce] = st.then.counters[TEREDO_DROP_nonce];
	s = screen_of(&st);
	assert_shows(s, " ANNOUNCING\n");
	assert_shows(s, "192.168.1.2:51123  prefix 2001::/32  carrier up\n");
	assert_shows(s, "18,204 active  (verified 17,990, unverified 214)   "
			"limit 65,536\n");
	assert_shows(s, "41.2 k/s in   0.5/s out      bubbles 37/s (limit "
			"2000/s)\n");
	assert_shows(s, "  Dropped/s      spoofed 3.1\n");
	free(s);
	st.link.bits = 0;
	st.link.carrier_at = 1000;
	st.head.now = (1000 + 90) * SECOND;
	s = screen_of(&st);
	assert_shows(s, " NOT ANNOUNCING\n");
	assert_shows(s, "  carrier down 1 m 30 s\n");
	free(s);
	st.role = PRIV_SERVER;
	st.counters[TEREDO_EV_rs_received] = 8120;
	st.counters[TEREDO_EV_ra_sent] = 8110;
	st.counters[TEREDO_DROP_rate_limited] = 10;
	s = screen_of(&st);
	assert_shows(s, " SERVING\n");
	assert_shows(s, "  Solicitations  812/s   answered 811/s   "
			"rate-limited 1.0/s\n");
	assert_shows(s, "  Clients        0 seen within 5 min\n");
	free(s);
}

/* As many as are likely to use so many of 65536 places. */
static void a_server_tells_about_how_many_clients_it_has(void **state)
{
	static const struct {
		uint32_t places;
		const char *text;
	} row[] = {
		{1, "Clients        1 seen within 5 min\n"},
		{1000, "Clients        1,008 seen within 5 min\n"},
		{17234, "Clients        19,997 seen within 5 min\n"},
		{65500, "Clients        more than 400,000 seen within 5 min\n"},
	};
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.role = PRIV_SERVER;
	for (unsigned i = 0; i < 4; i++) {
		st.clients_seen = row[i].places;
		s = screen_of(&st);
		assert_shows(s, row[i].text);
		free(s);
	}
}

static void keys_are_counted_as_one_does(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.role = PRIV_SERVER;
	st.auth_keys = 1;
	s = screen_of(&st);
	assert_shows(s, "  Authentication 1 key, not required\n");
	free(s);
	st.auth_keys = 2;
	st.auth_required = 1;
	s = screen_of(&st);
	assert_shows(s, "  Authentication 2 keys, required\n");
	free(s);
}

static void another_route_that_wins_is_named(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.link = (struct priv_link){.bits = PRIV_LINK_SHADOWED,
				     .other = "eth0", .other_metric = 100};
	s = screen_of(&st);
	assert_shows(s, "1280, eth0 wins with metric 100\n");
	assert_shows(s, "route-shadowed");
	assert_shows(s, "The IPv6 route of eth0 (metric 100) wins over");
	assert_shows(s, "Try: miredoctl route 2000::1");
	free(s);
}

static void a_relay_is_told_to_ask_about_its_own_prefix(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	st.role = PRIV_RELAY;
	snprintf(st.instance, sizeof(st.instance), "miredo0");
	st.link = (struct priv_link){.bits = PRIV_LINK_SHADOWED,
				     .other = "teredo", .other_metric = 256};
	s = screen_of(&st);
	assert_shows(s, "Try: miredoctl -i miredo0 route 2001::1; ip -6 route");
	free(s);
}

static void a_server_without_interface_names_none(void **state)
{
	struct ctl_status st = client();
	char *s;

	(void)state;
	snprintf(st.instance, sizeof(st.instance), "server");
	st.role = PRIV_SERVER;
	s = screen_of(&st);
	assert_shows(s, "  server  -  up ");
	free(s);
	st.role = PRIV_DORMANT;	/* after its SunsetDate */
	st.configured = PRIV_SERVER;
	s = screen_of(&st);
	assert_shows(s, "  server  -  up ");
	free(s);
}

static void only_the_worst_has_a_next_step(void **state)
{
	struct ctl_status st = client();
	unsigned steps = 0;
	char *s;

	(void)state;
	st.nat = TEREDO_NAT_SYMMETRIC;
	st.link.bits = PRIV_LINK_DOWN | PRIV_LINK_SHADOWED;
	s = screen_of(&st);
	assert_shows(s, "Health: 2 problems\n  iface-admin-down    Somebody "
			"set teredo down");
	assert_shows(s, "Try: ip link set dev teredo up\n");
	assert_shows(s, "nat-symmetric");
	for (const char *at = s; (at = strstr(at, "Try: ")) != NULL; at++)
		steps++;
	assert_int_equal(steps, 1);
	free(s);
}

static void screens_fit_80_columns(void **state)
{
	struct ctl_status st = client();

	(void)state;
	memset(st.server_name, 'x', sizeof(st.server_name) - 1);
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		st.counters[i] = i * 1000000007ull;
	for (uint32_t role = PRIV_CLIENT; role <= PRIV_DORMANT; role++) {
		st.role = role;
		for (unsigned bit = 0; bit <= 10; bit++) {
			st.link.bits = 1u << bit;
			assert_fits(screen_of(&st));
			st.state = bit % TEREDO_CLIENT_STATES;
			st.failures = bit;
		}
	}
}

static bool is_fit(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && text[n] >= ' ' && text[n] <= '~')
		n++;
	return n < size && text[n] == '\0';
}

static void an_answers_texts_are_made_fit_to_print(void **state)
{
	struct ctl_status st;

	(void)state;
	for (int c = 1; c < 256; c++) {
		memset(&st, c, sizeof(st));
		miredoctl_clean(&st);
		assert_true(is_fit(st.server_name, sizeof(st.server_name)));
		assert_true(is_fit(st.instance, sizeof(st.instance)));
		assert_true(is_fit(st.native, sizeof(st.native)));
		assert_true(is_fit(st.link.other, sizeof(st.link.other)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clients_screen_has_its_facts),
		cmocka_unit_test(a_search_for_the_interval_shows),
		cmocka_unit_test(a_screen_that_is_not_well_says_why),
		cmocka_unit_test(relay_and_server_show_what_happens_now),
		cmocka_unit_test(a_server_tells_about_how_many_clients_it_has),
		cmocka_unit_test(keys_are_counted_as_one_does),
		cmocka_unit_test(another_route_that_wins_is_named),
		cmocka_unit_test(a_relay_is_told_to_ask_about_its_own_prefix),
		cmocka_unit_test(a_server_without_interface_names_none),
		cmocka_unit_test(only_the_worst_has_a_next_step),
		cmocka_unit_test(screens_fit_80_columns),
		cmocka_unit_test(an_answers_texts_are_made_fit_to_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
