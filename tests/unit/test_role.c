/*
 * test_role.c - the three roles behind one face, and what the log tells
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
#include <unistd.h>

#include <cmocka.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/client.h"
#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"
#include "../../src/hmac.h"
#include "../../src/log.h"
#include "../../src/role.h"

#define PEERS	8u
#define SERVER	htonl(0xc0000201) /* 192.0.2.1 */
#define SERVER2 htonl(0xc0000202)

static const struct role_ops *const ops = &role_client;

struct fixture {
	void *role;
	struct snapshot *snap;
	int memfd;
	teredo_time now;
	char log[4096];
	struct teredo_outbox ob;
};

static void draw(void *ctx, void *buf, size_t len)
{
	static uint8_t n;

	(void)ctx;
	memset(buf, ++n, len);
}

static const struct teredo_env env = {.random = draw, .hmac = hmac_compute};

static void note(void *ctx, int level, const char *line)
{
	struct fixture *f = ctx;
	size_t used = strlen(f->log);

	(void)level;
	snprintf(f->log + used, sizeof(f->log) - used, "%s\n", line);
}

static const struct auth_keys no_keys;

static void *open_finding(const struct auth_keys *keys, bool find)
{
	const struct priv_config config = {
		.role = PRIV_CLIENT,
		.max_peers = PEERS,
		.servers = 1,
		.bind_port = htons(4000),
		.refresh = 30,
		.find_refresh = find,
		.server_name = {"vps.example"},
	};

	return ops->open(&config, keys, &env);
}

static void *open_client(const struct auth_keys *keys)
{
	return open_finding(keys, false);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->memfd = snapshot_create(PEERS);
	f->now = TEREDO_SECOND;
	f->role = open_client(&no_keys);
	log_to_sink(note, f);
	*state = f;
	return snapshot_open(&f->snap, f->memfd, PEERS);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ops->close(f->role);
	snapshot_close(f->snap);
	close(f->memfd);
	free(f);
	return 0;
}

/* The log since the last time. */
static const char *told(struct fixture *f)
{
	static char copy[sizeof(f->log)];

	ops->report(f->role, f->now);
	memcpy(copy, f->log, sizeof(copy));
	f->log[0] = '\0';
	return copy;
}

/* The first solicitation in the outbox. */
static struct wire_packet solicitation(struct fixture *f)
{
	struct wire_packet p;

	for (unsigned i = 0; i < f->ob.n; i++) {
		const struct outbox_item *item = &f->ob.item[i];

		if (item->kind == OUTBOX_UDP &&
		    wire_parse(&p, outbox_data(&f->ob, item), item->len) ==
			    WIRE_OK &&
		    icmp6_is_rs(&p))
			return p;
	}
	fail_msg("no solicitation");
	return p;
}

/* Answers the solicitation: the mapping is that port of 198.51.100.9. */
static void advertise(struct fixture *f, uint16_t port)
{
	struct teredo_ep server = {.ip = SERVER, .port = htons(3544)};
	struct teredo_ep mapped = {.ip = htonl(0xc6336409),
				   .port = htons(port)};
	uint8_t ra[WIRE_AUTH_LEN + WIRE_ORIGIN_LEN + ICMP6_RA_LEN];
	struct wire_packet rs = solicitation(f);
	struct teredo_rx rx = {.data = ra, .len = sizeof(ra), .from = server};
	struct teredo_addr src;

	addr_make_link_local(&src, ADDR_FLAG_CONE, server);
	wire_put_auth(ra, rs.auth.nonce);
	wire_put_origin(ra + WIRE_AUTH_LEN, mapped);
	icmp6_put_ra(ra + WIRE_AUTH_LEN + WIRE_ORIGIN_LEN, &src, &rs.src,
		     addr_default_prefix(), SERVER, 1280);
	outbox_clear(&f->ob);
	ops->udp_in(f->role, &rx, f->now, &f->ob);
}

