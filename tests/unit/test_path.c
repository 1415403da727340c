/*
 * test_path.c - holding, probing, giving up, the pause, one-way paths, news
 *
 * A role that sends one octet per probe, and a clock that jumps to wherever
 * path_deadline() wants to be called.
 */
#include "tests/unit/testing.h"

#include "libteredo/icmp6.h"
#include "libteredo/path.h"

#define S	TEREDO_SECOND
#define T0	(1000 * S)
#define PAUSE	(30 * S)
#define MAX	100u

static struct path path;
static struct teredo_counters count;
static struct teredo_outbox ob;
static struct teredo_ep ep;
static struct teredo_addr us, dst;
static uint64_t seed;
static teredo_time now;

/* The role. */
static bool refuses;
static unsigned n_probes;
static teredo_time probed_at[64];
static uint8_t probe_number[64];

static bool role_probe(void *role, struct peer *p, teredo_time when,
		       struct teredo_outbox *out)
{
	assert_ptr_equal(role, &seed);
	assert_true(outbox_room(out, 4, 512));
	assert_true(n_probes < COUNT(probed_at));
	probed_at[n_probes] = when;
	probe_number[n_probes] = p->attempts;
	n_probes++;
	if (refuses)
		return false;
	*outbox_udp(out, TEREDO_VIA_PRIMARY, ep, 1) = 'p';
	return true;
}

static teredo_time role_pause(void *role, const struct peer *p)
{
	assert_ptr_equal(role, &seed);
	assert_non_null(p);
	return PAUSE;
}

static const struct path_ops ops = { role_probe, role_pause };

static int setup(void **state)
{
	struct teredo_env env = test_env(&seed);

	(void)state;
	seed = 7;
	now = T0;
	refuses = false;
	n_probes = 0;
	ep = ep4("192.0.2.10", 8192);
	us = ip6("2001:0:cb00:7178:0:efff:3fff:fdfe");
	dst = ip6("2001:0:c633:6476:0:dfff:3fff:fdf5");
	memset(&count, 0, sizeof(count));
	memset(&ob, 0, sizeof(ob));
	if (!path_init(&path, &ops, &seed, MAX, 1 << 20, &env, &count))
		return -1;
	path.error_src = ip6("fe80::1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(ob.lost, 0);
	path_fini(&path);
	return 0;
}

static struct teredo_addr dst_number(unsigned number)
{
	struct teredo_addr a = dst;

	a.b[8] = 0x3c;
	a.b[14] = (uint8_t)(number >> 8);
	a.b[15] = (uint8_t)number;
	return a;
}

/* Sends a packet whose payload is `mark` and len - 1 other octets. */
static struct teredo_verdict send_to(const struct teredo_addr *to, size_t len,
				     uint8_t mark)
{
	struct test_packet t = { 0 };

	packet_ip6(&t, 17, &us, to, len);
	t.b[40] = mark;
	outbox_clear(&ob);
	return path_send(&path, to, t.b, t.len, now, &ob);
}

static enum teredo_fate send_one(uint8_t mark)
{
	return send_to(&dst, 100, mark).fate;
}

static struct teredo_verdict receive(uint8_t mark)
{
	struct test_packet t = { 0 };

	packet_ip6(&t, 17, &dst, &us, 100);
	t.b[40] = mark;
	outbox_clear(&ob);
	return path_receive_unproven(&path, &dst, t.b, t.len, now, &ob);
}

static void proven(void)
{
	outbox_clear(&ob);
	path_proven(&path, peers_get(path.peers, &dst, now), ep, now, &ob);
}

static unsigned items_of(enum outbox_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ob.n; i++)
		n += ob.item[i].kind == kind;
	return n;
}

/* Lets time pass as a shell would. Gives the number of errors to the tun. */
static unsigned run_until(teredo_time end)
{
	unsigned errors = 0;

	while (path_deadline(&path) <= end) {
		if (path_deadline(&path) > now)
			now = path_deadline(&path);
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		errors += items_of(OUTBOX_TUN);
	}
	now = end;
	outbox_clear(&ob);
	return errors;
}

static struct peer *peer(void)
{
	return peers_find(path.peers, &dst);
}

