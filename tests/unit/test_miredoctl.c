/*
 * test_miredoctl.c - what the command makes of a status
 */
#include "config.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../libteredo/client.h"
#include "../../src/datapath.h"
#include "../../src/miredoctl_status.h"
#include "status_bench.h"

static json_t *json_of(const struct ctl_status *st)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *json;

	assert_true(miredoctl_print_json(st, out));
	fclose(out);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

/* The value at a path like "server.rtt_ms". */
static const json_t *at(const json_t *json, const char *path)
{
	char copy[80], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = strtok_r(copy, ".", &save); p != NULL;
	     p = strtok_r(NULL, ".", &save)) {
		json = json_object_get(json, p);
		if (json == NULL)
			fail_msg("no %s", path);
	}
	return json;
}

#define assert_text(json, path, text)                                          \
	assert_string_equal(json_string_value(at(json, path)), text)
#define assert_number(json, path, n)                                           \
	do {                                                                   \
		assert_true(json_is_integer(at(json, path)));                  \
		assert_int_equal(json_integer_value(at(json, path)), n);       \
	} while (0)
#define assert_unknown(json, path) assert_true(json_is_null(at(json, path)))

static void authentication_is_in_the_json(void **state)
{
	struct ctl_status st = client();
	json_t *j = json_of(&st);

	(void)state;
	assert_unknown(j, "authentication");
	json_decref(j);
	st.auth_keys = 1;
	st.auth_algorithm = TEREDO_HMAC_SHA256;
	j = json_of(&st);
	assert_text(j, "authentication.algorithm", "hmac-sha256");
	assert_true(json_is_true(at(j, "authentication.key_valid")));
	json_decref(j);
	st.auth_expired = 1;
	j = json_of(&st);
	assert_true(json_is_false(at(j, "authentication.key_valid")));
	assert_text(json_array_get(at(j, "health"), 0), "code",
		    "key-expired");
	json_decref(j);
	st.role = PRIV_SERVER;
	st.auth_keys = 7;
	st.auth_required = 1;
	j = json_of(&st);
	assert_number(j, "authentication.keys", 7);
	assert_true(json_is_true(at(j, "authentication.required")));
	json_decref(j);
}

static void a_clients_json_has_its_facts(void **state)
{
	struct ctl_status st = client();
	json_t *j = json_of(&st);

	(void)state;
	assert_text(j, "schema", "miredo.status/1");
	assert_text(j, "version", PACKAGE_VERSION);
	assert_text(j, "role", "client");
	assert_text(j, "interface", "teredo");
	assert_number(j, "pid", 812);
	assert_number(j, "generation", 2);
	assert_text(j, "state", "qualified");
	assert_number(j, "since_s", 11520);
	assert_text(j, "address", "2001:0:c000:201::d2");
	assert_number(j, "mtu", 1280);
	assert_text(j, "server.name", "vps.example.net");
	assert_text(j, "server.ipv4", "192.0.2.1");
	assert_true(json_real_value(at(j, "server.rtt_ms")) == 18.412);
	assert_number(j, "server.last_answer_s", 11);
	assert_number(j, "server.failures", 0);
	assert_text(j, "nat.type", "restricted");
	assert_text(j, "nat.class", "easy");
	assert_true(json_is_false(at(j, "nat.mapping_varies")));
	assert_true(json_is_true(at(j, "nat.port_preserving")));
	assert_number(j, "traffic.rx_bytes", 14889779);
	assert_number(j, "traffic.tx_packets", 0);
	assert_number(j, "link.route_metric", 1029);
	assert_text(j, "nat.local", "192.168.1.2:51123");
	assert_text(j, "nat.external", "192.0.2.45:51123");
	assert_true(json_real_value(at(j, "refresh.interval_s")) == 30);
	assert_text(j, "refresh.state", "fixed");
	assert_true(json_is_null(at(j, "refresh.candidate_s")));
	assert_number(j, "peers.direct", 6);
	assert_number(j, "peers.relay", 2);
	assert_number(j, "peers.pending", 0);
	assert_number(j, "peers.limit", 4096);
	assert_number(j, "traffic.outer.rx_bytes", 14889779);
	assert_number(j, "traffic.inner.tx_packets", 7);
	assert_number(j, "drops.nonce", 2);
	assert_number(j, "drops.loop", 0);
	assert_number(j, "drops.kernel_udp", 3);
	assert_number(j, "events.rs_sent", 5);
	assert_int_equal(json_array_size(at(j, "health")), 0);
	json_decref(j);
}

