/*
 * test_server_limits.c - what strangers get out of a server, at most
 *
 * server.c lists the limits; who uses them up in earnest stands in the
 * simulation's story_siege.c.
 */
#include "config.h"

#include "server_bench.h"

static struct teredo_addr client(void)
{
	return teredo6(S1, 0, CLIENT, 40000);
}

static struct teredo_ep from_client(void)
{
	return ep4(CLIENT, 40000);
}

/* The n-th host, each in a network of its own. */
static struct teredo_ep host(unsigned n, uint16_t port)
{
	char ip[24];

	snprintf(ip, sizeof(ip), "203.%u.%u.1", n / 256, n % 256);
	return ep4(ip, port);
}

/* From there as from a client, by one of its ports, to one of a NAT's. */
static bool passes(struct server_bench *b, struct teredo_ep from,
		   const char *to, unsigned port)
{
	struct test_packet p = make_bubble(ip6("fe80::1"),
					   teredo6(S1, 0, to, port));

	return bench_give(b, &p, from, TEREDO_VIA_PRIMARY).fate ==
	       TEREDO_TAKEN;
}

#define NAT "198.18.0.1"

/* How many of n bubbles go out to one NAT, from one host or from many. */
static unsigned to_a_nat(struct server_bench *b, unsigned n, bool is_one)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += passes(b, is_one ? from_client() : host(i, 5000),
				 NAT, 1000 + i);
	return passed;
}

/* ... to one address after the other. */
static unsigned to_all(struct server_bench *b, unsigned n, bool is_one)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		char ip[24];

		snprintf(ip, sizeof(ip), "198.18.%u.%u", i / 200, 1 + i % 200);
		passed += passes(b, is_one ? from_client() : host(i, 5000), ip,
				 4000);
	}
	return passed;
}

/* SEC-REF-02: any number of ports, which may be one NAT's */
static void one_address_gets_100_at_once_and_50_a_second(void **state)
{
	struct server_bench *b = *state;

	assert_int_equal(to_a_nat(b, 150, false), 100);
	b->now += TEREDO_SECOND;
	assert_int_equal(to_a_nat(b, 150, false), 50);
}

/* SEC-REF-02, B3: half of what an address gets, by whatever ports of both: who
 * else is behind that NAT is reached by others */
static void one_host_leaves_half_of_an_address_to_others(void **state)
{
	struct server_bench *b = *state;
	unsigned passed = to_a_nat(b, 20000, true);

	assert_int_equal(passed, 50);
	for (unsigned second = 0; second < 10; second++) {
		b->now += TEREDO_SECOND;
		assert_int_equal(to_a_nat(b, 20000, true), 25);
		for (unsigned i = 0; i < 25; i++)
			assert_true(passes(b, host(i, 5000), NAT, 4000 + i));
	}
}

/* SEC-REF-02, B3: nor can it use up the narrow limits of others by what it
 * sends in vain */
static void what_is_refused_takes_nothing(void **state)
{
	struct server_bench *b = *state;

	for (unsigned i = 0; i < 200; i++)
		passes(b, host(i, 5000), NAT, 4000);
	for (unsigned i = 0; i < 100000; i++)
		assert_false(passes(b, host(200 + i % 10000, 5000), NAT, 4000));
	b->now += 100 * TEREDO_MS;
	for (unsigned i = 0; i < 8; i++) {
		assert_true(passes(b, host(200, 5000), NAT, 4000));
		b->now += 100 * TEREDO_MS;
	}
}

/* SEC-REF-02 */
static void all_get_1000_at_once_and_5000_a_second(void **state)
{
	struct server_bench *b = *state;

	assert_int_equal(to_all(b, 1500, false), 1000);
	b->now += TEREDO_SECOND / 10;
	assert_int_equal(to_all(b, 1500, false), 500);
}

/* SEC-REF-02, B3: beyond what a NAT of 50 needs */
static void one_host_leaves_half_of_all_to_others(void **state)
{
	struct server_bench *b = *state;

	assert_int_equal(to_all(b, 5000, true), 500);
	for (unsigned second = 0; second < 10; second++) {
		b->now += TEREDO_SECOND;
		assert_int_equal(to_all(b, 5000, true), 500);
		assert_int_equal(to_all(b, 500, false), 500);
	}
}

/* SEC-V6D-01: by whatever ports; 100 at once, then 50 a second */
static void one_host_leaves_half_of_the_tests_to_others(void **state)
{
	struct server_bench *b = *state;
	unsigned passed[2] = { 0 };

	for (unsigned i = 0; i < 40000; i++) {
		struct teredo_ep from = ep4(CLIENT, 1024 + i % 20000);
		struct test_packet p = make_icmp6(
			teredo6(S1, 0, CLIENT, 1024 + i % 20000), ip6(NATIVE),
			128, 26);

		if (i == 20000)
			b->now += TEREDO_SECOND;
		passed[i / 20000] += bench_give(b, &p, from,
						TEREDO_VIA_PRIMARY).fate ==
				     TEREDO_TO_NATIVE6;
	}
	assert_int_equal(passed[0], 100);
	assert_int_equal(passed[1], 50);
	for (unsigned i = 0; i < 50; i++) {
		struct test_packet p = make_icmp6(
			teredo6(S1, 0, OTHER, 1024 + i), ip6(NATIVE), 128, 26);

		expect_native(b, &p, ep4(OTHER, 1024 + i));
	}
}

