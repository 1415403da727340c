/*
 * test_peers.c - the table of peers: finding, classes, eviction, the sweep
 */
#include "tests/unit/testing.h"

#include "libteredo/peers.h"

#define MAX 30u
#define T0 (1000 * TEREDO_SECOND)
#define STEP (2 * TEREDO_MS)	/* what stamps tell apart */
#define UNPROVEN (60 * TEREDO_SECOND)	/* when one of them is forgotten */

static struct peers *t;
static struct teredo_env env;
static uint64_t seed;
static struct teredo_ep ep;

/* Who is gone, as gone() saw them. */
static unsigned n_gone;
static struct teredo_addr last_gone;

static void gone(void *ctx, struct peer *p)
{
	assert_ptr_equal(ctx, &seed);
	assert_ptr_equal(peers_at(t, peers_slot(t, p)), p);
	last_gone = p->addr;
	n_gone++;
}

static int setup(void **state)
{
	(void)state;
	seed = 6;
	env = test_env(&seed);
	ep = ep4("192.0.2.1", 4096);
	n_gone = 0;
	t = peers_new(MAX, &env, gone, &seed);
	return t == NULL;
}

static int teardown(void **state)
{
	(void)state;
	peers_free(t);
	return 0;
}

static struct teredo_addr addr_of(unsigned number)
{
	struct teredo_addr a = ip6("2001:0:c633:6476:0:dfff:3fff:0");

	a.b[14] = (uint8_t)(number >> 8);
	a.b[15] = (uint8_t)number;
	return a;
}

static struct peer *get(unsigned number, teredo_time now)
{
	struct teredo_addr a = addr_of(number);

	return peers_get(t, &a, now);
}

static struct peer *find(unsigned number)
{
	struct teredo_addr a = addr_of(number);

	return peers_find(t, &a);
}

/* C-BUB-02, C-RX-12, C-CFG-07 */
static void a_new_peer_is_unproven_and_silent_for_30_s(void **state)
{
	struct peer *p = get(1, T0);

	(void)state;
	assert_non_null(p);
	assert_false(p->proven);
	assert_false(p->announced);
	assert_false(p->wanted);
	assert_int_equal(p->attempts, 0);
	assert_int_equal(p->search, 0);
	assert_int_equal(peer_age(p->last_rx, T0), PEER_VALIDITY);
	assert_int_equal(peer_age(p->last_tx, T0), PEER_VALIDITY);
	assert_true(peer_age(p->last_attempt, T0) == TEREDO_NEVER);
	assert_false(peer_is_trusted(p, T0));
	assert_ptr_equal(get(1, T0 + 1), p);
	assert_ptr_equal(find(1), p);
	assert_null(find(2));
	assert_int_equal(peers_count(t), 1);
	assert_int_equal(peers_proven(t), 0);
	assert_int_equal(peers_max(t), MAX);
	/* the clock has just begun */
	assert_int_equal(peer_age(get(2, 5)->last_rx, 5), PEER_VALIDITY);
}

/* A-ADDR-09 */
static void flags_make_another_peer_of_the_same_mapping(void **state)
{
	struct teredo_addr a = addr_of(1), b = a;
	struct peer *p, *q;

	(void)state;
	b.b[9] ^= 1;
	p = peers_get(t, &a, T0);
	q = peers_get(t, &b, T0);
	assert_ptr_not_equal(p, q);
	assert_ptr_equal(peers_find(t, &a), p);
	assert_ptr_equal(peers_find(t, &b), q);
}