static char *text_of(const struct ctl_status *st)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	miredoctl_print_text(st, out);
	fclose(out);
	return text;
}

static void the_offloads_in_use_are_named(void **state)
{
	struct ctl_status st = client();
	char *text;
	json_t *j;

	(void)state;
	st.datapath = DATAPATH_VNET;
	text = text_of(&st);
	assert_non_null(strstr(text, "  Data path      plain\n"));
	free(text);
	j = json_of(&st);
	assert_int_equal(json_array_size(at(j, "datapath")), 0);
	json_decref(j);
	st.datapath = DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO |
		      DATAPATH_SEGMENT | DATAPATH_GRO | DATAPATH_BATCH;
	text = text_of(&st);
	assert_non_null(strstr(text, "  Data path      tun-tso, tun-uso, "
				     "udp-segment, udp-gro, batch\n"));
	free(text);
	j = json_of(&st);
	assert_int_equal(json_array_size(at(j, "datapath")), 5);
	assert_string_equal(json_string_value(json_array_get(
				    at(j, "datapath"), 3)), "udp-gro");
	json_decref(j);
}

static void what_is_unknown_is_null(void **state)
{
	struct ctl_status st = unqualified();
	json_t *j = json_of(&st);

	(void)state;
	assert_text(j, "state", "offline");
	assert_number(j, "since_s", 41);
	assert_unknown(j, "address");
	assert_unknown(j, "server.ipv4");
	assert_unknown(j, "server.rtt_ms");
	assert_unknown(j, "server.last_answer_s");
	assert_number(j, "server.failures", 4);
	assert_unknown(j, "nat.type");
	assert_unknown(j, "nat.class");
	assert_unknown(j, "nat.mapping_varies");
	assert_unknown(j, "nat.local");
	assert_unknown(j, "nat.external");
	assert_text(json_array_get(at(j, "health"), 0), "code",
		    "server-unreachable");
	json_decref(j);
}

static void every_counter_is_named(void **state)
{
	struct ctl_status st = client();
	json_t *j = json_of(&st);

	(void)state;
	assert_int_equal(json_object_size(at(j, "drops")), TEREDO_N_DROPS + 2);
	assert_int_equal(json_object_size(at(j, "events")),
			 TEREDO_N_COUNTERS - TEREDO_N_DROPS);
	json_decref(j);
}

static void relay_and_server_have_theirs(void **state)
{
	struct ctl_status st = client();
	json_t *j;

	(void)state;
	st.role = PRIV_RELAY;
	st.peers_pending = 9;
	j = json_of(&st);
	assert_text(j, "role", "relay");
	assert_text(j, "state", "relaying");
	assert_text(j, "bind", "192.168.1.2:51123");
	assert_number(j, "peers.verified", 6);
	assert_number(j, "peers.unverified", 9);
	json_decref(j);
	st.link.bits &= ~(uint32_t)PRIV_LINK_CARRIER;
	j = json_of(&st);
	assert_text(j, "state", "not-announcing");
	json_decref(j);

	st.role = PRIV_SERVER;
	st.server_ip2 = 0;
	j = json_of(&st);
	assert_text(j, "state", "serving");
	assert_unknown(j, "interface");
	assert_text(j, "primary", "192.0.2.1:51123");
	assert_unknown(j, "secondary");
	json_decref(j);

	st.role = PRIV_SERVER_RELAY;	/* R-SRV-01 */
	j = json_of(&st);
	assert_text(j, "role", "server-relay");
	assert_text(j, "state", "serving");
	assert_text(j, "interface", "teredo");
	assert_text(j, "primary", "192.0.2.1:51123");
	assert_number(j, "peers.verified", 6);
	json_decref(j);
}

/* A-SUN-01, A-SUN-03, A-SUN-04 */
static void who_is_dormant_says_why(void **state)
{
	struct ctl_status st = client();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *j;

	(void)state;
	st.role = PRIV_DORMANT;
	st.configured = PRIV_CLIENT;
	strcpy(st.native, "eth0");
	j = json_of(&st);
	assert_text(j, "role", "client");
	assert_text(j, "state", "dormant");
	assert_text(j, "interface", "teredo");
	assert_text(j, "native_ipv6", "eth0");
	assert_unknown(j, "sunset");
	json_decref(j);
	assert_int_equal(miredoctl_health_exit(&st), 0);
	assert_true(miredoctl_is_state("dormant"));
	miredoctl_print_text(&st, out);
	st.role = PRIV_RELAY;
	miredoctl_print_text(&st, out);
	st.role = PRIV_DORMANT;
	st.configured = PRIV_SERVER;
	st.native[0] = '\0';
	st.sunset = 31;
	miredoctl_print_text(&st, out);
	fclose(out);
	assert_non_null(strstr(text, "native IPv6 on eth0\n"));
	assert_non_null(strstr(text,
			       "native IPv6 on eth0; a relay for this host\n"));
	assert_non_null(strstr(text, "1970-02-01: nothing is answered\n"));
	free(text);
	j = json_of(&st);
	assert_text(j, "role", "server");
	assert_text(j, "sunset", "1970-02-01");
	json_decref(j);
}