/* C-TX-02, R-ENC-03 */
static void a_packet_to_a_trusted_peer_goes_at_once(void **state)
{
	struct teredo_verdict v;

	(void)state;
	proven();
	v = send_to(&dst, 100, 1);
	assert_int_equal(v.fate, TEREDO_TO_UDP);
	assert_int_equal(v.off, 0);
	assert_int_equal(v.len, 140);
	assert_int_equal(v.via, TEREDO_VIA_PRIMARY);
	assert_ep_equal(v.to, ep);
	assert_int_equal(ob.n, 0);
	assert_int_equal(n_probes, 0);
	assert_true(peer()->last_tx == now);
	assert_true(peer()->wanted);
}

/* C-TX-03, C-TX-07, R-ENC-08 */
static void a_packet_to_another_peer_is_held_and_a_probe_is_sent(void **state)
{
	(void)state;
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(ob.n, 1);
	assert_int_equal(items_of(OUTBOX_UDP), 1);
	assert_int_equal(n_probes, 1);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 1);
	assert_int_equal(send_one(2), TEREDO_TAKEN);	/* no second probe */
	assert_int_equal(n_probes, 1);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 2);
	assert_true(peer()->wanted);
}

static void packet_is(const struct outbox_item *item, enum outbox_kind kind,
		      uint8_t mark)
{
	assert_int_equal(item->kind, kind);
	assert_int_equal(item->len, 140);
	assert_int_equal(outbox_data(&ob, item)[40], mark);
	if (kind == OUTBOX_UDP)
		assert_ep_equal(item->to, ep);
}

/* C-RX-09, C-RX-14, C-TX-09, R-ENC-09 */
static void proof_releases_what_is_held_in_order_and_once(void **state)
{
	uint32_t slot;

	(void)state;
	send_one(1);
	assert_int_equal(receive(2).fate, TEREDO_TAKEN);
	send_one(3);
	slot = peers_slot(path.peers, peer());
	proven();
	assert_int_equal(ob.n, 4);
	assert_int_equal(ob.item[0].kind, OUTBOX_PEER_UP);
	assert_int_equal(ob.item[0].arg, slot);
	assert_addr_equal(&ob.item[0].addr, &dst);
	assert_ep_equal(ob.item[0].to, ep);
	packet_is(&ob.item[1], OUTBOX_UDP, 1);
	packet_is(&ob.item[2], OUTBOX_TUN, 2);
	packet_is(&ob.item[3], OUTBOX_UDP, 3);
	assert_int_equal(count.n[TEREDO_EV_packet_released], 3);
	assert_int_equal(count.n[TEREDO_EV_peer_up], 1);
	assert_int_equal(hold_used(path.hold), 0);
	proven();
	assert_int_equal(ob.n, 0);
	assert_int_equal(send_one(4), TEREDO_TO_UDP);
	run_until(now + 20 * S);
	assert_int_equal(n_probes, 1);
}

/* C-TX-04, C-TX-10, C-TX-15, C-BUB-04, R-ENC-06 */
static void four_probes_2_s_apart_and_then_the_peer_is_unreachable(
	void **state)
{
	(void)state;
	send_one(1);
	assert_int_equal(run_until(T0 + 5 * S), 0);
	send_one(2);
	receive(3);
	assert_int_equal(run_until(T0 + 8 * S - 1), 0);
	assert_int_equal(n_probes, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(probed_at[i] == T0 + i * PATH_GAP);
		assert_int_equal(probe_number[i], i + 1);
	}
	assert_int_equal(run_until(T0 + 8 * S), 2);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 3);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 2);
	assert_int_equal(hold_used(path.hold), 0);
	run_until(T0 + 1000 * S);
	assert_int_equal(n_probes, 4);
}

static void the_error_quotes_the_packet_that_was_held(void **state)
{
	struct wire_packet p;
	const uint8_t *msg;
	size_t len;

	(void)state;
	send_one(7);
	run_until(T0 + 8 * S - 1);
	now = T0 + 8 * S;
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_int_equal(wire_parse_ip6(&p, outbox_data(&ob, &ob.item[0]),
					ob.item[0].len), WIRE_OK);
	assert_addr_equal(&p.src, &path.error_src);
	assert_addr_equal(&p.dst, &us);
	msg = icmp6_message(&p, &len);
	assert_non_null(msg);
	assert_memory_equal(msg, "\1\3", 2);
	assert_int_equal(len, 8 + 140);
	assert_int_equal(msg[8 + 40], 7);
}