/* C-TX-01 */
static void trust_fades_30_s_after_the_last_packet(void **state)
{
	struct peer *p = get(1, T0);
	struct teredo_ep other = ep4("192.0.2.2", 4096);

	(void)state;
	peers_prove(t, p, ep, T0);
	assert_ep_equal(p->ep, ep);
	assert_int_equal(peers_proven(t), 1);
	assert_true(peer_is_trusted(p, T0));
	assert_true(peer_is_trusted(p, T0 + PEER_VALIDITY - 1));
	assert_false(peer_is_trusted(p, T0 + PEER_VALIDITY));
	peers_sent(t, p, T0 + 29 * TEREDO_SECOND);	/* gives no trust */
	assert_false(peer_is_trusted(p, T0 + PEER_VALIDITY));
	peers_heard(t, p, T0 + 29 * TEREDO_SECOND);
	assert_true(peer_is_trusted(p, T0 + 58 * TEREDO_SECOND));
	peers_prove(t, p, other, T0 + 100 * TEREDO_SECOND);
	assert_true(peer_is_trusted(p, T0 + 100 * TEREDO_SECOND));
	assert_ep_equal(p->ep, other);
	assert_int_equal(peers_proven(t), 1);
	assert_int_equal(peers_count(t), 1);
}

static void the_first_packet_without_an_answer_is_remembered(void **state)
{
	struct peer *p = get(1, T0);

	(void)state;
	peers_prove(t, p, ep, T0);
	assert_true(p->unanswered == 0);
	peers_sent(t, p, T0 + STEP);
	peers_sent(t, p, T0 + 2 * STEP);
	assert_int_equal(p->unanswered, peer_stamp_of(T0 + STEP));
	assert_int_equal(p->last_tx, peer_stamp_of(T0 + 2 * STEP));
	peers_heard(t, p, T0 + 3 * STEP);
	assert_true(p->unanswered == 0);
	assert_int_equal(p->last_rx, peer_stamp_of(T0 + 3 * STEP));
	peers_sent(t, p, T0 + 4 * STEP);
	assert_int_equal(p->unanswered, peer_stamp_of(T0 + 4 * STEP));
	peers_prove(t, p, ep, T0 + 5 * STEP);
	assert_true(p->unanswered == 0);
}

/* C-CFG-05 */
static void a_full_table_gives_up_its_stalest_unproven_peer(void **state)
{
	struct teredo_addr a = addr_of(2);

	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		get(i, T0 + i * TEREDO_SECOND);
	peers_prove(t, find(0), ep, T0 + MAX * TEREDO_SECOND);
	peers_heard(t, find(1), T0 + MAX * TEREDO_SECOND);
	assert_non_null(get(1000, T0 + MAX * TEREDO_SECOND));
	assert_int_equal(n_gone, 1);
	assert_addr_equal(&last_gone, &a);	/* 0 proven, 1 heard, so 2 */
	assert_null(find(2));
	assert_non_null(find(0));
	assert_non_null(find(1));
	assert_int_equal(peers_count(t), MAX);
}

/* C-CFG-05, R-ENC-16, SEC-DOS-03: active trusted peers survive a flood */
static void a_trusted_peer_never_makes_room(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		peers_prove(t, get(i, T0), ep, T0);
	assert_null(get(1000, T0 + PEER_VALIDITY - 1));
	assert_int_equal(n_gone, 0);
	assert_int_equal(peers_count(t), MAX);
	assert_int_equal(peers_proven(t), MAX);
	peers_remove(t, find(3));
	assert_int_equal(peers_proven(t), MAX - 1);
	for (unsigned i = 1000; i < 2000; i++)
		assert_non_null(get(i, T0 + 1));
	for (unsigned i = 0; i < MAX; i++)
		assert_true(i == 3 || find(i) != NULL);
}

static void a_peer_no_longer_trusted_makes_room(void **state)
{
	teredo_time now = T0 + 20 * TEREDO_SECOND;
	struct teredo_addr a = addr_of(1);

	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		peers_prove(t, get(i, T0), ep, T0);
	for (unsigned i = 0; i < MAX; i++)
		if (i != 1)
			peers_heard(t, find(i), now);
	assert_null(get(1000, now));
	assert_non_null(get(1000, T0 + PEER_VALIDITY));
	assert_addr_equal(&last_gone, &a);
	assert_int_equal(peers_proven(t), MAX - 1);
}

