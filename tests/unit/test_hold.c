/*
 * test_hold.c - order, budgets and the return of memory
 */
#include "tests/unit/testing.h"

#include "libteredo/hold.h"

#define POOL (256u * 1024u)

static const struct teredo_env env;	/* no wish to hear of tables */

static struct hold *h;
static struct hold_queue q;

static int setup(void **state)
{
	(void)state;
	h = hold_new(POOL, &env);
	memset(&q, 0, sizeof(q));
	return h == NULL;
}

static int teardown(void **state)
{
	(void)state;
	hold_free(h);
	return 0;
}

/* A packet that only its number and length determine. */
static void fill(uint8_t *data, size_t len, unsigned number)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 31 + number * 7 + i / 256);
}

static bool put(struct hold_queue *to, enum hold_way way, size_t len,
		unsigned number)
{
	static uint8_t data[HOLD_PEER_BYTES + 1];

	fill(data, len, number);
	return hold_put(h, to, way, data, len);
}

static void take(struct hold_queue *from, enum hold_way way, size_t len,
		 unsigned number)
{
	static uint8_t want[HOLD_PEER_BYTES], got[HOLD_PEER_BYTES + 1];
	enum hold_way w;
	size_t l;

	assert_true(hold_first(h, from, &w, &l));
	assert_int_equal(w, way);
	assert_int_equal(l, len);
	fill(want, len, number);
	got[len] = 0x5a;
	hold_take(h, from, got, sizeof(got));
	assert_memory_equal(got, want, len);
	assert_int_equal(got[len], 0x5a);
}

/* Takes all, and copies nothing. */
static void drop(struct hold *from, struct hold_queue *all)
{
	while (all->packets > 0)
		hold_take(from, all, NULL, 0);
}

/* C-RX-09, R-ENC-09 */
static void packets_come_out_whole_and_in_order(void **state)
{
	static const size_t len[] = { 40, 1, 248, 249, 496, 1280, 497, 1500 };
	enum hold_way way;
	size_t l;

	(void)state;
	assert_false(hold_first(h, &q, &way, &l));
	for (unsigned i = 0; i < COUNT(len); i++)
		assert_true(put(&q, i % 2 ? HOLD_TO_TUN : HOLD_TO_PEER, len[i],
				i));
	for (unsigned i = 0; i < COUNT(len); i++)
		take(&q, i % 2 ? HOLD_TO_TUN : HOLD_TO_PEER, len[i], i);
	assert_false(hold_first(h, &q, &way, &l));
	assert_int_equal(q.bytes, 0);
	assert_int_equal(hold_used(h), 0);
}

/* C-TX-16: the ninth packet is refused, and nothing changes */
static void a_peer_may_hold_eight_packets(void **state)
{
	size_t used;

	(void)state;
	for (unsigned i = 0; i < HOLD_PEER_PACKETS; i++)
		assert_true(put(&q, HOLD_TO_PEER, 100, i));
	used = hold_used(h);
	assert_false(put(&q, HOLD_TO_PEER, 100, 9));
	assert_int_equal(hold_used(h), used);
	assert_int_equal(q.packets, HOLD_PEER_PACKETS);
	take(&q, HOLD_TO_PEER, 100, 0);
	assert_true(put(&q, HOLD_TO_PEER, 100, 9));
}

/* C-TX-16 */
static void a_peer_may_hold_half_an_outbox(void **state)
{
	(void)state;
	assert_false(put(&q, HOLD_TO_PEER, HOLD_PEER_BYTES + 1, 0));
	assert_true(put(&q, HOLD_TO_PEER, HOLD_PEER_BYTES, 0));
	assert_false(put(&q, HOLD_TO_PEER, 1, 1));
	take(&q, HOLD_TO_PEER, HOLD_PEER_BYTES, 0);
	assert_true(put(&q, HOLD_TO_PEER, HOLD_PEER_BYTES - 5, 2));
	assert_false(put(&q, HOLD_TO_PEER, 6, 3));
	assert_true(put(&q, HOLD_TO_PEER, 5, 3));
}

