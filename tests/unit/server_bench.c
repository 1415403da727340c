/*
 * server_bench.c - a server on the bench: one packet in, one answer out
 *
 * See server_bench.h.
 */
#include "config.h"

#include "server_bench.h"

struct server_bench *bench_new(const char *ip2, uint32_t mtu)
{
	return bench_new_keyed(ip2, mtu, NULL, false, NULL);
}

struct server_bench *bench_new_keyed(const char *ip2, uint32_t mtu,
				     const struct auth_keys *keys,
				     bool required, test_hmac_fn *hmac)
{
	struct server_bench *b = calloc(1, sizeof(*b));
	struct teredo_server_config config = {
		.prefix = addr_default_prefix(),
		.ip = ip4(S1),
		.ip2 = ip2 == NULL ? 0 : ip4(ip2),
		.mtu = mtu,
		.keys = keys,
		.require_auth = required,
	};
	struct teredo_env env;

	assert_non_null(b);
	b->seed = 4380;
	b->now = 1000 * TEREDO_SECOND;
	env = test_env(&b->seed);
	env.hmac = hmac;
	b->s = teredo_server_new(&config, &env);
	assert_non_null(b->s);
	b->local.ip[b->local.n++] = ip4(S1);
	if (ip2 != NULL)
		b->local.ip[b->local.n++] = ip4(ip2);
	b->local.ip[b->local.n++] = ip4("198.51.100.255");
	teredo_server_set_local(b->s, &b->local);
	return b;
}

void bench_free(struct server_bench *b)
{
	teredo_server_free(b->s);
	free(b);
}

int bench_setup(void **state)
{
	*state = bench_new(S2, 1280);
	return 0;
}

int bench_teardown(void **state)
{
	bench_free(*state);
	return 0;
}

static uint64_t all_drops(const struct server_bench *b)
{
	uint64_t sum = 0;

	for (int c = 0; c < (int)TEREDO_N_DROPS; c++)
		sum += bench_count(b, (enum teredo_counter)c);
	return sum;
}

struct teredo_verdict bench_give(struct server_bench *b,
				 const struct test_packet *p,
				 struct teredo_ep from, enum teredo_via via)
{
	struct teredo_rx rx = { .len = p->len, .from = from, .via = via };
	uint64_t drops = all_drops(b), ras = bench_count(b, TEREDO_EV_ra_sent);
	uint8_t *exact = malloc(p->len + 1);	/* sanitizers see overreads */
	struct teredo_verdict v;

	assert_non_null(exact);
	memcpy(exact, p->b, p->len);
	rx.data = exact;
	outbox_clear(&b->ob);
	v = teredo_server_udp_in(b->s, &rx, b->now, &b->ob);
	free(exact);
	assert_int_equal(b->ob.lost, 0);
	assert_int_equal(b->ob.n, v.fate == TEREDO_TAKEN);
	assert_int_equal(all_drops(b) - drops, v.fate == TEREDO_DROP);
	if (v.fate == TEREDO_TAKEN) {
		const struct outbox_item *item = &b->ob.item[0];

		assert_int_equal(item->kind, OUTBOX_UDP);
		assert_true(ep_is_acceptable(item->to, &b->local));
		if (bench_count(b, TEREDO_EV_ra_sent) == ras)
			assert_true(item->len <= p->len + 8);
	} else if (v.fate != TEREDO_DROP) {
		assert_int_equal(v.fate, TEREDO_TO_NATIVE6);
		assert_true(v.off + v.len <= p->len);
	}
	return v;
}

void expect_drop(struct server_bench *b, const struct test_packet *p,
		 struct teredo_ep from, enum teredo_counter why)
{
	uint64_t before = bench_count(b, why);
	struct teredo_verdict v = bench_give(b, p, from, TEREDO_VIA_PRIMARY);

	assert_int_equal(v.fate, TEREDO_DROP);
	if (bench_count(b, why) != before + 1)
		fail_msg("dropped, but not as %s", teredo_counter_name(why));
}

const struct outbox_item *expect_udp(struct server_bench *b,
				     const struct test_packet *p,
				     struct teredo_ep from)
{
	struct teredo_verdict v = bench_give(b, p, from, TEREDO_VIA_PRIMARY);

	assert_int_equal(v.fate, TEREDO_TAKEN);
	return &b->ob.item[0];
}

uint32_t expect_native(struct server_bench *b, const struct test_packet *p,
		       struct teredo_ep from)
{
	struct teredo_verdict v = bench_give(b, p, from, TEREDO_VIA_PRIMARY);

	assert_int_equal(v.fate, TEREDO_TO_NATIVE6);
	return v.off;
}

void assert_octets(const struct server_bench *b,
		   const struct outbox_item *item,
		   const struct test_packet *p)
{
	assert_int_equal(item->len, p->len);
	assert_memory_equal(outbox_data(&b->ob, item), p->b, p->len);
}

uint64_t bench_count(const struct server_bench *b, enum teredo_counter c)
{
	return teredo_server_counters(b->s)->n[c];
}