static void who_is_sent_to_is_not_the_stalest(void **state)
{
	struct teredo_addr a = addr_of(1);

	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		get(i, T0);
	peers_sent(t, find(0), T0);
	assert_non_null(get(1000, T0));
	assert_addr_equal(&last_gone, &a);
}

/* R-ENC-16 */
static void the_hash_has_a_secret_of_its_own(void **state)
{
	uint64_t unused = 6;

	(void)state;
	assert_true(seed != unused);	/* peers_new() drew from it */
}

/* So many that some share the bits that stand for them in the index. */
static void many_peers_are_told_apart(void **state)
{
	enum { MANY = 1 << 17 };
	struct peers *table = peers_new(MANY, &env, gone, &seed);
	struct teredo_addr a = addr_of(0);

	(void)state;
	assert_non_null(table);
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(a.b + 10, &i, sizeof(i));
		assert_null(peers_find(table, &a));
		assert_non_null(peers_get(table, &a, T0));
	}
	assert_int_equal(peers_count(table), MANY);
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		struct peer *p;

		memcpy(a.b + 10, &i, sizeof(i));
		p = peers_find(table, &a);
		assert_int_equal(p != NULL, i < MANY);
		assert_true(p == NULL || addr_equal(&p->addr, &a));
	}
	peers_free(table);
}

static void a_slot_is_a_peers_own_for_its_life(void **state)
{
	struct peer *p = get(1, T0);
	uint32_t slot = peers_slot(t, p);

	(void)state;
	for (unsigned i = 2; i < MAX; i++)
		assert_int_not_equal(peers_slot(t, get(i, T0)), slot);
	assert_in_range(slot, 0, MAX - 1);
	assert_ptr_equal(peers_at(t, slot), p);
	peers_remove(t, p);
	assert_null(peers_at(t, slot));
	assert_null(find(1));
	assert_null(peers_at(t, MAX - 1));	/* never used */
}

static void expect_traffic(const struct peer *p, enum peer_way way,
			   uint64_t packets, uint64_t octets)
{
	struct peer_traffic sum = peers_traffic(t, p, way);

	assert_int_equal(sum.packets, packets);
	assert_int_equal(sum.octets, octets);
}

static void traffic_is_counted_by_peer_and_way_where_it_is_asked_for(
	void **state)
{
	struct teredo_addr a = addr_of(1), b = addr_of(2);
	struct peer *p = peers_get(t, &a, T0), *q = peers_get(t, &b, T0);

	(void)state;
	peers_traffic_add(t, p, PEER_RX, 1, 100);
	expect_traffic(p, PEER_RX, 0, 0);
	assert_true(peers_traffic_new(t));
	peers_traffic_add(t, p, PEER_RX, 1, 100);
	peers_traffic_add(t, p, PEER_RX, 2, 50);
	for (unsigned i = 0; i < 2; i++)	/* together more than 32 bits */
		peers_traffic_add(t, q, PEER_TX, 25, 2500000000);
	expect_traffic(p, PEER_RX, 3, 150);
	expect_traffic(p, PEER_TX, 0, 0);
	expect_traffic(q, PEER_TX, 50, 5000000000);
	peers_asked(t, p, T0);
	peers_answered(t, p, T0);
	assert_int_equal(peers_rtt(t, p), 1);	/* 0 would be unknown */
	assert_int_equal(peers_rtt(t, q), 0);
	peers_remove(t, p); /* the next one in its slot begins anew */
	a = addr_of(3);
	p = peers_get(t, &a, T0);
	expect_traffic(p, PEER_RX, 0, 0);
	assert_int_equal(peers_rtt(t, p), 0);
}

static void clearing_takes_everybody(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		get(i, T0);
	peers_prove(t, find(7), ep, T0);
	peers_clear(t);
	assert_int_equal(n_gone, MAX);
	assert_int_equal(peers_count(t), 0);
	assert_int_equal(peers_proven(t), 0);
	for (unsigned i = 0; i < MAX; i++)
		assert_null(find(i));
	for (unsigned i = 0; i < MAX; i++)
		assert_non_null(get(i, T0));
	assert_int_equal(n_gone, MAX);
}

