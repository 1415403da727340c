/*
 * relay_bench.c - a relay on the bench, its clock, and what it sent
 *
 * See relay_bench.h.
 */
#include "config.h"

#include "relay_bench.h"

struct relay_bench *bench_new(const struct teredo_relay_config *config)
{
	static uint64_t seed = 5991;	/* no two relays are alike */
	struct relay_bench *b = calloc(1, sizeof(*b));
	struct teredo_addr own = ip6(RELAY6);
	struct teredo_env env;

	assert_non_null(b);
	b->seed = seed++;
	b->now = 1000 * TEREDO_SECOND;
	env = test_env(&b->seed);
	b->r = teredo_relay_new(config, &env);
	assert_non_null(b->r);
	b->local = (struct local4){ .n = 2, .ip = { ip4(RELAY4),
						    ip4("203.0.113.255") } };
	teredo_relay_set_local(b->r, &b->local, &own, 1);
	return b;
}

void bench_free(struct relay_bench *b)
{
	teredo_relay_free(b->r);
	free(b);
}

int bench_setup(void **state)
{
	*state = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 64,
	});
	return 0;
}

int bench_teardown(void **state)
{
	bench_free(*state);
	return 0;
}

struct teredo_addr client(void)
{
	return teredo6(SERVER, 0, HOST, 40000);
}

struct teredo_ep home(void)
{
	return ep4(HOST, 40000);
}

struct test_packet to_client(struct teredo_addr src, struct teredo_addr dst)
{
	return make_ip6(src, dst, 17, "to the client", 13);
}

struct test_packet from_client(struct teredo_addr src, struct teredo_addr dst)
{
	return make_ip6(src, dst, 17, "from the client", 15);
}

static void check_item(struct relay_bench *b, const struct outbox_item *item)
{
	const uint8_t *data = outbox_data(&b->ob, item);
	bool bubble = item->len == 40 && data[6] == 59;

	if (item->kind == OUTBOX_UDP) {
		assert_true(ep_is_acceptable(item->to, &b->local));
		b->bubbles += bubble;
		if (bubble)
			assert_memory_equal(data + 8, ip6("fe80::").b, 8);
	} else if (item->kind == OUTBOX_TUN) {
		assert_int_not_equal(data[6], 59);
		assert_memory_not_equal(data + 24, client().b, 4);
		b->errors += data[6] == 58 && data[40] == 1;
	} else {
		assert_true(item->kind == OUTBOX_PEER_UP ||
			    item->kind == OUTBOX_PEER_DOWN);
	}
}

static void check_outbox(struct relay_bench *b)
{
	assert_int_equal(b->ob.lost, 0);
	for (unsigned i = 0; i < b->ob.n; i++)
		check_item(b, &b->ob.item[i]);
}

/* But for those that waited and were given up, whenever that happens. */
static uint64_t all_drops(const struct relay_bench *b)
{
	uint64_t sum = 0;

	for (int c = 0; c < (int)TEREDO_N_DROPS; c++)
		sum += bench_count(b, (enum teredo_counter)c);
	return sum - bench_count(b, TEREDO_DROP_unreachable);
}

/* Each drop is counted, once, and nothing else is. */
static void check_drops(const struct relay_bench *b, uint64_t before,
			uint64_t given_up, enum teredo_fate fate)
{
	uint64_t drops = all_drops(b) - before;

	if (fate == TEREDO_DROP &&
	    bench_count(b, TEREDO_DROP_unreachable) > given_up)
		assert_in_range(drops, 0, 1);
	else
		assert_int_equal(drops, fate == TEREDO_DROP);
}

struct teredo_verdict give_tun(struct relay_bench *b,
			       const struct test_packet *p)
{
	uint64_t drops = all_drops(b);
	uint64_t given_up = bench_count(b, TEREDO_DROP_unreachable);
	uint8_t *exact = malloc(p->len + 1);	/* sanitizers see overreads */
	struct teredo_verdict v;

	assert_non_null(exact);
	memcpy(exact, p->b, p->len);
	outbox_clear(&b->ob);
	v = teredo_relay_tun_in(b->r, exact, p->len, b->now, &b->ob);
	free(exact);
	check_outbox(b);
	check_drops(b, drops, given_up, v.fate);
	if (v.fate == TEREDO_TO_UDP) {
		assert_int_equal(v.off, 0);
		assert_int_equal(v.len, p->len);
		assert_true(ep_is_acceptable(v.to, &b->local));
	}
	return v;
}