/* Until a solicitation is in the outbox. */
static void wait_for_solicitation(struct fixture *f)
{
	unsigned sent = 0;

	for (int i = 0; i < 1000 && sent == 0; i++) {
		outbox_clear(&f->ob);
		f->now = ops->deadline(f->role);
		ops->expire(f->role, f->now, &f->ob);
		for (unsigned j = 0; j < f->ob.n; j++)
			sent += f->ob.item[j].kind == OUTBOX_UDP &&
				f->ob.item[j].to.ip == SERVER;
	}
	assert_int_not_equal(sent, 0);
}

static void qualify(struct fixture *f)
{
	const struct priv_resolved r = {.ip = SERVER, .ip2 = SERVER2};

	assert_false(ops->start(f->role, f->snap, f->now, &f->ob));
	outbox_clear(&f->ob);
	ops->resolved(f->role, &r, f->now, &f->ob);
	advertise(f, 4000);
}

static struct ctl_status status(struct fixture *f)
{
	struct ctl_status st = {0};

	ops->status(f->role, f->now, &st);
	return st;
}

/* PeerDeny: an empty bubble of who is denied, in each that has peers. */
static void every_role_has_the_rules_of_the_configuration(void **state)
{
	static const struct role_ops *const all[] = {
		&role_relay, &role_server, &role_server_relay,
	};
	struct priv_config config = {
		.prefix = addr_default_prefix(),
		.mtu = 1280,
		.max_peers = PEERS,
		.public_ip = SERVER,
		.n_access = 1,
		.access = {{.bits = 8}},
	};
	struct teredo_ep who = {.ip = htonl(0x09010203), .port = htons(4000)};
	struct teredo_outbox *ob = calloc(1, sizeof(*ob));
	struct teredo_addr src, dst = {{0x20, 0x01, 0x0d, 0xb8}};
	uint8_t bubble[WIRE_BUBBLE_LEN];
	const struct teredo_rx rx = {
		.data = bubble, .len = sizeof(bubble), .from = who,
	};

	(void)state;
	config.access[0].ip = htonl(0x09000000);
	addr_make(&src, addr_default_prefix(), SERVER2, 0, who);
	wire_put_bubble(bubble, &src, &dst);
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		void *role = all[i]->open(&config, &no_keys, &env);

		assert_int_equal(all[i]->udp_in(role, &rx, 0, ob).fate,
				 TEREDO_DROP);
		assert_int_equal(
			all[i]->counters(role)->n[TEREDO_DROP_denied], 1);
		all[i]->close(role);
	}
	free(ob);
}

/* Every drop has a counter. */
static void who_sleeps_counts_what_it_drops(void **state)
{
	const struct priv_config config = {.role = PRIV_DORMANT};
	void *role = role_dormant.open(&config, &no_keys, &env);
	const struct teredo_rx rx = {.data = (const uint8_t *)"", .len = 0};

	(void)state;
	assert_int_equal(role_dormant.udp_in(role, &rx, 0, NULL).fate,
			 TEREDO_DROP);
	assert_int_equal(role_dormant.tun_in(role, rx.data, 0, 0, NULL).fate,
			 TEREDO_DROP);
	assert_int_equal(role_dormant.counters(role)->n[TEREDO_DROP_dormant],
			 2);
	role_dormant.close(role);
}

static void every_role_has_all_functions(void **state)
{
	(void)state;
	assert_null(role_ops(0));
	assert_null(role_ops(PRIV_DORMANT + 1));
	for (uint32_t role = PRIV_CLIENT; role <= PRIV_DORMANT; role++) {
		const struct role_ops *o = role_ops(role);

		assert_true(o->udp_in && o->tun_in && o->expire);
		assert_true(o->deadline && o->counters && o->open);
		assert_true(o->close && o->start && o->restore_peer);
		assert_true(o->resolved && o->netchange && o->secondary && o->save);
		assert_true(o->report && o->status);
	}
}