static void sweep_all(teredo_time now)
{
	for (unsigned i = 0; i < 30; i++)
		peers_sweep(t, now, UNPROVEN);
}

static void the_sweep_forgets_the_silent(void **state)
{
	teredo_time end = T0 + PEER_FORGET;

	(void)state;
	peers_prove(t, get(1, T0), ep, T0);
	peers_prove(t, get(2, T0), ep, T0);
	peers_sent(t, find(2), T0 + 2 * TEREDO_SECOND);
	sweep_all(end);
	assert_non_null(find(1));
	sweep_all(end + STEP);
	assert_null(find(1));
	assert_non_null(find(2));
	sweep_all(end + 2 * TEREDO_SECOND + STEP);
	assert_null(find(2));
	assert_int_equal(n_gone, 2);
}

static void the_sweep_forgets_the_unproven_sooner(void **state)
{
	(void)state;
	get(1, T0);
	get(2, T0)->last_attempt = peer_stamp_of(T0);
	sweep_all(T0 + UNPROVEN - PEER_VALIDITY);
	assert_non_null(find(1));
	sweep_all(T0 + UNPROVEN - PEER_VALIDITY + STEP);
	assert_null(find(1));
	sweep_all(T0 + UNPROVEN);
	assert_non_null(find(2));
	sweep_all(T0 + UNPROVEN + STEP);
	assert_null(find(2));
}

/* A stamp comes again after 2^32 ms. */
static void what_is_old_never_becomes_new(void **state)
{
	const teredo_time round = (1ull << 32) * TEREDO_MS;
	struct peer *heard, *sent, *asked;
	teredo_time now = T0;

	(void)state;
	peers_prove(t, get(1, T0), ep, T0);
	peers_prove(t, get(2, T0), ep, T0);
	get(3, T0)->last_attempt = peer_stamp_of(T0);
	for (; now < T0 + round; now += UNPROVEN / 2) {
		peers_heard(t, find(1), now);
		peers_sent(t, find(2), now);
		find(3)->last_attempt = peer_stamp_of(now);
		sweep_all(now);
	}
	heard = find(1);
	sent = find(2);
	asked = find(3);
	for (now = T0 + round; now < T0 + round + PEER_VALIDITY; now += STEP) {
		assert_false(peer_is_trusted(sent, now));
		assert_true(peer_age(heard->last_tx, now) == TEREDO_NEVER);
		assert_true(peer_age(heard->last_attempt, now) == TEREDO_NEVER);
		assert_true(peer_age(asked->last_rx, now) == TEREDO_NEVER);
	}
	assert_int_equal(n_gone, 0);
}

static void a_stamp_is_older_than_now_and_never_none(void **state)
{
	const teredo_time round = (1ull << 32) * TEREDO_MS;

	(void)state;
	for (teredo_time d = 0; d < 10 * TEREDO_MS; d += TEREDO_MS / 2) {
		teredo_time then = round - 5 * TEREDO_MS + d;
		peer_stamp s = peer_stamp_of(then);

		assert_true(s != 0);
		assert_true(peer_age(s, then) == 0);
		for (teredo_time n = 0; n < 50 * TEREDO_MS; n += TEREDO_MS / 4)
			assert_in_range(peer_age(s, then + n) + STEP - n, 1,
					2 * STEP - 1);
	}
}

/* A plain array that has to hold the same peers. */
enum { KEYS = 200 };
static bool model[KEYS];

static void model_gone(void *ctx, struct peer *p)
{
	unsigned number = (unsigned)p->addr.b[14] << 8 | p->addr.b[15];

	(void)ctx;
	assert_true(model[number]);
	model[number] = false;
}

