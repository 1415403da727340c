/*
 * test_priv_check.c - what an engine may ask for, honest or not
 *
 * faults.md P4: whatever it says, the interface only ever gets an address in
 * the configured prefix that names a resolved server, an MTU in range, and at
 * most ten changes in any minute.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../src/ctl_records.h"
#include "../../src/priv.h"

#define SECOND 1000000000ull

static const uint8_t good[16] = { 0x20, 1, 0, 0, 192, 0, 2, 1,
				  0,	0, 1, 2, 3,   4, 5, 6 };

static struct priv_policy client_policy(void)
{
	struct priv_policy p = {
		.role = PRIV_CLIENT,
		.prefix = htonl(0x20010000),
		.mtu_max = 1500,
		.n_servers = 2,
	};

	priv_policy_add(&p, inet_addr("192.0.2.1"));
	return p;
}

static struct priv_tun_up tun_up(const uint8_t addr[16], uint32_t mtu)
{
	struct priv_tun_up m = { .verb = PRIV_TUN_UP, .mtu = mtu };

	memcpy(m.addr, addr, 16);
	return m;
}

static int ask_up(struct priv_policy *p, const uint8_t addr[16], uint32_t mtu,
		  uint64_t now)
{
	struct priv_tun_up m = tun_up(addr, mtu);

	return priv_check(p, &m, sizeof(m), now);
}

static int ask(struct priv_policy *p, uint32_t verb, uint32_t value)
{
	struct priv_word m = { verb, value };

	return priv_check(p, &m, sizeof(m), SECOND);
}

static void a_good_address_is_granted(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	assert_int_equal(ask_up(&p, good, 1280, SECOND), 0);
	assert_int_equal(ask_up(&p, good, 1500, SECOND), 0);
}

static void another_prefix_is_refused(void **state)
{
	struct priv_policy p = client_policy();
	uint8_t addr[16];

	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		memcpy(addr, good, 16);
		addr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(ask_up(&p, addr, 1280, SECOND), -EPERM);
	}
}

static void a_server_that_nobody_resolved_is_refused(void **state)
{
	struct priv_policy p = client_policy();
	struct priv_policy empty = client_policy();
	uint8_t addr[16];

	(void)state;
	for (unsigned bit = 32; bit < 64; bit++) {
		memcpy(addr, good, 16);
		addr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(ask_up(&p, addr, 1280, SECOND), -EPERM);
	}
	empty.n_server_ips = 0;
	assert_int_equal(ask_up(&empty, good, 1280, SECOND), -EPERM);
	memset(addr + 4, 0, 4);
	assert_int_equal(ask_up(&empty, addr, 1280, SECOND), -EPERM);
}

static void the_last_resolved_addresses_count(void **state)
{
	struct priv_policy p = client_policy();
	uint8_t addr[16];

	(void)state;
	for (unsigned round = 0; round < 3; round++)	/* known: no new one */
		for (uint32_t i = 0; i < PRIV_SERVER_IPS; i++)
			priv_policy_add(&p, htonl(0xc6336400 + i));
	assert_int_equal(p.n_server_ips, PRIV_SERVER_IPS + 1);
	assert_int_equal(ask_up(&p, good, 1280, SECOND), -EPERM);
	memcpy(addr, good, 16);
	for (uint32_t i = 0; i < PRIV_SERVER_IPS; i++) {
		uint32_t ip = htonl(0xc6336400 + i);

		memcpy(addr + 4, &ip, 4);
		assert_int_equal(ask_up(&p, addr, 1280, 100 * i * SECOND), 0);
	}
}

static void the_mtu_stays_in_range(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	assert_int_equal(ask_up(&p, good, 1279, SECOND), -EPERM);
	assert_int_equal(ask_up(&p, good, 1501, SECOND), -EPERM);
	assert_int_equal(ask_up(&p, good, 0, SECOND), -EPERM);
	assert_int_equal(ask_up(&p, good, UINT32_MAX, SECOND), -EPERM);
}

static void ten_changes_in_any_minute(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(ask_up(&p, good, 1280, i * SECOND), 0);
	assert_int_equal(ask_up(&p, good, 1280, 10 * SECOND), -EAGAIN);
	assert_int_equal(ask_up(&p, good, 1280, 59 * SECOND), -EAGAIN);
	assert_int_equal(ask_up(&p, good, 1280, 60 * SECOND), 0);
	assert_int_equal(ask_up(&p, good, 1280, 60 * SECOND), -EAGAIN);
	assert_int_equal(ask_up(&p, good, 1280, 61 * SECOND), 0);
}