struct teredo_verdict give_udp(struct relay_bench *b,
			       const struct test_packet *p,
			       struct teredo_ep from)
{
	struct teredo_rx rx = { .len = p->len, .from = from };
	uint64_t drops = all_drops(b);
	uint64_t given_up = bench_count(b, TEREDO_DROP_unreachable);
	uint8_t *exact = malloc(p->len + 1);
	struct teredo_verdict v;

	assert_non_null(exact);
	memcpy(exact, p->b, p->len);
	rx.data = exact;
	outbox_clear(&b->ob);
	v = teredo_relay_udp_in(b->r, &rx, b->now, &b->ob);
	free(exact);
	check_outbox(b);
	check_drops(b, drops, given_up, v.fate);
	assert_int_not_equal(v.fate, TEREDO_TO_UDP);
	assert_int_not_equal(v.fate, TEREDO_TO_NATIVE6);
	return v;
}

static void expect_count(const struct relay_bench *b, enum teredo_counter why,
			 uint64_t before, enum teredo_fate fate)
{
	assert_int_equal(fate, TEREDO_DROP);
	if (bench_count(b, why) != before + 1)
		fail_msg("dropped, but not as %s", teredo_counter_name(why));
}

void expect_tun_drop(struct relay_bench *b, const struct test_packet *p,
		     enum teredo_counter why)
{
	uint64_t before = bench_count(b, why);

	expect_count(b, why, before, give_tun(b, p).fate);
	assert_int_equal(b->ob.n, 0);	/* silently */
}

void expect_udp_drop(struct relay_bench *b, const struct test_packet *p,
		     struct teredo_ep from, enum teredo_counter why)
{
	uint64_t before = bench_count(b, why);

	expect_count(b, why, before, give_udp(b, p, from).fate);
	assert_int_equal(b->ob.n, 0);
}

void expect_delivery(struct relay_bench *b, const struct test_packet *p,
		     struct teredo_ep from)
{
	struct teredo_verdict v = give_udp(b, p, from);

	assert_int_equal(v.fate, TEREDO_TO_TUN);
	assert_int_equal(v.off, 0);
	assert_int_equal(v.len, p->len);
}

void expect_sent(struct relay_bench *b, const struct test_packet *p,
		 struct teredo_ep to)
{
	struct teredo_verdict v = give_tun(b, p);

	assert_int_equal(v.fate, TEREDO_TO_UDP);
	assert_ep_equal(v.to, to);
}

bool run_until(struct relay_bench *b, teredo_time when)
{
	static struct teredo_outbox last;
	teredo_time next;

	last.n = 0;
	while ((next = teredo_relay_deadline(b->r)) <= when) {
		if (next > b->now)
			b->now = next;
		outbox_clear(&b->ob);
		teredo_relay_expire(b->r, b->now, &b->ob);
		check_outbox(b);
		if (b->ob.n > 0)
			last = b->ob;
	}
	b->now = when;
	b->ob = last;
	return last.n > 0;
}

struct teredo_addr bubble_source(const struct relay_bench *b)
{
	struct teredo_addr src = { .b = { 0 } };

	for (unsigned i = b->ob.n; i-- > 0;) {
		const struct outbox_item *item = &b->ob.item[i];
		const uint8_t *data = outbox_data(&b->ob, item);

		if (item->kind != OUTBOX_UDP || item->len != 40 ||
		    data[6] != 59)
			continue;
		memcpy(src.b, data + 8, 16);
		return src;
	}
	fail_msg("no bubble was sent");
	return src;
}

struct teredo_verdict answer_bubble(struct relay_bench *b,
				    struct teredo_addr from6,
				    struct teredo_ep from)
{
	struct test_packet answer = make_bubble(from6, bubble_source(b));

	return give_udp(b, &answer, from);
}

void prove(struct relay_bench *b, struct teredo_addr who,
	   struct teredo_ep from)
{
	struct test_packet p = to_client(ip6(N), who);

	assert_int_equal(give_tun(b, &p).fate, TEREDO_TAKEN);
	assert_int_equal(answer_bubble(b, who, from).fate, TEREDO_TAKEN);
	expect_sent(b, &p, from);
}

unsigned outbox_count(const struct relay_bench *b, enum outbox_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->ob.n; i++)
		n += b->ob.item[i].kind == kind;
	return n;
}

const struct outbox_item *outbox_nth(const struct relay_bench *b,
				     enum outbox_kind kind, unsigned i)
{
	for (unsigned k = 0; k < b->ob.n; k++)
		if (b->ob.item[k].kind == kind && i-- == 0)
			return &b->ob.item[k];
	fail_msg("the outbox lacks an item");
	return NULL;
}

uint64_t bench_count(const struct relay_bench *b, enum teredo_counter c)
{
	return teredo_relay_counters(b->r)->n[c];
}