static void model_agrees(struct peers *table)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		struct teredo_addr a = addr_of(i);
		struct peer *p = peers_find(table, &a);

		assert_int_equal(p != NULL, model[i]);
		if (p != NULL)
			assert_addr_equal(&p->addr, &a);
		n += model[i];
	}
	assert_int_equal(peers_count(table), n);
}

static void step(struct peers *table, teredo_time now)
{
	unsigned number = (unsigned)(test_random(&seed) % KEYS);
	struct teredo_addr a = addr_of(number);
	struct peer *p = peers_find(table, &a);

	switch (test_random(&seed) % 6) {
	case 0:
	case 1:
		p = peers_get(table, &a, now);
		model[number] = model[number] || p != NULL;
		break;
	case 2:
		if (p != NULL)
			peers_remove(table, p);
		break;
	case 3:
		if (p != NULL)
			peers_prove(table, p, ep, now);
		break;
	case 4:
		if (p != NULL && p->proven)
			peers_heard(table, p, now);
		break;
	default:
		peers_sweep(table, now, UNPROVEN);
	}
}

static void it_agrees_with_a_plain_array_over_many_steps(void **state)
{
	struct peers *table = peers_new(61, &env, model_gone, NULL);
	teredo_time now = T0;

	(void)state;
	assert_non_null(table);
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 50000; i++) {
		now += test_random(&seed) % TEREDO_SECOND;
		step(table, now);
		if (i % 16 == 0)
			model_agrees(table);
	}
	peers_clear(table);
	model_agrees(table);
	peers_free(table);
}

static void a_hint_changes_nothing(void **state)
{
	struct teredo_addr keys[300];

	(void)state;
	for (unsigned i = 0; i < COUNT(keys); i++)
		keys[i] = addr_of(i);
	peers_prefetch(t, keys, 0);
	peers_prefetch(t, keys, COUNT(keys));
	for (unsigned i = 0; i < MAX; i++)
		get(i, T0);
	peers_prefetch(t, keys, COUNT(keys));
	for (unsigned i = 0; i < COUNT(keys); i++)
		assert_int_equal(find(i) != NULL, i < MAX);
	assert_int_equal(n_gone, 0);
}

static void a_table_of_one_works(void **state)
{
	struct peers *one = peers_new(1, &env, gone, &seed);
	struct peers *saved = t;
	struct teredo_addr a = addr_of(1), b = addr_of(2);

	(void)state;
	assert_non_null(one);
	t = one;
	assert_non_null(peers_get(one, &a, T0));
	assert_non_null(peers_get(one, &b, T0));
	assert_null(peers_find(one, &a));
	assert_int_equal(n_gone, 1);
	peers_prove(one, peers_find(one, &b), ep, T0);
	assert_null(peers_get(one, &a, T0));
	peers_sweep(one, T0, UNPROVEN);
	peers_free(one);
	t = saved;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_peer_is_unproven_and_silent_for_30_s),
		TEST(flags_make_another_peer_of_the_same_mapping),
		TEST(trust_fades_30_s_after_the_last_packet),
		TEST(the_first_packet_without_an_answer_is_remembered),
		TEST(a_full_table_gives_up_its_stalest_unproven_peer),
		TEST(a_trusted_peer_never_makes_room),
		TEST(a_peer_no_longer_trusted_makes_room),
		TEST(who_is_sent_to_is_not_the_stalest),
		TEST(the_hash_has_a_secret_of_its_own),
		TEST(many_peers_are_told_apart),
		TEST(a_slot_is_a_peers_own_for_its_life),
		TEST(traffic_is_counted_by_peer_and_way_where_it_is_asked_for),
		TEST(clearing_takes_everybody),
		TEST(the_sweep_forgets_the_silent),
		TEST(the_sweep_forgets_the_unproven_sooner),
		TEST(what_is_old_never_becomes_new),
		TEST(a_stamp_is_older_than_now_and_never_none),
		TEST(it_agrees_with_a_plain_array_over_many_steps),
		TEST(a_hint_changes_nothing),
		TEST(a_table_of_one_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