static void an_error_about_a_long_packet_quotes_its_head(void **state)
{
	(void)state;
	send_to(&dst, 3000, 1);
	run_until(T0 + 8 * S - 1);
	now = T0 + 8 * S;
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_int_equal(ob.item[0].len, ICMP6_ERROR_MAX);
}

/* C-TX-15 */
static void in_the_pause_packets_are_refused_at_once(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(send_one(2), TEREDO_DROP);
	assert_int_equal(ob.n, 1);
	assert_int_equal(ob.item[0].kind, OUTBOX_TUN);
	assert_int_equal(receive(3).fate, TEREDO_DROP);
	assert_int_equal(ob.n, 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 2);
	assert_int_equal(count.n[TEREDO_DROP_unknown_peer], 1);
	assert_int_equal(n_probes, 4);
}

/* C-BUB-05 as this project has it: one probe per pause while traffic goes on */
static void after_the_pause_traffic_sends_one_probe_each(void **state)
{
	(void)state;
	for (; now < T0 + 130 * S; run_until(now + 100 * TEREDO_MS))
		send_one(1);
	/* 0, 2, 4, 6, then 30 s after the last one each */
	assert_int_equal(n_probes, 8);
	for (unsigned i = 4; i < 8; i++)
		assert_in_range((probed_at[i] - probed_at[i - 1]) / TEREDO_MS,
				30000, 30100);
	assert_int_equal(hold_used(path.hold), 0);
}

static void a_single_probe_is_given_up_after_2_s(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 6 * S + PAUSE);
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(n_probes, 5);
	assert_int_equal(run_until(now + 2 * S - 1), 0);
	assert_int_equal(run_until(now + 1), 1);
	assert_int_equal(n_probes, 5);
	assert_int_equal(send_one(3), TEREDO_DROP);
}

static void a_sign_of_life_ends_the_pause(void **state)
{
	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	assert_int_equal(send_one(2), TEREDO_DROP);
	proven();
	assert_int_equal(send_one(3), TEREDO_TO_UDP);
	/* and everything begins again when trust has faded */
	run_until(now + 31 * S);
	n_probes = 0;
	assert_int_equal(send_one(4), TEREDO_TAKEN);
	run_until(now + 10 * S);
	assert_int_equal(n_probes, 4);
}

/* C-TX-01 */
static void trust_that_faded_is_asked_for_again(void **state)
{
	(void)state;
	proven();
	run_until(T0 + 30 * S - 1);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	run_until(T0 + 30 * S);
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(n_probes, 1);
	proven();
	assert_int_equal(ob.n, 1);	/* the packet, no second PEER_UP */
	assert_int_equal(count.n[TEREDO_EV_peer_up], 1);
}

static void another_endpoint_is_news(void **state)
{
	(void)state;
	proven();
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	ep = ep4("192.0.2.11", 8192);
	proven();
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	assert_ep_equal(ob.item[0].to, ep);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
}

/* ---- one-way paths ---- */

static void a_peer_that_does_not_answer_is_probed_beside_the_traffic(
	void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 29 * S; run_until(now + 100 * TEREDO_MS))
		assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 4);
	assert_in_range((probed_at[0] - T0) / TEREDO_MS, 3000, 3200);
	for (unsigned i = 1; i < 4; i++)
		assert_true(probed_at[i] == probed_at[0] + i * PATH_GAP);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 0);
	assert_int_equal(count.n[TEREDO_EV_packet_held], 0);
	run_until(T0 + 30 * S);
	assert_int_equal(send_one(1), TEREDO_DROP);	/* asked long enough */
}

static void idleness_is_not_a_one_way_path(void **state)
{
	(void)state;
	proven();
	run_until(T0 + 20 * S);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	run_until(T0 + 23 * S);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 0);
	run_until(T0 + 23 * S + 1);
	assert_int_equal(send_one(1), TEREDO_TO_UDP);
	assert_int_equal(n_probes, 1);
}