/* C-TX-16, R-ENC-11: the pool is a bound for all peers together */
static void the_pool_is_bounded_and_comes_back_whole(void **state)
{
	static struct hold_queue many[POOL];
	unsigned full[2] = { 0, 0 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		memset(many, 0, sizeof(many));
		while (put(&many[full[round]], HOLD_TO_PEER, 1280, 1))
			full[round]++;
		assert_int_equal(many[full[round]].packets, 0);
		assert_true(hold_used(h) <= POOL);
		assert_true(hold_used(h) > POOL - 1280 - 1280);
		for (unsigned i = 0; i < full[round]; i++)
			drop(h, &many[i]);
		assert_int_equal(hold_used(h), 0);
	}
	assert_int_equal(full[0], full[1]);
	assert_in_range(full[0], POOL / 1280 * 3 / 4, POOL / 1280);
}

/* R-ENC-10 */
static void dropping_a_queue_gives_all_back_and_leaves_others(void **state)
{
	struct hold_queue other = { 0 };

	(void)state;
	assert_true(put(&q, HOLD_TO_PEER, 1000, 1));
	assert_true(put(&other, HOLD_TO_TUN, 1000, 2));
	assert_true(put(&q, HOLD_TO_PEER, 1000, 3));
	drop(h, &q);
	assert_int_equal(q.packets, 0);
	assert_int_equal(q.head, 0);
	assert_int_equal(q.tail, 0);
	drop(h, &q);
	take(&other, HOLD_TO_TUN, 1000, 2);
	assert_int_equal(hold_used(h), 0);
}

static void the_pool_can_be_filled_to_the_last_octet(void **state)
{
	struct hold *small = hold_new(512, &env);
	static const uint8_t data[300];

	(void)state;
	assert_non_null(small);
	for (unsigned round = 0; round < 3; round++) {
		assert_true(hold_put(small, &q, HOLD_TO_PEER, data, 300));
		assert_int_equal(hold_used(small), 512);
		assert_false(hold_put(small, &q, HOLD_TO_PEER, data, 1));
		drop(small, &q);
	}
	hold_free(small);
}

static void only_the_head_of_a_packet_may_be_taken(void **state)
{
	uint8_t want[1500], got[301];

	(void)state;
	fill(want, sizeof(want), 1);
	memset(got, 0x5a, sizeof(got));
	assert_true(put(&q, HOLD_TO_PEER, 1500, 1));
	assert_true(put(&q, HOLD_TO_PEER, 100, 2));
	hold_take(h, &q, got, 300);
	assert_memory_equal(got, want, 300);
	assert_int_equal(got[300], 0x5a);
	take(&q, HOLD_TO_PEER, 100, 2);
	assert_int_equal(hold_used(h), 0);
}

static void a_pool_of_nothing_holds_nothing(void **state)
{
	struct hold *none = hold_new(0, &env);

	(void)state;
	assert_non_null(none);
	assert_false(hold_put(none, &q, HOLD_TO_PEER, (const uint8_t *)"x", 1));
	hold_free(none);
}

static void many_queues_in_any_order_stay_apart(void **state)
{
	enum { QUEUES = 20, STEPS = 20000 };
	struct hold_queue queue[QUEUES] = { { 0 } };
	unsigned in[QUEUES] = { 0 }, out[QUEUES] = { 0 };
	uint64_t seed = 5;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)(test_random(&seed) % QUEUES);
		unsigned number = in[i] * QUEUES + i;

		if (test_random(&seed) % 2 == 0) {
			if (put(&queue[i], HOLD_TO_TUN, 40 + number % 1500,
				number))
				in[i]++;
		} else if (out[i] < in[i]) {
			number = out[i]++ * QUEUES + i;
			take(&queue[i], HOLD_TO_TUN, 40 + number % 1500,
			     number);
		}
		assert_int_equal(queue[i].packets, in[i] - out[i]);
	}
	for (unsigned i = 0; i < QUEUES; i++)
		drop(h, &queue[i]);
	assert_int_equal(hold_used(h), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_come_out_whole_and_in_order),
		TEST(a_peer_may_hold_eight_packets),
		TEST(a_peer_may_hold_half_an_outbox),
		TEST(the_pool_is_bounded_and_comes_back_whole),
		TEST(dropping_a_queue_gives_all_back_and_leaves_others),
		TEST(the_pool_can_be_filled_to_the_last_octet),
		TEST(only_the_head_of_a_packet_may_be_taken),
		TEST(a_pool_of_nothing_holds_nothing),
		TEST(many_queues_in_any_order_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