/* S-FWD-01 */
static void one_endpoint_has_20_echoes_answered_and_10_a_second(void **state)
{
	struct server_bench *b = *state;
	struct test_packet p = make_icmp6(client(), ip6(S1_LL), 128, 16);
	unsigned answered[2] = { 0 };

	for (unsigned i = 0; i < 60; i++) {
		if (i == 30)
			b->now += TEREDO_SECOND;
		answered[i / 30] += bench_give(b, &p, from_client(),
					       TEREDO_VIA_PRIMARY).fate ==
				    TEREDO_TAKEN;
	}
	assert_int_equal(answered[0], 20);
	assert_int_equal(answered[1], 10);
}

/* SEC-REF-02: whose address is forged gets no more by having many ports */
static void one_host_has_100_echoes_answered_and_50_a_second(void **state)
{
	struct server_bench *b = *state;
	unsigned answered[2] = { 0 };

	for (unsigned i = 0; i < 600; i++) {
		struct test_packet p =
			make_icmp6(teredo6(S1, 0, CLIENT, 1024 + i),
				   ip6("ff02::2"), 128, 16);

		if (i == 300)
			b->now += TEREDO_SECOND;
		answered[i / 300] +=
			bench_give(b, &p, ep4(CLIENT, (uint16_t)(1024 + i)),
				   TEREDO_VIA_PRIMARY).fate == TEREDO_TAKEN;
	}
	assert_int_equal(answered[0], 100);
	assert_int_equal(answered[1], 50);
}

/* ... nor do many hosts leave nothing of what all share */
static void echoes_leave_half_of_all_to_bubbles(void **state)
{
	struct server_bench *b = *state;
	unsigned answered = 0;

	for (unsigned i = 0; i < 1000; i++) {
		char ip[24];
		struct test_packet p;

		snprintf(ip, sizeof(ip), "203.%u.%u.1", i / 256, i % 256);
		p = make_icmp6(teredo6(S1, 0, ip, 40000), ip6("ff02::2"), 128,
			       16);
		answered += bench_give(b, &p, ep4(ip, 40000),
				       TEREDO_VIA_PRIMARY).fate ==
			    TEREDO_TAKEN;
	}
	assert_int_equal(answered, 500);
	assert_true(passes(b, from_client(), NAT, 1000));
}

#define AREAS 16

static struct { const uint8_t *base; size_t len; } area[AREAS];
static unsigned areas;

static void table(void *ctx, void *memory, size_t len)
{
	(void)ctx;
	assert_true(areas < AREAS);
	area[areas].base = memory;
	area[areas++].len = len;
}

static bool is_anything_in_use(void)
{
	for (unsigned i = 0; i < areas; i++)
		for (size_t at = 0; at < area[i].len; at++)
			if (area[i].base[at] != 0)
				return true;
	return false;
}

static void solicit(struct server_bench *b, struct teredo_ep from)
{
	struct test_packet p = make_rs(ip6("fe80::1"));

	bench_give(b, &p, from, TEREDO_VIA_PRIMARY);
}

static void random_of(void *ctx, void *buf, size_t len)
{
	test_env_random(ctx, buf, len);
}

/* B1, B3: what a flood took of memory is zero again, and then there is no
 * timer. */
static void tables_come_to_rest_after_a_flood(void **state)
{
	struct server_bench *b = *state;
	const struct teredo_env env = {
		.ctx = &b->seed, .random = random_of, .table = table,
	};
	const struct teredo_server_config config = {
		.prefix = addr_default_prefix(), .ip = ip4(S1), .mtu = 1280,
	};
	teredo_time end;

	areas = 0;
	teredo_server_free(b->s);
	b->s = teredo_server_new(&config, &env);
	assert_non_null(b->s);
	assert_int_equal(teredo_server_deadline(b->s), TEREDO_NEVER);
	for (unsigned i = 0; i < 60000; i++) {
		struct test_packet p = make_icmp6(
			teredo6(S1, 0, CLIENT, 1024 + i), ip6(NATIVE),
			128, 26);

		solicit(b, host(i % 50000, 5000));
		bench_give(b, &p, ep4(CLIENT, 1024 + i), TEREDO_VIA_PRIMARY);
		if (i % 10 == 0)
			to_all(b, 1, i % 20 == 0);
		b->now += TEREDO_MS / 20;
		teredo_server_expire(b->s, b->now);
	}
	for (unsigned i = 0; i < 100; i++)
		solicit(b, from_client());
	assert_true(is_anything_in_use());
	for (end = b->now; teredo_server_deadline(b->s) != TEREDO_NEVER;) {
		assert_true(teredo_server_deadline(b->s) > b->now);
		b->now = teredo_server_deadline(b->s);
		teredo_server_expire(b->s, b->now);
	}
	assert_false(is_anything_in_use());
	assert_in_range(b->now - end, 30 * TEREDO_SECOND, 40 * TEREDO_SECOND);
}

#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup, \
						bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_address_gets_100_at_once_and_50_a_second),
		T(one_host_leaves_half_of_an_address_to_others),
		T(what_is_refused_takes_nothing),
		T(all_get_1000_at_once_and_5000_a_second),
		T(one_host_leaves_half_of_all_to_others),
		T(one_host_leaves_half_of_the_tests_to_others),
		T(one_endpoint_has_20_echoes_answered_and_10_a_second),
		T(one_host_has_100_echoes_answered_and_50_a_second),
		T(echoes_leave_half_of_all_to_bubbles),
		T(tables_come_to_rest_after_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