static void a_role_has_its_verbs_only(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	assert_int_equal(ask(&p, PRIV_READY, 0), 0);
	assert_int_equal(ask(&p, PRIV_KEEPALIVE, 0), 0);
	assert_int_equal(ask(&p, PRIV_RESOLVE, 1), 0);
	assert_int_equal(ask(&p, PRIV_RESOLVE, 2), -EPERM);
	assert_int_equal(ask(&p, PRIV_CARRIER, 1), 0);
	assert_int_equal(ask(&p, PRIV_CARRIER, 2), -EPROTO);
	assert_int_equal(ask(&p, PRIV_SECONDARY, 1), 0);
	assert_int_equal(ask(&p, PRIV_SECONDARY, 2), -EPROTO);
	p.role = PRIV_RELAY;
	assert_int_equal(ask(&p, PRIV_SECONDARY, 1), -EPERM);
	assert_int_equal(ask(&p, PRIV_SECONDARY, 0), -EPERM);
	assert_int_equal(ask(&p, PRIV_CARRIER, 0), 0);
	assert_int_equal(ask(&p, PRIV_RESOLVE, 0), -EPERM);
	assert_int_equal(ask_up(&p, good, 1280, SECOND), -EPERM);
	p.role = PRIV_SERVER;
	assert_int_equal(ask(&p, PRIV_CARRIER, 0), -EPERM);
	assert_int_equal(ask(&p, PRIV_RELOAD, 0), 0);
}

static void carrier_look_ups_and_reloads_are_limited(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	for (unsigned i = 0; i < PRIV_RESOLVE_PER_MINUTE; i++)
		assert_int_equal(ask(&p, PRIV_RESOLVE, 0), 0);
	assert_int_equal(ask(&p, PRIV_RESOLVE, 0), -EAGAIN);
	for (unsigned i = 0; i < PRIV_RELOAD_PER_MINUTE; i++)
		assert_int_equal(ask(&p, PRIV_RELOAD, 0), 0);
	assert_int_equal(ask(&p, PRIV_RELOAD, 0), -EAGAIN);
	for (unsigned i = 0; i < PRIV_CARRIER_PER_MINUTE; i++)
		assert_int_equal(ask(&p, PRIV_CARRIER, i % 2), 0);
	assert_int_equal(ask(&p, PRIV_CARRIER, 0), -EAGAIN);
	for (unsigned i = 0; i < PRIV_SECONDARY_PER_MINUTE; i++)
		assert_int_equal(ask(&p, PRIV_SECONDARY, 1), 0);
	assert_int_equal(ask(&p, PRIV_SECONDARY, 1), -EAGAIN);
	assert_int_equal(ask(&p, PRIV_SECONDARY, 0), 0);
}

/* Who has held may always release. */
static void a_release_is_never_too_often(void **state)
{
	struct priv_policy p = client_policy();

	(void)state;
	for (unsigned i = 0; i < PRIV_HOLD_PER_MINUTE; i++)
		assert_int_equal(ask(&p, PRIV_ANNOUNCE, CTL_HOLD), 0);
	assert_int_equal(ask(&p, PRIV_ANNOUNCE, CTL_HOLD), -EAGAIN);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(ask(&p, PRIV_ANNOUNCE, CTL_RELEASE), 0);
	assert_int_equal(ask(&p, PRIV_ANNOUNCE, 2), -EPROTO);
}

static void a_connection_comes_with_what_is_asked_for(void **state)
{
	(void)state;
	for (uint32_t verb = 0; verb < 64; verb++)
		assert_int_equal(priv_brings_fd(verb),
				 verb == PRIV_RELOAD || verb == PRIV_ANNOUNCE);
}

static void the_parents_own_verbs_are_refused(void **state)
{
	struct priv_policy p = client_policy();
	char buf[PRIV_MESSAGE_MAX] = { 0 };

	(void)state;
	for (uint32_t verb = PRIV_CONFIG; verb <= PRIV_TOLD; verb++) {
		memcpy(buf, &verb, sizeof(verb));
		assert_int_not_equal(priv_length(verb), 0);
		assert_int_equal(priv_check(&p, buf, priv_length(verb),
					    SECOND), -EPROTO);
	}
}

