/*
 * test_relay_flood.c - a relay scanned from forged sources: who is served
 * meanwhile, and what is left of it afterwards (faults B4, B5)
 */
#include "relay_bench.h"

#define PAGE  4096u
#define RATE  150000u
#define AREAS 32u
#define HONEST 20u

static struct { const uint8_t *base; size_t len; } area[AREAS];
static unsigned areas;
static struct teredo_addr who[HONEST];
static unsigned bubbles[HONEST];	/* to each of them */

static void random_of(void *ctx, void *buf, size_t len)
{
	test_env_random(ctx, buf, len);
}

static void table(void *ctx, void *memory, size_t len)
{
	(void)ctx;
	assert_true(areas < AREAS);
	area[areas].base = memory;
	area[areas++].len = len;
}

/* KiB in pages that are not all zero. */
static size_t used_kib(void)
{
	static const uint8_t zeros[PAGE];
	size_t pages = 0;

	for (unsigned i = 0; i < areas; i++)
		for (size_t at = 0; at + PAGE <= area[i].len; at += PAGE)
			pages += memcmp(area[i].base + at, zeros, PAGE) != 0;
	return pages * PAGE / 1024;
}

static int setup(void **state)
{
	static struct relay_bench *b;
	static uint64_t seed = 41;
	const struct teredo_env env = {
		.ctx = &seed, .random = random_of, .table = table,
	};
	const struct teredo_relay_config config = {
		.prefix = addr_default_prefix(), .max_peers = 65536,
	};
	struct teredo_addr own = ip6(RELAY6);

	areas = 0;
	b = bench_new(&config);
	teredo_relay_free(b->r);
	b->r = teredo_relay_new(&config, &env);
	assert_non_null(b->r);
	teredo_relay_set_local(b->r, &b->local, &own, 1);
	*state = b;
	return 0;
}

/* A packet from anywhere to anyone. */
static void scan(struct relay_bench *b)
{
	struct teredo_addr from = ip6("2001:db8::1");
	struct teredo_addr to = teredo6(SERVER, 0, "198.18.0.9", 1);
	struct test_packet p;

	test_env_random(&b->seed, from.b + 4, 4);
	test_env_random(&b->seed, to.b + 14, 2);
	to.b[11] = (uint8_t)test_random(&b->seed);
	p = to_client(from, to);
	give_tun(b, &p);
}

/* Counts what was said to honest clients. */
static void look(const struct relay_bench *b)
{
	for (unsigned i = 0; i < outbox_count(b, OUTBOX_UDP); i++) {
		const struct outbox_item *item = outbox_nth(b, OUTBOX_UDP, i);
		const uint8_t *data = outbox_data(&b->ob, item);

		for (unsigned k = 0; k < HONEST; k++)
			bubbles[k] += memcmp(data + 24, who[k].b, 16) == 0;
	}
}

/* Timers are looked at a thousand times a second. */
static void pass(struct relay_bench *b, teredo_time when)
{
	while (teredo_relay_deadline(b->r) <= when) {
		outbox_clear(&b->ob);
		teredo_relay_expire(b->r, when, &b->ob);
		assert_int_equal(b->ob.lost, 0);
		look(b);
	}
	b->now = when;
}

/* For so many seconds; with `honest`, those ask again and again meanwhile,
 * every quarter of a second. */
static void flood(struct relay_bench *b, unsigned seconds, bool honest)
{
	teredo_time start = b->now;
	struct test_packet p;

	for (unsigned i = 0; i < seconds * RATE; i++) {
		if (i % (RATE / 1000) == 0)
			pass(b, start + i * (TEREDO_SECOND / RATE));
		scan(b);
		for (unsigned k = 0; k < HONEST && honest; k++) {
			if (i % (RATE / 4) != k)
				continue;
			p = to_client(ip6(N), who[k]);
			give_tun(b, &p);
			look(b);
		}
	}
}

/* B5: bubbles are scarce, and the first one to each honest client is lost on
 * the way: who goes on asking has the second one within three seconds. */
static void who_insists_is_asked_for_again(void **state)
{
	struct relay_bench *b = *state;
	unsigned served = 0;

	for (unsigned k = 0; k < HONEST; k++)
		who[k] = teredo6(SERVER, 0, HOST, (uint16_t)(100 + k));
	memset(bubbles, 0, sizeof(bubbles));
	flood(b, 4, false);
	flood(b, 3, true);
	for (unsigned k = 0; k < HONEST; k++)
		served += bubbles[k] >= 2;
	assert_int_equal(served, HONEST);
}

/* B4, B5: a minute after a flood its memory holds nothing, and may be given
 * back; whom the relay serves is served as before. */
static void a_flood_leaves_nothing_behind(void **state)
{
	struct relay_bench *b = *state;
	struct test_packet p = to_client(ip6(N), client());
	struct test_packet back = from_client(client(), ip6(N));
	size_t before;

	prove(b, client(), home());
	before = used_kib();
	flood(b, 5, false);
	assert_true(used_kib() > before + 4096);
	for (unsigned i = 0; i < 60; i++) {
		run_until(b, b->now + TEREDO_SECOND);
		expect_delivery(b, &back, home());
	}
	assert_in_range(used_kib(), 0, before + 64);
	expect_sent(b, &p, home());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_insists_is_asked_for_again,
						setup, bench_teardown),
		cmocka_unit_test_setup_teardown(a_flood_leaves_nothing_behind,
						setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