static void probes_beside_the_traffic_end_when_the_peer_is_heard(void **state)
{
	(void)state;
	proven();
	send_one(1);
	run_until(T0 + 4 * S);
	send_one(2);
	assert_int_equal(n_probes, 1);
	run_until(T0 + 5 * S);
	peers_heard(path.peers, peer(), now);	/* data, no proof needed */
	run_until(T0 + 20 * S);
	assert_int_equal(n_probes, 1);
	assert_int_equal(peer()->attempts, 0);
	send_one(3);
	run_until(T0 + 24 * S);
	send_one(4);
	assert_int_equal(n_probes, 2);
	proven();
	assert_int_equal(ob.n, 0);
	run_until(T0 + 40 * S);
	assert_int_equal(n_probes, 2);
}

static void hearing_a_trusted_peer_ends_its_probes_at_once(void **state)
{
	(void)state;
	proven();
	send_one(1);
	run_until(T0 + 4 * S);
	send_one(2);
	assert_int_equal(n_probes, 1);
	path_heard(&path, peer(), now);
	assert_int_equal(peer()->attempts, 0);
	assert_false(deadlines_is_armed(path.timers,
					peers_slot(path.peers, peer())));
}

static void a_peer_heard_in_the_pause_gets_all_probes_again(void **state)
{
	(void)state;
	proven();
	for (; now < T0 + 15 * S; run_until(now + S))
		send_one(1);
	assert_int_equal(n_probes, 4);
	path_heard(&path, peer(), now);
	assert_true(peer()->last_rx == now);
	for (; now < T0 + 30 * S; run_until(now + S))
		send_one(1);
	assert_int_equal(n_probes, 8);
}

/* ---- limits ---- */

/* C-TX-16, R-ENC-11 */
static void too_many_packets_are_dropped_and_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HOLD_PEER_PACKETS; i++)
		assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(send_one(1), TEREDO_DROP);
	assert_int_equal(receive(1).fate, TEREDO_DROP);
	assert_int_equal(count.n[TEREDO_DROP_hold_full], 2);
	proven();
	assert_int_equal(items_of(OUTBOX_UDP), HOLD_PEER_PACKETS);
}

/* C-CFG-05, R-ENC-16 */
static void a_full_table_is_counted(void **state)
{
	struct teredo_addr a;

	(void)state;
	for (unsigned i = 0; i <= MAX; i++) {
		a = dst_number(i);
		assert_int_equal(send_to(&a, 100, 1).fate, TEREDO_TAKEN);
		n_probes = 0;
	}
	assert_int_equal(count.n[TEREDO_EV_peer_evicted], 1);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 1);
	for (unsigned i = 1; i <= MAX; i++) {
		a = dst_number(i);
		outbox_clear(&ob);
		path_proven(&path, peers_find(path.peers, &a), ep, now, &ob);
	}
	assert_int_equal(send_one(1), TEREDO_DROP);
	assert_int_equal(receive(1).fate, TEREDO_DROP);
	assert_int_equal(count.n[TEREDO_DROP_table_full], 2);
	assert_int_equal(count.n[TEREDO_EV_peer_evicted], 1);
}

/* G-ICM-01 */
static void errors_are_limited_to_100_a_second(void **state)
{
	unsigned errors = 0;

	(void)state;
	send_one(1);
	run_until(T0 + 10 * S);
	for (unsigned i = 0; i < 1000; i++) {
		send_one(1);
		errors += ob.n;
	}
	assert_int_equal(errors, 100);
	now += 100 * TEREDO_MS;
	errors = 0;
	for (unsigned i = 0; i < 1000; i++) {
		send_one(1);
		errors += ob.n;
	}
	assert_int_equal(errors, 10);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 1 + 110);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 1 + 2000);
}

/* G-ICM-02 */
static void no_error_answers_an_error(void **state)
{
	struct test_packet t = { 0 };

	(void)state;
	packet_ip6(&t, 58, &us, &dst, 100);
	t.b[40] = ICMP6_UNREACHABLE;
	path_send(&path, &dst, t.b, t.len, now, &ob);
	assert_int_equal(run_until(T0 + 10 * S), 0);
	assert_int_equal(path_send(&path, &dst, t.b, t.len, now, &ob).fate,
			 TEREDO_DROP);
	assert_int_equal(ob.n, 0);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
}