static void no_number_of_addresses_is_too_great(void **state)
{
	struct priv_netchange n = {.n4 = UINT32_MAX, .n6 = UINT32_MAX};
	const struct priv_config config = {.role = PRIV_RELAY,
					   .max_peers = PEERS};
	struct local4 local;
	struct teredo_outbox *ob = calloc(1, sizeof(*ob));
	void *relay = role_relay.open(&config, &no_keys, &env);

	(void)state;
	n.ip4[PRIV_LOCAL4 - 1] = SERVER;
	role_local4(&local, &n);
	assert_int_equal(local.n, PRIV_LOCAL4);
	assert_true(local4_has(&local, SERVER));
	role_relay.netchange(relay, &n, 0, ob);
	role_relay.close(relay);
	free(ob);
}

static void an_address_is_told_once(void **state)
{
	struct fixture *f = *state;
	const char *log;

	qualify(f);
	log = told(f);
	assert_non_null(strstr(log, "server: vps.example (192.0.2.1)\n"));
	assert_non_null(strstr(log, "qualified: address 2001:0:c000:201:"));
	assert_non_null(strstr(log, "mapped to 198.51.100.9:4000\n"));
	assert_string_equal(told(f), "");
	wait_for_solicitation(f); /* it refreshes */
	advertise(f, 4000);
	assert_string_equal(told(f), "");
}

static void the_status_has_the_facts(void **state)
{
	struct fixture *f = *state;
	struct ctl_status st = status(f);

	assert_true(st.last_answer_age == UINT64_MAX);
	assert_int_equal(st.mapped_port, 0);
	qualify(f);
	f->now += 5 * TEREDO_SECOND;
	st = status(f);
	assert_int_equal(st.server_ip, SERVER);
	assert_int_equal(st.server_ip2, SERVER2);
	assert_string_equal(st.server_name, "vps.example");
	assert_int_equal(st.mapped_port, htons(4000));
	assert_true(st.address_age == 5 * TEREDO_SECOND);
	assert_true(st.last_answer_age == 5 * TEREDO_SECOND);
	assert_int_equal(st.mtu, 1280);
	assert_int_equal(st.peers_max, PEERS);
}

static void a_new_mapping_is_told_with_the_old_address(void **state)
{
	struct fixture *f = *state;
	const char *log;

	qualify(f);
	told(f);
	wait_for_solicitation(f);
	advertise(f, 4001);
	log = told(f);
	assert_non_null(strstr(log, "mapping changed to 198.51.100.9:4001: "
				    "address 2001:0:c000:201:"));
	assert_non_null(strstr(log, " replaces 2001:0:c000:201:"));
}

static void a_silent_server_is_told_when_lost_and_when_back(void **state)
{
	struct fixture *f = *state;

	qualify(f);
	told(f);
	for (int i = 0; i < 100 && status(f).state != TEREDO_CLIENT_LOST; i++)
		wait_for_solicitation(f);
	assert_string_equal(told(f),
			    "server vps.example (192.0.2.1) does not answer; "
			    "trying again, address and peers kept\n");
	wait_for_solicitation(f);
	wait_for_solicitation(f);
	assert_string_equal(told(f), "");
	advertise(f, 4000);
	assert_string_equal(told(f),
			    "server vps.example (192.0.2.1) answers again\n");
}

static void a_search_for_the_interval_is_told(void **state)
{
	struct fixture *f = *state;

	ops->close(f->role);
	f->role = open_finding(&no_keys, true);
	qualify(f);
	assert_non_null(strstr(told(f), "refresh interval: 30.0 s, to be "
					"determined\n"));
	assert_int_equal(status(f).interval, TEREDO_INTERVAL_DETERMINING);
	outbox_clear(&f->ob);
	ops->secondary(f->role, f->now, &f->ob);
	solicitation(f);
	assert_int_equal(f->ob.item[0].via, TEREDO_VIA_SECONDARY);
	for (int i = 0; i < 100 && status(f).interval ==
					   TEREDO_INTERVAL_DETERMINING; i++)
		wait_for_solicitation(f);
	assert_non_null(strstr(told(f), "refresh interval: 30.0 s; cannot be "
					"determined: "));
	assert_true(status(f).refresh == 30 * TEREDO_SECOND);
}