static void refreshing_is_qualified(void **state)
{
	struct ctl_status st = client();

	(void)state;
	st.state = TEREDO_CLIENT_REFRESHING;
	assert_string_equal(miredoctl_state(&st), "qualified");
	assert_int_equal(miredoctl_health_exit(&st), 0);
	st.state = TEREDO_CLIENT_LOST;
	assert_string_equal(miredoctl_state(&st), "lost");
	assert_int_equal(miredoctl_health_exit(&st), 5);
}

static void a_symmetric_nat_is_a_problem_that_is_told(void **state)
{
	struct ctl_status st = client();
	json_t *j;

	(void)state;
	st.nat = TEREDO_NAT_SYMMETRIC;
	assert_string_equal(miredoctl_state(&st), "qualified");
	assert_int_equal(miredoctl_health_exit(&st), 5);
	j = json_of(&st);
	assert_text(json_array_get(at(j, "health"), 0), "code",
		    "nat-symmetric");
	assert_text(json_array_get(at(j, "health"), 0), "severity", "warning");
	assert_text(j, "nat.class", "hard");
	assert_true(json_is_true(at(j, "nat.mapping_varies")));
	json_decref(j);
}

static void numbers_without_a_name_are_unknown(void **state)
{
	struct ctl_status st = client();
	json_t *j;

	(void)state;
	st.state = st.nat = 1000;
	st.rtt = UINT64_MAX;
	st.peers_direct = UINT32_MAX;
	st.udp_rx.bytes = UINT64_MAX;
	memcpy(st.server_name, "\xff\xfe", 3); /* no UTF-8 */
	j = json_of(&st);
	assert_text(j, "state", "unknown");
	assert_unknown(j, "nat.type");
	assert_unknown(j, "server.name");
	json_decref(j);
	st.role = 9;
	j = json_of(&st);
	assert_text(j, "role", "unknown");
	json_decref(j);
}

static void only_possible_states_can_be_waited_for(void **state)
{
	(void)state;
	assert_true(miredoctl_is_state("qualified"));
	assert_true(miredoctl_is_state("lost"));
	assert_true(miredoctl_is_state("relaying"));
	assert_true(miredoctl_is_state("not-announcing"));
	assert_true(miredoctl_is_state("serving"));
	assert_false(miredoctl_is_state("qualifed"));
	assert_false(miredoctl_is_state(""));
}

/* C-RID-03 */
static void a_search_for_the_interval_is_in_the_json(void **state)
{
	struct ctl_status st = client();
	json_t *j;

	(void)state;
	st.interval = TEREDO_INTERVAL_DETERMINING;
	st.refresh = 45 * SECOND;
	st.refresh_candidate = 52500 * SECOND / 1000;
	st.refresh_max = 60 * SECOND;
	j = json_of(&st);
	assert_text(j, "refresh.state", "determining");
	assert_true(json_real_value(at(j, "refresh.interval_s")) == 45);
	assert_true(json_real_value(at(j, "refresh.candidate_s")) == 52.5);
	assert_true(json_real_value(at(j, "refresh.maximum_s")) == 60);
	json_decref(j);
	st.interval = TEREDO_INTERVALS;
	j = json_of(&st);
	assert_true(json_is_null(at(j, "refresh.state")));
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authentication_is_in_the_json),
		cmocka_unit_test(a_clients_json_has_its_facts),
		cmocka_unit_test(the_offloads_in_use_are_named),
		cmocka_unit_test(what_is_unknown_is_null),
		cmocka_unit_test(every_counter_is_named),
		cmocka_unit_test(relay_and_server_have_theirs),
		cmocka_unit_test(who_is_dormant_says_why),
		cmocka_unit_test(refreshing_is_qualified),
		cmocka_unit_test(a_symmetric_nat_is_a_problem_that_is_told),
		cmocka_unit_test(numbers_without_a_name_are_unknown),
		cmocka_unit_test(only_possible_states_can_be_waited_for),
		cmocka_unit_test(a_search_for_the_interval_is_in_the_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