static void a_refused_probe_uses_up_its_turn(void **state)
{
	(void)state;
	refuses = true;
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(ob.n, 0);
	assert_true(peer()->last_attempt == 0);
	run_until(T0 + 3 * S);
	refuses = false;
	assert_int_equal(run_until(T0 + 8 * S), 1);
	assert_int_equal(n_probes, 4);
	assert_true(probed_at[3] == T0 + 6 * S);
	assert_true(peer()->last_attempt == T0 + 6 * S);
}

static void a_role_that_always_refuses_ends_the_cycle_too(void **state)
{
	(void)state;
	refuses = true;
	send_one(1);
	assert_int_equal(run_until(T0 + 8 * S), 1);
	assert_int_equal(hold_used(path.hold), 0);
	refuses = false;	/* nothing was sent: no reason for a pause */
	assert_int_equal(send_one(2), TEREDO_TAKEN);
	assert_int_equal(ob.n, 1);
}

/* C-BUB-07: what a received packet asks for has the same limits */
static void probes_on_request_keep_to_the_same_limits(void **state)
{
	struct peer *p = peers_get(path.peers, &dst, now);

	(void)state;
	for (; now < T0 + 30 * S; run_until(now + 100 * TEREDO_MS))
		path_probe(&path, p, now, &ob);
	assert_int_equal(n_probes, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(probed_at[i] == T0 + i * PATH_GAP);
	assert_int_equal(count.n[TEREDO_EV_unreachable_sent], 0);
}

/* C-BUB-04: the role sent a bubble of its own a moment ago */
static void a_probe_keeps_its_distance_from_the_last(void **state)
{
	(void)state;
	peers_get(path.peers, &dst, now)->last_attempt = T0 - S;
	assert_int_equal(send_one(1), TEREDO_TAKEN);
	assert_int_equal(n_probes, 0);
	run_until(T0 + S);
	assert_int_equal(n_probes, 1);
	assert_true(probed_at[0] == T0 + S);
}

/* The outbox never loses: many timers come due at once. */
static void timers_wait_for_room_in_the_outbox(void **state)
{
	unsigned errors = 0, calls = 0;

	(void)state;
	path.errors.burst = 1000;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		for (unsigned k = 0; k < 5; k++)
			send_to(&a, 1240, 1);
		n_probes = 0;
	}
	for (now = T0; now <= T0 + 8 * S; now += 2 * S) {
		while (path_deadline(&path) <= now) {
			outbox_clear(&ob);
			path_expire(&path, now, &ob);
			errors += items_of(OUTBOX_TUN);
			n_probes = 0;
			calls++;
		}
	}
	assert_int_equal(ob.lost, 0);
	assert_int_equal(errors, 5 * MAX);
	assert_in_range(calls, 10, 100);
}

static void a_full_outbox_stops_expiry_at_once(void **state)
{
	(void)state;
	send_one(1);
	now = T0 + 2 * S;
	outbox_clear(&ob);
	assert_non_null(outbox_packet(&ob, OUTBOX_TUN, OUTBOX_BYTES));
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_true(path_deadline(&path) <= now);
	outbox_clear(&ob);
	path_expire(&path, now, &ob);
	assert_int_equal(ob.n, 1);
	assert_true(path_deadline(&path) > now);
}

/* ---- news of peers that go ---- */

static void a_swept_peer_is_announced_down_once(void **state)
{
	uint32_t slot;
	unsigned downs = 0;

	(void)state;
	proven();
	slot = peers_slot(path.peers, peer());
	while (path_deadline(&path) <= T0 + 400 * S) {
		if (path_deadline(&path) > now)
			now = path_deadline(&path);
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		if (items_of(OUTBOX_PEER_DOWN) > 0) {
			assert_int_equal(ob.item[0].arg, slot);
			assert_true(now > T0 + PEER_FORGET);
			downs++;
		}
	}
	assert_int_equal(downs, 1);
	assert_null(peer());
	assert_int_equal(count.n[TEREDO_EV_peer_down], 1);
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

static void all_peers_down_do_not_fit_one_outbox_and_none_is_lost(void **state)
{
	bool down[MAX] = { false };
	unsigned calls = 0;

	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		struct teredo_addr a = dst_number(i);

		outbox_clear(&ob);
		path_proven(&path, peers_get(path.peers, &a, now), ep, now,
			    &ob);
	}
	peers_clear(path.peers);
	while (path_deadline(&path) <= now) {
		outbox_clear(&ob);
		path_expire(&path, now, &ob);
		for (unsigned i = 0; i < ob.n; i++) {
			assert_int_equal(ob.item[i].kind, OUTBOX_PEER_DOWN);
			assert_false(down[ob.item[i].arg]);
			down[ob.item[i].arg] = true;
		}
		calls++;
	}
	for (unsigned i = 0; i < MAX; i++)
		assert_true(down[i]);
	assert_int_equal(calls, 2);
	assert_int_equal(count.n[TEREDO_EV_peer_down], MAX);
}