/* What was determined is told again by no successor. */
static void a_determined_interval_goes_on(void **state)
{
	struct fixture *f = *state;
	struct {
		struct teredo_client_saved core;
		uint64_t server_name;
	} saved;

	qualify(f);
	ops->save(f->role, f->snap);
	assert_true(snapshot_get_state(f->snap, PRIV_CLIENT, &saved,
				       sizeof(saved)));
	saved.core.refresh_ms = 52500;
	snapshot_put_state(f->snap, PRIV_CLIENT, &saved, sizeof(saved));
	ops->close(f->role);
	f->role = open_finding(&no_keys, true);
	outbox_clear(&f->ob);
	assert_true(ops->start(f->role, f->snap, f->now, &f->ob));
	assert_true(status(f).refresh == 52500 * TEREDO_MS);
	assert_int_equal(status(f).interval, TEREDO_INTERVAL_DETERMINED);
	assert_string_equal(told(f), "");
}

static void who_goes_on_from_the_snapshot_tells_nothing_anew(void **state)
{
	struct fixture *f = *state;
	struct ctl_status before, after;

	qualify(f);
	told(f);
	ops->save(f->role, f->snap);
	before = status(f);
	ops->close(f->role);

	f->role = open_client(&no_keys);
	outbox_clear(&f->ob);
	assert_true(ops->start(f->role, f->snap, f->now, &f->ob));
	after = status(f);
	assert_memory_equal(before.addr, after.addr, sizeof(after.addr));
	assert_int_equal(after.mapped_port, before.mapped_port);
	assert_string_equal(told(f), "");
	advertise(f, 4000);
	assert_string_equal(told(f), "");
}

static bool goes_on_with(struct fixture *f, const char *first,
			 const char *second)
{
	struct priv_config config = {
		.role = PRIV_CLIENT,
		.max_peers = PEERS,
		.servers = 2,
		.bind_port = htons(4000),
		.refresh = 30,
	};

	strcpy(config.server_name[0], first);
	strcpy(config.server_name[1], second);
	ops->close(f->role);
	f->role = ops->open(&config, &no_keys, &env);
	outbox_clear(&f->ob);
	return ops->start(f->role, f->snap, f->now, &f->ob);
}

static void a_server_is_known_by_its_name_after_a_reload(void **state)
{
	struct fixture *f = *state;

	qualify(f);
	ops->save(f->role, f->snap);
	assert_true(goes_on_with(f, "new.example", "vps.example"));
	assert_string_equal(status(f).server_name, "vps.example");
	assert_false(goes_on_with(f, "new.example", "other.example"));
	assert_int_equal(status(f).addr[0], 0);
}

static void a_relay_goes_on_from_its_own_state_only(void **state)
{
	struct fixture *f = *state;
	const struct priv_config config = {.role = PRIV_RELAY,
					   .max_peers = PEERS};
	void *relay = role_relay.open(&config, &no_keys, &env);

	qualify(f);
	ops->save(f->role, f->snap);
	assert_false(role_relay.start(relay, f->snap, f->now, &f->ob));
	role_relay.save(relay, f->snap);
	assert_true(role_relay.start(relay, f->snap, f->now, &f->ob));
	role_relay.close(relay);
}

