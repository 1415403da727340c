/*
 * interval_bench.c - a client that finds its interval out, its NAT and server
 *
 * See interval_bench.h.
 */
#include "config.h"

#include "tests/unit/interval_bench.h"

struct interval_bench box;

static uint8_t nonce2[WIRE_NONCE_LEN];	/* of the last one from there */
static int port_news;

int box_setup(void **state)
{
	(void)state;
	box_setup_from(30 * S);
	return 0;
}

void box_setup_from(teredo_time refresh)
{
	bench_open_finding(refresh);
	memset(&box, 0, sizeof(box));
	box.lifetime = TEREDO_NEVER;
	box.answers = box.answers2 = box.forwards = true;
	box.mapped = bench_mapped();
	box.mapped2 = ep4("192.0.2.45", 41000);
	bench_start();
	assert_true(bench_server(0, SERVER, SERVER));
	port_news = -1;
	box_run(0);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

struct bench_ra box_ra(void)
{
	struct bench_ra ra = bench_ra(nonce2, SERVER);

	ra.origin = box.mapped2;
	return ra;
}

struct teredo_verdict box_secondary(struct teredo_ep from,
				    const struct test_packet *p)
{
	box.used2 = bench.now;
	return bench_udp_via(TEREDO_VIA_SECONDARY, from, p);
}

void box_put_bubble(struct test_packet *p)
{
	p->len = 0;
	packet_origin(p, bench_mapped());
	packet_put(p, box.last_bubble.data, box.last_bubble.len);
}

static void serve_rs(const struct sent *s)
{
	struct bench_ra ra;

	assert_true(box.rs < COUNT(box.rs_at));
	box.rs_at[box.rs++] = s->at;
	ra = bench_ra(s->data + 4, SERVER);
	ra.origin = box.mapped;
	if (box.answers)
		bench_answer(&ra);
}

static void serve_rs2(const struct sent *s)
{
	struct test_packet p;
	struct bench_ra ra;

	assert_true(box.rs2 < COUNT(box.rs2_at));
	box.rs2_at[box.rs2++] = s->at;
	memcpy(nonce2, s->data + 4, sizeof(nonce2));
	if (s->at - box.used2 > box.lifetime)
		box.mapped2.port = htons((uint16_t)(ntohs(box.mapped2.port) +
						    1));
	box.used2 = s->at;
	ra = box_ra();
	bench_put_ra(&p, &ra);
	if (box.answers2)
		assert_int_equal(box_secondary(ra.from, &p).fate,
				 TEREDO_TAKEN);
}

static void serve_bubble(const struct sent *s)
{
	struct test_packet p;

	assert_true(box.bubbles < COUNT(box.bubble_at));
	box.bubble_at[box.bubbles++] = s->at;
	box.last_bubble = *s;
	box_put_bubble(&p);
	if (box.forwards && s->at - box.used2 <= box.lifetime)
		assert_int_equal(box_secondary(ep4(SERVER, 3544), &p).fate,
				 TEREDO_TAKEN);
}

/* The server's and the NAT's part. All that leaves goes to the server. */
static void serve(void)
{
	const struct sent *next;
	struct sent s;

	while ((next = bench_next()) != NULL) {
		s = *next;
		assert_int_equal(s.kind, OUTBOX_UDP);
		assert_ep_equal(s.to, ep4(SERVER, 3544));
		if (s.len == 61 && s.via == TEREDO_VIA_PRIMARY)
			serve_rs(&s);
		else if (s.len == 61)
			serve_rs2(&s);
		else if (s.len == WIRE_BUBBLE_LEN &&
			 s.via == TEREDO_VIA_PRIMARY)
			serve_bubble(&s);
		else
			fail_msg("something else was sent");	/* C-RID-10 */
	}
	for (unsigned i = 0; i < bench.n; i++)
		if (bench.sent[i].kind == OUTBOX_SECONDARY)
			port_news = (int)bench.sent[i].arg;
	bench_forget();
}

int box_port_news(void)
{
	int news = port_news;

	port_news = -1;
	return news;
}

static void step(teredo_time end)
{
	teredo_time next = teredo_client_deadline(bench.c);

	serve();
	if (next > end)
		next = end;
	bench_run(next > bench.now ? next - bench.now : 0);
	serve();
}

void box_run(teredo_time for_how_long)
{
	teredo_time end = bench.now + for_how_long;

	serve();
	do
		step(end);
	while (bench.now < end || teredo_client_deadline(bench.c) <= end);
}

void box_run_to_end(void)
{
	teredo_time end = bench.now + 3600 * S;

	while (bench_status().interval == TEREDO_INTERVAL_DETERMINING) {
		assert_true(bench.now < end);
		step(end);
	}
}

void box_run_to_test(void)
{
	unsigned before = box.bubbles;
	teredo_time end = bench.now + 200 * S;

	while (box.bubbles == before) {
		assert_true(bench.now < end);
		step(end);
	}
}

void box_assert(enum teredo_interval state, unsigned refresh,
		unsigned candidate, unsigned max)
{
	struct teredo_client_status st = bench_status();

	assert_string_equal(teredo_interval_name(st.interval),
			    teredo_interval_name(state));
	assert_int_equal(st.refresh / MS, refresh);
	assert_int_equal(st.refresh_candidate / MS, candidate);
	assert_int_equal(st.refresh_max / MS, max);
}