static void a_wrong_length_is_malformed(void **state)
{
	struct priv_policy p = client_policy();
	char buf[PRIV_MESSAGE_MAX] = { 0 };

	(void)state;
	for (uint32_t verb = 0; verb < 64; verb++) {
		memcpy(buf, &verb, sizeof(verb));
		for (uint32_t len = 0; len <= sizeof(buf); len++)
			if (len != priv_length(verb))
				assert_int_equal(priv_check(&p, buf, len,
							    SECOND), -EPROTO);
	}
	assert_int_equal(priv_length(0), 0);
	assert_true(sizeof(struct priv_config) <= PRIV_MESSAGE_MAX);
}

static void a_log_line_has_an_end_and_a_level(void **state)
{
	struct priv_policy p = client_policy();
	struct priv_log m = { .verb = PRIV_LOG, .level = 7 };

	(void)state;
	memset(m.text, 'x', sizeof(m.text) - 1);
	assert_int_equal(priv_check(&p, &m, sizeof(m), SECOND), 0);
	m.text[sizeof(m.text) - 1] = 'x';
	assert_int_equal(priv_check(&p, &m, sizeof(m), SECOND), -EPROTO);
	m.text[0] = '\0';
	m.level = 8;
	assert_int_equal(priv_check(&p, &m, sizeof(m), SECOND), -EPROTO);
}

/* ---- an engine that says anything ---- */

static uint64_t rng;

static uint32_t any(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 16) % below;
}

/* Something between noise and a good message. Its length. */
static uint32_t anything(uint8_t buf[PRIV_MESSAGE_MAX])
{
	struct priv_tun_up up = tun_up(good, 1280 + any(300));
	uint32_t verb = any(22), len = priv_length(verb);

	memset(buf, 0, 600);
	if (any(2) == 0) {
		memcpy(buf, &up, sizeof(up));
		len = sizeof(up);
	} else {
		for (unsigned i = 4; i < 40; i++)
			buf[i] = (uint8_t)any(256);
		memcpy(buf, &verb, sizeof(verb));
	}
	if (any(4) == 0)
		buf[any(24)] ^= (uint8_t)(1u << any(8));
	if (any(16) == 0)
		len = any(PRIV_MESSAGE_MAX + 1);
	return len;
}

static void a_hostile_engine_gets_no_more_than_the_rules(void **state)
{
	static uint8_t buf[PRIV_MESSAGE_MAX];
	struct priv_policy p = client_policy();
	uint64_t now = 0, granted_at[10] = { 0 };
	unsigned granted = 0, refused = 0;
	const char *seed = getenv("SEED");

	(void)state;
	rng = (seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL)) | 1;
	printf("# seed %llu\n", (unsigned long long)rng);
	for (unsigned i = 0; i < 1000000; i++) {
		uint32_t len = anything(buf);
		int err = priv_check(&p, buf, len, now);
		struct priv_tun_up m;

		now += any(100) * 1000000ull;
		memcpy(&m, buf, sizeof(m));
		refused += err != 0;
		if (err != 0 || m.verb != PRIV_TUN_UP)
			continue;
		if (granted >= 10)
			assert_true(now - granted_at[granted % 10] >=
				    59 * SECOND);
		granted_at[granted++ % 10] = now;
		assert_memory_equal(m.addr, good, 8);
		assert_in_range(m.mtu, 1280, 1500);
	}
	assert_true(granted > 1000);
	assert_true(refused > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_address_is_granted),
		cmocka_unit_test(another_prefix_is_refused),
		cmocka_unit_test(a_server_that_nobody_resolved_is_refused),
		cmocka_unit_test(the_last_resolved_addresses_count),
		cmocka_unit_test(the_mtu_stays_in_range),
		cmocka_unit_test(ten_changes_in_any_minute),
		cmocka_unit_test(a_role_has_its_verbs_only),
		cmocka_unit_test(carrier_look_ups_and_reloads_are_limited),
		cmocka_unit_test(a_release_is_never_too_often),
		cmocka_unit_test(a_connection_comes_with_what_is_asked_for),
		cmocka_unit_test(the_parents_own_verbs_are_refused),
		cmocka_unit_test(a_wrong_length_is_malformed),
		cmocka_unit_test(a_log_line_has_an_end_and_a_level),
		cmocka_unit_test(a_hostile_engine_gets_no_more_than_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