/* R-SRV-01: there is no raw socket beside the tun */
static void who_is_both_passes_tests_on_by_the_tun(void **state)
{
	struct fixture *f = *state;
	const struct priv_config config = {.role = PRIV_SERVER_RELAY,
					   .prefix = addr_default_prefix(),
					   .public_ip = SERVER,
					   .mtu = TEREDO_MTU,
					   .max_peers = PEERS};
	const struct teredo_addr host = {{0x20, 1, 0x0d, 0xb8, [15] = 1}};
	struct teredo_rx rx = {.from = {htonl(0xcb007109), htons(4000)},
			       .local_ip = SERVER};
	void *both = role_server_relay.open(&config, &no_keys, &env);
	uint8_t test[ICMP6_ECHO_LEN(8)];
	struct teredo_addr client;

	addr_make(&client, addr_default_prefix(), SERVER, 0, rx.from);
	icmp6_put_echo(test, ICMP6_ECHO_REQUEST, &client, &host, 1, 1,
		       (const uint8_t *)"12345678", 8);
	rx.data = test;
	rx.len = sizeof(test);
	assert_int_equal(
		role_server_relay.udp_in(both, &rx, f->now, &f->ob).fate,
		TEREDO_TO_TUN);
	role_server_relay.close(both);
}

/* C-SECQ-05: the solicitation, answered by the same key */
static void a_key_that_is_refused_is_told_once(void **state)
{
	static const struct auth_keys keys = {
		1, {{TEREDO_HMAC_SHA256, 0, 1, 2, "a", "bc"}}};
	const struct priv_resolved found = {.ip = SERVER, .ip2 = SERVER2};
	const size_t body = WIRE_ORIGIN_LEN + ICMP6_RA_LEN;
	uint8_t ra[256], *origin = ra + auth_len(&keys.key[0]);
	struct fixture *f = *state;
	struct teredo_rx rx = {.data = ra,
			       .len = auth_len(&keys.key[0]) + body,
			       .from = {SERVER, htons(3544)}};
	struct ctl_status st = {0};
	struct wire_packet rs;
	struct teredo_addr src;

	ops->close(f->role);
	f->role = open_client(&keys);
	ops->start(f->role, f->snap, f->now, &f->ob);
	ops->resolved(f->role, &found, f->now, &f->ob);
	rs = solicitation(f);
	assert_int_equal(rs.auth.value_len, 32);
	addr_make_link_local(&src, ADDR_FLAG_CONE, rx.from);
	wire_put_origin(origin, (struct teredo_ep){SERVER2, htons(99)});
	icmp6_put_ra(origin + WIRE_ORIGIN_LEN, &src, &rs.src,
		     addr_default_prefix(), SERVER, 1280);
	auth_put(ra, &env, &keys.key[0], rs.auth.nonce, 1, body);
	outbox_clear(&f->ob);
	ops->udp_in(f->role, &rx, f->now, &f->ob);
	assert_int_equal(f->ob.n, 1);
	assert_string_equal(told(f), "server vps.example (192.0.2.1): our key "
				     "is no longer valid: ask for another\n");
	assert_string_equal(told(f), "");
	ops->status(f->role, f->now, &st);
	assert_int_equal(st.auth_algorithm, TEREDO_HMAC_SHA256);
	assert_int_equal(st.auth_expired, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_sleeps_counts_what_it_drops),
		cmocka_unit_test(every_role_has_all_functions),
		cmocka_unit_test(
			every_role_has_the_rules_of_the_configuration),
		cmocka_unit_test(no_number_of_addresses_is_too_great),
		T(an_address_is_told_once),
		T(the_status_has_the_facts),
		T(a_new_mapping_is_told_with_the_old_address),
		T(a_silent_server_is_told_when_lost_and_when_back),
		T(a_search_for_the_interval_is_told),
		T(a_determined_interval_goes_on),
		T(who_goes_on_from_the_snapshot_tells_nothing_anew),
		T(a_server_is_known_by_its_name_after_a_reload),
		T(a_relay_goes_on_from_its_own_state_only),
		T(a_key_that_is_refused_is_told_once),
		T(who_is_both_passes_tests_on_by_the_tun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