/* PEER_UP for a slot replaces what was there: a later PEER_DOWN would be of
 * the wrong peer. */
static void a_slot_used_again_is_not_announced_down(void **state)
{
	uint32_t slot;

	(void)state;
	proven();
	slot = peers_slot(path.peers, peer());
	peers_remove(path.peers, peer());
	dst = dst_number(1);
	proven();
	assert_int_equal(peers_slot(path.peers, peer()), slot);
	assert_int_equal(items_of(OUTBOX_PEER_UP), 1);
	outbox_clear(&ob);
	path_expire(&path, now, &ob);
	assert_int_equal(items_of(OUTBOX_PEER_DOWN), 0);
	assert_true(path_deadline(&path) > now);
}

/* R-ENC-10 */
static void a_peer_that_goes_takes_its_timer_and_packets_along(void **state)
{
	(void)state;
	send_one(1);
	send_one(2);
	peers_remove(path.peers, peer());
	assert_int_equal(hold_used(path.hold), 0);
	assert_int_equal(count.n[TEREDO_DROP_unreachable], 2);
	run_until(T0 + 100 * S);
	assert_int_equal(n_probes, 1);
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

static void nobody_is_waited_for_when_there_is_no_peer(void **state)
{
	(void)state;
	assert_true(path_deadline(&path) == TEREDO_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_to_a_trusted_peer_goes_at_once),
		TEST(a_packet_to_another_peer_is_held_and_a_probe_is_sent),
		TEST(proof_releases_what_is_held_in_order_and_once),
		TEST(four_probes_2_s_apart_and_then_the_peer_is_unreachable),
		TEST(the_error_quotes_the_packet_that_was_held),
		TEST(an_error_about_a_long_packet_quotes_its_head),
		TEST(in_the_pause_packets_are_refused_at_once),
		TEST(after_the_pause_traffic_sends_one_probe_each),
		TEST(a_single_probe_is_given_up_after_2_s),
		TEST(a_sign_of_life_ends_the_pause),
		TEST(trust_that_faded_is_asked_for_again),
		TEST(another_endpoint_is_news),
		TEST(a_peer_that_does_not_answer_is_probed_beside_the_traffic),
		TEST(idleness_is_not_a_one_way_path),
		TEST(probes_beside_the_traffic_end_when_the_peer_is_heard),
		TEST(hearing_a_trusted_peer_ends_its_probes_at_once),
		TEST(a_peer_heard_in_the_pause_gets_all_probes_again),
		TEST(too_many_packets_are_dropped_and_counted),
		TEST(a_full_table_is_counted),
		TEST(errors_are_limited_to_100_a_second),
		TEST(no_error_answers_an_error),
		TEST(a_refused_probe_uses_up_its_turn),
		TEST(a_role_that_always_refuses_ends_the_cycle_too),
		TEST(probes_on_request_keep_to_the_same_limits),
		TEST(a_probe_keeps_its_distance_from_the_last),
		TEST(timers_wait_for_room_in_the_outbox),
		TEST(a_full_outbox_stops_expiry_at_once),
		TEST(a_swept_peer_is_announced_down_once),
		TEST(all_peers_down_do_not_fit_one_outbox_and_none_is_lost),
		TEST(a_slot_used_again_is_not_announced_down),
		TEST(a_peer_that_goes_takes_its_timer_and_packets_along),
		TEST(nobody_is_waited_for_when_there_is_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
